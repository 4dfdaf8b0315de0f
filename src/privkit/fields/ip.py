"""IP addresses of a column: which are canonical, and IPv4 addresses as numbers and back."""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import byteset, heads, only, rows_at, tight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MAPPED = bytes(10) + b"\xff\xff"
"""How the IPv6 addresses begin that are IPv4 addresses (RFC 4291, section 2.5.5.2)."""
_ZERO_RUNS = tuple(re.compile(rf"(?:^|:)0(?::0){{{length - 1}}}(?::|$)") for length in range(8, 1, -1))


def short_ipv6(packed: bytes) -> str:
    """Write an IPv6 address in the short form of RFC 5952, section 4.

    Args:
        packed: Its 16 bytes.
    """
    text = ":".join(f"{group:x}" for group in struct.unpack(">8H", packed))
    if "0:0" in text:
        for run in _ZERO_RUNS:
            # The longest run of zeros, the first of several; it is two groups or more.
            if run.search(text):
                return run.sub("::", text, count=1)
    return text


def canonical_ipv6(packed: bytes) -> str:
    """Write an IPv6 address in the short form, or as the IPv4 address that it is.

    Args:
        packed: Its 16 bytes.
    """
    return ".".join(map(str, packed[12:])) if packed.startswith(_MAPPED) else short_ipv6(packed)


_IPV4_BYTES = byteset("0123456789.")
_DOTS, _SHORTEST, _LONGEST = 3, 7, 15
_OCTET_WIDTH = 3
_IPV6_BYTES = byteset("0123456789abcdef:")
_LONGEST_V6, _GROUPS = 39, 8


def ipv4_rows(text: Ragged) -> NDArray[np.intp]:
    """The rows that are made of digits and three dots, and as long as IPv4 addresses are."""
    lengths = text.lengths
    rows = np.flatnonzero(only(text, _IPV4_BYTES) & (lengths >= _SHORTEST) & (lengths <= _LONGEST))
    data, offsets = tight(text if len(rows) == len(text) else text.take(rows))
    dots = np.flatnonzero(data == ord("."))
    if len(dots) == _DOTS * len(rows):
        threes = dots.reshape(-1, _DOTS)
        if ((threes[:, 0] >= offsets[:-1]) & (threes[:, -1] < offsets[1:])).all():
            return rows
    counts = np.bincount(rows_at(offsets, dots), minlength=len(rows))
    return np.asarray(rows[counts == _DOTS])


def are_ipv6(text: Ragged) -> NDArray[np.bool_]:
    """Say which rows are surely IPv6 addresses in the short form.

    In that form (RFC 5952, section 4) a group has one to four digits in lower case and no zero in front, and the
    longest run of two groups of zero or more is `::`, the first of several. Rows are left out that have two groups of
    zero beside each other all the same, or begin as mapped IPv4 addresses do.

    Args:
        text: Rows, none of them empty.
    """
    good = only(text, _IPV6_BYTES) & (text.lengths <= _LONGEST_V6)
    data, offsets = tight(text)
    colons = np.flatnonzero(data == ord(":"))
    counts = np.diff(np.searchsorted(colons, offsets))
    good &= counts >= 2  # noqa: PLR2004 - `::` at least
    first = np.cumsum(counts + 1) - counts - 1
    last = first + counts
    # A group stands before each colon, and at the end of each row; an empty one may begin where its row ends.
    starts = _filled(first, offsets[:-1], colons + 1)
    ends = _filled(last, offsets[1:], colons)
    width = ends - starts
    zero = (width > 0) & (data[np.minimum(starts, len(data) - 1)] == ord("0"))
    empty = width == 0
    bad = (width > 4) | (zero & (width > 1))  # noqa: PLR2004 - digits of a group
    joined = (zero | empty)[:-1] & (zero | empty)[1:] & ~(empty[:-1] & empty[1:])  # zeros that belong into one run
    joined[last[:-1]] = False  # the next group is another row's
    bad[:-1] |= joined
    empties = np.add.reduceat(empty, first, dtype=np.int64)
    head, tail = empty[first], empty[last]
    run = (
        (empties == 1 + head + tail)
        & (~head | empty[np.minimum(first + 1, last)])
        & (~tail | empty[np.maximum(last - 1, first)])
    )
    whole = (empties == 0) & (counts == _GROUPS - 1)
    short = run & (counts + 1 - empties <= _GROUPS - 2)
    good &= ~np.logical_or.reduceat(bad, first) & (whole | short) & ~_begin_as_mapped(data, offsets[:-1])
    return good


