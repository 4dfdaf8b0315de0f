"""Every container that privkit knows, each made from one list of Python values."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit.columns import Kind

SHANGHAI = "Asia/Shanghai"
ZONE = zoneinfo.ZoneInfo(SHANGHAI)

VALUES = {
    Kind.TEXT: ["13812345678", "", "王小明", None, "a\x00b", "𠮷野家", "13812345678"],
    Kind.BYTES: [b"ab", b"\x00c", None, b"", b"longer than the others"],
    Kind.INTEGER: [0, -7, None, 127, 100, -128],
    Kind.FLOAT: [0.0, -1.5, None, 12.0, -0.0, 65504.0],
    Kind.DECIMAL: [Decimal("12.50"), Decimal("-0.01"), None, Decimal("0.00"), Decimal("99999999.99")],
    Kind.DATE: [dt.date(1990, 1, 2), dt.date(1, 1, 1), None, dt.date(9999, 12, 31), dt.date(2024, 2, 29)],
    Kind.TIMESTAMP: [dt.datetime(2026, 1, 2, 3, 4, 5), None, dt.datetime(1969, 12, 31, 23, 59, 59, 5000)],
    Kind.INSTANT: [
        dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=ZONE),
        None,
        dt.datetime(1969, 12, 31, 23, 59, 59, 5000, tzinfo=ZONE),
        dt.datetime(1988, 7, 1, 0, 30, tzinfo=ZONE),  # when there was summer time
        dt.datetime(1900, 1, 1, tzinfo=ZONE),  # before there was any standard time
    ],
    Kind.BOOLEAN: [True, None, False],
}
TEXTS = {
    Kind.TEXT: VALUES[Kind.TEXT],
    Kind.INTEGER: ["0", "-7", None, "127", "100", "-128"],
    Kind.FLOAT: ["0", "-1.5", None, "12", "-0.0".removesuffix(".0"), "65504"],
    Kind.DECIMAL: ["12.50", "-0.01", None, "0.00", "99999999.99"],
    Kind.DATE: ["1990-01-02", "0001-01-01", None, "9999-12-31", "2024-02-29"],
    Kind.TIMESTAMP: ["2026-01-02T03:04:05", None, "1969-12-31T23:59:59.005000"],
    Kind.INSTANT: [
        "2026-01-02T03:04:05+08:00",
        None,
        "1969-12-31T23:59:59.005000+08:00",
        "1988-07-01T00:30:00+09:00",
        "1900-01-01T00:00:00+08:05:43",
    ],
    Kind.BOOLEAN: ["true", None, "false"],
}


@dataclass(frozen=True)
class Container:
    """One container: how to make it, and how to look into it."""

    name: str
    kind: Kind
    make: object
    holds_null: bool = True
    text_type: object = None
    """What the type of a text result is, by `type_of`; the container's own where `None`."""

    def values(self):
        rows = VALUES[self.kind]
        if self.holds_null and not self.name.startswith("numpy U"):
            return rows
        return [row for row in rows if row is not None]

    def __call__(self, rows=None):
        return self.make(self.values() if rows is None else rows)


def objects(rows):
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


def chunked(of):
    def make(rows):
        cut = len(rows) // 3
        return pa.chunked_array([rows[:cut], [], rows[cut:]], type=of)

    return make


def sliced(of):
    def make(rows):
        filler = [None, None, None]
        return pa.array([*filler, *rows, *filler], of)[3 : 3 + len(rows)]

    return make


def datetimes(unit, zone=None):
    return lambda rows: pa.array(rows, pa.timestamp("us", zone)).cast(pa.timestamp(unit, zone))


def indexed(rows, dtype):
    return pd.Series(rows, dtype=dtype, index=[f"row {number}" for number in range(len(rows))], name="column")


def pandas_zone(unit):
    return lambda rows: pd.Series(rows, dtype=f"datetime64[us, {SHANGHAI}]", name="column").dt.as_unit(unit)


