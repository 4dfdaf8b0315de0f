"""Tweaks of a column: one for all rows, or one per row."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Even: TypeAlias = bytes | NDArray[np.uint8]
"""One tweak for all rows, or tweaks of one length as a `(rows, bytes)` matrix."""

Tweaks: TypeAlias = Even | Ragged
"""One tweak for all rows, or one per row, of one length or of several."""


_CHUNK_BYTES = 1 << 22
"""Bytes of tweaks to work on together."""


def check(tweak: Tweaks, rows: int) -> None:
    """Refuse a tweak column that is not as long as the column of values.

    Raises:
        InvalidParameter: With both lengths.
    """
    if not isinstance(tweak, bytes) and len(tweak) != rows:
        raise InvalidParameter(f"{len(tweak)} tweaks for {rows} values; give one for all, or one for each")


def groups(tweak: Tweaks, rows: int) -> Iterator[tuple[NDArray[np.intp] | None, Even]]:
    """Split rows by the length of their tweaks.

    Yields:
        The positions of rows (`None`: all of them) and their tweaks, which are of one length.
    """
    check(tweak, rows)
    if not isinstance(tweak, Ragged):
        yield None, tweak
        return
    for length, index in tweak.by_length():
        yield index, tweak.matrix(length, index)


def take(tweak: Tweaks, rows: slice | NDArray[np.intp]) -> Tweaks:
    """The tweaks of some of the rows."""
    if isinstance(tweak, bytes):
        return tweak
    if not isinstance(tweak, Ragged):
        return tweak[rows]
    if isinstance(rows, slice):
        start, stop, _ = rows.indices(len(tweak))
        return Ragged(tweak.data, tweak.offsets[start : stop + 1])
    return tweak.take(rows)


def take_even(tweak: Even, rows: slice | NDArray[np.intp]) -> Even:
    """The tweaks of some of the rows, where they are of one length."""
    return tweak if isinstance(tweak, bytes) else tweak[rows]


def gather(tweak: Even, rows: slice, more: NDArray[np.intp]) -> Even:
    """The tweaks of consecutive rows, and then of some others."""
    return tweak if isinstance(tweak, bytes) else np.concatenate([tweak[rows], tweak[more]])


def fitting(tweak: Even, rows: int, most: int) -> int:
    """How many rows to work on together, so that all chunks are alike and their tweaks take little memory.

    Args:
        tweak: The tweaks.
        rows: How many rows there are.
        most: How many there is room for.
    """
    if not isinstance(tweak, bytes):
        most = min(most, max(_CHUNK_BYTES // max(tweak.shape[1], 1), 1))
    return -(-rows // -(-rows // most)) if rows else most


def each(tweak: Even, rows: int) -> Iterable[bytes]:
    """The tweak of each row."""
    return repeat(tweak, rows) if isinstance(tweak, bytes) else map(np.ndarray.tobytes, tweak)
