import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, WrongType
from privkit.keys import Keyring
from privkit.transforms import DateShift

DAYS = st.dates(dt.date(1, 6, 1), dt.date(9999, 6, 1))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.none() | DAYS, st.integers(0, 5)), min_size=1, max_size=12), st.integers(1, 90))
def test_one_and_many_agree_and_intervals_stay(keys, rows, days):
    shift = DateShift(fields.DATE, keys["shift"], days=days)
    dates, subjects = [date for date, _ in rows], [subject for _, subject in rows]
    out = shift.protect_many(dates, subject=subjects)
    assert out == [shift.protect(date, subject=subject) for date, subject in rows]
    assert shift.reveal_many(out, subject=subjects) == dates
    moved = {}
    for before, after, subject in zip(dates, out, subjects, strict=True):
        if before is None:
            assert after is None
        else:
            assert abs((after - before).days) <= days
            assert moved.setdefault(subject, after - before) == after - before


def test_the_shift_is_the_first_half_of_the_mac(keys):
    shift = DateShift(fields.DATE, keys["shift"], days=30)
    mac = shift._cmac.digest(b"user:42")
    moved = dt.timedelta(int.from_bytes(mac[:8]) % 61 - 30)
    assert shift.protect(dt.date(2026, 1, 2), subject="user:42") == dt.date(2026, 1, 2) + moved


def test_every_shift_occurs_about_equally_often(keys):
    shift = DateShift(fields.DATE, keys["shift"], days=3)
    counts = np.bincount(shift._shifts(Ragged.of_text([str(number) for number in range(7000)])) + 3)
    assert len(counts) == 7
    assert (abs(counts - 1000) < 6 * 1000**0.5).all()


def test_times_zones_and_other_date_columns_move_alike(keys):
    stamp = DateShift(fields.TIMESTAMP, keys["shift"], days=400)
    date = DateShift(fields.BIRTH_DATE, keys["shift"], days=400)
    texts = ["2026-01-02T03:04:05+08:00", "2026-01-02 03:04:05", "2026-01-02T03:04:05.123456"]
    day = date.protect("2026/1/2", subject=42)
    assert stamp.protect_many(texts, subject=["42"] * 3) == [
        f"{day}T03:04:05+08:00",
        f"{day}T03:04:05",
        f"{day}T03:04:05.123456",
    ]


def test_recipients_and_keys_differ(keys):
    subjects, dates = list(range(50)), ["2026-01-02"] * 50
    outs = [
        DateShift(fields.DATE, keys[name], days=1000, recipient=to).protect_many(dates, subject=subjects)
        for name, to in (("a", None), ("a", ""), ("a", "acme"), ("b", None))
    ]
    assert all(sum(map(str.__eq__, one, two)) < 5 for at, one in enumerate(outs) for two in outs[:at])


MOMENTS = [dt.datetime(2026, 1, 2, 3, 4, 5), None, dt.datetime(1999, 12, 31)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(MOMENTS, pa.timestamp("ms")),
        pa.array(MOMENTS, pa.timestamp("us", "Asia/Shanghai")),
        pa.array([moment and moment.date() for moment in MOMENTS], pa.date32()),
        pa.chunked_array([pa.array(["2026-01-02T03:04:05", None]), pa.array([""])]),
        pd.Series(MOMENTS, index=[3, 4, 5]),
        pl.Series("when", MOMENTS),
        np.array(["2026-01-02", "NaT", "1999-12-31"], "datetime64[D]"),
        MOMENTS,
    ],
    ids=lambda column: type(column).__name__,
)
def test_containers_come_back_as_they_were(keys, column):
    field = fields.DATE if "date32" in str(getattr(column, "type", "")) else fields.TIMESTAMP
    if isinstance(column, np.ndarray):
        field = fields.DATE
    shift = DateShift(field, keys["shift"], days=36_000)  # with few days a shift is zero once in a while
    out = shift.protect_many(column, subject=["a", None, "b"])
    back = shift.reveal_many(out, subject=pa.array(["a", None, "b"]))
    assert type(out) is type(back) is type(column)
    assert getattr(back, "type", getattr(back, "dtype", None)) == getattr(
        column, "type", getattr(column, "dtype", None)
    )
    assert str(back) == str(column)
    assert str(out) != str(column)


COUNTS = [1767323045, 1767923045]


