"""Writing CSV, as plain as it can be: a cell is quoted where it must be, and where it is the empty string."""

from __future__ import annotations

import codecs
import gzip
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from privkit import columns
from privkit.errors import InvalidValue, TableError
from privkit.policy.files.base import Sink
from privkit.policy.files.text import text_encoding

if TYPE_CHECKING:
    from privkit.policy.files.landing import Landing

_UTF8: Final = "utf-8"


class CsvSink(Sink):
    """A CSV file: null is an empty cell, the empty string a quoted empty cell; lines end in LF."""

    def __init__(self, landing: Landing, *, encoding: str = _UTF8, delimiter: str = ",", packed: bool = False) -> None:
        super().__init__(landing)
        self._encoding = text_encoding(encoding)
        self._encoder = None if self._encoding == _UTF8 else codecs.getincrementalencoder(self._encoding)()
        self._delimiter = delimiter
        self._packed = packed
        self._rows = 0

    def _start(self, schema: pa.Schema) -> None:
        self._file = self._landing.open()
        if self._packed:
            self._file = cast("BinaryIO", gzip.GzipFile("", "wb", fileobj=self._file, mtime=0))
        header = [_words(name) for name in schema.names]
        self._put(joined([quoted(name, self._delimiter) for name in header], self._delimiter), "the header")

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows."""
        if not batch.num_rows:
            return
        cells = [
            quoted(_text(name, column), self._delimiter)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        last = self._rows + batch.num_rows
        self._put(joined(cells, self._delimiter), f"a cell in rows {self._rows} to {last - 1}")
        self._rows = last

    def _finish(self) -> None:
        if self._packed:
            self._file.close()

    def _abandon(self) -> None:
        with suppress(OSError, ValueError, AttributeError):  # the last where it was interrupted before there was a file
            self._file.close()

    def _put(self, lines: pa.Buffer, what: str) -> None:
        if self._encoder is None:
            self._file.write(lines)
            return
        try:
            self._file.write(self._encoder.encode(lines.to_pybytes().decode()))
        except UnicodeEncodeError:
            raise TableError(f"{what} has a character that {self._encoding} does not; write utf-8 or gb18030") from None


def _text(name: str, column: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """A column as large strings, in the canonical text of its values."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        lifted = columns.lift(column)
        try:
            column = lifted.restore(lifted.text())
        except InvalidValue as error:
            raise TableError(f"column {name!r} cannot be written as text: {error}") from None
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.large_string())


def quoted(cells: Any, delimiter: str) -> Any:  # noqa: ANN401 - Arrow arrays
    """Cells with quotes around those that need them.

    Args:
        cells: Large strings.
        delimiter: What stands between cells.
    """
    need = pc.equal(cells, _words("")[0])
    data = cells.buffers()[2]
    raw = b"" if data is None else data.to_pybytes()
    # Most columns hold none of these anywhere, and looking at a whole buffer is a hundred times as fast.
    if any(mark in raw for mark in (b'"', b"\n", b"\r", delimiter.encode())):
        need = pc.or_(need, pc.match_substring_regex(cells, f'["\r\n{delimiter}]'))
    if not pc.any(need).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""') if b'"' in raw else cells
    mark = _words('"')[0]
    return pc.if_else(need, pc.binary_join_element_wise(mark, doubled, mark, _words("")[0]), cells)


def joined(cells: list[Any], delimiter: str) -> pa.Buffer:
    """Columns of cells as the bytes of lines, each with its end."""
    between, end = _words(delimiter)[0], _words("\n")[0]
    rows = pc.binary_join_element_wise(*cells, between, null_handling="replace", null_replacement="")
    lines = pc.binary_join_element_wise(rows, end, _words("")[0])
    # The rows of a fresh array lie end to end in one buffer: that is the file's next piece.
    first, last = (int.from_bytes(lines.buffers()[1][8 * i : 8 * i + 8], "little") for i in (0, len(lines)))
    return lines.buffers()[2].slice(first, last - first)


def _words(words: str) -> Any:  # noqa: ANN401 - an Arrow array
    """One large string as an array, made of its buffers.

    `pa.array` and `pa.scalar` would first import pandas where it is installed, which takes longer than a small file,
    and an interruption meanwhile would be lost in pyarrow.
    """
    data = words.encode()
    offsets = pa.py_buffer(bytes(8) + len(data).to_bytes(8, "little"))
    return pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(data)])
