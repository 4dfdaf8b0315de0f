"""Short rows of bytes cut into 16-byte blocks and laid side by side in their own order, aligned at their ends.

```
rows    aaaa|aaaa|aa      bbbb|bb      c                    (4 bytes a block in this picture)
blocks  aaaa aaaa aa..    ???? bbbb bb..    ???? ???? c...
```

Where rows have few blocks, and about as many each, it is cheaper to compute a few blocks too many than to sort the rows
as `Slabs` does: all of a row is read at once, rows are read in the order of memory, and the results stand in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.ragged import windows
from privkit._kernels.slabs import ITEM, slack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

_MOST_BLOCKS = 8
"""Rows of more are sorted."""

_MOST_SPARE = 2
"""So many times the blocks of the rows are computed at most."""


class Short(NamedTuple):
    """The blocks of short rows.

    Attributes:
        blocks: `(rows, columns)` of `ITEM`, the last column the last block of each row; what is not the row's is
            undefined. An empty row has one empty block.
        missing: By how many blocks each row is shorter than the longest.
        tails: How many bytes of the last block are the row's, from 0 to 16.
    """

    blocks: NDArray[np.void]
    missing: NDArray[np.uint8]
    tails: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Ragged) -> Short | None:
        """Lay rows out, at least one, or say with `None` that they are not short or too different."""
        tails = rows.lengths
        counts = tails + (BLOCK - 1)
        counts >>= 4
        np.maximum(counts, 1, out=counts)
        most = int(counts.max())
        if most > _MOST_BLOCKS or most * len(rows) > _MOST_SPARE * int(counts.sum()):
            return None
        missing = np.subtract(most, counts, out=counts).astype(np.uint8)
        counts <<= 4  # from here on bytes
        data, shift = slack(rows.data, int(rows.offsets[0]), int(rows.offsets[-1]), (most - 1) * BLOCK)
        begin = rows.offsets[:-1] - counts
        begin += shift
        tails += counts
        tails -= (most - 1) * BLOCK
        return cls(windows(data, most * BLOCK)[begin].view(ITEM).reshape(-1, most), missing, tails)
