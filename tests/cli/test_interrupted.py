"""A run that is ended from outside leaves no half file."""

import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def running(place):
    """A run over a long file, which has begun to write."""
    (place / "in.csv").write_text("order,name,mobile,card,note\n" + "007,,13812345678,,at the door\n" * 400_000)
    command = [sys.executable, "-m", "privkit", "apply", "policy.toml", "--view", "support"]
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
