"""What a value that a policy or a caller gives is, and what a parameter takes, in the words of TOML."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.errors import WrongType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from inspect import Parameter

_TYPE_NAMES: Final = {str: "text", bool: "true or false", int: "a whole number", float: "a number", dict: "a table"}
_TYPES: Final = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "None": (type(None),),
}
_SAID: Final = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


def type_name(value: object) -> str:
    """Name a value's type.

    Example:
        >>> type_name(3)
        'a whole number'
    """
    return _TYPE_NAMES.get(type(value), "an array" if isinstance(value, list) else f"a {type(value).__name__}")


def wanted(parameter: Parameter, value: object) -> str:
    """Say what a parameter takes, by its annotation, or `""` where the value may be it.

    Annotations of other types than TOML's plain ones are left to whoever takes the parameter.

    Example:
        >>> from inspect import signature
        >>> def mask(first: int | None) -> None: ...
        >>> wanted(signature(mask).parameters["first"], "x")
        'a whole number'
    """
    annotation = parameter.annotation
    names = [name.strip() for name in getattr(annotation, "__name__", str(annotation)).split("|")]
    if not set(names) <= set(_TYPES):
        return ""
    allowed = tuple(cls for name in names for cls in _TYPES[name])
    if isinstance(value, allowed) and (not isinstance(value, bool) or "bool" in names):
        return ""
    return " or ".join(_SAID[name] for name in names if name in _SAID)


def check_types(what: str, make: Callable[..., object], given: Mapping[str, Any]) -> None:
    """Refuse parameters of a wrong type, by the annotations of what takes them.

    Args:
        what: What the parameters are of, for the error.
        make: What takes them.
        given: Parameters by name, all of which it has.

    Raises:
        WrongType: Naming the first that is of a wrong type, and what it takes.
    """
    known = signature(make).parameters
    for name, value in given.items():
        takes = wanted(known[name], value)
        if takes:
            # Numbers of fixed width overflow in sums that Python's do not.
            remedy = "; take its .item()" if isinstance(value, np.generic) else ""
            raise WrongType(f"{name} of {what} is {takes}, not {type_name(value)}{remedy}")
