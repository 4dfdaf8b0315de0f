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
from privkit._kernels.feistel import ROUNDS, Schedule, Shape, Sign, feistel

if TYPE_CHECKING:
    from privkit._kernels.blocks import BlockCipher

Words: TypeAlias = NDArray[np.uint64]

CHUNK = 16_384
"""Rows that go through the rounds together: blocks and halves of so many stay in a core's second-level cache."""

_WORD = 8
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


def crypt(cipher: BlockCipher, shape: Shape, a: Words, b: Words, base: Base, *, decrypt: bool) -> None:
    """Run the rounds on columns of halves, in place, chunk by chunk.

    Args:
        cipher: The keyed block cipher.
        shape: Radix and length; it must fit this lane.
        a: The left halves, `uint64` of shape `(rows,)`.
        b: The right halves.
        base: The unchanging part of the blocks.
        decrypt: The direction.
    """
    lane = None
    for start in range(0, len(a), CHUNK):
        rows = slice(start, start + CHUNK)
        if lane is None or lane.rows != len(a[rows]):
            lane = _Lane(cipher, shape, len(a[rows]))
        lane.base = base.take(rows)
        # Ten rounds are an even number: each half ends up in the memory where it began.
        feistel(a[rows], b[rows], lane.mix, decrypt=decrypt)


class _Lane:
    """Room for the rounds of so many rows at once; it belongs to one call, and so to one thread."""

    __slots__ = ("_blocks", "_cipher", "_digests", "_number", "_out", "_reduce", "_shape", "_spare", "base", "rows")

    def __init__(self, cipher: BlockCipher, shape: Shape, rows: int) -> None:
        self._cipher, self._shape, self.rows = cipher, shape, rows
        self._blocks = np.empty((rows, 2), ">u8")
        self._out = np.empty(rows * BLOCK + BLOCK - 1, np.uint8)
        self._digests = self._out[: rows * BLOCK].reshape(rows, BLOCK)
        self._number = np.empty(rows, np.uint64)
        self._spare = np.empty(rows, np.uint64)
        self._reduce = self._reduce_8 if shape.digest_bytes == _WORD else self._reduce_12
        self.base = Base(np.uint64(0), np.uint64(0))

    def mix(self, i: int, moving: Words, still: Words, sign: Sign) -> Words:
        """One round; the result is in `moving`."""
        if i in {0, ROUNDS - 1} or self._shape.number_bytes == _WORD:
            self._fill_upper(i)
        self._fill_lower(i, still)
        self._cipher.encrypt(self._blocks.view(np.uint8), self._out)  # 6.ii; 6.iii, as d <= 16
        modulus = self._shape.moduli[i & 1]
        self._reduce(modulus)  # 6.iv
        return self._move(moving, modulus, sign)  # 6.v to 6.vii

    def _fill_upper(self, i: int) -> None:
        """Write the upper word of the blocks: it changes between rounds only where it ends in the round number."""
        upper = self.base.upper
        self._blocks[:, 0] = upper ^ np.uint64(i) if self._shape.number_bytes == _WORD else upper

    def _fill_lower(self, i: int, still: Words) -> None:
        """Write the lower word of the blocks: the still half behind the round number (6.i)."""
        np.bitwise_xor(still, self.base.lower, out=self._number)
        if self._shape.number_bytes < _WORD:
            self._number ^= np.uint64(i << 8 * self._shape.number_bytes)
        self._blocks[:, 1] = self._number

    def _reduce_8(self, modulus: int) -> None:
        """Take the first 8 bytes of the digests modulo `modulus`, which is at most 2^32."""
        self._number[:] = self._digests.view(">u8")[:, 0]
        _modulo(self._number, modulus, self._spare)

    def _reduce_12(self, modulus: int) -> None:
        """Take the first 12 bytes of the digests modulo `modulus`, which is at most 2^64."""
        number, spare = self._number, self._spare
        number[:] = self._digests.view(">u8")[:, 0]
        _modulo(number, modulus, spare)
        spare[:] = self._digests.view(">u4")[:, 2]
        if modulus <= _TWO_32 or _is_power_of_two(modulus):  # what the shift loses is a multiple of the modulus
            np.left_shift(number, np.uint64(32), out=number)
            np.bitwise_or(number, spare, out=number)
            _modulo(number, modulus, spare)
        else:
            number[:] = _divide_long(number, spare, modulus)

    def _move(self, moving: Words, modulus: int, sign: Sign) -> Words:
        """Set `moving` to `(moving + sign * number) mod modulus`.

        Both are below the modulus. Of the sum and the sum less the modulus (the difference and the difference plus the
        modulus), one has wrapped around 2^64 and is the larger: the modulus is at most 2^63, twice which still fits.
        """
        combine, back = (np.add, np.subtract) if sign == 1 else (np.subtract, np.add)
        combine(moving, self._number, out=moving)
        if _is_power_of_two(modulus):
            return np.bitwise_and(moving, np.uint64(modulus - 1), out=moving)
        back(moving, np.uint64(modulus), out=self._spare)
        return np.minimum(moving, self._spare, out=moving)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _modulo(number: Words, modulus: int, spare: Words) -> None:
    """Reduce in place: NumPy vectorises `//` by a scalar and a multiplication, and does not vectorise `%`."""
    if _is_power_of_two(modulus):
        np.bitwise_and(number, np.uint64(modulus - 1), out=number)
        return
    divisor = np.uint64(modulus)
    np.floor_divide(number, divisor, out=spare)
    np.multiply(spare, divisor, out=spare)
    np.subtract(number, spare, out=number)


def _divide_long(upper: Words, lower: Words, modulus: int) -> Words:
    """Reduce `upper * 2^32 + lower` modulo a modulus above 2^32: Knuth's algorithm D on limbs of 32 bits.

    The quotient's one limb is guessed from the modulus's first limb. With the modulus shifted so that its top bit is
    set, the guess is right or up to 2 too large (The Art of Computer Programming 4.3.1, theorem B), and at most
    2^32 + 1, so that its product with the second limb still fits into 64 bits.

    Args:
        upper: `uint64` of shape `(rows,)`, each below the modulus.
        lower: `uint64` of shape `(rows,)`, each below 2^32.
        modulus: Above 2^32 and below 2^64.

    Returns:
        The remainders.
    """
    shift = 64 - modulus.bit_length()
    divisor = np.uint64(modulus << shift)
    first, second = np.uint64(int(divisor) >> 32), np.uint64(int(divisor) & (_TWO_32 - 1))
    upper = (upper << np.uint64(shift)) | (lower >> np.uint64(32 - shift))
    lower = (lower << np.uint64(shift)) & np.uint64(_TWO_32 - 1)
    guess = upper // first
    rest = ((upper - guess * first) << np.uint64(32)) | lower
    product = guess * second
    debt = product - rest
    owed = product > rest
    # Once back where the guess was 1 too large, twice where it was 2; arithmetic is modulo 2^64, the result below it.
    remainder: Words = rest - product
    remainder += owed * divisor
    remainder += (owed & (debt > divisor)) * divisor
    remainder >>= np.uint64(shift)
    return remainder
