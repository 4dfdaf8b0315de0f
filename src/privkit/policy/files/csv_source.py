"""Reading CSV: every cell is text; an empty cell is null, a quoted empty cell is the empty string."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections import deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa
import pyarrow.csv as pacsv

from privkit.errors import PrivkitError, TableError
from privkit.policy.files.base import Source, checked_names, in_batches
from privkit.policy.files.text import Utf8Bytes, not_encoded, text_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

_BLOCK: Final = 8 << 20
_LARGEST_BLOCK: Final = 256 << 20
_HEADER: Final = 1 << 20
_REWRITE: Final = "write the file with commas, or with tabs under a name that ends in .tsv"
_REMEDIES: Final = {
    "\t": ("tabs", "let its name end in .tsv (.tsv.gz if compressed)"),
    ";": ("semicolons", _REWRITE),
    "|": ("vertical bars", _REWRITE),
    ",": ("commas", "let its name end in .csv (.csv.gz if compressed)"),
}
"""What parts column names: how it is called, and what to do where the file's ending says otherwise."""
_ROW: Final = re.compile(r"Row #(\d+)")


class CsvSource(Source):
    """A CSV file.

    The parser works on blocks, and a row has to fit in one. Where one does not, reading begins again with larger blocks
    and skips what was yielded, up to rows of 256 MB.

    Whether the last quote was closed only the parser knows, and it does not say. So the file is read with one more row
    at its end, of cells drawn at random: if they do not come out as the last row, an open quote has swallowed them.
    """

    def __init__(self, path: Path, *, encoding: str = "utf-8", delimiter: str = ",", packed: bool = False) -> None:
        self.path = path
        self._encoding = text_encoding(encoding)
        self._delimiter = delimiter
        self._packed = packed
        self._reading: Utf8Bytes | None = None
        names = self._header()
        checked_names(names)
        self.schema = pa.schema([(name, pa.string()) for name in names])

    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._reading.fraction() if self._reading else 0.0

    def close(self) -> None:
        """Let go of the file."""
        if self._reading:
            self._reading.close()

    def batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        """See `Source.batches`."""
        yielded, block = 0, _BLOCK
        while block:
            skip, block_now, block = yielded, block, 0
            try:
                with closing(self._rows(columns, block_now)) as rows:
                    for batch in rows:
                        for part in in_batches(batch.slice(skip)):
                            yielded += part.num_rows
                            yield part
                        skip = max(skip - batch.num_rows, 0)
            except _RowTooLong:
                block = block_now * 4
                if block > _LARGEST_BLOCK:
                    raise TableError(
                        f"row {yielded} or one soon after is longer than {_LARGEST_BLOCK >> 20} MB; "
                        "is a quote not closed?"
                    ) from None

    def _header(self) -> list[str]:
        stream = Utf8Bytes(self.path, self._encoding, packed=self._packed)
        try:
            head = stream.read(_HEADER)
            if not head:
                raise TableError(f"{self.path} is empty; a CSV file begins with a line of column names")
            # A quoted name may hold line ends, so the first line is not always the header.
            lines = io.StringIO(head.decode("utf-8", "surrogateescape"), newline="")
            names = next(csv.reader(lines, delimiter=self._delimiter, strict=True))
            "".join(names).encode()
        except csv.Error:
            self._check_delimiter(lines.getvalue().splitlines()[0], behind='"')
            raise TableError(f"{self.path} is not a CSV file: its first line is no line of column names") from None
        except UnicodeEncodeError:
            raise not_encoded(self._encoding, "line 1") from None
        finally:
            stream.close()
        if len(names) == 1 and not head.startswith(b'"'):  # in quotes a name may hold what it likes
            self._check_delimiter(names[0])
        return names

    def _check_delimiter(self, line: str, behind: str = "") -> None:
        """Refuse a line in which another delimiter than this file's stands, or stands behind something."""
        other = next((mark for mark in _REMEDIES if behind + mark in line and mark != self._delimiter), None)
        if other:
            parted, remedy = _REMEDIES[other]
            raise TableError(
                f"{self.path}: its column names are parted by {parted}, and not by "
                f"{_REMEDIES[self._delimiter][0]}; {remedy}. A single name that holds such a mark stands in quotes"
            )

    def _rows(self, columns: Sequence[str], block: int) -> Generator[pa.RecordBatch, None, None]:
        """Batches as the parser yields them, without the row appended."""
        mark = secrets.token_hex(16)
        last = self._delimiter.join([mark] * len(self.schema)).encode() + b"\n"
        self._reading = Utf8Bytes(self.path, self._encoding, packed=self._packed, last=last)
        ragged: list[Any] = []
        rows, held = 0, None
        try:
            with closing(self._parsed(columns, block, ragged)) as parsed:
                for batch in parsed:
                    if held is not None:
                        rows += held.num_rows
                        yield held
                    held = batch
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._explained(error, ragged) from None
        finally:
            self._reading.close()
        if held is None or any(column[-1].as_py() != mark for column in held.columns):
            rows += held.num_rows - 1 if held is not None else 0
            raise TableError(f"row {rows} (from 0) has a quote that is not closed")
        if held.num_rows > 1:
            yield held.slice(0, held.num_rows - 1)

    def _parsed(self, columns: Sequence[str], block: int, ragged: list[Any]) -> Generator[pa.RecordBatch, None, None]:
        def refuse(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
            ragged.append(row)
            return "error"

        stream = cast("Utf8Bytes", self._reading)
        reader = self._reader(stream, columns, block, refuse)
        try:
            yield from reader
        finally:
            # A thread of the parser reads ahead. Where the reader is dropped before its end, its destructor waits for
            # that thread with the interpreter's lock in hand, which the thread needs in `stream.read`. So let the
            # file end here, and take what has been read.
            stream.end()
            with suppress(Exception):
                deque(reader, 0)

    def _reader(self, stream: Utf8Bytes, columns: Sequence[str], block: int, refuse: Callable[[Any], str]) -> Any:  # noqa: ANN401 - pyarrow's reader
        # One thread: only then does the parser number the rows, and the other stages have the other cores.
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=block),
            parse_options=pacsv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(self.schema) > 1,  # with one column an empty line is a row, of a null
                invalid_row_handler=refuse,
            ),
            convert_options=pacsv.ConvertOptions(
                default_column_type=pa.string(),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                include_columns=list(columns),
            ),
        )

    def _explained(self, error: Exception, ragged: list[Any]) -> Exception:
        """What the parser's error means; its own message shows the row and is not passed on."""
        text = str(error)
        if isinstance(error, PrivkitError):
            return error
        if "straddling" in text:
            return _RowTooLong()
        found = _ROW.search(text)
        where = f"row {int(found[1]) - 2} (from 0)" if found else "a row"  # the parser counts from 1, the header too
        if ragged:
            expected, got = ragged[-1].expected_columns, ragged[-1].actual_columns
            return TableError(f"{where} has {got} cells, the header {expected}; is a quote or a delimiter missing?")
        if "UTF8" in text or isinstance(error, UnicodeDecodeError):
            return not_encoded(self._encoding, where)
        return TableError(f"{self.path} cannot be read as CSV, at {where}")


class _RowTooLong(Exception):
    """A row does not fit in a block."""
