"""`privkit inspect`: what it shows, what it writes, and what it refuses."""

import json
import re
import stat
from pathlib import Path

import pytest

from privkit.policy import Policy

DATA = ("张三", "李小龙", "13812345678", "13912345678", "13712345678", "6228480402564890018", "door", "第四")
"""Values of the export."""

WANTED = {
    "order": "order_number", "name": "person_name", "mobile": "cn_mobile", "card": "bank_card", "note": "free_text",
}  # fmt: skip


def types(policy):
    return {name: field.type.name for name, field in policy.fields.items()}


def shows_no_data(ran):
    return not any(value in ran.out + ran.err for value in DATA)


@pytest.fixture
def source(place):
    """The export of the other tests, with another mobile in place of what is none."""
    text = (place / "in.csv").read_text(encoding="utf-8").replace("not a number", "13712345678")
    (place / "in.csv").write_text(text, encoding="utf-8")
    return "in.csv"


def test_it_shows_a_table_and_writes_a_policy(place, source, run):
    ran = run("inspect", source, "--out", "draft.toml")
    assert (ran.status, ran.err) == (0, "")
    rows = {line.split()[0]: line for line in ran.out.splitlines()[2:] if line and not line.startswith(" ")}
    assert {name: rows[name].split()[1] for name in WANTED} == WANTED
    assert "手机号码" in ran.out
    assert "Bank card number" in ran.out
    assert "written to draft.toml: every field is dropped until you decide" in ran.out
    policy = Policy.load(place / "draft.toml")
    assert types(policy) == WANTED
    assert {said.word for said in policy.views["draft"].fields.values()} == {"drop"}
    assert shows_no_data(ran)
    assert not any(value in (place / "draft.toml").read_text(encoding="utf-8") for value in DATA)
    assert stat.S_ISREG((place / "draft.toml").stat().st_mode)


def test_into_a_pipe_goes_the_policy_and_nothing_else(place, source, run):
    ran = run("inspect", source)
    assert ran.status == 0
    assert types(Policy.loads(ran.out)) == WANTED
    assert "confidence" in ran.err
    assert shows_no_data(ran)
    assert not [path for path in place.iterdir() if path.suffix == ".toml" and path.name != "policy.toml"]


def test_a_draft_becomes_a_policy_by_editing(place, source, run):
    run("inspect", source, "--out", "draft.toml")
    refused = run("apply", "draft.toml", "--view", "draft", source, "out.csv").failed()
    assert "releases no field" in refused
    draft = (place / "draft.toml").read_text(encoding="utf-8")
    (place / "draft.toml").write_text(draft.replace('mobile = "drop"', 'mobile = "mask"'), encoding="utf-8")
    assert run("apply", "draft.toml", "--view", "draft", source, "out.csv", "--quiet").status == 0
    assert (place / "out.csv").read_text() == "mobile\n138****5678\n139****5678\n\n137****5678\n"


def test_json(source, run):
    ran = run("inspect", source, "--json")
    told = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert {column["column"]: column["type"] for column in told["columns"]} == WANTED
    mobile = told["columns"][2]
    assert (mobile["level"], mobile["rows"], mobile["blank"], mobile["valid"]) == ("high", 4, 1, 1.0)
    assert mobile["title_zh"] == "手机号码"
    assert shows_no_data(ran)


def test_reasons_in_chinese(source, run):
    assert "列名如此" in run("inspect", source, "--language", "zh").err


def test_how_many_rows_are_looked_at(source, run):
    assert "in.csv: 2 rows looked at, 5 columns" in run("inspect", source, "--rows", "2").err


def test_what_it_refuses(place, source, run):
    assert "policy.toml exists already" in run("inspect", source, "--out", "policy.toml").failed()
    assert run("inspect", source, "--out", "policy.toml", "--force", "--json").status == 0
    assert types(Policy.load("policy.toml")) == WANTED
    assert "same file" in run("inspect", source, "--out", source, "--force").failed()
    assert "there is no file" in run("inspect", "none.csv").failed()
    assert "unknown file ending" in run("inspect", "policy.toml").failed()
    assert "--rows" in run("inspect", source, "--rows", "0").failed()
    rows = Path(source).read_text(encoding="utf-8").partition("\n")[2]
    (place / "bare.csv").write_text(rows, encoding="utf-8")
    assert "look like data" in run("inspect", "bare.csv").failed()


def test_every_option_is_documented(run):
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    section = text.partition("## Find out what a file holds")[2].partition("\n## ")[0]
    options = set(re.findall(r"--[a-z-]+", run("inspect", "--help").out)) - {"--help"}
    assert {option for option in options if option not in section} == set()
