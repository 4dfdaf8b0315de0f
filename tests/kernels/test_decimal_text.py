"""Integers and dates as text, against Python's own."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import decimal_text
from privkit._kernels.decimal_text import (
    civil_from_days,
    days_from_civil,
    format_dates,
    format_integers,
    is_real_date,
    parse_dates,
    parse_integers,
)
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue

SIGNED = st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000) | st.sampled_from([10**k for k in range(19)])
UNSIGNED = st.integers(0, 2**64 - 1) | st.sampled_from([10**k for k in range(20)])
WORDS = (
    st.text("0123456789-", max_size=22)
    | st.from_regex(r"\A-?[0-9]{1,21}\Z")
    | SIGNED.map(str)
    | UNSIGNED.map(str)
    | st.sampled_from(["", "-", "-0", "+1", " 1", "1 ", "1_0", "1.0", "١", "９", "1\n", str(2**63), str(2**64)])
)


def canonical_integer(word, low, high):
    """What a word means as a plain integer of a range, or `None`."""
    try:
        value = int(word)
    except ValueError:
        return None
    return value if str(value) == word and low <= value <= high else None


@settings(deadline=None)
@given(st.lists(SIGNED))
def test_signed_integers_as_python_writes_them(numbers):
    text = format_integers(np.array(numbers, np.int64))
    assert text.to_text() == [str(number) for number in numbers]
    values, bad = parse_integers(text)
    assert (values.tolist(), bad.any(), values.dtype) == (numbers, False, np.int64)


@settings(deadline=None)
@given(st.lists(UNSIGNED))
def test_unsigned_integers_as_python_writes_them(numbers):
    text = format_integers(np.array(numbers, np.uint64))
    assert text.to_text() == [str(number) for number in numbers]
    values, bad = parse_integers(text, np.uint64)
    assert (values.tolist(), bad.any(), values.dtype) == (numbers, False, np.uint64)


@settings(deadline=None)
@given(st.lists(WORDS))
def test_only_plain_integers_are_read(words):
    rows = Ragged.of_text(words)
    for dtype in (np.int64, np.uint64):
        values, bad = parse_integers(rows, dtype)
        limits = np.iinfo(dtype)
        expected = [canonical_integer(word, int(limits.min), int(limits.max)) for word in words]
        assert bad.tolist() == [value is None for value in expected]
        assert values.tolist() == [value or 0 for value in expected]


@settings(deadline=None)
@given(st.lists(st.from_regex(r"\A-?[0-9]{1,20}\Z")))
def test_leading_zeros_on_request(words):
    values, bad = parse_integers(Ragged.of_text(words), leading_zeros=True)
    expected = [int(word) for word in words]
    wrong = [
        not -(2**63) <= value < 2**63 or len(word) > 20 or (value == 0 and word.startswith("-"))
        for value, word in zip(expected, words, strict=True)
    ]
    assert bad.tolist() == wrong
    assert values.tolist() == [0 if out else value for value, out in zip(expected, wrong, strict=True)]


def test_integers_over_several_chunks(monkeypatch):
    monkeypatch.setattr(decimal_text, "_CHUNK", 7)
    numbers = [(-3) ** power for power in range(39)]
    text = format_integers(np.array(numbers, np.int64))
    assert text.to_text() == [str(number) for number in numbers]
    assert parse_integers(text)[0].tolist() == numbers


def test_a_part_of_a_buffer_is_read_as_such():
    whole = Ragged.of_text(["99", "-1", "23", "x4"])
    part = Ragged(whole.data, whole.offsets[1:4])
    assert parse_integers(part)[0].tolist() == [-1, 23]


def test_every_day_of_the_calendar():
    days = np.arange(np.datetime64("0001-01-01"), np.datetime64("9999-12-31") + 1)
    text = format_dates(days)
    assert (text.matrix(10).view("S10").reshape(-1) == np.datetime_as_string(days).astype("S10")).all()
    values, bad = parse_dates(text)
    assert not bad.any()
    assert (values == days).all()
    year, month, day = civil_from_days(days.view(np.int64))
    assert (days_from_civil(year, month, day) == days.view(np.int64)).all()


DATES = (
    st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
    | st.builds("{:04}-{:02}-{:02}".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
    | st.text("0123456789-/T ", max_size=12)
    | st.sampled_from(["1900-02-29", "2000-02-29", "2100-02-29", "19900102", "1990-1-2", "1990-W01-1", "１９90-01-02"])
)


@settings(deadline=None)
@given(st.lists(DATES))
def test_only_real_dates_are_read(words):
    values, bad = parse_dates(Ragged.of_text(words))
    for word, value, wrong in zip(words, values.tolist(), bad.tolist(), strict=True):
        try:
            expected = dt.date.fromisoformat(word)
        except ValueError:
            expected = None
        if expected is not None and expected.isoformat() != word:
            expected = None  # Python also reads 19900102 and weeks
        assert (value, wrong) == (expected, expected is None)


def test_dates_that_have_no_text():
    days = np.array(["1990-01-02", "NaT", "0000-12-31", "10000-01-01"], "datetime64[D]")
    with pytest.raises(InvalidValue) as caught:
        format_dates(days)
    assert (caught.value.rows, caught.value.count) == ((1, 2, 3), 3)


@settings(deadline=None)
@given(st.integers(-3, 10_003), st.integers(-1, 14), st.integers(-1, 33))
def test_what_a_real_date_is(year, month, day):
    try:
        dt.date(year, month, day)
        real = True
    except ValueError:
        real = False
    assert is_real_date(np.array([year]), np.array([month]), np.array([day])).tolist() == [real]
