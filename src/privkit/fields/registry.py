"""The catalogue by name."""

from __future__ import annotations

import difflib
from types import MappingProxyType

from privkit.errors import InvalidParameter
from privkit.fields import account, china, commerce, contact, dates, device, network, payment, person, sensitive
from privkit.fields.base import FieldType

_FAMILIES = (person, dates, china, contact, account, payment, commerce, network, device, sensitive)

CATALOGUE = MappingProxyType(
    {value.name: value for family in _FAMILIES for value in vars(family).values() if isinstance(value, FieldType)}
)
"""All types by name."""


def get(name: str) -> FieldType:
    """Find a type by its name.

    Raises:
        InvalidParameter: There is no such type; the message proposes the nearest name.

    >>> get("cn_mobile")
    <field type cn_mobile>
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = difflib.get_close_matches(name, CATALOGUE, 1)
    raise InvalidParameter(f"no field type {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
