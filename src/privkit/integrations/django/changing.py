"""Rows that are changed or deleted by an index: they are locked before their candidates are checked.

Which rows hold a value is known before the statement that names them is executed. Where this changes rows, nobody else
may give them another value in between. So they are locked, as the database does that, and read as they then stand, in
a transaction that lasts until the statement is done: the one that is there, or one of its own.
"""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.db.models.sql.compiler import SQLDeleteCompiler, SQLUpdateCompiler

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.integrations.django.fields import EncryptedField


class Lock(NamedTuple):
    """What is put behind a SELECT so that its rows are locked: as candidates are read, or as they are read again."""

    at_once: str
    afterwards: str


NONE: Final = Lock("", "")


@dataclass(frozen=True, slots=True)
class _Change:
    """A statement that changes rows, while it is made and executed."""

    tables: frozenset[str]
    until_done: ExitStack


_change: ContextVar[_Change | None] = ContextVar("privkit_change", default=None)


def lock_what_changes() -> None:
    """Have statements say that they change rows, so that those that are found by an index are locked first."""
    for compiler in (SQLUpdateCompiler, SQLDeleteCompiler):
        before: Any = compiler.execute_sql
        if not hasattr(before, "says_what_changes"):
            compiler.execute_sql = _changing(before)  # type: ignore[method-assign] # it offers no place of its own


def _changing(before: Callable[..., Any]) -> Callable[..., Any]:
    def execute_sql(self: Any, *given: Any, **options: Any) -> Any:  # noqa: ANN401 - Django's own
        meta = self.query.get_meta()
        tables = frozenset(one._meta.db_table for one in (meta.model, *meta.get_parent_list()))  # noqa: SLF001 - Django's way to ask
        with ExitStack() as until_done:
            token = _change.set(_Change(tables, until_done))
            try:
                return before(self, *given, **options)
            finally:
                _change.reset(token)

    execute_sql.says_what_changes = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return execute_sql


def is_changing() -> bool:
    """Whether what is executed is part of a statement that changes rows."""
    return _change.get() is not None


def lock_for(field: EncryptedField, connection: Any) -> Lock:  # noqa: ANN401 - a database connection
    """How the rows are locked that a lookup of a field names; not at all where the statement does not change them."""
    meta, change = field.model._meta, _change.get()  # noqa: SLF001 - as above
    if change is None or meta.db_table not in change.tables:
        return NONE
    if connection.get_autocommit():
        change.until_done.enter_context(transaction.atomic(using=connection.alias))
    if not connection.features.has_select_for_update:  # SQLite: whoever is about to write is alone in the database
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(meta.db_table)} WHERE 0 = 1")  # noqa: S608 - a quoted name
        return NONE
    clause = connection.ops.for_update_sql(no_key=connection.features.has_select_for_no_key_update)
    if connection.vendor == "mysql":  # whose statements lock all that they go through, and see nothing older
        return Lock(f" {clause}", "")
    key = connection.ops.quote_name(meta.pk.column)
    return Lock("", f" ORDER BY {key} {clause}")  # in one order, so that two statements do not wait for each other
