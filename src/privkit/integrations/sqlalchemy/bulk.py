"""Reading many rows at once: encrypted columns are fetched as they are stored, and each is decrypted as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData

from privkit.integrations.sqlalchemy.encrypted import Encrypted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session


def reveal_rows(
    database: sa.Connection | Session,
    statement: sa.Select[Any],
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> sa.Result[Any]:
    """Execute a query and decrypt its encrypted columns, each of them all at once.

    The same rows as `database.execute(statement)` has for a query of columns, in about half the time. All of them
    are read before the first is given: for more than fits in memory, ask for them in parts.

    Args:
        database: A connection or session. Under asyncio, `await connection.run_sync(reveal_rows, statement)`.
        statement: A query; an entity in it gives its columns, and no objects.
        parameters: The statement's parameters.

    Raises:
        DecryptionFailed: If stored values do not open; the error names the field as its column, and the rows.

    Example:
        >>> import sqlalchemy as sa
        >>> from privkit.integrations.sqlalchemy import Encrypted, reveal_rows
        >>> keys = Keyring.create(directory / "keyring.json")
        >>> note = sa.Table("note", sa.MetaData(), sa.Column("text", Encrypted(sa.Text, keys["note.text"])))
        >>> with sa.create_engine("sqlite://").begin() as connection:
        ...     note.create(connection)
        ...     _ = connection.execute(note.insert(), [{"text": "a"}, {"text": None}])
        ...     reveal_rows(connection, sa.select(note)).scalars().all()
        ['a', None]
    """
    columns = list(statement.selected_columns)
    encrypted = [column.type if isinstance(column.type, Encrypted) else None for column in columns]
    raw = [
        # Of no type, so that nothing runs for each value.
        column if kind is None else sa.type_coerce(column, sa.types.NullType()).label(column.key)
        for column, kind in zip(columns, encrypted, strict=True)
    ]
    fetched = database.execute(statement.with_only_columns(*raw, maintain_column_froms=True), parameters)
    names = list(fetched.keys())
    rows = fetched.all()
    if not rows:
        return IteratorResult(SimpleResultMetaData(names), iter(()))
    parts: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, kind in enumerate(encrypted):
        if kind is not None:
            parts[place] = kind.read_many(_plain_bytes(parts[place]))
    return IteratorResult(SimpleResultMetaData(names), iter(zip(*parts, strict=True)))


def _plain_bytes(values: Sequence[Any]) -> list[Any]:
    """What is stored, as `bytes` where the driver has a type of its own for that."""
    if not any(issubclass(kind, bytearray | memoryview) for kind in set(map(type, values))):
        return list(values)
    return [bytes(value) if isinstance(value, bytearray | memoryview) else value for value in values]
