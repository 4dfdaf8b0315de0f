"""The lattice of full-domain generalisations: one level for each quasi-identifier, and what nodes do to tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.hierarchies.hierarchy import Ladder

_CACHE: Final = 400_000_000
"""Bytes that keys and losses of half nodes may take together."""

_NARROW: Final = 32
"""Bits up to which keys take four bytes, which are read and sorted faster than eight."""

_SEED: Final = 20_231  # any fixed number: results must not change from run to run


class Lattice:
    """Keys and losses of tuples at the nodes of a lattice.

    A node is put together of two halves, each of some of the attributes: keys are shifted group numbers that are
    OR-ed, losses are sums, so that a node costs two operations an array instead of one an attribute.

    Args:
        ladders: The quasi-identifiers' hierarchies over their domains.
        codes: Codes of the tuples, of shape `(attributes, tuples)`.
        weights: How much the loss of each attribute counts.
        cache: Bytes that keys and losses of half nodes may take together; where all would take more, none is kept.
    """

    def __init__(
        self, ladders: Sequence[Ladder], codes: NDArray[np.int32], weights: Sequence[float], cache: int = _CACHE
    ) -> None:
        self.ladders = ladders
        self.codes = codes
        self.tuples = codes.shape[1]
        self.heights = [ladder.height for ladder in ladders]
        widths = [max(len(labels) for labels in ladder.labels) for ladder in ladders]
        bits = [max(width - 1, 1).bit_length() for width in widths]
        self._shifts = np.cumsum([0, *bits]).tolist()
        self.bits: int = self._shifts[-1]
        self._whole: np.dtype[Any] = np.dtype(np.uint32 if self.bits <= _NARROW else np.uint64)
        self._weights = weights
        self._half = _balance(self.heights)
        self._keys: dict[tuple[int, tuple[int, ...]], NDArray[np.unsignedinteger[Any]]] = {}
        self._losses: dict[tuple[int, tuple[int, ...]], NDArray[np.float32]] = {}
        halves = int(np.prod(self.heights[: self._half])) + int(np.prod(self.heights[self._half :]))
        self._cached = halves * self.tuples * 12 <= cache

    def key(self, node: Sequence[int]) -> NDArray[np.unsignedinteger[Any]]:
        """A number for each tuple, equal where the node's generalisation is."""
        left, right = self._split(node)
        return self._half_key(0, left) | self._half_key(self._half, right)

    def loss(self, node: Sequence[int]) -> NDArray[np.float32]:
        """What each tuple loses at a node."""
        left, right = self._split(node)
        return self._half_loss(0, left) + self._half_loss(self._half, right)

    def level_losses(self, attribute: int) -> list[NDArray[np.float64]]:
        """What each tuple loses in one attribute, level by level."""
        return [losses[self.codes[attribute]] for losses in self.value_losses(attribute)]

    def value_losses(self, attribute: int) -> list[NDArray[np.float64]]:
        """What each value of one attribute loses, level by level."""
        ladder, weight = self.ladders[attribute], self._weights[attribute]
        return [losses[groups] * weight for losses, groups in zip(ladder.losses, ladder.groups, strict=True)]

    def take(self, tuples: NDArray[Any]) -> Lattice:
        """The same lattice over some of the tuples."""
        lattice = Lattice(self.ladders, self.codes[:, tuples], self._weights)
        if lattice._cached:
            lattice._keys = {half: key[tuples] for half, key in self._keys.items()}
            lattice._losses = {half: loss[tuples] for half, loss in self._losses.items()}
        return lattice

    def _split(self, node: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return tuple(node[: self._half]), tuple(node[self._half :])

    def _half_key(self, first: int, levels: tuple[int, ...]) -> NDArray[np.unsignedinteger[Any]]:
        known = self._keys.get((first, levels))
        if known is not None:
            return known
        key: NDArray[Any] = np.zeros(self.tuples, self._whole)
        for attribute, level in enumerate(levels, first):
            groups = self.ladders[attribute].groups[level]
            if groups.any():  # else all values are alike, as on most tops
                key |= (groups.astype(self._whole) << self._whole.type(self._shifts[attribute]))[self.codes[attribute]]
        if self._cached:
            self._keys[first, levels] = key
        return key

    def _half_loss(self, first: int, levels: tuple[int, ...]) -> NDArray[np.float32]:
        known = self._losses.get((first, levels))
        if known is not None:
            return known
        loss = np.zeros(self.tuples, np.float32)
        for attribute, level in enumerate(levels, first):
            ladder = self.ladders[attribute]
            own = ladder.losses[level][ladder.groups[level]] * self._weights[attribute]
            loss += own.astype(np.float32)[self.codes[attribute]]
        if self._cached:
            self._losses[first, levels] = loss
        return loss


def all_nodes(heights: Sequence[int]) -> NDArray[np.int16]:
    """Every node of a lattice, of shape `(nodes, attributes)`, the first attribute's level slowest."""
    grid = np.indices(heights, np.int16)
    return grid.reshape(len(heights), -1).T


def some_nodes(heights: Sequence[int], most: int) -> NDArray[np.int16]:
    """All nodes of a lattice where there are at most `most`, else so many of them, with top and bottom among them.

    They are drawn with a fixed seed: first how many steps above the bottom, then which, so that every height of the
    lattice is there.
    """
    tops = np.array(heights, np.int64) - 1
    if np.prod(np.array(heights, np.float64)) <= most:
        return all_nodes(heights)
    rng = np.random.default_rng(_SEED)
    reach = rng.random((most, 1))
    drawn = np.floor(rng.random((most, len(tops))) ** (1 / reach - 1) * (tops + 1)).astype(np.int16)
    edge = np.stack([np.zeros(len(tops), np.int16), tops.astype(np.int16)])
    return np.unique(np.concatenate([edge, np.minimum(drawn, tops).astype(np.int16)]), axis=0)


def _balance(heights: Sequence[int]) -> int:
    """Where to divide the attributes so that both halves have few nodes."""
    cost = [
        float(np.prod(np.array(heights[:cut], np.float64)) + np.prod(np.array(heights[cut:], np.float64)))
        for cut in range(len(heights) + 1)
    ]
    return int(np.argmin(cost))
