"""delta-presence: asked of every recoding, and counted once more by hand from what is written."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymity.tables import QUASI, patients
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, Plan, measure
from privkit.anonymity.verify import verify
from privkit.errors import InvalidParameter, TableError, Unmet

CITIES = {"杭州": "浙江", "宁波": "浙江", "上海": "江南", "南京": "江南", "苏州": "江南", "无锡": "江南"}
HIERARCHIES = {
    "age": Hierarchy.intervals([5, 10, 20, 40]),
    "city": Hierarchy.of({city: [province] for city, province in CITIES.items()}),
    "sex": None,
}
PEOPLE = patients(1500, seed=5)
TABLE = {name: column[:200] for name, column in PEOPLE.items()}
SHAPES = [
    {"recoding": "full_domain"},
    {"recoding": "full_domain", "suppression": 0.1},
    {"recoding": "local"},
    {"recoding": "local", "output": "sets"},
    {"recoding": "local", "output": "sets", "cuts": "strict"},
]


def stands_for(cell, value):
    """Whether a written cell may be this value; by another way than privkit's."""
    if cell == "*":
        return True
    if found := re.fullmatch(r"\{(.*)\}", str(cell)):
        return ("null" if value is None else str(value)) in found[1].split(", ")
    if cell is None or value is None:
        return cell is value
    if str(value) == str(cell) or CITIES.get(value) == cell:
        return True
    if found := re.fullmatch(r"(\d+)-(\d+)|\[(\d+), (\d+)\]", str(cell)):
        low, high = (int(number) for number in found.groups() if number)
        return isinstance(value, int) and low <= value <= high
    return False


def chances(out):
    """The records of each class over the people who could be in it."""
    rows = list(zip(*(out[name] for name in QUASI), strict=True))
    people = list(zip(*(PEOPLE[name] for name in QUASI), strict=True))
    found = []
    for row in set(rows):
        own = sum(all(map(stands_for, row, person)) for person in people)
        found.append(rows.count(row) / own)
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("more", [{}, {"l": 2, "sensitive": ["ill"]}, {"t": 0.5, "sensitive": ["ill"]}], ids=str)
@pytest.mark.parametrize("delta", [0.4, 0.16])
def test_every_recoding_holds_delta_beside_the_other_models(shape, more, delta):
    plan = Anonymiser(HIERARCHIES, k=3, delta=delta, **shape, **more).fit(TABLE, population=PEOPLE)
    out = plan.apply(TABLE)
    assert max(chances(out)) <= delta + 1e-9
    found = measure(out, QUASI, ["ill"], population=PEOPLE, hierarchies=plan.hierarchies)
    assert found.population.delta_max == pytest.approx(max(chances(out)))
    assert plan.report.delta == (found.population.delta_min, found.population.delta_max)
    assert found.k >= 3
    assert plan.report.k == found.k
    if "l" in more:
        assert found.l >= 2
    if "t" in more:
        assert plan.report.sensitive["ill"].t <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", SHAPES[2:4], ids=str)
def test_delta_is_what_changes_the_result(shape):
    """Without it some class is recognised; with one that holds anyhow nothing changes."""
    free = Anonymiser(HIERARCHIES, k=3, **shape).fit(TABLE)
    assert max(chances(free.apply(TABLE))) > 0.16
    loose = Anonymiser(HIERARCHIES, k=3, delta=1, **shape).fit(TABLE, population=PEOPLE)
    assert loose.apply(TABLE) == free.apply(TABLE)
    tight = Anonymiser(HIERARCHIES, k=3, delta=0.16, **shape).fit(TABLE, population=PEOPLE)
    assert tight.report.gcp > free.report.gcp


