"""A key-encryption key from a passphrase: argon2id where OpenSSL has it, otherwise scrypt."""

from __future__ import annotations

import base64
import os
import unicodedata
from typing import TYPE_CHECKING, Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from privkit.errors import InvalidParameter, KeyringError, KeyringUnreadable
from privkit.keys.material import KEY_BYTES, Secret, text_secret
from privkit.keys.wrappers.base import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_CHARACTERS = 8
"""The shortest passphrase: NIST SP 800-63B-4, section 3.1.1.2, asks for 8 at the very least, and for 15 where it stands
alone, as it does here. A shorter one than 15 is your decision; a shorter one than 8 is refused."""

_ARGON2ID = {"iterations": 3, "lanes": 4, "memory_kib": 65_536}
"""RFC 9106, section 4, the second recommended option: 64 MiB."""

_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
"""128 MiB: what the OWASP Password Storage Cheat Sheet gives first where argon2id is not to be had."""

_MOST = {"iterations": 1000, "lanes": 64, "memory_kib": 1 << 22, "n": 1 << 22, "r": 32, "p": 64}
"""The most that a keyring may ask for: its parameters are read before they can be authenticated."""

_SALT_BYTES = 16


class Passphrase:
    """A key-encryption key stretched from a passphrase.

    The keyring holds the salt and the cost, so the passphrase alone opens it. The cost, 64 MiB and some tenth of a
    second, falls once for each opening. An attacker with the keyring's file can try passphrases at that price: use a
    long one.

    Args:
        passphrase: At least 8 characters, better 15 or more. Put into Unicode NFC first (RFC 8265, section 4.2).
        kdf: `argon2id` (RFC 9106) or `scrypt` (RFC 7914) for new keyrings; by default the first that is at hand.

    Example:
        >>> from privkit.keys import Passphrase
        >>> Passphrase("correct horse battery staple")
        <Passphrase: not shown>
    """

    kind = "passphrase"
    __slots__ = ("_kdf", "_passphrase")

    def __init__(self, passphrase: str, *, kdf: Literal["argon2id", "scrypt"] | None = None) -> None:
        if len(passphrase) < MIN_CHARACTERS:
            raise InvalidParameter(f"passphrase too short ({len(passphrase)} < {MIN_CHARACTERS} characters)")
        if kdf not in (None, "argon2id", "scrypt"):
            raise InvalidParameter("a passphrase is stretched by 'argon2id' or 'scrypt'")
        self._kdf = kdf
        self._passphrase = text_secret(unicodedata.normalize("NFC", passphrase), what="passphrase")

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Wrap a ring key under a new salt."""
        parameters = self._parameters()
        return {"wrapper": self.kind, **parameters, "wrapped": seal(self._stretch(parameters), secret, context)}

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Unwrap a ring key with the salt and the cost that the record holds."""
        return unseal(self._stretch(record), record, context, remedy="check the passphrase")

    def describe(self) -> str:
        """That it is a passphrase."""
        return "passphrase"

    def __repr__(self) -> str:
        return "<Passphrase: not shown>"

    def _parameters(self) -> dict[str, Any]:
        salt = base64.b64encode(os.urandom(_SALT_BYTES)).decode()
        if self._kdf == "scrypt" or (self._kdf is None and not _has_argon2id()):
            return {"kdf": "scrypt", "salt": salt, **_SCRYPT}
        return {"kdf": "argon2id", "salt": salt, **_ARGON2ID}

    def _stretch(self, record: Mapping[str, Any]) -> Secret:
        try:
            return Secret(_derivation(record).derive(self._passphrase.expose()))
        except UnsupportedAlgorithm:
            raise KeyringError(
                "argon2id needs OpenSSL 3.2 or newer; upgrade cryptography, or make the keyring with kdf='scrypt'"
            ) from None
        except (ValueError, MemoryError):
            raise _damaged() from None


def _derivation(record: Mapping[str, Any]) -> Argon2id | Scrypt:
    salt = _salt(record)
    if record.get("kdf") == "argon2id":
        iterations, lanes, memory = _costs(record, _ARGON2ID)
        return Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory)
    if record.get("kdf") == "scrypt":
        n, r, p = _costs(record, _SCRYPT)
        return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p)
    raise _damaged()


def _has_argon2id() -> bool:
    try:
        Argon2id(salt=bytes(_SALT_BYTES), length=KEY_BYTES, iterations=1, lanes=1, memory_cost=8)
    except UnsupportedAlgorithm:
        return False
    return True


def _salt(record: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(record["salt"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise _damaged() from None


def _costs(record: Mapping[str, Any], names: Mapping[str, int]) -> list[int]:
    costs = [record.get(name) for name in names]
    known = [cost for name, cost in zip(names, costs, strict=True) if type(cost) is int and 0 < cost <= _MOST[name]]
    if len(known) < len(names):
        raise _damaged()
    return known


def _damaged() -> KeyringUnreadable:
    return KeyringUnreadable("keyring's passphrase parameters are damaged; restore the keyring from a backup")
