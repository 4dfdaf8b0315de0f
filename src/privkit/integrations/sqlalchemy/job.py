"""The re-encryption job on a table that SQLAlchemy knows."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from privkit.errors import InvalidParameter
from privkit.integrations import reencryption
from privkit.integrations.sqlalchemy.binding import keys_of, name_row
from privkit.integrations.sqlalchemy.encrypted import Encrypted
from privkit.integrations.sqlalchemy.writing import SEALED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Dialect

    from privkit.integrations.reencryption import Change, Position, Progress
    from privkit.transforms.form import Row


class ColumnRows:
    """One encrypted column of a table, as the job reads and writes it: in Core, so that no ORM event fires.

    Args:
        database: An engine, or a connection, which is then committed after each batch.
        column: The column of a table, or the attribute of a mapped class.

    Raises:
        InvalidParameter: If the column is not encrypted, or the table has no primary key to go by.
    """

    def __init__(self, database: sa.Engine | sa.Connection, column: Any) -> None:  # noqa: ANN401 - see above
        own = column.__clause_element__() if hasattr(column, "__clause_element__") else column
        table = getattr(own, "table", None)
        if not isinstance(table, sa.Table) or not isinstance(own.type, Encrypted):
            raise InvalidParameter("not an encrypted column of a table; pass the column, or the mapped attribute")
        self.encrypted = own.type
        self._column: sa.Column[Any] = table.c[own.key]
        self._table = table
        self._keys = list(table.primary_key.columns)
        if not self._keys or any(isinstance(key.type, Encrypted) for key in self._keys):
            raise InvalidParameter(f"table {table.name!r} has no plain primary key to go by; add one")
        self._database = database

    def read(self, after: Position | None, limit: int) -> Sequence[tuple[Position, Any]]:
        """The next rows after a position that are not null."""
        raw = sa.type_coerce(self._column, self.encrypted.raw_type)
        query = sa.select(*self._keys, raw).where(raw.is_not(None)).order_by(*self._keys).limit(limit)
        if after is not None:
            position = [sa.literal(value, key.type) for key, value in zip(self._keys, after, strict=True)]
            many = len(self._keys) > 1
            query = query.where(sa.tuple_(*self._keys) > sa.tuple_(*position) if many else self._keys[0] > position[0])
        with self._transaction() as connection:
            return [(tuple(row[:-1]), row[-1]) for row in connection.execute(query)]

    def replace(self, changes: Sequence[Change]) -> int:
        """Replace stored values where the old one still stands, and commit."""
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                _send_binary(connection)
                return int(connection.execute(self._from_arrays(changes)).rowcount)
            names = [f"key_{number}" for number in range(len(self._keys))]
            rows = [
                {**dict(zip(names, position, strict=True)), "old": old, "new": new} for position, old, new in changes
            ]
            return int(connection.execute(self._one_by_one(names), rows).rowcount)

    def _one_by_one(self, names: list[str]) -> sa.Update:
        stored = self.encrypted.stored_type()
        at = [key == sa.bindparam(name, type_=key.type) for key, name in zip(self._keys, names, strict=True)]
        unchanged = sa.type_coerce(self._column, stored) == sa.bindparam("old", type_=stored)
        fresh = sa.type_coerce(sa.bindparam("new", type_=stored), stored)
        return (
            sa.update(self._table)
            .where(*at, unchanged)
            .values({self._column: fresh})
            .execution_options(**{SEALED: True})
        )

    def _from_arrays(self, changes: Sequence[Change]) -> sa.Update:
        """One statement for a whole batch: three arrays, and not a parameter for every value."""
        stored = sa.String() if self.encrypted.text else _Bytes()  # no length: a cast to one would cut values
        kinds = [*(key.type for key in self._keys), stored, stored]
        columns = zip(*((*position, old, new) for position, old, new in changes), strict=True)
        arrays = [sa.literal(list(values), _Array(kind)) for values, kind in zip(columns, kinds, strict=True)]
        names = [*(f"key_{number}" for number in range(len(self._keys))), "old", "new"]
        given = sa.func.unnest(*arrays).table_valued(*map(sa.column, names, kinds), name="given").render_derived()
        at = [key == given.c[name] for key, name in zip(self._keys, names[:-2], strict=True)]
        unchanged = sa.type_coerce(self._column, stored) == given.c.old
        return (
            sa.update(self._table)
            .where(*at, unchanged)
            .values({self._column: given.c.new})
            .execution_options(**{SEALED: True})
        )

    @property
    def name(self) -> str:
        """The table and the column."""
        return f"{self._table.name}.{self._column.name}"

    def count(self) -> int:
        """How many values there are."""
        raw = sa.type_coerce(self._column, self.encrypted.raw_type)
        with self._transaction() as connection:
            return int(connection.scalar(sa.select(sa.func.count(raw))) or 0)

    def position(self, written: str) -> Position:
        """The position that a text names: the primary key, its parts between commas where it has several.

        Raises:
            InvalidParameter: If it is none.
        """
        parts = written.split(",", len(self._keys) - 1)
        if len(parts) != len(self._keys):
            raise InvalidParameter(f"a primary key of {len(parts)} parts (it has {len(self._keys)})")
        return tuple(self._parsed(key, part) for key, part in zip(self._keys, parts, strict=True))

    @staticmethod
    def _parsed(key: sa.Column[Any], part: str) -> Any:  # noqa: ANN401 - a value of the key
        try:
            return key.type.python_type(part)
        except (ValueError, TypeError, NotImplementedError):
            raise InvalidParameter(
                f"not a primary key of {key.table.name!r}, whose {key.name!r} is {key.type}"
            ) from None

    @property
    def row_of(self) -> Callable[[Position], Row] | None:
        """What names the row of a position, where the column is bound to its rows."""
        if self.encrypted.row is None:
            return None
        return partial(name_row, keys_of(self._column))

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        if isinstance(self._database, sa.Engine):
            with self._database.begin() as connection:
                yield connection
            return
        yield self._database
        self._database.commit()


class _Bytes(sa.LargeBinary):
    """Bytes as they are, which all drivers of PostgreSQL take, and not each in an object of the driver's."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Do nothing to each."""


