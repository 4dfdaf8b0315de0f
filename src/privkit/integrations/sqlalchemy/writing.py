"""What may be written into encrypted columns: values, null, and ciphertexts of the same field; nothing computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, ClauseElement, Grouping, KeyedColumnElement, Null
from sqlalchemy.sql.selectable import CompoundSelect, SelectStatementGrouping
from sqlalchemy.types import NullType

from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.refusals import WouldWritePlaintext

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from sqlalchemy.sql.expression import UpdateBase

SEALED: Final = "privkit_sealed"
"""The execution option of statements that write ciphertexts of their own making."""


def check_written(statement: UpdateBase) -> None:
    """Make sure that a statement writes nothing into encrypted columns that the database computes.

    Raises:
        WouldWritePlaintext: If it does.
    """
    if statement.get_execution_options().get(SEALED):
        return
    for column, value in written(statement):
        if form_of(column) is not None and not _is_sealed(value, column):
            raise _would_write("an expression", column)
    for column, value in _copied(statement):
        if form_of(column) is not None and not _is_copy(value, column):
            raise _would_write("a query's column", column)


def check_defaults(column: sa.Column[Any], table: Any) -> None:  # noqa: ANN401, ARG001 - as SQLAlchemy calls it
    """Make sure that the database makes no default for an encrypted column, which would be no ciphertext.

    Raises:
        WouldWritePlaintext: If it does.
    """
    if getattr(column.type, "mode", None) == Mode.PLAINTEXT_OK:
        return
    if isinstance(column.server_default, sa.DefaultClause):
        raise _would_write("server_default", column)
    for default in (column.default, column.onupdate):
        if default is not None and (default.is_clause_element or default.is_sequence):
            raise _would_write("a default that the database computes", column)


def _would_write(what: str, column: Any) -> WouldWritePlaintext:  # noqa: ANN401 - a column
    name = column.type.field_key.name
    return WouldWritePlaintext(
        f"{what} is written to the column of {name!r}: the database cannot encrypt; write values, or copy a column of "
        "the same key and form"
    )


def form_of(column: Any) -> Hashable | None:  # noqa: ANN401 - whatever has a type
    """What the stored values of a column, or of a parameter for one, are: equal where one may stand for the other."""
    return getattr(getattr(column, "type", None), "stored_form", None)


def written(statement: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - SQLAlchemy keeps these to itself
    """Columns, and what is written to each, where the statement says so itself."""
    table = getattr(statement, "table", None)
    columns = getattr(table, "c", {})
    given = [getattr(statement, "_values", None) or {}, dict(getattr(statement, "_ordered_values", None) or ())]
    for rows in getattr(statement, "_multi_values", ()):
        given += [row if isinstance(row, dict) else dict(zip(columns, row, strict=False)) for row in rows]
    given.append(upserted(statement))
    for values in given:
        for column, value in values.items():
            yield (columns.get(column) if isinstance(column, str) else column), value
    yield from _copied(statement)


def _copied(statement: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - as above
    """Columns, and what `INSERT ... SELECT` writes to each, from each part of a `UNION`."""
    select = getattr(statement, "select", None)
    columns = getattr(getattr(statement, "table", None), "c", {})
    for part in () if select is None else parts_of(select):
        for name, column in zip(statement._select_names, part.selected_columns, strict=False):  # noqa: SLF001 - as above
            yield columns.get(name), column


def parts_of(select: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """The queries that a `UNION` and its like are made of; another query is its own only part."""
    if isinstance(select, SelectStatementGrouping):
        yield from parts_of(select.element)
    elif isinstance(select, CompoundSelect):
        for part in select.selects:
            yield from parts_of(part)
    else:
        yield select


def upserted(statement: Any) -> dict[Any, Any]:  # noqa: ANN401 - as above
    """What is written where the row is there already: `on_conflict_do_update`, `on_duplicate_key_update`."""
    written = {}
    for clause in upserts(statement):
        written.update(dict(getattr(clause, "update_values_to_set", None) or getattr(clause, "update", None) or {}))
    return written


def upserts(statement: Any) -> list[Any]:  # noqa: ANN401 - as above
    """What an insert says of rows that are there already; of which SQLite takes several."""
    clause = getattr(statement, "_post_values_clause", None)
    return [] if clause is None else list(getattr(clause, "clauses", None) or [clause])


def _is_sealed(value: Any, column: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a value is encrypted on its way, or is of the column's ciphertexts already."""
    value = _bare(value)
    if not isinstance(value, ClauseElement):
        return True
    if isinstance(value, BindParameter) and isinstance(value.type, NullType):
        return True  # it takes the column's type
    if isinstance(value, sa.ScalarSelect):
        return all(_is_copy(each, column) for part in parts_of(value.element) for each in part.selected_columns)
    return _is_copy(value, column)


def _is_copy(value: Any, column: Any) -> bool:  # noqa: ANN401 - as above
    """Whether what a query gives is null, or of the column's ciphertexts already."""
    value = _bare(value)
    if isinstance(value, Null):
        return True
    if not isinstance(value, BindParameter | sa.ScalarSelect | KeyedColumnElement) or form_of(value) != form_of(column):
        return False
    modes = [getattr(each.type, "mode", Mode.STRICT) for each in (value, column)]
    return modes[0] == Mode.STRICT or modes[1] != Mode.STRICT or isinstance(value, BindParameter)


def _bare(value: Any) -> Any:  # noqa: ANN401 - as above
    """What stands in brackets, or stands behind an attribute."""
    while isinstance(value, Grouping):
        value = value.element
    return value.__clause_element__() if hasattr(value, "__clause_element__") else value
