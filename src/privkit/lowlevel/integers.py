"""Keyed permutations of integers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import numpy as np

from privkit._kernels import integers, prefix
from privkit._kernels.ragged import Ragged
from privkit._kernels.tweaks import groups
from privkit.columns import Kind, lift
from privkit.columns.column import at_rows
from privkit.columns.kinds import as_integers
from privkit.columns.pieces import by_pieces
from privkit.errors import InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel.given import Keyed, block_cipher, each_of, exact_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.columns import Column

C = TypeVar("C")

_MOST_IN_COLUMNS: Final = 2**64


class IntegerPermutation(Keyed):
    """FF1 (NIST SP 800-38G, March 2016) on the integers from 0 up to a size: each becomes another of them.

    The bits of an integer are FF1's numerals; a result that is not below the size is encrypted again until it is, less
    than twice on average (cycle walking: Black and Rogaway, CT-RSA 2002, section 4). Equal integers under one key and
    tweak give equal ones, and there is no authentication: a wrong key or tweak gives some other integer.

    Safe to share between threads.

    Args:
        key: 16, 24 or 32 random bytes; 16 for SM4.
        size: How many integers there are, 1,000,000 at least and 2^16384 at most; for fewer see `PrefixPermutation`.
        algorithm: `"AES"`, or `"SM4"` (GB/T 32907), with which it is no longer NIST's.

    Raises:
        DomainTooSmall: If the size is below 1,000,000.
        InvalidParameter: If it is above 2^16384, the key has another size, or the algorithm is none of these.
        WrongType: If the key is no bytes, or the size no integer.

    Example:
        >>> from privkit.lowlevel import IntegerPermutation
        >>> orders = IntegerPermutation(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), 10**9)
        >>> moved = orders.encrypt(123_456_789)
        >>> 0 <= moved < 10**9, orders.decrypt(moved)
        (True, 123456789)
        >>> orders.decrypt_many(orders.encrypt_many([7, None]))
        [7, None]
    """

    __slots__ = ("_permutation",)

    def __init__(self, key: bytes, size: int, *, algorithm: Literal["AES", "SM4"] = "AES") -> None:
        self._permutation = integers.IntegerPermutation(block_cipher(exact_bytes(key), algorithm), _size(size))

    def encrypt(self, value: int, tweak: bytes = b"") -> int:
        """Encrypt one integer.

        Args:
            value: At least 0, and below the size.
            tweak: Public context, such as the name of the column; equal integers under different tweaks are unrelated.

        Raises:
            InvalidValue: If the integer is outside.
            WrongType: If it is no integer, or the tweak no bytes.
        """
        return self._permutation.encrypt(value, exact_bytes(tweak))

    def decrypt(self, value: int, tweak: bytes = b"") -> int:
        """Undo `encrypt` under the same tweak."""
        return self._permutation.decrypt(value, exact_bytes(tweak))

    def encrypt_many(self, column: C, tweak: object = b"") -> C:
        """Encrypt a column of integers.

        Args:
            column: A column of integers, of a type that holds all those below the size.
            tweak: `bytes`, the same for all rows; or a column of bytes with one for each.

        Returns:
            The same kind of column, of the same type; null where `column` is.

        Raises:
            InvalidValue: If an integer is outside, or a result does not fit the type; with the positions of the rows.
            InvalidParameter: If the tweaks are not as many, or the size is above 2^64, which no column holds.
            WrongType: If this is no column of integers, or the tweaks are none of bytes.
        """
        return by_pieces(partial(self._crypt_piece, decrypt=False), column, [tweak])

    def decrypt_many(self, column: C, tweak: object = b"") -> C:
        """Undo `encrypt_many` under the same tweaks."""
        return by_pieces(partial(self._crypt_piece, decrypt=True), column, [tweak])

    def _crypt_piece(self, column: C, tweak: object, *, decrypt: bool) -> C:
        if self._permutation.size > _MOST_IN_COLUMNS:
            raise InvalidParameter("columns hold integers of 64 bits; encrypt those of larger sizes one by one")
        lifted = lift(column)
        tweaks = exact_bytes(tweak) if isinstance(tweak, bytes) else each_of(tweak, lifted, "tweak")
        crypt = self._permutation.decrypt_many if decrypt else self._permutation.encrypt_many

        def work(values: NDArray[Any]) -> NDArray[Any]:
            integers.check(values, self._permutation.size)  # all of them, since a group would name its own rows
            moved = np.empty(len(values), np.uint64)
            for rows, even in groups(tweaks, len(values)):
                where = slice(None) if rows is None else rows
                moved[where] = crypt(values[where], even)
            return moved

        return _moved(lifted, work)


class PrefixPermutation(Keyed):
    """A keyed permutation of few integers, from 0 up to a size below 1,000,000, where FF1 is not to be trusted.

    The integers are put in the order of their AES images (prefix cipher: Black and Rogaway, CT-RSA 2002, section 3).
    What no cipher can change where there are few: a guess is right once in `size` times, frequencies show, and whoever
    sees enough pairs has the whole table. The table of a tweak is built when it is first used, some 100 ns a member.

    Safe to share between threads.

    Args:
        key: 16, 24 or 32 random bytes; 16 for SM4.
        size: How many integers there are, 1 to 999,999.
        algorithm: `"AES"`, or `"SM4"` (GB/T 32907).

    Raises:
        InvalidParameter: If the size is out of bounds, the key has another one, or the algorithm is none of these.
        WrongType: If the key is no bytes, or the size no integer.

    Example:
        >>> from privkit.lowlevel import PrefixPermutation
        >>> months = PrefixPermutation(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), 12)
        >>> sorted(months.encrypt_many(list(range(12)))) == list(range(12))
        True
        >>> months.decrypt(months.encrypt(11))
        11
    """

    __slots__ = ("_permutation",)

    def __init__(self, key: bytes, size: int, *, algorithm: Literal["AES", "SM4"] = "AES") -> None:
        self._permutation = prefix.PrefixPermutation(block_cipher(exact_bytes(key), algorithm), _size(size))

    def encrypt(self, value: int, tweak: bytes = b"") -> int:
        """Encrypt one integer; arguments and errors as for `IntegerPermutation.encrypt`."""
        return self._permutation.encrypt(value, exact_bytes(tweak))

    def decrypt(self, value: int, tweak: bytes = b"") -> int:
        """Undo `encrypt` under the same tweak."""
        return self._permutation.decrypt(value, exact_bytes(tweak))

    def encrypt_many(self, column: C, tweak: bytes = b"") -> C:
        """Encrypt a column of integers under one tweak; all else as for `IntegerPermutation.encrypt_many`."""
        return by_pieces(partial(self._crypt_piece, self._permutation.encrypt_many), column, [exact_bytes(tweak)])

    def decrypt_many(self, column: C, tweak: bytes = b"") -> C:
        """Undo `encrypt_many` under the same tweak."""
        return by_pieces(partial(self._crypt_piece, self._permutation.decrypt_many), column, [exact_bytes(tweak)])

    def _crypt_piece(self, crypt: Callable[..., NDArray[Any]], column: C, tweak: bytes) -> C:
        return _moved(lift(column), lambda values: crypt(values, tweak))


def _size(size: object) -> int:
    if isinstance(size, bool | np.timedelta64) or not isinstance(size, int | np.integer):
        raise WrongType(f"a {type(size).__name__} for a size, where int is needed")
    return int(size)


def _moved(column: Column[C], work: Callable[[NDArray[Any]], NDArray[Any]]) -> C:
    """The column with its integers worked on."""
    if column.kind is not Kind.INTEGER or isinstance(column.values, Ragged):
        if len(column.values):
            raise WrongType(f"a column of {column.kind.value} where one of integers is needed")
        return column.restore(column.values, column.kind)
    try:
        moved = work(column.values)
    except InvalidValue as error:
        raise at_rows(error, column.nulls) from None
    try:
        return column.restore(as_integers(moved), Kind.INTEGER)
    except InvalidValue as error:
        reason = "its result does not fit the column's type; take a type that holds all integers below the size"
        raise InvalidValue(reason, rows=error.positions, count=error.count) from None