@pytest.mark.parametrize("more", [{}, {"l": 2, "sensitive": ["ill"]}, {"t": 0.3, "sensitive": ["ill"]}], ids=str)
@pytest.mark.parametrize("delta", [(0.02, 0.4), (0.1, 0.16), (0.13, 0.134)])
def test_nobody_is_surely_out(more, delta):
    """Everybody falls into one class, which has chances within the bounds, and less is lost than on whole levels."""
    asked = {"k": 3, "delta": delta, **more}
    plan = Anonymiser(HIERARCHIES, **asked).fit(TABLE, population=PEOPLE)
    out = plan.apply(TABLE)
    assert delta[0] - 1e-9 <= min(chances(out)) <= max(chances(out)) <= delta[1] + 1e-9
    rows = set(zip(*(out[name] for name in QUASI), strict=True))
    people = list(zip(*(PEOPLE[name] for name in QUASI), strict=True))
    assert all(sum(all(map(stands_for, row, person)) for row in rows) == 1 for person in people)
    assert plan.report.k >= 3
    assert (
        plan.report.gcp
        <= Anonymiser(HIERARCHIES, recoding="full_domain", **asked).fit(TABLE, population=PEOPLE).report.gcp + 1e-9
    )
    found = measure(out, QUASI, ["ill"], population=PEOPLE, hierarchies=plan.hierarchies)
    assert (found.population.delta_min, found.population.delta_max) == plan.report.delta
    if "l" in more:
        assert found.l >= 2
    if "t" in more:
        assert found.t <= 0.3 + 1e-9
    verify(plan, FrequencySet.of(out, QUASI, list(plan.sensitive)))


def test_full_domain_is_the_optimum_over_all_nodes():
    delta = (0.02, 0.19)
    plan = Anonymiser(HIERARCHIES, k=3, delta=delta, recoding="full_domain").fit(TABLE, population=PEOPLE)
    assert delta[0] <= plan.report.delta[0] <= plan.report.delta[1] <= delta[1]
    domains = FrequencySet.of(PEOPLE, QUASI).quasi
    ladders = [plan.hierarchies[domain.name].bind(domain, every=True) for domain in domains]
    known = FrequencySet.of(TABLE, QUASI).quasi
    losses = [plan.hierarchies[domain.name].bind(domain, every=True) for domain in known]
    best = 9.0
    for node in [(a, c, s) for a in range(6) for c in range(3) for s in range(ladders[2].height)]:
        written = {}
        for name, ladder, level in zip(QUASI, ladders, node, strict=True):
            texts = dict(zip([*ladder.domain.texts, None], ladder.groups[level].tolist(), strict=False))
            written[name] = [texts[None if value is None else str(value)] for value in PEOPLE[name]]
        everybody = list(zip(*written.values(), strict=True))
        rows = everybody[:200]
        shares = [rows.count(group) / everybody.count(group) for group in set(everybody)]
        if min(map(rows.count, set(rows))) >= 3 and all(delta[0] <= share <= delta[1] for share in shares):
            total = 0.0
            for name, ladder, level in zip(QUASI, losses, node, strict=True):
                codes = dict(zip([*ladder.domain.texts, None], range(ladder.domain.size), strict=False))
                for value in TABLE[name]:
                    code = codes[None if value is None else str(value)]
                    total += ladder.losses[level][ladder.groups[level][code]]
            best = min(best, total / 600)
    assert plan.report.gcp == pytest.approx(best)


def test_later_tables_are_held_against_the_people(tmp_path):
    plan = Anonymiser(HIERARCHIES, k=3, delta=0.3, recoding="full_domain").fit(TABLE, population=PEOPLE)
    later = {name: column[200:500] for name, column in PEOPLE.items()}
    assert plan.refit(later).report.delta[1] <= 0.3
    with pytest.raises(Unmet):
        plan.refit({name: column[:600] for name, column in PEOPLE.items()})
    plan.save(tmp_path / "plan.json")
    loaded = Plan.load(tmp_path / "plan.json")
    assert loaded.requirements.delta == (0.0, 0.3)
    assert loaded.report.delta is None
    with pytest.raises(InvalidParameter, match="no population is given"):
        loaded.apply(later)
    assert loaded.refit(later, population=PEOPLE).report.delta == plan.refit(later).report.delta


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_loaded_plan_is_held_against_the_people_again(shape, tmp_path):
    plan = Anonymiser(HIERARCHIES, k=3, delta=0.4, **shape).fit(TABLE, population=PEOPLE)
    path = tmp_path / "plan.json"
    plan.save(path)
    blind = Plan.load(path)
    assert blind.report.k == plan.report.k
    for applied in (lambda: blind.apply(TABLE), lambda: list(blind.apply_batches([TABLE]))):
        with pytest.raises(InvalidParameter, match="population"):
            applied()
    for people in (PEOPLE, FrequencySet.of(PEOPLE, QUASI)):
        seeing = Plan.load(path, population=people)
        assert seeing.apply(TABLE) == plan.apply(TABLE)
        assert seeing.report == plan.report
    fewer = {name: [*column[:200], *column[1400:]] for name, column in PEOPLE.items()}
    with pytest.raises(Unmet):
        Plan.load(path, population=fewer)
    Anonymiser(HIERARCHIES, k=3, **shape).fit(TABLE).save(path)
    with pytest.raises(InvalidParameter, match="asks no delta"):
        Plan.load(path, population=PEOPLE)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_written_is_held_against_the_people(shape):
    plan = Anonymiser(HIERARCHIES, k=3, delta=0.4, **shape).fit(TABLE, population=PEOPLE)
    written = FrequencySet.of(plan.apply(TABLE), QUASI)
    verify(plan, written)
    greatest = plan.report.delta[1]
    object.__setattr__(plan, "requirements", dataclasses.replace(plan.requirements, delta=(0.0, greatest - 0.01)))
    with pytest.raises(Unmet, match="people of the population have chances"):
        verify(plan, written)
    object.__setattr__(plan, "population", None)
    with pytest.raises(Unmet, match="its population is not known"):
        verify(plan, written)


