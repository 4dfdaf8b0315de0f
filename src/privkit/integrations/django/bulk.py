"""Read many rows at once: whole columns are decrypted together, several times as fast as value by value.

Django puts the values of a row through their converters one by one. Here a page of rows is fetched as the driver gives
it, and goes through the converters, of which decryption is one, column by column.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import EmptyResultSet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Case, ColPairs, F, When

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.integrations.django.binary import executed
from privkit.integrations.django.binding import row_of_key
from privkit.integrations.django.computing import encrypted
from privkit.integrations.django.paths import encrypted_in_path
from privkit.integrations.django.plain import is_plain_text, value_of
from privkit.integrations.django.refusals import NotBound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db import models

    from privkit.integrations.django.fields import EncryptedField
    from privkit.transforms.form import Row

NO_ROW: Final = "-"
"""Stands for a row that an outer join did not find, whose columns are null."""

PAGE: Final = 5_000
"""Rows that are decrypted together: enough for long calls, and their values are still in the processor's cache."""


def reveal_rows(queryset: models.QuerySet[Any], *names: str) -> list[tuple[Any, ...]]:
    """What `queryset.values_list(*names)` gives, with encrypted columns decrypted as columns.

    Args:
        queryset: The rows. Slice it, or go by primary keys, where they are more than fit into memory.
        *names: Fields, also of related models: `"phone"`, `"owner__email"`; and annotations.

    Returns:
        A tuple for each row, in the order of the query.

    Raises:
        DecryptionFailed: If values do not open; the error names the column and the rows.
        NotBound: If a column is bound to its rows, and the query combines others so that it cannot give their keys.
        InvalidValue: If they open, or stand in clear, and are none of the field; it names column and row, too.
        RevealRefused: If a column has views and the present one does not give it.
    """
    if not names:
        raise InvalidParameter("no field was named; say which columns are to be read")
    queryset, keys = _with_keys(queryset, names)
    asked = [*names, *dict.fromkeys(path for path in keys.values() if path not in names)]
    compiler = queryset.values_list(*asked).query.get_compiler(queryset.db)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return []
    chosen = _columns(compiler, {place: asked.index(path) for place, path in keys.items()})
    columns = [column for parts in chosen for column in parts]
    with executed(compiler.connection, sql, params, [column.expression for column in columns]) as cursor:
        while page := cursor.fetchmany(PAGE):
            fetched = list(zip(*page, strict=True))
            for column in columns:
                column.take(fetched)
    return list(zip(*map(_values, chosen[: len(names)]), strict=True))


