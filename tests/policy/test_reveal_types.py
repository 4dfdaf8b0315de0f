"""Revealing a Parquet file gives back the very types that its columns had."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit import fields
from privkit.errors import TableError
from privkit.keys import Keyring
from privkit.policy import Policy
from privkit.policy.files import open_sink, open_source
from privkit.policy.stream import apply_file

NOON = dt.datetime(2020, 1, 2, 12, 0, 5)
COLUMNS = {
    "decimal": pa.array([Decimal("1.20"), None, Decimal("-7.00")], pa.decimal128(12, 2)),
    "date": pa.array([dt.date(1990, 1, 2), None, dt.date(2000, 2, 29)], pa.date32()),
    "integer": pa.array([1, None, 3], pa.int32()),
    "time": pa.array([NOON, None, NOON], pa.timestamp("ms")),
    "zoned": pa.array([NOON, None, NOON], pa.timestamp("us", "Asia/Shanghai")),
    "text": pa.array(["x", None, ""]),
    "float": pa.array([1.5, None, -0.0], pa.float32()),
    "boolean": pa.array([True, None, False]),
    "nulls": pa.array([None, None, None], pa.int64()),
    "dictionary": pa.array(["x", None, ""]).dictionary_encode(),
    "mobile": pa.array([13812345678, None, 15900001111], pa.int64()),
}
TABLE = pa.table(COLUMNS)


@pytest.fixture(params=[False, True], ids=["randomised", "deterministic"])
def bound(request, tmp_path):
    treatments = {name: {"transform": "encrypt", "deterministic": request.param} for name in COLUMNS}
    policy = Policy(
        dict.fromkeys(COLUMNS, fields.TEXT) | {"mobile": fields.CN_MOBILE},
        {"all": treatments | {"mobile": "fpe"}},
    )
    return policy.view("all", Keyring.create(tmp_path / "keyring.json"))


def run(bound, source, sink, direction):
    with open_source(source) as opened:
        apply_file(bound, opened, open_sink(sink, like=opened), direction=direction)


def through(bound, source, sink, direction):
    run(bound, source, sink, direction)
    return pq.read_table(sink)


@pytest.mark.parametrize("rows", [3, 0])
def test_types_and_values_come_back(bound, rows, tmp_path):
    table = TABLE.slice(0, rows)
    pq.write_table(table, tmp_path / "in.parquet")
    through(bound, tmp_path / "in.parquet", tmp_path / "out.parquet", "protect")
    revealed = through(bound, tmp_path / "out.parquet", tmp_path / "back.parquet", "reveal")
    assert revealed.schema.types == table.schema.types
    assert revealed.to_pylist() == table.to_pylist()


def test_a_damaged_mark_is_said_to_be(bound, tmp_path):
    pq.write_table(TABLE, tmp_path / "in.parquet")
    protected = through(bound, tmp_path / "in.parquet", tmp_path / "out.parquet", "protect")
    field = protected.schema.field("decimal").with_metadata({b"privkit.type": b"?"})
    damaged = protected.cast(protected.schema.set(0, field))
    pq.write_table(damaged, tmp_path / "damaged.parquet")
    with pytest.raises(TableError, match="column 'decimal': the mark of its type is damaged"):
        through(bound, tmp_path / "damaged.parquet", tmp_path / "back.parquet", "reveal")


def test_moments_with_a_zone_have_their_offset_in_csv(tmp_path):
    column = pa.array([dt.datetime(2023, 12, 31, 19, 4, 5, tzinfo=dt.UTC), None], pa.timestamp("us", "Asia/Shanghai"))
    names = ("kept", "day", "token", "secret")
    pq.write_table(pa.table(dict.fromkeys(names, column)), tmp_path / "in.parquet")
    treatments = {
        "kept": "keep",
        "day": {"transform": "generalise", "to": "day"},
        "token": "token",
        "secret": {"transform": "encrypt", "deterministic": True},
    }
    policy = Policy(dict.fromkeys(names, fields.TIMESTAMP), {"all": treatments})
    bound = policy.view("all", Keyring.create(tmp_path / "keyring.json"))
    through(bound, tmp_path / "in.parquet", tmp_path / "out.parquet", "protect")
    run(bound, tmp_path / "in.parquet", tmp_path / "out.csv", "protect")
    text = "2024-01-01T03:04:05+08:00"
    row = (tmp_path / "out.csv").read_text().splitlines()[1].split(",")
    assert row[:2] == [text, "2024-01-01"]

    (tmp_path / "in.csv").write_text(f"kept,day,token,secret\n{text},{text},{text},{text}\n")
    run(bound, tmp_path / "in.csv", tmp_path / "again.csv", "protect")
    assert (tmp_path / "again.csv").read_text().splitlines()[1].split(",")[:3] == row[:3]

    for protected in ("out.csv", "out.parquet"):
        back = tmp_path / f"{protected}.csv"
        run(bound, tmp_path / protected, back, "reveal")
        assert back.read_text().splitlines()[1].split(",")[3] == text
    revealed = through(bound, tmp_path / "out.parquet", tmp_path / "back.parquet", "reveal")
    assert revealed["secret"].to_pylist() == column.to_pylist()
    assert revealed["secret"].type == column.type
