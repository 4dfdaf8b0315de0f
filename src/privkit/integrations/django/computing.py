"""What the database may compute from ciphertexts: nothing but which are there, how many, and which are equal.

`Upper`, `Sum`, `Concat`, `Greatest`, sorting and the like would work on ciphertexts, and fail late or give nonsense.
Django asks an expression for the SQL of a vendor (`as_postgresql`) before it asks for its own (`as_sql`), and says that
third parties may put such methods there. Those put here look for encrypted columns, and otherwise do what was done
before.
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
    from collections.abc import Callable, Iterator

    from privkit.integrations.django.fields import EncryptedField

VENDORS = ("sqlite", "postgresql", "mysql")
"""Whose SQL is checked; Django gives MariaDB the name of MySQL."""


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
    for base in (*COMPUTING, Lookup):
        check = _check_lookup if base is Lookup else _check_computed
        for expression in (base, *_below(base)):
            for vendor in VENDORS:
                _put(expression, f"as_{vendor}", check)
    if not hasattr(SQLCompiler.get_combinator_sql, "looks_for_encrypted"):
        SQLCompiler.get_combinator_sql = _combining(SQLCompiler.get_combinator_sql)  # type: ignore[method-assign] # as above


def encrypted(expression: Any) -> EncryptedField | None:  # noqa: ANN401 - Django's expressions share no type
    """The encrypted field whose ciphertexts an expression gives; `None` where it gives something else."""
    try:
        field: Any = getattr(expression, "output_field", None)  # of expressions, and of queries with one column
    except (FieldError, AttributeError):  # of several types, or of none that can be told
        return None
    return field if hasattr(field, "storage_name") else None


def _check_computed(expression: Any) -> None:  # noqa: ANN401 - as above
    found = next(filter(None, map(encrypted, expression.get_source_expressions())), None)
    if found is None or (isinstance(expression, HARMLESS) and not isinstance(expression, SORTING)):
        return
    own = encrypted(expression)
    if isinstance(expression, PASSING) and own is not None and own.storage_name == found.storage_name:
        return
    if isinstance(expression, SORTING):
        raise NotSearchable(
            f"{found.label}: the order of ciphertexts says nothing about the order of values; "
            "sort after reading, or by another column"
        )
    if isinstance(expression, PASSING):
        raise NotSearchable(
            f"{found.label}: {type(expression).__name__} would hand its ciphertexts on as values of another field; "
            "leave out output_field, or compute it after reading"
        )
    raise NotSearchable(
        f"{found.label}: {type(expression).__name__} would be computed by the database, which sees ciphertexts; "
        "compute it after reading"
    )


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
            _check_combined(combinator, [one for one in column if not (isinstance(one, Value) and one.value is None)])
        return before(self, combinator, all)

    get_combinator_sql.looks_for_encrypted = True  # type: ignore[attr-defined] # marks our own, as below
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


def _below(base: type[Any]) -> Iterator[type[Any]]:
    """All subclasses, parents first."""
    for one in base.__subclasses__():
        yield one
        yield from _below(one)


def _put(expression: type[Any], name: str, check: Callable[[Any], None]) -> None:
    before = getattr(expression, name, None)
    if not hasattr(before, "looks_for_encrypted"):
        setattr(expression, name, _checked(before, check))


def _checked(before: Callable[..., Any] | None, check: Callable[[Any], None]) -> Callable[..., Any]:
    def as_vendor(self: Any, compiler: Any, connection: Any, **extra: Any) -> Any:  # noqa: ANN401 - as above
        check(self)
        if before is None:
            return self.as_sql(compiler, connection, **extra)
        return before(self, compiler, connection, **extra)

    as_vendor.looks_for_encrypted = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return as_vendor