def _filled(places: NDArray[np.int64], there: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """An array that has some values at these places, and others at all other places, in order."""
    out = np.empty(len(there) + len(others), np.int64)
    rest = np.ones(len(out), np.bool_)
    rest[places] = False
    out[places] = there
    out[rest] = others
    return out


def _begin_as_mapped(data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows, with what is behind short ones, begin as the short form of an IPv4 address in IPv6 would."""
    same = np.ones(len(starts), np.bool_)
    for place, byte in enumerate(b"::ffff:"):
        same &= data[np.minimum(starts + place, len(data) - 1)] == byte
    return same


def _octets(text: Ragged) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Where each of the four parts begins and ends."""
    data, offsets = tight(text)
    dots = np.flatnonzero(data == ord(".")).reshape(-1, _DOTS)
    bounds = [offsets[:-1] - 1, *(np.ascontiguousarray(column) for column in dots.T), offsets[1:]]
    for before, after in pairwise(bounds):
        yield before + 1, after


def are_ipv4(text: Ragged) -> NDArray[np.bool_]:
    """Say which rows are canonical: four parts of 0 to 255 without leading zeros.

    Args:
        text: Rows made of digits and three dots (see `ipv4_rows`).
    """
    data, _ = tight(text)
    good = np.ones(len(text), np.bool_)
    for start, end in _octets(text):
        width = end - start
        # An empty part begins at its dot, or at the end of the buffer.
        first = data[np.minimum(start, len(data) - 1)]
        good &= (width >= 1) & (width <= _OCTET_WIDTH) & ((first != ord("0")) | (width == 1))
        high = np.flatnonzero((width == _OCTET_WIDTH) & (first >= ord("2")))
        place = start[high]
        rest = data[place + 1].astype(np.int16) * 10 + data[place + 2]
        good[high] &= (first[high] == ord("2")) & (rest <= ord("5") * 11)
    return good


def parse_ipv4(text: Ragged) -> NDArray[np.uint64]:
    """Read canonical IPv4 addresses as numbers."""
    data, _ = tight(text)
    total = np.zeros(len(text), np.uint64)
    for start, end in _octets(text):
        total = (total << np.uint64(8)) | _octet(data, start, end)
    return total


def _octet(data: NDArray[np.uint8], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint64]:
    width = end - start
    value = data[end - 1].astype(np.int64) - ord("0")
    for digits, weight in ((2, 10), (3, 100)):
        rows = np.flatnonzero(width >= digits)
        value[rows] += (data[end[rows] - digits].astype(np.int64) - ord("0")) * weight
    return value.astype(np.uint64)


def _octet_texts() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    rows = [str(value).encode() for value in range(256)]
    padded = np.frombuffer(b"".join(row.ljust(_OCTET_WIDTH, b"\0") for row in rows), np.uint8)
    return np.ascontiguousarray(padded.reshape(256, _OCTET_WIDTH).T), np.array([len(row) for row in rows], np.int64)


_TEXTS, _WIDTHS = _octet_texts()
"""The digits of each octet by place, and how many there are."""
_NOTHING = 0
_WHOLE_OCTETS = (8, 16, 24)


def format_ipv4(values: NDArray[np.uint64], suffix: bytes = b"") -> Ragged:
    """Write numbers as dotted addresses, each with the same suffix.

    Args:
        values: Addresses, below 2^32.
        suffix: Such as `b"/24"`.
    """
    wide = np.empty((len(values), 4 * (_OCTET_WIDTH + 1)), np.uint8)
    shown = np.ones(wide.shape, np.bool_)
    lengths = np.full(len(values), _DOTS, np.int64)
    for place, shift in enumerate((24, 16, 8, 0)):
        octet = ((values >> np.uint64(shift)) & np.uint64(255)).astype(np.intp)
        at = place * (_OCTET_WIDTH + 1)
        for digit in range(_OCTET_WIDTH):
            wide[:, at + digit] = _TEXTS[digit][octet]
            shown[:, at + digit] = wide[:, at + digit] != _NOTHING
        wide[:, at + _OCTET_WIDTH] = ord(".")
        lengths += _WIDTHS[octet]
    shown[:, -1] = False
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    rows = Ragged(wide[shown], offsets)
    return heads(rows, lengths, suffix) if suffix else rows


def network_ipv4(text: Ragged, bits: int) -> Ragged:
    """The networks of canonical addresses, such as `192.0.2.0/24`.

    Args:
        text: Canonical IPv4 addresses.
        bits: How many bits stay.
    """
    suffix = f"/{bits}".encode()
    if bits in _WHOLE_OCTETS and len(text):
        # Whole parts stay as they are written.
        data, offsets = tight(text)
        kept = bits // 8
        ends = np.flatnonzero(data == ord(".")).reshape(-1, _DOTS)[:, kept - 1]
        return heads(text, ends - offsets[:-1], b".0" * (4 - kept) + suffix)
    rest = np.uint64(32 - bits)
    return format_ipv4(parse_ipv4(text) >> rest << rest, suffix)
