"""Values that are bound to the row they stand in: `EncryptedField(..., row="id")`.

A field of Django's sees the row when an object is saved (`pre_save`), and nowhere else: not when a value is read, not
in `update`, not in `bulk_update`, not in a fixture. So the row travels with the value:

| on the way | what carries it |
|---|---|
| save, create, bulk_create | `Bound`, made by `pre_save`: the value and the object's primary key |
| bulk_update | the condition `pk = x` of each branch says the row; nothing else of `Case` is taken |
| loaddata | `Bound`, put into the object by a signal, since a raw save asks for no `pre_save` |
| read of an object | `Sealed`, which the attribute opens by the object's primary key |
| `values`, `values_list` | `Sealed`, which the caller opens by the key; or `reveal_rows`, which reads the key too |
| `update(note="x")`, an upsert that may meet another row | refused: what is written would open in no row, or in one |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models.constants import OnConflict
from django.db.models.expressions import Case, Col, Value
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_save, pre_save

from privkit.errors import InvalidParameter
from privkit.integrations.django.refusals import NotBound
from privkit.integrations.lifecycle import Bound, row_name

if TYPE_CHECKING:
    from django.db import models

    from privkit.integrations.django.fields import EncryptedField
    from privkit.transforms.form import Row


class Sealed:
    """A stored value whose row is not known yet: `values()` gives it, and `open` makes a value of it.

    Args:
        field: The field.
        stored: What stands in the column; not null.
        using: The alias of the database.
    """

    __slots__ = ("_field", "_stored", "_using")

    def __init__(self, field: EncryptedField, stored: Any, using: str) -> None:  # noqa: ANN401 - bytes or str
        self._field = field
        self._stored = stored
        self._using = using

    def open(self, key: object) -> Any:  # noqa: ANN401 - a value of the field
        """Decrypt it.

        Args:
            key: The primary key of the row that it was read from.

        Raises:
            DecryptionFailed: If it was not written for that row.
        """
        row = row_of_key(self._field, key)
        return self._field.opened(self._stored, connections[self._using], row)

    def __str__(self) -> str:
        raise refuse_unbound(self._field)  # else it would be taken for the value, and written as text somewhere

    def __repr__(self) -> str:
        return f"<{self._field.label}, sealed: open it with the primary key of its row>"


class BoundAttribute(DeferredAttribute):
    """The attribute of a bound field: what was loaded is opened by the primary key of its object.

    At once where the key is there already, as it is when an object is loaded and the key is declared before the field.
    """

    field: EncryptedField

    def __get__(self, instance: Any, cls: Any = None) -> Any:  # noqa: ANN401 - Django's signature
        """The value, or the field itself where no object is asked."""
        found = super().__get__(instance, cls)
        if type(found) is not Sealed:
            return found
        opened = found.open(_key_in_object(self.field, instance))
        instance.__dict__[self.field.attname] = opened
        return opened

    def __set__(self, instance: Any, value: Any) -> None:  # noqa: ANN401 - as above
        """Take a value, or open one that was loaded."""
        if type(value) is Sealed:
            key = instance.__dict__.get(_key_of(self.field).attname)
            value = value if key is None else value.open(key)
        instance.__dict__[self.field.attname] = value


def bound(field: EncryptedField, value: Any, instance: models.Model) -> Any:  # noqa: ANN401 - a value or expression
    """A value for the row of an object; null and expressions stay as they are."""
    if value is None or hasattr(value, "resolve_expression") or type(value) is Bound:
        return value
    return Bound(value, row_of_key(field, _key_in_object(field, instance)))


def row_of_key(field: EncryptedField, key: object) -> Row:
    """What names the row of a primary key, in whatever form an application or a driver has that.

    Raises:
        NotBound: If it has none before it is written.
    """
    if hasattr(key, "resolve_expression"):
        key = None  # made by the database
    try:
        known = _key_of(field).to_python(key)
    except (ValidationError, TypeError, ValueError):
        known = None  # their messages quote it
    try:
        return row_name(known)
    except InvalidParameter as refusal:
        raise NotBound(f"{field.label}: {refusal}") from None


def bind_branches(field: EncryptedField, expression: Any) -> None:  # noqa: ANN401 - Django's expressions share no type
    """Bind the values of a `Case` to the rows that its conditions name, as `bulk_update` writes them.

    Raises:
        NotBound: If a branch has a value and another condition than the primary key of one row.
    """
    if isinstance(expression, Cast):
        bind_branches(field, expression.get_source_expressions()[0])
    if not isinstance(expression, Case):
        return
    for branch in expression.cases:
        given = branch.result
        if isinstance(given, Value) and given.value is not None and type(given.value) is not Bound:
            given.value = Bound(given.value, row_of_key(field, _key_in(field, branch.condition)))


def refuse_unbound(field: EncryptedField) -> NotBound:
    """Make the error for a value that no row is known of."""
    return NotBound(
        f"{field.label} is bound to its row, and which that is cannot be seen here; write objects "
        "(save, bulk_create, bulk_update), and read objects or with reveal_rows"
    )


def check_conflicts(field: EncryptedField, query: Any) -> None:  # noqa: ANN401 - any query
    """Make sure that an upsert writes the field into no other row than the one it is bound to.

    Raises:
        NotBound: If it might.
    """
    if getattr(query, "on_conflict", None) is not OnConflict.UPDATE or field not in query.update_fields:
        return
    if [one.column for one in query.unique_fields] != [_key_of(field).column]:
        raise NotBound(
            f"{field.label} is bound to its row, and an upsert may write it into another one; "
            "leave it out of update_fields, or let the primary key be the only one of unique_fields"
        )


def carry_through_raw_saves() -> None:
    """Have fixtures bind what they load: a raw save takes attributes as they are."""
    pre_save.connect(_bind_raw, dispatch_uid="privkit.bind")
    post_save.connect(_unbind_raw, dispatch_uid="privkit.unbind")


def _bind_raw(instance: models.Model, *, raw: bool, **_: Any) -> None:  # noqa: ANN401 - Django's own
    if raw:
        for field in _bound_fields(instance):
            instance.__dict__[field.attname] = bound(field, getattr(instance, field.attname), instance)


def _unbind_raw(instance: models.Model, *, raw: bool, **_: Any) -> None:  # noqa: ANN401 - as above
    if raw:
        for field in _bound_fields(instance):
            carried = instance.__dict__[field.attname]
            instance.__dict__[field.attname] = carried.value if type(carried) is Bound else carried


def _bound_fields(instance: models.Model) -> list[Any]:
    fields = instance._meta.concrete_fields  # noqa: SLF001 - Django's way to ask
    return [field for field in fields if getattr(field, "row", None) is not None]


def _key_of(field: EncryptedField) -> Any:  # noqa: ANN401 - any field
    return field.model._meta.pk  # noqa: SLF001 - as above


def _key_in_object(field: EncryptedField, instance: models.Model) -> object:
    """The key of the table that the field is in, which may be that of a parent of the object's model."""
    key: object = getattr(instance, _key_of(field).attname)
    return key


def _key_in(field: EncryptedField, condition: Any) -> object:  # noqa: ANN401 - as above
    """The primary key that a condition names, if it names one row by it and says nothing else."""
    children = getattr(condition, "children", [condition])
    one = children[0] if len(children) == 1 and not getattr(condition, "negated", False) else None
    named = isinstance(one, Exact) and isinstance(one.lhs, Col) and one.lhs.target is _key_of(field)
    if not named or not one.rhs_is_direct_value():  # type: ignore[union-attr] # named says that it is an Exact
        raise refuse_unbound(field)
    key: object = one.rhs  # type: ignore[union-attr] # as above
    return key
