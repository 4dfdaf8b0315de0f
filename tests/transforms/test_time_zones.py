"""Moments with a zone under transforms: the day is the day there, tokens join with text, the moment comes back."""

import datetime as dt
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit import fields
from privkit.columns import lift
from privkit.errors import InvalidParameter
from privkit.keys import Keyring
from privkit.transforms import Encrypt, Generalise, Keep, Token

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
ROWS = [dt.datetime(2024, 1, 1, 3, 4, 5, tzinfo=SHANGHAI), None, dt.datetime(2024, 7, 1, 0, 30, 0, 7, tzinfo=SHANGHAI)]
TEXTS = ["2024-01-01T03:04:05+08:00", None, "2024-07-01T00:30:00.000007+08:00"]
UTC = [row and row.astimezone(dt.UTC) for row in ROWS]


def objects(rows):
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


CONTAINERS = {
    "list": list,
    "numpy": objects,
    "arrow": lambda rows: pa.array(rows, pa.timestamp("us", "Asia/Shanghai")),
    "arrow in chunks": lambda rows: pa.chunked_array([rows[:1], rows[1:]], pa.timestamp("us", "Asia/Shanghai")),
    "pandas": lambda rows: pd.Series(rows, dtype="datetime64[us, Asia/Shanghai]"),
    "polars": lambda rows: pl.Series(rows, dtype=pl.Datetime("us", "Asia/Shanghai")),
}


@pytest.fixture(params=CONTAINERS.values(), ids=CONTAINERS)
def column(request):
    return request.param(ROWS)


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")


def rows_of(column):
    rows = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return [None if row is None or row != row else row for row in rows]  # noqa: PLR0124 NaN and NaT


def test_the_day_is_the_day_there(column):
    assert rows_of(Generalise(fields.TIMESTAMP, to="day").protect_many(column)) == ["2024-01-01", None, "2024-07-01"]


def test_keeping_a_column_leaves_it_as_it_is(column):
    assert rows_of(Keep(fields.TIMESTAMP).protect_many(column)) == ROWS


def test_tokens_are_those_of_the_text(column, keys):
    token = Token(keys["seen"], fields.TIMESTAMP)
    assert rows_of(token.protect_many(column)) == [token.protect(text) for text in TEXTS]
    assert token.protect(ROWS[0]) == token.protect("2024-01-01 03:04:05 +0800")
    assert token.protect(ROWS[0]) != token.protect(ROWS[0].replace(tzinfo=None))


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("deterministic", [False, True])
def test_what_was_encrypted_is_the_same_moment(column, keys, text, deterministic):
    transform = Encrypt(keys["seen"], deterministic=deterministic, text=text)
    sealed = transform.protect_many(column)
    revealed = transform.reveal_many(sealed)
    assert rows_of(revealed) == ROWS
    assert all(row is None or row.utcoffset() is not None for row in rows_of(revealed))
    assert rows_of(transform.reveal_column(sealed, as_text=True).column) == TEXTS
    assert [transform.reveal(row) for row in rows_of(sealed)] == ROWS


def test_what_comes_back_has_a_zone_in_its_type(keys):
    transform = Encrypt(keys["seen"])
    zoned = {
        "arrow": pa.timestamp("us", "UTC"),
        "polars": pl.Datetime("us", "UTC"),
    }
    for name, of in zoned.items():
        revealed = transform.reveal_many(transform.protect_many(CONTAINERS[name](ROWS)))
        assert (revealed.type if name == "arrow" else revealed.dtype) == of
        assert rows_of(revealed) == UTC
    texts = Encrypt(keys["seen"], text=True)
    series = pd.Series([texts.protect(row) for row in ROWS], dtype="str")
    assert texts.reveal_many(series).dtype == "datetime64[us, UTC]"


def test_one_value_is_encrypted_as_in_a_column(column, keys):
    transform = Encrypt(keys["seen"], deterministic=True)
    assert rows_of(transform.protect_many(column)) == [row and transform.protect(row) for row in ROWS]
    revealed = transform.reveal(transform.protect(ROWS[0]))
    assert revealed.isoformat() == TEXTS[0]
    assert transform.reveal_many([transform.protect(ROWS[0])])[0].isoformat() == TEXTS[0]


def test_offsets_may_differ_in_a_column(keys):
    transform = Encrypt(keys["seen"])
    rows = [*ROWS, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(1900, 1, 1, tzinfo=SHANGHAI)]
    sealed = [transform.protect(row) for row in rows]
    assert transform.reveal_many(sealed) == rows
    assert rows_of(transform.reveal_many(pa.array(sealed))) == rows


def test_moments_and_local_times_come_back_where_there_is_a_place_for_both(keys):
    transform = Encrypt(keys["seen"])
    rows = [ROWS[0], ROWS[0].replace(tzinfo=None)]
    sealed = [transform.protect(row) for row in rows]
    assert [row.isoformat() for row in transform.reveal_many(sealed)] == [row.isoformat() for row in rows]
    with pytest.raises(InvalidParameter, match="ask for their text, or pass a list"):
        transform.reveal_many(pa.array(sealed))
    assert transform.reveal_column(sealed, as_text=True).column == [TEXTS[0], "2024-01-01T03:04:05"]


def test_bytes_have_no_text_to_be_revealed_as(keys):
    transform = Encrypt(keys["seen"])
    assert transform.reveal_column([transform.protect(b"\xff")], as_text=True).column == [b"\xff"]


def test_the_offset_of_local_mean_time_is_one_of_a_time_stamp():
    column = pa.array([*ROWS, dt.datetime(1900, 1, 1, tzinfo=SHANGHAI)], pa.timestamp("us", "Asia/Shanghai"))
    kept = Keep(fields.TIMESTAMP).protect_column(column, on_invalid="suppress")
    assert kept.column.equals(column)
    assert kept.invalid == 0
    assert lift(column).text().to_text()[-1] == "1900-01-01T00:00:00+08:05:43"
