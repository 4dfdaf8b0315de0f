"""What may be asked of encrypted columns, and how the database is asked.

A deterministic column is compared with the ciphertexts that a value may have, one for each key version that reads. An
indexed one is compared with the indexes that the value may have; which of the candidates are the value is seen when
they are decrypted. So a statement that compares an indexed column runs after a small one that fetches the candidates,
in the same transaction, and then names the rows that hold the value: see `holders`. A SELECT that does nothing but give
rows fetches the candidates itself: see `checked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BindParameter, False_, Null, True_
from sqlalchemy.sql.lambdas import PyWrapper
from sqlalchemy.types import TypeEngine

from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.candidates import Ciphertexts, Plaintexts, Search
from privkit.integrations.sqlalchemy.conditions import Among, Asked, Lookup
from privkit.integrations.sqlalchemy.refusals import NotSearchable, unwrapped

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from privkit.integrations.sqlalchemy.encrypted import Encrypted


_BESIDE = "privkit_beside"
"""Where a column keeps the one beside it: to annotate it takes as long as the rest of a comparison."""

_EQUAL = (operators.eq, operators.in_op)
_UNEQUAL = (operators.ne, operators.not_in_op)
_SAME = (operators.is_, operators.is_not_distinct_from)
_DIFFERENT = (operators.is_not, operators.is_distinct_from)
"""Comparisons that are true or false for null, too."""


class EncryptedComparator(TypeEngine.Comparator[Any]):
    """The operators of an encrypted column."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own signature
        """Compare, or say why not."""
        encrypted: Encrypted = self.type  # type: ignore[assignment] # it belongs to that type alone
        value = other[0] if other else None
        if op is operators.distinct_op:
            return super().operate(op, *other, **kwargs)  # judged with the statement around it: see `checking`
        if op in _SAME or (op is operators.eq and _is_null(value)):
            return self._same(value)
        if op in _DIFFERENT or (op is operators.ne and _is_null(value)):
            return sa.not_(self._same(value))
        if op in _EQUAL or op in _UNEQUAL:
            value = literal_value(value)
            if isinstance(value, sa.sql.ClauseElement) and not isinstance(value, BindParameter):
                # SQLAlchemy compares columns to find them in its lists: a statement is judged when it is executed.
                return super().operate(op, value, **kwargs)
            equal = _equal(self.expr, encrypted, value, many=op in (operators.in_op, operators.not_in_op))
            return equal if op in _EQUAL else sa.not_(equal)
        name = getattr(op, "__name__", str(op)).removesuffix("_op")
        raise NotSearchable(
            f"{name} on the encrypted column of {encrypted.field_key.name!r}: the database sees ciphertexts, "
            "which have neither order nor parts; compare with ==, in_() or is_(None), or sort after reading"
        )

    def _same(self, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 - as above
        """A comparison that is true or false for null, too."""
        if _is_null(value):
            return super().operate(operators.is_, sa.null())
        return sa.and_(super().operate(operators.is_not, sa.null()), self.operate(operators.eq, _constant(value)))

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, or say why not."""
        return self.operate(op, other, **kwargs)


def _is_null(value: Any) -> bool:  # noqa: ANN401 - whatever a column is compared with
    return value is None or isinstance(value, Null)


def _constant(value: Any) -> Any:  # noqa: ANN401 - as above
    """The value of SQL's true and false."""
    return isinstance(value, True_) if isinstance(value, True_ | False_) else value


def literal_value(value: Any) -> Any:  # noqa: ANN401 - whatever a column is compared with
    """What a column is compared with: of a parameter that has its value already, the value."""
    if isinstance(value, PyWrapper):
        raise NotSearchable(
            "an encrypted column is compared with a variable of a lambda, which SQLAlchemy fills in behind its type; "
            "make the comparison outside of it, and lambda_stmt() a plain statement"
        )
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, BindParameter) and value.value is not None and value.callable is None:
        return value.value
    return value


