"""Risk from three attackers, populations, estimates of uniqueness, and the level of GB/T 42460-2023."""

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb, exp, lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, measure
from privkit.anonymity.measuring.gbt42460 import grade
from privkit.anonymity.measuring.risk import attacks, expected_reciprocal
from privkit.anonymity.measuring.uniqueness import _log_gamma, estimate_uniqueness, pitman, snb, zayatz
from privkit.errors import InvalidParameter, TableError

CITIES = {"hz": ["zj"], "nb": ["zj"], "sh": ["sh"]}
AGES = Hierarchy.intervals([10, 20])


# --- three attackers ------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 90)), min_size=1, max_size=20), st.sampled_from([0.05, 0.2])
)
def test_attackers_by_the_record(pairs, threshold):
    sizes, people = np.array(pairs).T
    found = attacks(sizes, threshold, population=people)
    records = [(f, max(F, 1)) for f, F in pairs for _ in range(f)]
    assert found.prosecutor.highest == 1 / min(f for f, _ in records)
    assert found.prosecutor.average == pytest.approx(sum(1 / f for f, _ in records) / len(records))
    assert found.prosecutor.at_risk == sum(f < round(1 / threshold) for f, _ in records)
    assert found.journalist.highest == 1 / min(F for _, F in records)
    assert found.journalist.average == pytest.approx(sum(1 / F for _, F in records) / len(records))
    assert found.journalist.at_risk == sum(people < round(1 / threshold) for _, people in records)
    assert found.marketer.average == pytest.approx(sum(1 / max(f, F) for f, F in records) / len(records))
    assert found.marketer.at_risk is None


def test_without_a_population_the_table_is_taken_for_it():
    found = attacks(np.array([2, 8]), 0.2)
    assert found.journalist == found.prosecutor
    assert (found.marketer.average, found.basis) == (0.2, "table")


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.49, 0.51, 0.9, 0.999])
@pytest.mark.parametrize("size", [1, 2, 7, 63, 64, 65, 200])
def test_the_expected_reciprocal_is_that_of_the_negative_binomial(size, fraction):
    # Its probabilities one after the other, far into the tail: P(F = h) = C(h-1, f-1) p^f (1-p)^(h-f).
    many = np.arange(size, size + int((size + 40 * size**0.5 + 60) / fraction))
    steps = np.log(many[:-1] / (many[:-1] - size + 1) * (1 - fraction))
    chances = np.exp(size * np.log(fraction) + np.concatenate([[0.0], np.cumsum(steps)]))
    assert chances.sum() == pytest.approx(1)
    assert expected_reciprocal(np.array([size]), fraction)[0] == pytest.approx((chances / many).sum(), rel=1e-9)


# --- a population ---------------------------------------------------------------------------------------------------

people = st.lists(
    st.tuples(st.sampled_from([None, 21, 25, 34, 47]), st.sampled_from(["hz", "nb", "sh", None])),
    min_size=3,
    max_size=25,
)


def labels_of(age, city):
    """Every label that a person's attributes have, by level, as the hierarchies above give them."""
    rows = [[None, None, None, "*"]] if age is None else []
    if age is not None:
        ten, twenty = age // 10 * 10, age // 20 * 20
        rows = [[str(age), f"{ten}-{ten + 9}", f"{twenty}-{twenty + 19}", "*"]]
    rows.append([city, *CITIES.get(city, [None]), "*"])
    return rows


@settings(deadline=None, max_examples=80)
@given(people, st.data())
def test_people_fall_into_the_classes_whose_labels_are_theirs(population, data):
    chosen = data.draw(st.lists(st.integers(0, len(population) - 1), min_size=1, max_size=6, unique=True))
    released = []
    for row in chosen:
        ladders = labels_of(*population[row])
        released.append([data.draw(st.sampled_from(ladder)) for ladder in ladders])
    table = dict(zip(("age", "city"), map(list, zip(*released, strict=True)), strict=True))
    register = dict(zip(("age", "city"), map(list, zip(*population, strict=True)), strict=True))
    found = measure(
        table, ["age", "city"], population=register, hierarchies={"age": AGES, "city": Hierarchy.of(CITIES)}
    )

    def falls(person, labels):
        # A label stands for the highest level that has it: `sh` is a province here, whoever lives in it.
        return all(label in ladder for label, ladder in zip(labels, labels_of(*person), strict=True))

    counts = Counter(map(tuple, released))
    in_class = {labels: sum(falls(person, labels) for person in population) for labels in counts}
    assert found.population.size == len(population)
    assert found.population.k_map == min(in_class.values())
    assert found.population.unknown == sum(in_class[labels] < size for labels, size in counts.items())
    chances = [min(size / in_class[labels], 1) for labels, size in counts.items()]
    assert found.population.delta_max == max(chances)
    everybody = all(any(falls(person, labels) for labels in counts) for person in population)
    assert found.population.delta_min == (min(chances) if everybody else 0)


