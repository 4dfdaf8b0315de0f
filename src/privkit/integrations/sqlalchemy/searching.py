"""What may be asked of encrypted columns, and how the database is asked.

A deterministic column is compared with the ciphertexts that a value may have, one for each key version that reads. An
indexed one is compared with the indexes that the value may have; which of the candidates are the value is seen when
they are decrypted. So a statement that compares an indexed column runs after a small one that fetches the candidates,
in the same transaction, and then names the right ciphertexts: counts, limits, updates and subqueries are exact. A
SELECT that does nothing but give rows fetches the candidates itself: see `checked`.

The plain value is in no parameter that the database, a log of statements or an error message sees.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList
from sqlalchemy.sql.lambdas import PyWrapper
from sqlalchemy.types import TypeEngine

from privkit.errors import DecryptionFailed
from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.binding import key_of, name_row
from privkit.integrations.sqlalchemy.fetching import plain_bytes
from privkit.integrations.sqlalchemy.refusals import NotSearchable, unwrapped

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms import BlindIndexOf
    from privkit.transforms.form import Row


_connection: ContextVar[tuple[weakref.ref[sa.Connection], Any] | None] = ContextVar("privkit_connection", default=None)
"""Where the statement is executed whose parameters are asked for, and the schemas that it puts for others."""

_moment: object = object()


def moment() -> object:
    """What tells the time of one statement from that of the next: another object for each that is executed."""
    return _moment


_WANTED: Final = "privkit_wanted"
_SCHEMAS: Final = "schema_translate_map"
_BOOLEAN: Final = sa.Boolean()
_FEWEST: Final = 128
"""Fewer candidates are opened one by one, which takes less than to lay out a column."""

_EQUAL = (operators.eq, operators.in_op)
_UNEQUAL = (operators.ne, operators.not_in_op)
_OF_COLUMNS = (operators.is_, operators.is_not, operators.distinct_op)
"""What is judged with the statement around it: see `checking`."""


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
        if op in _OF_COLUMNS:
            return super().operate(op, *other, **kwargs)
        if op in _EQUAL or op in _UNEQUAL:
            value = _literal(value)
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

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, or say why not."""
        return self.operate(op, other, **kwargs)