def _equal(expr: Any, encrypted: Encrypted, value: Any, *, many: bool) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's
    if encrypted.views is not None:
        encrypted.views.check_clear("compare")
    if isinstance(value, BindParameter):
        return _equal_later(expr, encrypted, value, many=many)
    return match(expr, encrypted, list(value) if many else [value])


def match(expr: Any, encrypted: Encrypted, values: list[Any]) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's
    """A column's values are among some.

    Raises:
        NotSearchable: If the column is neither deterministic nor has an index in reach.
        InvalidValue: If some of them are no values of the column.
    """
    plains = [None if value is None else encrypted.to_plain(value) for value in values]
    if encrypted.deterministic:
        return Among(expr, Asked(Ciphertexts(encrypted, plains), encrypted.raw_type))
    blind = encrypted.encrypt.index
    source = base_of(expr)
    index = None if source is None or encrypted.index is None else beside(expr, encrypted.index)
    if blind is None or source is None or index is None:
        raise NotSearchable(
            f"the column of {encrypted.field_key.name!r} is randomised and has no index in reach of this comparison; "
            "give it a BlindIndex, or deterministic=True, and compare the table's own column"
        )
    searched = Asked(Search(source, encrypted, plains), encrypted.raw_type)
    if encrypted.mode is Mode.STRICT:
        return Lookup(expr, index, searched)
    return Lookup(expr, index, searched, Asked(Plaintexts(encrypted, plains), encrypted.raw_type))


def beside(expr: Any, name: str) -> Any:  # noqa: ANN401 - as above
    """Another column of an expression's table, alias or entity; the ORM puts entities for each other by annotations."""
    key, known = expr.__dict__.get(_BESIDE, (None, None))
    if key != (id(expr), name):  # a copy of a column has a copy of what is known of it
        known = expr.table.c.get(name)
        marks = {mark: value for mark, value in expr._annotations.items() if mark != "proxy_key"}  # noqa: SLF001 - there is no other way to know them
        known = known if known is None or not marks else known._annotate(marks)  # noqa: SLF001 - as above
        expr.__dict__[_BESIDE] = (id(expr), name), known
    return known


def base_of(expr: Any) -> sa.Column[Any] | None:  # noqa: ANN401 - SQLAlchemy's
    """The column of a table that an expression is, also by way of aliases."""
    table = getattr(expr, "table", None)
    while isinstance(table, sa.sql.expression.Alias):
        table = table.element
    return table.c.get(expr.key) if isinstance(table, sa.Table) else None


def _equal_later(expr: Any, encrypted: Encrypted, value: BindParameter[Any], *, many: bool) -> ColumnElement[bool]:  # noqa: ANN401 - as above
    """Compare with a parameter that is given on execution."""
    if not encrypted.deterministic:
        raise NotSearchable(
            f"the column of {encrypted.field_key.name!r} is randomised: it is compared with values, and not with named "
            "parameters; make it deterministic, or pass the value itself"
        )
    later = sa.type_coerce(expr, Later(encrypted))
    parameter = sa.bindparam(value.key, type_=Later(encrypted), expanding=value.expanding)
    return later.in_(parameter) if many else later == parameter


class Later(sa.types.TypeDecorator[Any]):
    """A parameter of a comparison that is given on execution: one value, hence under one key version."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, encrypted: Encrypted) -> None:
        super().__init__()
        self.encrypted = encrypted

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:  # noqa: ANN401 - SQLAlchemy's own signature
        """What the column has."""
        return self.encrypted.load_dialect_impl(dialect)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:  # noqa: ANN401 - as above
        """Encrypt it, unless that would miss rows under another version."""
        with unwrapped():
            key = self.encrypted.field_key
            if value is not None and (self.encrypted.mode is not Mode.STRICT or key.version_ids[-1] != key.stable_id):
                raise NotSearchable(
                    f"the column of {key.name!r} holds values in several forms: pass the value to the comparison "
                    "itself, and not as a named parameter"
                )
        return self.encrypted.process_bind_param(value, dialect)
