"""How memory that arrays give back is kept for the next ones, rather than asked of the system again.

glibc gives every block above a threshold back to the system when it is freed: at first 128 KiB, and from then on the
size of the largest block that was freed so far. A kernel takes and frees some dozen arrays of a megabyte or so in each
call, and until the threshold is above them each call pays for fresh pages: of some 20,000 values, as much as for the
cipher and all around it. A block that is taken and freed without being touched raises the threshold and costs nothing.

It is what the first large array of a program does anyway. The process then keeps up to twice as much freed memory at
the end of its heap. Where the operator has set `MALLOC_MMAP_THRESHOLD_`, or under another allocator, it does nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

_LARGEST: Final = 8 << 20
"""Above every array of a batch: see `slabs.BATCH_BYTES`."""


def keep_freed_memory() -> None:
    """Have the allocator keep what the arrays of a batch give back."""
    np.empty(_LARGEST, np.uint8)  # freed at once
