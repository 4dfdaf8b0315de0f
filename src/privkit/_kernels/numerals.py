"""NUM and STR of SP 800-38G (algorithms 1 and 3): numeral strings to numbers and back, one by one and by the column.

A column of numerals is a matrix `(rows, length)`, most significant numeral first, in `uint8` up to radix 256 and in
`uint16` above. Neighbouring numerals are folded pairwise in ever wider integers (16, 32, 64 bits), each step over
contiguous memory, which NumPy vectorises; eight (or four) numerals thus become one `uint64` in three (or two) steps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SPLIT = 64
"""Above this many numerals a number is converted by halves, so that long ones do not cost the square."""


def lane_type(radix: int) -> type[np.uint8 | np.uint16]:
    """The narrowest of the two types that holds every numeral."""
    return np.uint8 if radix <= 2**8 else np.uint16


def number(numerals: Sequence[int], radix: int) -> int:
    """NUM_radix of one numeral string."""
    length = len(numerals)
    if length > _SPLIT:
        low = length // 2
        return number(numerals[:-low], radix) * _power(radix, low) + number(numerals[-low:], radix)
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def string(value: int, length: int, radix: int) -> list[int]:
    """STR_radix of one number, `length` numerals long."""
    if length > _SPLIT:
        low = length // 2
        upper, lower = divmod(value, _power(radix, low))
        return string(upper, length - low, radix) + string(lower, low, radix)
    numerals = [0] * length
    for position in range(length - 1, -1, -1):
        value, numerals[position] = divmod(value, radix)
    return numerals


@lru_cache(maxsize=256)
def _power(radix: int, exponent: int) -> int:
    return int(radix**exponent)


class Halves:
    """Room to take columns of numeral strings apart into two numbers each, and to put them together again.

    Args:
        radix: How many numerals there are.
        left: Numerals of the left half; radix^left must not exceed 2^64.
        right: Those of the right half, likewise.
        rows: How many rows to make room for.
    """

    __slots__ = ("_lane", "_left", "_left_words", "_numerals", "_radix", "_right", "_spare", "_words")

    def __init__(self, radix: int, left: int, right: int, rows: int) -> None:
        self._radix, self._left, self._right = radix, left, right
        self._lane = np.dtype(lane_type(radix))
        in_word = 8 // self._lane.itemsize
        self._left_words = -(-left // in_word)
        right_words = -(-right // in_word)
        self._words = np.empty((rows, self._left_words + right_words), "<u8")
        self._spare = np.empty_like(self._words)
        self._numerals = self._words.view(self._lane.newbyteorder("<"))

    def fold(self, numerals: NDArray[np.integer], a: NDArray[np.uint64], b: NDArray[np.uint64]) -> None:
        """NUM_radix of both halves of each row.

        Args:
            numerals: `(rows, left + right)`, each below the radix; at most as many rows as there is room for.
            a: Where the left halves go, `(rows,)`.
            b: Where the right halves go.
        """
        rows, middle = len(numerals), self._left_words * (8 // self._lane.itemsize)
        words, spare, padded = self._words[:rows], self._spare[:rows], self._numerals[:rows]
        padded[:] = 0
        copy_rows(numerals[:, : self._left], padded[:, middle - self._left : middle])
        copy_rows(numerals[:, self._left :], padded[:, padded.shape[1] - self._right :])
        for width in _widths(self._lane.itemsize):
            # A pair is low + high * 2^half, low being the first numeral; wanted is low * power + high.
            pairs, high = words.view(f"<u{width}"), spare.view(f"<u{width}")
            half, power = _half(width, self._lane.itemsize, self._radix)
            number = pairs.dtype.type
            np.right_shift(pairs, number(half), out=high)
            high *= number((power << half) - 1)
            pairs *= number(power)
            pairs -= high
        self._join(words[:, : self._left_words], a)
        self._join(words[:, self._left_words :], b)

    def unfold(self, a: NDArray[np.uint64], b: NDArray[np.uint64], out: NDArray[np.integer]) -> None:
        """STR_radix of both halves of each row: the inverse of `fold`.

        Args:
            a: The left halves, `(rows,)`, each below radix^left; overwritten.
            b: The right halves, each below radix^right; overwritten.
            out: Where the numerals go, `(rows, left + right)`.
        """
        rows, middle = len(a), self._left_words * (8 // self._lane.itemsize)
        words, spare, padded = self._words[:rows], self._spare[:rows], self._numerals[:rows]
        self._part(a, words[:, : self._left_words])
        self._part(b, words[:, self._left_words :])
        for width in reversed(_widths(self._lane.itemsize)):
            # The pair is low * power + high, low the first numeral; wanted is low + high * 2^half.
            pairs, low = words.view(f"<u{width}"), spare.view(f"<u{width}")
            half, power = _half(width, self._lane.itemsize, self._radix)
            number = pairs.dtype.type
            np.floor_divide(pairs, number(power), out=low)
            pairs <<= number(half)
            low *= number((power << half) - 1)
            pairs -= low
        copy_rows(padded[:, middle - self._left : middle], out[:, : self._left])
        copy_rows(padded[:, padded.shape[1] - self._right :], out[:, self._left :])

    def _join(self, words: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
        power = self._radix ** (8 // self._lane.itemsize)
        out[:] = words[:, 0]
        for word in range(1, words.shape[1]):
            out *= np.uint64(power)  # two words or more only where the power is below 2^64
            out += words[:, word]

    def _part(self, values: NDArray[np.uint64], words: NDArray[np.uint64]) -> None:
        power = self._radix ** (8 // self._lane.itemsize)
        for word in range(words.shape[1] - 1, 0, -1):
            upper = values // np.uint64(power)
            words[:, word] = values - upper * np.uint64(power)
            values = upper
        words[:, 0] = values


def copy_rows(source: NDArray[np.generic], target: NDArray[np.generic]) -> None:
    """Copy a matrix of narrow rows: where the types agree each row as one item, at half the time of item by item."""
    size = source.itemsize
    if source.dtype == target.dtype and source.shape[1] and source.strides[1] == target.strides[1] == size:
        row = f"V{source.shape[1] * size}"
        target.view(row)[:] = source.view(row)
    else:
        target[:] = source


def _widths(itemsize: int) -> list[int]:
    """The widths in bytes that pairs of numerals, of pairs, and so on take."""
    return [width for width in (2, 4, 8) if width > itemsize]


def _half(width: int, itemsize: int, radix: int) -> tuple[int, int]:
    """Half the bits of a pair of this width, and the weight of its first member: the radix to the second's numerals."""
    return 4 * width, radix ** (width // itemsize // 2)
