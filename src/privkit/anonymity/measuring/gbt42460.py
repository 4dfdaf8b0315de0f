"""The level of de-identification by GB/T 42460-2023 (个人信息去标识化效果评估指南).

The guide grades a data set in four levels (clause 4):

1. it holds direct identifiers: whom a record is about can be read from it;
2. direct identifiers are gone, but what is left (quasi-identifiers) identifies with a risk above the threshold;
3. direct identifiers are gone, and the risk is not above the threshold;
4. it holds no identifiers of either kind, as aggregated data does.

The risk of a record is one over the size of its class, by the model of annex D (k-anonymity), and the risk of a table
that of its most exposed record. Thresholds by the way of release: 1/20 for a public release, 1/5 for a controlled one,
1/3 inside an enclave. Which columns identify, and how the table is released, only a person can say; a grade repeats it
as declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from privkit.errors import InvalidParameter
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

THRESHOLDS: Final[Mapping[str, Fraction]] = {
    "public": Fraction(1, 20),
    "controlled": Fraction(1, 5),
    "enclave": Fraction(1, 3),
}
"""The greatest acceptable risk of a record, by the way of release."""


@dataclass(frozen=True)
class Grade:
    """A level by GB/T 42460-2023, with what it was made of.

    Attributes:
        level: 1 to 4; more is better.
        risk: Computed: the risk of the most exposed record; `None` where there are no quasi-identifiers.
        threshold: What that was compared with.
        release: Declared: `public`, `controlled` or `enclave`.
        identifiers: Declared: columns of direct identifiers.
        quasi_identifiers: Declared: columns of quasi-identifiers.
        needed_k: The smallest class that the threshold asks for.
    """

    level: int
    risk: Fraction | None
    threshold: Fraction
    release: str
    identifiers: tuple[str, ...]
    quasi_identifiers: tuple[str, ...]

    @property
    def needed_k(self) -> int:
        """The smallest class that the threshold asks for."""
        return -(-self.threshold.denominator // self.threshold.numerator)


def threshold_of(release: str) -> Fraction:
    """The greatest acceptable risk of a record.

    Args:
        release: `public`, `controlled` or `enclave`.

    Raises:
        InvalidParameter: If it is none of these.
    """
    if release not in THRESHOLDS:
        raise InvalidParameter(f"no way of release {release!r}{nearest(release, THRESHOLDS)}")
    return THRESHOLDS[release]


def grade(
    *, release: str, k: int | None = None, identifiers: Sequence[str] = (), quasi_identifiers: Sequence[str] = ()
) -> Grade:
    """Grade a table.

    Args:
        release: How it is released: `public`, `controlled` or `enclave`.
        k: The size of its smallest class; needed where there are quasi-identifiers.
        identifiers: Its columns of direct identifiers.
        quasi_identifiers: Its columns of quasi-identifiers.

    Raises:
        InvalidParameter: If there is no such way of release, or `k` is missing or below 1.

    Example:
        >>> from privkit.anonymity import grade
        >>> grade(release="controlled", k=4, quasi_identifiers=["age", "zip"]).level
        2
        >>> grade(release="controlled", k=5, quasi_identifiers=["age", "zip"]).level
        3
    """
    threshold = threshold_of(release)
    if quasi_identifiers and (k is None or k < 1):
        raise InvalidParameter("a grade with quasi-identifiers needs k, at least 1; measure the table first")
    risk = Fraction(1, k) if quasi_identifiers and k else None
    if identifiers:
        level = 1
    elif risk is None:
        level = 4
    else:
        level = 2 if risk > threshold else 3
    return Grade(level, risk, threshold, release, tuple(identifiers), tuple(quasi_identifiers))
