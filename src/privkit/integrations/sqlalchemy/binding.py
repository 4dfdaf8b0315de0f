"""Values that are bound to the row they stand in: `Encrypted(..., row="id")`, or `row=("shop", "id")`.

A type of SQLAlchemy sees a value and not its row. So the row travels with the value:

| on the way | what says the row |
|---|---|
| `INSERT`, by the ORM or with parameters | the primary key among them, or its default, which is asked here |
| `UPDATE` of one row, by the ORM or with parameters | `WHERE id = ...`; there must be one |
| a result | the primary key beside the value, or the statement's `WHERE id = ...` |
| what is copied, computed, or written to many rows | nothing: refused, since it would open in no row, or in one |

Whatever comes to the type without its row is refused too, so that a way of writing that is not thought of here fails.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ColumnElement,
    Grouping,
    Label,
    Null,
)

from privkit.integrations.lifecycle import Bound, row_name
from privkit.integrations.sqlalchemy.fetching import KeyPart, Naming, Opener
from privkit.integrations.sqlalchemy.refusals import NotBound, unwrapped
from privkit.integrations.sqlalchemy.writing import SEALED, upserted, upserts, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import CursorResult

    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms.form import Row


class BoundOpener(Opener):
    """Opens the values of a column that is bound to its rows."""

    __slots__ = ("encrypted",)

    def __init__(self, encrypted: Encrypted) -> None:
        self.encrypted = encrypted

    def one(self, stored: Any, row: Row | None = None) -> Any:  # noqa: ANN401 - see `Opener`
        """The value of what is stored."""
        if stored is not None and row is None:
            raise self._unknown()
        return self.encrypted.clear(stored, row)

    def many(self, stored: list[Any], rows: Sequence[Row | None] | None = None) -> list[Any]:
        """The values of what is stored, all together."""
        names = [None] * len(stored) if rows is None else rows
        if any(one is not None and name is None for one, name in zip(stored, names, strict=True)):
            raise self._unknown()
        any_name = next((name for name in names if name is not None), "")  # which null does not need
        return self.encrypted.read_many(stored, [any_name if name is None else name for name in names])

    def naming(self, result: CursorResult[Any], place: int) -> Naming | None:
        """By the primary key beside the column, or the one that the statement asks for."""
        return _naming(result, place)

    def _unknown(self) -> NotBound:
        return NotBound(
            f"the row of a value of {self.encrypted.field_key.name!r} is not known: select the primary key beside it"
        )


def bound_columns(table: Any) -> list[sa.Column[Any]]:  # noqa: ANN401 - a table, or whatever is written to
    """The columns of a table whose values are bound to its rows."""
    columns = table.c if isinstance(table, sa.Table) else ()
    return [column for column in columns if _row_of(column) is not None]


def _row_of(column: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - a column
    """The primary key that an encrypted column names: its columns' names."""
    row = getattr(column.type, "row", None) if hasattr(column.type, "stored") else None
    return (row,) if isinstance(row, str) else row


def keys_of(column: sa.Column[Any]) -> list[sa.Column[Any]]:
    """The primary key of the table of a bound column: its columns, in the key's order.

    Raises:
        NotBound: If it is not the one that the column names.
    """
    keys = list(column.table.primary_key)
    names = tuple(key.key for key in keys)
    if names != _row_of(column):
        said = " and ".join(map(repr, names)) or "none"
        raise NotBound(f"row= is not the primary key of {column.table.name!r}, which is {said}; name that")
    return keys


def name_row(keys: Sequence[sa.Column[Any]], values: Iterable[Any]) -> Row:
    """What a row is named by in the ciphertexts that are bound to it, from a value for each column of the key."""
    return row_name(*map(_key_value, keys, values))


def _key_value(key: sa.Column[Any], value: Any) -> Any:  # noqa: ANN401 - a value of the key
    if isinstance(key.type, sa.Uuid) and isinstance(value, str):
        return uuid.UUID(value)  # a UUID has one name, however it is written
    return value


