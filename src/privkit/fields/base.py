"""What a field type is: the class that every type of the catalogue is made from.

A field type knows what a value *is*. It brings a value into its canonical form (text, always: a date is
`1990-01-02`, an amount `12.50`), says whether it is valid, and carries what the transforms need to know of it:
mask profiles, the symbols that move under format-preserving encryption, generalisation levels, and its place in the
norm.

Two ways lead to the canonical form, and tests hold them to each other:

- `normalise` takes one `str`, whatever it looks like, and is the definition;
- `recognise` looks at a whole column at once and says which rows are canonical already. In real columns that is
  nearly all of them. The rest is written by `respell` in the form that common spellings come down to, and looked at
  once more, so that only what is odd takes the slow way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields.listed import HIERARCHY, Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from privkit.fields.layout import Layout


CHUNK = 32_768
"""Rows that are looked at together: what is computed about so many stays in a core's cache."""


def chunks(text: Ragged) -> list[Ragged]:
    """Cut a column into parts of at most `CHUNK` rows, one at least, that share its buffer."""
    if len(text) <= CHUNK:
        return [text]
    return [Ragged(text.data, text.offsets[start : start + CHUNK + 1]) for start in range(0, len(text), CHUNK)]


class Category(StrEnum):
    """The categories of customer data in the norm."""

    IDENTITY = "identity"
    CONTACT = "contact"
    ACCOUNT = "account"
    TRANSACTION = "transaction"
    BEHAVIOUR = "behaviour"
    BIOMETRIC = "biometric"
    SENSITIVE = "other sensitive"


class Sensitivity(StrEnum):
    """How much harm a value does in the wrong hands."""

    GENERAL = "general"
    """Personal information, protected as such."""
    SENSITIVE = "sensitive"
    """Sensitive personal information in the sense of PIPL, article 28."""
    HIGH = "high"
    """Highly sensitive by the norm: biometrics, payment accounts, resident IDs, and what opens an account."""


class MaskShape(Protocol):
    """A named way to hide most of a value; the value is canonical, valid and not empty."""

    @property
    def shows(self) -> int:
        """At most how many characters of a value can be read from its mask."""
        ...

    def one(self, text: str) -> str:
        """Mask one value."""
        ...

    def many(self, text: Ragged) -> Ragged:
        """Mask a column of values; the same as `one` for each."""
        ...


