"""pandas' categories and dictionaries in Arrow, each value once or the values of some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from privkit.columns.numbering import spans_of
from privkit.columns.optional import arrow_module
from privkit.columns.pandas_series import as_categories
from privkit.columns.pieces import Source, cuts_by_sample
from privkit.columns.series_pieces import join_pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns.numbering import Numbered


def numbered_pandas(series: Any) -> Numbered | None:
    """A categorical series, or a dictionary in Arrow; `None` for others, and for one without rows."""
    if type(series) is not pd.Series or not len(series):
        return None
    if isinstance(series.dtype, pd.CategoricalDtype):
        join = join_pandas(pd, series.dtype.categories[:0], pd.RangeIndex(0))
        return None if join is None else _Categories(series)
    if isinstance(series.dtype, pd.ArrowDtype) and arrow_module() is not None:
        from privkit.columns.arrow_numbered import numbered_arrow  # noqa: PLC0415 it stands on an extra

        inner = numbered_arrow(series.array.__arrow_array__())
        return None if inner is None else _Dictionary(series, inner)
    return None


class _Categories:
    def __init__(self, series: Any) -> None:
        self._series, self._codes = series, series.array.codes
        self._names = series.dtype.categories
        self.size = len(self._names)

    def __len__(self) -> int:
        return len(self._codes)

    def numbers(self, first: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        codes = self._codes[first:last].astype(np.intp)
        nulls = codes < 0
        return (codes[~nulls], nulls) if nulls.any() else (codes, None)

    def values(self, order: NDArray[Any] | range) -> Source:
        rows = len(order)

        def cut(first: int, last: int) -> Any:
            some = order[first:last]
            names = self._names[some.start : some.stop] if isinstance(some, range) else self._names.take(some)
            return pd.Series(names, index=pd.RangeIndex(len(names)))

        def sample(first: int, last: int, step: int) -> list[Any]:
            found: list[Any] = self._names.take(np.asarray(order[first:last:step], np.intp)).tolist()
            return found

        join = join_pandas(pd, self._names, pd.RangeIndex(rows))
        assert join is not None  # noqa: S101 for the type checker: asked before
        return Source(rows, cuts_by_sample(rows, sample), cut, join)

    def rows(self) -> Source | None:
        return None  # whose categories are in an order that all results decide

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        few = as_categories(self._series.dtype, results.array)
        final = np.full(self.size + 1, -1, few.codes.dtype)  # the last one is that of null
        final[np.asarray(order, np.intp)] = few.codes
        codes = np.empty(len(self), few.codes.dtype)
        for first, last in spans_of(len(self)):
            codes[first:last] = final.take(self._codes[first:last])
        array = pd.Categorical.from_codes(codes, dtype=few.dtype, validate=False)
        return pd.Series(array, index=self._series.index, name=self._series.name, copy=False)


class _Dictionary:
    """A dictionary in Arrow, which comes back as a series."""

    def __init__(self, series: Any, inner: Any) -> None:
        self._series, self._inner, self.size = series, inner, inner.size

    def __len__(self) -> int:
        return len(self._inner)

    def numbers(self, first: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        found: tuple[NDArray[np.intp], NDArray[np.bool_] | None] = self._inner.numbers(first, last)
        return found

    def values(self, order: NDArray[Any] | range) -> Source:
        source: Source = self._inner.values(order)
        return source

    def rows(self) -> Source:
        source = self._inner.rows()
        return Source(source.rows, source.cuts, source.cut, _Wrapped(source.join, self._series_of))

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        return self._series_of(self._inner.build(results, order))

    def _series_of(self, built: Any) -> Any:
        array = pd.ArrowDtype(built.type).__from_arrow__(built)
        return pd.Series(array, index=self._series.index, name=self._series.name, copy=False)


class _Wrapped:
    def __init__(self, join: Any, wrap: Any) -> None:
        self._join, self._wrap = join, wrap
        self.add = join.add

    def finish(self) -> Any | None:
        built = self._join.finish()
        return None if built is None else self._wrap(built)
