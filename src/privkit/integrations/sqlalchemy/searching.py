"""What may be asked of encrypted columns, and how the database is asked.

A deterministic column is compared with the ciphertexts that a value may have, one for each key version that reads. An
indexed one is compared with the indexes that the value may have; which of the candidates are the value is seen when
they are decrypted. So a statement that compares an indexed column runs after a small one that fetches the candidates,
in the same transaction, and then names the right ciphertexts: counts, limits, updates and subqueries are exact.

The plain value is in no parameter that the database, a log of statements or an error message sees.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.sql import operators, visitors
from sqlalchemy.types import TypeEngine

from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.refusals import NotSearchable, unwrapped
from privkit.integrations.sqlalchemy.writing import check_written

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import BindParameter, ColumnElement

    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms import BlindIndexOf


_found: ContextVar[dict[Search, list[Any]] | None] = ContextVar("privkit_found", default=None)

_moment: object = object()


def moment() -> object:
    """What tells the time of one statement from that of the next: another object for each that is executed."""
    return _moment


_EQUAL = (operators.eq, operators.in_op)
_UNEQUAL = (operators.ne, operators.not_in_op)
_IS = (operators.is_, operators.is_not)


class EncryptedComparator(TypeEngine.Comparator[Any]):
    """The operators of an encrypted column."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own signature
        """Compare, or say why not."""
        encrypted: Encrypted = self.type  # type: ignore[assignment] # it belongs to that type alone
        value = other[0] if other else None
        if op in (operators.eq, operators.is_) and value is None:
            return super().operate(operators.is_, sa.null(), **kwargs)
        if op in (operators.ne, operators.is_not) and value is None:
            return super().operate(operators.is_not, sa.null(), **kwargs)
        if op in _IS or (isinstance(value, sa.ColumnElement) and hash(value) == hash(self.expr)):
            # A column and itself: so SQLAlchemy finds columns in its own dictionaries.
            return super().operate(op, value, **kwargs)
        if op in _EQUAL:
            return _equal(self.expr, encrypted, op, value)
        if op in _UNEQUAL:
            return sa.not_(_equal(self.expr, encrypted, operators.eq if op is operators.ne else operators.in_op, value))
        name = getattr(op, "__name__", str(op)).removesuffix("_op")
        raise NotSearchable(
            f"{name} on the encrypted column of {encrypted.field_key.name!r}: the database sees ciphertexts, "
            "which have neither order nor parts; compare with ==, in_() or is_(None), or sort after reading"
        )

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, or say why not."""
        return self.operate(op, other, **kwargs)


def _equal(expr: Any, encrypted: Encrypted, op: Any, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's
    if encrypted.views is not None:
        encrypted.views.check_clear("compare")
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, sa.sql.elements.BindParameter) and value.value is not None and value.callable is None:
        value = value.value
    if isinstance(value, sa.sql.ClauseElement):
        return _equal_in_sql(expr, encrypted, op, value)
    values = list(value) if op is operators.in_op else [value]
    return match(expr, encrypted, values)


def match(expr: Any, encrypted: Encrypted, values: list[Any]) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's
    """A column's values are among some.

    Raises:
        NotSearchable: If the column is neither deterministic nor has an index in reach.
        InvalidValue: If some of them are no values of the column.
    """
    plains = [None if value is None else encrypted.to_plain(value) for value in values]
    if encrypted.deterministic:
        return among(expr, encrypted, Stored(encrypted, plains).candidates)
    blind = encrypted.encrypt.index
    source = base_of(expr)
    index = None if encrypted.index is None else getattr(expr, "table", sa.null()).c.get(encrypted.index)
    if blind is None or source is None or index is None:
        raise NotSearchable(
            f"the column of {encrypted.field_key.name!r} is randomised and has no index in reach of this comparison; "
            "give it a BlindIndex, or deterministic=True, and compare the table's own column"
        )
    search = Search(source, encrypted, plains)
    exact = sa.and_(among(index, encrypted, search.indexes), among(expr, encrypted, search.exact))
    if encrypted.mode is Mode.STRICT:
        return exact
    return sa.or_(exact, among(expr, encrypted, Stored(encrypted, plains).plaintexts))


def base_of(expr: Any) -> sa.Column[Any] | None:  # noqa: ANN401 - SQLAlchemy's
    """The column of a table that an expression is, also by way of aliases."""
    table = getattr(expr, "table", None)
    while isinstance(table, sa.sql.expression.Alias):
        table = table.element
    return table.c.get(expr.key) if isinstance(table, sa.Table) else None


class Stored:
    """What values may stand as in a deterministic column, and as plaintext in any."""

    def __init__(self, encrypted: Encrypted, plains: list[Any]) -> None:
        self._encrypted = encrypted
        self._plains = plains

    def candidates(self) -> list[Any]:
        """Ciphertexts under each version that reads, and plaintexts where the mode reads them; null for null."""
        with unwrapped():
            stored = self._encrypted.stored
            return [one for plain in self._plains for one in ([None] if plain is None else stored.candidates(plain))]

    def plaintexts(self) -> list[Any]:
        """Plaintexts, where the mode reads them."""
        with unwrapped():
            stored = self._encrypted.stored
            return [one for plain in self._plains if plain is not None for one in stored.plain_candidates(plain)]


class Search:
    """A search for values of an indexed column.

    Args:
        source: The table's own column.
        encrypted: Its type.
        plains: What is looked for; of an index's column, the parts.
        by_part: Whether values that have those parts are looked for.
    """

    def __init__(
        self, source: sa.Column[Any], encrypted: Encrypted, plains: list[Any], *, by_part: bool = False
    ) -> None:
        self._source = source
        self._encrypted = encrypted
        self._plains = plains
        self._by_part = by_part

    def indexes(self) -> list[Any]:
        """The indexes that the values may have."""
        with unwrapped():
            find = self._encrypted.stored.encrypt.index_candidates
            return [one for plain in self._plains for one in ([None] if plain is None else find(plain))]

    def exact(self) -> list[Any]:
        """The ciphertexts that hold the values; known once the candidates are read."""
        found = (_found.get() or {}).get(self)
        with unwrapped():
            if found is None:
                raise NotSearchable(
                    f"the column of {self._encrypted.field_key.name!r} was compared without its candidates being read; "
                    "execute the statement on a connection, and not as a string"
                )
        return found

    def find(self, connection: sa.Connection) -> list[Any]:
        """Read the candidates and decrypt them."""
        index = self._source.table.c[str(self._encrypted.index)]
        stored = self._encrypted.stored_type()
        statement = (
            sa.select(sa.type_coerce(self._source, stored))
            .where(among(index, self._encrypted, self.indexes))
            .distinct()
        )
        blind = self._encrypted.encrypt.index
        wanted = [plain for plain in self._plains if plain is not None]
        exact: list[Any] = [] if len(wanted) == len(self._plains) else [None]
        for sealed in connection.execute(statement).scalars():
            if self._encrypted.stored.mode is not Mode.STRICT and not self._encrypted.encrypt.has_form(sealed):
                continue  # a plaintext whose characters happen to be the index
            plain = self._encrypted.stored.encrypt.reveal(sealed)
            if blind is not None and any(self._matches(blind, plain, value) for value in wanted):
                exact.append(sealed)
        return exact

    def _matches(self, blind: BlindIndexOf, plain: Any, value: Any) -> bool:  # noqa: ANN401 - values of the base type
        return blind.wanted(plain) == blind.wanted(value) if self._by_part else blind.matches(plain, value)


def among(expr: Any, encrypted: Encrypted, candidates: Any) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's
    """A column's stored values are among those that a function gives when the statement is executed."""
    stored = encrypted.stored_type()
    values: BindParameter[Any] = sa.bindparam(None, callable_=candidates, type_=stored, unique=True, expanding=True)
    return sa.type_coerce(expr, stored).in_(values)