STRING = pa.string()
ARROW = [
    (Kind.TEXT, pa.string(), STRING),
    (Kind.TEXT, pa.large_string(), pa.large_string()),
    (Kind.TEXT, pa.string_view(), pa.string_view()),
    (Kind.TEXT, pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int8(), pa.string())),
    (Kind.TEXT, pa.dictionary(pa.uint32(), pa.large_string()), pa.dictionary(pa.uint32(), pa.large_string())),
    (Kind.BYTES, pa.binary(), None),
    (Kind.BYTES, pa.large_binary(), None),
    (Kind.BYTES, pa.binary_view(), None),
    *((Kind.INTEGER, of, STRING) for of in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    (Kind.INTEGER, pa.dictionary(pa.int32(), pa.int64()), pa.dictionary(pa.int32(), pa.string())),
    *((Kind.FLOAT, of, STRING) for of in (pa.float16(), pa.float32(), pa.float64())),
    *((Kind.DECIMAL, of, STRING) for of in (pa.decimal128(12, 2), pa.decimal256(50, 2), pa.decimal64(12, 2))),
    *((Kind.DATE, of, STRING) for of in (pa.date32(), pa.date64())),
    *((Kind.TIMESTAMP, pa.timestamp(unit), STRING) for unit in ("ms", "us", "ns")),
    *((Kind.INSTANT, pa.timestamp(unit, SHANGHAI), STRING) for unit in ("ms", "us", "ns")),
    (Kind.BOOLEAN, pa.bool_(), STRING),
]
STR = pd.StringDtype(na_value=np.nan)
NULLABLE_STRING = pd.StringDtype(na_value=pd.NA)
PANDAS = [
    (Kind.TEXT, STR, STR),
    (Kind.TEXT, pd.StringDtype("python", na_value=np.nan), None),
    (Kind.TEXT, pd.StringDtype("python"), None),
    (Kind.TEXT, pd.StringDtype("pyarrow"), None),
    (Kind.TEXT, object, object),
    (Kind.TEXT, pd.ArrowDtype(pa.string()), None),
    (Kind.TEXT, pd.ArrowDtype(pa.large_string()), None),
    (Kind.BYTES, object, object),
    (Kind.BYTES, pd.ArrowDtype(pa.binary()), None),
    (Kind.INTEGER, "Int64", NULLABLE_STRING),
    (Kind.INTEGER, "Int8", NULLABLE_STRING),
    (Kind.INTEGER, pd.ArrowDtype(pa.int32()), pd.ArrowDtype(pa.string())),
    (Kind.FLOAT, "float64", STR),
    (Kind.FLOAT, "float32", STR),
    (Kind.FLOAT, "Float64", NULLABLE_STRING),
    (Kind.DECIMAL, object, object),
    (Kind.DECIMAL, pd.ArrowDtype(pa.decimal128(12, 2)), pd.ArrowDtype(pa.string())),
    (Kind.DATE, object, object),
    (Kind.DATE, pd.ArrowDtype(pa.date32()), pd.ArrowDtype(pa.string())),
    (Kind.TIMESTAMP, "datetime64[us]", STR),
    (Kind.TIMESTAMP, "datetime64[ns]", STR),
    (Kind.INSTANT, object, object),
    (Kind.INSTANT, pd.ArrowDtype(pa.timestamp("us", SHANGHAI)), pd.ArrowDtype(pa.string())),
    (Kind.BOOLEAN, "boolean", NULLABLE_STRING),
    (Kind.BOOLEAN, object, object),
]
POLARS = [
    (Kind.TEXT, pl.String, pl.String),
    (Kind.TEXT, pl.Categorical, pl.Categorical),
    (Kind.BYTES, pl.Binary, None),
    *((Kind.INTEGER, of, pl.String) for of in (pl.Int8, pl.Int16, pl.Int32, pl.Int64)),
    *((Kind.FLOAT, of, pl.String) for of in (pl.Float32, pl.Float64)),
    (Kind.DECIMAL, pl.Decimal(12, 2), pl.String),
    (Kind.DATE, pl.Date, pl.String),
    *((Kind.TIMESTAMP, pl.Datetime(unit), pl.String) for unit in ("ms", "us", "ns")),
    *((Kind.INSTANT, pl.Datetime(unit, SHANGHAI), pl.String) for unit in ("ms", "us", "ns")),
    (Kind.BOOLEAN, pl.Boolean, pl.String),
]


def _arrow(kind, of, text):
    make = (lambda rows: pa.array(rows, of)) if not pa.types.is_timestamp(of) else datetimes(of.unit, of.tz)
    yield Container(f"arrow {of}", kind, make, text_type=text)
    if not pa.types.is_timestamp(of):
        yield Container(f"arrow chunked {of}", kind, chunked(of), text_type=text)
        yield Container(f"arrow sliced {of}", kind, sliced(of), text_type=text)


def _polars(of):
    if isinstance(of, pl.Datetime):
        return lambda rows: pl.Series("column", rows, dtype=pl.Datetime("us", of.time_zone)).cast(of)
    return lambda rows: pl.Series("column", rows, dtype=of)