def key_in_where(statement: Any, column: Any, key: sa.Column[Any]) -> BindParameter[Any] | None:  # noqa: ANN401 - SQLAlchemy's
    """The parameter that a statement demands the primary key beside a column to be equal to."""
    for criterion in _conjuncts(getattr(statement, "_where_criteria", ())):
        if not isinstance(criterion, BinaryExpression) or criterion.operator is not operators.eq:
            continue
        sides = (criterion.left, criterion.right)
        for one, parameter in (sides, sides[::-1]):
            if isinstance(parameter, BindParameter) and _is_key(one, column, key):
                return parameter
    return None


def _conjuncts(criteria: Any) -> Iterator[Any]:  # noqa: ANN401 - SQLAlchemy's
    for criterion in criteria:
        inner = criterion.element if isinstance(criterion, Grouping) else criterion
        if isinstance(inner, BooleanClauseList) and inner.operator is operators.and_:
            yield from _conjuncts(inner.clauses)
        else:
            yield inner


@event.listens_for(sa.Engine, "before_execute", retval=True)
def _before_execute(
    connection: sa.Connection,  # noqa: ARG001 - as SQLAlchemy calls it
    statement: Any,  # noqa: ANN401 - whatever can be executed
    multiparams: Any,  # noqa: ANN401 - as above
    params: Any,  # noqa: ANN401 - as above
    execution_options: Any,  # noqa: ANN401, ARG001 - as above
) -> tuple[Any, Any, Any]:
    """Bind what is written into bound columns to its row."""
    for column in bound_columns(statement.table) if isinstance(statement, sa.Insert | sa.Update) else ():
        if statement.get_execution_options().get(SEALED):
            break
        given = list(multiparams) or [params]
        _check_writing(statement, column, given)
        statement, sets = _Writing(statement, column).bound(given)
        multiparams, params = (sets, {}) if multiparams else ((), sets[0])
    return statement, multiparams, params


class _Writing:
    """A statement that may write one bound column."""

    def __init__(self, statement: Any, column: sa.Column[Any]) -> None:  # noqa: ANN401 - as above
        self._statement = statement
        self._column = column
        self._keys = keys_of(column)
        self._given = {_name(name): (name, value) for name, value in (statement._values or {}).items()}  # noqa: SLF001 - there is no other way to see them

    def bound(self, sets: list[Any]) -> tuple[Any, list[Any]]:
        """The statement and its sets of parameters, with rows beside the values."""
        name = self._column.key
        if self._given.get(name) is not None:
            place, value = self._given[name]
            if isinstance(value, BindParameter) and value.value is not None:
                if len(sets) > 1:
                    raise self._unknown()
                sets = [dict(sets[0])]
                row = self._row(sets[0])
                return self._statement.values({place: Bound(value.value, row)}), sets
        fresh = []
        for values in sets:
            given = dict(values)
            if given.get(name) is not None:
                given[name] = Bound(given[name], self._row(given))
            fresh.append(given)
        return self._statement, fresh

    def _row(self, values: dict[str, Any]) -> Row:
        with unwrapped():
            return name_row(self._keys, [self._value_of(key, values) for key in self._keys])

    def _value_of(self, key: sa.Column[Any], values: dict[str, Any]) -> Any:  # noqa: ANN401 - a value of the key
        if isinstance(self._statement, sa.Update):
            parameter = key_in_where(self._statement, self._column, key)
            if parameter is None:
                raise self._unknown()
            return values.get(parameter.key, parameter.effective_value)
        name = key.key
        if values.get(name) is None and name in self._given:
            return getattr(self._given[name][1], "value", None)
        if values.get(name) is None:
            values[name] = self._made(key)
        return values[name]

    def _made(self, key: sa.Column[Any]) -> Any:  # noqa: ANN401 - as above
        """A part of a key as its default makes it."""
        default: Any = key.default
        if default is None or default.is_sequence or default.is_clause_element:
            raise self._unknown()
        return default.arg(None) if default.is_callable else default.arg

    def _unknown(self) -> NotBound:
        return NotBound(
            f"the row of a value of {self._column.key!r} is not known: give the primary key with it (a default that "
            "the application makes will do), update one row with WHERE on the primary key, or write through objects"
        )