class Level(Protocol):
    """A named way to make a value coarser; the value is canonical, valid and not empty."""

    def one(self, text: str) -> str:
        """Generalise one value."""
        ...

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column of values; the same as `one` for each."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """A column brought into canonical form.

    Attributes:
        text: The canonical rows; a row that is not valid is empty here.
        bad: `bool` of shape `(rows,)`, true where a row is not valid; `None` where all are.
        changed: Positions of the valid rows whose canonical form differs from what was passed.
        reason: Why the first bad row is not valid, without its value; `""` where there is none.
    """

    text: Ragged
    bad: NDArray[np.bool_] | None = None
    changed: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    reason: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FieldType:
    """What a value is.

    Attributes:
        name: The name in policies, such as `cn_mobile`.
        title: A short English title.
        title_zh: A short Chinese title.
        category: Its category in the norm.
        sensitivity: How sensitive it is.
        basis: What the sensitivity rests on.
        masks: Mask profiles by name; `display` is the customary form.
        levels: Generalisation levels by name; each is called with the level's parameters. Every type has `hierarchy`,
            which goes through a file of labels.
        layouts: How it moves under format-preserving encryption: called with the options, such as `keep="bin"`.
        releasable: False for what may never leave in any form, such as passwords and biometric templates.
    """

    name: str
    title: str
    title_zh: str
    category: Category
    sensitivity: Sensitivity = Sensitivity.GENERAL
    basis: str = ""
    masks: Mapping[str, MaskShape] = field(default_factory=lambda: MappingProxyType({}))
    levels: Mapping[str, Callable[..., Level]] = field(default_factory=lambda: MappingProxyType({}))
    layouts: Callable[..., Layout] | None = None
    releasable: bool = True

    def __post_init__(self) -> None:
        """Give it the level that every type has."""
        listed = partial(Listed.of, self)
        object.__setattr__(self, "levels", MappingProxyType({**self.levels, HIERARCHY: listed}))

    @property
    def own_levels(self) -> Mapping[str, Callable[..., Level]]:
        """The levels that are this type's and not every type's."""
        return {name: level for name, level in self.levels.items() if name != HIERARCHY}

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form.

        Args:
            text: The value, not empty.

        Returns:
            The canonical form; normalising it again changes nothing.

        Raises:
            InvalidValue: If it is not a value of this type; the message gives the reason and not the value.
        """
        return text

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Say which rows are valid and canonical already.

        A row may be denied that is canonical (it then takes the slow way), never the other way round.

        Args:
            text: Rows, none of them empty.
        """
        return np.zeros(len(text), np.bool_)

    def respell(self, text: Ragged) -> Ragged:
        """Bring the common spellings of a column to the canonical one: without separators, in one case, and so on.

        It need not do so for every row, nor know valid ones from others: what it makes of a row is used only where
        `recognise` then knows it, and so must be what `normalise` would make of it there.

        Args:
            text: Rows, none of them empty.

        Returns:
            As many rows.
        """
        return text

    def read(self, text: Ragged) -> Reading:
        """Bring a column into canonical form.

        Args:
            text: UTF-8 rows, none of them empty.
        """
        known = _recognised(self, text)
        if known.all():
            return Reading(text)
        rows = np.flatnonzero(~known)
        odd = text if len(rows) == len(text) else text.take(rows)
        plain, found = _respelt(self, odd)
        if found.all() and len(rows) == len(text):
            return Reading(plain, changed=rows)
        if not found.any():
            return self._read_slowly(text, rows)
        merged = Ragged.merge(
            len(text),
            [
                (np.flatnonzero(known), text.take(known)),
                (rows[found], plain.take(found)),
                (rows[~found], odd.take(~found)),
            ],
        )
        reading = self._read_slowly(merged, rows[~found])
        return replace(reading, changed=np.sort(np.concatenate([rows[found], reading.changed])))

    def invalid(self, reason: str) -> InvalidValue:
        """Make the error that `normalise` raises."""
        return InvalidValue(reason, field_type=self.name)

    def _read_slowly(self, text: Ragged, rows: NDArray[np.intp]) -> Reading:
        """Take the given rows through `normalise`, one by one."""
        bad = np.zeros(len(text), np.bool_)
        changed: list[int] = []
        reason = ""
        canonical: list[str] = []
        for row, value in zip(rows.tolist(), text.take(rows).to_text(), strict=True):
            try:
                normal = self.normalise(value)
            except InvalidValue as error:
                bad[row] = True
                reason = reason or error.reason
                normal = ""
            else:
                if normal != value:
                    changed.append(row)
            canonical.append(normal)
        any_bad = bool(bad.any())
        if not any_bad and not changed:
            return Reading(text)
        rest = np.delete(np.arange(len(text)), rows)
        whole = Ragged.merge(len(text), [(rest, text.take(rest)), (rows, Ragged.of_text(canonical))])
        return Reading(whole, bad if any_bad else None, np.array(changed, np.intp), reason)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<field type {self.name}>"


def _respelt(kind: FieldType, text: Ragged) -> tuple[Ragged, NDArray[np.bool_]]:
    """Rows in another spelling, and which of them are recognised in it."""
    parts: list[Ragged] = []
    found: list[NDArray[np.bool_]] = []
    for part in chunks(text):
        plain = kind.respell(part)
        parts.append(plain)
        found.append(np.zeros(len(part), np.bool_) if plain is part else _recognised(kind, plain))
    return parts[0] if len(parts) == 1 else Ragged.concat(parts), np.concatenate(found)


def _recognised(kind: FieldType, text: Ragged) -> NDArray[np.bool_]:
    """What `recognise` says, part by part, of rows that may be empty."""
    filled = text.lengths > 0
    if filled.all():
        return np.concatenate([kind.recognise(part) for part in chunks(text)])
    if filled.any():
        filled[filled] = _recognised(kind, text.take(filled))
    return filled
