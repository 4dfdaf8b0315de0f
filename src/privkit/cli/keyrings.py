"""Which keyring, and the key-encryption key that it is wrapped by, as said on a command line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from privkit.errors import InvalidParameter, KeyringError, KeyringUnreadable
from privkit.keys import EnvironmentKey, FileStore, Keyring, LocalKey
from privkit.keys.document import Envelope
from privkit.keys.wrappers import AwsKms, Passphrase, Pkcs11
from privkit.keys.wrappers.passphrase import MIN_CHARACTERS
from privkit.suggest import nearest

if TYPE_CHECKING:
    from pathlib import Path

    from privkit.keys import Wrapper

PASSPHRASE: Final = "PRIVKIT_PASSPHRASE"  # noqa: S105 - the variable's name
PIN: Final = "PRIVKIT_PKCS11_PIN"
KEK_HELP: Final = (
    "What wraps it: local (a file beside it), local:FILE, passphrase, env:VARIABLE, aws:KEY or "
    f"pkcs11:MODULE,TOKEN,LABEL. A passphrase is asked for, or taken from {PASSPHRASE}; a PIN likewise from {PIN}."
)
_KINDS: Final = ("local", "passphrase", "env", "aws", "pkcs11")


def open_keyring(path: Path, kek: str | None) -> Keyring:
    """Open a keyring.

    Args:
        path: Its file.
        kek: What wraps it, as in `KEK_HELP`; where it says nothing the keyring itself tells for local files,
            variables and passphrases.

    Raises:
        KeyringUnreadable: If it cannot be opened; the message names the file.
    """
    try:
        return _opened(path, kek)
    except KeyringUnreadable as error:
        # The library's caller knows which store was asked; on a command line other files may be meant.
        raise KeyringUnreadable(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _opened(path: Path, kek: str | None) -> Keyring:
    if kek is None:
        kind = Envelope(FileStore(path).read()).ring_key.get("wrapper")
        if kind == Passphrase.kind:
            kek = "passphrase"
        elif kind not in (LocalKey.kind, EnvironmentKey.kind):
            raise KeyringError(
                f"keyring is wrapped by {kind!a}; name its key with --kek, as in --kek aws:alias/privkit"
            )
    return Keyring.open(path, wrapper=None if kek is None else wrapper_of(kek))


def wrapper_of(kek: str, *, new: bool = False) -> Wrapper:
    """The wrapper that a word on the command line stands for.

    Args:
        kek: As in `KEK_HELP`.
        new: Whether it is chosen now: a passphrase is then asked for twice.

    Raises:
        InvalidParameter: If it is none of them.
    """
    kind, _, rest = kek.partition(":")
    if kind == "local":
        return LocalKey(rest or None)
    if kind == "passphrase" and not rest:
        passphrase = _asked("passphrase", PASSPHRASE, twice=new)
        if len(passphrase) < MIN_CHARACTERS and not new:  # none so short was ever taken, so it is just a wrong one
            raise KeyringUnreadable("keyring is wrapped by another key, or damaged; check the passphrase")
        return Passphrase(passphrase)
    if kind == "env":
        return EnvironmentKey(rest) if rest else EnvironmentKey()
    if kind == "aws" and rest:
        return AwsKms(rest)
    if kind == "pkcs11" and rest.count(",") == 2:  # noqa: PLR2004 - module, token and label
        module, token, label = rest.split(",")
        return Pkcs11(module, token=token, key=label, pin=_asked("PIN", PIN, twice=False))
    if kind in _KINDS:
        raise InvalidParameter(
            f"--kek {kind} is not complete; it is local, local:FILE, passphrase, env:VARIABLE, "
            "aws:KEY or pkcs11:MODULE,TOKEN,LABEL"
        )
    raise InvalidParameter(f"--kek: unknown kind {kind!r}{nearest(kind, _KINDS)}")


def _asked(what: str, variable: str, *, twice: bool) -> str:
    if variable in os.environ:
        return os.environ[variable]
    if sys.stdin is None or not sys.stdin.isatty():
        raise KeyringError(f"a {what} is needed and there is no terminal to ask on; set {variable}")
    answer: str = click.prompt(what.capitalize(), hide_input=True, confirmation_prompt=twice, err=True)
    return answer
