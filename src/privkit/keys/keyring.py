"""The keyring: versions of root keys, of which the newest enabled one writes and every enabled one reads."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Never, TypeVar

from privkit.errors import InvalidParameter, KeyringError, KeyringUnreadable
from privkit.keys import lifecycle
from privkit.keys.document import Document, Envelope, State, encode, new_ring_id, new_version
from privkit.keys.handle import FieldKey
from privkit.keys.material import Secret
from privkit.keys.names import canonical_name
from privkit.keys.opened import Opened
from privkit.keys.store import FileStore, Store
from privkit.keys.wrappers import EnvironmentKey, LocalKey, Wrapper
from privkit.keys.wrappers.base import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from privkit.keys.derivation import Usage

T = TypeVar("T")

_changing = threading.RLock()


def _new_lock_in_child() -> None:
    # Another thread of the parent may have held it when the process forked, and does not exist in the child.
    global _changing  # noqa: PLW0603 - a lock that no thread of this process can release has to be replaced
    _changing = threading.RLock()


os.register_at_fork(after_in_child=_new_lock_in_child)


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


class Keyring:
    """Versions of root keys, stored wrapped by a key-encryption key.

    `keys["customer.phone"]` is a handle to the keys derived for one field. The newest enabled version writes, every
    enabled version reads; what must stay equal over time (tokens, format-preserving output) stands on the *stable*
    version, the first, until it is moved.

    A keyring is safe to share among threads and after a fork. Several processes may open the same store: a change is
    made under a lock on what is stored then, and a process that meets a key id it does not know reads the store anew,
    if that was replaced.

    Open one with `Keyring.open`, make one with `Keyring.create`.

    Example:
        >>> keys = Keyring.create(directory / "keyring.json")
        >>> first = keys.primary_id
        >>> keys.rotate() == keys["customer.note"].primary_id != first
        True
        >>> keys["customer.phone"].stable_id == first
        True
    """

    __slots__ = ("__weakref__", "_lifetime", "_opened", "_store", "_wrapper")

    def __init__(self, store: Store, wrapper: Wrapper, opened: Opened, lifetime: float | None) -> None:
        self._store = store
        self._wrapper = wrapper
        self._opened = opened
        self._lifetime = lifetime

    @classmethod
    def create(
        cls, store: str | os.PathLike[str] | Store, *, wrapper: Wrapper | None = None, lifetime: float | None = None
    ) -> Keyring:
        """Make a keyring with one version.

        Args:
            store: The path of a file that does not exist yet, or another store.
            wrapper: What wraps it; by default a `LocalKey` in a file beside it.
            lifetime: For how many seconds unwrapped keys are used from memory before the store and the wrapper are
                asked again; by default as long as the process lives.

        Raises:
            KeyringError: If the store holds a keyring already, or it or the wrapper cannot be written or reached.
        """
        place = _store(store)
        chosen = _located(wrapper or LocalKey(), place)
        ring_key, root, ring_id = Secret.random(), Secret.random(), new_ring_id()
        empty = Document(ring_id, 1, _wrapped(chosen, ring_key, ring_id), (), 0, {}, {})
        first = new_version(empty, root, ring_key)
        document = replace(empty, versions=(first,), stable=first.id)
        place.create(_checked(encode(document, ring_key), ring_key))
        return cls(place, chosen, Opened(document, ring_key, stamp=None, deadline=_deadline(lifetime)), lifetime)

    @classmethod
    def open(
        cls,
        store: str | os.PathLike[str] | Store,
        *,
        wrapper: Wrapper | None = None,
        expect_at_least: int = 0,
        lifetime: float | None = None,
    ) -> Keyring:
        """Open a keyring.

        Args:
            store: The path of its file, or another store.
            wrapper: What it is wrapped by. A `LocalKey` beside the keyring and an `EnvironmentKey` are found without
                being named; any other must be given.
            expect_at_least: The lowest `generation` to accept. An older, genuine copy put back in the keyring's place
                cannot be told from within: keep the generation elsewhere and pass it here.
            lifetime: See `create`.

        Raises:
            KeyringUnreadable: If it is missing, malformed, altered, older than expected, or wrapped by another key.
            MissingExtra: If the wrapper or store needs a package that is not installed.
        """
        place = _store(store)
        stamp = place.stamp()
        envelope = Envelope(place.read())
        chosen = _located(wrapper or _default_wrapper(envelope.ring_key), place)
        ring_key = _unwrapped(chosen, envelope)
        document = envelope.open(ring_key)
        if document.generation < expect_at_least:
            raise KeyringUnreadable(
                f"keyring is an older copy (generation {document.generation} < {expect_at_least}); "
                "put the newest one back"
            )
        return cls(place, chosen, Opened(document, ring_key, stamp=stamp, deadline=_deadline(lifetime)), lifetime)

    # What it is

    @property
    def id(self) -> str:
        """Its id, 32 hex digits, which no rotation or rewrapping changes."""
        return self._opened.document.ring_id

    @property
    def generation(self) -> int:
        """How often it was written, from 1."""
        return self._opened.document.generation

    @property
    def primary_id(self) -> int:
        """The key id of the newest enabled version, which writes."""
        return self._live().primary_id

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The key ids of the enabled versions, newest first."""
        return self._live().version_ids

    @property
    def versions(self) -> tuple[KeyVersion, ...]:
        """Every version, oldest first, the destroyed ones among them."""
        opened = self._live()
        document = opened.document
        return tuple(
            KeyVersion(
                version.id,
                State.PRIMARY if version.id == opened.primary_id else version.state,
                version.created,
                version.changed,
                stable=version.id == document.stable,
                stable_for=tuple(sorted(name for name, key_id in document.pins.items() if key_id == version.id)),
            )
            for version in document.versions
        )

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names of fields, and the canonical name that each stands for."""
        return dict(self._live().document.aliases)

    @property
    def wrapped_by(self) -> str:
        """What it is wrapped by, in a few words for a person."""
        return self._wrapper.describe()

    def stable_id(self, field_name: str) -> int:
        """The key id that a field's tokens and format-preserving output stand on; by its canonical name."""
        return self._live().stable_id(field_name)

    def knows(self, key_id: int) -> bool:
        """Whether there is, or was, a version of that id; reads the store anew if that was replaced meanwhile."""
        return self._live().knows(key_id) or self._refreshed().knows(key_id)

    def __getitem__(self, field_name: str) -> FieldKey:
        return FieldKey(self, self._canonical(field_name))

    # What is derived from it

    def derived(self, build: Callable[[Usage, Secret], T], field_name: str, usage: Usage, key_id: int | None) -> T:
        """What `build` makes of a derived key; kept, so that it is made once. Field keys call it."""
        opened = self._live()
        try:
            return opened.cache[build, field_name, usage, key_id]  # type: ignore[no-any-return]
        except KeyError:
            pass
        if not opened.knows(key_id):
            opened = self._refreshed()
        return opened.derive(build, field_name, usage, key_id)

    # What changes it

    def rotate(self) -> int:
        """Add a version, which writes from now on. Everything written before stays readable.

        Returns:
            The new version's key id.

        Raises:
            KeyringError: If the store cannot be written; the keyring is then as before. So for every change below.
        """
        root = Secret.random()
        changed = self._change(lambda document, ring_key: lifecycle.rotated(document, root, ring_key))
        return changed.versions[-1].id

    def disable(self, key_id: int) -> None:
        """Stop a version from reading and writing until it is enabled again.

        Other processes notice when they read the store anew: on `refresh`, at the end of a `lifetime`, or on start.

        Raises:
            KeyNotFound: If there is no such version.
            KeyringError: If it is the only enabled one.
        """
        self._change(lambda document, _: lifecycle.disabled(document, key_id))

    def enable(self, key_id: int) -> None:
        """Let a disabled version read again, and write where it is the newest.

        Raises:
            KeyNotFound: If there is no such version.
            KeyUnavailable: If it was destroyed.
        """
        self._change(lambda document, _: lifecycle.enabled(document, key_id))

    def destroy(self, key_id: int, *, breaks_stable: bool = False) -> None:
        """Drop a version's root key for good: what it wrote cannot be read again, save from a backup of the keyring.

        Args:
            key_id: Which version; not the primary.
            breaks_stable: Whether to destroy it even where tokens and format-preserving output stand on it.

        Raises:
            KeyNotFound: If there is no such version.
            KeyringError: If it is the primary, or something stable stands on it.
        """
        self._change(lambda document, _: lifecycle.destroyed(document, key_id, breaks_stable=breaks_stable))

    def move_stable(self, field_name: str | None = None, *, to: int | None = None) -> None:
        """Let tokens and format-preserving output stand on another version. Their joins with older output break.

        Args:
            field_name: The field to move; by default every field that was not moved by itself.
            to: The version's key id; by default the primary.

        Raises:
            KeyNotFound: If there is no such version.
            KeyUnavailable: If it is disabled or destroyed.
        """
        self._change(lambda document, _: lifecycle.stable_moved(document, field_name, to))

    def alias(self, name: str, *, of: str) -> None:
        """Let a new name of a field stand for the old one, under which its keys are derived.

        Do it when renaming a field or a table, before anything is written under the new name.

        Args:
            name: The new name.
            of: The name so far.

        Raises:
            InvalidParameter: If the new name is a field's own name, or an alias of another, already.

        Example:
            >>> keys = Keyring.create(directory / "renamed.json")
            >>> keys.alias("client.phone", of="customer.phone")
            >>> keys["client.phone"] == keys["customer.phone"]
            True
        """
        self._change(lambda document, _: lifecycle.aliased(document, name, of))

    def remove_alias(self, name: str) -> None:
        """Take an alias back.

        Raises:
            InvalidParameter: If there is no such alias.
        """
        self._change(lambda document, _: lifecycle.unaliased(document, name))

    def rewrap(self, wrapper: Wrapper) -> None:
        """Wrap the keyring by another key-encryption key, under a new ring key. No data changes.

        A copy of the keyring from before still opens with the old key-encryption key.

        Args:
            wrapper: The new wrapper; a `LocalKey` without a path is a file beside the keyring.

        Raises:
            KeyringError: If the new wrapper is out of reach; the keyring is then as before.
        """
        chosen = _located(wrapper, self._store)
        new = Secret.random()
        with _changing:
            record = _wrapped(chosen, new, self.id)
            self._change(lambda document, old: document.rewrapped(record, old, new), new)
            self._wrapper = chosen

    def refresh(self) -> bool:
        """Read the store anew, for changes that other processes made.

        Returns:
            Whether there were any.

        Raises:
            KeyringUnreadable: If the store now holds another keyring, an older copy, or none that opens.
        """
        before = self.generation
        with _changing:
            self._reload()
        return self.generation != before

    def _change(self, change: Callable[[Document, Secret], Document], new_ring_key: Secret | None = None) -> Document:
        """Change what the store holds now, which may be newer than what this process has opened."""
        results: list[tuple[Document, Secret]] = []

        def replaced(stored: bytes) -> bytes:
            document, ring_key = self._read(stored)
            changed = replace(change(document, ring_key), generation=document.generation + 1)
            results.append((changed, new_ring_key or ring_key))
            return _checked(encode(*results[-1]), results[-1][1])

        with _changing:
            self._store.update(replaced)
            document, ring_key = results[-1]
            self._opened = Opened(document, ring_key, stamp=None, deadline=_deadline(self._lifetime))
        return document

    def _read(self, stored: bytes, *, anew: bool = False) -> tuple[Document, Secret]:
        envelope, opened = Envelope(stored), self._opened
        if envelope.ring_id != self.id:
            raise KeyringUnreadable("another keyring was put in this one's place; put the right one back")
        same = envelope.ring_key == opened.document.ring_key and not anew
        ring_key = opened.ring_key if same else _unwrapped(self._wrapper, envelope)
        document = envelope.open(ring_key)
        if document.generation < self.generation:
            raise KeyringUnreadable(
                f"an older copy of the keyring was put back (generation {document.generation} < {self.generation}); "
                "put the newest one back"
            )
        return document, ring_key

    def _reload(self, *, anew: bool = False) -> None:
        stamp = self._store.stamp()  # before reading: what is written in between is then read once more, not missed
        document, ring_key = self._read(self._store.read(), anew=anew)
        self._opened = Opened(document, ring_key, stamp=stamp, deadline=_deadline(self._lifetime))

    def _live(self) -> Opened:
        opened = self._opened
        if opened.deadline is not None and time.monotonic() >= opened.deadline:
            with _changing:
                if self._opened is opened:  # and not replaced by another thread, which has asked the wrapper already
                    self._reload(anew=True)
        return self._opened

    def _refreshed(self) -> Opened:
        if self._opened.stamp is None or self._store.stamp() != self._opened.stamp:
            self.refresh()
        return self._opened

    def _canonical(self, field_name: str) -> str:
        name = canonical_name(field_name)
        return self._live().document.aliases.get(name, name)

    def __repr__(self) -> str:
        return f"<Keyring at {self._store.describe()}, {self._wrapper.describe()}: keys not shown>"

    def __copy__(self) -> Keyring:
        return self

    def __deepcopy__(self, memo: object) -> Keyring:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a keyring holds keys and cannot be pickled; open it where it is needed")


