"""Columns of plain decimal text, and which step of a scale each value falls on.

Exact throughout: values are whole numbers of the finest unit that occurs, never floats.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.bytesets import byteset, only, tight, without
from privkit.fields.digits import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

EXACT = Context(prec=200)
"""Decimal arithmetic on which nothing is rounded: values have at most 40 digits on either side of the dot."""

_WORD_DIGITS = 18
"""So many digits are below 2^63 whatever they are."""
_TWO_63 = 2**63


LONGEST = 40
"""So many characters canonical decimal text has at most, the dot counted."""
_BYTES = byteset("0123456789.-")


def are_decimals(text: Ragged, *, signed: bool = True) -> NDArray[np.bool_]:
    """Say which rows are digits with at most one dot inside, and without leading zeros.

    Args:
        text: Rows, none of them empty.
        signed: Whether a minus may stand before them; -0, and what begins so, is not known.
    """
    data, offsets = tight(text)
    good: NDArray[np.bool_] = only(text, _BYTES) & (text.lengths <= LONGEST)
    minus = data == ord("-")
    first = offsets[:-1].copy()
    if minus.any():
        good &= without(text, np.setdiff1d(np.flatnonzero(minus), first))
        negative = minus[first]
        # -0 and a minus alone take the slow way, and so does everything negative where that is not allowed.
        good &= ~negative | (signed & (text.lengths > 1))
        first += negative & (text.lengths > 1)
        good &= ~(negative & (data[first] == ord("0")))
    dots = np.flatnonzero(data == ord("."))
    good &= (data[first] != ord(".")) & (data[offsets[1:] - 1] != ord("."))
    if len(dots):
        rows = np.searchsorted(offsets, dots, side="right") - 1
        good &= without(text, dots[1:][rows[1:] == rows[:-1]])
    second = data[np.minimum(first + 1, len(data) - 1)]
    zero = (data[first] == ord("0")) & (first + 1 < offsets[1:]) & (second != ord("."))
    good &= ~zero
    return good


def mantissas(text: Ragged) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Read canonical decimal text: digits with an optional minus before and an optional dot inside.

    Returns:
        The numbers without their dot, how many digits stood after it, and which rows have at most 18 digits; the
        numbers of other rows mean nothing.
    """
    data, offsets = tight(text)
    dots = np.flatnonzero(data == ord("."))
    scale = np.zeros(len(text), np.int64)
    negative = data[offsets[:-1]] == ord("-")
    if len(dots):
        rows = np.searchsorted(offsets, dots, side="right") - 1
        scale[rows] = offsets[rows + 1] - dots - 1
        data = np.delete(data, dots)
        dotted = np.zeros(len(text), np.int64)
        dotted[rows] = 1
        offsets = offsets - np.concatenate(([0], np.cumsum(dotted)))
    starts = offsets[:-1] + negative
    widths = offsets[1:] - starts
    whole = np.zeros(len(text), np.int64)
    fits = widths <= _WORD_DIGITS
    for width in np.unique(widths[fits]).tolist():
        rows = np.flatnonzero(widths == width)
        matrix = np.lib.stride_tricks.sliding_window_view(data, width)[starts[rows]]
        whole[rows] = numbers(matrix).astype(np.int64)
    return np.where(negative, -whole, whole), scale, fits


def floor_one(text: str, start: Decimal, step: Decimal) -> int:
    """Which step one value falls on: floor((value - start) / step)."""
    whole, rest = EXACT.divmod(EXACT.subtract(Decimal(text), start), step)
    return int(whole) - (rest < 0)


def floors(text: Ragged, start: Decimal, step: Decimal) -> NDArray[np.int64]:
    """Which step each value falls on; the same as `floor_one` for each row.

    Args:
        text: Canonical decimal text.
        start: Where step 0 begins.
        step: How wide a step is, above 0.

    Returns:
        `int64` of shape `(rows,)`; Python integers where some step is beyond 64 bits.
    """
    whole, scale, fits = mantissas(text)
    finest = max(places_of(start), places_of(step))
    out = np.zeros(len(text), np.int64)
    for places in np.unique(scale).tolist():
        rows = np.flatnonzero(scale == places)
        unit = max(places, finest)
        factor, low, wide = 10 ** (unit - places), int(start.scaleb(unit)), int(step.scaleb(unit))
        most = int(np.abs(whole[rows]).max()) if len(rows) else 0
        if max(most * factor + abs(low), factor, wide) >= _TWO_63:
            fits[rows] = False
        else:
            out[rows] = (whole[rows] * factor - low) // wide
    rest = np.flatnonzero(~fits).tolist()
    steps = [floor_one(text[row].decode("ascii"), start, step) for row in rest]
    if any(not -_TWO_63 <= number < _TWO_63 for number in steps):
        out = out.astype(object)
    out[~fits] = steps
    return out


def places_of(number: Decimal) -> int:
    """How many digits stand after the dot."""
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
