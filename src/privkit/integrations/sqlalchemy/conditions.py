"""Conditions on what is stored: a column is among candidates, or is found by its index and holds a value.

A condition is written with one parameter for each candidate, so that SQLAlchemy keeps the text of a statement as it is
sent; lists of parameters, as `IN` has them, it would write into the text anew each time. How many candidates there are
stands in the key that statements are kept by, and a statement that was kept for a keyring with fewer is made anew.
Where there are many, it is a list after all.

They are elements of their own, so that the ORM does not evaluate them in Python: it would compare values with
ciphertexts. The plain value is in no parameter that the database, a log of statements or an error message sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnElement, UnaryExpression
from sqlalchemy.sql.visitors import InternalTraversal

from privkit.integrations.sqlalchemy.candidates import Candidates, Search
from privkit.integrations.sqlalchemy.holders import names_of, type_of_names

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

_BOOLEAN: Final = sa.Boolean()
_MOST_SLOTS: Final = 8
"""More candidates go as a list: each number of them is a statement of its own to be kept."""
_KEPT: Final = "_generate_cache_key"
"""Where a statement keeps the key that it is known by."""
_SLOTS: Final = "privkit_slots"
"""Where it keeps that key beside the numbers of parameters that it stands for."""


class _Slot(sa.types.TypeDecorator[Any]):
    """The type of a parameter for one of some candidates, which are handed to it all.

    Args:
        raw: What a candidate is.
        at: Which of them it is.
        slots: How many such parameters the condition has.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, raw: TypeEngine[Any], at: int, slots: int) -> None:
        super().__init__()
        self.raw = raw
        self.at = at
        self.slots = slots

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:  # noqa: ANN401 - SQLAlchemy's own signature
        """What a candidate is."""
        return dialect.type_descriptor(self.raw)  # type: ignore[no-any-return] # SQLAlchemy's

    def process_bind_param(self, value: Any, dialect: Any) -> Any:  # noqa: ANN401, ARG002 - as above
        """The candidate; where they are fewer now, the last one again."""
        found = value.within(self.slots)
        return found[min(self.at, len(found) - 1)]


class Asked(BindParameter[Any]):
    """The parameter of a condition: its value is the candidates, and of a search its function the rows' names."""

    inherit_cache = True

    def __init__(self, candidates: Candidates, raw: TypeEngine[Any]) -> None:
        exact = candidates.exact if isinstance(candidates, Search) else None
        super().__init__(None, candidates, raw, True, False, callable_=exact, expanding=True)  # noqa: FBT003 - SQLAlchemy's
        self.slots = -1

    @property
    def candidates(self) -> Candidates:
        """What is asked for."""
        found: Any = self.value
        return found  # type: ignore[no-any-return] # it was given

    def slots_now(self) -> int:
        """How many parameters the candidates need as the keyring stands now; 0 where they go as a list."""
        most = self.candidates.most
        return most if most <= _MOST_SLOTS else 0

    def slot(self, at: int, slots: int) -> Asked:
        """The parameter for one of the candidates."""
        one = self.as_list()
        one.type, one.expanding = _Slot(self.type, at, slots), False
        return one

    def as_list(self, negated: bool = False) -> Asked:  # noqa: FBT001, FBT002 - what SQLAlchemy makes of an empty list
        """The parameter for all candidates in a list."""
        several = self.exact(self.type, negated=negated)
        several.callable = None
        return several

    def exact(self, kind: TypeEngine[Any], *, negated: bool = False) -> Asked:
        """The parameter for the names of the rows that hold what is searched for."""
        several = Asked(self.candidates, kind)  # and no clone: one of what the ORM annotates is equal to it
        several._cloned_set.update(self._cloned_set)  # by which a statement that is kept finds its values
        several.expand_op = operators.not_in_op if negated else operators.in_op  # type: ignore[assignment] # SQLAlchemy's
        return several

    def _with_value(self, value: Any, *args: Any, **kwargs: Any) -> Asked:  # noqa: ANN401 - as its base has it
        """Another search in its place, as the ORM does where it keeps the options of a query."""
        fresh: Any = super()._with_value(value, *args, **kwargs)  # type: ignore[no-untyped-call] # SQLAlchemy's
        fresh.callable = value.exact if isinstance(value, Search) else None
        return fresh  # type: ignore[no-any-return] # as above

    def _gen_cache_key(self, anon_map: Any, bindparams: Any) -> Any:  # noqa: ANN401 - as above
        self.slots = self.slots_now()
        return (*super()._gen_cache_key(anon_map, bindparams), self.slots)  # type: ignore[no-untyped-call] # SQLAlchemy's


class _Condition(ColumnElement[bool]):
    """A condition on a column, asked with a parameter."""

    inherit_cache = True
    _is_implicitly_boolean = True
    type = _BOOLEAN
    column: ColumnElement[Any]
    asked: Asked

    def __init__(self, column: ColumnElement[Any], asked: Asked) -> None:
        self.column = column
        self.asked = asked
        self._propagate_attrs = self.column._propagate_attrs  # noqa: SLF001 - as an element does with its parts

    def self_group(self, against: Any = None) -> Self:  # noqa: ANN401, ARG002 - as above
        """Itself: it brings its own brackets, and every database knows that it is true or false."""
        return self

    @property
    def _from_objects(self) -> list[Any]:
        return self.column._from_objects  # noqa: SLF001 - as above


