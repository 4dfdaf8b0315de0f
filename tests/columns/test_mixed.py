"""Objects of several kinds, or of none, for those who can write single values."""

import numpy as np
import pandas as pd
import pytest

from privkit.columns import Kind, lift
from privkit.errors import WrongType

ROWS = [{"a": 1}, [1, 2], None, "x", 5]


@pytest.mark.parametrize("container", [ROWS, tuple(ROWS), np.array([*ROWS], object), pd.Series(ROWS)], ids=type)
def test_objects_of_several_kinds_are_a_column_for_who_asks(container):
    with pytest.raises(WrongType):
        lift(container)
    column = lift(container, mixed=True)
    assert (column.kind, len(column), column.rows([2]).tolist()) == (Kind.MIXED, 5, [3])
    back = column.restore(column.values, Kind.MIXED)
    assert type(back) is type(container)
    assert list(back) == ROWS
    with pytest.raises(WrongType, match="no plain text"):
        column.text()


def test_lists_of_one_length_are_not_taken_apart():
    rows = [[1, 2], [3, 4]]
    column = lift(rows, mixed=True)
    assert column.values.shape == (2,)
    assert column.restore(column.values, Kind.MIXED) == rows


def test_what_is_of_one_kind_stays_of_it():
    assert lift([1, None], mixed=True).kind is Kind.INTEGER


@pytest.mark.parametrize("missing", [pd.NA, pd.NaT, float("nan")], ids=repr)
@pytest.mark.parametrize("make", [list, lambda rows: np.array(rows, object)], ids=["list", "objects"])
def test_missing_values_of_pandas_among_text_are_refused_with_the_remedy(missing, make):
    for rows, row in ((["a", missing], 1), ([missing, "a"], 0), ([None, "a", None, missing], 3)):
        with pytest.raises(WrongType, match=rf"row {row} is a missing value.*put None in its place"):
            lift(make(rows))
