"""Questions about the bytes of a column, answered by passes over its buffer.

Most rows of a real column are canonical, so these look for the exceptions: where no byte is out of place, one pass over
the buffer says so for all rows, and only positions that are out of place are traced back to their rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged, move

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


_MANY = 1 << 24
_DASH = ord("-")

CONTINUATION = 0x80
"""The top two bits (mask 0xC0) of a UTF-8 byte that is not the first of its character."""


def byteset(characters: str) -> NDArray[np.bool_]:
    """A table of 256 flags that are true for these ASCII characters."""
    table = np.zeros(256, np.bool_)
    table[list(characters.encode("ascii"))] = True
    table.setflags(write=False)
    return table


def _han() -> NDArray[np.bool_]:
    # Lead bytes E4 to E9 with any continuation: U+4000 to U+9FFF; `han_only` takes out what is below U+4E00.
    table = np.zeros(256, np.bool_)
    table[0x80:0xC0] = True
    table[0xE4:0xEA] = True
    table.setflags(write=False)
    return table


DIGITS = byteset("0123456789")
LETTERS = byteset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
PRINTABLE = byteset("".join(map(chr, range(0x21, 0x7F))))
HAN = _han()


def tight(text: Ragged) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The buffer without bytes outside the rows, and offsets into it."""
    first = text.offsets[0]
    offsets = text.offsets if first == 0 else text.offsets - first
    return text.data[first : text.offsets[-1]], offsets


