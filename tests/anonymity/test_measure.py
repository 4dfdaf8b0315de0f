"""Measuring tables: against slow twins that follow the definitions row by row, and against an independent program."""

import json
import math
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise, product
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.anonymity import FrequencySet, Hierarchy, measure
from privkit.anonymity.models import privacy as dense
from privkit.anonymity.models.pairs import Pairs, Whole
from privkit.errors import InvalidParameter, InvalidValue, TableError, WrongType

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "pycanon_measures.json").read_text(encoding="utf-8"))
ADULT = Path(__file__).parents[3] / "shared" / "data" / "adult" / "adult.csv"
TAXONOMY = {
    "flu": ["airways", "body"],
    "asthma": ["airways", "body"],
    "gastritis": ["stomach", "body"],
    "ulcer": ["stomach", "body"],
    "grief": ["mind", "soul"],
}


# --- the definitions, row by row ------------------------------------------------------------------------------------


def classes_of(table, quasi):
    found = defaultdict(list)
    for row in range(len(table[quasi[0]])):
        found[tuple((type(table[name][row]), table[name][row]) for name in quasi)].append(row)
    return list(found.values())


def shares(values):
    return {value: Fraction(count, len(values)) for value, count in Counter(values).items()}


def earth_moved(supply, demand, distance):
    """The transport of least cost from one distribution to another: flow pushed along shortest paths, in fractions."""
    flow, cost = defaultdict(Fraction), Fraction(0)
    left = {("out", value): share for value, share in supply.items()}
    wanted = {("in", value): share for value, share in demand.items()}
    while any(left.values()):
        path, price = cheapest(left, wanted, flow, distance)
        steps = list(pairwise(path))
        most = min([left[path[0]], wanted[path[-1]], *(flow[head, tail] for tail, head in steps if tail[0] == "in")])
        for tail, head in steps:
            if tail[0] == "out":
                flow[tail, head] += most
            else:
                flow[head, tail] -= most  # what was sent there before goes elsewhere
        left[path[0]] -= most
        wanted[path[-1]] -= most
        cost += most * price
    return cost


def cheapest(left, wanted, flow, distance):
    """The cheapest way from a node with something left to one that wants some (Bellman and Ford)."""
    best = {node: (Fraction(0), [node]) for node, share in left.items() if share}
    for _ in range(len(left) + len(wanted)):
        for a, b in product(left, wanted):
            price = distance(a[1], b[1])
            for tail, head, toll in ((a, b, price), (b, a, -price)):
                usable = tail in best and (tail is a or flow[a, b])
                if usable and (head not in best or best[tail][0] + toll < best[head][0]):
                    best[head] = (best[tail][0] + toll, [*best[tail][1], head])
    price, path = min((best[node] for node, share in wanted.items() if share and node in best), key=itemgetter(0))
    return path, price


def equal(a, b):
    return Fraction(int(a != b))


def ordered(values):
    place = {value: number for number, value in enumerate(sorted(values, key=lambda v: (v is None, v or 0)))}
    return lambda a, b: Fraction(abs(place[a] - place[b]), max(len(place) - 1, 1))


def hierarchical(a, b):
    """Flu and asthma meet one level up, flu and gastritis two, flu and grief at the top of three."""
    rows = [[value, *TAXONOMY[value], "*"] for value in (a, b)]
    return Fraction(next(level for level, pair in enumerate(zip(*rows, strict=True)) if len(set(pair)) == 1), 3)


ages = st.one_of(st.none(), st.integers(0, 2))
tables = st.lists(
    st.tuples(
        ages,
        st.sampled_from(["a", "", None]),
        st.sampled_from(sorted(TAXONOMY)),
        st.one_of(st.none(), st.integers(0, 4)),
    ),
    min_size=1,
    max_size=14,
).map(lambda rows: dict(zip(("age", "city", "ill", "income"), map(list, zip(*rows, strict=True)), strict=True)))
FULL = list(TAXONOMY)