class _Column:
    """A column of a SELECT, and what was read of it.

    Args:
        place: Which of the columns it is.
        expression: What it is.
        converters: What each value goes through that the driver gives.
        connection: The database.
    """

    def __init__(self, place: int, expression: Any, converters: Sequence[Any], connection: Any) -> None:  # noqa: ANN401 - Django's expressions share no type, and connections differ
        self.place = place
        self.expression = expression
        self.converters = converters
        self.connection = connection
        self._read: list[Any] = []

    def take(self, fetched: Sequence[Sequence[Any]]) -> None:
        """Read a page, given as columns."""
        self._read += self.converted(fetched)

    def converted(self, fetched: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """This column of a page."""
        column = fetched[self.place]
        for convert in self.converters:
            column = [convert(value, self.expression, self.connection) for value in column]
        return column

    def values(self) -> list[Any]:
        """What was read."""
        return self._read


class _Sealed(_Column):
    """An encrypted column.

    Args:
        column: The column, which its field would open value by value.
        field: The field.
        key: The column that names the rows, where the field is bound to those.
    """

    def __init__(self, column: _Column, field: EncryptedField, key: _Column | None) -> None:
        super().__init__(column.place, column.expression, column.converters[:-1], column.connection)  # the last opens
        self._field = field
        self._key = key
        self._failed: list[int] = []

    def take(self, fetched: Sequence[Sequence[Any]]) -> None:
        """Open a page; what fails is told at the end, with its row."""
        stored = _as_bytes(self.converted(fetched))
        rows = None if self._key is None else [_row(self._field, key) for key in self._key.converted(fetched)]
        try:
            self._read += self._field.stored.read_many(stored, rows)
        except DecryptionFailed as failure:
            self._failed += (len(self._read) + row for row in failure.rows)
            self._read += stored
        except InvalidValue as refusal:
            raise refusal.located(self._field.label, len(self._read)) from None

    def values(self) -> list[Any]:
        """The values, as the present view shows them.

        Raises:
            DecryptionFailed: If some did not open.
            InvalidValue: If some are none of the field.
            RevealRefused: If the present view does not give them.
        """
        field, plain = self._field, self._read
        if self._failed:
            raise DecryptionFailed(self._failed, column=field.label)
        return field.shown(plain if is_plain_text(field.base_field) else self._of_field(plain))

    def _of_field(self, plain: Sequence[Any]) -> list[Any]:
        base, found = self._field.base_field, []
        try:
            for one in plain:
                found.append(None if one is None else value_of(base, one, self.connection))  # noqa: PERF401 - its length says where it failed
        except InvalidValue as refusal:
            raise InvalidValue(
                refusal.reason, field_type=refusal.field_type, rows=[len(found)], column=self._field.label
            ) from None
        return found


def _columns(compiler: Any, keys: Mapping[int, int]) -> list[list[_Column]]:  # noqa: ANN401 - Django's own
    """The columns of a SELECT by what was asked for, of which each is one, but for keys of several columns.

    Args:
        compiler: What made the SELECT.
        keys: For what is bound to rows, where it was asked for the keys of those.
    """
    named = [expression for expression, *_ in compiler.select[: compiler.col_count]]
    flat = [column for one in named for column in (one if isinstance(one, ColPairs) else [one])]
    converters = {place: found for place, (found, _) in compiler.get_converters(flat).items()}
    columns = [_Column(at, one, converters.get(at, ()), compiler.connection) for at, one in enumerate(flat)]
    of_each = iter(columns)
    chosen = [list(islice(of_each, len(one) if isinstance(one, ColPairs) else 1)) for one in named]
    for place, (column, *_) in enumerate(chosen):
        field = encrypted(column.expression)
        if field is not None and (field.row is None or place in keys):
            chosen[place] = [_Sealed(column, field, chosen[keys[place]][0] if place in keys else None)]
    return chosen


def _as_bytes(stored: Sequence[Any]) -> Sequence[Any]:
    """A stored column without the type of its own that a driver has for bytes, and then for all of them."""
    first = next((one for one in stored if one is not None), None)
    return [None if one is None else bytes(one) for one in stored] if isinstance(first, memoryview) else stored


def _values(parts: Sequence[_Column]) -> Sequence[Any]:
    """The values of what was asked for."""
    return parts[0].values() if len(parts) == 1 else list(zip(*(part.values() for part in parts), strict=True))


def _with_keys(queryset: models.QuerySet[Any], names: Sequence[str]) -> tuple[models.QuerySet[Any], dict[int, str]]:
    """A query that can give the keys of rows beside what is bound to them, and its paths to those, by place.

    No two rows have the same ciphertext, so that rows that differ in it may differ in their key as well. Nulls are
    alike in all rows: where a query looks for rows that are alike, the key beside a null is null.

    Raises:
        NotBound: If it combines others that give no keys, or whose nulls it takes for alike.
    """
    query, keys = queryset.query, {}
    alike = query.distinct or query.group_by is not None
    for place, name in enumerate(names):
        field = encrypted_in_path(queryset.model, name)
        if field is None or field.row is None:
            continue
        keys[place] = key = _key_beside(name)
        if key not in names and query.combinator:
            _check_combined(field, query, key)
        elif key not in names and field.null and alike:
            keys[place] = f"privkit_key_{place}"
            of_values = Case(When(**{f"{name}{LOOKUP_SEP}isnull": False}, then=F(key)))
            queryset = queryset.annotate(**{keys[place]: of_values})
    return queryset, keys


def _check_combined(field: EncryptedField, query: Any, key: str) -> None:  # noqa: ANN401 - Django's own
    alike = field.null and not query.combinator_all
    if alike or any(one.values_select or one.annotation_select for one in query.combined_queries):
        raise NotBound(
            f"{field.label} is bound to its row, and {query.combinator}() cannot be asked for the keys of its rows "
            f"beside; let its queries and reveal_rows name {key!r} too, or read them one by one"
        )


def _key_beside(path: str) -> str:
    """The path to the primary key of the row that a path leads into."""
    owner, _, _ = path.rpartition(LOOKUP_SEP)
    return f"{owner}{LOOKUP_SEP}pk" if owner else "pk"


def _row(field: EncryptedField, key: object) -> Row:
    return NO_ROW if key is None else row_of_key(field, key)
