"""Columns whose values repeat: the distinct ones out, the whole container back."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from columns.conftest import TEXTS, VALUES, plain, same
from privkit._kernels.ragged import Ragged
from privkit.columns import Column, Kind, lift, lift_distinct, repeats
from privkit.columns.repeats import DistinctColumn

REPEATS = 300


def many(container):
    rows = container.values()
    return rows, container(rows * REPEATS)


def test_each_value_once_and_all_rows_back(container, monkeypatch):
    monkeypatch.setattr(repeats, "_SAMPLE", 64)
    rows, column = many(container)
    once = lift_distinct(column)
    values = [row for row in rows if row is not None]
    assert isinstance(once, DistinctColumn)
    assert len(once) == len(once.values) == len(dict.fromkeys(map(repr, values)))
    assert same(column, once.restore(once.values, once.kind))
    if container.kind is Kind.BYTES:
        return
    assert once.text().to_text() == list(dict.fromkeys(row for row in TEXTS[container.kind] if row is not None))
    changed = once.restore(Ragged.of_text([f"{text}!" for text in once.text().to_text()]))
    expected = lift(column).text().to_text()
    assert lift(changed).text().to_text() == [f"{text}!" for text in expected]


def test_what_becomes_null_is_null_in_all_its_rows():
    column = pa.array(["a", None, "b", "a", "c"] * 10_000)
    once = lift_distinct(column)
    restored = once.restore(Ragged.of_text(["x", "z"]), nulls=np.array([False, True, False]))
    assert restored.to_pylist() == ["x", None, None, "x", "z"] * 10_000
    everything = once.restore(Ragged.of([]), nulls=np.ones(3, bool))
    assert everything.null_count == 50_000


def test_a_dictionary_whose_values_become_one():
    column = pa.array(["a", None, "b", "c"] * 20_000).dictionary_encode()
    restored = lift_distinct(column).restore(Ragged.of_text(["x", "y", "x"]))
    assert restored.dictionary.to_pylist() == ["x", "y"]
    assert restored.to_pylist() == ["x", None, "y", "x"] * 20_000


def test_a_dictionary_keeps_its_index():
    column = pa.array([1, 2] * 20_000).cast(pa.int8()).dictionary_encode()
    column = pa.DictionaryArray.from_arrays(column.indices.cast(pa.int8()), column.dictionary)
    restored = lift_distinct(column).restore(Ragged.of_text(["x", "y"]))
    assert restored.type == pa.dictionary(pa.int8(), pa.string())
    assert restored.to_pylist() == ["x", "y"] * 20_000


def test_all_rows_of_a_value_are_named():
    once = lift_distinct(pa.array(["a", None, "b", "a"] * 20_000))
    assert once.rows([1])[:3].tolist() == [2, 6, 10]
    assert once.rows([0])[:4].tolist() == [0, 3, 4, 7]
    assert len(once.rows([0, 1])) == 60_000
    with pytest.raises(ValueError, match="values for 2 rows"):
        once.restore(Ragged.of_text(["x"]))


@pytest.mark.parametrize("make", [list, pa.array, pd.Series, pl.Series, np.array])
def test_columns_that_do_not_repeat_stay_as_they_are(make):
    for rows in ([f"{number}" for number in range(50_000)], list(range(50_000)), ["few"] * 100):
        assert type(lift_distinct(make(rows))) is Column


def test_one_frequent_value_among_many_is_not_worth_it():
    column = pa.array([f"{number}" if number % 5 else "often" for number in range(50_000)])
    assert type(lift_distinct(column)) is Column


def test_objects_of_several_kinds_stay_as_they_are():
    column = lift([{}, 1] * 50_000, mixed=True)
    assert lift_distinct(column) is column


def test_floats_are_told_apart_by_their_bits():
    once = lift_distinct(np.array([0.0, -0.0, np.nan, 1.5] * 20_000))
    assert once.text().to_text() == ["0", "-0", "nan", "1.5"]


def test_the_values_of_the_tests_cover_every_kind():
    assert set(VALUES) == set(Kind) - {Kind.MIXED}  # whose values may have no hash, and are left as they are
    assert plain(pa.array([1, None])) == [1, None]
