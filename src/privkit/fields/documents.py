"""Field types of documents: resident ID, passport, travel permit, social credit code, vehicle plate."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields import divisions
from privkit.fields.base import Category, FieldType, Sensitivity
from privkit.fields.bytesets import UPPER, erased, of_width, squeezed
from privkit.fields.calendar import exists, split_date
from privkit.fields.characters import CodeLayout
from privkit.fields.checks import id_check, id_checks
from privkit.fields.credit import CREDIT, CREDIT_WIDTH, CreditCodeLayout, are_credit_codes, credit_check
from privkit.fields.digits import are_digits, numbers
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact
from privkit.fields.plate import PLATE, are_plates
from privkit.fields.plate_layout import plate_layout
from privkit.fields.regions import UNKNOWN, Above
from privkit.fields.resident import ResidentIdLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANNEX_A = "GB/T 35273-2020, annex A"
ANNEX_B = "GB/T 35273-2020, annex B"
ID_WIDTH = 18
OLD_ID_WIDTH = 15
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD_ID = re.compile(r"[1-9][0-9]{14}")
_OLD_PERMIT = re.compile(r"[A-Z]{3}[0-9]{12}")
_FIRST_YEAR = 1800
_PREFIXES = np.zeros(100, np.bool_)
_PREFIXES[list(divisions.PROVINCE_PREFIXES)] = True
_FOREIGN = 9
_FOREIGN_SIGN = str(_FOREIGN)
"""From here on, letters among them, the first character is that of a foreign permanent resident."""
_AREA_WIDTH = 6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChineseResidentId(FieldType):
    """A Chinese resident ID (GB 11643-1999) and the documents that share its form; canonical is upper case, no spaces.

    Valid are 18 characters with a known province (81, 82 and 83 are residence permits), a date that exists and the
    right check character; the numbers of foreign permanent residents, which begin with 9; the old IDs of 15 digits; and
    the numbers that foreign permanent residents had until 2023: three letters and twelve digits, of which no more is
    checked. County codes are not looked up: IDs keep the code they were issued with, however long ago its county was
    merged.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces and dashes, make full-width characters plain and the check character upper case."""
        number = compact(text).upper()
        if len(number) == ID_WIDTH and _ID.fullmatch(number):
            return self._checked(number)
        if len(number) == OLD_ID_WIDTH and _OLD_ID.fullmatch(number):
            self._check_place_and_day(number, "19" + number[6:12])
            return number
        if _OLD_PERMIT.fullmatch(number):
            return number
        raise self.invalid(
            f"18 digits (the last may be X), 15, or three letters and twelve digits are needed (got {len(number)} "
            "characters)"
        )

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Valid IDs of 18 characters with an upper-case X are canonical."""
        return of_width(text, ID_WIDTH, _is_resident_id)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces and dashes, and make the check character upper case."""
        return squeezed(text, b" \t-", UPPER)

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
        born = None
        with suppress(ValueError):  # which would go along as the context of ours, and says the day
            born = dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))
        if born is None:
            raise self.invalid("its birth date is not in the calendar")
        if born.year < _FIRST_YEAR:
            raise self.invalid(f"its birth date is before {_FIRST_YEAR}")


def _is_resident_id(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good = are_digits(matrix[:, :17])
    area = numbers(matrix[:, :6])
    province = np.where(area >= _FOREIGN * 100_000, area // 1000 % 100, area // 10_000).astype(np.intp)
    year, month, day = split_date(numbers(matrix[:, 6:14]))
    # Rows that are not digits give numbers beyond any table, but never beyond a clipped one.
    good &= _PREFIXES[np.minimum(province, 99)] & (year >= _FIRST_YEAR) & exists(year, month, day)
    good &= id_checks(matrix) == matrix[:, 17]
    return good


@dataclass(frozen=True, slots=True)
class Issued:
    """The division that an ID was issued in, by its first digits: a code as it was then, filled up with zeros.

    Attributes:
        digits: How many stay.
    """

    digits: int

    def one(self, text: str) -> str:
        """Generalise one ID; what a foreign permanent resident's number says of a place is not known."""
        return Above(self.digits).one(text[:_AREA_WIDTH]) if text[0] < _FOREIGN_SIGN else UNKNOWN

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        foreign = text.data[text.offsets[:-1]] >= ord(_FOREIGN_SIGN)
        rows, rest = np.flatnonzero(foreign), np.flatnonzero(~foreign)
        areas = Above(self.digits).many(Ragged.of_matrix(text.matrix(_AREA_WIDTH, rest)))
        return Ragged.merge(len(text), [(rest, areas), (rows, Ragged.of_text([UNKNOWN] * len(rows)))])


