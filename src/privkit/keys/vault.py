"""A keyring as this process holds it: opened, changed under the store's lock, and kept up to date with it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from privkit.errors import InvalidParameter, KeyringUnreadable
from privkit.keys.document import Document, Envelope, encode, new_document, new_ring_id
from privkit.keys.forklock import ForkLock
from privkit.keys.material import Secret
from privkit.keys.opened import Opened
from privkit.keys.unlocking import default_wrapper, located, unwrap_ring_key, wrap_ring_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.keys.store import Store
    from privkit.keys.wrappers import Wrapper


class Vault:
    """The opened keyring, its store and its wrapper.

    Readers take `opened` or `live()`, a whole that never changes, without a lock; whoever changes or re-reads the
    keyring puts another in its place, one at a time.

    Args:
        store: Where it is kept.
        wrapper: What wraps it.
        lifetime: For how many seconds unwrapped keys are used; `None` for as long as the process lives.

    Raises:
        InvalidParameter: If `lifetime` is not more than 0.
    """

    __slots__ = ("_changing", "_lifetime", "opened", "store", "wrapper")

    opened: Opened

    def __init__(self, store: Store, wrapper: Wrapper, lifetime: float | None) -> None:
        if lifetime is not None and not lifetime > 0:
            raise InvalidParameter(f"a lifetime is more than 0 seconds, got {lifetime}")
        self.store = store
        self.wrapper = located(wrapper, store)
        self._lifetime = lifetime
        self._changing = ForkLock()

    @classmethod
    def create(cls, store: Store, wrapper: Wrapper, lifetime: float | None) -> Vault:
        """Make a keyring in a store that has none."""
        vault = cls(store, wrapper, lifetime)
        ring_key, ring_id = Secret.random(), new_ring_id()
        made: list[Document] = []

        def first() -> bytes:  # the wrapper, which may make a key's file, is asked for nothing that has no place
            made.append(new_document(ring_id, wrap_ring_key(vault.wrapper, ring_key, ring_id), ring_key))
            return _checked(encode(made[0], ring_key), ring_key)

        store.create(first)
        vault._hold(made[0], ring_key, stamp=None)
        return vault

    @classmethod
    def open(cls, store: Store, wrapper: Wrapper | None, lifetime: float | None) -> Vault:
        """Open the keyring of a store, by its own wrapper where none is given."""
        stamp = store.stamp()
        envelope = Envelope(store.read())
        vault = cls(store, wrapper or default_wrapper(envelope.ring_key), lifetime)
        ring_key = unwrap_ring_key(vault.wrapper, envelope)
        vault._hold(envelope.open(ring_key), ring_key, stamp=stamp)
        return vault

    @property
    def ring_id(self) -> str:
        """The keyring's id."""
        return self.opened.document.ring_id

    @property
    def generation(self) -> int:
        """How often it was written."""
        return self.opened.document.generation

    def live(self) -> Opened:
        """What is opened, read anew if its lifetime has ended."""
        opened = self.opened
        if opened.deadline is not None and time.monotonic() >= opened.deadline:
            with self._changing:
                if self.opened is opened:  # and not replaced by another thread, which has asked the wrapper already
                    self._reload(anew=True)
        return self.opened

    def latest(self) -> Opened:
        """What is opened, read anew if the store's content was replaced."""
        if self.opened.stamp is None or self.store.stamp() != self.opened.stamp:
            self.refresh()
        return self.opened

    def refresh(self) -> None:
        """Read the store anew."""
        with self._changing:
            self._reload()

    def change(self, change: Callable[[Document, Secret], Document], new_ring_key: Secret | None = None) -> Document:
        """Change what the store holds now, which may be newer than what this process has opened.

        Args:
            change: From the document and the ring key to the document that shall be; it may be called again.
            new_ring_key: The ring key of that document, where it is another.

        Returns:
            The document as it was written.
        """
        results: list[tuple[Document, Secret]] = []

        def replaced(stored: bytes) -> bytes:
            document, ring_key = self._read(stored)
            changed = replace(change(document, ring_key), generation=document.generation + 1)
            results.append((changed, new_ring_key or ring_key))
            return _checked(encode(*results[-1]), results[-1][1])

        with self._changing:
            self.store.update(replaced)
            self._hold(*results[-1], stamp=None)
            return results[-1][0]

    def rewrap(self, wrapper: Wrapper) -> None:
        """Wrap the keyring by another wrapper, under a new ring key."""
        chosen, new = located(wrapper, self.store), Secret.random()
        record = wrap_ring_key(chosen, new, self.ring_id)
        with self._changing:
            self.change(lambda document, old: document.rewrapped(record, old, new), new)
            self.wrapper = chosen

    def _read(self, stored: bytes, *, anew: bool = False) -> tuple[Document, Secret]:
        envelope, opened = Envelope(stored), self.opened
        if envelope.ring_id != self.ring_id:
            raise KeyringUnreadable("another keyring was put in this one's place; put the right one back")
        same = envelope.ring_key == opened.document.ring_key and not anew
        ring_key = opened.ring_key if same else unwrap_ring_key(self.wrapper, envelope)
        document = envelope.open(ring_key)
        if document.generation < self.generation:
            raise KeyringUnreadable(
                f"an older copy of the keyring was put back (generation {document.generation} < {self.generation}); "
                "put the newest one back"
            )
        return document, ring_key

    def _reload(self, *, anew: bool = False) -> None:
        stamp = self.store.stamp()  # before reading: what is written in between is then read once more, not missed
        self._hold(*self._read(self.store.read(), anew=anew), stamp=stamp)

    def _hold(self, document: Document, ring_key: Secret, *, stamp: object) -> None:
        deadline = None if self._lifetime is None else time.monotonic() + self._lifetime
        self.opened = Opened(document, ring_key, stamp=stamp, deadline=deadline)


def _checked(stored: bytes, ring_key: Secret) -> bytes:
    """Read back what is about to be written: a keyring that does not open must never replace one that does."""
    Envelope(stored).open(ring_key).roots(ring_key, every=True)
    return stored