@pytest.mark.parametrize(
    "column",
    [COUNTS, [float(count) for count in COUNTS], np.array(COUNTS) * 1000, pa.array(COUNTS), pl.Series(COUNTS)],
    ids=lambda column: type(column).__name__,
)
def test_counts_of_seconds_are_refused_with_a_remedy_that_works(keys, column):
    shift = DateShift(fields.TIMESTAMP, keys["shift"], days=300)
    for way in (shift.protect_many, shift.reveal_many):
        with pytest.raises(InvalidParameter, match=r"make them dates or moments first") as caught:
            way(column, subject=["a", "b"])
        assert "17673" not in str(caught.value)
    with pytest.raises(InvalidParameter, match="or text"):
        shift.protect(COUNTS[0], subject="a")
    moments = np.array(COUNTS).astype("datetime64[s]")
    moved = shift.protect_many(moments, subject=["a", "b"])
    assert shift.reveal_many(moved, subject=["a", "b"]).tolist() == moments.tolist()
    text = shift.protect_many(list(map(str, COUNTS)), subject=["a", "b"])
    assert text == [f"{moment}+00:00" for moment in moved.astype(str)]
    assert shift.protect_many(np.array([], np.int64), subject=[]).tolist() == []


def test_intervals_are_exact_across_summer_time(keys):
    shift = DateShift(fields.TIMESTAMP, keys["shift"], days=200)
    column = pa.array([dt.datetime(2026, 7, 1, 12)] * 20, pa.timestamp("us", "America/New_York"))
    out = shift.protect_many(column, subject=list(range(20)))
    moved = [
        after - before
        for before, after in zip(column.cast(pa.int64()).to_pylist(), out.cast(pa.int64()).to_pylist(), strict=True)
    ]
    assert all(microseconds % 86_400_000_000 == 0 for microseconds in moved)
    assert len({moment.as_py().utcoffset() for moment in out}) == 2
    assert shift.reveal_many(out, subject=list(range(20))) == column


def test_what_cannot_be_shifted_is_named_by_its_rows(keys):
    shift = DateShift(fields.DATE, keys["shift"], days=30)
    column, subjects = [None, "2026-01-02", "", "x", "2026-02-30"], ["", "a", None, "b", "c"]
    with pytest.raises(InvalidValue) as caught:
        shift.protect_many(column, subject=subjects)
    assert caught.value.rows == (3, 4)
    outcome = shift.protect_column(column, subject=subjects, on_invalid="suppress")
    assert (outcome.invalid, outcome.nulls, outcome.column[2:]) == (2, 1, ["", None, None])
    with pytest.raises(InvalidValue, match="no subject") as caught:
        shift.protect_many(["", "2026-01-02", None, "2026-01-02"], subject=[None, "", None, None])
    assert caught.value.rows == (1, 3)
    with pytest.raises(InvalidValue) as caught:
        shift.protect("2026-13-01", subject="a")
    assert caught.value.rows == ()


def test_dates_that_leave_the_calendar_are_refused(keys):
    shift = DateShift(fields.DATE, keys["shift"], days=30)
    subject = next(name for name in range(99) if shift._shifts(Ragged.of_text([str(name)]))[0] > 0)
    with pytest.raises(InvalidValue, match="leaves the years") as caught:
        shift.protect_many([None, "2026-01-02", "9999-12-31"], subject=[subject] * 3)
    assert caught.value.rows == (2,)
    outcome = shift.protect_column(["9999-12-31", "2026-01-02"], subject=[subject] * 2, on_invalid="suppress")
    assert outcome.invalid == 1
    assert outcome.column[0] is None
    with pytest.raises(InvalidValue, match="leaves the years"):
        shift.reveal("0001-01-01", subject=subject)


def test_parameters_are_checked(keys):
    for days in (0, -1, 36_526, True, 1.5):
        with pytest.raises(InvalidParameter, match="days"):
            DateShift(fields.DATE, keys["shift"], days=days)
    with pytest.raises(InvalidParameter, match="no date"):
        DateShift(fields.AMOUNT, keys["shift"], days=3)
    shift = DateShift(fields.DATE, keys["shift"], days=3)
    with pytest.raises(InvalidParameter, match="1 subjects for 2 values"):
        shift.protect_many(["2026-01-02"] * 2, subject=["a"])
    with pytest.raises(InvalidParameter, match="text or whole numbers"):
        shift.protect_many(["2026-01-02"], subject=[1.5])
    with pytest.raises(InvalidParameter, match="stars"):
        shift.protect_column(["2026-01-02"], subject=["a"], on_invalid="star")
    with pytest.raises(WrongType):
        shift.protect(object(), subject="a")
    assert shift.protect_many([], subject=[]) == []
