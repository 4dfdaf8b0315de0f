"""Columns of moments written in digits alone, and of zones, brought to what ISO 8601 has for them.

| written | is |
|---|---|
| `20260131` | its midnight |
| `20260131120000`, also with `T` or a space behind the day, or three digits more, of milliseconds | that time |
| ten digits | as many seconds since 1970-01-01 in UTC, as Unix counts them |
| thirteen digits | milliseconds of the same |

Ten digits that are also an hour of the years 1900 to 2099 (`2026013112`) may mean either, and stay as they are. What is
no such spelling comes out as it was: whether it is a moment is for `Timestamp.recognise` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import between, byteset, from_places, places, tight
from privkit.fields.calendar import dates_of, exists, split_date
from privkit.fields.digits import are_digits, numbers, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS, MILLISECONDS = 10, 13
"""How many digits counts of seconds and of milliseconds have: from 2001-09-09 to 2286-11-20."""
_DAY: Final = 8
_BARE: Final = (_DAY, 14, 15, 17, 18)
"""How long moments of digits are: a day, one with a time, with a mark between; and the same with milliseconds."""
_PARTED: Final = (15, 18)
_WRITTEN: Final = np.frombuffer(b"0000-00-00T00:00:00.000000+00:00", np.uint8)
_SECOND_END, _FRACTION_END = 19, 26
_PLACES: Final = tuple(slice(*place) for place in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19), (20, 23)))
"""Where year, month, day, hour, minute, second and millisecond are in what is written."""


def extended(text: Ragged) -> Ragged:
    """Write moments of digits alone with their marks, `2026-01-31T12:00:00`; all other rows stay."""
    if not np.isin(text.lengths, (SECONDS, MILLISECONDS, *_BARE)).any():
        return text
    parts: list[tuple[NDArray[np.intp], Ragged]] = []
    for length, index in text.by_length():
        rows = np.arange(len(text)) if index is None else index
        if length in (SECONDS, MILLISECONDS, *_BARE):
            matrix = text.matrix(length, index)
            known, moments = _marked(matrix) if length in _BARE else _counted(matrix)
            whole = (moments[:, _SECOND_END + 1 : _FRACTION_END] == ord("0")).all(axis=1)
            short = np.delete(moments[known & whole], np.s_[_SECOND_END:_FRACTION_END], axis=1)
            parts += [(rows[known & whole], Ragged.of_matrix(short))]
            parts += [(rows[known & ~whole], Ragged.of_matrix(moments[known & ~whole]))]
            rows = rows[~known]
        parts.append((rows, text.take(rows)))
    return Ragged.merge(len(text), parts)


def _counted(digits: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which rows count seconds or milliseconds, and what they are with their zone."""
    known = are_digits(digits) & (digits[:, 0] != ord("0"))
    unit = 1000 if digits.shape[1] == MILLISECONDS else 1
    value = np.where(known, numbers(digits).astype(np.int64), 0)
    if unit == 1:
        known &= ~_are_hours(value)
    seconds, rest = np.divmod(value, unit)
    day, second = np.divmod(seconds, 86_400)
    out = np.tile(_WRITTEN, (len(digits), 1))
    for number, columns in zip(
        (*dates_of(day), second // 3600, second // 60 % 60, second % 60, rest), _PLACES, strict=True
    ):
        write(number.astype(np.uint64), out[:, columns])
    return known, out


def _are_hours(value: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which numbers are also an hour `YYYYMMDDHH` of the years 1900 to 2099."""
    year, month, day = split_date((value // 100).astype(np.uint64))
    hours: NDArray[np.bool_] = exists(year, month, day) & (value % 100 < 24)  # noqa: PLR2004 - the clock
    return hours & np.isin(year // 100, (19, 20))


def _marked(digits: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which rows are a day and a time without marks, and the same with them, without a zone."""
    parted = digits.shape[1] in _PARTED
    bare = np.delete(digits, _DAY, axis=1) if parted else digits
    known = are_digits(bare)
    if parted:
        known &= (digits[:, _DAY] == ord("T")) | (digits[:, _DAY] == ord(" "))
    out = np.tile(_WRITTEN[:_FRACTION_END], (len(digits), 1))
    start = 0
    for columns in _PLACES:
        end = start + columns.stop - columns.start
        if end <= bare.shape[1]:
            out[:, columns] = bare[:, start:end]
        start = end
    return known, out


_SIGNS, _MARKS, _ZULU = byteset("+-Zz"), byteset(" T"), byteset("Zz")
_SHORTEST_TIME: Final = len("3:04")


def parted_zones(text: Ragged) -> tuple[Ragged, Ragged]:
    """Cut zones from times, and write them `+08:00`: `Z`, `+0800` and `+08` too, with a space before or not.

    Returns:
        What stands before the zone of each row, and the zone; nothing where there is none.
    """
    data, offsets = tight(text)
    ends = offsets[1:]
    times = from_places(offsets[:-1], ends, places(data, _MARKS))
    starts = from_places(np.minimum(times + 1 + _SHORTEST_TIME, ends), ends, places(data, _SIGNS))
    if (starts == ends).all():
        return text, Ragged.of([b""]).take(np.zeros(len(text), np.intp))
    before = starts - ((starts < ends) & (data[starts - 1] == ord(" ")))
    return between(data, offsets[:-1], before), _zones(between(data, starts, ends))


def _zones(zones: Ragged) -> Ragged:
    parts: list[tuple[NDArray[np.intp], Ragged]] = []
    for length, index in zones.by_length():
        rows = np.arange(len(zones)) if index is None else index
        matrix = zones.matrix(length, index)
        if length == len("Z"):
            matrix = np.where(_ZULU[matrix], _WRITTEN[_FRACTION_END:], np.uint8(0))
        elif length in (len("+08"), len("+0800")):
            filled = np.concatenate([matrix, np.full((len(matrix), 5 - length), ord("0"), np.uint8)], axis=1)
            matrix = np.insert(filled, 3, ord(":"), axis=1)
        parts.append((rows, Ragged.of_matrix(matrix)))
    return Ragged.merge(len(zones), parts)
