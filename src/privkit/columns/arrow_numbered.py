"""Arrow's dictionary arrays in pieces: each value once, or the values of some rows at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit.columns.arrow_buffers import in_chunks, lengths_of, nulls_of, parts_of, plain_numbers
from privkit.columns.arrow_dictionaries import DictionaryJoin, IndexJoin, each_once, is_same, take_values
from privkit.columns.arrow_joins import ArrowJoin, is_joined
from privkit.columns.numbering import places_of, spans_of
from privkit.columns.pieces import Source, cuts_by_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbered_arrow(container: Any) -> ArrowNumbered | None:
    """A dictionary array of text, bytes or integers, chunked or not; `None` for others."""
    if not types.is_dictionary(container.type) or not is_joined(container.type.value_type) or not len(container):
        return None
    parts = [part for part in parts_of(container) if len(part)]
    dictionaries, which = _apart([part.dictionary for part in parts])
    return ArrowNumbered([part.indices for part in parts], dictionaries, which, lengths_of(container))


class ArrowNumbered:
    """A dictionary array, or a chunked one, whose dictionaries are one after another as if they were one.

    Args:
        indices: The numbers of the rows, of one type, a part of the rows after another.
        dictionaries: The values, a part of them after another.
        which: For each of `indices` the position of the dictionary from whose first value on it counts.
        lengths: The chunks of the whole, or `None` for a plain array.
    """

    def __init__(
        self, indices: list[Any], dictionaries: list[Any], which: list[int], lengths: tuple[int, ...] | None
    ) -> None:
        self._indices, self._dictionaries, self._lengths = indices, dictionaries, lengths
        self._type = indices[0].type
        self._bounds = np.cumsum([0, *map(len, self._indices)]).tolist()
        self._rows = int(self._bounds[-1])
        self._starts = np.cumsum([0, *map(len, self._dictionaries)])
        self._own = self._starts[which].tolist()
        self.size = int(self._starts[-1])
        gone = any(dictionary.null_count for dictionary in self._dictionaries)
        self._gone = np.concatenate([nulls_of(each) for each in self._dictionaries]) if gone else None

    def __len__(self) -> int:
        return self._rows

    def numbers(self, first: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """See `Numbered.numbers`; rows whose value is a null of the dictionary are null."""
        codes, nulls = list[Any](), list[Any]()
        for part, before, start in zip(self._indices, self._bounds, self._own, strict=False):
            if before < last and before + len(part) > first:
                rows = part[max(first - before, 0) : last - before]
                codes.append(plain_numbers(rows.drop_null()).astype(np.intp) + start)
                nulls.append(nulls_of(rows))
        found = codes[0] if len(codes) == 1 else np.concatenate(codes)
        missing = nulls[0] if len(nulls) == 1 else np.concatenate(nulls)
        if self._gone is not None:
            gone = self._gone.take(found)
            missing[np.flatnonzero(~missing)[gone]] = True
            found = found[~gone]
        return found, missing if missing.any() else None

    def values(self, order: NDArray[Any] | range) -> Source:
        """See `Numbered.values`."""

        def sample(first: int, last: int, step: int) -> list[Any]:
            found: list[Any] = self._take(np.asarray(order[first:last:step])).to_pylist()
            return found

        rows = len(order)
        return Source(
            rows, cuts_by_sample(rows, sample), lambda first, last: self._take(order[first:last]), ArrowJoin(rows)
        )

    def rows(self) -> Source:
        """See `Numbered.rows`."""
        join = DictionaryJoin(self._rows, self._lengths, self._type)
        return Source(self._rows, cuts_by_sample(self._rows, self._sample), self._cut, join)

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        """See `Numbered.build`."""
        few, merged = each_once(results)
        if isinstance(order, range) and merged is None and len(self._dictionaries) == 1 and self._gone is None:
            return self._over(few)
        places = None if isinstance(order, range) else places_of(order, self.size)
        if merged is not None:
            places = merged if places is None else merged.take(places)
        join = IndexJoin(self._rows, self._type)
        for first, last in spans_of(self._rows):
            codes, nulls = self.numbers(first, last)
            join.add(codes if places is None else places.take(codes), nulls)
        return in_chunks(pa.DictionaryArray.from_arrays(join.finish(), few, safe=False), self._lengths)

    def _over(self, values: Any) -> Any:
        """The numbers of the rows as they are, shared, over other values; with the empty chunks among the lengths."""
        if self._lengths is None:
            return pa.DictionaryArray.from_arrays(self._indices[0], values, safe=False)
        parts, none = iter(self._indices), self._indices[0].slice(0, 0)
        chunks = [next(parts) if length else none for length in self._lengths]
        return pa.chunked_array([pa.DictionaryArray.from_arrays(chunk, values, safe=False) for chunk in chunks])

    def _sample(self, first: int, last: int, step: int) -> list[Any]:
        codes, _ = self.numbers(first, last)
        found: list[Any] = self._take(codes[::step]).to_pylist()
        return found or [None]

    def _cut(self, first: int, last: int) -> Any:
        codes, nulls = self.numbers(first, last)
        dense = self._take(codes)
        return dense if nulls is None else take_values(dense, np.arange(len(dense)), nulls)

    def _take(self, numbers: NDArray[Any] | range) -> Any:
        """The values of some numbers; those of a range in a single dictionary as they lie there."""
        if isinstance(numbers, range) and len(self._dictionaries) == 1:
            return self._dictionaries[0].slice(numbers.start, len(numbers))
        numbers = np.asarray(numbers, np.intp)
        if len(self._dictionaries) == 1:
            return take_values(self._dictionaries[0], numbers)
        which = np.searchsorted(self._starts, numbers, "right") - 1
        turns = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(numbers)]
        parts = [
            take_values(self._dictionaries[which[first]], numbers[first:last] - self._starts[which[first]])
            for first, last in pairwise(turns)
            if last > first
        ]
        return pa.concat_arrays(parts or [self._dictionaries[0].slice(0, 0)])


def _apart(dictionaries: list[Any]) -> tuple[list[Any], list[int]]:
    """The dictionaries that differ from the one before, and for each the position of its own."""
    apart, which = list[Any](), list[int]()
    for dictionary in dictionaries:
        if not apart or not is_same(apart[-1], dictionary):
            apart.append(dictionary)
        which.append(len(apart) - 1)
    return apart, which
