"""What a written cell stands for among the values of a population: a value, a label, a range or a set."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.encoding import exact_numbers
from privkit.anonymity.hierarchies.hierarchy import ANY
from privkit.columns import Kind
from privkit.errors import PrivkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy

_RANGE: Final = re.compile(r"\[(?P<low>.+), (?P<high>.+)\]|(?P<first>.*?)\.\.(?P<last>.*)", re.DOTALL)
_SET: Final = re.compile(r"\{(?P<items>.*)\}", re.DOTALL)
_NULL: Final = "null"
_CALENDAR: Final = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT})


def lists(cell: str) -> bool:
    """Whether a cell is written as a range or a set."""
    return bool(_RANGE.fullmatch(cell) or _SET.fullmatch(cell))


class Regions:
    """Reads the cells of one column by the population's values.

    A label of the hierarchy is read first, then a value, then `[17, 23]`, `a..b` and `{a, b}`, as `output="sets"`
    writes them. In a set of values that hold `, ` themselves some may not be found; people are then missed, not added.

    Args:
        domain: The population's values.
        hierarchy: The hierarchy by which the table was generalised, if there is one.

    Raises:
        InvalidParameter: If the hierarchy does not cover the population.
    """

    def __init__(self, domain: Domain, hierarchy: Hierarchy | None) -> None:
        self._domain = domain
        self._values = {text: code for code, text in enumerate(domain.texts)}
        self._labels: dict[str, NDArray[np.bool_]] = {}
        if hierarchy is not None:
            ladder = hierarchy.bind(domain, every=True)
            for groups, labels in zip(ladder.groups, ladder.labels, strict=True):
                self._labels |= {
                    label: groups == number for number, label in enumerate(labels) if label is not None
                }  # of two levels with one label the higher, which holds the lower

    def masks(self, cells: Sequence[str | None]) -> NDArray[np.bool_]:
        """Which values each cell stands for: `bool` of shape `(cells, values)`."""
        return np.stack([self._mask(cell) for cell in cells]) if cells else np.zeros((0, self._domain.size), bool)

    def _mask(self, cell: str | None) -> NDArray[np.bool_]:
        found = np.zeros(self._domain.size, bool)
        if cell is None:
            found[len(self._domain.texts) :] = True
        elif cell == ANY:
            found[:] = True
        elif cell in self._labels:
            return self._labels[cell]
        elif cell in self._values:
            found[self._values[cell]] = True
        elif match := _RANGE.fullmatch(cell):
            low, high = (match["low"], match["high"]) if match["low"] is not None else (match["first"], match["last"])
            found[: len(self._domain.texts)] = self._between(low, high)
        elif match := _SET.fullmatch(cell):
            found[self._members(match["items"].split(", "))] = True
        return found

    def _between(self, low: str, high: str) -> NDArray[np.bool_]:
        numbers, codes = self._scale
        if not numbers or (bounds := self._as_numbers([low, high])) is None:
            return np.array([low <= text <= high for text in self._domain.texts], bool)
        found = np.zeros(len(self._domain.texts), bool)
        found[codes[bisect_left(numbers, bounds[0]) : bisect_right(numbers, bounds[1])]] = True
        return found

    @cached_property
    def _scale(self) -> tuple[list[Any], list[int]]:
        """The values as numbers in ascending order, and the code of each; empty where they are no numbers."""
        numbers = self._as_numbers(self._domain.texts) or []
        codes = sorted(range(len(numbers)), key=numbers.__getitem__)
        return [numbers[code] for code in codes], codes

    def _as_numbers(self, texts: Sequence[str]) -> list[Any] | None:
        """Dates and moments as they count; everything else as decimals: numbers from a CSV file are text."""
        kind = self._domain.kind
        try:
            found = exact_numbers(kind if kind in _CALENDAR else Kind.DECIMAL, texts)
        except (ValueError, ArithmeticError, PrivkitError):
            return None
        return found if kind in _CALENDAR or all(number.is_finite() for number in found) else None

    def _members(self, items: Sequence[str]) -> list[int]:
        codes = [self._values[item] for item in items if item in self._values]
        return [*codes, len(self._domain.texts)] if self._domain.null and _NULL in items else codes
