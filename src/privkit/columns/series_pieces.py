"""Series of pandas and Polars in pieces: where to cut, and pieces put together without a copy of what they hold.

Series come and go in chunks, so the whole of the pieces is a series of as many chunks. Nothing here imports a library:
whoever has a series hands its module over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.columns import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from privkit.columns.pieces import Cut


def cut_pandas(pd: Any, series: Any) -> Cut | None:
    """How to cut a pandas series and to join its pieces: of Python's objects or texts, or of text or bytes in Arrow."""
    if type(series) is not pd.Series:
        return None
    dtype = series.dtype
    is_object = isinstance(dtype, np.dtype) and dtype.kind == "O"
    if is_object or (isinstance(dtype, pd.StringDtype) and dtype.storage == "python"):
        return pieces.cuts_of_objects(series.to_numpy()), _Objects(pd, series)
    if not isinstance(dtype, pd.ArrowDtype | pd.StringDtype):
        return None
    from privkit.columns.arrow_pieces import cut_arrow  # noqa: PLC0415 it stands on an extra

    def join(parts: list[Any]) -> Any:
        whole = pd.concat(parts, ignore_index=True)
        whole.index, whole.name = series.index, series.name
        return whole

    cut = cut_arrow(series.array.__arrow_array__())
    return cut and (cut[0], _Chunks(join))


def cut_polars(pl: Any, series: Any) -> Cut | None:
    """How to cut a Polars series of text or bytes and to join its pieces."""
    if series.dtype not in (pl.String, pl.Binary):
        return None
    return _cuts_of_polars(pl, series), _Chunks(lambda parts: pl.concat(parts, rechunk=False))


class _Objects:
    """Puts pandas series of Python's objects or texts together, as series of the type that the pieces have."""

    def __init__(self, pd: Any, like: Any) -> None:
        self._pd, self._like, self._rows = pd, like, pieces.ArrayJoin(len(like))
        self._dtype: Any = None

    def add(self, piece: Any) -> None:
        """Take the next piece."""
        self._dtype = piece.dtype
        self._rows.add(piece.to_numpy())

    def finish(self) -> Any:
        """The whole."""
        like, rows = self._like, self._rows.finish()
        return self._pd.Series(rows, index=like.index, name=like.name, dtype=self._dtype, copy=False)


class _Chunks:
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
