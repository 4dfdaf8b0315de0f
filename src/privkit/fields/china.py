"""Field types of Chinese numbers: mobile, landline, postcode. Resident IDs are in `documents`."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.base import Category, FieldType
from privkit.fields.bytesets import beheaded, cut, of_width, squeezed, tight, where
from privkit.fields.digits import are_digits
from privkit.fields.layouts import mobile_layout
from privkit.fields.levels import Prefix
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact, narrow, unguarded

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANNEX_A = "GB/T 35273-2020, annex A"
ANNEX_B = "GB/T 35273-2020, annex B"

MOBILE_WIDTH = 11
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_DIALLED_MOBILE = re.compile(r"(?:\+?86|0086|0)?(1[3-9][0-9]{9})")
_DIALLED = (b"+86", b"86", b"0086", b"0")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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
        return of_width(text, MOBILE_WIDTH, _is_mobile)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces, dashes, brackets and the country prefix."""
        digits = squeezed(text, b" \t-()")
        lengths = np.zeros(len(text), np.int64)
        for prefix in _DIALLED:
            lengths[of_width(digits, MOBILE_WIDTH + len(prefix), partial(_begin_with, prefix=prefix))] = len(prefix)
        return beheaded(digits, lengths)


def _begin_with(matrix: NDArray[np.uint8], prefix: bytes) -> NDArray[np.bool_]:
    begin: NDArray[np.bool_] = (matrix[:, : len(prefix)] == np.frombuffer(prefix, np.uint8)).all(axis=1)
    return begin


