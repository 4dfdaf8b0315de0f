"""Field encryption: authenticated, bound to its field, under keys that rotate."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np

from privkit import columns
from privkit._kernels import textual
from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.heads import add_head, add_mark, cut_mark, read_heads, write_heads
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind
from privkit.columns.canonical import parse_values
from privkit.errors import DecryptionFailed, InvalidParameter, KeyNotFound
from privkit.keys import Usage
from privkit.transforms import ciphertext as layout
from privkit.transforms.base import Outcome, Reversible
from privkit.transforms.keep import Keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit._kernels.siv import Siv
    from privkit.columns import Column
    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey
    from privkit.transforms.base import OnInvalid

C = TypeVar("C")
Row = str | bytes | int
"""What names the row that a value belongs to, such as a UUID's text."""


class Encrypt(Reversible):
    """Encrypt values: AES-256-SIV (RFC 5297), authenticated, bound to the field and, where given, to the row.

    Randomised by default: nothing but the length shows, not even that two values are equal. Deterministic on request:
    equal values under one key version have equal ciphertexts, which can be looked up, joined and counted; that is the
    promise and its price. A ciphertext does not open under another field, row or keyring, nor when it was altered.
    An older ciphertext of the same field (and row) put back in its place cannot be told.

    The newest key version writes, every enabled one reads; deterministic values stand on the stable version, so that
    they stay equal over a rotation. Type and value come back: str, bytes, int, float, Decimal, date, datetime, bool,
    and dict or list by way of JSON. The empty string is encrypted like any other; null stays null.

    Args:
        key: The field's key.
        field: What the values are, where that shall be checked; what is encrypted is the value as passed.
        deterministic: Whether equal values get equal ciphertexts.
        text: Whether ciphertexts are text (base64url without padding, RFC 4648) or bytes.

    Example:
        >>> from privkit import Encrypt, Keyring
        >>> keys = Keyring.create("keyring.json")
        >>> note = Encrypt(keys["customer.note"])
        >>> note.reveal(note.protect("leave at the door"))
        'leave at the door'
    """

    word: ClassVar[str] = "encrypt"

    def __init__(
        self, key: FieldKey, field: FieldType | None = None, *, deterministic: bool = False, text: bool = False
    ) -> None:
        self.key = key
        self.field = field
        self.deterministic = deterministic
        self.text = text
        self._check = None if field is None else Keep(field)
        self._usage = Usage(
            purpose="encrypt",
            algorithm="AES-SIV",
            key_bytes=64,
            mode="deterministic" if deterministic else "randomised",
        )
        self._place = layout.associated_data(key.name)
        self._room = layout.HEADER + (0 if deterministic else layout.NONCE)

    def ciphertext_length(self, content: int) -> int:
        """How long a ciphertext is, for the width of a database column.

        Args:
            content: The most bytes that a value has: of text in UTF-8, of other types in their text form.

        Returns:
            Bytes, or characters where ciphertexts are text.
        """
        length = layout.length(content, deterministic=self.deterministic)
        return -(-length * 4 // 3) if self.text else length

    def protect(self, value: Any, *, row: Row | None = None) -> Any:  # noqa: ANN401 - bytes, or str if text
        """Encrypt one value; null gives null.

        Args:
            value: The value.
            row: What names the row it belongs to; the same must be given to `reveal`.

        Raises:
            InvalidValue: If it is not a value of the field type, where that is checked.
        """
        if value is None:
            return None
        if self._check is not None:
            self._check.protect(value)
        key_id = self._writing_id()
        place = self._place if row is None else layout.associated_data(self.key.name, _row(row))
        siv = self.key.siv(self._usage, key_id)
        if self.deterministic:
            sealed = layout.header(key_id) + siv.encrypt(layout.encode(value), (place,))
        else:
            nonce = os.urandom(layout.NONCE)
            sealed = layout.header(key_id) + nonce + siv.encrypt(layout.encode(value), (place, nonce))
        return _text(sealed) if self.text else sealed

    def reveal(self, value: Any, *, row: Row | None = None) -> Any:  # noqa: ANN401 - whatever was encrypted
        """Decrypt one value; null gives null.

        Args:
            value: What `protect` returned.
            row: What was given to `protect`.

        Raises:
            DecryptionFailed: If this key did not write it for this field and row.
            KeyUnavailable: If the key version that wrote it is disabled or destroyed.
        """
        if value is None:
            return None
        sealed = self._bytes(value)
        key_id = self._reading_id(sealed)
        siv = self._reading_siv(key_id)
        place = self._place if row is None else layout.associated_data(self.key.name, _row(row))
        if self.deterministic:
            return layout.decode(siv.decrypt(sealed[layout.HEADER :], (place,)))
        body = layout.HEADER + layout.NONCE
        return layout.decode(siv.decrypt(sealed[body:], (place, sealed[layout.HEADER : body])))

    def needs_rotation(self, value: bytes | str) -> bool:
        """Whether a ciphertext is under another key version than the one that writes now."""
        return self._reading_id(self._bytes(value)) != self._writing_id()

    def protect_column(
        self,
        column: C,
        *,
        on_invalid: OnInvalid | str | None = None,
        row: Any = None,  # noqa: ANN401 - any container
    ) -> Outcome[C]:
        """Encrypt a column and say what happened.

        Args:
            column: Values of one type, in any container.
            on_invalid: What to do with values that are not of the field type, where that is checked.
            row: A column of what names the rows; the same must be given to `reveal_column`.
        """
        checked = (
            Outcome(column, 0, 0) if self._check is None else self._check.protect_column(column, on_invalid=on_invalid)
        )
        lifted = columns.lift(checked.column)
        sealed = self._seal(add_mark(_content(lifted), layout.TAGS[lifted.kind]), self._places(row, lifted))
        result = textual.to_base64url(sealed) if self.text else sealed
        restored = lifted.restore(result, Kind.TEXT if self.text else Kind.BYTES)
        nulls = 0 if lifted.nulls is None else int(lifted.nulls.sum())
        return Outcome(restored, len(lifted), nulls - checked.invalid, checked.invalid)

    def reveal_column(self, column: C, *, row: Any = None) -> Outcome[C]:  # noqa: ANN401 - any container
        """Decrypt a column and say what happened.

        Args:
            column: Ciphertexts in any container.
            row: What was given to `protect_column`.

        Raises:
            DecryptionFailed: If some values do not open; the error names their rows.
            KeyUnavailable: If a key version that wrote some of them is disabled or destroyed.
        """
        lifted = columns.lift(column)
        sealed, failed = self._lifted_bytes(lifted)
        plain, wrong = self._open(sealed, self._places(row, lifted))
        failed |= wrong
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)))
        nulls = 0 if lifted.nulls is None else int(lifted.nulls.sum())
        return Outcome(_restore(lifted, plain), len(lifted), nulls)

    def rotate_many(self, column: C) -> C:
        """Encrypt again what is not under the key version that writes now, and leave the rest as it is."""
        lifted = columns.lift(column)
        sealed, failed = self._lifted_bytes(lifted)
        old = np.flatnonzero(self._key_ids(sealed) != self._writing_id())
        plain, wrong = self._open(sealed.take(old), [self._place])
        failed[old] |= wrong
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)))
        rest = np.delete(np.arange(len(sealed)), old)
        fresh = Ragged.merge(len(sealed), [(rest, sealed.take(rest)), (old, self._seal(plain, [self._place]))])
        result: C = lifted.restore(
            textual.to_base64url(fresh) if self.text else fresh, Kind.TEXT if self.text else Kind.BYTES
        )
        return result

    def _writing_id(self) -> int:
        return self.key.stable_id if self.deterministic else self.key.primary_id

    def _bytes(self, value: bytes | str) -> bytes:
        """One ciphertext as bytes; what cannot be any is empty."""
        if not self.text:
            return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
        if not isinstance(value, str):
            return b""
        try:
            sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except ValueError:
            return b""
        return sealed if _text(sealed) == value else b""  # the decoder is lenient, and one value has one spelling

    def _reading_id(self, sealed: bytes) -> int:
        if len(sealed) < layout.length(0, deterministic=self.deterministic) or sealed[0] != layout.MARKER:
            raise DecryptionFailed
        return int.from_bytes(sealed[1 : layout.HEADER], "big")

    def _reading_siv(self, key_id: int) -> Siv:
        """The cipher of the version that a ciphertext names; one that the keyring has not is a failed decryption."""
        try:
            return self.key.siv(self._usage, key_id)
        except KeyNotFound:
            raise DecryptionFailed from None

    def _lifted_bytes(self, lifted: Column[Any]) -> tuple[Ragged, NDArray[np.bool_]]:
        """The ciphertexts as bytes, and which of them cannot be any (those are empty)."""
        if not len(lifted.values):
            return Ragged.of([]), np.zeros(0, np.bool_)
        if lifted.kind is not (Kind.TEXT if self.text else Kind.BYTES):
            raise InvalidParameter(
                f"a column of {lifted.kind.value} to reveal; these ciphertexts are {'text' if self.text else 'bytes'}"
            )
        stored = cast("Ragged", lifted.values)
        return textual.from_base64url(stored) if self.text else (stored, np.zeros(len(stored), np.bool_))

    def _places(self, row: Any, lifted: Column[Any]) -> list[bytes | Ragged]:  # noqa: ANN401 - any container
        """The associated data: one for the column, or one for each row that is not null."""
        if row is None:
            return [self._place]
        rows = columns.lift(row)
        if rows.nulls is not None or len(rows) != len(lifted):
            raise InvalidParameter(
                f"{len(rows)} names of rows for {len(lifted)} values; each row needs one, and no null"
            )
        names = _content(rows)
        if lifted.nulls is not None:
            names = names.take(np.flatnonzero(~lifted.nulls))
        return [add_head(names, layout.associated_data(self.key.name, b""))]

    def _seal(self, plain: Ragged, places: list[bytes | Ragged]) -> Ragged:
        """Encrypt rows of tag and content under the version that writes."""
        key_id = self._writing_id()
        siv = self.key.siv(self._usage, key_id)
        head = np.frombuffer(layout.header(key_id), np.uint8)
        heads = np.empty((len(plain), self._room), np.uint8)
        heads[:, : layout.HEADER] = head
        if not self.deterministic:
            nonces = _nonces(len(plain))
            heads[:, layout.HEADER :] = nonces
            places = [*places, Ragged.of_matrix(nonces)]
        sealed = siv.encrypt_many(plain, places, room=self._room)
        write_heads(sealed, heads)
        return sealed

    def _key_ids(self, sealed: Ragged) -> NDArray[np.int64]:
        """The key id of each row, and -1 where a row is no ciphertext."""
        ids = np.full(len(sealed), -1, np.int64)
        long = np.flatnonzero(sealed.lengths >= layout.length(0, deterministic=self.deterministic))
        head = read_heads(sealed.take(long) if len(long) < len(sealed) else sealed, layout.HEADER)
        numbers = np.ascontiguousarray(head[:, 1:]).view(">u4").reshape(-1).astype(np.int64)
        ids[long] = np.where(head[:, 0] == layout.MARKER, numbers, -1)
        return ids

    def _open(self, sealed: Ragged, places: Sequence[bytes | Ragged]) -> tuple[Ragged, NDArray[np.bool_]]:
        """Decrypt rows, each under the key version it names.

        Returns:
            Tags and contents, and which rows failed (those are empty).
        """
        ids = self._key_ids(sealed)
        failed = np.ones(len(sealed), np.bool_)
        parts: list[tuple[NDArray[np.intp], Ragged]] = []
        for key_id in np.unique(ids).tolist():
            rows = np.flatnonzero(ids == key_id)
            try:
                siv = self._reading_siv(key_id)
            except DecryptionFailed:
                parts.append((rows, Ragged.empty(np.zeros(len(rows), np.int64))))
                continue
            whole = len(rows) == len(sealed)
            part = sealed if whole else sealed.take(rows)
            own = [place if isinstance(place, bytes) or whole else place.take(rows) for place in places]
            plain, failed[rows] = self._open_under(siv, part, own)
            parts.append((rows, plain))
        return (parts[0][1] if len(parts) == 1 else Ragged.merge(len(sealed), parts)), failed

    def _open_under(self, siv: Siv, sealed: Ragged, places: list[bytes | Ragged]) -> tuple[Ragged, NDArray[np.bool_]]:
        if self.deterministic:
            return siv.decrypt_many(sealed, places, room=self._room)
        nonces = Ragged.of_matrix(read_heads(sealed, self._room)[:, layout.HEADER :])
        return siv.decrypt_many(sealed, [*places, nonces], room=self._room)


