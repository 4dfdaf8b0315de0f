"""pandas' categories and dictionaries in Arrow, each value once or the values of some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from privkit.columns.numbering import spans_of
from privkit.columns.optional import arrow_module
from privkit.columns.pandas_categories import CategoriesJoin, each_once, series_of
from privkit.columns.pieces import Source, cuts_by_sample
from privkit.columns.series_pieces import join_pandas

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.columns.numbering import Numbered


def numbered_pandas(series: Any) -> Numbered | None:
    """A categorical series, or a dictionary in Arrow; `None` for others, and for one without rows."""
    if type(series) is not pd.Series or not len(series):
        return None
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _categories(series)
    if isinstance(series.dtype, pd.ArrowDtype) and arrow_module() is not None:
        from privkit.columns.arrow_numbered import numbered_arrow  # noqa: PLC0415 it stands on an extra

        inner = numbered_arrow(series.array.__arrow_array__())
        return None if inner is None else _InArrow(inner, lambda built: _dictionary(series, built))
    return None


def _categories(series: Any) -> Numbered | None:
    names = series.dtype.categories
    if len(names) and (isinstance(names.dtype, pd.ArrowDtype) or getattr(names.dtype, "storage", "") == "pyarrow"):
        from privkit.columns.arrow_categories import numbered_categories, of_arrow  # noqa: PLC0415 likewise

        inner = numbered_categories(series)
        return None if inner is None else _InArrow(inner, lambda built: of_arrow(series, built))
    join = join_pandas(pd, names[:0], pd.RangeIndex(0))
    return None if join is None else _Categories(series)


class _Categories:
    """Categories that are objects or numbers, or texts without Arrow."""

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
        def cut(first: int, last: int) -> Any:
            return pd.Series(self._names.array.take(self._codes[first:last].astype(np.intp), allow_fill=True))

        def sample(first: int, last: int, step: int) -> list[Any]:
            codes = self._codes[first:last:step]
            found: list[Any] = self._names.take(codes[codes >= 0]).tolist()
            return found or [None]

        if self._names.dtype.kind in "iu" and isinstance(self._names.dtype, np.dtype):
            return None  # which have no null
        return Source(len(self), cuts_by_sample(len(self), sample), cut, CategoriesJoin(self._series))

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        names, merged = each_once(results)
        of = np.min_scalar_type(-max(len(names), 1))
        final = np.full(self.size + 1, -1, of)  # the last one is that of null
        final[np.asarray(order, np.intp)] = np.arange(len(order), dtype=of) if merged is None else merged
        codes = np.empty(len(self), of)
        for first, last in spans_of(len(self)):
            codes[first:last] = final.take(self._codes[first:last])
        return series_of(self._series, codes, names)


class _InArrow:
    """What is a dictionary in Arrow, and comes back as a series."""

    def __init__(self, inner: Any, wrap: Callable[[Any], Any]) -> None:
        self._inner, self._wrap, self.size = inner, wrap, inner.size

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
        return Source(source.rows, source.cuts, source.cut, _Wrapped(source.join, self._wrap))

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        return self._wrap(self._inner.build(results, order))


def _dictionary(series: Any, built: Any) -> Any:
    array = pd.ArrowDtype(built.type).__from_arrow__(built)
    return pd.Series(array, index=series.index, name=series.name, copy=False)


class _Wrapped:
    def __init__(self, join: Any, wrap: Any) -> None:
        self._join, self._wrap = join, wrap
        self.add = join.add

    def finish(self) -> Any | None:
        built = self._join.finish()
        return None if built is None else self._wrap(built)
