"""Taking a sample of a file that is spread over it, without reading all of it."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import TableError
from privkit.policy.files.parquet import ParquetSource

if TYPE_CHECKING:
    from privkit.policy.files import Source

_PLACES: Final = 8
"""Row groups of a Parquet file that rows are taken from; more where they are so small that it takes more."""
_AHEAD: Final = 4
"""How many times the rows wanted are read of a CSV file, which has to be read from its beginning."""


def sample_of(source: Source, rows: int) -> Any:  # noqa: ANN401 - an Arrow table
    """Take a sample.

    Of a Parquet file it is the beginnings of its first and last row group and of some between; of a CSV file the first
    rows, and some of those that follow. A file that is sorted may be of another kind where nobody looked: types are
    checked again, on every value, when a view is applied.

    Args:
        source: An open file.
        rows: How many rows to take, at most.

    Returns:
        An Arrow table with all columns that are not nested, in their order.

    Raises:
        TableError: If the file is not what its ending says; the message holds no value.
    """
    names = [field.name for field in source.schema if not pa.types.is_nested(field.type)]
    if not names:
        return pa.table({})
    return _of_groups(source, names, rows) if isinstance(source, ParquetSource) else _of_beginning(source, names, rows)


def _of_groups(source: Source, names: list[str], rows: int) -> Any:  # noqa: ANN401 - as above
    # A file of pyarrow's own, as in `ParquetSource`: readers are dropped before their end.
    parts = []
    with closing(pa.OSFile(str(source.path))) as raw, closing(pq.ParquetFile(raw, pre_buffer=False)) as file:
        places = _places(file.metadata.num_row_groups, file.metadata.num_rows, rows)
        try:
            for place in places:
                batches = file.iter_batches(-(-rows // len(places)), row_groups=[place], columns=names)
                with suppress(StopIteration):
                    parts.append(next(batches).select(names).replace_schema_metadata(None))
        except (pa.ArrowException, OSError):
            raise TableError(f"{source.path} is damaged or cut short") from None
    schema = pa.schema([source.schema.field(name) for name in names])
    return pa.Table.from_batches(parts, parts[0].schema if parts else schema)


def _places(groups: int, all_rows: int, rows: int) -> list[int]:
    """Which row groups to take rows from: the first, the last, and some between."""
    enough = -(-rows * groups // max(all_rows, 1))
    return np.unique(np.linspace(0, groups - 1, max(_PLACES, enough)).astype(int)).tolist() if groups else []


def _of_beginning(source: Source, names: list[str], rows: int) -> Any:  # noqa: ANN401 - as above
    parts, read = [], 0
    with closing(source.batches(names)) as batches:
        for batch in batches:
            parts.append(batch)
            read += batch.num_rows
            if read >= rows * _AHEAD:
                break
    schema = pa.schema([source.schema.field(name) for name in names])
    return spread(pa.Table.from_batches(parts, parts[0].schema if parts else schema), rows)


def spread(table: Any, rows: int) -> Any:  # noqa: ANN401 - as above
    """The first half of the rows wanted, and as many from all over the rest."""
    if table.num_rows <= rows:
        return table
    first = rows // 2
    rest = np.linspace(first, table.num_rows - 1, rows - first).astype(np.int64)
    return table.take(pa.array(np.concatenate([np.arange(first), rest])))
