"""Classes of hierarchy labels that tuples can join: what is in them, and what they lose by one tuple more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import order_of, renumbered, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.anonymity.models.sensitive import Diversity
    from privkit.anonymity.recoding.lattice import Lattice

_CACHED: Final = 1 << 18
"""Tuples times classes whose growth is summed at once, so that the sums stay in a core's cache."""
_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""
_ONE_BY_ONE: Final = 64
"""Classes up to which one more is put together with the others at a time."""


def tightest(lattice: Lattice, classes: NDArray[np.intp]) -> NDArray[np.int16]:
    """The lowest level of every attribute on which all tuples of a class agree, of shape `(attributes, classes)`.

    Args:
        lattice: The tuples and their hierarchies.
        classes: The class of each tuple, from 0, none of them empty.
    """
    order = order_of(classes)
    starts = runs(classes[order])
    levels = np.zeros((len(lattice.ladders), len(starts)), np.int16)
    for attribute, (ladder, row) in enumerate(zip(lattice.ladders, lattice.codes, strict=True)):
        codes = row[order]
        for groups in ladder.groups[:-1]:
            own = groups[codes]
            levels[attribute] += np.minimum.reduceat(own, starts) != np.maximum.reduceat(own, starts)
    return levels


class Company:
    """The classes that there are, numbered from 0, and the tuples in them.

    All records of a class lose what its labels lose, so that a tuple which raises these costs the class's records what
    they lose more, and its own what they lose then.

    Args:
        lattice: The tuples and their hierarchies.
        sizes: Records of each tuple.
        diversity: The models.
        classes: The class of each tuple, -1 where it has none yet; at least one has.

    Attributes:
        classes: The class of each tuple, -1 where it has none yet.
        sizes: Records of each class.
        first: The first tuple of each class.
        example: Its codes, of shape `(attributes, classes)`.
        spare: For each of `Diversity.spare`, its sum over each class.
        levels: The level that each class is on, of shape `(attributes, classes)`.
    """

    def __init__(
        self, lattice: Lattice, sizes: NDArray[np.int64], diversity: Diversity, classes: NDArray[np.intp]
    ) -> None:
        inside = np.flatnonzero(classes >= 0)
        own = renumbered(classes[inside])
        count = int(own.max()) + 1
        self.classes = np.full(len(classes), -1, np.intp)
        self.classes[inside] = own
        self._lattice, self._tuple_sizes, self._diversity = lattice, sizes, diversity
        self._groups = [np.stack(ladder.groups) for ladder in lattice.ladders]
        self._losses = [np.stack(lattice.value_losses(a)).astype(np.float32) for a in range(len(lattice.ladders))]
        self.sizes = np.bincount(own, sizes[inside], count).astype(np.int64)
        self.levels = tightest(lattice.take(inside), own)
        first = np.zeros(count, np.intp)
        first[own[::-1]] = inside[::-1]
        self.first, self.example = first, lattice.codes[:, first]
        self._counts = diversity.counts(inside, own, count)
        self.spare = [np.bincount(own, spare[inside], count) for spare in diversity.spare]
        self._lost = np.zeros(count, np.float32)
        self._lose(np.arange(count))

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def waiting(self) -> NDArray[np.intp]:
        """The tuples that have no class yet."""
        return np.flatnonzero(self.classes < 0)

    def growth(self, rows: NDArray[np.intp], some: NDArray[np.intp]) -> NDArray[np.float32]:
        """By how much the loss of all records grows in some classes with each of some tuples: `(tuples, classes)`.

        It is infinite where a class has too little to spare of what a tuple lacks; see `Diversity.spare`.
        """
        growth = np.zeros((len(rows), len(some)), np.float32)
        tables, places = self._tables(rows, some)
        lost, sizes = self._lost[some], self.sizes[some].astype(np.float32)
        weights = self._tuple_sizes[rows].astype(np.float32)[:, None]
        step = max(_CACHED // max(len(some), 1), 1)
        for start in range(0, len(rows), step):
            total = growth[start : start + step]
            for table, place in zip(tables, places, strict=True):
                total += table[place[start : start + step]]
            more = total - lost
            more *= sizes
            total *= weights[start : start + step]
            total += more
        self._bar(rows, growth, some)
        return growth

    def _bar(self, rows: NDArray[np.intp], growth: NDArray[np.float32], classes: NDArray[np.intp]) -> None:
        for own, spare in zip(self._diversity.spare, self.spare, strict=True):
            lacking = np.flatnonzero(own[rows] < 0)
            if len(lacking):
                lacks, which = np.unique(own[rows[lacking]], return_inverse=True)
                bars = np.where(spare[classes] + lacks[:, None] < -_ROUNDING, np.float32(np.inf), np.float32(0))
                for row, bar in zip(lacking.tolist(), which.tolist(), strict=True):
                    growth[row] += bars[bar]

    def growth_of(
        self, rows: NDArray[np.intp], classes: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The same for pairs of a tuple and a class, and whether the tuple raises no label."""
        total = np.zeros(len(rows), np.float32)
        for attribute in range(len(self.levels)):
            codes, example = self._lattice.codes[attribute][rows], self.example[attribute][classes]
            level = self.levels[attribute][classes]
            met = np.zeros(len(rows), np.int16)
            for own in self._groups[attribute][:-1]:
                met += own[codes] != own[example]
            total += self._losses[attribute][np.maximum(met, level), example]
        lost = self._lost[classes]
        growth = total * self._tuple_sizes[rows] + (total - lost) * self.sizes[classes]
        for own, spare in zip(self._diversity.spare, self.spare, strict=True):
            growth[spare[classes] + np.minimum(own[rows], 0) < -_ROUNDING] = np.inf
        return growth.astype(np.float32), total == lost

    def fits(self, rows: NDArray[np.intp], chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """For each tuple, whether the class that it has chosen meets the models with all tuples that chose it."""
        some, which = np.unique(chosen, return_inverse=True)
        came = self._diversity.counts(rows, which, len(some))
        sizes = self.sizes[some] + np.bincount(which, self._tuple_sizes[rows], len(some))
        return self._diversity.models.meets(sizes, self._joined(some, came))[which]

    def _joined(self, some: NDArray[np.intp], came: list[Any]) -> list[Any]:
        return [table[some] + own for table, own in zip(self._counts, came, strict=True)]

    def take_in(self, rows: NDArray[np.intp], chosen: NDArray[np.intp]) -> None:
        """Put tuples into classes."""
        if not len(rows):
            return
        self.classes[rows] = chosen
        some, which = np.unique(chosen, return_inverse=True)
        for attribute, codes in enumerate(self._lattice.codes):
            met, example, own = np.zeros(len(rows), np.int16), self.example[attribute][chosen], codes[rows]
            for groups in self._groups[attribute][:-1]:
                met += groups[own] != groups[example]
            np.maximum.at(self.levels[attribute], chosen, met)
        self.sizes[some] += np.bincount(which, self._tuple_sizes[rows], len(some)).astype(np.int64)
        for table, came in zip(self._counts, self._diversity.counts(rows, which, len(some)), strict=True):
            table[some] += came
        for own_spare, spare in zip(self._diversity.spare, self.spare, strict=True):
            spare[some] += np.bincount(which, own_spare[rows], len(some))
        self._lose(some)

    def cheapest(self, row: int) -> list[int]:
        """The cheapest class that meets the models with a tuple, or the cheapest classes that do together.

        All classes do together, because the whole table does.
        """
        every = np.arange(len(self))
        rows = np.full(len(every), row)
        growth = self.growth_of(rows, every)[0]
        sizes, own = self._tuple_sizes[rows], self._diversity.counts(rows, every, len(every))
        able = np.flatnonzero(self._diversity.models.meets(self.sizes + sizes, self._joined(every, own)))
        if len(able):
            return [int(able[np.argmin(growth[able])])]
        order = np.argsort(growth, kind="stable")
        chosen: list[int] = next(some for some in _longer(order) if self._meets_together(some, row)).tolist()
        return chosen

    def _meets_together(self, some: NDArray[np.intp], row: int) -> bool:
        """Whether some classes and a tuple together meet the models."""
        if len(some) == len(self):
            return True
        there = np.zeros(len(self), bool)
        there[some] = True
        members = np.append(np.flatnonzero(there[self.classes] & (self.classes >= 0)), row)
        size = self._tuple_sizes[members].sum(keepdims=True)
        together = self._diversity.counts(members, np.zeros(len(members), np.intp), 1)
        return bool(self._diversity.models.meets(size, together)[0])

    def _lose(self, some: NDArray[np.intp]) -> None:
        """See what a record of some classes loses; added up as `growth` does, so that what is alike is equal."""
        lost = np.zeros(len(some), np.float32)
        for losses, levels, example in zip(self._losses, self.levels, self.example, strict=True):
            lost += losses[levels[some], example[some]]
        self._lost[some] = lost

    def _tables(
        self, rows: NDArray[np.intp], some: NDArray[np.intp]
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.intp]]]:
        """For each attribute what a record of each class would lose with each value that tuples have, and its place."""
        tables, places = [], []
        for attribute, codes in enumerate(self._lattice.codes):
            there = np.zeros(self._groups[attribute].shape[1], bool)
            there[codes[rows]] = True
            tables.append(self._table(attribute, some, there.nonzero()[0]))
            places.append((np.cumsum(there) - 1)[codes[rows]])
        return tables, places

    def _table(self, attribute: int, some: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.float32]:
        """What a record of each class would lose in an attribute with each value, of shape `(values, classes)`."""
        groups, losses = self._groups[attribute], self._losses[attribute]
        example, levels = self.example[attribute][some], self.levels[attribute][some]
        table = np.empty((len(values), len(some)), np.float32)
        table[:] = losses[-1][example]
        for level in range(len(groups) - 2, -1, -1):
            own = np.where(levels <= level, groups[level][example], -1)
            table = np.where(groups[level][values][:, None] == own, losses[level][example], table)
        return table


def _longer(order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The beginnings of an order of classes: one class longer each time, then twice as long, then all."""
    number = 1
    while number < len(order):
        yield order[:number]
        number += 1 if number < _ONE_BY_ONE else number
    yield order
