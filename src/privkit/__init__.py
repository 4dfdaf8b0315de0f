"""Pseudonymisation and field encryption for customer data, one value at a time or a hundred million.

The names below are the front door. Beside them stand `privkit.lowlevel` (standard algorithms on raw keys),
`privkit.keys` (stores and wrappers of key-encryption keys), `privkit.errors`, and the command line.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privkit import errors, fields
    from privkit.keys import FieldKey, Keyring
    from privkit.policy import Policy
    from privkit.transforms import (
        DateShift,
        Encrypt,
        FormatPreserving,
        Generalise,
        Keep,
        Mask,
        Noise,
        Surrogate,
        Token,
        Transform,
    )

__version__ = "0.1.0"

__all__ = [
    "DateShift",
    "Encrypt",
    "FieldKey",
    "FormatPreserving",
    "Generalise",
    "Keep",
    "Keyring",
    "Mask",
    "Noise",
    "Policy",
    "Surrogate",
    "Token",
    "Transform",
    "errors",
    "fields",
]

_MODULES = frozenset({"errors", "fields", "keys", "policy", "transforms"})
_HOMES = {"FieldKey": "keys", "Keyring": "keys", "Policy": "policy"}

if not TYPE_CHECKING:  # type checkers would take any name for one of ours

    def __getattr__(name: str) -> object:
        """Import what is asked for: who encrypts a column loads neither policies nor anonymity."""
        if name in _MODULES:
            return import_module(f"privkit.{name}")
        if name not in __all__:
            raise AttributeError(f"module 'privkit' has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"privkit.{_HOMES.get(name, 'transforms')}"), name)
        return found

    def __dir__() -> list[str]:
        """What there is, loaded or not."""
        return sorted({*globals(), *__all__})
