"""Keys of single persons: each has a random key of its own, so that destroying it makes one person unreadable.

```
person        AES-256-CMAC(subject index, id in UTF-8), 16 bytes: the row's key; the id itself is stored nowhere
key           32 random bytes, with a random key id from 1 to 2^32 - 1
wrapped key   AES-256-SIV of the key under the keyring's primary version (purpose "subject", field "privkit.subjects");
              associated data: person, 16 bytes | key id, 4 bytes big-endian
field keys    derived from the person's key as from a root key (see `derivation`)
```
"""

from __future__ import annotations

import os
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.canonical import is_encodable
from privkit.errors import InvalidParameter, KeyNotFound, KeyringError, KeyringUnreadable, SubjectForgotten
from privkit.keys.derivation import Usage
from privkit.keys.document import hex_id, now
from privkit.keys.forklock import ForkLock
from privkit.keys.handle import FieldKey
from privkit.keys.material import KEY_BYTES, Secret
from privkit.keys.subject_keys import SubjectKeys, Unwrapped
from privkit.keys.subject_table import SubjectRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.keys.keyring import Keyring
    from privkit.keys.subject_table import SubjectTable

T = TypeVar("T")

CAPACITY = 16_384
"""How many persons' keys are kept unwrapped in memory unless said otherwise; the least recently used goes first."""

_WRAPPING = Usage("subject", "AES-SIV", 64)
_WRAPPING_FIELD = "privkit.subjects"
_PERSON = 16
_AT_ONCE = 10_000


