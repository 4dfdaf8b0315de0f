"""pandas' categories that are texts or others in Arrow: a dictionary array over the same memory, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from privkit.columns.arrow_buffers import nulls_of
from privkit.columns.arrow_joins import is_joined
from privkit.columns.arrow_numbered import ArrowNumbered
from privkit.columns.numbering import spans_of
from privkit.columns.pandas_categories import series_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbered_categories(series: Any) -> ArrowNumbered | None:
    """The categories and numbers of a series, uncopied; `None` where they are no text, bytes or integers."""
    names = series.dtype.categories.array.__arrow_array__()
    if not is_joined(names.type):
        return None
    if isinstance(names, pa.ChunkedArray):
        names = names.chunk(0) if names.num_chunks == 1 else names.combine_chunks()
    codes = np.ascontiguousarray(series.array.codes)
    buffers = [_valid(codes), pa.py_buffer(codes)]
    indices = pa.Array.from_buffers(pa.from_numpy_dtype(codes.dtype), len(codes), buffers)
    return ArrowNumbered([indices], [names], [0], None)


def _valid(codes: NDArray[Any]) -> Any:
    """The bitmap of nulls, which are the numbers below 0."""
    parts = [np.packbits(codes[first:last] >= 0, bitorder="little") for first, last in spans_of(len(codes))]
    return pa.py_buffer(np.concatenate(parts))


def of_arrow(like: Any, built: Any) -> Any:
    """A series of categories as another one is, of a dictionary array."""
    indices, names = built.indices, built.dictionary
    codes = np.frombuffer(indices.buffers()[1], indices.type.to_pandas_dtype(), len(indices), 0)
    if np.may_share_memory(codes, like.array.codes) or not codes.flags.writeable:
        codes = codes.copy()
    for first, last in spans_of(len(codes)) if indices.null_count else ():
        codes[first:last][nulls_of(indices.slice(first, last - first))] = -1
    of = like.dtype.categories.dtype
    if not isinstance(of, pd.StringDtype):
        of = pd.ArrowDtype(names.type)
    return series_of(like, codes, of.__from_arrow__(names))
