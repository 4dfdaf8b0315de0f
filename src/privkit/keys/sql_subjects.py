"""The wrapped keys of single persons in a table of any database that SQLAlchemy speaks to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringError
from privkit.keys.sql import engine_of, lost_to_another, make, reported, sqlalchemy_module
from privkit.keys.subject_table import SubjectRow, chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import sqlalchemy
    from sqlalchemy import Connection, Engine

TABLE = "privkit_subjects"
"""The table's name unless another is given."""

_ATTEMPTS = 10

_SECURE_DELETE: dict[Any, str] = {0: "OFF", 2: "FAST"}
"""What else than on SQLite's `secure_delete` may have been, by the number that it gives."""


class SqlSubjects:
    """Keys of persons in a database table. It needs the extra `sqlalchemy`. The table is made when first needed.

    How thoroughly the database overwrites a forgotten key is its own matter: PostgreSQL keeps the old row until VACUUM,
    and every database in its logs and backups until those are gone. SQLite is told to overwrite it (`secure_delete`),
    which reaches neither its logs nor what it left when it moved a row: VACUUM does. See docs/keys.md on forgetting.

    Args:
        database: An `Engine`, or a URL. An engine made from a URL keeps no connection, which is safe over a fork.
        table: The table's name.

    Raises:
        MissingExtra: If SQLAlchemy is not installed.
        KeyringError: If the URL is malformed or its driver is missing.
    """

    __slots__ = ("_made", "_table", "engine")

    def __init__(self, database: Engine | str, *, table: str = TABLE) -> None:
        self.engine = engine_of(database)
        self._made = False
        sql = sqlalchemy_module("SqlSubjects")
        self._table: sqlalchemy.Table = sql.Table(
            table,
            sql.MetaData(),
            # In hex: a primary key of bytes is not to be had in every database.
            sql.Column("subject", sql.String(32), primary_key=True),
            sql.Column("key_id", sql.BigInteger, nullable=False),
            sql.Column("ring_key_id", sql.BigInteger, nullable=False, index=True),
            sql.Column("wrapped", sql.LargeBinary(255)),
            sql.Column("created", sql.BigInteger, nullable=False),
            sql.Column("forgotten", sql.BigInteger),
            sql.Column("reason", sql.Text, nullable=False),
        )

    def get(self, subjects: Sequence[bytes]) -> dict[bytes, SubjectRow]:
        """Rows by person, some hundred a query."""
        if not self._is_made():
            return {}
        with self._open() as connection:
            return self._get(connection, subjects)

    def add(self, rows: Sequence[SubjectRow]) -> None:
        """Insert rows in one transaction, anew where somebody else came first with one of them."""
        sql = sqlalchemy_module("SqlSubjects")
        if not self._is_made():
            with reported(KeyringError, f"cannot make the table of persons' keys {self.describe()}"):
                make(self._table, self.engine)
        rows = sorted(rows)  # in one order whoever inserts, so that no two wait for each other
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(sql.exc.DBAPIError), self._open(lost_to_another) as connection:
                there = self._get(connection, [row.subject for row in rows])
                values = [_values(row) for row in rows if row.subject not in there]
                if values:
                    connection.execute(self._table.insert(), values)
                return
        raise KeyringError(f"other writers came first {_ATTEMPTS} times at {self.describe()}; try again")

    def rewrap(self, rows: Sequence[SubjectRow], old: int) -> None:
        """Update rows in one transaction."""
        table, sql = self._table, sqlalchemy_module("SqlSubjects")
        statement = (
            table.update()
            .where(table.c.subject == sql.bindparam("person"), table.c.ring_key_id == old, table.c.wrapped.is_not(None))
            .values(ring_key_id=sql.bindparam("by"), wrapped=sql.bindparam("key"))
        )
        values = [{"person": row.subject.hex(), "by": row.ring_key_id, "key": row.wrapped} for row in sorted(rows)]
        with self._open() as connection, _overwriting(connection):
            connection.execute(statement, values)

    def forget(self, subjects: Sequence[bytes], when: int, reason: str) -> int:
        """Update rows in one transaction."""
        table, made = self._table, 0
        with self._open() as connection, _overwriting(connection):
            for chunk in chunks(sorted(subjects)):
                some = table.c.subject.in_([subject.hex() for subject in chunk])
                statement = table.update().where(some, table.c.wrapped.is_not(None))
                made += connection.execute(statement.values(wrapped=None, forgotten=when, reason=reason)).rowcount
        return made

    def under(self, ring_key_id: int, limit: int) -> list[SubjectRow]:
        """Some rows by version."""
        table = self._table
        query = table.select().where(table.c.ring_key_id == ring_key_id, table.c.wrapped.is_not(None)).limit(limit)
        if not self._is_made():
            return []
        with self._open() as connection:
            return [_row(row) for row in connection.execute(query)]

    def ring_key_ids(self) -> set[int]:
        """The versions in use."""
        column = self._table.c.ring_key_id
        query = self._table.select().with_only_columns(column).where(self._table.c.wrapped.is_not(None)).distinct()
        if not self._is_made():
            return set()
        with self._open() as connection:
            return set(connection.execute(query).scalars())

    def describe(self) -> str:
        """The database without its password, and the table."""
        return f"{self.engine.url.render_as_string(hide_password=True)} {self._table.name}"

    def _get(self, connection: Connection, subjects: Sequence[bytes]) -> dict[bytes, SubjectRow]:
        found: dict[bytes, SubjectRow] = {}
        for chunk in chunks(subjects):
            query = self._table.select().where(self._table.c.subject.in_([subject.hex() for subject in chunk]))
            rows = map(_row, connection.execute(query))
            found.update((row.subject, row) for row in rows)
        return found

    def _is_made(self) -> bool:
        if not self._made:
            with reported(KeyringError, f"cannot use the table of persons' keys {self.describe()}"):
                self._made = sqlalchemy_module("SqlSubjects").inspect(self.engine).has_table(self._table.name)
        return self._made

    @contextlib.contextmanager
    def _open(self, passed: Callable[[Exception], bool] = lambda _: False) -> Iterator[Connection]:
        """A connection in a transaction; errors that are `passed` come out as they are."""
        message = f"cannot use the table of persons' keys {self.describe()}"
        with reported(KeyringError, message, passed=passed), self.engine.begin() as connection:
            yield connection


@contextlib.contextmanager
def _overwriting(connection: Connection) -> Iterator[None]:
    """Have SQLite overwrite with zeros what is replaced meanwhile; other databases have no such switch."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA main.secure_delete").scalar()
    connection.exec_driver_sql("PRAGMA main.secure_delete = ON")
    try:
        yield
    finally:  # the connection may be the application's, whose other tables (and attached files) need not pay for it
        connection.exec_driver_sql(f"PRAGMA main.secure_delete = {_SECURE_DELETE.get(before, 'ON')}")


def _values(row: SubjectRow) -> dict[str, Any]:
    return {
        "subject": row.subject.hex(),
        "key_id": row.key_id,
        "ring_key_id": row.ring_key_id,
        "wrapped": row.wrapped,
        "created": row.created,
        "forgotten": row.forgotten,
        "reason": row.reason,
    }


def _row(row: Any) -> SubjectRow:  # noqa: ANN401 - SQLAlchemy names its columns at run time
    wrapped = None if row.wrapped is None else bytes(row.wrapped)
    return SubjectRow(
        bytes.fromhex(row.subject), row.key_id, row.ring_key_id, wrapped, row.created, row.forgotten, row.reason
    )
