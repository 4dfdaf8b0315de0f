"""Whatever is wrong is said in one line, without a value of the data, and leaves no file behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.cli import app, wording
from privkit.keys import Keyring, Passphrase


@pytest.fixture(autouse=True)
def nothing_is_written(place):
    before = {path.name for path in place.iterdir()}
    yield
    assert {path.name for path in place.iterdir()} - before <= {
        "in.parquet",
        "other.json",
        "other.json.kek",
        "other.json.lock",
    }


def policy_with(place, old, new):
    text = (place / "policy.toml").read_text(encoding="utf-8")
    assert old in text
    (place / "policy.toml").write_text(text.replace(old, new, 1), encoding="utf-8")


# The input


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "in.csv is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", "in.csv is not a CSV file"),
        ("order,name,mobile,card,note\n007,张三,13812345678\n".encode(), "row 0 (from 0) has 3 cells, the header 5"),
        ('order,name,mobile,card,note\n007,张三,13812345678,,"door\n'.encode(), "a quote that is not closed"),
        ("order,name,mobile,card,note\n007,张三,,,\n".encode("gb18030"), "row 0 (from 0): bytes that are not utf-8"),
        (b"order,name,mobile,mobile,card,note\n", "column 'mobile' occurs 2 times"),
        (b"order,,mobile,card,note\n", "column 2 has no name"),
        (b"order,name,card,note\n", "column 'mobile' is not in the table"),
        (b"order,name,mobil,card,note\n", "column 'mobil' is not known to the policy; did you mean 'mobile'?"),
        (b"order,name,mobile,card,note,extra\n", "column 'extra' is not known to the policy"),
    ],
)
def test_broken_csv(place, protect, data, message):
    (place / "in.csv").write_bytes(data)
    assert message in protect().failed()


def test_a_first_row_of_data_is_not_named_like_a_header(place, protect):
    (place / "in.csv").write_text("007,张三,13812345678,6228480402564890018,door\n", encoding="utf-8")
    assert "is there a header?" in protect().failed()


def test_a_column_name_does_not_command_the_terminal(place, protect):
    policy_with(place, "[fields.order]", 'unknown = "drop"\n[fields.order]')
    (place / "in.csv").write_text("note,\x1b[2J\nx,y\n")
    assert "\x1b" not in protect("notes", keys=None).out
    (place / "out.csv").unlink()
    (place / "in.csv").write_text("note,\x1b[2J,\x1b[2J\nx,y,z\n")
    assert "\x1b" not in protect("notes", keys=None).failed()


def test_an_invalid_cell_is_named_by_column_and_row(place, protect):
    lines = ["order,name,mobile,card,note"] + ["007,张三,13812345678,,"] * 70_000 + ["007,3张三,13812345678,,"]
    (place / "in.csv").write_text("\n".join(lines), encoding="utf-8")
    message = protect().failed()
    assert "column 'name'" in message
    assert "row 70000" in message


def test_missing_and_unknown_files(protect):
    assert "there is no file none.csv" in protect(source="none.csv").failed()
    assert "unknown file ending" in protect(source="in.xlsx").failed()
    assert "unknown file ending" in protect(target="out.txt").failed()
    assert ". is a folder; name a file in it" in protect(source=".").failed()
    assert ".. is a folder; name a file in it" in protect(target="..").failed()
    assert "no text encoding 'utf9'" in protect(more=["--encoding", "utf9"]).failed()
    assert "no text encoding 'rot13'" in protect(more=["--output-encoding", "rot13"]).failed()


def test_another_encoding_than_the_file_has(place, protect):
    wrong = protect("notes", keys=None, more=["--encoding", "gb18030"]).failed()
    assert "bytes that are not gb18030; is it utf-8? leave --encoding away" in wrong
    assert place


def test_bytes_that_are_no_text(place, protect):
    pq.write_table(pa.table({"note": [b"\xff\x00"]}), "in.parquet")
    policy_with(place, "[views.notes.fields]", '[views.sealed.fields]\nnote = "encrypt"\n[views.notes.fields]')
    for view in ("notes", "sealed"):
        message = protect(view, source="in.parquet").failed()
        assert "column 'note': invalid value at row 0: bytes that are not UTF-8 text; decode them first" in message


def test_broken_parquet(place, protect):
    pq.write_table(pa.table({"note": [["x"]], "order": ["1"]}), "in.parquet")
    assert "column 'note' is nested" in protect("notes", source="in.parquet", keys=None).failed()
    (place / "in.parquet").write_bytes((place / "in.parquet").read_bytes()[:-9])
    assert "in.parquet is not a Parquet file" in protect("notes", source="in.parquet", keys=None).failed()


# The policy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"cn_mobile"', '"cn_mobil"', "did you mean 'cn_mobile'?"),
        ('"mask"', '"mas"', "did you mean 'mask'?"),
        ("profile =", "profil =", "did you mean 'profile'?"),
        ('"waybill"', '"waybil"', "did you mean 'waybill'?"),
        ("on_invalid", "on_invald", "did you mean 'on_invalid'?"),
        ("[views.support.fields]", "[views.support.fields", "policy.toml:13: "),
        ('"token"', "1", "policy.toml:"),
    ],
)
def test_a_broken_policy(place, protect, old, new, message):
    policy_with(place, old, new)
    assert message in protect().failed()


def test_a_missing_policy_and_an_unknown_view(protect):
    assert "none.toml" in protect(policy="none.toml").failed()
    assert "did you mean 'support'?" in protect("suport").failed()


# The keyring


def test_a_missing_wrong_or_unreadable_keyring(place, protect, run):
    assert "needs a keyring; pass one (--keyring)" in protect(keys=None).failed()
    assert "none.json" in protect(keys="none.json").failed()
    assert "keyring" in protect(keys="policy.toml").failed()
    Keyring.create(place / "other.json")
    (place / "keyring.json.kek").write_bytes((place / "other.json.kek").read_bytes())
    assert "wrapped by another key" in protect().failed()
    (place / "keyring.json.kek").chmod(0o644)
    assert "keyring.json.kek" in protect().failed()
    (place / "keyring.json.kek").unlink()
    assert "keyring.json.kek" in protect().failed()
    assert "unknown kind 'loca'; did you mean 'local'?" in protect(more=["--kek", "loca"]).failed()
    assert "not complete" in protect(more=["--kek", "aws"]).failed()
    assert "no key file at keyring.json.kek; restore it from its backup, or name it with --kek local:FILE" in (
        protect().failed()
    )
    assert "is missing" not in run("keys", "list", "other.json").err


@pytest.mark.parametrize(
    ("content", "message"), [("{", "keyring is not JSON"), ("{}", "this is not a privkit keyring"), ("", "not JSON")]
)
def test_a_broken_keyring_is_named(place, run, protect, content, message):
    (place / "keyring.json").write_text(content)
    assert protect().failed().startswith("privkit: keyring.json: ")
    assert message in protect().failed()
    assert f"privkit: {place / 'keyring.json'}: " in run("keys", "list", place / "keyring.json").failed()


def test_a_passphrase_is_too_short_only_where_it_is_chosen(place, run, monkeypatch):
    monkeypatch.setenv("PRIVKIT_PASSPHRASE", "short")
    assert "passphrase too short (5 < 8 characters)" in run("keys", "init", "new.json", "--kek", "passphrase").failed()
    Keyring.create(place / "other.json", wrapper=Passphrase("long enough", kdf="scrypt"))
    for wrong in ("short", "", "also long enough"):
        monkeypatch.setenv("PRIVKIT_PASSPHRASE", wrong)
        assert run("keys", "list", "other.json").failed() == (
            "privkit: other.json: keyring is wrapped by another key, or damaged; check the passphrase\n"
        )
    assert "name its key with --kek" in run("keys", "list", "other.json", "--kek", "local").failed()


def test_remedies_are_options_here(place, run, protect):
    first = f"{Keyring.create(place / 'other.json').version_ids[0]:08x}"
    assert run("keys", "rotate", "other.json").status == 0
    message = run("keys", "destroy", "other.json", first, "--confirm", first).failed()
    assert f"stand on key {first}; move them with `privkit keys move-stable` first; --breaks-stable" in message
    assert "create one with `privkit keys init`" in protect(keys="none.json").failed()
    policy_with(place, '"order_number"', '"birth_date"')
    policy_with(place, 'order = "keep"', 'order = "fpe"')
    assert "keep less, or set small_domain = true in the policy" in protect().failed()


def test_every_remedy_that_is_put_in_other_words_is_still_said():
    library = Path(wording.__file__).parents[1]
    said = "".join(path.read_text(encoding="utf-8") for path in library.rglob("*.py") if path.parent.name != "cli")
    said = re.sub(r'"\s+f?"', "", said)
    assert [words for words in wording.WORDS if words not in said] == []
    for python, option in wording.WORDS.items():
        assert wording.on_the_command_line(f"it is so; {python}, or not") == f"it is so; {option}, or not"


def test_values_under_other_keys_do_not_open(place, run, protect):
    Keyring.create(place / "other.json")
    protect()
    try:
        ran = run("reveal", "policy.toml", "--view", "support", "--keyring", "other.json", "out.csv", "back.csv")
        message = ran.failed()
        assert "column 'note'" in message
        assert "row" in message
    finally:
        (place / "out.csv").unlink()


def test_a_view_without_a_way_back(place, run):
    (place / "in.csv").write_text("order,name,note\n")
    assert "nothing to reveal" in run("reveal", "policy.toml", "--view", "plain", "in.csv", "back.csv").failed()


# The output


def test_an_existing_output_needs_force(place, protect):
    (place / "out.csv").write_text("old")
    try:
        assert "exists already; replace it with --force" in protect().failed()
        assert (place / "out.csv").read_text() == "old"
        assert protect(more=["--force"]).status == 0
        assert (place / "out.csv").read_text() != "old"
    finally:
        (place / "out.csv").unlink()


def test_what_is_read_is_not_overwritten(place, protect):
    (place / "link.csv").hardlink_to(place / "in.csv")
    (place / "soft.csv").symlink_to("in.csv")
    try:
        for target in ("in.csv", "./in.csv", "link.csv", "soft.csv"):
            assert "is the same file as in.csv" in protect(target=target, more=["--force"]).failed()
    finally:
        (place / "link.csv").unlink()
        (place / "soft.csv").unlink()
    for report in ("policy.toml", "keyring.json", "keyring.json.kek", "in.csv", "out.csv"):
        assert "is the same file as" in protect(more=["--force", "--report", report]).failed()


def test_the_labels_that_any_view_goes_through_are_not_overwritten(place, run):
    (place / "labels.csv").write_text("007;odd\n008;even\n009;odd\n010;even\n")
    (place / "listed.toml").write_text(
        '[fields.order]\ntype = "order_number"\n[views.kept.fields]\norder = "keep"\n[views.listed.fields]\n'
        'order = { transform = "generalise", to = "hierarchy", file = "labels.csv" }\n'
    )
    (place / "orders.csv").write_text("order\n007\n")
    for view in ("listed", "kept"):
        ran = run("apply", "listed.toml", "--view", view, "--force", "orders.csv", "labels.csv")
        assert "is the same file as" in ran.failed()
        report = ("--report", "labels.csv", "orders.csv", "out.csv")
        assert "is the same file as" in run("apply", "listed.toml", "--view", view, "--force", *report).failed()
    assert (place / "labels.csv").read_text().startswith("007;odd")
    for name in ("labels.csv", "listed.toml", "orders.csv"):
        (place / name).unlink()


def test_an_existing_report_needs_force_whether_or_not_the_output_exists(place, protect):
    (place / "report.json").write_text("old")
    try:
        assert (
            "report.json exists already; replace it with --force"
            in protect(target="new.csv", more=["--report", "report.json"]).failed()
        )
        assert (place / "report.json").read_text() == "old"
        assert protect(target="new.csv", more=["--report", "report.json", "--force"]).status == 0
        assert json.loads((place / "report.json").read_text())["output"] == "new.csv"
    finally:
        (place / "report.json").unlink()
        (place / "new.csv").unlink(missing_ok=True)


def test_the_folder_of_the_output_has_to_exist(protect):
    assert "the folder of none/out.csv does not exist" in protect(target="none/out.csv").failed()


def test_a_device_is_not_replaced(place, protect):
    (place / "out.csv").symlink_to("/dev/null")
    try:
        assert "is a device or a pipe" in protect(more=["--force"]).failed()
        assert Path("/dev/null").is_char_device()
    finally:
        (place / "out.csv").unlink()


@pytest.mark.parametrize("target", ["out.csv", "out.csv.gz", "out.parquet"])
def test_no_room_for_the_output(place, target):
    (place / "in.csv").write_text("note\n" + "".join(f"{i} {i * i} {i**9}\n" for i in range(20_000)))
    command = ["apply", "policy.toml", "--view", "notes", "in.csv", target]
    ran = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 16; exec {sys.executable} -m privkit {' '.join(command)}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr == "privkit: file too large\n"


# The command line itself


def test_wrong_usage(run, protect):
    assert "no command 'aply'; did you mean 'apply'?" in run("aply").failed()
    assert "no command 'rotat'; did you mean 'rotate'?" in run("keys", "rotat", "keyring.json").failed()
    assert "Missing option '--view'" in run("apply", "policy.toml", "in.csv", "out.csv").failed()
    assert "Missing argument 'OUT'" in run("apply", "policy.toml", "--view", "plain", "in.csv").failed()
    assert "No such option" in protect(more=["--forse"]).failed()


def test_a_defect_is_not_shown_with_its_data(protect, monkeypatch):
    def broken(*_, **__):
        raise ValueError("13812345678")

    monkeypatch.setattr("privkit.cli.apply.apply_file", broken)
    assert "a defect in privkit: ValueError at test_errors.py" in protect().failed()


def test_interrupted(protect, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("privkit.cli.apply.apply_file", interrupted)
    ran = protect()
    assert (ran.status, ran.out) == (app.INTERRUPTED, "")
    assert ran.err.strip() == "privkit: interrupted; nothing was left half written"


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; from privkit.cli import main; sys.exit(main(['fields']))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "privkit: the command line needs the extra 'cli': pip install 'privkit[cli]'\n"


def test_without_pyarrow():
    code = "import sys; sys.modules['pyarrow'] = None; from privkit.cli import main; sys.exit(main(sys.argv[1:]))"
    apply = ["apply", "policy.toml", "--view", "plain", "in.csv", "out.csv"]
    ran = subprocess.run([sys.executable, "-c", code, *apply], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "privkit: reading and writing files needs the extra 'cli': pip install 'privkit[cli]'\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_error(place, closed):
    command = f"{sys.executable} -m privkit apply policy.toml --view notes in.csv out.csv {closed}"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    written = (place / "out.csv").read_text(encoding="utf-8")
    (place / "out.csv").unlink()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert written == 'note\n"left, at the ""door""\nor not"\n\n""\n第四\n'


def test_a_reader_that_goes_away_is_no_error(place):
    command = f"{sys.executable} -m privkit fields | true"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env={**os.environ})
    assert ran.stderr == ""
    assert place