@settings(deadline=None, max_examples=60)
@given(tables)
def test_it_agrees_with_the_definitions(table):
    found = measure(table, ["age", "city"], ["ill", "income"])
    classes = classes_of(table, ["age", "city"])
    sizes = [len(rows) for rows in classes]
    assert found.records == len(table["age"])
    assert (found.k, found.classes, dict(found.class_sizes)) == (min(sizes), len(sizes), Counter(sizes))
    for column in found.sensitive:
        values = table[column.column]
        groups = [Counter(values[row] for row in rows) for rows in classes]
        assert column.values == len(set(values))
        assert column.l == min(map(len, groups))
        entropies = [-sum(n / sum(g.values()) * math.log(n / sum(g.values())) for n in g.values()) for g in groups]
        assert column.entropy_l == pytest.approx(math.exp(min(entropies)))
        assert column.one_valued == sum(sum(g.values()) for g in groups if len(g) == 1)
        for l, bound in column.recursive.items():  # noqa: E741 - the model's name
            falling = [sorted(g.values(), reverse=True) for g in groups]
            assert bound == pytest.approx(max(r[0] / sum(r[l - 1 :]) if r[l - 1 :] else math.inf for r in falling))
    assert found.l == min(column.l for column in found.sensitive)
    assert found.t == max(column.t for column in found.sensitive)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_its_distances_are_the_least_transports(table):
    whole = table["ill"] + FULL  # so that the hierarchy has all of its levels
    table = {name: [*column, *[None if name in {"age", "city"} else 0] * len(FULL)] for name, column in table.items()}
    table["ill"] = whole
    found = measure(table, ["age", "city"], ["ill", "income"], hierarchies={"ill": Hierarchy.of(TAXONOMY)})
    grounds = {
        "ill": {"equal": equal, "hierarchical": hierarchical},
        "income": {"equal": equal, "ordered": ordered(set(table["income"]))},
    }
    for column in found.sensitive:
        values = table[column.column]
        for name, ground in grounds[column.column].items():
            far = max(
                earth_moved(shares([values[row] for row in rows]), shares(values), ground)
                for rows in classes_of(table, ["age", "city"])
            )
            assert column.distances[name] == pytest.approx(float(far), abs=1e-12)
        assert column.distance == {"ill": "hierarchical", "income": "ordered"}[column.column]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=60))
def test_pairs_agree_with_arrays_of_counts(pairs):
    classes, values = np.array(pairs).T
    classes = np.unique(classes, return_inverse=True)[1]
    table = np.zeros((classes.max() + 1, 7))
    np.add.at(table, (classes, values), 1)
    sparse = Pairs.of(classes, values, np.ones(len(pairs), np.int64), len(table), 7)
    levels = [np.arange(7), np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 0, 0, 1, 1, 1])]
    counts, whole = table.sum(0), Whole(table.sum(0))
    np.testing.assert_array_equal(sparse.dense(), table)
    np.testing.assert_array_equal(sparse.distinct(), dense.distinct(table))
    np.testing.assert_allclose(sparse.entropy(), dense.entropy(table), atol=1e-12)
    np.testing.assert_allclose(sparse.equal(whole), dense.equal_distance(table, counts), atol=1e-12)
    np.testing.assert_allclose(sparse.ordered(whole), dense.ordered_distance(table, counts), atol=1e-12)
    np.testing.assert_allclose(
        sparse.hierarchical(whole, levels), dense.hierarchical_distance(table, counts, levels), atol=1e-12
    )
    np.testing.assert_allclose(dense.recursive(sparse, 3), dense.recursive(table, 3))


# --- an independent witness -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"{len(case['table']['age'])} rows")
def test_it_agrees_with_pycanon(case):
    expected = case["expected"]
    found = measure(case["table"], ["age", "city"], ["ill", "income"])
    assert found.k == expected["k"]
    assert {column.column: column.l for column in found.sensitive} == expected["l"]
    assert {column.column: column.t for column in found.sensitive} == pytest.approx(expected["t"], abs=1e-12)
    for column in found.sensitive:
        rounded = int(column.entropy_l), int(column.entropy_l - 1e-9)  # it rounds 1.9999999999999998 down
        assert expected["entropy_l"][column.column] in rounded


