"""Counts as pairs of class and value: the same as arrays of counts, in themselves and in what searches find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymity import recode_check as check
from anonymity.tables import QUASI, patients
from privkit.anonymity import Anonymiser, Hierarchy
from privkit.anonymity.models import pairs, sensitive
from privkit.anonymity.models.pairs import Pairs, Spans, Whole, only, sums, too_much
from privkit.anonymity.models.privacy import Models, SensitiveModel

COUNTS = st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any), min_size=2, max_size=6)
LEVELS = (np.array([0, 1, 2, 3, 4]), np.array([0, 0, 1, 1, 1]))
ASKED = [
    {"values": 2},
    {"values": 3, "diversity": "entropy"},
    {"values": 2, "diversity": "recursive", "c": 1.5},
    {"t": 0.3},
    {"t": 0.3, "distance": "ordered"},
    {"t": 0.3, "distance": "hierarchical", "groups": LEVELS},
    {"values": 2, "t": 0.4},
]


def paired(table):
    rows, values = np.nonzero(table)
    return Pairs.of(rows, values, table[rows, values], len(table), table.shape[1])


@settings(deadline=None)
@given(COUNTS, st.data())
def test_rows_are_taken_put_and_added_as_those_of_arrays(counts, data):
    table = np.array(counts, float)
    some = np.array(data.draw(st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=8)))
    order = np.array(data.draw(st.permutations(range(len(table)))))
    starts = np.array(sorted({0, *data.draw(st.sets(st.integers(1, len(table) - 1)))}))
    first = np.array([0, 1, 0])
    number = np.array([1, len(table) - 1, len(table)])
    there, all_of_it = np.flatnonzero(table.sum(0)), paired(table)
    np.testing.assert_array_equal(all_of_it[some].dense(), table[some])
    np.testing.assert_array_equal((all_of_it[some] + all_of_it[some[::-1]]).dense(), table[some] + table[some[::-1]])
    np.testing.assert_array_equal((all_of_it - all_of_it[order]).dense(), table - table[order])
    np.testing.assert_array_equal(sums(all_of_it, order, starts).dense(), sums(table, order, starts))
    np.testing.assert_array_equal(
        Spans(all_of_it, order).of(first, number).dense(), Spans(table, order).of(first, number)
    )
    np.testing.assert_array_equal(only(all_of_it, there).dense(), only(table, there))
    group, whole = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(table))), table.sum(0) / table.sum()
    np.testing.assert_allclose(too_much(all_of_it, whole, group, starts), too_much(table, whole, group, starts))
    for _ in range(4):  # the pool is cleared of waste at times
        once = np.unique(some)
        all_of_it[once] = all_of_it[once] + all_of_it[once]
        table[once] += table[once]
        np.testing.assert_array_equal(all_of_it.dense(), table)


@settings(deadline=None)
@given(COUNTS, st.sampled_from(ASKED))
def test_models_say_the_same_of_pairs_and_of_arrays(counts, asked):
    table = np.array(counts, float)
    model = SensitiveModel("s", table.sum(0) + 1, **asked)
    np.testing.assert_allclose(model.distances(paired(table)), model.distances(table), atol=1e-12)
    np.testing.assert_array_equal(model.meets(paired(table)), model.meets(table))
    sizes = table.sum(1)
    np.testing.assert_array_equal(Models(3, (model,)).meets(sizes, [paired(table)]), (sizes >= 3) & model.meets(table))


@settings(deadline=None)
@given(COUNTS, st.sampled_from(ASKED))
def test_no_class_that_meets_a_model_has_fewer_records_than_the_least(counts, asked):
    table = np.array(counts, float)
    model = SensitiveModel("s", table.sum(0) + 1, **asked)
    assert (table.sum(1)[model.meets(table)] >= model.least).all()


PARTS = np.indices((5,) * 5).reshape(5, -1).T[1:]
"""Every class of up to four records of each of five values."""


@settings(deadline=None)
@given(COUNTS, st.sampled_from([asked for asked in ASKED if "t" in asked]))
def test_no_group_is_ruled_out_of_which_some_part_is_near_the_whole(counts, asked):
    table = np.array(counts, float)
    model = SensitiveModel("s", table.sum(0) + 1, **asked)
    near = PARTS[model.close(PARTS)]
    possible = np.array([(near <= group).all(1).any() for group in table])
    assert model.coverable(paired(table))[possible].all()


@settings(deadline=None)
@given(COUNTS, st.sampled_from([0.0, 0.05, 0.2, 0.3, 0.7]))
def test_the_least_records_of_a_class_near_the_whole_are_those_of_the_smallest_such_class(counts, t):
    model = SensitiveModel("s", np.array(counts[0], float), t=t)
    assert model.least == PARTS[model.close(PARTS)].sum(1).min()


def test_groups_of_few_values_are_ruled_out_however_many_records_they_have():
    model = SensitiveModel("s", np.ones(100), t=0.3)
    group = np.repeat([0, 1], [69, 70])
    groups = Pairs.of(group, np.concatenate([np.arange(69), np.arange(70)]), np.full(139, 9), 2, 100)
    assert model.coverable(groups).tolist() == [False, True]


def test_a_class_of_few_records_covers_few_values():
    assert SensitiveModel("s", 1 / np.arange(1, 2001), t=0.3).least == 310  # 172 values have 0.7 of the whole
    assert SensitiveModel("s", np.ones(100), t=0.3).least == 70
    assert SensitiveModel("s", np.array([70.0, 20.0, 10.0]), t=0.3).least == 1
    assert SensitiveModel("s", np.ones(100), 4, t=0.3, distance="ordered").least == 4
    np.testing.assert_allclose(Pairs.of_records(np.arange(3), np.ones(3), 3).equal(Whole(np.ones(3))), 2 / 3)


@pytest.mark.parametrize("recoding", [{"output": "labels"}, {"output": "sets"}, {"recoding": "full_domain"}])
@pytest.mark.parametrize(
    "asked",
    [
        {"l": 2},
        {"l": 2, "diversity": "entropy"},
        {"l": 2, "diversity": "recursive", "c": 3.0},
        {"t": 0.3},
        {"t": 0.3, "distance": "equal"},
    ],
    ids=str,
)
def test_searches_find_the_same_with_both(recoding, asked, monkeypatch):
    table = patients(400)
    hierarchies = {
        "age": Hierarchy.intervals([10, 20, 40]),
        "city": Hierarchy.of({city: ["south"] for city in sorted({c for c in table["city"] if c})}),
        "sex": Hierarchy.of({"m": [], "f": []}),
    }
    anonymiser = Anonymiser(hierarchies, sensitive=["ill", "cost"], k=3, **asked, **recoding)
    once = anonymiser.fit(table).apply(table)
    for module in (pairs, sensitive):
        monkeypatch.setattr(module, "WIDE", 1)
    assert anonymiser.fit(table).apply(table) == once


@pytest.mark.parametrize("output", ["labels", "sets"])
def test_a_sensitive_column_may_differ_in_every_row(output):
    table = patients(600, nulls=False) | {"order": [f"o{row}" for row in range(600)]}
    hierarchies = {
        "age": Hierarchy.intervals([10, 20, 40]),
        "city": Hierarchy.of({city: [] for city in sorted(set(table["city"]))}),
        "sex": Hierarchy.of({"m": [], "f": []}),
    }
    plan = Anonymiser(hierarchies, sensitive=["order"], k=3, l=5, output=output).fit(table)
    assert check.distinct_of(plan.apply(table), QUASI, "order") >= 5
    assert plan.report.sensitive["order"].l >= 5
    close = Anonymiser(hierarchies, sensitive=["order"], k=3, t=0.7, output=output).fit(table)
    assert close.report.k >= 180
    assert close.report.sensitive["order"].t <= 0.7
