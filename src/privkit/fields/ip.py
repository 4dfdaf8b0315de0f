"""IPv4 addresses of a column as numbers, and back."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import byteset, tight

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAPPED = bytes(10) + b"\xff\xff"
"""How the IPv6 addresses begin that are IPv4 addresses (RFC 4291, section 2.5.5.2)."""
_ZERO_RUNS = tuple(re.compile(rf"(?:^|:)0(?::0){{{length - 1}}}(?::|$)") for length in range(8, 1, -1))


def short_ipv6(packed: bytes) -> str:
    """Write an IPv6 address in the short form of RFC 5952, section 4, or as the IPv4 address that it is.

    Args:
        packed: Its 16 bytes.
    """
    if packed.startswith(_MAPPED):
        return ".".join(map(str, packed[12:]))
    text = ":".join(f"{group:x}" for group in struct.unpack(">8H", packed))
    if "0:0" in text:
        for run in _ZERO_RUNS:
            # The longest run of zeros, the first of several; it is two groups or more.
            if run.search(text):
                return run.sub("::", text, count=1)
    return text


_IPV4_BYTES = byteset("0123456789.")
_DOTS, _SHORTEST, _LONGEST = 3, 7, 15
_OCTET_WIDTH = 3


def ipv4_rows(text: Ragged) -> NDArray[np.intp]:
    """The rows that are made of digits and three dots, and as long as IPv4 addresses are."""
    lengths = text.lengths
    data, offsets = tight(text)
    dots = np.concatenate(([0], np.cumsum(data == ord("."))))[offsets]
    other = np.concatenate(([0], np.cumsum(~_IPV4_BYTES[data])))[offsets]
    shape = (np.diff(dots) == _DOTS) & (np.diff(other) == 0)
    return np.flatnonzero(shape & (lengths >= _SHORTEST) & (lengths <= _LONGEST))


def parse_ipv4(text: Ragged) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Read canonical IPv4 addresses.

    Args:
        text: Rows made of digits and three dots (see `ipv4_rows`).

    Returns:
        The addresses as numbers, and a mask of the rows that are canonical: four parts of 0 to 255 without leading
        zeros. The number of any other row means nothing.
    """
    data, offsets = tight(text)
    dots = np.flatnonzero(data == ord(".")).reshape(-1, _DOTS).T
    starts = np.concatenate((offsets[None, :-1], dots + 1))
    ends = np.concatenate((dots, offsets[None, 1:]))
    total = np.zeros(len(text), np.uint64)
    good = np.ones(len(text), np.bool_)
    for start, end in zip(starts, ends, strict=True):
        value, known = _octet(data, start, end)
        total = (total << np.uint64(8)) | value.astype(np.uint64)
        good &= known
    return total, good


def _octet(
    data: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    width = end - start
    ones = data[end - 1].astype(np.int32) - ord("0")
    tens = np.where(width > 1, data[end - 2].astype(np.int32) - ord("0"), 0)
    hundreds = np.where(width > 2, data[end - 3].astype(np.int32) - ord("0"), 0)  # noqa: PLR2004 - three digits
    value = ones + 10 * tens + 100 * hundreds
    # As many digits as the number needs: that takes out leading zeros, and parts that are empty or too long.
    need = 1 + (value > 9) + (value > 99)  # noqa: PLR2004 - two digits, three digits
    return value, (width == need) & (value <= 255) & (width >= 1)  # noqa: PLR2004 - an octet


def _octet_texts() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    rows = [str(value).encode() for value in range(256)]
    padded = np.frombuffer(b"".join(row.ljust(_OCTET_WIDTH, b" ") for row in rows), np.uint8)
    return padded.reshape(256, _OCTET_WIDTH), np.array([len(row) for row in rows], np.int64)


_TEXTS, _WIDTHS = _octet_texts()


def format_ipv4(values: NDArray[np.uint64], suffix: bytes = b"") -> Ragged:
    """Write numbers as dotted addresses, each with the same suffix.

    Args:
        values: Addresses, below 2^32.
        suffix: Such as `b"/24"`.
    """
    octets = [((values >> np.uint64(shift)) & np.uint64(255)).astype(np.intp) for shift in (24, 16, 8, 0)]
    wide = np.zeros((len(values), 4 * (_OCTET_WIDTH + 1)), np.uint8)
    for place, octet in enumerate(octets):
        at = place * (_OCTET_WIDTH + 1)
        wide[:, at : at + _OCTET_WIDTH] = _TEXTS[octet]
        wide[:, at + _OCTET_WIDTH] = ord(".")
    lengths = sum((_WIDTHS[octet] for octet in octets), np.full(len(values), _DOTS, np.int64))
    wide[:, -1] = ord(" ")
    body = wide[wide != ord(" ")]
    return _with_suffix(body, lengths, suffix)


def _with_suffix(body: NDArray[np.uint8], lengths: NDArray[np.int64], suffix: bytes) -> Ragged:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if not suffix:
        return Ragged(body, offsets)
    out = Ragged.empty(lengths + len(suffix))
    fixed = np.zeros(len(out.data), np.bool_)
    for place, byte in enumerate(suffix):
        at = out.offsets[1:] - len(suffix) + place
        out.data[at] = byte
        fixed[at] = True
    out.data[~fixed] = body
    return out
