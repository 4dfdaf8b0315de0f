"""Layouts of values that are written character by character: each moves within its own class.

Digits stay digits and letters letters of their case, while everything else (hyphens, dots, whatever is kept) stays
where it is and becomes tweak. Numbers neither get nor lose a leading zero. The rank is the number that the moving
characters are in the mixed radix of their classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.errors import InvalidParameter, InvalidValue
from privkit.fields.digits import are_digits
from privkit.fields.layout import Slot, Slots
from privkit.fields.layouts import ENOUGH, OnNoTable, WidthLayout, too_few
from privkit.fields.row_layout import RowLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
_WORD = 2**64
_BEYOND_ASCII = 0x80


@dataclass(frozen=True)
class Characters(OnNoTable, WidthLayout):
    """ASCII characters that move within their classes.

    Attributes:
        id: The frozen name, options included.
        classes: Disjoint alphabets of ASCII; what is in none of them stays.
        first: How many characters stay at the beginning.
        last: How many stay at the end.
        until: A mark from whose last occurrence on everything stays; `""`: none.
        smallest: The smallest domain of any one value, below which values are refused.
    """

    id: str
    classes: tuple[str, ...] = (DIGITS, LOWER, UPPER)
    first: int = 0
    last: int = 0
    until: str = ""
    smallest: int = ENOUGH

    @cached_property
    def _tables(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """For each byte its class (from 1, 0 stays) and its numeral in it."""
        kinds, numerals = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
        for number, alphabet in enumerate(self.classes, 1):
            codes = list(alphabet.encode("ascii"))
            kinds[codes] = number
            numerals[codes] = range(len(codes))
        return kinds, numerals

    def _kinds(self, matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The class of each character where it moves, 0 where it stays."""
        kinds = self._tables[0][matrix]
        width = matrix.shape[1]
        kinds[:, : self.first] = 0
        kinds[:, max(0, width - self.last) :] = 0
        if kinds.shape[1] > 1 and DIGITS in self.classes:
            self._keep_lead(matrix, kinds)
        if self.until:
            marks = matrix == ord(self.until)
            from_end = np.argmax(marks[:, ::-1], axis=1)
            last = np.where(marks.any(axis=1), width - 1 - from_end, width)
            kinds[np.arange(width) >= last[:, None]] = 0
        return kinds

    def _keep_lead(self, matrix: NDArray[np.uint8], kinds: NDArray[np.uint8]) -> None:
        """Give the first digit of a number a class without zero, or keep it where it is zero.

        A column of integers has no place for leading zeros: so none come or go.
        """
        digit = self.classes.index(DIGITS) + 1
        rows = np.flatnonzero((kinds[:, 0] == digit) & are_digits(matrix))
        kinds[rows, 0] = np.where(matrix[rows, 0] == ord("0"), 0, len(self.classes) + 1)

    def _refuse_scripts(self, matrix: NDArray[np.uint8]) -> None:
        """Refuse letters of other scripts before the mark: they have no class, and would stay in the clear."""
        beyond = matrix >= _BEYOND_ASCII
        if not beyond.any():
            return
        behind = np.cumsum(matrix[:, ::-1] == ord(self.until), axis=1)[:, ::-1] > 0
        rows = np.flatnonzero((beyond & behind).any(axis=1))
        if len(rows):
            raise InvalidValue(
                f"there are letters beyond ASCII before the last {self.until!r}, which would stay; take a token",
                rows=rows.tolist(),
            )

    def _alphabet(self, kind: int) -> str:
        return self.classes[kind - 1] if kind <= len(self.classes) else DIGITS[1:]

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Group rows by which classes stand where, and split each group."""
        if self.until:
            self._refuse_scripts(matrix)
        kinds = self._kinds(matrix)
        if (kinds == kinds[0]).all():
            return [self._part(matrix, None, kinds[0])]
        patterns, group = np.unique(kinds, axis=0, return_inverse=True)
        order = np.argsort(group, kind="stable")
        bounds = np.cumsum(np.bincount(group))[:-1]
        return [
            self._part(matrix[rows], rows, pattern)
            for pattern, rows in zip(patterns, np.split(order, bounds), strict=True)
        ]

    def _part(self, matrix: NDArray[np.uint8], rows: NDArray[np.intp] | None, kinds: NDArray[np.uint8]) -> Slots:
        radices = self._radices(kinds)
        size = math.prod(radix for _, radix in radices)
        numerals = self._tables[1]
        ranks: NDArray[Any] = np.zeros(len(matrix), np.uint64 if size <= _WORD else object)
        for column, radix in radices:
            digit = numerals[matrix[:, column]] - np.uint8(kinds[column] > len(self.classes))
            ranks = ranks * (np.uint64(radix) if size <= _WORD else radix) + digit.astype(ranks.dtype)
        return Slots(rows, ranks, size, _skeleton(matrix, kinds))

    def _radices(self, kinds: NDArray[np.uint8]) -> list[tuple[int, int]]:
        """The columns that move, and among how many characters each."""
        return [(column, len(self._alphabet(int(kinds[column])))) for column in np.flatnonzero(kinds).tolist()]

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the numerals of the rank into the places that move."""
        out = matrix.copy()
        if not len(out):
            return out
        kinds = self._kinds(matrix[:1])[0]
        ranks: NDArray[Any] = part.ranks
        for column, radix in reversed(self._radices(kinds)):
            base = radix if ranks.dtype == object else np.uint64(radix)
            above = ranks // base
            alphabet = np.frombuffer(self._alphabet(int(kinds[column])).encode(), np.uint8)
            out[:, column] = alphabet[(ranks - above * base).astype(np.intp)]
            ranks = above
        return out


