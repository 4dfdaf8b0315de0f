"""Field types of Chinese regions by name and by code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields import divisions, other_cities
from privkit.fields.base import Category, FieldType
from privkit.fields.bytesets import between, of_width
from privkit.fields.digits import are_digits, numbers
from privkit.fields.levels import Lookup
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import IDEOGRAPHS, compact, tidy
from privkit.fields.wordlist import WordList

if TYPE_CHECKING:
    from numpy.typing import NDArray


ANNEX_A = "GB/T 35273-2020, annex A"
ANNEX_B = "GB/T 35273-2020, annex B"
_CODE_WIDTH = 6
_HAN_NAME = re.compile(rf"[{IDEOGRAPHS}]{{2,20}}")
"""A name that the table does not have; its longest have fifteen characters, but for development zones."""
_REGIONS = {
    "华北": (11, 12, 13, 14, 15),
    "东北": (21, 22, 23),
    "华东": (31, 32, 33, 34, 35, 36, 37),
    "华中": (41, 42, 43),
    "华南": (44, 45, 46),
    "西南": (50, 51, 52, 53, 54),
    "西北": (61, 62, 63, 64, 65),
    "港澳台": (71, 81, 82),
}
"""The seven regions of geography lessons, and what is not in them."""

UNKNOWN = "*"
"""The coarser value of a name that the table does not have, or that divisions of several others share."""


@cache
def _upward(level: str, to: str) -> Lookup:
    """What each name of one level is part of.

    Args:
        level: The names' level: `province`, `city` or `county`.
        to: `city`, `province` or `region`.
    """
    table = divisions.table()
    above: dict[str, set[str]] = {}
    for code in table.names:
        if len(str(code)) == divisions.LEVELS[level]:
            above.setdefault(table.name(code), set()).add(_above(code, to))
    others = list(other_cities.OTHERS.get(level, {}).items())
    for name, province in (*others, *(other_cities.prefectures() if level == "city" else ())):
        above.setdefault(name, set()).add(_above(province, to))
    for name, part_of in other_cities.former_counties(to) if level == "county" else ():
        above.setdefault(name, set()).add(part_of if to == "city" else _above(int(part_of), to))
    words = sorted(above)
    replies = (above[word].pop() if len(above[word]) == 1 else UNKNOWN for word in words)
    return Lookup(WordList(words), (*replies, UNKNOWN))


def _above(code: int, to: str) -> str:
    digits = str(code)
    if to == "region":
        return next(name for name, provinces in _REGIONS.items() if int(digits[:2]) in provinces)
    return divisions.table().name(int(digits[: divisions.LEVELS[to]]))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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
        names = {table.name(code) for code in table.names if len(str(code)) == width}
        return WordList(sorted(names.union(other_cities.OTHERS.get(self.level, {}))))

    def normalise(self, text: str) -> str:
        """Look the name or code up."""
        name = tidy(text).replace(" ", "")
        if name.isdecimal():
            return self._named(name)
        if name in self._known:
            return name
        official = {divisions.table().name(code) for code in divisions.table().find(name, level=self.level)}
        official |= other_cities.find(name, self.level)
        if len(official) == 1:
            return official.pop()
        if self.known_only and not official:
            raise self.invalid(f"there is no {self.level} of this name in the table of {divisions.table().date}")
        if not _HAN_NAME.fullmatch(name):
            raise self.invalid(
                f"not the name of a {self.level}: 2 to 20 Chinese characters are needed; in other scripts it is text"
            )
        return name

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Official names are canonical."""
        return self._names.find(text) >= 0

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._names.words)

    def _named(self, digits: str) -> str:
        width = divisions.LEVELS[self.level]
        # A code of this level, alone or filled up with zeros to six digits.
        code = digits[:width] if digits in {digits[:width], digits[:width].ljust(_CODE_WIDTH, "0")} else ""
        try:
            return divisions.table().name(int(code) if len(code) == width else 0)
        except LookupError:
            raise self.invalid(f"no {self.level} has this code in the table of {divisions.table().date}") from None


CN_PROVINCE = Division(
    name="cn_province",
    title="Province (China)",
    title_zh="省级行政区",
    category=Category.CONTACT,
    basis=ANNEX_A,
    level="province",
    known_only=True,
    masks=profiles(display=Keep(1, 0, 2), analytics=Keep(1, 0, 2)),
    levels=MappingProxyType({"region": partial(_upward, "province", "region")}),
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
    levels=MappingProxyType({to: partial(_upward, "city", to) for to in ("province", "region")}),
)
"""A Chinese city by name, `深圳市`.

Also known are the special regions (`香港`), Taiwan's cities and counties, and what prefectures and cities were called
that ended or were renamed from 1999 on (`襄樊`, `毕节地区`). Kinmen and Lienchiang are not, which two lists have.
"""

