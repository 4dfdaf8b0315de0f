"""FF1 on integers: a bijection of [0, size), by FF1 on bits and cycle walking.

A value is its m = max(bits(size - 1), 20) bits, most significant first, which are FF1's numeral string of radix 2; the
result is exactly FF1's. A result that is not below the size is encrypted again until it is (Black and Rogaway,
"Ciphers with Arbitrary Finite Domains", CT-RSA 2002, section 4): 2^m / size times on average, less than twice. How
often says nothing about the key, but it does depend on the value, and so does the time taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels import tweaks, words
from privkit._kernels.feistel import MAX_LENGTH, MIN_DOMAIN
from privkit._kernels.ff1 import FEW, FF1
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from privkit._kernels.blocks import BlockCipher
    from privkit._kernels.feistel import Shape
    from privkit._kernels.tweaks import Even

_MIN_BITS = 20
_WORD_BITS = 64


class IntegerPermutation:
    """A keyed, tweakable bijection of the integers [0, size).

    Args:
        cipher: The keyed block cipher.
        size: How many integers there are, at least 1,000,000. Up to 2^128 columns run in arrays (above 2^64 their
            integers come and go as Python objects, several times slower); beyond that one by one.

    Raises:
        DomainTooSmall: If there are fewer than 1,000,000.
        InvalidParameter: If there are more than 2^16384.
    """

    __slots__ = ("_ff1", "_is_object", "_shape", "size")

    def __init__(self, cipher: BlockCipher, size: int) -> None:
        if size < MIN_DOMAIN:
            raise DomainTooSmall(
                f"{size:,} values < {MIN_DOMAIN:,} needed by FF1; take a keyed permutation of the small domain instead"
            )
        bits = (size - 1).bit_length()
        if bits > MAX_LENGTH:
            raise InvalidParameter(f"integers of {bits} bits; at most {MAX_LENGTH} are taken")
        self.size = size
        self._ff1 = FF1(cipher, 2)
        self._shape: Shape = self._ff1.shape(max(bits, _MIN_BITS))
        self._is_object = self._shape.length > _WORD_BITS

    def encrypt(self, value: int, tweak: bytes = b"") -> int:
        """Encrypt one integer of [0, size).

        Raises:
            InvalidValue: If the value is outside.
            WrongType: If it is no integer.
        """
        return self._crypt(value, tweak, decrypt=False)

    def decrypt(self, value: int, tweak: bytes = b"") -> int:
        """Undo `encrypt` under the same tweak; another tweak gives another value, and no error."""
        return self._crypt(value, tweak, decrypt=True)

    def encrypt_many(self, values: NDArray[Any], tweak: Even = b"") -> NDArray[Any]:
        """Encrypt a column of integers of [0, size).

        Args:
            values: Shape `(rows,)`, of any integer type, or Python integers in an object array.
            tweak: One for all rows, or a `(rows, bytes)` matrix of `uint8` with one per row.

        Returns:
            `uint64` of shape `(rows,)`; Python integers in an object array where the size exceeds 2^64.

        Raises:
            InvalidValue: If a value is outside; with the positions of the rows.
            WrongType: If they are no integers.
            InvalidParameter: If there are not as many tweaks as values.
        """
        return self._crypt_many(values, tweak, decrypt=False)

    def decrypt_many(self, values: NDArray[Any], tweak: Even = b"") -> NDArray[Any]:
        """Undo `encrypt_many` under the same tweaks."""
        return self._crypt_many(values, tweak, decrypt=True)

    def _crypt(self, value: int, tweak: bytes, *, decrypt: bool) -> int:
        value = check_one(value, self.size)
        schedule, bits = self._ff1.schedule(self._shape.length, tweak), self._shape.right
        mask = (1 << bits) - 1
        while True:
            a, b = schedule.crypt(value >> bits, value & mask, decrypt=decrypt)
            value = a << bits | b
            if value < self.size:
                return value

    def _crypt_many(self, values: NDArray[Any], tweak: Even, *, decrypt: bool) -> NDArray[Any]:
        check(values, self.size)
        tweaks.check(tweak, len(values))
        out = np.empty(len(values), object if self._is_object else np.uint64)
        if len(values) <= FEW or not words.fits(self._shape):
            each = zip(values.tolist(), tweaks.each(tweak, len(values)), strict=True)
            out[:] = [self._crypt(value, t, decrypt=decrypt) for value, t in each]
            return out
        self._walk(values, tweak, out, decrypt=decrypt)
        return out

    def _walk(self, values: NDArray[Any], tweak: Even, out: NDArray[Any], *, decrypt: bool) -> None:
        """Encrypt in batches, each of the next rows and of those that are still outside, so that batches stay full."""
        room = words.Room(self._ff1.cipher, self._shape, words.memory(len(values)))
        batch = np.empty(tweaks.fitting(tweak, len(values), room.rows), out.dtype)
        first, outside = 0, np.empty(0, np.intp)
        while first < len(values) or len(outside):
            last = min(first + len(batch) - len(outside), len(values))
            new = last - first
            part = batch[: new + len(outside)]
            part[:new], part[new:] = values[first:last], out[outside]
            base = self._ff1.base(self._shape, tweaks.gather(tweak, slice(first, last), outside))
            self._once(part, room, base, decrypt=decrypt)
            out[first:last], out[outside] = part[:new], part[new:]
            again = np.flatnonzero(part > self.size - 1)
            middle = int(np.searchsorted(again, new))
            outside = np.concatenate([again[:middle] + first, outside[again[middle:] - new]])
            first = last

    def _once(self, values: NDArray[Any], room: words.Room, base: words.Base, *, decrypt: bool) -> None:
        """Encrypt m-bit integers in place, `uint64` or Python's."""
        bits = self._shape.right
        number = int if values.dtype == object else np.uint64
        a, b = room.words[:, : len(values)]
        np.right_shift(values, number(bits), out=a, casting="unsafe")
        np.bitwise_and(values, number((1 << bits) - 1), out=b, casting="unsafe")
        room.crypt(a, b, base, decrypt=decrypt)
        values[:] = a
        values <<= number(bits)
        values |= b.astype(values.dtype, copy=False)


