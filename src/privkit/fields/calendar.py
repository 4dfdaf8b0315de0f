"""The Gregorian calendar over columns: ISO dates as digits, and as days since 1970-01-01."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.digits import all_digits, number, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

ISO_WIDTH = 10
_DASH = ord("-")
_LENGTHS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_U = np.uint64


def is_date(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which rows are `YYYY-MM-DD` and exist; years 0001 to 9999.

    Args:
        matrix: `(rows, 10)`.
    """
    dashes = (matrix[:, 4] == _DASH) & (matrix[:, 7] == _DASH)
    word = _packed(matrix)
    good: NDArray[np.bool_] = dashes & all_digits(word) & exists(*split_date(number(word)))
    return good


def exists(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which days are in the calendar."""
    month_known = (month >= 1) & (month <= 12)  # noqa: PLR2004 - months
    last = _LENGTHS[np.where(month_known, month, 0)]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = last + ((month == 2) & leap)  # noqa: PLR2004 - February
    good: NDArray[np.bool_] = month_known & (year >= 1) & (day >= 1) & (day <= last)
    return good


def fields_of(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Year, month and day of rows `YYYY-MM-DD`."""
    return split_date(number(_packed(matrix)))


def _packed(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The digits YYYYMMDD of each row as one word."""
    packed = np.empty((len(matrix), 8), np.uint8)
    packed[:, :4] = matrix[:, :4]
    packed[:, 4:6] = matrix[:, 5:7]
    packed[:, 6:] = matrix[:, 8:10]
    return packed.reshape(-1).view("<u8").astype(np.uint64, copy=False)


def split_date(value: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Year, month and day of numbers such as 19900102."""
    whole = value.astype(np.int64)
    months = whole // 100
    year = months // 100
    return year, months - year * 100, whole - months * 100


def days_of(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days since 1970-01-01 of dates that exist."""
    months = (year - 1970) * 12 + month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return first + day - 1


def dates_of(days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Year, month and day of days since 1970-01-01."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    months = month.astype(np.int64)
    year = months // 12
    return year + 1970, months - year * 12 + 1, (date - month).astype(np.int64) + 1


def write_date(days: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Write days since 1970-01-01 as `YYYY-MM-DD` into a `(rows, 10)` matrix."""
    year, month, day = dates_of(days)
    out[:, 4] = out[:, 7] = _DASH
    for part, columns in ((year, slice(0, 4)), (month, slice(5, 7)), (day, slice(8, 10))):
        write(part.astype(np.uint64), out[:, columns])
