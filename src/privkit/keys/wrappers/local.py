"""A key-encryption key in a file of its own: the default, which needs no server."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringError, KeyringUnreadable
from privkit.keys.material import Secret
from privkit.keys.store import sync_directory, write_private
from privkit.keys.wrappers.base import decode_kek, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_FILE_BYTES = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class LocalKey:
    """A key-encryption key in a local file, mode 0600.

    Whoever can read both this file and the keyring has the keys. What it protects is a keyring that goes elsewhere:
    into a backup, a repository, an image or a database. Keep this file out of those, and back it up apart.

    The file is made with the keyring. One that is there already is taken and never overwritten, since another keyring
    may be wrapped by it.

    Args:
        path: The file: one line, base64 of 32 bytes. By default beside the keyring, `keyring.json.kek` for
            `keyring.json`.

    Example:
        >>> LocalKey("/etc/shop/privkit.kek").describe()
        'local key file /etc/shop/privkit.kek'
    """

    kind = "local"
    __slots__ = ("path",)

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)

    def beside(self, keyring: Path) -> LocalKey:
        """The wrapper with its path filled in for a keyring file at `keyring`."""
        return self if self.path is not None else LocalKey(keyring.with_name(keyring.name + ".kek"))

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Wrap a ring key, making the file where there is none."""
        path = self._where()
        if not path.exists():
            _make(path)
        return {"wrapper": self.kind, "wrapped": seal(_load(path), secret, context)}

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Unwrap a ring key; refuses a file that others may read."""
        path = self._where()
        return unseal(_load(path), record, context, remedy=f"check that {path} is the key file made with it")

    def describe(self) -> str:
        """The path of the key file."""
        return f"local key file {self.path or 'beside the keyring'}"

    def __repr__(self) -> str:
        return f"LocalKey({str(self.path) if self.path else ''!r})"

    def _where(self) -> Path:
        if self.path is None:
            raise KeyringError("a local key for a keyring that is not a file needs a path: LocalKey(path)")
        return self.path


def _make(path: Path) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        write_private(new, base64.b64encode(Secret.random().expose()) + b"\n")
        try:
            os.link(new, path)  # unlike a rename it fails where somebody else just made one
        except FileExistsError:
            pass
        finally:
            new.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise KeyringError(f"cannot write key file {path}: {error.strerror}") from None


def _load(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            _check(path, os.fstat(file.fileno()))
            return decode_kek(file.read(_MAX_FILE_BYTES), where=f"key file {path}")
    except FileNotFoundError:
        raise KeyringUnreadable(
            f"no key file at {path}; restore it from its backup, or pass wrapper=LocalKey(path)"
        ) from None
    except OSError as error:
        raise KeyringUnreadable(f"cannot read key file {path}: {error.strerror}") from None


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyringUnreadable(f"key file {path} is not a regular file")
    if status.st_mode & _OTHERS:
        raise KeyringUnreadable(
            f"key file {path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}); run: chmod 600 {path}"
        )
    if os.geteuid() != 0 and status.st_uid not in (0, os.geteuid()):
        raise KeyringUnreadable(f"key file {path} belongs to another user; run: chown {os.geteuid()} {path}")
