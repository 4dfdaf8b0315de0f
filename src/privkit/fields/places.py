"""Values of a fixed build: an alphabet for each place, read from a simple regular expression.

Simple is a row of characters, classes (`[A-Z2-9]`) and counts (`{4}`) and nothing else, so that every value has the
same length and the places do not depend on each other. Such values have ranks, and move under format-preserving
encryption; what is not simple has none. The short class of digits is not: it stands for those of all scripts.

    >>> places("[A-C]{2}-[0-9]")
    ('ABC', 'ABC', '-', '0123456789')
    >>> places("a+") is None
    True
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from privkit.fields.characters import kept_ends
from privkit.fields.layout import Slot
from privkit.fields.row_layout import RowLayout

_ITEMS: Final = r"\[(?P<items>(?:[A-Za-z0-9_ ./:#\u0080-\uffff](?:-[A-Za-z0-9\u0080-\uffff])?)+)\]"
_SINGLE: Final = r"\\(?P<escaped>[^A-Za-z0-9\s])|(?P<plain>[A-Za-z0-9_ /:#@=,;!&%~'\"<>\u0080-\uffff-])"
_PLACE: Final = re.compile(rf"(?:{_ITEMS}|{_SINGLE})(?:\{{(?P<count>[1-9][0-9]?)\}})?")
_ITEM: Final = re.compile(r"(.)(?:-(.))?", re.DOTALL)


def places(pattern: str) -> tuple[str, ...] | None:
    """The alphabet of each place, in the order of their code points; `None` where the pattern is not simple."""
    found: list[str] = []
    at = 0
    while at < len(pattern):
        match = _PLACE.match(pattern, at)
        alphabet = "" if match is None else _alphabet(match)
        if match is None or not alphabet:
            return None
        found += [alphabet] * int(match["count"] or 1)
        at = match.end()
    return tuple(found)


def _alphabet(match: re.Match[str]) -> str:
    if match["items"]:
        spans = [(ord(one[1]), ord(one[2] or one[1])) for one in _ITEM.finditer(match["items"])]
        if any(low > high for low, high in spans):
            return ""
        return "".join(map(chr, sorted({code for low, high in spans for code in range(low, high + 1)})))
    return match["escaped"] or match["plain"] or ""


@dataclass(frozen=True)
class PlacesLayout(RowLayout):
    """Each character moves within the alphabet of its place.

    Attributes:
        id: The frozen name, options included.
        alphabets: The alphabet of each place; a place with one character stays.
        first: How many characters stay at the beginning.
        last: How many stay at the end.
    """

    id: str
    alphabets: tuple[str, ...]
    first: int = 0
    last: int = 0

    @property
    def version(self) -> int:
        """It stands on its pattern alone, which is part of its name."""
        return 1

    @property
    def size(self) -> int:
        """How many values every value moves among."""
        return math.prod(len(self.alphabets[place]) for place in self._moving)

    @property
    def _moving(self) -> range:
        start = min(self.first, len(self.alphabets))
        return range(start, max(start, len(self.alphabets) - self.last))

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        rank = 0
        for place in self._moving:
            rank = rank * len(self.alphabets[place]) + self.alphabets[place].index(text[place])
        kept = f"{text[: self._moving.start]}\0{text[self._moving.stop :]}"
        return Slot(rank, self.size, kept.encode())

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        characters = list(text)
        for place in reversed(self._moving):
            rank, numeral = divmod(rank, len(self.alphabets[place]))
            characters[place] = self.alphabets[place][numeral]
        return "".join(characters)


@dataclass(frozen=True)
class PatternLayout:
    """Makes layouts of a simple pattern.

    Attributes:
        pattern: The pattern, which is part of the layout's name.
        alphabets: The alphabet of each place.
    """

    pattern: str
    alphabets: tuple[str, ...]

    def __call__(self, *, keep_first: int = 0, keep_last: int = 0) -> PlacesLayout:
        """How a value moves: each character among those that the pattern has in its place.

        Args:
            keep_first: How many characters stay at the beginning.
            keep_last: How many stay at the end.
        """
        kept = kept_ends(keep_first, keep_last)
        return PlacesLayout(f"pattern/{self.pattern}{kept}", self.alphabets, keep_first, keep_last)