def _is_mobile(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    second = matrix[:, 1]
    good: NDArray[np.bool_] = (matrix[:, 0] == ord("1")) & (second >= ord("3")) & (second <= ord("9"))
    return good & are_digits(matrix)


_LANDLINE = re.compile(r"(010|02[0-9]|0(?![48]00)[3-9][0-9]{2})-([1-9][0-9]{6,7})(?:-([0-9]{1,6}))?")
_JOINED_LANDLINES = tuple(
    re.compile(rf"{dialled}-?{local}(?:-([0-9]{{1,6}}))?")
    for dialled, local in (
        (r"(?:(?:\+?86|0086)0?|0)?(10|2[0-9]|(?![48]00)[3-9][0-9]{2})", "([1-9][0-9]{6,7})"),
        (r"(?:\+?86|0086)?([48]00)", "([0-9]{7})"),
    )
)
_SERVICES = {"400", "800"}
"""Numbers of companies, which have these in the place of an area code, and no zero before."""
_ABROAD = (b"+86", b"0086")
_BRACKETS = re.compile(r"[()\s]+")
_EXTENSION = re.compile(r"(?:转分机|转|分机|ext\.?|x|#|,)+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChineseLandline(FieldType):
    """A landline of mainland China with its area code; canonical is `0755-12345678`, with an extension `-123` after it.

    Area codes are 010, 02x and four digits from 03 on; numbers have seven or eight digits and do not begin with 0.
    Companies' numbers at 400 and 800 have neither an area code nor a zero before, `400-8001234`.
    """

    def normalise(self, text: str) -> str:
        """Read `(0755) 1234 5678`, `+86 755 12345678`, `075512345678 转 123` and the like."""
        if _LANDLINE.fullmatch(text):
            return text
        plain = unguarded(narrow(text))
        written = _BRACKETS.sub("", plain)
        if written != written.strip("-"):
            raise self.invalid("a dash at the beginning or the end separates nothing")
        dashed = _EXTENSION.sub("-", plain)
        dashed = re.sub(r"[()\s-]+", "-", dashed).strip("-")
        match = _LANDLINE.fullmatch(dashed) or self._joined(dashed)
        if match is None:
            raise self.invalid("an area code and a number of seven or eight digits are needed")
        area, local, extension = match.groups()
        area = area if area.startswith("0") or area in _SERVICES else f"0{area}"
        return f"{area}-{local}" + (f"-{extension}" if extension else "")

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Numbers that have their dashes are canonical."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if 11 <= length <= 20:  # noqa: PLR2004 - 010-1234567 to 0755-12345678-123456
                known = _is_landline(text.matrix(length, rows))
                if rows is None:
                    return known
                good[rows] = known
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Write `075512345678`, `(0755) 1234 5678` and `+86 755 12345678` with one dash, and another for 转 or `#`."""
        return _dashed(_extended(text))

    def _joined(self, dashed: str) -> re.Match[str] | None:
        """Try the parts from the left: of the dashes written, only the one before an extension says something."""
        parts = dashed.split("-")
        readings = "".join(parts), "".join(parts[:-1]) + "-" + parts[-1]
        matches = (joined.fullmatch(reading) for reading in readings for joined in _JOINED_LANDLINES)
        return next(filter(None, matches), None)


def _extended(text: Ragged) -> Ragged:
    """Write a dash for each run of 转 and 分机, and for the marks of ASCII that stand before an extension."""
    data, offsets = tight(text)
    marks = np.frombuffer(data.tobytes().translate(_MARKS), np.uint8)
    words = where(text, _WORDS)
    if not len(words):
        return Ragged(marks, offsets)
    first = np.append(True, np.diff(words) > 1)
    plain = marks.copy()
    plain[words[first]] = ord("-")
    return cut(Ragged(plain, offsets), words[~first])


_WORDS = tuple(word.encode() for word in ("转", "分机"))
_MARKS = bytes.maketrans(b"#xX,", b"----")


def _dashed(text: Ragged) -> Ragged:
    """Put the dash behind the area code, in rows that a zero or the country's prefix begins."""
    dialled = squeezed(text, b" \t()-")
    prefixes = np.zeros(len(text), np.int64)
    for prefix in _ABROAD:
        prefixes[_begins(dialled, prefix)] = len(prefix)
    digits = beheaded(dialled, prefixes)
    zeros = _begins(digits, b"0")
    known = (zeros | (prefixes > 0)) & _end_with_digits(text)
    plain = beheaded(digits, zeros.astype(np.int64))
    parts, rest = [], np.ones(len(text), np.bool_)
    for width, index in plain.by_length():
        if not 9 <= width <= 11:  # noqa: PLR2004 - 10 1234567 to 755 12345678
            continue
        rows = np.flatnonzero(known) if index is None else index[known[index]]
        matrix = plain.matrix(width, rows)
        short = (matrix[:, 0] == ord("1")) | (matrix[:, 0] == ord("2"))
        parts += [(rows[of], _parted(matrix[of], area)) for area, of in ((2, short), (3, ~short))]
        rest[rows] = False
    return Ragged.merge(len(text), [*parts, (np.flatnonzero(rest), text.take(rest))])


def _begins(text: Ragged, prefix: bytes) -> NDArray[np.bool_]:
    long = text.lengths > len(prefix)
    rows = np.flatnonzero(long)
    long[rows] = _begin_with(text.matrix(len(prefix), rows), prefix)
    return long


def _end_with_digits(text: Ragged) -> NDArray[np.bool_]:
    """Which rows end with two digits: before a single one a dash may stand for an extension."""
    good = text.lengths > 1
    for place in (1, 2):
        good &= text.data[text.offsets[1:] - place] - np.uint8(ord("0")) <= 9  # noqa: PLR2004 - the digit nine
    return good


def _parted(digits: NDArray[np.uint8], area: int) -> Ragged:
    """A zero before the digits, and a dash behind so many of them."""
    rows, width = digits.shape
    out = np.empty((rows, width + 2), np.uint8)
    out[:, 0], out[:, area + 1] = ord("0"), ord("-")
    out[:, 1 : area + 1], out[:, area + 2 :] = digits[:, :area], digits[:, area:]
    return Ragged.of_matrix(out)


def _is_landline(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = np.zeros(len(matrix), np.bool_)
    second = matrix[:, 1]
    short = (second == ord("2")) | ((second == ord("1")) & (matrix[:, 2] == ord("0")))
    services = ((second == ord("4")) | (second == ord("8"))) & (matrix[:, 2:4] == ord("0")).all(axis=1)
    for area, local in itertools.product((3, 4), (7, 8)):
        end = area + 1 + local
        if matrix.shape[1] - end not in (0, *range(2, 8)):  # nothing, or a dash and one to six digits
            continue
        extension = matrix[:, end:]
        area_ok = short if area == 3 else (second >= ord("3")) & ~services  # noqa: PLR2004 - 010, 02x: three digits
        good |= (
            (matrix[:, 0] == ord("0"))
            & area_ok
            & (matrix[:, area] == ord("-"))
            & (matrix[:, area + 1] >= ord("1"))
            & are_digits(matrix[:, :area])
            & are_digits(matrix[:, area + 1 : end])
            & (extension[:, :1] == ord("-")).all(axis=1)
            & are_digits(extension[:, 1:])
        )
    return good


_POSTCODE = re.compile(r"(?!00)[0-9]{6}")
POSTCODE_WIDTH = 6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChinesePostcode(FieldType):
    """A postcode of China: six digits, the first two of which are a province and never 00.

    Which of the others are in use is not looked up: they are given and taken back. 999077 to 999079 stand for Hong
    Kong, Macau and Taiwan.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces and make full-width digits plain."""
        digits = compact(text)
        if not _POSTCODE.fullmatch(digits):
            raise self.invalid(f"six digits that do not begin with 00 are needed (got {len(digits)} characters)")
        return digits

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Six digits that do not begin with 00 are canonical."""
        return of_width(text, POSTCODE_WIDTH, _is_postcode)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces."""
        return squeezed(text, b" \t")


def _is_postcode(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = are_digits(matrix) & (matrix[:, :2] != ord("0")).any(axis=1)
    return good


def postcode_prefix(digits: int = 2) -> Prefix:
    """The level of a postcode's first digits: two are a province, three a postal district, four a county.

    Args:
        digits: How many stay, 1 to 5.

    Raises:
        InvalidParameter: There are not that many to keep.
    """
    if not 1 <= digits < POSTCODE_WIDTH:
        raise InvalidParameter("of a postcode 1 to 5 digits can stay")
    return Prefix(digits)


CN_MOBILE = ChineseMobile(
    name="cn_mobile",
    title="Mobile number (China)",
    title_zh="手机号码",
    category=Category.CONTACT,
    basis=ANNEX_A,
    masks=profiles(display=Keep(3, 4), waybill=Keep(1, 4, 6), log=Keep(0, 4, 7), analytics=Keep(3, 0, 8)),
    layouts=mobile_layout,
)
"""A mobile number of mainland China, `13812345678`.

A mask that shows prefix and last four digits hides four: with the city known, a handful of numbers is left. The profile
`waybill` hides six, as GB/T 41833-2022 asks of paper that strangers see.
"""

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
    levels=MappingProxyType({"prefix": postcode_prefix}),
)
"""A Chinese postcode, `518000`."""
