"""Arrow's text and bytes in pieces: where to cut, and pieces put together in the buffers of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit.columns import pieces
from privkit.columns.arrow_buffers import INT32_MAX, in_chunks, lengths_of, nulls_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.columns.pieces import Cut

_EIGHT: Final = 8  # rows in a byte of a validity bitmap, at whose bounds pieces are cut
_SPARE: Final = 1 << 24


def cut_arrow(array: Any) -> Cut | None:
    """How to cut an array, chunked or not, of text or bytes with offsets, and to join its pieces."""
    if not (_is_large(array.type) or types.is_string(array.type) or types.is_binary(array.type)):
        return None
    return _cuts_of_text(array), TextJoin(array)


def _cuts_of_text(array: Any) -> Iterator[tuple[int, int]]:
    """Cut by rows and bytes."""
    first = 0
    while first < len(array):
        fits = _fitting(array.slice(first, pieces.PIECE_ROWS))
        last = min(first + max(fits // _EIGHT * _EIGHT, _EIGHT), len(array))
        yield first, last
        first = last


class TextJoin:
    """Puts arrays of text or bytes together, with hardly more memory than the whole of them takes.

    Args:
        like: The array that was cut; the whole has as many rows, and the same chunks.
    """

    def __init__(self, like: Any) -> None:
        self._rows, self._lengths = len(like), lengths_of(like)
        self._filled, self._used, self._nulls = 0, 0, 0
        self._type: Any = None
        self._offsets: NDArray[Any] = np.zeros(0, np.int32)
        self._data = np.empty(0, np.uint8)
        self._valid: NDArray[np.uint8] | None = None

    def add(self, piece: Any) -> None:
        """Copy the next piece, of which only the last may have rows that are no multiple of eight."""
        if self._type is None:
            self._type = piece.type
            self._offsets = np.zeros(self._rows + 1, np.int64 if _is_large(piece.type) else np.int32)
        parts = parts_of(piece)
        self._add_nulls(piece.null_count, parts)
        for part in parts:
            self._add_rows(part)

    def _add_rows(self, part: Any) -> None:
        offsets = _offsets(part)
        start, stop = int(offsets[0]), int(offsets[-1])
        end = self._used + stop - start
        if end > INT32_MAX and not _is_large(self._type):
            self._type = pa.large_string() if types.is_string(self._type) else pa.large_binary()
            self._offsets = self._offsets.astype(np.int64)
        if end > len(self._data):
            self._data.resize(end + min(end // 8, _SPARE), refcheck=False)
        if stop > start:
            self._data[self._used : end] = np.frombuffer(part.buffers()[2], np.uint8)[start:stop]
        rows = slice(self._filled + 1, self._filled + 1 + len(part))
        np.add(offsets[1:], self._used - start, out=self._offsets[rows], casting="unsafe")
        self._filled, self._used = self._filled + len(part), end

    def _add_nulls(self, count: int, parts: list[Any]) -> None:
        if not count:
            return
        if self._valid is None:
            self._valid = np.full(-(-self._rows // _EIGHT), 0xFF, np.uint8)
        bits = np.packbits(~np.concatenate([nulls_of(part) for part in parts]), bitorder="little")
        first = self._filled // _EIGHT
        self._valid[first : first + len(bits)] = bits
        self._nulls += count

    def finish(self) -> Any:
        """The whole."""
        self._data.resize(self._used, refcheck=False)
        valid = None if self._valid is None else pa.py_buffer(self._valid)
        buffers = [valid, pa.py_buffer(self._offsets), pa.py_buffer(self._data)]
        return in_chunks(pa.Array.from_buffers(self._type, self._rows, buffers, self._nulls), self._lengths)


def _fitting(array: Any) -> int:
    """How many rows from the first on have no more bytes together than a piece."""
    rows, left = 0, pieces.PIECE_BYTES
    for part in parts_of(array):
        offsets = _offsets(part)
        fits = int(np.searchsorted(offsets, int(offsets[0]) + left, "right")) - 1
        rows, left = rows + fits, left - int(offsets[-1]) + int(offsets[0])
        if fits < len(part):
            break
    return rows


def _is_large(of: Any) -> bool:
    return bool(types.is_large_string(of) or types.is_large_binary(of))


def _offsets(array: Any) -> NDArray[Any]:
    dtype = np.dtype(np.int64 if _is_large(array.type) else np.int32)
    if not len(array):
        return np.zeros(1, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * dtype.itemsize)
