"""Read many rows at once: whole columns are decrypted together, several times as fast as value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, models
from django.db.models import ExpressionWrapper, F
from django.db.models.constants import LOOKUP_SEP

from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.django.binding import row_of_key
from privkit.integrations.django.paths import encrypted_in_path
from privkit.integrations.django.plain import is_plain_text, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.integrations.django.fields import EncryptedField

NO_ROW = "-"
"""Stands for a row that an outer join did not find, whose columns are null."""


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
    found = ((place, encrypted_in_path(queryset.model, name)) for place, name in enumerate(names))
    sealed = {place: field for place, field in found if field is not None}
    stored = {f"privkit_stored_{place}": (names[place], field) for place, field in sealed.items()}
    asked = [f"privkit_stored_{place}" if place in sealed else name for place, name in enumerate(names)]
    keys = {place: _key_beside(names[place]) for place, field in sealed.items() if field.row is not None}
    asked += dict.fromkeys(path for path in keys.values() if path not in asked)
    query = queryset.annotate(
        **{alias: ExpressionWrapper(F(name), _as_stored(of)) for alias, (name, of) in stored.items()}
    )
    columns: list[Sequence[Any]] = list(zip(*query.values_list(*asked), strict=True))
    for place, field in sealed.items() if columns else ():
        beside = columns[asked.index(keys[place])] if place in keys else None
        columns[place] = _opened(field, columns[place], beside, queryset.db)
    return list(zip(*columns[: len(names)], strict=True))


def _key_beside(path: str) -> str:
    """The path to the primary key of the row that a path leads into."""
    owner, _, _ = path.rpartition(LOOKUP_SEP)
    return f"{owner}{LOOKUP_SEP}pk" if owner else "pk"


def _as_stored(field: EncryptedField) -> models.Field[Any, Any]:
    """A field that hands the column's ciphertexts on as they are."""
    return models.TextField() if field.text else models.BinaryField()


def _opened(field: EncryptedField, column: Sequence[Any], keys: Sequence[Any] | None, using: str) -> list[Any]:
    """The values of a column; `keys` are those of its rows, where it is bound to them."""
    if memoryview in set(map(type, column)):  # of psycopg2
        column = [bytes(one) if isinstance(one, memoryview) else one for one in column]
    rows = None if keys is None else [NO_ROW if key is None else row_of_key(field, key) for key in keys]
    try:
        plain = field.stored.read_many(column, rows)
    except DecryptionFailed as failure:
        raise failure.located(field.label) from None
    if not is_plain_text(field.base_field):
        connection = connections[using]
        plain = [None if one is None else value_of(field.base_field, one, connection) for one in plain]
    return field.shown(plain)
