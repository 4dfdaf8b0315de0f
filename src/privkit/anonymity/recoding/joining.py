"""Put single tuples into classes of hierarchy labels where their loss grows least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import order_of, renumbered, runs, shuffled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.models.sensitive import Diversity
    from privkit.anonymity.recoding.lattice import Lattice

_TOGETHER: Final = 64
"""Tuples that join at once: what they add to a class together is known only then."""
_LARGE: Final = 20_000_000
"""Tuples times classes that are laid out at once."""
_COMPARED: Final = 4_000_000_000
"""Tuples times classes up to which all of both are compared, which takes up to a minute; beyond, neighbours only."""
_MANY: Final = 500_000_000
"""Tuples times classes beyond which tuples first join classes of their own part of the table."""
_NEAR: Final = 0.5
_FARTHER: Final = 1.5
"""What joining in parts may lose, first and in later stages; see `Joiner._join_in_parts`."""
_CACHED: Final = 4096
"""Classes whose growth is summed at once, so that the sums stay in a core's cache."""
_ROUNDS: Final = 12
_ORDERS: Final = 4
_REACH: Final = 8
"""Candidates of a tuple, in each of `_ORDERS` random orders, on either side."""
_SEED: Final = 20_231  # any fixed number: results must not change from run to run
_REFUSALS: Final = 32
"""Classes that may refuse a tuple, before all are asked about it."""
_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""


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


def _stages(attributes: int) -> list[tuple[NDArray[np.bool_], float]]:
    """The attributes that parts are made by, stage after stage, and what joining there may lose."""
    number = np.arange(attributes)
    first = number < attributes // 2
    halves = [number % 2 == 0, number % 2 == 1, first, ~first]
    return [(number >= 0, _NEAR), *((half, _FARTHER) for half in halves)]


