"""Bytes to and from PostgreSQL as they are: psycopg's client cursors, which Django takes, write and read them in hex.

Only psycopg 3 can do so. The cursors stand in Django's own wrapper, with its log of queries and its errors.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALIKE: Final = frozenset(
    {
        *("AutoField", "BigAutoField", "SmallAutoField", "BinaryField", "BooleanField", "CharField", "DateField"),
        *("DecimalField", "FloatField", "IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField"),
        *("PositiveBigIntegerField", "PositiveSmallIntegerField", "TextField", "UUIDField"),
    }
)
"""Fields whose columns give the same values in binary; Django has loaders of its own for moments, JSON and addresses,
and they read text."""

ALIKE_COLUMNS: Final = ("bool", "bpchar", "bytea", "date", "float8", "int2", "int4", "int8", "numeric", "text", "uuid")
"""The types of those columns, and `varchar`. A table that Django did not make may have others for the same fields."""


def speaks_binary(connection: Any) -> bool:  # noqa: ANN401 - a database connection, whose driver differs
    """Whether a database and its driver take and give values in binary."""
    if connection.vendor != "postgresql":
        return False
    from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415 only there is its driver

    return bool(is_psycopg3)


def binary_cursor(connection: Any) -> Any:  # noqa: ANN401 - as above
    """A cursor that binds parameters at the server and reads results in binary, where `speaks_binary`."""
    connection.ensure_connection()
    cursor = connection.Database.Cursor(connection.connection)
    cursor.format = connection.Database.pq.Format.BINARY
    return connection._prepare_cursor(cursor)  # noqa: SLF001 - it offers no other way to a cursor of one's own


@contextmanager
def executed(connection: Any, sql: str, params: Sequence[Any], expressions: Sequence[Any]) -> Iterator[Any]:  # noqa: ANN401 - as above
    """A cursor with the result of a SELECT, in binary where its columns are the same so.

    Args:
        connection: The database.
        sql: The statement.
        params: Its parameters.
        expressions: What each of its columns is.
    """
    cursor = None
    if speaks_binary(connection) and ALIKE.issuperset(map(_kind, expressions)):
        cursor = _executed_binary(connection, sql, params)
    if cursor is None:
        cursor = connection.cursor()
        cursor.execute(sql, params)
    with cursor:
        yield cursor


def _kind(expression: Any) -> str:  # noqa: ANN401 - Django's expressions share no type
    """The kind of field that an expression has the values of; a foreign key has those of what it leads to."""
    field = expression.output_field
    while field.is_relation:
        field = field.target_field
    return str(field.get_internal_type())


def _executed_binary(connection: Any, sql: str, params: Sequence[Any]) -> Any | None:  # noqa: ANN401 - as above
    """A cursor with the result; `None` where a column is of another type than its field says."""
    known = connection.Database.adapters.types
    alike = {known[name].oid for name in (*ALIKE_COLUMNS, "varchar")}
    cursor = binary_cursor(connection)
    cursor.execute(connection.ops.compose_sql(sql, params))  # parameters as Django's cursor would write them
    if all(column.type_code in alike for column in cursor.description):
        return cursor
    cursor.close()
    return None