def rows_at(offsets: NDArray[np.int64], positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows that bytes at these positions belong to."""
    if len(positions) * 4 < len(offsets) or offsets[-1] > _MANY:  # few of them, or too much room for the other way
        return np.searchsorted(offsets, positions, side="right") - 1
    rows = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    return rows[positions].astype(np.intp)


def classes(data: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What a table of 256 has for each byte; twice as fast as to index it."""
    return np.frombuffer(data.tobytes().translate(table.tobytes()), np.uint8)


def places(data: NDArray[np.uint8], table: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where bytes are that a table of 256 flags marks."""
    return np.flatnonzero(classes(data, table.view(np.uint8)).view(np.bool_))


UPPER = bytes(range(256)).upper()
"""A table for `squeezed`: letters of ASCII in upper case."""
LOWER = bytes(range(256)).lower()
"""The same in lower case."""


def squeezed(text: Ragged, drop: bytes, table: bytes | None = None) -> Ragged:
    """Take bytes out of all rows, and exchange others.

    A dash at an end of a row, but for what is dropped beside it, stays: it is a minus or a slip, and no separator.

    Args:
        text: The rows.
        drop: What is taken out: ASCII.
        table: 256 bytes, what is written for each; `None`: it stays.
    """
    data, offsets = tight(text)
    raw = data.tobytes()
    kept = np.frombuffer(raw.translate(table, drop), np.uint8)
    if len(kept) == len(raw):
        return Ragged(kept, offsets)
    flags = np.zeros(256, np.uint8)
    flags[list(drop)] = 1
    dropped = np.flatnonzero(classes(data, flags))
    plain = Ragged(kept, offsets - np.searchsorted(dropped, offsets))
    if not flags[_DASH]:
        return plain
    stays = (data[dropped] == _DASH) & at_ends(plain, dropped)
    if not stays.any():
        return plain
    return cut(Ragged(np.frombuffer(raw.translate(table), np.uint8), offsets), dropped[~stays])


def at_ends(plain: Ragged, dropped: NDArray[np.intp], sign: str = "") -> NDArray[np.bool_]:
    """Say which of the bytes that were taken out of rows have nothing before or nothing behind them there.

    Args:
        plain: What is left of the rows.
        dropped: Ascending positions of what was taken out, in the tight buffer before.
        sign: A character that counts as nothing where it begins what is left.
    """
    data, offsets = tight(plain)
    ends = np.zeros(len(data) + 1, np.bool_)
    ends[offsets] = True
    if sign and len(data):
        starts = offsets[:-1][plain.lengths > 0]
        ends[starts[data[starts] == ord(sign)] + 1] = True
    found: NDArray[np.bool_] = ends[dropped - np.arange(len(dropped))]
    return found


def erased(text: Ragged, marks: Sequence[bytes]) -> Ragged:
    """Take characters beyond ASCII out of all rows.

    Args:
        text: UTF-8 rows.
        marks: The characters.
    """
    return cut(text, where(text, marks))


def where(text: Ragged, marks: Sequence[bytes]) -> NDArray[np.intp]:
    """Say where characters beyond ASCII are: all their bytes, ascending, in the tight buffer."""
    if is_ascii(text):
        return np.empty(0, np.intp)
    data, _ = tight(text)
    high = np.flatnonzero(data >= _LEAD)
    leads = data[high]
    return np.sort(np.concatenate([_bytes_of(data, high[leads == mark[0]], mark) for mark in marks]))


def _bytes_of(data: NDArray[np.uint8], starts: NDArray[np.intp], mark: bytes) -> NDArray[np.intp]:
    """All positions of the bytes of a character; at the starts there is its first byte."""
    for place, byte in enumerate(mark[1:], 1):
        if not len(starts):
            break
        starts = starts[data[starts + place] == byte]  # a first byte promises the others, so none is beyond the end
    return (starts[:, None] + np.arange(len(mark))).reshape(-1)


def cut(text: Ragged, positions: NDArray[np.intp]) -> Ragged:
    """Take bytes out, at ascending positions in the tight buffer."""
    data, offsets = tight(text)
    if not len(positions):
        return text
    return Ragged(np.delete(data, positions), offsets - np.searchsorted(positions, offsets))


def beheaded(text: Ragged, lengths: NDArray[np.int64]) -> Ragged:
    """Take the first bytes from each row, so many as are said."""
    return between(text.data, text.offsets[:-1] + lengths, text.offsets[1:]) if lengths.any() else text


def exchanged(text: Ragged, width: int, write: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Ragged:
    """Write the rows of one width anew; all others stay."""
    if text.width == width:
        return Ragged.of_matrix(write(text.matrix(width)))
    wide = text.lengths == width
    if not wide.any():
        return text
    rows, rest = np.flatnonzero(wide), np.flatnonzero(~wide)
    return Ragged.merge(len(text), [(rows, Ragged.of_matrix(write(text.matrix(width, rows)))), (rest, text.take(rest))])


def without(text: Ragged, positions: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say which rows have none of these positions (in the tight buffer)."""
    good = np.ones(len(text), np.bool_)
    if len(positions):
        good[rows_at(tight(text)[1], positions)] = False
    return good


def only(text: Ragged, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which rows have only allowed bytes."""
    return without(text, places(tight(text)[0], ~allowed))


def is_ascii(text: Ragged) -> bool:
    """Whether all rows are ASCII."""
    data, _ = tight(text)
    return not len(data) or int(data.max()) < CONTINUATION


def printable(text: Ragged, *, extra: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Say which rows are tidy: visible ASCII, Han of U+4E00 to U+9FFF, and single spaces between them.

    Such rows are in NFKC, hold no control characters, and have no space at either end and no two together.

    Args:
        text: UTF-8 rows, none of them empty.
        extra: Instead of all visible ASCII, only these bytes beside Han; the space belongs to it or does not.
    """
    allowed = (PRINTABLE | HAN | byteset(" ")) if extra is None else (extra | HAN)
    good = only(text, allowed)
    data, offsets = tight(text)
    low = (data[:-1] == 0xE4) & (data[1:] < 0xB8)  # noqa: PLR2004 - U+4000 to U+4DFF, which are not all Han
    spaces = data == ord(" ")
    if low.any():
        good &= without(text, np.flatnonzero(low))
    if spaces.any():
        good &= ~(spaces[offsets[:-1]] | spaces[offsets[1:] - 1])
        good &= without(text, np.flatnonzero(spaces[:-1] & spaces[1:]))
    return good


def one_each(offsets: NDArray[np.int64], positions: NDArray[np.intp]) -> bool:
    """Whether these ascending positions are one in each row."""
    if len(positions) != len(offsets) - 1:
        return False
    return bool(((positions >= offsets[:-1]) & (positions < offsets[1:])).all())


def _widths() -> NDArray[np.int64]:
    table = np.ones(256, np.int64)
    table[0xC0:0xE0] = 2
    table[0xE0:0xF0] = 3
    table[0xF0:] = 4
    return table


_LEAD = 0xC0
"""From here on a byte begins a character beyond ASCII."""
_WIDTHS = _widths()
"""How many bytes a UTF-8 character has, by its first byte."""


def walk(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], characters: int
) -> NDArray[np.int64]:
    """Where one is after so many characters of UTF-8 from each start, at most at each end.

    Args:
        data: A tight buffer of valid UTF-8.
        starts: Where characters begin.
        ends: Where rows end.
        characters: How many to walk over.
    """
    place = starts
    for _ in range(characters):
        # At the end there is no character; the byte read there belongs to another row, and does not move the place.
        place = np.minimum(place + _WIDTHS[data[np.minimum(place, len(data) - 1)]], ends)
    return place


def walk_back(
    data: NDArray[np.uint8], ends: NDArray[np.int64], starts: NDArray[np.int64], characters: int
) -> NDArray[np.int64]:
    """Where one is so many characters of UTF-8 before each end, at least at each start."""
    place = ends
    for _ in range(characters):
        place = np.maximum(place - 1, starts)
        for _ in range(3):
            inside = (data[place] & 0xC0) == CONTINUATION
            if not inside.any():
                break
            place = place - inside
    return place


def between(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Ragged:
    """The bytes from each start to each end."""
    out = Ragged.empty(ends - starts)
    move(data, starts, out.data, out.offsets[:-1], out.lengths)
    return out


def beside(*parts: Ragged) -> Ragged:
    """Put columns next to each other: each row has what the same row of each part has, in order."""
    out = Ragged.empty(np.sum([part.lengths for part in parts], axis=0))
    places = out.offsets[:-1]
    for part in parts:
        move(part.data, part.offsets[:-1], out.data, places, part.lengths)
        places = places + part.lengths
    return out


def firsts(offsets: NDArray[np.int64], positions: NDArray[np.intp]) -> NDArray[np.int64]:
    """The first of these ascending positions in each row; where a row has none, its end."""
    return from_places(offsets[:-1], offsets[1:], positions)


def from_places(starts: NDArray[np.int64], ends: NDArray[np.int64], positions: NDArray[np.intp]) -> NDArray[np.int64]:
    """The first of these ascending positions from each start on; where none is before its end, that."""
    found = np.append(positions, np.iinfo(np.int64).max)[np.searchsorted(positions, starts)]
    within: NDArray[np.int64] = np.minimum(found, ends)
    return within


def heads(text: Ragged, lengths: NDArray[np.int64], suffix: bytes) -> Ragged:
    """The first bytes of each row, and the same suffix after them; for rows that are short.

    Args:
        text: The rows.
        lengths: How many bytes of each stay.
        suffix: What is written after them.
    """
    if not len(text):
        return text
    data, offsets = tight(text)
    longest = int(lengths.max())
    width = longest + len(suffix)
    wide = np.empty((len(text), width), np.uint8)
    if longest:
        padded = np.concatenate((data, np.zeros(longest, np.uint8)))
        wide[:, :longest] = np.lib.stride_tricks.sliding_window_view(padded, longest)[offsets[:-1]]
    ends = np.arange(len(text)) * width + lengths
    flat = wide.reshape(-1)
    for place, byte in enumerate(suffix):
        flat[ends + place] = byte
    totals = lengths + len(suffix)
    out = np.zeros(len(text) + 1, np.int64)
    np.cumsum(totals, out=out[1:])
    return Ragged(wide[np.arange(width) < totals[:, None]], out)


def of_width(text: Ragged, width: int, check: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Check the rows of one length; all others are no such value."""
    if text.width == width:
        return check(text.matrix(width))
    good = np.zeros(len(text), np.bool_)
    rows = np.flatnonzero(text.lengths == width)
    if len(rows):
        good[rows] = check(text.matrix(width, rows))
    return good
