"""What may become of a keyring: each step a function from a document to the next, or an error and no step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from privkit.errors import InvalidParameter, KeyNotFound, KeyringError, KeyUnavailable
from privkit.keys.document import Document, State, Version, hex_id, new_version
from privkit.keys.names import canonical_name

if TYPE_CHECKING:
    from privkit.keys.material import Secret


def rotated(document: Document, root: Secret, ring_key: Secret, *, staged: bool) -> Document:
    """Add a version, the newest, which becomes the primary: at once, or if `staged` when it is enabled."""
    version = new_version(document, root, ring_key, state=State.STAGED if staged else State.ENABLED)
    return replace(document, versions=(*document.versions, version))


def disabled(document: Document, key_id: int) -> Document:
    """Stop a version from reading and writing, until it is enabled again.

    Raises:
        KeyringError: If no enabled version would be left.
    """
    version = _usable(document, key_id)
    if document.enabled == (version,):
        raise KeyringError(f"key {hex_id(key_id)} is the only enabled one; rotate first")
    return _with_state(document, key_id, State.DISABLED)


def enabled(document: Document, key_id: int) -> Document:
    """Let a disabled version read again, and a staged one too write where it is the newest."""
    _usable(document, key_id)
    return _with_state(document, key_id, State.ENABLED)


def destroyed(document: Document, key_id: int, *, breaks_stable: bool) -> Document:
    """Drop a version's root key for good.

    Raises:
        KeyringError: If it is the primary, or if something stable stands on it and `breaks_stable` is not set.
    """
    version = _usable(document, key_id)
    if document.enabled[0] == version:
        raise KeyringError(f"key {hex_id(key_id)} is the primary; rotate or disable it first")
    rest = "every other field" if document.pins else "every field"
    standing = ([rest] if key_id == document.stable else []) + [
        name for name, pinned in document.pins.items() if pinned == key_id
    ]
    if standing and not breaks_stable:
        raise KeyringError(
            f"tokens and format-preserving output of {', '.join(standing)} stand on key {hex_id(key_id)}; "
            "move the stable version first, or destroy it with breaks_stable=True"
        )
    return _with_state(document, key_id, State.DESTROYED)


def stable_moved(document: Document, field_name: str | None, key_id: int | None) -> Document:
    """Let a field, or every field that was not moved by itself, stand on another version: by default the primary."""
    target = document.enabled[0] if key_id is None else _usable(document, key_id)
    if target.state is not State.ENABLED:
        raise KeyUnavailable(
            f"key {hex_id(target.id)} is {target.state.value}; enable it before something stands on it"
        )
    if field_name is None:
        return replace(document, stable=target.id)
    canonical = canonical_name(field_name)
    name = document.aliases.get(canonical, canonical)
    return replace(document, pins={**document.pins, name: target.id})


def aliased(document: Document, alias: str, of: str) -> Document:
    """Let one name of a field stand for another.

    Raises:
        InvalidParameter: If the alias is a name that others stand for, or stands for another name already.
    """
    name, target = canonical_name(alias), canonical_name(of)
    target = document.aliases.get(target, target)
    if name == target:
        raise InvalidParameter(f"{alias!r} cannot stand for itself")
    if name in document.aliases.values() or name in document.pins:
        raise InvalidParameter(f"{alias!r} is a field's own name already; an alias of it would hide its data")
    if document.aliases.get(name, target) != target:
        raise InvalidParameter(f"{alias!r} stands for {document.aliases[name]!r} already; remove that alias first")
    return replace(document, aliases={**document.aliases, name: target})


def unaliased(document: Document, alias: str) -> Document:
    """Take an alias back.

    Raises:
        InvalidParameter: If there is no such alias.
    """
    name = canonical_name(alias)
    if name not in document.aliases:
        raise InvalidParameter(f"the keyring has no alias {alias!r}")
    return replace(document, aliases={other: of for other, of in document.aliases.items() if other != name})


def _with_state(document: Document, key_id: int, state: State) -> Document:
    return replace(
        document,
        versions=tuple(
            version.in_state(state) if version.id == key_id and version.state is not state else version
            for version in document.versions
        ),
    )


def _usable(document: Document, key_id: int) -> Version:
    version = document.version(key_id)
    if version is None:
        raise KeyNotFound(f"keyring has no key {hex_id(key_id)}; list its keys with `privkit keys list`")
    if version.state is State.DESTROYED:
        raise KeyUnavailable(f"key {hex_id(key_id)} was destroyed; nothing can be done with it")
    return version
