"""What an encrypted column refuses, as errors that a Django application and privkit's callers both expect."""

from __future__ import annotations

from django.core.exceptions import FieldError, ImproperlyConfigured

from privkit.errors import InvalidParameter, PrivkitError


class NotSearchable(InvalidParameter, FieldError):
    """A query asks of an encrypted column what its ciphertexts cannot answer."""


class WouldWritePlaintext(InvalidParameter, FieldError):
    """An expression would have the database write something into an encrypted column that is no ciphertext of it."""


class NotBound(InvalidParameter, FieldError):
    """A value that is bound to its row is written or read where nothing says which row that is."""


class NotConfigured(PrivkitError, ImproperlyConfigured):
    """The setting `PRIVKIT` is missing or malformed."""
