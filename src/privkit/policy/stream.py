"""A view applied to a file of any length: reading, transforming and writing at the same time, in bounded memory.

```
source.batches -> thread -> queue -> pool of threads: view.treat -> in their order -> this thread: sink.write
```

The heavy work of all three (pyarrow, NumPy, OpenSSL) happens without the interpreter's lock, so threads are enough. How
many batches there are at once is bounded everywhere, and so is the memory, whatever the number of rows. An error in
any stage stops the others and is raised once: of several, the one of the earliest rows.

A view with anonymity goes through the file twice, and what it wrote is counted on its way out:

```
source.batches -> view.treat, the columns that are looked at -> frequency set -> plan
source.batches -> view.treat -> plan -> sink.write -> frequency set of the output -> in its place, or thrown away
```
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from privkit.errors import InvalidParameter
from privkit.policy.anonymised import people_of
from privkit.policy.marks import marked, of_schema, texts, unmarked
from privkit.policy.pipeline import ahead, cores, in_order
from privkit.policy.view import ColumnReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping

    from privkit.anonymity.plan import Plan
    from privkit.policy.anonymised import Anonymising, Writer
    from privkit.policy.files import Sink, Source
    from privkit.policy.view import Applied, BoundView, Direction

_READ_AHEAD: Final = 2
_COUNTED: Final = 0.4
_PLANNED: Final = 0.5
"""Shares of the work, for progress: the first pass, and then the search."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened to a file.

    Attributes:
        direction: `protect` or `reveal`.
        rows: How many rows went through.
        seconds: How long it took in all.
        columns: What happened to each column that came out, in their order. The seconds of a column are those of the
            thread that worked on it; several columns were worked on at once, and reading and writing come on top.
        dropped: The columns of the input that did not come out.
        plan: How the records were generalised, where the view has anonymity. It holds values in the clear.
    """

    direction: Direction
    rows: int
    seconds: float
    columns: Mapping[str, ColumnReport]
    dropped: tuple[str, ...]
    plan: Plan | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same in the types of JSON; of the plan what it reached, and no value."""
        return {
            "direction": self.direction,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "columns": {
                name: {**asdict(report), "seconds": round(report.seconds, 3)} for name, report in self.columns.items()
            },
            "dropped": list(self.dropped),
            "anonymity": None if self.plan is None else self.plan.describe(),
        }


def apply_file(
    bound: BoundView,
    source: Source,
    sink: Sink,
    *,
    direction: Direction = "protect",
    progress: Callable[[int, float], object] | None = None,
    workers: int | None = None,
    plan: Plan | None = None,
) -> Summary:
    r"""Apply a view to a file, or undo it.

    Args:
        bound: The view, with its keys.
        source: The file to read; only the columns that the view needs are read.
        sink: The file to write; it is in its place when this returns, and unchanged when this raises.
        direction: `protect` or `reveal`.
        progress: Called after each batch with the rows written so far and the share of the file that is done.
        workers: How many batches to transform at once; by default as many as there are cores, 4 at most.
        plan: For a view with full-domain anonymity the plan of an earlier table, whose levels are kept.

    Raises:
        TableError: If the columns are not those of the policy, or the file is broken.
        InvalidValue: If a cell is not of its field's type; with column and row in the whole file.
        DecryptionFailed: If a value does not open; likewise.
        Unmet: If the records cannot meet the view's anonymity.

    Example:
        >>> from privkit.policy.files import open_sink, open_source
        >>> policy = Policy.loads('fields.city.type = "text"\nviews.all.fields.city = "keep"')
        >>> path = directory / "cities.csv"
        >>> path.write_text("city\nHarbin\n")
        12
        >>> with open_source(path) as source:
        ...     summary = apply_file(policy.view("all"), source, open_sink(directory / "out.csv", like=source))
        >>> summary.rows, summary.columns["city"].transform
        (1, 'keep')
    """
    started = perf_counter()
    if plan is not None and (bound.anonymising is None or direction != "protect"):
        raise InvalidParameter("a plan is for applying a view with anonymity, which this is not")
    names = bound.check(source.names, direction)
    run = _Run(bound, source, direction, workers or cores(), progress)
    if bound.anonymising is not None and direction == "protect":
        plan = run.anonymise(bound.anonymising, sink, plan)
    else:
        run.treat(sink)
    dropped = tuple(name for name in source.names if name not in names)
    return Summary(direction, run.tally.rows, perf_counter() - started, run.tally.columns, dropped, plan)


