"""The dangerous door: a field's keys in clear, as a keyset of Google's Tink.

With it, Tink (in any of its languages) decrypts what `Encrypt(deterministic=True)` wrote for the field, and writes what
that reads: prefix, AES-SIV and key are the same. What differs is around them: the associated data is privkit's (see
`docs/format.md`), and the plaintext begins with a byte for its type. Randomised values are privkit's alone.

```
Keyset      1: primary key id, varint | 2: Key, for each version
Key         1: KeyData | 2: status, 1 (enabled) | 3: key id, varint | 4: output prefix, 1 (Tink's)
KeyData     1: type URL | 2: AesSivKey | 3: key material, 1 (symmetric)
AesSivKey   2: 64 bytes                                                       (version 0 is left out, as proto3 does)
```

The numbers are those of Tink's `tink.proto` and `aes_siv.proto`, in protocol buffers' encoding (proto3).
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Never

from privkit.errors import KeyUnavailable
from privkit.keys.document import hex_id
from privkit.keys.usages import DETERMINISTIC

if TYPE_CHECKING:
    from privkit.keys.handle import FieldKey
    from privkit.keys.material import Secret

_TYPE_URL = "type.googleapis.com/google.crypto.tink.AesSivKey"
_BYTES, _VARINT = 2, 0
"""Wire types of protocol buffers."""


class TinkKeyset:
    """A field's keys for deterministic encryption, **in clear** once written out.

    Attributes:
        primary_id: The key that Tink writes with: the field's stable version.
    """

    __slots__ = ("_keys", "primary_id")

    def __init__(self, keys: dict[int, Secret], primary_id: int) -> None:
        self._keys = keys
        self.primary_id = primary_id

    def to_json(self) -> str:
        """The keyset as Tink's JSON, keys in clear: give it to Tink, and store it only encrypted."""
        keys = [
            {
                "keyData": {
                    "typeUrl": _TYPE_URL,
                    "value": base64.b64encode(_aes_siv_key(key)).decode(),
                    "keyMaterialType": "SYMMETRIC",
                },
                "status": "ENABLED",
                "keyId": key_id,
                "outputPrefixType": "TINK",
            }
            for key_id, key in self._keys.items()
        ]
        return json.dumps({"primaryKeyId": self.primary_id, "key": keys})

    def to_binary(self) -> bytes:
        """The keyset as Tink's binary, keys in clear: give it to Tink, and store it only encrypted."""
        return _number(1, self.primary_id) + b"".join(
            _content(2, _content(1, _key_data(key)) + _number(2, 1) + _number(3, key_id) + _number(4, 1))
            for key_id, key in self._keys.items()
        )

    def __repr__(self) -> str:
        return f"<TinkKeyset: {len(self._keys)} keys, not shown>"

    def __reduce__(self) -> Never:
        raise TypeError("a keyset holds keys and cannot be pickled; write it out in so many words")


def export_tink(key: FieldKey) -> TinkKeyset:
    """A field's keys for deterministic encryption as a Tink keyset: every version that reads.

    Args:
        key: The field, such as `keys["customer.email"]`.

    Raises:
        KeyUnavailable: If the field's stable version, which writes, is disabled or destroyed.

    Example:
        >>> from privkit.keys.tink import export_tink
        >>> keys = Keyring.create(directory / "exported.json")
        >>> export_tink(keys["customer.email"])
        <TinkKeyset: 1 keys, not shown>
    """
    primary = key.stable_id
    if primary not in key.version_ids:
        raise KeyUnavailable(
            f"key {hex_id(primary)}, which the field stands on, does not read; "
            "enable it, or let the field stand on another with keys.move_stable"
        )
    return TinkKeyset({key_id: key.secret(DETERMINISTIC, key_id) for key_id in key.version_ids}, primary)


def _aes_siv_key(key: Secret) -> bytes:
    return _content(2, key.expose())


def _key_data(key: Secret) -> bytes:
    return _content(1, _TYPE_URL.encode()) + _content(2, _aes_siv_key(key)) + _number(3, 1)


def _content(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - what fits into seven bits
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
