"""Polars' categories and enumerations in pieces: each value once, or the values of some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from privkit.columns.numbering import places_of, spans_of
from privkit.columns.optional import arrow_module
from privkit.columns.pieces import Source, cuts_by_sample
from privkit.columns.polars_series import NUMPY, PolarsHome, of_physical
from privkit.columns.series_pieces import Chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbered_polars(series: Any) -> PolarsNumbered | None:
    """A categorical or enumerated series; `None` for others, and where all rows are null."""
    if series.dtype not in (pl.Categorical, pl.Enum) or series.null_count() == len(series):
        return None
    return PolarsNumbered(series)


class PolarsNumbered:
    """A series of categories, whose numbers may be of all that the process has seen."""

    def __init__(self, series: Any) -> None:
        self._series, self._physical = series, series.to_physical()
        self._home = PolarsHome(series.dtype, series.name)
        self.size = int(self._physical.max()) + 1

    def __len__(self) -> int:
        return len(self._series)

    def numbers(self, first: int, last: int) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """See `Numbered.numbers`."""
        rows = self._physical.slice(first, last - first)
        nulls = rows.is_null().to_numpy() if rows.null_count() else None
        return rows.drop_nulls().to_numpy().astype(np.intp), nulls

    def values(self, order: NDArray[Any] | range) -> Source:
        """See `Numbered.values`."""

        def cut(first: int, last: int) -> Any:
            return self._texts(order[first:last])

        def sample(first: int, last: int, step: int) -> list[Any]:
            found: list[Any] = self._texts(order[first:last:step]).to_list()
            return found

        return Source(len(order), cuts_by_sample(len(order), sample), cut, Chunks(_concat))

    def rows(self) -> Source | None:
        """See `Numbered.rows`; without Arrow nobody knows all values of an enumeration before its rows."""
        enumerated = self._series.dtype == pl.Enum
        if enumerated and arrow_module() is None:
            return None

        def cut(first: int, last: int) -> Any:
            return self._series.slice(first, last - first).cast(pl.String)

        def sample(first: int, last: int, step: int) -> list[Any]:
            found: list[Any] = self._series[first:last:step].to_list()
            return found

        join = _Values(self._home, len(self)) if enumerated else _Categories(self._series.dtype)
        return Source(len(self), cuts_by_sample(len(self), sample), cut, join)

    def build(self, results: Any, order: NDArray[Any] | range) -> Any:
        """See `Numbered.build`."""
        few = self._home.categories(results)
        places = None if isinstance(order, range) else places_of(order, self.size)
        parts = []
        for first, last in spans_of(len(self)):
            codes, nulls = self.numbers(first, last)
            parts.append(few.gather(self._home.spread(codes if places is None else places.take(codes), nulls)))
        return _concat(parts).rename(self._series.name)

    def _texts(self, numbers: NDArray[Any] | range) -> Any:
        physical = np.asarray(numbers).astype(NUMPY[self._physical.dtype.base_type()])
        return of_physical(self._series.dtype, physical).cast(pl.String)


class _Categories(Chunks):
    """Puts texts together as categories, piece by piece: the texts are let go of."""

    def __init__(self, dtype: Any) -> None:
        super().__init__(_concat)
        self._dtype = dtype

    def add(self, piece: Any) -> None:
        super().add(piece.cast(self._dtype))


class _Values:
    """Puts texts together as an enumeration, by way of a dictionary in Arrow."""

    def __init__(self, home: PolarsHome, rows: int) -> None:
        import pyarrow as pa  # noqa: PLC0415 it stands on an extra

        from privkit.columns.arrow_dictionaries import DictionaryJoin  # noqa: PLC0415 likewise

        self._home, self._join = home, DictionaryJoin(rows, None, pa.uint8())

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._join.add(piece.to_arrow())

    def finish(self) -> Any:
        """The whole."""
        whole: Any = self._join.finish()  # of texts alone, so that there is one
        few = self._home.categories(pl.Series(whole.dictionary))
        codes = pl.Series(whole.indices)
        parts = [few.gather(codes.slice(first, last - first)) for first, last in spans_of(len(codes))]
        return _concat(parts).rename(self._home.name)


def _concat(parts: list[Any]) -> Any:
    return pl.concat(parts, rechunk=False)
