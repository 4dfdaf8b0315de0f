"""AES-SIV (RFC 5297): deterministic authenticated encryption, one value at a time or by the column.

Equal values with equal associated strings give equal ciphertexts, and that is all that a ciphertext shows beside its
length. With a nonce as the last associated string (RFC 5297, section 3) not even that shows, and a repeated nonce costs
no more than it.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.cmac import PADS, ZERO, Cmac, dbl, dbl_many, keep_tails, lookup, pad, words, xor
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.slabs import Slabs, batches, chunk, slack
from privkit.errors import DecryptionFailed, InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_ASSOCIATED: Final = 126
"""RFC 5297, section 2.6: S2V takes 127 strings, and the plaintext is the last."""

_KEY_SIZES: Final = (32, 48, 64)

_COUNTER: Final = ~(1 << 63 | 1 << 31) & ((1 << 128) - 1)
"""RFC 5297, section 2.5: the counter is the SIV without bits 31 and 63."""

_COUNTER_LOW: Final = np.uint64(_COUNTER & ((1 << 64) - 1))

_SHORT: Final = BLOCK + 1
"""Where the values shorter than a block begin in the tables of last blocks."""

_KINDS: Final = np.arange(_SHORT + BLOCK)
"""All kinds of ends that a value can have: last blocks of 0 to 16 bytes, and values of 0 to 15."""


class Siv:
    """AES-SIV under one key; with another block cipher, the same construction over that.

    Args:
        mac: The cipher under K1, for S2V.
        ctr: The cipher under K2, for the counter mode.
    """

    __slots__ = ("_fast", "ctr", "mac")

    def __init__(self, mac: BlockCipher, ctr: BlockCipher) -> None:
        self.mac = Cmac(mac)
        self.ctr = ctr
        self._fast: AESSIV | None = None

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
        half = len(key) // 2
        siv = cls(BlockCipher(key[:half], algorithms.AES), BlockCipher(key[half:], algorithms.AES))
        # For single values. It makes a context for each call and keeps none, so that threads may share it.
        siv._fast = AESSIV(bytes(key))
        return siv

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
        if self._fast is not None:
            _check(associated)
            return self._fast.encrypt(data, list(associated))
        siv = self._s2v(data, associated)
        return siv + self._counter_mode(siv, data)

    def decrypt(self, data: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """Undo `encrypt`.

        Raises:
            DecryptionFailed: If this key did not write `data` with these associated strings.
            InvalidParameter: If there are more than 126 associated strings.
        """
        if self._fast is not None:
            _check(associated)
            try:
                return self._fast.decrypt(data, list(associated))
            except InvalidTag:
                raise DecryptionFailed from None
        siv, body = data[:BLOCK], data[BLOCK:]
        _check(associated)
        if len(siv) < BLOCK:
            raise DecryptionFailed
        plain = self._counter_mode(siv, body)
        if not compare_digest(self._s2v(plain, associated), siv):
            raise DecryptionFailed
        return plain

    def encrypt_many(self, rows: Ragged, associated: Sequence[bytes | Ragged] = ()) -> Ragged:
        """Encrypt many values.

        Args:
            rows: The values, of any lengths.
            associated: As for `encrypt`; a `Ragged` has a string for each row.

        Returns:
            `SIV | ciphertext` of each row.

        Raises:
            InvalidParameter: If there are more than 126 associated strings, or a `Ragged` has other rows than `rows`.
        """
        _check(associated, len(rows))
        strings = _Strings(self.mac, associated)
        out = Ragged.empty(rows.lengths + BLOCK)
        for first, last in batches(rows):
            _Batch(self, strings, rows, first, last).encrypt(out)
        return out

    def decrypt_many(self, rows: Ragged, associated: Sequence[bytes | Ragged] = ()) -> tuple[Ragged, NDArray[np.bool_]]:
        """Undo `encrypt_many`.

        Returns:
            The values, and which rows failed: those are empty, and nothing of them is released.

        Raises:
            InvalidParameter: As for `encrypt_many`.
        """
        _check(associated, len(rows))
        strings = _Strings(self.mac, associated)
        lengths = np.maximum(rows.lengths - BLOCK, 0)
        failed = np.zeros(len(rows), np.bool_)
        data = np.empty(int(lengths.sum()), np.uint8)
        end = 0
        for first, last in batches(rows):
            part = _Batch(self, strings, rows, first, last).decrypt(failed[first:last])
            data[end : end + len(part.data)] = part.data
            end += len(part.data)
        lengths[failed] = 0
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return Ragged(data[:end], offsets), failed

    def _s2v(self, data: bytes, associated: Sequence[bytes]) -> bytes:
        """S2V of RFC 5297, section 2.4, with the plaintext as the last string."""
        _check(associated)
        state = self._prefix(associated)
        mac = self.mac
        if len(data) < BLOCK:
            # The padded string is one full block, whatever the length of the data was: K1.
            return mac.finish(b"", xor(xor(dbl(state), pad(data)), mac.full))
        cut = len(data) - BLOCK
        return mac.digest(data[:cut] + xor(data[cut:], state))

    def _prefix(self, associated: Sequence[bytes]) -> bytes:
        """The state of S2V before its last string."""
        state = self.mac.digest(ZERO)
        for string in associated:
            state = xor(dbl(state), self.mac.digest(string))
        return state

    def _counter_mode(self, siv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: RFC 5297, section 2.5."""
        if not data:
            return b""
        counter = int.from_bytes(siv) & _COUNTER
        count = (len(data) + BLOCK - 1) // BLOCK
        # Bits 31 and 63 are clear, so that the counter cannot overflow within 2**31 blocks, nor the sum within 2**63.
        stream = self.ctr.encrypt_block(b"".join((counter + block).to_bytes(BLOCK) for block in range(count)))
        return xor(data, stream[: len(data)])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a cipher holds a key and cannot be pickled; pickle the keyring's path instead")