def _literal(value: Any) -> Any:  # noqa: ANN401 - whatever a column is compared with
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
    both = [among(index, encrypted, search.indexes), among(expr, encrypted, search.exact)]
    exact = BooleanClauseList._construct_raw(operators.and_, both)  # noqa: SLF001 - and_() takes longer than the rest
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
        """The ciphertexts that hold the values: their candidates are read where the statement is executed."""
        known = _connection.get()
        connection = None if known is None else known[0]()
        with unwrapped():
            if known is None or connection is None:
                raise NotSearchable(
                    f"the column of {self._encrypted.field_key.name!r} is compared where no candidates can be read; "
                    "execute the statement on a connection, and not as a string"
                )
            found = self._find(connection, {_SCHEMAS: known[1]} if known[1] else {})
            _connection.set(known)  # the statement proper is still to come
            if found or not self._plains:
                return found
            return ["" if self._encrypted.text else b""]  # no ciphertext, yet of null neither equal nor different

    def _find(self, connection: sa.Connection, options: dict[str, Any]) -> list[Any]:
        """Read the candidates, and keep those that hold the values."""
        key = None if self._encrypted.row is None else key_of(self._source)
        wanted = [index for index in self.indexes() if index is not None]
        found = connection.execute(self._statement(key), {_WANTED: wanted}, execution_options=options).all()
        encrypt = self._encrypted.encrypt
        if self._encrypted.mode is not Mode.STRICT:  # a plaintext's characters may happen to be the index
            found = [row for row in found if encrypt.has_form(row[0])]
        names = None if key is None else [name_row(key, row[1]) for row in found]
        sealed = [row[0] for row in found]
        exact: list[Any] = [None] if None in self._plains else []
        return exact + [one for one, held in zip(sealed, self.held(sealed, names), strict=True) if held]

    def held(self, sealed: list[Any], names: list[Row] | None = None) -> list[bool]:
        """Which ciphertexts hold one of the values; `names` are those of their rows, where they are bound to them."""
        blind = self._encrypted.encrypt.index
        wanted = [plain for plain in self._plains if plain is not None]
        return [any(self._matches(blind, plain, value) for value in wanted) for plain in self._opened(sealed, names)]

    @property
    def is_checkable(self) -> bool:
        """Whether a stored value beside a row is enough to check it: not of one that is bound to its row."""
        return self._encrypted.row is None

    def _statement(self, key: sa.Column[Any] | None) -> sa.Select[Any]:
        """The query of candidates, made once for a column: most of a short query's time goes into making it."""
        source, known = self._source.info.get(_WANTED, (None, None))
        if source is not self._source:  # a copy of a column has a copy of what is known of it
            raw = self._encrypted.raw_type
            index = sa.type_coerce(self._source.table.c[str(self._encrypted.index)], raw)
            chosen = sa.select(sa.type_coerce(self._source, raw), sa.null() if key is None else key)
            known = chosen.where(index.in_(sa.bindparam(_WANTED, expanding=True, type_=raw)))
            self._source.info[_WANTED] = self._source, known
        statement: sa.Select[Any] = known
        return statement

    def _opened(self, sealed: list[Any], names: list[Row] | None) -> list[Any]:
        encrypt = self._encrypted.encrypt
        try:
            if len(sealed) < _FEWEST:
                return [encrypt.reveal(one, row=row) for one, row in zip(sealed, names or repeat(None), strict=False)]
            return self._encrypted.stored.open_many(plain_bytes(sealed), names)
        except DecryptionFailed as error:
            raise error.located(self._encrypted.field_key.name) from None

    def _matches(self, blind: BlindIndexOf | None, plain: Any, value: Any) -> bool:  # noqa: ANN401 - values of the base type
        if blind is None:
            return False
        return blind.wanted(plain) == blind.wanted(value) if self._by_part else blind.matches(plain, value)


class Among(BinaryExpression[bool]):
    """A column's stored values are among those that a function gives when the statement is executed.

    It has a name of its own, so that the ORM does not evaluate it in Python: it would compare values with ciphertexts.
    """

    __visit_name__ = "privkit_among"
    inherit_cache = True

    def _negate(self) -> Among:
        right: Any = self.right
        right = right._negate_in_binary(self.negate, self.operator)  # noqa: SLF001 - as its base does
        return Among(self.left, right, self.negate, negate=self.operator, type_=self.type)  # type: ignore[arg-type]


@compiles(Among)
def _compile_among(element: Among, compiler: Any, **kwargs: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    """Write it as the IN that it is."""
    return str(compiler.visit_binary(element, **kwargs))


def among(expr: Any, encrypted: Encrypted, candidates: Any) -> Among:  # noqa: ANN401 - SQLAlchemy's
    """A column's stored values are among those that a function gives when the statement is executed."""
    values: Any = BindParameter(
        None, None, type_=encrypted.raw_type, unique=True, required=False, callable_=candidates, expanding=True
    )
    values.expand_op = operators.in_op
    left = expr.__clause_element__() if hasattr(expr, "__clause_element__") else expr
    return Among(left, values, operators.in_op, type_=_BOOLEAN, negate=operators.not_in_op)


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


@event.listens_for(sa.Engine, "before_execute")
def _before_execute(
    connection: sa.Connection,
    statement: Any,  # noqa: ANN401, ARG001 - as SQLAlchemy calls it
    multiparams: Any,  # noqa: ANN401, ARG001 - as above
    params: Any,  # noqa: ANN401, ARG001 - as above
    execution_options: Any,  # noqa: ANN401 - as above
) -> None:
    """Have keys asked for anew, and say where candidates are read."""
    global _moment  # noqa: PLW0603 - a moment is the same for the whole process
    _moment = object()
    _connection.set((weakref.ref(connection), execution_options.get(_SCHEMAS)))


@event.listens_for(sa.Engine, "after_execute")
def _after_execute(*_: Any) -> None:  # noqa: ANN401 - nothing of it matters
    """Read no candidates for a statement that is only looked at."""
    _connection.set(None)
