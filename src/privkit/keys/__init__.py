"""Keys: an envelope keyring that rotates without downtime."""

from privkit.keys.derivation import Usage
from privkit.keys.document import State
from privkit.keys.handle import FieldKey
from privkit.keys.keyring import Keyring, KeyVersion
from privkit.keys.store import FileStore, Store
from privkit.keys.wrappers import EnvironmentKey, LocalKey, Wrapper

__all__ = [
    "EnvironmentKey",
    "FieldKey",
    "FileStore",
    "KeyVersion",
    "Keyring",
    "LocalKey",
    "State",
    "Store",
    "Usage",
    "Wrapper",
]
