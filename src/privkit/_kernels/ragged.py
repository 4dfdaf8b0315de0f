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


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Rows of bytes.

    Attributes:
        data: `uint8`, the bytes of all rows; may hold bytes before the first and after the last row.
        offsets: `int64` of shape `(rows + 1,)`, never decreasing.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[bytes]) -> Ragged:
        """Lay a sequence of `bytes` end to end."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)), out=offsets[1:])
        return cls(np.frombuffer(b"".join(rows), np.uint8), offsets)

    @classmethod
    def of_text(cls, rows: Sequence[str]) -> Ragged:
        """Lay a sequence of `str` end to end, in UTF-8."""
        joined = "".join(rows)
        if joined.isascii():
            offsets = np.zeros(len(rows) + 1, np.int64)
            np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)), out=offsets[1:])
            return cls(np.frombuffer(joined.encode("ascii"), np.uint8), offsets)
        return cls.of([row.encode() for row in rows])

    @classmethod
    def of_matrix(cls, matrix: NDArray[np.uint8]) -> Ragged:
        """Take the rows of a `(rows, width)` matrix, all equally long."""
        rows, width = matrix.shape
        return cls(np.ascontiguousarray(matrix).reshape(-1), np.arange(rows + 1, dtype=np.int64) * width)

    @classmethod
    def empty(cls, lengths: NDArray[np.int64]) -> Ragged:
        """Make room for rows of the given lengths; the bytes are undefined until written."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.empty(int(offsets[-1]), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.to_list())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each row in bytes."""
        return np.diff(self.offsets)

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
        raw = self.data[self.offsets[0] : self.offsets[-1]].tobytes()
        ends = (self.offsets - self.offsets[0]).tolist()
        return [raw[start:end] for start, end in pairwise(ends)]

    def to_text(self) -> list[str]:
        """The rows as `str`, decoded from UTF-8.

        Raises:
            UnicodeDecodeError: If some row is not UTF-8.
        """
        raw = self.data[self.offsets[0] : self.offsets[-1]].tobytes()
        if raw.isascii():
            text = raw.decode("ascii")
            ends = (self.offsets - self.offsets[0]).tolist()
            return [text[start:end] for start, end in pairwise(ends)]
        return [row.decode() for row in self.to_list()]

    def matrix(self, width: int, rows: NDArray[np.intp] | None = None) -> NDArray[np.uint8]:
        """The first `width` bytes of rows, as a `(rows, width)` matrix.

        Without `rows`, where all rows are `width` long it is a view and costs nothing; otherwise a copy.

        Args:
            width: How many bytes of each row; every row taken must have that many.
            rows: Which rows; all by default.
        """
        if rows is None and self.width == width:
            return self.data[self.offsets[0] : self.offsets[-1]].reshape(-1, width)
        starts = self.offsets[:-1] if rows is None else self.offsets[:-1][rows]
        if not len(starts) or not width:
            return np.empty((len(starts), width), np.uint8)
        return np.lib.stride_tricks.sliding_window_view(self.data, width)[starts]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Ragged:
        """Some of the rows, by position or by a mask, in the order given."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        out = Ragged.empty(self.lengths[index])
        out.data[:] = self.data[_flat_index(self.offsets[:-1][index], out.offsets)]
        return out

    def put(self, rows: NDArray[np.intp], matrix: NDArray[np.uint8]) -> None:
        """Write a `(len(rows), width)` matrix into rows that are each exactly `width` long."""
        if matrix.size:
            np.lib.stride_tricks.sliding_window_view(self.data, matrix.shape[1], writeable=True)[
                self.offsets[:-1][rows]
            ] = matrix

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
        order = np.argsort(lengths, kind="stable")
        bounds = np.flatnonzero(np.diff(lengths[order])) + 1
        for rows in np.split(order, bounds):
            yield int(lengths[rows[0]]), rows

    @staticmethod
    def concat(parts: Iterable[Ragged]) -> Ragged:
        """Put tables of rows one after another."""
        tables = list(parts)
        lengths = [table.lengths for table in tables]
        out = Ragged.empty(np.concatenate(lengths) if lengths else np.empty(0, np.int64))
        position = 0
        for table in tables:
            chunk = table.data[table.offsets[0] : table.offsets[-1]]
            out.data[position : position + len(chunk)] = chunk
            position += len(chunk)
        return out

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
            out.data[_flat_index(out.offsets[:-1][index], part.offsets)] = part.data[part.offsets[0] : part.offsets[-1]]
        return out


def _flat_index(starts: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """For rows laid out by `offsets`, the position of each of their bytes in a buffer where they begin at `starts`."""
    index = np.repeat(starts - (offsets[:-1] - offsets[0]), np.diff(offsets))
    index += np.arange(len(index))
    return index
