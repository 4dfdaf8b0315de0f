"""Lists and tuples, and Python objects in general: what a row holds is asked of the objects themselves."""

from __future__ import annotations

import datetime as dt
import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import compress, repeat
from operator import is_
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.canonical import decimal_text, encode_text, to_objects
from privkit.columns.clocks import are_all, days_of, local_clocks
from privkit.columns.column import Column, at_rows
from privkit.columns.instants import of_datetimes, to_datetimes
from privkit.columns.kinds import NO_NULL, Kind, Values, as_integers, is_missing_type, kind_of_type
from privkit.errors import InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Zone:
    """What instants need to become the `datetime` objects that they were: their zone; `None` where it is not one."""

    zone: dt.tzinfo | None = None

    def objects(self, kind: Kind, values: Values) -> list[Any]:
        """Values as Python objects, instants in this zone."""
        return (
            to_datetimes(cast("NDArray[Any]", values), self.zone) if kind is Kind.INSTANT else to_objects(kind, values)
        )


@dataclass(frozen=True, slots=True)
class SequenceHome:
    """A list or a tuple."""

    make: type[list[Any] | tuple[Any, ...]]
    zone: Zone

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """See `Home.build`; a list has one type per kind, so `exact` changes nothing."""
        del exact
        rows = with_nulls(self.zone.objects(kind, values), nulls, None)
        return rows if self.make is list else tuple(rows)


def lift_sequence(container: list[Any] | tuple[Any, ...], *, mixed: bool = False) -> Column[Any]:
    """Take a column out of a list or a tuple; `None` is null, and `mixed` as for `lift`."""
    kind, values, nulls, zone = lift_objects(container, mixed=mixed)
    return Column(kind, values, nulls, SequenceHome(tuple if isinstance(container, tuple) else list, zone))


def lift_objects(
    objects: Sequence[Any], nulls: NDArray[np.bool_] | None = None, *, mixed: bool = False
) -> tuple[Kind, Values, NDArray[np.bool_] | None, Zone]:
    """Take values out of Python objects, which are all of one kind.

    Args:
        objects: The rows.
        nulls: Which rows are null; by default those that are `None`.
        mixed: Whether rows of several kinds, or of no kind, are of `Kind.MIXED`.

    Returns:
        Kind, values and nulls as a `Column` has them, and the zone of instants. No value at all is text.

    Raises:
        WrongType: If rows are of several kinds, or of no kind; with the first such row and the types.
        InvalidValue: If a value is one that no column holds, such as text with lone surrogates; with the rows.
    """
    if nulls is None and objects and type(objects[0]) is str:
        with suppress(TypeError):  # nulls, or several types: seen below
            return Kind.TEXT, encode_text(objects), None, Zone()
    if nulls is None and objects and type(objects[0]) is bytes and are_all(bytes, objects):
        return Kind.BYTES, Ragged.of(objects), None, Zone()
    types = set(map(type, objects))
    if nulls is None and type(None) in types:
        nulls = np.fromiter(map(is_, objects, repeat(None)), bool, len(objects))
    if nulls is not None and not nulls.any():
        nulls = None
    if nulls is not None:
        objects = list(compress(objects, (~nulls).tolist()))
        types = set(map(type, objects))
    kinds = {kind_of_type(cls) for cls in types}
    if len(kinds) > 1 or None in kinds:
        if mixed:
            return Kind.MIXED, object_array(objects), nulls, Zone()
        raise _mixed(objects, nulls)
    kind = kinds.pop() if kinds else Kind.TEXT
    assert kind is not None  # noqa: S101 for the type checker: refused above
    try:
        if kind is Kind.TIMESTAMP:
            kind, moments, zone = _moments(objects)
            return kind, moments, nulls, zone
        return kind, _VALUES[kind](objects), nulls, Zone()
    except InvalidValue as error:
        raise at_rows(error, nulls) from None


