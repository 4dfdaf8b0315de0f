"""From a root key to the key of one field for one use: HKDF-SHA256 (RFC 5869), frozen.

The root key is 32 uniformly random bytes, so HKDF goes without a salt (RFC 5869, section 3.1). What tells two keys
apart is `info`:

```
info        label | purpose | mode | algorithm | key length | layout | layout version | field name | recipient
label       the 9 bytes "privkit/1"
text        length, 2 bytes big-endian | UTF-8               purpose, mode, algorithm, layout, field name
number      00 04 | value, 4 bytes big-endian                key length in bytes, layout version
recipient   00 where there is none, otherwise 01 | text      so absent and empty differ
```

Every part carries its length, so no two lists of parts share an `info`. Golden vectors in the tests hold each byte of
this: a change here would make every value ever written unreadable, and wants a new label.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privkit.errors import InvalidParameter
from privkit.keys.material import Secret

LABEL = b"privkit/1"
"""The first bytes of every `info`: the version of the derivation."""

_KEY_SIZES = (16, 24, 32, 48, 64)
_MAX_TEXT_BYTES = 0xFFFF
_MAX_NUMBER = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Usage:
    """What a derived key is for: exactly what goes into its derivation beside the field's name.

    Two usages that differ in any part have unrelated keys.

    Attributes:
        purpose: What the key does, such as `encrypt`, `token` or `fpe`.
        algorithm: What it is used with, such as `AES-SIV`, `AES-CMAC`, `FF1` or `SM4-CMAC`. One that begins with
            `SM4` is given to SM4, any other to AES.
        key_bytes: Its length: 16, 24 or 32, and for SIV, which takes two keys, 32, 48 or 64.
        mode: A manner of the purpose, such as `randomised` or `deterministic`.
        layout: What is enciphered under FPE: the name of a field type's layout.
        layout_version: The version of that layout.
        recipient: Who gets the output; `None` for nobody in particular, which differs from `""`.

    Example:
        >>> Usage("token", "AES-CMAC", 32, recipient="acme").key_bytes
        32
    """

    purpose: str
    algorithm: str
    key_bytes: int
    mode: str = ""
    layout: str = ""
    layout_version: int = 0
    recipient: str | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.purpose or not self.algorithm:
            raise InvalidParameter("a usage names its purpose and its algorithm")
        if self.key_bytes not in _KEY_SIZES:
            raise InvalidParameter(f"derived key of {self.key_bytes} bytes; expected one of {_KEY_SIZES}")
        if not 0 <= self.layout_version <= _MAX_NUMBER:
            raise InvalidParameter(f"layout version {self.layout_version} is not in 0 to {_MAX_NUMBER}")
        # A usage is a dictionary key on the way of every single value: its hash is worked out once.
        object.__setattr__(self, "_hash", hash(self.info("_")))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        # Hashes of bytes differ between processes, so the hash must not travel in a pickle.
        values = (self.purpose, self.algorithm, self.key_bytes, self.mode, self.layout, self.layout_version)
        return type(self), (*values, self.recipient)

    def info(self, field_name: str) -> bytes:
        """The `info` of HKDF for a field; the module's docstring draws it.

        Args:
            field_name: The canonical name of the field.
        """
        return b"".join(
            (
                LABEL,
                _text(self.purpose),
                _text(self.mode),
                _text(self.algorithm),
                _number(self.key_bytes),
                _text(self.layout),
                _number(self.layout_version),
                _text(field_name),
                b"\x00" if self.recipient is None else b"\x01" + _text(self.recipient),
            )
        )


@lru_cache(maxsize=4096)  # the same for every person, where each has a root key of their own
def _info(usage: Usage, field_name: str) -> bytes:
    return usage.info(field_name)


def derive(root: Secret, usage: Usage, field_name: str) -> Secret:
    """Derive the key of a field for a use.

    Args:
        root: A root key.
        usage: What the key is for.
        field_name: The canonical name of the field.
    """
    return expand(root, _info(usage, field_name), usage.key_bytes)


def expand(root: Secret, info: bytes, size: int) -> Secret:
    """HKDF-SHA256 without a salt."""
    return Secret(HKDF(algorithm=SHA256(), length=size, salt=None, info=info).derive(root.expose()))


def _text(text: str) -> bytes:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise InvalidParameter("a key usage holds a lone surrogate; use text that UTF-8 can write") from None
    if len(encoded) > _MAX_TEXT_BYTES:
        raise InvalidParameter(f"part of a key usage too long ({len(encoded)} > {_MAX_TEXT_BYTES} bytes)")
    return len(encoded).to_bytes(2, "big") + encoded


def _number(number: int) -> bytes:
    return b"\x00\x04" + number.to_bytes(4, "big")
