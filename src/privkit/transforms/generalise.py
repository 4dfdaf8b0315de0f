"""Make values coarser, one by one."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar

from privkit.errors import InvalidParameter
from privkit.fields.parameters import check_types
from privkit.suggest import nearest
from privkit.transforms.base import FieldTransform

if TYPE_CHECKING:
    from privkit._kernels.ragged import Ragged
    from privkit.fields.base import FieldType, Level, Reading


class Generalise(FieldTransform):
    """Put a coarser value in the place of each: a year for a date, a band for an amount.

    It needs no key and cannot be undone. Taken alone it is de-identification (去标识化); whether a table is anonymous
    depends on all its columns together.

    Args:
        field: What the values are.
        to: One of the field type's levels, such as `year`.
        **parameters: What the level takes, such as `width=100`.

    Raises:
        InvalidParameter: If the field type has no such level, or the level does not take these parameters.

    Example:
        >>> from privkit import Generalise, fields
        >>> Generalise(fields.BIRTH_DATE, to="year").protect("1990-05-17")
        '1990'
    """

    word: ClassVar[str] = "generalise"

    def __init__(self, field: FieldType, *, to: str, **parameters: Any) -> None:  # noqa: ANN401 - the level says
        super().__init__(field)
        self.level = _level(field, to, parameters)

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - levels take the canonical form
        return self.level.many(reading.text)

    def _protect_one(self, text: str, raw: str) -> str:  # noqa: ARG002 - as above
        return self.level.one(text)


def _level(field: FieldType, to: str, parameters: dict[str, Any]) -> Level:
    check_types("generalise", Generalise, {"to": to})
    if to not in field.levels:
        raise InvalidParameter(f"{field.name} has no level {to!r}{nearest(to, field.levels)}")
    factory = field.levels[to]
    try:
        signature(factory).bind(**parameters)
    except TypeError as error:
        takes = ", ".join(signature(factory).parameters) or "no parameters"
        raise InvalidParameter(f"level {to!r} of {field.name}: {error}; it takes {takes}") from None
    check_types(f"level {to!r} of {field.name}", factory, parameters)
    return factory(**parameters)
