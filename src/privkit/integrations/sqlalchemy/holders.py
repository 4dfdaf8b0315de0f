"""The rows that hold what is looked for by an index: their candidates are read, and checked, before a statement runs.

The statement proper then names these rows by their primary keys, and demands that they are candidates still. A row that
is written anew in between, by the job or by somebody who writes the same value, is the same row, and its new ciphertext
has an index of the value: it is neither missed nor, where the statement asks for the others, hit. A row that got
another value in between is no candidate any more.

That is as exact as the index is long. So where the rows are to be changed they are locked first, and read as they then
stand: what is changed is what holds the value, whatever collides.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.sqltypes import TupleType

from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.binding import keys_of, name_row
from privkit.integrations.sqlalchemy.refusals import NotSearchable, unwrapped
from privkit.integrations.sqlalchemy.writing import SEALED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy.types import TypeEngine

    from privkit.integrations.sqlalchemy.candidates import Search

_WANTED: Final = "privkit_wanted"
_PLAIN: Final = "privkit_plain"
_NAMED: Final = "privkit_named"
_SCHEMAS: Final = "schema_translate_map"

_LOCKS_WHAT_IT_READS: Final = ("mysql", "mariadb")
"""There a statement locks all that it goes through, so that candidates are locked as they are read."""
_LOCKS_THE_WHOLE: Final = ("sqlite",)
"""There whoever is about to write is alone in the database, from the first statement on that could write."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a statement is executed, while its parameters are asked for."""

    connection: weakref.ref[sa.Connection]
    statement: weakref.ref[Any]
    schemas: Any


@dataclass(frozen=True, slots=True)
class _Queries:
    """The statements about one column's candidates, made once: most of a short query's time goes into making it."""

    source: sa.Column[Any]
    width: int
    candidates: sa.Select[Any]
    named: sa.Select[Any]
    alone: sa.Delete


_place: ContextVar[_Place | None] = ContextVar("privkit_place", default=None)


