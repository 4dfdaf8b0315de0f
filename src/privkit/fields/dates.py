"""Field types of days, moments and spans of time."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bands import AgeBand
from privkit.fields.base import Category, FieldType, Sensitivity, chunks
from privkit.fields.bytesets import beside
from privkit.fields.calendar import is_date
from privkit.fields.date_layout import DateLayout
from privkit.fields.date_spellings import iso_days, iso_moments
from privkit.fields.digits import are_digits, numbers
from privkit.fields.levels import date_levels
from privkit.fields.masks import Template, profiles
from privkit.fields.moment_spellings import MILLISECONDS, SECONDS, extended, parted_zones
from privkit.fields.plain import tidy, unguarded

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY = r"(?P<y>[0-9]{4})(?P<sep>[-/.年])(?P<m>[0-9]{1,2})(?:(?P=sep)|月)(?P<d>[0-9]{1,2})日?"
_SHORT_DAY = r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
_ZONE = r"\s?(?P<zone>Z|[+-][0-9]{2}:?(?:[0-9]{2}(?::?[0-9]{2})?)?)?"
_TIME = rf"(?P<H>[0-9]{{1,2}}):(?P<M>[0-9]{{2}})(?::(?P<S>[0-9]{{2}})(?:[.,](?P<f>[0-9]{{1,9}}))?)?{_ZONE}"
_DATE = re.compile(rf"(?:{_DAY})(?:[T ]0?0:00(?::00(?:\.0+)?)?{_ZONE})?")
_SHORT_DATE = re.compile(rf"{_SHORT_DAY}(?:[T ]?0{{6}}|[T ]0?0:00(?::00)?)?")
_BARE_TIME = (
    rf"(?P<H>[0-9]{{2}})(?P<M>[0-9]{{2}})(?P<S>[0-9]{{2}})(?:[.,](?P<f>[0-9]{{1,9}})|(?P<ms>[0-9]{{3}}))?{_ZONE}"
)
_MOMENTS = tuple(
    re.compile(moment, re.IGNORECASE)
    for moment in (
        rf"{_DAY}(?:[T\s]{_TIME})?",
        rf"{_SHORT_DAY}(?:[T\s]{_TIME})?",
        rf"{_SHORT_DAY}[T\s]?{_BARE_TIME}",
    )
)
_COUNT = re.compile(rf"[1-9][0-9]{{{SECONDS - 1}}}(?:[0-9]{{{MILLISECONDS - SECONDS}}})?")
_ISO_WIDTH = 10
_SECOND_WIDTH = 19
_MOMENT_WIDTHS = (_SECOND_WIDTH, _SECOND_WIDTH + 7)
"""Without and with microseconds; longer ones have a zone."""
_OFFSET_WIDTH = 6
_ZONED_WIDTHS = tuple(width + _OFFSET_WIDTH for width in _MOMENT_WIDTHS)
_FRACTION_WIDTHS = range(_SECOND_WIDTH + 2, _SECOND_WIDTH + 8)
"""With one digit of a fraction to six; of more, what is canonical depends on how many are zero."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Date(FieldType):
    """A day of the Gregorian calendar; canonical is ISO 8601, `1990-01-02`."""

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form.

        Understood are `1990-01-02`, `1990/1/2`, `1990.1.2`, `1990年1月2日`, `19900102`, and each of the first four with
        a time of midnight, as exports of date columns have it; in a zone it is midnight there. Counts of seconds are
        refused: they are moments, and have a day in a zone only.
        """
        if len(text) == _ISO_WIDTH and _is_written_by(dt.date, text):
            return text
        plain = unguarded(tidy(text))
        match = _DATE.fullmatch(plain) or _SHORT_DATE.fullmatch(plain)
        if match is None and _COUNT.fullmatch(plain):
            raise self.invalid("a count of seconds or milliseconds has a day in a zone only; take the type timestamp")
        if match is None:
            raise self.invalid("not written as a date (YYYY-MM-DD)")
        return self._day(match)

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """ISO dates that exist are canonical."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if length == _ISO_WIDTH:
                known = is_date(text.matrix(length, rows))
                if rows is None:
                    return known
                good[rows] = known
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Write days of other spellings as ISO dates."""
        return iso_days(text)

    def _day(self, match: re.Match[str]) -> str:
        with suppress(ValueError):  # which would go along as the context of ours, and says the day
            return dt.date(int(match["y"]), int(match["m"]), int(match["d"])).isoformat()
        raise self.invalid("there is no such day in the calendar")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Timestamp(Date):
    """A moment; canonical is ISO 8601 as Python writes it, `2026-01-02T03:04:05[.ffffff][+08:00]`.

    A zone is kept where it is written and never made up. A fraction of zero is left out.
    """

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form.

        Understood are the dates of `Date`, alone (midnight) or followed by `T` or a space and `3:04`, `03:04:05`, a
        fraction of up to nine digits, and `Z` or an offset; `20260131120000` with or without milliseconds, or `T`
        between; and counts since 1970-01-01 of seconds (ten digits) or milliseconds (thirteen), which are UTC.
        """
        if len(text) in (*_MOMENT_WIDTHS, *_ZONED_WIDTHS) and _is_written_by(dt.datetime, text):
            return text
        plain = unguarded(tidy(text))
        if _COUNT.fullmatch(plain):
            return self._counted(plain)
        match = next(filter(None, (moment.fullmatch(plain) for moment in _MOMENTS)), None)
        if match is None:
            raise self.invalid("not written as a time stamp (YYYY-MM-DDTHH:MM:SS)")
        parts = match.groupdict()
        hour, minute, second = (int(parts[name] or 0) for name in "HMS")
        if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - the clock
            raise self.invalid("there is no such time of day")
        fraction = _fraction(parts["f"] or parts.get("ms"))
        return f"{self._day(match)}T{hour:02}:{minute:02}:{second:02}{fraction}{self._zone(parts['zone'])}"

    def _counted(self, digits: str) -> str:
        """The moment that a count of seconds or milliseconds is."""
        canonical = extended(Ragged.of_text([digits])).to_text()[0]
        if canonical == digits:
            raise self.invalid("ten digits that may be an hour or seconds since 1970; write it YYYY-MM-DDTHH:MM:SS")
        return canonical

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Whole seconds and microseconds are canonical, and so are both with an offset in hours and minutes."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if length in _MOMENT_WIDTHS or length in _ZONED_WIDTHS:
                known = (_is_moment if length in _MOMENT_WIDTHS else _is_zoned)(text.matrix(length, rows))
                if rows is None:
                    return known
                good[rows] = known
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Write moments as databases and CSV exports have them in canonical form."""
        return Ragged.concat(map(_respelt, chunks(text)))

    def _zone(self, zone: str | None) -> str:
        if not zone:
            return ""
        if zone in {"Z", "z"}:
            return "+00:00"
        digits = zone[1:].replace(":", "").ljust(6, "0")
        hours, minutes, seconds = digits[:2], digits[2:4], digits[4:]
        if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:  # noqa: PLR2004 - the clock
            raise self.invalid("there is no such offset from UTC")
        sign = "+" if int(digits) == 0 else zone[0]  # one text for UTC
        return f"{sign}{hours}:{minutes}" + (f":{seconds}" if int(seconds) else "")


def _is_written_by(kind: type[dt.date], text: str) -> bool:
    """Whether the standard library writes a value just so: the short way for what is canonical already."""
    try:
        return kind.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _fraction(fraction: str | None) -> str:
    digits = (fraction or "").rstrip("0")
    return f".{digits.ljust(6, '0')}" if digits else ""


def _respelt(text: Ragged) -> Ragged:
    moments, zones = parted_zones(text)
    written = _rewritten(iso_moments(extended(moments)))
    return beside(written, zones) if zones.lengths.any() else written


def _rewritten(text: Ragged) -> Ragged:
    """Bring rows `2026-01-02 03:04:05[.f]`, with a space or `T` and up to six digits, into canonical form.

    Returns:
        All rows, those of any other shape as they were.
    """
    parts: list[tuple[NDArray[np.intp], Ragged]] = []
    for length, index in text.by_length():
        rows = np.arange(len(text)) if index is None else index
        if length != _SECOND_WIDTH and length not in _FRACTION_WIDTHS:
            parts.append((rows, text.take(rows)))
            continue
        known, canonical, whole = _canonical(text.matrix(length, rows))
        parts.append((rows[~known], text.take(rows[~known])))
        for some, width in ((known & whole, _SECOND_WIDTH), (known & ~whole, _SECOND_WIDTH + 7)):
            parts.append((rows[some], Ragged.of_matrix(canonical[some, :width])))
    return Ragged.merge(len(text), parts)


def _canonical(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.uint8], NDArray[np.bool_]]:
    """Which rows are moments with a space or `T`, their 26 characters, and which have no fraction but zero."""
    canonical = np.full((len(matrix), _MOMENT_WIDTHS[1]), ord("0"), np.uint8)
    canonical[:, : matrix.shape[1]] = matrix
    parted = (matrix[:, _ISO_WIDTH] == ord(" ")) | (matrix[:, _ISO_WIDTH] == ord("T"))
    canonical[:, _ISO_WIDTH] = ord("T")
    known = parted & _is_moment(canonical[:, :_SECOND_WIDTH])
    fraction = canonical[:, _SECOND_WIDTH + 1 :]
    if matrix.shape[1] > _SECOND_WIDTH:
        known &= (matrix[:, _SECOND_WIDTH] == ord(".")) & are_digits(fraction)
    canonical[:, _SECOND_WIDTH] = ord(".")
    return known, canonical, (fraction == ord("0")).all(axis=1)


def _is_moment(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = is_date(matrix[:, :_ISO_WIDTH]) & (matrix[:, 10] == ord("T"))
    for column, top in ((11, 23), (14, 59), (17, 59)):
        part = matrix[:, column : column + 2]
        good &= are_digits(part) & (numbers(part) <= top)
    good &= (matrix[:, 13] == ord(":")) & (matrix[:, 16] == ord(":"))
    if matrix.shape[1] > _SECOND_WIDTH:
        fraction = matrix[:, 20:]
        good &= (matrix[:, _SECOND_WIDTH] == ord(".")) & are_digits(fraction) & (numbers(fraction) > 0)
    return good


def _is_zoned(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows are a moment and `+08:00`; not `-00:00`, which is UTC and written `+00:00`."""
    offset = matrix[:, -_OFFSET_WIDTH:]
    hours, minutes = offset[:, 1:3], offset[:, 4:]
    good = _is_moment(matrix[:, :-_OFFSET_WIDTH]) & are_digits(hours) & are_digits(minutes)
    good &= (numbers(hours) <= 23) & (numbers(minutes) <= 59) & (offset[:, 3] == ord(":"))  # noqa: PLR2004 - the clock
    ahead, behind = offset[:, 0] == ord("+"), offset[:, 0] == ord("-")
    good &= ahead | (behind & (numbers(hours) + numbers(minutes) > 0))
    return good


