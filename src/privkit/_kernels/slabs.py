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

BATCH_ROWS = 1 << 15
"""Rows that go together: their blocks, states and positions stay in a cache of a few megabytes."""

BATCH_BYTES = 1 << 21
"""Bytes that go together, so that batches of long rows do not grow beyond that either."""

# A column costs some microseconds however few rows are in it; rows in columns with fewer than this go one by one.
_FEWEST_ROWS = 48
_MORE_ROWS_A_COLUMN = 4
_MOST_ROWS = 400

ITEM = np.dtype((np.void, BLOCK))
"""A block as one item, for copying."""


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


def slack(data: NDArray[np.uint8], first: int, last: int) -> tuple[NDArray[np.uint8], int]:
    """Part of a buffer with at least a block of readable bytes after it, so that whole blocks may be read at its end.

    Returns:
        A buffer, and where byte 0 of `data` would stand in it: add that to positions in `data`.
    """
    if last + BLOCK <= len(data):
        return data, 0
    return np.concatenate([data[first:last], np.zeros(BLOCK, np.uint8)]), -first


class Slabs:
    """How the blocks of a batch of rows are laid out; the blocks themselves are `(blocks, 2)` arrays of `uint64`.

    Attributes:
        order: The rows of the batch that take part, by position, those of most blocks first.
        counts: For each column, how many rows reach into it; never increasing.
        blocks: How many blocks each row has, in the same order; an empty row has one empty block.
        tails: How many bytes of the last block are the row's, from 0 to 16.
        left: Rows that do not take part, by position: too few of their size to be worth it.
    """

    __slots__ = ("blocks", "bounds", "counts", "left", "order", "tails")

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        blocks = np.maximum((lengths + (BLOCK - 1)) >> 4, 1)
        most = int(blocks.max(initial=1))
        key = most - blocks
        order = np.argsort(key.astype(np.uint16) if most <= np.iinfo(np.uint16).max else key, kind="stable")
        self.counts, left = _columns(blocks[order], most)
        self.bounds = [0, *np.cumsum(self.counts, dtype=np.int64).tolist()]
        self.left = order[:left]
        self.order = order[left:]
        self.blocks = blocks[self.order]
        self.tails = lengths[self.order] - ((self.blocks - 1) << 4)

    def column(self, blocks: NDArray[np.uint64], column: int) -> NDArray[np.uint64]:
        """One column of blocks, a view."""
        return blocks[self.bounds[column] : self.bounds[column + 1]]

    def gather(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Cut rows into blocks.

        Args:
            data: The rows, and at least a block more.
            starts: Where each row begins, in the order of `order`.

        Returns:
            The blocks; the part of a last block that is not the row's is undefined.
        """
        out = np.empty(self.bounds[-1], ITEM)
        read = windows(data, BLOCK)
        last = starts + ((self.blocks - 1) << 4)
        for column, (first, end) in enumerate(pairwise(self.bounds)):
            out[first:end] = read[last[: end - first] - (column << 4)]
        return out.view(np.uint64).reshape(-1, 2)

    def scatter(
        self,
        blocks: NDArray[np.uint64],
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        before: NDArray[np.uint64] | None = None,
    ) -> None:
        """Write blocks back as rows, and not a byte beyond them.

        Args:
            blocks: What `gather` returned, or as many.
            data: Where to write.
            starts: Where each row begins, in the order of `order`.
            before: A block of each row to write before it.
        """
        items = blocks.view(ITEM)[:, 0]
        write = windows(data, BLOCK)
        last = starts + ((self.blocks - 1) << 4)
        for column, (first, end) in enumerate(pairwise(self.bounds)):
            if column:
                write[last[: end - first] - (column << 4)] = items[first:end]
        rows = len(self.order)
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
        begin = (np.arange(rows) << 5) + self.tails
        if longer:
            write[(last + self.tails - BLOCK)[:longer]] = windows(flat, BLOCK)[begin[:longer]]
        if longer < rows:
            alone = slice(longer, rows)
            move(flat, (np.arange(longer, rows) << 5) + BLOCK, data, starts[alone], self.tails[alone])


def chunk(rows: Ragged, first: int, last: int) -> Ragged:
    """Consecutive rows, as a view."""
    return Ragged(rows.data, rows.offsets[first : last + 1])


def _columns(blocks: NDArray[np.int64], most: int) -> tuple[list[int], int]:
    """Count the rows in each column, and say how many of the longest rows are better left out.

    Args:
        blocks: How many blocks each row has, most first.
        most: The largest of them.

    Returns:
        The rows in each column, and how many rows at the front were left out.
    """
    reach = len(blocks) - np.searchsorted(blocks[::-1], np.arange(1, most + 1))
    enough = reach >= np.minimum(_FEWEST_ROWS + _MORE_ROWS_A_COLUMN * np.arange(most), _MOST_ROWS)
    columns = most if enough.all() else int(enough.argmin())
    left = int(reach[columns]) if columns < most else 0
    if len(blocks) - left < _FEWEST_ROWS:
        return [], len(blocks)
    return (reach[:columns] - left).tolist(), left
