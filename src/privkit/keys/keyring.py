"""The keyring: versions of root keys, of which the newest enabled one writes and every enabled one reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, TypeVar

from privkit._kernels.marker import key_id_of
from privkit.errors import DecryptionFailed, KeyNotFound, KeyringUnreadable
from privkit.keys import lifecycle
from privkit.keys.document import hex_id
from privkit.keys.handle import FieldKey
from privkit.keys.material import Secret
from privkit.keys.names import canonical_name
from privkit.keys.subjects import Subjects
from privkit.keys.unlocking import store_of, subject_table_of
from privkit.keys.vault import Vault
from privkit.keys.wrappers import LocalKey, Wrapper

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from privkit._kernels.cmac import Cmac
    from privkit.keys.derivation import Usage
    from privkit.keys.opened import KeyVersion
    from privkit.keys.store import Store
    from privkit.keys.subject_keys import SubjectKeys
    from privkit.keys.subject_table import SubjectTable

T = TypeVar("T")


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

    __slots__ = ("__weakref__", "_subjects", "_vault")

    def __init__(self, vault: Vault, subjects: SubjectTable | None) -> None:
        self._vault = vault
        self._subjects = Subjects(self, subjects or subject_table_of(vault.store))

    @classmethod
    def create(
        cls,
        store: str | os.PathLike[str] | Store,
        *,
        wrapper: Wrapper | None = None,
        lifetime: float | None = None,
        subjects: SubjectTable | None = None,
    ) -> Keyring:
        """Make a keyring with one version.

        Args:
            store: The path of a file that does not exist yet, or another store.
            wrapper: What wraps it; by default a `LocalKey` in a file beside it.
            lifetime: For how many seconds unwrapped keys are used from memory before the store and the wrapper are
                asked again; by default as long as the process lives.
            subjects: Where the keys of single persons are kept; by default an SQLite file beside the keyring's, or a
                table in its database, made when first needed.

        Raises:
            KeyringError: If the store holds a keyring already, or it or the wrapper cannot be written or reached.
        """
        return cls(Vault.create(store_of(store), wrapper or LocalKey(), lifetime), subjects)

    @classmethod
    def open(
        cls,
        store: str | os.PathLike[str] | Store,
        *,
        wrapper: Wrapper | None = None,
        expect_at_least: int = 0,
        lifetime: float | None = None,
        subjects: SubjectTable | None = None,
    ) -> Keyring:
        """Open a keyring.

        Args:
            store: The path of its file, or another store.
            wrapper: What it is wrapped by. A `LocalKey` beside the keyring and an `EnvironmentKey` are found without
                being named; any other must be given.
            expect_at_least: The lowest `generation` to accept. An older, genuine copy put back in the keyring's place
                cannot be told from within: keep the generation elsewhere and pass it here.
            lifetime: See `create`.
            subjects: See `create`.

        Raises:
            KeyringUnreadable: If it is missing, malformed, altered, older than expected, or wrapped by another key.
            MissingExtra: If the wrapper or store needs a package that is not installed.
        """
        vault = Vault.open(store_of(store), wrapper, lifetime)
        if vault.generation < expect_at_least:
            raise KeyringUnreadable(
                f"keyring is an older copy (generation {vault.generation} < {expect_at_least}); put the newest one back"
            )
        return cls(vault, subjects)

    # What it is

    @property
    def id(self) -> str:
        """Its id, 32 hex digits, which no rotation or rewrapping changes."""
        return self._vault.ring_id

    @property
    def generation(self) -> int:
        """How often it was written, from 1."""
        return self._vault.generation

    @property
    def primary_id(self) -> int:
        """The key id of the newest enabled version, which writes."""
        return self._vault.live().primary_id

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The key ids of the versions that read, newest first."""
        return self._vault.live().version_ids

    @property
    def versions(self) -> tuple[KeyVersion, ...]:
        """Every version, oldest first, the destroyed ones among them."""
        return self._vault.live().versions

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names of fields, and the canonical name that each stands for."""
        return dict(self._vault.live().document.aliases)

    @property
    def persons(self) -> Cmac:
        """What the ids of persons are hashed with; no rotation or rewrapping changes it."""
        return self._vault.live().persons

    @property
    def opened(self) -> object:
        """What is opened now: another object after each change, and at the end of each `lifetime`."""
        return self._vault.live()

    def canonical(self, field_name: str) -> str:
        """A field's canonical name: aliases give the name that they stand for.

        Raises:
            InvalidParameter: If it is no name.
        """
        name = canonical_name(field_name)
        return self._vault.live().document.aliases.get(name, name)

    @property
    def wrapped_by(self) -> str:
        """What it is wrapped by, in a few words for a person."""
        return self._vault.wrapper.describe()

    def stable_id(self, field_name: str) -> int:
        """The key id that a field's tokens and format-preserving output stand on; by its canonical name."""
        return self._vault.live().stable_id(field_name)

    def knows(self, key_id: int) -> bool:
        """Whether there is, or was, a version of that id; reads the store anew if that was replaced meanwhile."""
        return self._vault.live().knows(key_id) or self._vault.latest().knows(key_id)

    def __getitem__(self, field_name: str) -> FieldKey:
        return FieldKey(self, self.canonical(field_name))

    def needs_rotation(self, value: bytes | str) -> bool:
        """Whether what `Encrypt` wrote is under another version than the one that writes now, by the key id in it.

        Deterministic ciphertexts stay on the stable version, and it is for their own `Encrypt` to say whether that is
        where they are: this says of those, too, whether they are on the primary.

        Args:
            value: A ciphertext, as bytes or text. Its first bytes are looked at, and not whether it opens.

        Raises:
            DecryptionFailed: If it does not begin as a ciphertext does.
            KeyNotFound: If its key id is none of this keyring's: another keyring wrote it, or it is a person's.

        Example:
            >>> keys = Keyring.create(directory / "rotated.json")
            >>> sealed = Encrypt(keys["customer.note"]).protect("leave at the door")
            >>> before, _, after = keys.needs_rotation(sealed), keys.rotate(), keys.needs_rotation(sealed)
            >>> before, after
            (False, True)
        """
        key_id = key_id_of(value)
        if key_id is None:
            raise DecryptionFailed
        if not self.knows(key_id):
            raise KeyNotFound(
                f"keyring has no key {hex_id(key_id)}; another keyring wrote the value, or it is a person's"
            )
        return key_id != self.primary_id

    # What is derived from it

    def derivatives(self) -> dict[Any, Any]:
        """What has been made of the keys that are unwrapped now. Transforms call it."""
        opened = self._vault.opened
        return opened.cache if opened.deadline is None else self._vault.live().cache

    def derived(self, build: Callable[[Usage, Secret], T], field_name: str, usage: Usage, key_id: int | None) -> T:
        """What `build` makes of a derived key; kept, so that it is made once. Field keys call it."""
        opened = self._vault.opened
        if opened.deadline is not None:
            opened = self._vault.live()
        try:
            return opened.cache[build, field_name, usage, key_id]  # type: ignore[no-any-return]
        except KeyError:
            pass
        if not opened.knows(key_id):
            opened = self._vault.latest()
        return opened.derive(build, field_name, usage, key_id)

    @property
    def subjects(self) -> Subjects:
        """The keys of single persons, all together."""
        return self._subjects

    def subject(self, subject: str) -> SubjectKeys:
        """The keys of one person, under a random key of the person's own that `forget` destroys.

        The key is made when something is first written with it; reading makes none.

        Args:
            subject: The person's id in your data, which is stored as a keyed hash only.

        Example:
            >>> keys = Keyring.create(directory / "persons.json")
            >>> keys.subject("user:42")["note"] != keys.subject("user:43")["note"]
            True
        """
        return self._subjects[subject]

    def forget(self, subject: str, *, reason: str = "") -> datetime:
        """Destroy a person's own key, and leave a tombstone; `Subjects.forget` says what that does and does not do."""
        return self._subjects.forget(subject, reason=reason)

    # What changes it

    def rotate(self, *, staged: bool = False) -> int:
        """Add a version, which writes from now on. Everything written before stays readable.

        Args:
            staged: Whether the new version only reads until it is enabled. Where a keyring is handed out as copies,
                stage a version, hand it out everywhere, enable it, and hand it out again: then at no moment does
                anybody meet a value that they cannot read. Processes that share one store need no staging.

        Returns:
            The new version's key id.

        Raises:
            KeyringError: If the store cannot be written; the keyring is then as before. So for every change below.
        """
        root = Secret.random()
        changed = self._vault.change(
            lambda document, ring_key: lifecycle.rotated(document, root, ring_key, staged=staged)
        )
        return changed.versions[-1].id

    def disable(self, key_id: int) -> None:
        """Stop a version from reading and writing until it is enabled again.

        Other processes notice when they read the store anew: on `refresh`, at the end of a `lifetime`, or on start.

        Raises:
            KeyNotFound: If there is no such version.
            KeyringError: If it is the only enabled one.
        """
        self._vault.change(lambda document, _: lifecycle.disabled(document, key_id))

    def enable(self, key_id: int) -> None:
        """Let a disabled version read again, and a staged or disabled one write where it is the newest.

        Raises:
            KeyNotFound: If there is no such version.
            KeyUnavailable: If it was destroyed.
        """
        self._vault.change(lambda document, _: lifecycle.enabled(document, key_id))

    def destroy(self, key_id: int, *, breaks_stable: bool = False) -> None:
        """Drop a version's root key for good: what it wrote cannot be read again, save from a backup of the keyring.

        Args:
            key_id: Which version; not the primary.
            breaks_stable: Whether to destroy it even where tokens and format-preserving output stand on it.

        Raises:
            KeyNotFound: If there is no such version.
            KeyringError: If it is the primary, or something stable stands on it, or keys of persons are wrapped by it.
        """
        self._subjects.check_none_under(key_id)
        self._vault.change(lambda document, _: lifecycle.destroyed(document, key_id, breaks_stable=breaks_stable))

    def move_stable(self, field_name: str | None = None, *, to: int | None = None) -> None:
        """Let tokens and format-preserving output stand on another version. Their joins with older output break.

        Args:
            field_name: The field to move; by default every field that was not moved by itself.
            to: The version's key id; by default the primary.

        Raises:
            KeyNotFound: If there is no such version.
            KeyUnavailable: If it is disabled or destroyed.
        """
        self._vault.change(lambda document, _: lifecycle.stable_moved(document, field_name, to))

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
        self._vault.change(lambda document, _: lifecycle.aliased(document, name, of))

    def remove_alias(self, name: str) -> None:
        """Take an alias back.

        Raises:
            InvalidParameter: If there is no such alias.
        """
        self._vault.change(lambda document, _: lifecycle.unaliased(document, name))

    def rewrap(self, wrapper: Wrapper) -> None:
        """Wrap the keyring by another key-encryption key, under a new ring key. No data changes.

        A copy of the keyring from before still opens with the old key-encryption key.

        Args:
            wrapper: The new wrapper; a `LocalKey` without a path is a file beside the keyring.

        Raises:
            KeyringError: If the new wrapper is out of reach; the keyring is then as before.
        """
        self._vault.rewrap(wrapper)

    def refresh(self) -> bool:
        """Read the store anew, for changes that other processes made.

        Returns:
            Whether there were any.

        Raises:
            KeyringUnreadable: If the store now holds another keyring, an older copy, or none that opens.
        """
        before = self.generation
        self._vault.refresh()
        return self.generation != before

    def __repr__(self) -> str:
        return f"<Keyring at {self._vault.store.describe()}, {self._vault.wrapper.describe()}: keys not shown>"

    def __copy__(self) -> Keyring:
        return self

    def __deepcopy__(self, memo: object) -> Keyring:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a keyring holds keys and cannot be pickled; open it where it is needed")
