"""`BlindIndexField`: the column by which a randomised column is found.

The index of a value stands inside its ciphertext, and the database cuts it out into a stored generated column. So no
way of writing can leave it behind: `save`, `update`, `bulk_update`, an upsert and SQL by hand all move both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models.signals import class_prepared

from privkit import fields as catalogue
from privkit.errors import InvalidParameter
from privkit.integrations.django.computing import IndexIn
from privkit.integrations.django.widths import exact_collation
from privkit.transforms import BlindIndexOf
from privkit.transforms.ciphertext import INDEX_AT, LONGEST_INDEX
from privkit.transforms.index import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

    from privkit.integrations.django.fields import EncryptedField
    from privkit.keys import FieldKey

    Generated = models.GeneratedField
    Bytes = models.BinaryField[Any, Any]
    Text = models.CharField[Any, Any]
else:
    Generated = models.GeneratedField
    Bytes = models.BinaryField
    Text = models.CharField


IN_MIGRATION: Final = "__fake__"
"""The module that Django says models of migrations are of."""


class IndexBytes(Bytes):
    """Bytes of one length, which MySQL can only index if it knows that length."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Name the column's type."""
        return f"varbinary({self.max_length})" if connection.vendor == "mysql" else super().db_type(connection)


class IndexText(Text):
    """Characters of base64url, which are equal only where their case is."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - Django's own
        """Say what the column is, and that case counts."""
        said: Any = super().db_parameters(connection)
        return {**said, "collation": exact_collation(connection)}


class BlindIndexField(Generated):
    """The blind index of a randomised `EncryptedField`, in a stored generated column with a database index.

    Whoever reads the database learns which values *may* be equal: of n different values, some n / 2^bits share the
    index of another by chance. Fewer bits say less and cost lookups more candidates to decrypt.

    Args:
        of: The name of the encrypted field, which names it with `index=`.
        bits: How long the index is, from 1 to 128.
        field_type: What the values are, by its name in `privkit.fields`: spellings of one value have one index.
        part: What of the value is indexed: `whole`, `last_four` or `domain`. A part is a lookup of the encrypted field
            too: `filter(phone__last_four="5678")`.
        **options: `db_column`, `db_index` (on by default), `verbose_name` ...

    Example:
        >>> from privkit.integrations.django import BlindIndexField
        >>> BlindIndexField("phone", bits=32, field_type="cn_mobile").size
        4
    """

    def __init__(
        self,
        of: str,
        *,
        bits: int = 32,
        field_type: str = "text",
        part: str = Part.WHOLE,
        **options: Any,  # noqa: ANN401 - those of any field
    ) -> None:
        if not 1 <= bits <= 128 or part not in list(Part):  # noqa: PLR2004 - what a CMAC has (SP 800-38B)
            raise InvalidParameter(f"a blind index has from 1 to 128 bits, and indexes {', '.join(Part)}")
        self.of = of
        self.bits = bits
        self.part = Part(part)
        self.field_type = catalogue.get(field_type).name
        options.setdefault("db_index", True)
        expression = IndexIn(of, INDEX_AT + 1, self.size)  # until it enters a model and knows whether that is text
        super().__init__(
            expression=expression, output_field=IndexBytes(max_length=self.size), db_persist=True, **options
        )

    @property
    def size(self) -> int:
        """How many bytes an index has."""
        return -(-self.bits // 8)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Describe the field for migrations, without the expression, which follows from it."""
        name, _, _, options = super().deconstruct()
        for implied in ("db_persist", "expression", "output_field"):
            del options[implied]
        options.update(bits=self.bits, field_type=self.field_type, part=self.part.value)
        return name, f"privkit.integrations.django.{BlindIndexField.__name__}", [self.of], options

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Enter a model that has the field that is indexed.

        Raises:
            InvalidParameter: If it has no such encrypted field, which is seen when the model is whole.
        """
        self.set_attributes_from_name(name)  # as a field does that enters, and its form may depend on it
        if not self._take_form(cls) and not cls._meta.abstract:
            class_prepared.connect(
                self._enter_whole, sender=cls, weak=False
            )  # SQLite's migrations put them in any order
        super().contribute_to_class(cls, name, private_only=private_only)

    def _enter_whole(self, sender: type[models.Model], **_: object) -> None:
        class_prepared.disconnect(self._enter_whole, sender=sender)
        if not self._take_form(sender):
            raise InvalidParameter(f"{sender.__name__}.{self.name}: the model has no encrypted field {self.of!r}")

    def _take_form(self, model: type[models.Model]) -> bool:
        """Be bytes or text, as the field is that is indexed; false if the model has none of its name."""
        found = self._indexed_in(model)
        if found is None:
            return False
        padded = self.size + (-self.size % 3 if found.text else 0)
        first, length = (INDEX_AT * 4 // 3 + 1, padded * 4 // 3) if found.text else (INDEX_AT + 1, padded)
        self.of = found.name
        self.expression = IndexIn(self.of, first, length)
        self.output_field = IndexText(max_length=length) if found.text else IndexBytes(max_length=length)
        return True

    def _indexed_in(self, model: type[models.Model]) -> EncryptedField | None:
        """The field that is indexed: by its name, or in a migration that renames it as the one that names the index."""
        encrypted: list[Any] = [field for field in model._meta.local_fields if hasattr(field, "storage_name")]  # noqa: SLF001 - Django's way to ask
        named = (field for field in encrypted if field.name == self.of)
        naming = (field for field in encrypted if field.index == self.name and model.__module__ == IN_MIGRATION)
        return next(named, None) or next(naming, None)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Name the column's type, by which MySQL and MariaDB tell whether they can index it."""
        column: Any = self.output_field
        return str(column.db_type(connection))

    def index_of(self, key: FieldKey) -> BlindIndexOf:
        """What computes the index under a key."""
        return BlindIndexOf(key, catalogue.get(self.field_type), self.bits, self.part)


def index_field(field: EncryptedField) -> BlindIndexField | None:
    """The blind index that an encrypted field names; `None` where it names none, or a migration has yet to add it.

    Raises:
        InvalidParameter: If the model has no blind index of that name and field.
    """
    if field.index is None:
        return None
    found = _named(field)
    if found is None:
        if field.model.__module__ == IN_MIGRATION:
            return None  # a default for rows that are there, which the job gives their index
        raise InvalidParameter(
            f"{field.label}: no blind index {field.index!r}; write {field.index} = BlindIndexField({field.name!r})"
        )
    if field.model._meta.pk.column is None:  # noqa: SLF001 - Django's way to ask
        raise InvalidParameter(f"{field.label}: a blind index gives primary keys of one column, and this has several")
    return found


def index_size(field: EncryptedField) -> int:
    """How many bytes of each ciphertext of a field are an index.

    The most that one has, where the field names one that is not there: so between two operations of a migration.
    """
    if field.index is None:
        return 0
    found = _named(field)
    return LONGEST_INDEX if found is None else found.size


def _named(field: EncryptedField) -> BlindIndexField | None:
    """The blind index of a field by the name that the field says; `None` if there is none of it."""
    named: Mapping[str, Any] = {one.name: one for one in field.model._meta.local_fields}  # noqa: SLF001 - Django's way to ask
    found = named.get(str(field.index))
    return found if isinstance(found, BlindIndexField) and found.of == field.name else None