def names_of(source: sa.Column[Any], column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """What the rows of a table, or of an alias of it, are named by: the primary key, as it is stored.

    Args:
        source: The table's own column that is looked up. Where there is no primary key, it is what it stores.
        column: The same column of the table, or of the alias.
    """
    table: Any = getattr(column, "table", None)
    keys = [table.c[key.key] for key in source.table.primary_key]
    return [_as_stored(key) for key in keys or [column]]


def type_of_names(names: list[ColumnElement[Any]]) -> TypeEngine[Any]:
    """The type of a row's name: the key's, or where it has several columns that of their values together."""
    return names[0].type if len(names) == 1 else TupleType(*(name.type for name in names))


def _as_stored(column: Any) -> Any:  # noqa: ANN401 - a column
    kind = column.type
    return sa.type_coerce(column, kind.stored_type()) if hasattr(kind, "stored_type") else column


def holders(search: Search) -> list[Any]:
    """The names of the rows that hold what is searched for, read where the statement is executed.

    Raises:
        NotSearchable: If it is not executed on a connection, or rows have no names and may be replaced meanwhile.
        DecryptionFailed: If a candidate does not open.
    """
    place = _place.get()
    connection = None if place is None else place.connection()
    with unwrapped():
        if place is None or connection is None:
            raise NotSearchable(
                f"the column of {search.encrypted.field_key.name!r} is compared where no candidates can be read; "
                "execute the statement on a connection, and not as a string"
            )
        found = _Reading(search, connection, place).held()
        _place.set(place)  # the statement proper is still to come
        return found


class _Reading:
    """The reading of the candidates of one search for one statement."""

    def __init__(self, search: Search, connection: sa.Connection, place: _Place) -> None:
        self._search = search
        self._connection = connection
        self._options = {_SCHEMAS: place.schemas} if place.schemas else {}
        self._queries = _queries_of(search)
        changes = _changes(place.statement(), search.source.table)
        self._locks = connection.dialect.name if changes else None

    def held(self) -> list[Any]:
        """The names of the rows that hold what is searched for."""
        if self._locks in _LOCKS_THE_WHOLE:
            self._execute(self._queries.alone)
        query = self._queries.candidates
        search = self._search
        given = {_WANTED: [index for index in search.found() if index is not None], _PLAIN: search.plain_candidates()}
        found = self._kept(query.with_for_update() if self._locks in _LOCKS_WHAT_IT_READS else query, given)
        if found and self._locks is not None and self._locks not in (*_LOCKS_WHAT_IT_READS, *_LOCKS_THE_WHOLE):
            return self._kept(self._queries.named, {_NAMED: found})
        return found

    def _kept(self, query: sa.Select[Any], given: dict[str, Any]) -> list[Any]:
        """The names of the rows of a query that hold it."""
        rows: Sequence[Any] = self._execute(query, given).all()
        keys = keys_of(self._search.source) if self._search.is_bound else None
        width = self._queries.width
        bound_to = None if keys is None else [name_row(keys, row[1 + width :]) for row in rows]
        held = self._search.held([row[0] for row in rows], bound_to)
        names: list[Any] = [row[1] if width == 1 else tuple(row[1 : 1 + width]) for row in rows]
        return [name for name, holds in zip(names, held, strict=True) if holds]

    def _execute(self, statement: sa.Executable, given: dict[str, Any] | None = None) -> sa.CursorResult[Any]:
        return self._connection.execute(statement, given, execution_options=self._options)


def _changes(statement: Any, table: Any) -> bool:  # noqa: ANN401 - whatever is executed
    """Whether a statement, or a part of it, changes or deletes rows of a table, perhaps by an alias or in a join.

    One that is gone already may: something put another in its place just before it is executed.
    """
    if statement is None:
        return True
    changing = (part for part in visitors.iterate(statement) if isinstance(part, sa.Update | sa.Delete))
    return any(hash(one) == hash(table) for part in changing for one in visitors.iterate(part.table))


def _queries_of(search: Search) -> _Queries:
    source = search.source
    known: _Queries | None = source.info.get(_WANTED)
    if known is None or known.source is not source:  # a copy of a column has a copy of what is known of it
        known = source.info[_WANTED] = _made(search)
    return known


def _made(search: Search) -> _Queries:
    source, encrypted = search.source, search.encrypted
    raw = encrypted.raw_type
    stored, index = (sa.type_coerce(one, raw) for one in (source, source.table.c[str(encrypted.index)]))
    names = names_of(source, source)
    wanted: Any = index.in_(_some(_WANTED, raw))
    if encrypted.mode is not Mode.STRICT:
        if not len(source.table.primary_key):
            raise NotSearchable(
                f"table {source.table.name!r} has no primary key to name rows by, which may be replaced between two "
                f"statements while {encrypted.field_key.name!r} is adopted; give it one, or only select rows"
            )
        wanted = sa.or_(wanted, stored.in_(_some(_PLAIN, raw)))
    chosen = sa.select(stored, *names, *(keys_of(source) if search.is_bound else ()))
    name = sa.tuple_(*names) if len(names) > 1 else names[0]
    return _Queries(
        source,
        len(names),
        chosen.where(wanted),
        chosen.where(name.in_(_some(_NAMED, type_of_names(names))), stored.is_not(None))  # null may have come since
        .order_by(*names)
        .with_for_update(key_share=True),
        sa.delete(source.table).where(sa.false()).execution_options(**{SEALED: True}),
    )


def _some(name: str, kind: TypeEngine[Any]) -> sa.BindParameter[Sequence[Any]]:
    return sa.bindparam(name, expanding=True, type_=kind)


@event.listens_for(sa.Engine, "before_execute")
def _before_execute(
    connection: sa.Connection,
    statement: Any,  # noqa: ANN401 - as SQLAlchemy calls it
    multiparams: Any,  # noqa: ANN401, ARG001 - as above
    params: Any,  # noqa: ANN401, ARG001 - as above
    execution_options: Any,  # noqa: ANN401 - as above
) -> None:
    """Say where candidates are read."""
    _place.set(_Place(weakref.ref(connection), weakref.ref(statement), execution_options.get(_SCHEMAS)))


@event.listens_for(sa.Engine, "after_execute")
def _after_execute(*_: Any) -> None:  # noqa: ANN401 - nothing of it matters
    """Read no candidates for a statement that is only looked at."""
    _place.set(None)
