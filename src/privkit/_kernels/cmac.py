"""CMAC (NIST SP 800-38B, May 2005, updated October 2016; RFC 4493): a keyed pseudorandom function of 16 bytes.

It is the function under tokens, blind indexes and AES-SIV. Good for 2**48 messages under one key with AES
(SP 800-38B, appendix B), which is more than the values of any one field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.layouts import lay_out
from privkit._kernels.slabs import FEWEST_ROWS, ITEM, batches, chunk, combine, slack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged
    from privkit._kernels.slabs import Slabs

ZERO: Final = bytes(BLOCK)

_R128: Final = 0x87
"""The constant of doubling in GF(2**128): SP 800-38B, section 5.3, and RFC 5297, section 2.3."""

_TOP: Final = 1 << 127
_BELOW_TOP: Final = _TOP - 1

_FEW_BYTES: Final = 8 * BLOCK
"""Up to here a message is chained block by block; above it, a CBC context is worth its making."""


def dbl(block: bytes) -> bytes:
    """Double a block in GF(2**128): RFC 5297, section 2.3."""
    number = int.from_bytes(block)
    number = ((number & _BELOW_TOP) << 1) ^ (_R128 if number & _TOP else 0)
    return number.to_bytes(BLOCK)


def dbl_many(blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Double blocks in GF(2**128).

    Args:
        blocks: `(n, 2)`, the bytes of each block as they lie in memory.

    Returns:
        The same shape, new.
    """
    words = blocks.astype(np.uint64, copy=False).view(">u8").astype(np.uint64)
    high, low = words[:, 0], words[:, 1]
    out = np.empty((len(blocks), 2), ">u8")
    out[:, 0] = (high << np.uint64(1)) | (low >> np.uint64(63))
    out[:, 1] = (low << np.uint64(1)) ^ ((high >> np.uint64(63)) * np.uint64(_R128))
    return out.view(np.uint64)


def xor(one: bytes, other: bytes) -> bytes:
    """XOR two blocks, or any two strings of one length."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(len(one))


def words(blocks: bytes) -> NDArray[np.uint64]:
    """Blocks as an array `(n, 2)` of their bytes as they lie in memory."""
    return np.frombuffer(blocks, np.uint64).reshape(-1, 2)


PADDING: Final = tuple(b"\x80" + bytes(BLOCK - 1 - tail) for tail in range(BLOCK))
"""By the number of bytes of a last block, from 0 to 15: what fills it, `10*` in SP 800-38B and `pad` in RFC 5297."""

PADS: Final = words(b"".join(bytes(BLOCK - len(padding)) + padding for padding in PADDING))
"""The same as blocks, with zeros in front, for adding."""

KEPT: Final = words(b"".join(b"\xff" * tail + bytes(BLOCK - tail) for tail in range(BLOCK + 1)))
"""By the number of bytes of a last block that count, from 0 to 16: a mask that keeps them."""


class Cmac:
    """CMAC under one key.

    Args:
        cipher: AES or SM4 under the key.

    Attributes:
        full: K1, the subkey for a last block that is full.
        ends: What to add to a last block by its number of bytes, from 0 to 16: `(17, 2)`.
    """

    __slots__ = ("_cipher", "_full", "_part", "ends", "full")

    def __init__(self, cipher: BlockCipher) -> None:
        self._cipher = cipher
        # SP 800-38B, section 6.1: the subkeys, here named by the last block that they are for.
        self.full = dbl(cipher.encrypt_block(ZERO))  # K1
        part = dbl(self.full)  # K2
        self.ends = np.concatenate([PADS ^ words(part), words(self.full)])
        self._full = int.from_bytes(self.full)
        self._part = int.from_bytes(part)

    def digest(self, data: bytes) -> bytes:
        """The MAC of one message: SP 800-38B, section 6.2.

        Args:
            data: The message, of any length.

        Returns:
            16 bytes.
        """
        end = max(len(data) - 1, 0) & -BLOCK
        last = data[end:]
        if len(last) == BLOCK:
            number = int.from_bytes(last) ^ self._full
        else:
            number = int.from_bytes(last + PADDING[len(last)]) ^ self._part
        encrypt = self._cipher.function()
        if end > _FEW_BYTES:
            number ^= int.from_bytes(self._cipher.chain(data[:end]))
        elif end:
            state = encrypt(data[:BLOCK])
            for start in range(BLOCK, end, BLOCK):
                state = encrypt(xor(data[start : start + BLOCK], state))
            number ^= int.from_bytes(state)
        return encrypt(number.to_bytes(BLOCK))

    def digest_many(self, rows: Ragged) -> NDArray[np.uint8]:
        """The MACs of many messages.

        Args:
            rows: The messages, of any lengths.

        Returns:
            `uint8` of shape `(rows, 16)`.
        """
        if len(rows) < FEWEST_ROWS:
            return np.frombuffer(bytearray().join(map(self.digest, rows)), np.uint8).reshape(-1, BLOCK)
        out = np.empty((len(rows), BLOCK), np.uint8)
        for first, last in batches(rows):
            self._digest_batch(chunk(rows, first, last), out[first:last])
        return out

    def _digest_batch(self, rows: Ragged, out: NDArray[np.uint8]) -> None:
        first, last = int(rows.offsets[0]), int(rows.offsets[-1])
        slabs = lay_out(rows.lengths, last - first)
        for row in slabs.left.tolist():
            out[row] = np.frombuffer(self.digest(rows[row]), np.uint8)
        if not slabs.rows:
            return
        data, shift = slack(rows.data, first, last, slabs.reach)
        blocks = slabs.gather(data, slabs.starts(rows.offsets[:-1], shift))
        keep_tails(slabs, blocks)
        macs = self.chain(slabs, blocks, slabs.by_tail(self.ends))
        out.view(ITEM)[slabs.order, 0] = macs.view(ITEM)[:, 0]

    def chain(
        self,
        slabs: Slabs,
        blocks: NDArray[np.uint64],
        last: NDArray[np.uint64],
        before: NDArray[np.uint64] | None = None,
    ) -> NDArray[np.uint64]:
        """Chain the blocks of many messages, column by column.

        Args:
            slabs: How the blocks are laid out.
            blocks: The blocks, zero beyond the ends of the rows.
            last: What to add to each last block: padding and subkey; one block where it is the same for all.
            before: What to add to the block before it, in rows that have one; likewise.

        Returns:
            `(rows, 2)`, in the order of the slabs.
        """
        rows, most = slabs.rows, len(slabs.counts)
        room = np.empty(rows * BLOCK + BLOCK - 1, np.uint8)
        state = room[: rows * BLOCK].view(np.uint64).reshape(-1, 2)
        mixed = np.empty((rows, 2), np.uint64)
        for column in reversed(range(most)):
            part, out = slabs.column(blocks, column), mixed[: slabs.counts[column]]
            if column < most - 1:
                slabs.clear(state, column)
                part = np.bitwise_xor(part, state[: len(out)], out=out)
            added = last if column == 0 else before if column == 1 else None
            if added is not None:
                combine(np.bitwise_xor, part, added, out)
                part = out
            self._cipher.encrypt(part.view(np.uint8), room)
        return state

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a MAC holds a key and cannot be pickled; pickle the keyring's path instead")


def keep_tails(slabs: Slabs, blocks: NDArray[np.uint64]) -> None:
    """Set to zero what lies beyond the ends of the rows."""
    last = slabs.column(blocks, 0)
    combine(np.bitwise_and, last, slabs.by_tail(KEPT), last)
