"""Which expressions may be written into an encrypted column, and which may be compared with one.

The database cannot encrypt, so that what it computes is no ciphertext: only ciphertexts that this process made, null,
and the column itself may be written or compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.expressions import Case, Col, ExpressionList, Value, When
from django.db.models.functions import Cast, Coalesce
from django.db.models.sql import Query

from privkit.integrations.django.refusals import NotSearchable, WouldWritePlaintext

if TYPE_CHECKING:
    from privkit.integrations.django.fields import EncryptedField


def check_written(field: EncryptedField, expression: Any) -> None:  # noqa: ANN401 - Django's expressions share no type
    """Make sure that an expression gives ciphertexts of this very column.

    Raises:
        WouldWritePlaintext: If some branch of it may give anything else.
    """
    if isinstance(expression, Case):
        branches = _branches(expression)
    elif isinstance(expression, Cast | Coalesce | When):
        branches = expression.get_source_expressions()
    elif _gives_own(field, expression):
        return
    elif isinstance(expression, Value):
        raise WouldWritePlaintext(
            f"{field.label}: a Value that does not know its field is written as it stands; say "
            f"Value(..., output_field={field.model.__name__}._meta.get_field({field.name!r}))"
        )
    else:
        raise WouldWritePlaintext(
            f"{field.label}: {type(expression).__name__} is computed by the database, which cannot encrypt; "
            "write values, with bulk_update for many rows"
        )
    for branch in branches:
        check_written(field, branch)


def check_compared(field: EncryptedField, expression: Any, lookup: str) -> None:  # noqa: ANN401 - as above
    """Make sure that the other side of a comparison is made of this column's ciphertexts.

    Raises:
        NotSearchable: If it is not, so that the comparison would quietly find nothing.
    """
    if isinstance(expression, ExpressionList | Case | Coalesce):
        parts = expression.get_source_expressions() if not isinstance(expression, Case) else _branches(expression)
        for part in parts:
            check_compared(field, part, lookup)
        return
    if not (_gives_own(field, expression) or _selects_own(field, expression)):
        raise NotSearchable(
            f"{field.label}: {lookup} compares its ciphertexts with something that is none of them; "
            "compare with a value, or with a deterministic column of the same key"
        )


def _branches(case: Case) -> list[Any]:
    return [branch.result for branch in case.cases] + [case.default]


def _selects_own(field: EncryptedField, expression: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a subquery gives one column, which holds ciphertexts of this one's key."""
    query = getattr(expression, "query", expression)
    if not isinstance(query, Query):
        return False
    chosen = [*query.select, *query.annotation_select.values()]
    return len(chosen) == 1 and _gives_own(field, chosen[0])


def _gives_own(field: EncryptedField, expression: Any) -> bool:  # noqa: ANN401 - as above
    if isinstance(expression, Value) and expression.value is None:
        return True
    if isinstance(expression, Value | Col):
        return getattr(expression.output_field, "storage_name", None) == field.storage_name
    return False
