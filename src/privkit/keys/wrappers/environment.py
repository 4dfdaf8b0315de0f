"""A key-encryption key in an environment variable, as container platforms hand secrets out."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from privkit.errors import InvalidParameter, KeyringUnreadable
from privkit.keys.wrappers.base import decode_kek, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privkit.keys.material import Secret

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
"""POSIX.1-2024, Base Definitions, section 8.1, and small letters."""


class EnvironmentKey:
    """A key-encryption key in an environment variable: base64 of 32 random bytes.

    Make one with `openssl rand -base64 32`. A process's environment is seen by its children, by the same user in
    `/proc`, and often by crash reporters: a file of mode 0600 or a KMS keeps a secret better.

    Args:
        variable: The variable's name.

    Example:
        >>> EnvironmentKey("PRIVKIT_KEK").describe()
        'environment variable PRIVKIT_KEK'
    """

    kind = "environment"
    __slots__ = ("variable",)

    def __init__(self, variable: str = "PRIVKIT_KEK") -> None:
        if not _NAME.fullmatch(variable):
            raise InvalidParameter(
                "an environment variable's name is letters, digits and '_', and begins with no digit"
            )
        self.variable = variable

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Wrap a ring key."""
        return {"wrapper": self.kind, "variable": self.variable, "wrapped": seal(self._load(), secret, context)}

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Unwrap a ring key."""
        return unseal(self._load(), record, context, remedy=f"check the variable {self.variable}")

    def describe(self) -> str:
        """The variable's name."""
        return f"environment variable {self.variable}"

    def __repr__(self) -> str:
        return f"EnvironmentKey({self.variable!r})"

    def _load(self) -> Secret:
        if not os.environ.get(self.variable):
            raise KeyringUnreadable(
                f"environment variable {self.variable} is not set; set it to base64 of the 32-byte key"
            )
        return decode_kek(os.environb[os.fsencode(self.variable)], where=f"environment variable {self.variable}")