def _nonces(count: int) -> NDArray[np.uint8]:
    """Draw nonces for one call: a counter under a key that is drawn for it and thrown away after it.

    They are as unpredictable as AES-256 is, no two of a call are equal, and no state outlives the call that a fork
    could copy. Asking the system for each byte would take as long as the encryption.
    """
    counters = np.zeros((count, BLOCK // 8), np.uint64)
    counters[:, 0] = np.arange(count, dtype=np.uint64)
    return BlockCipher(os.urandom(32)).encrypt(counters.view(np.uint8))


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _content(lifted: Column[Any]) -> Ragged:
    """What a column's values are encrypted as: bytes as they are, all else as canonical text."""
    return cast("Ragged", lifted.values) if lifted.kind is Kind.BYTES else lifted.text()


def _row(row: Row) -> bytes:
    return row if isinstance(row, bytes) else columns.text_of(row).encode()


def _restore(lifted: Column[Any], plain: Ragged) -> Any:  # noqa: ANN401 - the container of the column
    """Put decrypted rows of tag and content back, as values of the type they had."""
    if not len(plain):
        return lifted.restore(plain, Kind.TEXT)
    tags, content = cut_mark(plain)
    tag = int(tags[0])
    if (tags == tag).all() and tag in layout.KINDS:
        kind = layout.KINDS[tag]
        return lifted.restore(parse_values(kind, content)[0], kind)
    raise InvalidParameter("the column holds values of several types, or JSON; reveal them one at a time")
