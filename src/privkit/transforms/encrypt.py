"""Field encryption: authenticated, bound to its field, under keys that rotate."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np

from privkit import columns
from privkit._kernels import textual
from privkit._kernels.heads import add_head, add_mark, cut_mark
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind
from privkit.columns.canonical import parse_values
from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.transforms import ciphertext as layout
from privkit.transforms.base import Outcome, Reversible
from privkit.transforms.keep import Keep
from privkit.transforms.sealing import Sealer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns import Column
    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey
    from privkit.transforms.base import OnInvalid
    from privkit.transforms.index import BlindIndexOf

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
        index: What is put into each ciphertext so that a randomised one can be looked up: see `BlindIndexOf`. It says
            which values may be equal, and that is its price.

    Example:
        >>> from privkit import Encrypt, Keyring
        >>> keys = Keyring.create("keyring.json")
        >>> note = Encrypt(keys["customer.note"])
        >>> note.reveal(note.protect("leave at the door"))
        'leave at the door'
    """

    word: ClassVar[str] = "encrypt"

    def __init__(
        self,
        key: FieldKey,
        field: FieldType | None = None,
        *,
        deterministic: bool = False,
        text: bool = False,
        index: BlindIndexOf | None = None,
    ) -> None:
        if deterministic and index is not None:
            raise InvalidParameter("a deterministic ciphertext is found by itself; leave out the index")
        self.key = key
        self.field = field
        self.deterministic = deterministic
        self.text = text
        self._check = None if field is None else Keep(field)
        self.index = index
        self._index_size = 0 if index is None else index.size + (-index.size % 3 if text else 0)
        self._sealer = Sealer(key, deterministic=deterministic, index=index, index_size=self._index_size)
        self._usage = self._sealer.usage
        self._place = layout.associated_data(key.name)

    def ciphertext_length(self, content: int) -> int:
        """How long a ciphertext is, for the width of a database column.

        Args:
            content: The most bytes that a value has: of text in UTF-8, of other types in their text form.

        Returns:
            Bytes, or characters where ciphertexts are text.
        """
        length = layout.length(content, deterministic=self.deterministic, index=self._index_size)
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
        sealed = self._sealer.seal(layout.encode(value), self._place_of(row))
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
        return layout.decode(self._sealer.open(self._bytes(value), self._place_of(row)))

    def needs_rotation(self, value: bytes | str) -> bool:
        """Whether a ciphertext is under another key version than the one that writes now, or has another index.

        Raises:
            DecryptionFailed: If it is no ciphertext, or, where there is an index to compare, does not open.
        """
        return not self._sealer.is_current(self._bytes(value), self._place)

    def has_form(self, value: object) -> bool:
        """Whether a stored value has the form of a ciphertext of this keyring: marker, known key id, length enough.

        It tells ciphertexts from plaintexts in a column that is being encrypted. It is a rule, not a guess: what has
        the form is a ciphertext, and if it does not open it is a damaged one.
        """
        return self._sealer.has_form(self._bytes(value))

    def candidates(self, value: Any) -> list[Any]:  # noqa: ANN401 - bytes, or str if text
        """What a value may stand as in a column: its deterministic ciphertext under each version that reads.

        The stable version's comes first. Ask for all of them: while a column is re-keyed it holds two versions.

        Raises:
            InvalidParameter: If ciphertexts are randomised; those are looked up by a blind index.
        """
        if not self.deterministic:
            raise InvalidParameter("randomised ciphertexts cannot be looked up; use deterministic=True, or an index")
        stable = self.key.stable_id
        ids = [stable, *(key_id for key_id in self.key.version_ids if key_id != stable)]
        plain = layout.encode(value)
        sealed = [self._sealer.seal(plain, self._place, key_id) for key_id in ids]
        return [_text(one) for one in sealed] if self.text else sealed

    def index_candidates(self, value: Any) -> list[Any]:  # noqa: ANN401 - bytes, or str if text
        """What the index of a value may be where it stands in a ciphertext, under each version that reads.

        Raises:
            InvalidParameter: If there is no index.
        """
        if self.index is None:
            raise InvalidParameter("these ciphertexts have no index to look up; give one")
        found = [index.ljust(self._index_size, b"\x00") for index in self.index.candidates(value)]
        return [_text(one) for one in found] if self.text else found

    @property
    def index_slice(self) -> tuple[int, int]:
        """Where the index stands in a ciphertext: first position from 1, as in SQL's `substr`, and length.

        In bytes, or in characters where ciphertexts are text. (0, 0) where there is none.
        """
        if not self._index_size:
            return 0, 0
        at, size = layout.INDEX_AT, self._index_size
        return (at * 4 // 3 + 1, size * 4 // 3) if self.text else (at + 1, size)

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
        sealed = self._sealer.seal_many(add_mark(_content(lifted), layout.TAGS[lifted.kind]), self._places(row, lifted))
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
        plain, wrong = self._sealer.open_many(sealed, self._places(row, lifted))
        failed |= wrong
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)))
        nulls = 0 if lifted.nulls is None else int(lifted.nulls.sum())
        return Outcome(_restore(lifted, plain), len(lifted), nulls)

    def rotate_many(self, column: C) -> C:
        """Encrypt again what is not under the key version that writes now, and leave the rest as it is."""
        lifted = columns.lift(column)
        sealed, failed = self._lifted_bytes(lifted)
        old = np.flatnonzero(self._sealer.outdated(sealed))
        plain, wrong = self._sealer.open_many(sealed.take(old), [self._place])
        failed[old] |= wrong
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)))
        rest = np.delete(np.arange(len(sealed)), old)
        fresh = Ragged.merge(
            len(sealed), [(rest, sealed.take(rest)), (old, self._sealer.seal_many(plain, [self._place]))]
        )
        result: C = lifted.restore(
            textual.to_base64url(fresh) if self.text else fresh, Kind.TEXT if self.text else Kind.BYTES
        )
        return result

    def _place_of(self, row: Row | None) -> bytes:
        return self._place if row is None else layout.associated_data(self.key.name, _row(row))

    def _bytes(self, value: object) -> bytes:
        """One ciphertext as bytes; what cannot be any is empty."""
        if not self.text:
            if type(value) is bytes:
                return value
            return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
        if not isinstance(value, str):
            return b""
        try:
            sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except ValueError:
            return b""
        return sealed if _text(sealed) == value else b""  # the decoder is lenient, and one value has one spelling

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
