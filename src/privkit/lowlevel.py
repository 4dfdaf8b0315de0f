"""Standard algorithms on raw keys: the sharp edge.

Nothing here makes, stores, derives or rotates keys, and nothing binds a ciphertext to a field: who uses this answers
for all of that. Prefer the transforms, which do.

The `*_many` methods take a list or tuple, a NumPy, Arrow, pandas or Polars column and return the same kind; nulls stay
null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np
from cryptography.hazmat.primitives.ciphers import algorithms

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.ff1_text import TextFF1
from privkit.columns import Kind, lift
from privkit.columns.column import at_rows
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from privkit._kernels.ragged import Ragged
    from privkit.columns import Column

C = TypeVar("C")
T = TypeVar("T")


class FF1:
    """FF1 format-preserving encryption (NIST SP 800-38G, March 2016) of texts over an alphabet.

    Equal texts under one key and tweak give equal ciphertexts, and there is no authentication: a wrong key, tweak or
    ciphertext decrypts to some other text. Texts must have at least 1,000,000 possible values of their length (Rev. 1
    draft, February 2025): 6 decimal digits or more, for instance; and at most 16,384 characters.

    Safe to share between threads.

    Args:
        key: 16, 24 or 32 random bytes; 16 for SM4.
        alphabet: 2 to 65,536 distinct characters; their order is part of the algorithm.
        algorithm: `"AES"`, or `"SM4"` (GB/T 32907), with which it is no longer NIST's.

    Raises:
        InvalidParameter: If the key has another size, a character of the alphabet appears twice or there are too few
            or too many, or the algorithm is none of these.

    Example:
        >>> from privkit.lowlevel import FF1
        >>> cipher = FF1(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), "0123456789")
        >>> cipher.encrypt("0123456789")
        '2433477484'
        >>> cipher.decrypt_many(["2433477484", None], tweak=b"")
        ['0123456789', None]
    """

    __slots__ = ("_text",)

    def __init__(self, key: bytes, alphabet: str, *, algorithm: Literal["AES", "SM4"] = "AES") -> None:
        self._text = TextFF1(_cipher(key, algorithm), alphabet)

    def encrypt(self, text: str, tweak: bytes = b"") -> str:
        """Encrypt one text.

        Args:
            text: Characters of the alphabet.
            tweak: Public context, such as the name of the column; equal texts under different tweaks are unrelated.

        Returns:
            A text of the same length over the same alphabet.

        Raises:
            InvalidValue: If a character is not of the alphabet, or the text is too long.
            DomainTooSmall: If the text is too short.
            InvalidParameter: If the tweak is no bytes, or too long.
        """
        return self._crypt(text, tweak, decrypt=False)

    def decrypt(self, text: str, tweak: bytes = b"") -> str:
        """Undo `encrypt` under the same tweak."""
        return self._crypt(text, tweak, decrypt=True)

    def encrypt_many(self, column: C, tweak: object = b"") -> C:
        """Encrypt a column of texts, of any mix of lengths.

        Args:
            column: A column of text.
            tweak: `bytes`, the same for all rows; or a column of bytes with one for each.

        Returns:
            The same kind of column; null where `column` is.

        Raises:
            InvalidValue: As `encrypt`; with the positions of the rows.
            DomainTooSmall: As `encrypt`; with the positions of the rows.
            InvalidParameter: If this is no column of text, or the tweaks are not as many.
        """
        return self._crypt_many(column, tweak, decrypt=False)

    def decrypt_many(self, column: C, tweak: object = b"") -> C:
        """Undo `encrypt_many` under the same tweaks."""
        return self._crypt_many(column, tweak, decrypt=True)

    def _crypt(self, text: str, tweak: bytes, *, decrypt: bool) -> str:
        if type(text) is not str or type(tweak) is not bytes:
            text, tweak = str(_exact(text, str)), bytes(_exact(tweak, bytes))
        return self._text.crypt(text, tweak, decrypt=decrypt)

    def _crypt_many(self, column: C, tweak: object, *, decrypt: bool) -> C:
        if isinstance(column, list) and not self._text.alphabet.in_utf8:
            return cast("C", self._crypt_each(column, tweak, decrypt=decrypt))
        lifted = lift(column)
        values = _ragged(lifted, Kind.BYTES if _is_fixed_bytes(column) else Kind.TEXT)
        tweaks = tweak if isinstance(tweak, bytes) else _tweaks(tweak, lifted)
        try:
            return lifted.restore(self._text.crypt_many(values, tweaks, decrypt=decrypt), lifted.kind)
        except InvalidValue as error:
            raise at_rows(error, lifted.nulls) from None
        except DomainTooSmall as error:
            raise DomainTooSmall(error.reason, rows=lifted.rows(error.rows).tolist()) from None

    def _crypt_each(self, texts: list[str | None], tweak: object, *, decrypt: bool) -> list[str | None]:
        """Take a list one by one: an alphabet with lone surrogates has no UTF-8, in which columns travel."""
        each = [tweak] * len(texts) if isinstance(tweak, bytes) else cast("list[bytes]", tweak)
        rows = zip(texts, each, strict=True)
        return [None if text is None else self._crypt(text, t, decrypt=decrypt) for text, t in rows]

    def __repr__(self) -> str:
        return f"<FF1 over {self._text.alphabet.radix} characters: key not shown>"


def _cipher(key: bytes, algorithm: str) -> BlockCipher:
    if algorithm == "AES":
        return BlockCipher(key, algorithms.AES)
    if algorithm == "SM4":
        return BlockCipher(key, algorithms.SM4)
    raise InvalidParameter("no block cipher of that name; take AES or SM4")


def _exact(value: object, kind: type[T]) -> T:
    """Take a subclass for what it is, and refuse what only looks like it: `bytes(5)` is five zeros."""
    if not isinstance(value, kind):
        raise InvalidParameter(f"a {type(value).__name__} where {kind.__name__} is needed")
    return value


def _ragged(column: Column[Any], kind: Kind) -> Ragged:
    """The rows of a column of text or bytes."""
    if column.kind is not kind and len(column.values):
        raise InvalidParameter(f"a column of {column.kind.value} where one of {kind.value} is needed")
    return cast("Ragged", column.values)


def _is_fixed_bytes(column: object) -> bool:
    """Whether this is NumPy's fixed-width bytes, which people keep ASCII text in."""
    return isinstance(column, np.ndarray) and column.dtype.kind == "S"


def _tweaks(tweak: object, column: Column[Any]) -> Ragged:
    """The tweaks of those rows of a column that are not null; only theirs may not be null either."""
    lifted = lift(tweak)
    rows = _ragged(lifted, Kind.BYTES)
    if len(lifted) != len(column):
        raise InvalidParameter(f"{len(lifted)} tweaks for {len(column)} values; give one for all, or one for each")
    wanted = np.ones(len(column), np.bool_) if column.nulls is None else ~column.nulls
    given = np.ones(len(column), np.bool_) if lifted.nulls is None else ~lifted.nulls
    if (missing := wanted & ~given).any():
        raise InvalidValue("the tweak of a value is null", rows=np.flatnonzero(missing))
    return rows if column.nulls is None else rows.take(wanted[given])
