"""The mask of IP addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import heads, is_ascii, tight
from privkit.fields.ip import ipv4_rows
from privkit.fields.masks import STARS, Shape


@dataclass(frozen=True, slots=True)
class IpMask(Shape):
    """The first parts of an IP address.

    Attributes:
        parts: How many of the four (IPv4) parts stay, 1 to 3; of the groups of an IPv6 address one less, at least one.

    >>> IpMask(2).one("192.168.3.4"), IpMask(3).one("2001:db8::1")
    ('192.168.*.*', '2001:db8:****')
    """

    parts: int = 2

    @property
    def shows(self) -> int:
        """As many parts with the dots, or IPv6 groups with the colons."""
        return max(self.parts * 3 + 3, max(1, self.parts - 1) * 5)

    def _mask(self, text: str) -> str:
        colon = ":" in text
        count, width = (max(1, self.parts - 1), 5) if colon else (self.parts, 4)
        kept = text.split(":" if colon else ".")[:count]
        head = (":" if colon else ".").join(kept)
        # Longer parts than an address has: whatever this is, it does not show.
        if len(head) >= count * width or len(kept) < count or (colon and not all(kept)):
            return STARS
        if colon:
            return f"{head}:****"
        return head + ".*" * (4 - self.parts) if text.count(".") == 3 else STARS  # noqa: PLR2004 - dots of IPv4

    def _mask_many(self, text: Ragged) -> Ragged:
        rows = ipv4_rows(text)
        if len(rows) == len(text):
            return self._mask_v4(text)
        rest = np.delete(np.arange(len(text)), rows)
        plain = self._mask_v6(text.take(rest))
        if not len(rows):
            return plain
        return Ragged.merge(len(text), [(rows, self._mask_v4(text.take(rows))), (rest, plain)])

    def _mask_v4(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        head = np.flatnonzero(data == ord(".")).reshape(-1, 3)[:, self.parts - 1] - offsets[:-1]
        if int(head.max()) >= self.parts * 4:
            return self._one_by_one(text)
        return heads(text, head, b".*" * (4 - self.parts))

    def _mask_v6(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        colons = np.flatnonzero(data == ord(":"))
        count = max(1, self.parts - 1)
        first = np.searchsorted(colons, offsets)
        if not is_ascii(text) or (np.diff(first) < count).any():
            return self._one_by_one(text)
        ends = colons[first[:-1] + count - 1]
        head = ends - offsets[:-1]
        full = data[ends - 1] != ord(":")
        if count > 1:
            full &= colons[first[:-1]] > offsets[:-1]
        shown = (head > 0) & (head < count * 5) & full
        masked = heads(text.take(shown), head[shown], b":****")
        stars = Ragged.of_text([STARS] * int(np.count_nonzero(~shown)))
        return Ragged.merge(len(text), [(np.flatnonzero(shown), masked), (np.flatnonzero(~shown), stars)])
