"""Columns worked on piece by piece, so that what it takes beside input and output does not grow with their rows.

Pieces are large enough that vectorised work costs no more, and so short that two threads which both hold the
interpreter's lock while they read and make Python's objects seldom do so at the same time.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar, cast

import numpy as np

from privkit.errors import PrivkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

C = TypeVar("C")

PIECE_ROWS: Final = 1 << 18
PIECE_BYTES: Final = 1 << 23
_SAMPLE: Final = 64
_LEAST_ROWS: Final = 64


Cut: TypeAlias = "tuple[Iterator[tuple[int, int]], Join]"
"""The first rows of pieces and those after their last, and what puts the pieces together."""


class Join(Protocol):
    """Puts pieces of one family of container together."""

    def add(self, piece: Any) -> None:
        """Take the next piece."""

    def finish(self) -> Any:
        """The whole."""


def by_pieces(work: Callable[..., Any], container: C, beside: Sequence[object] = ()) -> C:
    """Do work on a column that takes each row for itself, a piece at a time.

    Lists, tuples, NumPy arrays, text and bytes of Arrow and Polars, and pandas' of objects, texts or in Arrow are cut;
    what else there is, is worked on whole. So is, once more, a column of which a piece is refused, since the error
    names all rows that are.

    Args:
        work: From a container, and what is beside it, to a container of the same family and as many rows.
        container: The column.
        beside: What else the work takes: `bytes` for all rows, or columns of as many rows, which are cut likewise.

    Returns:
        What `work` makes of the whole column.

    Example:
        >>> from privkit.columns.pieces import by_pieces
        >>> by_pieces(lambda rows, tail: [row + tail for row in rows], [b"a", b"b"], [b"!"])
        [b'a!', b'b!']
    """
    try:
        done = _in_pieces(work, container, beside)
    except PrivkitError:
        done = None  # and not raised here, where the error would name the rows of a piece
    return cast("C", work(container, *beside) if done is None else done)


def _in_pieces(work: Callable[..., Any], container: Any, beside: Sequence[object]) -> Any | None:
    """Do the work, or nothing where the column is not to be cut."""
    found = _family(container)
    if found is None:
        return None
    cuts, join = found
    columns = [column for column in beside if not isinstance(column, bytes)]
    if any(_rows(column) != len(container) for column in columns):
        return None
    for first, last in cuts:
        if last - first == len(container):
            return None
        others = [column if isinstance(column, bytes) else _cut(column, first, last) for column in beside]
        join.add(work(_cut(container, first, last), *others))
    return join.finish() if len(container) else None


def _family(container: Any) -> Cut | None:
    if isinstance(container, list | tuple):
        return cuts_of_objects(container), _ListJoin(list if isinstance(container, list) else tuple)
    return _cut_array(container) if isinstance(container, np.ndarray) else _cut_optional(container)


def _cut_array(array: NDArray[Any]) -> Cut | None:
    if type(array) is not np.ndarray or array.ndim != 1:
        return None
    if array.dtype == object:
        return cuts_of_objects(array), ArrayJoin(len(array))
    rows = max(min(PIECE_BYTES // max(array.itemsize, 1), PIECE_ROWS), _LEAST_ROWS)
    return _cuts_of_rows(len(array), rows), ArrayJoin(len(array))


def _cut_optional(container: Any) -> Cut | None:
    """How to cut a container of an optional library, recognised where the caller has imported that."""
    if (pa := sys.modules.get("pyarrow")) and isinstance(container, pa.Array | pa.ChunkedArray):
        from privkit.columns.arrow_pieces import cut_arrow  # noqa: PLC0415 it stands on an extra

        return cut_arrow(container)
    if (pd := sys.modules.get("pandas")) and isinstance(container, pd.Series):
        from privkit.columns.series_pieces import cut_pandas  # noqa: PLC0415 it stands on this

        return cut_pandas(pd, container)
    if (pl := sys.modules.get("polars")) and isinstance(container, pl.Series):
        from privkit.columns.series_pieces import cut_polars  # noqa: PLC0415 it stands on this

        return cut_polars(pl, container)
    return None


def _rows(column: Any) -> int | None:
    """How many rows a column has, or `None` where it is nothing to cut."""
    if isinstance(column, np.ndarray):
        return len(column) if column.ndim == 1 else None
    return (
        len(column) if isinstance(column, list | tuple) or hasattr(column, "iloc") or hasattr(column, "slice") else None
    )


def _cut(column: Any, first: int, last: int) -> Any:
    if isinstance(column, list | tuple | np.ndarray):
        return column[first:last]
    if hasattr(column, "iloc"):
        return column.iloc[first:last]
    return column.slice(first, last - first)


def _cuts_of_rows(rows: int, most: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, most):
        yield first, min(first + most, rows)


def cuts_of_objects(objects: Any) -> Iterator[tuple[int, int]]:
    """Cut by the lengths of some objects of each piece: to ask all of them takes as long as to read them."""
    first = 0
    while first < len(objects):
        last = min(first + PIECE_ROWS, len(objects))
        some = objects[first : last : max((last - first) // _SAMPLE, 1)]
        mean = sum(len(each) for each in some if isinstance(each, str | bytes)) // len(some) + 1
        last = min(last, first + max(PIECE_BYTES // mean, _LEAST_ROWS))
        yield first, last
        first = last


class _ListJoin:
    def __init__(self, make: type[Any]) -> None:
        self._make, self._rows = make, list[Any]()

    def add(self, piece: Sequence[Any]) -> None:
        self._rows += piece

    def finish(self) -> Any:
        return self._rows if self._make is list else tuple(self._rows)


class ArrayJoin:
    """Puts arrays together: the first says what the whole holds, which is converted where a later one needs more."""

    def __init__(self, rows: int) -> None:
        self._rows, self._filled = rows, 0
        self._whole: NDArray[Any] | None = None

    def add(self, piece: NDArray[Any]) -> None:
        """Take the next piece."""
        if self._whole is None:
            self._whole = np.empty(self._rows, piece.dtype)
        elif piece.dtype != self._whole.dtype:
            self._whole = self._whole.astype(np.result_type(self._whole, piece), copy=False)
        self._whole[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)

    def finish(self) -> NDArray[Any] | None:
        """The whole."""
        return self._whole
