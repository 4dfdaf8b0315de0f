"""The keyring as it is stored: one JSON document, in which no byte can be changed unnoticed.

```
format        "privkit-keyring"
version       1
keyring       its id: 16 random bytes in hex
generation    how often it was written, from 1
ring_key      the ring key as the wrapper wrapped it: "wrapper" names which, the rest is the wrapper's own
keys          the versions, oldest first: id (8 hex digits), state, created, changed, root (base64; null once destroyed)
subject_index what ids of persons are hashed with (see `subjects`), wrapped as a root key is; base64
stable        default: the version that tokens and format-preserving transforms stand on; fields: exceptions by name
aliases       other names of fields: alias to canonical name
tag           HMAC-SHA256, in hex, of all of the above written as canonical JSON: sorted keys, no spaces, ASCII
```

Times are UTC to the second. White space between the parts means nothing; everything else is under the tag.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringUnreadable
from privkit.keys.material import Secret
from privkit.keys.ringkey import open_root, seal_root, tag_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "privkit-keyring"
VERSION = 1
MAX_BYTES = 16 * 1024 * 1024
"""A keyring larger than this is not read: the largest honest ones are some hundred kilobytes."""

_INDEX = "subject index"
"""In the place of a key id, where the subject index is wrapped: no key id is spelled so."""

_RING_ID = re.compile("[0-9a-f]{32}")

_DAMAGED = "restore the keyring from a backup"


class State(Enum):
    """What a key version may do.

    Attributes:
        PRIMARY: The newest enabled version: it writes and reads.
        ENABLED: It reads.
        STAGED: It reads, and will write once it is enabled: for keyrings that are handed out as copies.
        DISABLED: It does nothing until it is enabled again.
        DESTROYED: Its key is gone for good; only its id and its dates are left.
    """

    PRIMARY = "primary"
    ENABLED = "enabled"
    STAGED = "staged"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


_READABLE = (State.ENABLED, State.STAGED)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the root key, as stored.

    Attributes:
        id: Its key id, from 1 to 2^32 - 1.
        state: Any but `PRIMARY`; which of the enabled is the primary follows from their order.
        created: When it was made.
        changed: When its state last changed.
        sealed: The root key under the ring key; `None` once destroyed.
    """

    id: int
    state: State
    created: datetime
    changed: datetime
    sealed: bytes | None

    def in_state(self, state: State) -> Version:
        """The version in another state from now on; destroying it drops its root key."""
        return replace(self, state=state, changed=now(), sealed=None if state is State.DESTROYED else self.sealed)


@dataclass(frozen=True, slots=True)
class Document:
    """What a keyring's store holds, without its tag."""

    ring_id: str
    generation: int
    ring_key: Mapping[str, Any]
    versions: tuple[Version, ...]
    subject_index: bytes
    stable: int
    pins: Mapping[str, int]
    aliases: Mapping[str, str]

    def version(self, key_id: int) -> Version | None:
        """The version of that id, or `None`."""
        return next((version for version in self.versions if version.id == key_id), None)

    @property
    def enabled(self) -> tuple[Version, ...]:
        """The versions that may write, newest first; the first of them is the primary, which does."""
        return tuple(version for version in reversed(self.versions) if version.state is State.ENABLED)

    @property
    def readable(self) -> tuple[Version, ...]:
        """The versions that may be read with, newest first."""
        return tuple(version for version in reversed(self.versions) if version.state in _READABLE)

    def roots(self, ring_key: Secret, *, every: bool = False) -> dict[int, Secret]:
        """Unwrap the root keys of the versions that read, or of every version that has one.

        Raises:
            KeyringUnreadable: If one of them is damaged.
        """
        return {
            version.id: open_root(ring_key, version.sealed, self.ring_id, hex_id(version.id))
            for version in self.versions
            if version.sealed is not None and (every or version.state in _READABLE)
        }

    def rewrapped(self, record: Mapping[str, Any], old: Secret, new: Secret) -> Document:
        """Wrap every root key under a new ring key, itself wrapped as `record`."""
        roots = self.roots(old, every=True)
        versions = tuple(
            replace(version, sealed=seal_root(new, roots[version.id], self.ring_id, hex_id(version.id)))
            if version.id in roots
            else version
            for version in self.versions
        )
        index = seal_root(new, self.open_index(old), self.ring_id, _INDEX)
        return replace(self, ring_key=record, versions=versions, subject_index=index)

    def open_index(self, ring_key: Secret) -> Secret:
        """Unwrap what the ids of persons are hashed with.

        Raises:
            KeyringUnreadable: If it is damaged.
        """
        return open_root(ring_key, self.subject_index, self.ring_id, _INDEX)


def hex_id(key_id: int) -> str:
    """A key id as people see it: 8 hex digits."""
    return f"{key_id:08x}"


def now() -> datetime:
    """The time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def new_ring_id() -> str:
    """A keyring's id: 16 random bytes in hex."""
    return secrets.token_hex(16)


