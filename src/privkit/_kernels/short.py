"""Short rows of bytes cut into 16-byte blocks and laid side by side in their own order, aligned at their ends.

```
rows        aaaa|aaaa|aa      bbbb|bb      c                (4 bytes a block in this picture)
column 0    aa.. bb.. c...    column 1    aaaa bbbb ????    column 2    aaaa ???? ????
```

Where rows have few blocks, and about as many each, it is cheaper to compute a few blocks too many than to sort the rows
as `Slabs` does: a row is read and written at once, rows in the order of memory, and nothing is put in order. It takes
half the calls, so that two threads seldom wait for each other.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.ragged import windows
from privkit._kernels.slabs import BATCH_ROWS, FEWEST_ROWS, ITEM, SHORT_KIND, Slabs, lookup

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BLOCKS = 8
"""Rows of more are sorted."""

MARGIN = MOST_BLOCKS * BLOCK
"""Bytes before the first row that `scatter` writes over at most."""

_TAILS = np.append(0, np.arange(MARGIN) % BLOCK + 1)
"""By the length of a row: how many bytes its last block has."""

_KINDS = np.where(np.arange(MARGIN + 1) < BLOCK, np.arange(MARGIN + 1) + SHORT_KIND, _TAILS)
"""By the length of a row: which kind of end it has; see `SHORT_KIND`."""

_ANY_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)
"""Times a counter it makes blocks that differ, to try the layout with."""


class Short(Slabs):
    """Rows that are not sorted; each column has a block of every row, of which the first ones may be no row's.

    What depends on the length of a row alone is looked up by it, or computed when it is asked for: each array more is
    a call more, in which two threads may meet.

    Args:
        lengths: The bytes of each row, at most `MARGIN`.
        most: The most blocks of one, at least 1.
    """

    __slots__ = ("_lengths", "_whole")

    def __init__(self, lengths: NDArray[np.int64], most: int) -> None:
        rows = len(lengths)
        self.rows, self.order, self.left = rows, slice(None), np.empty(0, np.intp)
        self.counts, self.bounds = [rows] * most, [rows * column for column in range(most + 1)]
        self._lengths = lengths
        self._whole = np.maximum(lengths, 1)
        self._whole -= 1
        self._whole >>= 4
        self.margin = most * BLOCK
        self.reach = self.margin - BLOCK

    @property
    def blocks(self) -> NDArray[np.int64]:
        """See `Slabs`."""
        return self._whole + 1

    @property
    def tails(self) -> NDArray[np.int64]:
        """See `Slabs`."""
        return self._lengths - (self._whole << 4)

    @property
    def whole(self) -> NDArray[np.int64] | np.int64:
        """See `Slabs.whole`."""
        return self._whole

    def starts(self, offsets: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
        """See `Slabs.starts`."""
        return offsets + shift

    def by_tail(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.by_tail`."""
        return lookup(lookup(table, _TAILS), self._lengths)

    def by_kind(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.by_kind`."""
        return lookup(lookup(table, _KINDS), self._lengths)

    @property
    def are_parts(self) -> NDArray[np.bool_]:
        """See `Slabs.are_parts`."""
        return self._lengths < BLOCK

    def arranged(self, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.arranged`."""
        return blocks

    def gather(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """See `Slabs.gather`: all blocks of a row at once, and then by columns."""
        begin = self._whole << 4
        begin += starts
        begin -= self.reach
        side_by_side = windows(data, self.margin)[begin].view(ITEM).reshape(self.rows, -1)
        return np.ascontiguousarray(side_by_side.T[::-1]).view(np.uint64).reshape(-1, 2)

    def clear(self, states: NDArray[np.uint64], column: int) -> None:
        """See `Slabs.clear`."""
        # As complex numbers, of which one is sixteen bytes, and one of zero is sixteen zeros.
        np.putmask(states.view(np.complex128)[:, 0], self._whole <= column, 0)

    def counters(self, first: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.counters`."""
        out = np.empty((len(self.counts), self.rows, 2), np.uint64)
        out[:, :, 0] = first[:, 0]
        below = np.arange(len(self.counts), dtype=np.uint64)[:, None]
        np.subtract(low, below, out=out.view(">u8")[:, :, 1])
        return out.reshape(-1, 2)

    def first_bytes(self, blocks: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """See `Slabs.first_bytes`."""
        found: NDArray[np.uint8] = blocks.view(np.uint8).reshape(-1)[self._first_places()]
        return found

    def put_first_bytes(self, blocks: NDArray[np.uint64], marks: NDArray[np.uint8]) -> None:
        """See `Slabs.put_first_bytes`."""
        blocks.view(np.uint8).reshape(-1)[self._first_places()] = marks

    def _first_places(self) -> NDArray[np.int64]:
        places = self._whole * (self.rows * BLOCK)
        places += np.arange(0, self.rows * BLOCK, BLOCK)
        return places

    def scatter(
        self,
        blocks: NDArray[np.uint64],
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        before: NDArray[np.uint64] | None = None,
        *,
        skip: int = 0,
    ) -> None:
        """See `Slabs.scatter`: whole rows at once, from the last to the first.

        What stands before a row on the way is then written over by the row before it; see `is_written_in_order`.
        """
        del skip  # the byte is written over like all that stands before a row
        most, width = len(self.counts), self.margin
        room = np.empty(width + self.rows * width, np.uint8)
        items, side_by_side = blocks.view(ITEM).reshape(most, -1), room[width:].view(ITEM).reshape(-1, most)
        for column in range(most):
            side_by_side[:, most - 1 - column] = items[column]
        places = self._whole << 4
        if before is None:
            # Read and written so that what is written of a row ends with it.
            read = np.arange(self.reach, self.rows * width, width)
            read += self._lengths
            read -= places
            places = starts + self._lengths
            places -= width
            windows(data, width)[places[::-1]] = windows(room, width)[read[::-1]]
        else:
            # What is written behind a row stands where the next one's block before it goes.
            places += starts
            places -= self.reach
            windows(data, width)[places[::-1]] = windows(room, width)[width::width][::-1]
            windows(data, BLOCK)[starts - BLOCK] = before.view(ITEM)[:, 0]


@cache
def is_written_in_order() -> bool:
    """Whether NumPy writes overlapping windows in the order of their positions, on which `Short.scatter` stands.

    Its releases so far do, and its reference promises no order. In another one rows would be written over by what
    stands before the rows behind them. To write each row by itself makes AES-SIV half as slow again, and to look at all
    ends in each call costs a twentieth, so this asks once in a process (10 ms), with the fewest and with the most rows
    of a batch, blocks before them or not. Where the answer is no, all rows are sorted.
    """
    return all(_ends_stay(rows, gap) for rows in (FEWEST_ROWS, BATCH_ROWS) for gap in (0, BLOCK))


def _ends_stay(rows: int, gap: int) -> bool:
    """Write rows of one to three blocks, `gap` bytes apart: whether the last byte of each is its own.

    A row that is written after one before it begins with what is no row's, and that goes over the other's last byte.
    """
    lengths = np.arange(rows) * 7 % (3 * BLOCK) + 1
    layout = Short(lengths, 3)
    blocks = (np.arange(2 * layout.bounds[-1], dtype=np.uint64) * _ANY_ODD).reshape(-1, 2)
    ends = np.cumsum(lengths + gap) + layout.margin
    data = np.empty(int(ends[-1]) + BLOCK, np.uint8)
    layout.scatter(blocks, data, ends - lengths, blocks[:rows] if gap else None)
    last = blocks[:rows].view(np.uint8)[np.arange(rows), layout.tails - 1]
    return np.array_equal(data[ends - 1], last)
