"""Standard algorithms on raw keys: the sharp edge.

Nothing here makes, stores, derives or rotates keys, and nothing binds a ciphertext to a field: who uses this answers
for all of that. Prefer the transforms, which do.

The `*_many` methods take a list or tuple, a NumPy, Arrow, pandas or Polars column and return the same kind; nulls stay
null.
"""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

import numpy as np
from cryptography.hazmat.primitives.ciphers import algorithms

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac as _Cmac
from privkit._kernels.ff1_text import TextFF1
from privkit._kernels.ragged import Ragged
from privkit._kernels.siv import Siv
from privkit.columns import Kind, lift
from privkit.columns.column import at_rows
from privkit.columns.pieces import by_pieces
from privkit.errors import DecryptionFailed, DomainTooSmall, InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.columns import Column

C = TypeVar("C")

_Refusal: TypeAlias = "tuple[type[InvalidValue | DomainTooSmall], str]"


class _Keyed:
    """What holds a key, and neither shows nor hands it on."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("it holds a key and cannot be pickled; send the key where it has to be, and build it there")


class FF1(_Keyed):
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
        InvalidParameter: If the key has another size, a character of the alphabet appears twice or there are too few or
            too many, or the algorithm is none of these.
        WrongType: If the key is no bytes, or the alphabet no text; it is an `InvalidParameter` and a `TypeError`.

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
        self._text = TextFF1(_cipher(_bytes(key), algorithm), _characters(alphabet))

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
            InvalidParameter: If the tweak is too long.
            WrongType: If the text is no `str`, or the tweak no bytes.
        """
        return self._crypt(text, tweak, decrypt=False)

    def decrypt(self, text: str, tweak: bytes = b"") -> str:
        """Undo `encrypt` under the same tweak."""
        return self._crypt(text, tweak, decrypt=True)

    def encrypt_many(self, column: C, tweak: object = b"") -> C:
        """Encrypt a column of texts, of any mix of lengths.

        Args:
            column: A column of text; for an ASCII alphabet also NumPy's fixed-width bytes.
            tweak: `bytes`, the same for all rows; or a column of bytes with one for each.

        Returns:
            The same kind of column, of text also where there was no value at all; null where `column` is.

        Raises:
            InvalidValue: As `encrypt`; with the positions of the rows.
            DomainTooSmall: As `encrypt`; with the positions of the rows.
            InvalidParameter: If the tweaks are not as many.
            WrongType: If this is no column of text, or the tweaks are none of bytes.
        """
        return self._crypt_many(column, tweak, decrypt=False)

    def decrypt_many(self, column: C, tweak: object = b"") -> C:
        """Undo `encrypt_many` under the same tweaks."""
        return self._crypt_many(column, tweak, decrypt=True)

    def _crypt(self, text: str, tweak: bytes, *, decrypt: bool) -> str:
        return self._text.crypt(_characters(text), _bytes(tweak), decrypt=decrypt)

    def _crypt_many(self, column: C, tweak: object, *, decrypt: bool) -> C:
        if isinstance(column, list) and not self._text.alphabet.in_utf8:
            return cast("C", self._crypt_each(column, tweak, decrypt=decrypt))
        return by_pieces(partial(self._crypt_piece, decrypt=decrypt), column, [tweak])

    def _crypt_piece(self, column: C, tweak: object, *, decrypt: bool) -> C:
        lifted = lift(column)
        in_bytes = self._text.alphabet.is_ascii and _is_fixed_bytes(column)
        if in_bytes and "\0" in self._text.alphabet.characters:
            raise InvalidParameter(
                "an alphabet with NUL, which bytes of fixed width drop at their end; take an object array of str"
            )
        kind = Kind.BYTES if in_bytes else Kind.TEXT
        values = _ragged(lifted, kind)
        tweaks = _bytes(tweak) if isinstance(tweak, bytes) else _each(tweak, lifted, "tweak")
        try:
            return lifted.restore(self._text.crypt_many(values, tweaks, decrypt=decrypt), kind)
        except InvalidValue as error:
            raise at_rows(error, lifted.nulls) from None
        except DomainTooSmall as error:
            raise DomainTooSmall(error.reason, rows=lifted.rows(error.rows).tolist()) from None

    def _crypt_each(self, texts: list[str | None], tweak: object, *, decrypt: bool) -> list[str | None]:
        """Take a list one by one: an alphabet with lone surrogates has no UTF-8, in which columns travel."""
        rows = lift([None if text is None else b"" for text in texts])  # as many, and null where they are
        each = repeat(_bytes(tweak)) if isinstance(tweak, bytes) else _each(tweak, rows, "tweak").to_list()
        out, refused = list(texts), dict[int, _Refusal]()
        for row, t in zip([row for row, text in enumerate(texts) if text is not None], each, strict=False):
            try:
                out[row] = self._crypt(cast("str", texts[row]), t, decrypt=decrypt)
            except (InvalidValue, DomainTooSmall) as error:
                refused[row] = type(error), error.reason  # and not the error, whose frames hold the texts
        if refused:
            raise _first_of(refused)
        return out


