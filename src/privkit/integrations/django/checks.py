"""System checks: what is wrong with a declaration is said by `manage.py check`, before a query or a reader finds it.

| id | what |
|---|---|
| privkit.E001 | the base field cannot be encrypted: a relation, file, automatic key, generated or encrypted field |
| privkit.E002 | an option of the column is said on the base field, where it would do nothing |
| privkit.E003 | a randomised column is unique, indexed or a primary key |
| privkit.E004 | `db_default` would have the database write plaintext |
| privkit.E005 | a model is sorted by an encrypted column |
| privkit.E006 | the base field has errors of its own |
| privkit.E007 | an admin searches, filters or edits in its list what it cannot |
| privkit.E008 | the setting `PRIVKIT` is missing or malformed |
| privkit.E009 | a column whose mode reads plaintext is not text, or its values have several texts |
| privkit.E010 | `index` names no `BlindIndexField` of this field, or the primary key is of several columns |
| privkit.E011 | `row` does not name the primary key, or the database makes that |
| privkit.E012 | a constraint or index asks of an encrypted column what its ciphertexts cannot answer |
| privkit.E013 | a foreign key leads to an encrypted field, which could not be re-keyed under it |
| privkit.W001 | two columns share a key, so that a value moved from one opens in the other |
| privkit.W002 | an admin shows a model with encrypted fields without masking them |
| privkit.W003 | (deploy) the keyring cannot be opened |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.db import models

from privkit.errors import InvalidParameter, PrivkitError
from privkit.integrations.django.config import configuration, keyring
from privkit.integrations.django.indexes import index_field
from privkit.integrations.django.paths import encrypted_in_path
from privkit.integrations.django.plain import stands_as_text
from privkit.integrations.django.refusals import NotConfigured
from privkit.integrations.lifecycle import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.apps import AppConfig

    from privkit.integrations.django.fields import EncryptedField

OUTSIDE = frozenset(
    {
        *("null", "blank", "unique", "primary_key", "db_index", "default", "db_default", "choices", "db_column"),
        *("editable", "verbose_name", "help_text", "unique_for_date", "unique_for_month", "unique_for_year"),
        *("db_comment", "db_tablespace", "error_messages"),
    }
)
"""Options of the column, which the base field has none of."""
_DATED = ("unique_for_date", "unique_for_month", "unique_for_year")
_REMEDY = "give the field deterministic=True, or UniqueConstraint the name of its blind index, of bits=128"


def field_messages(field: EncryptedField, **given: Any) -> Iterator[CheckMessage]:  # noqa: ANN401 - what Django passes on
    """Check one field's declaration."""
    base = field.base_field
    if not _encryptable(base):
        yield Error(
            f"a {type(base).__name__} cannot be encrypted",
            hint="encrypt a field that holds a value of its own",
            obj=field,
            id="privkit.E001",
        )
        return
    lost = sorted(
        option for option, value in field.declared_options.items() if value is not False and option in OUTSIDE
    )
    if lost:
        yield Error(
            f"{', '.join(lost)} on the base field does nothing",
            hint=f"write EncryptedField({type(base).__name__}(...), key=..., {lost[0]}=...)",
            obj=field,
            id="privkit.E002",
        )
    if not field.deterministic and (field.unique or getattr(field, "db_index", False)):
        yield Error(
            "equal values have different ciphertexts here, so that unique and db_index do nothing",
            hint=_REMEDY,
            obj=field,
            id="privkit.E003",
        )
    dated = [option for option in _DATED if getattr(field, option)]
    if dated and not (field.deterministic or field.index):
        yield Error(
            f"{dated[0]} looks for equal values, which have different ciphertexts here",
            hint="give it deterministic=True or an index, or leave that out",
            obj=field,
            id="privkit.E003",
        )
    if field.has_db_default():
        yield Error(
            "db_default would have the database write plaintext", hint="use default", obj=field, id="privkit.E004"
        )
    if field.mode is not Mode.STRICT and not (field.text and stands_as_text(base)):
        yield Error(
            f"plaintext of a {type(base).__name__} cannot be told from ciphertexts in this column",
            hint="adopt encryption with text=True on text, integers and dates; for others copy into a new column",
            obj=field,
            id="privkit.E009",
        )
    yield from _index_messages(field)
    yield from _row_messages(field)
    yield from _base_messages(field, **given)


def _index_messages(field: EncryptedField) -> Iterator[CheckMessage]:
    try:
        index_field(field)
    except InvalidParameter as missing:
        yield Error(str(missing), obj=field, id="privkit.E010")


def _row_messages(field: EncryptedField) -> Iterator[CheckMessage]:
    if field.row is None:
        return
    pk: Any = field.model._meta.pk  # noqa: SLF001 - Django's way to ask
    made = isinstance(pk, models.AutoField | models.SmallAutoField | models.BigAutoField) or pk.has_db_default()
    if field.row not in ("pk", pk.name) or made or hasattr(pk, "storage_name"):
        yield Error(
            f"row={field.row!r} is no primary key that the application makes",
            hint="give the model id = models.UUIDField(primary_key=True, default=uuid.uuid4), and the field row='id'",
            obj=field,
            id="privkit.E011",
        )


def _encryptable(base: Any) -> bool:  # noqa: ANN401 - any field
    refused = (models.AutoField, models.BigAutoField, models.SmallAutoField, models.FileField, models.GeneratedField)
    return not (base.is_relation or isinstance(base, refused) or hasattr(base, "storage_name"))


