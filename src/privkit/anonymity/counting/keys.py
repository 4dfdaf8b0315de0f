"""Combinations of codes as one 64-bit number each: mixed radix, so that sorting numbers sorts combinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LIMIT: Final = 1 << 63
_FEW: Final = 400
_PASS: Final = 16
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, odd: Knuth, TAOCP 3, section 6.4
_FEWEST_BITS: Final = 12
_MOST_BITS: Final = 24
_RADIX_BITS: Final = 48
SPARSE: Final = 8
"""Places for each key up to which a table with a place for every possible key is faster than sorting."""

_CHUNK: Final = 1 << 16
"""Keys looked up at once: what is in flight stays in a core's cache."""


class KeyBuilder:
    """Joins columns of codes into keys, column by column, as a stream of rows needs it.

    Where the product of the radices passes 2**63, the keys so far are put in their place by their rank, which takes a
    sort of the rows but has no limit.
    """

    def __init__(self) -> None:
        self.keys: NDArray[np.int64] | None = None
        self._range = 1
        self._steps: list[tuple[int, NDArray[np.int64] | None]] = []

    def add(self, codes: NDArray[Any], radix: int) -> None:
        """Add a column.

        Args:
            codes: One code a row, from 0 and below `radix`.
            radix: How many codes there are.
        """
        ranks = None
        if self.keys is None:
            self.keys = codes.astype(np.int64)
        else:
            if self._range * radix >= _LIMIT:
                ranks, inverse = np.unique(self.keys, return_inverse=True)
                self.keys, self._range = inverse.astype(np.int64), len(ranks)
            self.keys *= radix
            self.keys += codes
        self._range *= radix
        self._steps.append((radix, ranks))

    def split(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The codes of keys, of shape `(columns, keys)`."""
        columns = []
        for radix, ranks in reversed(self._steps):
            keys, codes = np.divmod(keys, radix)
            columns.append(codes.astype(np.int32))
            if ranks is not None:
                keys = ranks[keys]
        return np.stack(columns[::-1]) if columns else np.zeros((0, len(keys)), np.int32)


def combine(codes: Sequence[NDArray[Any]], radices: Sequence[int]) -> NDArray[np.int64]:
    """Keys of combinations, equal where all codes are, in the order of the codes.

    Args:
        codes: A column of codes for each part, all of one length.
        radices: How many codes each has.
    """
    builder = KeyBuilder()
    for column, radix in zip(codes, radices, strict=True):
        builder.add(column, radix)
    assert builder.keys is not None  # noqa: S101 - there is at least one column
    return builder.keys


def runs(ordered: NDArray[Any]) -> NDArray[np.intp]:
    """Where each run of equal values begins in sorted values."""
    if not len(ordered):
        return np.zeros(0, np.intp)
    first = np.empty(len(ordered), bool)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first.nonzero()[0]


def lengths(starts: NDArray[np.intp], total: int) -> NDArray[np.intp]:
    """How long each run is."""
    out = np.empty_like(starts)  # as np.diff with append, which takes several times as long for the few of one node
    np.subtract(starts[1:], starts[:-1], out=out[:-1])
    out[-1:] = total - starts[-1:]
    return out


def spread(starts: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.intp]:
    """The indices of runs: for each run, `numbers` indices from its start on."""
    ends = np.cumsum(numbers)
    total = int(ends[-1]) if len(ends) else 0
    found: NDArray[np.intp] = np.arange(total) + np.repeat(starts - (ends - numbers), numbers)
    return found


def counted(keys: NDArray[np.int64], weights: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct keys in order, and how often (or how heavily) each occurs."""
    if weights is None:
        ordered = np.sort(keys)
        starts = runs(ordered)
        return ordered[starts], lengths(starts, len(keys)).astype(np.int64)
    order = order_of(keys)
    ordered = keys[order]
    starts = runs(ordered)
    if not len(starts):
        return ordered, np.zeros(0, np.int64)
    return ordered[starts], np.add.reduceat(weights[order], starts)


def order_of(numbers: NDArray[Any]) -> NDArray[np.intp]:
    """The order that sorts whole numbers from 0, equal ones as they stand.

    NumPy sorts 16 bits by radix, some twenty times as fast as 64 by comparing, so that two or three passes over 16
    bits at a time take a third of the time.
    """
    if len(numbers) < _FEW or (bits := int(numbers.max()).bit_length()) > _RADIX_BITS:
        return np.argsort(numbers, kind="stable")
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    for shift in range(_PASS, bits, _PASS):
        digit = (numbers >> numbers.dtype.type(shift)).astype(np.uint16)[order]
        order = order[np.argsort(digit, kind="stable")]
    return order


def renumbered(classes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers from 0 without gaps, in the order of those given."""
    there = np.zeros(int(classes.max(initial=-1)) + 1, bool)
    there[classes] = True
    return (np.cumsum(there) - 1)[classes]


def numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Number distinct keys from 0 in their order.

    Args:
        keys: Whole numbers from 0.

    Returns:
        Where some key of each number stands, and the number of each key.
    """
    span = int(keys.max(initial=-1)) + 1
    if span <= SPARSE * len(keys):
        places = np.full(span, -1, np.intp)
        places[keys] = np.arange(len(keys))
        firsts = places[places >= 0]
        found = np.zeros(span, np.int32)
        found[keys[firsts]] = np.arange(len(firsts), dtype=np.int32)
        return firsts, found[keys]
    order = order_of(keys)
    starts = runs(keys[order])
    numbers = np.empty(len(keys), np.int32)
    numbers[order] = np.repeat(np.arange(len(starts), dtype=np.int32), lengths(starts, len(keys)))
    return order[starts], numbers


def shuffled(codes: NDArray[Any], rng: np.random.Generator) -> NDArray[np.intp]:
    """An order that sorts by a random order of attributes, in each by a random order of its values.

    Args:
        codes: Codes of shape `(attributes, rows)`, at least one row.
        rng: Where the orders come from.
    """
    key = np.zeros(codes.shape[1], np.int64)
    span = 1
    for attribute in rng.permutation(len(codes)).tolist():
        size = int(codes[attribute].max()) + 1
        order = rng.permutation(size)
        if span * size > 1 << _RADIX_BITS:  # what is left hardly matters
            break
        key = key * size + order[codes[attribute]]
        span *= size
    return order_of(key)


def hashed(keys: NDArray[Any], bits: int) -> NDArray[np.int64]:
    """A hash of each key, below 2**bits."""
    return ((keys.astype(np.uint64) * _MIX) >> np.uint64(64 - bits)).astype(np.int64)


class Lookup:
    """Finds keys among known ones: by a slot for each hash, and by search where another key has the slot.

    Args:
        known: Distinct keys, ascending, at least one.
    """

    def __init__(self, known: NDArray[np.int64]) -> None:
        self._known = known
        self._bits = min(max((8 * len(known)).bit_length(), _FEWEST_BITS), _MOST_BITS)
        self._slots = np.zeros(1 << self._bits, np.int32)
        self._slots[hashed(known, self._bits)] = np.arange(len(known), dtype=np.int32)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The place of each key among the known ones, -1 where it is not there."""
        out = np.empty(len(keys), np.int32)
        for start in range(0, len(keys), _CHUNK):
            out[start : start + _CHUNK] = self._find(keys[start : start + _CHUNK])
        return out

    def _find(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        places = self._slots[hashed(keys, self._bits)]
        missed = np.flatnonzero(self._known[places] != keys)
        if len(missed):
            found = np.minimum(np.searchsorted(self._known, keys[missed]), len(self._known) - 1)
            places[missed] = np.where(self._known[found] == keys[missed], found, -1)
        return places
