"""Hierarchies of categories: labels listed value by value, prefixes, orderings, and China's divisions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from privkit.anonymity.hierarchies.hierarchy import ANY, Hierarchy, Labels
from privkit.errors import InvalidParameter, TableError
from privkit.fields import divisions
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.anonymity.counting.encoding import Domain

_COUNTY_DIGITS = 6


@dataclass(frozen=True)
class Listed(Hierarchy):
    """Labels listed value by value."""

    word: ClassVar[str] = "listed"
    rows: tuple[tuple[str, tuple[str | None, ...]], ...]
    names: tuple[str, ...]

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[str, tuple[str | None, ...]]]) -> Listed:
        """Check rows, and leave out a last level that is `*` throughout.

        Raises:
            TableError: If they are of different lengths, or a value stands twice.
        """
        widths = {len(labels) for _, labels in rows}
        if len(widths) != 1:
            shown = "no rows" if not widths else f"rows of {min(widths) + 1} to {max(widths) + 1} columns"
            raise TableError(f"a hierarchy of {shown}; give every value a label on every level")
        if len({value for value, _ in rows}) < len(rows):
            raise TableError(f"{len(rows) - len({value for value, _ in rows})} values of a hierarchy are listed twice")
        while widths != {0} and {labels[-1] for _, labels in rows} == {ANY}:
            rows = [(value, labels[:-1]) for value, labels in rows]
            widths = {len(labels) for _, labels in rows}
        return cls(tuple(rows), tuple(f"level {number + 1}" for number in range(widths.pop())))

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return self.names

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`."""
        known = dict(self.rows)
        none: tuple[str | None, ...] = (None,) * len(self.names)
        found = [known.get(text, none) for text in domain.texts]
        return [[labels[level] for labels in found] for level in range(len(self.names))]

    def uncovered(self, domain: Domain) -> dict[str, int]:
        """See `Hierarchy.uncovered`; a list without levels covers what it lists."""
        known = {value for value, _ in self.rows}
        missing = sum(text not in known for text in domain.texts)
        return {name: missing for name in self.names or ("value",) if missing}

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"rows": [[value, list(labels)] for value, labels in self.rows], "names": list(self.names)}


@dataclass(frozen=True)
class Prefix(Hierarchy):
    """Text of one length, redacted from the right."""

    word: ClassVar[str] = "prefix"
    length: int
    keep: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = all(type(number) is int for number in (self.length, *self.keep))
        if not numbers or not all(a > b for a, b in pairwise((self.length, *self.keep, 0))):
            raise InvalidParameter(
                f"a prefix hierarchy of length {self.length} keeps {list(self.keep)}; the numbers must fall, from less "
                "than the length to 1 or more"
            )

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return tuple(f"first {kept}" for kept in self.keep)

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`."""
        return [
            [text[:kept] + "*" * (self.length - kept) if len(text) == self.length else None for text in domain.texts]
            for kept in self.keep
        ]

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"length": self.length, "keep": list(self.keep)}


@dataclass(frozen=True)
class Ordering(Hierarchy):
    """Categories in an order, by groups of neighbours."""

    word: ClassVar[str] = "ordering"
    values: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) < len(self.values):
            raise InvalidParameter("an ordering names a value twice; name each once")
        whole = all(type(size) is int for size in self.sizes)
        if not whole or not all(b > a and b % a == 0 for a, b in pairwise((1, *self.sizes))):
            raise InvalidParameter(
                f"sizes {list(self.sizes)} do not nest; each must be a multiple of the one before, from 2"
            )

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return tuple(f"groups of {size}" for size in self.sizes)

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`."""
        place = {value: number for number, value in enumerate(self.values)}
        return [[self._label(place.get(text), size) for text in domain.texts] for size in self.sizes]

    def _label(self, place: int | None, size: int) -> str | None:
        if place is None:
            return None
        group = self.values[place // size * size : place // size * size + size]
        return group[0] if len(group) == 1 else f"{group[0]}..{group[-1]}"

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"values": list(self.values), "sizes": list(self.sizes)}


@dataclass(frozen=True)
class Divisions(Hierarchy):
    """Codes of counties by the names of their cities and provinces."""

    word: ClassVar[str] = "divisions"
    levels_wanted: tuple[str, ...]
    version: int

    def __post_init__(self) -> None:
        for name in self.levels_wanted:
            if name not in {"city", "province"}:
                raise InvalidParameter(f"divisions have no level {name!r}{nearest(name, ('city', 'province'))}")
        if self.levels_wanted not in {("city", "province"), ("city",), ("province",)}:
            raise InvalidParameter("name the levels of divisions from fine to coarse, each once")
        divisions.table(self.version)

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return self.levels_wanted

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`."""
        return [[self._label(text, level) for text in domain.texts] for level in self.levels_wanted]

    def _label(self, text: str, level: str) -> str | None:
        if len(text) != _COUNTY_DIGITS or not (text.isascii() and text.isdigit()):
            return None
        code, table = int(text), divisions.table(self.version)
        path = (*table.path(code),) if code in table.names else ()
        if not path:
            return None
        return path[0] if level == "province" else "".join(dict.fromkeys(path[:2]))

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"levels": list(self.levels_wanted), "version": self.version}
