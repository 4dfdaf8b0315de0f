"""Vehicle plates of mainland China: which there are, of which kinds, and the ranks of their serials.

| kind | plate | how many |
|---|---|---|
| `ordinary` | province, office, five digits and letters, at most two of them letters | 7,060,000 |
| `lettered` | the same with three letters or more, as sold by choice | 38,375,424 |
| `small` | new energy, small: province, office, a letter of ten, a digit or letter, four digits | 3,400,000 |
| `large` | new energy, large: province, office, five digits, a letter of ten | 1,000,000 |
| `marked` | province, office, four digits and letters, and 挂, 学, 警, 港, 澳, 领, 试 or 超 | 1,336,336 |
| `embassy` | 使 and six digits | 1,000,000 |
| `rescue` | province, X or S, four digits, and 应急 | 10,000 |
| `armed` | the armed police: WJ, a province or none, four digits, and a digit or the letter of a branch | 170,000 |

Letters are without I and O. All but the last are of GA 36-2018 and later notices; the armed police has plates of its
own, here as they are since 2013. Those of the armed forces (`VA12345`) are not among them: they look like plates of
new energy whose province was lost, which is the likelier thing in a table of customers. A plate moves within its
kind, and keeps all but its serial: of the last two kinds only with a small domain. The first three digits of an
embassy's plate are its country; which countries there are is not checked, so all six move.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from privkit.fields.bytesets import byteset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

PROVINCES: Final = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
MARKS: Final = "挂学警港澳领试超"
_EMBASSY, _RESCUE, _ARMED = "使", "应急", "WJ"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS: Final = "0123456789"
_ENERGY: Final = "ABCDEFGHJK"
"""D: electric, F: other new energy (GA 36-2018); the letters beside them have been issued since."""
_ANY: Final = _DIGITS + _LETTERS
_BRANCHES: Final = _DIGITS + "BDHJSTX"
"""The last character of a plate of the armed police."""

PLATE: Final = re.compile(
    rf"{_EMBASSY}(?P<embassy>[0-9]{{6}})"
    rf"|{_ARMED}[{PROVINCES}]?(?P<armed>[0-9]{{4}}[{_BRANCHES}])"
    rf"|[{PROVINCES}][XS](?P<rescue>[0-9]{{4}}){_RESCUE}|[{PROVINCES}][{_LETTERS}]"
    rf"(?:(?P<small>[{_ENERGY}][{_ANY}][0-9]{{4}})|(?P<large>[0-9]{{5}}[{_ENERGY}])"
    rf"|(?P<plain>[{_ANY}]{{5}})|(?P<marked>[{_ANY}]{{4}})[{MARKS}])"
)
"""A canonical plate."""

_FEW: Final = 2
"""So many letters an ordinary serial has at most."""


@dataclass(frozen=True)
class Kind:
    """Serials of one kind: the patterns that they follow, in order; the rank counts through one after another.

    Where there are several patterns, they differ in where letters stand.

    Attributes:
        patterns: For each pattern the alphabet of each place.
        behind: How many bytes of a plate stand behind its serial.
    """

    patterns: tuple[tuple[str, ...], ...]
    behind: int = 0

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

    def part_of(self, width: int) -> slice:
        """Where the serial is in a plate of so many bytes."""
        return slice(width - self.behind - len(self.patterns[0]), width - self.behind)

    def are_serials(self, serials: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Say which rows of a `(rows, width)` matrix are serials of this kind."""
        tables, pattern = self._tables, self._pattern_of(serials)
        good = pattern >= 0
        for place in range(serials.shape[1]):
            good &= tables.numerals[tables.alphabets[pattern, place], serials[:, place]] >= 0
        return good

    def ranks(self, serials: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """The ranks of the serials of a matrix."""
        tables, pattern = self._tables, self._pattern_of(serials)
        ranks = np.zeros(len(serials), np.int64)
        for place in range(serials.shape[1]):
            alphabet = tables.alphabets[pattern, place]
            ranks = ranks * tables.sizes[alphabet] + tables.numerals[alphabet, serials[:, place]]
        return (ranks + tables.starts[pattern]).astype(np.uint64)

    def write(self, ranks: NDArray[np.uint64], out: NDArray[np.uint8]) -> None:
        """Write the serials at some ranks into a matrix."""
        tables, rest = self._tables, ranks.astype(np.int64)
        pattern = np.searchsorted(tables.starts, rest, side="right") - 1
        rest -= tables.starts[pattern]
        for place in reversed(range(out.shape[1])):
            alphabet = tables.alphabets[pattern, place]
            rest, numeral = np.divmod(rest, tables.sizes[alphabet])
            out[:, place] = tables.letters[alphabet, numeral]

    def _pattern_of(self, serials: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The pattern of each serial by where its letters stand; -1 where none has them there."""
        if len(self.patterns) == 1:
            return np.zeros(len(serials), np.intp)
        return self._tables.patterns[_places_of_letters(serials)]

    @cached_property
    def _tables(self) -> _Tables:
        alphabets = tuple(dict.fromkeys(itertools.chain(*self.patterns)))
        numerals = np.full((len(alphabets), 256), -1, np.int64)
        letters = np.zeros((len(alphabets), max(map(len, alphabets))), np.uint8)
        for number, alphabet in enumerate(alphabets):
            codes = list(alphabet.encode())
            numerals[number, codes] = range(len(codes))
            letters[number, : len(codes)] = codes
        patterns = np.full(1 << len(self.patterns[0]), -1, np.intp)
        for number, pattern in enumerate(self.patterns):
            patterns[sum((alphabet == _LETTERS) << place for place, alphabet in enumerate(pattern))] = number
        return _Tables(
            np.array([[alphabets.index(alphabet) for alphabet in pattern] for pattern in self.patterns]),
            np.array(list(map(len, alphabets))),
            numerals,
            letters,
            patterns,
            np.array([0, *itertools.accumulate(map(_count, self.patterns))][:-1]),
        )


class _Tables(NamedTuple):
    """The patterns of a kind as arrays."""

    alphabets: NDArray[np.intp]
    """By pattern and place: the number of the alphabet."""
    sizes: NDArray[np.int64]
    """By alphabet: how many characters it has."""
    numerals: NDArray[np.int64]
    """By alphabet and byte: which character of it that is; -1: none."""
    letters: NDArray[np.uint8]
    """By alphabet and numeral: the byte."""
    patterns: NDArray[np.intp]
    """By where letters stand, a bit for each place: the pattern; -1: none."""
    starts: NDArray[np.int64]
    """By pattern: how many serials are in those before it."""


def _places_of_letters(serials: NDArray[np.uint8]) -> NDArray[np.intp]:
    found = np.zeros(len(serials), np.intp)
    for place in range(serials.shape[1]):
        found |= (serials[:, place] >= ord("A")).astype(np.intp) << place
    return found


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


_HAN: Final = 3
"""So many bytes a character of Han has."""
KINDS: Final = {
    "ordinary": Kind(tuple(_patterns(range(_FEW + 1)))),
    "lettered": Kind(tuple(_patterns(range(_FEW + 1, 6)))),
    "small": Kind(((_ENERGY, _ANY, *[_DIGITS] * 4),)),
    "large": Kind(((*[_DIGITS] * 5, _ENERGY),)),
    "marked": Kind(((_ANY,) * 4,), _HAN),
    "embassy": Kind(((_DIGITS,) * 6,)),
    "rescue": Kind(((_DIGITS,) * 4,), _HAN * len(_RESCUE)),
    "armed": Kind(((*[_DIGITS] * 4, _BRANCHES),)),
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
        return next((kind, match[kind]) for kind in KINDS if kind not in {"ordinary", "lettered"} and match[kind])
    letters = sum(character in _LETTERS for character in serial)
    return ("ordinary" if letters <= _FEW else "lettered"), serial


WIDTHS: Final[dict[int, tuple[str, ...]]] = {
    7: ("armed",),
    9: ("ordinary", "lettered", "embassy"),
    10: ("small", "large", "armed"),
    11: ("marked",),
    14: ("rescue",),
}
"""The kinds of plates by how many bytes they have."""


def kinds_of(matrix: NDArray[np.uint8]) -> dict[str, NDArray[np.bool_]]:
    """Which rows of plates of one length are of which kind; rows that are no plate are of none."""
    known = {kind: _heads(matrix, kind) for kind in WIDTHS[matrix.shape[1]]}
    return {
        kind: head & KINDS[kind].are_serials(matrix[:, KINDS[kind].part_of(matrix.shape[1])])
        for kind, head in known.items()
    }


def are_plates(text: Ragged) -> NDArray[np.bool_]:
    """Say which rows are plates, as `PLATE` has them."""
    good = np.zeros(len(text), np.bool_)
    for length, index in text.by_length():
        if length in WIDTHS:
            good[slice(None) if index is None else index] = np.logical_or.reduce(
                list(kinds_of(text.matrix(length, index)).values())
            )
    return good


_WITHOUT_PROVINCE: Final = 7
"""How many bytes a plate of the armed police's headquarters has."""
_OFFICES, _SERVICES = byteset(_LETTERS), byteset("XS")


def _heads(matrix: NDArray[np.uint8], kind: str) -> NDArray[np.bool_]:
    """Which rows have, before and behind their serial, what plates of a kind have there."""
    match kind:
        case "embassy":
            return _one_of(matrix, _EMBASSY)
        case "armed":
            armed: NDArray[np.bool_] = (matrix[:, : len(_ARMED)] == np.frombuffer(_ARMED.encode(), np.uint8)).all(
                axis=1
            )
            with_province = matrix.shape[1] > _WITHOUT_PROVINCE
            return armed & _one_of(matrix[:, len(_ARMED) :], PROVINCES) if with_province else armed
        case "rescue":
            known = _one_of(matrix, PROVINCES) & _SERVICES[matrix[:, _HAN]]
            return known & _one_of(matrix[:, -2 * _HAN :], _RESCUE[0]) & _one_of(matrix[:, -_HAN:], _RESCUE[1])
        case "marked":
            return _ordinary(matrix) & _one_of(matrix[:, -_HAN:], MARKS)
        case _:
            return _ordinary(matrix)


def _ordinary(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows begin with a province and an office."""
    return _one_of(matrix, PROVINCES) & _OFFICES[matrix[:, _HAN]]


def _one_of(matrix: NDArray[np.uint8], characters: str) -> NDArray[np.bool_]:
    """Which rows begin with one of these characters of Han."""
    known = np.frombuffer(characters.encode(), np.uint8).reshape(-1, _HAN)
    powers = np.array([1 << 16, 1 << 8, 1], np.int32)
    return np.isin(matrix[:, :_HAN] @ powers, known @ powers)
