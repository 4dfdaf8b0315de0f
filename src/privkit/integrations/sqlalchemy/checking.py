"""What may not be asked of columns of ciphertexts and stand-ins, seen once for each statement that is compiled.

Operators refuse where they stand; see `searching`. The rest only shows in the statement as a whole: functions, sorting,
grouping, comparisons of columns, and what is written. It is looked at when the statement first goes to the database and
not again while SQLAlchemy has it compiled, since it depends on nothing but its structure.

Who means the ciphertext itself says so: `sa.func.length(sa.type_coerce(User.email, sa.LargeBinary))`.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import elements, functions, operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import CompoundSelect, GenerativeSelect, SelectBase, UpdateBase
from sqlalchemy.sql.selectable import Join, _CompoundSelectKeyword

from privkit.integrations.sqlalchemy.encrypted import Encrypted
from privkit.integrations.sqlalchemy.refusals import NotSearchable
from privkit.integrations.sqlalchemy.transformed import Transformed
from privkit.integrations.sqlalchemy.writing import SEALED, check_written, parts_of, upserts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_checked: weakref.WeakSet[SQLCompiler] = weakref.WeakSet()

_AROUND: Final = (
    elements.Grouping,
    elements.Label,
    elements.UnaryExpression,
    elements._label_reference,  # noqa: SLF001 - there is no other way to see it
)
_HAVING_CONDITIONS: Final = (
    *(sa.Select, sa.Insert, sa.Update, sa.Delete, Join),
    *(elements.BooleanClauseList, elements.Case, elements.FunctionFilter),
)
_SORTING: Final = (
    *(elements.Over, elements.WithinGroup, postgresql.aggregate_order_by),
    getattr(elements, "AggregateOrderBy", elements.Over),  # since SQLAlchemy 2.1
)
"""What gives functions their rows in an order of their own."""
_COUNTING: Final = ("count",)
"""Functions that ask of a value only whether it is there."""
_COMPARING: Final = ("nullif",)
_CHOOSING: Final = ("coalesce", *_COMPARING)
"""Functions that give one of the values that they are given."""
_SEVERAL: Final = (elements.ClauseList, elements.ExpressionClauseList)
"""What holds a list of clauses."""


@event.listens_for(sa.Engine, "before_cursor_execute")
def _before_cursor_execute(  # noqa: PLR0917 - as SQLAlchemy calls it
    connection: sa.Connection,  # noqa: ARG001 - as above
    cursor: Any,  # noqa: ANN401, ARG001 - as above
    statement: str,  # noqa: ARG001 - as above
    parameters: Any,  # noqa: ANN401, ARG001 - as above
    context: Any,  # noqa: ANN401 - as above
    executemany: bool,  # noqa: ARG001, FBT001 - as above
) -> None:
    """Refuse what means nothing, before the database sees it."""
    compiled = context.compiled
    if compiled is None or compiled in _checked or not isinstance(compiled, SQLCompiler):
        return
    if compiled.statement is not None and not context.execution_options.get(SEALED):
        check_statement(compiled.statement)
        inner = getattr(compiled.compile_state, "statement", compiled.statement)
        if inner is not compiled.statement:
            check_statement(inner)  # what the ORM has made of it
        _checked.add(compiled)


def check_statement(statement: Any) -> None:  # noqa: ANN401 - whatever can be executed
    """Make sure that a statement asks nothing of ciphertexts that they cannot answer, and writes nothing else.

    Raises:
        NotSearchable: If it sorts, groups, compares or computes with them.
        WouldWritePlaintext: If it writes what the database computes into an encrypted column.
    """
    for element in visitors.iterate(statement):
        for kind, check in _CHECKS:
            if isinstance(element, kind):
                check(element)


def _protected(element: Any) -> Encrypted | Transformed | None:  # noqa: ANN401 - SQLAlchemy's
    """The type of an element that stands for a value, and is not the value."""
    kind = getattr(_inner(element), "type", None)
    return kind if isinstance(kind, Encrypted | Transformed) else None


def _inner(element: Any) -> Any:  # noqa: ANN401 - as above
    """What stands in brackets, under a label, or behind DISTINCT, ASC or DESC."""
    while isinstance(element, _AROUND):
        element = element.element
    return element


def _refused(kind: Encrypted | Transformed, what: str, why: str) -> NotSearchable:
    return NotSearchable(f"{what} the column of {kind.field_key.name!r}, which holds {kind.holds}: {why}")


def _check_select(select: Any) -> None:  # noqa: ANN401 - as above
    chosen = list(select.selected_columns)
    for clause in select._order_by_clauses:  # noqa: SLF001 - as above
        _check_sorted(_by_name(clause, chosen))
    groups = [_by_name(clause, chosen) for clause in select._group_by_clauses]  # noqa: SLF001 - as above
    _check_told_apart("GROUP BY", groups)
    if getattr(select, "_distinct", False):
        _check_told_apart("DISTINCT on", list(select._distinct_on) or chosen)  # noqa: SLF001 - as above
    for part in (part for column in chosen for part in visitors.iterate(column)):
        if isinstance(part, _SORTING):
            _check_ordered(part, chosen)


def _check_compound(compound: CompoundSelect[Any]) -> None:
    """A result of several queries is read as the first one's."""
    chosen = [part.selected_columns for part in parts_of(compound)]
    for columns in zip(*chosen, strict=False):
        _check_alike(compound.keyword.value, list(columns))
    if compound.keyword is not _CompoundSelectKeyword.UNION_ALL:
        for columns in chosen:
            _check_told_apart(compound.keyword.value, list(columns))


