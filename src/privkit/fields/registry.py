"""The catalogue by name."""

from __future__ import annotations

from types import MappingProxyType

from privkit.errors import InvalidParameter
from privkit.fields import (
    account,
    china,
    commerce,
    contact,
    coordinates,
    dates,
    device,
    documents,
    nationality,
    network,
    payment,
    person,
    regions,
    sensitive,
    url,
)
from privkit.fields.base import FieldType
from privkit.suggest import nearest

FAMILIES = (
    person, nationality, dates, documents, china, contact, regions, coordinates, account, payment, commerce, network,
    url, device, sensitive,
)  # fmt: skip
"""The modules that types stand in."""

CATALOGUE = MappingProxyType(
    {value.name: value for family in FAMILIES for value in vars(family).values() if isinstance(value, FieldType)}
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
    raise InvalidParameter(f"no field type {name!r}{nearest(name, CATALOGUE)}")
