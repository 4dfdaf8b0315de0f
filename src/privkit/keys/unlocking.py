"""Between a keyring, its store and its wrapper: which of them belong together, and the ring key's way to and fro."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from privkit.errors import InvalidParameter, KeyringError, KeyringUnreadable
from privkit.keys.sql import SqlStore
from privkit.keys.sql_subjects import SqlSubjects
from privkit.keys.store import FileStore, Store
from privkit.keys.subject_table import SqliteSubjects, SubjectTable
from privkit.keys.wrappers import EnvironmentKey, LocalKey, Wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privkit.keys.document import Envelope
    from privkit.keys.material import Secret


def store_of(store: str | os.PathLike[str] | Store) -> Store:
    """A store from a path, or as given."""
    return FileStore(store) if isinstance(store, str | os.PathLike) else store


def located(wrapper: Wrapper, store: Store) -> Wrapper:
    """The wrapper for a store: a `LocalKey` without a path is a file beside the keyring's."""
    beside = getattr(wrapper, "beside", None)
    return beside(store.path) if beside is not None and isinstance(store, FileStore) else wrapper


def subject_table_of(store: Store) -> SubjectTable | None:
    """Where a store's persons' keys are kept by default: beside its file, or in its database; otherwise nowhere."""
    if isinstance(store, FileStore):
        return SqliteSubjects(store.path.with_name(store.path.name + ".subjects"))
    return SqlSubjects(store.engine) if isinstance(store, SqlStore) else None


def default_wrapper(record: Mapping[str, Any]) -> Wrapper:
    """The wrapper that a wrapped ring key was wrapped by, where it can be told from that alone.

    Raises:
        KeyringUnreadable: If it cannot.
    """
    kind = record.get("wrapper")
    if kind == LocalKey.kind:
        return LocalKey()
    if kind == EnvironmentKey.kind:
        try:
            return EnvironmentKey(record["variable"])
        except (LookupError, TypeError, InvalidParameter):
            raise KeyringUnreadable("keyring's ring key is damaged; restore the keyring from a backup") from None
    raise KeyringUnreadable(f"keyring is wrapped by {kind!a}; pass that wrapper: Keyring.open(..., wrapper=...)")


def _context(ring_id: str) -> dict[str, str]:
    return {"privkit:keyring": ring_id, "privkit:purpose": "ring-key"}


def wrap_ring_key(wrapper: Wrapper, ring_key: Secret, ring_id: str) -> dict[str, Any]:
    """Wrap a ring key, and see that it unwraps, before anything depends on it."""
    record = wrapper.wrap(ring_key, _context(ring_id))
    if wrapper.unwrap(record, _context(ring_id)) != ring_key:
        raise KeyringError(f"{wrapper.describe()} does not give back what it wrapped; choose another wrapper")
    return record


def unwrap_ring_key(wrapper: Wrapper, envelope: Envelope) -> Secret:
    """Have the wrapper unwrap a keyring's ring key.

    Raises:
        KeyringUnreadable: If it was wrapped by another, or altered, or the wrapper is out of reach.
    """
    kind = envelope.ring_key.get("wrapper")
    if kind != wrapper.kind:
        raise KeyringUnreadable(f"keyring is wrapped by {kind!a}, not by {wrapper.kind!r}; pass that wrapper")
    return wrapper.unwrap(envelope.ring_key, _context(envelope.ring_id))
