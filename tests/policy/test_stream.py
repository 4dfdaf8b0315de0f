"""A view over a file: the order of rows, the bounds of memory, errors of every stage, and the sums."""

import json
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.errors import InvalidValue, TableError
from privkit.policy.files import Sink, Source, open_sink, open_source, parquet
from privkit.policy.stream import apply_file
from privkit.policy.view import Applied, ColumnReport


class Numbers(Source):
    """Batches of ten rows, and a failure after some of them."""

    def __init__(self, batches, fail_after=None):
        self.schema = pa.schema([("n", pa.int64()), ("secret", pa.string())])
        self.total, self.fail_after, self.drawn, self.closed = batches, fail_after, 0, False

    def batches(self, columns):
        assert columns == ["n"]
        try:
            for number in range(self.total):
                if number == self.fail_after:
                    raise TableError("the source broke")
                self.drawn += 1
                yield pa.RecordBatch.from_pydict({"n": range(10 * number, 10 * number + 10)})
        finally:
            self.closed = True

    def fraction(self):
        return self.drawn / self.total

    def close(self):
        pass


class Doubling:
    """A view that doubles: slow on even batches, so that they would overtake each other, and failing where told."""

    reversible = ()
    anonymising = None

    def __init__(self, fail_at=()):
        self.fail_at, self.running, self.most, self.started = fail_at, 0, 0, 0
        self.lock = threading.Lock()

    def check(self, names, direction):
        assert direction == "protect"
        return [name for name in names if name != "secret"]

    needed = check

    def treat(self, batch, direction, first_row=0, *, as_text=(), only=None):  # noqa: ARG002 nothing is revealed
        assert direction == "protect"
        if not batch.num_rows:
            return Applied(batch, {"n": ColumnReport("double", 0, 0, 0, 0.0)})
        with self.lock:
            self.started += 1
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.002 if first_row % 20 else 0)
        with self.lock:
            self.running -= 1
        if first_row in self.fail_at:
            raise InvalidValue("no", rows=[first_row])
        doubled = pa.RecordBatch.from_pydict({"n": [2 * n for n in batch["n"].to_pylist()]})
        return Applied(doubled, {"n": ColumnReport("double", batch.num_rows, 1, 2, 0.5)})


class Rows(Sink):
    """Keeps the rows, and looks how far ahead of it the source is."""

    def __init__(self, source=None, fail_at=None):
        self.rows, self.source, self.fail_at, self.ahead, self.end = [], source, fail_at, 0, None

    def start(self, schema):
        self.schema = schema

    def write(self, batch):
        time.sleep(0.001)
        if self.fail_at is not None and len(self.rows) >= self.fail_at:
            raise OSError("no space")
        self.rows += batch["n"].to_pylist()
        if self.source:
            self.ahead = max(self.ahead, self.source.drawn - len(self.rows) // 10)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.end = kind

    _start = _finish = _abandon = None


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_rows_keep_their_order_and_few_batches_are_there_at_once():
    source, view = Numbers(60), Doubling()
    sink = Rows(source)
    seen = []
    summary = apply_file(view, source, sink, workers=3, progress=lambda rows, share: seen.append((rows, share)))
    assert sink.rows == [2 * n for n in range(600)]
    assert summary.rows == 600
    assert summary.columns["n"] == ColumnReport("double", 600, 60, 120, 30.0)
    assert summary.dropped == ("secret",)
    assert [rows for rows, _ in seen] == list(range(10, 610, 10))
    assert all(0 < share <= 1 for _, share in seen)
    assert seen[-1][1] == 1
    assert view.most <= 3
    assert sink.ahead <= 10
    assert source.closed


def test_a_source_that_breaks_stops_all():
    source, sink = Numbers(60, fail_after=7), Rows()
    with pytest.raises(TableError, match="the source broke"):
        apply_file(Doubling(), source, sink)
    assert sink.end is TableError
    assert sink.rows == [2 * n for n in range(70)]


def test_of_several_errors_the_earliest_row_wins():
    view, source = Doubling(fail_at={30, 40, 50}), Numbers(60, fail_after=5)
    sink = Rows()
    with pytest.raises(InvalidValue) as caught:
        apply_file(view, source, sink, workers=4)
    assert caught.value.rows == (30,)
    assert sink.end is InvalidValue
    assert view.started <= 8


def test_a_sink_that_breaks_stops_all():
    source, sink = Numbers(1000), Rows(fail_at=50)
    with pytest.raises(OSError, match="no space"):
        apply_file(Doubling(), source, sink)
    assert sink.end is OSError
    assert source.drawn < 50
    assert source.closed


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_stops_all(interruption):
    source, sink = Numbers(1000), Rows()

    def interrupt(rows, share):
        if rows > 50 and share:
            raise interruption

    with pytest.raises(interruption):
        apply_file(Doubling(), source, sink, progress=interrupt)
    assert sink.end is interruption
    assert source.drawn < 50


def test_the_summary_in_json():
    summary = apply_file(Doubling(), Numbers(2), Rows())
    told = json.loads(json.dumps(summary.as_dict()))
    assert told["columns"] == {"n": {"transform": "double", "rows": 20, "nulls": 2, "invalid": 4, "seconds": 1.0}}
    assert (told["direction"], told["rows"], told["dropped"]) == ("protect", 20, ["secret"])


def test_a_file_of_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 16)
    pq.write_table(pa.table({"n": range(100), "secret": ["s"] * 100}), tmp_path / "in.parquet", row_group_size=30)
    with open_source(tmp_path / "in.parquet") as source:
        summary = apply_file(Doubling(), source, open_sink(tmp_path / "out.csv", like=source))
    assert summary.rows == summary.columns["n"].rows == 100
    assert summary.columns["n"].nulls >= 7  # one of each batch
    assert (tmp_path / "out.csv").read_text() == "n\n" + "".join(f"{2 * n}\n" for n in range(100))


def test_no_rows_give_the_columns(tmp_path):
    pq.write_table(
        pa.table({"n": pa.array([], pa.int64()), "secret": pa.array([], pa.string())}), tmp_path / "in.parquet"
    )
    with open_source(tmp_path / "in.parquet") as source:
        summary = apply_file(Doubling(), source, open_sink(tmp_path / "out.parquet", like=source))
    assert summary.rows == 0
    assert pq.read_schema(tmp_path / "out.parquet") == pa.schema([("n", pa.int64())])
