"""Local recoding where nobody may be surely out of the table: labels go down from `*`, class by class.

A least chance above 0 asks that every person of the population falls into a class of the output, and into one that has
few enough people. Classes that are formed of the table's records leave gaps between them, into which people fall. So
one class of everybody is divided, again and again, by the next lower labels of one attribute: into parts of table and
population together, all of which have to meet the models and the bounds. The parts of a class have what it had between
them: where parts are too far apart, no finer ones can be nearer. Of several attributes the one that gives back most
detail is taken (top-down specialisation, Fung, Wang and Yu 2005).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.anonymity.counting.keys import order_of, runs
from privkit.anonymity.models.privacy import presence
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.presence import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder
    from privkit.anonymity.models.privacy import Models
    from privkit.anonymity.recoding.presence import Presence


def specialised(
    frequency: FrequencySet,
    ladders: Sequence[Ladder],
    models: Models,
    weights: Sequence[float],
    near: Presence,
    *,
    progress: Callable[[float], None],
) -> NDArray[np.int16]:
    """Find the level of each attribute of each tuple of the table.

    Args:
        frequency: The table's counts; as one class they meet the models and the bounds.
        ladders: The hierarchies over the table's values, with no level left out.
        models: What every class has to meet.
        weights: How much the loss of each attribute counts.
        near: Table and population together, with the bounds of the chances.
        progress: Is called with the share of all levels that labels have gone down.

    Returns:
        `int16` of shape `(attributes, tuples)`.
    """
    return _Division(frequency, ladders, models, weights, near).levels(progress)


class _Division:
    def __init__(
        self,
        frequency: FrequencySet,
        ladders: Sequence[Ladder],
        models: Models,
        weights: Sequence[float],
        near: Presence,
    ) -> None:
        self._near = near
        self._sizes = np.add.reduceat(frequency.counts, frequency.starts)
        self._diversity = Diversity(frequency, models)
        codes = frequency.codes[: len(ladders), frequency.starts]
        self._costs = [  # by attribute, level and tuple
            np.stack([loss[groups[own]] for loss, groups in zip(ladder.losses, ladder.groups, strict=True)]) * weight
            for ladder, own, weight in zip(ladders, codes, weights, strict=True)
        ]
        tops = np.array([ladder.height - 1 for ladder in ladders], np.int16)
        self._table, self._people = (  # levels of tuples, and their classes
            (np.repeat(tops[:, None], count, axis=1), np.zeros(count, np.int64))
            for count in (len(self._sizes), len(near.weights))
        )

    def levels(self, progress: Callable[[float], None]) -> NDArray[np.int16]:
        """Divide until no class can be divided."""
        whole = self._table[0].sum()
        while True:
            progress(1.0 - float(self._table[0].sum() / whole))
            attribute = self._best()
            if (attribute < 0).all():
                return self._table[0]
            own, people = (self._divided(part, codes, attribute) for part, codes in self._parts())
            numbers = np.unique(np.concatenate([own, people]), return_inverse=True)[1]
            self._table = self._table[0], numbers[: len(own)]
            self._people = self._people[0], numbers[len(own) :]

    def _parts(self) -> list[tuple[tuple[NDArray[np.int16], NDArray[np.int64]], NDArray[np.int32]]]:
        return [(self._table, self._near.table_codes), (self._people, self._near.people_codes)]

    def _best(self) -> NDArray[np.intp]:
        """For each class the attribute to divide it by, -1 where there is none."""
        classes = int(self._table[1].max()) + 1
        best, attribute = np.full(classes, -1.0), np.full(classes, -1)
        tuples = np.arange(len(self._sizes))
        for number, cost in enumerate(self._costs):
            level = self._table[0][number]
            lower = np.maximum(level - 1, 0)
            gain = np.bincount(self._table[1], (cost[level, tuples] - cost[lower, tuples]) * self._sizes, classes)
            better = (gain > best) & self._divides(number, classes)
            best[better], attribute[better] = gain[better], number
        return attribute

    def _divides(self, attribute: int, classes: int) -> NDArray[np.bool_]:
        """Which classes may be divided by an attribute: all of their parts are classes, and read as they are meant."""
        width = self._near.width(attribute)
        own, people = (
            numbers * width + self._near.below(attribute, levels[attribute], codes[attribute])
            for (levels, numbers), codes in self._parts()
        )
        order = order_of(own)
        starts = runs(own[order])
        groups, sizes = own[order[starts]], np.add.reduceat(self._sizes[order], starts)
        place = np.minimum(np.searchsorted(groups, people), len(groups) - 1)
        hit = groups[place] == people
        counted = np.bincount(place[hit], self._near.weights[hit], len(groups))
        ok = self._diversity.meets(sizes, order, starts) & within(presence(sizes, counted), self._near.delta)
        found = np.ones(classes, bool)
        found[groups[~ok] // width] = False
        found[people[~hit] // width] = False  # somebody would be in no class
        levels, numbers = self._table[0][attribute], self._table[1]
        unclear = self._near.misread(attribute, np.maximum(levels - 1, 0), self._near.table_codes[attribute])
        found[numbers[(levels == 0) | unclear]] = False
        return found

    def _divided(
        self, part: tuple[NDArray[np.int16], NDArray[np.int64]], codes: NDArray[Any], attribute: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        """Lower the levels of some tuples by their class's attribute; the new class of each, with gaps between."""
        levels, classes = part
        width = max(self._near.width(number) for number in range(len(levels)))
        keys = classes * width
        for number in range(len(levels)):
            rows = np.flatnonzero(attribute[classes] == number)
            keys[rows] += self._near.below(number, levels[number, rows], codes[number, rows])
            levels[number, rows] -= 1
        return keys
