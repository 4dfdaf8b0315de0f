"""`privkit risk`: what it prints, what it writes, and what it refuses."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SURVEY = """\
age,city,name,illness,income
30,hz,secret-a,flu,900
30,hz,secret-b,gout,1000
41,sh,secret-c,flu,1000
41,sh,secret-d,flu,12000
,sh,secret-e,asthma,1000
"""
SECRETS = ("secret-", "flu", "gout", "asthma", "12000")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "survey.csv").write_text(SURVEY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_a_measurement(folder, run):
    ran = run("risk", "survey.csv", "--quasi", "age,city", "--sensitive", "illness", "--release", "enclave")
    assert (ran.status, ran.err) == (0, "")
    assert "survey.csv: 5 records in 3 classes, k = 1" in ran.out
    assert "level 2" in ran.out
    assert "declared: enclave release (threshold 1/3), quasi-identifiers age, city" in ran.out
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line.strip()}
    assert rows["prosecutor"] == ["1", "0.6", "5", "(100.0%)"]
    assert "the threshold asks for 3 records in every class" in ran.out
    assert rows["age"] == ["3", "2", "0", "(0.0%)", "2", "(40.0%)"]
    assert rows["city"] == ["2", "1", "1", "(20.0%)", "5", "(100.0%)"]
    assert rows["illness"] == ["3", "1", "1.00", "inf", "0.800", "equal", "3", "(60.0%)"]
    assert not any(value in ran.out for value in SECRETS)
    assert [path.name for path in folder.iterdir()] == ["survey.csv"]


def test_it_writes_json_and_a_page(folder, run):
    ran = run(
        "risk", "survey.csv", "--quasi", "age,city", "--sensitive", "illness,income", "--identifiers", "name",
        "--distance", "income=ordered", "--population-size", "100", "--json", "m.json", "--html", "m.html",
        "--language", "zh",
    )  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    told = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    assert told["declared"]["identifiers"] == ["name"]
    assert told["computed"]["gbt_42460_2023"]["level"] == 1
    assert [one["column"] for one in told["computed"]["quasi"]] == ["age", "city"]
    assert dt.date.fromisoformat(told["measured"]) >= dt.date(2026, 1, 1)
    income = told["computed"]["sensitive"][1]
    assert (income["distance"], income["t"]) == ("ordered", pytest.approx(0.25))  # 900, 1000, 12000, by number
    page = (folder / "m.html").read_text(encoding="utf-8")
    assert "1 级" in page
    assert f"survey.csv, {told['measured']}, privkit {told['privkit']}" in page
    written = (folder / "m.json").read_text(encoding="utf-8") + page + ran.out
    assert not any(value in written for value in SECRETS)


def test_parquet_and_a_population(folder, run):
    pq.write_table(pa.table({"age": [30, 30, 41], "city": ["hz", "hz", "zj"]}), folder / "t.parquet")
    pq.write_table(
        pa.table({"age": [30] * 6 + [41] * 4, "city": ["hz"] * 6 + ["nb", "hz", "hz", "sh"]}), folder / "all.parquet"
    )
    (folder / "city.csv").write_text("hz;zj;*\nnb;zj;*\nsh;sh;*\n")
    ran = run(
        "risk", "t.parquet", "--quasi", "age,city", "--population", "all.parquet", "--hierarchy", "city=city.csv",
        "--json", "m.json", "--quiet",
    )  # fmt: skip
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    told = json.loads((folder / "m.json").read_text())["computed"]["population"]
    assert told == {
        "size": 10, "k_map": 3, "delta_min": 0, "delta_max": pytest.approx(1 / 3), "unknown": 0, "counted": True,
    }  # fmt: skip


def test_a_population_is_printed(folder, run):
    counted = run("risk", "survey.csv", "--quasi", "age", "--population", "survey.csv")
    assert "population of 5: k-map 1, delta-presence from 1 to 1, 0 classes" in counted.out
    declared = run("risk", "survey.csv", "--quasi", "age", "--population-size", "50")
    assert "population of 50 (declared): expected k-map 10.0" in declared.out
    assert ", chosen: " in declared.out
    assert [path.name for path in folder.iterdir()] == ["survey.csv"]


def test_files_are_replaced_only_on_request(folder, run):
    arguments = ("risk", "survey.csv", "--quasi", "age", "--json", "m.json")
    assert run(*arguments).status == 0
    before = (folder / "m.json").read_bytes()
    assert "--force" in run(*arguments).failed()
    assert run(*arguments, "--force", "--release", "enclave").status == 0
    assert (folder / "m.json").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--quasi", "ages"], "no column 'ages'; did you mean 'age'"),
        (["--quasi", "age", "--sensitive", "ill"], "no column 'ill'"),
        (["--quasi", "age", "--sensitive", "age"], "is quasi-identifier and sensitive"),
        (["--quasi", "age,age"], "give it one role, once"),
        (["--quasi", ","], "name the columns"),
        (["--quasi", "age", "--population-size", "4"], "must hold all of its people"),
        (["--quasi", "age", "--population", "none.csv"], "none.csv"),
        (["--quasi", "age", "--hierarchy", "age"], "COLUMN="),
        (["--quasi", "age", "--hierarchy", "city=city.csv"], "city.csv"),
        (["--quasi", "age", "--sensitive", "illness", "--distance", "illness=ordered"], "it has: equal"),
        (["--quasi", "age", "--json", "survey.csv", "--force"], "same file"),
        (["--quasi", "age", "--json", "m", "--html", "m"], "same file"),
        (["--quasi", "age", "--html", "none/m.html"], "does not exist"),
        (["--quasi", "age", "--release", "secret"], "secret"),
    ],
)
def test_it_refuses_in_one_line(folder, run, arguments, words):
    message = run("risk", "survey.csv", *arguments).failed()
    assert words in message
    assert not any(value in message for value in SECRETS[1:])
    assert [path.name for path in folder.iterdir()] == ["survey.csv"]


def test_a_file_without_rows(folder, run):
    (folder / "empty.csv").write_text("age,city\n")
    assert "no rows" in run("risk", "empty.csv", "--quasi", "age").failed()
