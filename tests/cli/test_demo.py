"""`privkit demo`: what a newcomer sees first."""

import json
import shlex
import subprocess
import sys

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


def test_what_it_prints_fits_a_screen(demo):
    lines = demo().out.splitlines()
    assert max(cell_len(line) for line in lines if not line.startswith("  ")) <= 100
    assert {"before", "after"} <= {word for line in lines for word in line.split()}


def test_what_it_says_to_try_next_works(demo, run, tmp_path):
    lines = [shlex.split(line) for line in demo().out.splitlines() if line.startswith("  ") and " --view " in line]
    assert [words[words.index("-m") + 2 if "-m" in words else 1] for words in lines] == ["apply", "reveal"]
    for words in lines:
        ran = run(*words[words.index("-m") + 2 if "-m" in words else 1 :])
        assert (ran.status, ran.err) == (0, "")
    export, again = (rows(tmp_path / "privkit-demo" / name) for name in ("export.parquet", "again.csv"))
    assert len(export) == len(again)
    revealed = rows(tmp_path / "privkit-demo" / "revealed.parquet")
    for name in ("mobile", "email", "landline", "address_detail", "review"):
        assert [row[name] for row in revealed] == [row[name] for row in export]


@pytest.mark.parametrize(
    ("called", "found", "said"),
    [
        ("/venv/bin/privkit", "/venv/bin/privkit", "privkit"),
        ("/venv/bin/privkit", None, "/venv/bin/privkit"),
        (".venv/bin/privkit", "/usr/bin/privkit", ".venv/bin/privkit"),
        ("/a b/privkit", None, "'/a b/privkit'"),
        ("/venv/lib/privkit/__main__.py", None, f"{shlex.quote(sys.executable)} -m privkit"),
        ("embedding.py", None, "privkit"),
    ],
)
def test_commands_are_said_as_this_one_was_called(monkeypatch, called, found, said):
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr("shutil.which", lambda _: found)
    assert program() == said


def test_it_does_not_overwrite_by_itself_and_never_a_keyring(demo, tmp_path):
    demo()
    keyring = (tmp_path / "privkit-demo" / "keyring.json").read_bytes()
    assert "privkit-demo has a demo in it already; write it anew with --force" in demo().err
    assert demo().status == 2
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
