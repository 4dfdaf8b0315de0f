"""Groups of a node made of the groups of nodes below, against the tuples of the table put together one by one."""

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import FrequencySet, Hierarchy
from privkit.anonymity.counting.keys import numbered
from privkit.anonymity.models.requirements import Requirements
from privkit.anonymity.recoding import halves, rollup
from privkit.anonymity.recoding.full_domain import optimum
from privkit.anonymity.recoding.rollup import Base, Bases

HIERARCHIES = {
    "age": Hierarchy.intervals([5, 10, 20, 40]),
    "city": Hierarchy.ordering(CITIES, [2, 6]),
    "sex": Hierarchy.of({"m": [], "f": []}),
}


@given(st.lists(st.integers(0, 30) | st.integers(0, 10**6), max_size=60))
def test_numbers_without_gaps_in_the_order_of_keys(keys):
    firsts, numbers = numbered(np.array(keys, np.int64))
    distinct = sorted(set(keys))
    assert numbers.tolist() == [distinct.index(key) for key in keys]
    assert [keys[place] for place in firsts] == distinct


def of_table(columns, asked):
    frequency = FrequencySet.of(patients(400), columns, ["ill"])
    ladders = [HIERARCHIES[domain.name].bind(domain) for domain in frequency.quasi]
    return frequency, ladders, asked.models(frequency, {})


def put_together(table, frequency, ladders, node):
    """The table's tuples by their groups at a node."""
    found = defaultdict(list)
    codes = frequency.codes[: len(ladders), frequency.starts]
    for number in range(len(table)):
        key = [ladder.groups[level][row[number]] for ladder, level, row in zip(ladders, node, codes, strict=True)]
        found[tuple(key)].append(number)
    return sorted(found.values())


@pytest.mark.parametrize("columns", [QUASI, ["age"], ["sex", "age"]])
@pytest.mark.parametrize("room", [10**6, 100])
def test_groups_of_every_node(columns, room, monkeypatch):
    monkeypatch.setattr(rollup, "_SMALL", 1)
    monkeypatch.setattr(rollup, "_ROOM", room)
    monkeypatch.setattr(halves, "_CACHE", room)
    frequency, ladders, models = of_table(columns, Requirements(k=3, t=0.3))
    table = Base.of_table(frequency, ladders, models)
    bases, rng = Bases(table), np.random.default_rng(5)
    values = [
        [rng.random(len(labels))[own] for labels, own in zip(ladder.labels, ladder.groups, strict=True)]
        for ladder in ladders
    ]
    nodes = list(product(*(range(ladder.height) for ladder in ladders)))
    smaller = 0
    for node in rng.permutation(nodes).tolist():
        groups = bases.under(node).at(node)
        smaller += len(groups.base) < len(table)
        wanted = put_together(table, frequency, ladders, node)
        place = {number: group for group, members in enumerate(wanted) for number in members}
        mine = [place[number] for number in groups.tuples.tolist()]
        assert sorted(mine) == list(range(len(wanted)))
        assert groups.sizes.tolist() == [int(table.sizes[wanted[group]].sum()) for group in mine]
        plain = table.at(node)
        order = np.argsort([place[number] for number in plain.tuples.tolist()])
        assert np.array_equal(groups.met()[np.argsort(mine)], plain.met()[order])
        every, direct = np.arange(len(mine)), table.at(node)
        assert groups.totals(values, every) == pytest.approx(
            [
                sum(own[level][row[number]] for own, level, row in zip(values, node, codes_of(frequency), strict=False))
                for number in groups.tuples.tolist()
            ]
        )
        assert direct.of_each(direct.tuples).tolist() == [
            next(first for first in direct.tuples.tolist() if place[first] == place[number])
            for number in range(len(table))
        ]
    assert smaller


def codes_of(frequency):
    return frequency.codes[:, frequency.starts]


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([{"l": 2}, {"t": 0.2}, {"l": 2, "diversity": "entropy"}, {}]))
def test_bases_change_no_optimum(seed, asked):
    frequency = FrequencySet.of(patients(200, seed), QUASI, ["ill"])
    ladders = [HIERARCHIES[domain.name].bind(domain) for domain in frequency.quasi]
    models = Requirements(k=3, **asked).models(frequency, {})
    weights = [1.0, 0.7, 1.9]
    plain = optimum(frequency, ladders, models, weights, limit=0.3, progress=[].append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollup, "_SMALL", 1)
        made = optimum(frequency, ladders, models, weights, limit=0.3, progress=[].append)
    assert (made.node, made.checked) == (plain.node, plain.checked)
    assert np.array_equal(made.suppressed, plain.suppressed)
    assert np.array_equal(made.sizes, plain.sizes)