def _store(store: str | os.PathLike[str] | Store) -> Store:
    return FileStore(store) if isinstance(store, str | os.PathLike) else store


def _located(wrapper: Wrapper, store: Store) -> Wrapper:
    return beside(wrapper, store.path) if isinstance(store, FileStore) else wrapper


def _default_wrapper(record: Mapping[str, Any]) -> Wrapper:
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


def _wrapped(wrapper: Wrapper, ring_key: Secret, ring_id: str) -> dict[str, Any]:
    """Wrap a ring key, and see that it unwraps, before anything depends on it."""
    record = wrapper.wrap(ring_key, _context(ring_id))
    if wrapper.unwrap(record, _context(ring_id)) != ring_key:
        raise KeyringError(f"{wrapper.describe()} does not give back what it wrapped; choose another wrapper")
    return record


def _unwrapped(wrapper: Wrapper, envelope: Envelope) -> Secret:
    kind = envelope.ring_key.get("wrapper")
    if kind != wrapper.kind:
        raise KeyringUnreadable(f"keyring is wrapped by {kind!a}, not by {wrapper.kind!r}; pass that wrapper")
    return wrapper.unwrap(envelope.ring_key, _context(envelope.ring_id))


def _checked(stored: bytes, ring_key: Secret) -> bytes:
    """Read back what is about to be written: a keyring that does not open must never replace one that does."""
    Envelope(stored).open(ring_key).roots(ring_key, every=True)
    return stored


def _deadline(lifetime: float | None) -> float | None:
    if lifetime is not None and not lifetime > 0:
        raise InvalidParameter(f"a lifetime is more than 0 seconds, got {lifetime}")
    return None if lifetime is None else time.monotonic() + lifetime
