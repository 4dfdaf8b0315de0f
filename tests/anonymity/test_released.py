"""t measured by what is released alone: rows that are suppressed move the distribution that it is measured against."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymity import recode_check as check
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, Plan, measure
from privkit.anonymity.verify import verify
from privkit.errors import Unmet

KINDS = Hierarchy.of({"flu": ["airways"], "asthma": ["airways"], "gout": ["joints"], "sprain": ["joints"]})


def made(seed, rows=120):
    """People of some places; what they have and what it costs leans on where they live, and one place is odd."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 8, rows)
    lean = rng.integers(1, 9, (8, 4)).astype(float)
    ills = [str(rng.choice(["flu", "asthma", "gout", "sprain"], p=lean[one] / lean[one].sum())) for one in place]
    costs = [int(rng.integers(1, 5)) + (40 if one == 7 else 0) for one in place]
    return {"place": place.tolist(), "age": rng.integers(20, 60, rows).tolist(), "ill": ills, "cost": costs}


QUASI = {"place": Hierarchy.intervals([2, 4]), "age": Hierarchy.intervals([10, 20])}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([0.15, 0.25, 0.35, 0.45]), st.sampled_from([0.05, 0.2, 0.5]))
def test_every_distance_holds_by_itself(seed, t, limit):
    table = made(seed)
    asked = {"k": 2, "t": t, "recoding": "full_domain", "suppression": limit}
    plan = Anonymiser(QUASI, sensitive={"ill": KINDS, "cost": None}, **asked).fit(table)
    out = plan.apply(table)
    found = measure(out, list(QUASI), ["ill", "cost"], hierarchies={"ill": KINDS})
    assert [one.distance for one in found.sensitive] == ["hierarchical", "ordered"]
    assert found.t <= t + 1e-9
    assert check.t_of(out, list(QUASI), "cost", ordered=True) <= t + 1e-9
    for one in found.sensitive:
        reached = plan.report.sensitive[one.column]
        assert one.t == pytest.approx(reached.t_released, abs=1e-12)
        assert reached.t <= t + 1e-9
    verify(plan, FrequencySet.of(out, list(QUASI), ["ill", "cost"]))


def skewed():
    """Three classes near the whole of all four, of which the fourth is too small."""
    rows = [("a", "x")] * 6 + [("a", "y")] * 4 + [("b", "x")] * 6 + [("b", "y")] * 4 + [("c", "x")] * 10 + [("d", "y")]
    return {"q": [q for q, _ in rows], "s": [s for _, s in rows]}


FLAT = {"q": Hierarchy.of({"a": [], "b": [], "c": [], "d": []})}


def test_t_holds_against_the_fitted_table_too():
    table = skewed()
    whole = list(table["s"])
    kept = {name: column[:30] for name, column in table.items()}
    t = check.t_of(kept, ["q"], "s", whole, ordered=False)
    assert t > check.t_of(kept, ["q"], "s", ordered=False)  # here what is dropped brings the rest closer
    plan = Anonymiser(FLAT, sensitive=["s"], k=2, t=t, recoding="full_domain", suppression=0.1).fit(table)
    assert plan.report.suppressed == 1
    assert plan.report.sensitive["s"].t == pytest.approx(t)


def test_a_plan_and_an_output_are_held_to_what_is_released():
    table = {"q": ["a"] * 10 + ["b"] * 30 + ["c"] * 4, "s": ["x"] * 10 + ["y"] * 30 + ["x"] * 4}
    plan = Anonymiser(FLAT, sensitive=["s"], k=5, t=0.7, recoding="full_domain", suppression=0.1).fit(table)
    assert plan.report.suppressed == 0  # class a is .682 off the table, and .75 off what is left without c
    assert plan.generalisations == {"q": "*"}
    loose = Anonymiser(FLAT, sensitive=["s"], k=5, t=0.76, recoding="full_domain", suppression=0.1).fit(table)
    reached = loose.report.sensitive["s"]
    assert (reached.t, reached.t_released) == (pytest.approx(30 / 44), pytest.approx(0.75))
    strict = dataclasses.replace(loose.requirements, t=0.7)
    with pytest.raises(Unmet):
        Plan(loose.frequency, loose.recoding, strict, loose.shape, loose.hierarchies, loose.sensitive)
    object.__setattr__(loose, "requirements", strict)
    with pytest.raises(Unmet):
        verify(loose, FrequencySet.of(next(loose.apply_batches([table])), ["q"], ["s"]))


DEEP = Hierarchy.of({"flu": ["viral", "airways"], "asthma": ["allergic", "airways"], "gout": ["uric", "joints"]})
"""No two of these values meet on the first level, which makes the way over the second no shorter."""


@pytest.mark.parametrize(("others", "wanted"), [([], 1 / 3), (["gout"] * 4, 2 / 3)])
def test_levels_on_which_values_of_the_data_do_not_meet_count(others, wanted):
    table = {"q": ["a", "a", "b", "b"] + ["c"] * len(others), "s": ["flu"] * 2 + ["asthma"] * 2 + others}
    found = measure(table, ["q"], ["s"], hierarchies={"s": DEEP})
    assert found.t == pytest.approx(wanted)  # half of the records are two of three levels away, or all three
    flat = Hierarchy.of({name: [] for name in "abc"})
    asked = {"k": 2, "recoding": "full_domain", "sensitive": {"s": DEEP}}
    assert Anonymiser({"q": flat}, t=wanted, **asked).fit(table).generalisations == {"q": "value"}
    assert Anonymiser({"q": flat}, t=wanted - 0.01, **asked).fit(table).generalisations == {"q": "*"}


def test_a_value_that_is_suppressed_wholly_makes_the_others_no_nearer():
    table = {"q": ["a", "a", "b", "b", "c"], "s": ["flu", "flu", "asthma", "asthma", "gout"]}
    asked = {"k": 2, "t": 0.5, "recoding": "full_domain", "suppression": 0.2, "sensitive": {"s": DEEP}}
    plan = Anonymiser({"q": Hierarchy.of({name: [] for name in "abc"})}, **asked).fit(table)
    found = measure(plan.apply(table), ["q"], ["s"], hierarchies={"s": DEEP})
    assert plan.report.suppressed == 1
    assert plan.report.sensitive["s"].t_released == pytest.approx(found.t) == pytest.approx(1 / 3)
