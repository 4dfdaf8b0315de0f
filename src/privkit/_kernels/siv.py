"""AES-SIV (RFC 5297): deterministic authenticated encryption, one value at a time or by the column.

Equal values with equal associated strings give equal ciphertexts, and that is all that a ciphertext shows beside its
length. With a nonce as the last associated string (RFC 5297, section 3) not even that shows, and a repeated nonce costs
no more than it.
"""

from __future__ import annotations

from functools import cache
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.cmac import PADDING, ZERO, Cmac, dbl, xor
from privkit._kernels.heads import add_mark, cut_mark
from privkit._kernels.ragged import Ragged
from privkit._kernels.s2v import MOST_ASSOCIATED, Associated, check
from privkit._kernels.siv_batch import COUNTER, Batch, Output, plain_lengths, released
from privkit._kernels.slabs import FEWEST_ROWS, batches, chunk
from privkit.errors import DecryptionFailed, InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_KEY_SIZES: Final = (32, 48, 64)


class Siv:
    """AES-SIV under one key; with another block cipher, the same construction over that.

    Args:
        mac: The cipher under K1, for S2V.
        ctr: The cipher under K2, for the counter mode.
    """

    __slots__ = ("_ciphers", "_fast", "_key", "_mac", "_recent")

    def __init__(self, mac: BlockCipher, ctr: BlockCipher) -> None:
        self._ciphers: tuple[BlockCipher, BlockCipher] | None = (mac, ctr)
        self._key = b""
        self._mac: Cmac | None = None
        self._fast: AESSIV | None = None
        self._recent: Associated | None = None

    @classmethod
    def of(cls, key: bytes) -> Siv:
        """AES-SIV under the key K1 | K2 of RFC 5297, section 2.2.

        Args:
            key: 32, 48 or 64 bytes, of which each half is an AES key.

        Raises:
            InvalidParameter: If the key has another size.
        """
        if len(key) not in _KEY_SIZES:
            raise InvalidParameter(f"key of {len(key)} bytes; AES-SIV takes 32 or 48 or 64")
        if not _shortcut_is_right():
            return cls(*_halves(key))
        siv: Siv = cls.__new__(cls)
        siv._ciphers = siv._mac = siv._recent = None
        siv._key = bytes(key)
        # For single values. It makes a context for each call and keeps none, so that threads may share it.
        siv._fast = AESSIV(siv._key)
        return siv

    @property
    def mac(self) -> Cmac:
        """CMAC under K1, made when a column first asks for it: single values under thousands of keys never do."""
        if self._mac is None:
            self._mac = Cmac(self._both()[0])  # two threads may both make one, and either will do
        return self._mac

    @property
    def ctr(self) -> BlockCipher:
        """The cipher under K2, made likewise."""
        return self._both()[1]

    def encrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Encrypt one value.

        Args:
            data: Any number of bytes, none included.
            associated: Strings that are not encrypted but must be the same for decryption: at most 126. No string, one
                empty string and two of them are three different things.

        Returns:
            `SIV | ciphertext`: 16 bytes more than `data`.

        Raises:
            InvalidParameter: If there are more than 126 associated strings.
        """
        if type(associated) is not list or len(associated) > MOST_ASSOCIATED:
            check(associated)
            associated = list(associated)
        if self._fast is not None:
            return self._fast.encrypt(data, associated)
        siv = self._s2v(data, associated)
        return siv + self.ctr.counter_mode(_first_counter(siv), data)

    def decrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Undo `encrypt`.

        Raises:
            DecryptionFailed: If this key did not write `data` with these associated strings.
            InvalidParameter: If there are more than 126 associated strings.
        """
        if type(associated) is not list or len(associated) > MOST_ASSOCIATED:
            check(associated)
            associated = list(associated)
        if self._fast is not None:
            try:
                return self._fast.decrypt(data, associated)
            except InvalidTag:
                raise DecryptionFailed from None
        siv, body = data[:BLOCK], data[BLOCK:]
        if len(siv) < BLOCK:
            raise DecryptionFailed
        plain = self.ctr.counter_mode(_first_counter(siv), body)
        if not compare_digest(self._s2v(plain, associated), siv):
            raise DecryptionFailed
        return plain

    @property
    def bare_decrypt(self) -> Callable[[bytes, list[bytes]], bytes]:
        """`decrypt` with less around it, for a list of at most 126 strings; it may raise `InvalidTag` as well."""
        return self.decrypt if self._fast is None else self._fast.decrypt

    def encrypt_many(
        self,
        rows: Ragged,
        associated: Sequence[bytes | Ragged] = (),
        *,
        room: int = 0,
        marks: NDArray[np.uint8] | None = None,
    ) -> Ragged:
        """Encrypt many values.

        Args:
            rows: The values, of any lengths.
            associated: As for `encrypt`; a `Ragged` has a string for each row.
            room: How many bytes to leave before each SIV for the caller to write; undefined until then.
            marks: A byte for each row that goes before its own and is encrypted with them, as if it stood there.

        Returns:
            `SIV | ciphertext` of each row, after the room.

        Raises:
            InvalidParameter: If there are more than 126 associated strings, or a `Ragged` has other rows than `rows`.
        """
        check(associated, len(rows))
        strings = self._strings(associated)
        if len(rows) < FEWEST_ROWS:
            before = bytes(room)
            values = rows if marks is None else add_mark(rows, marks)
            few = Ragged.of([before + self.encrypt(value, strings.of_row(row)) for row, value in enumerate(values)])
            return Ragged(few.data.copy(), few.offsets)  # a copy can be written to
        offsets = np.arange(len(rows) + 1)
        # In place, as the sum is: whatever the number of rows, nothing grows with it but the output.
        offsets *= BLOCK + room + (marks is not None)
        offsets += rows.offsets
        offsets -= rows.offsets[0]
        out = Output(offsets)
        for first, last in reversed(list(batches(rows))):
            Batch(self, strings, rows, first, last, room=room, marks=marks).encrypt(out)
        return out.rows

    def decrypt_many(
        self,
        rows: Ragged,
        associated: Sequence[bytes | Ragged] = (),
        *,
        room: int = 0,
        marks: NDArray[np.uint8] | None = None,
    ) -> tuple[Ragged, NDArray[np.bool_]]:
        """Undo `encrypt_many`.

        Args:
            rows: `SIV | ciphertext`, after the room.
            associated: As for `encrypt_many`.
            room: How many bytes to pass over before each SIV.
            marks: Where to write the first byte of each value, apart from the rest of it; 0 where the row failed. An
                empty value has none, and fails.

        Returns:
            The values, and which rows failed: those are empty, and nothing of them is released.

        Raises:
            InvalidParameter: As for `encrypt_many`.
        """
        check(associated, len(rows))
        strings = self._strings(associated)
        failed = np.zeros(len(rows), np.bool_)
        if len(rows) < FEWEST_ROWS:
            few = self._decrypt_few(rows, strings, failed, room)
            if marks is not None:
                failed |= few.lengths == 0
                marks[:], few = cut_mark(few)
            return few, failed
        before = room + (marks is not None)
        offsets = np.zeros(len(rows) + 1, np.int64)
        cuts = list(batches(rows))
        for first, last in cuts:
            ends = offsets[first + 1 : last + 1]
            np.cumsum(plain_lengths(chunk(rows, first, last), before), out=ends)
            ends += offsets[first]
        out = Output(offsets)
        for first, last in reversed(cuts):
            Batch(self, strings, rows, first, last, room=room, marks=marks).decrypt(out, failed[first:last])
        return (released(out.rows, ~failed) if failed.any() else out.rows), failed

    def _decrypt_few(self, rows: Ragged, strings: Associated, failed: NDArray[np.bool_], room: int) -> Ragged:
        values = []
        for row, value in enumerate(rows):
            try:
                values.append(self.decrypt(value[room:], strings.of_row(row)))
            except DecryptionFailed:
                failed[row] = True
                values.append(b"")
        return Ragged.of(values)

    def _both(self) -> tuple[BlockCipher, BlockCipher]:
        if self._ciphers is None:
            self._ciphers = _halves(self._key)
        return self._ciphers

    def _strings(self, associated: Sequence[bytes | Ragged]) -> Associated:
        """Prepare associated strings, or take those prepared last where they are the same."""
        recent = self._recent
        if recent is not None and recent.strings == tuple(associated):
            return recent
        strings = Associated(self.mac, associated)
        if strings.constant:
            self._recent = strings
        return strings

    def _s2v(self, data: bytes, associated: Sequence[bytes]) -> bytes:
        """S2V of RFC 5297, section 2.4, with the plaintext as the last string."""
        state = self._prefix(associated)
        if len(data) < BLOCK:
            # The padded string is one full block, whatever the length of the data was: K1.
            return self.mac.digest(xor(dbl(state), data + PADDING[len(data)]))
        cut = len(data) - BLOCK
        return self.mac.digest(data[:cut] + xor(data[cut:], state))

    def _prefix(self, associated: Sequence[bytes]) -> bytes:
        """The state of S2V before its last string."""
        state = self.mac.digest(ZERO)
        for string in associated:
            state = xor(dbl(state), self.mac.digest(string))
        return state

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a cipher holds a key and cannot be pickled; pickle the keyring's path instead")


def _halves(key: bytes) -> tuple[BlockCipher, BlockCipher]:
    """The ciphers under K1 and K2: RFC 5297, section 2.6."""
    half = len(key) // 2
    return BlockCipher(key[:half], algorithms.AES), BlockCipher(key[half:], algorithms.AES)


@cache
def _shortcut_is_right() -> bool:
    """Whether the AES-SIV of this OpenSSL is there, takes empty values, and tells an empty string from none.

    OpenSSL before 3.0.10 and 3.1.2 left out empty associated strings (CVE-2023-2975).
    """
    try:
        cipher = AESSIV(bytes(32))
        return cipher.encrypt(b"", []) != cipher.encrypt(b"", [b""])
    except (UnsupportedAlgorithm, ValueError):
        return False


def _first_counter(siv: bytes) -> bytes:
    return (int.from_bytes(siv) & COUNTER).to_bytes(BLOCK)
