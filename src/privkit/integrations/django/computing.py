"""What the database may compute from ciphertexts: nothing but which are there, how many, and which are equal.

`Upper`, `Sum`, `Concat`, `Greatest`, sorting and the like would work on ciphertexts, and fail late or give nonsense.
Each part of a query becomes SQL through one method of Django's, `SQLCompiler.compile`, whatever class it is of, when
that was made, and whether it has SQL of its own for a vendor. There it is looked at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db.models import Count, Max, Min
from django.db.models.expressions import (
    Case,
    CombinedExpression,
    Exists,
    ExpressionList,
    ExpressionWrapper,
    Func,
    OrderBy,
    OrderByList,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, FirstValue, Lag, LastValue, Lead, NthValue, Substr
from django.db.models.lookups import IsNull, Lookup
from django.db.models.sql.compiler import SQLCompiler

from privkit.integrations.django.refusals import NotSearchable

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.integrations.django.fields import EncryptedField


class IndexIn(Substr):
    """The blind index that stands in a ciphertext."""


COMPUTING = (Func, OrderBy, CombinedExpression, Case, ExpressionWrapper, Subquery)
"""What makes something of columns, or calls them something else."""

HARMLESS = (Count, Exists, ExpressionList, IndexIn)
"""What only looks at which values are there, lists of expressions, and what is our own."""

PASSING = (Case, Cast, Coalesce, ExpressionWrapper, FirstValue, Lag, LastValue, Lead, NthValue, Subquery)
"""What hands values on, as long as it does not call them something else."""

SORTING = (OrderBy, OrderByList, Max, Min)


def refuse_computing() -> None:
    """Have Django refuse to compute with encrypted columns, to sort by them, and to compare others with them."""
    if not hasattr(SQLCompiler.compile, "looks_for_encrypted"):
        SQLCompiler.compile = _compiling(SQLCompiler.compile)  # type: ignore[method-assign] # it offers no place of its own
    if not hasattr(SQLCompiler.get_combinator_sql, "looks_for_encrypted"):
        SQLCompiler.get_combinator_sql = _combining(SQLCompiler.get_combinator_sql)  # type: ignore[method-assign] # as above


def encrypted(expression: Any) -> EncryptedField | None:  # noqa: ANN401 - Django's expressions share no type
    """The encrypted field whose ciphertexts an expression gives; `None` where it gives something else."""
    try:
        field: Any = getattr(expression, "output_field", None)  # of expressions, and of queries with one column
    except (FieldError, AttributeError):  # of several types, or of none that can be told
        return None
    return field if hasattr(field, "storage_name") else None


def _compiling(before: Callable[..., Any]) -> Callable[..., Any]:
    """How Django makes the SQL of a part of a query."""
    checks: dict[type, Callable[[Any], None] | None] = {}

    def compile(self: Any, node: Any) -> Any:  # noqa: A001, ANN401 - Django's own
        kind = type(node)
        if kind not in checks:
            checks[kind] = _check_of(kind)
        check = checks[kind]
        if check is not None:
            check(node)
        return before(self, node)

    compile.looks_for_encrypted = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return compile


def _check_of(kind: type) -> Callable[[Any], None] | None:
    """What looks at expressions of a class; `None` where any may stand over ciphertexts."""
    if issubclass(kind, Lookup):
        return _check_lookup
    if issubclass(kind, SORTING):
        return _check_sorted
    if issubclass(kind, HARMLESS):
        return None
    if issubclass(kind, PASSING):
        return _check_passed
    return _check_computed if issubclass(kind, COMPUTING) else None


def _encrypted_in(expression: Any) -> EncryptedField | None:  # noqa: ANN401 - as above
    """The encrypted field whose ciphertexts an expression is made of."""
    return next(filter(None, map(encrypted, expression.get_source_expressions())), None)


def _refuse_ciphertexts(expression: Any, why: str) -> None:  # noqa: ANN401 - as above
    found = _encrypted_in(expression)
    if found is not None:
        raise NotSearchable(f"{found.label}: {why}")


def _check_computed(expression: Any) -> None:  # noqa: ANN401 - as above
    name = type(expression).__name__
    _refuse_ciphertexts(
        expression, f"{name} would be computed by the database, which sees ciphertexts; compute it after reading"
    )


def _check_sorted(expression: Any) -> None:  # noqa: ANN401 - as above
    _refuse_ciphertexts(
        expression,
        "the order of ciphertexts says nothing about the order of values; sort after reading, or by another column",
    )


def _check_passed(expression: Any) -> None:  # noqa: ANN401 - as above
    own, given = encrypted(expression), [one for one in _passed(expression) if not _is_null(one)]
    found = next(filter(None, map(encrypted, given)), None)
    if own is None and found is not None:
        raise NotSearchable(
            f"{found.label}: {type(expression).__name__} would hand its ciphertexts on as values of another field; "
            "leave out output_field, or compute it after reading"
        )
    if own is not None and any(getattr(encrypted(one), "storage_name", None) != own.storage_name for one in given):
        raise NotSearchable(
            f"{own.label}: {type(expression).__name__} would hand on something else as its ciphertexts; hand on the "
            f"column, and Value(..., output_field={own.model.__name__}._meta.get_field({own.name!r}))"
        )


def _passed(expression: Any) -> list[Any]:  # noqa: ANN401 - as above
    """What an expression may hand on."""
    if isinstance(expression, Case):
        return [*(branch.result for branch in expression.cases), expression.default]
    given: list[Any] = expression.get_source_expressions()
    if isinstance(expression, Lag | Lead):
        return [given[0], *given[2:]]  # a default is the third, behind how many rows away
    return given if isinstance(expression, Coalesce) else given[:1]


def _is_null(expression: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(expression, Value) and expression.value is None


def _check_lookup(lookup: Any) -> None:  # noqa: ANN401 - as above
    asked, found = encrypted(lookup.lhs), encrypted(lookup.rhs)
    if asked is None and found is not None:
        raise NotSearchable(
            f"{found.label}: {lookup.lookup_name} compares its ciphertexts with something that is none of them; "
            "compare after reading"
        )
    if asked is not None and not isinstance(lookup, IsNull) and not hasattr(lookup, "knows_ciphertexts"):
        raise NotSearchable(
            f"{asked.label}: {type(lookup).__name__} by itself does not encrypt what it compares with; "
            "ask by the name of the field, as in filter(email=...)"
        )


def _combining(before: Callable[..., Any]) -> Callable[..., Any]:
    """How Django makes the SQL of `union()` and its like, which are read as the first of their queries."""

    def get_combinator_sql(self: Any, combinator: str, all: bool) -> Any:  # noqa: ANN401, A002, FBT001 - Django's own
        chosen = [_chosen(self, query) for query in self.query.combined_queries]
        for column in zip(*chosen, strict=False):
            _check_combined(combinator, [one for one in column if not _is_null(one)])
        return before(self, combinator, all)

    get_combinator_sql.looks_for_encrypted = True  # type: ignore[attr-defined] # as above
    return get_combinator_sql


def _chosen(compiler: Any, query: Any) -> list[Any]:  # noqa: ANN401 - as above
    """The columns of one of several queries that are combined, as Django will choose them."""
    own, outer = query.clone(), compiler.query
    if not own.values_select and outer.values_select:
        own.set_values((*outer.extra_select, *outer.values_select, *outer.annotation_select))
    own = own.get_compiler(compiler.using, compiler.connection)
    own.setup_query()
    return [expression for expression, *_ in own.select]


def _check_combined(combinator: str, columns: list[Any]) -> None:
    fields = [encrypted(column) for column in columns]
    found = next(filter(None, fields), None)
    if found is not None and any(one is None or one.storage_name != found.storage_name for one in fields):
        raise NotSearchable(
            f"{found.label}: {combinator}() would read its ciphertexts as values of another column, or others as its "
            "own; combine after reading"
        )
