"""The canonical text of every kind of value, and the way back.

One value has one text, the same for a single value and in a column. The way back is strict: what is not the canonical
text of some value of the kind is bad, so that nothing is rounded or trimmed on the way (`007` is no integer, for its
zeros would be lost; `0.1000000000000000055` is no float).
"""

from __future__ import annotations

import codecs
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.decimal_text import format_dates, format_integers, parse_dates, parse_integers
from privkit._kernels.ragged import Ragged
from privkit.columns.instants import to_datetimes
from privkit.columns.kinds import Kind, Values
from privkit.columns.stamps import format_instants, format_timestamps, parse_instants, parse_timestamps
from privkit.errors import InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_EXACT_INTEGERS: Final = 2.0**53  # below it every integral float is exact and is written as an integer
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_LAST_ASCII: Final = 0x7F
_PIECE: Final = 1 << 16
_CONTINUATION: Final = 0b1000_0000  # the upper two bits of a byte of UTF-8 that begins no character


# --- values to text -------------------------------------------------------------------------------------------------


def format_values(kind: Kind, values: Values) -> Ragged:
    """The canonical text of values.

    Args:
        kind: What they are.
        values: Them, as `Kind` says.

    Returns:
        UTF-8, one row a value.

    Raises:
        InvalidValue: If a date is outside the years 0001 to 9999, or bytes are not UTF-8; with positions in `values`.
    """
    if isinstance(values, Ragged):
        if kind is Kind.BYTES:
            check_utf8(values)
        return values
    if kind is Kind.MIXED:
        raise WrongType("values of several kinds, lists or dicts have no plain text; make the column one type")
    return _FORMATS[kind](values)


def float_text(value: float) -> str:
    """The canonical text of a float: whole numbers that a float holds exactly without a point, else the shortest."""
    return repr(value).removesuffix(".0")


def decimal_text(value: Decimal) -> str:
    """The canonical text of a decimal: plain, keeping its scale.

    Raises:
        InvalidValue: If it is an infinity or not a number.
    """
    if not value.is_finite():
        raise InvalidValue("a decimal that is not finite; use null")
    return format(value, "f")


def check_utf8(rows: Ragged) -> None:
    """Raise `InvalidValue` unless every row is UTF-8 by itself."""
    raw = rows.data[rows.offsets[0] : rows.offsets[-1]]
    if raw.max(initial=0) <= _LAST_ASCII:
        return
    starts = rows.offsets[:-1][rows.lengths > 0] - rows.offsets[0]
    if _is_utf8(raw.data) and not (raw[starts] & 0b1100_0000 == _CONTINUATION).any():
        return  # and no row begins within a character
    bad = [row for row, value in enumerate(rows.to_list()) if not _is_utf8(value)]
    raise InvalidValue("bytes that are not UTF-8 text; decode them first (to base64, say), or drop them", rows=bad)


def _is_utf8(value: bytes | memoryview) -> bool:
    """Whether bytes are UTF-8, read a piece at a time: what they decode to takes up to four times their memory."""
    at = 0
    try:
        while at < len(value):
            end = at + _PIECE
            at += codecs.utf_8_decode(value[at:end], "strict", end >= len(value))[1]
    except UnicodeDecodeError:
        return False
    return True


def _format_floats(values: NDArray[np.float64]) -> Ragged:
    with np.errstate(invalid="ignore"):
        whole = (np.abs(values) <= _EXACT_INTEGERS) & (np.trunc(values) == values)
    whole &= ~((values == 0) & np.signbit(values))  # -0.0 is not 0
    if whole.all():
        return format_integers(values.astype(np.int64))
    return Ragged.of_text([float_text(value) for value in values.tolist()])


def _format_booleans(values: NDArray[np.bool_]) -> Ragged:
    return Ragged.of([b"false", b"true"]).take(values.astype(np.intp))


