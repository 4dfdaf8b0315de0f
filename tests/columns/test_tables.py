"""One body for every table."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit.columns import lift
from privkit.columns.tables import open_table
from privkit.errors import TableError, WrongType

PHONES = ["13812345678", None, "13912345678"]
AGES = [30, 40, 50]

TABLES = {
    "rows": [{"phone": phone, "age": age} for phone, age in zip(PHONES, AGES, strict=True)],
    "columns": {"phone": PHONES, "age": np.array(AGES)},
    "columns of every kind": {
        "phone": pd.Series(PHONES),
        "age": pa.array(AGES),
        "again": pl.Series(AGES),
        "view": pa.array(PHONES, pa.string_view()),
        "tuple": tuple(AGES),
    },
    "arrow": pa.table({"phone": PHONES, "age": AGES}),
    "arrow views": pa.table({"phone": pa.array(PHONES, pa.string_view()), "age": AGES}),
    "batch": pa.record_batch({"phone": PHONES, "age": AGES}),
    "pandas": pd.DataFrame({"phone": PHONES, "age": AGES}),
    "pandas filtered": pd.DataFrame({"phone": ["x", *PHONES], "age": [0, *AGES]}).iloc[1:],
    "polars": pl.DataFrame({"phone": PHONES, "age": AGES}),
}


@pytest.fixture(params=TABLES.values(), ids=TABLES)
def table(request):
    return request.param


def rows_of(table):
    """The rows of any table as tuples of text or `None`."""
    view = open_table(table)
    columns = []
    for name in view.names:
        column = lift(view.column(name))
        texts = np.full(len(column), None, object)
        texts[column.rows(np.arange(len(column.values)))] = column.text().to_text()
        columns.append(texts.tolist())
    return [dict(zip(view.names, row, strict=True)) for row in zip(*columns, strict=True)]


def test_names_rows_and_columns(table):
    view = open_table(table)
    assert view.names[:2] == ("phone", "age")
    assert view.rows == 3
    assert [(row["phone"], row["age"]) for row in rows_of(table)] == [
        (phone, str(age)) for phone, age in zip(PHONES, AGES, strict=True)
    ]


def test_it_is_rebuilt_with_what_it_is_given(table):
    view = open_table(table)
    columns = {"years": view.column("age"), "phone": view.column("phone")}
    rebuilt = view.rebuild(columns)
    assert type(rebuilt) is type(table)
    assert open_table(rebuilt).names == ("years", "phone")
    assert [row["years"] for row in rows_of(rebuilt)] == ["30", "40", "50"]
    assert [row["phone"] for row in rows_of(rebuilt)] == PHONES


def test_transformed_columns_go_back(table):
    view = open_table(table)
    lifted = lift(view.column("age"))
    rebuilt = view.rebuild({"age": lifted.restore(lifted.text())})
    assert rows_of(rebuilt) == [{"age": "30"}, {"age": "40"}, {"age": "50"}]


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True]), np.array([], np.intp)])
def test_some_rows(table, rows):
    taken = open_table(table).take(rows)
    assert type(taken) is type(table)
    expected = np.array(rows_of(table))[rows].tolist()
    assert rows_of(taken) == expected


def test_parts_are_joined_again(table):
    view = open_table(table)
    parts = view.parts(2)
    assert [open_table(part).rows for part in parts] == ([2, 1] if isinstance(table, pa.Table) else [3])
    assert all(type(part) is type(table) for part in parts)
    assert rows_of(view.joined(parts)) == rows_of(table)


def test_parts_of_other_types_are_joined():
    texts = pa.table({"phone": PHONES, "age": AGES})
    larger = texts.slice(2).cast(pa.schema({"phone": pa.large_string(), "age": pa.int64()}))
    joined = open_table(texts).joined([texts.slice(0, 2), larger])
    assert joined.schema.field("phone").type == pa.large_string()
    assert rows_of(joined) == rows_of(texts)
    numbered = pa.table({"phone": pa.array(PHONES).dictionary_encode()})
    assert open_table(numbered).parts(2) == [numbered]


def test_an_unknown_column(table):
    with pytest.raises(TableError, match="no column 'mail'"):
        open_table(table).column("mail")


def test_columns_of_different_lengths(table):
    view = open_table(table)
    with pytest.raises(TableError, match="different numbers of rows"):
        view.rebuild({"phone": view.column("phone"), "age": [1]})


def test_no_columns_left(table):
    rebuilt = open_table(table).rebuild({})
    assert open_table(rebuilt).names == ()
    assert type(rebuilt) is type(table)


def test_metadata_and_index_are_not_passed_on():
    schema = pa.schema([pa.field("age", pa.int64(), metadata={"owner": "x"})], metadata={"source": "x"})
    view = open_table(pa.table({"age": AGES}, schema=schema))
    rebuilt = view.rebuild({"age": view.column("age")})
    assert rebuilt.schema.metadata is None
    assert rebuilt.schema.field("age").metadata is None
    frame = pd.DataFrame({"age": AGES})
    frame.attrs["source"] = "x"
    assert open_table(frame).rebuild({"age": frame["age"]}).attrs == {}


def test_pandas_rows_keep_their_numbers():
    frame = TABLES["pandas filtered"]
    view = open_table(frame)
    assert view.rebuild({"age": view.column("age")}).index.tolist() == [1, 2, 3]
    assert view.rebuild({"age": [1, 2]}).index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([{"a": 1}, {"b": 1}], "row 1 has 1 keys"),
        ([{"a": 1}, ["x"]], "row 1 is a list"),
        (["x"], "row 0 is a str"),
        ({"a": [1], "b": [1, 2]}, "'a' has 1, 'b' has 2"),
        ({"a": "text"}, "column 'a' is a str"),
        ({1: [1]}, "the name of column 0 is a int"),
        (pa.table([[1], [2]], names=["a", "a"]), "two columns are named 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are named 'a'"),
        (pd.DataFrame([[1, 2]]), "the name of column 0"),
        (pd.DataFrame({"a": [1]}, index=["13812345678"]), "index"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([7], name="customer")), "index"),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), "index"),
    ],
)
def test_tables_out_of_shape(table, message):
    with pytest.raises(TableError, match=message) as caught:
        open_table(table)
    assert "13812345678" not in str(caught.value)


@pytest.mark.parametrize("table", [pl.LazyFrame({"a": [1]}), "text", ({"a": 1},), pa.array([1])])
def test_what_is_no_table(table):
    with pytest.raises(WrongType, match=r"collect\(\)|is no table"):
        open_table(table)
