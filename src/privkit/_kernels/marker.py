"""The first bytes of an encrypted value: marker and key id. What follows them, `transforms.ciphertext` draws.

They stand here because two ask for them: who encrypts, and the keyring, which can tell a value's key version without
the field's key.
"""

from __future__ import annotations

import base64
from typing import Final

MARKER: Final = 0x01
"""The first byte of every encrypted value: Tink's, too."""
INDEXED_MARKER: Final = 0x02
"""The first byte of an encrypted value with a blind index in it."""
HEADER: Final = 5
"""Bytes of the marker and the key id."""

_HEAD_TEXT: Final = 8
"""Characters of base64 that the header stands in."""


def key_id_of(sealed: object) -> int | None:
    """The key id that an encrypted value names, as bytes or as base64url; none where it is nothing of the kind."""
    if isinstance(sealed, str):
        try:
            sealed = base64.b64decode(sealed[:_HEAD_TEXT], b"-_", validate=True)
        except ValueError:
            return None
    if not isinstance(sealed, bytes | bytearray | memoryview):
        return None
    sealed = bytes(sealed)  # as drivers of databases give them
    if len(sealed) < HEADER or sealed[0] not in (MARKER, INDEXED_MARKER):
        return None
    return int.from_bytes(sealed[1:HEADER], "big") or None