def _base_messages(field: EncryptedField, **given: Any) -> Iterator[CheckMessage]:  # noqa: ANN401 - as above
    found = [message for message in field.base_field.check(**given) if message.is_serious()]
    if found:
        said = "; ".join(f"{message.msg} ({message.id})" for message in found)
        yield Error(f"the base field has errors: {said}", obj=field, id="privkit.E006")


def check_models(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ANN401 - as above
    """Check all models: what they are sorted by, and which columns share a key."""
    from django.apps import apps  # noqa: PLC0415 there are no models before the registry is ready

    chosen = app_configs or list(apps.get_app_configs())
    found = [model for config in chosen for model in config.get_models() if _encrypted(model)]
    return [*_sorted(found), *_constrained(found), *_pointed_at(chosen), *_shared(found), *_settings(found)]


def check_deployment(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001 - as above
    """Open the keyring, as a server will."""
    try:
        keyring()
    except NotConfigured:
        return []  # said by E008, where it matters
    except PrivkitError as failure:
        return [Warning(f"the keyring cannot be opened: {failure}", id="privkit.W003")]
    return []


def _encrypted(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.local_fields if hasattr(field, "storage_name")]  # noqa: SLF001 - Django's way to ask


def _sorted(found: Sequence[type[models.Model]]) -> Iterator[CheckMessage]:
    for model in found:
        for order in model._meta.ordering or ():  # noqa: SLF001 - as above
            if isinstance(order, str) and encrypted_in_path(model, order) is not None:
                yield Error(
                    f"sorted by {order.lstrip('-')!r}, whose ciphertexts have an order that says nothing",
                    hint="sort by another column, or after reading",
                    obj=model,
                    id="privkit.E005",
                )


def _constrained(found: Sequence[type[models.Model]]) -> Iterator[CheckMessage]:
    """Look at what databases hold by themselves: uniqueness of equal ciphertexts, and whether there is one."""
    for model in found:
        meta: Any = model._meta  # noqa: SLF001 - as above
        for names in meta.unique_together:
            yield from _unequal(model, "unique_together", names)
        for one in (*meta.constraints, *meta.indexes):
            said = f"{type(one).__name__} {one.name!r}"
            yield from _unequal(model, said, getattr(one, "fields", ()))
            asked: list[str] = []
            for whole in getattr(one, "expressions", ()):
                if isinstance(whole, models.F):
                    yield from _unequal(model, said, [vars(whole)["name"]])
                else:
                    asked += _named(whole)
            asked += _asked(getattr(one, "condition", None))
            for path in asked:
                if encrypted_in_path(model, path) is not None and not path.endswith("__isnull"):
                    yield _constraint_error(model, said, path, "of encrypted fields ask only whether they are null")


def _pointed_at(chosen: Sequence[AppConfig]) -> Iterator[CheckMessage]:
    fields = (field for config in chosen for model in config.get_models() for field in model._meta.local_fields)  # noqa: SLF001 - as above
    for field in fields:
        if isinstance(field, models.ForeignKey) and any(
            hasattr(one, "storage_name") for one in field.foreign_related_fields
        ):
            yield Error(
                "leads to an encrypted field, whose ciphertexts change when its key version does",
                hint="refer to the primary key, and let that be one that is not encrypted",
                obj=field,
                id="privkit.E013",
            )


def _unequal(model: type[models.Model], said: str, names: Sequence[str]) -> Iterator[CheckMessage]:
    for name in names:
        field = encrypted_in_path(model, name)
        if field is not None and not field.deterministic:
            yield _constraint_error(model, said, name, _REMEDY)


def _named(whole: Any) -> list[str]:  # noqa: ANN401 - an expression, or with its operator
    """The paths of an expression of a constraint; those that exclude have it beside an operator, perhaps as a name."""
    expression = whole[0] if isinstance(whole, list | tuple) else whole
    if isinstance(expression, str):
        return [expression]
    parts: list[Any] = [expression] if isinstance(expression, models.F) else list(expression.flatten())
    return [str(vars(part)["name"]) for part in parts if isinstance(part, models.F)]


def _asked(condition: Any) -> list[str]:  # noqa: ANN401 - a condition, or none
    """The paths of a condition, with their lookups."""
    parts = getattr(condition, "children", ())
    return [path for part in parts for path in ([part[0]] if isinstance(part, tuple) else _asked(part))]


def _constraint_error(model: type[models.Model], said: str, path: str, hint: str) -> CheckMessage:
    message = f"{said} asks of the ciphertexts of {path!r} what they cannot say"
    return Error(message, hint=hint, obj=model, id="privkit.E012")


def _shared(found: Sequence[type[models.Model]]) -> Iterator[CheckMessage]:
    seen: dict[str, EncryptedField] = {}
    for model in found:
        if model._meta.proxy:  # noqa: SLF001 - as above
            continue
        for field in _encrypted(model):
            first = seen.setdefault(field.key, field)
            if first is not field:
                yield Warning(
                    f"shares the key {field.key!r} with {first.label}: a value moved from one opens in the other",
                    hint="give each column a key of its own, unless they shall be joined",
                    obj=field,
                    id="privkit.W001",
                )


def _settings(found: Sequence[type[models.Model]]) -> Iterator[CheckMessage]:
    if not found:
        return
    try:
        configuration()
    except NotConfigured as missing:
        yield Error(str(missing), id="privkit.E008")
