"""A batch of rows on their way through AES-SIV (RFC 5297): laid out in blocks, chained, encrypted and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.cmac import keep_tails
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.short import lay_out
from privkit._kernels.slabs import chunk, slack
from privkit.errors import DecryptionFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.s2v import Associated
    from privkit._kernels.siv import Siv
    from privkit._kernels.slabs import Slabs

COUNTER: Final = ~(1 << 63 | 1 << 31) & ((1 << 128) - 1)
"""RFC 5297, section 2.5: the counter is the SIV without bits 31 and 63."""

_COUNTER_LOW: Final = np.uint64(COUNTER & ((1 << 64) - 1))


def plain_lengths(rows: Ragged, room: int) -> NDArray[np.int64]:
    """The length of each value in its ciphertext, of which so many bytes are neither it nor the SIV."""
    return np.maximum(rows.lengths - (BLOCK + room), 0)


class Batch:
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
        slabs = lay_out(rows.lengths + self._marked)
        for row in slabs.left.tolist():
            value = rows[row] if self._marks is None else self._marks[row].tobytes() + rows[row]
            written = self._siv.encrypt(value, self._strings.of_row(self._first + row))
            target[places[row] : places[row] + len(written)] = np.frombuffer(written, np.uint8)
        if not slabs.rows:
            return
        before = slabs.reach + self._marked
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]), before)
        blocks = slabs.gather(data, rows.offsets[:-1][slabs.order] + (shift - self._marked))
        if self._marks is not None:
            slabs.put_first_bytes(blocks, self._marks[slabs.order])
        tags = self._s2v(slabs, blocks)
        blocks ^= self._stream(slabs, tags)
        places += BLOCK
        if slabs.margin:  # rows before this batch stand where it would be written over, so it is put together apart
            first, end = int(out.offsets[self._first]), int(out.offsets[self._last])
            apart = np.empty(slabs.margin + end - first + BLOCK, np.uint8)
            places += slabs.margin - first
            slabs.scatter(blocks, apart, places, tags)
            target[first:end] = apart[slabs.margin : -BLOCK]
        else:
            slabs.scatter(blocks, target, places[slabs.order], tags)

    def decrypt(self, failed: NDArray[np.bool_]) -> Ragged:
        """Decrypt the rows, tell which failed, and leave those empty."""
        failed |= self._rows.lengths < BLOCK + self._room + self._marked
        lengths = plain_lengths(self._rows, self._room + self._marked)
        slabs = lay_out(lengths + self._marked)
        out = Ragged.empty(lengths, before=slabs.margin + self._marked)
        if slabs.rows:
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
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]), slabs.reach)
        # Only a row shorter than room and SIV could begin too late for its first block; it has failed already.
        starts = np.minimum(rows.offsets[:-1][slabs.order] + (shift + self._room), len(data) - BLOCK)
        tags = windows(data, BLOCK)[starts].view(np.uint64).reshape(-1, 2)
        blocks = slabs.gather(data, np.minimum(starts + BLOCK, len(data) - BLOCK))
        blocks ^= self._stream(slabs, tags)
        wrong = self._s2v(slabs, blocks) ^ tags
        if self._marks is not None:
            self._marks[slabs.order] = slabs.first_bytes(blocks)
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
        counters = slabs.counters(tags, low)
        return self._siv.ctr.encrypt(counters.view(np.uint8)).view(np.uint64)
