"""Roll-up: the groups of a node, as a smaller table of which every node above is grouped.

Tuples that are alike at a node are alike at all nodes above it, so one tuple stands there for its group, with the
group's records and sensitive values (LeFevre et al. 2005, Incognito, the roll-up property).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, order_of, runs, spread
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.lattice import Lattice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder
    from privkit.anonymity.models.privacy import Models

_SMALL: Final = 30_000
"""Tuples of a base of which no smaller one is made."""
_LARGE: Final = 0.2
"""Share of the table's tuples above which a base is large."""
_WORTH: Final = 0.6
"""A node becomes a base where it has at most this share of groups for the tuples that it was grouped of."""
_CACHE: Final = 50_000_000
"""Bytes that keys of half nodes may take for the table itself; for smaller bases they are not kept."""
_ROOM: Final = 8
"""How many times the tuples of the table all bases together may have."""


@dataclass(frozen=True, eq=False)
class Groups:
    """The tuples of a base, put together at a node.

    Attributes:
        base: The base.
        node: The level of each attribute.
        order: The base's tuples, group after group.
        starts: Where each group begins in `order`.
        sizes: Records of each group.
    """

    base: Base
    node: Sequence[int]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    sizes: NDArray[np.int64]

    @cached_property
    def diversity(self) -> Diversity:
        """Asks the models about groups of these groups, each of which is a tuple; where the base's `rolls`."""
        return self.base.diversity.rolled(self.order, self.starts)

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

    @property
    def tuples(self) -> NDArray[np.intp]:
        """A tuple of the table from each group."""
        return self.base.tuples[self.order[self.starts]]

    def of_each(self, values: NDArray[Any]) -> NDArray[Any]:
        """What each tuple of the base has, of what each group has."""
        out = np.empty(len(self.order), values.dtype)
        out[self.order] = np.repeat(values, lengths(self.starts, len(self.order)))
        return out


class Base:
    """A table of groups.

    Args:
        ladders: The quasi-identifiers' hierarchies over their domains.
        codes: Codes of one tuple of each group, of shape `(attributes, groups)`.
        sizes: Records of each group.
        diversity: Asks the models about groups of these.
        node: The node whose groups they are.
        tuples: A tuple of the first table for each group.
    """

    def __init__(
        self,
        ladders: Sequence[Ladder],
        codes: NDArray[np.int32],
        sizes: NDArray[np.int64],
        diversity: Diversity,
        *,
        node: Sequence[int],
        tuples: NDArray[np.intp],
    ) -> None:
        self.sizes, self.diversity, self.tuples = sizes, diversity, tuples
        self.node = np.array(node, np.int64)
        self.lattice = Lattice(ladders, codes, [1.0] * len(ladders), cache=_CACHE if not self.node.any() else 0)

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def of_table(cls, frequency: FrequencySet, ladders: Sequence[Ladder], models: Models) -> Base:
        """The table itself, which is the groups of the lowest node."""
        codes = frequency.codes[: len(ladders), frequency.starts]
        sizes = np.add.reduceat(frequency.counts, frequency.starts)
        bottom, every = [0] * len(ladders), np.arange(len(sizes))
        return cls(ladders, codes, sizes, Diversity(frequency, models), node=bottom, tuples=every)

    def at(self, node: Sequence[int], keys: NDArray[np.unsignedinteger[Any]] | None = None) -> Groups:
        """The groups at a node above; `keys` are those of the lattice, where they are known."""
        keys = self.lattice.key(node) if keys is None else keys
        order = order_of(keys)
        starts = runs(keys[order])
        return Groups(self, node, order, starts, np.add.reduceat(self.sizes[order], starts))


class Bases:
    """The bases of a search, those that were not used for longest given up for new ones.

    Args:
        table: The base of the whole table.
    """

    def __init__(self, table: Base) -> None:
        self._table = table
        self._kept: list[Base] = []  # the one used last stands last
        self._tried: set[tuple[int, ...]] = set()
        attributes = np.arange(len(table.node))
        half = len(attributes) // 2
        self._parts = [attributes < half, attributes >= half]

    def under(self, node: NDArray[np.integer]) -> Base:
        """The smallest base of which a node can be grouped.

        Where there is none that is small, one is made of a node that has some of the attributes on the bottom, which
        is below many others.
        """
        if len(self._table) <= _SMALL:
            return self._table
        best = self._smallest(node)
        for part in self._parts:
            if len(best) <= _LARGE * len(self._table):
                break
            low = np.where(part, node, 0)
            if (known := tuple(low.tolist())) not in self._tried:
                self._tried.add(known)
                base = self._smallest(low)
                self.keep(base.at(known))
                best = self._smallest(node)
        if best in self._kept:
            self._kept.remove(best)
            self._kept.append(best)
        return best

    def _smallest(self, node: NDArray[np.integer]) -> Base:
        return min((base for base in (self._table, *self._kept) if (base.node <= node).all()), key=len)

    def keep(self, groups: Groups) -> None:
        """Make a base of groups, where that saves something."""
        base = groups.base
        if len(base) <= _SMALL or not base.diversity.rolls or len(groups.sizes) > _WORTH * len(base):
            return
        codes = base.lattice.codes[:, groups.order[groups.starts]]
        self._kept.append(
            Base(base.lattice.ladders, codes, groups.sizes, groups.diversity, node=groups.node, tuples=groups.tuples)
        )
        while sum(map(len, self._kept)) > _ROOM * len(self._table):
            self._kept.pop(0)
