"""Writing a moved value the way the old one was written: separators, country prefix, full width and letter case.

Canonical values move; people write others. What a value moves to is put into the frame of what was passed, and used
only where it reads as the moved value there, so that a frame can cost the spelling and never the value. `reframe` is
the definition; in columns of ASCII the frames are filled all at once.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields.base import chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.fields.base import FieldType

_FULL_WIDTH = 0xFEE0
"""From an ASCII character to its full-width form (Unicode, Halfwidth and Fullwidth Forms)."""
_CASE = np.uint8(ord("a") - ord("A"))
_BEYOND_ASCII = 0x80


def framed(field: FieldType, raw: str, text: str, moved: str) -> str:
    """The moved value in the form of the raw one, so long as it reads as the moved value there."""
    written = reframe(raw, text, moved)
    try:
        return written if field.normalise(written) == moved else moved
    except InvalidValue:
        return moved


def framed_many(field: FieldType, raw: Ragged, text: Ragged, moved: Ragged) -> Ragged:
    """The same as `framed` for each row.

    Args:
        field: What the values are.
        raw: The rows as they were passed.
        text: Their canonical forms.
        moved: The canonical forms of what they become.
    """
    parts = zip(*(chunks(rows) for rows in (raw, text, moved)), strict=True)
    return Ragged.concat([_framed_part(field, *part) for part in parts])


def _framed_part(field: FieldType, raw: Ragged, text: Ragged, moved: Ragged) -> Ragged:
    written, filled, frameless = _reframe_many(raw, text, moved)
    right = filled.copy()
    right[filled] = _same(field.read(written.take(filled)).text, moved.take(filled))  # an invalid row reads as empty
    rest = np.flatnonzero(~(filled | frameless))
    singles = zip(*(rows.take(rest).to_text() for rows in (raw, text, moved)), strict=True)
    by_one = Ragged.of_text([framed(field, *row) for row in singles])
    canonical = np.flatnonzero(frameless | (filled & ~right))
    framed_rows = np.flatnonzero(right)
    return Ragged.merge(
        len(raw), [(framed_rows, written.take(framed_rows)), (canonical, moved.take(canonical)), (rest, by_one)]
    )


def reframe(raw: str, text: str, moved: str) -> str:
    """Write a moved value the way the raw one was written: separators, prefix, full width and letter case.

    Args:
        raw: The value as it was passed.
        text: Its canonical form.
        moved: The canonical form of what it becomes.

    Returns:
        `raw` with the letters and digits of `text` replaced by those of `moved`. Where they cannot be found in it one
        by one, `moved`, in the letter case of `raw` where that has only one.
    """
    old, new = _signs(text), _signs(moved)
    places = _places(raw, old) if len(old) == len(new) else None
    case = _case(raw)
    if places is None:
        return case(moved)
    out = list(raw)
    for place, before, after in zip(places, old, new, strict=True):
        if after != before:  # what stays, stays as it was written
            written = raw[place]
            cased = str.lower(after) if written.islower() else str.upper(after) if written.isupper() else case(after)
            out[place] = chr(ord(cased) + _FULL_WIDTH) if _is_full_width(written) and "!" <= cased <= "~" else cased
    return "".join(out)


def _signs(text: str) -> str:
    """The letters and digits; what stands between them is the frame's."""
    return "".join(character for character in text if character.isalnum())


def _case(raw: str) -> Callable[[str], str]:
    """How a letter is written where a digit stood: like the others, if those agree."""
    return str.lower if raw.islower() else str.upper if raw.isupper() else str


def _is_full_width(character: str) -> bool:
    return character != unicodedata.normalize("NFKC", character)


def _places(raw: str, signs: str) -> list[int] | None:
    """Find the canonical signs in the raw value, from the end, so that a country code before them is passed."""
    places: list[int] = []
    place = len(raw)
    for sign in reversed(signs):
        place -= 1
        while place >= 0 and unicodedata.normalize("NFKC", raw[place]).upper() != sign.upper():
            place -= 1
        if place < 0:
            return None
        places.append(place)
    return places[::-1]


