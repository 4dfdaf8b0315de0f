"""Full-domain generalisation: the one level for each attribute that loses least, found over the whole lattice.

Nodes are visited by ascending loss of generalisation, which bounds from below what a node loses with its suppressed
records counted as lost wholly; the visit stops where that bound reaches the best node found. From every node visited a
path leads to the top, and a binary search on it finds where suppression comes within the limit; a node that must
suppress more than the limit however its groups are divided rules out every node below it, and otherwise what must be
suppressed adds to the bound of those (Kohlmayer et al. 2012, Flash, with other bounds; see `bounds`). A node is grouped
from the groups of a node below it where some are kept (see `rollup`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import hashed
from privkit.anonymity.recoding.lattice import all_nodes
from privkit.anonymity.recoding.rollup import Base, Bases
from privkit.errors import InvalidParameter, Unmet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder
    from privkit.anonymity.models.privacy import Models
    from privkit.anonymity.recoding.presence import Presence
    from privkit.anonymity.recoding.rollup import Groups

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
        frequency: The table's counts.
        ladders: The quasi-identifiers' hierarchies over their domains.
        models: What every class has to meet.
        weights: How much the loss of each attribute counts.
        limit: The greatest share of records that may be suppressed, from 0 to 1.
        progress: Is told the share of the lattice that is settled.
        near: What is asked of chances against a population; then no ladder may leave a level out.

    Raises:
        InvalidParameter: If the lattice has more than `MOST_NODES` nodes.
        Unmet: If no node meets the models within the limit.
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
        self.table = Base.of_table(frequency, ladders, models)
        self.bases = Bases(self.table)
        self.near, self.limit = near, limit
        self.allowed = int(limit * frequency.records + 1e-9)  # a share such as 0.05 is no exact float
        self.most = float(sum(weights))
        heights = self.table.lattice.heights
        self.nodes = all_nodes(heights)
        self.values = [
            [losses * weight for losses in self.table.lattice.value_losses(attribute)]
            for attribute, weight in enumerate(weights)
        ]
        self.losses = self._losses()
        self.least = self.losses.copy()
        self.settled = np.zeros(len(self.nodes), bool)
        self.best, self.best_node = np.inf, -1
        self.checked = 0
        self.strides = np.append(np.cumprod(heights[:0:-1])[::-1], 1).astype(np.int64)

    def run(self, progress: Callable[[float], None]) -> Optimum:
        order = np.argsort(self.losses, kind="stable")
        for number, node in enumerate(order.tolist()):
            if self.losses[node] >= self.best:
                break
            if not self.settled[node] and self.least[node] < self.best:
                self._climb(node)
                progress(number / len(order))
        if self.best_node < 0:
            raise Unmet(
                f"no combination of levels meets the models with at most {self.limit:.1%} of the records suppressed; "
                "allow more suppression, or ask for less"
            )
        best = tuple(self.nodes[self.best_node].tolist())
        gone, sizes = suppressed_at(self.table, best, self.near)
        return Optimum(best, gone, sizes, self.checked, len(self.nodes))

    def _losses(self) -> NDArray[np.float64]:
        """What all records lose at each node by generalisation alone."""
        total = np.zeros(len(self.nodes))
        for attribute, codes in enumerate(self.table.lattice.codes):
            losses = np.stack(self.values[attribute])
            records = np.bincount(codes, self.table.sizes, losses.shape[1])
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
        tops = np.array(self.table.lattice.heights) - 1
        while (here < tops).any():
            up = np.flatnonzero(here < tops)
            following = int(here @ self.strides) + self.strides[up]
            open_nodes = ~self.settled[following] & (self.least[following] < self.best)
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
        base = self.bases.under(self.nodes[index])
        keys = base.lattice.key(node)
        if base is self.table and int(base.sizes[_small(base, keys)].sum()) > self.allowed:
            self.settled |= self._below(index)
            return False
        groups = base.at(node, keys)
        met, good = _released(groups, self.near, self.allowed)
        lost = groups.sizes[~good]
        if int(lost.sum()) > self.allowed:
            self._bound(index, groups, met)
            self.bases.keep(groups)
            return False
        self._bound(index, groups, met)
        total = float(self.losses[index]) + float((self._more(index, groups)[~good] * lost).sum())
        if total < self.best:
            self.best, self.best_node = total, index
        return True

    def _bound(self, index: int, groups: Groups, met: NDArray[np.bool_]) -> None:
        """Bound what every node below loses by what is lost of the groups here, however they are divided there."""
        bad = np.flatnonzero(~met)
        lost = groups.least_lost(bad)
        below = self._below(index)
        if int(lost.sum()) > self.allowed:
            self.settled |= below
            return
        more = float((self._more(index, groups)[bad] * lost).sum())
        self.least[below] = np.maximum(self.least[below], self.losses[below] + more)

    def _below(self, index: int) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (self.nodes <= self.nodes[index]).all(1)
        return found

    def _more(self, index: int, groups: Groups) -> NDArray[np.float64]:
        """By how much more each record of a group loses where it is suppressed; at nodes below it is no less."""
        more = np.full(len(groups.sizes), self.most)
        codes = self.table.lattice.codes[:, groups.tuples]
        for losses, row, level in zip(self.values, codes, self.nodes[index].tolist(), strict=True):
            more -= losses[level][row]
        return more


def _small(base: Base, keys: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.bool_]:
    """Tuples whose group is certainly below k: sizes are added up by a hash, which never makes them less."""
    bits = (_SLOTS * len(keys)).bit_length()
    slots = hashed(keys, bits)
    return np.bincount(slots, base.sizes)[slots] < base.diversity.models.k


def _released(
    groups: Groups, near: Presence | None, allowed: int | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which groups meet the models, and which of them are released, as far as no more than allowed are suppressed."""
    met = groups.met()
    good = met
    if near is not None:
        good = near.restrict(met, groups.node, groups.sizes, groups.base.tuples[groups.order], groups.starts)
    if allowed is None or int(groups.sizes[~good].sum()) <= allowed:
        good = groups.settled(good)
    return met, good


def suppressed_at(
    table: Base, node: Sequence[int], near: Presence | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which tuples are in classes that do not meet the models at a node, and the size of each tuple's class."""
    groups = table.at(node)
    _, good = _released(groups, near)
    return groups.of_each(~good), groups.of_each(groups.sizes)
