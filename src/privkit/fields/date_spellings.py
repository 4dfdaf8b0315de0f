"""Columns of days written `1990/1/2`, `1990.01.02`, `1990年1月2日`, `19900102`, or with a midnight behind, as ISO 8601.

And of moments written as one of these, a space or `T`, and `3:04` or `03:04:05` and what follows; moments of digits
alone and zones are in `moment_spellings`.

Rows of one width are rewritten together. What is no such spelling comes out as it was, or as something that is no date:
whether it is one is for `Date.recognise` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import beside, between, byteset, firsts, tight
from privkit.fields.digits import are_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ISO: Final = 10
_BARE: Final = 8
_MARKS: Final = tuple(np.frombuffer(mark.encode(), np.uint8) for mark in "年月日")
_SEPARATORS: Final = np.frombuffer(b"-/.", np.uint8)
_MIDNIGHTS: Final = tuple(
    np.frombuffer(mark + time, np.uint8)
    for mark in (b" ", b"T")
    for time in (b"00:00:00", b"0:00", b"00:00", b"0:00:00")
)
_COLON: Final = byteset(":")
_DASH, _ZERO, _NONE = ord("-"), ord("0"), 0


def iso_days(text: Ragged) -> Ragged:
    """Write the days of a column as `1990-01-02`.

    Args:
        text: The rows.
    """
    parts: list[tuple[NDArray[np.intp], Ragged]] = []
    for length, index in text.by_length():
        rows = np.arange(len(text)) if index is None else index
        matrix = text.matrix(length, index)
        days = _days(matrix)
        if index is None and days is not None:
            return Ragged.of_matrix(days)
        parts.append((rows, Ragged.of_matrix(matrix if days is None else days)))
    return Ragged.merge(len(text), parts)


def iso_moments(text: Ragged) -> Ragged:
    """Write the moments of a column as `2026-01-02T03:04:05`, with the fraction and zone that stand behind.

    Args:
        text: The rows; a day alone is its midnight.
    """
    data, offsets = tight(text)
    marks = firsts(offsets, np.flatnonzero((data == ord(" ")) | (data == ord("T"))))
    days = iso_days(between(data, offsets[:-1], marks))
    timed = marks < offsets[1:]
    times = _clock(between(data, np.minimum(marks + 1, offsets[1:]), offsets[1:]), timed)
    return beside(days, _some(np.ones(len(text), np.bool_), b"T"), times)


def _clock(times: Ragged, timed: NDArray[np.bool_]) -> Ragged:
    """Times with two digits of hours and with seconds: midnight where there is none."""
    short = _has(times, 1, _COLON)
    full = beside(_some(short, b"0"), times)
    return beside(_some(~timed, b"00:00:00"), full, _some(timed & (full.lengths == len("03:04")), b":00"))


def _has(text: Ragged, place: int, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows have at a place one of the bytes that a table marks."""
    good = text.lengths > place
    good[good] = which[text.data[text.offsets[:-1][good] + place]]
    return good


def _some(rows: NDArray[np.bool_], word: bytes) -> Ragged:
    """A word in some rows, and nothing in the others."""
    return Ragged.of([b"", word]).take(rows.astype(np.intp))


def _days(matrix: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Rows of one width as days, `None` where no row is one."""
    width = matrix.shape[1]
    for midnight in _MIDNIGHTS:
        size = len(midnight)
        if width >= _BARE + size and (behind := (matrix[:, -size:] == midnight).all(axis=1)).any():
            days = _days(matrix[:, :-size])
            return None if days is None else _only(behind, days)
    if width in (_BARE, _BARE + 1, _ISO):
        days = _from_parts(matrix)
        if width == _BARE and (bare := are_digits(matrix)).any():
            days[bare] = _from_digits(matrix[bare])
        return days
    marks = len(_MARKS) * len(_MARKS[0])
    return _from_marks(matrix) if 6 + marks <= width <= _BARE + marks else None


def _from_digits(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    out = np.full((len(matrix), _ISO), _DASH, np.uint8)
    out[:, :4], out[:, 5:7], out[:, 8:] = matrix[:, :4], matrix[:, 4:6], matrix[:, 6:]
    return out


def _from_parts(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Year, month and day with the same separator twice, and month and day of one or two digits."""
    separator = matrix[:, 4]
    short = matrix[:, 6] == separator
    parted = np.isin(separator, _SEPARATORS) & (short | (matrix[:, 7] == separator))
    return _only(parted, _joined(matrix[:, :4], matrix[:, 5:], short))


def _from_marks(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`1990年1月2日`."""
    year, month, day = _MARKS
    short = (matrix[:, 8:11] == month).all(axis=1)
    marked = (matrix[:, 4:7] == year).all(axis=1) & (matrix[:, -3:] == day).all(axis=1)
    marked &= short | (matrix[:, 9:12] == month).all(axis=1)
    # Without the two bytes by which the mark of the month is longer than a dash.
    rest = np.where(short[:, None], np.delete(matrix, (9, 10), axis=1), np.delete(matrix, (10, 11), axis=1))
    return _only(marked, _joined(matrix[:, :4], rest[:, 7:-3], short))


def _joined(year: NDArray[np.uint8], rest: NDArray[np.uint8], short: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A day from its year, and from its month, a separator and its day.

    Args:
        year: `(rows, 4)`.
        rest: `(rows, 3 to 5)`.
        short: Whether the month has one digit.
    """
    width = rest.shape[1]
    out = np.full((len(year), _ISO), _DASH, np.uint8)
    out[:, :4] = year
    out[:, 5] = np.where(short, _ZERO, rest[:, 0])
    out[:, 6] = np.where(short, rest[:, 0], rest[:, 1])
    digits = np.where(short, width - 2, width - 3)
    out[:, 8] = np.where(digits == 1, _ZERO, rest[:, -2])
    out[:, 9] = rest[:, -1]
    return _only((digits == 1) | (digits == 2), out)  # noqa: PLR2004 - a day has one digit or two


def _only(good: NDArray[np.bool_], days: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The days, and in the other rows what is none."""
    days[~good] = _NONE
    return days
