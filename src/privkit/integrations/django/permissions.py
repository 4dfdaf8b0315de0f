"""The permission to see what a model's encrypted fields hold, which migrations create beside Django's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db import models


def reveal_permission(model: type[models.Model]) -> str:
    """The permission to see what a model's encrypted fields hold: `app.reveal_model`."""
    meta = (model._meta.concrete_model or model)._meta  # noqa: SLF001 - Django's way to ask
    return f"{meta.app_label}.reveal_{meta.model_name}"


def add_reveal_permission(model: type[models.Model]) -> None:
    """Give a model that has encrypted fields the permission."""
    meta = model._meta  # noqa: SLF001 - as above
    codename = f"reveal_{meta.model_name}"
    if not meta.abstract and codename not in {known for known, _ in meta.permissions}:
        meta.permissions = [*meta.permissions, (codename, f"Can reveal encrypted values of {meta.verbose_name_raw}")]
