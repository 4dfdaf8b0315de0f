"""Rows of bytes cut into 16-byte blocks and stood on end, so that one call does the same block of every row.

Rows are sorted by their number of blocks, longest first, and aligned at their ends. Column 0 holds the last block of
every row, column 1 the block before it of the rows that have one, and so on; the columns lie one after another:

```
rows        aaaa|aaaa|aa      bbbb|bb      c                (4 bytes a block in this picture)
column 0    aa.. bb.. c...    column 1    aaaa bbbb         column 2    aaaa
```

So every column is a contiguous prefix of the rows, XOR and AES run over it at full speed, the last blocks (where all
the standards do their padding) stand together, and rows of many lengths share the same few calls.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.ragged import Ragged, move, windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BATCH_ROWS = 1 << 16
"""Rows that go together: few enough that their blocks, states and positions stay in a cache of a few megabytes, and so
many that operations are long beside what it costs two threads to hand each other the interpreter's lock."""

BATCH_BYTES = 1 << 22
"""Bytes that go together, so that batches of long rows do not grow beyond that either."""

_CACHE_LINE = 64

FEWEST_ROWS = 40
"""Fewer rows than these are not worth laying out, and go one by one."""

_MOST_BLOCKS = 1 << 12
"""Longer rows go one by one: with them a batch has too few rows for its columns to be worth it."""

# What AES-SIV was measured to cost, in nanoseconds, relative to which rows are left to go one by one. They decide about
# speed alone: rows give the same bytes either way.
_ROW_ALONE, _BLOCK_ALONE = 3000, 30
_LAYOUT, _COLUMN, _BLOCK_IN_COLUMN = 60_000, 8000, 12

ITEM = np.dtype((np.void, BLOCK))
"""A block as one item, for copying."""

SHORT_KIND = BLOCK + 1
"""Kinds of ends that rows have: 0 to 16 for a last block of so many bytes, and from here on rows of 0 to 15 bytes."""

_RUN = 128
"""Blocks that are combined with another one at a time: NumPy vectorises along them, and not along the words of one."""


def batches(rows: Ragged) -> Iterator[tuple[int, int]]:
    """Cut rows into batches of bounded size.

    Yields:
        `(first, last)`, half open: at most `BATCH_ROWS` rows and `BATCH_BYTES` bytes, or a single longer row.
    """
    first = 0
    while first < len(rows):
        room = int(rows.offsets[first]) + BATCH_BYTES
        last = min(int(np.searchsorted(rows.offsets, room, side="right")) - 1, first + BATCH_ROWS, len(rows))
        last = max(last, first + 1)
        yield first, last
        first = last


def slack(data: NDArray[np.uint8], first: int, last: int, before: int = 0) -> tuple[NDArray[np.uint8], int]:
    """Part of a buffer with at least a block of readable bytes after it, so that whole blocks may be read at its end.

    Args:
        data: The buffer.
        first: Where the part begins.
        last: Where it ends.
        before: How many bytes before it must be readable, too.

    Returns:
        A buffer, and where byte 0 of `data` would stand in it: add that to positions in `data`.
    """
    if before <= first and last + BLOCK <= len(data):
        return data, 0
    room = np.zeros(before + last - first + BLOCK, np.uint8)
    room[before : before + last - first] = data[first:last]
    return room, before - first


