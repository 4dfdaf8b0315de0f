"""How the ciphertexts of one field stand in columns: as bytes or as text, and bound to which place."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from privkit import columns
from privkit._kernels import textual
from privkit._kernels.heads import add_head
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind
from privkit.errors import InvalidParameter
from privkit.transforms import ciphertext as layout
from privkit.transforms.base import Outcome
from privkit.transforms.keep import Keep
from privkit.transforms.plaintexts import content_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns import Column
    from privkit.fields.base import FieldType
    from privkit.transforms.base import OnInvalid

C = TypeVar("C")
Row = str | bytes | int
"""What names the row that a value belongs to, such as a UUID's text."""


class Form:
    """What every kind of field encryption shares, whosever keys it is under: all but the sealing itself.

    Args:
        name: The field's canonical name, which goes into the associated data.
        field: What the values are, where that is checked.
        deterministic: Whether equal values get equal ciphertexts.
        text: Whether ciphertexts are text (base64url without padding, RFC 4648) or bytes.
        index_size: How many bytes of each ciphertext are a blind index.
    """

    def __init__(
        self, name: str, field: FieldType | None, *, deterministic: bool, text: bool, index_size: int = 0
    ) -> None:
        self.field = field
        self.deterministic = deterministic
        self.text = text
        self._check = None if field is None else Keep(field)
        self._index_size = index_size
        self._name = name
        self._place = layout.associated_data(name)

    def ciphertext_length(self, content: int) -> int:
        """How long a ciphertext is, for the width of a database column.

        Args:
            content: The most bytes that a value has: of text in UTF-8, of other types in their text form.

        Returns:
            Bytes, or characters where ciphertexts are text.
        """
        length = layout.length(content, deterministic=self.deterministic, index=self._index_size)
        return -(-length * 4 // 3) if self.text else length

    def _place_of(self, row: Row | None) -> bytes:
        return self._place if row is None else layout.associated_data(self._name, _row(row))

    def _places(self, row: Any, lifted: Column[Any]) -> list[bytes | Ragged]:  # noqa: ANN401 - any container
        """The associated data: one for the column, or one for each row that is not null."""
        if row is None:
            return [self._place]
        rows = columns.lift(row)
        if rows.nulls is not None or len(rows) != len(lifted):
            raise InvalidParameter(
                f"{len(rows)} names of rows for {len(lifted)} values; each row needs one, and no null"
            )
        names = content_of(rows)
        if lifted.nulls is not None:
            names = names.take(np.flatnonzero(~lifted.nulls))
        return [add_head(names, layout.associated_data(self._name, b""))]

    def _checked(self, lifted: Column[C], on_invalid: OnInvalid | str | None) -> Outcome[Any]:
        """The column, with what is not of the field type seen to, where that is checked."""
        if self._check is None:
            return Outcome(lifted, 0, 0)
        return self._check.protect_column(lifted, on_invalid=on_invalid)

    def _written(self, sealed: bytes) -> bytes | str:
        """One ciphertext as it is stored."""
        return _text(sealed) if self.text else sealed

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

    def _head(self, value: object) -> bytes:
        """The first bytes of what may be a ciphertext, whatever became of the rest of it."""
        if not self.text:
            return bytes(value[: layout.INDEX_AT]) if isinstance(value, bytes | bytearray | memoryview) else b""
        if not isinstance(value, str) or not value.startswith("A"):  # both markers do: their first six bits are zero
            return b""
        try:
            return base64.b64decode(value[: layout.INDEX_AT * 4 // 3], b"-_", validate=True)
        except ValueError:
            return b""

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

    def _restored(self, lifted: Column[C], sealed: Ragged) -> C:
        """Put ciphertexts into the container that the values came from."""
        if self.text:
            return lifted.restore(textual.to_base64url(sealed), Kind.TEXT)
        return lifted.restore(sealed, Kind.BYTES)


def _text(sealed: bytes) -> str:
    """A ciphertext as text."""
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def count_nulls(lifted: Column[Any]) -> int:
    """How many rows are null."""
    return 0 if lifted.nulls is None else int(lifted.nulls.sum())


def _row(row: Row) -> bytes:
    return row if isinstance(row, bytes) else columns.text_of(row).encode()
