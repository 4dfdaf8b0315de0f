"""Arrow's text, bytes and integers in pieces: where to cut."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.columns import pieces
from privkit.columns.arrow_buffers import is_view, lengths_of, parts_of
from privkit.columns.arrow_joins import ArrowJoin, is_joined, is_large, is_small, offsets_of, views_of
from privkit.columns.pieces import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_EIGHT: Final = 8  # rows in a byte of a validity bitmap, at whose bounds pieces are cut


def cut_arrow(array: Any) -> Source | None:
    """How to cut an array, chunked or not, of text, bytes or integers, and to join its pieces."""
    if not is_joined(array.type):
        return None
    join = ArrowJoin(len(array), lengths_of(array))
    return Source(len(array), _cuts(array), partial(pieces.slice_of, array), join)


def _cuts(array: Any) -> Iterator[tuple[int, int]]:
    """Cut by rows and bytes."""
    first = 0
    while first < len(array):
        fits = _fitting(array.slice(first, pieces.PIECE_ROWS))
        last = min(first + max(fits // _EIGHT * _EIGHT, _EIGHT), len(array))
        yield first, last
        first = last


def _fitting(array: Any) -> int:
    """How many rows from the first on have no more bytes together than a piece."""
    rows, left = 0, pieces.PIECE_BYTES
    for part in parts_of(array):
        fits, used = _fitting_part(part, left)
        rows, left = rows + fits, left - used
        if fits < len(part):
            break
    return rows


def _fitting_part(part: Any, left: int) -> tuple[int, int]:
    """The same of one chunk, and the bytes of all of its rows."""
    of = part.type
    if is_large(of) or is_small(of):
        offsets = offsets_of(part)
        ends = offsets[1:] - offsets[0]
    elif is_view(of):
        ends = np.cumsum(views_of(part)[:, 0], dtype=np.int64)
    else:
        width = max(of.bit_width // 8, 1)
        return min(left // width, len(part)), len(part) * width
    return int(np.searchsorted(ends, left, "right")), int(ends[-1]) if len(ends) else 0
