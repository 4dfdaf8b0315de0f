"""The canonical text of moments, and the way back: `2026-01-02T03:04:05`, a fraction of six or nine digits, an offset.

Whole columns at once, by the digits; the way back is as strict as `canonical` is for every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.decimal_text import date_matrix, parse_date_matrix
from privkit._kernels.ragged import Ragged
from privkit.columns.instants import pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FRACTION: Final = np.array([10**power for power in range(8, -1, -1)], np.int64)
_SECONDS_A_DAY: Final = 86_400
_A_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_STAMP: Final = len("2026-01-02T03:04:05")
_MICRO: Final = 6  # digits of a fraction in microseconds
_STAMPS: Final = (_STAMP, _STAMP + 7, _STAMP + 10)
_OFFSETS: Final = (len("+08:00"), len("+08:05:43"))  # the longer one for the local mean times of the nineteenth century
_SIGNS: Final = np.frombuffer(b"+-", np.uint8)
_FIRST: Final = divmod(-(2**63) + 1, 10**9)  # second and fraction of the first moment in nanoseconds; before it is NaT
_LAST: Final = divmod(2**63 - 1, 10**9)


def format_timestamps(values: NDArray[np.datetime64]) -> Ragged:
    """The local clock, with as much of a fraction as there is."""
    text, width = _stamps(*_seconds(values))
    if (width == _STAMP).all():
        return Ragged.of_matrix(text[:, :_STAMP])
    out = Ragged.empty(width)
    out.data[:] = text[np.arange(text.shape[1]) < width[:, None]]
    return out


def format_instants(values: NDArray[Any]) -> Ragged:
    """Local time and offset."""
    offsets = values["offset"]
    seconds, nanoseconds = _seconds(np.ascontiguousarray(values["moment"]))
    stamps, width = _stamps(seconds + offsets, nanoseconds)
    suffix = np.empty((len(values), _OFFSETS[1]), np.uint8)
    suffix[:, 0] = np.where(offsets < 0, ord("-"), ord("+"))
    suffix[:, [3, 6]] = ord(":")
    ahead = np.abs(offsets)
    _write_clock(suffix, ((1, ahead // 3600), (4, ahead // 60 % 60), (7, ahead % 60)))
    of_suffix = np.where(ahead % 60 == 0, *_OFFSETS)
    if len(values) and (width == width[0]).all() and (of_suffix == of_suffix[0]).all():
        return Ragged.of_matrix(np.concatenate([stamps[:, : width[0]], suffix[:, : of_suffix[0]]], axis=1))
    text = np.concatenate([stamps, suffix], axis=1)
    columns = np.arange(text.shape[1]) - stamps.shape[1]
    shown = (columns < (width - stamps.shape[1])[:, None]) | ((columns >= 0) & (columns < of_suffix[:, None]))
    out = Ragged.empty(width + of_suffix)
    out.data[:] = text[shown]
    return out


def parse_timestamps(text: Ragged) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read each width of stamp by itself: whole seconds, microseconds, nanoseconds."""
    nanoseconds = bool((text.lengths == _STAMP + 10).any())
    values = np.zeros(len(text), "datetime64[ns]" if nanoseconds else "datetime64[us]")
    bad = np.ones(len(text), bool)
    for width, rows in text.by_length():
        if width in _STAMPS:
            where: Any = slice(None) if rows is None else rows
            seconds, fraction, wrong = _read_stamps(text.matrix(width, rows))
            values[where], bad[where] = _moments(seconds, fraction, wrong, nanoseconds=nanoseconds)
    return values, bad


