"""Lookups on a randomised column with a blind index.

The index only says which rows may hold a value, so a lookup takes two steps: when its SQL is made, the candidates are
read by the index and decrypted, and what goes into the query are the primary keys of those that hold the value, and
that they still are candidates. So a row that is written anew in between, by the job or with the same value, is the same
row, and one that got another value is none any more. That is as exact as the index is long; rows that are to be changed
are locked first: see `changing`.

Where the query does nothing but give rows, it fetches the candidates itself, and both are one step: see `checked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import EmptyResultSet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In, Lookup

from privkit.errors import DecryptionFailed
from privkit.integrations.django.binding import row_of_key
from privkit.integrations.django.changing import lock_for
from privkit.integrations.django.refusals import NotSearchable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit.integrations.django.fields import EncryptedField
    from privkit.transforms import BlindIndexOf

    _Holds = Callable[[BlindIndexOf, Any, Any], bool]


CHECKED: Final = "privkit_checked"
"""The attribute of a compiler whose SELECT is checked as it is read: the lookups that are, and their candidates."""
_NONE: Final[tuple[list[ByIndex], list[Candidates]]] = ([], [])
"""What stands there for a SELECT that is not."""


class ByIndex(Lookup):
    """Finds rows by the index, and keeps those that hold one of the values."""

    knows_ciphertexts = True

    def get_prep_lookup(self) -> Any:  # noqa: ANN401 - a value or list
        """Bring the values into the form that is looked for."""
        self._check()
        return super().get_prep_lookup()

    def as_sql(self, compiler: Any, connection: Any) -> Any:  # noqa: ANN401 - Django's own
        """Ask for the primary keys of the rows that hold a value, or for those that may, to be checked as read."""
        self._check()
        lookups, candidates = getattr(compiler, CHECKED, _NONE)
        for one in lookups:
            if one is self:
                return self._candidates_sql(compiler, connection, candidates)
        return self._named_sql(compiler, connection)

    def _named_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # noqa: ANN401 - as above
        field, values = self.lhs.target, self.wanted_values()
        found = rows_holding(field, values, connection, self.holds)
        if not found:
            raise EmptyResultSet
        name = self._named_in(compiler, connection)
        still, params = _condition(field, values, name)
        return f"({_among(name(_key_of(field).column), found)} AND {still})", [*found, *params]

    def _candidates_sql(self, compiler: Any, connection: Any, candidates: list[Candidates]) -> tuple[str, list[Any]]:  # noqa: ANN401 - as above
        values = self.wanted_values()
        if not values:
            raise EmptyResultSet
        name = self._named_in(compiler, connection)
        candidates.append(Candidates(self, values, compiler, name))
        return _condition(self.lhs.target, values, name)

    def _named_in(self, compiler: Any, connection: Any) -> Callable[[str], str]:  # noqa: ANN401 - as above
        """How a statement writes the name of a column of the lookup's table."""
        table, quoted = compiler.quote_name_unless_alias(self.lhs.alias), connection.ops.quote_name
        return lambda column: f"{table}.{quoted(column)}"

    def wanted_values(self) -> list[Any]:
        """The values that are looked for."""
        return [self.rhs]

    def holds(self, index: BlindIndexOf, stored: Any, wanted: Any) -> bool:  # noqa: ANN401 - values of the field
        """Whether a stored value is the one that is looked for."""
        return index.matches(stored, wanted)

    def _check(self) -> None:
        if type(self.rhs) is str and type(self.lhs) is Col:
            return
        parts = self.rhs if isinstance(self.rhs, list | tuple | set | frozenset) else [self.rhs]
        if not isinstance(self.lhs, Col) or any(hasattr(part, "resolve_expression") for part in parts):
            raise NotSearchable(
                f"{getattr(self.lhs.output_field, 'label', self.lookup_name)}: a blind index is looked up by values, "
                "and not by what the database computes; give the value, or make the field deterministic"
            )


class IndexedExact(ByIndex, Exact):
    """Rows that hold a value."""


class IndexedIn(ByIndex, In):
    """Rows that hold any of several values."""

    def wanted_values(self) -> list[Any]:
        """The values that are looked for; null is equal to none."""
        return [value for value in self.rhs if value is not None]


class IndexedPart(ByIndex, Exact):
    """Rows whose values have a part in common with what is looked for."""

    def holds(self, index: BlindIndexOf, stored: Any, wanted: Any) -> bool:  # noqa: ANN401 - values of the field
        """Whether the indexed parts are the same."""
        return index.wanted(stored) == index.wanted(wanted)


