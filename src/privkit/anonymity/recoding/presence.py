"""delta-presence of recodings: how likely people of a population are to be in the table, and recodings that bound it.

A class's chance is its records over the people whose values its cells stand for (Nergiz, Atzori and Clifton 2007). It
falls when cells are generalised further, and not when records join: so what a search for k, l and t found is repaired
where a class's chance is too great. Labels of the class go up; ranges and sets join their nearest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import combine, order_of, renumbered, runs
from privkit.anonymity.hierarchies.hierarchy import ANY
from privkit.anonymity.hierarchies.regions import Regions
from privkit.anonymity.models.people import People
from privkit.anonymity.models.privacy import presence
from privkit.anonymity.recoding.boxes import Space, at
from privkit.anonymity.recoding.lattice import Lattice
from privkit.anonymity.recoding.recoding import Recoding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Ladder

_ROUNDING: Final = 1e-9
"""What a chance may be off by; a bound is met when it is met within this."""
_NEIGHBOURS: Final = 24
"""Classes before and after it in an order that a class may join."""
_SEED: Final = 20_231  # any fixed number: results must not change from run to run


def within(chances: NDArray[np.float64], delta: tuple[float, float]) -> NDArray[np.bool_]:
    """Which chances are within bounds."""
    low, high = delta
    ok: NDArray[np.bool_] = (chances >= low - _ROUNDING) & (chances <= high + _ROUNDING)
    return ok


def reached(recoding: Recoding, population: FrequencySet, hierarchies: Mapping[str, Hierarchy]) -> tuple[float, float]:
    """The least and the greatest chance of a person of the population to be in the output.

    Args:
        recoding: What is written.
        population: The counts of the population.
        hierarchies: Those that its labels are of; none for sets.
    """
    chances, everybody = _chances(recoding, population, hierarchies)
    return (float(chances.min()) if everybody else 0.0), float(chances.max())


def _chances(
    recoding: Recoding, population: FrequencySet, hierarchies: Mapping[str, Hierarchy]
) -> tuple[NDArray[np.float64], bool]:
    """The chance of each class of the output, and whether everybody falls into one."""
    classes = recoding.classes
    kept = np.flatnonzero(classes >= 0)
    number, first = np.unique(classes[kept], return_index=True)
    sizes = np.bincount(classes[kept], recoding.counts[kept], len(number)).astype(np.int64)
    regions = [Regions(domain, hierarchies.get(domain.name)) for domain in population.quasi]
    people, matched = People(population).count(regions, recoding.texts, recoding.labels[:, kept[first]])
    return presence(sizes, people), bool(matched.all())


class Presence:
    """Chances at the nodes of a lattice, over the values of table and population together.

    Args:
        frequency: The table's counts.
        population: The population's, over the same quasi-identifiers.
        hierarchies: The quasi-identifiers' hierarchies.
        delta: The least and the greatest chance.

    Attributes:
        delta: The same.
        weights: How many people each tuple of the population stands for.

    Raises:
        InvalidParameter: If a hierarchy does not cover the population, or a column is of another kind there.
    """

    def __init__(
        self,
        frequency: FrequencySet,
        population: FrequencySet,
        hierarchies: Mapping[str, Hierarchy],
        delta: tuple[float, float],
    ) -> None:
        domains = [own.merged(other) for own, other in zip(frequency.quasi, population.quasi, strict=True)]
        self._ladders = [hierarchies[domain.name].bind(domain, every=True) for domain in domains]
        self._reading = [_read(ladder) for ladder in self._ladders]
        self.delta = delta
        self._own = frequency.codes[: len(domains), frequency.starts]
        self.weights = np.add.reduceat(population.counts, population.starts)
        equal = [1.0] * len(domains)
        self._table, self._people = (
            Lattice(
                self._ladders,
                np.stack(
                    [
                        domain.codes_of(own)[row]
                        for domain, own, row in zip(domains, part.quasi, part.codes, strict=False)
                    ]
                )[:, part.starts].astype(np.int32),
                equal,
            )
            for part in (frequency, population)
        )

    @property
    def table_codes(self) -> NDArray[np.int32]:
        """Codes of the table's tuples among the values of both."""
        return self._table.codes

    @property
    def people_codes(self) -> NDArray[np.int32]:
        """Codes of the population's tuples among the values of both."""
        return self._people.codes

    def width(self, attribute: int) -> int:
        """How many labels an attribute has on one level, at most."""
        return max(len(labels) for labels in self._ladders[attribute].labels)

    def below(self, attribute: int, levels: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.int32]:
        """The group of each code of an attribute on the level below; of those on the lowest, on it."""
        found: NDArray[np.int32] = np.stack(self._ladders[attribute].groups)[np.maximum(levels - 1, 0), codes]
        return found

    def misread(self, attribute: int, levels: NDArray[Any] | int, codes: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether what is written of codes of an attribute is also a label of a higher level, of other values.

        Its reader takes it for those values, so that its people are not those who were counted.
        """
        found: NDArray[np.bool_] = self._reading[attribute][1][levels, codes]
        return found

    def restrict(
        self,
        good: NDArray[np.bool_],
        node: Sequence[int],
        sizes: NDArray[np.int64],
        order: NDArray[np.intp],
        starts: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Which groups of tuples at a node are good and within the bounds.

        With a least chance above 0 a node is good as a whole or not at all: who is in no group is certainly not in the
        table.

        Args:
            good: Which groups meet the other models.
            node: The levels.
            sizes: Records of each group.
            order: The table's tuples, group after group.
            starts: Where each group begins in `order`.
        """
        people, everybody = self._counted(node, order[starts])
        ok = good & within(presence(sizes, people), self.delta)
        if self.delta[0] > 0 and not (everybody and ok.all() and self._plain(node)):
            return np.zeros(len(ok), bool)
        return ok

    def _plain(self, node: Sequence[int]) -> bool:
        """Whether all that is written of the table at a node is read as it is meant."""
        rows = zip(node, self._table.codes, strict=True)
        return not any(self.misread(number, level, codes).any() for number, (level, codes) in enumerate(rows))

    def raised(
        self, levels: NDArray[Any], ladders: Sequence[Ladder], sizes: NDArray[np.int64], weights: Sequence[float]
    ) -> NDArray[np.int16]:
        """Raise the labels of classes whose chance is too great, as little as it takes.

        Args:
            levels: The level of each attribute of each tuple of the table, with no level left out.
            ladders: The hierarchies over the table's values, with no level left out.
            sizes: Records of each tuple.
            weights: How much the loss of each attribute counts.
        """
        highest = [levels[:, codes] for (levels, _), codes in zip(self._reading, self._table.codes, strict=True)]
        tuples = np.arange(levels.shape[1])
        costs = [
            _by_level(ladder.losses, ladder.groups) * weight for ladder, weight in zip(ladders, weights, strict=True)
        ]
        known: dict[bytes, int] = {}
        while True:
            # Where levels share a label the reader takes the highest, and so it is counted.
            levels = np.stack([top[level, tuples] for top, level in zip(highest, levels, strict=True)])
            labels = self._labels(levels)
            classes, first = _grouped(labels)
            totals = np.bincount(classes, sizes, len(first)).astype(np.int64)
            people = self._looked_up(levels[:, first], labels[:, first], first, known)
            bad = ~within(presence(totals, people), (0.0, self.delta[1]))
            if not bad.any():
                return levels
            attribute = self._worth(levels[:, first], first, costs)
            rising = np.flatnonzero(bad[classes])
            levels[attribute[classes[rising]], rising] += 1

    def _labels(self, levels: NDArray[np.int16]) -> NDArray[np.int64]:
        """What is written for each tuple: one number for each label of an attribute, whatever its level."""
        rows = []
        for ladder, codes, level in zip(self._ladders, self._table.codes, levels, strict=True):
            offsets = np.concatenate([[0], np.cumsum([len(names) for names in ladder.labels])[:-1]])
            rows.append(offsets[level] + np.stack(ladder.groups)[level, codes])
        return np.stack(rows)

    def _looked_up(
        self, levels: NDArray[np.int16], labels: NDArray[np.int64], tuples: NDArray[np.intp], known: dict[bytes, int]
    ) -> NDArray[np.int64]:
        """The people of classes, of which those already known are not counted again."""
        names = [labels[:, number].tobytes() for number in range(labels.shape[1])]
        new = np.flatnonzero([name not in known for name in names])
        nodes, member = np.unique(levels[:, new], axis=1, return_inverse=True)
        for number, node in enumerate(nodes.T.tolist()):
            some = new[member == number]
            counted, _ = self._counted(node, tuples[some])
            known.update(zip([names[place] for place in some.tolist()], counted.tolist(), strict=True))
        return np.array([known[name] for name in names], np.int64)

    def _worth(
        self, levels: NDArray[np.int16], tuples: NDArray[np.intp], costs: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.intp]:
        """For each class the attribute that hides it among most people for what it loses, taken one by one."""
        worth = []
        for number, (ladder, cost) in enumerate(zip(self._ladders, costs, strict=True)):
            spread = self._people.codes[number]
            alike = _by_level(
                [np.bincount(groups[spread], self.weights, int(groups.max()) + 1) for groups in ladder.groups],
                ladder.groups,
            )
            level, code = levels[number], self._table.codes[number][tuples]
            above = np.minimum(level + 1, ladder.height - 1)
            gain = np.log(np.maximum(alike[above, code], 0.5) / np.maximum(alike[level, code], 0.5))
            more = cost[above, self._own[number][tuples]] - cost[level, self._own[number][tuples]]
            worth.append(np.where(level < ladder.height - 1, (gain + 1e-6) / (more + 1e-9), -1.0))
        found: NDArray[np.intp] = np.argmax(np.stack(worth), axis=0)
        return found

    def _counted(self, node: Sequence[int], tuples: NDArray[np.intp]) -> tuple[NDArray[np.int64], bool]:
        """The people in the groups of some tuples of the table at a node, and whether that is everybody."""
        wanted, place = np.unique(self._table.key(node)[tuples], return_inverse=True)
        keys = self._people.key(node)
        found = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
        hit = wanted[found] == keys
        people = np.bincount(found[hit], self.weights[hit], len(wanted)).astype(np.int64)
        return people[place], bool(hit.all())


def joined(
    frequency: FrequencySet, recoding: Recoding, population: FrequencySet, weights: Sequence[float], most: float
) -> Recoding:
    """Join classes of ranges and sets whose chance is too great with the nearest, until none is.

    Args:
        frequency: The table's counts.
        recoding: Its recoding to ranges and sets; none of it is suppressed.
        population: The population's counts.
        weights: How much the loss of each attribute counts.
        most: The greatest chance.
    """
    space = Space(frequency.quasi, weights)
    rng = np.random.default_rng(_SEED)
    codes = frequency.codes[: len(frequency.quasi)][:, recoding.cells]
    while True:
        chances, _ = _chances(recoding, population, {})
        bad = ~within(chances, (0.0, most))
        if not bad.any():
            return recoding
        if len(bad) == 1:  # of the table, and not of the population
            return _everything(recoding)
        nearest = _nearest(space, codes, recoding, np.flatnonzero(bad), rng)
        classes = renumbered(nearest[recoding.classes])
        recoding = Recoding.of_classes(frequency, recoding.cells, recoding.counts, classes, space.ordered)
        codes = frequency.codes[: len(frequency.quasi)][:, recoding.cells]


def _everything(recoding: Recoding) -> Recoding:
    """All cells as `*`."""
    number = len(recoding.texts)
    return replace(
        recoding,
        labels=np.zeros_like(recoding.labels),
        texts=((ANY,),) * number,
        losses=(np.ones(1),) * number,
        plain=(False,) * number,
    )


def _nearest(
    space: Space, codes: NDArray[np.int32], recoding: Recoding, bad: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each class the class that it is now: itself, or for two that join the lesser of both.

    Nearest is whose union loses least more, among the neighbours in an order of the classes by a random order of the
    attributes. A class joins one other at most.
    """
    order = order_of(recoding.classes)
    starts = runs(recoding.classes[order])
    boxes = space.reduce(space.boxes(codes[:, order]), starts)
    sizes = np.add.reduceat(recoding.counts[order], starts)
    losses = space.loss(boxes) * sizes
    ranked = np.lexsort(codes[:, order[starts]][rng.permutation(len(codes))])
    place = np.empty(len(ranked), np.intp)
    place[ranked] = np.arange(len(ranked))
    reach = min(_NEIGHBOURS, len(ranked) - 1)
    steps = [step for step in range(-reach, reach + 1) if step]
    others = ranked[(place[bad][:, None] + np.array(steps)[None, :]) % len(ranked)]
    union = space.union(at(boxes, bad[:, None]), at(boxes, others))
    growth = space.loss(union) * (sizes[bad][:, None] + sizes[others]) - losses[bad][:, None] - losses[others]
    growth[others == bad[:, None]] = np.inf
    best = np.argmin(growth, axis=1)
    chosen = others[np.arange(len(bad)), best]
    out, free = np.arange(len(ranked)), np.ones(len(ranked), bool)
    for one in np.argsort(growth[np.arange(len(bad)), best], kind="stable").tolist():
        left, right = int(bad[one]), int(chosen[one])
        if free[left] and free[right]:
            out[[left, right]] = min(left, right)
            free[[left, right]] = False
    return out


def _by_level(values: Sequence[NDArray[Any]], groups: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """What the group of each code has on each level: of shape `(levels, codes)`."""
    return np.stack([own[group] for own, group in zip(values, groups, strict=True)])


def _read(ladder: Ladder) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """How what is written of each code on each level is read: a label of several levels as that of the highest.

    Returns:
        Of shape `(levels, codes)`: the level that a code's label is read on, the next one where that is no label of the
        code; and whether the label is read as other values than are meant.
    """
    groups, codes = np.stack(ladder.groups), np.arange(ladder.domain.size)
    numbers = {
        label: (level, number) for level, names in enumerate(ladder.labels) for number, label in enumerate(names)
    }
    sizes = np.zeros((ladder.height, max(map(len, ladder.labels))), np.int64)
    for level, own in enumerate(groups):
        np.add.at(sizes[level], own, 1)
    levels, misread = np.zeros(groups.shape, np.int16), np.zeros(groups.shape, bool)
    for level in range(ladder.height - 1, -1, -1):
        above, number = np.array([numbers[label] for label in ladder.labels[level]]).T[:, groups[level]]
        there = groups[above, codes] == number
        levels[level] = np.where(there, above, levels[min(level + 1, ladder.height - 1)])
        misread[level] = ~there | (sizes[above, number] != sizes[level, groups[level]])
    return levels, misread


def _grouped(labels: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The class of each tuple, by its labels, and the first tuple of each class."""
    keys = combine(list(labels), [int(row.max()) + 1 for row in labels])
    _, first, classes = np.unique(keys, return_index=True, return_inverse=True)
    return classes, first
