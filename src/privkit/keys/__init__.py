"""Keys: an envelope keyring that rotates without downtime."""

from privkit.keys.derivation import Usage
from privkit.keys.document import State
from privkit.keys.handle import FieldKey
from privkit.keys.keyring import Keyring
from privkit.keys.opened import KeyVersion
from privkit.keys.sql import SqlStore
from privkit.keys.sql_subjects import SqlSubjects
from privkit.keys.store import FileStore, Store
from privkit.keys.subject_keys import SubjectKeys
from privkit.keys.subject_table import SqliteSubjects, SubjectTable
from privkit.keys.subjects import Subjects
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
    "SqlSubjects",
    "SqliteSubjects",
    "State",
    "Store",
    "SubjectKeys",
    "SubjectTable",
    "Subjects",
    "Usage",
    "Wrapper",
]
