"""FF1 (NIST SP 800-38G, section 5.1) on numeral strings: one at a time in plain integers, columns in `uint64`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels import tweaks, words
from privkit._kernels.feistel import Schedule, Shape
from privkit._kernels.numerals import Halves, copy_rows, number, string
from privkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit._kernels.blocks import BlockCipher
    from privkit._kernels.tweaks import Even, Tweaks

FEW = 20
"""Up to so many rows, plain integers are faster than setting up arrays."""

_KEPT, _KEPT_BYTES = 1_024, 1 << 20
"""Schedules kept, and the bytes of all their tweaks; a full store is emptied, since who has so many tweaks will hardly
come back to an old one."""


class FF1:
    """FF1 under one key and radix.

    Args:
        cipher: The keyed block cipher.
        radix: How many numerals there are, 2 to 65,536.

    Raises:
        InvalidParameter: If the radix is out of bounds.
    """

    __slots__ = ("_held", "_schedules", "_shapes", "cipher", "radix")

    def __init__(self, cipher: BlockCipher, radix: int) -> None:
        self.cipher, self.radix = cipher, radix
        self._shapes: dict[int, Shape] = {}
        self._schedules: dict[tuple[int, bytes], Schedule] = {}
        self._held = 0  # bytes of tweaks; threads that count at once may be wrong by a few
        self.shape(32)  # long enough for every radix: this checks the radix

    def shape(self, length: int) -> Shape:
        """The shape of values of so many numerals.

        Raises:
            DomainTooSmall: If there are fewer than 1,000,000 values of that length.
            InvalidValue: If they are too long.
        """
        shape = self._shapes.get(length)
        if shape is None:
            shape = self._shapes[length] = Shape(self.radix, length)
        return shape

    def schedule(self, length: int, tweak: bytes) -> Schedule:
        """What is fixed for values of so many numerals under one tweak; computed once and kept.

        Raises:
            DomainTooSmall, InvalidValue: As `shape`.
            InvalidParameter: If the tweak is too long.
        """
        schedule = self._schedules.get((length, tweak))
        if schedule is None:
            schedule = Schedule(self.cipher, self.shape(length), tweak)
            if len(self._schedules) >= _KEPT or self._held + len(tweak) > _KEPT_BYTES:
                self._schedules.clear()
                self._held = 0
            if len(tweak) <= _KEPT_BYTES:
                self._schedules[length, tweak] = schedule
                self._held += len(tweak)
        return schedule

    def encrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """Encrypt one numeral string.

        Args:
            numerals: Numbers below the radix, most significant first.
            tweak: Public context; equal values under different tweaks have unrelated ciphertexts.

        Returns:
            As many numerals.

        Raises:
            InvalidValue: If a numeral is not below the radix, or there are too many.
            DomainTooSmall: If there are fewer than 1,000,000 values of that length.
            InvalidParameter: If the tweak is too long.
        """
        return self._crypt(numerals, tweak, decrypt=False)

    def decrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """Undo `encrypt` under the same tweak; another tweak gives another value, and no error."""
        return self._crypt(numerals, tweak, decrypt=True)

    def encrypt_many(self, numerals: NDArray[np.integer], tweak: Tweaks = b"") -> NDArray[np.integer]:
        """Encrypt a column of numeral strings of one length.

        Args:
            numerals: `(rows, length)`, any integer type, each below the radix, most significant first.
            tweak: One for all rows, or one per row.

        Returns:
            An array of the same shape and type.

        Raises:
            InvalidValue: If a numeral is not below the radix, with the positions of the rows; or there are too many.
            DomainTooSmall: If there are fewer than 1,000,000 values of that length.
            InvalidParameter: If a tweak is too long, or there are not as many tweaks as rows.
        """
        return self._crypt_many(numerals, tweak, decrypt=False)

    def decrypt_many(self, numerals: NDArray[np.integer], tweak: Tweaks = b"") -> NDArray[np.integer]:
        """Undo `encrypt_many` under the same tweaks."""
        return self._crypt_many(numerals, tweak, decrypt=True)

    def _crypt(self, numerals: Sequence[int], tweak: bytes, *, decrypt: bool) -> list[int]:
        schedule = self.schedule(len(numerals), tweak)
        if not all(0 <= numeral < self.radix for numeral in numerals):
            raise InvalidValue(f"a numeral is not below the radix {self.radix}")
        left, right = schedule.shape.left, schedule.shape.right
        a, b = schedule.crypt(number(numerals[:left], self.radix), number(numerals[left:], self.radix), decrypt=decrypt)
        return string(a, left, self.radix) + string(b, right, self.radix)

    def _crypt_many(self, numerals: NDArray[np.integer], tweak: Tweaks, *, decrypt: bool) -> NDArray[np.integer]:
        self.shape(numerals.shape[1])
        self._check(numerals)
        out = np.array(numerals, order="C")
        self.crypt_many(out, tweak, words.memory(len(out)), decrypt=decrypt)
        return out

    def crypt_many(
        self, numerals: NDArray[np.integer], tweak: Tweaks, memory: NDArray[np.uint8], *, decrypt: bool
    ) -> None:
        """Encrypt or decrypt a column of numeral strings of one length in place, without looking at the numerals.

        Args:
            numerals: As for `encrypt_many`, each below the radix.
            tweak: One for all rows, or one per row.
            memory: From `words.memory`.
            decrypt: The direction.

        Raises:
            DomainTooSmall, InvalidValue, InvalidParameter: As `encrypt_many`, but for the numerals.
        """
        rows, length = numerals.shape
        crypt = self._crypt_words if rows > FEW and words.fits(self.shape(length)) else self._crypt_rows
        for index, even in tweaks.groups(tweak, rows):
            if index is None:
                crypt(numerals, even, memory, decrypt=decrypt)
            else:
                part = numerals[index]
                crypt(part, even, memory, decrypt=decrypt)
                numerals[index] = part

    def _check(self, numerals: NDArray[np.integer]) -> None:
        if numerals.size and (numerals.max() >= self.radix or numerals.min() < 0):
            bad = np.flatnonzero(((numerals >= self.radix) | (numerals < 0)).any(axis=1))
            raise InvalidValue(f"a numeral is not below the radix {self.radix}", rows=bad)

    def _crypt_words(
        self, numerals: NDArray[np.integer], tweak: Even, memory: NDArray[np.uint8], *, decrypt: bool
    ) -> None:
        """Crypt in place, a chunk at a time."""
        shape = self.shape(numerals.shape[1])
        halves = Halves(self.radix, shape.left, shape.right)
        room = words.Room(self.cipher, shape, memory, halves.words)
        most = tweaks.fitting(tweak, len(numerals), room.rows)
        for first in range(0, len(numerals), most):
            rows = slice(first, first + most)
            part = numerals[rows]
            staged, kept, spare = halves.stage(part), room.words[:, : len(part)], room.spare[:, : len(part)]
            a, b = halves.fold(staged, kept, spare)
            room.crypt(a, b, self.base(shape, tweaks.take_even(tweak, rows)), decrypt=decrypt)
            halves.unfold(kept, spare, staged)
            if staged is not part:
                copy_rows(staged[:, -shape.length :], part)

    def base(self, shape: Shape, tweak: Even) -> words.Base:
        """What is fixed in the blocks of a column, for `words.crypt`."""
        if isinstance(tweak, bytes):
            return words.Base.of(self.schedule(shape.length, tweak))
        return words.Base.of_rows(self.cipher, shape, tweak)

    def _crypt_rows(
        self, numerals: NDArray[np.integer], tweak: Even, memory: NDArray[np.uint8], *, decrypt: bool
    ) -> None:
        """Crypt in place, one by one in plain integers."""
        del memory
        for row, each in zip(numerals, tweaks.each(tweak, len(numerals)), strict=False):
            row[:] = self._crypt(row.tolist(), each, decrypt=decrypt)
