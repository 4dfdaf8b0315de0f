"""Secrets in a type of their own, so that none of them slips into a log, a pickle or a traceback."""

from __future__ import annotations

import hmac
import secrets
from typing import Never

from privkit.errors import InvalidParameter, KeyringError

KEY_BYTES = 32
"""Bytes in a root key, in a keyring's ring key, and in a local key-encryption key."""


class Secret:
    """Bytes that are only seen by who asks for them in so many words.

    The repr is masked, pickling is refused, and comparison takes constant time. CPython cannot be made to wipe a
    `bytes` object: dropping a secret frees its memory, and does not overwrite it.

    Example:
        >>> Secret(b"not to be seen")
        <Secret: 14 bytes, not shown>
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = bytes(content)

    @classmethod
    def random(cls) -> Secret:
        """Draw `KEY_BYTES` bytes from the operating system."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def expose(self) -> bytes:
        """The bytes themselves. Pass them straight on: a local variable of a failing call is in its traceback."""
        return self._content

    def __len__(self) -> int:
        return len(self._content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._content, other._content)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} bytes, not shown>"

    def __reduce__(self) -> Never:
        raise TypeError("a secret cannot be pickled")


def text_secret(text: str, *, what: str) -> Secret:
    """Take text that a person chose as a secret.

    Raises:
        InvalidParameter: If UTF-8 cannot write it.
    """
    try:
        return Secret(text.encode())
    except UnicodeEncodeError:
        pass  # it holds the text
    raise InvalidParameter(f"{what} holds a lone surrogate, as bytes that are not UTF-8 become; check its encoding")


def key_secret(content: bytes, *, what: str) -> Secret:
    """Take bytes as a key of `KEY_BYTES` bytes.

    Raises:
        KeyringError: If there are more or fewer.
    """
    if len(content) != KEY_BYTES:
        raise KeyringError(f"{what} of {len(content)} bytes; expected {KEY_BYTES}")
    return Secret(content)
