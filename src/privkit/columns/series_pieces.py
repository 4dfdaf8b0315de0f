"""Series of pandas and Polars in pieces: where to cut, and pieces put together without a copy of what they hold.

Series come and go in chunks, so the whole of the pieces is a series of as many chunks. Nothing here imports a library:
whoever has a series hands its module over.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.columns import pieces
from privkit.columns.pieces import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from privkit.columns.pieces import Join

_INTEGER: Final = 8


def cut_pandas(pd: Any, series: Any) -> Source | None:
    """How to cut a pandas series and to join its pieces: of Python's objects, texts, integers, or of these in Arrow."""
    join = join_pandas(pd, series, series.index) if type(series) is pd.Series else None
    if join is None:
        return None
    cut = partial(pieces.slice_of, series)
    if isinstance(join, Chunks):
        from privkit.columns.arrow_pieces import cut_arrow  # noqa: PLC0415 it stands on an extra

        inner = cut_arrow(series.array.__arrow_array__())
        return inner and Source(len(series), inner.cuts, cut, join)
    of_objects = isinstance(join, _Objects) and series.dtype.kind == "O"
    cuts = pieces.cuts_of_objects(series.to_numpy()) if of_objects else pieces.cuts_of_width(len(series), _INTEGER)
    return Source(len(series), cuts, cut, join)


def join_pandas(pd: Any, like: Any, index: Any) -> Join | None:
    """What puts series of the type of one together to a series of its name and of some index."""
    dtype = like.dtype
    if (isinstance(dtype, np.dtype) and dtype.kind in "Oiu") or (
        isinstance(dtype, pd.StringDtype) and dtype.storage == "python"
    ):
        return _Objects(pd, index, like.name)
    if isinstance(dtype, pd.ArrowDtype | pd.StringDtype):

        def join(parts: list[Any]) -> Any:
            whole = pd.concat(parts, ignore_index=True)
            whole.index, whole.name = index, like.name
            return whole

        return Chunks(join)
    if getattr(dtype, "kind", "") in {"i", "u"} and hasattr(dtype, "numpy_dtype"):
        return _Masked(pd, index, like.name)
    return None


def cut_polars(pl: Any, series: Any) -> Source | None:
    """How to cut a Polars series of text, bytes or integers and to join its pieces."""
    if series.dtype in (pl.String, pl.Binary):
        cuts = _cuts_of_polars(pl, series)
    elif series.dtype.is_integer():
        cuts = pieces.cuts_of_width(len(series), _INTEGER)
    else:
        return None
    return Source(
        len(series), cuts, partial(pieces.slice_of, series), Chunks(lambda parts: pl.concat(parts, rechunk=False))
    )


class _Objects:
    """Puts pandas series of Python's objects, texts or integers together, of the type that the pieces have."""

    def __init__(self, pd: Any, index: Any, name: Any) -> None:
        self._pd, self._index, self._name, self._rows = pd, index, name, pieces.ArrayJoin(len(index))
        self._dtype: Any = None

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._dtype = piece.dtype
        self._rows.add(piece.to_numpy())

    def finish(self) -> Any:
        """The whole."""
        rows = self._rows.finish()
        return self._pd.Series(rows, index=self._index, name=self._name, dtype=self._dtype, copy=False)


class _Masked:
    """Puts pandas series of integers that may be null together."""

    def __init__(self, pd: Any, index: Any, name: Any) -> None:
        self._pd, self._index, self._name = pd, index, name
        self._numbers, self._nulls = pieces.ArrayJoin(len(index)), pieces.ArrayJoin(len(index))

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._numbers.add(piece.array.to_numpy(piece.dtype.numpy_dtype, na_value=0))
        self._nulls.add(piece.isna().to_numpy())

    def finish(self) -> Any:
        """The whole."""
        array = self._pd.arrays.IntegerArray(self._numbers.finish(), self._nulls.finish())
        return self._pd.Series(array, index=self._index, name=self._name, copy=False)


class Chunks:
    """Puts series together that may have chunks."""

    def __init__(self, join: Callable[[list[Any]], Any]) -> None:
        self._join, self._parts = join, list[Any]()

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._parts.append(piece)

    def finish(self) -> Any:
        """The whole."""
        return self._join(self._parts)


def _cuts_of_polars(pl: Any, series: Any) -> Iterator[tuple[int, int]]:
    first = 0
    while first < len(series):
        some = series.slice(first, pieces.PIECE_ROWS)
        sizes = some.str.len_bytes() if series.dtype == pl.String else some.bin.size()
        ends = np.cumsum(sizes.fill_null(0).to_numpy(), dtype=np.int64)
        last = first + max(int(np.searchsorted(ends, pieces.PIECE_BYTES, "right")), 1)
        yield first, last
        first = last
