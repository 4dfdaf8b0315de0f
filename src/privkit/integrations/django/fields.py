"""`EncryptedField`: any Django field, encrypted in the database and plain in Python.

```
value -> base field -> plain form -> ciphertext -> the column      plain.py says what the plain form is
```

The field stands outside and the base field inside. What is about the column (`null`, `unique`, `default`, `db_column`,
`choices`, labels) is said outside; what is about the value (`max_length`, `decimal_places`, validators) inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

from django.db import models
from django.utils.functional import cached_property

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.integrations.django import checks
from privkit.integrations.django.binding import (
    BoundAttribute,
    Sealed,
    bind_branches,
    bound,
    carry_through_raw_saves,
    check_conflicts,
    refuse_unbound,
)
from privkit.integrations.django.config import OPENED, keyring
from privkit.integrations.django.expressions import check_written
from privkit.integrations.django.indexed import IndexedExact, IndexedIn, IndexedPart
from privkit.integrations.django.indexes import index_field, index_size
from privkit.integrations.django.lookups import EncryptedExact, EncryptedIn, refused
from privkit.integrations.django.permissions import add_reveal_permission
from privkit.integrations.django.plain import is_plain_text, plain_of, tag_of, value_of
from privkit.integrations.django.refusals import WouldWritePlaintext
from privkit.integrations.django.widths import content_width, exact_collation, width
from privkit.integrations.lifecycle import Bound, Mode, StoredForm, mode_of
from privkit.integrations.purposes import FieldViews, ShownText
from privkit.keys.names import canonical_name
from privkit.transforms import Encrypt
from privkit.transforms.ciphertext import LONGEST_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.core.checks import CheckMessage
    from django.db.backends.base.base import BaseDatabaseWrapper

    from privkit.transforms import Transform
    from privkit.transforms.form import Row

    Base = models.Field[Any, Any]
else:
    Base = models.Field

MIRRORED = ("null", "blank", "default", "choices", "verbose_name", "help_text", "editable")
"""What is said outside and asked of the base field when it makes form fields and validates."""

LOOKUPS = {"exact": EncryptedExact, "in": EncryptedIn}
INDEXED = {"exact": IndexedExact, "in": IndexedIn}


class EncryptedField(Base):
    """A column of ciphertexts whose values are those of another field.

    Equal values get different ciphertexts, which no query can compare. With `deterministic=True` they get equal ones:
    the column can be searched with `exact` and `in`, be unique and be joined, and whoever reads the database sees
    which rows are equal and how often. In both, the length of a value shows. `None` is stored as NULL; the empty
    string, zero and false are encrypted like any other value.

    Args:
        base_field: The field whose values these are, such as `models.EmailField()`.
        key: The name of the key, such as `"user.email"`. It is part of what is stored: it stays the same when the
            model, the table or the field is renamed, and no two columns share one.
        deterministic: Whether equal values get equal ciphertexts.
        text: Whether the column is text (base64url) and not binary.
        index: The name of the `BlindIndexField` by which a randomised column is found.
        mode: Where the column stands in its life: `plaintext_ok`, `dual` or, as is usual, `strict`. See
            `privkit.integrations.lifecycle`.
        row: The name of the primary key, to bind each value to its row: a ciphertext that was moved to another row is
            refused. The application makes that key, such as a UUID, and never changes it. See
            `privkit.integrations.django.binding` for what a bound field does not do.
        views: By name, the transform that values are shown through, or `None` for clear: values are then read inside
            `reveal_as` only, see `privkit.integrations.purposes`. It is a matter of the program, not of the column,
            and no part of migrations.
        **options: Those of any field: `null`, `blank`, `unique`, `default`, `db_column`, `choices`, `verbose_name` ...

    Example:
        >>> from django.db import models
        >>> from privkit.integrations.django import EncryptedField
        >>> email = EncryptedField(models.EmailField(), key="user.email", deterministic=True, unique=True, null=True)
        >>> email.ciphertext_length
        1038
    """

    description = "Encrypted value"
    non_db_attrs = (*models.Field.non_db_attrs, "mode")

    def __init__(
        self,
        base_field: models.Field[Any, Any],
        *args: Any,  # noqa: ANN401 - verbose_name and name, as for any field
        key: str,
        deterministic: bool = False,
        text: bool = False,
        index: str | None = None,
        mode: str = Mode.STRICT,
        row: str | None = None,
        views: Mapping[str, Transform | None] | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> None:
        if not isinstance(base_field, models.Field):
            raise InvalidParameter("EncryptedField takes a field, as in EncryptedField(models.EmailField(), key=...)")
        self.base_field = base_field
        self._textual = is_plain_text(base_field)
        self.declared_options = base_field.deconstruct()[3]
        self.key = canonical_name(key)
        self.deterministic = deterministic
        self.text = text
        if deterministic and index is not None:
            raise InvalidParameter("a deterministic column is found by itself; leave out the index")
        self.index = index
        self.mode = mode_of(mode)
        self.row = row
        if row is not None:
            if deterministic:
                raise InvalidParameter(
                    "bound to its row a value has another ciphertext in each; leave out deterministic"
                )
            self.descriptor_class = BoundAttribute
            carry_through_raw_saves()
        self.views = None if views is None else FieldViews(self.key, views)
        self._stored: StoredForm | None = None
        self._generation = -1
        self.empty_strings_allowed = base_field.empty_strings_allowed
        if not base_field.editable:  # binary fields, and moments that the application sets
            options.setdefault("editable", False)
            options.setdefault("blank", base_field.blank)
        super().__init__(*args, **options)

    # Its place in a model

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Describe the field for migrations: by the name of its key, never by a key."""
        name, _, args, options = super().deconstruct()
        options["key"] = self.key
        for option in ("deterministic", "text"):
            if getattr(self, option):
                options[option] = True
        for option in ("index", "row"):
            if getattr(self, option) is not None:
                options[option] = getattr(self, option)
        if self.mode is not Mode.STRICT:
            options["mode"] = self.mode.value
        path = f"privkit.integrations.django.{EncryptedField.__name__}"
        return name, path, [self._declared(), *args], options

    def _declared(self) -> Base:
        """The base field as it was declared, without what it mirrors."""
        _, _, args, _ = self.base_field.deconstruct()
        return type(self.base_field)(*args, **self.declared_options)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Enter a model, with a base field of its own, and a permission to reveal what it holds."""
        super().contribute_to_class(cls, name, private_only=private_only)
        base = self._declared()
        base.set_attributes_from_name(name)
        base.model = cls
        for option in MIRRORED:
            setattr(base, option, getattr(self, option))
        self.base_field = base
        add_reveal_permission(cls)

    @property
    def label(self) -> str:
        """What errors call it: `app.Model.field`."""
        return str(self) if hasattr(self, "model") else (self.name or self.key)

    @property
    def storage_name(self) -> tuple[str, bool, bool, bool]:
        """What two columns have in common whose ciphertexts can be compared and, within a row, exchanged."""
        return (self.key, self.deterministic, self.text, self.row is not None)

    def check(self, **kwargs: Any) -> list[CheckMessage]:  # noqa: ANN401 - Django's signature
        """Report what is wrong with the declaration, before a query does."""
        return [*super().check(**kwargs), *checks.field_messages(self, **kwargs)]

    # Its column

    def get_internal_type(self) -> str:
        """Name the field that its column is like, which lets PostgreSQL insert many rows as arrays."""
        return "TextField" if self.text else "BinaryField"

    @property
    def ciphertext_length(self) -> int | None:
        """The most bytes (characters, where it is text) that a stored value has; `None` where there is no bound."""
        return self._width(index_size(self))

    def _width(self, index: int) -> int | None:
        content = content_width(self.base_field)
        if content is None:
            return None
        return width(content, deterministic=self.deterministic, text=self.text, index=index)

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Name the column's type: where a database wants a width, as wide as the values and any index need."""
        length = self._width(0 if self.deterministic else LONGEST_INDEX)  # that an index changes alters no column
        if self.text:
            bounded = length is not None and connection.vendor == "mysql"
            column: Base = models.CharField(max_length=length) if bounded else models.TextField()
            return column.db_type(connection)
        if connection.vendor == "mysql" and length is not None:
            return f"varbinary({length})"  # BLOBs cannot be unique there
        return models.BinaryField().db_type(connection)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - Django's own
        """Say what the column is, and for text that case counts."""
        said: Any = super().db_parameters(connection)
        return {**said, "collation": exact_collation(connection)} if self.text else said

    # Values

    @property
    def stored(self) -> StoredForm:
        """How values stand in the column; asking for it opens the keyring."""
        if self._stored is None or self._generation != OPENED.generation:
            generation = OPENED.generation
            key, companion = keyring()[self.key], index_field(self)
            found_by = None if companion is None else companion.index_of(key)
            sealed = Encrypt(key, deterministic=self.deterministic, text=self.text, index=found_by)
            self._stored = StoredForm(sealed, self.mode, tag=tag_of(self.base_field))
            self._generation = generation
        return self._stored

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - a value of the base field
        """Bring a value from a form or fixture into the base field's type."""
        return self.base_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401 - as above
        """Bring a value into the form that is encrypted.

        Raises:
            InvalidValue: If it is none of the base field.
        """
        if isinstance(value, ShownText):
            raise WouldWritePlaintext(
                f"{self.label}: what a view showed is not the value; load it in a view that shows it as it is, or "
                "leave the field out with defer() or update_fields"
            )
        if value is None or (type(value) is str and self._textual):
            return value
        if type(value) is Sealed:
            raise refuse_unbound(self)
        if value == b"" and self.empty_strings_allowed and not isinstance(self.base_field, models.BinaryField):
            value = ""  # what the schema editor takes for the empty value of a binary column
        try:
            return plain_of(self.base_field, value)
        except InvalidValue as refusal:
            raise refusal.located(self.label) from None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - Django's own
        """Encrypt a value.

        Raises:
            NotBound: If it is to be bound to its row and does not say which that is.
        """
        if self.row is not None and value is not None:
            if type(value) is not Bound:
                raise refuse_unbound(self)
            return self.stored.write(self.get_prep_value(value.value), value.row)
        return self.stored.write(value if prepared else self.get_prep_value(value))

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - as above
        """Encrypt a value that is written, or make sure that an expression gives ciphertexts.

        Raises:
            WouldWritePlaintext: If it does not.
        """
        if hasattr(value, "as_sql"):
            if self.row is not None:
                bind_branches(self, value)
            check_written(self, value)
            return value
        return self.get_db_prep_value(value, connection)

    @property
    def get_placeholder(self) -> Callable[..., str]:
        """Look at the statement that a bound value is written by. No other field has this, as Django asks for it."""
        if self.row is None:
            raise AttributeError("get_placeholder")
        return self._placeholder

    def _placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:  # noqa: ANN401, ARG002 - as above
        check_conflicts(self, compiler.query)
        return "%s"

    def stored_forms(self, plain: Any) -> list[bytes | str]:  # noqa: ANN401 - as above
        """All forms in which a value may stand in a deterministic column."""
        return self.stored.candidates(plain)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:  # noqa: ANN401, ARG002 - as above
        """Decrypt a value.

        Raises:
            DecryptionFailed: If it is not what this key wrote for this column.
        """
        if value is None and self.views is None:
            return None
        if self.row is not None and value is not None:
            return Sealed(self, value, connection.alias)
        return self.opened(value, connection)

    def opened(self, stored: Any, connection: BaseDatabaseWrapper, row: Row | None = None) -> Any:  # noqa: ANN401 - as above
        """The value of what is stored in a row. Otherwise as `from_db_value`."""
        try:
            plain = self.stored.read(stored, row)
            if plain is not None and not (type(plain) is str and self._textual):
                plain = value_of(self.base_field, plain, connection)
            return plain if self.views is None else self.shown([plain])[0]
        except (DecryptionFailed, InvalidValue) as failure:
            raise failure.located(self.label) from None

    def shown(self, values: list[Any]) -> list[Any]:
        """Values as the present view shows them, where the field has views; as they are where it has none.

        Raises:
            RevealRefused: Outside of every view, or in one that does not give the field.
        """
        if self.views is None:
            return values
        return [
            after if after is before else _marked(after)
            for before, after in zip(values, self.views.show_many(values), strict=True)
        ]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ANN401, FBT001 - Django's own
        """Let the base field set what it sets, such as the moment of a change, and bind what is bound to the row."""
        value = self.base_field.pre_save(model_instance, add)
        return value if self.row is None else bound(self, value, model_instance)

    # Forms and fixtures

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """The base field's, and those said outside."""
        return [*self.base_field.validators, *getattr(self, "_validators", ())]

    def validate(self, value: Any, model_instance: models.Model | None) -> None:  # noqa: ANN401 - as above
        """Validate as the base field does."""
        self.base_field.validate(value, model_instance)

    def formfield(self, **options: Any) -> Any:  # noqa: ANN401 - Django's own
        """Make the form field that the base field makes."""
        return self.base_field.formfield(**options)

    def value_to_string(self, obj: models.Model) -> str:
        """Write the value for a fixture, in clear: a fixture is loaded where the keys may be others."""
        return self.base_field.value_to_string(obj)

    # Queries

    def get_lookup(self, lookup_name: str) -> Any:  # noqa: ANN401 - a class of lookups
        """Find a lookup that ciphertexts can answer.

        Raises:
            NotSearchable: If they cannot; the error says what they can.
        """
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        if self.views is not None:
            self.views.check_clear("look up")
        if self.deterministic and lookup_name in LOOKUPS:
            return LOOKUPS[lookup_name]
        if self.index is not None and lookup_name in INDEXED:
            return INDEXED[lookup_name]
        companion = index_field(self)
        if companion is not None and lookup_name == companion.part:
            return IndexedPart
        raise refused(self, lookup_name)

    def get_transform(self, lookup_name: str) -> Never:
        """Refuse: the database cannot transform what it cannot read."""
        raise refused(self, lookup_name)


def _marked(shown: Any) -> ShownText:  # noqa: ANN401 - whatever a view's transform gives
    if not isinstance(shown, str):
        raise InvalidParameter(f"a view that gives a {type(shown).__name__} could be saved as a value; give text")
    return ShownText(shown)


def encrypted_fields(model: type[models.Model]) -> Sequence[EncryptedField]:
    """The encrypted fields of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]  # noqa: SLF001 - Django's way to ask
