"""Two halves of the quasi-identifiers, each with its combinations in groups at every choice of levels.

A node of the lattice puts two tuples together where it puts both of their halves together. A half has few combinations
beside the tuples, so that hierarchies are asked about these alone; a tuple is then two numbers, and what a node makes
of it a look at two tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.anonymity.counting.keys import combine, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.hierarchies.hierarchy import Ladder

_CACHE: Final = 50_000_000
"""Bytes that the divisions of one half may take together."""


@dataclass(frozen=True, eq=False)
class Division:
    """The combinations of a half in groups.

    Attributes:
        groups: The group of each combination, from 0, `int32`.
        firsts: A combination of each group.
    """

    groups: NDArray[np.int32]
    firsts: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.firsts)

    def onto(self, other: Division) -> NDArray[np.int64]:
        """For each group, the group of a division above that it is part of."""
        return other.groups[self.firsts].astype(np.int64)


class Half:
    """Some of the attributes; there may be none.

    Args:
        ladders: The hierarchies of all attributes over their domains.
        codes: Codes of the tuples, of shape `(attributes, tuples)`.
        attributes: Which they are.

    Attributes:
        attributes: Which they are.
        own: The combination of each tuple, `int32`.
        bottom: Every combination as a group of its own.
    """

    def __init__(self, ladders: Sequence[Ladder], codes: NDArray[np.int32], attributes: slice) -> None:
        self._ladders, self.attributes = ladders[attributes], attributes
        mine = codes[attributes]
        firsts, self.own = _combined(list(mine), [ladder.domain.size for ladder in self._ladders], codes.shape[1])
        self._codes = mine[:, firsts]
        every = np.arange(len(firsts))
        self.bottom = Division(every.astype(np.int32), every)
        self._known: dict[tuple[int, ...], Division] = {}

    def at(self, levels: Sequence[int]) -> Division:
        """The groups at a level of each attribute."""
        wanted = tuple(levels)
        if wanted not in self._known:
            if len(self._known) * self.bottom.groups.nbytes > _CACHE:
                self._known.clear()
            rows = list(zip(self._ladders, levels, self._codes, strict=True))
            found = [ladder.groups[level][codes] for ladder, level, codes in rows]
            widths = [len(ladder.labels[level]) for ladder, level, _ in rows]
            firsts, groups = _combined(found, widths, len(self.bottom))
            self._known[wanted] = Division(groups, firsts)
        return self._known[wanted]

    def sums(self, values: Sequence[NDArray[np.float64]], division: Division) -> NDArray[np.float64]:
        """For a combination of each group, the sum of what its codes have.

        Args:
            values: For each attribute, what each code has.
            division: The groups.
        """
        total = np.zeros(len(division))
        for own, codes in zip(values, self._codes, strict=True):
            total += own[codes[division.firsts]]
        return total


def divided(ladders: Sequence[Ladder]) -> int:
    """How many of the attributes make the first half, so that neither half has many combinations."""
    bits = np.log2([max(ladder.domain.size, 1) for ladder in ladders])
    return int(np.argmin(np.abs(np.cumsum(bits) - bits.sum() / 2))) + 1


def _combined(
    columns: Sequence[NDArray[np.int32]], widths: Sequence[int], rows: int
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """As `numbered`, of combinations; with no columns all rows are one."""
    return numbered(combine([np.zeros(rows, np.int32), *columns], [1, *widths]))