def test_a_population_matches_by_canonical_text():
    register = FrequencySet.of({"age": [30, 30, 31, 40]}, ["age"])
    found = measure({"age": ["30", "31"]}, ["age"], population=register)
    assert (found.population.k_map, found.population.delta_min, found.population.delta_max) == (1, 0, 1)
    assert (found.risk.journalist.average, found.risk.basis) == (0.75, "population")
    assert found.uniqueness is None


def test_a_register_that_does_not_know_a_class_says_so():
    found = measure({"age": [30, 50]}, ["age"], population={"age": [30, 31, 32]})
    assert (found.population.k_map, found.population.unknown, found.population.delta_max) == (0, 1, 1)
    assert found.risk.journalist.highest == 1


@pytest.mark.parametrize("recoding", ["local", "full_domain"])
def test_labels_that_an_anonymiser_gave_are_understood(recoding):
    random = np.random.default_rng(5)
    original = {
        "age": random.integers(18, 80, 200).tolist(),
        "city": random.choice(["hz", "nb", "sh"], 200).tolist(),
        "ill": random.choice(["flu", "gout", "ulcer"], 200).tolist(),
    }
    ladders = {"age": AGES, "city": Hierarchy.of(CITIES)}
    plan = Anonymiser(quasi_identifiers=ladders, sensitive=["ill"], k=5, l=2, recoding=recoding).fit(original)
    found = measure(plan.apply(original), ["age", "city"], ["ill"], population=original, hierarchies=ladders)
    assert (found.k, found.classes) == (plan.report.k, plan.report.classes)
    assert found.k >= 5
    assert found.l >= 2
    assert found.population.k_map >= 5
    assert found.population.unknown == 0


def test_a_hierarchy_has_to_cover_the_population():
    register = {"city": ["hz", "nowhere"]}
    with pytest.raises(InvalidParameter, match="does not cover values of the data: 1 of 2"):
        measure({"city": ["zj"]}, ["city"], population=register, hierarchies={"city": Hierarchy.of(CITIES)})


def test_an_empty_population_is_refused():
    with pytest.raises(TableError, match="the population has no rows"):
        measure({"city": ["zj"]}, ["city"], population={"city": []})


def test_a_population_as_large_as_the_table_is_the_table():
    found = measure({"age": [1, 1, 2]}, ["age"], population_size=3)
    assert found.risk.journalist == found.risk.prosecutor
    assert (found.population.k_map, found.uniqueness.uniques) == (1, {"counted": 1.0})


def test_a_size_gives_expectations_only():
    found = measure({"age": [1, 1, 2, 2, 2]}, ["age"], population_size=50)
    assert (found.population.k_map, found.population.counted) == (20, False)
    assert (found.population.delta_min, found.population.delta_max, found.population.unknown) == (None, None, None)
    assert found.risk.basis == "size"
    assert found.risk.journalist.highest < found.risk.prosecutor.highest


# --- uniqueness -----------------------------------------------------------------------------------------------------


def test_the_logarithm_of_gamma():
    numbers = np.array([1e-3, 0.5, 1, 2, 3.3, 9.99, 10, 10.01, 50, 1e5, 1e10])
    np.testing.assert_allclose(_log_gamma(numbers), [lgamma(number) for number in numbers], rtol=1e-13, atol=1e-13)


def test_zayatz_by_binomial_coefficients():
    sizes, population = np.array([1, 1, 1, 2, 2, 5]), 40
    n = int(sizes.sum())

    def chance(j):
        return Fraction(j * comb(population - j, n - 1), comb(population, n))

    share = {j: Fraction(count, 6) for j, count in Counter(sizes.tolist()).items()}
    single = share[1] * chance(1) / sum(share[j] * chance(j) for j in share)
    assert zayatz(sizes, population) == pytest.approx(float(3 * single * population / n))


def sampled(sizes, fraction, seed):
    drawn = np.random.default_rng(seed).binomial(sizes, fraction)
    return drawn[drawn > 0]


@pytest.mark.parametrize("fraction", [0.2, 0.5])
@pytest.mark.parametrize(("shape", "stay"), [(0.5, 0.1), (2.0, 0.3), (0.1, 0.01)])
def test_snb_finds_the_uniques_of_its_own_model(shape, stay, fraction):
    population = 1 + np.random.default_rng(7).negative_binomial(shape, stay, 20_000)
    uniques = int(np.count_nonzero(population == 1))
    found = snb(sampled(population, fraction, 8), int(population.sum()))
    assert found == pytest.approx(uniques, rel=0.15)


