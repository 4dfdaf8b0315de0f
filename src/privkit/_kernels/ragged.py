"""Rows of bytes of different lengths, laid end to end: how every text and ciphertext travels in bulk.

```
data     b"138123456780571-8800"      uint8, shared by all rows
offsets  [0, 11, 11, 20]              int64, one more than there are rows: row i is data[offsets[i]:offsets[i + 1]]
```

It is the layout of an Arrow (large) string column without its validity bitmap: nulls are set aside before.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_NEWLINE = ord("\n")

_FEWEST_ALIKE = 100
"""So many rows of each length, on average, are worth being made objects length by length."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ragged:
    """Rows of bytes.

    Attributes:
        data: C-contiguous `uint8`, the bytes of all rows; may hold bytes before the first and after the last row.
        offsets: `int64` of shape `(rows + 1,)`, never decreasing.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[bytes]) -> Ragged:
        """Lay a sequence of `bytes` end to end."""
        joined = np.frombuffer(b"".join(rows), np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)), out=offsets[1:])
        if offsets[-1] != len(joined):  # a subclass says something else than what is joined
            np.cumsum(np.fromiter(map(bytes.__len__, rows), np.int64, len(rows)), out=offsets[1:])
        return cls(joined, offsets)

    @classmethod
    def of_text(cls, rows: Sequence[str]) -> Ragged:
        """Lay a sequence of `str` end to end, in UTF-8.

        Raises:
            UnicodeEncodeError: If some row has a lone surrogate; it holds the text, so do not let it out.
            TypeError: If some row is no `str`.
        """
        joined = np.frombuffer("\n".join(rows).encode(), np.uint8)
        breaks = joined == _NEWLINE
        if np.count_nonzero(breaks) != len(rows) - 1:  # no rows, or newlines inside them
            return cls.of([str.encode(row) for row in rows])  # the very characters, whatever a subclass says
        width = (len(joined) + 1) // len(rows) - 1
        if width and (width + 1) * len(rows) - 1 == len(joined) and breaks[width :: width + 1].all():
            matrix = np.empty((len(rows), width), np.uint8)
            matrix.view(_item(width))[:, 0] = np.ndarray((len(rows),), _item(width), joined, 0, (width + 1,))
            return cls.of_matrix(matrix)
        ends = np.flatnonzero(breaks)
        # Joined once more without newlines, which is quicker than to take them out.
        data = np.frombuffer("".join(rows).encode(), np.uint8)
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.subtract(ends, np.arange(len(ends)), out=offsets[1:-1])
        offsets[-1] = len(data)
        return cls(data, offsets)

    @classmethod
    def of_matrix(cls, matrix: NDArray[np.uint8]) -> Ragged:
        """Take the rows of a `(rows, width)` matrix, all equally long."""
        rows, width = matrix.shape
        offsets = np.arange(rows + 1, dtype=np.int64)
        offsets *= width
        return cls(np.ascontiguousarray(matrix).reshape(-1), offsets)

    @classmethod
    def empty(cls, lengths: NDArray[np.int64], *, before: int = 0) -> Ragged:
        """Make room for rows of the given lengths, and `before` them; the bytes are undefined until written."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        if before:
            offsets += before
        return cls(np.empty(int(offsets[-1]), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"<Ragged of {len(self)} rows>"  # never the bytes: they are personal data

    def __getitem__(self, row: int) -> bytes:
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.to_list())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each row in bytes."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def width(self) -> int | None:
        """The length that all rows have, or `None` where lengths differ or there are no rows."""
        if not len(self):
            return None
        first = int(self.offsets[1] - self.offsets[0])
        if int(self.offsets[-1] - self.offsets[0]) != first * len(self) or (self.lengths != first).any():
            return None
        return first

    def to_list(self) -> list[bytes]:
        """The rows as `bytes`."""
        lengths = self.lengths
        if not len(self) or int(np.ptp(lengths)) >= len(self) // _FEWEST_ALIKE:
            raw = self.data[self.offsets[0] : self.offsets[-1]].tobytes()
            ends = (self.offsets - self.offsets[0]).tolist()
            return [raw[start:end] for start, end in pairwise(ends)]
        out = np.empty(len(self), np.object_)
        for width, rows in self.by_length():  # NumPy makes objects of rows of one length in one call
            items = windows(self.data, width)[self.offsets[:-1] if rows is None else self.offsets[rows]]
            out[slice(None) if rows is None else rows] = items.astype(np.object_)
        found: list[bytes] = out.tolist()
        return found

    def to_text(self) -> list[str]:
        """The rows as `str`, decoded from UTF-8.

        Raises:
            UnicodeDecodeError: If some row is not UTF-8; it holds the bytes, so do not let it out.
        """
        raw = self.data[self.offsets[0] : self.offsets[-1]]
        if not len(self) or (raw == _NEWLINE).any():
            return [row.decode() for row in self.to_list()]
        joined = np.full(len(raw) + len(self), _NEWLINE, np.uint8)  # a newline after each row, for `split` is fast
        width = self.width
        if width:
            np.ndarray((len(self),), _item(width), joined, 0, (width + 1,))[:] = raw.view(_item(width))
        else:
            inside = np.ones(len(joined), np.bool_)
            inside[self.offsets[1:] - self.offsets[0] + np.arange(len(self))] = False
            joined[inside] = raw
        rows = str(joined.data, "utf-8").split("\n")
        rows.pop()
        return rows

    def matrix(self, width: int, rows: NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        """The first `width` bytes of rows, as a `(rows, width)` matrix.

        Without `rows`, where all rows are `width` long it is a view and costs nothing; otherwise a copy.

        Args:
            width: How many bytes of each row; every row taken must have that many.
            rows: Which rows; all by default.
        """
        if rows is None and self.width == width:
            return self.data[self.offsets[0] : self.offsets[-1]].reshape(len(self), width)
        starts = self.offsets[:-1] if rows is None else self.offsets[:-1][rows]
        if not len(starts) or not width:
            return np.empty((len(starts), width), np.uint8)
        return windows(self.data, width)[starts].view(np.uint8).reshape(-1, width)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Ragged:
        """Some of the rows, by position or by a mask, in the order given."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        starts = self.offsets[:-1][index]
        out = Ragged.empty(self.offsets[1:][index] - starts)
        move(self.data, starts, out.data, out.offsets[:-1], out.lengths)
        return out

    def put(self, rows: NDArray[np.intp], matrix: NDArray[np.uint8]) -> None:
        """Write a `(len(rows), width)` matrix into rows that are each exactly `width` long."""
        if matrix.size:
            width = matrix.shape[1]
            items = np.ascontiguousarray(matrix).reshape(-1).view(_item(width))
            windows(self.data, width)[self.offsets[:-1][rows]] = items

    def by_length(self) -> Iterator[tuple[int, NDArray[np.intp] | None]]:
        """Group rows by length.

        Yields:
            `(length, rows)` with the positions of the rows that are that long, in order; `rows` is `None` where all
            rows are equally long, so that callers may work on the buffer in place.
        """
        if not len(self):
            return
        width = self.width
        if width is not None:
            yield width, None
            return
        lengths = self.lengths
        if int(lengths.max()) <= np.iinfo(np.uint16).max:
            lengths = lengths.astype(np.uint16)  # NumPy sorts 16 bits by radix, ten times as fast as 64 by merging
        order = np.argsort(lengths, kind="stable")
        bounds = np.flatnonzero(np.diff(lengths[order])) + 1
        for rows in np.split(order, bounds):
            yield int(lengths[rows[0]]), rows

    @classmethod
    def concat(cls, parts: Iterable[Ragged]) -> Ragged:
        """Put tables of rows one after another."""
        tables = list(parts)
        offsets = np.zeros(sum(map(len, tables)) + 1, np.int64)
        row = position = 0
        for table in tables:
            ends = offsets[row + 1 : row + 1 + len(table)]
            np.add(table.offsets[1:], position - int(table.offsets[0]), out=ends)
            row, position = row + len(table), position + int(table.offsets[-1] - table.offsets[0])
        data = np.empty(position, np.uint8)
        np.concatenate([table.data[table.offsets[0] : table.offsets[-1]] for table in tables] or [data], out=data)
        return cls(data, offsets)

    @staticmethod
    def merge(rows: int, parts: Iterable[tuple[NDArray[np.intp], Ragged]]) -> Ragged:
        """Put parts back into their places: the inverse of `take` over a partition of the rows.

        Args:
            rows: How many rows the whole has; the positions of the parts cover each once.
            parts: Positions in the whole, and the rows that belong there.
        """
        tables = list(parts)
        lengths = np.zeros(rows, np.int64)
        for index, part in tables:
            lengths[index] = part.lengths
        out = Ragged.empty(lengths)
        for index, part in tables:
            move(part.data, part.offsets[:-1], out.data, out.offsets[:-1][index], part.lengths)
        return out


def _item(width: int) -> np.dtype[np.void]:
    return np.dtype((np.void, width))


def windows(data: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """Every run of `width` bytes in a buffer, each as one item: `windows(data, width)[starts]` copies rows out of it.

    An item is copied in one go whatever its width, so that rows are gathered and scattered in some 5 ns each, where an
    index for every byte takes 10 ns a byte. Index it; do not `np.take` from it, which first copies all the windows.

    Args:
        data: C-contiguous `uint8`.
        width: Bytes in a run, at least 1.

    Returns:
        A view of `data` as overlapping items; item `i` begins at byte `i`. Writing to it writes to `data`.
    """
    return np.ndarray((max(len(data) - width + 1, 0),), _item(width), data, 0, (1,))


_MOVE_ROWS = 1 << 15
_MOVE_BYTES = 1 << 20


def move(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    """Copy runs of bytes of any lengths from one buffer to another.

    A run of w to 2w bytes is the union of its first w and its last w bytes, so two copies of fixed width do all runs of
    those lengths, and some twenty widths do for all. What is in flight at once stays within 1 MB or one run.

    Args:
        source: C-contiguous `uint8` to copy from; must not share memory with `target`.
        starts: Where each run begins in `source`.
        target: C-contiguous `uint8` to copy to.
        places: Where each run goes in `target`; the runs must not overlap there.
        lengths: How many bytes each run has.
    """
    for first in range(0, len(lengths), _MOVE_ROWS):
        chunk = slice(first, first + _MOVE_ROWS)
        _move_chunk(source, starts[chunk], target, places[chunk], lengths[chunk])


def _move_chunk(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    if (lengths == lengths[0]).all():
        if lengths[0]:
            _move_items(source, starts, target, places, int(lengths[0]))
        return
    bits = np.frexp(lengths.astype(np.float64))[1]  # 0 for 0, and k for 2**(k - 1) up to 2**k - 1
    for k in np.flatnonzero(np.bincount(bits)[1:]).tolist():
        rows = np.flatnonzero(bits == k + 1)
        width = 1 << k
        source_starts, target_starts, rest = starts[rows], places[rows], lengths[rows] - width
        _move_items(source, source_starts, target, target_starts, width)
        if k:
            _move_items(source, source_starts + rest, target, target_starts + rest, width)


def _move_items(
    source: NDArray[np.uint8],
    starts: NDArray[np.int64],
    target: NDArray[np.uint8],
    places: NDArray[np.int64],
    width: int,
) -> None:
    read, write = windows(source, width), windows(target, width)
    step = max(_MOVE_BYTES // width, 1)
    for first in range(0, len(starts), step):
        write[places[first : first + step]] = read[starts[first : first + step]]
