"""A view applied to a file of any length: reading, transforming and writing at the same time, in bounded memory.

```
source.batches -> thread -> queue -> pool of threads: view.run -> in their order -> this thread: sink.write
```

The heavy work of all three (pyarrow, NumPy, OpenSSL) happens without the interpreter's lock, so threads are enough. How
many batches there are at once is bounded everywhere, and so is the memory, whatever the number of rows. An error in
any stage stops the others and is raised once: of several, the one of the earliest rows.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread, main_thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from privkit.errors import TableError
from privkit.policy.view import ColumnReport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from privkit.policy.files import Sink, Source
    from privkit.policy.view import Applied, BoundView, Direction

T = TypeVar("T")
R = TypeVar("R")

_READ_AHEAD: Final = 2
_TYPE: Final = b"privkit.type"
"""In the metadata of a Parquet column: the Arrow type that it had, as an IPC schema in base64."""
_MOST_WORKERS: Final = 4  # more batches at once cost memory, and reading and writing do not keep up with more
_PATIENCE: Final = 0.1  # seconds between looks whether a stage has been stopped
_END: Final = object()


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
    """

    direction: Direction
    rows: int
    seconds: float
    columns: Mapping[str, ColumnReport]
    dropped: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same in the types of JSON."""
        return {
            "direction": self.direction,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "columns": {
                name: {**asdict(report), "seconds": round(report.seconds, 3)} for name, report in self.columns.items()
            },
            "dropped": list(self.dropped),
        }


def apply_file(
    bound: BoundView,
    source: Source,
    sink: Sink,
    *,
    direction: Direction = "protect",
    progress: Callable[[int, float], object] | None = None,
    workers: int | None = None,
) -> Summary:
    r"""Apply a view to a file, or undo it.

    Args:
        bound: The view, with its keys.
        source: The file to read; only the columns that the view needs are read.
        sink: The file to write; it is in its place when this returns, and unchanged when this raises.
        direction: `protect` or `reveal`.
        progress: Called after each batch with the rows written so far and the share of the file that is done.
        workers: How many batches to transform at once; by default as many as there are cores, 4 at most.

    Raises:
        TableError: If the columns are not those of the policy, or the file is broken.
        InvalidValue: If a cell is not of its field's type; with column and row in the whole file.
        DecryptionFailed: If a value does not open; likewise.

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
    names = bound.check(source.names, direction)
    read = bound.needed(source.names, direction)
    tally = _Tally()

    def work(piece: tuple[int, Any, float]) -> tuple[Applied[Any], float]:
        first_row, batch, share = piece
        return bound.run(batch, direction, first_row, as_text), share

    batches = source.batches(read)
    with sink:
        schema = _start(bound, source, sink, read, direction)
        as_text = _texts(schema)
        with (
            closing(_ahead(_numbered(source, batches), _READ_AHEAD)) as pieces,
            closing(_in_order(work, pieces, workers or _cores())) as results,
        ):
            for applied, share in results:
                sink.write(_of_schema(applied.table, schema))
                tally.add(applied)
                if progress:
                    progress(tally.rows, share)
    dropped = tuple(name for name in source.names if name not in names)
    return Summary(direction, tally.rows, perf_counter() - started, tally.columns, dropped)


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


def _cores() -> int:
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(len(usable), _MOST_WORKERS)


