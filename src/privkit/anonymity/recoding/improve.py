"""Improve classes of sets by moving records between them and dissolving classes, where the loss becomes less.

A round sorts all records by a random order of the attributes; the classes of the next few neighbours are the
candidates of each record. An action moves one record out of a class that can spare it, or dissolves a class into its
neighbours; of all actions that gain, those with the greatest gain are done, one for each class that takes part. Every
class meets the models before and after each action. The random numbers have a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, order_of, renumbered, runs, shuffled
from privkit.anonymity.models.pairs import sums
from privkit.anonymity.recoding.boxes import Boxes, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.anonymity.recoding.cuts import Records

_NEIGHBOURS: Final = 3
"""How many neighbours on either side are candidates."""
_PASSES: Final = 4
"""How often a round looks for actions that do not touch a class that an action of this round has touched."""
_GAIN: Final = 1e-6
"""Less is rounding."""


def improve(
    records: Records,
    classes: NDArray[np.intp],
    rounds: int,
    rng: np.random.Generator,
    progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.intp]:
    """Move records between classes for some rounds.

    Args:
        records: The records.
        classes: The class of each, from 0; each meets the models.
        rounds: How many rounds.
        rng: Where the orders of attributes come from.
        progress: Is told the share of the rounds that is done.

    Returns:
        The class of each record, numbered from 0 anew.
    """
    for number in range(rounds):
        if not _Round(records, classes).run(rng):
            break
        classes = renumbered(classes)
        progress((number + 1) / rounds)
    return classes


@dataclass(frozen=True, eq=False)
class _Actions:
    """What may be done: each action by its gain, the class that it takes from, and the classes that it adds to."""

    gain: NDArray[np.float64]
    source: NDArray[np.intp]
    target_of: NDArray[np.intp]  # the action of each target
    target: NDArray[np.intp]


class _Round:
    """One round over classes, which it changes in place."""

    def __init__(self, records: Records, classes: NDArray[np.intp]) -> None:
        self.records, self.classes = records, classes
        self.order = order_of(classes)
        self.starts = runs(classes[self.order])
        self.members = lengths(self.starts, len(classes))
        self.sizes = np.add.reduceat(records.weights[self.order], self.starts)
        self.boxes = records.space.reduce(at(records.boxes, self.order), self.starts)
        self.loss = records.space.loss(self.boxes)
        self.cost = self.sizes * self.loss
        self.ones = records.ones
        self.counts = [sums(table, self.order, self.starts) for table in self.ones]

    def run(self, rng: np.random.Generator) -> bool:
        """Do one round; says whether there was anything to do."""
        movers = np.flatnonzero(self.loss[self.classes] > 0)
        if len(movers) < 2:  # noqa: PLR2004 - nobody to change places with
            return False
        rest, alone = self._without(movers)
        target, growth = self._candidates(movers, rng)
        weights = self.records.weights[movers]
        source = self.classes[movers]
        gain = self.cost[source] - alone - growth
        spare = (self.sizes[source] - weights >= self.records.models.least) & (gain > _GAIN) & rest
        moves = np.flatnonzero(spare)
        moves = moves[self._allowed(movers[moves], target[moves])]
        moves = self._best_of_source(moves, source, gain)
        dissolved = self._dissolve(movers, target)
        done = self._choose(
            _Actions(
                np.concatenate([gain[moves], dissolved.gain]),
                np.concatenate([source[moves], dissolved.source]),
                np.concatenate([np.arange(len(moves)), dissolved.target_of + len(moves)]),
                np.concatenate([target[moves], dissolved.target]),
            )
        )
        new = self.classes.copy()
        chosen = moves[done[: len(moves)]]
        new[movers[chosen]] = target[chosen]
        gone = np.zeros(len(self.sizes), bool)
        gone[dissolved.source[done[len(moves) :]]] = True
        leaving = gone[source]
        new[movers[leaving]] = target[leaving]
        self.classes[:] = new
        return True

    def _without(self, movers: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """What the class of each record would cost without it, and where that is known (the class can spare one)."""
        space = self.records.space
        cost = np.zeros(len(self.classes))
        known = np.zeros(len(self.classes), bool)
        lightest = np.minimum.reduceat(self.records.weights[self.order], self.starts)
        able = (self.sizes - lightest >= self.records.models.least) & (self.loss > 0) & (self.members > 1)
        bits = np.frexp(np.maximum(self.members - 1, 0))[1]
        for power in np.unique(bits[able]).tolist():
            some = np.flatnonzero(able & (bits == power))
            width = int(self.members[some].max())
            index = self.starts[some][:, None] + np.arange(width)
            absent = np.arange(width) >= self.members[some][:, None]
            index[absent] = 0
            rows = self.order[index]
            table = space.scatter(self.records.boxes, rows, absent)
            before, after = space.running(table), space.running(table, backwards=True)
            others: Boxes = []
            for neutral, union, b, a in zip(space.neutral, space.unions, before, after, strict=True):
                both = np.full(b.shape, neutral, b.dtype)
                both[:, 1:] = b[:, :-1]
                both[:, :-1] = union(both[:, :-1], a[:, 1:])
                others.append(both)
            here = ~absent
            left = np.broadcast_to(self.sizes[some][:, None], here.shape)[here] - self.records.weights[rows[here]]
            cost[rows[here]] = left * space.loss(at(others, here))
            known[rows[here]] = True
        return known[movers], cost[movers]

    def _candidates(
        self, movers: NDArray[np.intp], rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """For each record the neighbouring class whose cost grows least by it, and by how much (infinite: none)."""
        records = self.records
        order = shuffled(records.codes[:, movers], rng)
        rows = movers[order]
        classes = self.classes[rows]
        target = np.zeros(len(rows), np.intp)
        growth = np.full(len(rows), np.inf)
        boxes, weights = at(records.boxes, rows), records.weights[rows]
        tried = [classes]
        for shift in (s for step in range(1, _NEIGHBOURS + 1) for s in (step, -step)):
            other = np.roll(classes, shift)
            fresh = np.flatnonzero(np.logical_and.reduce([other != known for known in tried]))
            tried = [classes, other] if len(tried) == 1 else [*tried, other]
            to = other[fresh]
            joined = records.space.union(at(boxes, fresh), at(self.boxes, to))
            more = (self.sizes[to] + weights[fresh]) * records.space.loss(joined) - self.cost[to]
            better = more < growth[fresh]
            growth[fresh[better]], target[fresh[better]] = more[better], to[better]
        back = np.empty(len(order), np.intp)
        back[order] = np.arange(len(order))
        return target[back], growth[back]

    def _allowed(self, rows: NDArray[np.intp], target: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which moves leave both classes within the models."""
        if not self.counts:
            return np.ones(len(rows), bool)
        models, source = self.records.models, self.classes[rows]
        weights = self.records.weights[rows]
        ones = [table[rows] for table in self.ones]
        ok = models.meets(self.sizes[source] - weights, [c[source] - o for c, o in zip(self.counts, ones, strict=True)])
        return ok & models.meets(
            self.sizes[target] + weights, [c[target] + o for c, o in zip(self.counts, ones, strict=True)]
        )

    @staticmethod
    def _best_of_source(
        moves: NDArray[np.intp], source: NDArray[np.intp], gain: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """Of each class's moves the one that gains most."""
        order = np.lexsort((-gain[moves], source[moves]))
        return moves[order][runs(source[moves][order])]

    def _dissolve(self, movers: NDArray[np.intp], target: NDArray[np.intp]) -> _Actions:
        """Classes that cost more than what their records would add to where each of them would go."""
        records, source = self.records, self.classes[movers]
        count = len(self.sizes)
        placed = np.bincount(source, target != source, count) == np.bincount(source, minlength=count)
        able = np.flatnonzero(placed[source] & (target != source))
        key = source[able] * count + target[able]
        order = able[order_of(key)]
        if not len(order):
            nothing = np.zeros(0, np.intp)
            return _Actions(np.zeros(0), nothing, nothing, nothing)
        starts = runs(source[order] * count + target[order])
        a, b = source[order][starts], target[order][starts]
        rows = movers[order]
        more = np.add.reduceat(records.weights[rows], starts)
        boxes = records.space.union(records.space.reduce(at(records.boxes, rows), starts), at(self.boxes, b))
        growth = (self.sizes[b] + more) * records.space.loss(boxes) - self.cost[b]
        gain = self.cost - np.bincount(a, growth, count)
        good = placed & (gain > _GAIN) & (np.bincount(a, minlength=count) > 0)
        if self.counts:
            ones = [sums(table, rows, starts) for table in self.ones]
            ok = records.models.meets(self.sizes[b] + more, [c[b] + o for c, o in zip(self.counts, ones, strict=True)])
            good &= np.bincount(a, ~ok, count) == 0
        sources = np.flatnonzero(good)
        number = np.full(count, -1)
        number[sources] = np.arange(len(sources))
        used = good[a]
        return _Actions(gain[sources], sources, number[a[used]], b[used])

    def _choose(self, actions: _Actions) -> NDArray[np.bool_]:
        """The actions that are done: greatest gain first, and no two that touch one class."""
        total = len(actions.gain)
        rank = np.empty(total, np.intp)
        rank[np.argsort(-actions.gain, kind="stable")] = np.arange(total)
        done, open_actions = np.zeros(total, bool), np.ones(total, bool)
        taken = np.zeros(len(self.sizes), bool)
        for _ in range(_PASSES):
            if not open_actions.any():
                break
            first = np.full(len(self.sizes), total)
            live = open_actions[actions.target_of]
            np.minimum.at(first, actions.source[open_actions], rank[open_actions])
            np.minimum.at(first, actions.target[live], rank[actions.target_of[live]])
            wins = open_actions & (first[actions.source] == rank)
            lost = first[actions.target] != rank[actions.target_of]
            wins[actions.target_of[lost]] = False
            done |= wins
            taken[actions.source[wins]] = True
            taken[actions.target[wins[actions.target_of]]] = True
            open_actions &= ~wins & ~taken[actions.source]
            open_actions[actions.target_of[taken[actions.target]]] = False
        return done
