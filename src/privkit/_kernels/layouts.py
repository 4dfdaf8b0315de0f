"""Which way to lay rows out in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privkit._kernels.blocks import BLOCK
from privkit._kernels.even import Even
from privkit._kernels.short import MOST_BLOCKS, Short, is_written_in_order
from privkit._kernels.slabs import Slabs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_SPARE = 2
"""So many times the blocks of the rows are computed at most."""


def lay_out(lengths: NDArray[np.int64], size: int) -> Slabs:
    """Lay rows out: side by side where they are short and equally long or of about as many blocks each; else sorted.

    Args:
        lengths: The bytes of each row, at least one row.
        size: The bytes of all rows together.
    """
    rows, longest = len(lengths), int(lengths.max())
    most = max(-(-longest // BLOCK), 1)
    if most > MOST_BLOCKS:
        return Slabs(lengths)
    if longest * rows == size:
        return Even(rows, longest)
    blocks = rows // 2 + size // BLOCK  # about: a last block is half full, as a rule
    if most * rows > _MOST_SPARE * blocks or not is_written_in_order():
        return Slabs(lengths)
    return Short(lengths, most)
