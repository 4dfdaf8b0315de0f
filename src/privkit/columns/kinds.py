"""What the values of a column are, whatever holds them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

Values: TypeAlias = "Ragged | NDArray[Any]"


class Kind(Enum):
    """What the values of a column are, and so how `Column.values` holds them."""

    TEXT = "text"
    """Characters: `Ragged` of UTF-8."""
    BYTES = "bytes"
    """Bytes: `Ragged`."""
    INTEGER = "integer"
    """Whole numbers: `int64`, or `uint64` where some are beyond it."""
    FLOAT = "float"
    """Binary floating point: `float64`."""
    DECIMAL = "decimal"
    """Decimal fractions: `Ragged` of plain text that keeps the scale, such as `12.50`."""
    DATE = "date"
    """Calendar days: `datetime64[D]`."""
    TIMESTAMP = "timestamp"
    """Local times without a zone: `datetime64` in the unit of their source."""
    INSTANT = "instant"
    """Moments with a zone: records of `moment`, `datetime64` in UTC, and `offset`, the seconds that the local clock was
    ahead of it."""
    BOOLEAN = "boolean"
    """`bool`."""
    MIXED = "mixed"
    """Python objects of several kinds, or lists and dicts: an array of objects. They have no canonical text, and are a
    column for those alone who ask for it, since they can write single values: see `lift`."""


NO_MIXED = "values of several kinds, lists or dicts, for which {} has no place; ask for their text, or pass a list"
"""What a container says that holds one type of values."""

RAGGED_KINDS = frozenset({Kind.TEXT, Kind.BYTES, Kind.DECIMAL})

_KINDS: tuple[tuple[tuple[type, ...], Kind], ...] = (  # bool before int and datetime before date: they are subclasses
    ((str,), Kind.TEXT),
    ((bool, np.bool_), Kind.BOOLEAN),
    ((int, np.integer), Kind.INTEGER),
    ((float, np.floating), Kind.FLOAT),
    ((dt.datetime,), Kind.TIMESTAMP),
    ((dt.date,), Kind.DATE),
    ((bytes,), Kind.BYTES),
    ((Decimal,), Kind.DECIMAL),
)


NO_NULL = "a missing value of pandas or NumPy, which is null in a pandas series only; put None in its place"
"""What is said of one where it is no null."""


def is_missing_type(cls: type) -> bool:
    """Whether its values are what pandas takes for missing, by name, since pandas may not be there."""
    return cls.__name__ in {"NAType", "NaTType"}


def kind_of_type(cls: type) -> Kind | None:
    """The kind of the values of a Python type, or `None` where it is no kind of ours."""
    if issubclass(cls, np.timedelta64) or is_missing_type(cls):  # integer and date by their classes, and neither
        return None
    return next((kind for classes, kind in _KINDS if issubclass(cls, classes)), None)


def as_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Integers of any width as `int64`, or as `uint64` where some do not fit."""
    if values.dtype == np.uint64 and len(values) and int(values.max()) > np.iinfo(np.int64).max:
        return values
    return values.astype(np.int64, copy=False)
