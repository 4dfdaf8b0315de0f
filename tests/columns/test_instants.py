"""Moments with a zone: local time and offset as text, the exact moment on the way back, in every container."""

import datetime as dt
import zoneinfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from columns.conftest import plain, same
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, instants, lift, lift_distinct, like, parse_values, text_of
from privkit.errors import InvalidValue, WrongType

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Pacific/Apia"]
# The clock goes from 2:00 to 3:00 at 1:00 UTC in March, and from 3:00 to 2:00 at 1:00 UTC in October.
CHANGES = ["2024-03-31T00:59:59", "2024-03-31T01:00:00", "2024-10-27T00:59:59", "2024-10-27T01:00:00"]
LOCAL = [
    "2024-03-31T01:59:59+01:00",
    "2024-03-31T03:00:00+02:00",
    "2024-10-27T02:59:59+02:00",
    None,
    "2024-10-27T02:00:00+01:00",
]
MOMENTS = [dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in CHANGES]
ROWS = [*MOMENTS[:3], None, MOMENTS[3]]


def berlin(rows):
    return [None if row is None else row.astimezone(BERLIN) for row in rows]


def objects(rows):
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


def pandas(unit, zone):
    return lambda rows: pd.Series(rows, dtype=f"datetime64[us, {zone}]").dt.as_unit(unit)


CONTAINERS = {
    "list": berlin,
    "tuple": lambda rows: tuple(berlin(rows)),
    "numpy": lambda rows: objects(berlin(rows)),
    "pandas objects": lambda rows: pd.Series(berlin(rows), dtype=object),
    "pandas category": lambda rows: pd.Series(rows, dtype="datetime64[us, Europe/Berlin]").astype("category"),
    "arrow chunked": lambda rows: pa.chunked_array([rows[:2], [], rows[2:]], pa.timestamp("us", "Europe/Berlin")),
    "arrow dictionary": lambda rows: pa.array(rows, pa.timestamp("us", "Europe/Berlin")).dictionary_encode(),
    "arrow sliced": lambda rows: pa.array([None, *rows], pa.timestamp("us", "Europe/Berlin"))[1:],
    **{
        f"arrow {unit}": lambda rows, unit=unit: pa.array(rows, pa.timestamp(unit, "Europe/Berlin"))
        for unit in ("s", "ms", "us", "ns")
    },
    **{f"pandas {unit}": pandas(unit, "Europe/Berlin") for unit in ("s", "ms", "us", "ns")},
    **{
        f"polars {unit}": lambda rows, unit=unit: pl.Series(rows, dtype=pl.Datetime(unit, "Europe/Berlin"))
        for unit in ("ms", "us", "ns")
    },
}


@pytest.fixture(params=CONTAINERS.values(), ids=CONTAINERS)
def make(request):
    return request.param


def test_both_sides_of_a_change_of_the_clock(make):
    column = make(ROWS)
    lifted = lift(column)
    assert lifted.kind is Kind.INSTANT
    assert lifted.text().to_text() == [text for text in LOCAL if text is not None]
    assert same(column, lifted.restore_like(lifted.text()))
    assert same(column, lifted.restore(lifted.values, lifted.kind))


def test_text_with_other_offsets_comes_back_as_the_moment_in_the_zone_of_the_column(make):
    column = make(ROWS)
    elsewhere = [row.astimezone(dt.timezone(dt.timedelta(hours=-3, minutes=-30))).isoformat() for row in MOMENTS]
    restored = lift(column).restore_like(Ragged.of_text(elsewhere))
    assert same(column, restored)


def test_instants_in_a_container_of_something_else_are_in_utc():
    values = lift(berlin(MOMENTS)).values
    nulls = np.array([False, False, True, False, False])
    texts = ["x"] * 5
    for column, zone in (
        (pa.array(texts), pa.timestamp("us", "UTC")),
        (pl.Series(texts), pl.Datetime("us", "UTC")),
        (pd.Series(texts), "datetime64[us, UTC]"),
        (np.array(texts), object),
    ):
        restored = lift(column).restore(values, Kind.INSTANT, nulls)
        assert (restored.type if isinstance(column, pa.Array) else restored.dtype) == zone
        assert [None if row is None else row for row in plain(restored)] == [*MOMENTS[:2], None, *MOMENTS[2:]]
    local = lift(texts).restore(values, Kind.INSTANT, nulls)
    assert [row and row.isoformat() for row in local] == [*LOCAL[:2], None, LOCAL[2], LOCAL[4]]


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(-62_135_000_000 * 10**6, 253_402_000_000 * 10**6), min_size=1, max_size=20),
)
def test_offsets_are_those_of_the_standard_library(zone, numbers):
    moments = np.array(numbers, np.int64).view("datetime64[us]")
    rules = zoneinfo.ZoneInfo(zone)
    rows = [moment.replace(tzinfo=dt.UTC).astimezone(rules) for moment in moments.tolist()]
    texts = [row.isoformat() for row in rows]
    arrow = pa.array(moments).cast(pa.timestamp("us")).cast(pa.timestamp("us", zone))
    assert lift(arrow).text().to_text() == texts
    assert lift(arrow).restore_like(Ragged.of_text(texts)).equals(arrow)
    assert lift(rows).text().to_text() == texts == [text_of(row) for row in rows]
    assert [like(rows[0], text) for text in texts] == rows


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 2**31), st.lists(st.integers(-7200, 7200), max_size=20))
def test_near_a_change_of_the_clock(zone, second, steps):
    rules = zoneinfo.ZoneInfo(zone)
    near = np.array([second, *(second + step for step in steps)], "datetime64[s]")
    offsets = instants.in_zone(near, rules)["offset"].tolist()
    assert offsets == [
        row.replace(tzinfo=dt.UTC).astimezone(rules).utcoffset() // dt.timedelta(seconds=1) for row in near.tolist()
    ]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1)))
