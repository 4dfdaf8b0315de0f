"""NumPy arrays: fixed-width text and bytes, StringDType, objects, numbers, booleans and datetime64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.canonical import encode_text, to_objects
from privkit.columns.column import Column, at_rows
from privkit.columns.kinds import Kind, Values, as_integers
from privkit.columns.sequences import Zone, lift_objects, object_array, with_nulls
from privkit.errors import InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NO_NULL = "an array of {} has no place for a null; pass an object array or a list"
_DAY_UNITS = ("D", "W", "M", "Y")


@dataclass(frozen=True, slots=True)
class ArrayHome:
    """A NumPy array of some element type."""

    dtype: np.dtype[Any]
    zone: Zone

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> NDArray[Any]:
        """See `Home.build`."""
        if self.dtype == object:
            return object_array(with_nulls(self.zone.objects(kind, values), nulls, None))
        if isinstance(self.dtype, np.dtypes.StringDType) and kind is Kind.TEXT:
            return _string_dtype(self.dtype, values, nulls)
        if kind in (Kind.DATE, Kind.TIMESTAMP):
            return datetimes(cast("NDArray[Any]", values), nulls, self.dtype if exact else None)
        objects = self.dtype.kind == "M" or hasattr(self.dtype, "na_object")
        if kind in (Kind.INSTANT, Kind.MIXED) or objects or (nulls is not None and self._is_float and not exact):
            # NumPy has no type for these kinds, and no fixed width holds the nulls that the others may have
            return object_array(with_nulls(to_objects(kind, values), nulls, None))
        if nulls is not None and not self._is_float:
            raise InvalidParameter(_NO_NULL.format(self.dtype.name if exact else kind.value))
        if isinstance(values, Ragged):
            return self._ragged(kind, values, exact=exact)
        return _floats(fit(values, self.dtype), nulls) if exact else values

    @property
    def _is_float(self) -> bool:
        """Whether NaN may stand for a null: to a field type it is one."""
        return self.dtype.kind == "f"

    def _ragged(self, kind: Kind, values: Ragged, *, exact: bool) -> NDArray[Any]:
        if kind is Kind.TEXT:
            return fixed_width_text(values)
        if kind is Kind.BYTES and exact and not _ends_in_nul(values).any():
            return np.array(values.to_list(), "S")
        return object_array(to_objects(kind, values))  # S drops zeros at the end, which a ciphertext may well have


def lift_array(array: NDArray[Any], *, mixed: bool = False) -> Column[NDArray[Any]]:
    """Take a column out of a one-dimensional NumPy array.

    NaT is null, and so is `None` in object arrays and the `na_object` of a StringDType. NaN is a float. `mixed` is as
    for `lift`.
    """
    if array.ndim != 1:
        raise WrongType(f"an array of {array.ndim} dimensions is no column; pass one dimension")
    if isinstance(array, np.ma.MaskedArray):
        raise WrongType("a masked array is no column; pass an object array with None, or a list")
    if array.dtype == object:
        kind, values, nulls, zone = lift_objects(array.tolist(), mixed=mixed)
        return Column(kind, values, nulls, ArrayHome(array.dtype, zone))
    kind, values, nulls = lift_plain(array)
    return Column(kind, values, nulls, ArrayHome(array.dtype, Zone()))


def lift_plain(array: NDArray[Any]) -> tuple[Kind, Values, NDArray[np.bool_] | None]:
    """Kind, values and nulls of an array that is not of objects."""
    dtype = array.dtype
    if isinstance(dtype, np.dtypes.StringDType):
        return _lift_string_dtype(array)
    if dtype.kind not in _LIFTS or dtype == np.longdouble:  # which a float64 does not hold
        raise WrongType(f"an array of {dtype.name} is no column of values; convert it to text or numbers first")
    array = np.ascontiguousarray(array, dtype.newbyteorder("="))
    if dtype.kind == "M":
        return _lift_datetimes(array)
    kind, take = _LIFTS[dtype.kind]
    return kind, take(array), None


def fit(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Numbers as another type of number, exactly.

    Raises:
        InvalidValue: If some change; with their positions.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = values.astype(dtype)
        wrong = ~((narrow == values) | ((narrow != narrow) & (values != values)))  # noqa: PLR0124 NaN is not itself
    if wrong.any():
        raise InvalidValue(
            f"a number that {dtype.name} does not hold; make it a column of text", rows=np.flatnonzero(wrong)
        )
    return narrow


def _floats(values: NDArray[Any], nulls: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Numbers, and NaN where null."""
    if nulls is None:
        return values
    out = np.full(len(nulls), np.nan, values.dtype)
    out[~nulls] = values
    return out


def datetimes(values: NDArray[Any], nulls: NDArray[np.bool_] | None, dtype: np.dtype[Any] | None) -> NDArray[Any]:
    """Dates or timestamps with NaT where null, exactly in the unit of `dtype` if there is one.

    Raises:
        InvalidValue: If a value is no whole number of the unit, or too far for it; with positions in `values`.
    """
    if dtype is not None and dtype.kind == "M" and dtype.newbyteorder("=") != values.dtype:
        try:
            exact = values.astype(dtype)
            wrong = exact.astype(values.dtype) != values
        except OverflowError:
            raise InvalidValue(f"a date that {dtype.name} does not reach") from None
        if wrong.any():
            raise InvalidValue(
                f"a date or time that {dtype.name} does not hold; make it a column of text", rows=np.flatnonzero(wrong)
            )
        values = exact
    if nulls is None:
        return values
    out = np.full(len(nulls), np.datetime64("NaT"), values.dtype)
    out[~nulls] = values
    return out