CN_RESIDENT_ID = ChineseResidentId(
    name="cn_resident_id",
    title="Resident ID (China)",
    title_zh="居民身份证号码",
    category=Category.IDENTITY,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (specific identity); {ANNEX_B}",
    # One and one: with the check character and a known birthday, 6 + 4 would give the whole number away.
    masks=profiles(display=Keep(1, 1, 16), analytics=Keep(2, 0, 16)),
    levels=MappingProxyType({level: partial(Issued, digits) for level, digits in reversed(divisions.LEVELS.items())}),
    layouts=ResidentIdLayout.of,
)
"""A Chinese resident ID, `11010519491231002X`.

Masks show the first and the last character at most: with the check character and a known birthday, the customary first
six and last four would give the whole number away. It becomes coarser to the code of the county, city or prefecture, or
province that it was issued in, as it was then: codes that were given up stay. A foreign permanent resident's gives `*`.
"""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pattern(FieldType):
    """A code of a pattern; canonical is upper case without spaces and dashes.

    Attributes:
        pattern: What a canonical value looks like: ASCII in upper case, without spaces and dashes.
        needs: The pattern in words, for the error.
        marks: What may stand between the characters.
    """

    pattern: re.Pattern[str]
    needs: str
    marks: str = "-·"

    def normalise(self, text: str) -> str:
        """Take out spaces and dashes, make full-width characters plain and letters upper case."""
        code = compact(text, self.marks).upper()
        if not self.pattern.fullmatch(code):
            raise self.invalid(f"{self.needs} needed (got {len(code)} characters)")
        return code

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Rows of the pattern are canonical."""
        match = self.pattern.fullmatch
        return np.array([match(row) is not None for row in text.to_text()], np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CreditCode(Pattern):
    """A unified social credit code: 18 characters, the last of which is the check character."""

    def normalise(self, text: str) -> str:
        """As for every pattern, and the check character is checked."""
        code = super().normalise(text)
        if credit_check(code) != code[17]:
            raise self.invalid("its check character is wrong (GB 32100-2015)")
        return code

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Codes with the right check character are canonical."""
        return of_width(text, CREDIT_WIDTH, are_credit_codes)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces and dashes, and make letters upper case."""
        return squeezed(text, b" \t-", UPPER)


PASSPORT = Pattern(
    name="passport",
    title="Passport number",
    title_zh="护照号码",
    category=Category.IDENTITY,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (specific identity); {ANNEX_B}",
    masks=profiles(display=Keep(1, 2, 6, 3)),
    layouts=CodeLayout("passport"),
    pattern=re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{6,9}"),
    needs="six to nine letters and digits with a digit among them are",
)
"""A passport number of any country, `E12345678` (ICAO Doc 9303, part 4: nine characters at most)."""

CN_TRAVEL_PERMIT = Pattern(
    name="cn_travel_permit",
    title="Travel permit (Hong Kong, Macau, Taiwan)",
    title_zh="港澳台通行证号码",
    category=Category.IDENTITY,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (specific identity); {ANNEX_B}",
    masks=profiles(display=Keep(1, 2, 6, 4)),
    layouts=CodeLayout("cn_travel_permit", fixed=1),
    pattern=re.compile(r"[CWLTHM][A-Z0-9][0-9]{7}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2}[A-Z]?)?"),
    needs="a letter of C W L T H M and eight or ten characters, or eight or ten digits (an eleventh is a letter), are",
    marks="-·()",
)
"""A permit to travel between the mainland and Hong Kong, Macau or Taiwan, `C12345678`, `H1234567801`.

| permit | looks like |
|---|---|
| 往来港澳通行证, mainland to Hong Kong and Macau | `C12345678`, `CA1234567`; older ones `W12345678` |
| 大陆居民往来台湾通行证, mainland to Taiwan | `L12345678`, `T12345678` |
| 港澳居民来往内地通行证, Hong Kong and Macau to the mainland | `H12345678`, `M12345678`, renewed `H1234567801` |
| 台湾居民来往大陆通行证, Taiwan to the mainland | `12345678`; older ones `1234567890(B)` |

The residence permits of the same people (港澳台居民居住证) have numbers as resident IDs do: `cn_resident_id`.
"""

CN_CREDIT_CODE = CreditCode(
    name="cn_credit_code",
    title="Unified social credit code (China)",
    title_zh="统一社会信用代码",
    category=Category.IDENTITY,
    basis="identifies an organisation; personal where that is a sole trader",
    masks=profiles(display=Keep(2, 4, 8), waybill=Keep(0, 4, 8), log=Keep(0, 4, 8), analytics=Keep(8, 0, 10)),
    layouts=CreditCodeLayout,
    pattern=CREDIT,
    needs="18 characters of the standard's alphabet are",
)
"""A unified social credit code, `91350100M000100Y43`.

Its nine characters from the ninth on are an organisation code (GB 11714), whose own check character is not checked.
"""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plate(FieldType):
    """A vehicle plate of mainland China: province, office, and five characters or six (new energy).

    Or an embassy's, one of the rescue services or the armed police. Serials have digits and letters without I and O.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces, dashes and the dot after the office, make letters upper case."""
        code = compact(text, "-·•・").upper()
        if not PLATE.fullmatch(code):
            raise self.invalid(
                "province, letter, and five characters (six for new energy) without I and O, or the plate of an "
                f"authority, are needed (got {len(code)} characters)"
            )
        return code

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Plates in upper case and without separators are canonical."""
        return are_plates(text)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces, dashes and dots, and make letters upper case."""
        return squeezed(erased(text, _DOTS), b" \t-", UPPER)  # dots first: a dash before one may be at the end


_DOTS = tuple(dot.encode() for dot in "·•・")


CN_PLATE = Plate(
    name="cn_plate",
    title="Vehicle plate (China)",
    title_zh="车牌号码",
    category=Category.IDENTITY,
    basis=ANNEX_A,
    masks=profiles(display=Keep(2, 1, 4), waybill=Keep(1, 0, 6), analytics=Keep(2, 0, 5)),
    layouts=plate_layout,
)
"""A vehicle plate, `粤B12345`, `粤BD12345`.

Plates of trailers, learners, police, consulates (`沪A1234领`), Hong Kong and Macau cars, tests and the like end with
the character of their kind, and those of rescue services with 应急 (`琼X1234应急`); those of embassies begin with 使
(`使014578`), of the armed police with WJ (`WJ粤1234X`). A plate moves within its kind: an ordinary one stays ordinary,
a new-energy one of new energy. Of the armed police and rescue services there are fewer than 1,000,000 of one beginning,
so they need a small domain. Plates of the armed forces (`VA12345`) are refused: plates of new energy without their
province look the same.
"""
