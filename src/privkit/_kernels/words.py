"""The lane of FF1 for columns: halves as arrays of `uint64`, one ECB call per round for all rows of a chunk.

It takes shapes whose right half needs at most 8 bytes and whose moduli are at most 2^63, or powers of two up to 2^64:
decimals of up to 36 digits, base 36 of up to 24 characters, any string of up to 128 bits over 2, 4, 16, 256 or 65,536
numerals. The round's last block is then

```
byte   0 ............... 15-b-1 | 15-b | 16-b ... 15
       chain xor (tweak, zeros) |  i   | NUM(B)
```

and its first d bytes, 8 or 12, are the number that is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from privkit._kernels.blocks import BLOCK
from privkit._kernels.feistel import Schedule, Shape, Sign, feistel

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit._kernels.blocks import BlockCipher

Words: TypeAlias = NDArray[np.uint64]

MEMORY = 9 << 20
"""Bytes that a call works in, 131,072 rows at a time where a half is a word. An eighth of it would fit a core's
second-level cache and be as fast, but then two threads spend their time on handing each other the interpreter's lock
between operations that are too short. It is taken at once, so that NumPy asks for huge pages, which cost the system a
tenth of small ones."""

_MOST_WORDS = 32
"""What a row takes at most: 128 binary numerals, and as much again to fold them."""

_ROUND_WORDS = 7
"""What a round takes for a row: block, digest, and three numbers."""

_WORD, _WORD_BITS = 8, 64
_TWO_31 = 2**31
_TWO_32 = 2**32
_TWO_63 = 2**63


def fits(shape: Shape) -> bool:
    """Whether this lane takes the shape."""
    return shape.number_bytes <= _WORD and all(
        modulus <= _TWO_63 or _is_power_of_two(modulus) for modulus in shape.moduli
    )


class Base(NamedTuple):
    """The part of the last block that does not change: chain, tweak and zeros; one for all rows, or one per row.

    Attributes:
        upper: The first eight bytes as a number: a scalar, or `(rows,)`.
        lower: The last eight.
    """

    upper: Words | np.uint64
    lower: Words | np.uint64

    @classmethod
    def of(cls, schedule: Schedule) -> Base:
        """The same for all rows."""
        return cls(np.uint64(schedule.base >> 64), np.uint64(schedule.base & (2**64 - 1)))

    @classmethod
    def of_rows(cls, cipher: BlockCipher, shape: Shape, tweaks: NDArray[np.uint8]) -> Base:
        """One tweak per row, all of one length.

        Args:
            cipher: The keyed block cipher.
            shape: Radix and length.
            tweaks: `uint8` of shape `(rows, tweak bytes)`.
        """
        rows, width = tweaks.shape
        header, zeros = shape.fixed(width)
        last = BLOCK - 1 - shape.number_bytes  # bytes of tweak and zeros in the block with the round number
        message = np.zeros((rows, width + len(zeros) + BLOCK - last), np.uint8)
        message[:, :width] = tweaks
        chain = np.empty((rows, BLOCK), np.uint8)
        chain[:] = np.frombuffer(cipher.encrypt_block(header), np.uint8)  # step 5: P is one block
        for start in range(0, message.shape[1] - BLOCK, BLOCK):
            chain = cipher.encrypt(chain ^ message[:, start : start + BLOCK])
        chain = chain ^ message[:, -BLOCK:]
        halves = chain.view(">u8")
        return cls(halves[:, 0].astype(np.uint64), halves[:, 1].astype(np.uint64))

    def take(self, rows: slice | NDArray[np.intp]) -> Base:
        """The base of some of the rows."""
        if isinstance(self.upper, np.ndarray) and isinstance(self.lower, np.ndarray):
            return Base(self.upper[rows], self.lower[rows])
        return self


def memory(rows: int) -> NDArray[np.uint8]:
    """Memory to work on columns of so many rows, for one call, and so for one thread; whatever their shapes."""
    return np.empty(min(rows * _MOST_WORDS * _WORD, MEMORY) + BLOCK, np.uint8)


class Room:
    """Room to run the rounds on columns, chunk by chunk in the same memory: fresh pages cost more than arithmetic.

    Args:
        cipher: The keyed block cipher.
        shape: Radix and length; it must fit this lane.
        held: The memory, from `memory`.
        words: How many words of a row the caller keeps in it, of which two become the halves.

    Attributes:
        rows: How many rows it has room for.
        words: The caller's, `(words, rows)`.
        spare: As much again, undefined after the rounds.
    """

    __slots__ = ("_base", "_held", "_shape", "_views", "cipher", "rows", "spare", "words")

    def __init__(self, cipher: BlockCipher, shape: Shape, held: NDArray[np.uint8], words: int = 2) -> None:
        self.cipher, self._shape = cipher, shape
        self.rows = (len(held) - BLOCK) // (_WORD * (words + max(words, _ROUND_WORDS)))
        kept, self._held = np.split(held, [_WORD * words * self.rows])
        self.words = kept.view(np.uint64).reshape(words, self.rows)
        self.spare = self._held[: kept.size].view(np.uint64).reshape(words, self.rows)
        self._views: _Views | None = None

    def crypt(self, a: Words, b: Words, base: Base, *, decrypt: bool) -> None:
        """Run the rounds on columns of halves, in place.

        Args:
            a: The left halves, `uint64` of shape `(rows,)`.
            b: The right halves.
            base: The unchanging part of the blocks.
            decrypt: The direction.
        """
        if self._views is None or len(self._views.number) != len(a):
            self._views = _Views.of(self.cipher, self._held, len(a))
        self._base = base
        self._views.upper_in[:] = base.upper
        # Ten rounds are an even number: each half ends up in the memory where it began.
        feistel(a, b, self._mix, decrypt=decrypt)

    def _mix(self, i: int, moving: Words, still: Words, sign: Sign) -> Words:
        """One round; the result is in `moving`."""
        views, modulus = self._views, self._shape.moduli[i & 1]
        assert views is not None  # noqa: S101 for the type checker: `crypt` makes them
        self._fill(i, still, views)  # 6.i
        views.encrypt()  # 6.ii; 6.iii, as d <= 16
        if self._shape.digest_bytes > _WORD:  # 6.iv
            _reduce(views, modulus)
            return move(moving, views.number, modulus, sign, views.spare)  # 6.v to 6.vii
        if _is_power_of_two(modulus):
            return move(moving, views.upper, modulus, sign, views.spare)
        return move_far(moving, views.upper, modulus, sign, (views.number, views.spare))

    def _fill(self, i: int, still: Words, views: _Views) -> None:
        """Write the last block of Q, xored with the chain: tweak and zeros, round number, and the still half."""
        lower, place = self._base.lower, 8 * self._shape.number_bytes
        if place == _WORD_BITS:  # the half fills the lower word, and the round number ends the upper one
            views.upper_in[:] = self._base.upper ^ np.uint64(i)
        elif isinstance(lower, np.ndarray):
            lower = np.bitwise_xor(lower, np.uint64(i << place), out=views.spare)
        else:
            lower = lower ^ np.uint64(i << place)
        np.bitwise_xor(still, lower, views.lower_in)


class _Views(NamedTuple):
    """The memory of a round as its steps read and write it, made once and not in each round.

    Between two calls that let go of the interpreter's lock other threads wait for it, so as little as can be is done
    there.

    Attributes:
        upper_in: The first eight bytes of each block, big-endian.
        lower_in: The last eight.
        encrypt: What encrypts the blocks to digests.
        upper: The first eight bytes of each digest, big-endian.
        first: The first four.
        after: The eight behind those.
        third: The four behind the first eight.
        number: Room for a number of each row.
        spare: As much.
        other: As much.
    """

    upper_in: Words
    lower_in: Words
    encrypt: Callable[[], object]
    upper: Words
    first: NDArray[np.uint32]
    after: Words
    third: NDArray[np.uint32]
    number: Words
    spare: Words
    other: Words

    @classmethod
    def of(cls, cipher: BlockCipher, held: NDArray[np.uint8], rows: int) -> _Views:
        """Lay the blocks and digests of so many rows, and three numbers of each, into memory."""
        size = BLOCK * rows
        blocks, out = held[:size], held[size : 2 * size + BLOCK]
        numbers = held[2 * size + BLOCK :][: 3 * _WORD * rows].view(np.uint64).reshape(3, rows)
        into, digests = blocks.view(">u8").reshape(rows, 2), out[:size].reshape(rows, BLOCK)
        return cls(
            *(into[:, 0], into[:, 1]),
            cipher.encryption(blocks, out),
            *(digests.view(">u8")[:, 0], digests.view(">u4")[:, 0], digests[:, 4:12].view(">u8")[:, 0]),
            digests.view(">u4")[:, 2],
            *numbers,
        )


def _reduce(views: _Views, modulus: int) -> None:
    """The first 12 bytes of digests modulo the modulus, into `number`."""
    number, spare, other = views.number, views.spare, views.other
    if folds(modulus):
        other[:] = views.after
        np.multiply(views.first, fold_factor(modulus), number, dtype=np.uint64)
        fold(number, other, modulus, spare)
    else:
        number[:] = views.upper
        _modulo(number, modulus, spare)
        spare[:] = views.third
        append(number, spare, modulus, other)


def move(moving: Words, number: Words, modulus: int, sign: Sign, spare: Words) -> Words:
    """Set `moving` to `(moving + sign * number) mod modulus`.

    Both are below the modulus, or that is a power of 2. Of the sum and the sum less the modulus (the difference and the
    difference plus the modulus), one has wrapped around 2^64 and is the larger: the modulus is at most 2^63, twice
    which still fits.
    """
    combine, back = (np.add, np.subtract) if sign == 1 else (np.subtract, np.add)
    combine(moving, number, out=moving)
    if _is_power_of_two(modulus):
        np.bitwise_and(moving, np.uint64(modulus - 1), out=moving)
    else:
        back(moving, np.uint64(modulus), out=spare)
        np.minimum(moving, spare, out=moving)
    return moving


def move_far(moving: Words, number: Words, modulus: int, sign: Sign, spare: tuple[Words, Words]) -> Words:
    """Do the same for numbers up to 2^64 and a modulus up to 2^32: with one reduction, of the sum.

    `moving - number` is as far below the modulus as `(modulus - 1 - moving) + number` is above zero, so that a
    subtraction is an addition seen in a mirror.
    """
    last, (total, quotient) = np.uint64(modulus - 1), spare
    if sign == -1:
        np.subtract(last, moving, out=moving)
    np.add(number, moving, out=total)
    if np.minimum.reduce(total) <= last:  # perhaps some have wrapped around 2^64: as good as never
        total[:] = number
        _modulo(total, modulus, quotient)
        total += moving
    np.floor_divide(total, np.uint64(modulus), out=quotient)
    np.multiply(quotient, np.uint64(modulus), out=quotient)
    np.subtract(total, quotient, out=moving)
    if sign == -1:
        np.subtract(last, moving, out=moving)
    return moving


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _twos(number: int) -> int:
    """How often 2 divides a number."""
    return (number & -number).bit_length() - 1


def _modulo(number: Words, modulus: int, spare: Words) -> None:
    """Reduce in place, but not by a power of 2.

    NumPy vectorises `//` by a scalar and a multiplication, and does not vectorise `%`.
    """
    if _is_power_of_two(modulus):  # reduced with the sum, whose wrapping around 2^64 does no harm
        return
    divisor = np.uint64(modulus)
    np.floor_divide(number, divisor, out=spare)
    np.multiply(spare, divisor, out=spare)
    np.subtract(number, spare, out=number)


def folds(modulus: int) -> bool:
    """Whether `fold` takes the modulus: even, no power of 2, and small without its twos, as those of base 36 are."""
    odd = modulus >> _twos(modulus)
    return modulus % 2 == 0 and 1 < odd <= _TWO_31


def fold_factor(modulus: int) -> np.uint64:
    """2^64 less a multiple of the modulus, over the powers of 2 in it."""
    twos = _twos(modulus)
    return np.uint64(2 ** (_WORD_BITS - twos) % (modulus >> twos))


def fold(number: Words, lower: Words, modulus: int, spare: Words) -> None:
    """Reduce `upper * 2^64 + lower` by a modulus 2^k * odd, with one division.

    Without its last k bits the number is `upper * 2^(64 - k) + (lower >> k)`, and `upper * factor + (lower >> k)` has
    the same remainder by the odd part: as the factor and the odd part are at most 2^31 and k at least 1, that fits a
    word. Its quotient is all that is wanted; what is left after so many moduli fits a word as well, so it is computed
    modulo 2^64.

    Args:
        number: `upper * fold_factor(modulus)`, `upper` below 2^32; becomes the remainder.
        lower: Any word.
        modulus: One that `folds`.
        spare: Room.
    """
    twos = _twos(modulus)
    np.right_shift(lower, np.uint64(twos), out=spare)
    spare += number
    np.floor_divide(spare, np.uint64(modulus >> twos), out=spare)
    spare *= np.uint64(modulus)
    number <<= np.uint64(twos)
    number += lower
    number -= spare


def append(number: Words, lower: Words, modulus: int, spare: Words) -> None:
    """Append 32 bits and reduce, in place, but not by a power of 2: `number * 2^32 + lower` modulo one up to 2^64.

    Args:
        number: Below the modulus.
        lower: Below 2^32; overwritten.
        modulus: The modulus.
        spare: Room.
    """
    if modulus > _TWO_32 and not _is_power_of_two(modulus):
        _append_long(number, lower, modulus, spare)
        return
    number <<= np.uint64(32)  # what this loses is a multiple of 2^64, and so of the modulus if that is a power of 2
    number |= lower
    _modulo(number, modulus, spare)


def _append_long(number: Words, lower: Words, modulus: int, spare: Words) -> None:
    """Do the same for a modulus above 2^32: Knuth's algorithm D on limbs of 32 bits.

    The one limb of the quotient is guessed from the modulus's upper limb. With the modulus shifted so that its top bit
    is set, the guess is right or up to 2 too large (The Art of Computer Programming, 4.3.1, theorem B), and at most
    2^32 + 1, so that its product with the lower limb still fits into 64 bits.
    """
    shift = 64 - modulus.bit_length()
    divisor = np.uint64(modulus << shift)
    limbs = divmod(modulus << shift, _TWO_32)
    number <<= np.uint64(shift)
    np.right_shift(lower, np.uint64(32 - shift), out=spare)
    number |= spare
    lower <<= np.uint64(shift)
    lower &= np.uint64(_TWO_32 - 1)

    guess = np.floor_divide(number, np.uint64(limbs[0]), out=spare)
    number -= guess * np.uint64(limbs[0])
    number <<= np.uint64(32)
    number |= lower
    guess *= np.uint64(limbs[1])
    owed = guess > number
    number -= guess  # arithmetic is modulo 2^64; the remainder is below it
    number += np.multiply(owed, divisor, out=lower)  # the guess was 1 too large
    np.greater_equal(number, divisor, out=owed)
    number += np.multiply(owed, divisor, out=lower)  # it was 2 too large
    number >>= np.uint64(shift)
