"""FF1 on texts."""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import Literal, TypeAlias, TypeVar, cast

import numpy as np

from privkit._kernels.ff1_text import TextFF1
from privkit.columns import Kind, lift
from privkit.columns.column import at_rows
from privkit.columns.pieces import by_pieces
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel.given import Keyed, block_cipher, each_of, exact_bytes, ragged_of

C = TypeVar("C")

_Refusal: TypeAlias = "tuple[type[InvalidValue | DomainTooSmall], str]"


class FF1(Keyed):
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
        self._text = TextFF1(block_cipher(exact_bytes(key), algorithm), _characters(alphabet))

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
        return self._text.crypt(_characters(text), exact_bytes(tweak), decrypt=decrypt)

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
        values = ragged_of(lifted, kind)
        tweaks = exact_bytes(tweak) if isinstance(tweak, bytes) else each_of(tweak, lifted, "tweak")
        try:
            return lifted.restore(self._text.crypt_many(values, tweaks, decrypt=decrypt), kind)
        except InvalidValue as error:
            raise at_rows(error, lifted.nulls) from None
        except DomainTooSmall as error:
            raise DomainTooSmall(error.reason, rows=lifted.rows(error.rows).tolist()) from None

    def _crypt_each(self, texts: list[str | None], tweak: object, *, decrypt: bool) -> list[str | None]:
        """Take a list one by one: an alphabet with lone surrogates has no UTF-8, in which columns travel."""
        rows = lift([None if text is None else b"" for text in texts])  # as many, and null where they are
        each = repeat(exact_bytes(tweak)) if isinstance(tweak, bytes) else each_of(tweak, rows, "tweak").to_list()
        out, refused = list(texts), dict[int, _Refusal]()
        for row, t in zip([row for row, text in enumerate(texts) if text is not None], each, strict=False):
            try:
                out[row] = self._crypt(cast("str", texts[row]), t, decrypt=decrypt)
            except (InvalidValue, DomainTooSmall) as error:
                refused[row] = type(error), error.reason  # and not the error, whose frames hold the texts
        if refused:
            raise _first_of(refused)
        return out


def _characters(text: object) -> str:
    """The very characters of a text: a subclass may say something else, as an `Enum` of texts says its own name."""
    if type(text) is str:
        return text
    if not isinstance(text, str):
        raise WrongType(f"a {type(text).__name__} where str is needed")
    return str.__str__(text)


def _first_of(refused: dict[int, _Refusal]) -> InvalidValue | DomainTooSmall:
    """One error for all rows that are refused for the same; too short goes before all else, as in columns."""
    kind, reason = min(refused.values(), key=lambda refusal: refusal[0] is not DomainTooSmall)
    same = reason.partition(":")[0]  # behind it stands how long that one is
    return kind(reason, rows=[row for row, (_, other) in refused.items() if other.partition(":")[0] == same])


def _is_fixed_bytes(column: object) -> bool:
    """Whether this is NumPy's fixed-width bytes, which people keep ASCII text in."""
    return isinstance(column, np.ndarray) and column.dtype.kind == "S"
