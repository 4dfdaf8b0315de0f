"""Vehicle plates of mainland China: which serials there are, and their ranks (GA 36-2018).

A plate is a province's character, the letter of an issuing office, and a serial, of which there are kinds:

| kind | serial | how many |
|---|---|---|
| `ordinary` | five digits and letters, at most two of them letters | 7,060,000 |
| `lettered` | five with three letters or more, as sold by choice | 38,375,424 |
| `small` | new energy, small: a letter of ten, a digit or letter, four digits | 3,400,000 |
| `large` | new energy, large: five digits, a letter of ten | 1,000,000 |
| `marked` | four digits and letters, and 挂, 学, 警, 港, 澳, 领, 试 or 超 | 1,336,336 |
| `embassy` | 使 before six digits, without province and office | 1,000,000 |

Letters are without I and O. A plate moves within its kind, and keeps its province, office and mark. The first three
digits of an embassy's plate are its country; which countries there are is not checked, so all six move.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.bytesets import byteset
from privkit.fields.layout import Slot
from privkit.fields.row_layout import RowLayout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
MARKS = "挂学警港澳领试超"
_EMBASSY = "使"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "0123456789"
_ENERGY = "ABCDEFGHJK"
"""D: electric, F: other new energy (GA 36-2018); the letters beside them have been issued since."""
_ANY = _DIGITS + _LETTERS

PLATE = re.compile(
    rf"{_EMBASSY}(?P<embassy>[0-9]{{6}})|[{PROVINCES}][A-HJ-NP-Z]"
    rf"(?:(?P<small>[{_ENERGY}][{_ANY}][0-9]{{4}})|(?P<large>[0-9]{{5}}[{_ENERGY}])"
    rf"|(?P<plain>[{_ANY}]{{5}})|(?P<marked>[{_ANY}]{{4}})[{MARKS}])"
)
"""A canonical plate."""

_OF_DIGITS, _OF_LETTERS, _OF_ENERGY, _OF_ANY = map(byteset, (_DIGITS, _LETTERS, _ENERGY, _ANY))
_HAN = 3
"""So many bytes a character of Han has."""
_SERIAL = _HAN + 1
_SHORT, _LONG, _MARKED = _SERIAL + 5, _SERIAL + 6, _SERIAL + 4 + _HAN
"""How many bytes the kinds of plates have."""

_FEW = 2
"""So many letters an ordinary serial has at most."""


def are_plates(text: Ragged) -> NDArray[np.bool_]:
    """Say which rows are plates, as `PLATE` has them."""
    good = np.zeros(len(text), np.bool_)
    for length, index in text.by_length():
        if length in (_SHORT, _LONG, _MARKED):
            rows = slice(None) if index is None else index
            matrix = text.matrix(length, index)
            good[rows] = _one_of(matrix[:, :_HAN], PROVINCES) & _OF_LETTERS[matrix[:, _HAN]]
            good[rows] &= _serials(matrix[:, _SERIAL:])
            if length == _SHORT:  # as long as these: one character of Han and six digits
                good[rows] |= _one_of(matrix[:, :_HAN], _EMBASSY) & _each(matrix[:, _HAN:], _OF_DIGITS)
    return good


def _serials(serial: NDArray[np.uint8]) -> NDArray[np.bool_]:
    match serial.shape[1]:
        case 5:
            return _each(serial, _OF_ANY)
        case 6:
            small = _OF_ENERGY[serial[:, 0]] & _OF_ANY[serial[:, 1]] & _each(serial[:, 2:], _OF_DIGITS)
            return small | (_each(serial[:, :-1], _OF_DIGITS) & _OF_ENERGY[serial[:, -1]])
        case _:
            return _each(serial[:, :-_HAN], _OF_ANY) & _one_of(serial[:, -_HAN:], MARKS)


def _each(matrix: NDArray[np.uint8], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    good = np.ones(len(matrix), np.bool_)
    for column in range(matrix.shape[1]):
        good &= allowed[matrix[:, column]]
    return good


def _one_of(matrix: NDArray[np.uint8], characters: str) -> NDArray[np.bool_]:
    """Which rows of three bytes are one of these characters of Han."""
    known = np.frombuffer(characters.encode(), np.uint8).reshape(-1, _HAN)
    powers = np.array([1 << 16, 1 << 8, 1], np.int32)
    return np.isin(matrix @ powers, known @ powers)


@dataclass(frozen=True)
class Kind:
    """Serials of one kind: the patterns that they follow, in order; the rank counts through one after another.

    Attributes:
        patterns: For each pattern the alphabet of each place.
    """

    patterns: tuple[tuple[str, ...], ...]

    @property
    def size(self) -> int:
        """How many serials there are."""
        return sum(map(_count, self.patterns))

    def rank(self, serial: str) -> int:
        """The place of a serial among all of its kind."""
        start = 0
        for pattern in self.patterns:
            if all(character in alphabet for character, alphabet in zip(serial, pattern, strict=True)):
                rank = 0
                for character, alphabet in zip(serial, pattern, strict=True):
                    rank = rank * len(alphabet) + alphabet.index(character)
                return start + rank
            start += _count(pattern)
        raise LookupError("a serial is not of its kind")

    def serial(self, rank: int) -> str:
        """The serial at a place."""
        for pattern in self.patterns:
            if rank < _count(pattern):
                return _written(pattern, rank)
            rank -= _count(pattern)
        raise LookupError("a rank is beyond its kind")


def _count(pattern: tuple[str, ...]) -> int:
    return math.prod(map(len, pattern))


def _written(pattern: tuple[str, ...], rank: int) -> str:
    out: list[str] = []
    for alphabet in reversed(pattern):
        rank, numeral = divmod(rank, len(alphabet))
        out.append(alphabet[numeral])
    return "".join(reversed(out))


def _patterns(letters: range) -> Iterator[tuple[str, ...]]:
    for pattern in itertools.product((_DIGITS, _LETTERS), repeat=5):
        if pattern.count(_LETTERS) in letters:
            yield pattern


KINDS = {
    "ordinary": Kind(tuple(_patterns(range(_FEW + 1)))),
    "lettered": Kind(tuple(_patterns(range(_FEW + 1, 6)))),
    "small": Kind(((_ENERGY, _ANY, *[_DIGITS] * 4),)),
    "large": Kind(((*[_DIGITS] * 5, _ENERGY),)),
    "marked": Kind(((_ANY,) * 4,)),
    "embassy": Kind(((_DIGITS,) * 6,)),
}


def parts(plate: str) -> tuple[str, str]:
    """The kind and the serial of a canonical plate.

    Raises:
        LookupError: It is none.
    """
    match = PLATE.fullmatch(plate)
    if match is None:
        raise LookupError("not a plate")
    serial = match["plain"]
    if serial is None:
        return next((kind, match[kind]) for kind in ("small", "large", "marked", "embassy") if match[kind])
    letters = sum(character in _LETTERS for character in serial)
    return ("ordinary" if letters <= _FEW else "lettered"), serial


@dataclass(frozen=True, slots=True)
class PlateLayout(RowLayout):
    """The layout; see the module."""

    @property
    def id(self) -> str:
        """The frozen name."""
        return "cn_plate"

    @property
    def version(self) -> int:
        """Version 1 stands on the kinds of GA 36-2018."""
        return 1

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among."""
        return min(kind.size for kind in KINDS.values())

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        kind, serial = parts(text)
        return Slot(KINDS[kind].rank(serial), KINDS[kind].size, _kept(text, serial))

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        kind, serial = parts(text)
        start = _start(text)
        return f"{text[:start]}{KINDS[kind].serial(rank)}{text[start + len(serial) :]}"


def _kept(text: str, serial: str) -> bytes:
    start = _start(text)
    return f"{text[:start]}{text[start + len(serial) :]}".encode()


def _start(text: str) -> int:
    """Where the serial begins."""
    return len(_EMBASSY) if text.startswith(_EMBASSY) else 2


def plate_layout() -> PlateLayout:
    """How a plate moves: among the serials of its kind; province, office and mark stay."""
    return PlateLayout()
