"""Hierarchies: what the values of a quasi-identifier may be generalised to, level by level up to `*`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np

from privkit.errors import InvalidParameter, TableError, WrongType
from privkit.fields.listed import read_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.fields.base import FieldType

ANY: Final = "*"
"""The label of the top level, which holds every value and null."""

Labels: TypeAlias = "list[str | None]"
"""A label for each value of a domain; `None` where the level has none for it."""


class Hierarchy(ABC):
    """What one quasi-identifier may be generalised to.

    Level 0 is the value itself and the last level is `*`; a hierarchy names what is between, from fine to coarse, and
    each level must be a coarsening of the one below. Null is a value of its own on every level below the top. Make one
    with `from_file`, `of`, `intervals`, `dates`, `prefix`, `ordering`, `divisions`, `of_field` or `from_data`.

    Example:
        >>> from privkit.anonymity import Hierarchy
        >>> Hierarchy.intervals([5, 10]).levels
        ('value', 'by 5', 'by 10', '*')
    """

    word: ClassVar[str]
    """What the kind of hierarchy is called in a saved plan."""

    @property
    @abstractmethod
    def between(self) -> tuple[str, ...]:
        """The names of the levels between the value and `*`."""

    @abstractmethod
    def label(self, domain: Domain) -> list[Labels]:
        """Labels of the values of a domain, null left out, on each level of `between`."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Its parameters, as JSON holds them."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of all levels."""
        return ("value", *self.between, ANY)

    def uncovered(self, domain: Domain) -> dict[str, int]:
        """How many distinct values of a column each level has no label for; levels that cover all are left out."""
        counts = [sum(label is None for label in labels) for labels in self.label(domain)]
        return {name: count for name, count in zip(self.between, counts, strict=True) if count}

    def bind(self, domain: Domain, *, every: bool = False) -> Ladder:
        """Lay the hierarchy over the values of a column.

        Args:
            domain: The values.
            every: Whether to keep levels that tell no fewer of these values apart than the level below; a search
                has no use for them.

        Raises:
            InvalidParameter: If values are not covered (levels and counts are named, values are not), or a level
                tells values apart that the level below does not.
        """
        between = self.label(domain)
        gaps = {
            name: sum(label is None for label in labels) for name, labels in zip(self.between, between, strict=True)
        }
        if any(gaps.values()):
            shown = ", ".join(
                f"{count} of {len(domain.texts)} on level {name!r}" for name, count in gaps.items() if count
            )
            raise InvalidParameter(
                f"the hierarchy of {domain.name!r} does not cover values of the data: {shown}; add them to it, or make "
                "it with Hierarchy.from_data"
            )
        return Ladder.of(domain, self.levels, between, every=every)

    # --- constructors -----------------------------------------------------------------------------------------------

    @staticmethod
    def of(rows: Mapping[str, Sequence[str]] | Sequence[Sequence[str]]) -> Hierarchy:
        """Take explicit labels: for each value its labels from fine to coarse.

        Args:
            rows: By value, its labels; or rows of which the first item is the value. A last level that is `*` may be
                left out.

        Example:
            >>> from privkit.anonymity import Hierarchy
            >>> Hierarchy.of({"flu": ["airways"], "asthma": ["airways"], "gastritis": ["stomach"]}).levels
            ('value', 'level 1', '*')
        """
        from privkit.anonymity.hierarchies.listed import Listed  # noqa: PLC0415 - it stands on this module

        pairs = rows.items() if hasattr(rows, "items") else [(row[0], row[1:]) for row in rows]
        return Listed.of_rows(
            [
                (
                    str(value),
                    tuple(label if label is None else str(label) for label in _list("labels of a value", labels)),
                )
                for value, labels in pairs
            ]
        )

    @staticmethod
    def from_file(path: str | Path, *, delimiter: str = ";", encoding: str = "utf-8-sig") -> Hierarchy:
        """Read labels from a file without a header, one value a line: `39;35-39;30-39;*`.

        Args:
            path: The file.
            delimiter: What stands between the columns.
            encoding: How it is written.

        Raises:
            TableError: If the file is empty, its lines are of different lengths, or a value stands in it twice.
        """
        return Hierarchy.of(read_labels(path, delimiter=delimiter, encoding=encoding))

    @staticmethod
    def intervals(widths: Sequence[float], *, start: float = 0) -> Hierarchy:
        """Numbers by intervals, each level's width a multiple of the one before.

        Whole numbers are labelled by the first and last that belong (`20-24`), others half-open (`[20, 25)`).

        Args:
            widths: Such as `[5, 10, 20]`.
            start: A number that is a border on every level.
        """
        from privkit.anonymity.hierarchies.scales import Intervals  # noqa: PLC0415 - it stands on this module

        return Intervals(tuple(_number("a width", width) for width in _list("widths", widths)), _number("start", start))

    @staticmethod
    def dates(levels: Sequence[str] = ("month", "quarter", "year", "decade")) -> Hierarchy:
        """Dates and moments by parts of the calendar.

        Args:
            levels: Of `day`, `month`, `quarter`, `year` and `decade`, from fine to coarse.
        """
        from privkit.anonymity.hierarchies.scales import Dates  # noqa: PLC0415 - it stands on this module

        return Dates(_list("levels of dates", levels))

    @staticmethod
    def prefix(length: int, keep: Sequence[int]) -> Hierarchy:
        """Text of one length, redacted from the right: `Hierarchy.prefix(6, [4, 2])` gives `3101**`, then `31****`.

        Args:
            length: How many characters every value has.
            keep: How many of them each level keeps, falling.
        """
        from privkit.anonymity.hierarchies.listed import Prefix  # noqa: PLC0415 - it stands on this module

        return Prefix(length, _list("keep", keep))

    @staticmethod
    def ordering(values: Sequence[str], sizes: Sequence[int]) -> Hierarchy:
        """Categories that stand in an order, by groups of neighbours, labelled by the first and last: `primary..high`.

        Args:
            values: All values, in order.
            sizes: How many values a group has on each level, each a multiple of the one before.
        """
        from privkit.anonymity.hierarchies.listed import Ordering  # noqa: PLC0415 - it stands on this module

        return Ordering(tuple(map(str, _list("values", values, text=True))), _list("sizes", sizes))

    @staticmethod
    def divisions(levels: Sequence[str] = ("city", "province"), *, version: int = 1) -> Hierarchy:
        """Codes of China's counties (six digits) by the names of the cities and provinces that they belong to.

        Args:
            levels: Of `city` and `province`, from fine to coarse.
            version: The version of `privkit.fields.divisions`.
        """
        from privkit.anonymity.hierarchies.listed import Divisions  # noqa: PLC0415 - it stands on this module

        return Divisions(_list("levels of divisions", levels), version)

    @staticmethod
    def of_field(field: FieldType, levels: Sequence[str | Mapping[str, Any]]) -> Hierarchy:
        """Values of a field type by levels that the type has.

        Args:
            field: What the values are.
            levels: Names of its levels, from fine to coarse, such as `["month", "year"]`; one that takes parameters as
                `{"to": "band", "width": 100}`.

        Example:
            >>> from privkit import fields
            >>> from privkit.anonymity import Hierarchy
            >>> Hierarchy.of_field(fields.CN_CITY, ["province", "region"]).levels
            ('value', 'province', 'region', '*')
        """
        from privkit.anonymity.hierarchies.typed import FieldLevels  # noqa: PLC0415 - it stands on this module

        return FieldLevels.of(field, levels)

    @staticmethod
    def from_data(column: Any = None, *, fanout: int = 2, levels: int = 4) -> Hierarchy:  # noqa: ANN401 - any column
        """Build one from the values that are there: groups of neighbours of about equally many values.

        Numbers and dates are grouped in their order, text in the order of its characters, so that what begins alike
        stays together. Later values beyond the ends belong to the first and the last group.

        Args:
            column: The column; or nothing, and then it is built from the table that is fitted.
            fanout: How many groups of one level make one of the next.
            levels: How many levels there are between the value and `*`, at most.
        """
        from privkit.anonymity.hierarchies.derived import Derived  # noqa: PLC0415 - it stands on this module

        return Derived.of_column(column, fanout, levels)


def _list(what: str, given: Any, *, text: bool = False) -> tuple[Any, ...]:  # noqa: ANN401 - checked here
    """The items of a parameter that is a list; a text is one of its letters only where that is meant."""
    if not hasattr(given, "__iter__") or (isinstance(given, str) and not text):
        raise WrongType(f"{what} must be a list, not {type(given).__name__}")
    return tuple(given)


def _number(what: str, given: Any) -> int | float:  # noqa: ANN401 - checked here
    """A number of any kind as Python's own, which a saved plan can hold."""
    if isinstance(given, bool) or not isinstance(given, Real | Decimal):
        raise WrongType(f"{what} of intervals must be a number, not {type(given).__name__}")
    return int(given) if isinstance(given, Integral) else float(given)


