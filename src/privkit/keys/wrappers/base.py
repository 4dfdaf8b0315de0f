"""Wrappers of a keyring's ring key: one small protocol, and the sealing that the local ones share."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit.errors import KeyringUnreadable
from privkit.keys.derivation import expand
from privkit.keys.material import KEY_BYTES, Secret, key_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEAL = b"privkit/wrapper/1"


class Wrapper(Protocol):
    """Holds a key-encryption key, or knows who does.

    Attributes:
        kind: Its name in the keyring's document, such as `local`.
    """

    kind: str

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Wrap a ring key.

        Args:
            secret: 32 bytes.
            context: What the wrapped key is for. It is authenticated, and must be the same when unwrapping.

        Returns:
            What to store: values that JSON can write, among them all that `unwrap` needs, `wrapped` in base64.

        Raises:
            KeyringError: If the key-encryption key is missing, refused or out of reach.
        """

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Unwrap what `wrap` returned.

        Raises:
            KeyringUnreadable: If the key-encryption key is missing, refused, out of reach or another one, or if
                `record` was altered.
        """

    def describe(self) -> str:
        """Which key-encryption key this is, in a few words for a person; never its bytes."""


def seal(kek: Secret, secret: Secret, context: Mapping[str, str]) -> str:
    """Wrap under a 32-byte key at hand: AES-256-SIV (RFC 5297) under 64 bytes expanded from it, in base64.

    SIV for the reasons that `ringkey` gives. The associated data is the context, each part `name=value`, by name.
    """
    return base64.b64encode(_siv(kek).encrypt(secret.expose(), _associated(context))).decode()


def unseal(kek: Secret, record: Mapping[str, Any], context: Mapping[str, str], *, remedy: str) -> Secret:
    """Undo `seal`.

    Raises:
        KeyringUnreadable: If `kek` is another key or something was altered; the message ends with `remedy`.
    """
    try:
        content = _siv(kek).decrypt(wrapped_bytes(record), _associated(context))
    except InvalidTag:
        raise KeyringUnreadable(f"keyring is wrapped by another key, or damaged; {remedy}") from None
    return key_secret(content, what="ring key")


def wrapped_bytes(record: Mapping[str, Any]) -> bytes:
    """The wrapped ring key of a record.

    Raises:
        KeyringUnreadable: If it is not there or not base64.
    """
    try:
        return base64.b64decode(record["wrapped"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise KeyringUnreadable("keyring's ring key is damaged; restore the keyring from a backup") from None


def decode_kek(text: bytes, *, where: str) -> Secret:
    """A key-encryption key from base64.

    Raises:
        KeyringUnreadable: If it is not base64 of 32 bytes.
    """
    try:
        content = Secret(base64.b64decode(text.strip(), validate=True))
    except (ValueError, binascii.Error):
        content = Secret(b"")
    del text
    if len(content) != KEY_BYTES:
        raise KeyringUnreadable(f"{where} does not hold a key: expected base64 of {KEY_BYTES} bytes")
    return content


def _siv(kek: Secret) -> AESSIV:
    return AESSIV(expand(kek, _SEAL, 64).expose())


def _associated(context: Mapping[str, str]) -> list[bytes]:
    return [f"{name}={value}".encode() for name, value in sorted(context.items())]
