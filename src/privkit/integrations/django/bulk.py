"""Read many rows at once: whole columns are decrypted together, several times as fast as value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, models
from django.db.models import ExpressionWrapper, F

from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.django.paths import encrypted_in_path
from privkit.integrations.django.plain import is_plain_text, value_of

if TYPE_CHECKING:
    from privkit.integrations.django.fields import EncryptedField


def reveal_rows(queryset: models.QuerySet[Any], *names: str) -> list[tuple[Any, ...]]:
    """What `queryset.values_list(*names)` gives, with encrypted columns decrypted as columns.

    Args:
        queryset: The rows. Slice it, or go by primary keys, where they are more than fit into memory.
        *names: Fields, also of related models: `"phone"`, `"owner__email"`.

    Returns:
        A tuple for each row, in the order of the query.

    Raises:
        DecryptionFailed: If values do not open; the error names the column and the rows.
        RevealRefused: If a column has views and the present one does not give it.
    """
    if not names:
        raise InvalidParameter("no field was named; say which columns are to be read")
    sealed = {name: field for name in names if (field := encrypted_in_path(queryset.model, name)) is not None}
    stored = {
        f"privkit_stored_{place}": ExpressionWrapper(F(name), _as_stored(sealed[name]))
        for place, name in enumerate(names)
        if name in sealed
    }
    asked = [f"privkit_stored_{place}" if name in sealed else name for place, name in enumerate(names)]
    columns = list(zip(*queryset.annotate(**stored).values_list(*asked), strict=True))
    read = [
        _opened(sealed[name], column, queryset.db) if name in sealed else column
        for name, column in zip(names, columns, strict=False)
    ]
    return list(zip(*read, strict=True))


def _as_stored(field: EncryptedField) -> models.Field[Any, Any]:
    """A field that hands the column's ciphertexts on as they are."""
    return models.TextField() if field.text else models.BinaryField()


def _opened(field: EncryptedField, column: tuple[Any, ...], using: str) -> list[Any]:
    try:
        plain = field.stored.read_many([bytes(one) if isinstance(one, memoryview) else one for one in column])
    except DecryptionFailed as failure:
        raise failure.located(field.label) from None
    if not is_plain_text(field.base_field):
        connection = connections[using]
        plain = [None if one is None else value_of(field.base_field, one, connection) for one in plain]
    return field.shown(plain)
