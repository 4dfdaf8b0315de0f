"""Rows that share values: the numbers that a container, or a hash table, gives to its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.optional import arrow_rows_module

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns.column import Column
    from privkit.columns.kinds import Values

_INT32_MAX: Final = int(np.iinfo(np.int32).max)
_BLOCK: Final = 32_768  # rows looked at together: they stay in a core's cache, and mostly the first of them are enough


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as its container has it: a list of values, and for each row the number of its value.

    Attributes:
        column: The values, none of them null, with the way back to the whole container. Some may be in no row, and some
            there twice.
        codes: For each row that is not null, the position of its value.
        nulls: Which rows are null, or `None`.
    """

    column: Column[Any]
    codes: NDArray[Any]
    nulls: NDArray[np.bool_] | None


def in_order(codes: NDArray[Any], size: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Number anew in the order of first appearance, which tells nothing that the rows do not tell.

    A dictionary is often sorted, and tokens in the order of a sorted one would show the order of what they stand for.

    Args:
        codes: For each row a number.
        size: They are from 0 to `size - 1`; not all of them need be there.

    Returns:
        The first row of each number that is there, in ascending order; and for each row its new number, of 32 bits
        where that is enough.

    Example:
        >>> import numpy as np
        >>> firsts, renumbered = in_order(np.array([2, 0, 2]), 3)
        >>> firsts.tolist(), renumbered.tolist()
        ([0, 1], [0, 1, 0])
    """
    rows = len(codes)
    of = np.int32 if size <= _INT32_MAX else np.int64
    first = np.full(size, rows, np.intp)
    found = 0
    for start in range(0, rows, _BLOCK):
        part = codes[start : start + _BLOCK]
        new = np.flatnonzero(first.take(part) == rows)
        if len(new):
            of_new = part[new]
            first[of_new[::-1]] = new[::-1] + start  # of several rows the first one is written last, and stays
            found += int(np.count_nonzero(first.take(of_new) == new + start))
        if found == size:
            break
    order = np.argsort(first)[:found]
    firsts = first[order]
    if found == size and (order[1:] > order[:-1]).all():
        return firsts, codes.astype(of, copy=False)
    renumbered = np.zeros(size, of)
    renumbered[order] = np.arange(found)
    return firsts, renumbered.take(codes)


def repeat(values: Values, codes: NDArray[Any]) -> Values:
    """The values of all rows, from each value once and the number that each row has."""
    if not isinstance(values, Ragged):
        rows: NDArray[Any] = values[codes]
        return rows
    if width := values.width:
        items = values.matrix(width).view(np.dtype((np.void, width)))[:, 0]
        return Ragged.of_matrix(items.take(codes).view(np.uint8).reshape(-1, width))
    arrow = arrow_rows_module()
    if arrow is None:
        return values.take(codes.astype(np.intp, copy=False))
    out = Ragged.empty(values.lengths[codes])
    for start in range(0, len(codes), _BLOCK):  # Arrow alone would take half as much room again
        part = arrow.take_rows(values, codes[start : start + _BLOCK])
        first = out.offsets[start]
        out.data[first : first + part.offsets[-1]] = part.data[: part.offsets[-1]]
    return out
