"""A key-encryption key in a hardware security module, spoken to by PKCS #11 (version 2.40 or 3)."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringError, KeyringUnreadable, MissingExtra
from privkit.keys.forklock import ForkLock
from privkit.keys.material import KEY_BYTES, Secret, key_secret, text_secret
from privkit.keys.wrappers.base import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_lock = ForkLock()
_process = os.getpid()


class Pkcs11:
    """A key-encryption key in an HSM or smart card. It needs the extra `pkcs11`.

    The key is an AES key of the token, not extractable; it wraps by AES Key Wrap (`CKM_AES_KEY_WRAP`, NIST SP 800-38F
    and RFC 3394), which every token with AES keys that wrap can do. Key wrap has no associated data, so it wraps a
    32-byte key of its own for each wrapping, and that one seals the ring key with its context.

    The token is asked once when a keyring is opened, twice when it is created or rewrapped. It must give the unwrapped
    key out (`CKA_EXTRACTABLE`), since values are encrypted in this process: no HSM could do that at a column's speed.

    Args:
        module: Path of the token's PKCS #11 module, such as `/usr/lib/softhsm/libsofthsm2.so`.
        token: The token's label.
        key: The key's label.
        pin: The user PIN.

    Raises:
        MissingExtra: If python-pkcs11 is not installed.
    """

    kind = "pkcs11"
    __slots__ = ("_pin", "key", "module", "token")

    def __init__(self, module: str | os.PathLike[str], *, token: str, key: str, pin: str) -> None:
        _pkcs11()
        self.module = os.fspath(module)
        self.token = token
        self.key = key
        self._pin = text_secret(pin, what="PIN")

    def create_key(self) -> None:
        """Make the key-encryption key on the token: AES-256, not extractable, for wrapping alone.

        Raises:
            KeyringError: If there is one of that label already, or the token refuses.
        """
        p11 = _pkcs11()

        def make(session: Any) -> None:  # noqa: ANN401 - python-pkcs11 makes its classes at run time
            if list(
                session.get_objects({p11.Attribute.LABEL: self.key, p11.Attribute.CLASS: p11.ObjectClass.SECRET_KEY})
            ):
                raise KeyringError(
                    f"token {self.token!r} has a key {self.key!r} already; use it, or choose another label"
                )
            session.generate_key(
                p11.KeyType.AES,
                8 * KEY_BYTES,
                label=self.key,
                store=True,
                capabilities=p11.MechanismFlag.WRAP | p11.MechanismFlag.UNWRAP,
                template={p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False},
            )

        self._ask(KeyringError, make, writing=True)

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Have the token wrap a new key, and seal the ring key by that."""
        between = Secret.random()
        wrapped = self._ask(KeyringError, lambda session: self._wrap(session, between))
        return {
            "wrapper": self.kind,
            "token": self.token,
            "key": self.key,
            "token_wrapped": base64.b64encode(wrapped).decode(),
            "wrapped": seal(between, secret, context),
        }

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Have the token unwrap that key, and open the ring key by it."""
        try:
            wrapped = base64.b64decode(record["token_wrapped"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise KeyringUnreadable("keyring's ring key is damaged; restore the keyring from a backup") from None
        between = self._ask(KeyringUnreadable, lambda session: self._unwrap(session, wrapped))
        return unseal(between, record, context, remedy=f"check the key {self.key!r} of token {self.token!r}")

    def describe(self) -> str:
        """The labels of the token and the key."""
        return f"PKCS #11 token {self.token!r}, key {self.key!r}"

    def __repr__(self) -> str:
        return f"Pkcs11({self.module!r}, token={self.token!r}, key={self.key!r}, pin=<not shown>)"

    def _wrap(self, session: Any, between: Secret) -> bytes:  # noqa: ANN401 - see create_key
        p11 = _pkcs11()
        inside = session.create_object(
            {
                p11.Attribute.CLASS: p11.ObjectClass.SECRET_KEY,
                p11.Attribute.KEY_TYPE: p11.KeyType.AES,
                p11.Attribute.VALUE: between.expose(),
                p11.Attribute.TOKEN: False,
                p11.Attribute.SENSITIVE: False,
                p11.Attribute.EXTRACTABLE: True,
            }
        )
        return bytes(self._kek(session).wrap_key(inside, mechanism=p11.Mechanism.AES_KEY_WRAP))

    def _unwrap(self, session: Any, wrapped: bytes) -> Secret:  # noqa: ANN401 - see create_key
        p11 = _pkcs11()
        inside = self._kek(session).unwrap_key(
            p11.ObjectClass.SECRET_KEY,
            p11.KeyType.AES,
            wrapped,
            mechanism=p11.Mechanism.AES_KEY_WRAP,
            store=False,
            template={p11.Attribute.SENSITIVE: False, p11.Attribute.EXTRACTABLE: True},
        )
        return key_secret(inside[p11.Attribute.VALUE], what="key from the token")

    def _kek(self, session: Any) -> Any:  # noqa: ANN401 - see create_key
        p11 = _pkcs11()
        return session.get_key(object_class=p11.ObjectClass.SECRET_KEY, key_type=p11.KeyType.AES, label=self.key)

    def _ask(self, error: type[KeyringError], ask: Callable[[Any], Any], *, writing: bool = False) -> Any:  # noqa: ANN401 - whatever `ask` returns
        p11 = _pkcs11()
        try:
            with _lock:  # tokens differ in how they take two threads at once, and this is seldom done
                token = _library(self.module).get_token(token_label=self.token)
                with token.open(rw=writing, user_pin=self._pin.expose().decode()) as session:
                    return ask(session)
        except p11.exceptions.PKCS11Error as failure:
            raise error(f"{self._what_failed(failure)} ({type(failure).__name__})") from None

    def _what_failed(self, failure: Exception) -> str:
        reason = type(failure).__name__
        if reason.startswith("Pin"):
            return f"token {self.token!r} refused the PIN; check it, for a token locks after a few wrong ones"
        if reason == "NoSuchToken":
            return f"no token {self.token!r} in {self.module}; check that it is plugged in and its label"
        if reason == "NoSuchKey":
            return f"no AES key {self.key!r} on token {self.token!r}; check its label, or make it with create_key()"
        if reason == "PKCS11Error":
            return f"cannot load the PKCS #11 module {self.module}; install it, or correct the path"
        return f"token {self.token!r} failed; check its key {self.key!r} and whether it may wrap"


def _library(module: str) -> Any:  # noqa: ANN401 - see create_key
    global _process  # noqa: PLW0603 - PKCS #11, section 6.6.1: a child must initialise the library anew
    library = _pkcs11().lib(module)
    if os.getpid() != _process:
        library.reinitialize()
        _process = os.getpid()
    return library


def _pkcs11() -> Any:  # noqa: ANN401 - see create_key
    try:
        import pkcs11  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("Pkcs11", extra="pkcs11") from None
    return pkcs11
