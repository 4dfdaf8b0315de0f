"""`privkit apply` and `privkit reveal` on files that are as they should be."""

import gzip
import json

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.keys import Keyring
from privkit.policy import Policy
from privkit.policy.files import open_source


def rows(path, **options):
    with open_source(path, **options) as source:
        return [row for batch in source.batches(source.names) for row in batch.to_pylist()]


def columns(path, **options):
    table = rows(path, **options)
    return {name: [row[name] for row in table] for name in table[0]}


def test_apply_gives_what_the_view_gives(place, protect):
    ran = protect()
    assert (ran.status, ran.err) == (0, "")
    got = columns("out.csv")
    assert list(got) == ["order", "name", "mobile", "note"]
    assert got["order"] == ["007", "008", "009", "010"]
    assert got["name"] == ["张**", "", None, "李**"]
    assert got["mobile"][2:] == [None, None]
    assert got["note"][1] is None
    assert "13812345678" not in (place / "out.csv").read_text()
    assert "dropped: card" in ran.out
    assert [word for line in ran.out.splitlines() if "fpe" in line for word in line.split()][:5] == [
        "mobile", "fpe", "4", "1", "1",
    ]  # fmt: skip


def test_reveal_gives_back_exactly_what_can_be_revealed(place, protect, run):
    protect()
    ran = run("reveal", "policy.toml", "--view", "support", "--keyring", "keyring.json", "out.csv", "back.csv")
    assert (ran.status, ran.err) == (0, "")
    was, now = columns("in.csv"), columns("back.csv")
    assert now["note"] == was["note"] == ['left, at the "door"\nor not', None, "", "第四"]
    assert now["mobile"] == [*was["mobile"][:3], None]
    assert now["name"] == ["张**", "", None, "李**"]
    assert "as it was" in ran.out
    assert place


def test_cells_come_out_as_they_went_in(place, protect):
    (place / "in.csv").write_bytes(b'order,name,mobile,card,note\n007,,,,\n008,"","","",""\n009,,,," x,"\n')
    assert protect("plain", keys=None).status == 0
    assert (place / "out.csv").read_bytes() == b'order,name,note\n007,,\n008,"",""\n009,," x,"\n'


def test_a_header_alone_gives_a_header_alone(place, protect):
    (place / "in.csv").write_text("order,name,mobile,card,note")
    ran = protect()
    assert ran.status == 0
    assert (place / "out.csv").read_text() == "order,name,mobile,note\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_encodings(place, protect, encoding):
    text = (place / "in.csv").read_text(encoding="utf-8")
    (place / "in.csv").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert protect("plain", more=["--encoding", encoding], keys=None).status == 0
    assert columns("out.csv")["name"] == ["张*", "", None, "李**"] or columns("out.csv")["name"][0].startswith("张")
    assert (
        protect("plain", target="again.csv", more=["--encoding", encoding, "--output-encoding", encoding]).status == 0
    )
    assert rows("again.csv", encoding=encoding) == rows("out.csv")


@pytest.mark.parametrize("target", ["out.csv", "out.tsv", "out.csv.gz", "out.tsv.gz", "out.parquet"])
def test_every_kind_of_file_holds_the_same(place, protect, target):
    assert protect("plain", target=target).status == 0
    with open_source(place / "in.csv") as source:
        expected = Policy.load("policy.toml").view("plain").apply(pa.Table.from_batches(source.batches(source.names)))
    assert rows(target) == expected.to_pylist()
    if target.endswith("gz"):
        assert gzip.decompress((place / target).read_bytes())


def test_the_library_gives_the_same_as_the_command_line(place, protect):
    assert protect("plain").status == 0
    table = rows("in.csv")
    view = Policy.load("policy.toml").view("plain")
    expected = rows("out.csv")
    names = list(table[0])
    by_column = {name: [row[name] for row in table] for name in names}
    assert view.apply(table) == expected
    assert view.apply(pa.Table.from_pylist(table)).to_pylist() == expected
    assert view.apply(pl.DataFrame(table)).to_dicts() == expected
    applied = view.apply(pd.DataFrame(by_column, dtype="str"))
    assert applied.astype(object).where(applied.notna(), None).to_dict("records") == expected
    assert place


def test_deterministic_transforms_are_the_same_too(place, protect):
    assert protect("cards").status == 0
    view = Policy.load("policy.toml").view("cards", Keyring.open("keyring.json"))
    assert rows("out.csv") == view.apply(rows("in.csv"))
    assert place


def test_parquet_in_and_out(place, protect):
    pq.write_table(pa.Table.from_pylist(rows("in.csv")), "in.parquet", compression="ZSTD")
    assert protect("plain", source="in.parquet", target="out.parquet").status == 0
    assert protect("plain", source="in.csv", target="out.csv").status == 0
    assert rows("out.parquet") == rows("out.csv")
    assert pq.read_metadata("out.parquet").row_group(0).column(0).compression == "ZSTD"
    assert place


def test_the_report(place, protect, run):
    assert protect(more=["--report", "report.json"]).status == 0
    report = json.loads((place / "report.json").read_text())
    assert report["columns"]["mobile"].pop("seconds") >= 0
    assert report["columns"]["mobile"] == {"transform": "fpe", "rows": 4, "nulls": 1, "invalid": 1}
    assert list(report["columns"]) == ["order", "name", "mobile", "note"]
    assert {name: report[name] for name in ("view", "direction", "rows", "dropped", "input", "output")} == {
        "view": "support",
        "direction": "protect",
        "rows": 4,
        "dropped": ["card"],
        "input": "in.csv",
        "output": "out.csv",
    }
    more = ("--keyring", "keyring.json", "out.csv", "back.csv", "--report", "back.json")
    assert run("reveal", "policy.toml", "--view", "support", *more).status == 0
    assert json.loads((place / "back.json").read_text())["direction"] == "reveal"


def test_quiet_says_nothing(place, protect):
    ran = protect(more=["--quiet"])
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert (place / "out.csv").exists()


def test_columns_unknown_to_the_policy_go_where_it_says_so(place, protect):
    policy = (place / "policy.toml").read_text(encoding="utf-8")
    (place / "policy.toml").write_text('unknown = "drop"\n' + policy, encoding="utf-8")
    (place / "in.csv").write_text("note,secret\nx,y\n")
    ran = protect("notes", keys=None)
    assert ran.status == 0
    assert "dropped: secret" in ran.out
    assert (place / "out.csv").read_text() == "note\nx\n"