def _reframe_many(raw: Ragged, text: Ragged, moved: Ragged) -> tuple[Ragged, NDArray[np.bool_], NDArray[np.bool_]]:
    """Reframe rows of ASCII.

    Returns:
        The rows, in which frames are filled; which of them these are, those whose last letters and digits are those of
        the canonical form, where that has as many as the moved one; and which others `reframe` would make the moved
        one, since they have too few.
    """
    place, old, new = _Signs.of(raw), _Signs.of(text), _Signs.of(moved)
    ascii_rows = _are_ascii(raw) & _are_ascii(text) & _are_ascii(moved)
    frameless = ascii_rows & (place.counts < old.counts) & ~new.have_letters()
    counts = np.where(ascii_rows & (old.counts == new.counts) & (place.counts >= old.counts), old.counts, 0)
    places = place.last(counts)
    of = np.repeat(np.arange(len(raw)), counts)
    written, before, after = place.data[places], old.data[old.last(counts)], new.data[new.last(counts)]
    filled = counts > 0
    filled[of[_upper(written) != _upper(before)]] = False
    changed = after != before  # what stays, stays as it was written
    # A letter where a digit stood is written like the letters of its row, if those agree: for the slow way to see.
    filled[of[changed & _is_letter(after) & ~_is_letter(written) & place.have_letters()[of]]] = False
    changed &= filled[of]
    cased = np.where(_is_lower(written), _lower(after), np.where(_is_upper(written), _upper(after), after))
    data = place.data.copy()
    data[places[changed]] = cased[changed]
    return Ragged(data, place.offsets), filled, frameless


class _Signs(NamedTuple):
    """The letters and digits of rows.

    Attributes:
        data: The bytes of the rows.
        offsets: Where rows begin and end in them.
        positions: Where letters and digits are.
        ends: Of how many of them each row is the end; one more than rows, from 0.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    positions: NDArray[np.intp]
    ends: NDArray[np.intp]

    @classmethod
    def of(cls, rows: Ragged) -> _Signs:
        """Find them in ASCII rows; what others have counts as well and means nothing."""
        data = rows.data[rows.offsets[0] : rows.offsets[-1]]
        offsets = rows.offsets - rows.offsets[0]
        positions = np.flatnonzero(_is_letter(data) | (data - np.uint8(ord("0")) < 10))  # noqa: PLR2004 - digits
        return cls(data, offsets, positions, np.searchsorted(positions, offsets))

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many each row has."""
        counts: NDArray[np.intp] = np.diff(self.ends)
        return counts

    def last(self, counts: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where the last so many of each row are."""
        starts = self.ends[1:] - counts
        runs = np.stack([starts - self.ends[:-1], counts], axis=1)
        chosen = np.repeat(np.tile([False, True], len(counts)), runs.reshape(-1))
        places: NDArray[np.intp] = self.positions[chosen]
        return places

    def have_letters(self) -> NDArray[np.bool_]:
        """Which rows have letters among them."""
        found = np.zeros(len(self.counts), np.bool_)
        letters = _is_letter(self.data[self.positions])
        if letters.any():
            found[np.repeat(np.arange(len(found)), self.counts)[letters]] = True
        return found


def _are_ascii(rows: Ragged) -> NDArray[np.bool_]:
    """Which rows are ASCII."""
    good = np.ones(len(rows), np.bool_)
    beyond = np.flatnonzero(rows.data[rows.offsets[0] : rows.offsets[-1]] >= _BEYOND_ASCII)
    good[np.searchsorted(rows.offsets - rows.offsets[0], beyond, side="right") - 1] = False
    return good


def _same(one: Ragged, other: Ragged) -> NDArray[np.bool_]:
    """Which rows are equal."""
    same: NDArray[np.bool_] = one.lengths == other.lengths
    left, right = (one, other) if same.all() else (one.take(same), other.take(same))
    offsets = left.offsets - left.offsets[0]
    unequal = np.flatnonzero(
        left.data[left.offsets[0] :][: offsets[-1]] != right.data[right.offsets[0] :][: offsets[-1]]
    )
    rows = np.flatnonzero(same)
    same[rows[np.searchsorted(offsets, unequal, side="right") - 1]] = False
    return same


def _is_lower(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    lower: NDArray[np.bool_] = data - np.uint8(ord("a")) < 26  # noqa: PLR2004 - letters; bytes below wrap around
    return lower


def _is_upper(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    upper: NDArray[np.bool_] = data - np.uint8(ord("A")) < 26  # noqa: PLR2004 - as above
    return upper


def _is_letter(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    letters: NDArray[np.bool_] = _is_lower(data | _CASE)
    return letters


def _upper(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(_is_lower(data), data - _CASE, data)


def _lower(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(_is_upper(data), data + _CASE, data)
