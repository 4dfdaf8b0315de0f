"""Input that is none: each case a typed error that says what to change, from every shape of recoding, and no result."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anonymity.tables import QUASI, patients
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, measure
from privkit.errors import InvalidParameter, InvalidValue, TableError, Unmet, WrongType

TABLE = patients(60)
SHAPES = [{}, {"output": "sets"}, {"recoding": "full_domain"}]

TABLES = [
    ({name: [] for name in TABLE}, QUASI, [], TableError, "the table is empty"),
    (pd.DataFrame(TABLE).iloc[:0], QUASI, [], TableError, "the table is empty"),
    ([], QUASI, [], TableError, "the table is empty"),
    (TABLE, [*QUASI, "agee"], [], TableError, "no column 'agee'; did you mean 'age'?"),
    (TABLE, QUASI, ["il"], TableError, "no column 'il'; did you mean 'ill'?"),
    (TABLE | {"age": [None] * 60}, QUASI, [], TableError, "'age' is null throughout; leave it out"),
    (TABLE | {"age": [float("nan")] * 60}, QUASI, [], InvalidValue, "use null where a number is not known"),
    (TABLE | {"age": np.full(60, np.inf)}, QUASI, [], InvalidValue, "use null where a number is not known"),
    (TABLE | {"cost": [Decimal("NaN")] * 60}, QUASI, ["cost"], InvalidValue, "column 'cost'"),
    (TABLE | {"cost": [float("nan")] * 60}, QUASI, ["cost"], InvalidValue, "column 'cost'"),
    (TABLE | {"age": [1, "a"] * 30}, QUASI, [], WrongType, "row 1 is a str in a column of int; make the column one"),
    (TABLE | {"age": [b"x"] * 60}, QUASI, [], InvalidParameter, "'age' holds bytes; decode them"),
    (pa.table({"age": [[1]] * 60}), ["age"], [], WrongType, "convert it to text or numbers first"),
    (TABLE | {"ill": [None] * 60}, QUASI, ["ill"], Unmet, "fewer distinct values than l (1 < 2); lower l"),
    (TABLE | {"age": [1]}, QUASI, [], TableError, "columns of different numbers of rows"),
    (5, QUASI, [], WrongType, "is no table; pass a list of dicts"),
    (pl.DataFrame(TABLE, strict=False).lazy(), QUASI, [], WrongType, "call collect() first"),
    (pd.DataFrame(TABLE).set_index("tag"), QUASI, [], TableError, "call reset_index()"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", TABLES, ids=lambda case: case[-1])
def test_tables_that_cannot_be_anonymised(shape, case):
    table, quasi, sensitive, error, message = case
    more = {"l": 2, "sensitive": sensitive} if sensitive else {}
    with pytest.raises(error, match=re.escape(message)):
        Anonymiser(quasi, k=2, **more, **shape).fit(table)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"k": 100}, "the table is smaller than k (60 < 100); lower k"),
        ({"k": 2, "l": 9}, "fewer distinct values than l (4 < 9); lower l"),
        ({"k": 2, "l": 4, "diversity": "entropy"}, "not entropy 4-diverse even in the whole table; lower l"),
        ({"k": 2, "l": 2, "diversity": "recursive", "c": 0.01}, "lower l, or raise c"),
    ],
)
def test_models_that_no_recoding_of_the_table_meets(shape, asked, message):
    sensitive = ["ill"] if "l" in asked else []
    with pytest.raises(Unmet, match=re.escape(message)):
        Anonymiser(QUASI, sensitive=sensitive, **asked, **shape).fit(TABLE)


@pytest.mark.parametrize("recoding", ["local", "full_domain"])
def test_values_that_a_hierarchy_does_not_cover_are_counted_by_level(recoding):
    hierarchies = {"city": Hierarchy.of({"杭州": ["浙江", "华东"]})}
    with pytest.raises(InvalidParameter, match="5 of 6 on level 'level 1', 5 of 6 on level 'level 2'") as caught:
        Anonymiser(hierarchies, k=2, recoding=recoding).fit(TABLE)
    assert not any(city in str(caught.value) for city in ("上海", "南京", "苏州"))


PARAMETERS = [
    ({"quasi_identifiers": None}, "give a list of names"),
    ({"quasi_identifiers": "age"}, "is one text; give a list of names"),
    ({"quasi_identifiers": []}, "no quasi-identifiers"),
    ({"quasi_identifiers": [1, 2]}, "must be names of columns"),
    ({"quasi_identifiers": ["age", "age"]}, "names a column twice"),
    ({"sensitive": ["sex"], "l": 2}, "both a quasi-identifier and sensitive; take it off one"),
    ({"k": 0}, "k is 0"),
    ({"k": 2.0}, "k is 2.0"),
    ({"k": True}, "k is True"),
    ({"k": None}, "k is None"),
    ({"sensitive": ["ill"], "t": "x"}, "t is a str; it must be a number"),
    ({"sensitive": ["ill"], "t": float("nan")}, "t is nan"),
    ({"sensitive": ["ill"], "l": 2, "c": "x"}, "c is a str"),
    ({"suppression": "x"}, "suppression is a str"),
    ({"suppression": 1}, "suppression is 1"),
    ({"suppression": float("nan")}, "suppression is nan"),
    ({"weights": {"age": "x"}}, "a weight is no number"),
    ({"weights": ["age"]}, "weights is a list; give a dict"),
    ({"weights": {"age": 0}}, "a weight is not above 0"),
    ({"weights": {"agee": 1}}, "a weight for 'agee', which is no quasi-identifier"),
    ({"recoding": 5}, "no recoding 5"),
    ({"effort": "much"}, "no effort 'much'"),
]


@pytest.mark.parametrize(("given", "message"), PARAMETERS)
def test_parameters_that_are_none(given, message):
    with pytest.raises(InvalidParameter, match=re.escape(message)):
        Anonymiser(**{"quasi_identifiers": QUASI, "k": 2, **given})


@pytest.mark.parametrize("quasi", [None, [1, 2], "age"])
def test_measure_takes_names(quasi):
    with pytest.raises(WrongType, match="a list of names"):
        measure(TABLE, quasi)


def test_numbers_of_numpy_are_numbers():
    asked = Anonymiser(["age"], sensitive=["ill"], k=np.int64(3), l=np.int8(2), t=np.float32(0.9))
    same = Anonymiser(["age"], sensitive=["ill"], k=3, l=2, t=float(np.float32(0.9)))
    assert asked.fit(TABLE).dumps() == same.fit(TABLE).dumps()
    assert measure(TABLE, ["age"], population_size=np.int64(600)) == measure(TABLE, ["age"], population_size=600)


def test_frequency_sets_of_no_columns():
    for names, sensitive in (([], []), (["age", "age"], []), (["age"], ["age"])):
        with pytest.raises(InvalidParameter, match="name each column once"):
            FrequencySet.of(TABLE, names, sensitive)
    with pytest.raises(WrongType, match="pass a list of names"):
        FrequencySet.of(TABLE, "age")
    with pytest.raises(WrongType, match="the hierarchy of 'ill' is a int"):
        measure(TABLE, ["age"], ["ill"], hierarchies={"ill": 3})


def test_weights_and_chances_may_be_numbers_of_numpy():
    table = {"age": [31, 34, 52, 58]}
    of_numpy = Anonymiser(["age"], k=2, weights={"age": np.int64(2)}, delta=np.float32(1)).fit(table, population=table)
    assert of_numpy.apply(table) == Anonymiser(["age"], k=2, weights={"age": 2.0}).fit(table).apply(table)
    assert of_numpy.requirements.delta == (0.0, 1.0)


@pytest.mark.parametrize("output", ["labels", "sets"])
@pytest.mark.parametrize("number", [float, Decimal])
def test_numbers_farther_apart_than_a_float_is_wide(output, number):
    table = {"size": [number("-1e308"), number("-1e308"), number("9e307"), number("1e308")]}
    plan = Anonymiser(["size"], k=2, output=output).fit(table)
    assert plan.report.k == 2
    assert plan.report.gcp == pytest.approx(0.025)
