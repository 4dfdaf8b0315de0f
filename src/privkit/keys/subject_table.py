"""Where the wrapped keys of single persons are kept: a small protocol, and the SQLite file that is the default."""

from __future__ import annotations

import contextlib
import mmap
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from privkit.errors import KeyringError
from privkit.keys.forklock import ForkLock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 500
"""How many persons one query names: every database takes that many parameters."""

_MOST_SEARCHED = 4
"""For so many persons at most the file is searched: 12 ms for each among 100,000, where building it anew takes 55."""

_CHECKPOINT_SECONDS = 5.0
_LOCK_SECONDS = 30.0
_POLL_SECONDS = 0.01

_SCHEMA = """
CREATE TABLE IF NOT EXISTS privkit_subjects (
    subject BLOB PRIMARY KEY, key_id INTEGER NOT NULL, ring_key_id INTEGER NOT NULL, wrapped BLOB,
    created INTEGER NOT NULL, forgotten INTEGER, reason TEXT NOT NULL
) WITHOUT ROWID
"""


class SubjectRow(NamedTuple):
    """One person's key, or the tombstone of it.

    Attributes:
        subject: Keyed hash of the person's id, 16 bytes.
        key_id: The id of the person's key, which stands in what it wrote.
        ring_key_id: The keyring's version that it is wrapped by.
        wrapped: The wrapped key, 48 bytes; `None` once forgotten.
        created: When it was made, in seconds since 1970.
        forgotten: When it was destroyed; `None` while it is there.
        reason: Why it was destroyed.
    """

    subject: bytes
    key_id: int
    ring_key_id: int
    wrapped: bytes | None
    created: int
    forgotten: int | None = None
    reason: str = ""


class SubjectTable(Protocol):
    """Keeps wrapped keys of persons. Each fits its own row only, so a table needs no trust but not to lose any."""

    def get(self, subjects: Sequence[bytes]) -> dict[bytes, SubjectRow]:
        """The rows of some persons, of those who have one.

        Raises:
            KeyringError: If the table cannot be read; so for every method, or written.
        """

    def add(self, rows: Sequence[SubjectRow]) -> None:
        """Add rows; one whose person has a row already is left out. When this returns, they last."""

    def rewrap(self, rows: Sequence[SubjectRow], old: int) -> None:
        """Replace the wrapped keys of persons who are not forgotten and still wrapped by version `old`."""

    def forget(self, subjects: Sequence[bytes], when: int, reason: str) -> int:
        """Make tombstones of rows that are none yet, all or none, and see that no copy of their wrapped keys stays.

        Returns:
            How many tombstones were made.
        """

    def under(self, ring_key_id: int, limit: int) -> list[SubjectRow]:
        """At most `limit` rows, not forgotten, whose keys are wrapped by a version of the keyring."""

    def ring_key_ids(self) -> set[int]:
        """The versions that some key, not forgotten, is wrapped by."""

    def describe(self) -> str:
        """Where the table is, in a few words for a person."""


