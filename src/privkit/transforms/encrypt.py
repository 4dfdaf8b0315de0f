"""Field encryption: authenticated, bound to its field, under keys that rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from privkit import columns
from privkit._kernels.ragged import Ragged
from privkit.errors import DecryptionFailed, InvalidParameter, WrongType
from privkit.fields.parameters import check_types
from privkit.transforms import ciphertext as layout
from privkit.transforms.base import Outcome, Reversible, of_field
from privkit.transforms.form import Form, count_nulls
from privkit.transforms.index import BlindIndexOf
from privkit.transforms.plaintexts import Plaintexts, restore
from privkit.transforms.sealing import Sealer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.columns import Column
    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey
    from privkit.transforms.base import OnInvalid
    from privkit.transforms.form import Row

C = TypeVar("C")


class Encrypt(Form, Reversible):
    """Encrypt values: AES-256-SIV (RFC 5297), authenticated, bound to the field and, where given, to the row.

    Randomised by default: nothing but the length shows, not even that two values are equal. Deterministic on request:
    equal values under one key version have equal ciphertexts, which can be looked up, joined and counted; that is the
    promise and its price. A ciphertext does not open under another field, row or keyring, nor when it was altered.
    An older ciphertext of the same field (and row) put back in its place cannot be told.

    The newest key version writes, every enabled one reads; deterministic values stand on the stable version, so that
    they stay equal over a rotation. Type and value come back: str, bytes, int, float, Decimal, date, datetime, bool,
    and dict or list by way of JSON, which refuses what it would change (keys that are no str, tuples). The empty string
    is encrypted like any other; null stays null.

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
        self.key = of_field(key)
        check_types("encryption", Encrypt, {"deterministic": deterministic, "text": text})
        if not isinstance(index, BlindIndexOf | None):
            raise WrongType(f"a {type(index).__name__} where a blind index belongs, such as BlindIndexOf(key, field)")
        if deterministic and index is not None:
            raise InvalidParameter("a deterministic ciphertext is found by itself; leave out the index")
        size = 0 if index is None else index.size + (-index.size % 3 if text else 0)
        super().__init__(key.name, field, deterministic=deterministic, text=text, index_size=size)
        self.index = index
        self._sealer = Sealer(key, deterministic=deterministic, index=index, index_size=size)
        self._usage = self._sealer.usage

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
        return self._written(sealed)

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
        sealed = value if type(value) is bytes and not self.text else self._bytes(value)
        return layout.decode(self._sealer.open(sealed, self._place if row is None else self._place_of(row)))

    def needs_rotation(self, value: bytes | str) -> bool:
        """Whether a ciphertext is under another key version than the one that writes now, or has another index.

        Raises:
            DecryptionFailed: If it is no ciphertext, or, where there is an index to compare, does not open.
        """
        return not self._sealer.is_current(self._bytes(value), self._place)

    def has_form(self, value: object) -> bool:
        """Whether a stored value begins as ciphertexts of this keyring do: a marker, and the id of a key it has or had.

        It tells ciphertexts from plaintexts in a column that is being encrypted. It is a rule, not a guess: what begins
        so is a ciphertext, and if it does not open it is a damaged one. Five bytes decide, or eight characters.
        """
        return self._sealer.has_form(self._head(value))

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
        return [self._written(one) for one in sealed]

    def index_candidates(self, value: Any) -> list[Any]:  # noqa: ANN401 - bytes, or str if text
        """What the index of a value may be where it stands in a ciphertext, under each version that reads.

        Raises:
            InvalidParameter: If there is no index.
        """
        if self.index is None:
            raise InvalidParameter("these ciphertexts have no index to look up; give one")
        found = [index.ljust(self._index_size, b"\x00") for index in self.index.candidates(value)]
        return [self._written(one) for one in found]

    @property
    def index_slice(self) -> tuple[int, int]:
        """Where the index stands in a ciphertext: first position from 1, as in SQL's `substr`, and length.

        In bytes, or in characters where ciphertexts are text. (0, 0) where there is none.
        """
        if not self._index_size:
            return 0, 0
        at, size = layout.INDEX_AT, self._index_size
        return (at * 4 // 3 + 1, size * 4 // 3) if self.text else (at + 1, size)

    def protect_many(self, column: C, *, row: Any = None) -> C:  # noqa: ANN401 - any container
        """Encrypt a column; see `protect_column`."""
        return self.protect_column(column, row=row).column

    def reveal_many(self, column: C, *, row: Any = None) -> C:  # noqa: ANN401 - any container
        """Undo `protect_many`; see `reveal_column`."""
        return self.reveal_column(column, row=row).column

    def protect_column(
        self,
        column: C,
        *,
        on_invalid: OnInvalid | str | None = None,
        row: Any = None,  # noqa: ANN401 - any container
    ) -> Outcome[C]:
        """Encrypt a column and say what happened.

        Args:
            column: Values in any container; of several types, or lists and dicts, where it is one of Python objects.
            on_invalid: What to do with values that are not of the field type, where that is checked.
            row: A column of what names the rows; the same must be given to `reveal_column`.
        """
        checked = self._checked(columns.lift(column, mixed=True), on_invalid)
        lifted = columns.lift(checked.column)
        sealed = self._sealer.seal_many(Plaintexts.of_column(lifted), self._places(row, lifted))
        nulls = count_nulls(lifted) - checked.invalid
        return Outcome(self._restored(lifted, sealed), len(lifted), nulls, checked.invalid)

    def reveal_column(
        self,
        column: C,
        *,
        row: Any = None,  # noqa: ANN401 - any container
        as_text: bool = False,
    ) -> Outcome[C]:
        """Decrypt a column and say what happened.

        Args:
            column: Ciphertexts in any container.
            row: What was given to `protect_column`.
            as_text: Whether to give the canonical text of values that are not bytes, whatever they were: it has the
                offset of each moment from UTC, where a column of moments has one zone for all of them.

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
        return Outcome(restore(lifted, plain, lifted.nulls, as_text=as_text), len(lifted), count_nulls(lifted))

    def rotate_many(self, column: C, *, row: Any = None) -> C:  # noqa: ANN401 - any container
        """Encrypt again what is not under the key version that writes now, or has another index; leave the rest.

        Args:
            column: Ciphertexts in any container.
            row: What was given to `protect_column`.

        Raises:
            DecryptionFailed: If some of what must be opened for it does not open; the error names the rows. Without an
                index, what is under the version that writes is not opened.
        """
        lifted = columns.lift(column)
        sealed, failed = self._lifted_bytes(lifted)
        places = self._places(row, lifted)
        old = np.flatnonzero(self._sealer.outdated(sealed))
        if self.index is not None and len(old) < len(sealed):
            old = np.sort(np.concatenate([old, self._misplaced(lifted, sealed, old, places)]))
        plain, wrong = self._sealer.open_many(sealed.take(old), _at(old, places))
        failed[old] |= wrong
        if failed.any():
            raise DecryptionFailed(lifted.rows(np.flatnonzero(failed)))
        rest = np.delete(np.arange(len(sealed)), old)
        fresh = Ragged.merge(
            len(sealed), [(rest, sealed.take(rest)), (old, self._sealer.seal_many(plain, _at(old, places)))]
        )
        return self._restored(lifted, fresh)

    def _misplaced(
        self, lifted: Column[Any], sealed: Ragged, old: NDArray[np.intp], places: list[bytes | Ragged]
    ) -> NDArray[np.intp]:
        """Which of the rows that are not old have another index than would be written now."""
        rest = np.delete(np.arange(len(sealed)), old)
        kept = sealed.take(rest)
        plain, failed = self._sealer.open_many(kept, _at(rest, places))
        if failed.any():
            raise DecryptionFailed(lifted.rows(rest[failed]))
        return rest[self._sealer.misplaced(kept, plain)]


def _at(rows: NDArray[np.intp], places: list[bytes | Ragged]) -> list[bytes | Ragged]:
    """The places of some rows."""
    return [place if isinstance(place, bytes) else place.take(rows) for place in places]
