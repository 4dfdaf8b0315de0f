"""Columns worked on piece by piece, so that what it takes beside input and output does not grow with their rows.

Pieces are large enough that vectorised work costs no more, and so short that two threads which both hold the
interpreter's lock while they read and make Python's objects seldom do so at the same time.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

import numpy as np

from privkit.columns.numbering import is_worth_numbering, order_of, rows_of, spans_of
from privkit.errors import DecryptionFailed, DomainTooSmall, InvalidValue, PrivkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from privkit.columns.numbering import Numbered

C = TypeVar("C")

PIECE_ROWS: Final = 1 << 18
PIECE_BYTES: Final = 1 << 23
_SAMPLE: Final = 64
_LEAST_ROWS: Final = 64
_EIGHT: Final = 8  # rows in a byte of a bitmap of nulls, at whose bounds pieces of dictionaries are cut


class Join(Protocol):
    """Puts pieces of one family of container together."""

    def add(self, piece: Any) -> None:
        """Take the next piece."""

    def finish(self) -> Any | None:
        """The whole; nothing where its pieces do not say what it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A column that is worked on piece by piece.

    Attributes:
        rows: How many there are.
        cuts: The first rows of pieces and those after their last.
        cut: Gives the container of the rows from one to before another.
        join: Puts the results together.
    """

    rows: int
    cuts: Iterator[tuple[int, int]]
    cut: Callable[[int, int], Any]
    join: Join


def by_pieces(work: Callable[..., Any], container: C, beside: Sequence[object] = ()) -> C:
    """Do work on a column that takes each row for itself, a piece at a time.

    What is text, bytes or integers is cut; what else there is, is worked on whole. So is, once more, a column of which
    a piece is refused, since the error names all rows that are. Of a container that numbers its values (dictionaries,
    categories) each value that a row has is worked on once, unless something stands beside each row; see `by_values`.

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
    numbered = _numbered(container)
    done = None
    if numbered is not None and all(isinstance(each, bytes) for each in beside) and is_worth_numbering(numbered):
        done = by_values(work, numbered, beside)
    elif (source := _source(container) if numbered is None else numbered.rows()) is not None:
        done = _in_pieces(work, source, beside)
    return cast("C", work(container, *beside) if done is None else done)


def by_values(work: Callable[..., Any], numbered: Numbered, beside: Sequence[object]) -> Any | None:
    """Do work on each value that a row has, once, in pieces of values in the order in which rows have them.

    Values that no row has are not looked at, and errors name all rows that have what is refused.
    """
    order = order_of((numbered.numbers(*span)[0] for span in spans_of(len(numbered))), numbered.size)
    source = numbered.values(order)
    done = _in_pieces(work, source, beside)
    try:
        results = work(source.cut(0, source.rows), *beside) if done is None else done
    except PrivkitError as error:
        raise _at_rows_of(error, numbered, order) from None
    return numbered.build(results, order)


def _at_rows_of(error: PrivkitError, numbered: Numbered, order: NDArray[Any] | range) -> PrivkitError:
    """The same error with positions among the values made row numbers."""
    if isinstance(error, InvalidValue) and error.positions:
        rows = rows_of(numbered, order, error.positions)
        return InvalidValue(error.reason, field_type=error.field_type, rows=rows, count=max(len(rows), error.count))
    if isinstance(error, DomainTooSmall) and error.rows:
        return DomainTooSmall(error.reason, rows=rows_of(numbered, order, error.rows))
    if isinstance(error, DecryptionFailed):
        return DecryptionFailed(rows_of(numbered, order, error.rows))
    return error


def _in_pieces(work: Callable[..., Any], source: Source, beside: Sequence[object]) -> Any | None:
    """Do the work, or nothing where the column is not to be cut, or a piece is refused."""
    columns = [column for column in beside if not isinstance(column, bytes)]
    if any(_rows(column) != source.rows for column in columns):
        return None
    for first, last in source.cuts:
        if last - first == source.rows:
            return None
        others = [column if isinstance(column, bytes) else slice_of(column, first, last) for column in beside]
        try:
            source.join.add(work(source.cut(first, last), *others))
        except PrivkitError:
            return None  # and it is not raised, for it names the rows of a piece
    return source.join.finish() if source.rows else None


def _source(container: Any) -> Source | None:
    if isinstance(container, list | tuple):
        join = _ListJoin(list if isinstance(container, list) else tuple)
        return Source(len(container), cuts_of_objects(container), partial(slice_of, container), join)
    return _array_source(container) if isinstance(container, np.ndarray) else _optional_source(container)


def _array_source(array: NDArray[Any]) -> Source | None:
    if type(array) is not np.ndarray or array.ndim != 1:
        return None
    cuts = cuts_of_objects(array) if array.dtype == object else cuts_of_width(len(array), array.itemsize)
    return Source(len(array), cuts, partial(slice_of, array), ArrayJoin(len(array)))


def _optional_source(container: Any) -> Source | None:
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


def _numbered(container: Any) -> Numbered | None:
    """A container that numbers its values itself, likewise; `None` for others, and for one without rows."""
    if (pa := sys.modules.get("pyarrow")) and isinstance(container, pa.Array | pa.ChunkedArray):
        from privkit.columns.arrow_numbered import numbered_arrow  # noqa: PLC0415 it stands on an extra

        return numbered_arrow(container)
    if (pd := sys.modules.get("pandas")) and isinstance(container, pd.Series):
        from privkit.columns.pandas_numbered import numbered_pandas  # noqa: PLC0415 it stands on an extra

        return numbered_pandas(container)
    if (pl := sys.modules.get("polars")) and isinstance(container, pl.Series):
        from privkit.columns.polars_numbered import numbered_polars  # noqa: PLC0415 it stands on an extra

        return numbered_polars(container)
    return None


def _rows(column: Any) -> int | None:
    """How many rows a column has, or `None` where it is nothing to cut."""
    if isinstance(column, np.ndarray):
        return len(column) if column.ndim == 1 else None
    return (
        len(column) if isinstance(column, list | tuple) or hasattr(column, "iloc") or hasattr(column, "slice") else None
    )


def slice_of(column: Any, first: int, last: int) -> Any:
    """The rows of a container from one to before another."""
    if isinstance(column, list | tuple | np.ndarray):
        return column[first:last]
    if hasattr(column, "iloc"):
        return column.iloc[first:last]
    return column.slice(first, last - first)


def cuts_of_rows(rows: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut by rows alone."""
    for first in range(0, rows, most):
        yield first, min(first + most, rows)


def cuts_of_width(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut rows that have so many bytes each."""
    return cuts_of_rows(rows, max(min(PIECE_BYTES // max(width, 1), PIECE_ROWS), _LEAST_ROWS))


def cuts_of_objects(objects: Any) -> Iterator[tuple[int, int]]:
    """Cut by the lengths of some objects of each piece: to ask all of them takes as long as to read them."""
    return cuts_by_sample(len(objects), lambda first, last, step: objects[first:last:step])


def cuts_by_sample(rows: int, sample: Callable[[int, int, int], Any]) -> Iterator[tuple[int, int]]:
    """Cut by the lengths of some rows, as `sample` gives them: from one to before another, at each of some steps."""
    first = 0
    while first < rows:
        last = min(first + PIECE_ROWS, rows)
        found = sample(first, last, max((last - first) // _SAMPLE, 1))
        mean = sum(len(each) for each in found if isinstance(each, str | bytes)) // len(found) + 1
        fits = max(PIECE_BYTES // mean, _LEAST_ROWS) // _EIGHT * _EIGHT
        last = min(last, first + fits)
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
