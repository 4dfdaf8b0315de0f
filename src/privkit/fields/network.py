"""Field types of the network: IP and MAC address, search words. URLs are in `url`."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.base import Category, FieldType, Sensitivity, chunks
from privkit.fields.bytesets import LOWER, byteset, exchanged, of_width, squeezed
from privkit.fields.characters import Characters
from privkit.fields.ip import are_ipv4, are_ipv6, canonical_ipv6, ipv4_rows, network_ipv4, short_ipv6
from privkit.fields.ip_layout import IpLayout
from privkit.fields.ip_mask import IpMask
from privkit.fields.layouts import choose
from privkit.fields.levels import Cut
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact, narrow, tidy
from privkit.fields.texts import AnyText

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class IpAddress(FieldType):
    """An IPv4 or IPv6 address; canonical is dotted decimal, or the short form of RFC 5952.

    An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) becomes the IPv4 address that it is. A scope (`fe80::1%eth0`), a
    port, a prefix length or a leading zero is refused: what is meant by them differs from reader to reader.
    """

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form."""
        plain = text if text.isascii() and " " not in text else compact(text, "")
        if "%" in plain:
            raise self.invalid("it has a scope, which only its own host understands")
        address = _parsed(plain)
        if address is None:
            raise self.invalid("not an IPv4 or IPv6 address (without port, prefix length or leading zeros)")
        return address

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Dotted IPv4 addresses are canonical, and most IPv6 addresses in their short form."""
        rows = ipv4_rows(text)
        if len(rows) == len(text):
            return are_ipv4(text)
        good = np.zeros(len(text), np.bool_)
        if len(rows):
            good[rows] = are_ipv4(text.take(rows))
        rest = np.delete(np.arange(len(text)), rows)
        good[rest] = are_ipv6(text.take(rest))
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces, and write letters small."""
        return squeezed(text, b" ", LOWER)


def _parsed(text: str) -> str | None:
    """The canonical form of an address; `None` where it is none."""
    try:
        if ":" not in text:
            return str(ipaddress.IPv4Address(text))
        if "." not in text:
            return canonical_ipv6(socket.inet_pton(socket.AF_INET6, text))
        return canonical_ipv6(ipaddress.IPv6Address(text).packed)
    except (OSError, ValueError):
        return None  # the error quotes the value, and would go along as the context of ours


@dataclass(frozen=True, slots=True)
class IpPrefix:
    """The network of an address: `192.0.2.0/24`, `2001:db8::/48`.

    Attributes:
        v4: How many bits of an IPv4 address stay.
        v6: How many of an IPv6 address.
    """

    v4: int = 24
    v6: int = 48

    def __post_init__(self) -> None:
        if not 0 <= self.v4 <= _V4_BITS or not 0 <= self.v6 <= _V6_BITS:
            raise InvalidParameter("a prefix has 0 to 32 bits of an IPv4 address, 0 to 128 of an IPv6 address")

    def one(self, text: str) -> str:
        """Generalise one address."""
        if ":" in text:
            bits = _V6_BITS - self.v6
            number = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
            return f"{short_ipv6((number >> bits << bits).to_bytes(16, 'big'))}/{self.v6}"
        bits = _V4_BITS - self.v4
        return f"{ipaddress.IPv4Address(int(ipaddress.IPv4Address(text)) >> bits << bits)}/{self.v4}"

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        return Ragged.concat(map(self._part, chunks(text)))

    def _part(self, text: Ragged) -> Ragged:
        rows = ipv4_rows(text)
        if len(rows) == len(text):
            return network_ipv4(text, self.v4)
        rest = np.delete(np.arange(len(text)), rows)
        plain = Ragged.of_text([self.one(row) for row in text.take(rest).to_text()])
        return Ragged.merge(len(text), [(rows, network_ipv4(text.take(rows), self.v4)), (rest, plain)])


_V4_BITS, _V6_BITS = 32, 128

IP_ADDRESS = IpAddress(
    name="ip_address",
    title="IP address",
    title_zh="IP 地址",
    category=Category.BEHAVIOUR,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=IpMask(2), log=IpMask(3), analytics=IpMask(2)),
    levels=MappingProxyType({"prefix": IpPrefix}),
    layouts=IpLayout.of,
)
"""An IPv4 or IPv6 address, `192.0.2.1`, `2001:db8::1`.

An address of either kind moves among those of its kind, IPv4 ones written as IPv6 left out, since they are IPv4.
"""

