"""Integers and dates as decimal text and back, many at a time, without a Python object per row.

Text is canonical: one value has one text, so that text compares, joins and encrypts like its value. Integers are plain
(`-120`, no plus sign, no leading zeros); dates are the ISO 8601 extended calendar form (`1990-01-02`) of the proleptic
Gregorian calendar, years 0001 to 9999, as in Python's `datetime.date`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

_CHUNK: Final = 1 << 15  # rows at a time: a chunk's digits stay in the second-level cache
_ZERO: Final = ord("0")
_DASH: Final = ord("-")
_LONGEST: Final = 20  # characters of -2**63 and of 2**64 - 1
_POWERS: Final = np.array([10**power for power in range(1, 20)], np.uint64)
_FOUR_DIGITS: Final = np.ascontiguousarray(
    np.arange(10_000, dtype=np.uint32)[:, None] // np.array([1000, 100, 10, 1], np.uint32) % 10 + _ZERO, np.uint8
)  # row i is the text of i in four digits
_FOUR: Final = _FOUR_DIGITS.view(np.uint32).reshape(-1)  # the same, one machine word a row

_FIRST_DAY: Final = int(np.datetime64("0001-01-01", "D").astype(np.int64))
_LAST_DAY: Final = int(np.datetime64("9999-12-31", "D").astype(np.int64))
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_DATE_WIDTH: Final = 10
_DATE_DIGITS: Final = np.array([0, 1, 2, 3, 5, 6, 8, 9])
_FEBRUARY: Final = 2


def format_integers(values: NDArray[np.int64] | NDArray[np.uint64]) -> Ragged:
    """Write integers as plain decimal text.

    Args:
        values: `int64` or `uint64`, shape `(rows,)`.

    Returns:
        One row of ASCII per integer.
    """
    negative = values < 0
    magnitude = values.astype(np.uint64)  # wraps below zero, and negating that is the magnitude, -2**63 included
    np.negative(magnitude, out=magnitude, where=negative)
    lengths = _decimal_lengths(magnitude) + negative
    out = Ragged.empty(lengths)
    for part in _chunks(len(values)):
        target = out.data[out.offsets[part.start] : out.offsets[part.stop]]
        target[:] = _right_aligned(magnitude[part], negative[part], lengths[part])
    return out


def parse_integers(
    rows: Ragged, dtype: DTypeLike = np.int64, *, leading_zeros: bool = False
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Read plain decimal text as integers.

    Args:
        rows: Text, one integer a row.
        dtype: `numpy.int64` or `numpy.uint64`.
        leading_zeros: Whether `007` is read as 7; otherwise it is bad, for its zeros would be lost. `-0` is bad always.

    Returns:
        The integers, 0 where the row is not one of the type, and the mask of those bad rows.
    """
    signed = np.dtype(dtype) == np.int64
    lengths = rows.lengths
    values, bad = np.zeros(len(rows), dtype), (lengths == 0) | (lengths > _LONGEST)
    width = int(lengths.max(initial=0, where=~bad))
    for part in _chunks(len(rows)) if width else ():
        digits, count, negative, wrong = _digits(rows, part, width)
        magnitude, overflow = _accumulate(digits)
        limit = np.where(negative, np.uint64(1 << 63), np.uint64((1 << 63) - 1 if signed else (1 << 64) - 1))
        wrong |= overflow | (magnitude > limit) | (negative & ((magnitude == 0) | (not signed)))
        if not leading_zeros:
            wrong |= (count > 1) & (_decimal_lengths(magnitude) < count)
        bad[part] |= wrong
        np.negative(magnitude, out=magnitude, where=negative)
        values[part] = magnitude.astype(dtype)
    values[bad] = 0
    return values, bad


def format_dates(days: NDArray[np.datetime64]) -> Ragged:
    """Write dates as `YYYY-MM-DD`.

    Args:
        days: `datetime64[D]`, shape `(rows,)`.

    Returns:
        One row of ten ASCII characters per date.

    Raises:
        InvalidValue: If some date is NaT or outside the years 0001 to 9999; with their positions.
    """
    return Ragged.of_matrix(date_matrix(days))


def date_matrix(days: NDArray[np.datetime64]) -> NDArray[np.uint8]:
    """Write dates as the rows of a `(rows, 10)` matrix of ASCII; arguments and errors as in `format_dates`."""
    numbers = days.astype("datetime64[D]").view(np.int64)
    outside = (numbers < _FIRST_DAY) | (numbers > _LAST_DAY)  # NaT is the least int64
    if outside.any():
        raise InvalidValue(
            "a date outside the years 0001 to 9999",
            rows=np.flatnonzero(outside)[: InvalidValue.MAX_ROWS],
            count=int(outside.sum()),
        )
    text = np.empty((len(days), _DATE_WIDTH), np.uint8)
    for part in _chunks(len(days)):
        year, month, day = civil_from_days(numbers[part])
        text[part, :4] = _FOUR_DIGITS[year]
        text[part, 5:7] = _FOUR_DIGITS[month, 2:]
        text[part, 8:] = _FOUR_DIGITS[day, 2:]
    text[:, [4, 7]] = _DASH
    return text


