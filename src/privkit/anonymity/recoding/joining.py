"""Put single tuples into classes of hierarchy labels where their loss grows least.

Every tuple looks for the few classes that grow least with it, among those of its own part of the table or among all.
Then classes take tuples in, in rounds: each takes the tuple that costs it least, and with it those that it then has
room for without raising a label; what it costs the others is found anew. Tuples that came at once would each raise
another label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, order_of, runs, shuffled
from privkit.anonymity.recoding.company import Company

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.models.sensitive import Diversity
    from privkit.anonymity.recoding.lattice import Lattice

    _Offers = tuple[NDArray[np.intp], NDArray[np.float32]]

_LARGE: Final = 4_000_000
_WIDE: Final = 2048
"""Tuples times classes that are laid out at once, and the fewest classes that these are cut into."""
_COMPARED: Final = 4_000_000_000
"""Tuples times classes up to which all of both are compared, which takes up to a minute; beyond, neighbours only."""
_MANY: Final = 500_000_000
"""Tuples times classes beyond which tuples first join classes of their own part of the table."""
_NEAR: Final = 0.5
_FARTHER: Final = 3.0
"""What joining in parts may lose, first and in later stages; see `Joiner._join_in_parts`."""
_OFFERS: Final = (8, 32)
"""Classes that each tuple chooses from; the more where none of the fewer could have it."""
_BLOCK: Final = 32
"""Classes of which the cheapest alone is a candidate, where there are many."""
_TOGETHER: Final = 1024
"""Tuples that look at all classes before any of them has joined one."""
_ROUNDS: Final = 12
_ORDERS: Final = 4
_REACH: Final = 8
"""Candidates of a tuple, in each of `_ORDERS` random orders, on either side."""
_SEED: Final = 20_231  # any fixed number: results must not change from run to run
_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""


def _stages(attributes: int) -> list[tuple[NDArray[np.bool_], float]]:
    """The attributes that parts are made by, stage after stage, and what joining there may lose."""
    number = np.arange(attributes)
    first = number < attributes // 2
    halves = [number % 2 == 0, number % 2 == 1, first, ~first]
    return [(number >= 0, _NEAR), *((half, _FARTHER) for half in halves)]


class Joiner:
    """Adds tuples to classes.

    Args:
        lattice: The tuples and their hierarchies.
        sizes: Records of each tuple.
        diversity: The models.
        classes: The class of each tuple, -1 where it has none yet.
    """

    def __init__(
        self, lattice: Lattice, sizes: NDArray[np.int64], diversity: Diversity, classes: NDArray[np.intp]
    ) -> None:
        self._lattice, self._sizes, self._diversity = lattice, sizes, diversity
        self._least = min(float(lattice.value_losses(a)[-1].min()) for a in range(len(lattice.ladders)))
        self._look(classes if (classes >= 0).any() else np.zeros_like(classes))  # else all tuples are one class

    def join_all(self) -> NDArray[np.intp]:
        """Put every tuple that has no class into one; returns the class of each tuple."""
        if self._pairs() > _MANY:
            for fixed, extra in _stages(len(self._lattice.ladders)):
                self._join_in_parts(fixed, extra)
        if self._pairs() > _COMPARED:
            self._join_neighbours()
        while len(self._company.waiting):
            if not any(map(self._join_any, _OFFERS)):
                self._join_singly()
        return self._company.classes

    def _look(self, classes: NDArray[np.intp]) -> None:
        self._company = Company(self._lattice, self._sizes, self._diversity, classes)

    def _pairs(self) -> int:
        return len(self._company.waiting) * len(self._company)

    # --- who looks where ----------------------------------------------------------------------------------------------

    def _join_in_parts(self, fixed: NDArray[np.bool_], extra: float) -> None:
        """Put tuples into classes of their part of the table, where that is cheap.

        Parts are the groups at a node just below the top, so that a class in another part would lose all of an
        attribute. A class that is in no one part is left out; it is in one where fewer attributes are fixed.

        Args:
            fixed: The attributes that parts do not go to the top in.
            extra: How much may be lost more, in what k records and the tuple lose where an attribute is starred: so
                many times the former, and all of the latter.
        """
        tops = np.maximum(np.array(self._lattice.heights) - 1 - fixed, 0)
        keys = self._lattice.key(tops.tolist())
        rows, classes = self._company.waiting, self._open()
        classes = classes[np.all(self._company.levels[:, classes] <= tops[:, None], axis=0)]
        rows = rows[order_of(keys[rows])]
        own = keys[self._company.first[classes]]
        classes, own = classes[order_of(own)], np.sort(own)
        starts = runs(keys[rows])
        ends = starts + lengths(starts, len(rows))
        left, right = (np.searchsorted(own, keys[rows[starts]], side) for side in ("left", "right"))
        near, growth = np.zeros((len(rows), _OFFERS[0]), np.intp), np.full((len(rows), _OFFERS[0]), np.float32(np.inf))
        for start, end, first, last in np.stack([starts, ends, left, right], axis=1)[left < right].tolist():
            found = self._offers(rows[start:end], classes[first:last], _OFFERS[0])
            width = found[0].shape[1]
            near[start:end, :width], growth[start:end, :width] = found
        self._settle(rows, near, growth, (self._sizes[rows] + extra * self._diversity.models.k) * self._least)

    def _join_any(self, number: int) -> bool:
        """Put tuples into the best classes of all; false where no tuple found one.

        Tuples of many records go first, while classes are small, and else in a random order: those that are alike
        would want the same classes.
        """
        rows = self._company.waiting
        shuffle = np.random.default_rng(_SEED).permutation(len(rows))
        rows = rows[shuffle[np.argsort(-self._sizes[rows[shuffle]], kind="stable")]]
        classes = self._open()
        if not len(classes):
            return False
        for start in range(0, len(rows), _TOGETHER):
            some = rows[start : start + _TOGETHER]
            self._settle(some, *self._offers(some, classes, number), np.full(len(some), np.inf))
        return len(self._company.waiting) < len(rows)

    def _join_neighbours(self) -> None:
        """Put tuples into classes out of a few that are like them in some random order of the attributes."""
        rng = np.random.default_rng(_SEED)
        for _ in range(_ROUNDS):
            rows = self._company.waiting
            if not len(rows):
                return
            near = np.concatenate([self._neighbours(rows, rng) for _ in range(_ORDERS)], axis=1)
            growth = np.stack([self._company.growth_of(rows, column)[0] for column in near.T], axis=1)
            self._settle(rows, near, growth, np.full(len(rows), np.inf))

    def _neighbours(self, rows: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """For each tuple some classes whose example is near it in one random order: `(tuples, candidates)`."""
        count = len(self._company)
        order = shuffled(np.concatenate([self._company.example, self._lattice.codes[:, rows]], axis=1), rng)
        is_class = order < count
        before = np.cumsum(is_class) - 1  # the last class up to each place
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        start = before[place[count:]]
        by_order = order[is_class]
        reach = np.arange(-_REACH + 1, _REACH + 1)
        found: NDArray[np.intp] = by_order[np.clip(start[:, None] + reach, 0, count - 1)]
        return found

    def _join_singly(self) -> None:
        """Put one tuple after another into the cheapest class that can have it, until classes are put together."""
        for row in self._company.waiting.tolist():
            chosen = self._company.cheapest(row)
            self._company.take_in(np.array([row]), np.array(chosen[:1]))
            if len(chosen) > 1:
                classes = self._company.classes.copy()
                classes[np.isin(classes, chosen)] = chosen[0]
                self._look(classes)
                return

    def _open(self) -> NDArray[np.intp]:
        """Which classes can spare as much as some waiting tuple lacks; where others than these wait, all."""
        found, waiting = np.ones(len(self._company), bool), self._company.waiting
        for own, spare in zip(self._diversity.spare, self._company.spare, strict=True):
            most = own[waiting].max(initial=-np.inf)
            found &= spare + min(most, 0.0) >= -_ROUNDING
        return np.flatnonzero(found)

    # --- what is offered ----------------------------------------------------------------------------------------------

    def _offers(self, rows: NDArray[np.intp], classes: NDArray[np.intp], number: int) -> _Offers:
        """For each tuple the classes that grow least with it, and by how much; fewer where so many are not there."""
        step = max(_LARGE // len(rows), _WIDE)
        if len(rows) * _WIDE > _LARGE and len(rows) > 1:
            half = len(rows) // 2
            return _joined([self._offers(part, classes, number) for part in (rows[:half], rows[half:])], 0)
        parts = [self._cheapest(rows, classes[at : at + step], number) for at in range(0, len(classes), step)]
        near, growth = _joined(parts, 1)
        place = _least(growth, number)
        return np.take_along_axis(near, place, 1), np.take_along_axis(growth, place, 1)

    def _cheapest(self, rows: NDArray[np.intp], classes: NDArray[np.intp], number: int) -> _Offers:
        """As `_offers`, for as many classes as are laid out at once; of each of many blocks the cheapest only."""
        growth = self._company.growth(rows, classes)
        width = max(min(_BLOCK, len(classes) // (4 * number)), 1)
        if width == 1:
            return np.broadcast_to(classes, growth.shape), growth
        blocks = len(classes) // width
        body = growth[:, : width * blocks].reshape(len(rows), width, blocks)
        block = _least(body.min(1), number)
        place = block + blocks * body[np.arange(len(rows))[:, None], :, block].argmin(2)
        rest = growth[:, width * blocks :]
        found = np.take_along_axis(growth, place, 1)
        others = np.broadcast_to(classes[width * blocks :], rest.shape)
        return np.concatenate([classes[place], others], axis=1), np.concatenate([found, rest], axis=1)

    # --- who takes whom -----------------------------------------------------------------------------------------------

    def _settle(
        self, rows: NDArray[np.intp], near: NDArray[np.intp], growth: NDArray[np.float32], limit: NDArray[Any]
    ) -> None:
        """Let classes take tuples in, until none is offered a class that can have it for what it may lose.

        Args:
            rows: The tuples.
            near: The classes that each may join, of shape `(tuples, offers)`.
            growth: By how much the loss grows then.
            limit: By how much it may for each tuple.
        """
        while True:
            place = growth.argmin(1)
            least = growth[np.arange(len(rows)), place]
            some = ((least <= limit) & (least < np.inf)).nonzero()[0]
            if not len(some):
                return
            rows, near, growth, limit = rows[some], near[some], growth[some], limit[some]
            place, least = place[some], least[some]
            joined, denied = self._round(rows, near[np.arange(len(rows)), place], least)
            growth[denied, place[denied]] = np.inf
            changed = np.zeros(len(self._company), bool)
            changed[self._company.classes[rows[joined]]] = True
            left = (~joined).nonzero()[0]
            rows, near, growth, limit = rows[left], near[left], growth[left], limit[left]
            which, where = (changed[near] & (growth < np.inf)).nonzero()
            growth[which, where] = self._company.growth_of(rows[which], near[which, where])[0]

    def _round(
        self, rows: NDArray[np.intp], chosen: NDArray[np.intp], least: NDArray[np.float32]
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Let each chosen class take the tuple that costs it least, and others for which it then raises no label.

        Returns:
            Which tuples have joined, and the places of those that the class cannot have.
        """
        joined = np.zeros(len(rows), bool)
        order = np.lexsort((least, chosen))
        first = order[runs(chosen[order])]
        good = self._company.fits(rows[first], chosen[first])
        self._company.take_in(rows[first[good]], chosen[first[good]])
        joined[first[good]] = True
        changed = np.zeros(len(self._company), bool)
        changed[chosen[first[good]]] = True
        others = (changed[chosen] & ~joined).nonzero()[0]
        growth, inside = self._company.growth_of(rows[others], chosen[others])
        others = others[inside & (growth <= least[others])]
        others = others[self._company.fits(rows[others], chosen[others])]
        self._company.take_in(rows[others], chosen[others])
        joined[others] = True
        return joined, first[~good]


def _joined(parts: list[_Offers], axis: int) -> _Offers:
    return np.concatenate([near for near, _ in parts], axis), np.concatenate([growth for _, growth in parts], axis)


def _least(growth: NDArray[np.float32], number: int) -> NDArray[np.intp]:
    """Where the least of each row are; all where there are no more."""
    if growth.shape[1] <= number:
        return np.broadcast_to(np.arange(growth.shape[1]), growth.shape)
    return np.argpartition(growth, number - 1, axis=1)[:, :number]
