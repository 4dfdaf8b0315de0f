"""The field key: a handle to the keys of one field, through which ciphers are got and no key is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, Protocol, TypeVar

from cryptography.hazmat.primitives.ciphers import algorithms

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.siv import Siv
from privkit.errors import InvalidParameter
from privkit.keys.names import canonical_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.keys.derivation import Usage
    from privkit.keys.material import Secret

T = TypeVar("T")


class KeySource(Protocol):
    """What stands behind a field key: a keyring, or one person's own key."""

    @property
    def id(self) -> str:
        """What tells it from every other source."""

    @property
    def primary_id(self) -> int:
        """The version that writes."""

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The versions that read, newest first."""

    def stable_id(self, field_name: str) -> int:
        """The version that what must stay equal over time stands on, for a field by its canonical name."""

    def knows(self, key_id: int) -> bool:
        """Whether there is, or was, a version of that id."""

    def derivatives(self) -> dict[Any, Any]:
        """What has been made of the keys that are unwrapped now; to be asked anew each time, and never to be kept.

        Whoever looks up ciphers for single values puts them here, so that they go when the keys do.
        """

    def derived(self, build: Callable[[Usage, Secret], T], field_name: str, usage: Usage, key_id: int | None) -> T:
        """What `build` makes of the derived key; kept, so that it is made once."""


class FieldKey:
    """The keys of one field: got from a keyring by name, and passed to transforms.

    It refers to its keyring's present state: after `keys.rotate()` it writes with the new version. It holds no key
    itself. Immutable, hashable, and safe to share among threads and after a fork; two handles of the same keyring and
    field are equal. It cannot be pickled, and copying gives the same handle.

    Example:
        >>> keys = Keyring.create(directory / "keyring.json")
        >>> keys["customer.phone"]
        <FieldKey 'customer.phone': keys not shown>
    """

    __slots__ = ("_source", "name")

    _source: KeySource
    name: str
    """The field's canonical name: for an alias, the name that it stands for."""

    def __init__(self, source: KeySource, name: str) -> None:
        object.__setattr__(self, "_source", source)
        object.__setattr__(self, "name", canonical_name(name))

    @property
    def primary_id(self) -> int:
        """The key id of the newest enabled version, which writes."""
        return self._source.primary_id

    @property
    def stable_id(self) -> int:
        """The key id that this field's tokens and format-preserving output stand on."""
        return self._source.stable_id(self.name)

    @property
    def version_ids(self) -> tuple[int, ...]:
        """The key ids of the versions that read, newest first."""
        return self._source.version_ids

    @property
    def derivatives(self) -> Callable[[], dict[Any, Any]]:
        """The function that gives what has been made of the keys that are unwrapped now: see `KeySource`."""
        return self._source.derivatives

    def knows(self, key_id: int) -> bool:
        """Whether the keyring has, or had, a version of that id: a disabled or destroyed one it knows as well."""
        return self._source.knows(key_id)

    def siv(self, usage: Usage, key_id: int | None = None) -> Siv:
        """AES-SIV (or SM4-SIV) under the key of this field for a use.

        Args:
            usage: What the key is for; `key_bytes` of 32, 48 or 64 for AES, 32 for SM4.
            key_id: Which version; the stable one by default.

        Raises:
            KeyNotFound: If the keyring has no such version.
            KeyUnavailable: If it is disabled or destroyed.
            InvalidParameter: If `usage.key_bytes` does not fit the algorithm.
        """
        return self._source.derived(_siv, self.name, usage, key_id)

    def cmac(self, usage: Usage, key_id: int | None = None) -> Cmac:
        """CMAC under the key of this field for a use: 16, 24 or 32 bytes for AES, 16 for SM4. Otherwise as `siv`."""
        return self._source.derived(_cmac, self.name, usage, key_id)

    def cipher(self, usage: Usage, key_id: int | None = None) -> BlockCipher:
        """The block cipher under the key of this field for a use: sizes as for `cmac`, otherwise as `siv`."""
        return self._source.derived(_cipher, self.name, usage, key_id)

    def secret(self, usage: Usage, key_id: int | None = None) -> Secret:
        """The key itself, for `privkit.keys.tink` alone; arguments and errors as for `siv`."""
        return self._source.derived(_itself, self.name, usage, key_id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldKey):
            return NotImplemented
        return self.name == other.name and self._source.id == other._source.id

    def __hash__(self) -> int:
        return hash((self.name, self._source.id))

    def __repr__(self) -> str:
        return f"<FieldKey {self.name!r}: keys not shown>"

    def __setattr__(self, name: str, value: object) -> Never:
        raise AttributeError(f"a field key is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> Never:
        raise AttributeError(f"a field key is immutable: cannot delete {name!r}")

    def __copy__(self) -> FieldKey:
        return self

    def __deepcopy__(self, memo: object) -> FieldKey:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a field key leads to keys and cannot be pickled; open the keyring where it is needed")


def _siv(usage: Usage, key: Secret) -> Siv:
    if not _is_sm4(usage):
        _check_size(usage, 32, 48, 64)
        return Siv.of(key.expose())
    _check_size(usage, 32)
    half = len(key) // 2
    return Siv(*(BlockCipher(part, algorithms.SM4) for part in (key.expose()[:half], key.expose()[half:])))


def _cmac(usage: Usage, key: Secret) -> Cmac:
    return Cmac(_cipher(usage, key))


def _cipher(usage: Usage, key: Secret) -> BlockCipher:
    if _is_sm4(usage):
        _check_size(usage, 16)
        return BlockCipher(key.expose(), algorithms.SM4)
    _check_size(usage, 16, 24, 32)
    return BlockCipher(key.expose())


def _itself(usage: Usage, key: Secret) -> Secret:  # noqa: ARG001 - as every builder of a derived object
    return key


def _is_sm4(usage: Usage) -> bool:
    return usage.algorithm.startswith("SM4")


def _check_size(usage: Usage, *sizes: int) -> None:
    # Here, although the ciphers check it as well: in the traceback of their refusal the key would be a variable.
    if usage.key_bytes not in sizes:
        raise InvalidParameter(
            f"key of {usage.key_bytes} bytes for {usage.algorithm}; it takes {' or '.join(map(str, sizes))}"
        )
