"""Every output is checked by a program that only reads it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymity import recode_check as check
from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, measure
from privkit.errors import InvalidParameter, InvalidValue, TableError, Unmet

HIERARCHIES = {
    "age": Hierarchy.intervals([5, 10, 20, 40]),
    "city": Hierarchy.ordering(CITIES, [2, 6]),
    "sex": None,
}

SHAPES = {
    "labels": {},
    "sets": {"output": "sets"},
    "thorough": {"output": "sets", "effort": "thorough"},
    "strict": {"output": "sets", "cuts": "strict"},
    "full_domain": {"recoding": "full_domain", "suppression": 0.1},
    "full_domain_whole": {"recoding": "full_domain"},
}

ASKED = {
    "k": {},
    "l": {"l": 3},
    "entropy": {"l": 2, "diversity": "entropy"},
    "recursive": {"l": 2, "diversity": "recursive", "c": 3.0},
    "t": {"t": 0.25},
    "t_equal": {"t": 0.3, "distance": "equal"},
    "l_and_t": {"l": 2, "t": 0.35},
}


def labels_of(table):
    """What the labels of HIERARCHIES stand for."""
    found = {"age": {}, "city": {}}
    for age in {age for age in table["age"] if age is not None}:
        for width in (5, 10, 20, 40):
            low = age // width * width
            found["age"].setdefault(f"{low}-{low + width - 1}", set()).add(age)
    there = set(table["city"]) - {None}
    for size in (2, 6):
        for start in range(0, 6, size):
            group = CITIES[start : start + size]
            found["city"][f"{group[0]}..{group[-1]}"] = set(group) & there
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("k", [2, 7])
def test_what_is_written_meets_what_is_asked(shape, asked, k):
    table = patients()
    sensitive = ["ill", "cost"] if asked == "l_and_t" else ["cost"] if asked == "t" else ["ill"]
    if not ASKED[asked]:
        sensitive = []
    plan = Anonymiser(HIERARCHIES, sensitive=sensitive, k=k, **ASKED[asked], **SHAPES[shape]).fit(table)
    out = plan.apply(table)
    report = plan.report
    kept = out["tag"]
    assert kept == sorted(kept)
    assert [table["ill"][row] for row in kept] == out["ill"]
    assert len(kept) == 300 - report.suppressed
    assert report.suppressed <= 300 * SHAPES[shape].get("suppression", 0)
    assert check.k_of(out, QUASI) == report.k >= k
    found = check.gcp_of(table, out, QUASI, kept, None if "sets" in str(SHAPES[shape]) else labels_of(table))
    assert report.gcp == pytest.approx(found, abs=1e-9)
    sizes = [len(rows) for rows in check.classes(out, QUASI).values()]
    assert report.classes == len(sizes)
    assert report.largest == max(sizes)
    assert report.discernibility == sum(size**2 for size in sizes) + report.suppressed * 300
    assert report.c_avg == pytest.approx(len(kept) / len(sizes) / k)
    for name in sensitive:
        reached = report.sensitive[name]
        assert check.distinct_of(out, QUASI, name) == reached.l
        assert check.entropy_of(out, QUASI, name) == pytest.approx(np.log(reached.entropy_l), abs=1e-9)
        ordered = name == "cost" and ASKED[asked].get("distance") != "equal"
        assert check.t_of(out, QUASI, name, table[name], ordered=ordered) == pytest.approx(reached.t, abs=1e-9)
        assert check.t_of(out, QUASI, name, ordered=ordered) == pytest.approx(reached.t_released, abs=1e-9)
        if "t" in ASKED[asked]:
            assert max(reached.t, reached.t_released) <= ASKED[asked]["t"] + 1e-9
        if ASKED[asked].get("diversity", "distinct") == "distinct":
            assert reached.l >= ASKED[asked].get("l", 1)
        elif asked == "entropy":
            assert reached.entropy_l >= 2 - 1e-9
        else:
            assert check.recursive_of(out, QUASI, name, 2) < 3.0


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 12)),
            st.one_of(st.none(), st.sampled_from("abcde")),
            st.sampled_from("xyz"),
        ),
        min_size=1,
        max_size=40,
    ),
    k=st.integers(1, 6),
    values=st.integers(1, 2),
    shape=st.sampled_from(sorted(SHAPES)),
)
def test_small_tables_of_any_kind(rows, k, values, shape):
    table = {"a": [row[0] for row in rows], "b": [row[1] for row in rows], "s": [row[2] for row in rows]}
    table["tag"] = list(range(len(rows)))
    hierarchies = {"a": Hierarchy.intervals([2, 4]), "b": Hierarchy.ordering("abcde", [2])}
    asked = {"sensitive": ["s"], "l": values} if values > 1 else {}
    anonymiser = Anonymiser(hierarchies, k=k, **asked, **SHAPES[shape])
    possible = len(rows) >= k and (values == 1 or len(set(table["s"])) >= values)
    if not any(a is not None for a in table["a"]) or not any(b is not None for b in table["b"]):
        with pytest.raises(TableError, match="null throughout"):
            anonymiser.fit(table)
    elif not possible:
        with pytest.raises(Unmet):
            anonymiser.fit(table)
    else:
        plan = anonymiser.fit(table)
        out = plan.apply(table)
        assert len(out["tag"]) == len(rows) - plan.report.suppressed
        if out["tag"]:
            assert check.k_of(out, ["a", "b"]) >= k
            assert check.distinct_of(out, ["a", "b"], "s") >= values


def test_another_program_measures_the_same():
    table = patients(nulls=False)
    plan = Anonymiser(HIERARCHIES, sensitive=["ill"], k=4, l=2).fit(table)
    found = measure(plan.apply(table), quasi_identifiers=QUASI, sensitive=["ill"])
    assert found.k == plan.report.k


@pytest.mark.parametrize("shape", SHAPES)
def test_results_do_not_change_from_run_to_run_or_with_the_order_of_rows(shape):
    table = patients()
    order = np.random.default_rng(5).permutation(300).tolist()
    other = {name: [column[row] for row in order] for name, column in table.items()}
    anonymiser = Anonymiser(HIERARCHIES, k=3, **SHAPES[shape])
    first, second = anonymiser.fit(table), anonymiser.fit(other)
    assert np.array_equal(first.recoding.labels, second.recoding.labels)
    assert first.recoding.texts == second.recoding.texts


def test_columns_that_nothing_happened_to_keep_their_type():
    table = {"age": [30, 30, 30, 41, 41, 41], "city": ["a", "b", "c", "a", "b", "c"]}
    plan = Anonymiser(["age", "city"], k=3, output="sets").fit(table)
    out = plan.apply(table)
    assert out == {"age": [30, 30, 30, 41, 41, 41], "city": ["*"] * 6}


def test_null_is_a_value_of_its_own():
    table = {"age": [None, None, None, 40, 41, 42], "sex": ["m"] * 6}
    out = Anonymiser(["age", "sex"], k=3, output="sets").fit(table).apply(table)
    assert out["age"] == [None, None, None, "[40, 42]", "[40, 42]", "[40, 42]"]


def test_weights_decide_which_column_stays():
    table = patients(nulls=False)
    plain = Anonymiser(HIERARCHIES, k=4, recoding="full_domain", suppression=0.1).fit(table).report.losses
    ages = (
        Anonymiser(HIERARCHIES, k=4, recoding="full_domain", suppression=0.1, weights={"age": 50.0})
        .fit(table)
        .report.losses
    )
    assert ages["age"] < plain["age"]
    assert ages["city"] > plain["city"]


def test_progress_rises_to_one():
    for shape in SHAPES.values():
        shares = []
        Anonymiser(HIERARCHIES, k=3, **shape).fit(patients(), progress=shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_a_frequency_set_fits_like_its_table():
    table = patients()
    anonymiser = Anonymiser(HIERARCHIES, k=3)
    plan = anonymiser.fit(FrequencySet.of(table, QUASI))
    assert plan.apply(table) == anonymiser.fit(table).apply(table)
    with pytest.raises(InvalidParameter, match="other columns"):
        anonymiser.fit(FrequencySet.of(table, ["age"]))


def test_many_quasi_identifiers():
    rng = np.random.default_rng(2)
    table = {f"q{n}": rng.integers(0, 6, 200).tolist() for n in range(16)}
    for output in ("labels", "sets"):
        out = Anonymiser(list(table), k=5, output=output).fit(table).apply(table)
        assert check.k_of(out, list(table)) >= 5
    with pytest.raises(InvalidParameter, match="combinations of levels"):
        Anonymiser(list(table), k=5, recoding="full_domain").fit(table)


def test_sets_of_more_values_than_a_word_has_bits():
    rng = np.random.default_rng(3)
    values = [f"v{n:03d}" for n in range(500)]
    for width in (100, 500):
        table = {"a": [values[n] for n in rng.integers(0, width, 600)], "b": rng.integers(0, 3, 600).tolist()}
        plan = Anonymiser(["a", "b"], k=4, output="sets").fit(table)
        assert check.k_of(plan.apply(table), ["a", "b"]) >= 4
        assert plan.report.gcp < 0.05


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 0}, "k is 0; it must be a whole number from 1"),
        ({"k": 2.5}, "k is 2.5"),
        ({"l": 2}, "none is named"),
        ({"sensitive": ["ill"]}, "neither l nor t"),
        ({"sensitive": ["age"], "l": 2}, "both a quasi-identifier and sensitive"),
        ({"sensitive": ["ill"], "t": 1.5}, "t is 1.5"),
        ({"sensitive": ["ill"], "l": 2, "diversity": "entrpy"}, "did you mean 'entropy'"),
        ({"recoding": "global"}, "no recoding 'global'"),
        ({"recoding": "full_domain", "output": "sets"}, "full-domain recoding writes labels"),
        ({"suppression": 1.0}, "suppression is 1.0"),
        ({"weights": {"agee": 2}}, "no quasi-identifier"),
        ({"weights": {"age": 0}}, "not above 0"),
        ({"quasi_identifiers": []}, "no quasi-identifiers"),
        ({"quasi_identifiers": "age"}, "one text"),
        ({"quasi_identifiers": ["age", "age"]}, "twice"),
        ({"quasi_identifiers": [["age"]]}, "names of columns, as text"),
        ({"quasi_identifiers": {"age": "age.csv"}}, "Hierarchy or None"),
    ],
)
def test_parameters_are_checked_once(changes, message):
    with pytest.raises(InvalidParameter, match=message):
        Anonymiser(**({"quasi_identifiers": QUASI, "k": 2} | changes))


@pytest.mark.parametrize(
    ("changes", "asked", "error", "message"),
    [
        ({}, {"k": 301}, Unmet, r"smaller than k \(300 < 301\)"),
        ({}, {"l": 5}, Unmet, r"fewer distinct values than l \(4 < 5\)"),
        ({}, {"l": 4, "diversity": "entropy"}, Unmet, "even in the whole table"),
        ({"age": [None] * 300}, {}, TableError, "null throughout"),
        ({"age": [1.5, float("nan")] + [2.0] * 298}, {}, InvalidValue, "'age'.* at row 1: NaN"),
        ({"age": [1, "x"] + [2] * 298}, {}, InvalidParameter, "row 1 is a str"),
        ({"city": ["北京"] * 300}, {}, InvalidParameter, "1 of 1 on level 'groups of 2', 1 of 1 on level"),
        ({"city": [b"x"] * 300}, {}, InvalidParameter, "bytes"),
    ],
)
def test_tables_that_cannot_be(changes, asked, error, message):
    table = patients() | changes
    asked = {"k": 2} | asked
    sensitive = ["ill"] if "l" in asked else []
    with pytest.raises(error, match=message) as caught:
        Anonymiser(HIERARCHIES, sensitive=sensitive, **asked).fit(table)
    assert "北京" not in str(caught.value)


def test_a_missing_column_and_an_empty_table():
    with pytest.raises(TableError, match="no column 'age'"):
        Anonymiser(QUASI, k=2).fit({"city": ["a"]})
    with pytest.raises(TableError, match="empty"):
        Anonymiser(QUASI, k=2).fit({"age": [], "city": [], "sex": []})
    with pytest.raises(TableError, match="empty"):
        Anonymiser(QUASI, k=2).fit_batches([])