class SqliteSubjects:
    """Keys of persons in an SQLite file of their own, made when the first key is.

    `secure_delete` overwrites what is deleted, the write-ahead log is emptied whenever a person is forgotten, and each
    change is flushed to the disk before it counts. When SQLite moves rows to other pages it leaves copies behind that
    `secure_delete` does not overwrite, so the file is searched for them, and built anew where there are any. Nothing of
    this reaches copies of the file made before, or what the disk itself keeps: see the documentation on forgetting.

    Args:
        path: The file.
    """

    __slots__ = ("_connection", "_lock", "_process", "path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = ForkLock()
        self._process = 0
        self._connection: sqlite3.Connection | None = None

    def get(self, subjects: Sequence[bytes]) -> dict[bytes, SubjectRow]:
        """Rows by person, some hundred a query."""
        found: dict[bytes, SubjectRow] = {}
        if not self.path.exists():
            return found
        with self._open() as connection:
            for chunk in chunks(subjects):
                marks = ",".join("?" * len(chunk))
                query = f"SELECT * FROM privkit_subjects WHERE subject IN ({marks})"  # noqa: S608 - marks only
                found.update((row[0], SubjectRow(*row)) for row in connection.execute(query, chunk))
        return found

    def add(self, rows: Sequence[SubjectRow]) -> None:
        """Insert rows in one transaction."""
        statement = "INSERT OR IGNORE INTO privkit_subjects VALUES (?, ?, ?, ?, ?, ?, ?)"
        with self._open() as connection:
            connection.executemany(statement, sorted(rows))  # in the order of the table, which is written faster so

    def rewrap(self, rows: Sequence[SubjectRow], old: int) -> None:
        """Update rows in one transaction."""
        statement = (
            "UPDATE privkit_subjects SET ring_key_id = ?, wrapped = ? "
            "WHERE subject = ? AND ring_key_id = ? AND wrapped IS NOT NULL"
        )
        with self._open() as connection:
            connection.executemany(statement, [(row.ring_key_id, row.wrapped, row.subject, old) for row in rows])
        if not self.under(old, 1):
            self._rebuild("wrapped anew", "destroy the version that wrapped them, which makes the copies worthless")
            with self._reported(), self._lock:
                _emptied(self._connected())  # or nearly: while somebody reads in the log, old copies stay in it

    def forget(self, subjects: Sequence[bytes], when: int, reason: str) -> int:
        """Update rows, empty the write-ahead log, and build the file anew if copies of the keys are left in it.

        The file is searched for the copies of a few; for more it takes less to build it anew than to search it.
        """
        statement = (
            "UPDATE privkit_subjects SET wrapped = NULL, forgotten = ?, reason = ? "
            "WHERE subject = ? AND wrapped IS NOT NULL"
        )
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")  # nobody rewraps a key between the two
            few = _wrapped(connection, subjects) if len(subjects) <= _MOST_SEARCHED else None
            made = connection.executemany(statement, [(when, reason, subject) for subject in sorted(subjects)]).rowcount
        self._checkpoint()
        if few is None or any(type(key) is not bytes or _is_left(self.path, subject, key) for subject, key in few):
            # Also where one was forgotten before, since what its key was wrapped as is not known then.
            self._rebuild("destroyed", "forget the same persons again")
            self._checkpoint()
        return made

    def under(self, ring_key_id: int, limit: int) -> list[SubjectRow]:
        """Some rows by version."""
        query = "SELECT * FROM privkit_subjects WHERE ring_key_id = ? AND wrapped IS NOT NULL LIMIT ?"
        if not self.path.exists():
            return []
        with self._open() as connection:
            return [SubjectRow(*row) for row in connection.execute(query, (ring_key_id, limit))]

    def ring_key_ids(self) -> set[int]:
        """The versions in use."""
        query = "SELECT DISTINCT ring_key_id FROM privkit_subjects WHERE wrapped IS NOT NULL"
        if not self.path.exists():
            return set()
        with self._open() as connection:
            return {row[0] for row in connection.execute(query)}

    def describe(self) -> str:
        """The path."""
        return str(self.path)

    def _rebuild(self, done: str, then: str) -> None:
        """Write every page anew, with nothing between the rows; what was done to the keys before that is done."""
        message = (
            f"the keys are {done}, but {self.path} could not be built anew and may hold old copies of them; "
            f"see that the disk has room for it and nobody writes for long, and {then}"
        )
        with self._reported(message), self._lock:
            self._connected().execute("VACUUM")

    def _checkpoint(self) -> None:
        deadline = time.monotonic() + _CHECKPOINT_SECONDS
        while True:
            with self._reported(), self._lock:
                busy = _emptied(self._connected())
            if not busy:
                return
            if time.monotonic() > deadline:
                raise KeyringError(
                    f"destroyed, but readers keep old copies of what was destroyed in the log of {self.path}; "
                    "forget the person again when they have ended"
                )
            time.sleep(_POLL_SECONDS)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The connection, in a transaction, for one thread at a time."""
        with self._reported(), self._lock:
            connection = self._connected()
            with connection:
                yield connection

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            # A connection must not cross a fork. The parent's is let go unclosed: closing it would drop its locks.
            _abandoned.append(self._connection)
            self._connection = _connect(self.path)
            self._process = os.getpid()
        return self._connection

    @contextlib.contextmanager
    def _reported(self, message: str | None = None) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            usual = f"cannot use the table of persons' keys {self.path} ({type(error).__name__})"
            raise KeyringError(message or f"{usual}; check it and its rights") from None


_abandoned: list[sqlite3.Connection | None] = []
"""Connections of the process that this one was forked from, kept from being closed."""


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite would make it by the umask
    connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, check_same_thread=False)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # To change the journal's mode SQLite wants the file alone, and does not wait for that by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")  # where a VACUUM copies the table: to no other file
    connection.execute(_SCHEMA)
    return connection


def _emptied(connection: sqlite3.Connection) -> bool:
    """Empty the write-ahead log; returns whether that failed, since some reader still stands in it."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    finally:
        connection.execute(f"PRAGMA busy_timeout = {_LOCK_SECONDS * 1000:.0f}")


def _is_left(path: Path, subject: bytes, wrapped: bytes) -> bool:
    """Whether a file holds a key that was forgotten, whole or in part: without its SIV the rest of one is noise.

    A second row of the same person is one too, for it may hold the key as an older version wrapped it.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        own = content.find(subject)
        return content.find(wrapped[:8]) >= 0 or content.find(wrapped[8:16]) >= 0 or content.find(subject, own + 1) >= 0


def _wrapped(connection: sqlite3.Connection, subjects: Sequence[bytes]) -> list[tuple[bytes, bytes | None]]:
    """The wrapped keys of those who have a row."""
    query = "SELECT subject, wrapped FROM privkit_subjects WHERE subject = ?"
    return [row for subject in subjects for row in connection.execute(query, (subject,))]


def chunks(subjects: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Persons, some hundred at a time."""
    for start in range(0, len(subjects), CHUNK):
        yield subjects[start : start + CHUNK]
