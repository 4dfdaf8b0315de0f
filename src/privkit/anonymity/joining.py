"""Put single tuples into classes of hierarchy labels where their loss grows least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.keys import runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.lattice import Lattice
    from privkit.anonymity.sensitive import Diversity

_ASKED: Final = 64
"""Classes, cheapest first, that the models are asked about at once."""


def tightest(lattice: Lattice, classes: NDArray[np.intp]) -> NDArray[np.int16]:
    """The lowest level of every attribute on which all tuples of a class agree, of shape `(attributes, classes)`.

    Args:
        lattice: The tuples and their hierarchies.
        classes: The class of each tuple, from 0, none of them empty.
    """
    order = np.argsort(classes, kind="stable")
    starts = runs(classes[order])
    levels = np.zeros((len(lattice.ladders), len(starts)), np.int16)
    for attribute, (ladder, row) in enumerate(zip(lattice.ladders, lattice.codes, strict=True)):
        codes = row[order]
        for groups in ladder.groups[:-1]:
            own = groups[codes]
            levels[attribute] += np.minimum.reduceat(own, starts) != np.maximum.reduceat(own, starts)
    return levels


class Joiner:
    """Adds tuples to classes, one after another.

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
        self._groups = [np.stack(ladder.groups) for ladder in lattice.ladders]
        self._losses = [np.stack(lattice.value_losses(a)) for a in range(len(lattice.ladders))]
        self._settled = False

    def join(self, row: int) -> None:
        """Put one tuple into the class whose loss grows least and which then still meets the models.

        Where no class does, classes are put together, cheapest first, until they do with it; all of them do in the
        end, because the whole table does.
        """
        if not self._settled:
            self._look()
        growth, levels = self._growth(row)
        order = np.argsort(growth, kind="stable")
        chosen = self._first_good(row, order)
        self.classes[row] = chosen[0]
        for other in chosen[1:]:
            self.classes[self.classes == other] = chosen[0]
        if len(chosen) > 1:
            self._settled = False
            return
        self._levels[:, chosen[0]] = levels[:, chosen[0]]
        self._sizes[chosen[0]] += self._tuple_sizes[row]
        for counts, own in zip(self._counts, self._own(row), strict=True):
            counts[chosen[0]] += own[0]

    def _look(self) -> None:
        """Number the classes anew, and look at what is in them."""
        inside = np.flatnonzero(self.classes >= 0)
        if not len(inside):  # nothing has become a class: all tuples together are one
            self.classes[:] = 0
            inside = np.arange(len(self.classes))
        _, own = np.unique(self.classes[inside], return_inverse=True)
        self.classes[inside] = own
        count = int(own.max()) + 1
        self._sizes = np.bincount(own, self._tuple_sizes[inside], count)
        self._levels = tightest(self._lattice.take(inside), own)
        first = np.zeros(count, np.intp)
        first[own[::-1]] = inside[::-1]
        self._example = self._lattice.codes[:, first]
        self._counts = self._diversity.counts(inside, own, count)
        self._settled = True

    def _growth(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """By how much the loss of all records grows in each class, and the levels it would then have."""
        weight = float(self._tuple_sizes[row])
        growth = np.zeros(len(self._sizes))
        levels = self._levels.copy()
        for attribute, (groups, losses) in enumerate(zip(self._groups, self._losses, strict=True)):
            example, old = self._example[attribute], self._levels[attribute]
            meeting = np.argmax(groups == groups[:, self._lattice.codes[attribute, row], None], axis=0)
            levels[attribute] = np.maximum(old, meeting[example])
            new = losses[levels[attribute], example]
            growth += self._sizes * (new - losses[old, example]) + weight * new
        return growth, levels

    def _first_good(self, row: int, order: NDArray[np.intp]) -> list[int]:
        """The cheapest class that meets the models with the tuple, or the cheapest classes that do together."""
        models = self._diversity.models
        own = self._own(row)
        size = self._tuple_sizes[row]
        for start in range(0, len(order), _ASKED):
            some = order[start : start + _ASKED]
            good = models.meets(self._sizes[some] + size, [c[some] + o for c, o in zip(self._counts, own, strict=True)])
            if good.any():
                return [int(some[np.argmax(good)])]
        sums = [np.cumsum(counts[order], axis=0) + o for counts, o in zip(self._counts, own, strict=True)]
        good = models.meets(np.cumsum(self._sizes[order]) + size, sums)
        last = int(np.argmax(good)) if good.any() else len(order) - 1
        return order[: last + 1].tolist()

    def _own(self, row: int) -> list[Any]:
        one = np.array([row])
        return self._diversity.counts(one, np.zeros(1, np.intp), 1)
