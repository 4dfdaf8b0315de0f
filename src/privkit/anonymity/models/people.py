"""How many people of a population fall into regions of its attributes, thousands of regions at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.regions import Regions

_TUPLES: Final = 1 << 16
"""Tuples of the population that are looked at together."""
_BYTES: Final = 1 << 24
"""Bytes of one table at once: classes times bits of tuples, or times values."""


class People:
    """A population, ready to be counted.

    For every cell of an attribute there is a row of bits, one a tuple of the population; a region is the AND of its
    attributes' rows, and its people are the bits that are left, each counted as often as the tuple occurs.

    Args:
        population: Counts of the population over the quasi-identifiers.
    """

    def __init__(self, population: FrequencySet) -> None:
        self.size = population.records
        self.domains = population.quasi
        self._codes = population.codes[: len(population.quasi), population.starts]
        self._weights = np.add.reduceat(population.counts, population.starts)

    def count(
        self, regions: Sequence[Regions], texts: Sequence[Sequence[str | None]], classes: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Count the people of classes, whose regions may overlap.

        Args:
            regions: For each attribute, what its cells stand for.
            texts: For each attribute, its cells.
            classes: The cell of each attribute in each class, of shape `(attributes, classes)`.

        Returns:
            The people of each class, and which tuples of the population are in one.
        """
        people = np.zeros(classes.shape[1], np.int64)
        seen = np.zeros(len(self._weights), bool)
        widest = max(_TUPLES // 8, *(domain.size for domain in self.domains))
        step = max(_BYTES // widest, 1)
        for first in range(0, classes.shape[1], step):
            some = slice(first, first + step)
            masks, rows = [], []
            for region, cells, row in zip(regions, texts, classes[:, some], strict=True):
                used, own = np.unique(row, return_inverse=True)
                masks.append(region.masks([cells[code] for code in used.tolist()]))
                rows.append(own)
            people[some], hit = self._counted(masks, rows)
            seen |= hit
        return people, seen

    def _counted(
        self, masks: Sequence[NDArray[np.bool_]], rows: Sequence[NDArray[np.intp]]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Count some classes: which values each cell stands for, and the cell of each class, by attribute."""
        people, parts = np.zeros(len(rows[0]), np.int64), []
        for first in range(0, len(self._weights), _TUPLES):
            some = slice(first, first + _TUPLES)
            inside = None
            for mask, codes, row in zip(masks, self._codes, rows, strict=True):
                bits = _packed(mask[:, codes[some]])[row]
                inside = bits if inside is None else np.bitwise_and(inside, bits, out=inside)
            assert inside is not None  # noqa: S101 - there is at least one quasi-identifier
            for weight, plane in _planes(self._weights[some]):
                people += weight * np.bitwise_count(inside & plane).sum(1, dtype=np.int64)
            seen = np.bitwise_or.reduce(inside, axis=0)
            parts.append(np.unpackbits(seen.view(np.uint8), count=len(self._weights[some])).astype(bool))
        return people, np.concatenate(parts)


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Rows of bits in 64-bit words."""
    packed = np.packbits(bits, axis=1)
    out = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    out[:, : packed.shape[1]] = packed
    return out.view(np.uint64)


def _planes(weights: NDArray[np.int64]) -> list[tuple[int, NDArray[np.uint64]]]:
    """The weights in binary: for each power of two, the tuples whose weight has it."""
    powers = range(int(weights.max(initial=0)).bit_length())
    found = [(1 << power, _packed((weights[None, :] >> power & 1).astype(bool))[0]) for power in powers]
    return [(weight, plane) for weight, plane in found if plane.any()]
