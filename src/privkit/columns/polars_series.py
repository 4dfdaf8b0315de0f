"""Polars series of every element type; text and bytes go by way of Arrow where pyarrow is installed.

NaN is a float and no null, as in Polars. The name is kept. A categorical or enumerated series of text stays one; an
enumeration whose values are no longer all in it becomes one of the new values, in the order in which they appear.

This module stands on Polars and is imported only where a series arrives; without pyarrow it goes by Python objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import numpy as np
import polars as pl

from privkit._kernels.ragged import Ragged
from privkit.columns.arrays import datetimes, fit
from privkit.columns.canonical import decimal_text, to_objects
from privkit.columns.column import Column
from privkit.columns.instants import in_zone, zone_named
from privkit.columns.kinds import NO_MIXED, Kind, Values, as_integers
from privkit.columns.numbering import Coded, in_order
from privkit.columns.optional import arrow_module
from privkit.columns.sequences import lift_objects, with_nulls
from privkit.errors import InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARROW = arrow_module()

NUMPY: Final[dict[Any, Any]] = {
    pl.Int8: np.int8,
    pl.Int16: np.int16,
    pl.Int32: np.int32,
    pl.Int64: np.int64,
    pl.UInt8: np.uint8,
    pl.UInt16: np.uint16,
    pl.UInt32: np.uint32,
    pl.UInt64: np.uint64,
    pl.Float32: np.float32,
    pl.Float64: np.float64,
    pl.Boolean: np.bool_,
}
_RAGGED: Final = {pl.String: Kind.TEXT, pl.Binary: Kind.BYTES, pl.Decimal: Kind.DECIMAL, pl.Null: Kind.TEXT}
_UNITS: Final = ("ms", "us", "ns")  # those that Polars has
_HEAD: Final = 1000


@dataclass(frozen=True, slots=True)
class PolarsHome:
    """A Polars series: its element type and its name."""

    dtype: Any
    name: str
    coded: ClassVar[bool] = True  # it is built by `build_coded` where each value is given once

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """See `Home.build`."""
        if self.dtype == pl.Null and not len(values):
            return pl.Series(self.name, [None] * (0 if nulls is None else len(nulls)), dtype=pl.Null)
        if kind is Kind.MIXED:
            raise InvalidParameter(NO_MIXED.format("a Polars series"))
        if kind is Kind.DECIMAL:
            return self._decimals(cast("Ragged", values), nulls, exact=exact)
        if isinstance(values, Ragged):
            series = self._ragged(kind, values, nulls)
            return self.categories(series) if kind is Kind.TEXT else series
        if kind is Kind.INSTANT:
            moments = np.ascontiguousarray(values["moment"])
            return self._temporal(Kind.TIMESTAMP, moments, nulls, exact=exact, zone="UTC")
        if kind in (Kind.DATE, Kind.TIMESTAMP):
            return self._temporal(kind, values, nulls, exact=exact)
        plain = fit(values, np.dtype(NUMPY[self.dtype.base_type()])) if exact else values
        return self.spread(plain, nulls)

    def build_coded(
        self, kind: Kind, values: Values, codes: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool
    ) -> Any:
        """As `build`, from distinct values and the position of each row's value among them."""
        return self.build(kind, values, None, exact=exact).gather(self.spread(codes, nulls))

    def _ragged(self, kind: Kind, values: Ragged, nulls: NDArray[np.bool_] | None) -> Any:
        text = kind is Kind.TEXT
        if _ARROW is None:
            rows = with_nulls(to_objects(kind, values), nulls, None)
            return pl.Series(self.name, rows, dtype=pl.String if text else pl.Binary)
        of = _ARROW.pa.large_string() if text else _ARROW.pa.large_binary()
        return pl.Series(self.name, _ARROW.text_array(values, nulls, of))

    def categories(self, series: Any) -> Any:
        """Text as the categories that it was in."""
        if self.dtype == pl.Categorical:
            return series.cast(self.dtype)
        if self.dtype != pl.Enum:
            return series
        found = series.drop_nulls().unique(maintain_order=True)
        known = self.dtype.categories.implode()
        held = found.head(_HEAD).is_in(known).all() and found.is_in(known).all()  # mostly the first ones are not
        return series.cast(self.dtype if held else pl.Enum(found))

    def _decimals(self, text: Ragged, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """Decimals from their text, exactly; with as many places as the longest needs where they were none before."""
        rows = [Decimal(word) for word in text.to_text()]
        scale = max((-cast("int", row.as_tuple().exponent) for row in rows), default=0)
        dtype = self.dtype if exact else pl.Decimal(38, max(scale, 0))
        bad = [row for row, value in enumerate(rows) if not _holds(dtype, value)]
        if bad:
            raise InvalidValue(f"a decimal that {dtype} does not hold", rows=bad)
        return pl.Series(self.name, with_nulls(rows, nulls, None), dtype=dtype)

    def _temporal(
        self,
        kind: Kind,
        values: NDArray[Any],
        nulls: NDArray[np.bool_] | None,
        *,
        exact: bool,
        zone: str | None = None,
    ) -> Any:
        """Days, or moments; those with a zone in the series' own if `exact`, else in the one given."""
        if kind is Kind.DATE:
            days = fit(values.astype("datetime64[D]").view(np.int64), np.dtype(np.int32))
            return self.spread(days, nulls).cast(pl.Date)
        unit = np.datetime_data(values.dtype)[0]
        dtype = self.dtype if exact else pl.Datetime(unit if unit in _UNITS else "us", zone)  # type: ignore[arg-type]
        moments = datetimes(values, None, np.dtype(f"datetime64[{dtype.time_unit}]"))
        return self.spread(moments.view(np.int64), nulls).cast(dtype)

    def spread(self, values: NDArray[Any], nulls: NDArray[np.bool_] | None) -> Any:
        """A series of the values in their rows, and nulls between them."""
        if nulls is None:
            return pl.Series(self.name, values)
        full = np.zeros(len(nulls), values.dtype)
        full[~nulls] = values
        there = pl.Series(~nulls)
        return pl.select(pl.when(there).then(pl.Series(full)).alias(self.name)).to_series()


def lift_polars(series: Any) -> Column[Any]:
    """Take a column out of a Polars series."""
    dtype = series.dtype
    home = PolarsHome(dtype, series.name)
    nulls = series.is_null().to_numpy() if series.null_count() else None
    if dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    kind = _RAGGED.get(series.dtype.base_type())
    if kind is not None:
        return Column(kind, _ragged(kind, series), nulls, home)
    dense = series.drop_nulls()
    if dtype == pl.Date:
        days = dense.to_physical().to_numpy().astype(np.int64).view("datetime64[D]")
        return Column(Kind.DATE, days, nulls, home)
    if dtype == pl.Datetime:
        moments = dense.to_physical().to_numpy().astype(np.int64).view(f"datetime64[{dtype.time_unit}]")
        if dtype.time_zone is None:
            return Column(Kind.TIMESTAMP, moments, nulls, home)
        return Column(Kind.INSTANT, in_zone(moments, zone_named(dtype.time_zone)), nulls, home)
    if dtype.base_type() not in NUMPY:
        raise WrongType(f"a series of {dtype} is no column of values; convert it to text or numbers first")
    return _lift_numbers(dense.to_numpy(), nulls, home)


def codes_of_polars(series: Any) -> Coded | None:
    """The categories and codes of a categorical or enumerated series; `None` for others.

    The numbers of categoricals may be of all categories that the process has seen: where they go beyond the number of
    rows it is `None` too.
    """
    if series.dtype not in (pl.Categorical, pl.Enum):
        return None
    highest = series.to_physical().max()
    if highest is None or highest >= len(series):
        return None
    nulls = series.is_null().to_numpy() if series.null_count() else None
    dense = series.drop_nulls()
    physical = dense.to_physical().to_numpy()
    order, codes = in_order(physical, highest + 1)
    column = lift_polars(of_physical(series.dtype, np.asarray(order).astype(physical.dtype)))
    return Coded(Column(column.kind, column.values, None, PolarsHome(series.dtype, series.name)), codes, nulls)


def of_physical(dtype: Any, numbers: NDArray[Any]) -> Any:
    """The series of categories with some numbers, which are of the type that theirs is."""
    return pl.Series(numbers).cat.to(dtype)


def _ragged(kind: Kind, series: Any) -> Ragged:
    """The values that are not null, of text, bytes or decimals."""
    if _ARROW is not None and kind is not Kind.DECIMAL:
        return cast("Ragged", _ARROW.lift_arrow(series.to_arrow()).values)
    rows = series.drop_nulls().to_list()
    if kind is Kind.DECIMAL:
        return Ragged.of_text([decimal_text(row) for row in rows])
    return cast("Ragged", lift_objects(rows)[1])


def _lift_numbers(values: NDArray[Any], nulls: NDArray[np.bool_] | None, home: PolarsHome) -> Column[Any]:
    if values.dtype == np.bool_:
        return Column(Kind.BOOLEAN, values, nulls, home)
    if values.dtype.kind == "f":
        return Column(Kind.FLOAT, values.astype(np.float64, copy=False), nulls, home)
    return Column(Kind.INTEGER, as_integers(values), nulls, home)


def _holds(dtype: Any, value: Decimal) -> bool:
    """Whether a Polars decimal type holds a value without rounding it."""
    with localcontext(Context(prec=100)):  # Python's own would round to 28 digits
        scaled = value.scaleb(dtype.scale)
        return scaled == scaled.to_integral_value() and abs(scaled) < Decimal(10) ** (dtype.precision or 38)