class _Run:
    """A file on its way: the batches of the source, treated at the same time and in their order."""

    def __init__(
        self,
        bound: BoundView,
        source: Source,
        direction: Direction,
        workers: int,
        progress: Callable[[int, float], object] | None,
    ) -> None:
        self._bound, self._source, self._direction, self._workers = bound, source, direction, workers
        self._progress = progress or _silent
        self._read = bound.needed(source.names, direction)
        source.batches(self._read).close()  # refuses columns that no transform takes, before anything is begun
        self.tally = _Tally()

    def treat(self, sink: Sink) -> None:
        """Treat each batch for itself."""
        with sink:
            schema = self._start(sink, self._empty())
            as_text = texts(schema)
            with closing(self._treated(self._read, as_text=as_text)) as results:
                for applied, share in results:
                    sink.write(of_schema(applied.table, schema))
                    self.tally.add(applied)
                    self._progress(self.tally.rows, share)

    def anonymise(self, asked: Anonymising, sink: Sink, known: Plan | None) -> Plan:
        """Go through the file twice: count what the treatment gives, and generalise it; keep it if it is as asked."""
        plan = self._plan(asked, known)
        writer = asked.writer(plan)
        with sink:
            schema = self._start(sink, writer.write(self._empty()))
            with closing(self._written(sink, schema, writer)) as pieces:
                asked.verified(plan, pieces)
        return plan

    def _plan(self, asked: Anonymising, known: Plan | None) -> Plan:
        rows = 0

        def pieces() -> Generator[Any, None, None]:
            nonlocal rows
            read = self._bound.needed(self._source.names, only=asked.columns)
            with closing(self._treated(read, only=asked.columns)) as results:
                for applied, share in results:
                    rows += applied.table.num_rows
                    self._progress(rows, share * _COUNTED)
                    yield applied.table

        with closing(pieces()) as counted:
            frequency = asked.count(counted)

        def searched(share: float) -> None:
            self._progress(rows, _COUNTED + share * (_PLANNED - _COUNTED))

        return asked.plan(frequency, people_of(self._bound), known, searched)

    def _written(self, sink: Sink, schema: Any, writer: Writer) -> Generator[Any, None, None]:  # noqa: ANN401
        """What is written, after it is (in the types of a pyarrow Schema)."""
        with closing(self._treated(self._read)) as results:
            for applied, share in results:
                piece = of_schema(writer.write(applied.table), schema)
                sink.write(piece)
                self.tally.add(applied)
                self._progress(self.tally.rows, _PLANNED + share * (1 - _PLANNED))
                yield piece
        writer.finish()

    def _treated(
        self, read: list[str], *, as_text: Collection[str] = (), only: Collection[str] | None = None
    ) -> Generator[tuple[Applied[Any], float], None, None]:
        """The batches of some columns, treated, each with the share of the file that was read with it."""

        def work(piece: tuple[int, Any, float]) -> tuple[Applied[Any], float]:
            first_row, batch, share = piece
            return self._bound.treat(batch, self._direction, first_row, as_text=as_text, only=only), share

        batches = self._source.batches(read)
        with (
            closing(ahead(_numbered(self._source, batches), _READ_AHEAD)) as pieces,
            closing(in_order(work, pieces, self._workers)) as results,
        ):
            yield from results

    def _empty(self) -> Any:  # noqa: ANN401 - a pyarrow RecordBatch
        """What comes out of a batch without rows."""
        import pyarrow as pa  # noqa: PLC0415 - an extra, and there once there is a source

        fields = [self._source.schema.field(name) for name in self._read]
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in fields], schema=pa.schema(fields))
        # In a thread, where no signal arrives: pyarrow may import pandas now, and an interruption of that import would
        # be lost in pyarrow and leave the interpreter's import lock taken.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._bound.treat, empty, self._direction).result().table

    def _start(self, sink: Sink, empty: Any) -> Any:  # noqa: ANN401 - a pyarrow RecordBatch, and a Schema
        """Open the sink with the schema that comes out, which a batch without rows tells."""
        import pyarrow as pa  # noqa: PLC0415 - as above

        typed = marked if self._direction == "protect" else unmarked
        schema = pa.schema(
            [
                typed(result, self._source.schema.field(result.name))
                if result.name in self._bound.reversible
                else result
                for result in empty.schema
            ]
        )
        sink.start(schema)
        return schema


def _silent(rows: int, share: float) -> None:
    del rows, share


class _Tally:
    """What happened so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns: dict[str, ColumnReport] = {}

    def add(self, applied: Applied[Any]) -> None:
        self.rows += applied.table.num_rows
        for name, report in applied.columns.items():
            before = self.columns.get(name)
            self.columns[name] = report if before is None else _sum(before, report)


def _sum(one: ColumnReport, other: ColumnReport) -> ColumnReport:
    return ColumnReport(
        one.transform,
        one.rows + other.rows,
        one.nulls + other.nulls,
        one.invalid + other.invalid,
        one.seconds + other.seconds,
    )


def _numbered(source: Source, batches: Iterator[Any]) -> Generator[tuple[int, Any, float], None, None]:
    """Batches with the number of their first row, and the share of the file that has been read after them."""
    row = 0
    for batch in batches:
        yield row, batch, source.fraction()
        row += batch.num_rows