def partition(theta, alpha, people, seed):
    """Class sizes by Pitman's formula: each person opens a class or joins one, one after the other."""
    random = np.random.default_rng(seed)
    sizes, member = [], []
    for person in range(people):
        if random.random() * (theta + person) < theta + alpha * len(sizes):
            member.append(len(sizes))
            sizes.append(1)
            continue
        other = member[random.integers(person)]
        while random.random() < alpha / sizes[other]:  # a class weighs its members less alpha
            other = member[random.integers(person)]
        member.append(other)
        sizes[other] += 1
    return np.array(sizes)


@pytest.mark.parametrize("fraction", [0.05, 0.5])
@pytest.mark.parametrize(("theta", "alpha"), [(100.0, 0.5), (10.0, 0.8)])
def test_pitman_finds_the_uniques_of_its_own_model(theta, alpha, fraction):
    population = partition(theta, alpha, 8_000, seed=3)
    uniques = int(np.count_nonzero(population == 1))
    assert pitman(sampled(population, fraction, 4), 8_000) == pytest.approx(uniques, rel=0.2)


def test_pitmans_expectation_by_enumeration():
    # The whole population of three, by the formula: everybody alone, one apart from two, all together.
    theta, alpha = 1.5, 0.4
    weights = {}
    for second, third in product((True, False), repeat=2):
        sizes, weight = [1], 1.0
        for opens, people in ((second, 1), (third, 2)):
            places = [(theta + alpha * len(sizes), None)] if opens else [(f - alpha, i) for i, f in enumerate(sizes)]
            weight *= sum(share for share, _ in places) / (theta + people)
            if opens:
                sizes.append(1)
            else:
                sizes[max(places)[1]] += 1
        weights[second, third] = (weight, tuple(sizes))
    assert sum(weight for weight, _ in weights.values()) == pytest.approx(1)
    expected = sum(weight * sizes.count(1) for weight, sizes in weights.values())
    formula = 3 * exp(lgamma(theta + 1) + lgamma(theta + alpha + 2) - lgamma(theta + alpha) - lgamma(theta + 3))
    assert formula == pytest.approx(expected)


def test_the_rule_chooses():
    sizes = np.repeat([1, 2, 5, 20], [300, 100, 40, 20])
    records = int(sizes.sum())
    assert estimate_uniqueness(sizes, 20 * records).chosen == "pitman"
    found = estimate_uniqueness(sizes, 2 * records)
    assert found.chosen == min(("zayatz", "snb"), key=found.uniques.__getitem__)
    assert found.share == found.uniques[found.chosen] / (2 * records)


def test_nothing_is_estimated_where_the_table_is_everybody_or_nobody_is_alone():
    assert estimate_uniqueness(np.array([1, 1, 3]), 5).uniques == {"counted": 2.0}
    found = estimate_uniqueness(np.array([2, 3]), 500)
    assert (found.uniques, found.chosen, found.share) == ({"counted": 0.0}, "", 0.0)


def test_one_class_of_one_record_is_estimated_without_warnings():
    found = estimate_uniqueness(np.array([1]), 1000)
    assert set(found.uniques) >= {"zayatz"}
    assert all(0 <= uniques <= 1000 for uniques in found.uniques.values())


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 10_000))
def test_estimates_are_numbers_of_people(sizes, more):
    whole = sum(sizes) + more
    found = estimate_uniqueness(np.array(sizes), whole)
    assert all(0 <= uniques <= whole * (1 + 1e-9) for uniques in found.uniques.values())


# --- the level ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "k", "level"),
    [
        ("public", 19, 2),
        ("public", 20, 3),
        ("controlled", 4, 2),
        ("controlled", 5, 3),
        ("enclave", 2, 2),
        ("enclave", 3, 3),
    ],
)
def test_thresholds(release, k, level):
    found = grade(release=release, k=k, quasi_identifiers=["age"])
    assert (found.level, found.risk, found.needed_k) == (
        level,
        Fraction(1, k),
        {"public": 20, "controlled": 5, "enclave": 3}[release],
    )
    assert grade(release=release, k=k, quasi_identifiers=["age"], identifiers=["phone"]).level == 1


def test_no_identifiers_at_all_is_level_4():
    found = grade(release="public")
    assert (found.level, found.risk) == (4, None)


def test_a_grade_needs_k():
    with pytest.raises(InvalidParameter, match="needs k"):
        grade(release="public", quasi_identifiers=["age"])


def test_measuring_grades_with_what_was_declared():
    table = {"age": [1] * 20, "phone": ["x"] * 20}
    assert measure(table, ["age"]).grade.level == 3
    found = measure(table, ["age"], identifiers=["phone"]).grade
    assert (found.level, found.identifiers, found.release) == (1, ("phone",), "public")


@pytest.mark.parametrize("size", [float("nan"), 5.5, True, "9"])
def test_a_size_is_a_whole_number(size):
    with pytest.raises(InvalidParameter, match="whole number"):
        measure({"age": [1, 2]}, ["age"], population_size=size)
