"""How IP addresses move under format-preserving encryption: among all of their version, or of their network."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.ip import format_ipv4, ipv4_rows, parse_ipv4
from privkit.fields.layout import Slot, Slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_V4_BITS, _V6_BITS = 32, 128
_MAPPED = 0xFFFF << 32
"""The first of the 2^32 IPv6 addresses that are IPv4 addresses (RFC 4291, section 2.5.5.2)."""
_MAPPED_END = _MAPPED + 2**32
_WORD = 2**64


@dataclass(frozen=True, slots=True)
class IpLayout:
    """Addresses as numbers, of which the first bits may stay.

    IPv4 moves among IPv4 and IPv6 among IPv6, but for the IPv6 addresses that are IPv4 ones in disguise, whose
    canonical form is the IPv4 address.

    Attributes:
        v4: How many bits of an IPv4 address stay, 0 to 31.
        v6: How many bits of an IPv6 address stay, 0 to 127.
    """

    v4: int = 0
    v6: int = 0

    @classmethod
    def of(cls, *, v4: int = 0, v6: int = 0) -> IpLayout:
        """How an address moves: among all of its kind, IPv4 or IPv6, or those of the network that is kept.

        Args:
            v4: The prefix of an IPv4 address that stays, in bits.
            v6: The prefix of an IPv6 address that stays, in bits.

        Raises:
            InvalidParameter: An address has not that many bits to keep.
        """
        if not 0 <= v4 < _V4_BITS or not 0 <= v6 < _V6_BITS:
            raise InvalidParameter("a prefix has 0 to 31 bits of an IPv4 address, 0 to 127 of an IPv6 address")
        return cls(v4, v6)

    @property
    def id(self) -> str:
        """The frozen name, options included."""
        return f"ip_address/v4={self.v4}/v6={self.v6}" if self.v4 or self.v6 else "ip_address"

    @property
    def version(self) -> int:
        """It stands on no table."""
        return 1

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among."""
        return min(1 << (_V4_BITS - self.v4), (1 << (_V6_BITS - self.v6)) - self._mapped_in(0))

    def _mapped_in(self, network: int) -> int:
        """How many IPv4 addresses in disguise are in the network of an IPv6 address."""
        bits = _V6_BITS - self.v6
        first, end = network >> bits << bits, ((network >> bits) + 1) << bits
        # A prefix within the mapped range would hold nothing else, and no canonical address lies there.
        return 2**32 if first <= _MAPPED and end >= _MAPPED_END else 0

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        address = ipaddress.ip_address(text)
        number = int(address)
        if address.version == 4:  # noqa: PLR2004 - IPv4
            bits = _V4_BITS - self.v4
            return Slot(number % 2**bits, 2**bits, _network(number >> bits, 4) if self.v4 else b"")
        bits = _V6_BITS - self.v6
        mapped = self._mapped_in(number)
        rank = number % 2**bits
        # The network that holds the mapped addresses begins at zero, so ranks beyond them are moved down by as many.
        rank -= mapped if number >= _MAPPED_END else 0
        return Slot(rank, 2**bits - mapped, _network(number >> bits, 16) if self.v6 else b"\x06")

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        address = ipaddress.ip_address(text)
        number = int(address)
        if address.version == 4:  # noqa: PLR2004 - IPv4
            bits = _V4_BITS - self.v4
            return str(ipaddress.IPv4Address((number >> bits << bits) + rank))
        bits = _V6_BITS - self.v6
        moved = (number >> bits << bits) + rank
        return str(ipaddress.IPv6Address(moved + (self._mapped_in(number) if moved >= _MAPPED else 0)))

    def split(self, text: Ragged) -> Sequence[Slots]:
        """Split a column; the same as `split_one` for each row."""
        rows = ipv4_rows(text)
        parts: list[Slots] = []
        if len(rows):
            numbers = parse_ipv4(text if len(rows) == len(text) else text.take(rows))
            bits = np.uint64(_V4_BITS - self.v4)
            network = numbers >> bits
            tweak = network.astype(">u4").view(np.uint8).reshape(-1, 4) if self.v4 else b""
            ranks = numbers - (network << bits)
            parts.append(Slots(None if len(rows) == len(text) else rows, ranks, 1 << int(bits), tweak))
        rest = np.delete(np.arange(len(text)), rows)
        return [*parts, *self._split_v6(text, rest)]

    def _split_v6(self, text: Ragged, rows: NDArray[np.intp]) -> list[Slots]:
        groups: defaultdict[int, list[tuple[int, Slot]]] = defaultdict(list)
        for row, value in zip(rows.tolist(), text.take(rows).to_text(), strict=True):
            slot = self.split_one(value)
            groups[slot.size].append((row, slot))
        return [
            Slots(
                np.array([row for row, _ in members], np.intp),
                np.array([slot.rank for _, slot in members], np.uint64 if size <= _WORD else object),
                size,
                np.frombuffer(b"".join(slot.tweak for _, slot in members), np.uint8).reshape(len(members), -1),
            )
            for size, members in groups.items()
        ]

    def join(self, text: Ragged, moved: Sequence[Slots]) -> Ragged:
        """Put ranks in the place of those that the rows of `text` have; the same as `join_one` for each row."""
        done: list[tuple[NDArray[np.intp], Ragged]] = []
        for part in moved:
            rows = np.arange(len(text)) if part.rows is None else part.rows
            mine = text if part.rows is None else text.take(rows)
            done.append((rows, self._join_part(mine, part)))
        return done[0][1] if len(done) == 1 and moved[0].rows is None else Ragged.merge(len(text), done)

    def _join_part(self, text: Ragged, part: Slots) -> Ragged:
        if len(text) and b":" in text[0]:
            ranks = part.ranks.tolist()
            return Ragged.of_text([self.join_one(row, rank) for row, rank in zip(text.to_text(), ranks, strict=True)])
        bits = np.uint64(_V4_BITS - self.v4)
        network = parse_ipv4(text) >> bits << bits
        return format_ipv4(network + part.ranks)


def _network(number: int, width: int) -> bytes:
    return number.to_bytes(width, "big")