def _start(bound: BoundView, source: Source, sink: Sink, read: list[str], direction: Direction) -> Any:  # noqa: ANN401
    """Open the sink with the schema that comes out, which a run without rows tells (a pyarrow Schema)."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and there once there is a source

    fields = [source.schema.field(name) for name in read]
    empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in fields], schema=pa.schema(fields))
    # In a thread, where no signal arrives: pyarrow may import pandas now, and an interruption of that import would be
    # lost in pyarrow and leave the interpreter's import lock taken.
    with ThreadPoolExecutor(1) as thread:
        results = thread.submit(bound.run, empty, direction).result().table.schema
    typed = _marked if direction == "protect" else _unmarked
    schema = pa.schema(
        [
            typed(result, source.schema.field(result.name)) if result.name in bound.reversible else result
            for result in results
        ]
    )
    sink.start(schema)
    return schema


def _marked(result: Any, source: Any) -> Any:  # noqa: ANN401 - pyarrow Fields
    """A column that comes out, with the type that it had, so that revealing gives back that very type.

    Encrypted values know what kind of value they are, but not the width or scale that their column had.
    """
    import pyarrow as pa  # noqa: PLC0415 - as above

    if result.type.equals(source.type):
        return result
    return result.with_metadata({_TYPE: b64encode(pa.schema([pa.field("", source.type)]).serialize().to_pybytes())})


def _unmarked(result: Any, source: Any) -> Any:  # noqa: ANN401 - pyarrow Fields
    """A column that is revealed, in the type that its mark names, where it has one."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    mark = (source.metadata or {}).get(_TYPE)
    if mark is None:
        return result
    try:
        return result.with_type(pa.ipc.read_schema(pa.py_buffer(b64decode(mark, validate=True))).field(0).type)
    except (ValueError, OSError, pa.ArrowException):
        raise TableError(f"column {source.name!r}: the mark of its type is damaged; protect the file again") from None


def _texts(schema: Any) -> set[str]:  # noqa: ANN401 - a pyarrow Schema
    """The columns that are written as text: what is revealed there is the canonical text of whatever it was."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return {field.name for field in schema if any(test(field.type) for test in tests)}


def _of_schema(batch: Any, schema: Any) -> Any:  # noqa: ANN401 - a pyarrow RecordBatch and Schema
    """A batch in the types that the file began with: a transform may choose wider ones for a batch of long values."""
    if batch.schema.equals(schema):
        return batch
    try:
        return batch.cast(schema)
    except (ValueError, NotImplementedError, KeyError):
        raise TableError(
            "a batch has come out with other types than the file began with; where it was revealed, its columns were "
            "encrypted from values of several types"
        ) from None


def _numbered(source: Source, batches: Iterator[Any]) -> Generator[tuple[int, Any, float], None, None]:
    """Batches with the number of their first row, and the share of the file that has been read after them."""
    row = 0
    for batch in batches:
        yield row, batch, source.fraction()
        row += batch.num_rows


def _ahead(items: Generator[T, None, None], depth: int) -> Generator[T, None, None]:
    """The same items, drawn by a thread of their own, which is `depth` items ahead at most."""
    queue: Queue[tuple[str, Any]] = Queue(depth)
    stopped = Event()

    def put(kind: str, item: object) -> None:
        while not stopped.is_set() and main_thread().is_alive():
            with suppress(Full):
                queue.put((kind, item), timeout=_PATIENCE)
                return

    def draw() -> None:
        try:
            with closing(items):
                while not stopped.is_set() and (item := next(items, _END)) is not _END:
                    put("item", item)
            put("end", None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the items are awaited
            put("error", error)

    # Not a daemon: the interpreter must not end while it is in the parser's code, which would abort the process.
    thread = Thread(target=draw, name="privkit-read")
    try:
        thread.start()
        while (got := queue.get())[0] == "item":
            yield got[1]
        if got[0] == "error":
            raise got[1]
    finally:
        stopped.set()
        _drain(queue)
        if thread.is_alive():
            thread.join()


def _drain(queue: Queue[Any]) -> None:
    with suppress(Empty):
        while True:
            queue.get_nowait()


def _in_order(work: Callable[[T], R], items: Generator[T, None, None], workers: int) -> Generator[R, None, None]:
    """The results of `work` on each item in the items' order, some of them worked on at once."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="privkit-work")
    waiting: deque[Future[R]] = deque()
    broken: Exception | None = None
    try:
        while True:
            try:
                item = next(items)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - raised below, after what the earlier items may raise
                broken = error
                break
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if broken is not None:
            raise broken
    finally:
        pool.shutdown(cancel_futures=True)