def check_one(value: object, size: int) -> int:
    """One integer of [0, size), as Python's own.

    Raises:
        WrongType: If it is no integer, which would be cut to one.
        InvalidValue: If it is outside.
    """
    if type(value) is not int:
        if isinstance(value, bool | np.timedelta64) or not isinstance(value, int | np.integer):
            raise WrongType(f"a {type(value).__name__} where an integer is needed; convert it where that is exact")
        value = int(value)
    if not 0 <= value < size:
        raise InvalidValue(f"not in [0, {size})")
    return value


def check(values: object, size: int) -> None:
    """Refuse a column of which some value is no integer of [0, size).

    Raises:
        WrongType: If it is no array of one dimension, or the values are no integers, which would be cut to some.
        InvalidValue: If a value is outside; with the positions of the rows.
    """
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise WrongType("integers in no array of one dimension; give an array of shape (rows,)")
    if not len(values):
        return
    types = set(map(type, values.tolist())) if values.dtype == object else {values.dtype.type}
    own, others = (int, bool) if values.dtype == object else (np.integer, np.timedelta64)  # which NumPy has below it
    if wrong := sorted(cls.__name__ for cls in types if not issubclass(cls, own) or issubclass(cls, others)):
        raise WrongType(
            f"{', '.join(wrong)} where integers are needed, in an object array Python's own; convert them where that "
            "is exact"
        )
    if not (int(values.min()) >= 0 and int(values.max()) < size):
        raise InvalidValue(f"not in [0, {size})", rows=np.flatnonzero((values < 0) | (values > size - 1)))
