"""Values of every kind by the thousand: out, text, back; a value alone as in a column; and what is refused."""

import datetime as dt
import zoneinfo
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from columns.conftest import plain
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, arrow, arrow_buffers, lift, like, text_of
from privkit.errors import InvalidParameter, InvalidValue, WrongType

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
POLARS_DIGITS = 38  # of its decimals
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
STRATEGIES = {
    Kind.TEXT: TEXT,
    Kind.BYTES: TEXT.map(str.encode),
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT: st.floats(allow_nan=False),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, places=3),
    Kind.DATE: st.dates(),
    Kind.TIMESTAMP: st.datetimes(),
    Kind.INSTANT: st.datetimes(
        dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(SHANGHAI), allow_imaginary=False
    ),
    Kind.BOOLEAN: st.booleans(),
}
VALUES = st.one_of(*STRATEGIES.values())
COLUMNS = st.one_of(*(st.lists(st.none() | strategy) for strategy in STRATEGIES.values()))
ZONED = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(SHANGHAI), allow_imaginary=False)


@settings(deadline=None)
@given(COLUMNS)
def test_lists_come_back(rows):
    lifted = lift(rows)
    assert lifted.restore_like(lifted.text()) == rows
    assert lifted.restore(lifted.values, lifted.kind) == rows


@settings(deadline=None)
@given(COLUMNS)
def test_arrow_comes_back(rows):
    column = pa.array(rows)
    lifted = lift(column)
    restored = lifted.restore_like(lifted.text())
    restored.validate(full=True)
    assert restored.type == column.type
    assert restored.equals(column)


@settings(deadline=None)
@given(COLUMNS)
def test_arrow_lists_and_polars_have_the_same_text(rows):
    texts = lift(rows).text().to_text()
    assert lift(pa.array(rows)).text().to_text() == texts or any(isinstance(row, Decimal) for row in rows)
    if any(isinstance(row, Decimal) and len(row.as_tuple().digits) > POLARS_DIGITS for row in rows):
        return  # Polars itself refuses them
    assert lift(pl.Series(rows, strict=True)).text().to_text() == texts or any(isinstance(row, Decimal) for row in rows)


@settings(deadline=None)
@given(st.lists(VALUES.filter(lambda value: value is not None), min_size=1, max_size=1))
def test_a_value_alone_as_in_a_column(rows):
    (value,) = rows
    text = text_of(value)
    assert [text] == lift(rows).text().to_text()
    back = like(value, text)
    assert (back, type(back)) == (value, type(value))
    assert text_of(back) == text


@settings(deadline=None)
@given(st.lists(ZONED, min_size=1))
def test_moments_with_a_zone_are_local_with_their_offset(rows):
    lifted = lift(rows)
    text = lifted.text()
    assert text.to_text() == [row.isoformat() for row in rows]
    assert text.to_text() == [text_of(row) for row in rows]
    restored = lifted.restore_like(text)
    assert restored == rows
    assert {row.tzinfo for row in restored} == {SHANGHAI}
    assert like(rows[0], text_of(rows[0])) == rows[0]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1)))
