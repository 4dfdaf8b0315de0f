"""Full-domain generalisation: the one level for each attribute that loses least, found over the whole lattice.

Nodes are visited by ascending loss of generalisation, which bounds from below what a node loses with its suppressed
records counted as lost wholly; the visit stops where that bound reaches the best node found. From every node visited a
path leads to the top, and a binary search on it finds where suppression comes within the limit; a node that must
suppress more than the limit however its groups are divided rules out every node below it (Kohlmayer et al. 2012, Flash,
with other bounds; see `bounds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.anonymity.keys import hashed, lengths, order_of, runs
from privkit.anonymity.lattice import Lattice, all_nodes
from privkit.anonymity.sensitive import Diversity, spread
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.frequency import FrequencySet
    from privkit.anonymity.hierarchy import Ladder
    from privkit.anonymity.models import Models
    from privkit.anonymity.presence import Presence

MOST_NODES: Final = 2_000_000
"""Nodes of the largest lattice that is searched."""

_SLOTS: Final = 8
"""Slots of the sieve for each tuple."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best node.

    Attributes:
        node: The level of each attribute.
        suppressed: Which tuples are suppressed.
        sizes: Records of the class that each tuple is, or would have been, in.
        checked: How many nodes were grouped.
        nodes: How many nodes the lattice has.
    """

    node: tuple[int, ...]
    suppressed: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    checked: int
    nodes: int


def optimum(
    frequency: FrequencySet,
    ladders: Sequence[Ladder],
    models: Models,
    weights: Sequence[float],
    *,
    limit: float,
    progress: Callable[[float], None],
    near: Presence | None = None,
) -> Optimum:
    """Find the node that loses least among those that suppress at most a share of the records.

    Args:
        frequency: The table's counts; taken all together they meet the models.
        ladders: The quasi-identifiers' hierarchies over their domains.
        models: What every class has to meet.
        weights: How much the loss of each attribute counts.
        limit: The greatest share of records that may be suppressed, from 0 to 1.
        progress: Is told the share of the lattice that is settled.
        near: What is asked of chances against a population; then no ladder may leave a level out.

    Raises:
        InvalidParameter: If the lattice has more than `MOST_NODES` nodes.
    """
    nodes = int(np.prod([float(ladder.height) for ladder in ladders]))
    if nodes > MOST_NODES:
        raise InvalidParameter(
            f"{nodes} combinations of levels (at most {MOST_NODES} are searched); give fewer levels, fewer "
            "quasi-identifiers, or take recoding='local'"
        )
    return _Search(frequency, ladders, models, weights, limit, near=near).run(progress)


class _Search:
    """The state: which nodes are settled, and the best so far."""

    def __init__(
        self,
        frequency: FrequencySet,
        ladders: Sequence[Ladder],
        models: Models,
        weights: Sequence[float],
        limit: float,
        *,
        near: Presence | None,
    ) -> None:
        codes = frequency.codes[: len(ladders), frequency.starts]
        self.lattice = Lattice(ladders, codes, weights)
        self.sizes = np.add.reduceat(frequency.counts, frequency.starts)
        self.diversity = Diversity(frequency, models)
        self.near = near
        self.allowed = int(limit * frequency.records + 1e-9)  # a share such as 0.05 is no exact float
        self.most = float(sum(weights))
        self.nodes = all_nodes(self.lattice.heights)
        self.values = [self.lattice.value_losses(attribute) for attribute in range(len(ladders))]
        self.losses = self._losses()
        self.settled = np.zeros(len(self.nodes), bool)
        self.best, self.best_node = np.inf, -1
        self.checked = 0
        self.strides = np.append(np.cumprod(self.lattice.heights[:0:-1])[::-1], 1).astype(np.int64)

    def run(self, progress: Callable[[float], None]) -> Optimum:
        order = np.argsort(self.losses, kind="stable")
        for number, node in enumerate(order.tolist()):
            if self.losses[node] >= self.best:
                break
            if not self.settled[node]:
                self._climb(node)
                progress(number / len(order))
        best = tuple(self.nodes[self.best_node].tolist())
        gone, sizes = suppressed_at(self.lattice, self.sizes, self.diversity, best, self.near)
        return Optimum(best, gone, sizes, self.checked, len(self.nodes))

    def _losses(self) -> NDArray[np.float64]:
        """What all records lose at each node by generalisation alone."""
        total = np.zeros(len(self.nodes))
        for attribute, codes in enumerate(self.lattice.codes):
            losses = np.stack(self.values[attribute])
            records = np.bincount(codes, self.sizes, losses.shape[1])
            total += (losses * records).sum(1)[self.nodes[:, attribute]]
        return total

    def _climb(self, node: int) -> None:
        """Search a path from a node to the top for where suppression comes within the limit."""
        path = self._path(node)
        low, high = 0, len(path) - 1
        while low <= high:
            middle = (low + high) // 2
            if self._check(path[middle]):
                high = middle - 1
            else:
                low = middle + 1
        if not self.settled[node]:
            self._check(node)

    def _path(self, node: int) -> list[int]:
        """Nodes from one upwards, not settled and not too lossy, each time the next one that then loses least."""
        path, here = [node], self.nodes[node].astype(np.int64)
        tops = np.array(self.lattice.heights) - 1
        while (here < tops).any():
            up = np.flatnonzero(here < tops)
            following = int(here @ self.strides) + self.strides[up]
            open_nodes = ~self.settled[following] & (self.losses[following] < self.best)
            if not open_nodes.any():
                break
            step = up[open_nodes][np.argmin(self.losses[following[open_nodes]])]
            here[step] += 1
            path.append(int(here @ self.strides))
        return path

    def _check(self, index: int) -> bool:
        """Group the tuples at a node; says whether what is suppressed is within the limit."""
        node = self.nodes[index].tolist()
        self.settled[index] = True
        self.checked += 1
        keys = self.lattice.key(node)
        small = self._small(keys)
        if int(self.sizes[small].sum()) > self.allowed:
            self._rule_out(index)
            return False
        order = order_of(keys)
        starts = runs(keys[order])
        sizes = np.add.reduceat(self.sizes[order], starts)
        met = self.diversity.meets(sizes, order, starts)
        good = met if self.near is None else self.near.restrict(met, node, sizes, order, starts)
        if int(sizes[~good].sum()) <= self.allowed:
            good = self.diversity.settled(good, order, starts)
        gone = np.empty(len(order), bool)
        gone[order] = np.repeat(~good, lengths(starts, len(order)))
        if int(self.sizes[gone].sum()) > self.allowed:
            if self.allowed == 0 or self._hopeless(sizes, met, order, starts):
                self._rule_out(index)
            return False
        total = self._total(index, gone)
        if total < self.best:
            self.best, self.best_node = total, index
        return True

    def _small(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Tuples whose group is certainly below k: sizes are added up by a hash, which never makes them less."""
        bits = (_SLOTS * len(keys)).bit_length()
        slots = hashed(keys, bits)
        return np.bincount(slots, self.sizes)[slots] < self.diversity.models.k

    def _hopeless(
        self, sizes: NDArray[np.int64], good: NDArray[np.bool_], tuples: NDArray[np.intp], starts: NDArray[np.intp]
    ) -> bool:
        """Whether no division of the groups at a node, such as that of any node below, comes within the limit."""
        bad = np.flatnonzero(~good)
        members = lengths(starts, len(tuples))[bad]
        inside = tuples[spread(starts[bad], members)]
        return int(self.diversity.least_lost(sizes[bad], inside, np.cumsum(members) - members).sum()) > self.allowed

    def _rule_out(self, index: int) -> None:
        self.settled |= (self.nodes <= self.nodes[index]).all(1)

    def _total(self, index: int, gone: NDArray[np.bool_]) -> float:
        """What all records lose, those suppressed wholly."""
        tuples = np.flatnonzero(gone)
        total = float(self.losses[index])
        more = np.full(len(tuples), self.most)
        for losses, codes, level in zip(self.values, self.lattice.codes, self.nodes[index].tolist(), strict=True):
            more -= losses[level][codes[tuples]]
        return total + float((more * self.sizes[tuples]).sum())


def suppressed_at(
    lattice: Lattice,
    sizes: NDArray[np.int64],
    diversity: Diversity,
    node: Sequence[int],
    near: Presence | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which tuples are in classes that do not meet the models at a node, and the size of each tuple's class."""
    keys = lattice.key(node)
    order = order_of(keys)
    starts = runs(keys[order])
    totals = np.add.reduceat(sizes[order], starts)
    good = diversity.meets(totals, order, starts)
    if near is not None:
        good = near.restrict(good, node, totals, order, starts)
    good = diversity.settled(good, order, starts)
    gone, own = np.empty(len(order), bool), np.empty(len(order), np.int64)
    gone[order] = np.repeat(~good, lengths(starts, len(order)))
    own[order] = np.repeat(totals, lengths(starts, len(order)))
    return gone, own
