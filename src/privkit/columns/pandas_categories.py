"""pandas' categories: made of values of which each is there once, in the order in which rows have them.

To hand categories to pandas as anyone does lets it build a hash table of them, a hundred bytes for each, which stays.
So whether they differ is found out here, in groups (`equals`), and pandas is told by `CategoricalDtype._from_fastpath`,
as it tells itself.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from privkit.columns import equals, pieces
from privkit.columns.equals import count_own, first_equals, number_own
from privkit.columns.numbering import renumber
from privkit.columns.series_pieces import join_pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD: Final = 1000


def as_categories(dtype: Any, array: Any) -> Any:
    """Categories again: the old ones, with their order, where they hold all values."""
    codes, names = pd.factorize(array)
    return categorical(dtype, codes, pd.Index(names, dtype=names.dtype, copy=False))


def categorical(dtype: Any, codes: NDArray[Any], names: Any) -> Any:
    """A categorical array of numbers and the values that they are of: of the old type, where that holds all values.

    Args:
        dtype: The old type.
        codes: For each row the number of its value, -1 where it is null.
        names: The values as an index, each once and none null; some may be in no row.
    """
    if _holds(dtype.categories, names):
        places = np.append(pd.Categorical(names, dtype=dtype).codes, np.int8(-1))  # the last one is that of null
        return pd.Categorical.from_codes(renumber(codes, places), dtype=dtype, validate=False)
    of = pd.CategoricalDtype._from_fastpath(names, ordered=False)  # noqa: SLF001 what is public keeps a hash table
    return pd.Categorical.from_codes(codes, dtype=of, validate=False)


def _holds(known: Any, names: Any) -> bool:
    """Whether all of some values are known; mostly the first ones show that they are not."""
    missing = set(names[:_HEAD].tolist())
    for first, last in pieces.cuts_of_rows(len(known), equals.GROUP):
        missing.difference_update(known[first:last].tolist())
    return not missing and (len(names) <= _HEAD or set(known.tolist()).issuperset(names.tolist()))


def each_once(results: Any) -> tuple[Any, NDArray[Any] | None]:
    """The values of a series without those that equal one before, as `arrow_dictionaries.each_once`."""
    array = results.array
    firsts = first_equals(len(array), partial(_listed, array), partial(_numbers_among, array))
    if firsts is None:
        return array, None
    join = join_pandas(pd, results, pd.RangeIndex(count_own(firsts)))
    assert join is not None  # noqa: S101 for the type checker: what is no text, bytes or integers has not come here
    for first, last, rows in number_own(firsts):
        join.add(results.iloc[first:last].iloc[rows])
    whole: Any = join.finish()
    return whole.array, firsts


def _listed(array: Any, first: int, last: int) -> list[Any]:
    found: list[Any] = array[first:last].tolist()
    return found


def _numbers_among(array: Any, rows: NDArray[np.intp]) -> NDArray[Any] | None:
    numbers, seen = _number(array.take(rows).tolist(), {})
    return None if len(seen) == len(rows) else numbers


def _number(values: list[Any], seen: dict[Any, int]) -> tuple[NDArray[np.intp], dict[Any, int]]:
    """The numbers of values, and the values that have one, to which those join that had none."""
    return np.fromiter((seen.setdefault(value, len(seen)) for value in values), np.intp, len(values)), seen


class CategoriesJoin:
    """Puts series of values together as categories, each value once.

    Args:
        like: The series of categories whose type, index and name the whole has.
    """

    def __init__(self, like: Any) -> None:
        self._like, self._codes, self._filled = like, np.full(len(like), -1, np.int32), 0
        self._runs, self._before = list[Any](), 0  # what is done, and how many values that is
        self._run = dict[Any, int]()  # values that those of the next piece are still compared with
        self._dtype: Any = None

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._dtype = piece.dtype
        for first, last in pieces.cuts_of_rows(len(piece), equals.GROUP):
            rows = piece.iloc[first:last]
            there = rows.notna().to_numpy()
            numbers, _ = _number(rows.array[there].tolist(), self._run)
            self._codes[self._filled : self._filled + len(rows)][there] = numbers + self._before
            self._filled += len(rows)
            if 2 * len(self._run) > equals.GROUP:
                self._end_run()  # few of many values would be found again so soon

    def _end_run(self) -> None:
        self._runs.append(pd.Series(list(self._run), dtype=self._dtype))
        self._before += len(self._run)
        self._run = {}

    def finish(self) -> Any:
        """The whole."""
        self._end_run()
        join = join_pandas(pd, self._runs[0], pd.RangeIndex(self._before))
        assert join is not None  # noqa: S101 for the type checker, as above
        for run in self._runs:
            join.add(run)
        names, merged = each_once(join.finish())
        if merged is not None:
            self._codes = renumber(self._codes, np.append(merged, merged.dtype.type(-1)))
        return series_of(self._like, self._codes, names)


def series_of(like: Any, codes: NDArray[Any], names: Any) -> Any:
    """A series of categories as another one is, of numbers and an array of values."""
    array = categorical(like.dtype, codes, pd.Index(names, dtype=names.dtype, copy=False))
    return pd.Series(array, index=like.index, name=like.name, copy=False)
