"""Values as codes in order of first appearance, at some 10 ns a value, for a stream of columns.

A value is a few 64-bit words: its length and its bytes for text, its bits for a number. A hash of the words finds a
slot, the slot a code, and then the words are compared, so that a hash decides nothing: two values that share one
(nobody meets that by chance, but a hash without a secret can be made to) go through a plain dictionary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD: Final = 8
_CHUNK: Final = 1 << 16
"""Rows at once: their words stay in a core's second-level cache."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, odd: Knuth, TAOCP 3, section 6.4
_FOLD: Final = np.uint64(32)
_FEWEST_BITS: Final = 12
_MOST_BITS: Final = 22
_MASKS: Final = np.array([(1 << (8 * size)) - 1 for size in range(_WORD + 1)], np.uint64)
_LITTLE: Final = np.dtype("<u8")


class Dictionary:
    """Codes from 1 for the distinct values of one column; 0 is kept for null.

    They are given in order of first appearance, except among values that share a hash.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}
        self._words: list[NDArray[np.uint64]] = []  # word by word, an entry a code; entry 0 is nobody's
        self._hashes = np.zeros(1, np.uint64)
        self._sorted = np.zeros(0, np.int64)  # codes by hash
        self._slots = np.zeros(1 << _FEWEST_BITS, np.int32)

    def __len__(self) -> int:
        return len(self._known)

    def values(self) -> list[bytes]:
        """The distinct values as bytes, in the order of their codes; numbers as eight bytes, little-endian."""
        return list(self._known)

    def encode(self, values: Ragged | NDArray[np.uint64]) -> NDArray[np.int32]:
        """The codes of values; those not seen before get the next ones.

        Args:
            values: Rows of bytes, or numbers as their bits; always the same of the two.
        """
        out = np.empty(len(values), np.int32)
        for start in range(0, len(values), _CHUNK):
            stop = min(start + _CHUNK, len(values))
            chunk = _part(values, start, stop)
            words = _words(chunk)
            hashes = _hash(words)
            codes = self._slots[hashes >> self._shift]
            missed = np.flatnonzero((self._hashes[codes] != hashes) | (codes == 0))
            if len(missed):
                codes[missed] = self._search(hashes, missed, chunk, words)
            out[start:stop] = self._slowly(chunk, words, hashes) if self._differs(codes, words) else codes
        return out

    @property
    def _shift(self) -> np.uint64:
        return np.uint64(65 - len(self._slots).bit_length())

    def _search(
        self,
        hashes: NDArray[np.uint64],
        missed: NDArray[np.intp],
        chunk: Ragged | NDArray[np.uint64],
        words: list[NDArray[np.uint64]],
    ) -> NDArray[np.int32]:
        """Codes of rows that their slot did not settle: another value has it, or the value is new."""
        found, first, inverse = np.unique(hashes[missed], return_index=True, return_inverse=True)
        codes = np.zeros(len(found), np.int32)
        if len(self._sorted):
            place = np.searchsorted(self._hashes[self._sorted], found)
            codes[:] = self._sorted[np.minimum(place, len(self._sorted) - 1)]
        new = np.flatnonzero((self._hashes[codes] != found) | (codes == 0))
        if len(new):
            new = new[np.argsort(first[new])]  # in order of appearance
            codes[new] = self._append(missed[first[new]], chunk, words, hashes)
        return codes[inverse]

    def _append(
        self,
        rows: NDArray[np.intp],
        chunk: Ragged | NDArray[np.uint64],
        words: list[NDArray[np.uint64]],
        hashes: NDArray[np.uint64],
    ) -> NDArray[np.int32]:
        """Give codes to new values, one a row, and index them."""
        start = len(self._hashes)
        for value in _values_of(chunk, rows):
            self._known[value] = len(self._known) + 1
        while len(self._words) < len(words):
            self._words.append(np.zeros(start, np.uint64))
        none = np.zeros(len(rows), np.uint64)
        self._words = [
            np.concatenate([known, words[number][rows] if number < len(words) else none])
            for number, known in enumerate(self._words)
        ]
        self._hashes = np.concatenate([self._hashes, hashes[rows]])
        self._sorted = np.argsort(self._hashes[1:], kind="stable") + 1
        if 16 * len(self._hashes) > len(self._slots) and len(self._slots) < 1 << _MOST_BITS:
            bits = min((16 * len(self._hashes)).bit_length() + 1, _MOST_BITS)
            self._slots = np.zeros(1 << bits, np.int32)
            start = 1
        codes = np.arange(start, len(self._hashes), dtype=np.int32)
        self._slots[self._hashes[codes] >> self._shift] = codes
        return codes[-len(rows) :]

    def _differs(self, codes: NDArray[np.int32], words: list[NDArray[np.uint64]]) -> bool:
        """Whether some row got the code of another value: the lengths differ, or a word does."""
        return any(bool((known[codes] != word).any()) for known, word in zip(self._words, words, strict=False))

    def _slowly(
        self, chunk: Ragged | NDArray[np.uint64], words: list[NDArray[np.uint64]], hashes: NDArray[np.uint64]
    ) -> NDArray[np.int32]:
        """Codes of a chunk in which two values share a hash, by a plain dictionary."""
        values = _values_of(chunk, np.arange(len(chunk)))
        first = {value: row for row, value in reversed(list(enumerate(values))) if value not in self._known}
        if first:
            self._append(np.array(sorted(first.values()), np.intp), chunk, words, hashes)
        return np.fromiter((self._known[value] for value in values), np.int32, len(values))


def _part(values: Ragged | NDArray[np.uint64], start: int, stop: int) -> Ragged | NDArray[np.uint64]:
    return Ragged(values.data, values.offsets[start : stop + 1]) if isinstance(values, Ragged) else values[start:stop]


def _values_of(chunk: Ragged | NDArray[np.uint64], rows: NDArray[np.intp]) -> list[bytes]:
    if isinstance(chunk, Ragged):
        return chunk.take(rows).to_list()
    return [number.tobytes() for number in chunk[rows].astype(_LITTLE)]


def _words(chunk: Ragged | NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
    """The words of each row: a number itself; the length of a text, and then its bytes with zeros after them."""
    if not isinstance(chunk, Ragged):
        return [chunk]
    lengths = chunk.lengths
    first, last = int(chunk.offsets[0]), int(chunk.offsets[-1])
    padded = np.zeros(last - first + _WORD, np.uint8)
    padded[: last - first] = chunk.data[first:last]
    every = windows(padded, _WORD)
    starts = chunk.offsets[:-1] - first
    words = [lengths.astype(np.uint64)]
    for offset in range(0, int(lengths.max(initial=0)), _WORD):
        rows = np.flatnonzero(lengths > offset) if offset else slice(None)
        found = every[starts[rows] + offset].view(_LITTLE) & _MASKS[np.minimum(lengths[rows] - offset, _WORD).clip(0)]
        word = np.zeros(len(chunk), np.uint64)
        word[rows] = found
        words.append(word)
    return words


def _hash(words: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """A hash of each row that words of zeros at the end do not change."""
    out = words[0] * _MIX
    for word in words[1:]:
        mixed = (out ^ (out >> _FOLD) ^ word) * _MIX
        out = np.where(word == 0, out, mixed)
    return out ^ (out >> _FOLD)
