"""Field types of Chinese numbers: mobile, landline, resident ID, postcode, and the names of divisions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields import divisions
from privkit.fields.base import Category, FieldType, Sensitivity
from privkit.fields.calendar import exists, split_date
from privkit.fields.checks import id_check, id_checks
from privkit.fields.digits import are_digits, numbers
from privkit.fields.layouts import mobile_layout
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact, has_controls, narrow, tidy
from privkit.fields.resident import ResidentIdLayout
from privkit.fields.wordlist import WordList

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

ANNEX_A = "GB/T 35273-2020, annex A"
ANNEX_B = "GB/T 35273-2020, annex B"

MOBILE_WIDTH = 11
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_DIALLED_MOBILE = re.compile(r"(?:\+?86|0086|0)?(1[3-9][0-9]{9})")


@dataclass(frozen=True, kw_only=True, eq=False)
class ChineseMobile(FieldType):
    """A mobile number of mainland China; canonical are its eleven digits.

    The numbering plan gives mobiles 13 to 19 and nine digits more. Which operator has which range changes every year:
    that is advice, not a reason to turn a number away.
    """

    def normalise(self, text: str) -> str:
        """Take out country prefix (`+86`, `86`, `0086`, or a trunk `0`), spaces, dashes and brackets."""
        if _MOBILE.fullmatch(text):
            return text
        digits = compact(text, "-()")
        match = _DIALLED_MOBILE.fullmatch(digits)
        if match is None:
            raise self.invalid(f"eleven digits from 13 to 19 on are needed (got {len(digits)} characters)")
        return match[1]

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Eleven digits from 13 to 19 on are canonical."""
        return _rows_of(text, MOBILE_WIDTH, _is_mobile)