@dataclass(frozen=True, eq=False, repr=False)
class Ladder:
    """A hierarchy laid over the values of one column.

    Attributes:
        domain: The column's values.
        levels: The names of the levels, the value itself first and `*` last.
        groups: For each level, the group of each code, `int32`, numbered from 0.
        labels: For each level, the label of each group; `None` is null.
        losses: For each level, the loss of each group, from 0 to 1: for numbers the width of what it holds over the
            width of all, for categories (values held - 1) / (values - 1).
    """

    domain: Domain
    levels: tuple[str, ...]
    groups: tuple[NDArray[np.int32], ...]
    labels: tuple[tuple[str | None, ...], ...]
    losses: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, domain: Domain, levels: tuple[str, ...], between: Sequence[Labels], *, every: bool = False) -> Ladder:
        """Number the groups of each level in the order of the domain.

        Raises:
            InvalidParameter: If a level is no coarsening of the one below.
        """
        own: Labels = [*domain.texts, *([None] if domain.null else [])]
        found = [(levels[0], np.arange(domain.size, dtype=np.int32), tuple(own))]
        for name, labels in zip(levels[1:-1], between, strict=True):
            groups, names = _numbered([*labels, *([None] if domain.null else [])])
            if not _coarsens(found[-1][1], groups):
                raise InvalidParameter(
                    f"level {name!r} of the hierarchy of {domain.name!r} divides a group of level {found[-1][0]!r}; "
                    "each level must be a coarsening of the one before"
                )
            if every or 1 < len(names) < len(found[-1][2]):
                found.append((name, groups, names))
        found.append((levels[-1], np.zeros(domain.size, np.int32), (ANY,)))
        losses = [_losses(domain, groups, len(names)) for _, groups, names in found]
        return cls(
            domain,
            tuple(name for name, _, _ in found),
            tuple(groups for _, groups, _ in found),
            tuple(names for _, _, names in found),
            tuple(losses),
        )

    @property
    def height(self) -> int:
        """How many levels there are."""
        return len(self.levels)


