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

While both forms are in a column, the database's own uniqueness is not that of the values: a value and its ciphertext
are two. Look a value up before inserting it (lookups see both), and trust the constraint again when the job is done.
The same holds while a deterministic column is under two key versions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.transforms import Encrypt


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

    def write(self, value: Any) -> Any:  # noqa: ANN401 - what the column stores: bytes or str
        """What to store for a value; null for null.

        Raises:
            InvalidValue: If plaintext is to be stored and it has the form of a ciphertext.
        """
        if value is None or self.mode is not Mode.PLAINTEXT_OK:
            return self.encrypt.protect(value)
        plain = self.plain(value)
        if self.encrypt.has_form(plain):
            raise InvalidValue(
                "a plaintext with the form of a ciphertext of this keyring; it cannot be stored as it is"
            )
        return plain

    def read(self, stored: Any) -> Any:  # noqa: ANN401 - as for write
        """The value that is stored; null for null.

        Raises:
            DecryptionFailed: If it has the form of a ciphertext and does not open, or in `strict` has not the form.
        """
        if stored is None or self.mode is Mode.STRICT or self.encrypt.has_form(stored):
            return self.encrypt.reveal(stored)
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

    def convert(self, stored: Sequence[Any]) -> list[Any]:
        """Bring stored values into the form that the mode writes now, under the key version that writes now.

        Args:
            stored: What stands in the column; nulls stay null.

        Returns:
            What shall stand there, in the same order; equal where nothing is to be done.

        Raises:
            DecryptionFailed: If some do not open, or in `strict` are no ciphertexts; the error names their positions.
        """
        fresh = list(stored)
        if self.mode is Mode.STRICT:
            return self.encrypt.rotate_many(fresh)
        is_sealed = [value is not None and self.encrypt.has_form(value) for value in fresh]
        sealed = [row for row, known in enumerate(is_sealed) if known]
        plain = [row for row, value in enumerate(fresh) if value is not None and not is_sealed[row]]
        if self.mode is Mode.PLAINTEXT_OK:
            self._put(fresh, sealed, [self.plain(value) for value in self._at(sealed, fresh, self.open_many)])
            return fresh
        self._put(fresh, sealed, self._at(sealed, fresh, self.encrypt.rotate_many))
        self._put(fresh, plain, self._protected([self._parsed(fresh[row]) for row in plain]))
        return fresh

    def open_many(self, sealed: list[Any]) -> list[Any]:
        """Decrypt ciphertexts, all together where they are of one type that columns take."""
        if self._tag == layout.JSON_TAG:
            return [self.encrypt.reveal(value) for value in sealed]
        return self.encrypt.reveal_many(sealed)

    def read_many(self, stored: Sequence[Any]) -> list[Any]:
        """The values that are stored, as `read` gives each, all together."""
        if self.mode is Mode.STRICT:
            return self.open_many(list(stored))
        fresh = list(stored)
        sealed = [row for row, value in enumerate(fresh) if value is not None and self.encrypt.has_form(value)]
        opened = self._at(sealed, fresh, self.open_many)
        known = set(sealed)
        fresh = [value if value is None or row in known else self._parsed(value) for row, value in enumerate(fresh)]
        self._put(fresh, sealed, opened)
        return fresh

    def _at(self, rows: list[int], values: list[Any], work: Any) -> list[Any]:  # noqa: ANN401 - a function of lists
        try:
            return list(work([values[row] for row in rows]))
        except DecryptionFailed as error:
            raise DecryptionFailed([rows[row] for row in error.rows]) from None

    @staticmethod
    def _put(values: list[Any], rows: list[int], fresh: list[Any]) -> None:
        for row, value in zip(rows, fresh, strict=True):
            values[row] = value

    def _protected(self, values: list[Any]) -> list[Any]:
        if self._tag == layout.JSON_TAG:
            return [self.encrypt.protect(value) for value in values]
        return self.encrypt.protect_many(values)

    def _parsed(self, stored: Any) -> Any:  # noqa: ANN401 - as for write
        """A plaintext of the column as a value; one that is none of the column's type is an error without its text."""
        text = stored if isinstance(stored, str) else bytes(stored)
        content = text.encode() if isinstance(text, str) else text
        try:
            return layout.decode(bytes([self._tag]) + content)
        except DecryptionFailed:
            raise InvalidValue("a stored plaintext is not of the column's type; correct it in the database") from None
