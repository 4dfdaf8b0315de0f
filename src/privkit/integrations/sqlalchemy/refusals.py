"""The errors of encrypted columns, and how they pass through SQLAlchemy as they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import ArgumentError, DontWrapMixin, SQLAlchemyError

from privkit.errors import InvalidParameter, PrivkitError

if TYPE_CHECKING:
    from collections.abc import Iterator


class NotSearchable(InvalidParameter, ArgumentError):
    """A statement asks of an encrypted column what its ciphertexts cannot answer."""


class WouldWritePlaintext(InvalidParameter, ArgumentError):
    """A statement would have the database write something into an encrypted column that is no ciphertext of it."""


class NotBound(InvalidParameter, ArgumentError):
    """A value is bound to its row, and the statement does not say which that is."""


_unwrapped: dict[type[Exception], type[Exception]] = {}


@contextmanager
def unwrapped() -> Iterator[None]:
    """Let errors out as they are, where SQLAlchemy would wrap them in one that quotes all parameters.

    Those are plaintexts as long as they have not been encrypted.
    """
    try:
        yield
    except (PrivkitError, SQLAlchemyError) as error:
        raise passing(error) from None


def passing(error: Exception) -> Exception:
    """The error as one of its kind that SQLAlchemy does not wrap."""
    kind = type(error)
    if not isinstance(error, DontWrapMixin):
        if kind not in _unwrapped:
            _unwrapped[kind] = type(kind.__name__, (kind, DontWrapMixin), {"__module__": kind.__module__})
        error.__class__ = _unwrapped[kind]
    return error
