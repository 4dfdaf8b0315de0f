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


def fold(numerals: NDArray[np.uint8 | np.uint16], radix: int) -> NDArray[np.uint64]:
    """NUM_radix of each row.

    Args:
        numerals: `(rows, length)` in `lane_type(radix)`, each below the radix; radix^length must not exceed 2^64.
        radix: How many numerals there are.

    Returns:
        `uint64` of shape `(rows,)`.
    """
    rows, length = numerals.shape
    in_word = 8 // numerals.itemsize
    words = -(-length // in_word)
    padded = np.zeros((rows, words * in_word), numerals.dtype.newbyteorder("<"))
    padded[:, words * in_word - length :] = numerals
    lanes: NDArray[np.unsignedinteger] = padded
    power = radix
    for wide in _wider_than(numerals.itemsize):
        pairs = lanes.view(f"<u{wide}")
        half = wide * 4
        # Little-endian: the first of two neighbours lies in the lower half.
        lanes = pairs & pairs.dtype.type(2**half - 1)
        lanes *= pairs.dtype.type(power) if power < 2 ** (8 * wide) else pairs.dtype.type(0)
        lanes += pairs >> pairs.dtype.type(half)
        power *= power
    values: NDArray[np.uint64] = lanes[:, 0].astype(np.uint64, copy=False)
    for word in range(1, words):
        values = values * np.uint64(power) + lanes[:, word]
    return values


def unfold(values: NDArray[np.uint64], length: int, radix: int) -> NDArray[np.uint8 | np.uint16]:
    """STR_radix of each number: the inverse of `fold`.

    Args:
        values: `uint64` of shape `(rows,)`, each below radix^length.
        length: How many numerals a row gets.
        radix: How many numerals there are.

    Returns:
        `(rows, length)` in `lane_type(radix)`; a view of a wider matrix.
    """
    itemsize = np.dtype(lane_type(radix)).itemsize
    in_word = 8 // itemsize
    words = -(-length // in_word)
    power = radix**in_word
    lanes: NDArray[np.unsignedinteger] = np.empty((len(values), words), "<u8")
    for word in range(words - 1, 0, -1):
        values, lanes[:, word] = _divmod(values, power)
    lanes[:, 0] = values
    widths = _wider_than(itemsize)
    for wide, narrower in zip(reversed(widths), [*reversed(widths[:-1]), itemsize], strict=True):
        power = radix ** (wide // itemsize // 2)
        upper, lower = _divmod(lanes, power)
        lower <<= lower.dtype.type(wide * 4)
        lower |= upper
        lanes = lower.view(f"<u{narrower}")
    return lanes[:, words * in_word - length :]


def _wider_than(itemsize: int) -> list[int]:
    return [wide for wide in (2, 4, 8) if wide > itemsize]


def _divmod(
    values: NDArray[np.unsignedinteger], divisor: int
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]:
    """Divide with remainder; NumPy vectorises `//` by a scalar, and does not vectorise `%` or `divmod`."""
    scalar = values.dtype.type(divisor)
    quotient = values // scalar
    remainder = quotient * scalar
    np.subtract(values, remainder, out=remainder)
    return quotient, remainder
