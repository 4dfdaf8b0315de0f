"""The transcripts in the documentation of the command line are what it prints, `...` standing for anything."""

import re
import shlex
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def transcripts():
    """Commands, and what each is said to print."""
    for block in re.findall(r"```console\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        for transcript in block.split("$ ")[1:]:
            command, _, output = transcript.partition("\n")
            yield shlex.split(command)[1:], output


def as_pattern(output):
    return r"\s+".join(".*?" if word == "..." else re.escape(word).replace(r"\.\.\.", ".*?") for word in output.split())


def test_transcripts(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = list(transcripts())
    assert len(commands) >= 10
    for command, output in commands:
        ran = run(*command)
        fails = output.startswith("privkit: ")
        assert ran.status == (2 if fails else 0), (command, ran.err)
        said = " ".join((ran.err if fails else ran.out).split())
        assert re.fullmatch(as_pattern(output), said, re.DOTALL), (command, said)

    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "docs/cli.md", "exec"), {})  # noqa: S102 - a block of the documentation
    assert (tmp_path / "from-python.csv").read_text() == (tmp_path / "analytics.csv").read_text()


def test_every_option_is_documented(run):
    text = DOCS.read_text(encoding="utf-8")
    for command in (
        ["apply"],
        ["reveal"],
        ["risk"],
        ["keys", "destroy"],
        ["keys", "rewrap"],
        ["keys", "rotate"],
        ["keys", "forget"],
        ["keys", "export-tink"],
        ["demo"],
    ):
        options = set(re.findall(r"--[a-z-]+", run(*command, "--help").out)) - {"--help", "--rows"}
        assert {option for option in options if option not in text} == set()
