"""What may be written into encrypted columns: values, null, and ciphertexts of the same field; nothing computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, ClauseElement, Grouping, KeyedColumnElement, Null
from sqlalchemy.types import NullType

from privkit.integrations.sqlalchemy.refusals import WouldWritePlaintext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.sql.expression import UpdateBase

    from privkit.keys import FieldKey

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
        field = _field_of(column)
        if field is not None and not _is_sealed(value, field):
            raise WouldWritePlaintext(
                f"an expression is written to the encrypted column of {field.name!r}: the database cannot encrypt; "
                "write values"
            )


def _field_of(column: Any) -> FieldKey | None:  # noqa: ANN401 - whatever has a type
    """The field of an encrypted column or of a parameter for one."""
    kind = getattr(column, "type", None)
    return getattr(kind, "field_key", None) if hasattr(kind, "stored") else None


def written(statement: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - SQLAlchemy keeps these to itself
    """Columns, and what is written to each, where the statement says so itself."""
    table = getattr(statement, "table", None)
    columns = getattr(table, "c", {})
    given = [getattr(statement, "_values", None) or {}, dict(getattr(statement, "_ordered_values", None) or ())]
    for rows in getattr(statement, "_multi_values", ()):
        given += [row for row in rows if isinstance(row, dict)]
    given.append(upserted(statement))
    for values in given:
        for column, value in values.items():
            yield (columns.get(column) if isinstance(column, str) else column), value
    select = getattr(statement, "select", None)
    if select is not None:
        for name, column in zip(statement._select_names, select.selected_columns, strict=False):  # noqa: SLF001 - as above
            yield columns.get(name), column


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


def _is_sealed(value: Any, field: FieldKey) -> bool:  # noqa: ANN401 - as above
    """Whether a value is encrypted on its way, or is of the field's ciphertexts already."""
    while isinstance(value, Grouping):
        value = value.element
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if not isinstance(value, ClauseElement) or isinstance(value, Null):
        return True
    if isinstance(value, BindParameter) and isinstance(value.type, NullType):
        return True  # it takes the column's type
    return isinstance(value, BindParameter | sa.ScalarSelect | KeyedColumnElement) and _field_of(value) == field
