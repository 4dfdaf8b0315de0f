"""`Encrypted`: a column type whose values the database only sees as ciphertexts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, to_instance

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, PrivkitError
from privkit.integrations.lifecycle import Bound, Mode, StoredForm
from privkit.integrations.purposes import ShownText
from privkit.integrations.sqlalchemy.batches import SealedText
from privkit.integrations.sqlalchemy.binding import BoundOpener
from privkit.integrations.sqlalchemy.caching import KeyedByOptions
from privkit.integrations.sqlalchemy.fetching import Opener
from privkit.integrations.sqlalchemy.guarding import check_key
from privkit.integrations.sqlalchemy.plain import plain_form
from privkit.integrations.sqlalchemy.refusals import NotBound, WouldWritePlaintext, passing
from privkit.integrations.sqlalchemy.searching import EncryptedComparator
from privkit.integrations.sqlalchemy.writing import check_defaults
from privkit.transforms import Encrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

    from privkit.fields.base import FieldType
    from privkit.integrations.purposes import FieldViews
    from privkit.keys import FieldKey
    from privkit.transforms import BlindIndexOf
    from privkit.transforms.form import Row

_MOST_VARBINARY = 16_383
"""A row of MySQL has 65,535 bytes at most, and a character of utf8mb4 takes four of them."""


class Encrypted(KeyedByOptions, TypeDecorator[Any]):
    """A column that holds ciphertexts, and values of another type in Python.

    Randomised by default; then nothing but lengths shows, and nothing can be looked up without a `BlindIndex`.
    Deterministic on request: equal values have equal ciphertexts, so that `==`, `in_`, joins and unique constraints
    work, and whoever reads the database sees which rows are equal. `LIKE`, `<`, `ORDER BY` and the like work on
    neither and raise `NotSearchable`. Null stays null, and is visible.

    A ciphertext is bound to the field's name: it does not open in another column. Within one column it may be moved
    from row to row by whoever can write to the database, unless `row` binds it; and an older one put back.

    Args:
        base_type: What the column would be without encryption: gives the Python type, its checks, and the length.
        field_key: The field's key, which also names it. Renaming the table or column changes nothing.
        deterministic: Whether equal values get equal ciphertexts.
        index: The name of the `BlindIndex` column beside it, by which a randomised column is found.
        text: Whether to store text (base64url) in place of bytes: a third longer.
        mode: Where the column stands in its life: `plaintext_ok`, `dual` or `strict`; see
            `privkit.integrations.lifecycle`. A column that held plaintext text takes `text=True`.
        field: What the values are, where that shall be checked on writing.
        views: The views in which its values may be read; then they are read inside `reveal_as` only.
        row: The name of the primary key, to bind each value to its row: a ciphertext that was moved to another row is
            refused. Where the key has several columns, all their names in the key's order. The application makes the
            key, such as a UUID; see `privkit.integrations.sqlalchemy.binding`.

    Raises:
        InvalidParameter: If the parts do not go together.

    Example:
        >>> import sqlalchemy as sa
        >>> from privkit.integrations.sqlalchemy import Encrypted
        >>> keys = Keyring.create(directory / "keyring.json")
        >>> user = sa.Table("user", sa.MetaData(), sa.Column("email", Encrypted(sa.String(80), keys["user.email"])))
        >>> user.c.email.type.ciphertext_length
        358
    """

    impl = sa.LargeBinary
    cache_ok = True
    comparator_factory = EncryptedComparator
    holds = "ciphertexts"

    def __init__(
        self,
        base_type: TypeEngine[Any] | type[TypeEngine[Any]],
        field_key: FieldKey,
        *,
        deterministic: bool = False,
        index: str | None = None,
        text: bool = False,
        mode: str = Mode.STRICT,
        field: FieldType | None = None,
        views: FieldViews | None = None,
        row: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if deterministic and index is not None:
            raise InvalidParameter("a deterministic column is found by itself; leave out the index")
        if row is not None and deterministic:
            raise InvalidParameter(
                "bound to its row a value has another ciphertext in each; leave out deterministic, and give it an index"
            )
        if row is not None and views is not None:
            raise InvalidParameter("a column with views is not bound to its rows; leave out one of them")
        self.base_type = to_instance(base_type)
        self.field_key = field_key
        self.deterministic = deterministic
        self.index = index
        self.text = text
        self.mode = Mode(mode)
        self.field = field
        self.views = views
        self.row = row if row is None or isinstance(row, str) else tuple(row)
        self.plain_form = plain_form(self.base_type)
        self._blind: BlindIndexOf | None = None
        self._stored = StoredForm(self._encrypt(None), mode, tag=self.plain_form.tag)

    @property
    def encrypt(self) -> Encrypt:
        """The transform that makes its ciphertexts."""
        return self._stored.encrypt

    @property
    def stored(self) -> StoredForm:
        """How its values stand in the database.

        Raises:
            InvalidParameter: If it names an index and no such column stands beside it.
        """
        if self.index is not None and self._blind is None:
            raise InvalidParameter(
                f"no BlindIndex column {self.index!r} beside the column of {self.field_key.name!r}; "
                "add one of that name to the table"
            )
        return self._stored

    @property
    def stored_form(self) -> tuple[Hashable, ...]:
        """What its ciphertexts are: those of another column may be copied here if they are the same."""
        return "encrypted", self.field_key, self.deterministic, self.text, self.row, self._blind

    @property
    def ciphertext_length(self) -> int | None:
        """How long what is stored is at most, in bytes or characters; `None` where the base type has no limit."""
        most = self.plain_form.most_bytes
        if most is None:
            return None
        length = self.encrypt.ciphertext_length(most)
        return length if self.mode is Mode.STRICT else max(length, most)

    def link(self, blind: BlindIndexOf) -> None:
        """Write a blind index into the ciphertexts from now on; its column calls it."""
        self._blind = blind
        self._stored = StoredForm(self._encrypt(blind), self.mode, tag=self.plain_form.tag)

    def write(self, value: Any) -> Any:  # noqa: ANN401 - a value of the base type, or a `Bound` one
        """What is stored for a value: null for null.

        Raises:
            InvalidValue: If it is no value of the base type, or of the field.
            NotBound: If it is to be bound to its row, and comes without it.
            WouldWritePlaintext: If it is what a view showed in a value's place.
        """
        if value is None:
            return None
        if type(value) is SealedText and (sealed := value.take(self._stored.encrypt)) is not None:
            return sealed
        if isinstance(value, ShownText):
            raise WouldWritePlaintext(
                f"what a view showed of {self.field_key.name!r} is not the value; load it in a view that shows it as "
                "it is, or leave it out"
            )
        if self.row is None:
            return self.stored.write(self.to_plain(value))
        if not isinstance(value, Bound):
            raise NotBound(
                f"the row of a value of {self.field_key.name!r} is not known here: write it with its primary key, as "
                "parameters of INSERT, or of UPDATE with WHERE on the primary key"
            )
        return self.stored.write(self.to_plain(value.value), value.row)

    def read(self, stored: Any) -> Any:  # noqa: ANN401 - what was stored
        """The value of what is stored, as the present view shows it.

        Raises:
            DecryptionFailed: If it is no ciphertext of this field; the error names the field as its column.
            RevealRefused: If the column has views, and there is none here that gives it.
        """
        if self.views is not None:
            return self.views.show(self.clear(stored))
        return self.clear(stored)

    def clear(self, stored: Any, row: Row | None = None) -> Any:  # noqa: ANN401 - what was stored
        """The value of what is stored, whatever the view; `row` names its row, where it is bound to that."""
        if stored is None:
            return None
        try:
            plain = self._stored.read(stored, row)
        except (DecryptionFailed, InvalidValue) as error:
            raise error.located(self.field_key.name) from None
        return plain if self.plain_form.read is None else self.plain_form.read(plain)

    def read_many(self, stored: list[Any], rows: Sequence[Row] | None = None) -> list[Any]:
        """The values of what is stored, as `read` gives each, all together; `rows` names their rows."""
        try:
            values = self._stored.read_many(stored, rows)
        except (DecryptionFailed, InvalidValue) as error:
            raise error.located(self.field_key.name) from None
        read = self.plain_form.read
        if read is not None:
            values = [None if value is None else read(value) for value in values]
        return values if self.views is None else self.views.show_many(values)

    def to_plain(self, value: Any) -> Any:  # noqa: ANN401 - a value of the base type
        """What is encrypted of a value that is not null."""
        return value if self.plain_form.write is None else self.plain_form.write(value)

    @cached_property
    def raw_type(self) -> TypeEngine[Any]:
        """The type of what is stored, for expressions that are about that: of no length, so that no cast cuts it."""
        return sa.String() if self.text else sa.LargeBinary()

    def stored_type(self, dialect: Dialect | None = None) -> TypeEngine[Any]:
        """The type that the database knows of."""
        length = self.ciphertext_length
        on_mysql = dialect is not None and dialect.name in ("mysql", "mariadb")
        fits = length is not None and length <= _MOST_VARBINARY
        if on_mysql and self.text:
            # ciphertexts differ by case
            return mysql.VARCHAR(length, collation="utf8mb4_bin") if fits else mysql.LONGTEXT(collation="utf8mb4_bin")
        if on_mysql:
            return mysql.VARBINARY(length) if fits else mysql.LONGBLOB()
        if self.text:
            return sa.String(length)
        return sa.LargeBinary()

    # What SQLAlchemy asks of a type

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database knows of."""
        return dialect.type_descriptor(self.stored_type(dialect))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - the signature is given
        """Encrypt a parameter."""
        try:
            return self.write(value)
        except PrivkitError as error:
            raise passing(error) from None

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - the signature is given
        """Decrypt a result."""
        return self.read(value)

    def opener(self) -> Opener:
        """What opens the values of a result."""
        return _Opener(self) if self.row is None else BoundOpener(self)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:  # noqa: ANN401, ARG002 - as above
        """Decrypt results; with views one by one, so that none is shown before it is asked for."""
        return self.read if self.views is not None else self.opener().one

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:  # noqa: ANN401, ARG002 - as above
        """Whatever it is compared with is encrypted like it, or refused."""
        return self

    def compare_values(self, x: Any, y: Any) -> bool:  # noqa: ANN401 - values of the base type
        """Whether a value is unchanged, as the base type says."""
        return self.base_type.compare_values(x, y)

    @property
    def python_type(self) -> type[Any]:
        """The base type's."""
        return self.base_type.python_type

    def _set_parent(self, parent: Any, outer: bool = False, **kw: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - as above
        super()._set_parent(parent, outer, **kw)
        event.listen(parent, "after_parent_attach", link_beside)
        event.listen(parent, "after_parent_attach", check_defaults)
        event.listen(parent, "after_parent_attach", check_key)

    def _encrypt(self, blind: BlindIndexOf | None) -> Encrypt:
        return Encrypt(self.field_key, self.field, deterministic=self.deterministic, text=self.text, index=blind)

    def __repr__(self) -> str:
        return f"Encrypted({self.base_type!r}, {self.field_key.name!r})"


class _Opener(Opener):
    """Opens the values of one column, with as little around each as can be, for it runs for each value."""

    __slots__ = ("_encrypted", "_name", "_read", "_reveal")

    def __init__(self, encrypted: Encrypted) -> None:
        self._encrypted = encrypted
        self._name = encrypted.field_key.name
        self._read, strict = encrypted.plain_form.read, encrypted.mode is Mode.STRICT
        self._reveal = encrypted.encrypt.reveal if strict else encrypted.stored.read

    def one(self, stored: Any, row: Row | None = None) -> Any:  # noqa: ANN401, ARG002 - see `Opener`
        """The value of what is stored."""
        try:
            plain = self._reveal(stored)
        except (DecryptionFailed, InvalidValue) as error:
            raise error.located(self._name) from None
        return plain if plain is None or self._read is None else self._read(plain)

    def many(self, stored: list[Any], rows: Sequence[Row | None] | None = None) -> list[Any]:  # noqa: ARG002 - see `Opener`
        """The values of what is stored, all together."""
        return self._encrypted.read_many(stored)


def link_beside(column: sa.Column[Any], table: Any) -> None:  # noqa: ANN401 - a table, and what else has columns
    """Bring an encrypted column and its blind index together, whichever of them comes to the table last."""
    if not isinstance(table, sa.Table):
        return
    for encrypted in table.c:
        name = encrypted.type.index if isinstance(encrypted.type, Encrypted) else None
        companion = None if name is None else table.c.get(name)
        if companion is not None and (column is encrypted or column is companion) and hasattr(companion.type, "serve"):
            companion.type.serve(encrypted, companion)
