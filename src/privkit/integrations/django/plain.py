"""What of a Django value is encrypted, and the way back.

Equal values must be written alike, or a deterministic column would not find them: decimals are brought to the
field's scale, timestamps to UTC, JSON through its encoder. What has no encoding of its own in a ciphertext (UUID,
time, duration, addresses) goes as the text that Django itself writes for it.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.utils import format_number
from django.utils.duration import duration_string

from privkit.columns import Kind
from privkit.errors import InvalidParameter, InvalidValue
from privkit.transforms.ciphertext import JSON_TAG, TAGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    Base = models.Field[Any, Any]


_TAGS: dict[type[Base], Kind] = {
    models.BinaryField: Kind.BYTES,
    models.BooleanField: Kind.BOOLEAN,
    models.DateTimeField: Kind.TIMESTAMP,
    models.DateField: Kind.DATE,
    models.DecimalField: Kind.DECIMAL,
    models.FloatField: Kind.FLOAT,
    models.IntegerField: Kind.INTEGER,
}
"""As what a field's values are encrypted, where it is not text; subclasses before their parents."""


def tag_of(base: Base) -> int:
    """The tag of the ciphertext format that a field's values get."""
    if isinstance(base, models.JSONField):
        return JSON_TAG
    return next((TAGS[kind] for field_type, kind in _TAGS.items() if isinstance(base, field_type)), TAGS[Kind.TEXT])


def is_plain_text(base: Base) -> bool:
    """Whether text is a value of the field as it is, both ways, so that there is nothing to convert."""
    ours = type(base)
    known = {models.CharField, models.TextField}
    return (
        ours.to_python in {one.to_python for one in known}
        and ours.get_prep_value in {one.get_prep_value for one in known}
        and not hasattr(base, "from_db_value")
    )


def stands_as_text(base: Base) -> bool:
    """Whether every database writes a field's values as the text that is encrypted: needed to tell them in clear."""
    return isinstance(base, models.CharField | models.TextField | models.IntegerField) or type(base) is models.DateField


def plain_of(base: Base, value: Any) -> Any:  # noqa: ANN401 - a value of any field
    """Bring a value that is not null into the one form in which it is encrypted.

    Raises:
        InvalidValue: If it is no value of the field; the message does not show it.
    """
    try:
        for field_type, write in _WRITERS.items():
            if isinstance(base, field_type):
                return write(base, value)
        return _encodable(base.get_prep_value(value))
    except InvalidParameter:
        raise
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        pass  # their messages quote the value
    raise InvalidValue(f"a {type(value).__name__} that the field does not take", field_type=type(base).__name__)


def value_of(base: Base, plain: Any, connection: Any) -> Any:  # noqa: ANN401 - a value of any field
    """Read what was encrypted back as a value of the field.

    Raises:
        InvalidValue: If it is none, as after a change of the field's type; the message does not show it.
    """
    try:
        for field_type, read in _READERS.items():
            if isinstance(base, field_type):
                return read(base, plain)
        if hasattr(base, "from_db_value"):  # a field of the application's, which reads what it wrote
            return base.from_db_value(plain, None, connection)
        return base.to_python(plain)
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        pass  # their messages quote the value
    raise InvalidValue(f"what was encrypted is a {type(plain).__name__}", field_type=type(base).__name__)


def _encodable(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.timedelta):
        return duration_string(value)
    if isinstance(value, dt.time):
        return value.isoformat()
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _decimal(base: Any, value: Any) -> Decimal:  # noqa: ANN401 - as above
    number = base.to_python(value)
    plain: Decimal = base.to_python(format_number(number, base.max_digits, base.decimal_places))
    if plain != number:
        raise InvalidParameter(f"more than {base.decimal_places} decimal places; round the value before it is written")
    return abs(plain) if plain == 0 else plain  # -0.00 and 0.00 are equal


def _float(base: Base, value: Any) -> float:  # noqa: ANN401 - as above
    return float(base.get_prep_value(value)) + 0.0  # -0.0 and 0.0 are equal


def _timestamp(base: Base, value: Any) -> Any:  # noqa: ANN401 - as above
    moment = base.get_prep_value(value)
    if moment is not None and moment.tzinfo is not None and not settings.USE_TZ:
        raise InvalidParameter("a datetime with a zone while USE_TZ is off; make it naive")
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(dt.UTC).replace(tzinfo=None)  # whatever zone it comes in, one moment has one ciphertext


def _read_timestamp(base: Base, plain: Any) -> Any:  # noqa: ANN401 - as above
    moment = base.to_python(plain) if isinstance(plain, str) else plain
    return moment.replace(tzinfo=dt.UTC) if settings.USE_TZ and moment.tzinfo is None else moment


def _json(base: Any, value: Any) -> Any:  # noqa: ANN401 - as above
    return json.loads(json.dumps(value, cls=base.encoder))


def _read_json(base: Any, plain: Any) -> Any:  # noqa: ANN401 - as above
    return plain if base.decoder is None else json.loads(json.dumps(plain), cls=base.decoder)


_WRITERS: dict[type[Base], Callable[[Any, Any], Any]] = {
    models.DecimalField: _decimal,
    models.FloatField: _float,
    models.DateTimeField: _timestamp,
    models.JSONField: _json,
}
_READERS: dict[type[Base], Callable[[Any, Any], Any]] = {
    models.DateTimeField: _read_timestamp,
    models.JSONField: _read_json,
}
