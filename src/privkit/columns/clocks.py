"""What `date` and `datetime` objects show, as arrays: by their parts, since NumPy takes ten times as long over each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_A_DAY: Final = 86_400


def are_all(cls: type, objects: Sequence[Any]) -> bool:
    """Whether all objects are of a type itself, not of a subclass that may show something else."""
    return list(map(type, objects)).count(cls) == len(objects)


def days_of(objects: Sequence[dt.date]) -> NDArray[np.datetime64]:
    """Dates as `datetime64[D]`."""
    return _days(objects).view("datetime64[D]") if are_all(dt.date, objects) else np.array(objects, "datetime64[D]")


def local_clocks(objects: Sequence[dt.datetime]) -> NDArray[np.datetime64]:
    """What the local clock showed at each moment, as `datetime64[us]`; zones are left out."""
    if not are_all(dt.datetime, objects):
        return np.array([value.replace(tzinfo=None) for value in objects], "datetime64[us]")
    clock = _days(objects)
    clock *= _A_DAY
    clock += np.array([value.hour for value in objects], np.int64) * 3600
    clock += np.array([value.minute for value in objects], np.int64) * 60
    clock += np.array([value.second for value in objects], np.int64)
    clock *= 10**6
    clock += np.array([value.microsecond for value in objects], np.int64)
    return clock.view("datetime64[us]")


def seconds_of(offsets: Sequence[dt.timedelta]) -> NDArray[np.int64]:
    """Whole seconds of offsets from UTC, of which there are few that differ."""
    seconds = {offset: offset // dt.timedelta(seconds=1) for offset in set(offsets)}
    return np.array([seconds[offset] for offset in offsets], np.int64)


def _days(objects: Sequence[dt.date]) -> NDArray[np.int64]:
    days = np.fromiter(map(dt.date.toordinal, objects), np.int64, len(objects))
    days -= _EPOCH
    return days
