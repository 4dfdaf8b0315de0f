"""Counts of classes by sensitive value where few of many values occur in each: the pairs that are there.

A `Pairs` stands for an array of counts of shape `(classes, values)` and reads like one: rows are taken by index, added,
subtracted and put. The definitions are those of `privkit.anonymity.models.privacy`; what they cost is what the records
of the classes cost, not the product of classes and values.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import SPARSE, lengths, order_of, runs, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Counts = Any
"""An array of numbers of shape `(..., values)`, or `Pairs`."""

WIDE: Final = 64
"""Values beyond which counts are pairs."""


class Whole:
    """The distribution of a sensitive column in the whole table, ready to be compared with.

    Args:
        counts: Records by value.
    """

    def __init__(self, counts: NDArray[Any]) -> None:
        self.shares: NDArray[np.float64] = counts / (counts.sum() or 1.0)

    @cached_property
    def rising(self) -> NDArray[np.float64]:
        """The distribution's running sums."""
        return np.cumsum(self.shares)

    @cached_property
    def before(self) -> NDArray[np.float64]:
        """The running sums of `rising`, from 0: of shape `(values + 1,)`."""
        return np.concatenate([[0.0], np.cumsum(self.rising)])

    def grouped(self, groups: NDArray[Any]) -> Whole:
        """The distribution over groups of the values."""
        return Whole(np.bincount(groups, self.shares))


