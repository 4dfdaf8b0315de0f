"""Levels of generalisation: coarser values in the place of exact ones.

A level takes canonical values, and gives one label for all values that it does not tell apart. Its parameters are
checked when it is made.

    >>> from privkit.fields.levels import DatePart
    >>> DatePart("quarter").one("1990-05-17")
    '1990-Q2'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.bytesets import tight
from privkit.fields.digits import numbers
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.fields.wordlist import WordList

_PARTS = ("day", "month", "quarter", "year", "decade")


@dataclass(frozen=True, slots=True)
class DatePart:
    """The day (`1990-05-17`), month (`1990-05`), quarter (`1990-Q2`), year (`1990`) or decade (`1990s`) of a date.

    It takes ISO dates and time stamps, of which it leaves out the time.

    Attributes:
        part: One of those five.
    """

    part: str

    def __post_init__(self) -> None:
        if self.part not in _PARTS:
            raise InvalidParameter(f"a date has no part {self.part!r}{nearest(self.part, _PARTS)}")

    def one(self, text: str) -> str:
        """Generalise one date."""
        match self.part:
            case "day":
                return text[:10]
            case "month":
                return text[:7]
            case "quarter":
                return f"{text[:4]}-Q{(int(text[5:7]) + 2) // 3}"
            case "decade":
                return f"{text[:3]}0s"
            case _:
                return text[:4]

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column of dates; the same as `one` for each row."""
        if not len(text):
            return text
        data, offsets = tight(text)
        width = {"day": 10, "month": 7, "quarter": 7, "year": 4, "decade": 5}[self.part]
        out = np.lib.stride_tricks.sliding_window_view(data, width)[offsets[:-1]]
        if self.part == "quarter":
            month = numbers(np.ascontiguousarray(out[:, 5:7])).astype(np.uint8)
            out[:, 5] = ord("Q")
            out[:, 6] = (month + 2) // 3 + ord("0")
        elif self.part == "decade":
            out[:, 3] = ord("0")
            out[:, 4] = ord("s")
        return Ragged.of_matrix(out)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first characters of an ASCII value, and stars, or another character, for the rest: `518***`.

    Attributes:
        characters: How many stay.
        fill: What is written for each that does not.
    """

    characters: int
    fill: str = "*"

    def __post_init__(self) -> None:
        if self.characters < 0:
            raise InvalidParameter("as many characters as stay are 0 or more")

    def one(self, text: str) -> str:
        """Generalise one value."""
        return text[: self.characters] + self.fill * (len(text) - self.characters)

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        data, offsets = tight(text)
        within = np.arange(len(data)) - np.repeat(offsets[:-1], np.diff(offsets))
        return Ragged(np.where(within < self.characters, data, np.uint8(ord(self.fill))), offsets)


@dataclass(frozen=True, slots=True)
class Cut:
    """The first characters of an ASCII value that is at least as long.

    Attributes:
        characters: How many stay.
    """

    characters: int

    def one(self, text: str) -> str:
        """Generalise one value."""
        return text[: self.characters]

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        return Ragged.of_matrix(np.ascontiguousarray(text.matrix(self.characters))) if len(text) else text


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reply for each word of a list.

    Attributes:
        words: The words.
        replies: As many replies, and one more for what is not in the list.
    """

    words: WordList
    replies: tuple[str, ...]

    def one(self, text: str) -> str:
        """Generalise one value."""
        return self.replies[self.words.index.get(text, -1)]

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        return self.words.choose(text, Ragged.of_text(self.replies))


@dataclass(frozen=True, slots=True)
class After:
    """What stands after the last of a mark: the domain of an e-mail address.

    Attributes:
        mark: One ASCII character.
    """

    mark: str

    def one(self, text: str) -> str:
        """Generalise one value."""
        return text.rpartition(self.mark)[2]

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        data, offsets = tight(text)
        marks = np.concatenate(([-1], np.flatnonzero(data == ord(self.mark))))
        last = marks[np.searchsorted(marks, offsets[1:]) - 1]
        starts = np.maximum(last + 1, offsets[:-1])
        keep = np.zeros(len(data) + 1, np.int8)
        np.add.at(keep, starts, 1)
        np.add.at(keep, offsets[1:], -1)
        lengths = np.concatenate(([0], np.cumsum(offsets[1:] - starts)))
        return Ragged(data[np.cumsum(keep[:-1]).astype(np.bool_)], lengths.astype(np.int64))


def date_levels(*parts: str) -> dict[str, Callable[..., DatePart]]:
    """The levels of dates that take no parameter, by default all from the month up."""
    return {part: _date_part(part) for part in parts or _PARTS[1:]}


def _date_part(part: str) -> Callable[..., DatePart]:
    def level() -> DatePart:
        return DatePart(part)

    return level