@pytest.mark.skipif(
    not ADULT.exists(), reason="needs the UCI Adult data beside the repository, in ../shared/data/adult"
)
def test_adult_is_as_pycanon_says():
    table = pd.read_csv(ADULT)
    quasi = ["sex", "age", "race", "marital-status", "education", "native-country", "workclass"]
    found = measure(table, quasi, ["salary-class", "occupation"])
    assert (found.records, found.k, found.l) == (30162, 1, 1)
    assert [column.t for column in found.sensitive] == pytest.approx([0.7510775147536636, 0.9997016112989855])


# --- what counts as a value -----------------------------------------------------------------------------------------


def test_null_and_empty_are_values_of_their_own():
    found = measure({"city": ["", None, None, "a"], "ill": [None, None, "flu", "flu"]}, ["city"], ["ill"])
    assert (found.classes, found.k, found.l, found.sensitive[0].values) == (3, 1, 1, 2)


def test_numbers_are_numbers():
    assert measure({"age": [-0.0, 0.0, 1.0, 1.0]}, ["age"]).k == 2
    incomes = {"age": [1, 1, 2, 2], "income": [9, 10, 10, 100]}
    column = measure(incomes, ["age"], ["income"]).sensitive[0]
    assert column.distances["ordered"] == 0.25  # 9, 10, 100: [.5 .5 0] against [.25 .5 .25]


def test_text_that_holds_numbers_has_an_order_only_on_request():
    incomes = {"age": [1, 1, 2, 2], "income": ["9", "10", "10", "100"]}
    column = measure(incomes, ["age"], ["income"]).sensitive[0]
    assert (column.distance, column.t) == ("equal", 0.25)
    column = measure(incomes, ["age"], ["income"], distances={"income": "ordered"}).sensitive[0]
    assert (column.distance, column.t) == ("ordered", 0.25)


def test_an_order_of_categories():
    table = {"age": [1, 1, 2, 2], "school": ["low", "middle", "middle", "high"]}
    found = measure(table, ["age"], ["school"], orders={"school": ["low", "middle", "high"]})
    assert found.sensitive[0].distance == "ordered"
    assert found.t == pytest.approx(0.25)


@pytest.mark.parametrize(
    "make", [dict, pd.DataFrame, pl.DataFrame, pa.table], ids=["dict", "pandas", "polars", "arrow"]
)
def test_every_kind_of_table(make):
    table = {"age": [30, 30, 41, 41, 41], "ill": ["flu", None, "flu", "flu", "gout"]}
    assert measure(make(table), ["age"], ["ill"]) == measure(table, ["age"], ["ill"])
    assert measure(FrequencySet.of(make(table), ["age"], ["ill"]), ["age"], ["ill"]) == measure(table, ["age"], ["ill"])


@settings(deadline=None, max_examples=30)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_says_nothing(table, random):
    rows = list(zip(*table.values(), strict=True))
    random.shuffle(rows)
    again = dict(zip(table, map(list, zip(*rows, strict=True)), strict=True))
    before, after = (measure(one, ["age", "city"], ["ill", "income"]) for one in (table, again))
    assert before.as_dict() == after.as_dict()


@settings(deadline=None, max_examples=30)
@given(tables, st.sampled_from([("public", 20), ("controlled", 5), ("enclave", 3)]))
def test_what_each_quasi_identifier_gives_away(table, release):
    names = ["age", "city", "ill"]
    found = measure(table, names, release=release[0])
    for one in found.quasi:
        others = [name for name in names if name != one.column]
        sizes = [len(rows) for rows in classes_of(table, others)]
        assert one.values == len({(type(value), value) for value in table[one.column]})
        assert (one.k_without, one.unique_without) == (min(sizes), sizes.count(1))
        assert one.at_risk_without == sum(size for size in sizes if size < release[1])
    alone = measure(table, ["age"]).quasi[0]
    assert (alone.k_without, alone.unique_without) == (len(table["age"]), int(len(table["age"]) == 1))