def fixed_width_text(values: Ragged) -> NDArray[Any]:
    """Text as an array of `U`, as wide as the longest row.

    Raises:
        InvalidValue: If a row ends in NUL, which `U` drops; with its position.
    """
    ends_in_nul = _ends_in_nul(values)
    if ends_in_nul.any():
        raise InvalidValue("text that ends in NUL, which a fixed width drops", rows=np.flatnonzero(ends_in_nul))
    raw = values.data[values.offsets[0] : values.offsets[-1]]
    if len(raw) == 0 or (raw >= 0x80).any():  # noqa: PLR2004 beyond ASCII a character has several bytes
        return np.array(values.to_text(), np.str_)
    lengths = values.lengths
    width = int(lengths.max())
    matrix = np.zeros((len(values), width), np.uint32)
    matrix[np.arange(width) < lengths[:, None]] = raw
    return matrix.view(f"U{width}").reshape(-1)


def _lift_text(array: NDArray[Any]) -> Ragged:
    """UTF-8 of an array of `U`: by its code points where they are ASCII."""
    codes = _units(array, np.uint32)
    if not codes.size or int(codes.max()) >= 0x80:  # noqa: PLR2004 beyond ASCII a character has several bytes
        return encode_text(array.tolist())
    return _cut(codes.astype(np.uint8))


def _units(array: NDArray[Any], unit: type[Any]) -> NDArray[Any]:
    """Fixed-width text or bytes as a matrix of the numbers of its characters."""
    matrix: NDArray[Any] = array.view(unit).reshape(len(array), array.itemsize // np.dtype(unit).itemsize)
    return matrix


def _cut(matrix: NDArray[np.uint8]) -> Ragged:
    """Rows without the zeros that pad them."""
    rows, width = matrix.shape
    if not matrix.size:
        return Ragged(np.empty(0, np.uint8), np.zeros(rows + 1, np.int64))
    filled = matrix != 0
    lengths = width - np.argmax(filled[:, ::-1], axis=1)
    lengths[~filled.any(axis=1)] = 0
    if (lengths == width).all():
        return Ragged.of_matrix(matrix)
    out = Ragged.empty(lengths)
    out.data[:] = matrix[np.arange(width) < lengths[:, None]]
    return out


def _ends_in_nul(rows: Ragged) -> NDArray[np.bool_]:
    ends = np.zeros(len(rows), bool)
    filled = rows.lengths > 0
    ends[filled] = rows.data[rows.offsets[1:][filled] - 1] == 0
    return ends


_LIFTS: Final[dict[str, tuple[Kind, Callable[[NDArray[Any]], Values]]]] = {
    "U": (Kind.TEXT, _lift_text),
    "S": (Kind.BYTES, lambda array: _cut(_units(array, np.uint8))),
    "i": (Kind.INTEGER, as_integers),
    "u": (Kind.INTEGER, as_integers),
    "f": (Kind.FLOAT, lambda array: array.astype(np.float64, copy=False)),
    "b": (Kind.BOOLEAN, lambda array: array),
    "M": (Kind.TIMESTAMP, lambda array: array),  # or dates: see `_lift_datetimes`
}


def _lift_datetimes(array: NDArray[Any]) -> tuple[Kind, Values, NDArray[np.bool_] | None]:
    unit = np.datetime_data(array.dtype)[0]
    if unit == "generic":
        raise WrongType("an array of datetime64 without a unit is no column; give it one, such as datetime64[D]")
    nulls = np.isnat(array)
    dense = array[~nulls] if nulls.any() else array
    kind = Kind.DATE if unit in _DAY_UNITS else Kind.TIMESTAMP
    target = "datetime64[D]" if kind is Kind.DATE else "datetime64[ns]" if unit in ("ps", "fs", "as") else None
    if target or np.datetime_data(dense.dtype)[1] != 1 or unit in ("h", "m"):
        exact = dense.astype(target or "datetime64[us]")
        wrong = exact.astype(dense.dtype) != dense
        if wrong.any():
            raise at_rows(InvalidValue("a moment finer than a nanosecond", rows=np.flatnonzero(wrong)), nulls)
        dense = exact
    return kind, dense, nulls if nulls.any() else None


def _lift_string_dtype(array: NDArray[Any]) -> tuple[Kind, Values, NDArray[np.bool_] | None]:
    rows = array.tolist()
    nulls = None
    if hasattr(array.dtype, "na_object"):
        null = array.dtype.na_object  # where it is a text, NumPy itself takes every text equal to it for null
        is_null = null.__eq__ if isinstance(null, str) else lambda row: not isinstance(row, str)
        nulls = np.fromiter(map(is_null, rows), bool, len(rows))
    kind, values, nulls, _ = lift_objects(rows, nulls)
    return kind, values, nulls


def _string_dtype(dtype: Any, values: Values, nulls: NDArray[np.bool_] | None) -> NDArray[Any]:
    if nulls is not None and not hasattr(dtype, "na_object"):
        raise InvalidParameter("a StringDType without na_object has no place for a null; give it na_object=None")
    rows, null = to_objects(Kind.TEXT, values), getattr(dtype, "na_object", None)
    if isinstance(null, str) and (lost := [row for row, value in enumerate(rows) if value == null]):
        raise InvalidValue("the text that stands for null in this StringDType; give it na_object=None", rows=lost)
    return np.array(with_nulls(rows, nulls, null), dtype)
