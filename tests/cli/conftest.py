"""A policy, a keyring and an export in a folder of their own, and the command line to run on them."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import pytest

from privkit.cli import main
from privkit.keys import Keyring

POLICY = """\
[fields.order]
type = "order_number"
[fields.name]
type = "person_name"
[fields.mobile]
type = "cn_mobile"
on_invalid = "suppress"
[fields.card]
type = "bank_card"
[fields.note]
type = "free_text"

[views.support.fields]
order = "keep"
name = "mask"
mobile = "fpe"
note = "encrypt"

[views.plain.fields]
order = "keep"
name = { transform = "mask", profile = "waybill" }
note = "keep"

[views.cards.fields]
card = "token"

[views.notes.fields]
note = "keep"
"""

EXPORT = """\
order,name,mobile,card,note
007,张三,13812345678,6228480402564890018,"left, at the ""door""
or not"
008,"",13912345678,,
009,,,6228480402564890018,""
010,李小龙,not a number,6228480402564890018,第四
"""

DATA = ("张三", "李小龙", "13812345678", "13912345678", "not a number", "6228480402564890018", "door", "第四")
"""Values of the export, which no error may show."""


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left: its exit status, and what it wrote."""

    status: int
    out: str
    err: str

    def failed(self) -> str:
        """The message of a run that failed as all are to fail: one line, no traceback, no data, status 2."""
        assert self.status == 2
        assert self.out == ""
        assert self.err.startswith("privkit: ")
        assert self.err.count("\n") == 1
        assert not any(value in self.err for value in DATA)
        return self.err


@pytest.fixture
def run(capsys):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def ran(*arguments):
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    yield ran
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def on_a_terminal():
    """What a run prints on a terminal of so many columns, without colours and without what it took back."""

    def ran(columns, *arguments):
        here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        command = [sys.executable, "-m", "privkit", *map(str, arguments)]
        with subprocess.Popen(
            command, stdin=there, stdout=there, stderr=subprocess.DEVNULL, env=environment | {"TERM": "xterm"}
        ) as process:
            os.close(there)
            said = b"".join(iter(lambda: _read(here), b""))
        os.close(here)
        assert process.returncode == 0
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode().replace("\r\n", "\n"))

    return ran


def _read(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how a terminal ends on Linux
        return b""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with `policy.toml`, `in.csv` and `keyring.json`."""
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "in.csv").write_text(EXPORT, encoding="utf-8")
    Keyring.create(tmp_path / "keyring.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def protect(run):
    """`privkit apply` with what a test does not change."""

    def applied(
        view="support", *, source="in.csv", target="out.csv", policy="policy.toml", keys="keyring.json", more=()
    ):
        keyring = ["--keyring", keys] if keys else []
        return run("apply", policy, "--view", view, *keyring, source, target, *more)

    return applied


def listed(folder=Path()):
    return sorted(path.name for path in folder.iterdir())
