"""What stand-ins are made of: word lists, and how numbers choose from them.

A kind of stand-in is a function of a column of canonical values and of two 64-bit numbers to each. Words of people,
streets and companies are those of Faker's Chinese lists, divisions those of privkit's own dated table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from privkit._kernels.decimal_text import format_integers
from privkit._kernels.ragged import Ragged, move
from privkit.errors import InvalidParameter, InvalidValue, MissingExtra
from privkit.fields import divisions
from privkit.fields.digits import numbers as read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]

SHAPES: Final = ((1, 1), (1, 2), (2, 1), (2, 2))
"""Characters of surname and given name that a stand-in can have; any other name gets the second shape."""
_HAN_BYTES: Final = 3
"""A Chinese character of a stand-in in UTF-8: all of them are of the Basic Multilingual Plane."""
COMPOUND: Final = (
    *("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟"),
    *("公孙", "慕容", "令狐", "司徒", "夏侯", "端木", "南宫"),
)
"""Compound surnames; Faker's list has one of them."""
DOMAINS: Final = ("example.com", "example.net", "example.org")
"""What is nobody's address: reserved for documentation by RFC 2606, section 3."""
_KEPT_DIGITS: Final = {"province": 2, "city": 4}
_U = np.uint64


class Kind(Protocol):
    """A kind of stand-in."""

    @property
    def lists(self) -> str:
        """A fingerprint of the words: while it is the same, so are the stand-ins."""
        ...

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """Choose stand-ins.

        Args:
            text: Canonical values.
            numbers: `uint64` of shape `(rows, 2)`, all values equally likely.
        """
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Names of persons, of the shape that the name had; by the number of characters, one to a row."""

    surnames: dict[int, NDArray[np.uint8]]
    given: dict[int, NDArray[np.uint8]]
    lists: str

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`: the first number chooses the surname, the second the given name."""
        shapes = _shapes(text)
        parts = []
        for number, (front, back) in enumerate(SHAPES):
            rows = np.flatnonzero(shapes == number)
            surnames = _pick(self.surnames[front], numbers[rows, 0])
            given = _pick(self.given[back], numbers[rows, 1])
            parts.append((rows, Ragged.of_matrix(np.hstack([surnames, given]))))
        return Ragged.merge(len(text), parts)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces put one after the other: words from a list, or a whole number from a range.

    Lists are chosen from by the first number and ranges by the second, each taking the remainder and leaving the
    quotient to the next, so that within one number no choice tells of another.
    """

    pieces: tuple[Ragged | range, ...]
    lists: str

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:  # noqa: ARG002 - the protocol's; no shape is kept
        """See `Kind`."""
        words, counts = numbers[:, 0], numbers[:, 1]
        parts = []
        for piece in self.pieces:
            if isinstance(piece, range):
                counts, rest = np.divmod(counts, _U(len(piece)))
                parts.append(format_integers(rest.astype(np.int64) + piece.start))
            else:
                words, rest = np.divmod(words, _U(len(piece)))
                parts.append(piece.take(rest.astype(np.intp)))
        return _joined(parts)


@dataclass(frozen=True, slots=True)
class Counties:
    """Codes of counties, all of them or those of the same province or city."""

    codes: NDArray[np.int64]
    keeps: int
    lists: str

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`: the first number chooses.

        Raises:
            InvalidValue: If a province or city has no counties in the table; with positions in `text`.
        """
        step = 10 ** (6 - self.keeps)
        prefixes = read(text.matrix(6)).astype(np.int64) // step
        low = np.searchsorted(self.codes, prefixes * step)
        size = np.searchsorted(self.codes, (prefixes + 1) * step) - low
        none = np.flatnonzero(size == 0)
        if len(none):
            raise InvalidValue("there are no counties in its province or city to choose from", rows=none.tolist())
        places = low + (numbers[:, 0] % size.astype(np.uint64)).astype(np.int64)
        return format_integers(self.codes[places])


def kind(name: str, keep: str | None) -> Kind:
    """Make a kind of stand-in.

    Args:
        name: One of `KINDS`.
        keep: For `cn_division`: `province` or `city`.

    Raises:
        InvalidParameter: If that kind keeps nothing of the sort.
        MissingExtra: If Faker is not installed, where it is needed.
    """
    if name == "cn_division":
        if keep is not None and keep not in _KEPT_DIGITS:
            raise InvalidParameter("what a stand-in of cn_division keeps is 'province' or 'city'")
        return _counties(0 if keep is None else _KEPT_DIGITS[keep])
    if keep is not None:
        raise InvalidParameter(f"a stand-in of {name} keeps nothing that could be chosen; only cn_division does")
    return KINDS[name]()