CONTAINERS = [
    *(Container(f"list of {kind.value}", kind, list) for kind in VALUES),
    *(Container(f"tuple of {kind.value}", kind, tuple) for kind in VALUES),
    *(Container(f"numpy object of {kind.value}", kind, objects, text_type=np.dtype(object)) for kind in VALUES),
    Container("numpy U", Kind.TEXT, lambda rows: np.array(rows, str), holds_null=False, text_type="U"),
    Container("numpy S", Kind.BYTES, lambda rows: np.array(rows, bytes), holds_null=False),
    Container("numpy StringDType", Kind.TEXT, lambda rows: np.array(rows, np.dtypes.StringDType()), holds_null=False),
    Container("numpy StringDType None", Kind.TEXT, lambda rows: np.array(rows, np.dtypes.StringDType(na_object=None))),
    Container(
        "numpy StringDType NaN",
        Kind.TEXT,
        lambda rows: np.array(
            [np.nan if row is None else row for row in rows], np.dtypes.StringDType(na_object=np.nan)
        ),
    ),
    *(
        Container(f"numpy {of}", kind, lambda rows, of=of: np.array(rows, of), holds_null=False, text_type="U")
        for kind, of in [
            *((Kind.INTEGER, of) for of in ("i1", "i2", ">i4", "i8")),
            *((Kind.FLOAT, of) for of in ("f2", "f4", "f8")),
            (Kind.BOOLEAN, "?"),
        ]
    ),
    *(
        Container(f"numpy {of}", kind, lambda rows, of=of: np.array(rows, of), text_type=np.dtype(object))
        for kind, of in [
            (Kind.DATE, "M8[D]"),
            (Kind.TIMESTAMP, "M8[ms]"),
            (Kind.TIMESTAMP, "M8[us]"),
            (Kind.TIMESTAMP, "M8[ns]"),
        ]
    ),
    *(container for row in ARROW for container in _arrow(*row)),
    *(
        Container(f"pandas {of!r}", kind, lambda rows, of=of: indexed(rows, of), text_type=text)
        for kind, of, text in PANDAS
    ),
    *(
        Container(f"pandas {of}", kind, lambda rows, of=of: indexed(rows, of), holds_null=False, text_type=STR)
        for kind, of in [(Kind.INTEGER, "int64"), (Kind.INTEGER, "int8"), (Kind.BOOLEAN, "bool")]
    ),
    *(Container(f"pandas zone {unit}", Kind.INSTANT, pandas_zone(unit), text_type=STR) for unit in ("ms", "us", "ns")),
    Container("pandas category", Kind.TEXT, lambda rows: indexed(rows, "category"), text_type="category"),
    Container(
        "pandas category of integers",
        Kind.INTEGER,
        lambda rows: pd.Series(pd.Categorical(rows, categories=[-128, -7, 0, 100, 127])),
        text_type="category",
    ),
    *(Container(f"polars {of}", kind, _polars(of), text_type=text) for kind, of, text in POLARS),
    Container(
        "polars enum",
        Kind.TEXT,
        lambda rows: pl.Series("column", rows, dtype=pl.Enum(["13812345678", "", "王小明", "a\x00b", "𠮷野家"])),
        text_type=pl.Enum,
    ),
]


@pytest.fixture(params=CONTAINERS, ids=lambda container: container.name)
def container(request):
    return request.param


def family(column):
    """What kind of container it is; an Arrow array of any type is one."""
    return pa.Array if isinstance(column, pa.Array) else type(column)


def type_of(column):
    """The element type of a container, in the words of its library."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.type
    return getattr(column, "dtype", None)


def same(left, right):
    """Whether two containers are the same: type, values, nulls, chunks, index, name."""
    if family(left) is not family(right) or type_of(left) != type_of(right):
        return False
    if isinstance(left, pd.Series):
        pd.testing.assert_series_equal(left, right)
    if isinstance(left, pa.Array | pa.ChunkedArray):
        right.validate(full=True)
    if isinstance(left, pa.ChunkedArray) and [len(part) for part in left.chunks] != [
        len(part) for part in right.chunks
    ]:
        return False
    if isinstance(left, pl.Series) and left.name != right.name:
        return False
    rows = [plain(left), plain(right)]
    return rows[0] == rows[1] and [type(row) for row in rows[0]] == [type(row) for row in rows[1]]


def plain(column):
    """The rows of any container as Python values, with `None` for null."""
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.to_pylist()
    if isinstance(column, pd.Series):
        return [None if pd.isna(row) else row for row in column.tolist()]
    if isinstance(column, pl.Series):
        return column.to_list()
    if isinstance(column, np.ndarray):
        return [None if row is None or row != row else row for row in column.tolist()]  # noqa: PLR0124 NaN and NaT
    return list(column)
