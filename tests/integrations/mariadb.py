"""A MariaDB of our own, from Debian's `mariadb-server-core`: in a folder, behind a socket, gone with this process."""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

PATIENCE = 60
"""Seconds that the server has to start."""
OPTIONS = ("--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4")


def database(name: str) -> Path:
    """Make an empty database, and give the socket where the user `root` reaches it without a password."""
    pymysql = pytest.importorskip("pymysql", reason="programs speak to MariaDB through PyMySQL")
    socket = _server()
    with pymysql.connect(unix_socket=str(socket), user="root") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE DATABASE {name}")
    return socket


@cache
def _server() -> Path:
    install = shutil.which("mariadb-install-db")
    program = shutil.which("mariadbd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if install is None or program is None:
        pytest.skip("no MariaDB: install mariadb-server-core, or name an empty database in PRIVKIT_TEST_MARIADB")
    home = Path(tempfile.mkdtemp(prefix="privkit-my-"))  # a short path, as sockets need
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    said = ["--no-defaults", f"--datadir={home / 'data'}", f"--user={getpass.getuser()}"]
    subprocess.run(
        [install, *said, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
    )
    socket = home / "socket"
    with (home / "log").open("wb") as log:
        running = subprocess.Popen([*_ends_with_us(), program, *said, f"--socket={socket}", *OPTIONS], stderr=log)
    atexit.register(_stop, running)
    _wait(socket, running, home / "log")
    return socket


def _ends_with_us() -> list[str]:
    """What has a program end when this process is killed, where the system has that."""
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "TERM"]


def _wait(socket: Path, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not socket.exists():
        assert running.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.kill()  # nothing in it is to be kept
    running.wait()