def new_version(document: Document, root: Secret, ring_key: Secret, *, state: State = State.ENABLED) -> Version:
    """Wrap a root key as a version with an id that the keyring has never had."""
    taken = {0, *(version.id for version in document.versions)}
    key_id = next(candidate for candidate in iter(lambda: secrets.randbits(32), None) if candidate not in taken)
    sealed = seal_root(ring_key, root, document.ring_id, hex_id(key_id))
    return Version(key_id, state, now(), now(), sealed)


def new_document(ring_id: str, record: Mapping[str, Any], ring_key: Secret) -> Document:
    """The first document of a keyring, with one version, under a ring key wrapped as `record`."""
    index = seal_root(ring_key, Secret.random(), ring_id, _INDEX)
    empty = Document(ring_id, 1, record, (), index, 0, {}, {})
    first = new_version(empty, Secret.random(), ring_key)
    return replace(empty, versions=(first,), stable=first.id)


def encode(document: Document, ring_key: Secret) -> bytes:
    """Write a document with its tag, as JSON that a person can read."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "keyring": document.ring_id,
        "generation": document.generation,
        "ring_key": dict(document.ring_key),
        "keys": [_version_to_json(version) for version in document.versions],
        "subject_index": _to_base64(document.subject_index),
        "stable": {
            "default": hex_id(document.stable),
            "fields": {name: hex_id(key_id) for name, key_id in document.pins.items()},
        },
        "aliases": dict(document.aliases),
    }
    tagged = {**body, "tag": tag_of(ring_key, _canonical(body))}
    return (json.dumps(tagged, indent=2) + "\n").encode()


class Envelope:
    """A document that was read and not yet authenticated: only its ring key may be looked at.

    Attributes:
        ring_id: The keyring's id, as it claims.
        ring_key: The wrapped ring key.
    """

    __slots__ = ("_body", "_tag", "ring_id", "ring_key")

    def __init__(self, stored: bytes) -> None:
        self._body = _parse(stored)
        tag, ring_id, ring_key = self._body.pop("tag", None), self._body.get("keyring"), self._body.get("ring_key")
        if not (isinstance(tag, str) and isinstance(ring_id, str) and isinstance(ring_key, dict)):
            raise KeyringUnreadable(f"keyring lacks its id, its ring key or its tag; {_DAMAGED}")
        if not _RING_ID.fullmatch(ring_id):
            raise KeyringUnreadable(f"keyring's id is damaged; {_DAMAGED}")
        self._tag = tag
        self.ring_id = ring_id
        self.ring_key: dict[str, Any] = ring_key

    def open(self, ring_key: Secret) -> Document:
        """Authenticate the document, then read it.

        Raises:
            KeyringUnreadable: If it was altered since privkit wrote it.
        """
        expected = tag_of(ring_key, _canonical(self._body))
        if not hmac.compare_digest(expected.encode(), self._tag.encode("utf-8", "replace")):
            raise KeyringUnreadable(f"keyring was altered since privkit wrote it; {_DAMAGED}")
        try:
            return _document_from_json(self._body)
        except (KeyError, TypeError, ValueError, binascii.Error):
            # Authentic, and yet not of this form: only a privkit that writes version 1 otherwise could do that.
            raise KeyringUnreadable("keyring has parts that this release does not know; use a newer privkit") from None


def _parse(stored: bytes) -> dict[str, Any]:
    if len(stored) > MAX_BYTES:
        raise KeyringUnreadable(f"keyring too large ({len(stored)} > {MAX_BYTES} bytes); {_DAMAGED}")
    try:
        body = json.loads(stored, object_pairs_hook=_without_twins)
        _canonical(body)  # so that what can be read can also be written, however deeply it is nested
    except (ValueError, RecursionError):
        raise KeyringUnreadable(f"keyring is not JSON: cut short or damaged; {_DAMAGED}") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise KeyringUnreadable(f"this is not a privkit keyring; {_DAMAGED}")
    if body.get("version") != VERSION:
        raise KeyringUnreadable(f"keyring is not of version {VERSION}; use a newer privkit, or {_DAMAGED}")
    return body


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of two parts of one name only one would be under the tag."""
    parts = dict(pairs)
    if len(parts) < len(pairs):
        raise ValueError
    return parts


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _version_to_json(version: Version) -> dict[str, Any]:
    return {
        "id": hex_id(version.id),
        "state": version.state.value,
        "created": _time_to_text(version.created),
        "changed": _time_to_text(version.changed),
        "root": None if version.sealed is None else _to_base64(version.sealed),
    }


def _document_from_json(body: Mapping[str, Any]) -> Document:
    return Document(
        ring_id=body["keyring"],
        generation=int(body["generation"]),
        ring_key=body["ring_key"],
        versions=tuple(_version_from_json(version) for version in body["keys"]),
        subject_index=_from_base64(body["subject_index"]),
        stable=int(body["stable"]["default"], 16),
        pins={name: int(key_id, 16) for name, key_id in body["stable"]["fields"].items()},
        aliases=dict(body["aliases"]),
    )


def _version_from_json(version: Mapping[str, Any]) -> Version:
    root = version["root"]
    return Version(
        id=int(version["id"], 16),
        state=State(version["state"]),
        created=_time_from_text(version["created"]),
        changed=_time_from_text(version["changed"]),
        sealed=None if root is None else _from_base64(root),
    )


def _to_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _time_to_text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_from_text(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