def test_nanoseconds_come_back(numbers):
    column = np.array(numbers, np.int64).view("datetime64[ns]")
    lifted = lift(column)
    assert (lifted.restore_like(lifted.text()) == column).all()
    assert lifted.text().to_text() == [
        str(word).removesuffix(".000000000").removesuffix("000" if str(word).endswith("000") else "x")
        for word in np.datetime_as_string(column)
    ]


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1)))
def test_unsigned_integers_come_back(numbers):
    column = np.array(numbers, np.uint64)
    lifted = lift(column)
    assert lifted.values.dtype == (np.uint64 if any(number >= 2**63 for number in numbers) else np.int64)
    restored = lifted.restore_like(lifted.text())
    assert (restored.dtype, restored.tolist()) == (np.uint64, numbers)
    assert lift(numbers).restore_like(lift(numbers).text()) == numbers


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text.rstrip("\0"))))
def test_fixed_width_text_comes_back(rows):
    column = np.array(rows, str)
    lifted = lift(column)
    assert lifted.values.to_text() == rows
    assert lifted.restore(lifted.values).tolist() == rows


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.0, "12"),
        (-0.0, "-0"),
        (2.0**53, "9007199254740992"),
        (1e22, "1e+22"),
        (0.1, "0.1"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "-0.00"),
        (Decimal("1E-10"), "0.0000000001"),
        (True, "true"),
        (2**64 - 1, "18446744073709551615"),
        (dt.date(1, 2, 3), "0001-02-03"),
        (dt.datetime(1990, 1, 2), "1990-01-02T00:00:00"),
        (np.float64(12), "12"),
        (np.int8(-5), "-5"),
        (np.True_, "true"),
        (b"ab", "ab"),
    ],
)
def test_canonical_text(value, text):
    assert text_of(value) == text
    assert lift([value]).text().to_text() == [text]
    back = like(value, text)
    assert type(back) is type(value)
    assert text_of(back) == text


NOT_CANONICAL = [
    (1, ["007", "-0", "+1", " 1", "1.0", "", "x", "1_0", "１", str(2**64)]),
    (1.5, ["1.50", "01.5", "x", "", "0.1000000000000000055", "1_0", "Infinity", "1e2", "12.0"]),
    (Decimal("1.5"), ["1e3", "+1", "01", ".5", "5.", "NaN", "", "1_0", "１"]),
    (
        dt.date(2020, 1, 1),
        ["2020-1-1", "20200101", "2023-02-29", "2020-W01-1", "2020-01-01T00:00:00", "", "0000-01-01"],
    ),
    (
        dt.datetime(2020, 1, 1),
        [
            "2020-01-01",
            "2020-01-01 00:00:00",
            "2020-01-01T24:00:00",
            "2020-01-01T00:60:00",
            "2020-01-01T00:00:00.000000",
            "2020-01-01T00:00:00.5",
            "2020-01-01T00:00:00Z",
            "2020-02-30T00:00:00",
            "2020-01-01T00:00:00,500000",
            "",
        ],
    ),
    (True, ["True", "1", "yes", ""]),
]


@pytest.mark.parametrize(("value", "text"), [(value, text) for value, texts in NOT_CANONICAL for text in texts])
def test_other_text_is_refused(value, text):
    with pytest.raises(InvalidValue) as alone:
        like(value, text)
    lifted = lift([None, value, value])
    with pytest.raises(InvalidValue) as column:
        lifted.restore_like(Ragged.of_text([text_of(value), text]))
    assert column.value.rows == (2,)
    for error in (alone.value, column.value):
        assert not text or text not in str(error).replace("row 2", "").split()
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a", 1], "row 1 is a int in a column of str"),
        ([None, 1, True], "row 2 is a bool in a column of int"),
        ([1, 2.5], "row 1 is a float in a column of int"),
        ([dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)], "row 1 is a datetime in a column of date"),
        (["a", object()], "row 1 is a object, which is no value"),
        ([dt.timedelta(1)], "row 0 is a timedelta, which is no value"),
        ([np.timedelta64(1, "D")], "row 0 is a timedelta64, which is no value"),
        ([["nested"]], "row 0 is a list, which is no value"),
    ],
)
def test_mixed_columns_are_refused(rows, message):
    for make in (list, tuple, lambda rows: pd.Series(rows, dtype=object)):
        with pytest.raises(WrongType, match=message):
            lift(make(rows))


