"""Pieces of an Arrow array put together in the buffers of the whole, with hardly more memory than those take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit.columns.arrow_buffers import INT32_MAX, in_chunks, is_view, nulls_of, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EIGHT: Final = 8  # rows in a byte of a validity bitmap
_SPARE: Final = 1 << 24
_SPARE_ROWS: Final = 1 << 20
_VIEW: Final = 4  # 32-bit words in a view: the length, and for more than twelve bytes a prefix, a buffer, a position
_INLINE: Final = 12


class Validity:
    """The bitmap of the rows that are not null, which is there from the first null on.

    Args:
        rows: How many rows there are.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._bits: NDArray[np.uint8] | None = None

    def put(self, first: int, nulls: NDArray[np.bool_]) -> None:
        """Say which rows are null, from a row on that is a multiple of eight."""
        if self._bits is None:
            self._bits = np.full(-(-self._rows // _EIGHT), 0xFF, np.uint8)
        bits = np.packbits(~nulls, bitorder="little")
        self._bits[first // _EIGHT :][: len(bits)] = bits

    def buffer(self) -> Any | None:
        """The bitmap as Arrow takes it, or nothing where there are no nulls."""
        return None if self._bits is None else pa.py_buffer(self._bits)


class ArrowJoin:
    """Puts arrays of one type together, of which only the last may have rows that are no multiple of eight.

    Text and bytes with offsets become large where they pass 31 bits. Where pieces are of several types else, as those
    of fixed-size bytes may be, the whole is not known from its pieces, and there is none.

    Args:
        rows: How many rows the whole has, or `None` where nobody knows.
        lengths: The chunks of the whole, or `None` for a plain array.
    """

    def __init__(self, rows: int | None, lengths: tuple[int, ...] | None = None) -> None:
        self._rows, self._lengths = rows, lengths
        self._type: Any = None
        self._body: _Body | None = None
        self._filled, self._nulls, self._even = 0, 0, True
        self._valid = Validity(rows or 0)

    def add(self, piece: Any) -> None:
        """Copy the next piece."""
        if self._body is None:
            self._type, self._body = piece.type, _body_of(piece.type)
            self._body.resize(self._rows or 0)
        self._even = self._even and piece.type == self._type
        if not self._even:
            return
        parts = parts_of(piece)
        if self._rows is None:
            self._body.make_room(self._filled + len(piece))
        elif piece.null_count:
            self._valid.put(self._filled, np.concatenate([nulls_of(part) for part in parts]))
            self._nulls += piece.null_count
        for part in parts:
            self._body.add(part, self._filled)
            self._filled += len(part)

    def finish(self) -> Any | None:
        """The whole, or nothing where its pieces do not say what it is."""
        if self._body is None or not self._even:
            return None
        self._body.resize(self._filled)
        of, buffers = self._body.finish(self._type)
        whole = pa.Array.from_buffers(of, self._filled, [self._valid.buffer(), *buffers], self._nulls)
        return in_chunks(whole, self._lengths)


class _Body(ABC):
    """The buffers of an array but for its nulls.

    Attributes:
        rows: For how many there is room.
    """

    rows = 0

    @abstractmethod
    def resize(self, rows: int) -> None:
        """Make room for so many rows, and no more."""

    def make_room(self, rows: int) -> None:
        """Make room for so many rows, and for some that may follow."""
        if rows > self.rows:
            self.resize(rows + min(rows // _EIGHT, _SPARE_ROWS))

    @abstractmethod
    def add(self, part: Any, first: int) -> None:
        """Take the rows of an array, of which `first` is the number of the first one."""

    @abstractmethod
    def finish(self, of: Any) -> tuple[Any, list[Any]]:
        """The type, which is `of` or its larger form, and the buffers."""


class _Text(_Body):
    """Text or bytes with offsets."""

    def __init__(self, *, large: bool) -> None:
        self._offsets: NDArray[Any] = np.zeros(1, np.int64 if large else np.int32)
        self._used, self._data = 0, np.empty(0, np.uint8)

    def resize(self, rows: int) -> None:
        self._offsets.resize(rows + 1, refcheck=False)
        self.rows = rows

    def add(self, part: Any, first: int) -> None:
        offsets = offsets_of(part)
        start, stop = int(offsets[0]), int(offsets[-1])
        end = self._used + stop - start
        if end > INT32_MAX and self._offsets.dtype == np.int32:
            self._offsets = self._offsets.astype(np.int64)
        if end > len(self._data):
            self._make_room_for(end, first + len(part))
        if stop > start:
            self._data[self._used : end] = np.frombuffer(part.buffers()[2], np.uint8)[start:stop]
        rows = slice(first + 1, first + 1 + len(part))
        np.add(offsets[1:], self._used - start, out=self._offsets[rows], casting="unsafe")
        self._used = end

    def _make_room_for(self, used: int, rows: int) -> None:
        """Make room for what the first rows take, and for what all will take if the others are like them.

        What `resize` adds NumPy fills with zeros, while other threads wait for the interpreter's lock.
        """
        expected = used * self.rows // rows
        room = used + min(max(used // 8, expected + expected // 64 - used), _SPARE)
        if len(self._data):
            self._data.resize(room, refcheck=False)
        else:
            self._data = np.empty(room, np.uint8)

    def finish(self, of: Any) -> tuple[Any, list[Any]]:
        self._data.resize(self._used, refcheck=False)
        if self._offsets.dtype == np.int64:
            of = pa.large_string() if types.is_string(of) or types.is_large_string(of) else pa.large_binary()
        return of, [pa.py_buffer(self._offsets), pa.py_buffer(self._data)]


class _Views(_Body):
    """Views of text or bytes, over the buffers that the pieces have."""

    def __init__(self) -> None:
        self._views, self._buffers = np.zeros((0, _VIEW), np.int32), list[Any]()

    def resize(self, rows: int) -> None:
        self._views.resize((rows, _VIEW), refcheck=False)
        self.rows = rows

    def add(self, part: Any, first: int) -> None:
        views = self._views[first : first + len(part)]
        views[:] = views_of(part)
        if part.null_count:
            views[nulls_of(part)] = 0  # what stands there points nowhere
        elsewhere = views[:, 0] > _INLINE
        if elsewhere.any():
            views[:, 2] += elsewhere * np.int32(len(self._buffers))
            self._buffers += part.buffers()[2:]

    def finish(self, of: Any) -> tuple[Any, list[Any]]:
        return of, [pa.py_buffer(self._views), *self._buffers]


class _Numbers(_Body):
    """Rows of one width: integers, and bytes of a fixed size."""

    def __init__(self, width: int) -> None:
        self._width, self._data = width, np.zeros(0, np.uint8)

    def resize(self, rows: int) -> None:
        self._data.resize(rows * self._width, refcheck=False)
        self.rows = rows

    def add(self, part: Any, first: int) -> None:
        if len(part):
            given = np.frombuffer(part.buffers()[1], np.uint8, len(part) * self._width, part.offset * self._width)
            self._data[first * self._width :][: len(given)] = given

    def finish(self, of: Any) -> tuple[Any, list[Any]]:
        return of, [pa.py_buffer(self._data)]


def is_joined(of: Any) -> bool:
    """Whether arrays of a type can be put together: text and bytes of every form, and integers."""
    return bool(is_large(of) or is_small(of) or is_view(of) or types.is_integer(of) or types.is_fixed_size_binary(of))


def is_large(of: Any) -> bool:
    """Whether a type is of text or bytes with offsets of 64 bits."""
    return bool(types.is_large_string(of) or types.is_large_binary(of))


def is_small(of: Any) -> bool:
    """Whether a type is of text or bytes with offsets of 32 bits."""
    return bool(types.is_string(of) or types.is_binary(of))


def offsets_of(array: Any) -> NDArray[Any]:
    """The offsets of text or bytes."""
    dtype = np.dtype(np.int64 if is_large(array.type) else np.int32)
    if not len(array):
        return np.zeros(1, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * dtype.itemsize)


def views_of(array: Any) -> NDArray[np.int32]:
    """The views of text or bytes, `(rows, 4)`."""
    words = np.frombuffer(array.buffers()[1], np.int32) if len(array) else np.empty(0, np.int32)
    return words.reshape(-1, _VIEW)[array.offset : array.offset + len(array)]


def _body_of(of: Any) -> _Body:
    if is_view(of):
        return _Views()
    if is_large(of) or is_small(of):
        return _Text(large=is_large(of))
    return _Numbers(of.bit_width // _EIGHT)