_FORMATS: Final[dict[Kind, Callable[[NDArray[Any]], Ragged]]] = {
    Kind.INTEGER: format_integers,
    Kind.FLOAT: _format_floats,
    Kind.DATE: format_dates,
    Kind.TIMESTAMP: format_timestamps,
    Kind.INSTANT: format_instants,
    Kind.BOOLEAN: _format_booleans,
}

# --- text to values -------------------------------------------------------------------------------------------------


def parse_values(kind: Kind, text: Ragged) -> tuple[Values, NDArray[np.bool_]]:
    """Read canonical text.

    Args:
        kind: What the values are.
        text: UTF-8, one row a value.

    Returns:
        The values, as `Kind` says, with anything in the bad rows; and the mask of the rows that are not the canonical
        text of such a value. Timestamps and instants come in nanoseconds where the text has nine fractional digits,
        else in microseconds.
    """
    if kind in (Kind.TEXT, Kind.BYTES):
        return text, np.zeros(len(text), bool)
    return _PARSES[kind](text)


def _parse_integers(text: Ragged) -> tuple[Values, NDArray[np.bool_]]:
    values, bad = parse_integers(text)
    if not bad.any():
        return values, bad
    beyond, still_bad = parse_integers(text, np.uint64)
    return (values, bad) if (still_bad & bad).any() or (values < 0).any() else (beyond, still_bad)


def _parse_floats(text: Ragged) -> tuple[Values, NDArray[np.bool_]]:
    rows = text.to_text()
    values = np.zeros(len(rows))
    bad = np.zeros(len(rows), bool)
    for row, word in enumerate(rows):
        try:
            values[row] = float(word)
        except ValueError:
            bad[row] = True
        else:
            bad[row] = float_text(float(values[row])) != word
    return values, bad


def _parse_decimals(text: Ragged) -> tuple[Values, NDArray[np.bool_]]:
    return text, np.array([_DECIMAL.fullmatch(word) is None for word in text.to_text()], bool)


def _parse_booleans(text: Ragged) -> tuple[Values, NDArray[np.bool_]]:
    rows = text.to_list()
    bad = np.array([word not in (b"true", b"false") for word in rows], bool)
    return np.array([word == b"true" for word in rows], bool), bad


_PARSES: Final[dict[Kind, Callable[[Ragged], tuple[Values, NDArray[np.bool_]]]]] = {
    Kind.INTEGER: _parse_integers,
    Kind.FLOAT: _parse_floats,
    Kind.DECIMAL: _parse_decimals,
    Kind.DATE: parse_dates,
    Kind.TIMESTAMP: parse_timestamps,
    Kind.INSTANT: parse_instants,
    Kind.BOOLEAN: _parse_booleans,
}

# --- values to and from Python objects ------------------------------------------------------------------------------


NOT_ENCODABLE: Final = "text with lone surrogates, which UTF-8 cannot hold"
"""What is said of such a value, alone or in a column."""


def encode_text(values: Sequence[str]) -> Ragged:
    """Text as UTF-8.

    Raises:
        InvalidValue: If some have lone surrogates, which no UTF-8 can hold; with positions in `values`.
    """
    try:
        return Ragged.of_text(values)
    except UnicodeEncodeError:
        pass  # its message quotes the text
    bad = [row for row, value in enumerate(values) if not is_encodable(value)]
    raise InvalidValue(NOT_ENCODABLE, rows=bad)


def is_encodable(value: str) -> bool:
    """Whether UTF-8 can hold the text: no lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_objects(kind: Kind, values: Values) -> list[Any]:
    """Values as the Python objects of their kind: `str`, `bytes`, `int`, `float`, `Decimal`, `date` and so on."""
    if isinstance(values, Ragged):
        if kind is Kind.BYTES:
            return values.to_list()
        text = values.to_text()
        return [Decimal(word) for word in text] if kind is Kind.DECIMAL else text
    if kind is Kind.INSTANT:
        return to_datetimes(values)
    if kind is Kind.TIMESTAMP:
        values = values.astype("datetime64[us]")
    rows: list[Any] = values.tolist()
    return rows
