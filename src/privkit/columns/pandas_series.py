"""pandas series of every element type; by way of Arrow where pandas itself keeps them in Arrow.

Null is what `Series.isna` says, and NaN is among it: that is what NaN means in pandas. Index and name are kept.
Text from a column that was none comes as `str`, pandas' own default, and from a nullable one (`Int64`) as `string`;
bytes, decimals and dates come as objects, for which pandas has no type of its own.

This module stands on pandas and is imported only where a series arrives; without pyarrow it goes by NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from privkit._kernels.ragged import Ragged
from privkit.columns.arrays import datetimes, fit, lift_plain
from privkit.columns.column import Column
from privkit.columns.instants import in_zone
from privkit.columns.kinds import Kind, Values
from privkit.columns.numbering import Coded, renumber, some
from privkit.columns.optional import arrow_module
from privkit.columns.pandas_categories import as_categories
from privkit.columns.sequences import Zone, lift_objects, object_array, with_nulls
from privkit.errors import InvalidValue, WrongType

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARROW = arrow_module()

_OBJECTS = (Kind.BYTES, Kind.DECIMAL, Kind.DATE)  # kinds for which pandas has no type but that of objects
_MASKED: dict[Kind, tuple[Any, Any]] = {
    Kind.INTEGER: (pd.arrays.IntegerArray, np.int64),
    Kind.FLOAT: (pd.arrays.FloatingArray, np.float64),
    Kind.BOOLEAN: (pd.arrays.BooleanArray, np.bool_),
}


@dataclass(frozen=True, slots=True)
class PandasHome:
    """A pandas series.

    Attributes:
        dtype: The element type.
        index: The index, kept.
        name: The name, kept.
        inner: Who builds the values of a series that is in Arrow or in categories inside, or `None`.
        zone: The zone of timestamps among objects.
        missing: What the nulls of a series of objects were (`None`, NaN, NaT, NA), in order, and where.
    """

    dtype: Any
    index: Any
    name: Any
    inner: Any = None
    zone: Zone = field(default_factory=Zone)
    missing: tuple[NDArray[np.bool_], list[Any]] | None = None

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """See `Home.build`."""
        array = self.array(kind, values, nulls, exact=exact)
        return pd.Series(array, index=self.index, name=self.name, dtype=array.dtype, copy=False)  # or it would guess

    @property
    def coded(self) -> bool:
        """Whether it is built by `build_coded` where each value is given once."""
        return isinstance(self.dtype, pd.CategoricalDtype | pd.ArrowDtype)

    def build_coded(
        self, kind: Kind, values: Values, codes: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool
    ) -> Any:
        """As `build`, from distinct values and the position of each row's value among them."""
        if isinstance(self.dtype, pd.ArrowDtype):
            built = self.inner.build_coded(kind, values, codes, nulls, exact=exact)
            array = pd.ArrowDtype(built.type).__from_arrow__(built)
        else:
            few = as_categories(self.dtype, self.inner.array(kind, values, None, exact=exact))
            numbers = renumber(codes, few.codes)  # two values may have become one
            if nulls is not None:
                full = np.full(len(nulls), -1, numbers.dtype)
                full[~nulls] = numbers
                numbers = full
            array = pd.Categorical.from_codes(numbers, dtype=few.dtype, validate=False)
        return pd.Series(array, index=self.index, name=self.name, copy=False)

    def array(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """The series' array: as `build`, without index and name."""
        elsewhere = isinstance(self.dtype, pd.CategoricalDtype | pd.ArrowDtype)
        if kind is Kind.MIXED or self.dtype == object or (kind in _OBJECTS and not elsewhere):
            return self._objects(kind, values, nulls)
        if isinstance(self.dtype, pd.CategoricalDtype):
            return as_categories(self.dtype, self.inner.array(kind, values, nulls, exact=exact))
        if isinstance(self.dtype, pd.ArrowDtype):
            built = self.inner.build(kind, values, nulls, exact=exact)
            return pd.ArrowDtype(built.type).__from_arrow__(built)
        if isinstance(values, Ragged):
            return self._text(values, nulls)
        if kind in (Kind.TIMESTAMP, Kind.INSTANT):
            return self._moments(kind, values, nulls, exact=exact)
        return self._numbers(kind, values, nulls, exact=exact)

    def _objects(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None) -> Any:
        """Python objects; what was null stays the null that it was."""
        out = object_array(with_nulls(self.zone.objects(kind, values), nulls, None))
        if self.missing is not None and nulls is not None:
            were, objects = self.missing
            old = np.full(len(were), None, object)
            old[were] = object_array(objects)
            both = were & nulls
            out[both] = old[both]
        return out

    def _text(self, values: Ragged, nulls: NDArray[np.bool_] | None) -> Any:
        text = self.dtype
        if not isinstance(text, pd.StringDtype):
            text = pd.StringDtype(na_value=pd.NA if _is_masked(self.dtype) else np.nan)
        if _ARROW is not None and text.storage == "pyarrow":
            chunks = self.inner.chunks if isinstance(self.inner, _ARROW.ArrowHome) else None
            home = _ARROW.ArrowHome(
                _ARROW.pa.large_string(), chunks=chunks or (len(values if nulls is None else nulls),)
            )
            return text.__from_arrow__(home.build(Kind.TEXT, values, nulls, exact=False))
        return pd.array(with_nulls(list(values.to_text()), nulls, text.na_value), dtype=text)

    def _moments(self, kind: Kind, values: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """Timestamps; instants in the zone of the column, or in UTC where it had none."""
        if kind is Kind.TIMESTAMP:
            return datetimes(values, nulls, self.dtype) if exact else pd.array(datetimes(values, nulls, None))
        dtype = np.dtype(f"datetime64[{self.dtype.unit}]") if exact else None
        utc = pd.DatetimeIndex(datetimes(values["moment"], nulls, dtype)).tz_localize("UTC")
        return utc.tz_convert(self.dtype.tz).array if exact else utc.array

    def _numbers(self, kind: Kind, values: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """Numbers and booleans, with a mask where the dtype has one or there are nulls that it could not hold."""
        masked = _is_masked(self.dtype)
        if exact:
            values = fit(values, self.dtype.numpy_dtype if masked else self.dtype)
        if not masked and nulls is None:
            return values
        if not masked and kind is Kind.FLOAT:
            out = np.full(len(cast("NDArray[Any]", nulls)), np.nan, values.dtype)
            out[~cast("NDArray[np.bool_]", nulls)] = values
            return out
        if nulls is None:
            nulls = np.zeros(len(values), bool)
        full = np.zeros(len(nulls), values.dtype)
        full[~nulls] = values
        return _MASKED[kind][0](full, nulls.copy())


def lift_pandas(series: Any, *, mixed: bool = False) -> Column[Any]:
    """Take a column out of a pandas series; `mixed` is as for `lift`."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _lift_categories(series)
    if isinstance(dtype, pd.ArrowDtype) or (isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"):
        column = _ARROW.lift_arrow(series.array.__arrow_array__())
        home = PandasHome(dtype, series.index, series.name, column.home)
        return Column(column.kind, column.values, column.nulls, home)
    if isinstance(dtype, pd.StringDtype) or (isinstance(dtype, np.dtype) and dtype.kind == "O"):
        return _lift_objects(series, mixed=mixed)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _lift_instants(series)
    if not (_is_masked(dtype) or (isinstance(dtype, np.dtype) and dtype.kind in "iufbM")):
        raise WrongType(f"a series of {dtype} is no column of values; convert it to text or numbers first")
    return _lift_numbers(series, PandasHome(dtype, series.index, series.name))


def codes_of_pandas(series: Any) -> Coded | None:
    """The categories and codes of a categorical series, or the dictionary and codes of one in Arrow; else `None`."""
    if isinstance(series.dtype, pd.ArrowDtype):
        coded = _ARROW.codes_of_arrow(series.array.__arrow_array__())
        if coded is None:
            return None
        column, codes, nulls = coded.column, coded.codes, coded.nulls
        home = PandasHome(series.dtype, series.index, series.name, column.home)
        return Coded(Column(column.kind, column.values, None, home), codes, nulls)
    if not isinstance(series.dtype, pd.CategoricalDtype) or len(series.dtype.categories) > len(series):
        return None
    return _codes_of_categories(series)


def _lift_categories(series: Any) -> Column[Any]:
    coded = _codes_of_categories(series)
    taken = some(coded.column.values, coded.codes)
    return Column(coded.column.kind, taken, coded.nulls, coded.column.home)


def _codes_of_categories(series: Any) -> Coded:
    codes = series.array.codes
    names = series.cat.categories
    try:
        column = lift_pandas(pd.Series(names, index=range(len(names))))  # of their type: `to_series` may guess another
    except InvalidValue as error:
        raise InvalidValue(error.reason, rows=np.flatnonzero(np.isin(codes, error.positions)).tolist()) from None
    of: PandasHome = column.home  # type: ignore[assignment]  # what lift_pandas makes
    inner = PandasHome(of.dtype, series.index, series.name, of.inner, of.zone)
    home = PandasHome(series.dtype, series.index, series.name, _unchunked(inner))
    nulls = codes < 0
    any_null = bool(nulls.any())
    dense = codes[~nulls] if any_null else codes
    return Coded(Column(column.kind, column.values, None, home), dense, nulls if any_null else None)


def _unchunked(home: PandasHome) -> PandasHome:
    """The home of categories as one for rows, which are of another number."""
    if _ARROW is None or not isinstance(home.inner, _ARROW.ArrowHome):
        return home
    inner = _ARROW.ArrowHome(home.inner.type, home.inner.dictionary)
    return PandasHome(home.dtype, home.index, home.name, inner, home.zone)


def _lift_objects(series: Any, *, mixed: bool) -> Column[Any]:
    rows = series.to_numpy(dtype=object)
    missing = series.isna().to_numpy()
    kind, values, nulls, zone = lift_objects(rows.tolist(), missing, mixed=mixed)
    gone = None if nulls is None else (nulls, rows[nulls].tolist())
    return Column(kind, values, nulls, PandasHome(series.dtype, series.index, series.name, None, zone, gone))


def _lift_numbers(series: Any, home: PandasHome) -> Column[Any]:
    nulls = series.isna().to_numpy()
    if not nulls.any():
        nulls = None
    if _is_masked(series.dtype):
        dense = series if nulls is None else series[~nulls]
        values = dense.array.to_numpy(dtype=series.dtype.numpy_dtype)
    else:
        values = series.to_numpy() if nulls is None else series.to_numpy()[~nulls]
    kind, plain, _ = lift_plain(values)
    return Column(kind, plain, nulls, home)


def _lift_instants(series: Any) -> Column[Any]:
    home = PandasHome(series.dtype, series.index, series.name)
    column = _lift_numbers(series.dt.tz_convert("UTC").dt.tz_localize(None), home)
    moments = cast("NDArray[Any]", column.values)
    return Column(Kind.INSTANT, in_zone(moments, series.dtype.tz), column.nulls, home)


def _is_masked(dtype: Any) -> bool:
    """Whether the dtype is one of pandas' nullable numbers or booleans, values beside a mask."""
    if not isinstance(dtype, pd.api.extensions.ExtensionDtype) or isinstance(dtype, pd.ArrowDtype):
        return False
    return hasattr(dtype, "numpy_dtype")
