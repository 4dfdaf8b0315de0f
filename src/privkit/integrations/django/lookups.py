"""Lookups on an encrypted column: `exact` and `in` where it is deterministic, `isnull` always, else an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.expressions import F, Value
from django.db.models.lookups import Exact, In, Lookup
from django.utils.datastructures import OrderedSet

from privkit.integrations.django.expressions import check_compared
from privkit.integrations.django.refusals import NotSearchable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from privkit.integrations.django.fields import EncryptedField


class _Checked(Lookup):
    """Looks at the other side when it is given, and again when SQL is made: an outer reference is known only then."""

    knows_ciphertexts = True

    def get_prep_lookup(self) -> Any:  # noqa: ANN401 - a value, list or expression
        prepared = super().get_prep_lookup()
        self._check()
        return prepared

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # noqa: ANN401 - Django's own
        self._check()
        return super().as_sql(compiler, connection)

    def _check(self) -> None:
        parts = self.rhs if isinstance(self.rhs, list | tuple | set | frozenset) else [self.rhs]
        for part in parts:
            if hasattr(part, "resolve_expression") and not isinstance(part, F):
                check_compared(self.lhs.output_field, part, str(self.lookup_name))


class EncryptedIn(_Checked, In):
    """Equality with any of several values, each in every form that it may be stored in."""

    def batch_process_rhs(self, compiler: Any, connection: Any, rhs: Any = None) -> tuple[Any, Any]:  # noqa: ANN401 - Django's own
        """Encrypt the values; a value that may be stored under several key versions becomes several."""
        values = self.rhs if rhs is None else rhs
        return super().batch_process_rhs(compiler, connection, OrderedSet(_stored(self.lhs.output_field, values)))

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ANN401, ARG002 - Django's own
        """Pass ciphertexts on: they are made above."""
        return "%s", tuple(value)


class EncryptedExact(_Checked, Exact):
    """Equality with one value, in every form that it may be stored in."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # noqa: ANN401 - Django's own
        """Compare with the value's ciphertexts, of which there are several while a column changes its key version."""
        if self.rhs_is_direct_value():
            stored = self.lhs.output_field.stored_forms(self.rhs)
            lhs, params = self.process_lhs(compiler, connection)
            several = f"IN ({', '.join(['%s'] * len(stored))})"
            return f"{lhs} {several if len(stored) > 1 else '= %s'}", [*params, *stored]
        return super().as_sql(compiler, connection)


def refused(field: EncryptedField, lookup: str) -> NotSearchable:
    """Make the error that says why a lookup cannot work, and what can."""
    if lookup in {"exact", "in"}:
        return NotSearchable(
            f"{field.label}: equal values have different ciphertexts here, so that {lookup!r} would find nothing; "
            "give the field deterministic=True or an index"
        )
    able = "'exact', 'in' and 'isnull'" if field.deterministic or field.index else "'isnull'"
    return NotSearchable(
        f"{field.label}: the database sees ciphertexts, which {lookup!r} cannot be asked of; "
        f"the column knows {able}, and the rest is done after reading"
    )


def _stored(field: EncryptedField, values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        own = getattr(value, "output_field", None) if isinstance(value, Value) else None
        if getattr(own, "storage_name", None) == field.storage_name:
            yield from field.stored_forms(value.value)  # Django wraps text so, beside expressions
        elif hasattr(value, "as_sql") or hasattr(value, "resolve_expression"):
            yield value
        else:
            yield from field.stored_forms(value)
