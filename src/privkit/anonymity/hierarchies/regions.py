"""What a written cell stands for among the values of a population: a value, a label, a range or a set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.anonymity.counting.encoding import to_numbers
from privkit.anonymity.hierarchies.hierarchy import ANY
from privkit.errors import PrivkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy

_RANGE: Final = re.compile(r"\[(?P<low>.+), (?P<high>.+)\]|(?P<first>.*?)\.\.(?P<last>.*)", re.DOTALL)
_SET: Final = re.compile(r"\{(?P<items>.*)\}", re.DOTALL)
_NULL: Final = "null"


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
        try:
            if self._domain.numeric:
                first, last = to_numbers(self._domain.kind, [low, high])
                numbers = self._domain.numbers
            else:  # a population from a CSV file, whose numbers are text
                numbers = np.array([float(text) for text in self._domain.texts], np.float64)
                first, last = float(low), float(high)
        except (ValueError, PrivkitError):
            return np.array([low <= text <= high for text in self._domain.texts], bool)
        between: NDArray[np.bool_] = (numbers >= first) & (numbers <= last)
        return between

    def _members(self, items: Sequence[str]) -> list[int]:
        codes = [self._values[item] for item in items if item in self._values]
        return [*codes, len(self._domain.texts)] if self._domain.null and _NULL in items else codes
