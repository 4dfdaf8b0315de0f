"""The bytes of an encrypted value. This file owns the layout; `docs/format.md` draws it for other programs.

```
deterministic   0x01 | key id, 4 bytes big-endian |             SIV, 16 bytes | encrypted plaintext
randomised      0x01 | key id, 4 bytes big-endian | nonce, 16 | SIV, 16 bytes | encrypted plaintext
indexed         0x02 | key id, 4 bytes big-endian | index length, 1 byte | index | nonce, 16 | SIV, 16 | encrypted

plaintext       tag, 1 byte | content

associated data "privkit/1" | name length, 2 bytes big-endian | field name, UTF-8 | 0x00
                "privkit/1" | name length, 2 bytes big-endian | field name, UTF-8 | 0x01 | row
```

Prefix and deterministic body are what Tink writes for AES-SIV. The associated data is one string of RFC 5297's S2V; a
nonce is the string after it (RFC 5297, section 3). The key id is a hint for finding the key and is not authenticated.

The indexed form is the randomised one with a blind index (1 to 18 bytes; zeros may follow its own 16 at most) in front,
where a database can cut it out: bytes 7 and following, counted from 1. The index is a string of S2V too, between the
place and the nonce, so that it can neither be altered nor moved to another value.

The tag says what the plaintext was: its high four bits are the encoding's version, 1, the low four the type. The
content is the value's canonical text in UTF-8, and for bytes the bytes themselves.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from privkit import columns
from privkit._kernels import marker
from privkit.columns import Kind
from privkit.columns.kinds import NO_NULL, is_missing_type, kind_of_type
from privkit.errors import DecryptionFailed, InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = marker.MARKER
INDEXED_MARKER = marker.INDEXED_MARKER
HEADER = marker.HEADER
INDEX_AT = 6
"""Where the index begins, after its length."""
LONGEST_INDEX = 18
"""Bytes of the longest: 16, and zeros up to a multiple of three, so that base64 cuts where the index ends."""
NONCE = 16
SIV = 16
TAG = 1

TAGS = {
    Kind.TEXT: 0x11,
    Kind.BYTES: 0x12,
    Kind.INTEGER: 0x13,
    Kind.DECIMAL: 0x14,
    Kind.DATE: 0x15,
    Kind.TIMESTAMP: 0x16,
    Kind.INSTANT: 0x16,  # the same, with an offset at the end
    Kind.BOOLEAN: 0x17,
    Kind.FLOAT: 0x18,
}
TEXT_TAG = TAGS[Kind.TEXT]
BYTES_TAG = TAGS[Kind.BYTES]
KINDS: dict[int, Kind] = {tag: kind for kind, tag in TAGS.items() if kind is not Kind.INSTANT}
JSON_TAG = 0x19
"""A `dict` or `list`, as JSON with sorted keys."""

_BOOLEANS = {"true": True, "false": False}

_DECODERS: dict[int, Callable[[str], Any]] = {
    TAGS[Kind.TEXT]: str,
    TAGS[Kind.INTEGER]: int,
    TAGS[Kind.DECIMAL]: Decimal,
    TAGS[Kind.DATE]: dt.date.fromisoformat,
    TAGS[Kind.TIMESTAMP]: dt.datetime.fromisoformat,
    TAGS[Kind.BOOLEAN]: lambda text: _BOOLEANS[text],
    TAGS[Kind.FLOAT]: float,
    JSON_TAG: json.loads,
}


def length(content: int, *, deterministic: bool, index: int = 0) -> int:
    """How many bytes an encrypted value has whose content and index have so many bytes."""
    return HEADER + (1 + index if index else 0) + (0 if deterministic else NONCE) + SIV + TAG + content


def header(key_id: int, index: bytes = b"") -> bytes:
    """What stands before the body of a value written under a key."""
    if index:
        return b"\x02" + key_id.to_bytes(4, "big") + bytes([len(index)]) + index
    return b"\x01" + key_id.to_bytes(4, "big")


def associated_data(field: str, row: bytes | None = None) -> bytes:
    """Name the place a value belongs to, so that no two places have the same name."""
    name = field.encode()
    place = b"privkit/1" + len(name).to_bytes(2, "big") + name
    return place + (b"\x00" if row is None else b"\x01" + row)


def encode(value: object) -> bytes:
    """Write one value as plaintext: tag and content.

    Raises:
        WrongType: If there is no encoding for values of its type.
        InvalidValue: If it is one that would not come back as it is.
    """
    if isinstance(value, str):
        return b"\x11" + columns.text_of(value).encode()
    if isinstance(value, bytes):
        return b"\x12" + value
    if isinstance(value, dict | list):
        return bytes([JSON_TAG]) + _json(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _integer(value)
    kind = kind_of_type(type(value))
    if kind is not None:
        return bytes([TAGS[kind]]) + columns.text_of(value).encode()
    if is_missing_type(type(value)):
        raise WrongType(NO_NULL)
    raise WrongType(
        f"cannot encrypt a value of type {type(value).__name__}; "
        "it takes str, bytes, int, float, Decimal, date, datetime, bool, and dict or list as JSON"
    )


def decode(plaintext: bytes) -> Any:  # noqa: ANN401 - whatever was encoded
    """Read one plaintext back.

    Raises:
        DecryptionFailed: If it is not one that `encode` writes.
    """
    tag = plaintext[0] if plaintext else 0
    if tag == TEXT_TAG:
        try:
            return plaintext[1:].decode()
        except UnicodeDecodeError:
            raise DecryptionFailed from None
    if tag == BYTES_TAG:
        return plaintext[1:]
    try:
        decoder = _DECODERS.get(tag)
        if decoder is None:
            raise DecryptionFailed
        return decoder(plaintext[1:].decode())
    except (ValueError, ArithmeticError, KeyError):
        raise DecryptionFailed from None


def _integer(value: int) -> bytes:
    try:
        return b"\x13%d" % value  # of any size that Python reads back, where columns stop at 64 bits
    except ValueError:
        pass
    raise InvalidValue("an integer of more digits than Python reads (sys.get_int_max_str_digits); pass it as bytes")


def _json(value: object) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        encoded = text.encode()
        if json.loads(text) == value:  # JSON makes text of other keys, and lists of tuples, without a word
            return encoded
    except (TypeError, ValueError, RecursionError):
        pass  # what they say, and hold, may quote the value
    raise InvalidValue(
        "JSON does not keep it as it is; "
        "it may hold str, int, finite float, bool, null, list, and dict whose keys are str"
    )