def _is_mobile(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    second = matrix[:, 1]
    return (matrix[:, 0] == ord("1")) & (second >= ord("3")) & (second <= ord("9")) & are_digits(matrix)


def _rows_of(text: Ragged, width: int, check: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Check the rows of one length; all others are no such value."""
    if text.width == width:
        return check(text.matrix(width))
    good = np.zeros(len(text), np.bool_)
    rows = np.flatnonzero(text.lengths == width)
    if len(rows):
        good[rows] = check(text.matrix(width, rows))
    return good


_LANDLINE = re.compile(r"(010|02[0-9]|0[3-9][0-9]{2})-([1-9][0-9]{6,7})(?:-([0-9]{1,6}))?")
_JOINED_LANDLINE = re.compile(r"(?:(?:\+?86|0086)0?|0)?(10|2[0-9]|[3-9][0-9]{2})-?([1-9][0-9]{6,7})(?:-([0-9]{1,6}))?")
_EXTENSION = re.compile(r"(?:转分机|转|分机|ext\.?|x|#|,)+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChineseLandline(FieldType):
    """A landline of mainland China with its area code; canonical is `0755-12345678`, with an extension `-123` after it.

    Area codes are 010, 02x and four digits from 03 on; numbers have seven or eight digits and do not begin with 0.
    """

    def normalise(self, text: str) -> str:
        """Read `(0755) 1234 5678`, `+86 755 12345678`, `075512345678 转 123` and the like."""
        if _LANDLINE.fullmatch(text):
            return text
        dashed = _EXTENSION.sub("-", narrow(text))
        dashed = re.sub(r"[()\s-]+", "-", dashed).strip("-")
        match = _LANDLINE.fullmatch(dashed) or self._joined(dashed)
        if match is None:
            raise self.invalid("area code and a number of seven or eight digits are needed, such as 0755-12345678")
        area, local, extension = match.groups()
        area = area if area.startswith("0") else f"0{area}"
        return f"{area}-{local}" + (f"-{extension}" if extension else "")

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Numbers without extension that have their dash are canonical."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if 11 <= length <= 13:  # noqa: PLR2004 - 010-1234567 to 0755-12345678
                known = _is_landline(text.matrix(length, rows))
                if rows is None:
                    return known
                good[rows] = known
        return good

    def _joined(self, dashed: str) -> re.Match[str] | None:
        """Try the parts from the left: of the dashes written, only the one before an extension says something."""
        parts = dashed.split("-")
        whole = _JOINED_LANDLINE.fullmatch("".join(parts))
        last = _JOINED_LANDLINE.fullmatch("".join(parts[:-1]) + "-" + parts[-1])
        return whole or last


def _is_landline(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    width = matrix.shape[1]
    good = np.zeros(len(matrix), np.bool_)
    for area in (3, 4):
        if not 7 <= width - area - 1 <= 8:  # noqa: PLR2004 - digits of a local number
            continue
        second, local = matrix[:, 1], matrix[:, area + 1]
        short = (second == ord("2")) | ((second == ord("1")) & (matrix[:, 2] == ord("0")))
        area_ok = short if area == 3 else second >= ord("3")  # noqa: PLR2004 - 010 and 02x have three digits
        good |= (
            (matrix[:, 0] == ord("0"))
            & area_ok
            & (matrix[:, area] == ord("-"))
            & (local >= ord("1"))
            & are_digits(matrix[:, :area])
            & are_digits(matrix[:, area + 1 :])
        )
    return good


_POSTCODE = re.compile(r"[0-9]{6}")
POSTCODE_WIDTH = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class ChinesePostcode(FieldType):
    """A postcode of China: six digits."""

    def normalise(self, text: str) -> str:
        """Take out spaces and make full-width digits plain."""
        digits = compact(text)
        if not _POSTCODE.fullmatch(digits):
            raise self.invalid(f"six digits are needed (got {len(digits)} characters)")
        return digits

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Six digits are canonical."""
        return _rows_of(text, POSTCODE_WIDTH, are_digits)


ID_WIDTH = 18
OLD_ID_WIDTH = 15
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD_ID = re.compile(r"[1-9][0-9]{14}")
_FIRST_YEAR = 1800
_PREFIXES = np.zeros(100, np.bool_)
_PREFIXES[list(divisions.PROVINCE_PREFIXES)] = True
_FOREIGN = 9


@dataclass(frozen=True, kw_only=True, eq=False)
class ChineseResidentId(FieldType):
    """A Chinese resident ID (GB 11643-1999) and the documents that share its form; canonical is upper case, no spaces.

    Valid are 18 characters with a known province (82 and the like are residence permits), a date that exists and the
    right check character; the numbers of foreign permanent residents, which begin with 9; and the old IDs of 15 digits.
    County codes are not looked up: IDs keep the code they were issued with, however long ago its county was merged.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces and dashes, make full-width characters plain and the check character upper case."""
        number = compact(text).upper()
        if len(number) == ID_WIDTH and _ID.fullmatch(number):
            return self._checked(number)
        if len(number) == OLD_ID_WIDTH and _OLD_ID.fullmatch(number):
            self._check_place_and_day(number, "19" + number[6:12])
            return number
        raise self.invalid(f"18 digits (the last may be X) or 15 are needed (got {len(number)} characters)")

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Valid IDs of 18 characters with an upper-case X are canonical."""
        return _rows_of(text, ID_WIDTH, _is_resident_id)

    def _checked(self, number: str) -> str:
        self._check_place_and_day(number, number[6:14])
        if id_check(number) != number[17]:
            raise self.invalid("its check character is wrong (GB 11643-1999)")
        return number

    def _check_place_and_day(self, number: str, day: str) -> None:
        # Foreign residents' numbers have the province after the 9 (National Immigration Administration, 2023).
        province = int(number[1:3] if int(number[0]) == _FOREIGN else number[:2])
        if not _PREFIXES[province]:
            raise self.invalid("no province has its first digits")
        year, month, date = (np.array([int(part)]) for part in (day[:4], day[4:6], day[6:]))
        if year[0] < _FIRST_YEAR or not exists(year, month, date)[0]:
            raise self.invalid("its birth date is not in the calendar")


def _is_resident_id(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = are_digits(matrix[:, :17])
    area = numbers(matrix[:, :6])
    province = np.where(area >= _FOREIGN * 100_000, area // 1000 % 100, area // 10_000).astype(np.intp)
    year, month, day = split_date(numbers(matrix[:, 6:14]))
    # Rows that are not digits give numbers beyond any table, but never beyond a clipped one.
    good &= _PREFIXES[np.minimum(province, 99)] & (year >= _FIRST_YEAR) & exists(year, month, day)
    return good & (id_checks(matrix) == matrix[:, 17])


@dataclass(frozen=True, kw_only=True, eq=False)
class Division(FieldType):
    """The name of a Chinese division of one level; canonical is its official name where only one division has it.

    Short names become official ones (`广东` → `广东省`), six-digit codes become names. A name that the table does not
    have is kept as it is written where `known_only` is not set: cities and counties are founded, merged and renamed.

    Attributes:
        level: `province`, `city` or `county`.
        known_only: Whether a name must be in the table.
    """

    level: str
    known_only: bool = False

    @cached_property
    def _names(self) -> WordList:
        table = divisions.table()
        width = divisions.LEVELS[self.level]
        return WordList(sorted({table.name(code) for code in table.names if len(str(code)) == width}))

    def normalise(self, text: str) -> str:
        """Look the name or code up."""
        name = tidy(text)
        if name.isdecimal():
            return self._named(name)
        if name in self._known:
            return name
        official = {divisions.table().name(code) for code in divisions.table().find(name, level=self.level)}
        if len(official) == 1:
            return official.pop()
        if self.known_only and not official:
            raise self.invalid(f"there is no {self.level} of this name in the table of {divisions.table().date}")
        if not 1 < len(name) <= 30 or has_controls(name) or any(letter.isdecimal() for letter in name):  # noqa: PLR2004
            raise self.invalid(f"not the name of a {self.level}: 2 to 30 characters without digits are needed")
        return name

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Official names are canonical."""
        return self._names.find(text) >= 0

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._names.words)

    def _named(self, digits: str) -> str:
        code = digits.rstrip("0") if len(digits) == POSTCODE_WIDTH else digits
        width = divisions.LEVELS[self.level]
        number = int(code.ljust(width, "0")[:width] or 0) if len(code) <= width else int(digits)
        try:
            return divisions.table().name(number)
        except LookupError:
            raise self.invalid(f"no {self.level} has this code in the table of {divisions.table().date}") from None


CN_MOBILE = ChineseMobile(
    name="cn_mobile",
    title="Mobile number (China)",
    title_zh="手机号码",
    category=Category.CONTACT,
    basis=ANNEX_A,
    masks=profiles(display=Keep(3, 4), waybill=Keep(1, 4, 6), log=Keep(0, 4, 7), analytics=Keep(3, 0, 8)),
    layouts=mobile_layout,
)
"""A mobile number of mainland China, `13812345678`."""

CN_LANDLINE = ChineseLandline(
    name="cn_landline",
    title="Landline (China)",
    title_zh="固定电话",
    category=Category.CONTACT,
    basis=ANNEX_A,
    masks=profiles(
        display=Keep(4, 2, 6, 5), waybill=Keep(3, 2, 6, 6), log=Keep(0, 2, 6, 6), analytics=Keep(3, 0, 8, 7)
    ),
)
"""A landline of mainland China, `0755-12345678-123`."""

POSTCODE = ChinesePostcode(
    name="postcode",
    title="Postcode (China)",
    title_zh="邮政编码",
    category=Category.CONTACT,
    basis=ANNEX_A,
    masks=profiles(display=Keep(3, 0, 3), waybill=Keep(4, 0, 2), analytics=Keep(2, 0, 4)),
)
"""A Chinese postcode, `518000`."""

CN_RESIDENT_ID = ChineseResidentId(
    name="cn_resident_id",
    title="Resident ID (China)",
    title_zh="居民身份证号码",
    category=Category.IDENTITY,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (specific identity); {ANNEX_B}",
    # One and one: with the check character and a known birthday, 6 + 4 would give the whole number away.
    masks=profiles(display=Keep(1, 1, 16), analytics=Keep(2, 0, 16)),
    layouts=ResidentIdLayout.of,
)
"""A Chinese resident ID, `11010519491231002X`."""

CN_PROVINCE = Division(
    name="cn_province",
    title="Province (China)",
    title_zh="省级行政区",
    category=Category.CONTACT,
    basis=ANNEX_A,
    level="province",
    known_only=True,
    masks=profiles(display=Keep(1, 0, 2), analytics=Keep(1, 0, 2)),
)
"""A Chinese province by name, `广东省`."""

CN_CITY = Division(
    name="cn_city",
    title="City (China)",
    title_zh="地级行政区",
    category=Category.CONTACT,
    basis=ANNEX_A,
    level="city",
    masks=profiles(display=Keep(1, 0, 2), analytics=Keep(1, 0, 2)),
)
"""A Chinese city by name, `深圳市`."""

CN_COUNTY = Division(
    name="cn_county",
    title="County or district (China)",
    title_zh="县级行政区",
    category=Category.CONTACT,
    basis=ANNEX_A,
    level="county",
    masks=profiles(display=Keep(1, 0, 2), analytics=Keep(1, 0, 2)),
)
"""A Chinese county or district by name, `南山区`."""