def _equal_in_sql(expr: Any, encrypted: Encrypted, op: Any, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 - as above
    """Compare with what the database has, or with a parameter that is given later."""
    stored = encrypted.stored_type()
    if isinstance(value, sa.sql.elements.Null):
        return sa.type_coerce(expr, stored).is_(value)
    if not encrypted.deterministic:
        raise NotSearchable(
            f"the column of {encrypted.field_key.name!r} is randomised: its ciphertexts are compared with values only; "
            "make it deterministic, or pass the value itself"
        )
    if isinstance(value, sa.sql.elements.BindParameter):
        later = sa.type_coerce(expr, Later(encrypted))
        parameter = sa.bindparam(value.key, type_=Later(encrypted), expanding=value.expanding)
        return later.in_(parameter) if op is operators.in_op else later == parameter
    others = [column.type for column in getattr(value, "selected_columns", [value])]
    if not all(_same(encrypted, other) for other in others):
        raise NotSearchable(
            f"the column of {encrypted.field_key.name!r} is compared with what holds none of its ciphertexts; "
            "compare with a value, or with a deterministic column of the same key"
        )
    own = sa.type_coerce(expr, stored)
    return own.in_(value) if op is operators.in_op else own == sa.type_coerce(value, stored)


def _same(encrypted: Encrypted, other: Any) -> bool:  # noqa: ANN401 - a type
    return (
        isinstance(other, type(encrypted))
        and other.deterministic
        and other.text == encrypted.text
        and other.field_key == encrypted.field_key
    )


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


@event.listens_for(sa.Engine, "before_execute", retval=True)
def _before_execute(
    connection: sa.Connection,
    statement: Any,  # noqa: ANN401 - whatever can be executed
    multiparams: Any,  # noqa: ANN401 - as above
    params: Any,  # noqa: ANN401 - as above
    execution_options: Any,  # noqa: ANN401, ARG001 - as above
) -> tuple[Any, Any, Any]:
    """Read candidates, refuse to sort by ciphertexts and to write what is none, and have keys asked for anew."""
    global _moment  # noqa: PLW0603 - a moment is the same for the whole process
    _moment = object()
    if isinstance(statement, sa.sql.expression.UpdateBase):
        check_written(statement)
    if isinstance(statement, sa.sql.ClauseElement):
        searches = _searches(statement)
        if searches:
            _found.set({search: search.find(connection) for search in searches})
    return statement, multiparams, params


def _searches(statement: Any) -> list[Search]:  # noqa: ANN401 - whatever can be executed
    searches: list[Search] = []
    for element in visitors.iterate(statement):
        if isinstance(element, sa.sql.elements.BindParameter):
            search = getattr(element.callable, "__self__", None)
            if isinstance(search, Search) and element.callable == search.exact and search not in searches:
                searches.append(search)
        elif isinstance(element, sa.sql.expression.GenerativeSelect):
            for clause in element._order_by_clauses:  # noqa: SLF001 - there is no other way to see them
                _check_sorted(clause)
    return searches


def _check_sorted(clause: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
    while isinstance(clause, sa.sql.elements.UnaryExpression):
        clause = clause.element
    if isinstance(getattr(clause, "type", None), TypeEngine) and clause.type.comparator_factory is EncryptedComparator:
        raise NotSearchable(
            f"ORDER BY the encrypted column of {clause.type.field_key.name!r}: the order of ciphertexts means nothing; "
            "sort after reading"
        )
