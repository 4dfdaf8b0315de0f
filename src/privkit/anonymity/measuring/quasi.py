"""Which quasi-identifier the risk comes from: what the table would be without each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.anonymity.counting.keys import combine, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet


@dataclass(frozen=True)
class QuasiMeasurement:
    """One quasi-identifier, by what the table would be if it were left out.

    Attributes:
        column: Its name.
        values: How many distinct values it has in the table, null included.
        k_without: The size of the smallest class without it.
        unique_without: Records alone in their class without it.
        at_risk_without: Records whose risk is above the threshold without it; the fewer, the more it gives away.
    """

    column: str
    values: int
    k_without: int
    unique_without: int
    at_risk_without: int


def measure_quasi(frequency: FrequencySet, needed: int) -> tuple[QuasiMeasurement, ...]:
    """Measure a table without each of its quasi-identifiers.

    Args:
        frequency: What the table holds.
        needed: The least size of a class whose records are not above the threshold.

    Example:
        >>> from privkit.anonymity import FrequencySet
        >>> from privkit.anonymity.measuring.quasi import measure_quasi
        >>> table = {"age": [30, 31, 32, 33], "city": ["hz", "hz", "sh", "sh"]}
        >>> found = measure_quasi(FrequencySet.of(table, ["age", "city"]), needed=3)
        >>> [(one.column, one.k_without, one.at_risk_without) for one in found]
        [('age', 2, 4), ('city', 1, 4)]
    """
    codes = frequency.codes[: len(frequency.quasi), frequency.starts]
    sizes = np.add.reduceat(frequency.counts, frequency.starts)
    found = []
    for number, domain in enumerate(frequency.quasi):
        left = _without(codes, sizes, [own.size for own in frequency.quasi], number)
        found.append(
            QuasiMeasurement(
                column=domain.name,
                values=domain.size,
                k_without=int(left.min()),
                unique_without=int(np.count_nonzero(left == 1)),
                at_risk_without=int(left[left < needed].sum()),
            )
        )
    return tuple(found)


def _without(codes: NDArray[np.int32], sizes: NDArray[np.int64], radices: list[int], number: int) -> NDArray[np.int64]:
    """The sizes of the classes that are left without one column."""
    others = [other for other in range(len(codes)) if other != number]
    if not others:
        return np.array([sizes.sum()], np.int64)
    keys = combine([codes[other] for other in others], [radices[other] for other in others])
    return counted(keys, sizes)[1]
