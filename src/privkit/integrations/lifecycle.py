"""The life of an encrypted column: from plaintext to ciphertext on a live table, and the way back.

| mode | reads | writes | looks up | for |
|---|---|---|---|---|
| `plaintext_ok` | both | plaintext | both | the first release: every program learns to read ciphertexts |
| `dual` | both | ciphertext | both | the second: new values are encrypted, and the job encrypts the old ones |
| `strict` | ciphertext | ciphertext | ciphertext | the third, when the job has found nothing more to do |

The way back is the same table read upwards: `dual`, then `plaintext_ok` with the job, then the plain column type.

**What is a ciphertext is told by a rule, not by trying.** A stored value is one if it begins with a marker (0x01 or
0x02) and the id of a key version that the keyring has or had: five bytes, or eight characters in text. Whatever fits is
decrypted, and is an error if it does not open: a damaged ciphertext is never handed out as plaintext. Whatever does not
fit is plaintext. So that no plaintext fits, `plaintext_ok` refuses to write one that does. One that stood there before
makes the job stop with its row: a text that happens to begin with marker and key id, one in 2^39 if texts were random.

A column may be bound to its rows: the primary key of the row, as `row_name` writes it, is then part of the associated
data of each ciphertext, which opens nowhere else. The application makes that key: the database would make it too late.

While both forms are in a column, the database's own uniqueness is not that of the values: a value and its ciphertext
are two. Look a value up before inserting it (lookups see both), and trust the constraint again when the job is done.
The same holds while a deterministic column is under two key versions.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from privkit.columns import text_of
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit.transforms import Encrypt
    from privkit.transforms.form import Row

    _Work = Callable[[list[Any], list[Row] | None], list[Any]]


FEW = 64
"""Values up to so many are decrypted one by one: laying out a column takes as long."""


class Mode(StrEnum):
    """Where a column stands in its life; the module's table says what each reads, writes and looks up."""

    PLAINTEXT_OK = "plaintext_ok"
    DUAL = "dual"
    STRICT = "strict"


def mode_of(mode: str) -> Mode:
    """The mode of a name.

    Raises:
        InvalidParameter: If there is none.
    """
    try:
        return Mode(mode)
    except ValueError:
        raise InvalidParameter(f"no mode {mode!r} of a column; it is {', '.join(Mode)}") from None


def row_name(key: object, *more: object) -> Row:
    """What a ciphertext that is bound to its row names it by: the same in every framework and database.

    Args:
        key: The row's primary key as the application has it: a UUID, which goes as its text in lower case with
            hyphens; text, bytes or an integer, which go as they are.
        more: Where the primary key has several columns, the others, in the key's order. Each then goes behind its
            length, in four bytes, so that no two keys have one name.

    Raises:
        InvalidParameter: If it is nothing that names a row.

    Example:
        >>> import uuid
        >>> from privkit.integrations.lifecycle import row_name
        >>> row_name(uuid.UUID(int=10))
        '00000000-0000-0000-0000-00000000000a'
        >>> row_name("shop", 17).hex(" ", -4)
        '00000004 73686f70 00000002 3137'
    """
    if more:
        contents = [part if isinstance(part, bytes) else text_of(part).encode() for part in map(row_name, (key, *more))]
        return b"".join(len(content).to_bytes(4) + content for content in contents)
    if isinstance(key, uuid.UUID):
        return str(key)
    if isinstance(key, bool) or not isinstance(key, str | bytes | int) or key in ("", b""):
        raise InvalidParameter(
            f"a {type(key).__name__} names no row for a value to be bound to; "
            "it takes a primary key that the application makes, such as a UUID"
        )
    return key


class Bound:
    """A value on its way into the row that it is bound to.

    Args:
        value: The value; not null.
        row: What names the row, as `row_name` writes it.
    """

    __slots__ = ("row", "value")

    def __init__(self, value: Any, row: Row) -> None:  # noqa: ANN401 - a value of the column
        self.value = value
        self.row = row

    def __repr__(self) -> str:
        return "<a value bound to its row>"


