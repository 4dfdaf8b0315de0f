"""Moments with a zone: the moment in UTC, and how far the local clock was ahead of it then.

Both are needed: the moment says when it was, and the local clock says which day it was for those who lived it. Arrow,
pandas and Polars keep the moment and the name of a zone, and the offsets are found here, the same for all of them;
`datetime` objects know their offsets, and so does text.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from privkit.columns.clocks import local_clocks, seconds_of
from privkit.errors import InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_A_DAY: Final = 86_400
_FIXED: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_DAYS: Final = (dt.date(1, 1, 1).toordinal() - 719_163, dt.date(9999, 12, 31).toordinal() - 719_163)
"""The first and the last day that `datetime` knows, from 1970 on."""


def pack(moments: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Moments in UTC and the seconds that their local clocks were ahead, as `Kind.INSTANT` has them."""
    out = np.empty(len(moments), [("moment", moments.dtype), ("offset", np.int64)])
    out["moment"] = moments
    out["offset"] = offsets
    return out


def in_zone(moments: NDArray[Any], zone: dt.tzinfo) -> NDArray[Any]:
    """Moments in UTC as instants with the offsets that a zone had at each.

    The rules of a zone are asked twice for each day that there is, at its first and its last second, and where the two
    differ the second of the change is searched; a zone does not change twice on one day.

    Args:
        moments: `datetime64`, none of them NaT. Those outside the years 0001 to 9999 get the offset 0.
        zone: Any zone of the standard library's interface.

    Raises:
        InvalidValue: If an offset has a fraction of a second, which no text of it has.
    """
    if isinstance(zone, dt.timezone):
        return pack(moments, np.full(len(moments), _seconds(zone.utcoffset(None)), np.int64))
    seconds = moments.astype("datetime64[s]").view(np.int64)
    days = np.clip(seconds // _A_DAY, *_DAYS)
    if not len(days):
        return pack(moments, np.empty(0, np.int64))
    first = int(days.min())
    places = days - first
    there = np.zeros(int(places.max()) + 1, np.bool_)
    there[places] = True
    table = np.zeros((3, len(there)), np.int64)  # where no value is, it is not touched and takes no memory
    for place in np.flatnonzero(there).tolist():
        table[:, place] = _day(zone, (first + place) * _A_DAY)
    before, after, change = table[:, places]
    return pack(moments, np.where(seconds < change, before, after))


def zone_named(name: str) -> dt.tzinfo:
    """A zone by what Arrow and Polars call it: a name of the IANA's database, or `+08:00`.

    Raises:
        WrongType: If there is none of that name on this system.
    """
    fixed = _FIXED.fullmatch(name)
    try:
        if fixed is None:
            return ZoneInfo(name)
        ahead = dt.timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        return dt.timezone(-ahead if fixed[1] == "-" else ahead)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongType(
            f"this system does not know the time zone {name!r}; install tzdata, or convert to UTC"
        ) from None


def of_datetimes(objects: Sequence[dt.datetime], ahead: Sequence[dt.timedelta]) -> NDArray[Any]:
    """Instants of `datetime` objects that all have a zone, in microseconds.

    Args:
        objects: The moments.
        ahead: Their offsets from UTC.

    Raises:
        InvalidValue: If an offset has a fraction of a second; with positions in `objects`.
    """
    bad = [row for row, offset in enumerate(ahead) if offset.microseconds]
    if bad:
        raise InvalidValue("a time zone whose offset has a fraction of a second", rows=bad)
    offsets = seconds_of(ahead)
    return pack(local_clocks(objects) - offsets.astype("timedelta64[s]"), offsets)


def to_datetimes(values: NDArray[Any], zone: dt.tzinfo | None = None) -> list[dt.datetime]:
    """Instants as `datetime` objects, in a zone or each at its own offset.

    Raises:
        InvalidValue: If some are finer than a microsecond or outside the years 0001 to 9999; with positions.
    """
    moments = values["moment"]
    exact = moments.astype("datetime64[us]")
    local = exact + values["offset"].astype("timedelta64[s]")
    days = local.astype("datetime64[D]").view(np.int64)
    wrong = (exact.astype(moments.dtype) != moments) | (days < _DAYS[0]) | (days > _DAYS[1])
    if wrong.any():
        reason = "a moment finer than a microsecond, or outside the years 0001 to 9999, which no datetime holds"
        raise InvalidValue(reason, rows=np.flatnonzero(wrong))
    fixed = {offset: dt.timezone(dt.timedelta(seconds=offset)) for offset in np.unique(values["offset"]).tolist()}
    pairs = zip(local.tolist(), values["offset"].tolist(), strict=True)
    rows = [row.replace(tzinfo=fixed[offset]) for row, offset in pairs]
    return rows if zone is None else [_moved(row, zone) for row in rows]


def has_offset(value: dt.datetime) -> bool:
    """Whether a `datetime` knows its offset from UTC."""
    return value.tzinfo is not None and value.utcoffset() is not None


def _moved(row: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    try:
        return row.astimezone(zone)
    except OverflowError:  # within hours of the first or the last moment, where UTC is beyond: the same moment
        return row


def _day(zone: dt.tzinfo, start: int) -> tuple[int, int, int]:
    """The offsets at a day's first and last second, and the first second that has the last one's."""
    low, high = start, start + _A_DAY - 1
    before, after = _offset(zone, low), _offset(zone, high)
    while before != after and high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return before, after, high


def _offset(zone: dt.tzinfo, second: int) -> int:
    try:
        return _seconds((_EPOCH + dt.timedelta(seconds=second)).astimezone(zone).utcoffset())
    except OverflowError:  # the local clock would be beyond the calendar, and UTC is not
        return 0


def _seconds(offset: dt.timedelta | None) -> int:
    whole = offset or dt.timedelta()
    if whole.microseconds:
        raise InvalidValue("a time zone whose offset has a fraction of a second")
    return whole.days * _A_DAY + whole.seconds
