"""Field types of the network: IP address, search words."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.base import Category, FieldType, Sensitivity
from privkit.fields.ip import ipv4_rows, parse_ipv4
from privkit.fields.masks import IpMask, profiles
from privkit.fields.plain import compact
from privkit.fields.texts import AnyText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged


@dataclass(frozen=True, kw_only=True, eq=False)
class IpAddress(FieldType):
    """An IPv4 or IPv6 address; canonical is dotted decimal, or the short form of RFC 5952.

    An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) becomes the IPv4 address that it is. A scope (`fe80::1%eth0`), a
    port, a prefix length or a leading zero is refused: what is meant by them differs from reader to reader.
    """

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form."""
        try:
            address = ipaddress.ip_address(compact(text, ""))
        except ValueError:
            # The original error quotes the value.
            raise self.invalid("not an IPv4 or IPv6 address (without port, prefix length or leading zeros)") from None
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id is not None:
                raise self.invalid("it has a scope, which only its own host understands")
            address = address.ipv4_mapped or address
        return str(address)

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Dotted IPv4 addresses are canonical."""
        good = np.zeros(len(text), np.bool_)
        rows = ipv4_rows(text)
        if len(rows) == len(text):
            return parse_ipv4(text)[1]
        if len(rows):
            good[rows] = parse_ipv4(text.take(rows))[1]
        return good


IP_ADDRESS = IpAddress(
    name="ip_address",
    title="IP address",
    title_zh="IP 地址",
    category=Category.BEHAVIOUR,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=IpMask(2), log=IpMask(3), analytics=IpMask(2)),
)
"""An IPv4 or IPv6 address, `192.0.2.1`, `2001:db8::1`."""

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
