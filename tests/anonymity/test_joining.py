"""Tuples that no class was found for join one, whichever way they look for it."""

import pytest

from anonymity import recode_check as check
from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import Anonymiser, Hierarchy
from privkit.anonymity.recoding import joining

HIERARCHIES = {"age": Hierarchy.intervals([5, 10, 40]), "city": Hierarchy.ordering(CITIES, [2]), "sex": None}


@pytest.mark.parametrize("asked", [{"l": 3}, {"t": 0.15}, {"l": 2, "diversity": "entropy"}])
@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"_COMPARED": 0},
        {"_MANY": 0},
        {"_LARGE": 1, "_WIDE": 1, "_TOGETHER": 2},
        {"_LARGE": 1, "_WIDE": 2, "_OFFERS": (1,)},
        {"_OFFERS": ()},
    ],
)
def test_every_way_meets_the_models(monkeypatch, limits, asked):
    for name, value in limits.items():
        monkeypatch.setattr(joining, name, value)
    table = patients(rows=400, seed=4)
    plan = Anonymiser(HIERARCHIES, sensitive=["ill"], k=4, **asked).fit(table)
    out = plan.apply(table)
    assert len(out["tag"]) == 400
    assert check.k_of(out, QUASI) >= 4
    if "t" in asked:
        assert check.t_of(out, QUASI, "ill", table["ill"], ordered=False) <= 0.15 + 1e-9
    elif "diversity" in asked:
        assert check.entropy_of(out, QUASI, "ill") >= 0.693147
    else:
        assert check.distinct_of(out, QUASI, "ill") >= 3
    assert plan.report.gcp < 0.95


def test_where_no_class_was_found_at_all_the_table_is_one():
    table = {"age": [1, 20, 40, 60], "ill": ["a", "a", "a", "b"]}
    plan = Anonymiser({"age": Hierarchy.intervals([10])}, sensitive=["ill"], k=2, t=0.1).fit(table)
    assert plan.apply(table)["age"] == ["*"] * 4


def test_tuples_of_one_value_alone_join_classes_that_need_nothing():
    table = {"age": [30] * 80 + [41, 52, 63], "ill": [str(number) for number in range(76)] + ["flu"] * 7}
    plan = Anonymiser({"age": Hierarchy.intervals([10])}, sensitive=["ill"], k=2, l=2).fit(table)
    assert plan.apply(table)["age"] == ["*"] * 83
