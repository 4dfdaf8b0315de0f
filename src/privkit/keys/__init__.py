"""Keys: an envelope keyring that rotates without downtime."""

from privkit.keys.derivation import Usage
from privkit.keys.document import State
from privkit.keys.handle import FieldKey
from privkit.keys.keyring import Keyring, KeyVersion
from privkit.keys.sql import SqlStore
from privkit.keys.store import FileStore, Store
from privkit.keys.wrappers import AwsKms, EnvironmentKey, LocalKey, Passphrase, Pkcs11, Wrapper

__all__ = [
    "AwsKms",
    "EnvironmentKey",
    "FieldKey",
    "FileStore",
    "KeyVersion",
    "Keyring",
    "LocalKey",
    "Passphrase",
    "Pkcs11",
    "SqlStore",
    "State",
    "Store",
    "Usage",
    "Wrapper",
]