def parse_dates(rows: Ragged) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Read `YYYY-MM-DD` as dates; strictly, and only days that exist.

    Args:
        rows: Text, one date a row.

    Returns:
        `datetime64[D]`, NaT where the row is no such date, and the mask of those bad rows.
    """
    bad = rows.lengths != _DATE_WIDTH
    days = np.full(len(rows), np.datetime64("NaT"), "datetime64[D]")
    good = np.flatnonzero(~bad) if bad.any() else None
    matrix = rows.matrix(_DATE_WIDTH, good)
    numbers, wrong = parse_date_matrix(matrix)
    numbers[wrong] = np.datetime64("NaT")
    where: Any = slice(None) if good is None else good
    days[where], bad[where] = numbers, wrong
    return days, bad


def parse_date_matrix(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Read the rows of a `(rows, 10)` matrix as `YYYY-MM-DD`; as `parse_dates`, but bad rows hold any date."""
    digits = matrix[:, _DATE_DIGITS] - np.uint8(_ZERO)
    bad = (digits > 9).any(axis=1) | (matrix[:, 4] != _DASH) | (matrix[:, 7] != _DASH)  # noqa: PLR2004 the last digit
    wide = digits.astype(np.int64)
    year = wide[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = wide[:, 4] * 10 + wide[:, 5], wide[:, 6] * 10 + wide[:, 7]
    bad |= ~is_real_date(year, month, day)
    return days_from_civil(year, month, day).view("datetime64[D]"), bad


def is_real_date(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the day exists in the proleptic Gregorian calendar, years 1 to 9999; any integers may be asked about."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_ok = (month >= 1) & (month < len(_MONTH_DAYS))
    last = _MONTH_DAYS[np.where(month_ok, month, 0)] + (leap & (month == _FEBRUARY))
    in_years = (year >= 1) & (year <= 9999)  # noqa: PLR2004 the last year of four digits
    result: NDArray[np.bool_] = month_ok & in_years & (day >= 1) & (day <= last)
    return result


def civil_from_days(days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Days since 1970-01-01 as year, month and day of the proleptic Gregorian calendar.

    After Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in March, so
    that the leap day is the last of a year, in eras of 400 years.
    """
    since = days + 719_468  # days since 0000-03-01
    era = since // 146_097
    of_era = since - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + np.where(from_march < 10, 3, -9)  # noqa: PLR2004 March is 0, so January is 10
    return year_of_era + era * 400 + (month <= _FEBRUARY), month, day


def days_from_civil(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Year, month and day as days since 1970-01-01: the inverse of `civil_from_days`, from the same source."""
    from_march_year = year - (month <= _FEBRUARY)
    era = from_march_year // 400
    year_of_era = from_march_year - era * 400
    from_march = month + np.where(month > _FEBRUARY, -3, 9)
    of_year = (153 * from_march + 2) // 5 + day - 1
    of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year
    result: NDArray[np.int64] = era * 146_097 + of_era - 719_468
    return result


def _chunks(rows: int) -> Iterator[slice]:
    """Cut rows into slices that a cache holds."""
    for start in range(0, rows, _CHUNK):
        yield slice(start, min(start + _CHUNK, rows))


def _decimal_lengths(magnitude: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many decimal digits each number has; 1 for 0."""
    lengths = np.ones(len(magnitude), np.int64)
    largest = int(magnitude.max(initial=0))
    for power in _POWERS[: len(str(largest)) - 1]:
        lengths += magnitude >= power
    return lengths


def _right_aligned(
    magnitude: NDArray[np.uint64], negative: NDArray[np.bool_], lengths: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The texts of a chunk of integers, end to end: written right-aligned in words of four digits, then cut out."""
    words = -(-int(lengths.max()) // 4)
    table = np.empty((len(magnitude), words), np.uint32)
    rest = magnitude
    for word in range(words - 1, 0, -1):
        higher = rest // np.uint64(10_000)
        table[:, word] = _FOUR[rest - higher * np.uint64(10_000)]
        rest = higher
    table[:, 0] = _FOUR[rest]
    text = table.view(np.uint8)
    columns = 4 * words
    below = np.flatnonzero(negative)
    text[below, columns - lengths[below]] = _DASH
    if lengths.min() == lengths.max():
        return text[:, columns - int(lengths[0]) :].reshape(-1)
    return text[np.arange(columns) >= (columns - lengths)[:, None]]


def _digits(
    rows: Ragged, part: slice, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """A chunk of text as right-aligned digits.

    Returns:
        `(rows, width)` digits with zeros before each number, how many digits each row has, which rows begin with a
        minus sign, and which hold anything else or no digit.
    """
    starts, ends = rows.offsets[part], rows.offsets[part.start + 1 : part.stop + 1]
    place = (ends - width)[:, None] + np.arange(width)
    outside = place < starts[:, None]
    np.maximum(place, rows.offsets[0], out=place)
    digits = rows.data[place] - np.uint8(_ZERO)
    digits[outside] = 0
    count = ends - starts
    some = count > 0
    negative = np.zeros(len(count), bool)
    negative[some] = rows.data[starts[some]] == _DASH
    signs = np.flatnonzero(negative & (count <= width))
    digits[signs, width - count[signs]] = 0
    count = count - negative
    return digits, count, negative, (digits > 9).any(axis=1) | (count < 1)  # noqa: PLR2004 the last digit


def _accumulate(digits: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The number that each row of at most 20 digits makes, and which ones pass 2**64."""
    total = np.zeros(len(digits), np.uint64)
    overflow = np.zeros(len(digits), bool)
    for place in range(digits.shape[1]):
        if place == _LONGEST - 1:
            last = digits[:, place].astype(np.uint64)
            overflow = total > (np.uint64((1 << 64) - 1) - last) // np.uint64(10)
        total *= np.uint64(10)
        total += digits[:, place]
    return total, overflow
