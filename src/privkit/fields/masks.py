"""Shapes of masks: what is left to read of a value.

Every shape counts by character, not by byte, and writes a fixed number of stars, so that the length of what it hides
does not leak. Every shape fails closed: a value that is too short for it, or that would come back unchanged, becomes
six stars. Each states in `shows` at most how many characters of a value can be read from its mask.

    >>> from privkit.fields.masks import Keep
    >>> Keep(3, 4).one("13812345678")
    '138****5678'
    >>> Keep(3, 4).one("1381234")
    '******'
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.bytesets import heads, is_ascii, one_each, rows_at, tight, walk, walk_back
from privkit.fields.ip import ipv4_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from privkit.fields.base import MaskShape

STAR = ord("*")
STARS = "******"
"""What stands for a value of which nothing may show: always six stars."""

PROFILES = ("display", "waybill", "log", "analytics")
"""The profiles that every type has.

`display` is the customary form on a screen. `waybill` is for paper that strangers see, and meets GB/T 41833-2022.
`log` leaves at most enough to tell two lines of a log apart. `analytics` leaves what groups (a prefix, a year, a mail
domain) and nothing that tells people apart.
"""


class Shape(ABC):
    """A mask; subclasses say how, and this holds that no value comes back unchanged."""

    @property
    @abstractmethod
    def shows(self) -> int:
        """At most how many characters of a value can be read from its mask."""

    @abstractmethod
    def _mask(self, text: str) -> str:
        """Mask one value."""

    def _mask_many(self, text: Ragged) -> Ragged:
        """Mask a column."""
        return self._one_by_one(text)

    def _one_by_one(self, text: Ragged) -> Ragged:
        """Mask a column the plain way."""
        return Ragged.of_text([self._mask(row) for row in text.to_text()])

    def one(self, text: str) -> str:
        """Mask one value.

        Args:
            text: The value, canonical and not empty.
        """
        masked = self._mask(text)
        return STARS if masked == text else masked

    def many(self, text: Ragged) -> Ragged:
        """Mask a column; the same as `one` for each row.

        Args:
            text: UTF-8 rows, canonical and none of them empty.
        """
        if not len(text):
            return text
        masked = self._mask_many(text)
        # Only a value that has stars itself can look like a mask.
        starred = np.flatnonzero(tight(text)[0] == STAR)
        if not len(starred):
            return masked
        rows = np.unique(rows_at(tight(text)[1], starred))
        same = [row for row in rows.tolist() if masked[row] == text[row]]
        return _star_rows(masked, np.array(same, np.intp)) if same else masked


@dataclass(frozen=True, slots=True)
class AllStars(Shape):
    """Six stars, whatever the value.

    >>> AllStars().one("anything")
    '******'
    """

    @property
    def shows(self) -> int:
        """Nothing."""
        return 0

    def _mask(self, text: str) -> str:  # noqa: ARG002 - nothing of the value is looked at, that is the point
        return STARS

    def _mask_many(self, text: Ragged) -> Ragged:
        return Ragged.of_matrix(np.full((len(text), len(STARS)), STAR, np.uint8))


@dataclass(frozen=True, slots=True)
class Keep(Shape):
    """The first and the last characters, and a fixed number of stars between.

    Attributes:
        first: How many characters stay at the beginning.
        last: How many stay at the end.
        stars: How many stars are written, 1 to 16, whatever they stand for.
        hides: At least how many characters must be hidden; a shorter value becomes six stars.
    """

    first: int = 0
    last: int = 0
    stars: int = 4
    hides: int = 1

    def __post_init__(self) -> None:
        if self.first < 0 or self.last < 0 or not 1 <= self.stars <= 16 or self.hides < 1:  # noqa: PLR2004 - said above
            raise InvalidParameter("first and last must be 0 or more, stars 1 to 16, and hides 1 or more")

    @property
    def shows(self) -> int:
        """What stays at both ends."""
        return self.first + self.last

    def _mask(self, text: str) -> str:
        if len(text) < self.first + self.last + self.hides:
            return STARS
        return text[: self.first] + "*" * self.stars + text[len(text) - self.last :]

    def _mask_many(self, text: Ragged) -> Ragged:
        need = self.first + self.last + self.hides
        if not is_ascii(text):
            return self._cut_characters(text)
        short = text.lengths < need
        if short.any():
            return _apart(text, short, self._cut_bytes)
        return self._cut_bytes(text)

    def _cut_bytes(self, text: Ragged) -> Ragged:
        """Mask ASCII rows that are all long enough: one output width, so a matrix."""
        out = np.full((len(text), self.shows + self.stars), STAR, np.uint8)
        width = text.width
        if width is not None:
            matrix = text.matrix(width)
            out[:, : self.first] = matrix[:, : self.first]
            out[:, self.first + self.stars :] = matrix[:, width - self.last :]
        else:
            out[:, : self.first] = _windows(text.data, text.offsets[:-1], self.first)
            out[:, self.first + self.stars :] = _windows(text.data, text.offsets[1:] - self.last, self.last)
        return Ragged.of_matrix(out)

    def _cut_characters(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        # Only the characters that count are walked over, however long the rows are.
        heads = walk(data, offsets[:-1], offsets[1:], self.first)
        short = walk(data, heads, offsets[1:], self.last + self.hides - 1) >= offsets[1:]
        tails = walk_back(data, offsets[1:], offsets[:-1], self.last)
        # Where a row is too short both pieces are empty, and six stars stand between.
        head = np.where(short, 0, heads - offsets[:-1])
        tail = np.where(short, 0, offsets[1:] - tails)
        stars = np.where(short, len(STARS), self.stars)
        out = Ragged.empty(head + stars + tail)
        out.data[:] = STAR
        _copy(data, offsets[:-1], out.data, out.offsets[:-1], head)
        _copy(data, offsets[1:] - tail, out.data, out.offsets[1:] - tail, tail)
        return out


@dataclass(frozen=True, slots=True)
class Template(Shape):
    """A shape drawn for ASCII values of one length: `#` shows the character, anything else is written as it is.

    Attributes:
        drawing: Such as `####-**-**`.
        longer: Whether a longer value is cut to the drawing; otherwise it becomes six stars, as a shorter one does.

    >>> Template("####-**-**").one("1990-01-02")
    '1990-**-**'
    """

    drawing: str
    longer: bool = False

    def __post_init__(self) -> None:
        if not self.drawing.isascii() or "*" not in self.drawing:
            raise InvalidParameter("a drawing is ASCII and has at least one star")

    @property
    def shows(self) -> int:
        """All but the stars."""
        return len(self.drawing) - self.drawing.count("*")

    def _fits(self, length: int) -> bool:
        return length == len(self.drawing) or (self.longer and length > len(self.drawing))

    def _mask(self, text: str) -> str:
        if not text.isascii() or not self._fits(len(text)):
            return STARS
        return "".join(
            letter if drawn == "#" else drawn for drawn, letter in zip(self.drawing, text, strict=not self.longer)
        )

    def _mask_many(self, text: Ragged) -> Ragged:
        width = len(self.drawing)
        if not is_ascii(text):
            return self._one_by_one(text)
        lengths = text.lengths
        other = (lengths < width) if self.longer else (lengths != width)
        return _apart(text, other, self._draw) if other.any() else self._draw(text)

    def _draw(self, text: Ragged) -> Ragged:
        drawing = np.frombuffer(self.drawing.encode(), np.uint8)
        out = np.tile(drawing, (len(text), 1))
        source = text.matrix(len(drawing))
        for column in np.flatnonzero(drawing == ord("#")).tolist():
            out[:, column] = source[:, column]
        return Ragged.of_matrix(out)


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
        _copy(data, offsets[:-1], out.data, out.offsets[:-1], head)
        out.data[out.offsets[1:] - tail - 1] = ord("@")
        rows = np.flatnonzero(shown)
        _copy(data, ats[rows] + 1, out.data, (out.offsets[1:] - tail)[rows], tail[rows])
        return out


_HOUSE = re.compile(r"[0-9]+(?:-[0-9]+)?(?:号|弄|巷)(?![楼栋幢座室房])")
_BUILDING = re.compile(
    r"[0-9A-Za-z#]|[一二三四五六七八九十百零〇两甲乙丙丁]+(?:号|栋|幢|座|单元|室|层|楼|弄|门|期|区|组|队|房|户)"
)


@dataclass(frozen=True, slots=True)
class AddressMask(Shape):
    """The road and the house number; what tells the building, unit and room apart is hidden (GB/T 41833-2022).

    Everything after the first house number (`12号`) is hidden, or, where there is none, everything from the first
    digit, letter or counted building part on. A value that has neither is cut after half of it.

    Attributes:
        house: Whether the house number itself stays.
        longest: At most how many characters stay.

    >>> AddressMask().one("科技园路12号3栋2单元1502室")
    '科技园路12号****'
    """

    house: bool = True
    longest: int = 20

    @property
    def shows(self) -> int:
        """The longest road and number."""
        return self.longest

    def _mask(self, text: str) -> str:
        house, building = _HOUSE.search(text), _BUILDING.search(text)
        if self.house and house and building and building.start() >= house.start():
            end = house.end()
        else:
            end = building.start() if building else len(text) // 2
        return text[: min(end, self.longest)] + "****" if end else STARS


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
        plain = self._one_by_one(text.take(rest))
        if not len(rows):
            return plain
        return Ragged.merge(len(text), [(rows, self._mask_v4(text.take(rows))), (rest, plain)])

    def _mask_v4(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        head = np.flatnonzero(data == ord(".")).reshape(-1, 3)[:, self.parts - 1] - offsets[:-1]
        if int(head.max()) >= self.parts * 4:
            return self._one_by_one(text)
        return heads(text, head, b".*" * (4 - self.parts))


STARRED = AllStars()
"""The mask that shows nothing."""


def profiles(
    display: MaskShape = STARRED,
    waybill: MaskShape = STARRED,
    log: MaskShape = STARRED,
    analytics: MaskShape = STARRED,
) -> Mapping[str, MaskShape]:
    """The four profiles of a type; one that is not said shows nothing."""
    return MappingProxyType({"display": display, "waybill": waybill, "log": log, "analytics": analytics})


def _windows(data: NDArray[np.uint8], starts: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """The `width` bytes from each start on, as a matrix."""
    if not width:
        return np.empty((len(starts), 0), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(data, width)[starts]


def _copy(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64] | NDArray[np.intp],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    """Copy pieces of one buffer to places in another."""
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    target[np.repeat(places, lengths) + within] = source[np.repeat(starts, lengths) + within]


def _star_rows(masked: Ragged, rows: NDArray[np.intp]) -> Ragged:
    """Put six stars into some rows."""
    rest = np.delete(np.arange(len(masked)), rows)
    return Ragged.merge(len(masked), [(rest, masked.take(rest)), (rows, Ragged.of_text([STARS] * len(rows)))])


def _apart(text: Ragged, hidden: NDArray[np.bool_], shape: Callable[[Ragged], Ragged]) -> Ragged:
    """Mask rows by a shape, but for those that it does not fit, which become six stars."""
    rest, rows = np.flatnonzero(~hidden), np.flatnonzero(hidden)
    stars = Ragged.of_text([STARS] * len(rows))
    return Ragged.merge(len(text), [(rest, shape(text.take(rest))), (rows, stars)]) if len(rest) else stars
