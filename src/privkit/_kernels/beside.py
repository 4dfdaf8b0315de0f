"""Columns put side by side, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged, move

if TYPE_CHECKING:
    from collections.abc import Sequence


def beside(parts: Sequence[Ragged]) -> Ragged:
    """Join the rows of columns.

    Args:
        parts: Columns of as many rows, at least one.

    Example:
        >>> from privkit._kernels.ragged import Ragged
        >>> beside([Ragged.of_text(["a", "b"]), Ragged.of_text(["1", "22"])]).to_text()
        ['a1', 'b22']
    """
    out = Ragged.empty(np.sum([part.lengths for part in parts], axis=0, dtype=np.int64))
    places = out.offsets[:-1]
    for part in parts:
        move(part.data, part.offsets[:-1], out.data, places, part.lengths)
        places = places + part.lengths
    return out