class StoredForm:
    """How the values of one column stand in the database, in each mode.

    Args:
        encrypt: What encrypts them.
        mode: Where the column stands.
        tag: What plaintexts are: a tag of the ciphertext format, by default text. Other types stand as their canonical
            text, dicts and lists as JSON.

    Raises:
        InvalidParameter: If there is no such mode, or bytes cannot stand in the column as they are.

    Example:
        >>> from privkit.integrations.lifecycle import StoredForm
        >>> email = Encrypt(Keyring.create(directory / "k.json")["user.email"], deterministic=True, text=True)
        >>> before, after = StoredForm(email, "plaintext_ok"), StoredForm(email, "dual")
        >>> before.write("a@b.cn"), after.read(before.write("a@b.cn")), before.read(after.write("a@b.cn"))
        ('a@b.cn', 'a@b.cn', 'a@b.cn')
    """

    __slots__ = ("_tag", "encrypt", "mode")

    def __init__(self, encrypt: Encrypt, mode: str = Mode.STRICT, *, tag: int = 0x11) -> None:
        self.encrypt = encrypt
        self.mode = mode_of(mode)
        if tag == layout.BYTES_TAG and encrypt.text and self.mode is not Mode.STRICT:
            raise InvalidParameter("bytes in a text column have no plaintext form; store ciphertexts as bytes")
        self._tag = tag

    def write(self, value: Any, row: Row | None = None) -> Any:  # noqa: ANN401 - what the column stores: bytes or str
        """What to store for a value; null for null. `row` names the row, where the column is bound to rows.

        Raises:
            InvalidValue: If plaintext is to be stored and it has the form of a ciphertext.
        """
        if value is None or self.mode is not Mode.PLAINTEXT_OK:
            return self.encrypt.protect(value, row=row)
        plain = self.plain(value)
        if self.encrypt.has_form(plain):
            raise InvalidValue(
                "a plaintext with the form of a ciphertext of this keyring; it cannot be stored as it is"
            )
        return plain

    def read(self, stored: Any, row: Row | None = None) -> Any:  # noqa: ANN401 - as for write
        """The value that is stored; null for null. `row` as for `write`.

        Raises:
            DecryptionFailed: If it has the form of a ciphertext and does not open, or in `strict` has not the form.
        """
        if stored is None or self.mode is Mode.STRICT or self.encrypt.has_form(stored):
            return self.encrypt.reveal(stored, row=row)
        return self._parsed(stored)

    def candidates(self, value: Any) -> list[Any]:  # noqa: ANN401 - as for write
        """What a value may stand as: its ciphertext under each version that reads, and plaintext where that is read.

        Raises:
            InvalidParameter: If ciphertexts are randomised: then the index finds them, and `plain_candidates` the rest.
        """
        return self.encrypt.candidates(value) + self.plain_candidates(value)

    def plain_candidates(self, value: Any) -> list[Any]:  # noqa: ANN401 - as for write
        """The plaintext that a value may stand as; empty in `strict`."""
        return [] if self.mode is Mode.STRICT else [self.plain(value)]

    def plain(self, value: Any) -> Any:  # noqa: ANN401 - as for write
        """A value as it stands in the column unencrypted: canonical text, or its bytes where the column is binary."""
        encoded = layout.encode(value)
        if encoded[0] != self._tag:
            raise InvalidParameter(f"a value of type {type(value).__name__} in a column of another; convert it first")
        return encoded[1:].decode() if self.encrypt.text else encoded[1:]

    def convert(self, stored: Sequence[Any], rows: Sequence[Row] | None = None) -> list[Any]:
        """Bring stored values into the form that the mode writes now, under the key version that writes now.

        Args:
            stored: What stands in the column; nulls stay null.
            rows: What names the row of each, where the column is bound to rows.

        Returns:
            What shall stand there, in the same order; equal where nothing is to be done.

        Raises:
            DecryptionFailed: If some do not open, or in `strict` are no ciphertexts; the error names their positions.
            InvalidValue: If plaintexts are none of the column's type; it names their positions, too.
        """
        fresh = list(stored)
        if self.mode is Mode.STRICT:
            return self._rotated(fresh, rows)
        sealed, plain = self._told_apart(fresh)
        if self.mode is Mode.PLAINTEXT_OK:
            opened = self._at(sealed, fresh, rows, self.open_many)
            self._put(fresh, sealed, [self.plain(value) for value in opened])
            return fresh
        self._put(fresh, sealed, self._at(sealed, fresh, rows, self._rotated))
        self._put(fresh, plain, self._at(plain, fresh, rows, self._protected))
        return fresh

    def open_many(self, sealed: Sequence[Any], rows: Sequence[Row] | None = None) -> list[Any]:
        """Decrypt ciphertexts, many of them all together; `rows` as for `convert`."""
        if len(sealed) > FEW:
            return list(self.encrypt.reveal_column(list(sealed), row=rows).column)
        opened, failed = [], []
        for place, value in enumerate(sealed):
            try:
                opened.append(self.encrypt.reveal(value, row=None if rows is None else rows[place]))
            except DecryptionFailed:
                failed.append(place)
        if failed:
            raise DecryptionFailed(failed)
        return opened

    def read_many(self, stored: Sequence[Any], rows: Sequence[Row] | None = None) -> list[Any]:
        """The values that are stored, as `read` gives each, all together; `rows` as for `convert`."""
        if self.mode is Mode.STRICT:
            return self.open_many(stored, rows)
        fresh = list(stored)
        sealed, plain = self._told_apart(fresh)
        self._put(fresh, plain, self._at(plain, fresh, None, lambda texts, _: self._parsed_many(texts)))
        self._put(fresh, sealed, self._at(sealed, stored, rows, self.open_many))
        return fresh

    def _told_apart(self, stored: Sequence[Any]) -> tuple[list[int], list[int]]:
        """Where ciphertexts stand, and where plaintexts."""
        has_form = self.encrypt.has_form
        known = [place for place, value in enumerate(stored) if value is not None]
        sealed = [place for place in known if has_form(stored[place])]
        if len(sealed) == len(known):
            return sealed, []
        found = set(sealed)
        return sealed, [place for place in known if place not in found]

    def _at(self, places: list[int], values: Sequence[Any], rows: Sequence[Row] | None, work: _Work) -> list[Any]:
        """Do something with the values at some places, and name those in errors."""
        try:
            return work([values[at] for at in places], None if rows is None else [rows[at] for at in places])
        except DecryptionFailed as error:
            raise DecryptionFailed([places[row] for row in error.rows]) from None
        except InvalidValue as error:
            raise InvalidValue(error.reason, rows=[places[row] for row in error.rows], count=error.count) from None

    @staticmethod
    def _put(values: list[Any], places: list[int], fresh: list[Any]) -> None:
        for place, value in zip(places, fresh, strict=True):
            values[place] = value

    def _rotated(self, sealed: Sequence[Any], rows: Sequence[Row] | None) -> list[Any]:
        return self.encrypt.rotate_many(list(sealed), row=rows)

    def _protected(self, stored: Sequence[Any], rows: Sequence[Row] | None) -> list[Any]:
        """Encrypt plaintexts of the column."""
        return list(self.encrypt.protect_column(self._parsed_many(stored), row=rows).column)

    def _parsed_many(self, stored: Sequence[Any]) -> list[Any]:
        """Plaintexts of the column as values; the error names those that are none."""
        parsed, failed, reason = [], [], ""
        for place, text in enumerate(stored):
            try:
                parsed.append(self._parsed(text))
            except InvalidValue as refusal:
                failed.append(place)
                reason = refusal.reason
        if failed:
            raise InvalidValue(reason, rows=failed)
        return parsed

    def _parsed(self, stored: Any) -> Any:  # noqa: ANN401 - as for write
        """A plaintext of the column as a value; one that is none of the column's type is an error without its text."""
        text = stored if isinstance(stored, str) else bytes(stored)
        content = text.encode() if isinstance(text, str) else text
        try:
            return layout.decode(bytes([self._tag]) + content)
        except DecryptionFailed:
            raise InvalidValue("a stored plaintext is not of the column's type; correct it in the database") from None