def _check_conditions(element: Any) -> None:  # noqa: ANN401 - as above
    """A ciphertext is neither true nor false."""
    for clause in _conditions(element):
        kind = _protected(clause)
        if kind is not None:
            raise _refused(kind, "a condition that is", "they are neither true nor false; compare it with == True")


def _conditions(element: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    for several in ("_where_criteria", "_having_criteria"):
        yield from getattr(element, several, ())
    for one in ("onclause", "criterion"):
        yield getattr(element, one, None)
    for _, onclause, *_ in getattr(element, "_setup_joins", ()):
        yield onclause
    for upsert in upserts(element):
        yield from (getattr(upsert, f"{which}_whereclause", None) for which in ("update", "inferred_target"))
    if isinstance(element, elements.BooleanClauseList):
        yield from element.clauses
    if isinstance(element, elements.Case) and element.value is None:
        yield from (clause for clause, _ in element.whens)


def _by_name(clause: Any, chosen: Sequence[Any]) -> Any:  # noqa: ANN401 - as above
    """The column that a clause names by its text, as `order_by("email")` does."""
    clause = _inner(clause)
    if isinstance(clause, elements._textual_label_reference):  # noqa: SLF001 - as above
        name = clause.element.split()[0]
        return next((column for column in chosen if getattr(column, "key", None) == name), clause)
    return clause


def _check_sorted(clause: Any) -> None:  # noqa: ANN401 - as above
    kind = _protected(clause)
    if kind is not None:
        raise _refused(kind, "ORDER BY", "their order means nothing; sort after reading")


def _check_told_apart(what: str, clauses: list[Any]) -> None:
    """Randomised ciphertexts are all different; beside the primary key of their row that does no harm."""
    columns = {_inner(clause) for clause in clauses}
    for clause in columns:
        kind = _protected(clause)
        if kind is None or kind.deterministic:
            continue
        key = getattr(getattr(clause, "table", None), "primary_key", ())
        if not len(key) or not all(column in columns for column in key):
            raise _refused(
                kind, what, "equal values have different ciphertexts; make it deterministic, or do it after reading"
            )


def _check_ordered(element: Any, chosen: Sequence[Any] = ()) -> None:  # noqa: ANN401 - as above
    """The rows of a window, or of an aggregate, in an order, which may be said by the names of what is chosen."""
    for clause in _listed(element.order_by):
        _check_sorted(_by_name(clause, chosen))
    groups = _listed(getattr(element, "partition_by", None))
    _check_told_apart("PARTITION BY", [_by_name(clause, chosen) for clause in groups])


def _listed(clauses: Any) -> list[Any]:  # noqa: ANN401 - as above
    """The clauses of a list, which may be of one, or none."""
    if clauses is None:
        return []
    return list(clauses.clauses) if isinstance(clauses, _SEVERAL) else [clauses]


def _check_function(function: functions.FunctionElement[Any]) -> None:
    arguments = list(function.clauses)
    name = getattr(function, "name", "a function")
    if name in _CHOOSING:
        _check_alike(name, arguments)
        if name in _COMPARING:
            _check_told_apart(name, arguments)
        return
    for argument in arguments:
        kind = _protected(argument)
        distinct = isinstance(argument, elements.UnaryExpression) and argument.operator is operators.distinct_op
        if kind is not None and (name not in _COUNTING or (distinct and not kind.deterministic)):
            raise _refused(
                kind, f"{name} of", "the database would compute with these; compute with values after reading"
            )


def _check_case(case: elements.Case[Any]) -> None:
    results = [result for _, result in case.whens]
    _check_alike("CASE", results if case.else_ is None else [*results, case.else_])
    compared = [] if case.value is None else [case.value, *(value for value, _ in case.whens)]
    kind = next((each for each in map(_protected, compared) if each is not None), None)
    if kind is not None:
        raise _refused(kind, "CASE with", "it would be compared with one form of a value; say WHEN column == value")


def _check_alike(what: str, values: list[Any]) -> None:
    """One of them is read as what the first is."""
    found = [value for value in map(_inner, values) if not isinstance(value, elements.Null)]
    kinds = [_protected(value) for value in found]
    kind = next((kind for kind in kinds if kind is not None), None)
    if kind is not None and not all(_alike(kind, each) for each in kinds):
        raise _refused(kind, f"{what} of", "these and other values cannot stand for each other; choose after reading")


def _alike(kind: Encrypted | Transformed, other: Encrypted | Transformed | None) -> bool:
    """Whether what one type holds is read as the other reads it."""
    if isinstance(kind, Transformed) or isinstance(other, Transformed) or other is None:
        return other is not None and kind.stored_form == other.stored_form
    return kind.field_key == other.field_key


def _check_cast(cast: Any) -> None:  # noqa: ANN401 - a cast, or part of a date
    kind = _protected(cast.clause if isinstance(cast, elements.Cast) else cast.expr)
    if kind is not None:
        raise _refused(kind, "a cast of", "the database would cast these; convert the value after reading")


def _check_tuple(several: elements.Tuple) -> None:
    for clause in several.clauses:
        kind = _protected(clause)
        if kind is not None:
            raise _refused(kind, "a tuple with", "compare the column by itself, and combine with and_()")


def _check_chained(several: elements.ExpressionClauseList[Any]) -> None:
    """Operators between more than two values, of which SQLAlchemy makes a list, and arrays."""
    if several.operator is operators.comma_op and not isinstance(several.type, sa.ARRAY):
        return  # what a column is compared with
    for clause in several.clauses:
        kind = _protected(clause)
        if kind is not None:
            raise _refused(kind, "an operator on", "the database would compute with these; compute after reading")


def _check_compared(binary: elements.BinaryExpression[Any]) -> None:
    """A comparison that no operator has seen to: of columns with each other, with subqueries, with null."""
    if isinstance(_inner(binary.right), elements.Null):
        return
    others = _compared_with(_inner(binary.right))
    left = _protected(binary.left)
    kind = next((each for each in (left, *map(_protected, others)) if each is not None), None)
    if kind is None:
        return
    if left is None or not all(_comparable(left, getattr(other, "type", None)) for other in others):
        raise NotSearchable(
            f"the column of {kind.field_key.name!r} is compared with what holds none of its {kind.holds}; compare with "
            "a value, and the column first, or a deterministic column with a deterministic one of the same key"
        )


def _compared_with(found: Any) -> list[Any]:  # noqa: ANN401 - as above
    """What stands on the right of a comparison: a value, the columns of a query and its parts, or a list."""
    if isinstance(found, sa.ScalarSelect):
        found = found.element
    if isinstance(found, SelectBase):
        return [column for part in parts_of(found) for column in part.selected_columns]
    return list(found.clauses) if isinstance(found, _SEVERAL) else [found]


def _comparable(kind: Encrypted | Transformed, other: Any) -> bool:  # noqa: ANN401 - a type
    return isinstance(other, Encrypted | Transformed) and kind.deterministic and kind.stored_form == other.stored_form


_CHECKS: Final[tuple[tuple[Any, Callable[[Any], None]], ...]] = (
    (UpdateBase, check_written),  # also in a WITH
    (CompoundSelect, _check_compound),
    (_HAVING_CONDITIONS, _check_conditions),
    (GenerativeSelect, _check_select),
    (_SORTING, _check_ordered),
    (functions.FunctionElement, _check_function),
    (elements.Case, _check_case),
    (elements.Cast | elements.Extract, _check_cast),
    (elements.Tuple, _check_tuple),
    (elements.ExpressionClauseList, _check_chained),
    (elements.BinaryExpression, _check_compared),
)
