"""Dictionary arrays made of pieces: numbers, and values of which each is there once.

Which values are equal is asked of Arrow's hash table, which takes some fifty bytes for each. So where values are many
they are looked at in groups; see `equals`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit.columns import equals, pieces
from privkit.columns.arrow_buffers import (
    INT32_MAX,
    in_chunks,
    is_view,
    nulls_of,
    number_array,
    plain_numbers,
    take_text,
)
from privkit.columns.arrow_joins import ArrowJoin, Validity, is_joined, views_of
from privkit.columns.equals import count_own, first_equals, number_own

if TYPE_CHECKING:
    from numpy.typing import NDArray


class IndexJoin:
    """The numbers of the rows of a dictionary array, in its type unless that does not reach.

    Args:
        rows: How many rows there are; they come in parts of which only the last may be no multiple of eight.
        of: The type of integers.
    """

    def __init__(self, rows: int, of: Any) -> None:
        self._of = np.dtype(of.to_pandas_dtype())
        self._numbers = np.zeros(rows, self._of)
        self._valid = Validity(rows)
        self._filled = 0

    def add(self, numbers: NDArray[Any], nulls: NDArray[np.bool_] | None) -> None:
        """Take the numbers of the next rows that are not null, and which rows are."""
        highest = int(numbers.max()) if len(numbers) else 0
        if highest > np.iinfo(self._numbers.dtype).max:
            self._numbers = self._numbers.astype(np.int32 if highest <= INT32_MAX else np.int64)
        rows = len(numbers) if nulls is None else len(nulls)
        part = self._numbers[self._filled : self._filled + rows]
        part[slice(None) if nulls is None else ~nulls] = numbers
        if nulls is not None:
            self._valid.put(self._filled, nulls)
        self._filled += rows

    def replace(self, numbers: NDArray[Any]) -> None:
        """Put another number, no greater one, in the place of each number; they may fit the type again then."""
        given = self._numbers
        if given.dtype != self._of and int(numbers.max()) <= np.iinfo(self._of).max:
            self._numbers = np.empty(len(given), self._of)
        for first, last in pieces.cuts_of_rows(len(given), pieces.PIECE_ROWS):
            self._numbers[first:last] = numbers.take(given[first:last].astype(np.intp))

    def finish(self) -> Any:
        """The array."""
        buffers = [self._valid.buffer(), pa.py_buffer(self._numbers)]
        return pa.Array.from_buffers(pa.from_numpy_dtype(self._numbers.dtype), len(self._numbers), buffers)


class DictionaryJoin:
    """Puts arrays of values together to a dictionary array in which each value is once.

    Args:
        rows: How many rows the whole has.
        lengths: The chunks of the whole, or `None` for a plain array.
        of: The type of its numbers, unless there are more values than that can number.
    """

    def __init__(self, rows: int, lengths: tuple[int, ...] | None, of: Any) -> None:
        self._lengths, self._indices = lengths, IndexJoin(rows, of)
        self._runs, self._run_count, self._before = ArrowJoin(None), 0, 0  # what is done, and how many values that is
        self._run: Any = None  # values that those of the next piece are still compared with
        self._even = True

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        if self._run is None:
            self._run = piece.slice(0, 0)
        self._even = self._even and piece.type == self._run.type
        if not self._even:
            return
        for first, last in pieces.cuts_of_rows(len(piece), equals.GROUP):
            self._add_group(piece.slice(first, last - first))

    def _add_group(self, rows: Any) -> None:
        known = len(self._run)
        encoded = pa.concat_arrays([self._run, rows]).dictionary_encode()
        numbers, self._run = encoded.indices.slice(known), encoded.dictionary
        nulls = nulls_of(numbers) if numbers.null_count else None
        self._indices.add(plain_numbers(numbers.drop_null()).astype(np.intp) + self._before, nulls)
        if 2 * len(self._run) > equals.GROUP or self._run.nbytes > pieces.PIECE_BYTES:
            self._end_run()  # few of many values would be found again so soon

    def _end_run(self) -> None:
        self._runs.add(self._run)
        self._before += len(self._run)
        self._run_count += 1
        self._run = self._run.slice(0, 0)

    def finish(self) -> Any | None:
        """The whole, or nothing where its pieces do not say what it is."""
        if not self._even:
            return None
        if len(self._run) or not self._run_count:
            self._end_run()
        values = self._runs.finish()
        if self._run_count > 1:
            values, numbers = each_once(values)
            if numbers is not None:
                self._indices.replace(numbers)
        return in_chunks(pa.DictionaryArray.from_arrays(self._indices.finish(), values, safe=False), self._lengths)


def encode(values: Any, nulls: NDArray[np.bool_] | None, of: Any) -> Any:
    """A dictionary array of values and nulls between them.

    Args:
        values: None of them null; where there are many and hardly one repeats they are the dictionary, uncopied.
        nulls: Which rows are null.
        of: The type of the numbers, unless there are more values than that can number.
    """
    head = values.slice(0, equals.GROUP if is_joined(values.type) else len(values)).dictionary_encode()
    if len(head) == len(values):
        few, numbers = head.dictionary, plain_numbers(head.indices)
    elif 2 * len(head.dictionary) > equals.GROUP:
        few, merged = each_once(values)
        numbers = np.arange(len(values), dtype=np.int32) if merged is None else merged
    else:
        join = DictionaryJoin(len(values), None, pa.int32())
        join.add(values)
        whole: Any = join.finish()
        few, numbers = whole.dictionary, plain_numbers(whole.indices)
    indices = number_array(numbers, nulls).cast(index_type(few, of))
    return pa.DictionaryArray.from_arrays(indices, few, safe=False)


def index_type(dictionary: Any, of: Any) -> Any:
    """The type for the indices of a dictionary: the one given, or 32 bits where it does not reach."""
    return of if len(dictionary) - 1 <= int(np.iinfo(of.to_pandas_dtype()).max) else pa.int32()


def each_once(values: Any) -> tuple[Any, NDArray[Any] | None]:
    """Values without those that equal one before.

    Returns:
        The values; and for each position the number of its value among them, or `None` where no two are equal.
    """
    if len(values) <= equals.GROUP:
        encoded = values.dictionary_encode()
        few = len(encoded.dictionary) < len(values)
        return (encoded.dictionary, plain_numbers(encoded.indices)) if few else (values, None)
    firsts = first_equals(len(values), partial(_listed, values), partial(_numbers_among, values))
    if firsts is None:
        return values, None
    join = ArrowJoin(count_own(firsts))
    for first, last, rows in number_own(firsts):
        join.add(take_values(values.slice(first, last - first), rows))
    return join.finish(), firsts


def _listed(values: Any, first: int, last: int) -> list[Any]:
    part = values.slice(first, last - first)
    return plain_numbers(part).tolist() if types.is_integer(part.type) else take_text(part).to_list()


def _numbers_among(values: Any, rows: NDArray[np.intp]) -> NDArray[Any] | None:
    encoded = take_values(values, rows).dictionary_encode()
    return None if len(encoded.dictionary) == len(rows) else plain_numbers(encoded.indices)


def take_values(array: Any, rows: NDArray[np.intp], nulls: NDArray[np.bool_] | None = None) -> Any:
    """Some rows of an array, which has no nulls, and nulls between them; Arrow itself takes none of views."""
    if not is_view(array.type):
        return array.take(number_array(rows, nulls))
    views = np.zeros((len(rows) if nulls is None else len(nulls), 4), np.int32)
    views[slice(None) if nulls is None else ~nulls] = views_of(array)[rows]
    valid = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(array.type, len(views), [valid, pa.py_buffer(views), *array.buffers()[2:]])


def is_same(one: Any, other: Any) -> bool:
    """Whether two arrays are equal, which needs no look at values where they are the same memory."""
    if (len(one), one.offset) != (len(other), other.offset):
        return len(one) == len(other) and bool(one.equals(other))
    places = [[buffer and buffer.address for buffer in array.buffers()] for array in (one, other)]
    return places[0] == places[1] or bool(one.equals(other))
