"""Roll-up: the groups of a node, as a smaller table of which every node above is grouped.

Tuples that are alike at a node are alike at all nodes above it, so one tuple stands there for its group, with the
group's records and sensitive values (LeFevre et al. 2005, Incognito, the roll-up property). What is kept are the groups
of nodes of which every level is even: a lattice has few of them, and from the one next below any node is grouped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import SPARSE, lengths, order_of, runs, spread
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.halves import Half, divided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder
    from privkit.anonymity.models.privacy import Models
    from privkit.anonymity.recoding.halves import Division

_STEP: Final = 2
"""A base is made of nodes whose levels are multiples of it."""
_SMALL: Final = 2_000
"""Tuples of a base of which no smaller one is made."""
_WORTH: Final = 0.4
"""A node becomes a base where it has at most this share of groups for the tuples that it was grouped of."""
_ROOM: Final = 2_000_000
"""Tuples that all bases together may have, or those of the table, if they are more."""


@dataclass(frozen=True, eq=False)
class Groups:
    """The tuples of a base, put together at a node.

    Attributes:
        base: The base.
        node: The level of each attribute.
        divisions: The groups of both halves at these levels.
        keys: The group of each tuple: that of its first half times the groups of the second, and that of its second.
    """

    base: Base
    node: Sequence[int]
    divisions: tuple[Division, Division]
    keys: NDArray[np.int64]

    @property
    def _span(self) -> int:
        return len(self.divisions[0]) * len(self.divisions[1])

    @cached_property
    def _dense(self) -> bool:
        """Whether records are added up in a table with a place for every possible group."""
        return self._span <= SPARSE * len(self.keys)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """The base's tuples, group after group."""
        return order_of(self.keys)

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where each group begins in `order`."""
        return runs(self.keys[self.order])

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The key of each group, ascending."""
        if self._dense:
            return np.flatnonzero(np.bincount(self.keys, minlength=self._span))
        return self.keys[self.order[self.starts]]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Records of each group."""
        return self.sums(self.base.sizes).astype(np.int64)

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """What each group has, of what the tuples of the base have."""
        if self._dense:
            return np.bincount(self.keys, values, self._span)[self._places]
        return np.add.reduceat(values[self.order], self.starts)

    @cached_property
    def diversity(self) -> Diversity:
        """Asks the models about groups of these groups, each of which is a tuple; where the base's `rolls`."""
        return self.base.diversity.rolled(self.sums, self.sizes)

    def met(self) -> NDArray[np.bool_]:
        """Which groups meet the models."""
        if self.base.diversity.rolls:
            return self.diversity.met()
        return self.base.diversity.meets(self.sizes, self.order, self.starts)

    def least_lost(self, bad: NDArray[np.intp]) -> NDArray[np.int64]:
        """How many records some groups that do not meet the models lose at least, however they are divided."""
        if self.base.diversity.rolls:
            return self.diversity.least_lost(self.sizes[bad], bad, np.arange(len(bad)))
        members = lengths(self.starts, len(self.order))[bad]
        inside = self.order[spread(self.starts[bad], members)]
        return self.base.diversity.least_lost(self.sizes[bad], inside, np.cumsum(members) - members)

    def settled(self, good: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of good groups are released; see `Diversity.settled`."""
        if self.base.diversity.rolls:
            every = np.arange(len(good))
            return self.diversity.settled(good, every, every)
        return self.base.diversity.settled(good, self.order, self.starts)

    @cached_property
    def tuples(self) -> NDArray[np.intp]:
        """A tuple of the table from each group."""
        if not self._dense:
            return self.base.tuples[self.order[self.starts]]
        some = np.zeros(self._span, np.intp)
        some[self.keys] = self.base.tuples
        return some[self._places]

    def of_each(self, values: NDArray[Any]) -> NDArray[Any]:
        """What each tuple of the base has, of what each group has."""
        out = np.empty(len(self.order), values.dtype)
        out[self.order] = np.repeat(values, lengths(self.starts, len(self.order)))
        return out

    def totals(self, values: Sequence[Sequence[NDArray[np.float64]]], some: NDArray[np.intp]) -> NDArray[np.float64]:
        """The sum over attributes of what the codes of a group have, for some groups.

        Args:
            values: For each attribute and level, what each code has: the same for all codes of a group.
            some: The groups.
        """
        parts = np.divmod(self._places[some], max(len(self.divisions[1]), 1))
        found, own = np.zeros(len(some)), [levels[level] for levels, level in zip(values, self.node, strict=True)]
        for half, division, part in zip(self.base.halves, self.divisions, parts, strict=True):
            found += half.sums(own[half.attributes], division)[part]
        return found

    def rolled(self) -> Base:
        """A base of these groups; only where the base's diversity `rolls`."""
        first, second = np.divmod(self._places, max(len(self.divisions[1]), 1))
        own = (first.astype(np.int32), second.astype(np.int32))
        return Base(
            self.base.halves, self.divisions, own, self.sizes, self.diversity, node=self.node, tuples=self.tuples
        )


class Base:
    """A table of groups.

    Args:
        halves: Both halves of the attributes.
        divisions: What the groups are made of in either.
        own: The part of each group in either division.
        sizes: Records of each group.
        diversity: Asks the models about groups of these.
        node: The node whose groups they are.
        tuples: A tuple of the first table for each group.
    """

    def __init__(
        self,
        halves: tuple[Half, Half],
        divisions: tuple[Division, Division],
        own: tuple[NDArray[np.int32], NDArray[np.int32]],
        sizes: NDArray[np.int64],
        diversity: Diversity,
        *,
        node: Sequence[int],
        tuples: NDArray[np.intp],
    ) -> None:
        self.halves, self.sizes, self.diversity, self.tuples = halves, sizes, diversity, tuples
        self.node = np.array(node, np.int64)
        self._divisions, self._own = divisions, own

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def of_table(cls, frequency: FrequencySet, ladders: Sequence[Ladder], models: Models) -> Base:
        """The table itself, which is the groups of the lowest node."""
        codes, cut = frequency.codes[: len(ladders), frequency.starts], divided(ladders)
        halves = Half(ladders, codes, slice(cut)), Half(ladders, codes, slice(cut, None))
        sizes = np.add.reduceat(frequency.counts, frequency.starts)
        return cls(
            halves,
            (halves[0].bottom, halves[1].bottom),
            (halves[0].own, halves[1].own),
            sizes,
            Diversity(frequency, models),
            node=[0] * len(ladders),
            tuples=np.arange(len(sizes)),
        )

    def at(self, node: Sequence[int]) -> Groups:
        """The groups at a node above."""
        first, second = [half.at(node[half.attributes]) for half in self.halves]
        keys = (self._divisions[0].onto(first) * len(second))[self._own[0]]
        keys += self._divisions[1].onto(second)[self._own[1]]
        return Groups(self, node, (first, second), keys)


class Bases:
    """The bases of a search.

    Args:
        table: The base of the whole table.
    """

    def __init__(self, table: Base) -> None:
        self._table = table
        self._known: dict[tuple[int, ...], Base] = {}
        self._held = 0

    def under(self, node: Sequence[int]) -> Base:
        """The smallest base of which a node can be grouped; it is made if need be."""
        if len(self._table) <= _SMALL or not self._table.diversity.rolls:
            return self._table
        low = tuple(level - level % _STEP for level in node)
        if low not in self._known:
            self._known[low] = self._made(low)
        return self._known[low]

    def _made(self, low: tuple[int, ...]) -> Base:
        """The base of a node, or that of which it would be made, where that is not much larger."""
        below = [base for base in self._known.values() if (base.node <= low).all()]
        best = min([self._table, *below], key=len)
        if len(best) <= _SMALL:
            return best
        groups = best.at(low)
        if len(groups.sizes) > _WORTH * len(best):
            return best
        if self._held > max(_ROOM, len(self._table)):
            self._known, self._held = {}, 0
        self._held += len(groups.sizes)
        return groups.rolled()
