"""`privkit demo`: what a newcomer sees first."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from privkit.cli.demo import _program as program
from privkit.policy import Policy
from privkit.policy.files import open_source

VIEWS = ("analytics", "customer_service", "courier", "model_training", "partner")


def rows(path):
    with open_source(path) as source:
        return [row for batch in source.batches(source.names) for row in batch.to_pylist()]


@pytest.fixture
def demo(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *more: run("demo", "--rows", 200, *more)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_demo_writes_every_view(demo, tmp_path, ending):
    ran = demo("--format", ending)
    assert (ran.status, ran.err) == (0, "")
    folder = tmp_path / "privkit-demo"
    tables = {f"{name}.{ending}" for name in (*VIEWS, "export")}
    assert {path.name for path in folder.iterdir()} >= tables | {"policy.toml", "keyring.json"}
    policy = Policy.load(folder / "policy.toml")
    for view in VIEWS:
        table = rows(folder / f"{view}.{ending}")
        assert len(table) == 200
        words = {name: treatment.word for name, treatment in policy.views[view].fields.items()}
        assert set(table[0]) == {name for name, word in words.items() if word != "drop"}
        assert f"\n{view}: " in f"\n{ran.out}"


@pytest.mark.parametrize(("columns", "shown"), [(50, 1), (80, 2), (100, 3)])
def test_what_it_prints_fits_a_screen(on_a_terminal, tmp_path, monkeypatch, columns, shown):
    monkeypatch.chdir(tmp_path)
    lines = on_a_terminal(columns, "demo", "--rows", 20).splitlines()
    commands = [line for line in lines if line.startswith("  cd ") or " -m privkit " in line]
    assert len(commands) == 4
    assert max(cell_len(line) for line in lines if line not in commands) <= columns
    tables = [line.split("row")[0].split() for line in lines if line.startswith("field ")]
    assert tables == [["field", "transform"]] * len(VIEWS)
    assert all(line.count("row ") == shown for line in lines if line.startswith("field "))
    mobiles = [line.split() for line in lines if line.startswith("mobile ")]
    assert [words[1:3] for words in mobiles][1:] == [["fpe", "before"], ["mask", "before"], ["token", "before"]]
    assert all(len(words) == 3 + shown for words in mobiles)


def test_on_a_screen_too_narrow_for_a_table_a_row_is_a_paragraph(on_a_terminal, tmp_path):
    text = on_a_terminal(42, "demo", "--rows", 20, "--out", tmp_path / "d")
    assert re.search(r"\nmobile\n  transform fpe, before, row \d+ \d{7}…\n  after, row \d+ \d{7}…\n", text)
    assert "\nanalytics\n  rows 20, columns 13, dropped 19" in text


def test_into_a_pipe_a_row_is_a_line(run):
    lines = run("fields").out.splitlines()
    assert len(lines) == 1 + len(json.loads(run("fields", "--json").out))
    (birth,) = [line for line in lines if line.startswith("birth_date ")]
    assert re.split(" {2,}", birth.strip()) == [
        "birth_date", "Birth date, 出生日期", "identity", "general", "age_band decade month quarter year",
    ]  # fmt: skip


@pytest.mark.parametrize("columns", [40, 80])
def test_words_stay_whole_on_a_screen(on_a_terminal, columns):
    text = on_a_terminal(columns, "fields")
    words = set(re.split(r"[\s,]+", text))
    assert {"sensitivity", "Nationality", "transaction", "cn_travel_permit", "港澳台通行证号码"} <= words
    assert max(cell_len(line) for line in text.splitlines()) <= columns


@pytest.mark.parametrize("out", ["privkit-demo", "my demo"])
def test_what_it_says_to_try_next_works(demo, run, tmp_path, monkeypatch, out):
    said = [shlex.split(line) for line in demo("--out", out).out.splitlines() if line.startswith("  ")]
    (folder,) = [words[1] for words in said if words[0] == "cd"]
    monkeypatch.chdir(folder)
    lines = [words for words in said if "--view" in words]
    assert [words[words.index("-m") + 2 if "-m" in words else 1] for words in lines] == ["apply", "reveal"]
    for words in lines:
        ran = run(*words[words.index("-m") + 2 if "-m" in words else 1 :])
        assert (ran.status, ran.err) == (0, "")
    export, again = (rows(tmp_path / out / name) for name in ("export.parquet", "again.csv"))
    assert len(export) == len(again)
    revealed = rows(tmp_path / out / "revealed.parquet")
    for name in ("mobile", "email", "landline", "address_detail", "review"):
        assert [row[name] for row in revealed] == [row[name] for row in export]


@pytest.mark.parametrize(
    ("called", "found", "said"),
    [
        ("/venv/bin/privkit", "/venv/bin/privkit", "privkit"),
        ("/venv/bin/privkit", None, "/venv/bin/privkit"),
        (".venv/bin/privkit", "/usr/bin/privkit", "../.venv/bin/privkit"),
        ("/a b/privkit", None, "'/a b/privkit'"),
        ("/venv/lib/privkit/__main__.py", None, "/venv/bin/python3 -m privkit"),
        ("/venv/lib/privkit/__main__.py", "/venv/bin/python3", "python3 -m privkit"),
        ("embedding.py", None, "privkit"),
    ],
)
def test_commands_are_said_as_this_one_was_called(monkeypatch, tmp_path, called, found, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr(sys, "executable", "/venv/bin/python3")
    monkeypatch.setattr("shutil.which", lambda _: found)
    assert program(Path("demo")) == said


def test_it_does_not_overwrite_by_itself_and_never_a_keyring(demo, tmp_path):
    demo()
    keyring = (tmp_path / "privkit-demo" / "keyring.json").read_bytes()
    again = demo()
    assert (again.status, again.out) == (2, "")
    assert again.err == (
        "privkit: privkit-demo has a demo in it already, which stays as it is; "
        "write it anew with --force, or another one with --out FOLDER\n"
    )
    assert demo("--force", "--format", "csv").status == 0
    assert (tmp_path / "privkit-demo" / "keyring.json").read_bytes() == keyring


def test_malformed_cells_become_null_and_are_counted(demo, tmp_path):
    ran = demo("--dirty", "0.2", "--out", "d")
    assert ran.status == 0
    assert "Malformed cells, made null as the policy says: " in ran.out
    export, served = rows(tmp_path / "d" / "export.parquet"), rows(tmp_path / "d" / "customer_service.parquet")
    lost = sum(row["mobile"] is None for row in served) - sum(row["mobile"] is None for row in export)
    assert lost > 0
    assert f"mobile {lost}" in " ".join(ran.out.split())


def test_a_seed_gives_the_same_export(demo, tmp_path):
    for seed, name in ((1, "a"), (1, "b"), (2, "c")):
        demo("--seed", seed, "--out", name)
    a, b, c = (rows(tmp_path / name / "export.parquet") for name in "abc")
    assert a == b != c


def test_without_its_extra_it_names_it():
    code = (
        "import sys; sys.modules['faker'] = None; from privkit.cli import main; sys.exit(main(['demo', '--out', 'x']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "privkit: the demo export needs the extra 'demo': pip install 'privkit[demo]'\n"


def test_fields_lists_the_catalogue(run):
    ran = run("fields")
    assert ran.status == 0
    assert "cn_mobile" in ran.out
    assert "手机号码" in ran.out
    told = {field["name"]: field for field in json.loads(run("fields", "--json").out)}
    assert not told["password"]["releasable"]
    assert all(name in ran.out for name in told)


def test_version_and_help(run):
    assert run("--version").out.startswith("privkit ")
    assert run("--help").status == 0
    assert run().status == 2
    for command in ("apply", "reveal", "demo", "keys", "fields"):
        assert command in run("--help").out
        assert run(command, "--help").status == 0
