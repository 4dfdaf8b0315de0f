"""Reading and writing Parquet, by row groups and batches."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from privkit.errors import TableError
from privkit.policy.files.base import BATCH_ROWS, Sink, Source, checked_names

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path

    from privkit.policy.files.landing import Landing

GROUP_ROWS: Final = 8 * BATCH_ROWS
"""Rows in a row group of what is written."""
_READ_BYTES: Final = 1 << 20
_CODECS: Final = frozenset({"SNAPPY", "ZSTD", "GZIP", "BROTLI", "LZ4"})
_DEFAULT_CODEC: Final = "SNAPPY"


class ParquetSource(Source):
    """A Parquet file.

    Attributes:
        codecs: The compression of each column, as its first row group has it.
    """

    codecs: Mapping[str, str]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        path.open("rb").close()  # for Python's own error where it cannot be read
        # A file of pyarrow's own: to read from one of Python's, its threads would need the interpreter's lock, which is
        # held by whoever drops a reader before its end and waits for those threads.
        self._raw = pa.OSFile(str(path))
        try:
            self._look()
        except BaseException:
            self._raw.close()
            raise

    def _look(self) -> None:
        try:
            # The buffer lets column chunks be read piece by piece: memory then does not grow with the row group.
            self._file = pq.ParquetFile(self._raw, buffer_size=_READ_BYTES, pre_buffer=False)
            self.schema = self._file.schema_arrow.remove_metadata()
        except (pa.ArrowException, OSError):
            raise TableError(f"{self.path} is not a Parquet file, or is damaged or cut short") from None
        if not len(self.schema):
            raise TableError(f"{self.path} has no columns")
        checked_names(self.names)
        self.rows = self._file.metadata.num_rows
        self.codecs = _codecs(self._file.metadata)

    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._read / self.rows if self.rows else 1.0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._raw.close()

    def batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        """See `Source.batches`."""
        for name in columns:
            if pa.types.is_nested(self.schema.field(name).type):
                raise TableError(
                    f"column {name!r} is nested ({self.schema.field(name).type}), and no transform takes that; "
                    "drop it in the view, or flatten it first"
                )
        return self._batches(columns)

    def _batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        self._read = 0
        parts = self._file.iter_batches(BATCH_ROWS, columns=list(columns))
        while (batch := self._next(parts)) is not None:
            self._read += batch.num_rows
            # A column named "a.b" comes along with one named "a", and the order is the file's.
            yield batch.select(list(columns)).replace_schema_metadata(None)

    def _next(self, parts: Iterator[Any]) -> Any:  # noqa: ANN401 - a record batch or None
        try:
            return next(parts, None)
        except (pa.ArrowException, OSError):
            raise TableError(f"{self.path} is damaged or cut short, soon after row {self._read}") from None


class ParquetSink(Sink):
    """A Parquet file, with the compression that the columns had in the source."""

    def __init__(self, landing: Landing, *, codecs: Mapping[str, str] | None = None) -> None:
        super().__init__(landing)
        self._codecs = dict(codecs or {})
        self._waiting: list[pa.RecordBatch] = []
        self._writer: Any = None

    def _start(self, schema: pa.Schema) -> None:
        codecs = {name: self._codecs.get(name, _DEFAULT_CODEC) for name in schema.names}
        self._schema = schema
        self._writer = pq.ParquetWriter(self._landing.open(), schema, compression=codecs or _DEFAULT_CODEC)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows."""
        self._waiting.append(batch)
        if sum(part.num_rows for part in self._waiting) >= GROUP_ROWS:
            self._write_group()

    def _finish(self) -> None:
        if self._waiting:
            self._write_group()
        self._writer.close()

    def _abandon(self) -> None:
        if self._writer is None:  # interrupted before there was one
            return
        with suppress(pa.ArrowException, OSError, ValueError):
            self._writer.close()
        self._writer.is_open = False  # or it would try once more when it is collected

    def _write_group(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema), row_group_size=GROUP_ROWS)
        self._waiting = []


def _codecs(metadata: Any) -> dict[str, str]:  # noqa: ANN401 - pyarrow's FileMetaData
    if not metadata.num_row_groups:
        return {}
    group = metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    return {
        column.path_in_schema: "NONE"
        if column.compression == "UNCOMPRESSED"
        else (column.compression if column.compression in _CODECS else _DEFAULT_CODEC)
        for column in columns
    }
