"""What tells types apart where SQLAlchemy keeps compiled statements."""

from __future__ import annotations

import inspect
from typing import Any

from sqlalchemy.types import TypeEngine


class KeyedByOptions:
    """A type that shares compiled statements only with types of the same options.

    SQLAlchemy keys a type by its constructor's arguments, and leaves out those that are passed by keyword only: two
    types of one field, one with views and one without, would share the functions that read their values.
    """

    @property
    def _static_cache_key(self) -> tuple[Any, ...]:
        known: tuple[Any, ...] | None = self.__dict__.get("_privkit_cache_key")
        if known is None:
            options = [(name, getattr(self, name)) for name in _options(type(self))]
            known = (type(self), *((name, _part(value)) for name, value in options))
            self.__dict__["_privkit_cache_key"] = known
        return known


def _part(value: Any) -> Any:  # noqa: ANN401 - an option of a type
    return value._static_cache_key if isinstance(value, TypeEngine) else value  # noqa: SLF001 - as SQLAlchemy does it


def _options(kind: type[Any]) -> tuple[str, ...]:
    """The arguments of a type's constructor, which are its attributes, too."""
    return tuple(inspect.signature(kind).parameters)
