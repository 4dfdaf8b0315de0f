"""What every kind of file has: a source yields record batches, a sink takes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self

from privkit.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

    from privkit.policy.files.landing import Landing

BATCH_ROWS: Final = 1 << 16
"""Rows in a record batch at most: enough that the cost of a call does not show, few enough for memory."""


class Source(ABC):
    """A file to read from.

    Attributes:
        path: Where it is.
        schema: The Arrow schema of all its columns; in a CSV file every column is text.
        rows: How many rows it has, or `None` where only reading tells.
    """

    path: Path
    schema: pa.Schema
    rows: int | None = None

    @property
    def names(self) -> list[str]:
        """The names of its columns, in their order; checked to be unique and not empty."""
        return list(self.schema.names)

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        """Read some of the columns, from the first row to the last, in bounded memory.

        Args:
            columns: Names of columns; at least one.

        Yields:
            Record batches with just these columns in this order, of `BATCH_ROWS` rows at most.

        Raises:
            TableError: If the file is not what its ending says; the message names the row and no value.
        """

    @abstractmethod
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Sink(ABC):
    """A file to write to, which is in its place wholly or not at all.

    Use it as a context manager: leaving it puts the file into its place, leaving it by an exception writes nothing.

    Attributes:
        path: Where it will be.
    """

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._open = False
        self.path = landing.path

    def start(self, schema: pa.Schema) -> None:
        """Open the temporary file and write what comes before the first row. Metadata of the schema is left out.

        Raises:
            OSError: If there is no folder, or no leave to write in it.
        """
        self._open = True
        self._start(schema.remove_metadata())

    @abstractmethod
    def _start(self, schema: pa.Schema) -> None:
        """Write what comes before the first row."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Write the next rows.

        Args:
            batch: Rows with the columns and types of the schema that `start` got.
        """

    @abstractmethod
    def _finish(self) -> None:
        """Write what comes after the last row."""

    @abstractmethod
    def _abandon(self) -> None:
        """Let go of what writes to the temporary file, finished or not; must not raise."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            return
        try:
            if kind is None:
                self._finish()
                self._landing.commit()
        finally:
            try:
                self._abandon()
            finally:
                self._landing.discard()


def checked_names(names: Sequence[str]) -> None:
    """See that each column has a name of its own.

    Raises:
        TableError: If a name is empty, or occurs more than once.
    """
    if "" in names:
        raise TableError(f"column {list(names).index('') + 1} has no name; give every column one")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise TableError(f"column {name!r} occurs {times} times; give every column a name of its own")


def in_batches(batch: Any) -> Iterator[Any]:  # noqa: ANN401 - a record batch, sliced without copying
    """A record batch in slices of `BATCH_ROWS` at most."""
    for first in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(first, BATCH_ROWS)
