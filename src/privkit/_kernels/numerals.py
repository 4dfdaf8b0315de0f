"""NUM and STR of SP 800-38G (algorithms 1 and 3): numeral strings to numbers and back, one by one and by the column.

A column of numerals is a matrix `(rows, length)`, most significant numeral first, in `uint8` up to radix 256 and in
`uint16` above. Neighbouring numerals are folded pairwise in ever wider integers (16, 32, 64 bits), each step over
contiguous memory, which NumPy vectorises; eight (or four) numerals thus become one `uint64` in three (or two) steps.
Words lie column by column, `(words, rows)`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_WORD = 8
"""Bytes in a word."""

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
    """How a column of numeral strings is taken apart into two numbers each, and put together again.

    A half is read as words of 8 bytes, each as one item wherever it lies. Its first word may reach beyond it, that of
    the left half to the right and that of the right half to the left, so that no word reaches beyond its row:

    ```
    numerals    0123456789abcdefgh      two halves of 9
    left        01234567                the first word, of which one numeral counts
                 12345678               the second
    right        23456789               the first word, of which one counts
                          abcdefgh      the second
    ```

    Args:
        radix: How many numerals there are.
        left: Numerals of the left half; radix^left must not exceed 2^64.
        right: Those of the right half, likewise.

    Attributes:
        words: How many words both halves take.
    """

    __slots__ = ("_lane", "_left_gap", "_left_words", "_places", "_radix", "_right_gap", "_width", "words")

    def __init__(self, radix: int, left: int, right: int) -> None:
        self._radix, self._lane = radix, np.dtype(lane_type(radix)).newbyteorder("<")
        size = self._lane.itemsize
        left = max(left, _WORD // size - right)  # rows shorter than a word get zeros in front
        self._width = left + right
        self._left_words, self._left_gap = _words(left * size)
        right_words, self._right_gap = _words(right * size)
        self.words = self._left_words + right_words
        self._places = [
            *(max(_WORD * word - self._left_gap, 0) for word in range(self._left_words)),
            *(left * size - self._right_gap + _WORD * word for word in range(right_words)),
        ]

    def stage(self, numerals: NDArray[np.integer]) -> NDArray[np.integer]:
        """The same numerals as `fold` takes them: themselves where they lie so already, else a copy."""
        missing = self._width - numerals.shape[1]
        if not missing and numerals.dtype == self._lane and numerals.flags.c_contiguous:
            return numerals
        staged = np.zeros((len(numerals), self._width), self._lane)
        copy_rows(numerals, staged[:, missing:])
        return staged

    def fold(
        self, staged: NDArray[np.integer], words: NDArray[np.uint64], spare: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """NUM_radix of both halves of each row.

        Args:
            staged: The rows, as `stage` returns them, each numeral below the radix.
            words: Room for the words, `(words, rows)`.
            spare: As much again.

        Returns:
            The left halves and the right halves, `(rows,)`, which lie in `words`.
        """
        little = words.view("<u8")
        for word, window in zip(little, self._windows(staged), strict=True):
            word[:] = window
        if self._left_gap:
            little[0] <<= np.uint64(8 * self._left_gap)
        if self._right_gap:
            little[self._left_words] &= np.uint64(2**64 - 2 ** (8 * self._right_gap))
        for width in _widths(self._lane.itemsize):
            # A pair is low + high * 2^half, low being the first numeral; wanted is low * power + high.
            pairs, high = words.view(f"<u{width}"), spare.view(f"<u{width}")
            half, power = _half(width, self._lane.itemsize, self._radix)
            number = pairs.dtype.type
            np.right_shift(pairs, number(half), out=high)
            high *= number((power << half) - 1)
            pairs *= number(power)
            np.subtract(pairs, high, out=words if width == _WORD else pairs)  # the last are numbers of this machine
        return self._join(words[: self._left_words]), self._join(words[self._left_words :])

    def unfold(self, words: NDArray[np.uint64], spare: NDArray[np.uint64], staged: NDArray[np.integer]) -> None:
        """STR_radix of both halves of each row: the inverse of `fold`.

        Args:
            words: Where `fold` left the halves, each below the radix to the number of its numerals; overwritten.
            spare: As much again.
            staged: Where the numerals go.
        """
        self._part(words[: self._left_words], spare[0])
        self._part(words[self._left_words :], spare[0])
        for width in reversed(_widths(self._lane.itemsize)):
            # The pair is low * power + high, low the first numeral; wanted is low + high * 2^half.
            pairs, low = words.view(f"<u{width}"), spare.view(f"<u{width}")
            given = words if width == _WORD else pairs
            half, power = _half(width, self._lane.itemsize, self._radix)
            number = pairs.dtype.type
            np.floor_divide(given, number(power), out=low)
            np.left_shift(given, number(half), out=pairs)
            low *= number((power << half) - 1)
            pairs -= low
        little = words.view("<u8")
        if self._right_gap:  # the word begins in the left half, whose end goes along
            np.right_shift(little[self._left_words - 1], np.uint64(64 - 8 * self._right_gap), out=spare[0].view("<u8"))
            little[self._left_words] |= spare[0].view("<u8")
        if self._left_gap:  # the word ends behind the numerals that count; what is there is written after it
            little[0] >>= np.uint64(8 * self._left_gap)
        for word, window in zip(little, self._windows(staged), strict=True):
            window[:] = word

    def _windows(self, staged: NDArray[np.integer]) -> Iterator[NDArray[np.uint64]]:
        """Each word of all rows."""
        rows, pitch = len(staged), self._width * self._lane.itemsize
        for place in self._places:
            yield np.ndarray((rows,), "<u8", staged.reshape(-1), place, (pitch,))

    def _join(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        power = self._radix ** (_WORD // self._lane.itemsize)
        first: NDArray[np.uint64] = words[0]
        for word in words[1:]:
            first *= np.uint64(power)  # two words or more only where the power is below 2^64
            first += word
        return first

    def _part(self, words: NDArray[np.uint64], upper: NDArray[np.uint64]) -> None:
        power = self._radix ** (_WORD // self._lane.itemsize)
        for word in words[:0:-1]:
            np.floor_divide(words[0], np.uint64(power), out=upper)
            np.multiply(upper, np.uint64(power), out=word)
            np.subtract(words[0], word, out=word)
            words[0] = upper


def _words(size: int) -> tuple[int, int]:
    """How many words so many bytes take, and how many bytes more those have."""
    words = -(-size // _WORD)
    return words, words * _WORD - size


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