class _Strings:
    """Associated strings, as far as S2V gets with them before the plaintext.

    While they are the same for all rows, so is the state of S2V, and what it adds to the end of a value depends only
    on the value's length: a table. From the first that has a string for each row on, there is a state for each row.
    """

    __slots__ = ("_associated", "_mac", "_tables")

    def __init__(self, mac: Cmac, associated: Sequence[bytes | Ragged]) -> None:
        self._mac = mac
        self._associated = associated
        self._tables: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None

    def of_row(self, row: int) -> list[bytes]:
        """The strings of one row."""
        return [string[row] if isinstance(string, Ragged) else string for string in self._associated]

    def masks(self, slabs: Slabs, first: int, last: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """What S2V and CMAC together add to the last block of each row, and to the block before it where there is one.

        Args:
            slabs: How the rows from `first` to `last` are laid out.
            first: The first row of the batch.
            last: The row after its last.
        """
        longer = slabs.counts[1] if len(slabs.counts) > 1 else 0
        short = (slabs.blocks == 1) & (slabs.tails < BLOCK)
        kind = slabs.tails + short * _SHORT
        if any(isinstance(string, Ragged) for string in self._associated):
            states = self._states(first, last)[slabs.order]
            ends, before = _spread(states, slabs.tails, short)
            return ends ^ lookup(_ends(self._mac), kind), before[:longer]
        if self._tables is None:
            state = np.repeat(self._states(0, 1), len(_KINDS), axis=0)
            ends, before = _spread(state, _KINDS % _SHORT, _KINDS >= _SHORT)
            self._tables = ends ^ _ends(self._mac), before
        ends, before = self._tables
        return lookup(ends, kind), lookup(before, kind[:longer])

    def _states(self, first: int, last: int) -> NDArray[np.uint64]:
        """The states of S2V before its last string: one, or one for each row."""
        mac = self._mac
        state = words(mac.digest(ZERO))
        for string in self._associated:
            if isinstance(string, Ragged):
                digest = mac.digest_many(chunk(string, first, last)).view(np.uint64)
            else:
                digest = words(mac.digest(string))
            state = dbl_many(state) ^ digest
        return state


def _ends(mac: Cmac) -> NDArray[np.uint64]:
    """What CMAC adds to a last block, by its bytes from 0 to 16, and then to values shorter than one by theirs."""
    return np.concatenate([mac.ends, PADS ^ words(mac.full)])


def _spread(
    states: NDArray[np.uint64], tails: NDArray[np.int64], short: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Shift states of S2V to where they meet the ends of values: `xorend` of RFC 5297, section 2.4.

    Args:
        states: The states, `(n, 2)`.
        tails: How many bytes the last block of each value has.
        short: Which values are shorter than a block: those take the state doubled, and from the front of the block.

    Returns:
        What to add to the last block and to the block before it.
    """
    rows = len(states)
    room = np.zeros((rows, 3, 2), np.uint64)
    room[:, 1] = np.where(short[:, None], dbl_many(states), states)
    # A state between two zero blocks, read some bytes off its place, is the state so far shifted.
    read = windows(room.view(np.uint8).reshape(-1), BLOCK)
    begin = np.arange(rows) * (3 * BLOCK) + np.where(short, 0, BLOCK - tails)
    before, ends = read[begin], read[begin + BLOCK]
    return ends.view(np.uint64).reshape(-1, 2), before.view(np.uint64).reshape(-1, 2)


class _Batch:
    """Some of the rows on their way through."""

    __slots__ = ("_first", "_last", "_rows", "_siv", "_strings")

    def __init__(self, siv: Siv, strings: _Strings, rows: Ragged, first: int, last: int) -> None:
        self._siv = siv
        self._strings = strings
        self._rows = chunk(rows, first, last)
        self._first = first
        self._last = last

    def encrypt(self, out: Ragged) -> None:
        """Encrypt into rows that are each 16 bytes longer."""
        rows, target, places = self._rows, out.data, out.offsets[self._first : self._last]
        slabs = Slabs(rows.lengths)
        for row in slabs.left.tolist():
            written = self._siv.encrypt(rows[row], self._strings.of_row(self._first + row))
            target[places[row] : places[row] + len(written)] = np.frombuffer(written, np.uint8)
        if not len(slabs.order):
            return
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]))
        blocks = slabs.gather(data, rows.offsets[:-1][slabs.order] + shift)
        tags = self._s2v(slabs, blocks)
        blocks ^= self._stream(slabs, tags)
        slabs.scatter(blocks, target, places[slabs.order] + BLOCK, tags)

    def decrypt(self, failed: NDArray[np.bool_]) -> Ragged:
        """Decrypt the rows, tell which failed, and leave those empty."""
        lengths = self._rows.lengths - BLOCK
        failed |= lengths < 0
        np.maximum(lengths, 0, out=lengths)
        slabs = Slabs(lengths)
        out = Ragged.empty(lengths)
        for row in slabs.left.tolist():
            failed[row] |= not self._decrypt_row(row, out)
        if len(slabs.order):
            failed[slabs.order] |= self._decrypt_slabs(slabs, out)
        return out.take(~failed) if failed.any() else out

    def _decrypt_row(self, row: int, out: Ragged) -> bool:
        try:
            plain = self._siv.decrypt(self._rows[row], self._strings.of_row(self._first + row))
        except DecryptionFailed:
            return False
        out.data[out.offsets[row] : out.offsets[row + 1]] = np.frombuffer(plain, np.uint8)
        return True

    def _decrypt_slabs(self, slabs: Slabs, out: Ragged) -> NDArray[np.bool_]:
        rows = self._rows
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]))
        starts = rows.offsets[:-1][slabs.order] + shift
        tags = windows(data, BLOCK)[starts].view(np.uint64).reshape(-1, 2)
        # Only a row shorter than a SIV could begin too late for its first block; it has failed already.
        blocks = slabs.gather(data, np.minimum(starts + BLOCK, len(data) - BLOCK))
        blocks ^= self._stream(slabs, tags)
        wrong = self._s2v(slabs, blocks) ^ tags
        slabs.scatter(blocks, out.data, out.offsets[:-1][slabs.order])
        return np.not_equal(wrong[:, 0] | wrong[:, 1], 0)

    def _s2v(self, slabs: Slabs, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        keep_tails(slabs, blocks)
        last, before = self._strings.masks(slabs, self._first, self._last)
        return self._siv.mac.chain(slabs, blocks, last, before)

    def _stream(self, slabs: Slabs, tags: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The key stream for every block: RFC 5297, section 2.5."""
        low = (tags[:, 1].byteswap() & _COUNTER_LOW) + (slabs.blocks - 1).astype(np.uint64)
        counters = np.empty((slabs.bounds[-1], 2), np.uint64)
        for column, count in enumerate(slabs.counts):
            part = slabs.column(counters, column)
            part[:, 0] = tags[:count, 0]
            part[:, 1] = (low[:count] - np.uint64(column)).byteswap()
        return self._siv.ctr.encrypt(counters.view(np.uint8)).view(np.uint64)


def _check(associated: Sequence[bytes | Ragged] | bytes | str, rows: int | None = None) -> None:
    if isinstance(associated, bytes | bytearray | str):
        raise InvalidParameter("associated strings are a sequence of bytes, not one string; put it into a list")
    if len(associated) > MOST_ASSOCIATED:
        raise InvalidParameter(f"{len(associated)} associated strings; AES-SIV takes at most {MOST_ASSOCIATED}")
    for string in associated if rows is not None else ():
        if isinstance(string, Ragged) and len(string) != rows:
            raise InvalidParameter(f"associated strings for {len(string)} rows, of values for {rows}")
