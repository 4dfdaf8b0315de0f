"""Bytes as text and back, over columns: hexadecimal, base32 and base64url (RFC 4648), all without padding.

Decoding takes exactly what encoding writes and nothing else (RFC 4648, section 3.5): no upper case in hexadecimal, no
padding, no line breaks, no bits set beyond the last byte. So two texts never stand for the same bytes.
"""

from __future__ import annotations

import binascii
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged, move, windows
from privkit._kernels.slabs import BATCH_ROWS, batches, chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64URL: Final = _BASE64[:62] + b"-_"
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_BAD: Final = 0xFF


def _values(alphabet: bytes) -> bytes:
    """For each byte, the digit that it is, or `_BAD`."""
    table = bytearray([_BAD]) * 256
    for digit, character in enumerate(alphabet):
        table[character] = digit
    return bytes(table)


_FROM_URL: Final = _values(_BASE64URL)
_FROM_HEX: Final = _values(b"0123456789abcdef")
_DIGITS_TO_BASE64: Final = _BASE64 + _BASE64[:1] * (256 - len(_BASE64))

_SPARE_BITS: Final = np.array([0, 0, 0x0F, 0x03], np.uint8)
"""By the length of a base64 text modulo 4: the bits of its last digit that stand for nothing."""


@cache
def _hex_pairs() -> NDArray[np.uint32]:
    """For every two bytes, read as one number of this machine, the four digits that they are."""
    return np.frombuffer(np.arange(1 << 16, dtype=np.uint16).tobytes().hex().encode(), np.uint32)


def _pairs(alphabet: bytes) -> NDArray[np.uint16]:
    """For every two digits, the two characters that they are."""
    return np.frombuffer(b"".join(bytes((high, low)) for high in alphabet for low in alphabet), np.uint16)


@cache
def _base32_pairs() -> NDArray[np.uint16]:
    return _pairs(_BASE32)


@cache
def _base64url_pairs() -> NDArray[np.uint16]:
    return _pairs(_BASE64URL)


