"""Rows that share values: the numbers that a container, or a hash table, gives to its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.column import row_numbers
from privkit.columns.optional import arrow_rows_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from privkit.columns.column import Column
    from privkit.columns.kinds import Values
    from privkit.columns.pieces import Source

_INT32_MAX: Final = int(np.iinfo(np.int32).max)
_BLOCK: Final = 32_768  # rows looked at together: they stay in a core's cache, and mostly the first of them are enough
_SPAN: Final = 1 << 16
_FEW: Final = 1 << 20


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


class Numbered(Protocol):
    """A container that numbers its values itself, looked at a piece of its rows at a time.

    Attributes:
        size: The numbers are from 0 to `size - 1`.
    """

    size: int

    def __len__(self) -> int:
        """How many rows there are, one at least."""

    def numbers(self, first: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """The numbers of the rows from `first` to before `last` that are not null, and which are, or `None`."""

    def values(self, order: NDArray[Any] | range) -> Source:
        """The values of some numbers, none of them null, as a column that is worked on piece by piece."""

    def rows(self) -> Source | None:
        """The values of all rows, likewise; `None` where the container cannot be made of pieces."""

    def build(self, results: Any, order: NDArray[Any] | range) -> Any | None:
        """The container with the results of the values of some numbers in the rows that have them."""


def is_worth_numbering(numbered: Numbered) -> bool:
    """Whether the numbers are few enough for something to be kept for each."""
    return numbered.size <= max(len(numbered), _FEW)


def spans_of(rows: int) -> Iterator[tuple[int, int]]:
    """All rows, so many together as are looked at at a time: from one to before another."""
    for first in range(0, rows, _SPAN):
        yield first, min(first + _SPAN, rows)


def rows_of(numbered: Numbered, order: NDArray[Any] | range, positions: Sequence[int]) -> list[int]:
    """The rows whose values are at some positions of an order, ascending."""
    wanted = np.zeros(numbered.size, np.bool_)
    wanted[np.array([order[position] for position in positions], np.intp)] = True
    rows = list[int]()
    for first, last in spans_of(len(numbered)):
        codes, nulls = numbered.numbers(first, last)
        rows += (row_numbers(nulls, np.flatnonzero(wanted.take(codes))) + first).tolist()
    return rows


def order_of(parts: Iterable[NDArray[Any]], size: int) -> NDArray[Any] | range:
    """The numbers that are there, in the order of first appearance, which tells nothing that the rows do not tell.

    A dictionary is often sorted, and tokens in the order of a sorted one would show the order of what they stand for.

    Args:
        parts: A number for each row, a part of the rows after another.
        size: They are from 0 to `size - 1`; not all of them need be there.

    Returns:
        Each number once, of 32 bits where that is enough. A range from 0 on where they are in that order already, which
        then takes no memory for each.

    Example:
        >>> import numpy as np
        >>> order_of([np.array([2, 0]), np.array([2])], 3).tolist(), order_of([np.array([0, 1, 0])], 3)
        ([2, 0], range(0, 2))
    """
    places: NDArray[Any] | None = None  # of each number its place in the order, once that is another one
    found = 0
    for block in _blocks(parts):
        if found == size:
            break
        if places is None:
            highest = np.maximum.accumulate(block)
            before = np.concatenate([[found - 1], np.maximum(highest[:-1], found - 1)])
            if (block <= before + 1).all():
                found = max(found, int(highest[-1]) + 1)
                continue
            places = np.full(size, -1, _number_type(size))
            places[:found] = np.arange(found)
        found = _place_new(places, block, found)
    if places is None:
        return range(found)
    order = np.empty(found, places.dtype)
    for start in range(0, size, _BLOCK):
        part = places[start : start + _BLOCK]
        there = np.flatnonzero(part >= 0)
        order[part[there]] = there + start
    return order


def _blocks(parts: Iterable[NDArray[Any]]) -> Iterator[NDArray[np.int64]]:
    for part in parts:
        for start in range(0, len(part), _BLOCK):
            yield part[start : start + _BLOCK].astype(np.int64, copy=False)


def _place_new(places: NDArray[Any], block: NDArray[np.int64], found: int) -> int:
    """Give the numbers that have no place yet the next ones, and say how many have one now."""
    of_new = block[places.take(block) < 0]
    marks = -2 - np.arange(len(of_new))
    places[of_new[::-1]] = marks[::-1]  # of several rows the first one is written last, and stays
    firsts = of_new[places.take(of_new) == marks]
    places[firsts] = np.arange(found, found + len(firsts))
    return found + len(firsts)


def _number_type(size: int) -> type[np.signedinteger[Any]]:
    return np.int32 if size <= _INT32_MAX else np.int64


def places_of(order: NDArray[Any], size: int) -> NDArray[Any]:
    """The place of each number in an order; of numbers that are not there, 0."""
    places = np.zeros(size, order.dtype)
    for start in range(0, len(order), _BLOCK):
        part = order[start : start + _BLOCK]
        places[part] = np.arange(start, start + len(part))
    return places


def renumber(codes: NDArray[Any], numbers: NDArray[Any]) -> NDArray[Any]:
    """The number that stands at the place of each code; NumPy alone would make wide integers of all codes at once."""
    out = np.empty(len(codes), numbers.dtype)
    for first, last in spans_of(len(codes)):
        out[first:last] = numbers.take(codes[first:last].astype(np.intp, copy=False))
    return out


def in_order(codes: NDArray[Any], size: int) -> tuple[NDArray[Any] | range, NDArray[Any]]:
    """Number anew in the order of first appearance.

    Args:
        codes: For each row a number.
        size: They are from 0 to `size - 1`.

    Returns:
        As `order_of`; and for each row its new number, of 32 bits where that is enough.

    Example:
        >>> import numpy as np
        >>> order, renumbered = in_order(np.array([2, 0, 2]), 3)
        >>> order.tolist(), renumbered.tolist()
        ([2, 0], [0, 1, 0])
    """
    order = order_of([codes], size)
    if isinstance(order, range):
        return order, codes.astype(_number_type(size), copy=False)
    return order, renumber(codes, places_of(order, size))


def some(values: Values, order: NDArray[Any] | range) -> Values:
    """Values at some positions."""
    if isinstance(order, range):
        first, last = order.start, order.stop
        return (
            Ragged(values.data, values.offsets[first : last + 1]) if isinstance(values, Ragged) else values[first:last]
        )
    return values.take(order.astype(np.intp, copy=False)) if isinstance(values, Ragged) else values[order]


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