CN_COUNTY = Division(
    name="cn_county",
    title="County or district (China)",
    title_zh="县级行政区",
    category=Category.CONTACT,
    basis=ANNEX_A,
    level="county",
    masks=profiles(display=Keep(1, 0, 2), analytics=Keep(1, 0, 2)),
    levels=MappingProxyType({to: partial(_upward, "county", to) for to in ("city", "province", "region")}),
)
"""A Chinese county or district by name, `南山区`.

Known are those of the table, districts of Hong Kong and Macau, and former counties from 1980 on (`崇文区`, `涪陵市`);
the city of these may be a prefecture that ended (`涪陵地区`). Taiwan's townships generalise to `*`, and so do names
that several places share (`朝阳区`).
"""


_CODE = re.compile(r"[1-9][0-9](?:[0-9]{2}){0,2}|[1-9][0-9]{8}(?:[0-9]{3})?")
_LOCAL_WIDTH = 12
_COUNTY = "0" * (_LOCAL_WIDTH - _CODE_WIDTH)
_NAMED_PREFIXES = np.zeros(100, np.bool_)
_NAMED_PREFIXES[[*divisions.MAINLAND_PREFIXES, *divisions.OTHER_PROVINCES]] = True


@dataclass(frozen=True, slots=True)
class Above:
    """The division that a code is part of, by its first digits: six digits, filled up with zeros.

    Attributes:
        digits: How many stay.
    """

    digits: int

    def one(self, text: str) -> str:
        """Generalise one code."""
        return text[: self.digits].ljust(_CODE_WIDTH, "0")

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        if not len(text):
            return text
        out = text.matrix(_CODE_WIDTH).copy()
        out[:, self.digits :] = ord("0")
        return Ragged.of_matrix(out)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DivisionCode(FieldType):
    """The code of a Chinese division; canonical has six digits (GB/T 2260), `440000` for a province.

    Below the county, where the statistics have three digits for a town (GB/T 10114) and three for a village, canonical
    has all twelve. A known province is asked for and nothing more: retired codes stay valid.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces, fill up with zeros to six digits or twelve, and leave out the last six if all are zeros."""
        code = compact(text)
        if not _CODE.fullmatch(code):
            raise self.invalid(f"two, four, six, nine or twelve digits are needed (got {len(code)} characters)")
        if not _NAMED_PREFIXES[int(code[:2])]:
            raise self.invalid("no province has its first digits")
        return code.ljust(_CODE_WIDTH if len(code) <= _CODE_WIDTH else _LOCAL_WIDTH, "0").removesuffix(_COUNTY)

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Six digits of a known province, and twelve whose last six are not zeros, are canonical."""
        return of_width(text, _CODE_WIDTH, _is_division_code) | of_width(text, _LOCAL_WIDTH, _is_local_code)

    def respell(self, text: Ragged) -> Ragged:
        """Take six zeros from the end of twelve digits."""
        wide = text.lengths == _LOCAL_WIDTH
        if not wide.any():
            return text
        ends = text.offsets[1:].copy()
        rows = np.flatnonzero(wide)
        ends[rows[(text.matrix(_LOCAL_WIDTH, rows)[:, _CODE_WIDTH:] == ord("0")).all(axis=1)]] -= _CODE_WIDTH
        return between(text.data, text.offsets[:-1], ends)


def _is_division_code(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = are_digits(matrix)
    good &= _NAMED_PREFIXES[np.minimum(numbers(matrix[:, :2]), 99).astype(np.intp)]
    return good


def _is_local_code(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    below: NDArray[np.bool_] = (matrix[:, _CODE_WIDTH:] != ord("0")).any(axis=1)
    return below & _is_division_code(matrix)


CN_DIVISION = DivisionCode(
    name="cn_division",
    title="Division code (China)",
    title_zh="行政区划代码",
    category=Category.CONTACT,
    basis=ANNEX_A,
    masks=profiles(display=Keep(2, 0, 4), analytics=Keep(2, 0, 4)),
    levels=MappingProxyType({level: partial(Above, digits) for level, digits in reversed(divisions.LEVELS.items())}),
)
"""The code of a Chinese division, `440305`.

Codes of towns and villages, `440305001003`, begin with that of their county, which the level `county` leaves. A
stand-in is the code of a county in any case.
"""
