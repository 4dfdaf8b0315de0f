"""Boxes: what a set of records covers in every quasi-identifier, in a few words per set, and what it costs.

A category of few values is a run of bits, one a value, packed with its neighbours into 64-bit words; a number, or a
category of more values than `WIDEST`, is the least and the greatest position. So the box of a union is three ufuncs
(OR, minimum, maximum), which reduce and accumulate over any grouping of records at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain

Boxes: TypeAlias = "list[NDArray[Any]]"
"""One array a component, all of one shape; `Space.unions` says how each is joined."""

WIDEST: Final = 256
"""Distinct values up to which a category's sets are exact; beyond, they are ranges in the order of the domain."""

_WORD: Final = 64


@dataclass(frozen=True, slots=True)
class _Bits:
    """A category: its bits in one or more words, and what one value more costs."""

    places: tuple[tuple[int, np.uint64], ...]
    step: float


@dataclass(frozen=True, slots=True)
class _Span:
    """A number: the components with its least and its greatest position."""

    low: int
    high: int
    weight: float


class Space:
    """How the quasi-identifiers of a table are laid out as boxes.

    Args:
        domains: The quasi-identifiers.
        weights: How much each counts; the loss of a box is the weighted sum of its attributes' losses.
    """

    def __init__(self, domains: Sequence[Domain], weights: Sequence[float]) -> None:
        self.ordered = tuple(domain.numeric or domain.size > WIDEST for domain in domains)
        bits = [0 if ordered else domain.size for ordered, domain in zip(self.ordered, domains, strict=True)]
        self._starts = np.concatenate([[0], np.cumsum(bits)]).tolist()
        self.words = -(-self._starts[-1] // _WORD)
        spans = sum(self.ordered)
        self.unions: tuple[np.ufunc, ...] = (
            (np.bitwise_or,) * self.words + (np.minimum,) * spans + (np.maximum,) * spans
        )
        self.neutral: tuple[Any, ...] = (
            (np.uint64(0),) * self.words + (np.float32(np.inf),) * spans + (np.float32(-np.inf),) * spans
        )
        self._positions = [domain.positions for domain in domains]
        self._attributes: list[_Bits | _Span] = []
        low = self.words
        for start, ordered, domain, weight in zip(self._starts, self.ordered, domains, weights, strict=False):
            if ordered:
                self._attributes.append(_Span(low, low + spans, weight))
                low += 1
            else:
                self._attributes.append(_Bits(_places(start, domain.size), weight / max(domain.size - 1, 1)))

    def boxes(self, codes: NDArray[Any]) -> Boxes:
        """The boxes of single records.

        Args:
            codes: Codes of shape `(attributes, records)`.
        """
        records = codes.shape[1]
        words = [np.zeros(records, np.uint64) for _ in range(self.words)]
        spans: list[NDArray[Any]] = []
        for row, start, ordered, positions in zip(codes, self._starts, self.ordered, self._positions, strict=False):
            if ordered:
                spans.append(positions[row])
                continue
            bit = row.astype(np.int64) + start
            for number in range(self.words):
                inside = (bit // _WORD) == number
                words[number] |= np.where(inside, np.uint64(1) << (bit % _WORD).astype(np.uint64), np.uint64(0))
        return [*words, *spans, *spans]

    def loss(self, boxes: Boxes) -> NDArray[np.float64]:
        """The loss of each box: the weighted sum over attributes of 0 (one value) to 1 (all of them)."""
        total = np.zeros(boxes[0].shape)
        for attribute in self._attributes:
            if isinstance(attribute, _Span):
                width = np.minimum(boxes[attribute.high] - boxes[attribute.low], 1.0)
                total += width if attribute.weight == 1 else width * attribute.weight
                continue
            (first, mask), *rest = attribute.places
            values: NDArray[Any] = np.bitwise_count(boxes[first] & mask)
            for word, mask_here in rest:
                values = values.astype(np.int64) + np.bitwise_count(boxes[word] & mask_here)
            total += (values - 1.0) * attribute.step
        return total

    def union(self, left: Boxes, right: Boxes) -> Boxes:
        """The boxes of the pairwise unions."""
        return [union(a, b) for union, a, b in zip(self.unions, left, right, strict=True)]

    def reduce(self, boxes: Boxes, starts: NDArray[np.intp]) -> Boxes:
        """The box of each run of records; `starts` says where runs begin."""
        return [union.reduceat(part, starts) for union, part in zip(self.unions, boxes, strict=True)]

    def scatter(self, boxes: Boxes, index: NDArray[np.intp], absent: NDArray[np.bool_]) -> Boxes:
        """Lay boxes out as `index` says, with the neutral box where `absent`."""
        return [np.where(absent, neutral, part[index]) for neutral, part in zip(self.neutral, boxes, strict=True)]

    def running(self, boxes: Boxes, *, backwards: bool = False) -> Boxes:
        """Running unions along the last axis of a table of boxes: of each one with all before, or all after it."""
        if backwards:
            return [
                union.accumulate(part[:, ::-1], axis=1)[:, ::-1] for union, part in zip(self.unions, boxes, strict=True)
            ]
        return [union.accumulate(part, axis=1) for union, part in zip(self.unions, boxes, strict=True)]


def at(boxes: Boxes, index: Any) -> Boxes:  # noqa: ANN401 - whatever indexes an array
    """Some of the boxes."""
    return [part[index] for part in boxes]


def _places(start: int, bits: int) -> tuple[tuple[int, np.uint64], ...]:
    """The words that `bits` bits from `start` on lie in, each with its mask."""
    found = []
    for word in range(start // _WORD, (start + bits - 1) // _WORD + 1):
        first, last = max(start, word * _WORD), min(start + bits, (word + 1) * _WORD)
        mask = ((1 << (last - first)) - 1) << (first - word * _WORD)
        found.append((word, np.uint64(mask)))
    return tuple(found)