class Joiner:
    """Adds tuples to classes, one after another.

    For every value that a waiting tuple has, a table holds what each class would lose by taking it in, so that asking
    about a tuple is one addition an attribute; a class that has changed gets its column of the tables anew.

    Args:
        lattice: The tuples and their hierarchies.
        sizes: Records of each tuple.
        diversity: The models.
        classes: The class of each tuple, -1 where it has none yet.
    """

    def __init__(
        self, lattice: Lattice, sizes: NDArray[np.int64], diversity: Diversity, classes: NDArray[np.intp]
    ) -> None:
        self.classes = classes.copy()
        self._lattice, self._tuple_sizes, self._diversity = lattice, sizes, diversity
        self._limit: NDArray[Any] = np.full(lattice.tuples, np.inf)
        self._groups = [np.stack(ladder.groups) for ladder in lattice.ladders]
        self._losses = [np.stack(lattice.value_losses(a)) for a in range(len(lattice.ladders))]
        self._least = min(float(losses[-1].min()) for losses in self._losses)

    def join_all(self) -> NDArray[np.intp]:
        """Put every tuple that has no class into one; returns the class of each tuple."""
        self._look()
        if int((self.classes < 0).sum()) * len(self._sizes) > _MANY and self._diversity.rolls:
            for fixed, near in _stages(len(self._levels)):
                self._join_in_parts(fixed, near)
                self._look()
            if self._diversity.spare:
                self._join_part(np.flatnonzero((self.classes < 0) | self._open()[self.classes]), np.inf)
                self._look()
        if int((self.classes < 0).sum()) * len(self._sizes) > _COMPARED:
            self._join_near()
        while (self.classes < 0).any():
            self._look()
            waiting = np.flatnonzero(self.classes < 0)[: max(_LARGE // len(self._sizes), _TOGETHER)]
            self._tabulate(waiting)
            for start in range(0, len(waiting), _TOGETHER):
                rest = self._join_some(waiting[start : start + _TOGETHER])
                if not all(map(self._join_one, rest.tolist())):
                    break  # classes were put together: look again
        return self.classes

    def _join_in_parts(self, fixed: NDArray[np.bool_], near: float) -> None:
        """Put tuples into classes of their part of the table, where that is cheap.

        Parts are the groups at a node just below the top, so that a class in another part would lose all of an
        attribute. A class that is in no one part is left out; it is in one where fewer attributes are fixed.

        Args:
            fixed: The attributes that parts do not go to the top in.
            near: How much may be lost more, in what k records and the tuple lose where an attribute is starred: `near`
                of the former, and all of the latter.
        """
        tops = np.array(self._lattice.heights) - 1 - fixed
        keys = self._lattice.key(np.maximum(tops, 0).tolist())
        low: NDArray[np.bool_] = np.all(self._levels <= tops[:, None], axis=0) & self._open()
        there = (self.classes < 0) | low[self.classes]
        tuples = np.flatnonzero(there)
        tuples = tuples[order_of(keys[tuples])]
        starts = runs(keys[tuples])
        for part in np.split(tuples, starts[1:]):
            self._join_part(part, near)

    def _open(self) -> NDArray[np.bool_]:
        """Which classes can spare as much as some waiting tuple lacks; where others than these wait, they are few."""
        waiting, found = self.classes < 0, np.ones(len(self._sizes), bool)
        for own, spare in zip(self._diversity.spare, self._spare, strict=True):
            lacking = own[waiting & (own < 0)]
            found &= spare + lacking.max(initial=-np.inf) >= -_ROUNDING if len(lacking) else True
        return found

    def _join_part(self, part: NDArray[np.intp], near: float) -> None:
        classes = self.classes[part]
        inside = classes >= 0
        if inside.all() or not inside.any():
            return
        names, numbers = np.unique(classes[inside], return_inverse=True)
        classes[inside] = numbers
        diversity = self._diversity.take(part)
        joiner = Joiner(self._lattice.take(part), self._tuple_sizes[part], diversity, classes)
        joiner.join_within((self._tuple_sizes[part] + near * self._diversity.models.k) * self._least)
        joined = np.flatnonzero(joiner.classes >= 0)
        self.classes[part[joined]] = names[joiner.classes[joined]]

    def join_within(self, limit: NDArray[Any]) -> None:
        """Put tuples into single classes where the loss of all records grows by no more than a limit for each."""
        self._limit = limit
        self._look()
        waiting = np.flatnonzero(self.classes < 0)
        step = max(_LARGE // len(self._sizes), _TOGETHER)
        for first in range(0, len(waiting), step):
            some = waiting[first : first + step]
            self._tabulate(some)
            for start in range(0, len(some), _TOGETHER):
                self._join_some(some[start : start + _TOGETHER])

    def _join_some(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Put tuples into the cheapest classes that can have them; returns those that find none soon.

        Where a class cannot have all tuples that come, it gets the first, and the others look again.
        """
        growth, refused = self._growth(rows), np.zeros(len(rows), np.intp)
        self._bar(rows, growth, np.arange(len(self._sizes)))
        hopeless: list[NDArray[np.intp]] = []
        while len(rows):
            chosen = np.argmin(growth, axis=1)
            least = growth[np.arange(len(rows)), chosen]
            near = (least <= self._limit[rows]) & (least < np.inf) & (refused < _REFUSALS)
            hopeless.append(rows[~near])
            rows, chosen, growth, refused = rows[near], chosen[near], growth[near], refused[near]
            some, first, which = np.unique(chosen, return_index=True, return_inverse=True)
            taken = self._fits(rows, some, which)[which]
            taken[first] |= self._fits(rows[first], some, np.arange(len(some)))
            denied = first[~taken[first]]
            growth[denied, chosen[denied]] = np.inf
            refused[denied] += 1
            self._take_in(rows[taken], chosen[taken])
            rows, growth, refused, changed = rows[~taken], growth[~taken], refused[~taken], some[taken[first]]
            if len(rows) and len(changed):
                again = self._growth(rows, changed)
                self._bar(rows, again, changed)
                growth[:, changed] = again
        return np.concatenate(hopeless)

    def _bar(self, rows: NDArray[np.intp], growth: NDArray[np.float32], classes: NDArray[np.intp]) -> None:
        """Set to infinity where a class has too little to spare of what a tuple lacks; see `Diversity.spare`."""
        for own, spare in zip(self._diversity.spare, self._spare, strict=True):
            lacks, which = np.unique(own[rows], return_inverse=True)
            bars = np.where(spare[classes] + lacks[:, None] < -_ROUNDING, np.float32(np.inf), np.float32(0))
            growth += bars[which]  # a sixth of the time of choosing by a mask

    def _fits(self, rows: NDArray[np.intp], classes: NDArray[np.intp], which: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which classes meet the models with all tuples that come; `which` is the place of each tuple's class."""
        came = self._diversity.counts(rows, which, len(classes))
        sizes = self._sizes[classes] + np.bincount(which, self._tuple_sizes[rows], len(classes))
        joined = [table[classes] + own for table, own in zip(self._counts, came, strict=True)]
        return self._diversity.models.meets(sizes, joined)

    def _join_one(self, row: int) -> bool:
        """Put one tuple into the cheapest class that can have it; false where classes had to be put together."""
        chosen = self._choice(row)
        self._take_in(np.array([row]), np.array(chosen[:1]))
        if len(chosen) > 1:
            self.classes[np.isin(self.classes, chosen)] = chosen[0]
        return len(chosen) == 1

    def _growth(self, rows: NDArray[np.intp], classes: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """By how much the loss of all records grows in each class with each of some tuples: `(tuples, classes)`.

        Args:
            rows: The tuples.
            classes: The classes; all by default.
        """
        count = len(self._sizes) if classes is None else len(classes)
        growth = np.empty((len(rows), count), np.float32)
        sizes = self._tuple_sizes[rows].astype(np.float32)[:, None]
        for start in range(0, count, _CACHED):
            total = growth[:, start : start + _CACHED]
            some = slice(start, start + _CACHED) if classes is None else classes[start : start + _CACHED]
            lost = np.zeros_like(total)
            total[:] = 0.0
            for places, grow, own in zip(self._place[:, rows], self._grow, self._own, strict=True):
                total += grow[:, some][places]
                lost += own[:, some][places]
            lost *= sizes
            total += lost
        return growth

    def _join_near(self) -> None:
        """Put tuples into good classes out of a few that are like them in some random order of the attributes.

        What finds none is left to a search over all classes.
        """
        rng = np.random.default_rng(_SEED)
        for _ in range(_ROUNDS):
            rows = np.flatnonzero(self.classes < 0)
            if not len(rows):
                return
            near = np.concatenate([self._neighbours(rows, rng) for _ in range(_ORDERS)], axis=1)
            growth = self._growth_of(rows, near)
            own = self._diversity.counts(rows, np.arange(len(rows)), len(rows))
            good = np.ones(near.shape, bool)
            for column in range(near.shape[1]):
                some = near[:, column]
                joined = [table[some] + one for table, one in zip(self._counts, own, strict=True)]
                good[:, column] = self._diversity.models.meets(self._sizes[some] + self._tuple_sizes[rows], joined)
            growth[~good] = np.inf
            best = np.argmin(growth, axis=1)
            loss = growth[np.arange(len(rows)), best]
            chosen = near[np.arange(len(rows)), best]
            order = np.argsort(loss, kind="stable")
            order = order[np.isfinite(loss[order])]
            _, first = np.unique(chosen[order], return_index=True)  # one tuple a class and round: the cheapest
            self._take_in(rows[order[first]], chosen[order[first]])

    def _neighbours(self, rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """For each tuple some classes whose example is near it in one random order: `(tuples, candidates)`."""
        count = len(self._sizes)
        order = shuffled(np.concatenate([self._example, self._lattice.codes[:, rows]], axis=1), rng)
        is_class = order < count
        before = np.cumsum(is_class) - 1  # the last class up to each place
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        start = before[place[count:]]
        by_order = order[is_class]
        reach = np.arange(-_REACH + 1, _REACH + 1)
        found: NDArray[np.intp] = by_order[np.clip(start[:, None] + reach, 0, count - 1)]
        return found

    def _growth_of(self, rows: NDArray[np.intp], near: NDArray[np.intp]) -> NDArray[np.float64]:
        """By how much the loss of all records grows in some classes with each of some tuples."""
        growth = np.zeros(near.shape)
        weight = self._tuple_sizes[rows][:, None]
        for attribute, codes in enumerate(self._lattice.codes):
            example, old = self._example[attribute][near], self._levels[attribute][near]
            level = np.zeros(near.shape, np.int16)
            for own in self._groups[attribute][:-1]:
                level += own[codes[rows]][:, None] != own[example]
            level = np.maximum(level, old)
            losses = self._losses[attribute]
            new = losses[level, example]
            growth += self._sizes[near] * (new - losses[old, example]) + weight * new
        return growth

    def _look(self) -> None:
        """Number the classes anew, and look at what is in them."""
        inside = np.flatnonzero(self.classes >= 0)
        if not len(inside):  # nothing has become a class: all tuples together are one
            inside = np.arange(len(self.classes))
            self.classes[:] = 0
        own = renumbered(self.classes[inside])
        self.classes[inside] = own
        count = int(own.max()) + 1
        self._sizes = np.bincount(own, self._tuple_sizes[inside], count)
        self._levels = tightest(self._lattice.take(inside), own)
        first = np.zeros(count, np.intp)
        first[own[::-1]] = inside[::-1]
        self._example = self._lattice.codes[:, first]
        self._counts = self._diversity.counts(inside, own, count)
        self._spare = [np.bincount(own, spare[inside], count) for spare in self._diversity.spare]
        self._grow: list[NDArray[np.float32]] = []
        self._own: list[NDArray[np.float32]] = []

    def _tabulate(self, waiting: NDArray[np.intp]) -> None:
        """Lay out what every class would lose by every value of the tuples that wait."""
        every = np.arange(len(self._sizes))
        self._values = [np.unique(row[waiting], return_inverse=True) for row in self._lattice.codes]
        self._place = np.zeros((len(self._values), len(self.classes)), np.intp)
        self._place[:, waiting] = np.stack([inverse for _, inverse in self._values])
        tables = [self._table(attribute, every) for attribute in range(len(self._values))]
        self._grow, self._own = [grow for grow, _ in tables], [own for _, own in tables]

    def _table(self, attribute: int, some: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For every value waiting, what the records of some classes lose more by it, and what its own would lose."""
        levels = self._met(attribute, some, self._values[attribute][0])
        losses, example = self._losses[attribute], self._example[attribute][some]
        new = losses[levels, example].astype(np.float32)
        old = losses[self._levels[attribute][some], example].astype(np.float32)
        return (new - old) * self._sizes[some].astype(np.float32), new

    def _met(self, attribute: int, some: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.int16]:
        """The level that each class would be on with each value, of shape `(values, classes)`."""
        groups, example = self._groups[attribute], self._example[attribute][some]
        level = np.zeros((len(values), len(some)), np.int16)
        for own in groups[:-1]:
            level += own[values][:, None] != own[example][None, :]
        met: NDArray[np.int16] = np.maximum(level, self._levels[attribute][some])
        return met

    def _choice(self, row: int) -> list[int]:
        """The cheapest class that meets the models with the tuple, or the cheapest classes that do together.

        All classes do together, because the whole table does.
        """
        growth = self._growth(np.array([row]))[0]
        counts = self._diversity.counts(np.array([row]), np.zeros(1, np.intp), 1)
        able = np.flatnonzero(self._good(np.arange(len(growth)), row, counts))
        if len(able):
            return [int(able[np.argmin(growth[able])])]
        order = np.argsort(growth, kind="stable")
        sums = [np.cumsum(table[order], axis=0) + own for table, own in zip(self._counts, counts, strict=True)]
        together = self._diversity.models.meets(np.cumsum(self._sizes[order]) + self._tuple_sizes[row], sums)
        together[-1] = True
        found: list[int] = order[: int(np.argmax(together)) + 1].tolist()
        return found

    def _good(self, some: NDArray[np.intp], row: int, counts: list[Any]) -> NDArray[np.bool_]:
        joined = [table[some] + own for table, own in zip(self._counts, counts, strict=True)]
        return self._diversity.models.meets(self._sizes[some] + self._tuple_sizes[row], joined)

    def _take_in(self, rows: NDArray[np.intp], chosen: NDArray[np.intp]) -> None:
        """Put tuples into classes, and look at these anew."""
        if not len(rows):
            return
        self.classes[rows] = chosen
        some, which = np.unique(chosen, return_inverse=True)
        for attribute, codes in enumerate(self._lattice.codes):
            levels = self._met(attribute, chosen, codes[rows])[np.arange(len(rows)), np.arange(len(rows))]
            np.maximum.at(self._levels[attribute], chosen, levels)
        np.add.at(self._sizes, chosen, self._tuple_sizes[rows])
        for table, own in zip(self._counts, self._diversity.counts(rows, which, len(some)), strict=True):
            table[some] += own
        for own, spare in zip(self._diversity.spare, self._spare, strict=True):
            np.add.at(spare, chosen, own[rows])
        for attribute in range(len(self._grow)):
            grow, lost = self._table(attribute, some)
            self._grow[attribute][:, some] = grow
            self._own[attribute][:, some] = lost
