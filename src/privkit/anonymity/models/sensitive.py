"""Sensitive values of groups of tuples: counted only where the size of a group has not decided yet."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths
from privkit.anonymity.models.bounds import LeastLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.models.privacy import Models

_BITS: Final = 64
_TABLE: Final = 1 << 23
"""Counts of all tuples by sensitive value that are kept laid out."""
_AT_ONCE: Final = 1 << 22
"""Counts in one table at once: groups times sensitive values."""


class Diversity:
    """Asks models about groups of the tuples of a frequency set.

    Args:
        frequency: The set; its sensitive columns are those of the models.
        models: What is asked.

    Attributes:
        rare: For each model of diversity, how many records of a group at least have not the most frequent value, and
            how many of each tuple have not.
    """

    def __init__(self, frequency: FrequencySet, models: Models) -> None:
        self.models = models
        self._bounds = LeastLost(models)
        self._starts = np.append(frequency.starts, len(frequency.counts))
        self._codes = frequency.codes[len(frequency.quasi) :]
        self._counts = frequency.counts
        widest = max((len(model.whole) for model in models.sensitive), default=0)
        self._tables: list[NDArray[np.float64]] | None = None
        tuples = np.arange(len(frequency.starts))
        small = len(tuples) * widest <= _TABLE and widest <= _BITS
        tables = self.counts(tuples, tuples, len(tuples)) if small else []
        self._tables = [np.ascontiguousarray(table.T) for table in tables] if tables else None
        self.rare = [
            (
                model.values - 1,
                np.add.reduceat(np.where(codes == np.argmax(model.whole), 0, self._counts), frequency.starts),
            )
            for model, codes in zip(models.sensitive, self._codes, strict=True)
            if model.values > 1
        ]
        self._present = [
            (model.values, np.bitwise_or.reduceat(np.uint64(1) << codes.astype(np.uint64), frequency.starts))
            for model, codes in zip(models.sensitive, self._codes, strict=True)
            if model.values > 1 and len(model.whole) <= _BITS
        ]

    @property
    def rolls(self) -> bool:
        """Whether groups can be tuples of their own: counts are laid out, or there are none."""
        return self._tables is not None or not self.models.sensitive

    def rolled(self, tuples: NDArray[Any], starts: NDArray[np.intp]) -> Diversity:
        """The same models over groups of tuples, each of which is one tuple then.

        Args:
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.
        """
        groups = copy(self)
        if self._tables is not None:
            groups._tables = [  # noqa: SLF001 - a copy of this very object
                np.add.reduceat(table[:, tuples], starts, 1) for table in self._tables
            ]
        groups.rare = [(least, np.add.reduceat(own[tuples], starts)) for least, own in self.rare]
        groups._present = [  # noqa: SLF001 - the same
            (values, np.bitwise_or.reduceat(own[tuples], starts)) for values, own in self._present
        ]
        return groups

    def hopeful(self, tuples: NDArray[Any]) -> bool:
        """Whether some group of these tuples may be diverse: all of them together have enough distinct values."""
        return all(
            int(np.bitwise_count(np.bitwise_or.reduce(present[tuples]))) >= values for values, present in self._present
        )

    def meets(self, sizes: NDArray[Any], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which groups meet the models.

        Args:
            sizes: Records of each group.
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.
        """
        ok: NDArray[np.bool_] = sizes >= self.models.k
        if self._tables is not None:  # a sum for every group is cheaper than choosing those that need it
            return self.models.meets(sizes, [np.add.reduceat(table[:, tuples], starts, 1).T for table in self._tables])
        if self.models.sensitive:
            for chunk, counts in self._grouped(np.flatnonzero(ok), tuples, starts):
                ok[chunk] = self.models.meets(sizes[chunk], counts)
        return ok

    def settled(self, good: NDArray[np.bool_], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of good groups are released, so that each is within t of what is released, too.

        Groups that are too far from the distribution of the good ones are dropped, which moves that distribution, until
        none is.

        Args:
            good: Which groups meet the models; the others are suppressed.
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.
        """
        if good.all() or all(model.t is None for model in self.models.sensitive):
            return good
        while True:
            released = self._whole(good, tuples, starts)
            seen = [model.seen_in(whole) for model, whole in zip(self.models.sensitive, released, strict=True)]
            still = good.copy()
            for chunk, counts in self._grouped(np.flatnonzero(good), tuples, starts):
                for (there, model), found in zip(seen, counts, strict=True):
                    still[chunk] &= model.close(found[:, there])
            if np.array_equal(still, good):
                return good
            good = still

    def _whole(
        self, good: NDArray[np.bool_], tuples: NDArray[Any], starts: NDArray[np.intp]
    ) -> list[NDArray[np.float64]]:
        """Records of all good groups together, by sensitive value."""
        kept = tuples[np.repeat(good, lengths(starts, len(tuples)))]
        return [table[0] for table in self.counts(kept, np.zeros(len(kept), np.intp), 1)]

    def least_lost(self, sizes: NDArray[Any], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.int64]:
        """How many records are lost at least of groups that do not meet the models, however divided; as `meets`."""
        lost = sizes.copy()
        for chunk, counts in self._grouped(np.flatnonzero(sizes >= self.models.k), tuples, starts):
            lost[chunk] = self._bounds.of(sizes[chunk], counts)
        return lost

    def _grouped(
        self, groups: NDArray[np.intp], tuples: NDArray[Any], starts: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], list[NDArray[np.float64]]]]:
        """Counts of some of the groups, as many at once as a table may hold."""
        members = lengths(starts, len(tuples))
        widest = max((len(model.whole) for model in self.models.sensitive), default=1)
        for chunk in _chunks(groups, max(_AT_ONCE // widest, 1)):
            number = members[chunk]
            yield chunk, self._counted(tuples[spread(starts[chunk], number)], number)

    def _counted(self, members: NDArray[Any], number: NDArray[np.intp]) -> list[NDArray[np.float64]]:
        """Counts of groups of tuples that stand one after another, `number` of them in each."""
        if self._tables is None:
            return self.counts(members, np.repeat(np.arange(len(number)), number), len(number))
        starts = np.cumsum(number) - number
        return [np.add.reduceat(table[:, members], starts, 1).T for table in self._tables]

    def counts(self, tuples: NDArray[Any], group: NDArray[Any], groups: int) -> list[NDArray[np.float64]]:
        """For each sensitive column, records of each group by value: `float64` of shape `(groups, values)`.

        Args:
            tuples: Tuples.
            group: The group of each.
            groups: How many there are.
        """
        if self._tables is not None:
            return [
                np.stack([np.bincount(group, row[tuples], groups) for row in table], axis=1) for table in self._tables
            ]
        first, number = self._starts[tuples], self._starts[tuples + 1] - self._starts[tuples]
        cells = spread(first, number)
        row = np.repeat(group, number)
        weights = self._counts[cells]
        found = []
        for codes, model in zip(self._codes, self.models.sensitive, strict=True):
            values = len(model.whole)
            flat = np.bincount(row * values + codes[cells], weights, groups * values)
            found.append(flat.reshape(groups, values).astype(np.float64, copy=False))
        return found


def spread(starts: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.intp]:
    """The indices of runs: for each run, `numbers` indices from its start on."""
    ends = np.cumsum(numbers)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.intp] = np.arange(total) + np.repeat(starts - (ends - numbers), numbers)
    return found


def _chunks(items: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