def to_hex(matrix: NDArray[np.uint8]) -> Ragged:
    """Write bytes in lower-case hexadecimal.

    Args:
        matrix: `(rows, width)`.

    Returns:
        Rows of twice `width` characters.
    """
    rows, width = matrix.shape
    padded = width + width % 2
    out = np.empty((rows, padded // 2), np.uint32)
    for first in range(0, rows, BATCH_ROWS):
        part = matrix[first : first + BATCH_ROWS]
        if padded != width:
            part = np.pad(part, ((0, 0), (0, 1)))
        out[first : first + BATCH_ROWS] = _hex_pairs().take(np.ascontiguousarray(part).view(np.uint16))
    return Ragged.of_matrix(out.view(np.uint8).reshape(rows, 2 * padded)[:, : 2 * width])


def from_hex(rows: Ragged) -> tuple[Ragged, NDArray[np.bool_]]:
    """Undo `to_hex`.

    Args:
        rows: Texts of any lengths.

    Returns:
        The bytes, and which rows are not lower-case hexadecimal digits in pairs: those are empty.
    """
    return _decoded(rows, _from_hex)


def _from_hex(rows: Ragged, bad: NDArray[np.bool_]) -> Ragged:
    bad |= rows.lengths % 2 == 1
    digits = _digits(rows, _FROM_HEX, bad)
    out = Ragged.empty(np.where(bad, 0, rows.lengths // 2))
    if bad.any():
        digits = digits.take(~bad)
    np.bitwise_or(digits.data[::2] << 4, digits.data[1::2], out=out.data)
    return out


def to_base32(matrix: NDArray[np.uint8]) -> Ragged:
    """Write bytes in base32 (RFC 4648, section 6), upper case, without padding.

    Args:
        matrix: `(rows, width)`.

    Returns:
        Rows of eight characters for each five bytes begun, less the padding.
    """
    rows, width = matrix.shape
    groups, characters = -(-width // 5), -(-width * 8 // 5)
    out = np.empty((rows, groups, 4), np.uint16)
    for first in range(0, rows, BATCH_ROWS):
        part = matrix[first : first + BATCH_ROWS]
        fives = np.zeros((len(part), groups * 5), np.uint8)
        fives[:, :width] = part
        eights = np.zeros((len(part), groups, 8), np.uint8)
        eights[:, :, 3:] = fives.reshape(len(part), groups, 5)
        bits = eights.view(">u8")[:, :, 0].astype(np.uint64)
        for pair in range(4):
            index = (bits >> np.uint64(30 - 10 * pair)) & np.uint64(0x3FF)
            out[first : first + BATCH_ROWS, :, pair] = _base32_pairs().take(index.astype(np.intp))
    return Ragged.of_matrix(out.view(np.uint8).reshape(rows, groups * 8)[:, :characters])


def to_base64url(rows: Ragged) -> Ragged:
    """Write bytes in base64url (RFC 4648, section 5), without padding.

    Args:
        rows: Bytes of any lengths.

    Returns:
        Rows of four characters for each three bytes begun, less the padding.
    """
    out = Ragged.empty((rows.lengths * 4 + 2) // 3)
    for first, last in batches(rows):
        _encode(chunk(rows, first, last), out.data, out.offsets[first:last])
    return out


def _encode(rows: Ragged, target: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
    """Pad every row to whole groups of three bytes, encode them all at once, and take the padding off again."""
    lengths = rows.lengths
    groups = _zeros((lengths + 2) // 3 * 3, spare=1)
    move(rows.data, rows.offsets[:-1], groups.data, groups.offsets[:-1], lengths)
    text = _join_pairs(windows(groups.data, 4)[: int(groups.offsets[-1]) : 3])
    move(text, groups.offsets[:-1] // 3 * 4, target, places, (lengths * 4 + 2) // 3)


def _join_pairs(threes: NDArray[np.void]) -> NDArray[np.uint8]:
    """Write groups of three bytes, each with one more byte behind it, as four characters."""
    bits = np.ascontiguousarray(threes).view(np.dtype(">u4")).astype(np.uint32)
    out = np.empty((len(bits), 2), np.uint16)
    out[:, 0] = _base64url_pairs().take(bits >> np.uint32(20))
    out[:, 1] = _base64url_pairs().take((bits >> np.uint32(8)) & np.uint32(0xFFF))
    return out.view(np.uint8).reshape(-1)


def from_base64url(rows: Ragged) -> tuple[Ragged, NDArray[np.bool_]]:
    """Undo `to_base64url`.

    Args:
        rows: Texts of any lengths.

    Returns:
        The bytes, and which rows `to_base64url` does not write: those are empty.
    """
    return _decoded(rows, _from_base64url)


def _from_base64url(rows: Ragged, bad: NDArray[np.bool_]) -> Ragged:
    digits = _digits(rows, _FROM_URL, bad)
    lengths, starts = digits.lengths, digits.offsets[:-1]
    bad |= lengths % 4 == 1
    some = np.flatnonzero(lengths)
    last = digits.data[(starts + lengths)[some] - 1]
    bad[some] |= (last & _SPARE_BITS[lengths[some] % 4]) != 0
    lengths = np.where(bad, 0, lengths)
    groups = _zeros((lengths + 3) // 4 * 4)
    move(digits.data, starts, groups.data, groups.offsets[:-1], lengths)
    plain = _join_digits(groups.data)
    out = Ragged.empty(lengths * 3 // 4)
    move(plain, groups.offsets[:-1] // 4 * 3, out.data, out.offsets[:-1], out.lengths)
    return out


def _join_digits(digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Join groups of four digits of six bits to three bytes."""
    bits = digits.view(np.dtype(">u4")).astype(np.uint32)
    out = bits & np.uint32(0x3F)
    for place in range(1, 4):
        out |= (bits & np.uint32(0x3F << 8 * place)) >> np.uint32(2 * place)
    out <<= np.uint32(8)
    fours = out.astype(np.dtype(">u4")).view(np.uint8).reshape(-1, 4)
    return fours[:, :3].reshape(-1)


def decode_base64url(text: str) -> bytes | None:
    """Undo `to_base64url` for one text; `None` for one that it does not write."""
    encoded = text.encode("ascii", "replace")
    try:
        plain = binascii.a2b_base64(encoded.translate(_FROM_URL).translate(_DIGITS_TO_BASE64) + b"==")
    except binascii.Error:
        return None
    # The decoder is lenient about much; what it made of the text stands only if it is written as just that text.
    return plain if binascii.b2a_base64(plain, newline=False).translate(_TO_URL).rstrip(b"=") == encoded else None


def _decoded(rows: Ragged, decode: Callable[[Ragged, NDArray[np.bool_]], Ragged]) -> tuple[Ragged, NDArray[np.bool_]]:
    """Decode batch by batch; `decode` marks the rows that it cannot, and leaves them empty."""
    bad = np.zeros(len(rows), np.bool_)
    return Ragged.concat(decode(chunk(rows, *batch), bad[slice(*batch)]) for batch in batches(rows)), bad


def _digits(rows: Ragged, values: bytes, bad: NDArray[np.bool_]) -> Ragged:
    """Translate characters to digits, and mark the rows in which some character is none."""
    start = rows.offsets[0]
    digits = np.frombuffer(rows.data[start : rows.offsets[-1]].tobytes().translate(values), np.uint8)
    out = Ragged(digits, rows.offsets - start)
    bad[np.searchsorted(out.offsets, np.flatnonzero(digits == _BAD), side="right") - 1] = True
    return out


def _zeros(lengths: NDArray[np.int64], spare: int = 0) -> Ragged:
    offsets = Ragged.empty(lengths).offsets
    return Ragged(np.zeros(int(offsets[-1]) + spare, np.uint8), offsets)