class Subjects:
    """The keys of the persons in a keyring, got by `keys.subjects`.

    Args:
        ring: The keyring that wraps them.
        table: Where they are kept; `None` where the keyring's store offers no place by itself.

    Example:
        >>> keys = Keyring.create(directory / "shop.json")
        >>> keys.subjects.create(["user:42", "user:43"])
        >>> keys.forget("user:42", reason="account closed").tzinfo
        datetime.timezone.utc
        >>> keys.subject("user:42").exists, keys.subject("user:43").exists
        (False, True)
    """

    __slots__ = ("_cache", "_forgets", "_lock", "_opened", "_ring", "_table", "_wrapping", "capacity")

    def __init__(self, ring: Keyring, table: SubjectTable | None, *, capacity: int = CAPACITY) -> None:
        self._ring = ring
        self._table = table
        self._wrapping = FieldKey(ring, _WRAPPING_FIELD)
        self.capacity = capacity
        self._cache: OrderedDict[bytes, Unwrapped] = OrderedDict()
        self._opened: object = None
        self._forgets = 0
        self._lock = ForkLock()

    def __getitem__(self, subject: str) -> SubjectKeys:
        return SubjectKeys(self, self._persons([subject])[0])

    def create(self, subjects: Sequence[str]) -> None:
        """Make keys for persons, many at a time. Who has one, or was forgotten, is left as they are.

        Args:
            subjects: Ids of persons.

        Raises:
            InvalidParameter: If an id is not a `str`, or empty.
            KeyringError: If the table cannot be written.
        """
        persons = list(dict.fromkeys(self._persons(subjects)))
        for start in range(0, len(persons), _AT_ONCE):
            self._there.add(self._new_rows(persons[start : start + _AT_ONCE]))

    def load(self, subjects: Sequence[str], *, create: bool = False) -> list[SubjectKeys]:
        """Unwrap the keys of persons into memory at once, which is faster than one by one.

        Those without a key, and the forgotten, are noticed when used. Take at most `capacity` persons at a time, since
        more than that are not kept.

        Args:
            subjects: Ids of persons.
            create: Whether to make a key for who has none and was not forgotten.

        Returns:
            The persons' keys, in the order of their ids.

        Raises:
            InvalidParameter: If an id is not a `str`, or empty.
            KeyringError: If the table cannot be read, or written where keys are made.
            KeyringUnreadable: If a wrapped key is damaged.
        """
        persons = self._persons(subjects)
        with self._lock:
            self._follow()
            missing, forgets = [one for one in dict.fromkeys(persons) if one not in self._cache], self._forgets
        found = self._there.get(missing)
        if create and len(found) < len(missing):
            absent = [person for person in missing if person not in found]
            self._there.add(self._new_rows(absent))  # or somebody else's, who came first
            found.update(self._there.get(absent))
        rows = [row for row in found.values() if row.wrapped is not None]
        self._keep(rows, self._unwrapped(rows), forgets)
        return [SubjectKeys(self, person) for person in persons]

    def forget(self, subject: str, *, reason: str = "") -> datetime:
        """Destroy a person's own key, and leave a tombstone with the time and the reason.

        What was written under it can never be read again, once no copy of the wrapped key is left: neither in a backup
        of the table, nor in a log of its database, nor in the memory of another process, which keeps unwrapped keys
        for its keyring's `lifetime`. Destroying the keyring's version or key-encryption key makes such copies useless.

        To forget a person twice does nothing, but to clear away what may be left.

        Args:
            subject: The person's id.
            reason: Why, for the records; it is stored in clear.

        Returns:
            When the key was destroyed, in UTC.

        Raises:
            KeyNotFound: If the person has no key.
            KeyringError: If the table cannot be written.
        """
        (person,) = self._persons([subject])
        if person not in self._there.get([person]):
            raise KeyNotFound("the person has no key in this keyring; there is nothing to forget")
        self._destroy([person], reason)
        forgotten = self._there.get([person])[person].forgotten
        return datetime.fromtimestamp(forgotten or 0, UTC)

    def forget_many(self, subjects: Sequence[str], *, reason: str = "", missing_ok: bool = False) -> int:
        """Forget many persons at once, such as all whose data has expired: all of them or none.

        It is what `forget` is for one, at the cost of one search or rebuilding of the table for all.

        Args:
            subjects: Ids of persons.
            reason: Why, for the records; it is stored in clear, for each.
            missing_ok: Whether to pass over persons who have no key: those under whom nothing was ever written, and
                those whose ids are misspelt.

        Returns:
            How many keys were destroyed now; who was forgotten before is not counted.

        Raises:
            KeyNotFound: If some have no key, and that was not allowed; nobody is forgotten then.
            KeyringError: If the table cannot be written.

        Example:
            >>> keys = Keyring.create(directory / "club.json")
            >>> keys.subjects.create(["member:1", "member:2", "member:3"])
            >>> keys.subjects.forget_many(["member:1", "member:2"], reason="ten years after they left")
            2
        """
        persons = self._persons(subjects)
        rows = self._there.get(list(dict.fromkeys(persons)))
        absent = [place for place, person in enumerate(persons) if person not in rows]
        if absent and not missing_ok:
            raise KeyNotFound(
                f"{len(absent)} of {len(persons)} persons have no key in this keyring, the first of them at position "
                f"{absent[0]}; nobody was forgotten; leave them out, or pass missing_ok=True"
            )
        return self._destroy(list(rows), reason) if rows else 0

    def _destroy(self, persons: Sequence[bytes], reason: object) -> int:
        if not isinstance(reason, str) or not is_encodable(reason):
            raise InvalidParameter("a reason is a str that UTF-8 can write; give one, or none")
        try:
            return self._there.forget(persons, int(now().timestamp()), reason)
        finally:  # also where the table is written and only copies are left in it
            with self._lock:
                self._forgets += 1
                for person in persons:
                    self._cache.pop(person, None)

    def rewrap(self) -> int:
        """Wrap every person's key by the keyring's primary version, so that older versions may be destroyed.

        No data changes. Others may read and write meanwhile; it may be stopped and called again.

        Returns:
            How many keys were wrapped anew.

        Raises:
            KeyUnavailable: If some are wrapped by a disabled version.
            KeyringUnreadable: If a wrapped key is damaged.
        """
        count, primary = 0, self._ring.primary_id
        for old in self._there.ring_key_ids() - {primary}:
            while rows := self._there.under(old, _AT_ONCE):
                keys = self._unwrapped(rows)
                content = self._wrapped(_row_places(rows), Ragged.of([key.expose() for key in keys]), primary)
                rewrapped = [row._replace(ring_key_id=primary, wrapped=c) for row, c in zip(rows, content, strict=True)]
                self._there.rewrap(rewrapped, old)
                count += len(rows)
        return count

    def check_none_under(self, key_id: int) -> None:
        """See that no person's key is wrapped by a version of the keyring.

        Raises:
            KeyringError: If some are.
        """
        if self._table is not None and key_id in self._table.ring_key_ids():
            raise KeyringError(
                f"keys of persons are wrapped by key {hex_id(key_id)}; call keys.subjects.rewrap() first"
            )

    @property
    def ring(self) -> Keyring:
        """The keyring."""
        return self._ring

    def row(self, person: bytes) -> SubjectRow | None:
        """A person's row, or `None`."""
        return self._there.get([person]).get(person)

    def unwrapped(self, person: bytes, *, create: bool) -> Unwrapped | None:
        """A person's key: from memory, from the table, or a new one.

        Raises:
            SubjectForgotten: If it was destroyed.
        """
        with self._lock:
            self._follow()
            kept, forgets = self._cache.get(person), self._forgets
            if kept is not None:
                self._cache.move_to_end(person)
                return kept
        row = self.row(person)
        if row is None and create:
            self._there.add(self._new_rows([person]))  # or somebody else's, who came first
            row = self.row(person)
        if row is None:
            return None
        if row.wrapped is None:
            raise SubjectForgotten(
                f"the person was forgotten on {datetime.fromtimestamp(row.forgotten or 0, UTC):%Y-%m-%d}; "
                "what was written under the person's key cannot be read again"
            )
        return self._keep([row], self._unwrapped([row]), forgets)[0]

    @property
    def _there(self) -> SubjectTable:
        if self._table is None:
            raise KeyringError(
                "this keyring's store has no table for persons' keys; pass subjects=SqliteSubjects(path)"
            )
        return self._table

    def _persons(self, subjects: Sequence[str]) -> list[bytes]:
        if isinstance(subjects, str):
            raise InvalidParameter("persons' ids are a sequence of str, not one; put it into a list")
        encoded = [_encoded(subject) for subject in subjects]
        if len(encoded) == 1:
            return [self._ring.persons.digest(encoded[0])]
        content = self._ring.persons.digest_many(Ragged.of(encoded)).tobytes()
        return [content[start : start + _PERSON] for start in range(0, len(content), _PERSON)]

    def _follow(self) -> None:
        """Drop what was unwrapped under an older state of the keyring, or before the end of its lifetime."""
        opened = self._ring.opened
        if opened is not self._opened:
            self._cache.clear()
            self._opened = opened

    def _keep(self, rows: Sequence[SubjectRow], keys: Sequence[Secret], forgets: int) -> list[Unwrapped]:
        found = [Unwrapped(row.key_id, key) for row, key in zip(rows, keys, strict=True)]
        with self._lock:
            if forgets == self._forgets:  # otherwise one of them may have been forgotten since its row was read
                self._cache.update(zip((row.subject for row in rows), found, strict=True))
            while len(self._cache) > self.capacity:
                self._cache.popitem(last=False)
        return found

    def _new_rows(self, persons: Sequence[bytes]) -> list[SubjectRow]:
        count, created, primary = len(persons), int(now().timestamp()), self._ring.primary_id
        ids = [key_id or 1 for key_id in np.frombuffer(os.urandom(4 * count), np.uint32).tolist()]
        wrapped = self._wrapped(_places(persons, ids), _random_keys(count), primary)
        return [
            SubjectRow(person, key_id, primary, content, created)
            for person, key_id, content in zip(persons, ids, wrapped, strict=True)
        ]

    def _wrapped(self, places: Ragged, keys: Ragged, by: int) -> list[bytes]:
        return self._wrapping.siv(_WRAPPING, by).encrypt_many(keys, [places]).to_list()

    def _unwrapped(self, rows: Sequence[SubjectRow]) -> list[Secret]:
        found: dict[bytes, Secret] = {}
        for by in {row.ring_key_id for row in rows}:
            under = [row for row in rows if row.ring_key_id == by]
            try:
                wrapped, places = Ragged.of([row.wrapped or b"" for row in under]), _row_places(under)
            except (TypeError, ValueError, OverflowError):  # no bytes, or no key ids: no table that privkit wrote
                raise KeyringUnreadable("the table of persons' keys is damaged; restore it from a backup") from None
            keys, failed = self._wrapping.siv(_WRAPPING, by).decrypt_many(wrapped, [places])
            if failed.any():
                raise KeyringUnreadable(
                    f"{int(failed.sum())} keys of persons are damaged; restore their table from a backup"
                )
            found.update(zip((row.subject for row in under), map(Secret, keys.to_list()), strict=True))
        return [found[row.subject] for row in rows]


def _encoded(subject: object) -> bytes:
    if not isinstance(subject, str) or not subject:
        raise InvalidParameter(f"a person's id is a str that is not empty, got {type(subject).__name__}")
    try:
        return subject.encode()
    except UnicodeEncodeError:
        raise InvalidParameter("a person's id holds a lone surrogate; use text that UTF-8 can write") from None


def _row_places(rows: Sequence[SubjectRow]) -> Ragged:
    return _places([row.subject for row in rows], [row.key_id for row in rows])


def _places(persons: Sequence[bytes], key_ids: Sequence[int]) -> Ragged:
    """The associated data of wrapped keys: person and key id."""
    ids = np.array(key_ids, ">u4").view(np.uint8).reshape(-1, 4)
    return Ragged.of_matrix(np.hstack([np.frombuffer(b"".join(persons), np.uint8).reshape(-1, _PERSON), ids]))


def _random_keys(count: int) -> Ragged:
    return Ragged.of_matrix(np.frombuffer(os.urandom(KEY_BYTES * count), np.uint8).reshape(-1, KEY_BYTES))