class AesSiv(_Keyed):
    """AES-SIV (RFC 5297, October 2008): deterministic authenticated encryption of bytes.

    Equal values with equal associated strings give equal ciphertexts, and a ciphertext shows the value's length. For
    encryption that shows no equality, give 16 random bytes as the last associated string and keep them with the
    ciphertext (section 3); if they ever repeat, no more is lost than that. A decrypted value is as it was written, or
    decryption fails. Good for 2**48 values under one key, as the CMAC in it is (SP 800-38B, appendix B).

    Safe to share between threads.

    Args:
        key: 32, 48 or 64 random bytes, of which each half is an AES key.

    Raises:
        InvalidParameter: If the key has another size.

    Example:
        >>> from privkit.lowlevel import AesSiv
        >>> siv = AesSiv(bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"))
        >>> siv.encrypt(b"value", [b"customer.note"]).hex()
        '92321aad0530528121a0d44a2b3da6eab05d6037e0'
        >>> siv.decrypt_many(siv.encrypt_many([b"value", None, b""]))
        [b'value', None, b'']
    """

    __slots__ = ("_siv",)

    def __init__(self, key: bytes) -> None:
        self._siv = Siv.of(_bytes(key))

    def encrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Encrypt one value.

        Args:
            data: Any bytes, or none.
            associated: What is not encrypted and must be the same for decryption, such as the name of the column: at
                most 126 strings. No string, an empty one and two empty ones are three different things.

        Returns:
            `SIV | ciphertext`, 16 bytes longer than `data`.

        Raises:
            InvalidParameter: If there are more than 126 strings.
            WrongType: If something is no bytes.
        """
        return self._siv.encrypt(_bytes(data), _strings(associated))

    def decrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Undo `encrypt` with the same associated strings.

        Raises:
            DecryptionFailed: If `data` was not written under this key with these strings, or was altered.
            InvalidParameter: As `encrypt`.
        """
        return self._siv.decrypt(_bytes(data), _strings(associated))

    def encrypt_many(self, column: C, associated: Sequence[object] = ()) -> C:
        """Encrypt a column of bytes of any lengths.

        Args:
            column: A column of bytes.
            associated: As for `encrypt`; a column of bytes in place of a string has one for each row.

        Returns:
            The same kind of column; null where `column` is. A NumPy array of fixed-width bytes comes back as one of
            objects where a row ends in a zero byte, which a fixed width would drop.

        Raises:
            InvalidParameter: As `encrypt`; or if the strings are not as many.
            WrongType: If this is no column of bytes.
            InvalidValue: If the associated string of a value is null; with the positions of the rows.
        """
        _not_one(associated)
        return by_pieces(self._encrypt_piece, column, associated)

    def decrypt_many(self, column: C, associated: Sequence[object] = ()) -> C:
        """Undo `encrypt_many` with the same associated strings.

        Raises:
            DecryptionFailed: As `decrypt`, if any row fails; with the positions of all that do, and no value of any.
            InvalidParameter: As `encrypt_many`.
            InvalidValue: As `encrypt_many`.
        """
        _not_one(associated)
        return by_pieces(self._decrypt_piece, column, associated)

    def _encrypt_piece(self, column: C, *associated: object) -> C:
        lifted = lift(column)
        strings = _associated(associated, lifted)
        return lifted.restore(self._siv.encrypt_many(_ragged(lifted, Kind.BYTES), strings), Kind.BYTES)

    def _decrypt_piece(self, column: C, *associated: object) -> C:
        lifted = lift(column)
        strings = _associated(associated, lifted)
        values, failed = self._siv.decrypt_many(_ragged(lifted, Kind.BYTES), strings)
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)).tolist())
        return lifted.restore(values, Kind.BYTES)


