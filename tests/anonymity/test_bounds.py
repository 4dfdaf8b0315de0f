"""No division of a group into classes that meet the models loses less than the bound says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.anonymity.models.bounds import LeastLost
from privkit.anonymity.models.privacy import Models, SensitiveModel

WHOLE = np.array([6.0, 3.0, 2.0, 1.0])
LEVELS = (np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1]))
ASKED = [
    {"values": 2},
    {"values": 3},
    {"values": 2, "diversity": "entropy"},
    {"values": 2, "diversity": "recursive", "c": 1.5},
    {"t": 0.25},
    {"t": 0.2, "distance": "ordered"},
    {"t": 0.3, "distance": "hierarchical", "groups": LEVELS},
    {"values": 2, "t": 0.4},
]


def kept_at_most(models, records):
    """The most records in one class or two, over all ways to choose them, by trying all."""
    best = 0
    for place in np.ndindex(*([3] * len(records))):
        groups = [[value for value, at in zip(records, place, strict=True) if at == own] for own in (1, 2)]
        counts = [np.bincount(own, minlength=4) for own in groups if own]
        if all(models.meets(np.array([c.sum()]), [c[None].astype(float)] * len(models.sensitive))[0] for c in counts):
            best = max(best, sum(map(len, groups)))
    return best


@settings(deadline=None, max_examples=60)
@given(records=st.lists(st.integers(0, 3), min_size=1, max_size=6), asked=st.sampled_from(ASKED), k=st.integers(1, 3))
def test_no_division_loses_less(records, asked, k):
    models = Models(k, (SensitiveModel("s", WHOLE, **asked),))
    counts = np.bincount(records, minlength=4)[None].astype(float)
    sizes = np.array([len(records)])
    if not models.meets(sizes, [counts])[0]:
        lost = int(LeastLost(models).of(sizes, [counts])[0])
        assert 1 <= lost <= len(records) - kept_at_most(models, records)


def test_what_is_too_small_is_lost_wholly():
    assert LeastLost(Models(3)).of(np.array([1, 2]), []).tolist() == [1, 2]
