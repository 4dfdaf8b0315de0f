"""One body for every container: out, text, back."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from columns.conftest import TEXTS, family, plain, same, type_of
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, lift
from privkit.errors import InvalidParameter, InvalidValue


def expected_texts(container):
    rows = TEXTS[container.kind]
    return rows if container.holds_null else [row for row in rows if row is not None]


def is_text(column, container):
    """Whether a text result has the type that the family has for text."""
    if container.text_type is None:
        return type_of(column) == type_of(container())
    if container.text_type == "U":
        return column.dtype.kind == "U"
    return type_of(column) == container.text_type


def test_it_comes_back_as_itself(container):
    column = container()
    lifted = lift(column)
    assert lifted.kind is container.kind
    assert len(lifted) == len(container.values())
    assert same(column, lifted.restore(lifted.values, lifted.kind))
    if container.kind is not Kind.BYTES:
        assert same(column, lifted.restore_like(lifted.text()))


def test_the_nulls_are_where_they_were(container):
    lifted = lift(container())
    nulls = [value is None for value in container.values()]
    if any(nulls):
        assert lifted.nulls.tolist() == nulls
        dense = [row for row, null in enumerate(nulls) if not null]
        assert lifted.rows(np.arange(len(dense))).tolist() == dense
    else:
        assert lifted.nulls is None


def test_the_text_is_canonical(container):
    if container.kind is Kind.BYTES:
        return
    lifted = lift(container())
    text = [row for row in expected_texts(container) if row is not None]
    assert lifted.text().to_text() == text
    restored = lifted.restore(lifted.text())
    assert family(restored) == family(container())
    assert is_text(restored, container)
    assert plain(restored) == expected_texts(container)


def test_bytes_come_back_as_bytes(container):
    lifted = lift(container())
    rows = [bytes([row, 0xFF, 0]) for row in range(len(lifted.values))]
    restored = lifted.restore(Ragged.of(rows), Kind.BYTES)
    assert family(restored) == family(container())
    assert [row for row in plain(restored) if row is not None] == rows
    again = lift(restored)
    assert again.kind is Kind.BYTES
    assert again.values.to_list() == rows


def test_more_nulls(container):
    lifted = lift(container())
    nulls = np.zeros(len(lifted), bool) if lifted.nulls is None else lifted.nulls.copy()
    nulls[lifted.rows([1])] = True
    values = Ragged.of_text(["x"] * int((~nulls).sum()))
    if "numpy" in container.name and not container.holds_null and container.kind is not Kind.FLOAT:
        with pytest.raises(InvalidParameter, match=r"object array|na_object"):
            lifted.restore(values, nulls=nulls)
        return
    restored = lifted.restore(values, nulls=nulls)
    assert plain(restored) == [None if null else "x" for null in nulls]
    if container.kind is Kind.FLOAT:
        numbers = lifted.text().take(~nulls[~lifted.nulls] if lifted.nulls is not None else ~nulls)
        again = lifted.restore_like(numbers, nulls=nulls)
        assert again.dtype == container().dtype if "numpy" in container.name else type(again) is type(container())
        assert [row is None for row in plain(again)] == nulls.tolist()


def test_fewer_nulls(container):
    lifted = lift(container())
    restored = lifted.restore(Ragged.of_text(["y"] * len(lifted)), nulls=None)
    assert plain(restored) == ["y"] * len(lifted)


@pytest.mark.parametrize("rows", [[], [None, None, None], "one", "one null"])
def test_few_rows(container, rows):
    if rows == "one":
        rows = [next(row for row in container.values() if row is not None)]
    elif rows == "one null":
        rows = [None]
    if not container.holds_null:
        rows = [row for row in rows if row is not None]
    column = container(rows)
    lifted = lift(column)
    assert len(lifted) == len(rows)
    if container.kind is not Kind.BYTES or rows in ([], [None] * len(rows)):
        assert same(column, lifted.restore_like(lifted.text()))
    restored = lifted.restore(lifted.values, lifted.kind)
    assert same(column, restored)
    assert plain(lifted.restore(Ragged.of_text(["z"] * len(lifted.values)))) == [
        None if row is None else "z" for row in rows
    ]


def test_the_wrong_number_of_values(container):
    lifted = lift(container())
    with pytest.raises(InvalidParameter, match="values for"):
        lifted.restore(Ragged.of_text(["x"] * (len(lifted.values) + 1)))
    with pytest.raises(InvalidParameter, match="values for"):
        lifted.restore(lifted.values, lifted.kind, np.zeros(len(lifted) + 1, bool))


def test_the_repr_shows_no_value(container):
    assert repr(lift(container())) == f"<Column of {len(container.values())} rows, {container.kind.value}>"


def test_a_null_column_of_arrow_stays_one():
    column = pa.nulls(3)
    lifted = lift(column)
    assert (lifted.kind, len(lifted.values)) == (Kind.TEXT, 0)
    assert same(column, lifted.restore(Ragged.of([])))


def test_a_text_may_stand_for_null_in_a_string_dtype() -> None:
    array = np.array(["missing", "13812345678", "x"], np.dtypes.StringDType(na_object="missing"))
    column = lift(array)
    assert column.nulls is not None
    assert (column.nulls.tolist(), column.values.to_text()) == ([True, False, False], ["13812345678", "x"])
    back = column.restore(column.values)
    assert back.dtype == array.dtype
    assert back.tolist() == array.tolist()
    with pytest.raises(InvalidValue, match="stands for null") as caught:  # it would be lost without a word
        column.restore(Ragged.of([b"y", b"missing"]))
    assert caught.value.rows == (2,)


def test_the_null_of_a_string_dtype_may_be_any_object() -> None:
    for null in (None, np.nan, pd.NA):
        array = np.array(["13812345678", null], np.dtypes.StringDType(na_object=null))
        column = lift(array)
        assert column.nulls is not None
        assert (column.nulls.tolist(), column.values.to_text()) == ([False, True], ["13812345678"])
        assert column.restore(column.values).tolist()[1] is null