def _numbered(labels: Labels) -> tuple[NDArray[np.int32], tuple[str | None, ...]]:
    numbers: dict[str | None, int] = {}
    groups = np.fromiter((numbers.setdefault(label, len(numbers)) for label in labels), np.int32, len(labels))
    return groups, tuple(numbers)


def _coarsens(finer: NDArray[np.int32], coarser: NDArray[np.int32]) -> bool:
    """Whether all values of each finer group are in one coarser group."""
    image = np.zeros(int(finer.max(initial=-1)) + 1, np.int32)
    image[finer] = coarser
    return bool((image[finer] == coarser).all())


def _losses(domain: Domain, groups: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    if not domain.numeric:
        values = np.bincount(groups, minlength=count)
        shares: NDArray[np.float64] = (values - 1) / max(domain.size - 1, 1)
        return shares
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, groups, domain.places)
    np.maximum.at(high, groups, domain.places)
    widths: NDArray[np.float64] = np.minimum(high - low, 1.0)
    return widths


def read_hierarchy(described: Mapping[str, Any]) -> Hierarchy:
    """Make a hierarchy from what `describe` said and the word of its kind.

    Raises:
        TableError: If there is no such kind.
    """
    from privkit.anonymity.hierarchies import derived, listed, scales, typed  # noqa: PLC0415 - they stand on this module

    kinds: dict[str, Callable[[Mapping[str, Any]], Hierarchy]] = {
        listed.Listed.word: lambda own: listed.Listed(
            tuple((value, tuple(labels)) for value, labels in own["rows"]), tuple(own["names"])
        ),
        listed.Prefix.word: lambda own: listed.Prefix(int(own["length"]), tuple(own["keep"])),
        listed.Ordering.word: lambda own: listed.Ordering(tuple(own["values"]), tuple(own["sizes"])),
        listed.Divisions.word: lambda own: listed.Divisions(tuple(own["levels"]), int(own["version"])),
        scales.Intervals.word: lambda own: scales.Intervals(tuple(own["widths"]), own["start"]),
        scales.Dates.word: lambda own: scales.Dates(tuple(own["levels"])),
        derived.Derived.word: derived.Derived.read,
        typed.FieldLevels.word: typed.FieldLevels.read,
    }
    word = described.get("hierarchy")
    if word not in kinds:
        raise TableError(f"no kind of hierarchy {word!r}; this privkit knows: {', '.join(kinds)}")
    return kinds[str(word)](described)
