"""The mask of postal addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import CONTINUATION, heads, tight
from privkit.fields.masks import STARS, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMERALS: Final = "一二三四五六七八九十百零〇两甲乙丙丁"
_UNITS: Final = "号栋幢座室层楼弄门期区组队房户"
"""What a building part is counted in; `单元` too, of two characters."""
_HOUSES: Final = "号弄巷"
_TOWERS: Final = "楼栋幢座室房"
"""Behind a number they say that it is no house's, `12号楼`."""
_HOUSE = re.compile(rf"[0-9]+(?:-[0-9]+)?[{_HOUSES}](?![{_TOWERS}])")
_BUILDING = re.compile(rf"[0-9A-Za-z#]|[{_NUMERALS}]+(?:[{_UNITS}]|单元)")


@dataclass(frozen=True, slots=True)
class AddressMask(Shape):
    """The road and the house number; what tells the building, unit and room apart is hidden (GB/T 41833-2022).

    Everything after the first house number (`12号`) is hidden, or, where there is none or nothing after it, everything
    from the first digit, letter or counted building part on. A value that has neither is cut after half of it.

    Attributes:
        house: Whether the house number itself stays.
        longest: At most how many characters stay.

    >>> AddressMask().one("科技园路12号3栋2单元1502室")
    '科技园路12号****'
    """

    house: bool = True
    longest: int = 20

    @property
    def shows(self) -> int:
        """The longest road and number."""
        return self.longest

    def _mask(self, text: str) -> str:
        house, building = _HOUSE.search(text), _BUILDING.search(text)
        if self.house and house and building and building.start() >= house.start() and house.end() < len(text):
            end = house.end()
        else:
            end = building.start() if building else len(text) // 2
        return text[: min(end, self.longest)] + "****" if end else STARS

    def _mask_many(self, text: Ragged) -> Ragged:
        data, offsets = tight(text)
        places = np.flatnonzero((data & 0xC0) != CONTINUATION)
        rows = _Rows(data, np.searchsorted(places, offsets))
        first, last = rows.first[:-1], rows.first[1:]
        begins, ends = rows.houses()
        building = rows.buildings()
        # A house number is such a part itself, so none is behind the first of them.
        house = (begins == building) & (ends < last) & self.house
        end = np.where(house, ends, np.where(building < last, building, first + (last - first) // 2))
        end = np.minimum(end, first + self.longest)
        shown = np.flatnonzero(end > first)
        head = np.append(places, len(data))[end] - offsets[:-1]
        masked = heads(text if len(shown) == len(text) else text.take(shown), head[shown], b"****")
        hidden = np.flatnonzero(end == first)
        return Ragged.merge(len(text), [(shown, masked), (hidden, Ragged.of_text([STARS] * len(hidden)))])


_DIGIT, _PLAIN, _NUMERAL, _UNIT, _TO_HOUSE, _TO_TOWER, _DASH, _DAN, _YUAN = (1 << bit for bit in range(9))


def _table() -> NDArray[np.uint16]:
    table = np.zeros(1 << 16, np.uint16)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for flag, characters in (
        (_DIGIT, "0123456789"),
        (_PLAIN, "0123456789#" + letters + letters.upper()),
        (_NUMERAL, _NUMERALS),
        (_UNIT, _UNITS),
        (_TO_HOUSE, _HOUSES),
        (_TO_TOWER, _TOWERS),
        (_DASH, "-"),
        (_DAN, "单"),
        (_YUAN, "元"),
    ):
        table[[ord(character) for character in characters]] |= flag
    return table


_FLAGS: Final = _table()
"""What each character of the basic plane may be; U+FFFF, which is none, stands for those beyond it."""


class _Rows:
    """Rows as flags of their characters.

    Attributes:
        first: Where each row begins among all characters, and where the last one ends.
    """

    def __init__(self, data: NDArray[np.uint8], first: NDArray[np.intp]) -> None:
        characters = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
        self.first = first
        self._here = _FLAGS[np.minimum(characters, len(_FLAGS) - 1)]
        self._before = np.roll(self._here, 1)
        self._before[first[:-1]] = 0
        self._after = np.roll(self._here, -1)
        self._after[first[1:] - 1] = 0

    def houses(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the first house number of each row begins and ends; both past all rows where there is none."""
        mark = (self._here & _TO_HOUSE > 0) & (self._before & _DIGIT > 0) & (self._after & _TO_TOWER == 0)
        found = self._firsts(np.flatnonzero(mark))
        rows = np.flatnonzero(found < self.first[-1])
        numbers = np.flatnonzero((self._here & _DIGIT > 0) & (self._before & _DIGIT == 0))
        begins, ends = found.copy(), found + 1
        begin = numbers[np.searchsorted(numbers, found[rows]) - 1]
        two = np.flatnonzero(self._before[begin] & _DASH)  # `12-14号`
        two = two[self._before[begin[two] - 1] & _DIGIT > 0]
        begin[two] = numbers[np.searchsorted(numbers, begin[two]) - 1]
        begins[rows] = begin
        return begins, ends

    def buildings(self) -> NDArray[np.intp]:
        """Where the first building part of each row begins; past all rows where there is none."""
        numeral = self._here & _NUMERAL > 0
        begins = np.flatnonzero(numeral & (self._before & _NUMERAL == 0))
        ends = np.flatnonzero(numeral & (self._after & _NUMERAL == 0))
        counted = self._after[ends] & _UNIT > 0
        dan = np.flatnonzero(self._after[ends] & _DAN)
        counted[dan] = self._after[ends[dan] + 1] & _YUAN > 0
        plain = np.flatnonzero(self._here & _PLAIN)
        return np.minimum(self._firsts(plain), self._firsts(begins[counted]))

    def _firsts(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """The first of some ascending places in each row; past all rows where there is none."""
        past = self.first[-1]
        found = np.append(places, past)[np.searchsorted(places, self.first[:-1])]
        return np.where(found < self.first[1:], found, past)
