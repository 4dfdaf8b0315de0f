"""A keyring in a table of any database that SQLAlchemy speaks to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringError, KeyringUnreadable, MissingExtra
from privkit.keys.document import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy
    from sqlalchemy import Connection, Engine

TABLE = "privkit_keyrings"
"""The table's name unless another is given."""

_UNDONE_STATES = ("40001", "40P01")  # serialization failure and deadlock, as PostgreSQL says them
_UNDONE_NUMBERS = ((1205,), (1213,))  # lock wait timeout and deadlock, as MySQL and MariaDB say them

MAX_ATTEMPTS = 100
"""How often a change is made anew because another writer came first."""


class SqlStore:
    """A keyring in one row of a database table. It needs the extra `sqlalchemy`.

    The row is replaced by an update that names the revision it has read, so two processes that rotate at once both
    succeed, one after the other, on any database and isolation level. The table is made with the first keyring.

    Args:
        database: An `Engine`, or a URL. An engine made from a URL keeps no connection, which is safe over a fork.
        name: Which row: one table holds many keyrings.
        table: The table's name.

    Raises:
        MissingExtra: If SQLAlchemy is not installed.
        KeyringError: If the URL is malformed or its driver is missing.

    Example:
        >>> from privkit.keys import Keyring, LocalKey, SqlStore
        >>> store = SqlStore(f"sqlite:///{directory}/shop.db", name="customers")
        >>> Keyring.create(store, wrapper=LocalKey(directory / "shop.kek")).rotate() in Keyring.open(
        ...     store, wrapper=LocalKey(directory / "shop.kek")
        ... ).version_ids
        True
    """

    __slots__ = ("_name", "_table", "engine")

    def __init__(self, database: Engine | str, *, name: str = "default", table: str = TABLE) -> None:
        self.engine = engine_of(database)
        self._name = name
        sql = sqlalchemy_module("SqlStore")
        self._table: sqlalchemy.Table = sql.Table(
            table,
            sql.MetaData(),
            sql.Column("name", sql.String(200), primary_key=True),
            sql.Column("revision", sql.Integer, nullable=False),
            sql.Column("document", sql.LargeBinary(MAX_BYTES - 1), nullable=False),
        )

    def read(self) -> bytes:
        """The row's document."""
        return self._row()[1]

    def create(self, first: Callable[[], bytes]) -> None:
        """Insert the row, making the table where there is none."""
        taken = KeyringError(f"{self.describe()} holds a keyring already; open it, or choose another name")
        with self._reported(KeyringError, "write"):
            make(self._table, self.engine)
            with self.engine.connect() as connection:
                if self._select(connection) is not None:
                    raise taken
        document = first()  # which may ask a KMS: no transaction waits for that
        with self._reported(KeyringError, "write"):
            try:
                with self.engine.begin() as connection:
                    connection.execute(self._table.insert().values(name=self._name, revision=1, document=document))
            except sqlalchemy_module("SqlStore").exc.IntegrityError:
                raise taken from None

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        """Replace the row's document, if nobody else has meanwhile; otherwise begin anew."""
        for _ in range(MAX_ATTEMPTS):
            revision, stored = self._row()
            document = change(stored)
            replacing = (
                self._table.update()
                .where(self._table.c.name == self._name, self._table.c.revision == revision)
                .values(revision=revision + 1, document=document)
            )
            with self._reported(KeyringError, "write"), self.engine.begin() as connection:
                if connection.execute(replacing).rowcount == 1:
                    return document
        raise KeyringError(f"other writers came first {MAX_ATTEMPTS} times at {self.describe()}; try again")

    def stamp(self) -> object:
        """The row's revision; one small query."""
        query = self._table.select().with_only_columns(self._table.c.revision).where(self._table.c.name == self._name)
        with self._reported(KeyringUnreadable, "read"), self.engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def describe(self) -> str:
        """The database without its password, the table and the row."""
        return f"{self.engine.url.render_as_string(hide_password=True)} {self._table.name}[{self._name!r}]"

    def _row(self) -> tuple[int, bytes]:
        with self._reported(KeyringUnreadable, "read"):
            has_table = sqlalchemy_module("SqlStore").inspect(self.engine).has_table(self._table.name)
            with self.engine.connect() as connection:
                row = self._select(connection) if has_table else None
        if row is None:
            raise KeyringUnreadable(f"no keyring in {self.describe()}; create one with Keyring.create")
        return int(row.revision), bytes(row.document)

    def _select(self, connection: Connection) -> Any:  # noqa: ANN401 - a row, or None
        return connection.execute(self._table.select().where(self._table.c.name == self._name)).one_or_none()

    @contextlib.contextmanager
    def _reported(self, error: type[KeyringError], doing: str) -> Iterator[None]:
        with reported(error, f"cannot {doing} keyring {self.describe()}"):
            yield


def sqlalchemy_module(what: str) -> Any:  # noqa: ANN401 - the module
    """SQLAlchemy, or `MissingExtra` naming what needs it."""
    try:
        import sqlalchemy as sql  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra(what, extra="sqlalchemy") from None
    return sql


def engine_of(database: Engine | str) -> Engine:
    """An engine, from a URL if need be.

    Raises:
        KeyringError: If the URL is malformed or its driver is missing.
    """
    sql = sqlalchemy_module("a keyring's database")
    if not isinstance(database, str):
        return database
    try:
        engine: Engine = sql.create_engine(database, poolclass=sql.pool.NullPool)
    except (sql.exc.SQLAlchemyError, ImportError) as error:
        raise KeyringError(
            f"not a database URL that can be used ({type(error).__name__}); correct it, or install its driver"
        ) from None
    return engine


def make(table: sqlalchemy.Table, engine: Engine) -> None:
    """Make a table where there is none, whoever else is just making it."""
    sql = sqlalchemy_module("a keyring's database")
    try:
        table.create(engine, checkfirst=True)
    except sql.exc.SQLAlchemyError:
        if not sql.inspect(engine).has_table(table.name):
            raise


def lost_to_another(failure: Exception) -> bool:
    """Whether a transaction failed for another's sake, so that it may succeed when it is made anew."""
    if isinstance(failure, sqlalchemy_module("a keyring's database").exc.IntegrityError):
        return True
    cause = getattr(failure, "orig", None)
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state in _UNDONE_STATES or getattr(cause, "args", ())[:1] in _UNDONE_NUMBERS


@contextlib.contextmanager
def reported(
    error: type[KeyringError], message: str, *, passed: Callable[[Exception], bool] = lambda _: False
) -> Iterator[None]:
    """Turn whatever the database refuses into one line, without its words: they may quote parameters and passwords."""
    try:
        yield
    except sqlalchemy_module("a keyring's database").exc.SQLAlchemyError as failure:
        if passed(failure):
            raise
        cause = getattr(failure, "orig", None) or failure
        raise error(f"{message} ({type(cause).__name__}); check the database and its rights") from None
