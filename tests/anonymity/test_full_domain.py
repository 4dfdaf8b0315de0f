"""The optimum over the lattice against trying every node."""

from collections import defaultdict
from itertools import product

import numpy as np
import pytest

from anonymity import recode_check as check
from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy
from privkit.anonymity.recoding import full_domain
from privkit.errors import Unmet

HIERARCHIES = {
    "age": Hierarchy.intervals([5, 10, 20, 40]),
    "city": Hierarchy.ordering(CITIES, [2, 6]),
    "sex": Hierarchy.of({"m": [], "f": []}),
}


def every_node(table, good, limit, near=None):
    """The least loss over all nodes that suppress at most a share of the rows.

    Classes are dropped until each one left is good, and near to all that is released.
    """
    frequency = FrequencySet.of(table, QUASI)
    ladders = [HIERARCHIES[domain.name].bind(domain) for domain in frequency.quasi]
    codes = []
    for name, domain in zip(QUASI, frequency.quasi, strict=True):
        place = {text: code for code, text in enumerate(domain.texts)}
        codes.append([place[str(value)] if value is not None else len(domain.texts) for value in table[name]])
    rows, best = len(table["age"]), (9.0, None)
    for node in product(*(range(ladder.height) for ladder in ladders)):
        groups = [ladder.groups[level][own] for ladder, level, own in zip(ladders, node, codes, strict=True)]
        losses = sum(ladder.losses[level][group] for ladder, level, group in zip(ladders, node, groups, strict=True))
        classes = defaultdict(list)
        for row, key in enumerate(zip(*groups, strict=True)):
            classes[key].append(row)
        left = [members for members in classes.values() if good(members)]
        before = -1
        while before != len(left):
            before, released = len(left), [row for members in left for row in members]
            left = [members for members in left if near is None or near(members, released)]
        gone = sorted(set(range(rows)) - {row for members in left for row in members})
        if len(gone) <= limit * rows:
            kept = np.ones(rows, bool)
            kept[gone] = False
            best = min(best, ((losses[kept].sum() / 3 + len(gone)) / rows, node))
    return best


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("k", [2, 5, 25])
def test_k_alone(k, limit):
    table = patients()
    wanted, _ = every_node(table, lambda rows: len(rows) >= k, limit)
    plan = Anonymiser(HIERARCHIES, k=k, recoding="full_domain", suppression=limit).fit(table)
    assert plan.report.gcp == pytest.approx(wanted, abs=1e-9)
    assert set(plan.generalisations) == set(QUASI)


@pytest.mark.parametrize("k", [2, 25])
def test_open_nodes_may_be_counted_anew_at_any_time(monkeypatch, k):
    monkeypatch.setattr(full_domain, "_RECOUNTED", 1)
    test_k_alone(k, 0.05)


@pytest.mark.parametrize("limit", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("asked", [{"l": 2}, {"l": 2, "diversity": "entropy"}, {"t": 0.2}, {"t": 0.1}])
def test_with_sensitive_values(asked, limit):
    table = patients()
    whole = table["ill"]

    def good(rows):
        one = {"ill": [whole[row] for row in rows], "same": [0] * len(rows)}
        if len(rows) < 3:
            return False
        if "t" in asked:
            return check.t_of(one, ["same"], "ill", whole, ordered=False) <= asked["t"] + 1e-9
        if "diversity" in asked:
            return check.entropy_of(one, ["same"], "ill") >= np.log(2) - 1e-9
        return check.distinct_of(one, ["same"], "ill") >= 2

    def near(rows, released):
        one = {"ill": [whole[row] for row in rows], "same": [0] * len(rows)}
        of_all = [whole[row] for row in released]
        return "t" not in asked or check.t_of(one, ["same"], "ill", of_all, ordered=False) <= asked["t"] + 1e-9

    wanted, _ = every_node(table, good, limit, near)
    anonymiser = Anonymiser(HIERARCHIES, sensitive=["ill"], k=3, recoding="full_domain", suppression=limit, **asked)
    assert anonymiser.fit(table).report.gcp == pytest.approx(wanted, abs=1e-9)


FLAT = {"q": Hierarchy.of({name: [] for name in "abc"})}


def test_what_suppression_leaves_may_meet_what_the_whole_table_does_not():
    table = {"q": list("aabbcc"), "s": ["x", "y", "x", "y", "x", "x"]}
    for asked in ({"diversity": "entropy"}, {"diversity": "recursive", "c": 1.5}):
        anonymiser = Anonymiser(FLAT, sensitive=["s"], k=2, l=2, recoding="full_domain", suppression=0.4, **asked)
        assert anonymiser.fit(table).apply(table)["q"] == list("aabb")
    asked = {"k": 2, "l": 2, "recoding": "full_domain", "diversity": "entropy"}
    for limit, message in [(0.1, "even in the whole table"), (0.3, r"no combination of levels .* at most 30.0%")]:
        with pytest.raises(Unmet, match=message):
            Anonymiser(FLAT, sensitive=["s"], suppression=limit, **asked).fit(table)


def test_suppression_lowers_the_chance_of_being_in_the_table():
    table = {"q": list("aabbcc")}
    people = {"q": list("aaaabbbbcc")}
    asked = {"k": 2, "delta": 0.5, "recoding": "full_domain"}
    assert Anonymiser(FLAT, suppression=0.4, **asked).fit(table, population=people).apply(table)["q"] == list("aabb")
    with pytest.raises(Unmet, match="even if all are alike"):
        Anonymiser(FLAT, suppression=0.1, **asked).fit(table, population=people)
