"""Alphabets: texts to numerals and numbers, and back, one by one and by the column.

The numeral of a character is its place in the alphabet, which the user orders. Columns travel as UTF-8. An ASCII
alphabet maps bytes to numerals by a table, or by a subtraction where its characters follow one another in ASCII, as
digits do; any other alphabet maps code points.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.feistel import MAX_RADIX, MIN_RADIX
from privkit._kernels.numerals import number, string
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"
"""The digits of Python's `int`, up to base 36."""

_INT_DIGITS = 640
"""`int` takes at least so many digits of any base, however low `sys.set_int_max_str_digits` was set."""

_NO_DIGIT = ord("!")

_SYLLABLES = 4_096
"""How many texts of two or more characters are tabled, so that a number is written several characters at a time."""

_PIECE = 1 << 20
"""Bytes to look up at a time: NumPy makes eight of every two on the way."""

FOREIGN = "a character is not of the alphabet"

NOT_UTF8 = "bytes that are not UTF-8"


class Alphabet:
    """An ordered set of characters.

    Args:
        characters: 2 to 65,536 characters (code points), each once; the first is the numeral 0.

    Raises:
        InvalidParameter: If there are too few or too many, or one appears twice.
    """

    __slots__ = ("_ascii", "_codes", "_digits", "_first", "_index", "_table", "characters", "radix")

    def __init__(self, characters: str) -> None:
        self.characters, self.radix = characters, len(characters)
        if not MIN_RADIX <= self.radix <= MAX_RADIX:
            raise InvalidParameter(f"alphabet of {self.radix} characters; it takes {MIN_RADIX} to {MAX_RADIX}")
        self._index = {character: numeral for numeral, character in enumerate(characters)}
        if len(self._index) < self.radix:
            raise InvalidParameter(
                f"alphabet of {self.radix} characters, of which only {len(self._index)} are distinct; give each once"
            )
        self._ascii = characters.isascii()
        self._codes = np.frombuffer(characters.encode("utf-32-le", "surrogatepass"), "<u4")
        self._first = int(self._codes[0]) if (np.diff(self._codes.astype(np.int64)) == 1).all() else None
        self._table: NDArray[np.unsignedinteger] | None = None  # made when a column first needs it
        self._digits: bytes | None = None
        if self._ascii and self.radix <= len(_DIGITS):
            digits = bytearray([_NO_DIGIT]) * 256
            for code, digit in zip(characters.encode(), _DIGITS, strict=False):
                digits[code] = digit
            self._digits = bytes(digits)

    def number(self, text: str) -> int:
        """NUM_radix of one text, at least one character long.

        Raises:
            InvalidValue: If a character is not of the alphabet.
        """
        try:
            if self._digits is not None and len(text) <= _INT_DIGITS:
                return int(text.encode("ascii").translate(self._digits), self.radix)
            return number([self._index[character] for character in text], self.radix)
        except (ValueError, KeyError):
            pass  # it holds the text, and would be the context of what is raised here
        raise InvalidValue(FOREIGN)

    def string(self, value: int, length: int) -> str:
        """STR_radix of one number, `length` characters long, at least one."""
        if self.characters == "0123456789" and length <= _INT_DIGITS:
            return "%0*d" % (length, value)  # noqa: UP031 - twice as fast as an f-string of two fields
        if length > _INT_DIGITS:
            return "".join([self.characters[numeral] for numeral in string(value, length, self.radix)])
        size, syllables = _syllables(self.characters)
        power = len(syllables)
        text = syllables[value % power]
        for _ in range((length - 1) // size):
            value //= power
            text = syllables[value % power] + text
        return text[-length:]

    def numerals(self, rows: Ragged) -> Iterator[tuple[NDArray[np.intp] | None, NDArray[np.unsignedinteger]]]:
        """Take a column of texts as numerals, grouped by their length in characters.

        Args:
            rows: Texts in UTF-8.

        Yields:
            The positions of rows (`None`: all of them), and their numerals, `(rows, length)`, in the narrowest of
            `uint8`, `uint16` and `uint32`.

        Raises:
            InvalidValue: If a character is not of the alphabet, or for one beyond ASCII a row is not UTF-8; with the
                positions of the rows.
        """
        foreign = False
        for index, numerals in self._groups(rows):
            foreign = foreign or bool(numerals.size and numerals.max() >= self.radix)
            if not foreign:
                yield index, numerals
        if foreign:
            raise InvalidValue(FOREIGN, rows=np.flatnonzero(self.foreign(rows)))

    def foreign(self, rows: Ragged) -> NDArray[np.bool_]:
        """Which rows have a character that is not of the alphabet."""
        mask = np.zeros(len(rows), np.bool_)
        for index, numerals in self._groups(rows):
            mask[slice(None) if index is None else index] = (numerals >= self.radix).any(axis=1)
        return mask

    def lengths(self, rows: Ragged) -> NDArray[np.int64]:
        """The length of each row in characters, whether they are of the alphabet or not."""
        return _by_character(rows).lengths

    def text(self, numerals: NDArray[np.integer]) -> Ragged:
        """Turn numerals, `(rows, length)`, each below the radix, into texts in UTF-8."""
        if self._ascii:
            return Ragged.of_matrix(self.ascii_text(numerals, np.empty(numerals.shape, np.uint8)))
        codes = self._codes[numerals]
        data = codes.tobytes().decode("utf-32-le").encode()
        lengths = np.ones(codes.shape, np.int64)
        for least in (0x80, 0x800, 0x10000):  # RFC 3629, section 3: where a code point takes one byte more
            lengths += codes >= least
        offsets = np.zeros(len(numerals) + 1, np.int64)
        np.cumsum(lengths.sum(axis=1), out=offsets[1:])
        return Ragged(np.frombuffer(data, np.uint8), offsets)

    @property
    def in_utf8(self) -> bool:
        """Whether columns can hold the characters: lone surrogates have no UTF-8."""
        return not ((self._codes >= 0xD800) & (self._codes <= 0xDFFF)).any()  # noqa: PLR2004 - Unicode, section 3.8

    @property
    def is_ascii(self) -> bool:
        """Whether each character is one byte of UTF-8."""
        return self._ascii

    def ascii_numerals(self, codes: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Turn bytes into the numerals of an ASCII alphabet.

        Args:
            codes: The bytes, of any shape.
            out: Where the numerals go, of the same shape, perhaps the same memory.

        Raises:
            InvalidValue: If a byte is not of the alphabet.
        """
        self._ascii_look_up(codes, out)
        if out.size and out.max() >= self.radix:
            raise InvalidValue(FOREIGN)

    def ascii_text(self, numerals: NDArray[np.integer], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn numerals into bytes of an ASCII alphabet; `out` may be the same memory."""
        if self._first is not None:
            np.add(numerals, self._first, out=out, casting="unsafe")
        else:
            _translate(numerals.astype(np.uint8, copy=False), _pairs(self.characters)[1], out)
        return out

    def _groups(self, rows: Ragged) -> Iterator[tuple[NDArray[np.intp] | None, NDArray[np.unsignedinteger]]]:
        """Do what `numerals` does, with numerals not below the radix where a character is foreign."""
        if self._ascii:
            for length, index in rows.by_length():
                yield index, self._look_up(rows.matrix(length, index))
            return
        characters = _by_character(rows)
        text = None if _torn(rows) else _decoded(characters.data.tobytes())
        if text is None:
            raise InvalidValue(NOT_UTF8, rows=np.flatnonzero(broken(rows)))
        numerals = self._look_up(np.frombuffer(text.encode("utf-32-le"), "<u4"))
        for length, index in characters.by_length():
            if index is None:
                yield None, numerals.reshape(len(rows), length)
            else:
                yield index, numerals[characters.offsets[:-1][index][:, None] + np.arange(length)]

    def _look_up(self, codes: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        """The numeral of each code point (each byte, for ASCII); foreign ones get one not below the radix."""
        if self._ascii:
            return self._ascii_look_up(codes, np.empty(codes.shape, np.uint8))
        if self._table is None:
            self._table = np.full(int(self._codes.max()) + 2, self.radix, np.min_scalar_type(self.radix))
            self._table[self._codes] = np.arange(self.radix)
        table = self._table
        numerals: NDArray[np.unsignedinteger] = np.take(table, np.minimum(codes, len(table) - 1))
        return numerals

    def _ascii_look_up(self, codes: NDArray[np.unsignedinteger], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._first is not None:
            np.subtract(codes, np.uint8(self._first), out=out)  # what is below wraps around to above
        else:
            _translate(codes, _pairs(self.characters)[0], out)
        return out


@lru_cache(maxsize=16)
def _pairs(characters: str) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """For every two bytes as a number of this machine, their numerals in an ASCII alphabet; and back.

    Foreign bytes get a numeral not below the radix. Two bytes at a time take a quarter of the time of one.
    """
    codes = np.frombuffer(characters.encode(), np.uint8)
    numerals = np.full(256, len(codes), np.uint8)
    numerals[codes] = np.arange(len(codes))
    both = np.arange(1 << 16, dtype=np.uint16).view(np.uint8)
    return numerals[both].view(np.uint16), np.resize(codes, 256)[both].view(np.uint16)


def _translate(given: NDArray[np.uint8], pairs: NDArray[np.uint16], out: NDArray[np.uint8]) -> None:
    """Look up bytes, two at a time; `out` may be the same memory."""
    source, target = given.reshape(-1), out.reshape(-1)
    even = len(source) & -2
    last = source[even:].astype(np.uint16) * 0x101  # the byte twice, whichever a machine puts first
    for first in range(0, even, _PIECE):
        piece = slice(first, min(first + _PIECE, even))
        # Wrapping around, which no number does, spares a copy.
        np.take(pairs, source[piece].view(np.uint16), out=target[piece].view(np.uint16), mode="wrap")
    target[even:] = pairs[last].view(np.uint8)[: len(last)]


@lru_cache(maxsize=64)
def _syllables(characters: str) -> tuple[int, list[str]]:
    """All texts of the same few characters, in order: their length, and they."""
    size = max(1, int(math.log(_SYLLABLES, len(characters))))
    return size, ["".join(text) for text in itertools.product(characters, repeat=size)]


def broken(rows: Ragged) -> NDArray[np.bool_]:
    """Which rows are not UTF-8."""
    return np.fromiter((_decoded(row) is None for row in rows.to_list()), np.bool_, len(rows))


def _decoded(data: bytes) -> str | None:
    """UTF-8 as text, or `None` if it is none: the error itself holds the data."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _torn(rows: Ragged) -> bool:
    """Whether a row begins inside of a character, with which bytes of one row would move to another."""
    first = rows.data[rows.offsets[:-1][rows.lengths > 0]]
    return bool(((first & 0xC0) == 0x80).any())  # noqa: PLR2004 - RFC 3629, section 3: 10xxxxxx continues one


def _by_character(rows: Ragged) -> Ragged:
    """The same UTF-8 bytes, with offsets that count characters: not to be sliced by, only to be measured by."""
    raw = rows.data[rows.offsets[0] : rows.offsets[-1]]
    begun = np.zeros(len(raw) + 1, np.int64)  # characters that begin before each byte
    np.cumsum((raw & 0xC0) != 0x80, out=begun[1:])  # noqa: PLR2004 - RFC 3629, section 3: 10xxxxxx continues one
    return Ragged(raw, begun[rows.offsets - rows.offsets[0]])
