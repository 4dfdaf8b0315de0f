"""Lookups on a randomised column with a blind index.

The index only says which rows may hold a value, so a lookup takes two steps: when its SQL is made, the candidates are
read by the index and decrypted, and what goes into the query are the primary keys of those that hold the value. The
result is exact, in every query that Django can write. A row that changes between the two steps is seen as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In, Lookup

from privkit.errors import DecryptionFailed
from privkit.integrations.django.binding import row_of_key
from privkit.integrations.django.refusals import NotSearchable

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.integrations.django.fields import EncryptedField
    from privkit.transforms import BlindIndexOf


class _ByIndex(Lookup):
    """Finds rows by the index, and keeps those that hold one of the values."""

    knows_ciphertexts = True

    def get_prep_lookup(self) -> Any:  # noqa: ANN401 - a value or list
        self._check()
        return super().get_prep_lookup()

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # noqa: ANN401 - Django's own
        """Ask for the primary keys of the rows that hold a value."""
        self._check()
        field = self.lhs.target
        found = rows_holding(field, self.wanted_values(), connection, self.holds)
        if not found:
            raise EmptyResultSet
        key, params = compiler.compile(Col(self.lhs.alias, field.model._meta.pk))  # noqa: SLF001 - Django's way to ask
        return f"{key} IN ({', '.join(['%s'] * len(found))})", [*params, *found]

    def wanted_values(self) -> list[Any]:
        """The values that are looked for."""
        return [self.rhs]

    def holds(self, index: BlindIndexOf, stored: Any, wanted: Any) -> bool:  # noqa: ANN401 - values of the field
        """Whether a stored value is the one that is looked for."""
        return index.matches(stored, wanted)

    def _check(self) -> None:
        parts = self.rhs if isinstance(self.rhs, list | tuple | set | frozenset) else [self.rhs]
        if not isinstance(self.lhs, Col) or any(hasattr(part, "resolve_expression") for part in parts):
            raise NotSearchable(
                f"{getattr(self.lhs.output_field, 'label', self.lookup_name)}: a blind index is looked up by values, "
                "and not by what the database computes; give the value, or make the field deterministic"
            )


class IndexedExact(_ByIndex, Exact):
    """Rows that hold a value."""


class IndexedIn(_ByIndex, In):
    """Rows that hold any of several values."""

    def wanted_values(self) -> list[Any]:
        """The values that are looked for; null is equal to none."""
        return [value for value in self.rhs if value is not None]


class IndexedPart(_ByIndex, Exact):
    """Rows whose values have a part in common with what is looked for."""

    def holds(self, index: BlindIndexOf, stored: Any, wanted: Any) -> bool:  # noqa: ANN401 - values of the field
        """Whether the indexed parts are the same."""
        return index.wanted(stored) == index.wanted(wanted)


def rows_holding(
    field: EncryptedField,
    values: list[Any],
    connection: Any,  # noqa: ANN401 - a database connection
    holds: Callable[[BlindIndexOf, Any, Any], bool],
) -> list[Any]:
    """The primary keys of the rows that hold one of some values.

    Raises:
        DecryptionFailed: If a candidate does not open.
    """
    stored, index = field.stored, field.stored.encrypt.index
    if not values or index is None:
        return []
    rows = _candidates(field, values, connection)
    try:
        names = None if field.row is None else [row_of_key(field, key) for key, _ in rows]
        opened = stored.read_many([sealed for _, sealed in rows], names)
    except DecryptionFailed as failure:
        raise failure.located(field.label) from None
    return [
        key for (key, _), value in zip(rows, opened, strict=True) if any(holds(index, value, one) for one in values)
    ]


def _candidates(field: EncryptedField, values: list[Any], connection: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - as above
    """Primary key and stored value of the rows that may hold one of some values: by the index, or in clear."""
    stored = field.stored
    indexes = [index for value in values for index in stored.encrypt.index_candidates(value)]
    plain = [text for value in values for text in stored.plain_candidates(value)]
    meta = field.model._meta  # noqa: SLF001 - Django's way to ask
    name = connection.ops.quote_name
    companion = str(meta.get_field(str(field.index)).column)  # type: ignore[union-attr] # it is no reverse relation
    where = f"{name(companion)} IN ({', '.join(['%s'] * len(indexes))})"
    if plain:
        where += f" OR {name(field.column)} IN ({', '.join(['%s'] * len(plain))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {name(meta.pk.column)}, {name(field.column)} FROM {name(meta.db_table)} WHERE {where}",  # noqa: S608 - quoted names
            [*indexes, *plain],
        )
        return [(key, bytes(value) if isinstance(value, memoryview) else value) for key, value in cursor.fetchall()]
