"""Sensitive values of groups of tuples: counted only where the size of a group has not decided yet."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, spread
from privkit.anonymity.models.bounds import LeastLost
from privkit.anonymity.models.pairs import WIDE, Pairs, Spans, only, too_much

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.models.pairs import Counts
    from privkit.anonymity.models.privacy import Models, SensitiveModel

_BITS: Final = 64
_TABLE: Final = 1 << 23
"""Counts of all tuples by sensitive value that are kept laid out."""
_BOUNDED: Final = 2
"""Values whose share in a class is bounded to tell from sums of records that no class is there; the most frequent."""
_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""
_AT_ONCE: Final = 1 << 22
"""Counts in one table at once: groups times sensitive values."""
_TRIMMED: Final = 128
"""Tuples of a group that is trimmed, where values are many and so each beginning of it is counted by itself."""


class Diversity:
    """Asks models about groups of the tuples of a frequency set.

    Args:
        frequency: The set; its sensitive columns are those of the models.
        models: What is asked.

    Attributes:
        rare: What every class has of some records at least: how many, and how many of each tuple are such. They have
            another value than one that no class may have alone; or are of tuples that have enough of such records.
        spare: For each value whose share is bounded, by how much each tuple has more records of other values than a
            class of its size needs; below 0, how many it lacks. Of a class the sum is 0 at least.
    """

    def __init__(self, frequency: FrequencySet, models: Models) -> None:
        self.models = models
        self._bounds = LeastLost(models)
        self._starts = frequency.starts
        self._codes = frequency.codes[len(frequency.quasi) :]
        self._counts = frequency.counts
        widest = max((len(model.whole) for model in models.sensitive), default=0)
        self._tables: list[NDArray[np.float64]] | None = None
        tuples = np.arange(len(frequency.starts))
        self._widest = max(widest, 1)
        self._number = lengths(frequency.starts, len(frequency.counts))
        small = len(tuples) * widest <= _TABLE and widest <= WIDE
        tables = self.counts(tuples, tuples, len(tuples)) if small else []
        self._tables = [np.ascontiguousarray(table.T) for table in tables] if tables else None
        self.sizes = np.add.reduceat(self._counts, frequency.starts)
        self.rare: list[tuple[int, NDArray[np.int64]]] = []
        self.spare: list[NDArray[np.float64]] = []
        for model, codes in zip(models.sensitive, self._codes, strict=True):
            for value, share in _bounded(model):
                others = np.add.reduceat(np.where(codes == value, 0, self._counts), frequency.starts)
                if share:
                    self.rare.append((int(np.ceil(share * models.k - _ROUNDING)), others))
                    self.spare.append(others - share * self.sizes)
                    self.rare.append((1, np.where(self.spare[-1] >= -_ROUNDING, others, 0)))
                else:
                    self.rare.append((model.values - 1, others))
        self._present = [
            (model.values, np.bitwise_or.reduceat(np.uint64(1) << codes.astype(np.uint64), frequency.starts))
            for model, codes in zip(models.sensitive, self._codes, strict=True)
            if model.values > 1 and len(model.whole) <= _BITS
        ]

    @property
    def trims(self) -> bool:
        """Whether a part of a group may meet the models where the group does not."""
        return any(model.t is not None or model.diversity != "distinct" for model in self.models.sensitive)

    @property
    def rolls(self) -> bool:
        """Whether groups can be tuples of their own: counts are laid out, or there are none."""
        return self._tables is not None or not self.models.sensitive

    def rolled(self, sums: Callable[[NDArray[Any]], NDArray[Any]], sizes: NDArray[np.int64]) -> Diversity:
        """The same models over groups of tuples, each of which is one tuple then; without `rare` and `spare`.

        Args:
            sums: Adds up what tuples have to what their groups have.
            sizes: Records of each group.
        """
        groups = copy(self)
        if self._tables is not None:
            groups._tables = [np.stack([sums(row) for row in table]) for table in self._tables]  # noqa: SLF001 - a copy
        groups.sizes = sizes
        groups.spare, groups.rare, groups._present = [], [], []  # noqa: SLF001 - the same
        return groups

    def hopeful(self, tuples: NDArray[Any]) -> bool:
        """Whether some group of these tuples may be diverse: all of them together have enough distinct values."""
        return all(
            int(np.bitwise_count(np.bitwise_or.reduce(present[tuples]))) >= values for values, present in self._present
        )

    def seeds(self, tuples: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of these tuples every class of them has at least one of; as few as there are, if need be all."""
        found = [own[tuples] > 0 for _, own in self.rare]
        return min(found, key=np.count_nonzero, default=np.ones(len(tuples), bool))

    def able(self, tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Of which groups some part may be a class; as `meets`.

        They have the records of a class, and enough of those in `rare`, in tuples that lack no more than others spare.
        """
        number, inside = lengths(starts, len(tuples)), np.ones(len(tuples), bool)
        for spare in self.spare:
            own = spare[tuples]
            inside &= np.repeat(np.add.reduceat(np.maximum(own, 0), starts), number) + own >= -_ROUNDING
        ok: NDArray[np.bool_] = np.add.reduceat(np.where(inside, self.sizes[tuples], 0), starts) >= self.models.least
        for least, own in self.rare:
            ok &= np.add.reduceat(np.where(inside, own[tuples], 0), starts) >= least
        return ok

    def meets(self, sizes: NDArray[Any], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which groups meet the models.

        Args:
            sizes: Records of each group.
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.
        """
        ok: NDArray[np.bool_] = sizes >= self.models.least
        if self._tables is not None:  # a sum for every group is cheaper than choosing those that need it
            return self.models.meets(sizes, [np.add.reduceat(table[:, tuples], starts, 1).T for table in self._tables])
        if self.models.sensitive:
            for chunk, counts in self._grouped(np.flatnonzero(ok), tuples, starts):
                ok[chunk] = self.models.meets(sizes[chunk], counts)
        return ok

    def met(self) -> NDArray[np.bool_]:
        """Which tuples meet the models alone, where counts are laid out; see `rolls`."""
        return self.models.meets(self.sizes, [table.T for table in self._tables or ()])

    def trimmed(
        self, bad: NDArray[np.bool_], tuples: NDArray[Any], starts: NDArray[np.intp]
    ) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Leave tuples out of groups that do not meet the models, so that the others do.

        The tuples of a group are taken in the order in which they have least of what it has too much of. Groups with
        more counts than are laid out at once are left as they are.

        Args:
            bad: The groups.
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.

        Returns:
            The tuples with those of each bad group in that order, and for each group how many of its first tuples meet
            the models then: 0 where no number does, and in groups that are not bad.
        """
        number = lengths(starts, len(tuples))
        out, taken = tuples.copy(), np.zeros(len(starts), np.intp)
        together = max(_AT_ONCE // min(self._widest, _TRIMMED), 1)
        groups = np.flatnonzero(bad & (number <= (together if self._widest <= WIDE else _TRIMMED)))
        groups = self._coverable(groups, tuples, starts)
        if not len(groups):
            return out, taken
        for some in np.split(groups, np.flatnonzero(np.diff(np.cumsum(number[groups]) // together)) + 1):
            places = spread(starts[some], number[some])
            out[places], taken[some] = self._cut_off(tuples[places], number[some])
        return out, taken

    def _coverable(self, groups: NDArray[np.intp], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.intp]:
        """The groups that have enough of many values for some part of them to be near the whole."""
        if self._widest <= WIDE:
            return groups
        found = np.ones(len(starts), bool)
        for chunk, counts in self._grouped(groups, tuples, starts):
            for model, own in zip(self.models.sensitive, counts, strict=True):
                if isinstance(own, Pairs):
                    found[chunk] &= model.coverable(own)
        return groups[found[groups]]

    def _cut_off(self, members: NDArray[Any], number: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """The members of groups in order, and how many of each group's first meet the models; see `trimmed`."""
        group = np.repeat(np.arange(len(number)), number)
        own = self.counts(members, np.arange(len(members)), len(members))
        starts = np.cumsum(number) - number
        over = np.zeros(len(members))
        for model, table in zip(self.models.sensitive, own, strict=True):
            over += too_much(table, model.whole / model.whole.sum(), group, starts)
        order = np.lexsort((over, group))
        place = np.arange(len(members)) - starts[group] + 1
        sizes = np.cumsum(self.sizes[members[order]])
        sizes -= (sizes[starts] - self.sizes[members[order]][starts])[group]
        ok = sizes >= self.models.least
        many = np.flatnonzero(ok)
        running = [Spans(table, order).of(starts[group[many]], place[many]) for table in own]
        ok[many] = self.models.meets(sizes[many], running)
        return members[order], np.maximum.reduceat(np.where(ok, place, 0), starts)

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
                    still[chunk] &= model.close(only(found, there))
            if np.array_equal(still, good):
                return good
            good = still

    def _whole(
        self, good: NDArray[np.bool_], tuples: NDArray[Any], starts: NDArray[np.intp]
    ) -> list[NDArray[np.float64]]:
        """Records of all good groups together, by sensitive value."""
        kept = tuples[np.repeat(good, lengths(starts, len(tuples)))]
        found = self.counts(kept, np.zeros(len(kept), np.intp), 1)
        return [(table.dense() if isinstance(table, Pairs) else table)[0] for table in found]

    def least_lost(self, sizes: NDArray[Any], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.int64]:
        """How many records are lost at least of groups that do not meet the models, however divided; as `meets`."""
        lost = sizes.copy()
        for chunk, counts in self._grouped(np.flatnonzero(sizes >= self.models.least), tuples, starts):
            lost[chunk] = self._bounds.of(sizes[chunk], counts)
        return lost

    def _grouped(
        self, groups: NDArray[np.intp], tuples: NDArray[Any], starts: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], list[Counts]]]:
        """Counts of some of the groups, as many at once as a table may hold."""
        members = lengths(starts, len(tuples))
        for chunk in _chunks(groups, max(_AT_ONCE // min(self._widest, WIDE), 1)):
            number = members[chunk]
            yield chunk, self._counted(tuples[spread(starts[chunk], number)], number)

    def _counted(self, members: NDArray[Any], number: NDArray[np.intp]) -> list[Counts]:
        """Counts of groups of tuples that stand one after another, `number` of them in each."""
        if self._tables is None:
            return self.counts(members, np.repeat(np.arange(len(number)), number), len(number))
        starts = np.cumsum(number) - number
        return [np.add.reduceat(table[:, members], starts, 1).T for table in self._tables]

    def counts(self, tuples: NDArray[Any], group: NDArray[Any], groups: int) -> list[Counts]:
        """For each sensitive column, records of each group by value: `float64` of shape `(groups, values)`, or `Pairs`.

        Args:
            tuples: Tuples.
            group: The group of each.
            groups: How many there are.
        """
        if self._tables is not None:
            return [
                np.stack([np.bincount(group, row[tuples], groups) for row in table], axis=1) for table in self._tables
            ]
        number = self._number[tuples]
        cells = spread(self._starts[tuples], number)
        row = np.repeat(group, number)
        weights = self._counts[cells]
        found: list[Counts] = []
        for codes, model in zip(self._codes, self.models.sensitive, strict=True):
            values = len(model.whole)
            if values > WIDE:
                found.append(Pairs.of(row, codes[cells], weights, groups, values))
                continue
            flat = np.bincount(row * values + codes[cells], weights, groups * values)
            found.append(flat.reshape(groups, values).astype(np.float64, copy=False))
        return found


def _bounded(model: SensitiveModel) -> Iterator[tuple[int, float]]:
    """Values that no class may have alone, and the least share of others in it.

    Diversity asks for others than the most frequent value, whatever their share. In a class within t of the whole no
    value has a greater share than in the whole and `t` over the least distance between two values.
    """
    frequent = np.argsort(-model.whole, kind="stable")
    if model.values > 1:
        yield int(frequent[0]), 0.0
    if model.t is not None:
        share = 1 - model.whole / model.whole.sum() - model.t / model.nearest
        for value in frequent[share[frequent] > _ROUNDING][:_BOUNDED].tolist():
            yield value, float(share[value])


def _chunks(items: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