class Candidates:
    """The candidates of a lookup in the rows of a SELECT, whose columns they are put beside.

    Args:
        lookup: The lookup.
        values: The values that are looked for.
        compiler: What makes the SELECT.
        name: How the SELECT writes the name of a column of the lookup's table.
    """

    def __init__(self, lookup: ByIndex, values: list[Any], compiler: Any, name: Callable[[str], str]) -> None:  # noqa: ANN401 - Django's own
        self._lookup = lookup
        self._values = values
        self._field: EncryptedField = lookup.lhs.target
        self._at = self._key_at = len(compiler.select)
        compiler.select.append((lookup.lhs, (name(str(self._field.column)), ()), None))
        if self._field.row is not None:
            key = _key_of(self._field)
            compiler.select.append((Col(lookup.lhs.alias, key), (name(key.column), ()), None))
            self._key_at += 1

    def kept(self, rows: list[Any]) -> list[Any]:
        """The rows that hold what was looked for."""
        at, key = self._at, self._key_at
        held = _held(self._field, [(row[key], row[at]) for row in rows], self._values, self._lookup.holds)
        return [row for row, holds in zip(rows, held, strict=True) if holds]


def rows_holding(
    field: EncryptedField,
    values: list[Any],
    connection: Any,  # noqa: ANN401 - a database connection
    holds: _Holds,
) -> list[Any]:
    """The primary keys of the rows that hold one of some values; where these are to be changed, they are locked.

    Raises:
        DecryptionFailed: If a candidate does not open.
    """
    if not values:
        return []
    name, lock = connection.ops.quote_name, lock_for(field, connection)

    def kept(where: str, params: list[Any], locked: str) -> list[Any]:
        rows = _stored(field, connection, where + locked, params)
        return [key for (key, _), held in zip(rows, _held(field, rows, values, holds), strict=True) if held]

    wanted, params = _condition(field, values, name)
    found = kept(wanted, params, lock.at_once)
    if found and lock.afterwards:
        named = _among(name(_key_of(field).column), found)
        return kept(f"{named} AND {wanted}", [*found, *params], lock.afterwards)
    return found


def _held(field: EncryptedField, rows: Sequence[tuple[Any, Any]], values: list[Any], holds: _Holds) -> list[bool]:
    """Which rows, each a primary key and what is stored, hold one of some values."""
    form = field.stored
    index, stored = form.encrypt.index, [_plain_bytes(sealed) for _, sealed in rows]
    if index is None:
        return [False] * len(rows)
    try:
        names = None if field.row is None else [row_of_key(field, key) for key, _ in rows]
        opened = [form.read(stored[0])] if names is None and len(stored) == 1 else form.read_many(stored, names)
    except DecryptionFailed as failure:
        raise failure.located(field.label) from None
    if len(values) == 1:
        return [holds(index, value, values[0]) for value in opened]
    return [any(holds(index, value, one) for one in values) for value in opened]


def _stored(field: EncryptedField, connection: Any, where: str, params: list[Any]) -> list[tuple[Any, Any]]:  # noqa: ANN401 - as above
    """Primary key and stored value of some rows."""
    name, table = connection.ops.quote_name, field.model._meta.db_table  # noqa: SLF001 - Django's way to ask
    columns = f"{name(_key_of(field).column)}, {name(field.column)}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {name(table)} WHERE {where}", params)  # noqa: S608 - quoted names
        return list(cursor.fetchall())


def _condition(field: EncryptedField, values: list[Any], name: Callable[[str], str]) -> tuple[str, list[Any]]:
    """What rows meet that may hold one of some values: by the index, or in clear."""
    stored = field.stored
    indexes = [index for value in values for index in stored.encrypt.index_candidates(value)]
    plain = [text for value in values for text in stored.plain_candidates(value)]
    companion = str(field.model._meta.get_field(str(field.index)).column)  # type: ignore[union-attr] # noqa: SLF001 - it is no reverse relation; as above
    where = _among(name(companion), indexes)
    if plain:
        where = f"({where} OR {_among(name(str(field.column)), plain)})"
    return where, [*indexes, *plain]


def _among(column: str, values: Sequence[Any]) -> str:
    """The condition that a column is one of some values, which go with it as parameters."""
    return f"{column} IN ({', '.join(['%s'] * len(values))})"


def _key_of(field: EncryptedField) -> Any:  # noqa: ANN401 - any field
    return field.model._meta.pk  # noqa: SLF001 - as above


def _plain_bytes(value: Any) -> Any:  # noqa: ANN401 - whatever stands there
    """What is stored, as `bytes` where the driver has a type of its own for that."""
    return value if type(value) is bytes or not isinstance(value, memoryview | bytearray) else bytes(value)