class Pairs:
    """Counts by class and value, of which those are held that are not 0.

    The pairs of a class are a run of a pool, ascending by value; classes that are taken share the pool.

    Args:
        first: Where the run of each class begins.
        number: How long it is.
        values: The value of each pair in the pool.
        counts: The records of each.
        size: How many values there are.

    Example:
        >>> import numpy as np
        >>> from privkit.anonymity.models.pairs import Pairs
        >>> counts = Pairs.of(np.array([0, 0, 1]), np.array([7, 2, 7]), np.array([3, 1, 4]), 2, size=900)
        >>> counts.distinct().tolist(), (counts[[1]] + counts[[0]]).dense()[0, [2, 7]].tolist()
        ([2, 1], [1.0, 7.0])
    """

    def __init__(
        self, first: NDArray[np.intp], number: NDArray[np.intp], values: NDArray[Any], counts: NDArray[Any], size: int
    ) -> None:
        self.first, self.number, self.values, self.counts, self.size = first, number, values, counts, size

    @classmethod
    def of(cls, rows: NDArray[Any], values: NDArray[Any], counts: NDArray[Any], classes: int, size: int) -> Pairs:
        """Put records together.

        Args:
            rows: The class of each share of records, in any order.
            values: Its value.
            counts: Its records; shares of one class and value are added up, and left out where that is 0.
            classes: How many classes there are.
            size: How many values.
        """
        keys = rows.astype(np.int64) * size + values
        found: NDArray[Any]
        if classes * size <= SPARSE * len(keys):
            table = np.bincount(keys, counts, classes * size)
            keys = np.flatnonzero(table)
            found = table[keys]
        elif len(keys):
            order = order_of(keys)
            starts = runs(keys[order])
            keys, found = keys[order[starts]], np.add.reduceat(np.asarray(counts, np.float64)[order], starts)
            if not found.all():
                keys, found = keys[found != 0], found[found != 0]
        else:
            found = np.zeros(0)
        row, value = np.divmod(keys, size)
        number = np.bincount(row, minlength=classes)
        return cls(np.cumsum(number) - number, number, value.astype(np.int32), found, size)

    @classmethod
    def of_records(cls, codes: NDArray[Any], weights: NDArray[Any], size: int) -> Pairs:
        """A class for each record, or group of equal ones."""
        every = np.arange(len(codes))
        return cls(every, np.ones(len(codes), np.intp), codes, weights, size)

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, rows: Any) -> Pairs:  # noqa: ANN401 - whatever indexes an array
        return Pairs(self.first[rows], self.number[rows], self.values, self.counts, self.size)

    def __setitem__(self, rows: NDArray[Any], pairs: Pairs) -> None:
        """Put other classes in the place of some; theirs are added to the pool, which is cleared of waste at times."""
        _, values, counts = pairs.flat()
        if len(self.values) + len(values) > 2 * int(self.number.sum()) + len(values):
            _, self.values, self.counts = self.flat()
            self.first = np.cumsum(self.number) - self.number
        self.first[rows] = len(self.values) + np.cumsum(pairs.number) - pairs.number
        self.number[rows] = pairs.number
        self.values, self.counts = np.concatenate([self.values, values]), np.concatenate([self.counts, counts])

    def __add__(self, other: Pairs) -> Pairs:
        return self._with(other, 1.0)

    def __sub__(self, other: Pairs) -> Pairs:
        return self._with(other, -1.0)

    def _with(self, other: Pairs, sign: float) -> Pairs:
        rows, values, counts = (np.concatenate(both) for both in zip(self.flat(), other.flat(), strict=True))
        counts = counts.astype(np.float64)
        counts[len(counts) - int(other.number.sum()) :] *= sign
        return Pairs.of(rows, values, counts, len(self), self.size)

    def flat(self) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]]:
        """Class, value and records of each pair, class after class."""
        rows = np.repeat(np.arange(len(self)), self.number)
        if self._whole:
            return rows, self.values, self.counts
        places = spread(self.first, self.number)
        return rows, self.values[places], self.counts[places]

    @property
    def _whole(self) -> bool:
        """Whether the pool holds these classes, in their order, and nothing else."""
        ends = np.cumsum(self.number)
        return len(ends) > 0 and ends[-1] == len(self.values) and np.array_equal(ends - self.number, self.first)

    def dense(self) -> NDArray[np.float64]:
        """The array that this stands for."""
        rows, values, counts = self.flat()
        table = np.bincount(rows * self.size + values, counts, len(self) * self.size)
        return table.reshape(len(self), self.size).astype(np.float64, copy=False)

    def grouped(self, rows: NDArray[Any], group: NDArray[Any], groups: int) -> Pairs:
        """Sums of some classes by the group that each is put in."""
        number = self.number[rows]
        places = spread(self.first[rows], number)
        return Pairs.of(np.repeat(group, number), self.values[places], self.counts[places], groups, self.size)

    def onto(self, values: NDArray[Any]) -> Pairs:
        """The same records under other codes: `values` gives the new code of each old one."""
        rows, old, counts = self.flat()
        return Pairs.of(rows, values[old], counts, len(self), int(values.max(initial=0)) + 1)

    def only(self, there: NDArray[np.intp]) -> Pairs:
        """The same records, of values that are all among some, by the places of these."""
        place = np.zeros(self.size, np.intp)
        place[there] = np.arange(len(there))
        return self.onto(place)

    # --- the definitions ---------------------------------------------------------------------------------------------

    def sizes(self) -> NDArray[np.float64]:
        """The records of each class."""
        rows, _, counts = self.flat()
        return np.bincount(rows, counts, len(self)).astype(np.float64, copy=False)

    def distinct(self) -> NDArray[np.int64]:
        """How many values each class has."""
        return self.number.astype(np.int64, copy=False)

    def shares(self) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.float64]]:
        """Class and value of each pair, and the value's share in the class."""
        rows, values, counts = self.flat()
        return rows, values, counts / np.bincount(rows, counts, len(self))[rows]

    def entropy(self) -> NDArray[np.float64]:
        """The entropy of each class in nats."""
        rows, _, shares = self.shares()
        found: NDArray[np.float64] = np.maximum(-np.bincount(rows, shares * np.log(shares), len(self)), 0.0)
        return found

    def most(self, *values: int) -> list[NDArray[np.float64]]:
        """The records of each class's most frequent value; and for each n those of the n-th and all rarer ones."""
        rows, _, counts = self.flat()
        falling = counts[np.lexsort((-counts, rows))]
        starts = np.cumsum(self.number) - self.number
        rank = np.arange(len(falling)) - starts[rows]
        return [
            np.bincount(rows[some], falling[some], len(self)).astype(np.float64, copy=False)
            for some in (rank == 0, *(rank >= place - 1 for place in values))
        ]

    def greatest(self, by_value: NDArray[np.float64]) -> NDArray[np.float64]:
        """The greatest of some numbers from 0, one for each value, among the values that a class has."""
        rows, values, _ = self.flat()
        found = np.zeros(len(self))
        np.maximum.at(found, rows, by_value[values])
        return found

    def equal(self, whole: Whole) -> NDArray[np.float64]:
        """Total variation: half the sum of all differences is the sum of those where the class has more."""
        rows, values, shares = self.shares()
        above = np.maximum(shares - whole.shares[values], 0.0)
        return np.bincount(rows, above, len(self)).astype(np.float64, copy=False)

    def covered(self, whole: Whole, number: int) -> NDArray[np.float64]:
        """The most of a distribution that so many records of each class, or more, can cover."""
        rows, values, counts = self.flat()
        some = np.minimum(counts / number, whole.shares[values])
        return np.bincount(rows, some, len(self)).astype(np.float64, copy=False)

    def ordered(self, whole: Whole) -> NDArray[np.float64]:
        """The sum of the differences of both cumulative distributions, over the number of values less one.

        Between two values that occur, the class's distribution is level and the whole's only rises, so that they cross
        once at most; prefix sums of the whole's give both sides of the crossing.
        """
        rows, values, shares = self.shares()
        before, starts = whole.before, runs(rows)
        running = np.cumsum(shares)
        earlier = np.zeros(len(self))
        earlier[rows[starts]] = running[starts] - shares[starts]
        level = running - earlier[rows]
        first = values.astype(np.int64)
        end = np.append(first[1:], self.size)
        end[np.append(starts[1:], len(values))[: len(starts)] - 1] = self.size
        cross = np.clip(np.searchsorted(whole.rising, level), first, end)
        gaps = level * (2 * cross - first - end) + before[first] + before[end] - 2 * before[cross]
        found = np.bincount(rows, gaps, len(self)).astype(np.float64, copy=False)
        found[rows[starts]] += before[first[starts]]
        return np.maximum(found, 0.0) / max(self.size - 1, 1)

    def hierarchical(self, whole: Whole, groups: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """The mean over levels of the total variation between their groups."""
        total = np.zeros(len(self))
        for level in groups:
            total += self.onto(level).equal(whole.grouped(level))
        return total / max(len(groups), 1)


def laid_out(codes: NDArray[Any], weights: NDArray[Any], size: int) -> Counts:
    """Counts of single records: an array of shape `(records, values)`, or pairs where there are many values.

    Args:
        codes: The value of each record, or group of equal ones.
        weights: How many it stands for.
        size: How many values there are.
    """
    if size > WIDE:
        return Pairs.of_records(codes, weights, size)
    table = np.zeros((len(codes), size))
    table[np.arange(len(codes)), codes] = weights
    return table


def sums(counts: Counts, order: NDArray[np.intp], starts: NDArray[np.intp]) -> Counts:
    """Sums of rows by the groups that they stand in.

    Args:
        counts: Counts by class and value.
        order: Rows of it, group after group.
        starts: Where each group begins in `order`.
    """
    if isinstance(counts, Pairs):
        return counts.grouped(order, np.repeat(np.arange(len(starts)), lengths(starts, len(order))), len(starts))
    return np.add.reduceat(counts[order], starts)


class Spans:
    """Sums of runs of rows, which may overlap.

    Args:
        counts: Counts by class and value.
        order: Rows of it.
    """

    def __init__(self, counts: Counts, order: NDArray[np.intp]) -> None:
        self._counts, self._order = counts, order

    @cached_property
    def _running(self) -> NDArray[np.float64]:
        running = np.zeros((len(self._order) + 1, self._counts.shape[1]))
        np.cumsum(self._counts[self._order], axis=0, out=running[1:])
        return running

    def of(self, first: NDArray[np.intp], number: NDArray[np.intp]) -> Counts:
        """The sums of some runs, by where each begins in the order and how long it is."""
        if isinstance(self._counts, Pairs):
            rows = self._order[spread(first, number)]
            return self._counts.grouped(rows, np.repeat(np.arange(len(first)), number), len(first))
        return self._running[first + number] - self._running[first]


def only(counts: Counts, there: NDArray[np.intp]) -> Counts:
    """Counts by some of the values, which are all that there are."""
    return counts.only(there) if isinstance(counts, Pairs) else counts[:, there]


def too_much(
    counts: Counts, whole: NDArray[np.float64], group: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How much each row has of what its group has more of than the whole: the mean over its records.

    Args:
        counts: Counts of rows that stand group after group.
        whole: The share of each value in the whole table.
        group: The group of each row.
        starts: The first row of each group.
    """
    if isinstance(counts, Pairs):
        rows, values, own = counts.flat()
        total = counts.grouped(np.arange(len(counts)), group, len(starts))
        _, there, shares = total.shares()
        keys = np.repeat(np.arange(len(total)), total.number) * total.size + there
        gaps = shares[np.searchsorted(keys, group[rows] * total.size + values)] - whole[values]
        return np.bincount(rows, own * gaps, len(counts)) / counts.sizes()
    table = np.add.reduceat(counts, starts)
    gaps = table / table.sum(1, keepdims=True) - whole
    mean: NDArray[np.float64] = (counts * gaps[group]).sum(1) / counts.sum(1)
    return mean
