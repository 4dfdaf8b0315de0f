"""The rows of an encrypted column as the re-encryption job reads and replaces them: as they are stored, not as values.

It speaks SQL of its own and not through models, so that nothing decrypts on the way, no signal is sent, no manager
hides rows and no `auto_now` moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, models, transaction

from privkit.errors import InvalidParameter
from privkit.integrations.django.binary import binary_cursor, speaks_binary
from privkit.integrations.django.binding import row_of_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit.integrations.django.fields import EncryptedField
    from privkit.integrations.reencryption import Change, Position
    from privkit.transforms.form import Row


class ColumnRows:
    """One encrypted column of one table.

    Args:
        field: The column's field.
        using: The alias of the database.

    Raises:
        InvalidParameter: If the table's primary key is of several columns or encrypted itself.
    """

    def __init__(self, field: EncryptedField, using: str) -> None:
        meta = field.model._meta  # noqa: SLF001 - Django's way to ask
        self.pk: models.Field[Any, Any] = meta.pk
        if self.pk.column is None or hasattr(self.pk, "storage_name"):
            raise InvalidParameter(f"{meta.label}: the job goes by a primary key of one column that is not encrypted")
        self.field = field
        self.connection: Any = connections[using]  # whose driver differs by database
        self.using = using
        name = self.connection.ops.quote_name
        self.table, self.key, self.column = name(meta.db_table), name(self.pk.column), name(str(field.column))
        self._types = (self.pk.rel_db_type(self.connection), field.db_type(self.connection))

    def position(self, text: str) -> Position:
        """The position that a primary key names, which somebody has typed."""
        return (self.pk.get_db_prep_value(self.pk.to_python(text), self.connection),)

    @property
    def row_of(self) -> Callable[[Position], Row] | None:
        """What names the row of a position; `None` where the field is not bound to its rows."""
        return None if self.field.row is None else lambda position: row_of_key(self.field, position[0])

    def read(self, after: Position | None, limit: int) -> Sequence[tuple[Position, Any]]:
        """The next rows after a position, with what is stored; nulls are left out."""
        behind = "" if after is None else f" AND {self.key} > %s"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self.key}, {self.column} FROM {self.table} "  # noqa: S608 - quoted names
                f"WHERE {self.column} IS NOT NULL{behind} ORDER BY {self.key} LIMIT {int(limit)}",
                after or (),
            )
            return [((key,), _bytes(stored)) for key, stored in cursor.fetchall()]

    def replace(self, changes: Sequence[Change]) -> int:
        """Replace stored values where the old one still stands, and say how many were."""
        rows = [(after, position[0], before) for position, before, after in changes]
        with transaction.atomic(using=self.using):
            if self.connection.vendor == "postgresql":
                return self._replace_at_once(rows)
            with self.connection.cursor() as cursor:
                cursor.executemany(
                    f"UPDATE {self.table} SET {self.column} = %s WHERE {self.key} = %s AND {self.column} = %s",  # noqa: S608 - quoted names
                    rows,
                )
                return int(cursor.rowcount)

    def _replace_at_once(self, rows: Sequence[tuple[Any, Any, Any]]) -> int:
        """One statement for all: PostgreSQL takes arrays, and a statement for each row takes several times as long.

        Through psycopg 3 they go in its binary form.
        """
        binary = speaks_binary(self.connection)
        mark = "%b" if binary else "%s"
        key, column = self._types
        after, keys, before = (list(part) for part in zip(*rows, strict=True))
        with binary_cursor(self.connection) if binary else self.connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} SET {self.column} = fresh.after "  # noqa: S608 - quoted names
                f"FROM unnest({mark}::{column}[], {mark}::{key}[], {mark}::{column}[]) "
                "AS fresh(after, row_key, before) "
                f"WHERE {self.table}.{self.key} = fresh.row_key AND {self.table}.{self.column} = fresh.before",
                [after, keys, before],
            )
            return int(cursor.rowcount)


def _bytes(stored: Any) -> Any:  # noqa: ANN401 - whatever stands there
    return bytes(stored) if isinstance(stored, memoryview | bytearray) else stored
