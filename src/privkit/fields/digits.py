"""Columns of decimal digits, as ASCII matrices and as numbers.

Eight digits fit into one 64-bit word, so a column of numbers is read and written by a few whole-word steps instead of
one step per digit (the trick is known as SWAR, "SIMD within a register"). Matrices are `uint8` of shape
`(rows, width)`; words hold eight ASCII digits each, the most significant one in the lowest byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZERO = 0x30
"""ASCII `0`."""

_WORD = 8
_ZEROS = np.uint64(0x3030303030303030)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS = np.uint64(0x00FF00FF00FF00FF)
_QUADS = np.uint64(0x0000FFFF0000FFFF)
_LANES = np.uint64(0x000F000F000F000F)
_ONES = np.uint64(0x0001000100010001)
_HUNDREDTHS = np.uint64(0x0000007F0000007F)
_UPPER = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES = np.uint64(0x0606060606060606)
_THREES = np.uint64(0x3333333333333333)
_U = np.uint64


def are_digits(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which rows of a `(rows, width)` matrix are ASCII digits all along."""
    # Nearly always all of them are, which one pass over the buffer shows.
    good = np.ones(len(matrix), np.bool_)
    if matrix.size and int((matrix - np.uint8(ZERO)).max()) > 9:  # noqa: PLR2004 - the digit nine
        for column in range(matrix.shape[1]):
            good &= (matrix[:, column] - np.uint8(ZERO)) <= 9  # noqa: PLR2004 - as above
    return good


def all_digits(word: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say which words are eight ASCII digits."""
    # The upper half of each byte is 3, and still is when 6 is added: 0x30 to 0x39 and nothing else. A carry from one
    # byte into the next needs a byte from 0xFA on, which fails by itself.
    upper = word & _UPPER
    lifted = ((word + _SIXES) & _UPPER) >> _U(4)
    good: NDArray[np.bool_] = (upper | lifted) == _THREES
    return good


def words(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Pack rows of digits into words, right-aligned and filled with `0` on the left.

    Args:
        matrix: ASCII digits, `(rows, width)`.

    Returns:
        `uint64` of shape `(words, rows)`, the most significant word first.
    """
    rows, width = matrix.shape
    count = -(-width // _WORD)
    if width == count * _WORD and matrix.flags.c_contiguous:
        packed = matrix.reshape(-1).view("<u8").reshape(rows, count)
    else:
        padded = np.full((rows, count * _WORD), ZERO, np.uint8)
        padded[:, count * _WORD - width :] = matrix
        packed = padded.reshape(-1).view("<u8").reshape(rows, count)
    return np.ascontiguousarray(packed.T, dtype=np.uint64)


def number(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The number that eight digits stand for."""
    value = ((word & _NIBBLES) * _U(1 + (10 << 8))) >> _U(8)
    # Digits lie in reading order from the lowest byte up, so a step joins neighbours: 10 * lower + upper.
    value = ((value & _PAIRS) * _U(1 + (100 << 16))) >> _U(16)
    return ((value & _QUADS) * _U(1 + (10_000 << 32))) >> _U(32)


def numbers(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Read rows of at most 19 ASCII digits as numbers.

    Returns:
        `uint64` of shape `(rows,)`.
    """
    if not matrix.shape[1]:
        return np.zeros(len(matrix), np.uint64)
    total: NDArray[np.uint64] | None = None
    for word in words(matrix):
        value = number(word)
        total = value if total is None else total * _U(10**8) + value
    return np.zeros(len(matrix), np.uint64) if total is None else total


def write(values: NDArray[np.uint64], out: NDArray[np.uint8]) -> None:
    """Write numbers as ASCII digits, with leading zeros.

    Args:
        values: `uint64` of shape `(rows,)`, each below 10 to the width.
        out: Where to write: a `(rows, width)` part of a matrix.
    """
    rest, end = values, out.shape[1]
    while end > 0:
        width = min(_WORD, end)
        if end > _WORD:
            above = rest // _U(10**8)
            low = rest - above * _U(10**8)
        else:
            above, low = rest, rest
        raw = _digits_of(low).astype("<u8", copy=False).view(np.uint8).reshape(-1, _WORD)
        out[:, end - width : end] = raw[:, _WORD - width :]
        rest, end = above, end - width


def _digits_of(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Eight ASCII digits of numbers below 10^8: `number` backwards."""
    high = value // _U(10_000)
    value = high | ((value - high * _U(10_000)) << _U(32))
    # n * 10486 >> 20 is n // 100 for n < 10^4, and n * 103 >> 10 is n // 10 for n < 100.
    high = ((value * _U(10_486)) >> _U(20)) & _HUNDREDTHS
    value = high | ((value - high * _U(100)) << _U(16))
    high = ((value * _U(103)) >> _U(10)) & _LANES
    return (high | ((value - high * _U(10)) << _U(8))) | _ZEROS


def luhn_sums(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Luhn's sum of rows of ASCII digits, the last of which is the check digit (ISO/IEC 7812-1:2017, annex B).

    Returns:
        `uint64` of shape `(rows,)`; a multiple of ten where the check digit is right.
    """
    total = np.zeros(len(matrix), np.uint64)
    for word in words(matrix):
        plain = (word >> _U(8)) & _LANES
        double = word & _LANES
        # In each 16-bit lane: twice the digit, and nine less where that has two digits.
        over = ((double + _U(0x007B007B007B007B)) >> _U(7)) & _ONES
        lanes = plain + (double << _U(1)) - over * _U(9)
        total += (lanes * _ONES) >> _U(48)
    return total


def luhn_ok(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which rows of ASCII digits pass Luhn's check."""
    sums = luhn_sums(matrix)
    good: NDArray[np.bool_] = sums - (sums // _U(10)) * _U(10) == 0
    return good


_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def luhn_sum(digits: str) -> int:
    """Luhn's sum of one number, the last digit of which is the check digit."""
    plain = digits[-1::-2].encode("ascii")
    return sum(plain) - ZERO * len(plain) + sum(digits[-2::-2].encode("ascii").translate(_DOUBLED))