def test_nanoseconds_come_back(numbers):
    column = pa.array(np.array(numbers, np.int64).view("datetime64[ns]")).cast(pa.timestamp("ns", "Europe/Berlin"))
    lifted = lift(column)
    text = lifted.text()
    assert lifted.restore_like(text).equals(column)
    plain_text = lift(column.cast(pa.timestamp("ns", "UTC"))).text().to_text()
    naive = lift(column.cast(pa.timestamp("ns"))).text().to_text()
    assert plain_text == [f"{row}+00:00" for row in naive]


def test_objects_of_several_zones_keep_their_moments_and_offsets():
    rows = [MOMENTS[0].astimezone(BERLIN), MOMENTS[0], MOMENTS[0].astimezone(zoneinfo.ZoneInfo("Asia/Shanghai")), None]
    lifted = lift(rows)
    texts = lifted.text().to_text()
    assert texts == ["2024-03-31T01:59:59+01:00", "2024-03-31T00:59:59+00:00", "2024-03-31T08:59:59+08:00"]
    assert [row and row.isoformat() for row in lifted.restore_like(lifted.text())] == [*texts, None]


def test_the_first_and_the_last_moments():
    rows = [
        dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))),
        dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-8))),
    ]
    lifted = lift(rows)
    assert lifted.text().to_text() == ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59.999999-08:00"]
    assert lifted.restore_like(lifted.text()) == rows
    last = pa.array([dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC)], pa.timestamp("s", "Asia/Shanghai"))
    assert lift(last).text().to_text() == ["9999-12-31T23:00:00+00:00"]  # it is another year there, and has no text
    with pytest.raises(InvalidValue, match="outside the years") as caught:
        lift(pa.array([0, 2**60]).cast(pa.timestamp("s", "UTC"))).text()
    assert caught.value.rows == (1,)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T03:04:05",
        "2024-01-01T03:04:05Z",
        "2024-01-01T03:04:05-00:00",
        "2024-01-01T03:04:05+0800",
        "2024-01-01T03:04:05+08",
        "2024-01-01T03:04:05+24:00",
        "2024-01-01T03:04:05+08:60",
        "2024-01-01T03:04:05+08:05:00",
        "2024-01-01T03:04:05+08:05:60",
        "2024-01-01T03:04:05+08-05:43",
        "2024-01-01T03:04:05+08.05:43",
        "2024-01-01T03:04:05+0a:00",
        "2024-01-01T03:04:05 08:00",
        "2024-01-01T03:04:05.000000+08:00",
        "2024-01-01T03:04:05.000+08:00",
        "2024-01-01 03:04:05+08:00",
        "2024-02-30T03:04:05+08:00",
        "2262-04-12T00:00:00.123456789+00:00",
        "+08:00",
        "",
    ],
)
def test_what_is_not_the_text_of_an_instant(text):
    good = "2024-01-01T03:04:05+08:00"
    values, bad = parse_values(Kind.INSTANT, Ragged.of_text([good, text, good]))
    assert bad.tolist() == [False, True, False]
    assert values["offset"][[0, 2]].tolist() == [28_800, 28_800]
    with pytest.raises(InvalidValue) as caught:
        lift(ROWS[:2]).restore_like(Ragged.of_text([good, text]))
    assert caught.value.rows == (1,)
    if not text.endswith("789+00:00"):  # which `datetime` would cut
        with pytest.raises(InvalidValue):
            like(MOMENTS[0], text)


def test_a_value_without_a_zone_does_not_take_one():
    with pytest.raises(InvalidValue):
        like(dt.datetime(2024, 1, 1), "2024-01-01T03:04:05+08:00")
    with pytest.raises(InvalidValue):
        lift([dt.datetime(2024, 1, 1)]).restore_like(Ragged.of([b"2024-01-01T03:04:05+08:00"]))


def test_no_datetime_holds_a_nanosecond():
    values, bad = parse_values(Kind.INSTANT, Ragged.of([b"2024-01-01T03:04:05.000000001+08:00"]))
    assert not bad.any()
    with pytest.raises(InvalidValue, match="finer than a microsecond") as caught:
        lift(["x", None]).restore(values, Kind.INSTANT)
    assert caught.value.rows == (0,)


@pytest.mark.parametrize(
    ("name", "text"),
    [("+08:00", "+08:00"), ("-03:30", "-03:30"), ("+00:00", "+00:00"), ("UTC", "+00:00"), ("Etc/GMT-8", "+08:00")],
)
def test_names_of_zones(name, text):
    column = pa.array([0], pa.timestamp("s", name))
    assert lift(column).text().to_text()[0].endswith(text)
    assert same(column, lift(column).restore_like(lift(column).text()))


@pytest.mark.parametrize("name", ["Nowhere/At_All", "+25:00", "../../etc/passwd"])
def test_a_zone_that_nobody_knows(name):
    with pytest.raises(WrongType, match="does not know the time zone"):
        lift(pa.array([0], pa.timestamp("s", name)))


def test_repeated_instants_are_seen_once():
    column = pa.array(ROWS * 20_000, pa.timestamp("us", "Europe/Berlin"))
    few = lift_distinct(column)
    assert few.text().to_text() == [text for text in LOCAL if text is not None]
    assert few.restore_like(few.text()).equals(column)
    assert few.restore(few.text()).to_pylist() == LOCAL * 20_000
