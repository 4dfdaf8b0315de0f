"""Dates and clocks of Python objects, against what NumPy and `isoformat` make of them one by one."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.columns import Kind, lift, text_of
from privkit.columns.clocks import days_of, local_clocks, seconds_of
from privkit.errors import WrongType

ZONES = st.sampled_from(
    [ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), dt.UTC, dt.timezone(dt.timedelta(0, -61))]
)


class Day(dt.date):
    """A subclass, as those of ORMs and of freezing clocks are."""


@settings(deadline=None)
@given(st.lists(st.dates()))
def test_days_are_those_of_numpy(dates):
    expected = np.array(dates, "datetime64[D]")
    for values in (dates, [Day(date.year, date.month, date.day) for date in dates]):
        assert days_of(values).dtype == expected.dtype
        assert days_of(values).tolist() == expected.tolist()


@settings(deadline=None)
@given(st.lists(st.datetimes(timezones=st.none() | ZONES)))
def test_clocks_show_local_time(moments):
    expected = np.array([moment.replace(tzinfo=None) for moment in moments], "datetime64[us]")
    read = local_clocks(moments)
    assert (read.dtype, read.tolist()) == (expected.dtype, expected.tolist())


def test_subclasses_are_asked_themselves():
    stamps = [pd.Timestamp("2024-01-01 03:04:05.678901"), dt.datetime(1, 1, 1)]
    assert local_clocks(stamps).tolist() == [stamps[0].to_pydatetime(), stamps[1]]


@settings(deadline=None)
@given(st.lists(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=ZONES), min_size=1))
def test_columns_of_instants_have_the_text_of_single_ones(moments):
    column = lift(moments)
    assert column.kind is Kind.INSTANT
    assert column.text().to_text() == [text_of(moment) for moment in moments]


def test_offsets_in_whole_seconds():
    assert seconds_of([dt.timedelta(hours=8), dt.timedelta(minutes=-90), dt.timedelta(0)]).tolist() == [28800, -5400, 0]


@pytest.mark.parametrize("missing", [pd.NaT, pd.NA])
@pytest.mark.parametrize("beside", [[], [dt.datetime(2024, 1, 1)], [pd.Timestamp("2024-01-01")], ["a"]])
def test_what_pandas_takes_for_missing_is_no_value(missing, beside):
    with pytest.raises(WrongType, match=f"row {len(beside)} is a missing value of pandas .* put None in its place"):
        lift([*beside, missing])
    with pytest.raises(WrongType, match=r"missing value of pandas .* put None in its place"):
        text_of(missing)
    with pytest.raises(WrongType, match=r"missing value of pandas .* put None in its place"):
        lift(np.array([*beside, missing], object))
