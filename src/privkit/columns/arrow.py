"""Arrow arrays and chunked arrays, whose text comes and goes without a copy.

How they are laid out, and who imports pyarrow when, stands in `arrow_buffers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import numpy as np
import pyarrow as pa
from pyarrow import types

from privkit._kernels.ragged import Ragged
from privkit.columns.arrays import datetimes, fit
from privkit.columns.arrow_buffers import (
    INT32_MAX,
    in_chunks,
    lengths_of,
    nulls_of,
    number_array,
    parts_of,
    plain_numbers,
    plain_type,
    size_of,
    take_text,
    text_array,
)
from privkit.columns.arrow_dictionaries import encode
from privkit.columns.arrow_rows import number_values
from privkit.columns.canonical import decimal_text
from privkit.columns.column import Column
from privkit.columns.instants import in_zone, zone_named
from privkit.columns.kinds import NO_MIXED, Kind, Values, as_integers
from privkit.columns.numbering import Coded, renumber
from privkit.errors import InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_PLAIN_SCALES: Final = range(7)  # scales whose decimals Arrow casts to text without an exponent


@dataclass(frozen=True, slots=True)
class ArrowHome:
    """An Arrow array of some type.

    Attributes:
        type: The element type; for a dictionary array that of its values.
        dictionary: The type of a dictionary array, or `None`.
        chunks: The lengths of the chunks of a chunked array, or `None` for a plain array.
    """

    type: Any
    dictionary: Any = None
    chunks: tuple[int, ...] | None = None
    coded: ClassVar[bool] = True  # it is built by `build_coded` where each value is given once

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """See `Home.build`."""
        if self.dictionary is None:
            return in_chunks(self._array(kind, values, nulls, exact=exact), self.chunks)
        return in_chunks(self._encoded(kind, values, nulls, exact=exact), self.chunks)

    def build_coded(
        self, kind: Kind, values: Values, codes: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool
    ) -> Any:
        """As `build`, from distinct values and the position of each row's value among them."""
        if self.dictionary is not None:
            few = self._encoded(kind, values, None, exact=exact)
            merged = len(few.dictionary) < len(values)  # two values may have become one
            rows = number_array(renumber(codes, plain_numbers(few.indices)) if merged else codes, nulls).cast(
                few.indices.type
            )
            return in_chunks(pa.DictionaryArray.from_arrays(rows, few.dictionary), self.chunks)
        few = self._array(kind, values, None, exact=exact, size=_size_of_rows(values, codes))
        return in_chunks(_repeated(few, number_array(codes, nulls)), self.chunks)

    def _encoded(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """A dictionary array, whose dictionary is in the order in which values appear, which means nothing.

        So it is never marked as ordered. The type of its numbers is the one that it had, if that reaches.
        """
        return encode(self._array(kind, values, None, exact=exact), nulls, self.dictionary.index_type)

    def _array(
        self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool, size: int | None = None
    ) -> Any:
        if types.is_null(self.type) and not len(values):
            return pa.nulls(0 if nulls is None else len(nulls))
        if kind is Kind.MIXED:
            raise InvalidParameter(NO_MIXED.format("an Arrow array"))
        if kind is Kind.DECIMAL:
            return _decimals(cast("Ragged", values), nulls, self.type if exact else None)
        if isinstance(values, Ragged):
            of = self._text_type(kind, values, size_of(values) if size is None else size, exact=exact)
            return text_array(values, nulls, of)
        return _numbers(kind, values, nulls, self.type if exact else None)

    def _text_type(self, kind: Kind, values: Ragged, size: int, *, exact: bool) -> Any:
        """The type for text or bytes: as large as the container's own, and larger where offsets pass 31 bits.

        Args:
            kind: Text or bytes.
            values: The rows, or each of their values once.
            size: The bytes of all rows together.
            exact: As for `build`.
        """
        if exact and types.is_fixed_size_binary(self.type) and values.width in (None, self.type.byte_width):
            return self.type if len(values) == 0 or values.width else pa.binary()
        text = kind is Kind.TEXT
        if types.is_string_view(self.type) or types.is_binary_view(self.type):
            return pa.string_view() if text else pa.binary_view()
        large = types.is_large_string(self.type) or types.is_large_binary(self.type)
        if large or size > INT32_MAX:
            return pa.large_string() if text else pa.large_binary()
        return pa.string() if text else pa.binary()


def lift_arrow(container: Any) -> Column[Any]:
    """Take a column out of an Arrow `Array` or `ChunkedArray`; NaN is a float and no null."""
    parts = parts_of(container)
    dictionary = container.type if types.is_dictionary(container.type) else None
    home = ArrowHome(
        dictionary.value_type if dictionary else container.type,
        dictionary,
        lengths_of(container),
    )
    kind, take = _lifter(home.type)
    if dictionary:
        parts = [_decode(part) for part in parts]
    nulls = [nulls_of(part) for part in parts] if any(part.null_count for part in parts) else []
    values = take(parts[0]) if len(parts) == 1 else _join([take(part) for part in parts or [pa.array([], home.type)]])
    if kind is Kind.INTEGER:
        values = as_integers(cast("NDArray[Any]", values))
    return Column(kind, values, np.concatenate(nulls) if nulls else None, home)


def codes_of_arrow(container: Any) -> Coded | None:
    """The values and codes of a dictionary array.

    `None` where it is none, where its dictionaries are longer than it is (it is a slice of a long one, or of many
    chunks with dictionaries of their own), and where a dictionary holds null, which then is written in two ways.
    """
    if not types.is_dictionary(container.type) or not len(container):
        return None
    parts = [part for part in parts_of(container) if len(part)]
    dictionaries = [part.dictionary for part in parts]
    if dictionaries and all(other.equals(dictionaries[0]) for other in dictionaries[1:]):
        dictionaries = dictionaries[:1]
    sizes = [len(dictionary) for dictionary in dictionaries]
    if sum(sizes) > len(container) or any(dictionary.null_count for dictionary in dictionaries):
        return None
    column = lift_arrow(pa.chunked_array(dictionaries, type=container.type.value_type))
    starts = np.cumsum([0, *sizes]).tolist() if len(sizes) > 1 else [0] * len(parts)
    each = [plain_numbers(part.indices.drop_null()) for part in parts]
    if len(sizes) > 1:
        each = [numbers + np.int64(start) for numbers, start in zip(each, starts, strict=False)]
    codes = each[0] if len(each) == 1 else np.concatenate(each)  # as they are: wider ones would take room for each row
    values = column.values
    if len(sizes) > 1:
        values, merged = number_values(values)
        codes = renumber(codes, merged)
    nulls = np.concatenate([nulls_of(part) for part in parts]) if container.null_count else None
    home = ArrowHome(container.type.value_type, container.type, lengths_of(container))
    return Coded(Column(column.kind, values, None, home), codes, nulls)


# --- out of Arrow ---------------------------------------------------------------------------------------------------


def _lifter(of: Any) -> tuple[Kind, Callable[[Any], Values]]:
    """The kind of an element type, and the function that takes the values of one chunk that are not null."""
    for test, kind, take in _LIFTERS:
        if test(of):
            return kind, take
    raise WrongType(f"an Arrow array of {of} is no column of values; convert it to text or numbers first")


def _decode(array: Any) -> Any:
    """A dictionary array as the array of its values; offsets are widened, for the text repeated may pass 31 bits."""
    dictionary = array.dictionary
    if types.is_string(dictionary.type) or types.is_string_view(dictionary.type):
        dictionary = dictionary.cast(pa.large_string())
    elif types.is_binary(dictionary.type) or types.is_binary_view(dictionary.type):
        dictionary = dictionary.cast(pa.large_binary())
    return dictionary.take(array.indices)


def _take_numbers(array: Any) -> NDArray[Any]:
    whole = array.drop_null()
    if types.is_boolean(whole.type):  # one bit each
        return plain_numbers(whole.cast(pa.uint8())).view(np.bool_)
    values = plain_numbers(whole)
    return values.astype(np.float64, copy=False) if values.dtype.kind == "f" else values


def _take_dates(array: Any) -> NDArray[Any]:
    days = plain_numbers(array.cast(pa.date32()).cast(pa.int32()).drop_null())
    return days.astype(np.int64).view("datetime64[D]")


def _take_timestamps(array: Any) -> NDArray[Any]:
    moments = plain_numbers(array.cast(pa.int64()).drop_null())
    return moments.view(f"datetime64[{array.type.unit}]")


def _take_instants(array: Any) -> NDArray[Any]:
    return in_zone(_take_timestamps(array), zone_named(array.type.tz))


def _is_zoned(of: Any) -> bool:
    return types.is_timestamp(of) and of.tz is not None


def _take_decimals(array: Any) -> Ragged:
    dense = array.drop_null()
    if array.type.scale in _PLAIN_SCALES:
        return take_text(dense.cast(pa.large_string()))
    return Ragged.of_text([decimal_text(value) for value in dense.to_pylist()])


def _take_nothing(array: Any) -> Ragged:
    del array  # all of it is null
    return Ragged.of([])


def _join(parts: list[Values]) -> Values:
    """The values of several chunks, one after another."""
    if isinstance(parts[0], Ragged):
        return Ragged.concat(cast("list[Ragged]", parts))
    return np.concatenate(cast("list[NDArray[Any]]", parts))


_LIFTERS: Final[tuple[tuple[Callable[[Any], bool], Kind, Callable[[Any], Values]], ...]] = (
    (types.is_string, Kind.TEXT, take_text),
    (types.is_large_string, Kind.TEXT, take_text),
    (types.is_string_view, Kind.TEXT, take_text),
    (types.is_binary, Kind.BYTES, take_text),
    (types.is_large_binary, Kind.BYTES, take_text),
    (types.is_binary_view, Kind.BYTES, take_text),
    (types.is_fixed_size_binary, Kind.BYTES, take_text),
    (types.is_integer, Kind.INTEGER, _take_numbers),
    (types.is_floating, Kind.FLOAT, _take_numbers),
    (types.is_boolean, Kind.BOOLEAN, _take_numbers),
    (types.is_decimal, Kind.DECIMAL, _take_decimals),
    (types.is_date, Kind.DATE, _take_dates),
    (_is_zoned, Kind.INSTANT, _take_instants),
    (types.is_timestamp, Kind.TIMESTAMP, _take_timestamps),
    (types.is_null, Kind.TEXT, _take_nothing),
)

# --- into Arrow -----------------------------------------------------------------------------------------------------


def _size_of_rows(values: Values, codes: NDArray[Any]) -> int | None:
    """The bytes of all rows of text or bytes together, or a bound for them that offsets of 31 bits reach."""
    if not isinstance(values, Ragged):
        return None
    bound = int(values.lengths.max(initial=0)) * len(codes)
    return bound if bound <= INT32_MAX else int(values.lengths.take(codes).sum())


def _repeated(few: Any, rows: Any) -> Any:
    """The values at some positions; views, of which Arrow takes none, by way of plain text or bytes."""
    return few.cast(plain_type(few.type)).take(rows).cast(few.type)


def _decimals(text: Ragged, nulls: NDArray[np.bool_] | None, of: Any) -> Any:
    """Decimals from their text, exactly; of the smallest type that holds all where `of` is `None`."""
    if of is None:
        rows = text_array(text, nulls, pa.large_string()).to_pylist()
        from decimal import Decimal  # noqa: PLC0415 the rare way: decimals that were something else before

        return pa.array([row if row is None else Decimal(row) for row in rows])
    try:
        return text_array(text, nulls, pa.large_string()).cast(of)
    except pa.ArrowInvalid:
        pass  # its message quotes the value
    bad = [row for row, word in enumerate(text.to_text()) if not _holds(of, word)]
    raise InvalidValue(f"a decimal that {of} does not hold", rows=bad)


def _holds(of: Any, word: str) -> bool:
    try:
        pa.array([word]).cast(of)
    except pa.ArrowInvalid:
        return False
    return True


def _numbers(kind: Kind, values: NDArray[Any], nulls: NDArray[np.bool_] | None, of: Any) -> Any:
    """Numbers, booleans, dates and moments; exactly of the type `of` where that is given, instants in UTC else."""
    if kind is Kind.INSTANT:
        moments = np.ascontiguousarray(values["moment"])
        zoned = of or pa.timestamp(np.datetime_data(moments.dtype)[0], "UTC")
        return _numbers(Kind.TIMESTAMP, moments, nulls, zoned)
    if kind is Kind.DATE:
        days = fit(values.astype("datetime64[D]").view(np.int64), np.dtype(np.int32))
        return number_array(days, nulls).cast(pa.date32()).cast(of or pa.date32())
    if kind is Kind.TIMESTAMP:
        unit = of.unit if of is not None else np.datetime_data(values.dtype)[0]
        moments = datetimes(values, None, np.dtype(f"datetime64[{unit}]")).view(np.int64)
        return number_array(moments, nulls).cast(of or pa.timestamp(unit))
    if of is not None and kind is not Kind.BOOLEAN:
        values = fit(values, np.dtype(of.to_pandas_dtype()))
    found = number_array(values, nulls)
    return found if of is None else found.cast(of)
