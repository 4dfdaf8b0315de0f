"""FF1 on texts over an alphabet: one at a time, and columns in UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels import tweaks, words
from privkit._kernels.alphabet import FOREIGN, NOT_UTF8, Alphabet, broken
from privkit._kernels.feistel import MAX_LENGTH, shortest, too_long, too_short
from privkit._kernels.ff1 import FF1
from privkit._kernels.ragged import Ragged
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit._kernels.blocks import BlockCipher

_BLOCK_ROWS = 1 << 18
"""Rows that are turned into numerals together: many enough that groups of mixed lengths still fill arrays."""

_ASCII_BYTES, _WIDE_BYTES, _TWEAK_BYTES = 1 << 23, 1 << 20, 1 << 22
"""Their bytes, and those of their tweaks: an alphabet beyond ASCII takes some twenty times the memory of the text."""


class TextFF1:
    """FF1 under one key on texts over one alphabet.

    Args:
        cipher: The keyed block cipher.
        alphabet: 2 to 65,536 distinct characters, in the order of their numerals.

    Raises:
        InvalidParameter: If the alphabet has too few or too many characters, or one twice.
    """

    __slots__ = ("_ff1", "_shortest", "alphabet")

    def __init__(self, cipher: BlockCipher, alphabet: str) -> None:
        self.alphabet = Alphabet(alphabet)
        self._ff1 = FF1(cipher, self.alphabet.radix)
        self._shortest = shortest(self.alphabet.radix)

    def crypt(self, text: str, tweak: bytes, *, decrypt: bool) -> str:
        """Encrypt or decrypt one text.

        Raises:
            InvalidValue: If a character is not of the alphabet, or the text is too long.
            DomainTooSmall: If there are fewer than 1,000,000 texts of that length.
            InvalidParameter: If the tweak is too long.
        """
        alphabet = self.alphabet
        schedule = self._ff1.schedule(len(text), tweak)
        shape = schedule.shape
        middle = shape.left
        a, b = schedule.crypt(alphabet.number(text[:middle]), alphabet.number(text[middle:]), decrypt=decrypt)
        return alphabet.string(a, middle) + alphabet.string(b, shape.right)

    def crypt_many(self, rows: Ragged, tweak: bytes | Ragged, *, decrypt: bool) -> Ragged:
        """Encrypt or decrypt a column of texts, of any mix of lengths.

        Args:
            rows: Texts in UTF-8.
            tweak: One for all rows, or one per row.
            decrypt: The direction.

        Returns:
            As many texts, each as long in characters as its original.

        Raises:
            InvalidValue: If a character is not of the alphabet, or a text is too long; with the positions of the rows.
            DomainTooSmall: If there are fewer than 1,000,000 texts of some row's length; with the rows.
            InvalidParameter: If a tweak is too long, or there are not as many tweaks as rows.
        """
        tweaks.check(tweak, len(rows))
        if not self.alphabet.in_utf8:
            raise InvalidParameter("the alphabet has lone surrogates, which have no UTF-8 and so no columns")
        try:
            return (self._crypt_ascii if self.alphabet.is_ascii else self._crypt_wide)(rows, tweak, decrypt=decrypt)
        except (InvalidValue, DomainTooSmall):
            self._refuse(rows)
            raise

    def _crypt_ascii(self, rows: Ragged, tweak: bytes | Ragged, *, decrypt: bool) -> Ragged:
        """Characters are bytes: rows keep their places, and are worked on there if all of a block are equally long."""
        first, last = rows.offsets[0], rows.offsets[-1]
        out = Ragged(np.empty(last - first, np.uint8), rows.offsets - first if first else rows.offsets)
        alphabet, memory = self.alphabet, words.memory(len(rows))
        for block in _blocks(rows, tweak, _ASCII_BYTES):
            source, target = _part(rows, block), _part(out, block)
            here = tweaks.take(tweak, block)
            for length, index in source.by_length():
                codes = source.matrix(length, index)
                numerals = target.matrix(length) if index is None else codes  # which then is a copy
                alphabet.ascii_numerals(codes, numerals)
                there = here if index is None else tweaks.take(here, index)
                self._ff1.crypt_many(numerals, there, memory, decrypt=decrypt)
                alphabet.ascii_text(numerals, numerals)
                if index is not None:
                    target.put(index, numerals)
        return out

    def _crypt_wide(self, rows: Ragged, tweak: bytes | Ragged, *, decrypt: bool) -> Ragged:
        """A character may be replaced by one of another number of bytes."""
        data, used, offsets = np.empty(0, np.uint8), 0, np.zeros(len(rows) + 1, np.int64)
        memory = words.memory(len(rows))
        for chunk in _blocks(rows, tweak, _WIDE_BYTES):
            groups = self._groups(rows, tweak, chunk, memory, decrypt=decrypt)
            everything = np.arange(chunk.stop - chunk.start)
            texts = [(everything if index is None else index, self.alphabet.text(n)) for index, n in groups]
            block = Ragged.merge(len(everything), texts)
            offsets[chunk.start + 1 : chunk.stop + 1] = used + block.offsets[1:]
            used, start = used + len(block.data), used
            if used > len(data):  # grow in place, where parts to be joined would take the output twice
                data.resize(used + _WIDE_BYTES, refcheck=False)
            data[start:used] = block.data
        data.resize(used, refcheck=False)
        return Ragged(data, offsets)

    def _groups(
        self, rows: Ragged, tweak: bytes | Ragged, chunk: slice, memory: NDArray[np.uint8], *, decrypt: bool
    ) -> Iterator[tuple[NDArray[np.intp] | None, NDArray[np.integer]]]:
        """Encrypt some rows, grouped by length: positions in the chunk (`None`: all of it), and new numerals."""
        here = tweaks.take(tweak, chunk)
        for index, numerals in self.alphabet.numerals(_part(rows, chunk)):
            there = here if index is None else tweaks.take(here, index)
            self._ff1.crypt_many(numerals, there, memory, decrypt=decrypt)
            yield index, numerals

    def _refuse(self, rows: Ragged) -> None:
        """Look for everything that is wrong with a column of which something is, and say where.

        Raises:
            DomainTooSmall, InvalidValue: As `crypt_many`.
        """
        if not self.alphabet.is_ascii and (bad := broken(rows)).any():
            raise InvalidValue(NOT_UTF8, rows=np.flatnonzero(bad))
        lengths = np.concatenate(
            [self.alphabet.lengths(_part(rows, chunk)) for chunk in _blocks(rows, b"", _WIDE_BYTES)]
        )
        if (short := np.flatnonzero(lengths < self._shortest)).size:
            raise DomainTooSmall(too_short(lengths[short[0]], self.alphabet.radix), rows=short)
        if (long := np.flatnonzero(lengths > MAX_LENGTH)).size:
            raise InvalidValue(too_long(lengths[long[0]]), rows=long)
        foreign = np.concatenate(
            [self.alphabet.foreign(_part(rows, chunk)) for chunk in _blocks(rows, b"", _WIDE_BYTES)]
        )
        if foreign.any():
            raise InvalidValue(FOREIGN, rows=np.flatnonzero(foreign))


def _blocks(rows: Ragged, tweak: bytes | Ragged, most: int) -> Iterator[slice]:
    """Cut a column into blocks of bounded rows, bytes and bytes of tweaks; a longer row is a block of its own."""
    start = 0
    while start < len(rows):
        stop = min(_within(rows, start, most), start + _BLOCK_ROWS)
        if isinstance(tweak, Ragged):
            stop = min(stop, _within(tweak, start, _TWEAK_BYTES))
        yield slice(start, stop)
        start = stop


def _within(rows: Ragged, start: int, most: int) -> int:
    """Where the rows from `start` on that have so many bytes together end; behind the first at least."""
    return max(int(np.searchsorted(rows.offsets, rows.offsets[start] + most, "right")) - 1, start + 1)


def _part(rows: Ragged, chunk: slice) -> Ragged:
    return Ragged(rows.data, rows.offsets[chunk.start : chunk.stop + 1])