def _skeleton(matrix: NDArray[np.uint8], kinds: NDArray[np.uint8]) -> bytes | NDArray[np.uint8]:
    """What stays, with the class of each moving character in its place: one for all where nothing is kept.

    Classes are written as bytes 1, 2, ..., and characters that stay as they are: two values have the same skeleton only
    if they move among the same values.
    """
    stays = np.flatnonzero(kinds == 0)
    if not len(stays):
        return kinds.tobytes()
    out = np.tile(kinds, (len(matrix), 1))
    out[:, stays] = matrix[:, stays]
    return out


@dataclass(frozen=True)
class Alphabet(OnNoTable, RowLayout):
    """Characters of one alphabet that may be beyond ASCII; row by row, so for alphabets that are not.

    Attributes:
        id: The frozen name, options included.
        alphabet: The characters, distinct.
        first: How many characters stay at the beginning.
        last: How many stay at the end.
        smallest: The smallest domain of any one value, below which values are refused.
    """

    id: str
    alphabet: str
    first: int = 0
    last: int = 0
    smallest: int = ENOUGH

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: numeral for numeral, character in enumerate(self.alphabet)}

    def _span(self, text: str) -> tuple[int, int]:
        return min(self.first, len(text)), max(self.first, len(text) - self.last)

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        start, end = self._span(text)
        size = len(self.alphabet) ** max(0, end - start)
        if size < self.size:
            raise too_few(size)
        rank = 0
        for character in text[start:end]:
            rank = rank * len(self.alphabet) + self._index[character]
        return Slot(rank, size, f"{text[:start]}\0{text[end:]}".encode())

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        start, end = self._span(text)
        moved: list[str] = []
        for _ in range(start, end):
            rank, numeral = divmod(rank, len(self.alphabet))
            moved.append(self.alphabet[numeral])
        return text[:start] + "".join(reversed(moved)) + text[end:]


@dataclass(frozen=True)
class CodeLayout:
    """Makes layouts of characters for one type.

    Attributes:
        name: The name of the type.
        classes: The alphabets that characters move within.
        fixed: How many characters at the beginning always stay.
    """

    name: str
    classes: tuple[str, ...] = (DIGITS, LOWER, UPPER)
    fixed: int = 0

    def __call__(self, *, keep_first: int = 0, keep_last: int = 0, small_domain: bool = False) -> Characters | Alphabet:
        """How the characters move: digits among digits and letters among letters of their case, in their places.

        All else stays where it is, such as hyphens, and so does a zero at the beginning of a number.

        Args:
            keep_first: How many characters stay at the beginning.
            keep_last: How many stay at the end.
            small_domain: Take values that move among fewer than 1,000,000.
        """
        kept = kept_ends(keep_first, keep_last)
        smallest = 1 if small_domain else ENOUGH
        first = max(keep_first, self.fixed)
        if not all(alphabet.isascii() for alphabet in self.classes):
            return Alphabet(self.name + kept, "".join(self.classes), first, keep_last, smallest)
        return Characters(self.name + kept, self.classes, first, keep_last, smallest=smallest)


def kept_ends(first: int, last: int) -> str:
    """What stands in a layout's name for how many characters stay at both ends.

    Raises:
        InvalidParameter: They are below 0.
    """
    if first < 0 or last < 0:
        raise InvalidParameter("as many characters as stay are 0 or more")
    return f"/first={first}" * bool(first) + f"/last={last}" * bool(last)
