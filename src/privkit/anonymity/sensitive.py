"""Sensitive values of groups of tuples: counted only where the size of a group has not decided yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.keys import lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.anonymity.frequency import FrequencySet
    from privkit.anonymity.models import Models

_BITS: Final = 64
_AT_ONCE: Final = 1 << 22
"""Counts in one table at once: groups times sensitive values."""


class Diversity:
    """Asks models about groups of the tuples of a frequency set.

    Args:
        frequency: The set; its sensitive columns are those of the models.
        models: What is asked.
    """

    def __init__(self, frequency: FrequencySet, models: Models) -> None:
        self.models = models
        self._starts = np.append(frequency.starts, len(frequency.counts))
        self._codes = frequency.codes[len(frequency.quasi) :]
        self._counts = frequency.counts
        self._present = [
            (model.values, np.bitwise_or.reduceat(np.uint64(1) << codes.astype(np.uint64), frequency.starts))
            for model, codes in zip(models.sensitive, self._codes, strict=True)
            if model.values > 1 and len(model.whole) <= _BITS
        ]

    def hopeful(self, tuples: NDArray[Any]) -> bool:
        """Whether some group of these tuples may be diverse: all of them together have enough distinct values."""
        return all(
            int(np.bitwise_count(np.bitwise_or.reduce(present[tuples]))) >= values for values, present in self._present
        )

    def meets(self, sizes: NDArray[Any], tuples: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which groups meet the models.

        Args:
            sizes: Records of each group.
            tuples: Tuples, group after group.
            starts: Where each group begins in `tuples`.
        """
        ok: NDArray[np.bool_] = sizes >= self.models.k
        if not self.models.sensitive or not ok.any():
            return ok
        groups = np.flatnonzero(ok)
        sizes_of_groups = lengths(starts, len(tuples))
        widest = max(len(model.whole) for model in self.models.sensitive)
        for chunk in _chunks(groups, max(_AT_ONCE // widest, 1)):
            members = tuples[spread(starts[chunk], sizes_of_groups[chunk])]
            ok[chunk] = self._meet(sizes[chunk], members, np.repeat(np.arange(len(chunk)), sizes_of_groups[chunk]))
        return ok

    def counts(self, tuples: NDArray[Any], group: NDArray[Any], groups: int) -> list[NDArray[np.float64]]:
        """For each sensitive column, records of each group by value: `float64` of shape `(groups, values)`.

        Args:
            tuples: Tuples.
            group: The group of each.
            groups: How many there are.
        """
        first, number = self._starts[tuples], self._starts[tuples + 1] - self._starts[tuples]
        cells = spread(first, number)
        row = np.repeat(group, number)
        weights = self._counts[cells]
        found = []
        for codes, model in zip(self._codes, self.models.sensitive, strict=True):
            values = len(model.whole)
            flat = np.bincount(row * values + codes[cells], weights, groups * values)
            found.append(flat.reshape(groups, values).astype(np.float64, copy=False))
        return found

    def _meet(self, sizes: NDArray[Any], members: NDArray[Any], group: NDArray[Any]) -> NDArray[np.bool_]:
        return self.models.meets(sizes, self.counts(members, group, len(sizes)))


def spread(starts: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.intp]:
    """The indices of runs: for each run, `numbers` indices from its start on."""
    ends = np.cumsum(numbers)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.intp] = np.arange(total) + np.repeat(starts - (ends - numbers), numbers)
    return found


def _chunks(items: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
