"""Put single tuples into classes of hierarchy labels where their loss grows least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.keys import order_of, renumbered, runs

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
    order = order_of(classes)
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
        self._groups = [np.stack(ladder.groups) for ladder in lattice.ladders]
        self._losses = [np.stack(lattice.value_losses(a)) for a in range(len(lattice.ladders))]

    def join_all(self) -> NDArray[np.intp]:
        """Put every tuple that has no class into one; returns the class of each tuple."""
        waiting = np.flatnonzero(self.classes < 0)
        while len(waiting):
            self._look(waiting)
            for number, row in enumerate(waiting.tolist()):
                chosen = self._choice(row)
                self._take_in(row, chosen[0])
                if len(chosen) > 1:
                    self.classes[np.isin(self.classes, chosen)] = chosen[0]
                    waiting = waiting[number + 1 :]
                    break
            else:
                break
        return self.classes

    def _look(self, waiting: NDArray[np.intp]) -> None:
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
        every = np.arange(count)
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
        growth = np.zeros(len(self._sizes), np.float32)
        lost = np.zeros(len(self._sizes), np.float32)
        for place, grow, own in zip(self._place[:, row].tolist(), self._grow, self._own, strict=True):
            growth += grow[place]
            lost += own[place]
        growth += lost * np.float32(self._tuple_sizes[row])
        best = int(np.argmin(growth))
        counts = self._own_counts(row)
        if self._good(np.array([best]), row, counts)[0]:
            return [best]
        order = np.argsort(growth, kind="stable")
        for start in range(0, len(order), _ASKED):
            good = self._good(order[start : start + _ASKED], row, counts)
            if good.any():
                return [int(order[start + np.argmax(good)])]
        sums = [np.cumsum(table[order], axis=0) + own for table, own in zip(self._counts, counts, strict=True)]
        together = self._diversity.models.meets(np.cumsum(self._sizes[order]) + self._tuple_sizes[row], sums)
        together[-1] = True
        found: list[int] = order[: int(np.argmax(together)) + 1].tolist()
        return found

    def _good(self, some: NDArray[np.intp], row: int, counts: list[Any]) -> NDArray[np.bool_]:
        joined = [table[some] + own for table, own in zip(self._counts, counts, strict=True)]
        return self._diversity.models.meets(self._sizes[some] + self._tuple_sizes[row], joined)

    def _own_counts(self, row: int) -> list[NDArray[np.float64]]:
        return self._diversity.counts(np.array([row]), np.zeros(1, np.intp), 1)

    def _take_in(self, row: int, chosen: int) -> None:
        self.classes[row] = chosen
        one = np.array([chosen])
        for attribute, codes in enumerate(self._lattice.codes):
            self._levels[attribute, chosen] = self._met(attribute, one, codes[row : row + 1])[0, 0]
        self._sizes[chosen] += self._tuple_sizes[row]
        for table, own in zip(self._counts, self._own_counts(row), strict=True):
            table[chosen] += own[0]
        for attribute in range(len(self._grow)):
            grow, lost = self._table(attribute, one)
            self._grow[attribute][:, chosen] = grow[:, 0]
            self._own[attribute][:, chosen] = lost[:, 0]
