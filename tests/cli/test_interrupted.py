"""A run that is ended from outside leaves no half file."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from privkit.cli import main
from privkit.policy.files.csv_sink import CsvSink

write = CsvSink.write
CsvSink.write = lambda sink, batch: (write(sink, batch), time.sleep(60))
sys.exit(main(sys.argv[1:]))
"""
"""The command line, with so slow a disk that a signal finds it writing; it hears signals that the tests may have been
started deaf to, by nohup or in the background."""


@pytest.fixture
def running(place):
    """A run that has begun to write."""
    command = [sys.executable, "-c", SLOW, "apply", "policy.toml", "--view", "support"]
    files = ["--keyring", "keyring.json", "in.csv", "out.csv", "--force"]
    process = subprocess.Popen([*command, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(place.glob(".out.csv.*.part")):
        time.sleep(0.01)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGINT, 130, "privkit: interrupted; nothing was left half written"),
        (signal.SIGTERM, 143, ""),
        (signal.SIGHUP, 129, ""),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_signal_leaves_the_output_as_it_was(place, running, number, status, said, existing):  # noqa: PLR0917 - pytest passes them by name
    if existing:
        (place / "out.csv").write_text("old")
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == status
    assert err.strip() == said
    assert (place / "out.csv").exists() == existing
    if existing:
        assert (place / "out.csv").read_text() == "old"
    left = list(place.glob(".out.csv.*.part"))
    assert len(left) == (1 if number == signal.SIGKILL else 0)


def test_a_terminal_that_is_closed_leaves_nothing(place):
    here, there = pty.openpty()
    # A terminal of its own, with the progress bar on it, of which also the end cannot be drawn any more.
    code = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)" + SLOW
    command = [sys.executable, "-c", code, "apply", "policy.toml", "--view", "notes", "in.csv", "out.csv"]
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, start_new_session=True)
    os.close(there)
    while process.poll() is None and not list(place.glob(".out.csv.*.part")):
        time.sleep(0.01)
    os.close(here)
    assert process.wait(timeout=60) == 129
    assert not list(place.glob("*out.csv*"))


def test_under_nohup_a_closed_terminal_is_nothing(place, run):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # `run` puts it back
    assert run("apply", "policy.toml", "--view", "notes", "in.csv", "out.csv").status == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert (place / "out.csv").exists()


def test_interrupted_while_it_is_imported():
    code = """
import sys
from privkit.cli import main

class Interrupting:
    def find_spec(self, name, *_):
        if name == "privkit.cli.app":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.exit(main(["fields"]))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "privkit: interrupted; nothing was left half written\n"
