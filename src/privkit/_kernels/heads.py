"""Put a head of fixed width before each row, and take it off again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_head(rows: Ragged, head: NDArray[np.uint8]) -> Ragged:
    """Put a head before each row.

    Args:
        rows: The rows.
        head: `(width,)`, the same for all, or `(rows, width)`.
    """
    width = head.shape[-1]
    out = Ragged.empty(rows.lengths + width)
    for length, index in rows.by_length():
        matrix = np.empty((len(rows) if index is None else len(index), width + length), np.uint8)
        matrix[:, :width] = head if head.ndim == 1 or index is None else head[index]
        matrix[:, width:] = rows.matrix(length, index)
        if index is None:
            return Ragged.of_matrix(matrix)
        out.put(index, matrix)
    return out


def cut_head(rows: Ragged, width: int) -> tuple[NDArray[np.uint8], Ragged]:
    """Take the head off each row.

    Args:
        rows: The rows, each at least `width` long.
        width: How long the head is.

    Returns:
        The heads, `(rows, width)`, and what followed them.
    """
    rest = Ragged.empty(rows.lengths - width)
    for length, index in rows.by_length():
        body = rows.matrix(length, index)[:, width:]
        if index is None:
            return rows.matrix(width), Ragged.of_matrix(body)
        rest.put(index, body)
    return rows.matrix(width, np.arange(len(rows))), rest