BIRTH_DATE = Date(
    name="birth_date",
    title="Birth date",
    title_zh="出生日期",
    category=Category.IDENTITY,
    basis="GB/T 35273-2020, annex A; a quasi-identifier",
    masks=profiles(display=Template("####-**-**"), log=Template("****-**-**"), analytics=Template("####-**-**")),
    levels=MappingProxyType({**date_levels(), "age_band": AgeBand.of}),
    layouts=DateLayout.of,
)
"""A birth date, `1990-01-02`."""

DATE = Date(
    name="date",
    title="Date",
    title_zh="日期",
    category=Category.TRANSACTION,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=Template("####-##-**"), log=Template("####-##-**"), analytics=Template("####-##-**")),
    levels=MappingProxyType(date_levels()),
    layouts=DateLayout.of,
)
"""A day that is no birth date, `2026-01-02`."""

TIMESTAMP = Timestamp(
    name="timestamp",
    title="Time stamp",
    title_zh="时间戳",
    category=Category.BEHAVIOUR,
    sensitivity=Sensitivity.GENERAL,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(
        display=Template("####-##-##T**:**:**", longer=True),
        log=Template("####-##-##T**:**:**", longer=True),
        analytics=Template("####-##-**T**:**:**", longer=True),
    ),
    levels=MappingProxyType({**date_levels("day"), **date_levels()}),
)
"""A moment, `2026-01-02T03:04:05`.

A count of seconds or milliseconds is a moment in UTC, whose day may be another one than that of the shop: where days
count, bring such a column to the shop's time first. Twelve digits are refused, whose year may have four digits or two,
and so are ten that are also an hour (`2026013112`).
"""
