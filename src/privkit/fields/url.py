"""The field type of web addresses."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.base import Category, FieldType, Sensitivity, chunks
from privkit.fields.bytesets import (
    CONTINUATION,
    DIGITS,
    LETTERS,
    PRINTABLE,
    between,
    byteset,
    firsts,
    from_places,
    heads,
    only,
    places,
    printable,
    rows_at,
    tight,
)
from privkit.fields.masks import STARS, Shape, profiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_URL = 8192
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<place>[^/?#\\]+)(?P<rest>.*)", re.DOTALL)
_SCHEME = DIGITS | LETTERS | byteset("+.-")
_ASCII = np.arange(256) < CONTINUATION
_CAPITALS = byteset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ENDS_HOST, _ENDS_PAGE = byteset("/?#\\"), byteset("?#")
_HOST = re.compile(r"(?:\[(?P<literal>[0-9a-f:.]+)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[0-9]{0,5}))?")
_OF_NAMES = DIGITS | LETTERS | byteset("-_.")
_NAME_DOTS = re.compile(r"[.\u3002\uff0e\uff61]")
"""What parts the labels of a name, in Chinese typing too (UTS #46, section 4)."""
_MOST_PORTS = 65_535
_PORT_DIGITS = 4
"""So many digits are a port, whatever they are."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Url(FieldType):
    """A URL with a scheme and a host; canonical has both in lower case, and the rest as it is written.

    A host is what a mask shows, so it has to be one: labels of letters and digits of any script, hyphens and
    underscores with dots between, or an IPv6 address in brackets, and a port up to 65535 or none.
    """

    def normalise(self, text: str) -> str:
        """Cut the ends, make scheme and host lower case."""
        plain = text.strip()
        if len(plain) > _LONGEST_URL or any(letter.isspace() or not letter.isprintable() for letter in plain):
            raise self.invalid(f"it has spaces or control characters, or is longer than {_LONGEST_URL} characters")
        match = _URL.fullmatch(plain)
        if match is None:
            raise self.invalid("a scheme and a host are needed, with a colon and two slashes between")
        # What stands before an @ is a user name, whose case counts.
        user, at, host = match["place"].rpartition("@")
        if not _is_host(host.lower()):
            raise self.invalid("its host is none: a name, or an address of digits or in brackets, is needed")
        return f"{match['scheme'].lower()}://{user}{at}{host.lower()}{match['rest']}"

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Visible ASCII and Han, scheme and ASCII host in lower case, and no user name, are canonical."""
        hosts, good = _hosts(text)
        good[_capitals(text, hosts)[0]] = False
        return good & printable(text, extra=PRINTABLE) & (text.lengths <= _LONGEST_URL)

    def respell(self, text: Ragged) -> Ragged:
        """Make scheme and host lower case."""
        hosts, good = _hosts(text)
        rows, capitals = _capitals(text, hosts)
        data, offsets = tight(text)
        small = data.copy()
        small[capitals[good[rows]]] += np.uint8(ord("a") - ord("A"))
        return Ragged(small, offsets)


def _is_host(place: str) -> bool:
    """Whether what stands between slashes and path, in lower case and without a user name, is a host."""
    match = _HOST.fullmatch(place)
    if match is None or int(match["port"] or 0) > _MOST_PORTS:
        return False
    if match["literal"]:
        return _is_ipv6(match["literal"])
    return all(label and all(map(_is_of_label, label)) for label in _NAME_DOTS.split(match["name"].removesuffix(".")))


def _is_ipv6(literal: str) -> bool:
    try:
        ipaddress.IPv6Address(literal)
    except ValueError:
        return False
    return True


def _is_of_label(letter: str) -> bool:
    return letter.isalnum() or letter in "-_" or unicodedata.category(letter)[0] == "M"


def _hosts(text: Ragged) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where the host of each row ends, and which rows have a scheme, a host of ASCII with a name, and no user name."""
    data, offsets = tight(text)
    colons = firsts(offsets, places(data, ~_SCHEME))
    padded = np.append(data, np.zeros(3, np.uint8))
    good = LETTERS[data[offsets[:-1]]] & (colons + 3 < offsets[1:])
    for place, byte in enumerate(b"://"):
        good &= padded[colons + place] == byte
    starts = np.minimum(colons + 3, offsets[1:])
    ends = from_places(starts, offsets[1:], places(data, _ENDS_HOST))
    return ends, good & _are_names(data, starts, ends)


def _are_names(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which hosts are labels of ASCII, none of them empty, with a port of at most four digits or none."""
    names = from_places(starts, ends, places(data, ~_OF_NAMES))
    dots = np.flatnonzero(data == ord("."))
    empty = dots[(data[dots - 1] == ord(".")) | (data[dots - 1] == ord("/"))]
    good: NDArray[np.bool_] = (names > starts) & (from_places(starts, names, empty) == names)
    rows = np.flatnonzero(names < ends)
    if len(rows):
        ports, over = names[rows] + 1, ends[rows]
        good[rows] &= (data[ports - 1] == ord(":")) & (ports < over) & (over - ports <= _PORT_DIGITS)
        good[rows] &= from_places(ports, over, places(data, ~DIGITS)) == over
    return good


def _capitals(text: Ragged, hosts: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The capitals before the ends of hosts: their rows, and where they are."""
    data, offsets = tight(text)
    capitals = places(data, _CAPITALS)
    rows = rows_at(offsets, capitals)
    within = capitals < hosts[rows]
    return rows[within], capitals[within]


@dataclass(frozen=True, slots=True)
class UrlPart:
    """A URL without what tells visitors apart.

    Attributes:
        part: `page` leaves out query, fragment and user name, `origin` also the path.
    """

    part: str

    def one(self, text: str) -> str:
        """Generalise one URL."""
        match = _URL.fullmatch(text)
        if match is None:
            return "*"
        origin = f"{match['scheme']}://{match['place'].rpartition('@')[2]}"
        return origin if self.part == "origin" else origin + re.split(r"[?#]", match["rest"])[0]

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        return Ragged.concat(map(self._part, chunks(text)))

    def _part(self, text: Ragged) -> Ragged:
        ends, good = _hosts(text)
        data, offsets = tight(text)
        if self.part == "page":
            ends = from_places(ends, offsets[1:], places(data, _ENDS_PAGE))
        rows, rest = np.flatnonzero(good), np.flatnonzero(~good)
        plain = between(data, offsets[:-1][rows], ends[rows])
        odd = Ragged.of_text([self.one(row) for row in text.take(rest).to_text()])
        return Ragged.merge(len(text), [(rows, plain), (rest, odd)])


@dataclass(frozen=True, slots=True)
class UrlMask(Shape):
    """Scheme and host, where that is not unusually long, and stars for all else.

    Attributes:
        longest: At most how many characters show.
    """

    longest: int = 60

    @property
    def shows(self) -> int:
        """The longest scheme and host, and the slash after them."""
        return self.longest + 1

    def _mask(self, text: str) -> str:
        origin = UrlPart("origin").one(text)
        return f"{origin}/****" if len(origin) <= self.longest else STARS

    def _mask_many(self, text: Ragged) -> Ragged:
        ends, good = _hosts(text)
        lengths = ends - text.offsets[:-1] + text.offsets[0]
        good &= only(text, _ASCII) & (lengths <= self.longest)
        rows, rest = np.flatnonzero(good), np.flatnonzero(~good)
        return Ragged.merge(
            len(text),
            [(rows, heads(text.take(rows), lengths[rows], b"/****")), (rest, self._one_by_one(text.take(rest)))],
        )


URL = Url(
    name="url",
    title="URL",
    title_zh="网址",
    category=Category.BEHAVIOUR,
    sensitivity=Sensitivity.SENSITIVE,
    basis="GB/T 35273-2020, annex B (browsing)",
    masks=profiles(display=UrlMask(), log=UrlMask(), analytics=UrlMask()),
    levels=MappingProxyType({part: partial(UrlPart, part) for part in ("page", "origin")}),
)
"""A URL, `https://shop.example/cart`."""
