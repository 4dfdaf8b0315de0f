"""Arrow's text and bytes in pieces: where to cut, and pieces put together in the buffers of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit.columns import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_EIGHT: Final = 8  # rows in a byte of a validity bitmap, at whose bounds pieces are cut
_SPARE: Final = 1 << 24
_INT32_MAX: Final = int(np.iinfo(np.int32).max)


def is_text(of: Any) -> bool:
    """Whether arrays of this type are offsets into a buffer of text or bytes."""
    return _is_large(of) or types.is_string(of) or types.is_binary(of)


def cuts_of_text(array: Any) -> Iterator[tuple[int, int]]:
    """Cut text or bytes by rows and bytes."""
    offsets, first = _offsets(array), 0
    while first < len(array):
        fits = int(np.searchsorted(offsets, offsets[first] + offsets.dtype.type(pieces.PIECE_BYTES), "right")) - 1
        rows = max(min(fits - first, pieces.PIECE_ROWS) // _EIGHT * _EIGHT, _EIGHT)
        yield first, min(first + rows, len(array))
        first += rows


class TextJoin:
    """Puts arrays of text or bytes together, with hardly more memory than the whole of them takes."""

    def __init__(self, rows: int) -> None:
        self._rows, self._filled, self._used, self._nulls = rows, 0, 0, 0
        self._type: Any = None
        self._offsets: NDArray[Any] = np.zeros(0, np.int32)
        self._data = np.empty(0, np.uint8)
        self._valid: NDArray[np.uint8] | None = None

    def add(self, piece: Any) -> None:
        """Copy the next piece, of which only the last may have rows that are no multiple of eight."""
        if self._type is None:
            self._type = piece.type
            self._offsets = np.zeros(self._rows + 1, np.int64 if _is_large(piece.type) else np.int32)
        offsets = _offsets(piece)
        start, stop = int(offsets[0]), int(offsets[-1])
        end = self._used + stop - start
        if end > _INT32_MAX and not _is_large(self._type):
            self._type = pa.large_string() if types.is_string(self._type) else pa.large_binary()
            self._offsets = self._offsets.astype(np.int64)
        if end > len(self._data):
            self._data.resize(end + min(end // 8, _SPARE), refcheck=False)
        if stop > start:
            self._data[self._used : end] = np.frombuffer(piece.buffers()[2], np.uint8)[start:stop]
        rows = slice(self._filled + 1, self._filled + 1 + len(piece))
        np.add(offsets[1:], self._used - start, out=self._offsets[rows], casting="unsafe")
        self._add_nulls(piece)
        self._filled, self._used = self._filled + len(piece), end

    def _add_nulls(self, piece: Any) -> None:
        if not piece.null_count:
            return
        if self._valid is None:
            self._valid = np.full(-(-self._rows // _EIGHT), 0xFF, np.uint8)
        bits = np.frombuffer(piece.buffers()[0], np.uint8)[: -(-len(piece) // _EIGHT)]
        first = self._filled // _EIGHT
        self._valid[first : first + len(bits)] = bits
        self._nulls += piece.null_count

    def finish(self) -> Any:
        """The whole."""
        self._data.resize(self._used, refcheck=False)
        valid = None if self._valid is None else pa.py_buffer(self._valid)
        buffers = [valid, pa.py_buffer(self._offsets), pa.py_buffer(self._data)]
        return pa.Array.from_buffers(self._type, self._rows, buffers, self._nulls)


def _is_large(of: Any) -> bool:
    return bool(types.is_large_string(of) or types.is_large_binary(of))


def _offsets(array: Any) -> NDArray[Any]:
    dtype = np.dtype(np.int64 if _is_large(array.type) else np.int32)
    if not len(array):
        return np.zeros(1, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * dtype.itemsize)
