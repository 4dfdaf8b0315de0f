"""The keys of one person: a handle to them, and what stands behind the person's field keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Never, TypeVar

from privkit.errors import KeyNotFound, SubjectForgotten
from privkit.keys.derivation import Usage, derive
from privkit.keys.document import hex_id
from privkit.keys.handle import FieldKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.keys.material import Secret
    from privkit.keys.subjects import Subjects

T = TypeVar("T")

_MAX_DERIVED = 256
"""How many derived objects are kept for a person; more begin anew."""


class SubjectKeys:
    """The keys of one person, by field: got by `keys.subject(...)`. Immutable, hashable, and shows nobody's id."""

    __slots__ = ("_person", "_subjects")

    _person: bytes
    _subjects: Subjects

    def __init__(self, subjects: Subjects, person: bytes) -> None:
        object.__setattr__(self, "_subjects", subjects)
        object.__setattr__(self, "_person", person)

    def __getitem__(self, field_name: str) -> FieldKey:
        return FieldKey(_Source(self._subjects, self._person), self._subjects.ring.canonical(field_name))

    @property
    def exists(self) -> bool:
        """Whether the person has a key."""
        row = self._subjects.row(self._person)
        return row is not None and row.wrapped is not None

    @property
    def forgotten(self) -> datetime | None:
        """When the person's key was destroyed, in UTC."""
        row = self._subjects.row(self._person)
        return None if row is None or row.forgotten is None else datetime.fromtimestamp(row.forgotten, UTC)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SubjectKeys):
            return NotImplemented
        return self._person == other._person and self._subjects.ring.id == other._subjects.ring.id

    def __hash__(self) -> int:
        return hash(self._person)

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"the keys of a person are immutable: cannot set {name!r}")

    def __repr__(self) -> str:
        return "<SubjectKeys: person and keys not shown>"

    def __reduce__(self) -> Never:
        raise TypeError("the keys of a person cannot be pickled; open the keyring where they are needed")


class Unwrapped:
    """A person's key in memory, and what has been derived from it."""

    __slots__ = ("cache", "key_id", "root")

    def __init__(self, key_id: int, root: Secret) -> None:
        self.key_id = key_id
        self.root = root
        self.cache: dict[Any, Any] = {}


class _Source:
    """What stands behind the field keys of a person: one version, which is made when something is written with it."""

    __slots__ = ("_person", "_subjects")

    def __init__(self, subjects: Subjects, person: bytes) -> None:
        self._subjects = subjects
        self._person = person

    @property
    def id(self) -> str:
        """The keyring and the person."""
        return f"{self._subjects.ring.id}/{self._person.hex()}"

    @property
    def primary_id(self) -> int:
        """The id of the person's key; makes it where there is none."""
        return self._key(create=True).key_id

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The id of the person's key, if there is one."""
        unwrapped = self._subjects.unwrapped(self._person, create=False)
        return () if unwrapped is None else (unwrapped.key_id,)

    def stable_id(self, field_name: str) -> int:  # noqa: ARG002 - all fields of a person have the one version
        """The same as the primary."""
        return self.primary_id

    def knows(self, key_id: int) -> bool:
        """Whether that is the person's key: one that was destroyed too."""
        try:
            return key_id in self.version_ids
        except SubjectForgotten:
            row = self._subjects.row(self._person)
            return row is not None and row.key_id == key_id

    def derivatives(self) -> dict[Any, Any]:
        """What has been made of the person's key."""
        return self._key(create=False).cache

    def derived(self, build: Callable[[Usage, Secret], T], field_name: str, usage: Usage, key_id: int | None) -> T:
        """What `build` makes of a key derived from the person's; kept, so that it is made once."""
        unwrapped = self._key(create=key_id is None)
        if key_id not in (None, unwrapped.key_id):
            raise KeyNotFound(f"the person's key is not {hex_id(key_id or 0)}; was the value another person's?")
        try:
            return unwrapped.cache[build, field_name, usage]  # type: ignore[no-any-return]
        except KeyError:
            made = build(usage, derive(unwrapped.root, usage, field_name))
            if len(unwrapped.cache) >= _MAX_DERIVED:
                unwrapped.cache.clear()
            unwrapped.cache[build, field_name, usage] = made
            return made

    def _key(self, *, create: bool) -> Unwrapped:
        unwrapped = self._subjects.unwrapped(self._person, create=create)
        if unwrapped is None:
            raise KeyNotFound("the person has no key in this keyring; nothing was written for them")
        return unwrapped
