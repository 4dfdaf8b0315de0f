"""Short ways to write the usual encrypted fields.

Each makes an `EncryptedField` over the Django field of that name: `EncryptedCharField(max_length=20, key="user.phone")`
is `EncryptedField(models.CharField(max_length=20), key="user.phone")`, and that is what migrations hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from privkit.integrations.django.fields import EncryptedField

if TYPE_CHECKING:
    from collections.abc import Callable

INSIDE = frozenset(
    {
        *("max_length", "max_digits", "decimal_places", "encoder", "decoder", "auto_now", "auto_now_add"),
        *("protocol", "unpack_ipv4", "allow_unicode"),
    }
)
"""Options of values, which go to the base field."""


def _shorthand(base: type[models.Field[Any, Any]]) -> Callable[..., EncryptedField]:
    def make(*args: Any, key: str, **options: Any) -> EncryptedField:  # noqa: ANN401 - the options of any field
        inside = {name: options.pop(name) for name in list(options) if name in INSIDE}
        return EncryptedField(base(**inside), *args, key=key, **options)

    make.__name__ = make.__qualname__ = f"Encrypted{base.__name__}"
    make.__doc__ = f"An encrypted `{base.__name__}`: its options, and those of `EncryptedField`."
    return make


EncryptedBooleanField = _shorthand(models.BooleanField)
EncryptedCharField = _shorthand(models.CharField)
EncryptedDateField = _shorthand(models.DateField)
EncryptedDateTimeField = _shorthand(models.DateTimeField)
EncryptedDecimalField = _shorthand(models.DecimalField)
EncryptedEmailField = _shorthand(models.EmailField)
EncryptedIntegerField = _shorthand(models.IntegerField)
EncryptedJSONField = _shorthand(models.JSONField)
EncryptedTextField = _shorthand(models.TextField)
EncryptedURLField = _shorthand(models.URLField)
