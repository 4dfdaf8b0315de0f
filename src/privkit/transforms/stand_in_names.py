"""Stand-ins for names of persons: of the shape and, where that is asked, of the sex that the name has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.beside import beside
from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import rows_at, tight, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.transforms.stand_ins import Pieces
    from privkit.transforms.word_lists import WordLists

    Numbers = NDArray[np.uint64]

SHAPES: Final = ((1, 1), (1, 2), (2, 1), (2, 2))
"""Characters of surname and given name that a stand-in can have; any other name gets the second shape."""
SEXES: Final = ("given", "male", "female")
"""The list of given names by what a name says of its person's sex: 0 nothing, 1 male, 2 female."""
_OTHER: Final = 1
_HAN_BYTES: Final = 3
"""A Chinese character of a stand-in in UTF-8: all of them are of the Basic Multilingual Plane."""
_LEAD: Final = 0xE0
_DOT: Final = "·".encode()
_FLOWER: Final = "古丽"
_FEW: Final = 30
"""Where fewer given names have one character, the characters of all of them are taken."""


@dataclass(frozen=True)
class HanNames:
    """Chinese names, of the shape that the name had: surname and given name of as many characters.

    A name with a dot, as minorities have, becomes another one with a dot: a given name and a father's.

    Attributes:
        words: The lists; `compound` are the surnames of two characters.
        keeps_sex: Whether the sex that the given name's characters say stays.
        dotted: The lists of names with a dot; `None`: they become names without.
    """

    words: WordLists
    keeps_sex: bool = False
    dotted: WordLists | None = None

    @property
    def lists(self) -> str:
        """See `Kind`."""
        return self.words.name if self.dotted is None else f"{self.words.name}, {self.dotted.name}"

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`: the first number chooses the surname, the second the given name; or the father's and the own."""
        dotted = self._with_dot(text)
        if self.dotted is None or not len(dotted):
            return self._surname_and_given(text, numbers)
        rest = np.delete(np.arange(len(text)), dotted)
        parts = [
            (dotted, self._two_given(text.take(dotted), self.dotted, numbers[dotted])),
            (rest, self._surname_and_given(text.take(rest), numbers[rest])),
        ]
        return Ragged.merge(len(text), parts)

    def _with_dot(self, text: Ragged) -> NDArray[np.intp]:
        """The rows that have a dot."""
        return np.unique(rows_at(tight(text)[1], where(text, [_DOT])))

    def _two_given(self, text: Ragged, lists: WordLists, numbers: Numbers) -> Ragged:
        """A given name, the dot, and a father's given name."""
        names = {sex: Ragged.of_text(lists.lists[sex]) for sex in SEXES}
        sexes = np.array([_sex_of(name, lists) for name in text.to_text()]) if self.keeps_sex else np.zeros(len(text))
        fathers = names["male"].take((numbers[:, 0] % np.uint64(len(names["male"]))).astype(np.intp))
        parts = []
        for number, sex in enumerate(SEXES):
            rows = np.flatnonzero(sexes == number)
            chosen = (numbers[rows, 1] % np.uint64(len(names[sex]))).astype(np.intp)
            parts.append((rows, names[sex].take(chosen)))
        dots = Ragged.of([_DOT]).take(np.zeros(len(text), np.intp))
        return beside([Ragged.merge(len(text), parts), dots, fathers])

    def _surname_and_given(self, text: Ragged, numbers: Numbers) -> Ragged:
        shapes = self._shapes(text)
        sexes = self._sexes(text, shapes) if self.keeps_sex else np.zeros(len(text), np.intp)
        parts = []
        for shape, (front, back) in enumerate(SHAPES):
            for sex in range(len(SEXES)):
                rows = np.flatnonzero((shapes == shape) & (sexes == sex))
                if len(rows):
                    surnames = _pick(self._surnames[front], numbers[rows, 0])
                    given = _pick(self._given[sex][back], numbers[rows, 1])
                    parts.append((rows, Ragged.of_matrix(np.hstack([surnames, given]))))
        return Ragged.merge(len(text), parts)

    @cached_property
    def _surnames(self) -> dict[int, NDArray[np.uint8]]:
        singles = [name for name in self.words.lists["surnames"] if len(name) == 1]
        return {1: _matrix(singles), 2: _matrix(self.words.lists["compound"])}

    @cached_property
    def _given(self) -> list[dict[int, NDArray[np.uint8]]]:
        return [_of_lengths(self.words.lists[sex]) for sex in SEXES]

    @cached_property
    def _scores(self) -> NDArray[np.int16]:
        """By code point, in how many more male than female names of the lists a character is."""
        scores = np.zeros(1 << 16, np.int16)
        for sex, weight in (("male", 1), ("female", -1)):
            for character in "".join(self.words.lists[sex]):
                scores[ord(character)] += weight
        return scores

    def _shapes(self, text: Ragged) -> NDArray[np.intp]:
        """Which of the shapes each name has, as a position in `SHAPES`."""
        shapes = np.full(len(text), _OTHER, np.intp)
        compounds = np.array(sorted(surname.encode() for surname in self.words.lists["compound"]))
        for length, index in text.by_length():
            rows = np.arange(len(text)) if index is None else index
            if length == 2 * _HAN_BYTES:
                shapes[rows] = 0
            elif length in {3 * _HAN_BYTES, 4 * _HAN_BYTES}:
                heads = text.matrix(2 * _HAN_BYTES, rows)
                double = np.isin(np.ascontiguousarray(heads).view("S6").reshape(-1), compounds)
                shapes[rows] = np.where(double, 2 if length == 3 * _HAN_BYTES else 3, _OTHER)
        return shapes

    def _sexes(self, text: Ragged, shapes: NDArray[np.intp]) -> NDArray[np.intp]:
        """What the characters of each given name say, as a position in `SEXES`."""
        sexes = np.zeros(len(text), np.intp)
        for shape, (front, back) in enumerate(SHAPES):
            width = (front + back) * _HAN_BYTES
            rows = np.flatnonzero((shapes == shape) & (text.lengths == width))
            if len(rows):
                han = text.matrix(width, rows).reshape(len(rows), -1, _HAN_BYTES)
                scores = self._scores[_points(han[:, front:])].sum(axis=1)
                scores[(han[:, :, 0] < _LEAD).any(axis=1)] = 0  # not of three bytes each: another script
                sexes[rows] = np.where(scores > 0, 1, np.where(scores < 0, 2, 0))
        return sexes


@dataclass(frozen=True)
class WordNames:
    """Names of a locale whose given names are words of a list, made by a template.

    Attributes:
        words: The lists.
        made: Names of either sex, male ones, female ones.
        keeps_sex: Whether the sex that the given name says stays.
    """

    words: WordLists
    made: tuple[Pieces, Pieces, Pieces]
    keeps_sex: bool = False

    @property
    def lists(self) -> str:
        """See `Kind`."""
        return self.words.name

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`."""
        if not self.keeps_sex:
            return self.made[0].many(text, numbers)
        sexes = np.array([self._sex(name) for name in text.to_text()], np.intp)
        parts = []
        for sex, made in enumerate(self.made):
            rows = np.flatnonzero(sexes == sex)
            if len(rows):
                parts.append((rows, made.many(text.take(rows), numbers[rows])))
        return Ragged.merge(len(text), parts)

    @cached_property
    def _known(self) -> dict[str, int]:
        male, female = (set(self.words.lists[sex]) for sex in SEXES[1:])
        return {name: 1 if name in male else 2 for name in male ^ female}

    def _sex(self, name: str) -> int:
        """What a name says: its first word, or, where it is written in one, its longest ending that is a given name."""
        head, space, _ = name.partition(" ")
        endings = [head] if space else [name[start:] for start in range(1, len(name))]
        return next((self._known[ending] for ending in endings if ending in self._known), 0)


def _sex_of(name: str, lists: WordLists) -> int:
    """What a name with a dot says of its person's sex, by the lists, and by 古丽, which is a flower: 0 nothing."""
    given = name.partition(_DOT.decode())[0]
    if given in lists.lists["female"] or given.endswith(_FLOWER):
        return 2
    return int(given in lists.lists["male"])


def _of_lengths(names: Sequence[str]) -> dict[int, NDArray[np.uint8]]:
    """Given names of one character and of two."""
    singles = [name for name in names if len(name) == 1]
    doubles = list(permutations(singles, 2))
    if len(singles) < _FEW:
        singles = list(dict.fromkeys("".join(names)))
        doubles = [(name[0], name[1]) for name in names if len(name) == 2]  # noqa: PLR2004 - two characters
    return {1: _matrix(singles), 2: _matrix(["".join(pair) for pair in doubles])}


def _matrix(words: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("".join(words).encode(), np.uint8).reshape(len(words), -1)


def _pick(words: NDArray[np.uint8], numbers: Numbers) -> NDArray[np.uint8]:
    return words[(numbers % np.uint64(len(words))).astype(np.intp)]


def _points(han: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The code points of characters of three bytes each, along the last axis."""
    first, second, third = (han[..., place].astype(np.intp) for place in range(_HAN_BYTES))
    return (first & 15) << 12 | (second & 63) << 6 | third & 63
