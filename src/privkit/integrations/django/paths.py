"""Which encrypted field a path such as `owner__email__exact` leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models.constants import LOOKUP_SEP

if TYPE_CHECKING:
    from django.db import models

    from privkit.integrations.django.fields import EncryptedField


def encrypted_in_path(model: type[models.Model], path: str) -> EncryptedField | None:
    """The encrypted field that a path of names leads to or through, or `None`.

    Args:
        model: Where it starts.
        path: Names of fields and at its end perhaps of lookups; marks before it, as of searches and orders, are cut.
    """
    here: Any = model
    for name in path.lstrip("-^=@").split(LOOKUP_SEP):
        try:
            field: Any = here._meta.get_field(name)  # noqa: SLF001 - Django's way to ask
        except FieldDoesNotExist:
            return None
        if hasattr(field, "storage_name"):
            found: EncryptedField = field
            return found
        here = field.related_model
        if here is None:
            return None
    return None