def parse_instants(text: Ragged) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read each width of stamp and of offset by itself."""
    signs = {size: _signs(text, size) for size in _OFFSETS}
    nanoseconds = any(bool((text.lengths[found] == _STAMPS[2] + size).any()) for size, found in signs.items())
    moments = np.zeros(len(text), "datetime64[ns]" if nanoseconds else "datetime64[us]")
    offsets = np.zeros(len(text), np.int64)
    bad = np.ones(len(text), bool)
    for size, found in signs.items():
        for width in _STAMPS:
            rows = np.flatnonzero(found & (text.lengths == width + size))
            if not len(rows):
                continue
            whole = len(rows) == len(text)
            where: Any = slice(None) if whole else rows
            matrix = text.matrix(width + size, None if whole else rows)
            seconds, fraction, wrong = _read_stamps(matrix[:, :width])
            ahead, wrong_offset = _read_offsets(matrix[:, width:])
            wrong |= wrong_offset
            moments[where], bad[where] = _moments(seconds - ahead, fraction, wrong, nanoseconds=nanoseconds)
            offsets[where] = ahead
    return pack(moments, offsets), bad


def has_offsets(text: Ragged) -> NDArray[np.bool_]:
    """Which rows of canonical text of timestamps end in an offset, and so are instants."""
    short, long = (_signs(text, size) for size in _OFFSETS)
    return short | long


def _seconds(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Moments as whole seconds, and the nanoseconds beyond them."""
    a_second = _A_SECOND[np.datetime_data(values.dtype)[0]]
    numbers = values.view(np.int64)
    seconds = numbers // a_second  # not by NumPy's own conversion, which wraps at the first moments in nanoseconds
    return seconds, (numbers - seconds * a_second) * (10**9 // a_second)


def _stamps(seconds: NDArray[np.int64], nanoseconds: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Stamps with nine digits of a fraction, and how many of the characters are the canonical text."""
    days = seconds // _SECONDS_A_DAY
    of_day = seconds - days * _SECONDS_A_DAY
    text = np.empty((len(seconds), _STAMP + 10), np.uint8)
    text[:, :10] = date_matrix(days.view("datetime64[D]"))
    text[:, [10, 13, 16, 19]] = np.frombuffer(b"T::.", np.uint8)
    _write_clock(text, ((11, of_day // 3600), (14, of_day // 60 % 60), (17, of_day % 60)))
    if not nanoseconds.any():
        return text, np.full(len(seconds), _STAMP)
    text[:, _STAMP + 1 :] = nanoseconds[:, None] // _FRACTION % 10 + ord("0")
    return text, _STAMP + np.where(nanoseconds == 0, 0, np.where(nanoseconds % 1000 == 0, 7, 10))


def _write_clock(text: NDArray[np.uint8], parts: tuple[tuple[int, NDArray[np.int64]], ...]) -> None:
    """Write numbers of two digits, each at its column."""
    for column, number in parts:
        text[:, column] = number // 10 + ord("0")
        text[:, column + 1] = number % 10 + ord("0")


def _signs(text: Ragged, size: int) -> NDArray[np.bool_]:
    """Which rows are a stamp and have the sign of an offset so many characters before their end."""
    found = np.isin(text.lengths, np.add(_STAMPS, size))
    found[found] = np.isin(text.data[text.offsets[1:][found] - size], _SIGNS)
    return found


def _read_offsets(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Offsets in seconds, and which are not the canonical text of one."""
    whole = np.full((len(matrix), _OFFSETS[1]), ord("0"), np.uint8)
    whole[:, : matrix.shape[1]] = matrix
    digits = whole.astype(np.int64) - ord("0")
    hours, minutes, seconds = (digits[:, at] * 10 + digits[:, at + 1] for at in (1, 4, 7))
    figures = digits[:, [1, 2, 4, 5, 7, 8]]
    bad = ((figures < 0) | (figures > 9)).any(axis=1)  # noqa: PLR2004 the last digit
    bad |= (hours > 23) | (minutes > 59) | (seconds > 59)  # noqa: PLR2004 the clock
    bad |= (matrix[:, 3::3] != ord(":")).any(axis=1)
    offsets = hours * 3600 + minutes * 60 + seconds
    negative = matrix[:, 0] == ord("-")
    bad |= negative & (offsets == 0)  # UTC is +00:00
    if matrix.shape[1] == _OFFSETS[1]:
        bad |= seconds == 0  # the shorter text says the same
    return np.where(bad, 0, np.where(negative, -offsets, offsets)), bad


def _read_stamps(
    matrix: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds, the nanoseconds beyond them, and which rows are not the canonical text of a stamp."""
    days, bad = parse_date_matrix(matrix[:, :10])
    digits = matrix.astype(np.int64) - ord("0")
    hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (11, 14, 17))
    places = [11, 12, 14, 15, 17, 18, *range(_STAMP + 1, matrix.shape[1])]
    bad |= ((digits[:, places] < 0) | (digits[:, places] > 9)).any(axis=1)  # noqa: PLR2004 the last digit
    bad |= (matrix[:, [10, 13, 16]] != np.frombuffer(b"T::", np.uint8)).any(axis=1)
    bad |= (hour > 23) | (minute > 59) | (second > 59)  # noqa: PLR2004 the clock
    seconds = days.view(np.int64) * _SECONDS_A_DAY + hour * 3600 + minute * 60 + second
    fraction = np.zeros(len(matrix), np.int64)
    if matrix.shape[1] > _STAMP:
        shown = matrix.shape[1] - _STAMP - 1
        fraction = digits[:, _STAMP + 1 :] @ _FRACTION[:shown]
        bad |= matrix[:, _STAMP] != ord(".")
        bad |= fraction % (1000 if shown > _MICRO else 10**9) == 0  # fewer digits say the same
    return seconds, fraction, bad


def _moments(
    seconds: NDArray[np.int64], fraction: NDArray[np.int64], bad: NDArray[np.bool_], *, nanoseconds: bool
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Moments in nanoseconds or microseconds, and which are bad or do not fit."""
    if not nanoseconds:
        return (seconds * 10**6 + fraction // 1000).view("datetime64[us]"), bad
    bad = bad | (seconds < _FIRST[0]) | ((seconds == _FIRST[0]) & (fraction < _FIRST[1]))
    bad |= (seconds > _LAST[0]) | ((seconds == _LAST[0]) & (fraction > _LAST[1]))
    return (np.where(bad, 0, seconds) * 10**9 + fraction).view("datetime64[ns]"), bad  # what wraps wraps back