def with_nulls(objects: list[Any], nulls: NDArray[np.bool_] | None, null: Any) -> list[Any]:
    """Rows with `null` put where `nulls` is true."""
    if nulls is None:
        return objects
    out = np.full(len(nulls), null, object)
    out[~nulls] = object_array(objects)
    rows: list[Any] = out.tolist()
    return rows


def object_array(rows: Sequence[Any]) -> NDArray[Any]:
    """Rows as an array of objects, whatever they are; lists too, which NumPy would take apart."""
    return np.fromiter(rows, object, len(rows))


def _decimals(objects: Sequence[Any]) -> Ragged:
    bad = [row for row, value in enumerate(objects) if not value.is_finite()]
    if bad:
        raise InvalidValue("a decimal that is not finite; use null", rows=bad)
    return Ragged.of_text([decimal_text(value) for value in objects])


def _integers(objects: Sequence[Any]) -> NDArray[Any]:
    try:
        return np.array(objects, np.int64)
    except OverflowError:
        pass
    try:
        return as_integers(np.array(objects, np.uint64))
    except OverflowError:
        pass
    bad = [row for row, value in enumerate(objects) if not -(1 << 63) <= value < 1 << 63]
    raise InvalidValue("integers beyond 64 bits, or both negative and beyond 63; pass them as text", rows=bad)


_VALUES: Final[dict[Kind, Callable[[Sequence[Any]], Values]]] = {
    Kind.TEXT: encode_text,
    Kind.BYTES: Ragged.of,
    Kind.DECIMAL: _decimals,
    Kind.INTEGER: _integers,
    Kind.DATE: days_of,
    Kind.FLOAT: lambda objects: np.array(objects, np.float64),
    Kind.BOOLEAN: lambda objects: np.array(objects, bool),
}


def _moments(objects: Sequence[Any]) -> tuple[Kind, NDArray[Any], Zone]:
    """Timestamps, or instants and their zone where it is one, in microseconds."""
    if not are_all(dt.datetime, objects):
        bad = [row for row, value in enumerate(objects) if getattr(value, "nanosecond", 0)]
        if bad:
            raise InvalidValue(
                "a timestamp finer than microseconds; put the column in a datetime64 or Arrow array", rows=bad
            )
    ahead = [value.utcoffset() for value in objects]
    naive = ahead.count(None)
    if naive == len(objects):
        return Kind.TIMESTAMP, local_clocks(objects), Zone()
    if naive:
        bad = [row for row, offset in enumerate(ahead) if (offset is None) is not (ahead[0] is None)]
        raise InvalidValue("timestamps with a time zone and without; give all of them one, or none", rows=bad)
    zone = objects[0].tzinfo
    same = all(value.tzinfo == zone for value in objects)
    return Kind.INSTANT, of_datetimes(objects, ahead), Zone(zone if same else None)


def _mixed(objects: Sequence[Any], nulls: NDArray[np.bool_] | None) -> WrongType:
    """The error for rows that are not of one kind: types and the first row's number, no value."""
    numbers = range(len(objects)) if nulls is None else np.flatnonzero(~nulls).tolist()
    first = type(objects[0])
    for number, row in zip(numbers, objects, strict=True):
        kind = kind_of_type(type(row))
        odd = kind is None or kind is not kind_of_type(first)
        if odd and (_is_missing(row) or _is_missing(objects[0])):
            place = number if _is_missing(row) else numbers[0]
            return WrongType(f"row {place} is {NO_NULL}, or pass the series")
        if kind is None:
            return WrongType(
                f"row {number} is a {type(row).__name__}, which is no value of a column; "
                "use str, bytes, int, float, Decimal, date, datetime or bool, and None for null"
            )
        if kind is not kind_of_type(first):
            return WrongType(
                f"row {number} is a {type(row).__name__} in a column of {first.__name__}; make the column one type"
            )
    raise AssertionError("the rows are of one kind")


def _is_missing(value: object) -> bool:
    """Whether it is what pandas takes for missing: NaN, `pd.NA`, `pd.NaT`."""
    return is_missing_type(type(value)) or (isinstance(value, float) and math.isnan(value))