@pytest.mark.parametrize(
    ("rows", "bad"),
    [
        (["a", "b\ud800"], (1,)),
        ([None, "\udfff"], (1,)),
        ([1, None, 2**64], (2,)),
        ([-1, 2**63], (1,)),
        ([Decimal(1), Decimal("NaN")], (1,)),
        ([Decimal("Infinity")], (0,)),
        ([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], (1,)),
        ([dt.datetime(2020, 1, 1, tzinfo=SHANGHAI), None, dt.datetime(2020, 1, 1)], (2,)),
        ([dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(microseconds=1)))], (0,)),
        ([pd.Timestamp(1, unit="ns")], (0,)),
    ],
)
def test_values_that_no_column_holds(rows, bad):
    column = np.empty(len(rows), object)
    column[:] = rows
    for container in (rows, tuple(rows), column):
        with pytest.raises(InvalidValue) as caught:
            lift(container)
        assert caught.value.rows == bad
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("value", ["a\ud800", Decimal("NaN"), 2**64, -(2**63) - 1, b"\xff", pd.Timestamp(1, unit="ns")])
def test_values_that_have_no_text(value):
    with pytest.raises(InvalidValue) as caught:
        text_of(value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [None, object(), [], dt.timedelta(1), 1j])
def test_types_that_have_no_text(value):
    for call in (lambda: text_of(value), lambda: like(value, "x")):
        with pytest.raises(WrongType, match=f"a {type(value).__name__} is no value"):
            call()


@pytest.mark.parametrize(
    "container",
    [
        "text",
        b"bytes",
        {"a": 1},
        iter([1]),
        np.zeros((2, 2)),
        np.ma.array([1, 2], mask=[True, False]),
        np.array([1j]),
        np.array([1], "m8[s]"),
        np.array([1], np.longdouble),
        np.array(["NaT"], "M8"),
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([1], pa.time64("us")),
        pd.Series([dt.timedelta(1)]),
        pd.Series([1j]),
        pd.Series(pd.period_range("2020", periods=1, freq="D")),
        pl.Series([[1]]),
        pl.Series([dt.time(1)]),
    ],
    ids=lambda container: type(container).__name__,
)
def test_what_is_no_column(container):
    with pytest.raises(WrongType, match="no column"):
        lift(container)


def test_bytes_that_are_no_text_say_so():
    for rows in ([b"ok", None, b"\xff"], pa.array([b"ok", None, b"\xff"])):
        with pytest.raises(InvalidValue, match="not UTF-8") as caught:
            lift(rows).text()
        assert caught.value.rows == (2,)
    with pytest.raises(InvalidValue) as caught:
        lift(["王".encode()[:1], "王".encode()[1:]]).text()
    assert caught.value.rows == (0, 1)


@pytest.mark.parametrize("before", range(4))
def test_bytes_are_read_as_text_wherever_a_piece_of_them_ends(before):
    long = ("x" * before + "密😀é" * 40_000).encode()
    assert lift([long, "一".encode(), b"", long]).text().to_list() == [long, "一".encode(), b"", long]
    for wrong in (long[:-1], long + b"\xe4", long[:200_000] + b"\xff" + long[200_000:]):
        with pytest.raises(InvalidValue, match="row 1: bytes that are not UTF-8"):
            lift([long, wrong, b"", long]).text()
    with pytest.raises(InvalidValue, match="rows 0, 2: bytes that are not UTF-8"):
        lift([long[:-1], b"", long[-1:], long]).text()


def test_dates_beyond_the_calendar_have_no_text():
    with pytest.raises(InvalidValue) as caught:
        lift(np.array(["NaT", "1990-01-01", "10000-01-01"], "M8[D]")).text()
    assert caught.value.rows == (2,)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([1, None, 2], pa.int8()), np.array([1, 300])),
        (np.array([1, 2], np.uint8), np.array([1, -1])),
        (pd.Series([1, 2], dtype="int16"), np.array([1, 1 << 20])),
        (pd.Series([1, None, 2], dtype="Int16"), np.array([1, 1 << 20])),
        (pl.Series([1, None, 2], dtype=pl.Int8), np.array([1, 300])),
        (pa.array([0.5, 1.5], pa.float32()), np.array([0.5, 0.1])),
    ],
)
def test_numbers_that_do_not_fit_are_refused(column, values):
    with pytest.raises(InvalidValue, match="does not hold") as caught:
        lift(column).restore(values, lift(column).kind)
    assert caught.value.rows == (len(lift(column)) - 1,)


