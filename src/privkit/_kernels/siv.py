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
from privkit._kernels.cmac import PADDING, ZERO, Cmac, dbl, keep_tails, xor
from privkit._kernels.heads import add_mark, cut_mark
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.s2v import MOST_ASSOCIATED, Associated, check
from privkit._kernels.slabs import FEWEST_ROWS, Slabs, batches, chunk, slack
from privkit.errors import DecryptionFailed, InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_KEY_SIZES: Final = (32, 48, 64)

_COUNTER: Final = ~(1 << 63 | 1 << 31) & ((1 << 128) - 1)
"""RFC 5297, section 2.5: the counter is the SIV without bits 31 and 63."""

_COUNTER_LOW: Final = np.uint64(_COUNTER & ((1 << 64) - 1))


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
        out = Ragged(np.empty(int(offsets[-1]), np.uint8), offsets)
        for first, last in batches(rows):
            _Batch(self, strings, rows, first, last, room=room, marks=marks).encrypt(out)
        return out

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
        sizes = (int(_plain_lengths(chunk(rows, *batch), before).sum()) for batch in batches(rows))
        data = np.empty(sum(sizes), np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int64)
        end = 0
        for first, last in batches(rows):
            part = _Batch(self, strings, rows, first, last, room=room, marks=marks).decrypt(failed[first:last])
            size = int(part.offsets[-1] - part.offsets[0])
            data[end : end + size] = part.data[part.offsets[0] :]
            np.add(part.offsets[1:], end - part.offsets[0], out=offsets[first + 1 : last + 1])
            end += size
        return Ragged(data[:end], offsets), failed

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
    return (int.from_bytes(siv) & _COUNTER).to_bytes(BLOCK)


def _plain_lengths(rows: Ragged, room: int) -> NDArray[np.int64]:
    return np.maximum(rows.lengths - (BLOCK + room), 0)


class _Batch:
    """Some of the rows on their way through.

    A row with a mark is one byte longer than what is read or written of it: the mark is put into its first block, and
    taken from there.
    """

    __slots__ = ("_first", "_last", "_marks", "_room", "_rows", "_siv", "_strings")

    def __init__(
        self,
        siv: Siv,
        strings: Associated,
        rows: Ragged,
        first: int,
        last: int,
        *,
        room: int = 0,
        marks: NDArray[np.uint8] | None = None,
    ) -> None:
        self._siv = siv
        self._strings = strings
        self._rows = chunk(rows, first, last)
        self._first = first
        self._last = last
        self._room = room
        self._marks = None if marks is None else marks[first:last]

    @property
    def _marked(self) -> int:
        """By how much a row is longer than what is read or written of it."""
        return int(self._marks is not None)

    def encrypt(self, out: Ragged) -> None:
        """Encrypt into rows that are each longer by the room, 16 bytes and the mark."""
        rows, target, places = self._rows, out.data, out.offsets[self._first : self._last] + self._room
        slabs = Slabs(rows.lengths + self._marked)
        for row in slabs.left.tolist():
            value = rows[row] if self._marks is None else self._marks[row].tobytes() + rows[row]
            written = self._siv.encrypt(value, self._strings.of_row(self._first + row))
            target[places[row] : places[row] + len(written)] = np.frombuffer(written, np.uint8)
        if not len(slabs.order):
            return
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]), self._marked)
        blocks = slabs.gather(data, rows.offsets[:-1][slabs.order] + (shift - self._marked))
        if self._marks is not None:
            for some, firsts in slabs.first_bytes(blocks):
                firsts[:] = self._marks[some]
        tags = self._s2v(slabs, blocks)
        blocks ^= self._stream(slabs, tags)
        slabs.scatter(blocks, target, places[slabs.order] + BLOCK, tags)

    def decrypt(self, failed: NDArray[np.bool_]) -> Ragged:
        """Decrypt the rows, tell which failed, and leave those empty."""
        failed |= self._rows.lengths < BLOCK + self._room + self._marked
        lengths = _plain_lengths(self._rows, self._room + self._marked)
        slabs = Slabs(lengths + self._marked)
        out = Ragged.empty(lengths, before=self._marked)
        if len(slabs.order):
            failed[slabs.order] |= self._decrypt_slabs(slabs, out)
        for row in slabs.left.tolist():
            failed[row] |= not self._decrypt_row(row, out)
        if not failed.any():
            return out
        if self._marks is not None:
            self._marks[failed] = 0
        lengths[failed] = 0
        verified = Ragged.empty(lengths)
        verified.data[:] = out.take(~failed).data
        return verified

    def _decrypt_row(self, row: int, out: Ragged) -> bool:
        try:
            plain = self._siv.decrypt(self._rows[row][self._room :], self._strings.of_row(self._first + row))
        except DecryptionFailed:
            return False
        if self._marks is not None:
            if not plain:
                return False
            self._marks[row] = plain[0]
        content = np.frombuffer(plain, np.uint8)[self._marked :]
        out.data[out.offsets[row] : out.offsets[row + 1]] = content
        return True

    def _decrypt_slabs(self, slabs: Slabs, out: Ragged) -> NDArray[np.bool_]:
        rows = self._rows
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]))
        # Only a row shorter than room and SIV could begin too late for its first block; it has failed already.
        starts = np.minimum(rows.offsets[:-1][slabs.order] + (shift + self._room), len(data) - BLOCK)
        tags = windows(data, BLOCK)[starts].view(np.uint64).reshape(-1, 2)
        blocks = slabs.gather(data, np.minimum(starts + BLOCK, len(data) - BLOCK))
        blocks ^= self._stream(slabs, tags)
        wrong = self._s2v(slabs, blocks) ^ tags
        if self._marks is not None:
            for some, firsts in slabs.first_bytes(blocks):
                self._marks[some] = firsts
        slabs.scatter(blocks, out.data, out.offsets[:-1][slabs.order] - self._marked, skip=self._marked)
        return np.not_equal(wrong[:, 0] | wrong[:, 1], 0)

    def _s2v(self, slabs: Slabs, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        keep_tails(slabs, blocks)
        last, before = self._strings.masks(slabs, self._first, self._last)
        return self._siv.mac.chain(slabs, blocks, last, before)

    def _stream(self, slabs: Slabs, tags: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The key stream for every block: RFC 5297, section 2.5."""
        low = np.bitwise_and(tags.view(">u8")[:, 1], _COUNTER_LOW, dtype=np.uint64)
        low += (slabs.blocks - 1).view(np.uint64)
        counters = np.empty((slabs.bounds[-1], 2), np.uint64)
        for column, count in enumerate(slabs.counts):
            part = slabs.column(counters, column)
            part[:, 0] = tags[:count, 0]
            np.subtract(low[:count], np.uint64(column), out=part.view(">u8")[:, 1])
        return self._siv.ctr.encrypt(counters.view(np.uint8)).view(np.uint64)
