"""What a column must be like, known without a key, so that migrations need none: how wide, and compared how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from privkit.transforms import ciphertext

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    Base = models.Field[Any, Any]

UTF8 = 4
"""The most bytes that a character has (RFC 3629)."""

WIDTHS: dict[type[Base], int] = {
    models.BooleanField: len("false"),
    models.DateTimeField: len("2026-01-02T03:04:05.000006+00:00"),
    models.DateField: len("2026-01-02"),
    models.TimeField: len("03:04:05.000006+00:00"),
    models.DurationField: len("-999999999 23:59:59.999999"),
    models.UUIDField: len("00000000-0000-0000-0000-000000000000"),
    models.GenericIPAddressField: len("0000:0000:0000:0000:0000:ffff:255.255.255.255"),
    models.IntegerField: len("-9223372036854775808"),
    models.FloatField: len("-2.2250738585072014e-308"),
}
"""The most characters of an encrypted value's text, by the field it belongs to; subclasses before their parents."""


def content_width(base: Base) -> int | None:
    """The most bytes that the text of a field's values has, or `None` where there is no bound."""
    if isinstance(base, models.DecimalField):
        return base.max_digits + len("-0.")
    for field_type, characters in WIDTHS.items():
        if isinstance(base, field_type):
            return characters
    if isinstance(base, models.CharField) and base.max_length is not None:
        return base.max_length * UTF8
    return base.max_length if isinstance(base, models.BinaryField) else None


def width(content: int, *, deterministic: bool, text: bool, index: int = 0) -> int:
    """How long a ciphertext is whose content has so many bytes: in bytes, or in characters of base64url."""
    padded = index + (-index % 3 if text else 0)
    length = ciphertext.length(content, deterministic=deterministic, index=padded)
    return -(-length * 4 // 3) if text else length


def exact_collation(connection: BaseDatabaseWrapper) -> str | None:
    """Name the collation of a text column whose texts are equal only where their characters are.

    MySQL and MariaDB take upper and lower case for the same otherwise, which base64url is not to be.
    """
    return "utf8mb4_bin" if connection.vendor == "mysql" else None
