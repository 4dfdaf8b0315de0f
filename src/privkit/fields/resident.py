"""How Chinese resident IDs move under format-preserving encryption.

An ID is an area, a birth date, a sequence number (odd for men) and, in the 18-digit form, a check character that
follows from them. It moves to another valid ID:

- the **area** among the counties of division table 1 that issue IDs. An area that is not there (a retired county, a
  residence permit's 810000, 820000 or 830000, a foreign resident's 9...) stays and becomes tweak;
- the **date** within its era: from 1900 to 2029 (to 1999 in the 15-digit form), before, or after. Nearly every value
  is in the first; the other two are there so that every valid ID has a place;
- the **sequence** among all 1,000, or the 500 of its sex.

So IDs of known areas move among themselves, and the rest among those of their own area: a bijection either way. Table
and eras are frozen in the layout's version.

The numbers that foreign permanent residents had until 2023 are three letters, which stay, and twelve digits, which move
among all. What of them is area, date or sex no standard says, so none of it can be kept.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from privkit.errors import InvalidParameter, InvalidValue
from privkit.fields import divisions
from privkit.fields.calendar import dates_of, days_of, split_date
from privkit.fields.checks import id_check, id_checks
from privkit.fields.digits import numbers, write
from privkit.fields.layout import Slot, Slots
from privkit.fields.layouts import ENOUGH, WidthLayout, too_few
from privkit.suggest import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH = dt.date(1970, 1, 1)
_PARTS = ("area", "birth", "sex", "year")
_LONG, _SHORT = 18, 15
_SEQUENCES, _SEXED = 1000, 500
_LETTER, _LETTERS, _PERMITS = ord("A"), 3, 10**12
"""Where numbers of foreign permanent residents until 2023 begin, how many letters they have, and their digits."""
_NOT_KNOWN = "of a foreign resident's number of before 2023 it is not known what is area, date or sex; keep nothing"
_CENTURY = 19_000_000
"""What the six-digit dates of the 15-digit form leave out."""


def _day(year: int) -> int:
    return (dt.date(year, 1, 1) - _EPOCH).days


_ERAS = {_LONG: (_day(1800), _day(1900), _day(2030), _day(9999) + 365), _SHORT: (_day(1900), _day(2000))}
"""Where eras begin, in days since 1970-01-01, and where the last one ends."""


class _Areas(NamedTuple):
    codes: NDArray[np.int64]
    ranks: NDArray[np.int64]
    """The rank of each code from 0 to 999,999; -1 where it is not known."""


@cache
def _areas() -> _Areas:
    table = divisions.table(1)
    codes = table.codes[~table.zones()].astype(np.int64)
    ranks = np.full(1_000_000, -1, np.int64)
    ranks[codes] = np.arange(len(codes))
    return _Areas(codes, ranks)


class _Parts(NamedTuple):
    """The numbers of IDs: of a column, or of one."""

    area: NDArray[np.int64]
    day: NDArray[np.int64]
    """Days since 1970-01-01."""
    sequence: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp] | None) -> _Parts:
        """Some rows; `None` is all."""
        return self if rows is None else _Parts(self.area[rows], self.day[rows], self.sequence[rows])


@dataclass(frozen=True, slots=True)
class ResidentIdLayout(WidthLayout):
    """The layout; see the module.

    Attributes:
        keep: The parts that stay, sorted: `area`, `birth`, `sex`, `year`.
        small_domain: Whether values may move among fewer than 1,000,000.
    """

    keep: tuple[str, ...] = ()
    small_domain: bool = False

    @classmethod
    def of(cls, keep: str | None = None, *, small_domain: bool = False) -> ResidentIdLayout:
        """How a resident ID moves: area, date and sequence, each among those that there are; the check follows.

        Areas that are no county of the table, such as retired ones, stay, and so does the era of a birth date: before
        1900, to 2029, after. Of a foreign resident's number of before 2023 the letters stay, and nothing can be kept.

        Args:
            keep: What stays: `area`, `sex`, `year` or `birth` (the whole date), or several: `area+sex`.
            small_domain: Take values that move among fewer than 1,000,000.

        Raises:
            InvalidParameter: There is no such part.
        """
        parts = tuple(sorted({part.strip() for part in keep.split("+")})) if keep else ()
        for part in parts:
            if part not in _PARTS:
                raise InvalidParameter(f"cannot keep {part!r}{nearest(part, _PARTS)}")
        return cls(tuple(part for part in parts if part != "year" or "birth" not in parts), small_domain)

    @property
    def id(self) -> str:
        """The frozen name, options included."""
        return f"cn_resident_id/keep={'+'.join(self.keep)}" if self.keep else "cn_resident_id"

    @property
    def version(self) -> int:
        """Version 1 stands on version 1 of the division table, and on the eras named above."""
        return 1

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among: those of areas that are not in the table.

        Where IDs of known areas move among enough, others are refused one by one, so that they do not count.
        """
        day = 1 if "birth" in self.keep else 365 if "year" in self.keep else _ERAS[_LONG][1] - _ERAS[_LONG][0]
        smallest = day * self._sequences
        return smallest if self.small_domain or "area" in self.keep else max(smallest, ENOUGH)

    @property
    def _sequences(self) -> int:
        return _SEXED if "sex" in self.keep else _SEQUENCES

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Group rows by how they split, and split each group."""
        foreign = matrix[:, 0] >= _LETTER
        if not foreign.any():
            return self._split_ids(matrix)
        rows, others = np.flatnonzero(foreign), np.flatnonzero(~foreign)
        if self.keep:
            raise InvalidValue(_NOT_KNOWN, rows=rows.tolist())
        permits = matrix[rows]
        letters = np.ascontiguousarray(permits[:, :_LETTERS])
        parts = [Slots(rows, numbers(permits[:, _LETTERS:]), _PERMITS, letters)]
        if len(others):
            parts += [
                Slots(others if part.rows is None else others[part.rows], part.ranks, part.size, part.tweak)
                for part in self._split_ids(matrix[others])
            ]
        return parts

    def _split_ids(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        parts = _read(matrix)
        start, span = self._span(matrix.shape[1], parts.day)
        kind = span * 2 + (_areas().ranks[parts.area] >= 0)
        kinds = [int(kind[0])] if (kind == kind[0]).all() else np.unique(kind).tolist()
        out: list[Slots] = []
        for one in kinds:
            rows = None if len(kinds) == 1 else np.flatnonzero(kind == one)
            group = parts._replace(day=parts.day - start).take(rows)
            out.append(self._group(matrix if rows is None else matrix[rows], rows, group, one))
        return out

    def _span(self, width: int, day: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the days that each day moves among begin, and how many they are."""
        if "birth" in self.keep:
            return day, np.ones_like(day)
        if "year" in self.keep:
            year = day.astype("datetime64[D]").astype("datetime64[Y]")
            first = year.astype("datetime64[D]").astype(np.int64)
            return first, (year + 1).astype("datetime64[D]").astype(np.int64) - first
        eras = np.array(_ERAS[width])
        era = np.searchsorted(eras, day, side="right") - 1
        return eras[era], eras[era + 1] - eras[era]

    def _group(self, matrix: NDArray[np.uint8], rows: NDArray[np.intp] | None, parts: _Parts, kind: int) -> Slots:
        span, moves = kind // 2, bool(kind % 2) and "area" not in self.keep
        rank = _areas().ranks[parts.area] * span + parts.day if moves else parts.day
        rank = rank * self._sequences + (parts.sequence // 2 if "sex" in self.keep else parts.sequence)
        size = (len(_areas().codes) if moves else 1) * span * self._sequences
        return Slots(rows, rank.astype(np.uint64), size, self._tweak(matrix, parts.sequence, moves=moves))

    def _tweak(
        self, matrix: NDArray[np.uint8], sequence: NDArray[np.int64], *, moves: bool
    ) -> bytes | NDArray[np.uint8]:
        """What stays, side by side; each part has one width within a group."""
        kept = [matrix[:, part] for part in self._kept(matrix.shape[1], moves=moves)]
        if "sex" in self.keep:
            kept.append((sequence % 2).astype(np.uint8)[:, None])
        return np.ascontiguousarray(np.concatenate(kept, axis=1)) if kept else b""

    def _kept(self, width: int, *, moves: bool) -> list[slice]:
        """Which digits stay."""
        year = 10 if width == _LONG else 8
        kept = [] if moves else [slice(0, 6)]
        if "birth" in self.keep:
            kept.append(slice(6, year + 4))
        if "year" in self.keep:
            kept.append(slice(6, year))
        return kept

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write area, date and sequence of the rank, and the check character that they give."""
        if len(matrix) and matrix[0, 0] >= _LETTER:
            out = matrix.copy()
            write(part.ranks, out[:, _LETTERS:])
            return out
        parts = _read(matrix)
        start, span = self._span(matrix.shape[1], parts.day)
        rank = part.ranks.astype(np.int64)
        area, day = parts.area, rank // self._sequences
        sequence = rank - day * self._sequences
        if "sex" in self.keep:
            sequence = sequence * 2 + parts.sequence % 2
        if "area" not in self.keep and _areas().ranks[area[0]] >= 0:
            place = day // span
            area, day = _areas().codes[place], day - place * span
        return _write(matrix, _Parts(area, day + start, sequence))

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        if text[0] >= "A":
            if self.keep:
                raise InvalidValue(_NOT_KNOWN)
            return Slot(int(text[_LETTERS:]), _PERMITS, text[:_LETTERS].encode("ascii"))
        area, day, sequence = _read_one(text)
        start, span = self._span_one(len(text), day)
        place = int(_areas().ranks[area])
        moves = place >= 0 and "area" not in self.keep
        rank = (place * span if moves else 0) + day - start
        rank = rank * self._sequences + (sequence // 2 if "sex" in self.keep else sequence)
        size = (len(_areas().codes) if moves else 1) * span * self._sequences
        if size < self.size:
            raise too_few(size)
        tweak = "".join(text[part] for part in self._kept(len(text), moves=moves)).encode("ascii")
        return Slot(rank, size, tweak + bytes([sequence % 2]) if "sex" in self.keep else tweak)

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        if text[0] >= "A":
            return f"{text[:_LETTERS]}{rank:012}"
        area, day, sequence = _read_one(text)
        start, span = self._span_one(len(text), day)
        moved, rest = divmod(rank, self._sequences)
        sequence = rest * 2 + sequence % 2 if "sex" in self.keep else rest
        if "area" not in self.keep and _areas().ranks[area] >= 0:
            place, moved = divmod(moved, span)
            area = int(_areas().codes[place])
        date = (_EPOCH + dt.timedelta(moved + start)).isoformat().replace("-", "")
        if len(text) == _SHORT:
            return f"{area}{date[2:]}{sequence:03}"
        digits = f"{area}{date}{sequence:03}"
        return digits + id_check(digits)

    def _span_one(self, width: int, day: int) -> tuple[int, int]:
        if "birth" in self.keep:
            return day, 1
        if "year" in self.keep:
            year = (_EPOCH + dt.timedelta(day)).year
            return _day(year), 366 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 365
        eras = _ERAS[width]
        era = bisect_right(eras, day) - 1
        return eras[era], eras[era + 1] - eras[era]


def _read_one(text: str) -> tuple[int, int, int]:
    date = text[6:14] if len(text) == _LONG else "19" + text[6:12]
    day = (dt.date(int(date[:4]), int(date[4:6]), int(date[6:])) - _EPOCH).days
    return int(text[:6]), day, int(text[14:17] if len(text) == _LONG else text[12:])


def _read(matrix: NDArray[np.uint8]) -> _Parts:
    area = numbers(matrix[:, :6]).astype(np.int64)
    if matrix.shape[1] == _LONG:
        date, sequence = numbers(matrix[:, 6:14]), matrix[:, 14:17]
    else:
        date, sequence = numbers(matrix[:, 6:12]) + np.uint64(_CENTURY), matrix[:, 12:15]
    return _Parts(area, days_of(*split_date(date)), numbers(sequence).astype(np.int64))


def _write(matrix: NDArray[np.uint8], parts: _Parts) -> NDArray[np.uint8]:
    out = np.empty_like(matrix)
    year, month, day = dates_of(parts.day)
    date = year * 10_000 + month * 100 + day
    write(parts.area.astype(np.uint64), out[:, :6])
    if matrix.shape[1] == _LONG:
        write(date.astype(np.uint64), out[:, 6:14])
        write(parts.sequence.astype(np.uint64), out[:, 14:17])
        out[:, 17] = id_checks(out)
    else:
        write((date - _CENTURY).astype(np.uint64), out[:, 6:12])
        write(parts.sequence.astype(np.uint64), out[:, 12:15])
    return out