def lookup(table: NDArray[np.uint64], index: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Blocks of a table, by position; each is copied as one item, ten times as fast as two words."""
    return table.view(ITEM)[:, 0].take(index).view(np.uint64).reshape(-1, 2)


def combine(
    operation: np.ufunc, blocks: NDArray[np.uint64], others: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    """Combine blocks with as many others, or with one for all of them.

    Args:
        operation: A ufunc of two operands.
        blocks: `(n, 2)`, contiguous.
        others: `(n, 2)` or `(1, 2)`.
        out: `(n, 2)`, contiguous; perhaps `blocks` itself.
    """
    if len(others) == len(blocks):
        operation(blocks, others, out=out)
        return
    even = len(blocks) // _RUN * _RUN
    run = np.empty(_RUN, ITEM)
    run[:] = others.view(ITEM)[0, 0]
    operation(blocks[:even].reshape(-1, 2 * _RUN), run.view(np.uint64), out=out[:even].reshape(-1, 2 * _RUN))
    operation(blocks[even:], others, out=out[even:])


class Slabs:
    """How the blocks of a batch of rows are laid out; the blocks themselves are `(blocks, 2)` arrays of `uint64`.

    Attributes:
        order: The rows of the batch that take part, by position, those of most blocks first.
        rows: How many those are.
        counts: For each column, how many rows have a block in it; never increasing.
        bounds: Where the columns begin, and where the last of them ends.
        left: Rows that do not take part, by position: too few of their size to be worth it.
        reach: How many bytes before the first row must be there for `gather` to read.
        margin: How many bytes before the first row `scatter` writes over. Rows that are not sorted write over what is
            up to a block behind the last one, too.
    """

    __slots__ = ("_blocks", "_tails", "bounds", "counts", "left", "margin", "order", "reach", "rows")

    order: NDArray[np.intp] | slice

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        blocks = lengths + (BLOCK - 1)
        blocks >>= 4
        most = min(max(int(blocks.max(initial=1)), 1), _MOST_BLOCKS + 1)
        missing = (most - np.clip(blocks, 1, most, out=blocks)).astype(np.uint16)
        order = np.argsort(missing, kind="stable")
        missing = missing.take(order)
        fewer = np.arange(most - min(most, _MOST_BLOCKS), most + 1).astype(np.uint16)[::-1]
        self.counts, left = _columns(np.searchsorted(missing, fewer))
        self.bounds = [0, *np.cumsum(self.counts, dtype=np.int64).tolist()]
        self.left, self.order = order[:left], order[left:]
        self.rows, self.reach, self.margin = len(order) - left, 0, 0
        self._blocks = np.subtract(most, missing[left:], dtype=np.int64)
        self._tails = lengths.take(order[left:])
        self._tails -= (self._blocks - 1) << 4

    @property
    def blocks(self) -> NDArray[np.int64]:
        """How many blocks each row has, in the order of `order`; an empty row has one empty block."""
        return self._blocks

    @property
    def tails(self) -> NDArray[np.int64]:
        """How many bytes of the last block are the row's, from 0 to 16."""
        return self._tails

    def starts(self, offsets: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
        """Where rows begin, for `gather` and `scatter`.

        Args:
            offsets: Where each row of the batch begins.
            shift: What to add.
        """
        return offsets[self.order] + shift

    def by_tail(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """For each row the block of a table, `(17, 2)`, for the bytes of its last block; one where all are equal."""
        return lookup(table, self.tails)

    def by_kind(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The same of a table, `(33, 2)`, of all kinds of ends; see `SHORT_KIND`."""
        return lookup(table, self.tails + self.are_parts * SHORT_KIND)

    @property
    def whole(self) -> NDArray[np.int64] | np.int64:
        """How many blocks stand before the last one of each row, or of every row."""
        return self.blocks - 1

    def column(self, blocks: NDArray[np.uint64], column: int) -> NDArray[np.uint64]:
        """One column of blocks, a view."""
        return blocks[self.bounds[column] : self.bounds[column + 1]]

    @property
    def are_parts(self) -> NDArray[np.bool_]:
        """Which rows are shorter than a block."""
        parts: NDArray[np.bool_] = self.tails < BLOCK
        parts[: self.counts[1] if len(self.counts) > 1 else 0] = False
        return parts

    def arranged(self, blocks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """A block for each row of the batch, in the order of `order`."""
        return blocks.view(ITEM)[self.order, 0].view(np.uint64).reshape(-1, 2)

    def gather(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Cut rows into blocks.

        Args:
            data: The rows, and at least a block more.
            starts: Where each row begins, in the order of `order`.

        Returns:
            The blocks; the part of a last block that is not the row's is undefined.
        """
        # Read a byte of each cache line in the order of memory, which the processor foresees; the order of the columns
        # it does not, and would wait for nearly every block.
        data[starts.min(initial=len(data)) : starts.max(initial=0) : _CACHE_LINE].max(initial=0)
        return windows(data, BLOCK)[self._places(starts)].view(np.uint64).reshape(-1, 2)

    def read(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """A block of each row from where `starts` says, `(rows, 2)`."""
        return windows(data, BLOCK)[starts].view(np.uint64).reshape(-1, 2)

    def _places(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each block begins."""
        last = starts + ((self.blocks - 1) << 4)
        out = np.empty(self.bounds[-1], np.int64)
        for column, (first, end) in enumerate(pairwise(self.bounds)):
            np.subtract(last[: end - first], column << 4, out=out[first:end])
        return out

    def clear(self, states: NDArray[np.uint64], column: int) -> None:
        """Set to zero the states of the rows that have no block in the columns before: those with larger numbers.

        Args:
            states: What has been computed from those columns, `(rows, 2)`; undefined where nothing has.
            column: The column that comes next, which is not the first to come.
        """
        states[self.counts[column + 1] : self.counts[column]] = 0

    def counters(self, first: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Blocks that count down from the last of each row.

        Args:
            first: Blocks of which each begins with the first half of one, `(rows, 2)`.
            low: The second half of that for the last block, as a number that never passes zero, `(rows,)`.
        """
        out = np.empty((self.bounds[-1], 2), np.uint64)
        for column, count in enumerate(self.counts):
            part = self.column(out, column)
            part[:, 0] = first[:count, 0]
            np.subtract(low[:count], np.uint64(column), out=part.view(">u8")[:, 1])
        return out

    def first_bytes(self, blocks: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """The first byte of each row, in the order of `order`."""
        out = np.empty(self.rows, np.uint8)
        for column, (count, longer) in enumerate(pairwise([*self.counts, 0])):
            out[longer:count] = self.column(blocks, column).view(np.uint8)[longer:count, 0]
        return out

    def put_first_bytes(self, blocks: NDArray[np.uint64], marks: NDArray[np.uint8]) -> None:
        """Put a byte in the place of the first one of each row; in the order of `order`."""
        for column, (count, longer) in enumerate(pairwise([*self.counts, 0])):
            self.column(blocks, column).view(np.uint8)[longer:count, 0] = marks[longer:count]

    def scatter(
        self,
        blocks: NDArray[np.uint64],
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        before: NDArray[np.uint64] | None = None,
        *,
        skip: int = 0,
    ) -> None:
        """Write blocks back as rows, and not a byte beyond them.

        Args:
            blocks: What `gather` returned, or as many.
            data: Where to write.
            starts: Where each row begins, in the order of `order`.
            before: A block of each row to write before it.
            skip: How many bytes at the beginning of each row, 0 or 1, are not to be in `data` when all is written. A
                byte there is written over on the way: the last of another row of these, which is written after it.
        """
        items = blocks.view(ITEM)[:, 0]
        places = self._places(starts)
        write = windows(data, BLOCK)
        rows = self.rows
        write[places[rows:]] = items[rows:]
        longer = self.counts[1] if len(self.counts) > 1 else 0
        pairs = np.empty((rows, 2), ITEM)
        pairs[:, 1] = items[:rows]
        pairs[:longer, 0] = items[rows : rows + longer]
        if before is not None:
            pairs[longer:, 0] = before.view(ITEM)[longer:, 0]
            write[starts - BLOCK] = before.view(ITEM)[:, 0]
            longer = rows
        # A last block that is not full is written together with the end of the block before it.
        flat = pairs.view(np.uint8).reshape(-1)
        begin = (np.arange(longer) << 5) + self.tails[:longer]
        write[places[:longer] + (self.tails[:longer] - BLOCK)] = windows(flat, BLOCK)[begin]
        if longer < rows:
            alone = slice(longer, rows)
            begin = (np.arange(longer, rows) << 5) + (BLOCK + skip)
            move(flat, begin, data, starts[alone] + skip, self.tails[alone] - skip)


def chunk(rows: Ragged, first: int, last: int) -> Ragged:
    """Consecutive rows, as a view."""
    return Ragged(rows.data, rows.offsets[first : last + 1])


def _columns(reach: NDArray[np.int64]) -> tuple[list[int], int]:
    """Say how many of the longest rows are better left out, and how many rows then are in each column.

    Args:
        reach: For each number of blocks that rows may have to take part, from 0 up, how many rows have more.

    Returns:
        The rows in each column, and how many rows at the front were left out.
    """
    columns = np.arange(len(reach))
    inside = np.concatenate([[0], reach.cumsum()[:-1]]) - columns * reach  # blocks in columns, if there are k of them
    cost = reach * _ROW_ALONE + columns * _COLUMN + (columns > 0) * _LAYOUT + inside * (_BLOCK_IN_COLUMN - _BLOCK_ALONE)
    best = int(cost.argmin())
    return (reach[:best] - reach[best]).tolist(), int(reach[best])
