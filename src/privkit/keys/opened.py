"""A keyring opened at one generation: its root keys, and what has been derived from them so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit.errors import KeyNotFound, KeyUnavailable
from privkit.keys.derivation import derive
from privkit.keys.document import Document, State, hex_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from privkit.keys.derivation import Usage
    from privkit.keys.material import Secret

T = TypeVar("T")

MAX_DERIVED = 65_536
"""How many derived objects are kept; more (a recipient for each customer, say) start the cache anew."""


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version of a keyring's root key, as listed.

    Attributes:
        id: Its key id.
        state: What it may do.
        created: When it was made, in UTC.
        changed: When its state last changed, in UTC.
        stable: Whether tokens and format-preserving output stand on it, for every field that has no exception.
        stable_for: The fields that were moved to it as exceptions.
    """

    id: int
    state: State
    created: datetime
    changed: datetime
    stable: bool
    stable_for: tuple[str, ...]


class Opened:
    """One generation of a keyring, with the root keys that read unwrapped.

    Never changed but for its cache: whoever rotates puts a new one in its place, so threads in the middle of a column
    finish with the one they began with.

    Attributes:
        document: What is stored.
        ring_key: The ring key.
        deadline: When, by `time.monotonic`, the unwrapped keys are to be dropped; `None` for never.
        stamp: The store's stamp taken before it was read.
        primary_id: The version that writes.
        version_ids: The versions that read, newest first.
        persons: What the ids of persons are hashed with.
        cache: Derived objects by builder, field name, usage and key id, and what transforms keep beside them. Filled
            without a lock: two threads may derive the same object, and either will do.
    """

    __slots__ = (
        "_ids",
        "_roots",
        "cache",
        "deadline",
        "document",
        "persons",
        "primary_id",
        "ring_key",
        "stamp",
        "version_ids",
    )

    def __init__(self, document: Document, ring_key: Secret, *, stamp: object, deadline: float | None) -> None:
        self.document = document
        self.ring_key = ring_key
        self.stamp = stamp
        self.deadline = deadline
        self.cache: dict[Any, Any] = {}
        self.version_ids = tuple(version.id for version in document.readable)
        self._ids = frozenset(version.id for version in document.versions)
        self.primary_id = document.enabled[0].id
        self.persons = Cmac(BlockCipher(document.open_index(ring_key).expose()))
        self._roots = document.roots(ring_key)

    @property
    def versions(self) -> tuple[KeyVersion, ...]:
        """Every version, oldest first."""
        document = self.document
        return tuple(
            KeyVersion(
                version.id,
                State.PRIMARY if version.id == self.primary_id else version.state,
                version.created,
                version.changed,
                stable=version.id == document.stable,
                stable_for=tuple(sorted(name for name, key_id in document.pins.items() if key_id == version.id)),
            )
            for version in document.versions
        )

    def stable_id(self, field_name: str) -> int:
        """The version that a field's tokens and format-preserving output stand on; by its canonical name."""
        return self.document.pins.get(field_name, self.document.stable)

    def knows(self, key_id: int | None) -> bool:
        """Whether there is, or was, a version of that id."""
        return key_id is None or key_id in self._ids

    def derive(self, build: Callable[[Usage, Secret], T], field_name: str, usage: Usage, key_id: int | None) -> T:
        """Derive a key, build an object on it, and keep that."""
        root = self._root(self.stable_id(field_name) if key_id is None else key_id)
        made = build(usage, derive(root, usage, field_name))
        if len(self.cache) >= MAX_DERIVED:
            self.cache.clear()
        self.cache[build, field_name, usage, key_id] = made
        return made

    def _root(self, key_id: int) -> Secret:
        try:
            return self._roots[key_id]
        except KeyError:
            raise self._why_not(key_id) from None

    def _why_not(self, key_id: int) -> KeyNotFound | KeyUnavailable:
        version = self.document.version(key_id)
        if version is None:
            return KeyNotFound(f"keyring has no key {hex_id(key_id)}; is this an older copy, or another keyring?")
        if version.state is State.DISABLED:
            return KeyUnavailable(f"key {hex_id(key_id)} is disabled; enable it to read what it wrote")
        return KeyUnavailable(f"key {hex_id(key_id)} was destroyed; what it wrote cannot be read again")
