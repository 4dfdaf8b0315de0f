"""Lookups by an index in one query: its candidates are checked as they are read.

Where a SELECT does nothing but give rows, a lookup by an index need not read the candidates first: the SELECT itself
fetches them by the index, with the stored value beside each row, and rows that do not hold the value are left out as
they are read. So nothing in it may look at several rows (DISTINCT, GROUP BY, counts, windows, set operations), and all
of its rows must hold the value. A short LIMIT is applied after the check: some candidates more are read, and where they
do not suffice the lookup takes its two queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import GET_ITERATOR_CHUNK_SIZE, MULTI
from django.db.models.sql.where import AND, WhereNode

from privkit.integrations.django.changing import is_changing
from privkit.integrations.django.indexed import CHECKED, ByIndex, Candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST: Final = 100
"""The rows of a LIMIT that is applied after the check at most; `get()` asks for 21."""
_AHEAD: Final = 32
"""Candidates that are read beyond a LIMIT, for those that do not hold the value."""


def check_as_read() -> None:
    """Have Django check candidates as it reads them, in the queries where that gives the same rows."""
    before: Any = SQLCompiler.execute_sql
    if not hasattr(before, "checks_candidates"):
        SQLCompiler.execute_sql = _checking(before)  # type: ignore[method-assign] # it offers no place of its own


def _checking(before: Callable[..., Any]) -> Callable[..., Any]:
    def execute_sql(
        self: SQLCompiler,
        result_type: str | None = MULTI,
        chunked_fetch: bool = False,  # noqa: FBT001, FBT002 - Django's own signature
        chunk_size: int = GET_ITERATOR_CHUNK_SIZE,
    ) -> Any:  # noqa: ANN401 - as above
        lookups = [] if result_type != MULTI or is_changing() else _by_index(self.query)
        if not lookups:
            return before(self, result_type, chunked_fetch, chunk_size)
        if self.query.is_sliced:
            found = _limited(self, lookups, before)
            return before(self, result_type, chunked_fetch, chunk_size) if found is None else [found]
        parts, candidates = _asked(self, lookups, lambda: before(self, result_type, chunked_fetch, chunk_size))
        kept = (_kept(part, candidates, self.col_count) for part in parts)
        return kept if chunked_fetch else list(kept)

    execute_sql.checks_candidates = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return execute_sql


def _limited(compiler: Any, lookups: list[ByIndex], before: Callable[..., Any]) -> list[Any] | None:  # noqa: ANN401 - Django's
    """The rows of a query with a short LIMIT; `None` where more candidates would have to be read."""
    whole = compiler.query
    low, high = whole.low_mark, whole.high_mark
    if high is None or high > _LONGEST:
        return None
    longer = compiler.query = _copied(whole)  # so that nobody else who has it sees the other limits
    longer.low_mark, longer.high_mark = 0, high + _AHEAD
    try:
        parts, candidates = _asked(compiler, lookups, lambda: before(compiler, MULTI))
    finally:
        compiler.query = whole
    read = [row for part in parts for row in part]
    kept = _kept(read, candidates, compiler.col_count)
    return kept[low:high] if len(kept) >= high or len(read) < high + _AHEAD else None


def _copied(query: Query) -> Query:
    """A query of its own with all that another one has: less than Django's clone, whose parts may be changed too."""
    other = Query.__new__(Query)
    other.__dict__.update(query.__dict__)
    return other


def _asked(compiler: Any, lookups: list[ByIndex], ask: Callable[[], Any]) -> tuple[Any, list[Candidates]]:  # noqa: ANN401 - as above
    """What a SELECT gives in which some lookups ask for their candidates only, and where these stand in its rows."""
    candidates: list[Candidates] = []
    setattr(compiler, CHECKED, (lookups, candidates))
    try:
        return ask(), candidates
    finally:
        delattr(compiler, CHECKED)


def _kept(rows: Iterable[Any], candidates: list[Candidates], width: int | None) -> list[Any]:
    """Rows that hold what was looked for, without what stands beside them."""
    kept = list(rows)
    for one in candidates:
        kept = one.kept(kept)
    return [row[:width] for row in kept]


def _by_index(query: Any) -> list[ByIndex]:  # noqa: ANN401 - as above
    """The lookups by an index that all rows of a query must meet; none where it does more than give rows."""
    found: list[ByIndex] = []
    _conjuncts(query.where, found)
    return found if found and _gives_rows(query) else []


def _conjuncts(where: WhereNode, found: list[ByIndex]) -> None:
    """Find the lookups by an index that all rows must meet."""
    if where.negated or where.connector != AND:
        return
    for child in where.children:
        if isinstance(child, ByIndex):
            found.append(child)
        elif isinstance(child, WhereNode):
            _conjuncts(child, found)


def _gives_rows(query: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a query does nothing with its rows but order them by columns."""
    if type(query) is not Query or query.subquery or query.combinator or query.annotations or query.extra:
        return False
    if query.distinct or query.group_by is not None or query.select_for_update or query.explain_info:
        return False
    ordering = query.order_by or (query.default_ordering and query.get_meta().ordering) or ()
    return not (query.extra_order_by or query.where.contains_over_clause) and all(type(by) is str for by in ordering)
