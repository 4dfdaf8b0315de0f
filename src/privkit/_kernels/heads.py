"""What stands before each row: a mark of one byte, or a head of fixed width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged, move, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_mark(rows: Ragged, mark: int | NDArray[np.uint8]) -> Ragged:
    """Put a byte before each row: the same before all, or to each its own."""
    offsets = rows.offsets - rows.offsets[0]
    body = rows.data[rows.offsets[0] : rows.offsets[-1]]
    offsets += np.arange(len(offsets))
    out = np.empty(int(offsets[-1]), np.uint8)
    is_body = np.ones(len(out), np.bool_)
    is_body[offsets[:-1]] = False
    out[is_body] = body
    out[offsets[:-1]] = mark
    return Ragged(out, offsets)


def cut_mark(rows: Ragged) -> tuple[NDArray[np.uint8], Ragged]:
    """Take the first byte off each row.

    Returns:
        The bytes, 0 where a row is empty, and what followed them.
    """
    body = rows.data[rows.offsets[0] : rows.offsets[-1]]
    offsets = rows.offsets - rows.offsets[0]
    filled = offsets[1:] > offsets[:-1]
    firsts = offsets[:-1][filled]
    is_body = np.ones(len(body), np.bool_)
    is_body[firsts] = False
    marks = np.zeros(len(rows), np.uint8)
    marks[filled] = body[firsts]
    offsets[1:] -= filled.cumsum()
    return marks, Ragged(body[is_body], offsets)


def add_head(rows: Ragged, head: bytes) -> Ragged:
    """Put the same bytes before each row."""
    out = Ragged.empty(rows.lengths + len(head))
    write_heads(out, np.broadcast_to(np.frombuffer(head, np.uint8), (len(rows), len(head))))
    move(rows.data, rows.offsets[:-1], out.data, out.offsets[:-1] + len(head), rows.lengths)
    return out


def write_heads(rows: Ragged, heads: NDArray[np.uint8]) -> None:
    """Write over the beginning of each row.

    Args:
        rows: Rows that are at least as long as the heads.
        heads: `(rows, width)`.
    """
    if heads.size:
        items = np.ascontiguousarray(heads).view(np.dtype((np.void, heads.shape[1]))).reshape(-1)
        windows(rows.data, heads.shape[1])[rows.offsets[:-1]] = items


def read_heads(rows: Ragged, width: int) -> NDArray[np.uint8]:
    """The first `width` bytes of each row, `(rows, width)`; every row must have as many."""
    if not len(rows):
        return np.empty((0, width), np.uint8)
    return windows(rows.data, width)[rows.offsets[:-1]].view(np.uint8).reshape(-1, width)