# --- what it writes -------------------------------------------------------------------------------------------------


def test_json_holds_all_of_it_and_no_value():
    secret = {"age": [30, 31, 31], "ill": ["flu", "gout", "gout"]}
    found = measure(secret, ["age"], ["ill"], identifiers=[], release="controlled", population_size=30)
    text = json.dumps(found.as_dict(), allow_nan=False)
    told = json.loads(text)
    assert told["declared"] == {
        "quasi_identifiers": ["age"], "sensitive": ["ill"], "identifiers": [], "release": "controlled",
        "population_size": 30,
    }  # fmt: skip
    assert told["computed"]["sensitive"][0]["recursive"] == {"2": None}
    assert told["computed"]["gbt_42460_2023"] == {"level": 2, "risk": "1", "threshold": "1/5", "needed_k": 5}
    assert not any(value in text for value in ("flu", "gout", "31"))


# --- bad input ------------------------------------------------------------------------------------------------------

GOOD = {"age": [30, 31], "ill": ["flu", "gout"], "name": ["a", "b"]}


@pytest.mark.parametrize(
    ("table", "arguments", "error", "words"),
    [
        ({"age": [], "ill": []}, {}, TableError, "no rows"),
        ([], {}, TableError, "has no rows"),
        ({"ages": [1], "ill": ["flu"]}, {}, TableError, "did you mean 'ages'"),
        (GOOD, {"quasi_identifiers": []}, InvalidParameter, "name the columns"),
        (GOOD, {"quasi_identifiers": "age"}, WrongType, "pass a list"),
        (GOOD, {"sensitive": ["age"]}, InvalidParameter, "is quasi-identifier and sensitive"),
        (GOOD, {"quasi_identifiers": ["age", "age"]}, InvalidParameter, "give it one role, once"),
        (GOOD, {"identifiers": ["ill"]}, InvalidParameter, "is sensitive and identifier"),
        (GOOD, {"identifiers": ["phone"]}, TableError, "no column 'phone'"),
        (GOOD, {"release": "publik"}, InvalidParameter, "did you mean 'public'"),
        (GOOD, {"population_size": 1}, TableError, "must hold all of its people"),
        (GOOD, {"population": {"age": [30]}}, TableError, "must hold all of its people"),
        (GOOD, {"population": {"age": [30, 31, 32]}, "population_size": 3}, InvalidParameter, "pass the one"),
        (GOOD, {"population": {"years": [30, 31, 32]}}, TableError, "the population has no column 'age'"),
        (GOOD, {"distances": {"ill": "ordered"}}, InvalidParameter, "it has: equal"),
        (GOOD, {"distances": {"age": "ordered"}}, InvalidParameter, "not measured"),
        (GOOD, {"orders": {"ill": ["flu"]}}, InvalidParameter, "does not name 1 of 2"),
        (GOOD, {"orders": {"ill": ["flu", "gout", "flu"]}}, InvalidParameter, "twice"),
        (GOOD, {"hierarchies": {"ill": Hierarchy.of({"flu": ["x"]})}}, InvalidParameter, "does not cover"),
        (GOOD, {"hierarchies": {"name": Hierarchy.of({"flu": ["x"]})}}, InvalidParameter, "not measured"),
        ({"age": [1.5, math.nan], "ill": ["flu", "flu"]}, {}, InvalidValue, "row 1"),
        ({"age": [1, "x"], "ill": ["flu", "flu"]}, {}, WrongType, "age"),
        ({"age": [b"x"], "ill": ["flu"]}, {}, InvalidParameter, "bytes"),
        (FrequencySet.of(GOOD, ["age"]), {}, InvalidParameter, "not those asked for"),
    ],
)  # fmt: skip
def test_bad_input_says_what_to_change(table, arguments, error, words):
    with pytest.raises(error, match=words) as raised:
        measure(table, **{"quasi_identifiers": ["age"], "sensitive": ["ill"], **arguments})
    assert "flu" not in str(raised.value)
    assert "gout" not in str(raised.value)