def test_what_is_wrong_is_refused():
    for delta in (0, 1.5, -0.1, (0.5, 0.2), (0.1, 0.2, 0.3), "half", True, float("nan")):
        with pytest.raises(InvalidParameter, match="delta is"):
            Anonymiser(QUASI, k=2, delta=delta)
    with pytest.raises(InvalidParameter, match="needs output='labels'"):
        Anonymiser(QUASI, k=2, delta=(0.1, 0.5), output="sets")
    with pytest.raises(InvalidParameter, match="no population is given"):
        Anonymiser(QUASI, k=2, delta=0.5).fit(TABLE)
    with pytest.raises(InvalidParameter, match="no delta is asked"):
        Anonymiser(QUASI, k=2).fit(TABLE, population=PEOPLE)
    with pytest.raises(TableError, match="must hold all of its people"):
        Anonymiser(QUASI, k=2, delta=0.5).fit(PEOPLE, population=TABLE)
    with pytest.raises(Unmet, match=re.escape("200 of 1500 people are in the table")):
        Anonymiser(QUASI, k=2, delta=0.1).fit(TABLE, population=PEOPLE)
    with pytest.raises(InvalidParameter, match="counted over other columns"):
        Anonymiser(QUASI, k=2, delta=0.5).fit(TABLE, population=FrequencySet.of(PEOPLE, ["age"]))
    with pytest.raises(InvalidParameter, match="cast it to one type"):
        Anonymiser(QUASI, k=2, delta=0.5).fit(TABLE, population=PEOPLE | {"age": [str(age) for age in PEOPLE["age"]]})


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), min_size=12, max_size=40),
    st.integers(4, 9),
    st.sampled_from(["labels", "sets", "both bounds"]),
)
def test_any_table_that_can_is_held(people, rows, output):
    population = {"n": [n for n, _ in people], "c": [c for _, c in people]}
    table = {name: column[:rows] for name, column in population.items()}
    share, least = rows / len(people), 0.0
    delta = min(1.0, share + 0.05)
    if output == "both bounds":
        output, least = "labels", max(share - 0.3, share / 2)
    plan = Anonymiser(["n", "c"], k=2, delta=(least, delta), output=output).fit(table, population=population)
    assert least - 1e-9 <= plan.report.delta[0]
    assert plan.report.delta[1] <= delta + 1e-9
    found = measure(plan.apply(table), ["n", "c"], population=population, hierarchies=plan.hierarchies)
    assert found.population.delta_max == pytest.approx(plan.report.delta[1])


def test_progress_rises_to_the_end():
    seen = []
    Anonymiser(HIERARCHIES, k=3, delta=(0.02, 0.4)).fit(TABLE, population=PEOPLE, progress=seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(seen) > 5


@pytest.mark.parametrize("recoding", ["local", "full_domain"])
def test_a_value_that_is_also_the_label_of_its_group_is_written_as_the_group_under_a_least_chance(recoding):
    places = Hierarchy.of({"北京": ["北京", "北方"], "通州": ["北京", "北方"], "天津": ["天津", "北方"]})
    people = {"place": ["北京", "通州", "天津"] * 4}  # 北京 is read as 通州, too: as a value it is a chance of one half
    plan = Anonymiser({"place": places}, k=1, delta=(0.9, 1.0), recoding=recoding).fit(people, population=people)
    assert sorted(set(plan.apply(people)["place"])) == ["北京", "天津"]
    assert plan.report.delta == (1.0, 1.0)
