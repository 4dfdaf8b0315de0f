"""The forms of ciphertexts in a column, read off their first bytes: under which key each is, and with what index.

```
form    width, above 32 bits | key id, 32 bits
width   bytes that the index and its length take; 0 without one
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.heads import read_heads
from privkit._kernels.ragged import windows
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

NO_FORM = -1
"""What is said of a row that is no ciphertext, or of rows that have not one form."""

_HEADS = np.frombuffer(b"\xff" * layout.HEADER + bytes(8 - layout.HEADER), np.uint64)[0]
"""What of the first eight bytes of a ciphertext is marker and key id."""
_SHIFT = 32


def form(key_id: int, width: int) -> int:
    """Put a key id and the width of an index into one number."""
    return key_id | width << _SHIFT


def key_id_of(one: int) -> int:
    """The key id in a form."""
    return one & ((1 << _SHIFT) - 1)


def width_of(one: int) -> int:
    """The width of the index in a form."""
    return one >> _SHIFT


def only_form(sealed: Ragged, *, deterministic: bool) -> int:
    """The form of all rows, where they have but one, without an index: the usual case, seen in one look at each."""
    if not len(sealed) or (sealed.lengths < layout.length(0, deterministic=deterministic)).any():
        return NO_FORM
    heads = windows(sealed.data, _HEADS.itemsize)[sealed.offsets[:-1]].view(np.uint64)
    if ((heads ^ heads[0]) & _HEADS).any() or sealed.data[sealed.offsets[0]] != layout.MARKER:
        return NO_FORM
    return int.from_bytes(sealed[0][1 : layout.HEADER], "big")


def forms(sealed: Ragged, *, deterministic: bool) -> NDArray[np.int64]:
    """The form of each row."""
    shortest = layout.length(0, deterministic=deterministic)
    found = np.full(len(sealed), NO_FORM, np.int64)
    rows = np.flatnonzero(sealed.lengths >= shortest)
    head = read_heads(sealed.take(rows) if len(rows) < len(sealed) else sealed, layout.INDEX_AT)
    ids = np.ascontiguousarray(head[:, 1 : layout.HEADER]).view(">u4").reshape(-1).astype(np.int64)
    found[rows] = np.where(head[:, 0] == layout.MARKER, ids, NO_FORM)
    indexed = head[:, 0] == layout.INDEXED_MARKER
    if not deterministic and indexed.any():
        size = head[:, layout.HEADER].astype(np.int64)
        fits = (size >= 1) & (size <= layout.LONGEST_INDEX) & (sealed.lengths[rows] > shortest + size)
        right = indexed & fits
        found[rows[right]] = ids[right] | (size[right] + 1) << _SHIFT
    return found
