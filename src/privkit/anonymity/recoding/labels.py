"""Local recoding to hierarchy labels: peel the lattice from its cheapest nodes upwards.

All nodes are visited in the order of their mean loss, once for each of a dozen brackets of loss; at a node those tuples
are looked at whose own loss there lies in the bracket, and every group of them that meets the models becomes a class
and leaves. So a tuple leaves at about the cheapest node at which it can, and classes of one label may come from
different nodes. The few that are left join the class whose loss grows least. Bars and measurements: docs/anonymity.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import hashed, lengths, order_of, renumbered, runs, spread
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.company import tightest
from privkit.anonymity.recoding.joining import Joiner
from privkit.anonymity.recoding.lattice import Lattice, some_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder
    from privkit.anonymity.models.privacy import Models

MOST_NODES: Final = 20_000
"""Nodes of the lattice that are visited; of a larger lattice so many are drawn."""

_BRACKETS: Final = 12
_CHEAPEST: Final = 0.05 / 8
"""Where the first bracket ends, as a share of the greatest loss; the others follow in a geometric row."""
_WORTH_SIEVING: Final = 200
_SLOTS: Final = 16
_FEWEST_BITS: Final = 10
"""Slots for each key, and bits of the fewest slots, by which others are found that are alike."""
_FEWEST_SEEDS: Final = 0.05
"""What is left of the tuples that every class has some of, as a share, when the rest had better join the classes there
are: it takes thousands of nodes to find company for the last of them, and gains little over joining."""
_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""
_SHRUNK: Final = 0.6
"""The share of tuples still there below which arrays are made smaller."""


@dataclass(frozen=True, eq=False)
class Labelling:
    """A label for every tuple.

    Attributes:
        levels: `int16` of shape `(attributes, tuples)`: the level of the hierarchy that each value is put on.
        classes: The class of each tuple; tuples of one class have the same labels.
    """

    levels: NDArray[np.int16]
    classes: NDArray[np.intp]


def peel(
    frequency: FrequencySet,
    ladders: Sequence[Ladder],
    models: Models,
    weights: Sequence[float],
    progress: Callable[[float], None],
) -> Labelling:
    """Find labels for all tuples such that every class meets the models.

    Args:
        frequency: The table's counts; taken all together they meet the models.
        ladders: The quasi-identifiers' hierarchies over their domains.
        models: What every class has to meet.
        weights: How much the loss of each attribute counts.
        progress: Is told the share of the work that is done.
    """
    starts = frequency.starts
    codes = frequency.codes[: len(ladders), starts]
    sizes = np.add.reduceat(frequency.counts, starts)
    work = _Peeling(Lattice(ladders, codes, weights), sizes, Diversity(frequency, models), float(sum(weights)))
    for share in work.brackets():
        progress(share)
    return work.settled()


class _Peeling:
    """The state of the search: which class each tuple is in (-1: none), and at which node it got there."""

    def __init__(self, lattice: Lattice, sizes: NDArray[np.int64], diversity: Diversity, most: float) -> None:
        self.lattice, self.sizes, self.diversity, self.most = lattice, sizes, diversity, most
        tuples = np.arange(lattice.tuples)
        self.classes = np.full(lattice.tuples, -1, np.intp)
        self.count, self.left = 0, lattice.tuples
        alone = np.flatnonzero(diversity.meets(sizes, tuples, tuples))
        self._found(alone, np.arange(len(alone)), len(alone))

    def brackets(self) -> Iterator[float]:
        """Go through the brackets; yields the share of them that is done."""
        nodes, most = self._nodes(), 0
        edges = [0.0, *np.geomspace(_CHEAPEST * self.most, self.most * 1.001, _BRACKETS).tolist()]
        for number in range(_BRACKETS):
            left = np.flatnonzero(self.classes < 0)
            if not len(left) or not self.diversity.hopeful(left):
                return
            seeds = self.diversity.seeds(left)
            count = int(np.count_nonzero(seeds))
            most = max(most, count)
            if self.diversity.rare and count <= _FEWEST_SEEDS * most:  # also of none
                return
            first, rest = _Some.of(self.lattice, left[seeds]), _Some.of(self.lattice, left[~seeds])
            low, high = edges[number], edges[number + 1]
            least, greatest = _bounds(first.lattice, nodes)
            for node in nodes[(least < high) & (greatest >= low)].tolist():
                if self.left < _SHRUNK * (len(first) + len(rest)):
                    first, rest = first.take(self.classes[first.tuples] < 0), rest.take(self.classes[rest.tuples] < 0)
                    if not len(first):
                        break
                self._visit(node, first, rest, low, high)
            yield (number + 1) / _BRACKETS

    def _nodes(self) -> NDArray[np.int16]:
        """The nodes in the order of their mean loss."""
        nodes = some_nodes(self.lattice.heights, MOST_NODES)
        means = np.zeros(len(nodes))
        for attribute, codes in enumerate(self.lattice.codes):
            losses = np.stack(self.lattice.value_losses(attribute))
            records = np.bincount(codes, self.sizes, losses.shape[1])
            means += (losses * records).sum(1)[nodes[:, attribute]]
        return nodes[np.argsort(means, kind="stable")]

    def _visit(self, node: Sequence[int], first: _Some, rest: _Some, low: float, high: float) -> None:
        """Make classes at a node, of the tuples that lose as much there as a bracket says.

        Tuples whose keys are equal lose the same, so that of the rest those are looked at whose key a seed has.
        """
        loss = first.lattice.loss(node)
        inside = ((loss >= low) & (loss < high)).nonzero()[0]  # np.flatnonzero takes three times as long for a few
        inside = inside[self.classes[first.tuples[inside]] < 0]
        if not len(inside):
            return
        keys, tuples = first.lattice.key(node)[inside], first.tuples[inside]
        if len(rest):
            others = rest.lattice.key(node)
            near = _alike(keys, others)
            near = near[self.classes[rest.tuples[near]] < 0]
            keys, tuples = np.concatenate([keys, others[near]]), np.concatenate([tuples, rest.tuples[near]])
        if len(tuples) < 2:  # noqa: PLR2004 - one tuple alone has been asked already
            return
        if len(tuples) > _WORTH_SIEVING:
            large = self._sieve(keys, tuples)
            if not len(large):
                return
            keys, tuples = keys[large], tuples[large]
        order = order_of(keys)
        self._divide(tuples[order], runs(keys[order]))

    def _divide(self, tuples: NDArray[np.intp], starts: NDArray[np.intp]) -> None:
        """Make classes of groups that meet the models, and of the part of others that does."""
        sizes = np.add.reduceat(self.sizes[tuples], starts)
        good = self.diversity.meets(sizes, tuples, starts)
        members = lengths(starts, len(tuples))
        if self.diversity.trims:
            bad = ~good & self.diversity.able(tuples, starts)
            if bad.any():
                tuples, taken = self.diversity.trimmed(bad, tuples, starts)
                self._found(
                    tuples[spread(starts, taken)],
                    np.repeat(np.cumsum(taken > 0) - 1, taken),
                    int((taken > 0).sum()),
                )
        if good.any():
            chosen = tuples[np.repeat(good, members)]
            self._found(chosen, np.repeat(np.arange(int(good.sum())), members[good]), int(good.sum()))

    def _sieve(self, keys: NDArray[np.unsignedinteger[Any]], tuples: NDArray[np.intp]) -> NDArray[np.intp]:
        """The tuples whose group may have k records, and enough of those that every class has some of; see `Diversity`.

        Records are added up by a hash, which never makes them fewer.
        """
        bits = (4 * len(keys)).bit_length()
        slots = hashed(keys, bits)
        left = np.arange(len(keys))
        if self.diversity.models.least > self.diversity.models.k:  # then it is size that most lack
            left = np.flatnonzero(
                np.bincount(slots, self.sizes[tuples], 1 << bits)[slots] >= self.diversity.models.least
            )
        for spare in self.diversity.spare:
            more = spare[tuples[left]]
            there = np.bincount(slots[left], np.maximum(more, 0), 1 << bits)
            left = left[there[slots[left]] + more >= -_ROUNDING]
        for least, rare in self.diversity.rare:
            own = rare[tuples[left]]
            some = own.nonzero()[0]
            enough = np.bincount(slots[left[some]], own[some], 1 << bits) >= least
            left = left[enough[slots[left]]]
        slots = slots[left]
        return left[np.bincount(slots, self.sizes[tuples[left]], 1)[slots] >= self.diversity.models.least]

    def _found(self, tuples: NDArray[np.intp], group: NDArray[np.intp], groups: int) -> None:
        if not groups:
            return
        self.classes[tuples] = self.count + group
        self.count += groups
        self.left -= len(tuples)

    def settled(self) -> Labelling:
        """Put the rest into classes, and lower every class to the cheapest labels that hold its tuples."""
        joined = Joiner(self.lattice, self.sizes, self.diversity, self.classes).join_all()
        classes = renumbered(joined)
        return Labelling(tightest(self.lattice, classes)[:, classes], classes)


@dataclass(frozen=True, eq=False)
class _Some:
    """Some of the tuples, and the lattice over them."""

    lattice: Lattice
    tuples: NDArray[np.intp]

    @classmethod
    def of(cls, lattice: Lattice, tuples: NDArray[np.intp]) -> _Some:
        return cls(lattice.take(tuples), tuples)

    def __len__(self) -> int:
        return len(self.tuples)

    def take(self, some: NDArray[np.bool_]) -> _Some:
        return _Some(self.lattice.take(some.nonzero()[0]), self.tuples[some])


def _alike(keys: NDArray[np.unsignedinteger[Any]], others: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.intp]:
    """Which of other keys may be among some keys: all that are, and a few that share a hash with one."""
    bits = max((_SLOTS * len(keys)).bit_length(), _FEWEST_BITS)
    there = np.zeros(1 << bits, bool)
    there[hashed(keys, bits)] = True
    found: NDArray[np.intp] = there[hashed(others, bits)].nonzero()[0]
    return found


def _bounds(lattice: Lattice, nodes: NDArray[np.int16]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For every node, bounds of what a tuple loses there."""
    least, greatest = np.zeros(len(nodes)), np.full(len(nodes), 1e-6)  # losses are added up in another order there
    for attribute in range(len(lattice.heights)):
        losses = lattice.level_losses(attribute)
        least += np.array([loss.min() for loss in losses])[nodes[:, attribute]]
        greatest += np.array([loss.max() for loss in losses])[nodes[:, attribute]]
    return least - 1e-6, greatest
