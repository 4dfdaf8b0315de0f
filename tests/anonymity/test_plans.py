"""Plans: applied to every kind of table and to streams, saved, loaded, refitted, and refused."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from anonymity import recode_check as check
from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import Anonymiser, FrequencySet, Hierarchy, Plan, measure
from privkit.anonymity import plan as plans
from privkit.anonymity.counting import frequency
from privkit.columns import lift
from privkit.errors import InvalidParameter, InvalidValue, TableError, Unmet

HIERARCHIES = {"age": Hierarchy.intervals([5, 20]), "city": Hierarchy.ordering(CITIES, [2]), "sex": None}
SHAPES = {
    "labels": {},
    "sets": {"output": "sets", "sensitive": ["ill"], "l": 2},
    "full_domain": {"recoding": "full_domain", "suppression": 0.1, "sensitive": ["ill"], "l": 2},
}


def fitted(shape, table, k=3):
    return Anonymiser(HIERARCHIES, k=k, **SHAPES[shape]).fit(table)


def rows_of(table):
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


CONTAINERS = {
    "columns": (lambda table: table, lambda out: out),
    "rows": (rows_of, lambda out: {name: [row[name] for row in out] for name in out[0]}),
    "arrow": (pa.table, lambda out: out.to_pydict()),
    "batch": (pa.RecordBatch.from_pydict, lambda out: out.to_pydict()),
    "polars": (pl.DataFrame, lambda out: out.to_dict(as_series=False)),
    "pandas": (
        lambda table: pa.table(table).to_pandas(types_mapper=pd.ArrowDtype),
        lambda out: pa.Table.from_pandas(out, preserve_index=False).to_pydict(),
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_from_every_container(shape, container):
    table = patients()
    make, unmake = CONTAINERS[container]
    made = make(table)
    plan = fitted(shape, made)
    out = plan.apply(made)
    assert type(out) is type(made)
    assert unmake(out) == fitted(shape, table).apply(table)
    assert unmake(make(table)) == table


ZEROS = {
    "a list": list,
    "NumPy": np.array,
    "pandas": lambda values: pd.Series(values, dtype="float32"),
    "Arrow": lambda values: pa.chunked_array([pa.array(values[:3], pa.float32()), pa.array(values[3:], pa.float32())]),
    "Polars": lambda values: pl.Series("zero", values),
}


@pytest.mark.parametrize("made", ZEROS.values(), ids=ZEROS)
def test_both_zeros_are_written_as_one(made):
    """They are one number, so that they are one class: also for those who read their text."""
    values = [0.0, -0.0, 1.5, 1.5, 0.0, -0.0]
    table = {"zero": made(values), "own": made([-0.0] * 6)}
    assert measure(table, ["zero"]).k == 2
    out = Anonymiser(["zero"], k=2).fit(table).apply(table)
    assert type(out["zero"]) is type(table["zero"])
    assert getattr(out["zero"], "dtype", None) == getattr(table["zero"], "dtype", None)
    written = lift(out["zero"]).values.tolist()
    assert list(map(str, written)) == ["0.0", "0.0", "1.5", "1.5", "0.0", "0.0"]
    assert out["own"] is table["own"]


@pytest.mark.parametrize("shape", SHAPES)
def test_streams_write_what_tables_do(shape):
    table = patients()
    plan = fitted(shape, table)
    slices = [slice(0, 70), slice(70, 71), slice(71, 71), slice(71, 300)]
    batches = [{name: column[part] for name, column in table.items()} for part in slices]
    streamed = Anonymiser(HIERARCHIES, k=3, **SHAPES[shape]).fit_batches(batches)
    assert streamed.report == plan.report
    out = list(plan.apply_batches(batches))
    assert {name: [cell for batch in out for cell in batch[name]] for name in table} == plan.apply(table)


@pytest.mark.parametrize("shape", SHAPES)
def test_large_tables_are_written_in_parts(shape, monkeypatch):
    table = pa.table(patients())
    plan = fitted(shape, table)
    whole = plan.apply(table)
    other = table.slice(0, 299)  # one record is missing
    later = pa.concat_tables([table, table.slice(7, 3)])  # three are too many
    refusals = []
    for rows in (1 << 20, 50):
        monkeypatch.setattr(frequency, "PART", rows)
        monkeypatch.setattr(plans, "PART", rows)
        assert fitted(shape, table).apply(table).to_pydict() == whole.to_pydict()
        if shape != "full_domain":  # which takes later tables
            for refused in (other, later):
                with pytest.raises(TableError) as caught:
                    plan.apply(refused)
                refusals.append(str(caught.value))
        with pytest.raises(InvalidValue) as bad:
            FrequencySet.of(pa.table({"a": [1.0] * 60 + [np.nan] * 60}), ["a"])
        refusals.append((bad.value.rows, bad.value.count))
    assert refusals[: len(refusals) // 2] == refusals[len(refusals) // 2 :]


def test_rows_of_a_batch_that_is_suppressed_wholly():
    batches = [[{"age": 30}] * 3, [{"age": 70}], []]
    plan = Anonymiser({"age": Hierarchy.intervals([5])}, k=2, recoding="full_domain", suppression=0.3).fit(
        [*batches[0], *batches[1]]
    )
    assert list(plan.apply_batches(batches)) == [[{"age": 30}] * 3, [], []]
    again = Anonymiser({"age": None}, k=2).fit_batches(batches[::2])
    assert again.report.records == 3
    with pytest.raises(TableError, match="the table is empty"):
        Anonymiser({"age": None}, k=2).fit([])


def test_equal_records_of_several_classes_are_shared_out_across_batches():
    table = patients(rows=900)
    plan = Anonymiser(QUASI, k=12, output="sets").fit(table)
    assert len(plan.recoding.cells) > len(plan.frequency.counts)  # some are in several classes
    halves = [{name: column[part] for name, column in table.items()} for part in (slice(0, 450), slice(450, 900))]
    out = list(plan.apply_batches(halves))
    whole = {name: [*out[0][name], *out[1][name]] for name in table}
    assert check.k_of(whole, QUASI) == plan.report.k


@pytest.mark.parametrize("shape", SHAPES)
def test_saved_and_loaded(shape, tmp_path):
    table = patients()
    plan = fitted(shape, table)
    plan.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json")
    assert again.report == plan.report
    assert again.generalisations == plan.generalisations
    assert again.apply(table) == plan.apply(table)
    assert json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["report"]["k"] == plan.report.k


def test_damaged_plans(tmp_path):
    path = tmp_path / "plan.json"
    fitted("labels", patients()).save(path)
    good = json.loads(path.read_text(encoding="utf-8"))
    path.write_text("[]")
    with pytest.raises(TableError, match="damaged"):
        Plan.load(path)
    for key, value in [
        ("format", "x"),
        ("domains", [1]),
        ("quasi", 2),
        ("texts", [["x"]] * 3),
        ("requirements", {"q": 1}),
        ("plain", []),
        ("plain", [True] * 3),  # would write what the table had
    ]:
        path.write_text(json.dumps(good | {key: value}))
        with pytest.raises(TableError):
            Plan.load(path)
    for name, other in [("cells", "counts"), ("labels", "codes"), ("codes", "loss 0")]:
        path.write_text(json.dumps(good | {"arrays": good["arrays"] | {name: good["arrays"][other]}}))
        with pytest.raises(TableError):
            Plan.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"recoding": None},
        {"recoding": "local", "output": "x"},
        {"output": "sets"},
        {"levels": []},
        {"levels": ["by 5", "x", "value"]},
        {"hierarchies": {}},
        {"sensitive": {}},
    ],
)
def test_damaged_shapes(change, tmp_path):
    path = tmp_path / "plan.json"
    good = json.loads(fitted("full_domain", patients()).dumps())
    path.write_text(json.dumps(good | change))
    with pytest.raises(TableError, match="damaged"):
        Plan.load(path)


def test_a_plan_that_does_not_meet_what_it_says(tmp_path):
    path = tmp_path / "plan.json"
    fitted("labels", patients()).save(path)
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["requirements"]["k"] = 30
    path.write_text(json.dumps(plan))
    with pytest.raises(Unmet):
        Plan.load(path)


def test_a_full_domain_plan_takes_later_tables():
    plan = fitted("full_domain", patients())
    later = patients(rows=500, seed=9)
    out = plan.apply(later)
    levels = {name: HIERARCHIES[name] for name in ("age", "city")}
    assert check.k_of(out, QUASI) >= 3
    assert check.distinct_of(out, QUASI, "ill") >= 2
    again = plan.refit(later)
    assert again.generalisations == plan.generalisations
    assert again.report.suppressed == 500 - len(out["tag"])
    for name, hierarchy in levels.items():
        assert plan.generalisations[name] in hierarchy.levels


def test_later_tables_that_no_longer_meet_the_models():
    plan = Anonymiser(HIERARCHIES, k=3, recoding="full_domain").fit(patients(nulls=False))
    with pytest.raises(Unmet, match=r"\d+ of 20 records do not meet the models"):
        plan.apply(patients(rows=20, nulls=False))
    with pytest.raises(Unmet, match="smaller than k"):
        plan.apply(patients(rows=2, nulls=False))


def test_a_level_keeps_its_labels_in_later_tables():
    table = {"age": [31, 32, 36, 37] * 3}
    plan = Anonymiser({"age": Hierarchy.intervals([5, 10])}, k=6, recoding="full_domain").fit(table)
    assert plan.generalisations == {"age": "by 5"}
    assert plan.apply({"age": [41] * 6})["age"] == ["40-44"] * 6


def test_a_local_plan_is_of_its_table():
    table = patients()
    plan = fitted("labels", table)
    with pytest.raises(InvalidParameter, match="local plan"):
        plan.refit(table)
    for other, message in [
        ({**table, "age": [*table["age"][:-1], 777]}, "1 rows have a value in column 'age'"),
        ({**table, "city": [*table["city"][:-1], "北京"]}, "1 rows have a value in column 'city'"),
        ({name: [*column, column[0]] for name, column in table.items()}, "1 rows have a combination .* more often"),
        ({name: column[1:] for name, column in table.items()}, "1 of 300 records .* did not come"),
        ({**table, "age": [age and str(age) for age in table["age"]]}, "'age' is text, and was integer"),
    ]:
        with pytest.raises(TableError, match=message) as caught:
            plan.apply(other)
        assert "北京" not in str(caught.value)


def test_combinations_that_are_not_there():
    table = {"a": [1, 1, 2, 2], "b": [1, 1, 2, 2]}
    plan = Anonymiser(["a", "b"], k=2, output="sets").fit(table)
    with pytest.raises(TableError, match="2 rows have a combination of values"):
        plan.apply({"a": [1, 1, 2, 2], "b": [1, 1, 1, 1]})


def test_keys_of_more_than_64_bits():
    table = {f"q{n}": [row * 7919 % 997 + n for row in range(997)] for n in range(8)}
    plan = Anonymiser(list(table), k=2, output="sets").fit(table)
    assert check.k_of(plan.apply(table), list(table)) >= 2
    strange = {name: [column[1] if name == "q0" else column[0], *column[1:]] for name, column in table.items()}
    with pytest.raises(TableError, match="1 rows have a combination"):
        plan.apply(strange)


def test_why_records_are_suppressed():
    table = {"age": [30] * 5 + [31] * 5 + [40], "ill": ["a"] * 5 + ["a", "b", "a", "b", "a", "b"]}
    hierarchies = {"age": Hierarchy.of({"30": [], "31": [], "40": []})}
    anonymiser = Anonymiser(hierarchies, sensitive=["ill"], k=2, l=2, recoding="full_domain", suppression=0.6)
    plan = anonymiser.fit(table)
    assert plan.report.reasons == {"smaller than k": 1, "not diverse or close enough": 5}
    assert plan.apply(table)["age"] == [31] * 5
    assert plan.report.precision == pytest.approx(1 - 6 / 11)


def test_reprs_hold_no_values():
    plan = fitted("labels", patients())
    assert repr(plan) == "<Plan local labels, k=3, 300 records>"
    assert "杭州" not in repr(plan.frequency) + repr(plan.frequency.quasi) + repr(plan.report)
