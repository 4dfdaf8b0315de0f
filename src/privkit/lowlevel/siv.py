"""AES-SIV on bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from privkit._kernels.siv import Siv
from privkit.columns import Kind, lift
from privkit.columns.pieces import by_pieces
from privkit.errors import DecryptionFailed, WrongType
from privkit.lowlevel.given import Keyed, each_of, exact_bytes, ragged_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit._kernels.ragged import Ragged
    from privkit.columns import Column

C = TypeVar("C")


class AesSiv(Keyed):
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
        self._siv = Siv.of(exact_bytes(key))

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
        return self._siv.encrypt(exact_bytes(data), _strings(associated))

    def decrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Undo `encrypt` with the same associated strings.

        Raises:
            DecryptionFailed: If `data` was not written under this key with these strings, or was altered.
            InvalidParameter: As `encrypt`.
        """
        return self._siv.decrypt(exact_bytes(data), _strings(associated))

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
        return lifted.restore(self._siv.encrypt_many(ragged_of(lifted, Kind.BYTES), strings), Kind.BYTES)

    def _decrypt_piece(self, column: C, *associated: object) -> C:
        lifted = lift(column)
        strings = _associated(associated, lifted)
        values, failed = self._siv.decrypt_many(ragged_of(lifted, Kind.BYTES), strings)
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)).tolist())
        return lifted.restore(values, Kind.BYTES)


def _strings(associated: Sequence[bytes]) -> list[bytes]:
    _not_one(associated)
    return [exact_bytes(string) for string in associated]


def _associated(associated: Sequence[object], column: Column[Any]) -> list[bytes | Ragged]:
    return [
        exact_bytes(string) if isinstance(string, bytes) else each_of(string, column, "associated string")
        for string in associated
    ]


def _not_one(associated: object) -> None:
    if not isinstance(associated, list | tuple):
        raise WrongType(
            f"associated strings in a {type(associated).__name__}; put them into a list, even if it is only one"
        )
