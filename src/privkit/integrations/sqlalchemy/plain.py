"""What of a Python value is encrypted, by the type that the column would have without encryption.

Equal values must be written alike, or a deterministic column would not find them: decimals are brought to the column's
scale, times with a zone to UTC. What the type would have refused or the database cut off is refused here, since the
database sees ciphertexts only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from privkit.columns import Kind
from privkit.errors import InvalidValue, WrongType
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.types import TypeEngine

    Convert: TypeAlias = Callable[[Any], Any]

_TEXT = layout.TAGS[Kind.TEXT]
_UTF8 = 4
"""Most bytes of a character in UTF-8 (RFC 3629)."""


@dataclass(frozen=True, slots=True)
class PlainForm:
    """How values of a column type are encrypted.

    Attributes:
        tag: The tag of their plaintexts.
        write: From a value that is not null to what is encrypted; `None` where that is the value itself.
        read: The way back; `None` where nothing is to be done.
        most_bytes: How many bytes the content has at most; `None` where nothing limits it.
    """

    tag: int
    write: Convert | None = None
    read: Convert | None = None
    most_bytes: int | None = None


def plain_form(base: TypeEngine[Any]) -> PlainForm:
    """How values of a column type are encrypted."""
    for kind, form in _FORMS:
        if isinstance(base, kind):
            return form(base)
    return PlainForm(_TEXT, *_processors(base))


def _processors(base: TypeEngine[Any]) -> tuple[Convert | None, Convert | None]:
    """What the type itself does to a value on its way to a database that knows little, and back."""
    dialect = DefaultDialect()
    impl = base.dialect_impl(dialect)
    write = impl.bind_processor(dialect)
    return None if write is None else _without_value(write), impl.result_processor(dialect, None)


def _without_value(write: Convert) -> Convert:
    def convert(value: Any) -> Any:  # noqa: ANN401 - as the type has it
        try:
            return write(value)
        except (LookupError, ValueError, TypeError, AttributeError):
            pass  # their messages quote the value
        raise InvalidValue(f"a {type(value).__name__} that the column's type does not take")

    return convert


def _text(length: int | None) -> Convert:
    def convert(value: Any) -> str:  # noqa: ANN401 - what was passed
        if not isinstance(value, str):
            raise _wrong(value, str)
        if length is not None and len(value) > length:
            raise InvalidValue(f"text of {len(value)} characters (> {length}); shorten it, or widen the column's type")
        return value

    return convert


def _bytes(length: int | None) -> Convert:
    def convert(value: Any) -> bytes:  # noqa: ANN401 - what was passed
        if not isinstance(value, bytes | bytearray | memoryview):
            raise _wrong(value, bytes)
        content = bytes(value)
        if length is not None and len(content) > length:
            raise InvalidValue(f"{len(content)} bytes (> {length}); shorten them, or widen the column's type")
        return content

    return convert


def _of_type(*types: type, refused: type | tuple[()] = (), to: Convert | None = None) -> Convert:
    def convert(value: Any) -> Any:  # noqa: ANN401 - what was passed
        if not isinstance(value, types) or isinstance(value, refused):
            raise _wrong(value, types[0])
        return value if to is None else to(value)

    return convert


def _boolean(value: Any) -> bool:  # noqa: ANN401 - what was passed
    if isinstance(value, bool) or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise _wrong(value, bool)


def _float(value: Any) -> float:  # noqa: ANN401 - as above
    return float(value) + 0.0  # -0.0 is equal to 0.0, and becomes that


def _decimal(precision: int | None, scale: int | None) -> Convert:
    unit = None if scale is None else Decimal(1).scaleb(-scale)

    def convert(value: Any) -> Decimal:  # noqa: ANN401 - what was passed
        if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
            raise _wrong(value, Decimal)
        number = Decimal(str(value))
        if not number.is_finite() or (
            precision is not None and number and number.adjusted() >= precision - (scale or 0)
        ):
            raise InvalidValue(f"a number that does not fit Numeric({precision}, {scale}); widen the column's type")
        if unit is None:
            return number
        try:
            scaled = number.quantize(unit)
        except InvalidOperation:
            scaled = None
        if scaled is None or scaled != number:
            raise InvalidValue(f"a number with more than {scale} decimal places; round it first")
        return scaled

    return convert


def _zoned(value: Any) -> dt.datetime:  # noqa: ANN401 - what was passed
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise InvalidValue(f"a {type(value).__name__} without a time zone, in a column with one; give it its zone")
    return value.astimezone(dt.UTC).replace(tzinfo=None)  # whatever zone it comes in, one moment has one ciphertext


def _unzoned(value: Any) -> dt.datetime:  # noqa: ANN401 - what was passed
    if not isinstance(value, dt.datetime) or value.tzinfo is not None:
        raise InvalidValue(f"a {type(value).__name__} where a datetime without a time zone is needed; convert it first")
    return value


def _utc(value: dt.datetime) -> dt.datetime:
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _wrong(value: object, wanted: type) -> WrongType:
    return WrongType(f"a {type(value).__name__} in a column of {wanted.__name__}; convert it first")


def _enum(base: Any) -> PlainForm:  # noqa: ANN401 - each of its own type
    return PlainForm(_TEXT, *_processors(base), max(map(len, base.enums), default=0) * _UTF8)


def _string(base: Any) -> PlainForm:  # noqa: ANN401 - as above
    return PlainForm(_TEXT, _text(base.length), None, None if base.length is None else base.length * _UTF8)


def _binary(base: Any) -> PlainForm:  # noqa: ANN401 - as above
    return PlainForm(layout.TAGS[Kind.BYTES], _bytes(base.length), None, base.length)


def _numeric(base: Any) -> PlainForm:  # noqa: ANN401 - as above
    most = None if base.precision is None else base.precision + len("-0.")
    return PlainForm(
        layout.TAGS[Kind.DECIMAL], _decimal(base.precision, base.scale), None if base.asdecimal else float, most
    )


def _datetime(base: Any) -> PlainForm:  # noqa: ANN401 - as above
    write, read = (_zoned, _utc) if base.timezone else (_unzoned, None)
    return PlainForm(layout.TAGS[Kind.TIMESTAMP], write, read, len("2026-01-02T03:04:05.000006+00:00"))


def _always(*parts: Any) -> Callable[[Any], PlainForm]:  # noqa: ANN401 - what `PlainForm` takes
    form = PlainForm(*parts)
    return lambda base: form  # noqa: ARG005 - the same for every such type


_FORMS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], PlainForm]], ...] = (
    (sa.Enum, _enum),  # before String, which it is
    (sa.String, _string),
    (sa.LargeBinary, _binary),
    (sa.Boolean, _always(layout.TAGS[Kind.BOOLEAN], _boolean, None, len("false"))),
    (sa.Integer, _always(layout.TAGS[Kind.INTEGER], _of_type(int, refused=bool), None, len(str(-(1 << 63))))),
    (sa.Float, _always(layout.TAGS[Kind.FLOAT], _of_type(float, int, refused=bool, to=_float), None, 32)),
    (sa.Numeric, _numeric),
    (sa.DateTime, _datetime),
    (sa.Date, _always(layout.TAGS[Kind.DATE], _of_type(dt.date, refused=dt.datetime), None, len("1990-01-02"))),
    (sa.Time, _always(_TEXT, _of_type(dt.time, to=dt.time.isoformat), dt.time.fromisoformat, 32)),
    (sa.JSON, _always(layout.JSON_TAG)),
    (sa.Uuid, lambda base: PlainForm(_TEXT, *_processors(base), 32)),
)
"""By column type, the first that fits."""
