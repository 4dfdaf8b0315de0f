"""One value: its canonical text and the way back, the same as in a column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from privkit.columns.canonical import decimal_text, float_text, is_encodable
from privkit.columns.instants import has_offset
from privkit.columns.kinds import NO_NULL, Kind, is_missing_type, kind_of_type
from privkit.errors import InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def text_of(value: object) -> str:
    """The canonical text of one value: what `Column.text` gives for it.

    Raises:
        WrongType: If it is of a type that no column holds; the message names the type.
        InvalidValue: If it is a value that no column holds, such as text with lone surrogates.

    Example:
        >>> import datetime
        >>> from privkit.columns import text_of
        >>> text_of(datetime.date(1990, 1, 2)), text_of(12.0), text_of(True)
        ('1990-01-02', '12', 'true')
    """
    if type(value) is str:
        return _plain_text(value)
    return _TEXTS[_kind(value)](value)


def like(value: T, text: str) -> T:
    """Parse canonical text to the type of another value, as `Column.restore_like` does for a column.

    Args:
        value: Says the type, and the zone of a `datetime`, in which the moment comes back.
        text: What `text_of` gives for the value wanted.

    Raises:
        WrongType: If `value` is of a type that no column holds.
        InvalidValue: If `text` is not the canonical text of such a value.

    Example:
        >>> from decimal import Decimal
        >>> from privkit.columns import like
        >>> like(Decimal("1.00"), "12.50"), like(7, "8")
        (Decimal('12.50'), 8)
    """
    if type(value) is str:
        return cast("T", text)
    kind = _kind(value)
    try:
        parsed = _PARSES[kind](text, value)
        if kind is Kind.TIMESTAMP or text_of(parsed) == text:  # its only text: nothing was rounded, trimmed or padded
            return cast("T", parsed)
    except (ValueError, InvalidOperation, OverflowError):
        pass  # their messages quote the text
    raise InvalidValue(f"not the plain text of a value of type {type(value).__name__}; protect it as text instead")


def _kind(value: object) -> Kind:
    kind = kind_of_type(type(value))
    if kind is None:
        if is_missing_type(type(value)):
            raise WrongType(NO_NULL)
        raise WrongType(
            f"a {type(value).__name__} is no value of a column; "
            "use str, bytes, int, float, Decimal, date, datetime or bool"
        )
    return kind


def _plain_text(value: str) -> str:
    if value.isascii() or is_encodable(value):
        return value if type(value) is str else str.__str__(value)  # of an enumeration's member, str() is its name
    raise InvalidValue("text with lone surrogates, which UTF-8 cannot hold")


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        pass  # its message quotes the bytes
    raise InvalidValue("bytes that are not UTF-8 text; decode them first (to base64, say), or drop them")


def _integer_text(value: int) -> str:
    if -(1 << 63) <= value < 1 << 64:
        return str(int(value))
    raise InvalidValue("an integer beyond 64 bits; pass it as text")


def _timestamp_text(value: dt.datetime) -> str:
    if getattr(value, "nanosecond", 0):
        raise InvalidValue("a timestamp finer than microseconds; put it in a datetime64 or Arrow array")
    if not has_offset(value):
        return value.replace(tzinfo=None).isoformat()
    if (value.utcoffset() or dt.timedelta()).microseconds:
        raise InvalidValue("a time zone whose offset has a fraction of a second")
    return value.isoformat()


def _parse_timestamp(text: str, value: dt.datetime) -> dt.datetime:
    parsed = dt.datetime.fromisoformat(text)
    if parsed.isoformat() != text or has_offset(parsed) is not has_offset(value):
        raise ValueError  # for `like` to say
    return parsed if parsed.tzinfo is None else parsed.astimezone(value.tzinfo)


def _parse_number(text: str, value: Any) -> Any:
    """An `int` or `float`, of NumPy's type where `value` is of one."""
    plain = int(text) if isinstance(value, int | np.integer) else float(text)
    return type(value)(plain) if isinstance(value, np.generic) else plain


def _parse_boolean(text: str, value: Any) -> Any:
    plain = {"true": True, "false": False}[text] if text in ("true", "false") else None
    return np.bool_(plain) if isinstance(value, np.bool_) and plain is not None else plain


_TEXTS: Final[dict[Kind, Callable[[Any], str]]] = {
    Kind.TEXT: _plain_text,
    Kind.BYTES: _bytes_text,
    Kind.INTEGER: _integer_text,
    Kind.FLOAT: lambda value: float_text(float(value)),
    Kind.DECIMAL: decimal_text,
    Kind.DATE: dt.date.isoformat,
    Kind.TIMESTAMP: _timestamp_text,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
}
_PARSES: Final[dict[Kind, Callable[[str, Any], Any]]] = {
    Kind.TEXT: lambda text, _: text,
    Kind.BYTES: lambda text, _: text.encode(),
    Kind.INTEGER: _parse_number,
    Kind.FLOAT: _parse_number,
    Kind.DECIMAL: lambda text, _: Decimal(text),
    Kind.DATE: lambda text, _: dt.date.fromisoformat(text),
    Kind.TIMESTAMP: _parse_timestamp,
    Kind.BOOLEAN: _parse_boolean,
}
