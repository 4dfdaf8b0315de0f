"""What is known of a class before its values are counted holds of every class that meets the models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.anonymity import FrequencySet
from privkit.anonymity.models.privacy import Models, SensitiveModel
from privkit.anonymity.models.sensitive import Diversity

LEVELS = (np.array([0, 1, 2]), np.array([0, 0, 1]))
ASKED = [
    {"values": 2},
    {"values": 3},
    {"t": 0.2},
    {"t": 0.4, "values": 2},
    {"t": 0.15, "distance": "ordered"},
    {"t": 0.15, "distance": "hierarchical", "groups": LEVELS},
    {"values": 2, "diversity": "entropy"},
]


def diversity_of(rows, k, asked):
    """Of tuples 0 to 5 with illnesses 0 to 2, all of which are there."""
    rows = [*rows, (9, 0), (9, 1), (9, 2)]
    frequency = FrequencySet.of({"q": [q for q, _ in rows], "ill": [s for _, s in rows]}, ["q"], ["ill"])
    whole = np.bincount([s for _, s in rows], minlength=3).astype(float)
    return frequency, Diversity(frequency, Models(k, (SensitiveModel("ill", whole, **asked),)))


TABLES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=2, max_size=30)


@settings(deadline=None)
@given(rows=TABLES, k=st.integers(1, 4), asked=st.sampled_from(ASKED), data=st.data())
def test_every_class_that_meets_has_seeds_and_nothing_lacking(rows, k, asked, data):
    frequency, diversity = diversity_of(rows, k, asked)
    every = np.arange(len(frequency.starts))
    chosen = np.array(sorted(data.draw(st.sets(st.sampled_from(every.tolist()), min_size=1))))
    start = np.zeros(1, np.intp)
    sizes = np.add.reduceat(frequency.counts, frequency.starts)[chosen].sum(keepdims=True)
    if diversity.meets(sizes, chosen, start)[0]:
        assert diversity.seeds(chosen).any()
        assert diversity.able(chosen, start)[0]
        assert all(own[chosen].sum() >= least for least, own in diversity.rare)
        assert all(own[chosen].sum() >= -1e-6 for own in diversity.spare)


@settings(deadline=None)
@given(rows=TABLES, k=st.integers(1, 4), asked=st.sampled_from(ASKED))
def test_what_is_left_of_a_group_meets_the_models(rows, k, asked):
    frequency, diversity = diversity_of(rows, k, asked)
    every, starts = np.arange(len(frequency.starts)), np.zeros(1, np.intp)
    order, taken = diversity.trimmed(np.ones(1, bool), every, starts)
    assert sorted(order.tolist()) == every.tolist()
    sizes = np.add.reduceat(frequency.counts, frequency.starts)
    kept = order[: int(taken[0])]
    if len(kept):
        assert diversity.meets(sizes[kept].sum(keepdims=True), kept, starts)[0]
    elif diversity.trims:
        assert not diversity.meets(sizes.sum(keepdims=True), every, starts)[0]


@pytest.mark.parametrize(("t", "taken"), [(0.2, 3), (0.1, 0)])
def test_too_many_of_one_value_are_left_out(t, taken):
    table = {"q": [1, 1, 2, 3, 4, 5], "ill": ["a", "b", "b", "b", "b", "a"]}
    frequency = FrequencySet.of(table, ["q"], ["ill"])
    model = SensitiveModel("ill", np.array([10.0, 10.0]), t=t)
    diversity = Diversity(frequency, Models(3, (model,)))
    group = np.array([0, 1, 2, 3]), np.zeros(1, np.intp)  # a a-b, and three of b alone
    assert not diversity.meets(np.array([5]), *group)[0]
    order, found = diversity.trimmed(np.ones(1, bool), *group)
    assert order[0] == 0
    assert int(diversity.sizes[order[: int(found[0])]].sum()) == taken
