"""`privkit apply` with a view that has anonymity: one run, two passes, and a plan that may be kept."""

import csv
import json
from collections import Counter

import numpy as np
import pytest

from cli.conftest import listed
from privkit.anonymity import Plan

POLICY = """\
[fields.born]
type = "birth_date"
[fields.city]
type = "cn_city"
[fields.ill]
type = "text"

[views.research.fields]
born = "keep"
city = "keep"
ill = "keep"

[views.research.anonymity]
k = 4
l = 2
quasi_identifiers = ["born", "city"]
sensitive = ["ill"]
RECODING

[views.research.anonymity.hierarchies]
born = ["year", "decade"]
city = "cities.csv"

[views.plain.fields]
city = "keep"
"""
FIGURES = {"entropy_l": 2, "t": 3, "t_released": 3}
FULL = 'recoding = "full_domain"\nsuppression = 0.1'


def write(path, rows=200, seed=3, ills=("flu", "gout", "asthma")):
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["born", "city", "ill"])
        for _ in range(rows):
            born = f"{rng.integers(1960, 1990)}-{rng.integers(1, 13):02}-01"
            out.writerow([born, rng.choice(["杭州市", "宁波市", "广州市"]), rng.choice(ills)])


@pytest.fixture
def study(tmp_path, monkeypatch):
    (tmp_path / "policy.toml").write_text(POLICY.replace("RECODING", FULL), encoding="utf-8")
    (tmp_path / "cities.csv").write_text("杭州市;浙江\n宁波市;浙江\n广州市;广东\n", encoding="utf-8")
    write(tmp_path / "in.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def classes(path):
    with path.open(encoding="utf-8", newline="") as file:
        return Counter((row["born"], row["city"]) for row in csv.DictReader(file))


def apply(run, *more, source="in.csv", target="out.csv", view="research"):
    return run("apply", "policy.toml", "--view", view, source, target, *more)


def test_one_run_anonymises_and_says_what_it_cost(study, run):
    ran = apply(run, "--report", "report.json")
    assert (ran.status, ran.err) == (0, "")
    assert min(classes(study / "out.csv").values()) >= 4
    report = json.loads((study / "report.json").read_text(encoding="utf-8"))
    found = report["anonymity"]
    assert found["reached"]["k"] == min(classes(study / "out.csv").values())
    assert found["reached"]["suppressed"] == 200 - sum(classes(study / "out.csv").values())
    assert found["levels"].keys() == {"born", "city"}
    for words in (f"k = {found['reached']['k']}", "asked: 4", "full_domain", found["levels"]["born"], "distinct l = 2"):
        assert words in ran.out


def test_every_model_is_said_with_what_was_reached(study, run):
    asked = f'{FULL}\ndiversity = "recursive"\nc = 9.0\nt = 0.4\ndelta = 0.7\npopulation = "people.csv"'
    (study / "policy.toml").write_text(POLICY.replace("RECODING", asked), encoding="utf-8")
    write(study / "people.csv", rows=600)  # the first 200 are those of the table
    for name in ("in.csv", "people.csv"):
        with (study / name).open("a", encoding="utf-8") as file:
            file.write("1931-01-01,广州市,flu\n")  # nobody else is so old
    ran = apply(run, "--report", "report.json")
    assert (ran.status, ran.err) == (0, "")
    reached = json.loads((study / "report.json").read_text(encoding="utf-8"))["anonymity"]["reached"]
    own = reached["sensitive"]["ill"]
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line.strip()}
    assert reached["suppressed"] > 0
    assert rows["ill"] == [str(own["l"]), *(f"{own[name]:.{n}f}" for name, n in FIGURES.items())]
    assert "asked of each: recursive l = 2, c = 9, t = 0.4" in ran.out
    assert f"chances from {reached['delta'][0]:.4g} to {reached['delta'][1]:.4g}" in ran.out
    assert "(asked: 0 to 0.7)" in ran.out


def test_local_recoding_keeps_all_records(study, run):
    (study / "policy.toml").write_text(POLICY.replace("RECODING", ""), encoding="utf-8")
    ran = apply(run)
    assert ran.status == 0
    assert sum(classes(study / "out.csv").values()) == 200
    assert min(classes(study / "out.csv").values()) >= 4
    assert "0 records dropped" in ran.out


def test_what_cannot_be_met_writes_nothing_and_says_what_to_change(study, run):
    write(study / "in.csv", ills=("flu",))
    before = listed(study)
    message = apply(run, "--report", "report.json", "--save-plan", "plan.json").failed()
    assert "column 'ill' has fewer distinct values than l (1 < 2); lower l" in message
    assert listed(study) == before
    write(study / "in.csv", rows=3)
    assert "lower k, or take more records" in apply(run).failed()
    assert listed(study) == before


def test_a_hierarchy_that_does_not_cover_the_data_is_named_by_level(study, run):
    (study / "cities.csv").write_text("杭州市;浙江\n", encoding="utf-8")
    message = apply(run).failed()
    assert "the hierarchy of 'city' does not cover values of the data: 2 of 3 on level 'level 1'" in message
    assert "say from_data in the policy" in message
    assert "宁波" not in message


def test_a_plan_is_kept_for_later_files(study, run):
    assert apply(run, "--save-plan", "plan.json").status == 0
    plan = Plan.load(study / "plan.json")
    write(study / "later.csv", seed=4)
    ran = apply(run, "--plan", "plan.json", "--report", "later.json", source="later.csv", target="later.out.csv")
    assert ran.status == 0
    report = json.loads((study / "later.json").read_text(encoding="utf-8"))
    assert report["anonymity"]["levels"] == plan.generalisations
    write(study / "few.csv", rows=12)
    before = listed(study)
    message = apply(run, "--plan", "plan.json", source="few.csv", target="few.out.csv").failed()
    assert "at the plan's levels" in message
    assert "run without --plan" in message
    assert listed(study) == before


def test_a_plan_that_is_none_or_for_another_view_is_refused(study, run):
    (study / "plan.json").write_bytes(b"\xff\xfe{}")
    assert "no plan that privkit wrote" in apply(run, "--plan", "plan.json").failed()
    (study / "plan.json").write_text("{}", encoding="utf-8")
    assert "no plan that privkit wrote" in apply(run, "--plan", "plan.json").failed()
    assert "leave --plan and --save-plan away" in apply(run, "--save-plan", "x.json", view="plain").failed()
    (study / "plan.json").unlink()
    assert apply(run, "--save-plan", "plan.json").status == 0
    (study / "policy.toml").write_text(POLICY.replace("RECODING", FULL.replace("0.1", "0.2")), encoding="utf-8")
    assert "for other models" in apply(run, "--plan", "plan.json", target="again.csv").failed()


def test_nothing_replaces_a_file_that_is_read_or_written(study, run):
    assert listed(study) == ["cities.csv", "in.csv", "policy.toml"]
    for name in ("policy.toml", "in.csv", "cities.csv", "out.csv", "report.json"):
        message = apply(run, "--force", "--report", "report.json", "--save-plan", name).failed()
        assert "write to another one" in message
    assert "write to another one" in apply(run, "--force", target="cities.csv").failed()
    (study / "plan.json").write_text("{}", encoding="utf-8")
    assert "exists already; replace it with --force" in apply(run, "--save-plan", "plan.json").failed()
