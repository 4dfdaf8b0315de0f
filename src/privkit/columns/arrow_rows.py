"""Rows by Arrow, several times as fast as by NumPy: equal ones numbered by its hash table, and some of them taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from privkit._kernels.ragged import Ragged
from privkit.columns.arrow_buffers import number_array, plain_numbers, plain_type, take_text, text_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns.kinds import Values


def number_values(values: Values) -> tuple[Values, NDArray[Any]]:
    """Number equal values by Arrow's hash table.

    Returns:
        The distinct values in the order in which they appear, and for each row the position of its value.
    """
    if isinstance(values, Ragged):
        encoded = _binary(values).dictionary_encode()
        return take_text(encoded.dictionary), plain_numbers(encoded.indices)
    if values.dtype.names:  # instants: two numbers in a row
        rows = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)
        few, codes = number_values(Ragged.of_matrix(rows))
        return cast("Ragged", few).matrix(values.dtype.itemsize).reshape(-1).view(values.dtype), codes
    words = values.view(np.int64 if values.dtype.itemsize > 1 else np.int8)  # so that -0.0 is not 0.0, and NaN is NaN
    encoded = number_array(words).dictionary_encode()
    return plain_numbers(encoded.dictionary).view(values.dtype), plain_numbers(encoded.indices)


def take_rows(values: Ragged, rows: NDArray[Any]) -> Ragged:
    """What `Ragged.take` does, by Arrow: several times faster where rows are many."""
    return take_text(text_array(values, None, pa.large_binary()).take(number_array(rows)))


def some_rows(container: Any, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Any:
    """Some rows of an array, a chunked array, a record batch or a table; Arrow takes none of views."""
    table = hasattr(container, "schema")
    given = container.schema if table else container.type
    plain = pa.schema([field.with_type(plain_type(field.type)) for field in given]) if table else plain_type(given)
    whole = container if plain == given else container.cast(plain)
    chosen = number_array(rows)  # a filter takes no more room than the rows need
    taken = whole.filter(chosen) if rows.dtype == np.bool_ else whole.take(chosen)
    return taken if plain == given else taken.cast(given)


def _binary(values: Ragged) -> Any:
    """An array of bytes, of a fixed size where the rows have one: its hash table is faster by a third."""
    if width := values.width:
        return pa.Array.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(values.matrix(width))])
    return text_array(values, None, pa.large_binary())
