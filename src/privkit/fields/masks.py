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

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.base import chunks
from privkit.fields.bytesets import is_ascii, rows_at, tight, walk, walk_back

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
        parts = chunks(text)
        return self._part(text) if len(parts) == 1 else Ragged.concat(map(self._part, parts))

    def _part(self, text: Ragged) -> Ragged:
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
        copy_pieces(data, offsets[:-1], out.data, out.offsets[:-1], head)
        copy_pieces(data, offsets[1:] - tail, out.data, out.offsets[1:] - tail, tail)
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


def copy_pieces(
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
