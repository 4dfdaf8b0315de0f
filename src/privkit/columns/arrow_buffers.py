"""Arrow's arrays over memory that NumPy sees, both ways: chunks, nulls, text and numbers.

Text and bytes are three buffers: validity, offsets, data. The data buffer is shared both ways; offsets are widened to
64 bits on the way in and narrowed on the way out; the validity bitmap is unpacked only where there are nulls.

This module stands on pyarrow, as all that are named after Arrow, and is imported only where an Arrow array, or a series
that is one inside, arrives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit._kernels.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

INT32_MAX: Final = int(np.iinfo(np.int32).max)


def parts_of(container: Any) -> list[Any]:
    """The chunks of a chunked array, or the one array."""
    return list(container.chunks) if isinstance(container, pa.ChunkedArray) else [container]


def lengths_of(container: Any) -> tuple[int, ...] | None:
    """The lengths of the chunks of a chunked array; `None` for one that is plain."""
    return tuple(len(part) for part in container.chunks) if isinstance(container, pa.ChunkedArray) else None


def in_chunks(array: Any, lengths: tuple[int, ...] | None) -> Any:
    """An array as a chunked one of chunks of these lengths; itself for `None`."""
    if lengths is None:
        return array
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    slices = [array.slice(end - length, length) for end, length in zip(ends, lengths, strict=True)]
    return pa.chunked_array(slices, type=array.type)


def nulls_of(array: Any) -> NDArray[np.bool_]:
    """Which rows are null."""
    if not array.null_count:
        return np.zeros(len(array), bool)
    validity = array.buffers()[0]
    if validity is None:  # the null type has no buffer
        return np.ones(len(array), bool)
    first, bit = divmod(array.offset, 8)
    packed = np.frombuffer(validity, np.uint8, (bit + len(array) + 7) // 8, first)
    bits = np.unpackbits(packed, count=bit + len(array), bitorder="little")[bit:]
    result: NDArray[np.bool_] = bits == 0
    return result


def text_array(values: Ragged, nulls: NDArray[np.bool_] | None, of: Any) -> Any:
    """An Arrow array over the buffers of text or bytes.

    Args:
        values: The rows that are not null; their memory is shared where the type allows.
        nulls: Which rows are null.
        of: Any type of text or bytes.
    """
    start = values.offsets[0]
    large = types.is_large_string(of) or types.is_large_binary(of)
    if not (large or types.is_string(of) or types.is_binary(of)):  # views and fixed sizes have other buffers
        plain = (pa.large_binary, pa.large_string) if size_of(values) > INT32_MAX else (pa.binary, pa.string)
        return text_array(values, nulls, plain[types.is_string_view(of)]()).cast(of)
    offsets = (values.offsets - start if start else values.offsets).astype(np.int64 if large else np.int32, copy=False)
    validity = None
    if nulls is not None:
        index = np.zeros(len(nulls) + 1, np.intp)
        np.cumsum(~nulls, out=index[1:])
        offsets = offsets[index]  # a null row ends where the row before it ends
        validity = pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values.data[start : values.offsets[-1]]))
    null_count = 0 if nulls is None else int(np.count_nonzero(nulls))
    return pa.Array.from_buffers(of, len(offsets) - 1, [validity, pa.py_buffer(offsets), data], null_count)


def number_array(values: NDArray[Any], nulls: NDArray[np.bool_] | None = None) -> Any:
    """Numbers or booleans as an array, as they lie in memory: `pyarrow.array` would import pandas to look at them.

    Args:
        values: The numbers of the rows that are not null.
        nulls: Which rows are null, or `None`.
    """
    rows = np.ascontiguousarray(_spread(values, nulls))
    of = pa.from_numpy_dtype(rows.dtype)
    data = pa.py_buffer(np.packbits(rows, bitorder="little") if rows.dtype == np.bool_ else rows)
    validity = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(of, len(rows), [validity, data])


def take_text(array: Any) -> Ragged:
    """The rows that are not null, over the array's own buffers."""
    rows = len(array)
    large = types.is_large_string(array.type) or types.is_large_binary(array.type)
    if not (large or types.is_string(array.type) or types.is_binary(array.type)):
        text = types.is_string_view(array.type)
        return take_text(array.cast(pa.large_string() if text else pa.large_binary()))
    if not rows:
        return Ragged.of([])
    _, ends, data = array.buffers()
    dtype = np.dtype(np.int64 if large else np.int32)
    offsets = np.frombuffer(ends, dtype, rows + 1, array.offset * dtype.itemsize).astype(np.int64, copy=False)
    held = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    values = Ragged(held, offsets)
    return _without(values, nulls_of(array)) if array.null_count else values


def plain_numbers(array: Any) -> NDArray[Any]:
    """Numbers without nulls as they lie in memory; `Array.to_numpy` would import pandas, which takes 0.3 s."""
    found: NDArray[Any] = np.from_dlpack(array)
    return found


def is_view(of: Any) -> bool:
    """Whether a type is of views of text or bytes."""
    return bool(types.is_string_view(of) or types.is_binary_view(of))


def plain_type(of: Any) -> Any:
    """The type itself, or for views the plain type of the same text or bytes."""
    if types.is_string_view(of):
        return pa.large_string()
    return pa.large_binary() if types.is_binary_view(of) else of


def size_of(values: Ragged) -> int:
    """The bytes of all rows together."""
    return int(values.offsets[-1] - values.offsets[0])


def _without(values: Ragged, nulls: NDArray[np.bool_]) -> Ragged:
    """Leave out null rows: without touching the data where, as usual, they are empty."""
    valid = ~nulls
    starts, ends = values.offsets[:-1][valid], values.offsets[1:][valid]
    if (starts[1:] == ends[:-1]).all():
        return Ragged(values.data, np.concatenate([starts[:1] if len(starts) else values.offsets[:1], ends]))
    return values.take(valid)


def _spread(values: NDArray[Any], nulls: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Values in their rows, with zeros between them where rows are null."""
    if nulls is None:
        return values
    out = np.zeros(len(nulls), values.dtype)
    out[~nulls] = values
    return out