@pytest.mark.parametrize(
    "column",
    [pa.array([Decimal("1.50"), None]), pl.Series([Decimal("1.50"), None]), pd.Series([Decimal("1.50"), None])],
)
def test_decimals_are_never_rounded(column):
    lifted = lift(column)
    if isinstance(column, pd.Series):
        assert lifted.restore_like(Ragged.of_text(["1.555"])).tolist()[0] == Decimal("1.555")
        return
    assert lift(lifted.restore_like(Ragged.of_text(["2.5"]))).text().to_text() == ["2.50"]
    for text in ("1.555", "9" * 39):
        with pytest.raises(InvalidValue, match="does not hold") as caught:
            lifted.restore_like(Ragged.of_text([text]))
        assert caught.value.rows == (0,)
        assert text not in str(caught.value)


@pytest.mark.parametrize("scale", [-2, 0, 6, 7, 12])
def test_decimals_of_any_scale(scale):
    rows = [Decimal(5).scaleb(-scale), None, Decimal(0), Decimal(-1234567).scaleb(-scale)]
    column = pa.array(rows, pa.decimal128(38, scale))
    lifted = lift(column)
    assert "E" not in "".join(lifted.text().to_text())
    assert lifted.restore_like(lifted.text()).equals(column)


def test_decimals_and_dates_into_containers_of_text():
    for column in (pa.array(["x", None]), pl.Series(["x", None]), pd.Series(["x", None]), ["x", None]):
        restored = lift(column).restore(Ragged.of([b"1.50"]), Kind.DECIMAL)
        assert plain(restored) == [Decimal("1.50"), None]
        days = np.array(["1990-01-02"], "M8[D]")
        again = lift(lift(column).restore(days, Kind.DATE))
        assert (again.kind, again.text().to_text()) == (Kind.DATE, ["1990-01-02"])
        moments = days.astype("M8[ms]")
        again = lift(lift(column).restore(moments, Kind.TIMESTAMP))
        assert (again.kind, again.text().to_text()) == (Kind.TIMESTAMP, ["1990-01-02T00:00:00"])


def test_nan_is_null_in_pandas_alone():
    rows = [1.5, float("nan")]
    assert lift(pd.Series(rows)).nulls.tolist() == [False, True]
    for column in (rows, np.array(rows), pa.array(rows), pl.Series(rows)):
        assert lift(column).nulls is None
        assert lift(column).text().to_text() == ["1.5", "nan"]


def test_pandas_objects_keep_the_null_that_they_had():
    column = pd.Series(["a", None, float("nan"), pd.NA, pd.NaT], dtype=object)
    restored = lift(column).restore(Ragged.of_text(["b"])).tolist()
    assert restored[:2] == ["b", None]
    assert restored[2] != restored[2]
    assert restored[3] is pd.NA
    assert restored[4] is pd.NaT


def test_pandas_integers_become_nullable_where_a_null_is_new():
    lifted = lift(pd.Series([1, 2], dtype="int32"))
    restored = lifted.restore(lifted.values[:1], Kind.INTEGER, np.array([False, True]))
    assert str(restored.dtype) == "Int32"
    assert restored.isna().tolist() == [False, True]


def test_categories_stay_in_order_where_they_hold_all_values():
    ordered = pd.Series(pd.Categorical(["b", "a", None], categories=["b", "a"], ordered=True))
    lifted = lift(ordered)
    assert lifted.restore_like(lifted.text()).dtype == ordered.dtype
    other = lifted.restore(Ragged.of_text(["x", "y"])).dtype
    assert (list(other.categories), other.ordered) == (["x", "y"], False)


def test_an_enumeration_of_new_values():
    restored = lift(pl.Series(["b", None], dtype=pl.Enum(["a", "b"]))).restore(Ragged.of_text(["y"]))
    assert restored.dtype == pl.Enum(["y"])
    assert restored.to_list() == ["y", None]


