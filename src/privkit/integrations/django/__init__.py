"""Encrypted columns for Django: values are plain in Python and ciphertexts in the database.

Put `"privkit.integrations.django"` into `INSTALLED_APPS`, name a keyring in the setting `PRIVKIT`, and wrap fields.
"""

from privkit.integrations.django.bulk import reveal_rows
from privkit.integrations.django.config import keyring
from privkit.integrations.django.fields import EncryptedField
from privkit.integrations.django.indexes import BlindIndexField
from privkit.integrations.django.refusals import NotBound, NotConfigured, NotSearchable, WouldWritePlaintext
from privkit.integrations.django.shorthands import (
    EncryptedBooleanField,
    EncryptedCharField,
    EncryptedDateField,
    EncryptedDateTimeField,
    EncryptedDecimalField,
    EncryptedEmailField,
    EncryptedIntegerField,
    EncryptedJSONField,
    EncryptedTextField,
    EncryptedURLField,
)

__all__ = [
    "BlindIndexField",
    "EncryptedBooleanField",
    "EncryptedCharField",
    "EncryptedDateField",
    "EncryptedDateTimeField",
    "EncryptedDecimalField",
    "EncryptedEmailField",
    "EncryptedField",
    "EncryptedIntegerField",
    "EncryptedJSONField",
    "EncryptedTextField",
    "EncryptedURLField",
    "NotBound",
    "NotConfigured",
    "NotSearchable",
    "WouldWritePlaintext",
    "keyring",
    "reveal_rows",
]
