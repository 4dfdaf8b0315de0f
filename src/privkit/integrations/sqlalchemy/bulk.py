"""Reading many rows at once: encrypted columns are fetched as they are stored, and each is decrypted as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from privkit.integrations.sqlalchemy.encrypted import Encrypted
from privkit.integrations.sqlalchemy.fetching import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session


def reveal_rows(
    database: sa.Connection | Session,
    statement: sa.Select[Any],
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> sa.Result[Any]:
    """Execute a query and decrypt its encrypted columns, each of them all at once.

    The same rows as `database.execute(statement)` has for a query of columns, with less around each value; those of
    columns with views are shown, and told to the hooks, all at once. Rows are decrypted when they are fetched: `all()`
    takes all of them together, `partitions(10_000)` as many at a time.

    Args:
        database: A connection or session. Under asyncio, `await connection.run_sync(reveal_rows, statement)`.
        statement: A query; an entity in it gives its columns, and no objects.
        parameters: The statement's parameters.

    Raises:
        DecryptionFailed: On fetching, if stored values do not open; the error names the field as its column, and the
            rows as the result counts them.

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
    raw = list(columns)
    openers = {}
    for place, column in enumerate(columns):
        kind = column.type
        if isinstance(kind, Encrypted) and kind.row is None:  # of what is bound, the result must know the column
            raw[place] = sa.type_coerce(column, sa.types.NullType()).label(column.key)  # nothing runs for each value
            openers[place] = kind.opener()
    query = statement.with_only_columns(*raw, maintain_column_froms=True)
    return database.execute(query, parameters, execution_options={WHOLE: openers})