class Among(_Condition):
    """A column's stored values are among candidates."""

    __visit_name__ = "privkit_among"
    _traverse_internals = [  # noqa: RUF012 - as its base has it
        ("column", InternalTraversal.dp_clauseelement),
        ("asked", InternalTraversal.dp_clauseelement),
        ("negated", InternalTraversal.dp_boolean),
    ]

    def __init__(self, column: ColumnElement[Any], asked: Asked, *, negated: bool = False) -> None:
        super().__init__(column, asked)
        self.negated = negated

    def _negate(self) -> Among:
        return Among(self.column, self.asked, negated=not self.negated)


class Lookup(_Condition):
    """An indexed column holds one of the values of a search.

    Args:
        column: The column.
        index: Its index's column.
        asked: The parameter.
        plain: The parameter for plaintexts, while the column may hold some.
    """

    __visit_name__ = "privkit_lookup"
    _traverse_internals = [  # noqa: RUF012 - as above
        ("column", InternalTraversal.dp_clauseelement),
        ("index", InternalTraversal.dp_clauseelement),
        ("asked", InternalTraversal.dp_clauseelement),
        ("plain", InternalTraversal.dp_clauseelement),
    ]
    _cache_key_traversal = [  # noqa: RUF012 - as above
        ("column", InternalTraversal.dp_clauseelement),  # it says which its index is
        ("asked", InternalTraversal.dp_clauseelement),
        ("plain", InternalTraversal.dp_clauseelement),
    ]
    index: ColumnElement[Any]
    plain: Asked | None

    def __init__(
        self, column: ColumnElement[Any], index: ColumnElement[Any], asked: Asked, plain: Asked | None = None
    ) -> None:
        super().__init__(column, asked)
        self.index = index
        self.plain = plain

    def candidates(self) -> ColumnElement[bool]:
        """The condition that the candidates meet, plaintexts among them."""
        by_index = Among(self.index, self.asked)
        return by_index if self.plain is None else sa.or_(by_index, Among(self.column, self.plain))

    def _negate(self) -> ColumnElement[bool]:
        return UnaryExpression(self, operator=operators.inv, type_=_BOOLEAN)


@compiles(Among)
def _compile_among(among: Among, compiler: Any, **kwargs: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own signature
    asked = among.asked
    slots = asked.slots_now() if compiler.cache_key is None or asked.slots < 0 else asked.slots
    if slots == 0:
        return _in_list(among.column, asked.as_list(negated=among.negated), compiler, negated=among.negated, **kwargs)
    column = compiler.process(among.column, **kwargs)
    parameters = [compiler.process(asked.slot(at, slots), **kwargs) for at in range(slots)]
    if slots == 1:
        return f"{column} {'!=' if among.negated else '='} {parameters[0]}"
    return f"({column} {'NOT IN' if among.negated else 'IN'} ({', '.join(parameters)}))"


@compiles(Lookup)
def _compile_lookup(lookup: Lookup, compiler: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as above
    """The rows that were found to hold the values, and are candidates still; null where the column is null."""
    column, asked, search = lookup.column, lookup.asked, cast("Search", lookup.asked.candidates)
    names = names_of(search.source, column)
    name = names[0] if len(names) == 1 else sa.tuple_(*names)
    named = _in_list(name, asked.exact(type_of_names(names)), compiler, **kwargs)
    candidates = compiler.process(lookup.candidates().self_group(operators.and_), **kwargs)
    return f"({candidates} AND ({named} OR {compiler.process(column, **kwargs)} IS NULL))"


def _in_list(column: Any, several: Asked, compiler: Any, *, negated: bool = False, **kwargs: Any) -> str:  # noqa: ANN401 - as above
    operator = operators.not_in_op if negated else operators.in_op
    return str(compiler.process(BinaryExpression(column, several, operator, type_=_BOOLEAN), **kwargs))


@event.listens_for(sa.Engine, "before_execute")
def _before_execute(
    connection: sa.Connection,  # noqa: ARG001 - as SQLAlchemy calls it
    statement: Any,  # noqa: ANN401 - as above
    multiparams: Any,  # noqa: ANN401, ARG001 - as above
    params: Any,  # noqa: ANN401, ARG001 - as above
    execution_options: Any,  # noqa: ANN401, ARG001 - as above
) -> None:
    """Have a statement that is executed again known by another key, where the keyring has other versions now."""
    kept = getattr(statement, "__dict__", {}).get(_KEPT)
    key = None if kept is None else kept()
    slots = () if key is None else tuple(one.slots_now() for one in key.bindparams if isinstance(one, Asked))
    known = getattr(statement, _SLOTS, (None, ()))
    if slots and (known[0] is not key or known[1] != slots):
        statement.__dict__.pop(_KEPT, None)  # another thread that executes it may have been here
        statement.__dict__[_SLOTS] = (statement._generate_cache_key(), slots)  # noqa: SLF001 - there is no other way to know it
