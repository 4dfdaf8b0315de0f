"""Where a keyring is kept: a small protocol, and the JSON file that is the embedded default."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from privkit.errors import KeyringError, KeyringUnreadable
from privkit.keys.document import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK_SECONDS = 30.0
"""How long a writer waits for another one."""

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_POLL_SECONDS = 0.01


class Store(Protocol):
    """Keeps one keyring's document, which is authenticated and holds wrapped keys only: a store needs no trust."""

    def read(self) -> bytes:
        """The document.

        Raises:
            KeyringUnreadable: If there is none, or it cannot be read.
        """

    def create(self, first: Callable[[], bytes]) -> None:
        """Keep a first document, which `first` makes: it is called only where there is none.

        Raises:
            KeyringError: If there is one already, or it cannot be written.
        """

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        """Replace the document by what `change` makes of it, wholly or not at all, with no other writer between.

        `change` may be called again where another writer came first. Returns the document that is kept now.

        Raises:
            KeyringError: If it cannot be written; the document is then as before.
        """

    def stamp(self) -> object:
        """Something cheap that differs once the document was replaced."""

    def describe(self) -> str:
        """Where the keyring is, in a few words for a person."""


class FileStore:
    """A keyring in a JSON file.

    A writer locks `NAME.lock` beside it (a file that stays), writes `NAME.new`, flushes it to the disk, renames it over
    the old one, and flushes the directory. At every moment the file is wholly the old or wholly the new one.

    Args:
        path: The file. Its directory must exist.

    Raises:
        KeyringError: If the path names no file, such as `""` or `.`.
    """

    __slots__ = ("path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.name:
            raise KeyringError(f"{os.fspath(path)!r} names no file; name one for the keyring")

    def read(self) -> bytes:
        """The file's content; refuses a file that others may write."""
        try:
            with self.path.open("rb") as file:
                self._check_mode(os.fstat(file.fileno()))
                return file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise KeyringUnreadable(
                f"no keyring at {self.path}; create one with Keyring.create or `privkit keys init`"
            ) from None
        except OSError as error:
            raise KeyringUnreadable(f"cannot read keyring {self.path}: {error.strerror}") from None

    def create(self, first: Callable[[], bytes]) -> None:
        """Write a file that does not exist yet."""
        self._check_free()
        document = first()  # before there is a lock's file: where the wrapper refuses, nothing is left
        with self._locked():
            self._check_free()
            self._replace(document, None)

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        """Replace the file under its lock."""
        with self._locked():
            document = change(self.read())
            self._replace(document, self.path.stat())
            return document

    def stamp(self) -> object:
        """The file's identity, size and time of change."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def describe(self) -> str:
        """The path."""
        return str(self.path)

    def _check_free(self) -> None:
        if self.path.exists():
            raise KeyringError(f"{self.path} exists already; open it, or choose another path")

    def _check_mode(self, status: os.stat_result) -> None:
        if status.st_mode & _OTHERS_MAY_WRITE:
            raise KeyringUnreadable(
                f"keyring {self.path} may be written by others (mode {stat.S_IMODE(status.st_mode):04o}); "
                f"run: chmod go-w {self.path}"
            )

    def _replace(self, document: bytes, old: os.stat_result | None) -> None:
        target = self.path.resolve()  # a link to the keyring stays a link
        new = target.with_name(target.name + ".new")
        try:
            write_private(new, document, like=old)
            new.replace(target)
            sync_directory(target.parent)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of writers; whatever the system refuses meanwhile is one line that names the keyring."""
        target = self.path.resolve()
        lock = target.with_name(target.name + ".lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._wait_for_lock(descriptor)
                yield
            finally:
                # Unlocked in so many words: a child forked meanwhile would hold the descriptor, and the lock, open.
                with contextlib.suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        except OSError as error:
            raise KeyringError(f"cannot write keyring {self.path}: {error.strerror}") from None

    def _wait_for_lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise KeyringError(
                        f"another process has locked keyring {self.path} for {LOCK_SECONDS:.0f} s; end it and try again"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return


def write_private(path: Path, content: bytes, *, like: os.stat_result | None = None) -> None:
    """Write a file of one's own and flush it to the disk.

    Args:
        path: The file; what a killed writer left there is removed first.
        content: Its content.
        like: Whose mode and owner to take; by default mode 0600 and the process's own.

    Raises:
        OSError: If some step fails; the file may then be there in part.
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if like is not None:
            _take_owner_and_mode(descriptor, like)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_owner_and_mode(descriptor: int, like: os.stat_result) -> None:
    # An administrator's rotation must not take the file away from the service that reads it.
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def sync_directory(directory: Path) -> None:
    """Flush a directory to the disk, so that a renamed file is still there after a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
