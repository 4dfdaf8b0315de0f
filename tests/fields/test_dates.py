"""Time stamps as databases and CSV exports write them: read as a column the same as one by one."""

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.transforms import Keep

MOMENTS = st.builds(
    lambda moment, sep, dot, digits, spoilt: f"{moment:%Y-%m-%d}{sep}{moment:%H:%M:%S}{dot}{digits}{spoilt}".zfill(19),
    st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31)),
    st.sampled_from("  TTt/"),
    st.sampled_from(["", ".", ".", ","]),
    st.text("0019", max_size=9),
    st.sampled_from(["", "", "", "Z", "+08:00", " ", "x", "８"]),
)
ODD = st.text("0123456789-: T.", min_size=1, max_size=27)
EXAMPLES = (
    "2026-02-29 03:04:05",
    "2026-01-02 24:00:00",
    "2026-01-02 03:60:05",
    "2026-01-02 03:04:05.000",
    "2026-01-02T03:04:05.000000",
    "2026-01-02T03:04:05.100000",
    "2026-01-02 03:04:05.1",
    "2026-01-02T03:04:05",
    "2026-01-02 03:04:0x",
    "2026-01-02T03:04:05+08:00",
    "2026-01-02T03:04:05.120000-03:30",
    "2026-01-02T03:04:05.000000+08:00",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05+00:00",
    "2026-01-02T03:04:05-00:00",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+08:60",
    "2026-01-02T03:04:05+08.00",
    "2026-01-02T03:04:05 08:00",
    "2026-01-02 03:04:05+08",
    "1900-01-01T00:00:00+08:05:43",
    "1900-01-01T00:00:00+08:05:00",
    "1900-01-01T00:00:00+08:05:60",
)


def _one(text):
    try:
        return fields.TIMESTAMP.normalise(text)
    except InvalidValue:
        return None


@settings(deadline=None, max_examples=300)
@given(st.lists(MOMENTS | ODD | st.sampled_from(EXAMPLES), min_size=1, max_size=12))
def test_columns_are_read_as_single_values_are(values):
    reading = fields.TIMESTAMP.read(Ragged.of_text(values))
    expected = [_one(value) for value in values]
    bad = [text is None for text in expected]
    assert reading.text.to_text() == [text or "" for text in expected]
    assert (reading.bad is None) == (not any(bad))
    assert reading.bad is None or reading.bad.tolist() == bad
    assert reading.changed.tolist() == [
        row for row, (text, value) in enumerate(zip(expected, values, strict=True)) if text not in (None, value)
    ]


def test_what_exports_write_takes_no_slow_way(monkeypatch):
    whole = [
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05.123",
        "2026-01-02T03:04:05.120000",
        "2026-01-02T03:04:05+08:00",
        "2026-01-02T03:04:05.120000-03:30",
    ] * 20_000
    monkeypatch.setattr(type(fields.TIMESTAMP), "normalise", None)
    reading = fields.TIMESTAMP.read(Ragged.of_text(whole))
    assert reading.text.to_text()[-5:] == [
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05.123000",
        "2026-01-02T03:04:05.120000",
        "2026-01-02T03:04:05+08:00",
        "2026-01-02T03:04:05.120000-03:30",
    ]
    assert np.array_equal(reading.changed, np.flatnonzero(np.arange(100_000) % 5 < 2))


def test_utc_has_one_text():
    written = ["Z", "z", "+00:00", "-00:00", "+00", "-0000", "+00:00:00"]
    texts = [f"2026-01-02T03:04:05{zone}" for zone in written]
    assert {fields.TIMESTAMP.normalise(text) for text in texts} == {"2026-01-02T03:04:05+00:00"}
    assert fields.TIMESTAMP.normalise("1900-01-01T00:00:00+080543") == "1900-01-01T00:00:00+08:05:43"


def test_columns_with_nulls_and_empty_rows():
    column = pa.array(["2026-01-02 03:04:05", None, "", "2026-01-02 03:04:05.5"])
    assert Keep(fields.TIMESTAMP).protect_many(column).to_pylist()[1:3] == [None, ""]


def test_a_day_is_midnight_where_it_was_written():
    for time in ("T00:00:00+08:00", " 00:00:00Z", "T00:00:00.000-03:30", "T00:00"):
        assert fields.DATE.normalise(f"2026-01-02{time}") == "2026-01-02"
    for time in ("T16:00:00+00:00", "T00:00:00+8", "+08:00"):
        assert _refused(fields.DATE, f"2026-01-02{time}")


def _refused(field, text):
    try:
        field.normalise(text)
    except InvalidValue:
        return True
    return False
