"""The mask of e-mail addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import is_ascii, one_each, tight
from privkit.fields.masks import STAR, STARS, Shape, copy_pieces


@dataclass(frozen=True, slots=True)
class EmailMask(Shape):
    """The first characters of the name, four stars, and the domain where it is not unusually long.

    Attributes:
        first: How many characters of the name stay.
        domain: Whether the domain stays; one of more than `longest` characters does not.
        longest: See `domain`.

    >>> EmailMask(1).one("zhangsan@qq.com")
    'z****@qq.com'
    """

    first: int = 1
    domain: bool = True
    longest: int = 30

    @property
    def shows(self) -> int:
        """The characters of the name, the `@` and the domain."""
        return self.first + 1 + (self.longest if self.domain else 0)

    def _mask(self, text: str) -> str:
        name, at, domain = text.rpartition("@")
        if not at:
            return STARS
        head = name[: self.first] if len(name) > self.first else ""
        tail = domain if self.domain and 0 < len(domain) <= self.longest else "****"
        return f"{head}****@{tail}"

    def _mask_many(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        ats = np.flatnonzero(data == ord("@"))
        # One `@` in each row, and ASCII: then positions say it all. Anything else takes the plain way.
        if not is_ascii(text) or not one_each(offsets, ats):
            return self._one_by_one(text)
        head = np.where(ats - offsets[:-1] > self.first, self.first, 0)
        domain = offsets[1:] - ats - 1
        shown = (domain > 0) & (domain <= self.longest) & self.domain
        tail = np.where(shown, domain, 4)
        out = Ragged.empty(head + 4 + 1 + tail)
        out.data[:] = STAR
        copy_pieces(data, offsets[:-1], out.data, out.offsets[:-1], head)
        out.data[out.offsets[1:] - tail - 1] = ord("@")
        rows = np.flatnonzero(shown)
        copy_pieces(data, ats[rows] + 1, out.data, (out.offsets[1:] - tail)[rows], tail[rows])
        return out
