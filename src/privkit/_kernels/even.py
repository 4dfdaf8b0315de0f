"""Rows of bytes that are all equally long, cut into 16-byte blocks that are laid side by side.

```
rows        aaaa|aaaa|aa      bbbb|bbbb|bb                  (4 bytes a block in this picture)
column 0    aa.. bb..         column 1    aaaa bbbb         column 2    aaaa bbbb
```

Telephone numbers, codes, digests and numbers of fixed width are. Each row begins as far behind the one before it, so
that a column is read and written in one pass without a position for each row, and what is added to the ends of the rows
is one block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.short import Short
from privkit._kernels.slabs import ITEM, SHORT_KIND

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Even(Short):
    """Rows of one length.

    Args:
        rows: How many.
        width: The bytes of each, at most `MARGIN`.
    """

    __slots__ = ("_tail", "_width")

    def __init__(self, rows: int, width: int) -> None:
        most = max(-(-width // BLOCK), 1)
        self.rows, self.order, self.left = rows, slice(None), np.empty(0, np.intp)
        self.counts, self.bounds = [rows] * most, [rows * column for column in range(most + 1)]
        self._width, self._tail = width, width - (most - 1) * BLOCK
        self.margin = self.reach = 0

    @property
    def blocks(self) -> NDArray[np.int64]:
        """See `Slabs`."""
        return np.full(self.rows, len(self.counts))

    @property
    def tails(self) -> NDArray[np.int64]:
        """See `Slabs`."""
        return np.full(self.rows, self._tail)

    @property
    def are_parts(self) -> NDArray[np.bool_]:
        """See `Slabs.are_parts`."""
        return np.full(self.rows, self._width < BLOCK)

    @property
    def whole(self) -> NDArray[np.int64] | np.int64:
        """See `Slabs.whole`."""
        return np.int64(len(self.counts) - 1)

    def starts(self, offsets: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
        """See `Slabs.starts`: of two rows, from which all others follow."""
        return offsets[:2] + shift

    def by_tail(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.by_tail`."""
        return table[self._tail : self._tail + 1]

    def by_kind(self, table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """See `Slabs.by_kind`."""
        kind = self._tail + SHORT_KIND * (self._width < BLOCK)
        return table[kind : kind + 1]

    def read(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """See `Slabs.read`."""
        return self._items(data, starts, len(self.counts) - 1).copy().view(np.uint64).reshape(-1, 2)

    def gather(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """See `Slabs.gather`."""
        out = np.empty((len(self.counts), self.rows), ITEM)
        for column, part in enumerate(out):
            part[:] = self._items(data, starts, column)
        return out.reshape(-1).view(np.uint64).reshape(-1, 2)

    def clear(self, states: NDArray[np.uint64], column: int) -> None:
        """See `Slabs.clear`: every row has a block in each column."""

    def first_bytes(self, blocks: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """See `Slabs.first_bytes`."""
        return self.column(blocks, len(self.counts) - 1).view(np.uint8)[:, 0]

    def put_first_bytes(self, blocks: NDArray[np.uint64], marks: NDArray[np.uint8]) -> None:
        """See `Slabs.put_first_bytes`."""
        self.first_bytes(blocks)[:] = marks

    def scatter(
        self,
        blocks: NDArray[np.uint64],
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        before: NDArray[np.uint64] | None = None,
        *,
        skip: int = 0,
    ) -> None:
        """See `Slabs.scatter`: the last blocks first.

        What a last block has beyond its row then stands where the next row's first block, or the one before it, goes.
        """
        items = blocks.view(ITEM).reshape(-1, self.rows)
        first = len(items) - 1
        for column, part in enumerate(items):
            begin = skip if column == first else 0
            end = self._tail if first == 0 and before is None else BLOCK
            if (begin, end) == (0, BLOCK):
                self._items(data, starts, column)[:] = part
            elif end > begin:
                size = f"V{end - begin}"
                self._items(data, starts, column, begin, size)[:] = np.ndarray(self.rows, size, part, begin, (BLOCK,))
        if before is not None:
            self._items(data, starts, first + 1)[:] = before.view(ITEM)[:, 0]

    def _items(
        self,
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        column: int,
        skip: int = 0,
        size: np.dtype[np.void] | str = ITEM,
    ) -> NDArray[np.void]:
        """A block of each row as it lies in a buffer, or a part of it."""
        begin, pitch = int(starts[0]), int(np.diff(starts[:2]).sum())
        place = begin + (len(self.counts) - 1 - column) * BLOCK + skip
        return np.ndarray(self.rows, size, data, place, (pitch,))