SEARCH_WORDS = AnyText(
    name="search_words",
    title="Search words",
    title_zh="搜索词",
    category=Category.BEHAVIOUR,
    sensitivity=Sensitivity.SENSITIVE,
    basis="GB/T 35273-2020, annex B (browsing)",
    masks=profiles(),
)
"""What a person searched for."""


_MAC = re.compile(
    r"[0-9a-f]{12}|[0-9a-f]{2}([:. -])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}"
    r"|[0-9a-f]{4}([:. -])[0-9a-f]{4}\2[0-9a-f]{4}|[0-9a-f]{6}[:. -][0-9a-f]{6}"
)
_HEX = "0123456789abcdef"
_HEX_BYTES = byteset(_HEX)
_MARKS = np.frombuffer(b":-. ", np.uint8)
_MAC_WIDTH, _MAC_DIGITS, _COLON_EVERY = 17, 12, 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MacAddress(FieldType):
    """A MAC address (IEEE 802, 48 bits); canonical is lower case with colons, `00:1b:44:11:3a:b7`.

    Which addresses a device can have is not checked: that of all zeros, groups, and those that a device makes up
    (`02:...`) are addresses too.
    """

    def normalise(self, text: str) -> str:
        """Read twelve digits, together or in groups of two, four or six with `:`, `-`, `.` or a space between each."""
        written = tidy(narrow(text)).lower()
        if not _MAC.fullmatch(written):
            raise self.invalid(
                "twelve hexadecimal digits, in equal groups with the same mark between, are needed "
                f"(got {len(written)} characters)"
            )
        digits = compact(written, ":-.")
        return ":".join(digits[place : place + 2] for place in range(0, 12, 2))

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Lower-case pairs with colons are canonical."""
        return of_width(text, _MAC_WIDTH, _is_mac)

    def respell(self, text: Ragged) -> Ragged:
        """Write groups with the same mark between, or twelve digits, in lower case and pairs."""
        out = squeezed(text, b"", LOWER)
        for size in (2, 4, 6, _MAC_DIGITS):
            out = exchanged(out, _MAC_DIGITS + _MAC_DIGITS // size - 1, partial(_in_pairs, size=size))
        return out


def _in_pairs(written: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Groups of so many digits as pairs with colons, in rows whose marks are all the same."""
    marks = written[:, size :: size + 1]
    pairs = np.full((len(written), _MAC_DIGITS // 2, _COLON_EVERY), ord(":"), np.uint8)
    digits = np.delete(written, np.s_[size :: size + 1], axis=1)
    pairs[:, :, :-1] = digits.reshape(len(digits), -1, _COLON_EVERY - 1)
    pairs[((marks != marks[:, :1]) | ~np.isin(marks, _MARKS)).any(axis=1)] = 0
    return pairs.reshape(len(digits), -1)[:, :_MAC_WIDTH]


def _is_mac(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = np.ones(len(matrix), np.bool_)
    for column in range(_MAC_WIDTH):
        byte = matrix[:, column]
        good &= byte == ord(":") if column % _COLON_EVERY == _COLON_EVERY - 1 else _HEX_BYTES[byte]
    return good


def mac_layout(keep: str | None = None) -> Characters:
    """How a MAC address moves: among all, or those of its maker.

    Args:
        keep: `oui` keeps the maker, the first three pairs: 16,777,216 values.
    """
    kept = 8 if choose(keep, ("oui",)) else 0
    return Characters(f"mac_address/keep={keep}" if kept else "mac_address", (_HEX,), kept)


MAC_ADDRESS = MacAddress(
    name="mac_address",
    title="MAC address",
    title_zh="MAC 地址",
    category=Category.BEHAVIOUR,
    basis="GB/T 35273-2020, annex A (device)",
    masks=profiles(display=Keep(0, 5, 6, 12), log=Keep(0, 5, 6, 12), analytics=Keep(8, 0, 6, 9)),
    levels=MappingProxyType({"oui": partial(Cut, 8)}),
    layouts=mac_layout,
)
"""A MAC address, `00:1b:44:11:3a:b7`."""
