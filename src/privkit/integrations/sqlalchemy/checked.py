"""Lookups by an index in one statement: its candidates are checked as they are fetched.

Where a SELECT does nothing but give rows, a lookup by an index need not read the candidates before it: the SELECT
itself fetches them by the index, with the stored value beside each row, and rows that do not hold the value are left
out as they are fetched. So nothing in it may look at several rows (DISTINCT, GROUP BY, LIMIT, functions), and all of
its rows must hold the value. All that is a matter of structure, so that it is decided when the SELECT is compiled.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import elements, operators
from sqlalchemy.sql.compiler import SQLCompiler

from privkit.integrations.sqlalchemy.conditions import Lookup
from privkit.integrations.sqlalchemy.fetching import CHECKS, Through
from privkit.integrations.sqlalchemy.refusals import NotSearchable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine.cursor import CursorResult, ResultFetchStrategy
    from sqlalchemy.engine.interfaces import DBAPICursor

    from privkit.integrations.sqlalchemy.candidates import Search

_AROUND: Final = (elements.Grouping, elements.Label, elements.TypeCoerce)
_SORTED: Final = (operators.asc_op, operators.desc_op, operators.nulls_first_op, operators.nulls_last_op)
_MORE: Final = (
    "_distinct",
    "_group_by_clauses",
    "_having_criteria",
    "_limit_clause",
    "_offset_clause",
    "_fetch_clause",
    "_for_update_arg",
    "_prefixes",
    "_suffixes",
    "_independent_ctes",
)
"""What a SELECT has that does more than give rows."""


class _Beside(sa.types.TypeDecorator[Any]):
    """What stands beside the rows to be checked. It is taken out before a result is read."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> Any:  # noqa: ANN401, ARG002 - SQLAlchemy's own signature
        """Refuse rows that nobody has checked."""
        raise NotSearchable("a lookup by an index was executed where its candidates are not checked; use a connection")


class Checks:
    """What is to be checked in the rows of a compiled SELECT.

    Args:
        compiled: The SELECT.
        width: How many columns it has by itself.
        asked: The parameters of its indexes, in the order of the columns that stand beside the rows.
    """

    def __init__(self, compiled: SQLCompiler, width: int, asked: list[Any]) -> None:
        self._compiled = compiled
        self.width = width
        self._asked = asked

    @cached_property
    def _places(self) -> list[int]:
        """Where the parameters stand among those that SQLAlchemy has taken out of the statement."""
        match: Any = self._compiled._cache_key_bind_match  # noqa: SLF001 - what it finds them by itself
        known = [match[0][bind] for bind in self._compiled.cache_key[1]]  # type: ignore[index] # see `_check_as_fetched`
        return [next(at for at, binds in enumerate(known) if asked in binds) for asked in self._asked]

    def strategy(self, result: CursorResult[Any]) -> ResultFetchStrategy:
        """What fetches the rows of a result that hold what this execution looks for."""
        given = result.context.extracted_parameters
        binds: list[Any] = self._asked if given is None else [given[place] for place in self._places]
        searches: list[Search] = [bind.candidates for bind in binds]
        return _Checking(result.cursor_strategy, self.width, searches)


class _Checking(Through):
    """Fetches rows by another strategy, and leaves out those that do not hold what is looked for."""

    __slots__ = ("_searches", "_width")

    def __init__(self, inner: ResultFetchStrategy, width: int, searches: list[Search]) -> None:
        super().__init__(inner)
        self._width = width
        self._searches = searches

    def fetchone(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, hard_close: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - SQLAlchemy's own signature
        """The next row that holds it."""
        while (row := self._inner.fetchone(result, dbapi_cursor, hard_close)) is not None:
            if kept := self._guarded(result, list, (row,)):
                return kept[0]
        return None

    def fetchmany(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, size: int | None = None) -> Any:  # noqa: ANN401 - as above
        """The next rows that hold it; none only where there are no more."""
        while rows := self._inner.fetchmany(result, dbapi_cursor, size):
            if kept := self._guarded(result, list, rows):
                return kept
        return []

    def fetchall(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor) -> Any:  # noqa: ANN401 - as above
        """All rows that hold it."""
        return self._guarded(result, self._inner.fetchall, result, dbapi_cursor)

    def _made(self, rows: Sequence[Any]) -> Sequence[Any]:
        for place, search in enumerate(self._searches, self._width):
            held = search.held([row[place] for row in rows])
            rows = [row for row, holds in zip(rows, held, strict=True) if holds]
        return [tuple(row[: self._width]) for row in rows]


def _check_as_fetched(compiler: SQLCompiler, select: Any, **_: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's
    """The SELECT that fetches candidates, where they can be checked as they are fetched; otherwise the same.

    A statement that is not compiled to be executed has no key by which SQLAlchemy keeps it.
    """
    if compiler.stack or compiler.cache_key is None or any(_has(select, name) for name in _MORE):
        return select
    conjuncts = list(_conjuncts(select._where_criteria))  # noqa: SLF001 - as above
    lookups = [one for one in conjuncts if _is_checkable(one)]
    chosen = list(select.selected_columns)
    if not lookups or not all(map(_is_column, chosen)) or not all(map(_sorts, select._order_by_clauses)):  # noqa: SLF001 - as above
        return select
    beside = [
        sa.type_coerce(lookup.column, _Beside()).label(f"privkit_candidate_{number}")
        for number, lookup in enumerate(lookups)
    ]
    fresh = select._generate()  # noqa: SLF001 - as above
    fresh._raw_columns = [*select._raw_columns, *beside]  # noqa: SLF001 - as above
    fresh._where_criteria = tuple(one.candidates() if _is_checkable(one) else one for one in conjuncts)  # noqa: SLF001 - as above
    setattr(compiler, CHECKS, Checks(compiler, len(chosen), [lookup.asked for lookup in lookups]))
    return fresh


def _has(select: Any, name: str) -> bool:  # noqa: ANN401 - as above
    found = getattr(select, name, None)
    return found is not None and found is not False and found != ()


def _conjuncts(clauses: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """The conditions that all rows must meet."""
    for clause in clauses:
        inner = clause.element if isinstance(clause, elements.Grouping) else clause
        if isinstance(inner, elements.BooleanClauseList) and inner.operator is operators.and_:
            yield from _conjuncts(inner.clauses)
        else:
            yield clause


def _is_checkable(condition: Any) -> bool:  # noqa: ANN401 - as above
    if not isinstance(condition, Lookup):
        return False
    search: Any = condition.asked.candidates
    return not search.is_bound


def _is_column(column: Any) -> bool:  # noqa: ANN401 - as above
    while isinstance(column, _AROUND):
        column = column.clause if isinstance(column, elements.TypeCoerce) else column.element
    return isinstance(column, elements.ColumnClause)


def _sorts(clause: Any) -> bool:  # noqa: ANN401 - as above
    while isinstance(clause, elements.UnaryExpression) and clause.modifier in _SORTED:
        clause = clause.element
    if isinstance(clause, elements._label_reference):  # noqa: SLF001 - as above
        return _sorts(clause.element)
    return isinstance(clause, elements._textual_label_reference) or _is_column(clause)  # noqa: SLF001 - as above


def check_as_fetched() -> None:
    """Have SQLAlchemy compile SELECTs so; dialects that restructure them by themselves take two statements."""
    if SQLCompiler.translate_select_structure is None:
        SQLCompiler.translate_select_structure = _check_as_fetched