def _name(column: Any) -> str:  # noqa: ANN401 - a column or its name
    return str(column if isinstance(column, str) else column.key)


def _check_writing(statement: Any, column: sa.Column[Any], sets: list[Any]) -> None:  # noqa: ANN401 - as above
    """Refuse what would be bound to another row than it comes to stand in."""
    keys, name = {key.key for key in keys_of(column)}, column.key
    writes = [(_name(to), value) for to, value in written(statement)]
    if isinstance(statement, sa.Update) and keys & {to for to, _ in writes}.union(*sets):
        raise NotBound(
            f"the primary key of {column.table.name!r} is changed, and values are bound to it; write a new row"
        )
    ordered = getattr(statement, "_maintain_values_ordering", False) or getattr(statement, "_ordered_values", None)
    simple = set() if ordered else {_name(to) for to in statement._values or {}}  # noqa: SLF001 - as above
    for to, value in writes:
        if to == name and (to not in simple or not isinstance(value, BindParameter | Null)):
            if _is_excluded(statement, value, keys, name):
                continue
            raise NotBound(
                f"a value of {name!r} is bound to its row: it is neither copied nor computed nor written by several "
                "VALUES; pass parameters"
            )


def _is_excluded(statement: Any, value: Any, keys: set[str], name: str) -> bool:  # noqa: ANN401 - as above
    """Whether an upsert writes the value that it would have inserted into the row of the same primary key."""
    targets = [getattr(clause, "inferred_target_elements", None) or [] for clause in upserts(statement)]
    return (
        name in {_name(to) for to in upserted(statement)}
        and all({_name(each) for each in target} == keys for target in targets)
        and getattr(getattr(value, "table", None), "name", None) == "excluded"
        and getattr(value, "key", None) == name
    )


def _naming(result: Any, place: int) -> Naming | None:  # noqa: ANN401 - SQLAlchemy's
    """What names the rows of a result for the column at a place of it."""
    compiled = result.context.compiled
    entries = getattr(compiled, "_result_columns", ())
    for column in _columns(entries[place]) if place < len(entries) else ():
        source = next((base for base in column.base_columns if _row_of(base) is not None), None)
        if not isinstance(source, sa.Column):
            continue
        keys = keys_of(source)
        parts = [_part_of_name(result, column, key) for key in keys]
        if all(part is not None for part in parts):
            return Naming(partial(name_row, keys), tuple(part for part in parts if part is not None))
    return None


def _part_of_name(result: Any, column: Any, key: sa.Column[Any]) -> KeyPart | None:  # noqa: ANN401 - as above
    """Where one column of the primary key is found for a column of a result."""
    compiled = result.context.compiled
    for at, entry in enumerate(compiled._result_columns):  # noqa: SLF001 - as above
        if any(_is_key(each, column, key) for each in _columns(entry)):
            return KeyPart(at, process=result._metadata._processors[at])  # noqa: SLF001 - as above
    for statement in (getattr(compiled.compile_state, "statement", None), compiled.statement):
        parameter = key_in_where(statement, column, key)
        if parameter in compiled.bind_names:
            return KeyPart(None, result.context.compiled_parameters[0][compiled.bind_names[parameter]])
    return None


def _is_key(other: Any, column: Any, key: sa.Column[Any]) -> bool:  # noqa: ANN401 - columns
    """Whether one column of a result is the primary key beside another, of one table, alias or subquery."""
    tables = getattr(other, "table", None), getattr(column, "table", None)
    return tables[0] is not None and hash(tables[0]) == hash(tables[1]) and key in other.base_columns


def _columns(entry: Any) -> list[Any]:  # noqa: ANN401 - what the compiler knows of a result's column
    columns = [each.element if isinstance(each, Label) else each for each in entry.objects]
    return [each for each in columns if isinstance(each, ColumnElement)]
