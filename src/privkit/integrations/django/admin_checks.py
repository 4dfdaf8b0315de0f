"""System checks of admins: what they search, filter and edit, and whether they mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name
from django.db.models.constants import LOOKUP_SEP

from privkit.integrations.django.indexes import index_field
from privkit.integrations.django.paths import encrypted_in_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.apps import AppConfig

    from privkit.integrations.django.fields import EncryptedField


def check_admins(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ANN401 - what Django passes on
    """Check every registered admin and its inlines."""
    from django.contrib.admin.sites import all_sites  # noqa: PLC0415 the admin need not be installed

    chosen = None if app_configs is None else {config.label for config in app_configs}
    found: list[CheckMessage] = []
    for site in all_sites:
        for model, admin in site._registry.items():  # noqa: SLF001 - there is no other way to ask
            if chosen is None or model._meta.app_label in chosen:  # noqa: SLF001 - Django's way to ask
                found += _options(admin)
                found += _masks(admin)
    return found


def _options(admin: Any) -> Iterator[CheckMessage]:  # noqa: ANN401 - any admin
    for path in admin.search_fields:
        field = encrypted_in_path(admin.model, path)
        searchable = [] if field is None else _searchable(field)
        if field is not None and path.rpartition(LOOKUP_SEP)[2] not in searchable:
            able = f"write {path.lstrip('^=@')}__exact" if searchable else "leave it out"
            yield _error(admin, f"search_fields asks of the ciphertexts of {path!r} what they cannot say", able)
    for option in ("list_filter", "list_editable", "ordering"):
        for said in getattr(admin, option) or ():
            path = said[0] if isinstance(said, tuple | list) else said
            if isinstance(path, str) and encrypted_in_path(admin.model, path) is not None:
                yield _error(admin, f"{option} cannot have {path!r}, which is encrypted", "leave it out")


def _searchable(field: EncryptedField) -> list[str]:
    """The lookups that a search may make of a field."""
    if field.deterministic:
        return ["exact"]
    index = index_field(field)
    return [] if index is None else ["exact", index.part]


def _error(admin: Any, message: str, hint: str) -> Error:  # noqa: ANN401 - as above
    return Error(message, hint=hint, obj=type(admin), id="privkit.E007")


def _masks(admin: Any) -> Iterator[CheckMessage]:  # noqa: ANN401 - as above
    from privkit.integrations.django.admin import EncryptedAdminMixin  # noqa: PLC0415 as above
    from privkit.integrations.django.fields import encrypted_fields  # noqa: PLC0415 it imports the checks

    for shown in (type(admin), *admin.inlines):
        model = admin.model if shown is type(admin) else shown.model
        if encrypted_fields(model) and not issubclass(shown, EncryptedAdminMixin):
            yield Warning(
                "shows encrypted fields in clear to everybody who may view the model",
                hint="put privkit.integrations.django.admin.EncryptedAdminMixin before its base class",
                obj=shown,
                id="privkit.W002",
            )