class _BinaryList(list[Any]):
    """A list that psycopg 3 sends in the database's binary form: to write it as text takes longer than the cipher."""


class _Array(sa.types.TypeDecorator[Any]):
    """An array of PostgreSQL."""

    impl = postgresql.ARRAY
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Process the values as the array would, and say how they are sent."""
        inner = super().bind_processor(dialect)
        return lambda values: _BinaryList(values if inner is None else inner(values))


def _send_binary(connection: sa.Connection) -> None:
    """Tell psycopg 3 what a list of ours is; to other drivers it is a list."""
    if connection.dialect.driver in ("psycopg", "psycopg_async"):
        from psycopg.types.array import ListBinaryDumper  # noqa: PLC0415 - only there is it the driver

        driver: Any = connection.connection.driver_connection
        driver.adapters.register_dumper(_BinaryList, ListBinaryDumper)


def reencrypt(
    database: sa.Engine | sa.Connection,
    column: Any,  # noqa: ANN401 - a column or a mapped attribute
    *,
    batch: int = 2_000,
    after: Position | None = None,
    dry_run: bool = False,
    pause: float = 0.0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Bring an encrypted column into the form that its mode writes now, under the key version that writes now.

    It encrypts a column that is adopted, re-keys one after a rotation, and decrypts one in `plaintext_ok`. While it
    runs the application may write: a value that somebody else has written meanwhile is left to them. If it is killed,
    start it again, from the last `position` or from the beginning; what is done is not done twice.

    Args:
        database: An engine, or a connection, which is then committed after each batch. Under asyncio, call it with
            `await connection.run_sync(reencrypt, User.email)`.
        column: The column of a table, or the attribute of a mapped class.
        batch: How many rows are read, converted and committed at a time.
        after: The primary key to resume after.
        dry_run: Whether to convert and count without writing.
        pause: Seconds to wait after each batch that changed something.
        on_progress: Called after each batch.

    Returns:
        What was done.

    Raises:
        DecryptionFailed: If stored values do not open; earlier batches stay done.
        InvalidParameter: If the column is not encrypted, or the table has no primary key.
    """
    rows = ColumnRows(database, column)
    return reencryption.reencrypt(
        rows,
        rows.encrypted.stored,
        batch=batch,
        after=after,
        dry_run=dry_run,
        pause=pause,
        on_progress=on_progress,
        row_of=rows.row_of,
    )
