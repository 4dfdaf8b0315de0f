"""Tables: columns by name, out of a container of columns or rows and back into one of the same kind.

A table that is rebuilt has the columns that it is given and nothing else: no metadata of a schema, no attributes of a
frame, no index that could name people.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np

from privkit.columns.sequences import object_array
from privkit.errors import TableError, WrongType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")


class Table(ABC, Generic[T]):
    """Columns of equal length by name.

    Attributes:
        names: The columns' names, in order.
        rows: How many rows there are.
        table: The table itself.
    """

    names: tuple[str, ...]
    rows: int
    table: T

    @abstractmethod
    def column(self, name: str) -> Any:
        """One column, in a container that `lift` takes.

        Raises:
            TableError: If there is none of that name.
        """

    @abstractmethod
    def rebuild(self, columns: Mapping[str, Any]) -> T:
        """Make a table of the same kind from other columns.

        Args:
            columns: Containers by name, in the order wanted, all of one length; `column` gave them, or transforms of
                what it gave.

        Raises:
            TableError: If their lengths differ.
        """

    @abstractmethod
    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> T:
        """Some of the rows, by position or by a mask, as a table of the same kind."""

    def parts(self, rows: int) -> list[T]:
        """The table in parts of at most so many rows, where that copies nothing; others are one part.

        Of lists and objects all rows together say what kind they are.
        """
        del rows
        return [self.table]

    def joined(self, parts: Sequence[T]) -> T:
        """A table of what was made of each of the `parts`, at least one."""
        (whole,) = parts
        return whole

    def _known(self, name: str) -> str:
        if name not in self.names:
            # Without a header the names are data: only one that is nearly what was asked for is said.
            close = get_close_matches(name, self.names, n=1)
            meant = f"did you mean {close[0]!r}?" if close else f"the table has {len(self.names)} columns"
            raise TableError(f"no column {name!r}; {meant}")
        return name


def open_table(table: T) -> Table[T]:
    """Look into a table.

    Takes a list of dicts (rows), a dict of columns, an Arrow table or record batch, a pandas or a Polars data frame.

    Args:
        table: The table; it is not changed.

    Raises:
        WrongType: If it is no table; a lazy frame is none until it is collected.
        TableError: If it is not in shape: rows with different keys, columns of different lengths or without names, or
            the same name twice; a pandas index that holds data.

    Example:
        >>> from privkit.columns.tables import open_table
        >>> table = open_table([{"phone": "13812345678", "city": "杭州"}])
        >>> table.names, table.rows, table.column("city")
        (('phone', 'city'), 1, ['杭州'])
        >>> table.rebuild({"city": ["上海"]})
        [{'city': '上海'}]
    """
    return cast("Table[T]", _open(table))


def _open(table: Any) -> Table[Any]:
    if isinstance(table, list):
        return _Rows.of(table)
    if isinstance(table, dict):
        return _Columns.of(table)
    if (pa := sys.modules.get("pyarrow")) and isinstance(table, pa.Table | pa.RecordBatch):
        return _Arrow(_names(table.schema.names), table.num_rows, table)
    if (pd := sys.modules.get("pandas")) and isinstance(table, pd.DataFrame):
        return _Pandas.of(table)
    if pl := sys.modules.get("polars"):
        if isinstance(table, pl.DataFrame):
            return _Polars(tuple(table.columns), table.height, table)
        if isinstance(table, pl.LazyFrame):
            raise WrongType("a LazyFrame holds no rows yet; call collect() first, or go batch by batch")
    raise WrongType(
        f"a {type(table).__name__} is no table; pass a list of dicts, a dict of columns, an Arrow table or record "
        "batch, or a pandas or Polars data frame"
    )


@dataclass(frozen=True, slots=True)
class _Rows(Table[list[dict[str, Any]]]):
    """A list of dicts, all with the same keys."""

    names: tuple[str, ...]
    rows: int
    table: list[dict[str, Any]]

    @classmethod
    def of(cls, table: list[Any]) -> _Rows:
        names = tuple(table[0]) if table and isinstance(table[0], dict) else ()
        keys = set(names)
        for number, row in enumerate(table):
            if not isinstance(row, dict):
                raise TableError(f"row {number} is a {type(row).__name__}; a list is a table where its rows are dicts")
            if row.keys() != keys:
                raise TableError(f"row {number} has {len(row)} keys that are not those of row 0; use None for null")
        return cls(_names(names), len(table), table)

    def column(self, name: str) -> list[Any]:
        self._known(name)
        return [row[name] for row in self.table]

    def rebuild(self, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = _length(columns, self.rows)
        if not columns:
            return [{} for _ in range(rows)]
        names = tuple(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> list[dict[str, Any]]:
        return [self.table[row] for row in _positions(rows)]


@dataclass(frozen=True, slots=True)
class _Columns(Table[dict[str, Any]]):
    """A dict of columns, each in any container."""

    names: tuple[str, ...]
    rows: int
    table: dict[str, Any]

    @classmethod
    def of(cls, table: dict[str, Any]) -> _Columns:
        for name, column in table.items():
            if isinstance(column, str | bytes) or not hasattr(column, "__len__"):
                raise TableError(f"column {name!r} is a {type(column).__name__}; a dict is a table of columns")
        return cls(_names(table), _length(table, 0), table)

    def column(self, name: str) -> Any:
        return self.table[self._known(name)]

    def rebuild(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        _length(columns, self.rows)
        return dict(columns)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> dict[str, Any]:
        return {name: _take(column, _positions(rows)) for name, column in self.table.items()}


@dataclass(frozen=True, slots=True)
class _Arrow(Table[Any]):
    """An Arrow table or record batch; the metadata of its schema is not passed on."""

    names: tuple[str, ...]
    rows: int
    table: Any

    def column(self, name: str) -> Any:
        return self.table.column(self._known(name))

    def rebuild(self, columns: Mapping[str, Any]) -> Any:
        _length(columns, self.rows)
        return type(self.table).from_pydict(dict(columns))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Any:
        from privkit.columns.arrow_rows import some_rows  # noqa: PLC0415 - pyarrow is there, for the table is

        return some_rows(self.table, rows)

    def parts(self, rows: int) -> list[Any]:
        pa = sys.modules["pyarrow"]
        batch = isinstance(self.table, pa.RecordBatch)  # which cannot be joined
        if batch or self.rows <= rows or any(pa.types.is_dictionary(kind) for kind in self.table.schema.types):
            return [self.table]  # nor can dictionaries, which the parts may number differently
        return [self.table.slice(start, rows) for start in range(0, self.rows, rows)]

    def joined(self, parts: Sequence[Any]) -> Any:
        if len(parts) == 1:
            return parts[0]
        return sys.modules["pyarrow"].concat_tables(parts, promote_options="permissive")  # text may be larger in some


@dataclass(frozen=True, slots=True)
class _Pandas(Table[Any]):
    """A pandas data frame whose index says nothing: numbers without a name."""

    names: tuple[str, ...]
    rows: int
    table: Any

    @classmethod
    def of(cls, table: Any) -> _Pandas:
        index = table.index
        if index.nlevels > 1 or index.name is not None or index.dtype.kind not in "iu":
            raise TableError("the index of the data frame holds data; call reset_index() to make it a column")
        return cls(_names(table.columns), len(table), table)

    def column(self, name: str) -> Any:
        return self.table[self._known(name)]

    def rebuild(self, columns: Mapping[str, Any]) -> Any:
        rows = _length(columns, self.rows)
        pd = sys.modules["pandas"]
        arrays = {name: column.array if isinstance(column, pd.Series) else column for name, column in columns.items()}
        index = self.table.index if rows == self.rows else pd.RangeIndex(rows)
        return pd.DataFrame(arrays, index=index, columns=list(columns), copy=False)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Any:
        return self.table.iloc[_positions(rows)]


@dataclass(frozen=True, slots=True)
class _Polars(Table[Any]):
    """A Polars data frame."""

    names: tuple[str, ...]
    rows: int
    table: Any

    def column(self, name: str) -> Any:
        return self.table.get_column(self._known(name))

    def rebuild(self, columns: Mapping[str, Any]) -> Any:
        _length(columns, self.rows)
        return type(self.table)(dict(columns))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Any:
        return self.table[_positions(rows)]


def _names(names: Any) -> tuple[str, ...]:
    """Names of columns: text, each once."""
    found = tuple(names)
    for number, name in enumerate(found):
        if not isinstance(name, str):
            raise TableError(f"the name of column {number} is a {type(name).__name__}; columns are named by text")
    if len(set(found)) < len(found):
        twice = next(name for number, name in enumerate(found) if name in found[:number])
        raise TableError(f"two columns are named {twice!r}")
    return found


def _length(columns: Mapping[str, Any], default: int) -> int:
    """The length that all columns have; `default` where there is none."""
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        shown = ", ".join(f"{name!r} has {len(column)}" for name, column in columns.items())
        raise TableError(f"columns of different numbers of rows: {shown}")
    return lengths.pop() if lengths else default


def _positions(rows: NDArray[np.intp] | NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.intp)


def _take(column: Any, rows: NDArray[np.intp]) -> Any:
    """Some rows of a column in any container."""
    if isinstance(column, list | tuple):
        return type(column)(object_array(list(column))[rows].tolist())
    if hasattr(column, "iloc"):
        return column.iloc[rows]
    if (pa := sys.modules.get("pyarrow")) and isinstance(column, pa.Array | pa.ChunkedArray):
        from privkit.columns.arrow_rows import some_rows  # noqa: PLC0415 - pyarrow is there, for the column is

        return some_rows(column, rows)
    return column[rows] if isinstance(column, np.ndarray) or not hasattr(column, "take") else column.take(rows)
