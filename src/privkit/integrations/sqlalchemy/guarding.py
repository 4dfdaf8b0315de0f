"""Constraints and indexes that a database keeps by itself: of a randomised column they would guard and find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql.elements import TypeCoerce

from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER = (sa.CheckConstraint, sa.ForeignKeyConstraint)
"""Constraints that do not say that values are equal to none."""


def check_key(column: sa.Column[Any], table: Any) -> None:  # noqa: ANN401, ARG001 - as SQLAlchemy calls it
    """Make sure that no randomised column is a primary key.

    Raises:
        InvalidParameter: If it is.
    """
    if column.primary_key:
        _check("primary_key", column)


@event.listens_for(sa.schema.ColumnCollectionConstraint, "after_parent_attach")
def _check_constraint(constraint: Any, table: Any) -> None:  # noqa: ANN401, ARG001 - as above
    if not isinstance(constraint, _OTHER):
        for column in constraint.columns:
            _check(type(constraint).__name__, column)


@event.listens_for(sa.Index, "after_parent_attach")
def _check_index(index: sa.Index, table: Any) -> None:  # noqa: ANN401, ARG001 - as above
    for expression in index.expressions:
        for column in _columns(expression):
            _check("a unique Index" if index.unique else "an Index", column)


def _columns(expression: Any) -> Iterator[Any]:  # noqa: ANN401 - SQLAlchemy's
    """The columns of an expression, but for those whose ciphertexts are meant."""
    if isinstance(expression, sa.Column):
        yield expression
    elif not isinstance(expression, TypeCoerce):
        for part in expression.get_children():
            yield from _columns(part)


def _check(what: str, column: Any) -> None:  # noqa: ANN401 - a column
    if not getattr(column.type, "deterministic", True):
        raise InvalidParameter(
            f"{what} of the randomised column of {column.type.field_key.name!r} would guard and find nothing, since "
            "equal values have different ciphertexts there; make it deterministic=True, or give it a BlindIndex, which "
            "is indexed, and may be unique where it is long"
        )