class Cmac(_Keyed):
    """CMAC (NIST SP 800-38B, May 2005): a keyed digest of 16 bytes, which nobody computes or checks without the key.

    Equal messages under one key have equal digests. Good for 2**48 messages under one key (appendix B).

    Safe to share between threads.

    Args:
        key: 16, 24 or 32 random bytes; 16 for SM4.
        algorithm: `"AES"`, or `"SM4"` (GB/T 32907), with which it is no longer NIST's.

    Raises:
        InvalidParameter: If the key has another size, or the algorithm is none of these.

    Example:
        >>> from privkit.lowlevel import Cmac
        >>> cmac = Cmac(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
        >>> cmac.digest(b"").hex()
        'bb1d6929e95937287fa37d129b756746'
        >>> [digest and digest.hex() for digest in cmac.digest_many([b"", None])]
        ['bb1d6929e95937287fa37d129b756746', None]
    """

    __slots__ = ("_cmac",)

    def __init__(self, key: bytes, *, algorithm: Literal["AES", "SM4"] = "AES") -> None:
        self._cmac = _Cmac(_cipher(_bytes(key), algorithm))

    def digest(self, data: bytes) -> bytes:
        """Digest one message.

        Args:
            data: Any bytes, or none.

        Returns:
            16 bytes.

        Raises:
            WrongType: If this is no bytes.
        """
        return self._cmac.digest(_bytes(data))

    def digest_many(self, column: C) -> C:
        """Digest a column of bytes of any lengths.

        Args:
            column: A column of bytes.

        Returns:
            The same kind of column, of 16 bytes in each row; null where `column` is. A NumPy array of fixed-width bytes
            comes back as one of objects where a digest ends in a zero byte, which a fixed width would drop.

        Raises:
            WrongType: If this is no column of bytes.
        """
        return by_pieces(self._digest_piece, column)

    def _digest_piece(self, column: C) -> C:
        lifted = lift(column)
        return lifted.restore(Ragged.of_matrix(self._cmac.digest_many(_ragged(lifted, Kind.BYTES))), Kind.BYTES)


def _cipher(key: bytes, algorithm: str) -> BlockCipher:
    if algorithm == "AES":
        return BlockCipher(key, algorithms.AES)
    if algorithm == "SM4":
        return BlockCipher(key, algorithms.SM4)
    raise InvalidParameter("no block cipher of that name; take AES or SM4")


def _characters(text: object) -> str:
    """The very characters of a text: a subclass may say something else, as an `Enum` of texts says its own name."""
    if type(text) is str:
        return text
    if not isinstance(text, str):
        raise WrongType(f"a {type(text).__name__} where str is needed")
    return str.__str__(text)


def _bytes(data: object) -> bytes:
    """The very bytes of a value, whatever a subclass says; not `bytes(data)`, which makes five zeros of a 5."""
    if type(data) is bytes:
        return data
    if not isinstance(data, bytes):
        raise WrongType(f"a {type(data).__name__} where bytes is needed")
    return bytes.__getitem__(data, slice(None))


def _first_of(refused: dict[int, _Refusal]) -> InvalidValue | DomainTooSmall:
    """One error for all rows that are refused for the same; too short goes before all else, as in columns."""
    kind, reason = min(refused.values(), key=lambda refusal: refusal[0] is not DomainTooSmall)
    same = reason.partition(":")[0]  # behind it stands how long that one is
    return kind(reason, rows=[row for row, (_, other) in refused.items() if other.partition(":")[0] == same])


def _ragged(column: Column[Any], kind: Kind) -> Ragged:
    """The rows of a column of text or bytes."""
    if column.kind is not kind and len(column.values):
        raise WrongType(f"a column of {column.kind.value} where one of {kind.value} is needed")
    return column.values if isinstance(column.values, Ragged) else Ragged.of([])


def _is_fixed_bytes(column: object) -> bool:
    """Whether this is NumPy's fixed-width bytes, which people keep ASCII text in."""
    return isinstance(column, np.ndarray) and column.dtype.kind == "S"


def _strings(associated: Sequence[bytes]) -> list[bytes]:
    _not_one(associated)
    return [_bytes(string) for string in associated]


def _associated(associated: Sequence[object], column: Column[Any]) -> list[bytes | Ragged]:
    return [
        _bytes(string) if isinstance(string, bytes) else _each(string, column, "associated string")
        for string in associated
    ]


def _not_one(associated: object) -> None:
    if not isinstance(associated, list | tuple):
        raise WrongType(
            f"associated strings in a {type(associated).__name__}; put them into a list, even if it is only one"
        )


def _each(given: object, column: Column[Any], what: str) -> Ragged:
    """A string for each row of a column that is not null; only for those that are may it be null itself."""
    lifted = lift(given)
    rows = _ragged(lifted, Kind.BYTES)
    if len(lifted) != len(column):
        raise InvalidParameter(f"{len(lifted)} {what}s for {len(column)} values; give one for all, or one for each")
    wanted = np.ones(len(column), np.bool_) if column.nulls is None else ~column.nulls
    there = np.ones(len(column), np.bool_) if lifted.nulls is None else ~lifted.nulls
    if (missing := wanted & ~there).any():
        raise InvalidValue(f"the {what} of a value is null", rows=np.flatnonzero(missing))
    return rows if column.nulls is None else rows.take(wanted[there])