@cache
def names() -> Names:
    """Names of persons from Faker's lists."""
    people = _faker("person")
    singles = [name for name in people.first_names if len(name) == 1]
    doubles = ["".join(pair) for pair in permutations(singles, 2)]
    surnames = [name for name in people.last_names if len(name) == 1]
    return Names(
        {1: _matrix(surnames), 2: _matrix(COMPOUND)},
        {1: _matrix(singles), 2: _matrix(doubles)},
        _fingerprint([surnames, COMPOUND, singles]),
    )


@cache
def _emails() -> Pieces:
    people = _faker("person")
    given, family = _lower(people.first_romanized_names), _lower(people.last_romanized_names)
    return _pieces(given, ["."], family, range(1_000_000), ["@"], DOMAINS)


@cache
def _user_names() -> Pieces:
    people = _faker("person")
    return _pieces(_lower(people.last_romanized_names), _lower(people.first_romanized_names), range(1_000_000))


@cache
def _details() -> Pieces:
    streets = sorted({*_faker("address").cities, *_faker("person").last_names})
    roads = _faker("address").street_suffixes
    return _pieces(streets, roads, range(1, 1000), ["号"], range(1, 31), ["幢"], range(101, 1000), ["室"])


@cache
def _companies() -> Pieces:
    firms = _faker("company")
    return _pieces(sorted(set(_faker("address").cities)), firms.company_prefixes, firms.company_suffixes)


@cache
def _divisions(level: str) -> Pieces:
    table = divisions.table()
    digits = divisions.LEVELS[level]
    return _pieces(sorted({table.name(code) for code in table.names if len(str(code)) == digits}))


@cache
def _counties(keeps: int) -> Counties:
    table = divisions.table()
    codes = table.codes[~table.zones()].astype(np.int64)
    return Counties(codes, keeps, f"divisions-{table.version}")


KINDS: Final[dict[str, Callable[[], Kind]]] = {
    "person_name": names,
    "email": _emails,
    "user_name": _user_names,
    "address_detail": _details,
    "company": _companies,
    "cn_province": lambda: _divisions("province"),
    "cn_city": lambda: _divisions("city"),
    "cn_county": lambda: _divisions("county"),
    "cn_division": lambda: _counties(0),
}
"""Every kind of stand-in, by the field type that it stands in for; `company` is for texts."""


def _faker(part: str) -> Any:  # noqa: ANN401 - a class of a package without types
    """Faker's provider of the Chinese lists of one part."""
    try:
        from faker.providers.address.zh_CN import Provider as Address  # noqa: PLC0415 - found when used
        from faker.providers.company.zh_CN import Provider as Company  # noqa: PLC0415 - as above
        from faker.providers.person.zh_CN import Provider as Person  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtra("Surrogate", extra="surrogate") from None
    return {"address": Address, "company": Company, "person": Person}[part]


def _pieces(*pieces: Iterable[str] | range) -> Pieces:
    lists = [piece if isinstance(piece, range) else list(piece) for piece in pieces]
    made = tuple(piece if isinstance(piece, range) else Ragged.of_text(piece) for piece in lists)
    return Pieces(made, _fingerprint(lists))


def _fingerprint(lists: Sequence[Sequence[object]]) -> str:
    text = "\n\n".join("\n".join(map(str, words)) for words in lists)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lower(words: Iterable[str]) -> list[str]:
    return [word.lower() for word in words]


def _matrix(words: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("".join(words).encode(), np.uint8).reshape(len(words), -1)


def _pick(words: NDArray[np.uint8], numbers: Numbers) -> NDArray[np.uint8]:
    return words[(numbers % _U(len(words))).astype(np.intp)]


def _joined(parts: Sequence[Ragged]) -> Ragged:
    """Columns put side by side, row by row."""
    out = Ragged.empty(np.sum([part.lengths for part in parts], axis=0, dtype=np.int64))
    places = out.offsets[:-1]
    for part in parts:
        move(part.data, part.offsets[:-1], out.data, places, part.lengths)
        places = places + part.lengths
    return out


def _shapes(text: Ragged) -> NDArray[np.intp]:
    """Which of the shapes each name has, as a position in `SHAPES`."""
    shapes = np.full(len(text), 1, np.intp)
    compounds = {surname.encode() for surname in COMPOUND}
    for length, index in text.by_length():
        rows = np.arange(len(text)) if index is None else index
        if length == 2 * _HAN_BYTES:
            shapes[rows] = 0
        elif length in {3 * _HAN_BYTES, 4 * _HAN_BYTES}:
            heads = text.matrix(2 * _HAN_BYTES, rows)
            starts = np.ascontiguousarray(heads).view("S6").reshape(-1)
            double = np.isin(starts, np.array(sorted(compounds)))
            shapes[rows] = np.where(double, 2 if length == 3 * _HAN_BYTES else 3, 1)
    return shapes
