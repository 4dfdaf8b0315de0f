"""Full-domain generalisation: the one level for each attribute that loses least, found over the whole lattice.

The loss of generalisation bounds from below what a node loses with its suppressed records counted as lost wholly; a
node is open until it is grouped, ruled out, or its bound reaches the best node found. First a binary search on one path
from the bottom to the top finds where suppression comes within the limit. Then the open node with most open nodes below
it is grouped, until none is open: one that must suppress more than the limit however its groups are divided rules out
every node below it, and otherwise what must be suppressed adds to the bound of those (see `bounds`; Kohlmayer et al.
2012, Flash, tags like this and takes other paths). A node is grouped from the groups of a node below it where some are
kept (see `rollup`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

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

_STALE: Final = 0.5
"""Share of the open nodes below one that must still be open for it to be checked next."""
_RECOUNTED: Final = 64
"""Numbers that are taken anew one by one; then all are, which costs a few of them for each attribute."""


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
    """The state: what every node loses at least, infinite where it is settled, and the best so far."""

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
        self.near, self.limit, self.fewest = near, limit, models.least
        self.allowed = int(limit * frequency.records + 1e-9)  # a share such as 0.05 is no exact float
        self.most = float(sum(weights))
        self.values = [
            [losses[groups] * weight for losses, groups in zip(ladder.losses, ladder.groups, strict=True)]
            for ladder, weight in zip(ladders, weights, strict=True)
        ]
        self.losses = self._losses(frequency)
        self.least = self.losses.copy()
        self.best = np.inf
        self.best_node: tuple[int, ...] = ()
        self.checked = 0

    def run(self, progress: Callable[[float], None]) -> Optimum:
        self._climb(_node(int(np.argmin(self.losses)), self.losses.shape))
        self.below = self._counted_below()
        while (node := self._next()) is not None:
            self._check(node)
            progress(float(np.mean(self.least >= self.best)))
        if not self.best_node:
            raise Unmet(
                f"no combination of levels meets the models with at most {self.limit:.1%} of the records suppressed; "
                "allow more suppression, or ask for less"
            )
        gone, sizes = suppressed_at(self.table, self.best_node, self.near)
        return Optimum(self.best_node, gone, sizes, self.checked, self.losses.size)

    def _losses(self, frequency: FrequencySet) -> NDArray[np.float64]:
        """What all records lose at each node by generalisation alone, an axis for each attribute."""
        total = np.zeros(())
        for values, codes in zip(self.values, frequency.codes, strict=False):
            losses = np.stack(values)
            total = np.add.outer(total, (losses * np.bincount(codes, frequency.counts, losses.shape[1])).sum(1))
        return total

    def _counted_below(self) -> NDArray[np.int32]:
        """How many open nodes there are from the bottom to each node, with itself."""
        found = (self.least < self.best).astype(np.int32)
        for axis in range(found.ndim):
            np.cumsum(found, axis, out=found)
        return found

    def _next(self) -> tuple[int, ...] | None:
        """The open node with about the most open ones below; `None` where none is open.

        Numbers only fall, so that those of before bound them, and are taken anew for the greatest alone. What is no
        longer open never is again.
        """
        open_nodes, tried = self.least < self.best, 0
        self.below *= open_nodes
        while True:
            tried += 1
            if tried == _RECOUNTED:
                self.below = self._counted_below() * open_nodes
            node = _node(int(np.argmax(self.below)), self.losses.shape)
            if not open_nodes[node]:
                return None
            before, now = self.below[node], np.count_nonzero(open_nodes[_down_from(node)])
            self.below[node] = now
            if now >= _STALE * before:
                return node

    def _climb(self, node: tuple[int, ...]) -> None:
        """Search a path from a node to the top for where suppression comes within the limit."""
        path = self._path(node)
        low, high = 0, len(path) - 1
        while low <= high:
            middle = (low + high) // 2
            if self._check(path[middle]):
                high = middle - 1
            else:
                low = middle + 1

    def _path(self, node: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Nodes from one to the top, each time the next one that loses least."""
        path, tops = [node], [height - 1 for height in self.losses.shape]
        while list(node) != tops:
            ups = [
                (*node[:axis], level + 1, *node[axis + 1 :])
                for axis, (level, top) in enumerate(zip(node, tops, strict=True))
                if level < top
            ]
            node = min(ups, key=self.losses.__getitem__)
            path.append(node)
        return path

    def _check(self, node: tuple[int, ...]) -> bool:
        """Group the tuples at a node; says whether what is suppressed is within the limit."""
        self.least[node] = np.inf
        self.checked += 1
        groups = self.bases.under(node).at(node)
        if int(groups.sizes[groups.sizes < self.fewest].sum()) > self.allowed:
            self.least[_down_from(node)] = np.inf
            return False
        met, good = _released(groups, self.near, self.allowed)
        self._bound(node, groups, met)
        bad = np.flatnonzero(~good)
        lost = groups.sizes[bad]
        if int(lost.sum()) > self.allowed:
            return False
        total = float(self.losses[node]) + self._more(groups, bad, lost)
        if total < self.best:
            self.best, self.best_node = total, node
        return True

    def _bound(self, node: tuple[int, ...], groups: Groups, met: NDArray[np.bool_]) -> None:
        """Bound what every node below loses by what is lost of the groups here, however they are divided there."""
        bad = np.flatnonzero(~met)
        lost = groups.least_lost(bad)
        least, losses = self.least[_down_from(node)], self.losses[_down_from(node)]
        if int(lost.sum()) > self.allowed:
            least[:] = np.inf
            return
        np.maximum(least, losses + self._more(groups, bad, lost), out=least)

    def _more(self, groups: Groups, some: NDArray[np.intp], lost: NDArray[np.int64]) -> float:
        """How much more is lost where so many records of some groups are suppressed; at nodes below it is no less."""
        return float(((self.most - groups.totals(self.values, some)) * lost).sum())


def _node(place: int, heights: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(level) for level in np.unravel_index(place, heights))


def _down_from(node: Sequence[int]) -> tuple[slice, ...]:
    """All nodes from the bottom to one, with itself."""
    return tuple(slice(level + 1) for level in node)


def _released(
    groups: Groups, near: Presence | None, allowed: int | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which groups meet the models, and which of them are released, as far as no more than allowed are suppressed."""
    met = groups.met()
    good = met
    if near is not None:
        good = near.restrict(met, groups.node, groups.sizes, groups.tuples, np.arange(len(met)))
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