def test_dictionary_indices_are_widened_for_more_values():
    column = pa.array(["a"] * 300).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
    restored = lift(column).restore(Ragged.of_text([str(row) for row in range(300)]))
    assert restored.type == pa.dictionary(pa.int32(), pa.string())
    assert restored.to_pylist() == [str(row) for row in range(300)]


def test_nulls_inside_a_dictionary():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", None]))
    lifted = lift(column)
    assert lifted.nulls.tolist() == [False, True, True]
    assert lifted.restore(lifted.values).to_pylist() == ["a", None, None]


def test_null_rows_that_hold_bytes():
    column = pa.Array.from_buffers(
        pa.string(),
        3,
        [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([0, 1, 3, 4], np.int32)), pa.py_buffer(b"aXXb")],
    )
    assert column.to_pylist() == ["a", None, "b"]
    lifted = lift(column)
    assert lifted.values.to_list() == [b"a", b"b"]
    assert lifted.restore(lifted.values).to_pylist() == ["a", None, "b"]


def test_text_shares_the_memory_of_arrow():
    column = pa.array(["13812345678"] * 100)
    lifted = lift(column)
    assert lifted.values.data.ctypes.data == column.buffers()[2].address
    assert lifted.restore(lifted.values).buffers()[2].address == column.buffers()[2].address


def test_offsets_beyond_31_bits(monkeypatch):
    monkeypatch.setattr(arrow, "INT32_MAX", 10)
    monkeypatch.setattr(arrow_buffers, "INT32_MAX", 10)
    for column in (pa.array(["abcdef", "ghijkl"]), pa.chunked_array([["abcdef"], ["ghijkl"]])):
        restored = lift(column).restore(lift(column).values)
        assert restored.type == pa.large_string()
        assert restored.to_pylist() == ["abcdef", "ghijkl"]
    views = pa.array(["abcdef", "ghijkl"], pa.string_view())
    assert lift(views).restore(lift(views).values).equals(views)


def test_fixed_size_bytes():
    column = pa.array([b"ab", None, b"cd"], pa.binary(2))
    lifted = lift(column)
    assert lifted.restore(lifted.values, Kind.BYTES).equals(column)
    assert lifted.restore(Ragged.of([b"a", b"bcd"]), Kind.BYTES).type == pa.binary()
    empty = pa.array([None], pa.binary(2))
    assert lift(empty).restore(Ragged.of([]), Kind.BYTES).equals(empty)


def test_fixed_width_arrays_refuse_what_they_would_drop():
    with pytest.raises(InvalidValue, match="NUL") as caught:
        lift(np.array(["a", "b"])).restore(Ragged.of([b"a", b"b\0"]))
    assert caught.value.rows == (1,)
    assert lift(np.array([b"a"])).restore(Ragged.of([b"b\0"]), Kind.BYTES).tolist() == [b"b\0"]


def test_coarse_dates():
    months = np.array(["1990-02", "NaT"], "M8[M]")
    lifted = lift(months)
    assert (lifted.kind, lifted.text().to_text()) == (Kind.DATE, ["1990-02-01"])
    restored = lifted.restore_like(lifted.text())
    assert restored.dtype == months.dtype
    with pytest.raises(InvalidValue, match="does not hold"):
        lifted.restore_like(Ragged.of_text(["1990-02-02"]))
    hours = np.array(["1990-02-01T05"], "M8[h]")
    assert lift(hours).text().to_text() == ["1990-02-01T05:00:00"]
    assert (lift(hours).restore_like(lift(hours).text()) == hours).all()


def test_rows_of_positions():
    assert lift([None, "a", None, "b"]).rows([0, 1]).tolist() == [1, 3]
    assert lift(["a", "b"]).rows(np.array([1])).tolist() == [1]


def test_a_wrong_type_is_a_type_error_and_a_wrong_parameter():
    assert issubclass(WrongType, TypeError)
    assert issubclass(WrongType, InvalidParameter)
