"""A batch of rows on their way through AES-SIV (RFC 5297): laid out in blocks, chained, encrypted and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.cmac import keep_tails
from privkit._kernels.layouts import lay_out
from privkit._kernels.ragged import Ragged
from privkit._kernels.short import MARGIN
from privkit._kernels.slabs import Slabs, batches, chunk, slack
from privkit.errors import DecryptionFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.s2v import Associated
    from privkit._kernels.siv import Siv

COUNTER: Final = ~(1 << 63 | 1 << 31) & ((1 << 128) - 1)
"""RFC 5297, section 2.5: the counter is the SIV without bits 31 and 63."""

_COUNTER_LOW: Final = np.uint64(COUNTER & ((1 << 64) - 1))


class Output:
    """Room for rows with room around them, so that batches write where their rows will be.

    What a batch writes beyond its first row is written over by the batch before it, which therefore comes after it.

    Args:
        offsets: Where the rows begin and the last one ends, from 0 on.

    Attributes:
        rows: The rows.
    """

    __slots__ = ("_held", "rows")

    def __init__(self, offsets: NDArray[np.int64]) -> None:
        size = int(offsets[-1])
        self._held = np.empty(MARGIN + size + BLOCK, np.uint8)
        self.rows = Ragged(self._held[MARGIN : MARGIN + size], offsets)

    def scatter(
        self,
        slabs: Slabs,
        blocks: NDArray[np.uint64],
        rows: slice,
        shift: int,
        before: NDArray[np.uint64] | None = None,
        *,
        skip: int = 0,
    ) -> None:
        """Write blocks as rows, and leave what is behind them as it was.

        Args:
            slabs: How the blocks are laid out.
            blocks: The blocks.
            rows: Which rows.
            shift: How many bytes behind its beginning each row is to be written.
            before: As for `Slabs.scatter`.
            skip: Likewise.
        """
        behind = self._held[MARGIN + int(self.rows.offsets[rows.stop]) :][:BLOCK]
        kept = behind.copy()
        starts = slabs.starts(self.rows.offsets[rows], MARGIN + shift)
        slabs.scatter(blocks, self._held, starts, before, skip=skip)
        behind[:] = kept


def plain_lengths(rows: Ragged, room: int) -> NDArray[np.int64]:
    """The length of each value in its ciphertext, of which so many bytes are neither it nor the SIV."""
    return np.maximum(rows.lengths - (BLOCK + room), 0)


def released(rows: Ragged, verified: NDArray[np.bool_]) -> Ragged:
    """The rows that are verified, moved up in the same memory; the others are empty, and nothing of them is left."""
    offsets = np.zeros_like(rows.offsets)
    end = 0
    for first, last in batches(rows):
        part = chunk(rows, first, last)
        kept = verified[first:last]
        content = part.take(kept).data  # a copy, which goes where it was or before that
        np.cumsum(part.lengths * kept, out=offsets[first + 1 : last + 1])
        offsets[first + 1 : last + 1] += end
        rows.data[end : end + len(content)] = content
        end += len(content)
    rows.data[end:] = 0
    return Ragged(rows.data[:end], offsets)


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

    def encrypt(self, out: Output) -> None:
        """Encrypt into rows that are each longer by the room, 16 bytes and the mark."""
        rows, marked = self._rows, self._marked
        first, last = int(rows.offsets[0]), int(rows.offsets[-1])
        lengths = rows.lengths
        if marked:
            lengths += 1
        slabs = lay_out(lengths, last - first + marked * len(rows))
        for row in slabs.left.tolist():
            value = rows[row] if self._marks is None else self._marks[row].tobytes() + rows[row]
            written = self._siv.encrypt(value, self._strings.of_row(self._first + row))
            place = int(out.rows.offsets[self._first + row]) + self._room
            out.rows.data[place : place + len(written)] = np.frombuffer(written, np.uint8)
        if not slabs.rows:
            return
        data, shift = slack(rows.data, first, last, slabs.reach + marked)
        blocks = slabs.gather(data, slabs.starts(rows.offsets[:-1], shift - marked))
        if self._marks is not None:
            slabs.put_first_bytes(blocks, self._marks[slabs.order])
        tags = self._s2v(slabs, blocks)
        blocks ^= self._stream(slabs, tags)
        out.scatter(slabs, blocks, slice(self._first, self._last), self._room + BLOCK, tags)

    def decrypt(self, out: Output, failed: NDArray[np.bool_]) -> None:
        """Decrypt the rows and tell which failed: those have been written nonetheless, and must not be released."""
        marked, ends = self._marked, out.rows.offsets[self._first : self._last + 1]
        lengths, size = ends[1:] - ends[:-1], int(ends[-1] - ends[0])
        least = BLOCK + self._room + marked
        are_whole = size + least * len(lengths) == int(self._rows.offsets[-1] - self._rows.offsets[0])
        if not are_whole:
            failed |= self._rows.lengths < least
        if marked:
            lengths += 1
            size += len(lengths)
        # Where some rows are too short for a ciphertext, those that are equally long do not begin at equal distances.
        slabs = lay_out(lengths, size) if are_whole else Slabs(lengths)
        if slabs.rows:
            failed[slabs.order] |= self._decrypt_slabs(slabs, out)
        for row in slabs.left.tolist():
            failed[row] |= not self._decrypt_row(row, out.rows)
        if self._marks is not None:
            self._marks[failed] = 0

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
        row += self._first
        out.data[out.offsets[row] : out.offsets[row + 1]] = content
        return True

    def _decrypt_slabs(self, slabs: Slabs, out: Output) -> NDArray[np.bool_]:
        rows = self._rows
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]), slabs.reach)
        # Only a row shorter than room and SIV could begin too late for its first block; it has failed already.
        starts = np.minimum(slabs.starts(rows.offsets[:-1], shift + self._room), len(data) - BLOCK)
        tags = slabs.read(data, starts)
        starts += BLOCK
        blocks = slabs.gather(data, np.minimum(starts, len(data) - BLOCK, out=starts))
        blocks ^= self._stream(slabs, tags)
        wrong = self._s2v(slabs, blocks)
        wrong ^= tags
        if self._marks is not None:
            self._marks[slabs.order] = slabs.first_bytes(blocks)
        out.scatter(slabs, blocks, slice(self._first, self._last), -self._marked, skip=self._marked)
        differ: NDArray[np.bool_] = np.not_equal(wrong[:, 0] | wrong[:, 1], 0)
        return differ

    def _s2v(self, slabs: Slabs, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        keep_tails(slabs, blocks)
        last, before = self._strings.masks(slabs, self._first, self._last)
        return self._siv.mac.chain(slabs, blocks, last, before)

    def _stream(self, slabs: Slabs, tags: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The key stream for every block: RFC 5297, section 2.5."""
        low = np.bitwise_and(tags.view(">u8")[:, 1], _COUNTER_LOW, dtype=np.uint64)
        low += slabs.whole.view(np.uint64)
        counters = slabs.counters(tags, low)
        return self._siv.ctr.encrypt(counters.view(np.uint8)).view(np.uint64)
