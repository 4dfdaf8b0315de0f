"""How a file gets into its place: written beside it under another name, and renamed when it is whole."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from privkit.errors import TableError


class Landing:
    """A place for a file, and the temporary file beside it.

    The temporary file is in the same folder, so that renaming it is one step: whoever looks sees the old file or the
    new one, and never a half. Only a killed process (SIGKILL, power) leaves a temporary file behind, and no half file
    in the place itself.
    """

    def __init__(self, path: str | os.PathLike[str], *, force: bool, apart_from: tuple[Path, ...] = ()) -> None:
        """Look whether a file may be put there.

        Args:
            path: The place; a link is followed.
            force: Whether a file that is there already may be replaced.
            apart_from: Files that must not be replaced, above all the one that is read from.

        Raises:
            TableError: If it is one of `apart_from`, or a file that is there already and may not be replaced.
            FileNotFoundError: If its folder does not exist.
        """
        self.path = Path(path)
        self._target = self.path.resolve()
        self._force = force
        self._file: BinaryIO | None = None
        self._temporary: Path | None = None
        for other in apart_from:
            if _same(self._target, other.resolve()):
                raise TableError(f"{path} is the same file as {other}; write to another one")
        if self._target.is_dir():
            raise IsADirectoryError(f"{path} is a folder; name a file in it")
        if self._target.exists() and not self._target.is_file():
            raise TableError(f"{path} is a device or a pipe, which cannot be replaced; name a file")
        if not self._target.parent.is_dir():
            raise FileNotFoundError(f"the folder of {path} does not exist; make it first")
        self._refuse_existing()

    def open(self) -> BinaryIO:
        """Open the temporary file for writing."""
        # Known before it is there: an interruption between the two must not leave it behind.
        self._temporary = self._target.with_name(f".{self._target.name}.{secrets.token_hex(6)}.part")
        self._file = self._temporary.open("xb")
        return self._file

    def write(self, text: str) -> None:
        """Write a text, wholly or not at all."""
        try:
            self.open().write(text.encode())
            self.commit()
        finally:
            self.discard()

    def commit(self) -> None:
        """Put the file, which is whole now, into its place; durably, so that a power cut does not take it back."""
        if self._file is None or self._temporary is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._refuse_existing()  # it may have appeared meanwhile
        self._temporary.replace(self._target)
        self._temporary = None
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Remove the temporary file, unless it was put into its place."""
        if self._file is not None:
            with suppress(OSError):  # where there is no room even for what is left to write
                self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None

    def _refuse_existing(self) -> None:
        if not self._force and self._target.exists():
            raise TableError(f"{self.path} exists already; replace it with force=True, or name another file")


def _same(one: Path, other: Path) -> bool:
    """Whether two paths, of which either may not exist yet, are or would be one file."""
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
