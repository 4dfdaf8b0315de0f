"""Hierarchies out of the levels that a field type has: months, years and decades of a date, provinces of a city."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from privkit import fields
from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Labels
from privkit.errors import InvalidParameter, InvalidValue, TableError, WrongType
from privkit.fields.base import FieldType
from privkit.transforms.generalise import Generalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from privkit.anonymity.counting.encoding import Domain
    from privkit.fields.base import Level


@dataclass(frozen=True)
class FieldLevels(Hierarchy):
    """Levels of a field type, from fine to coarse.

    A value that is not of the type has no label. The empty string passes, as it passes transforms.

    Attributes:
        field: The type.
        steps: Each level's name and parameters.
    """

    word: ClassVar[str] = "field"
    field: FieldType
    steps: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]

    @classmethod
    def of(cls, field: FieldType, levels: Sequence[str | Mapping[str, Any]]) -> FieldLevels:  # type: ignore[override]
        """Take levels by name, or with their parameters as a mapping that holds the name as `to`."""
        if not isinstance(field, FieldType):
            raise WrongType(f"a {type(field).__name__} is no field type; take one of privkit.fields")
        if isinstance(levels, str) or not levels:
            raise InvalidParameter(f"levels of {field.name} must be a list of one or more, from fine to coarse")
        return cls(field, tuple(_step(field, level) for level in levels))

    def __post_init__(self) -> None:
        if len(set(self.between)) < len(self.steps):
            raise InvalidParameter(f"levels of {self.field.name} name one twice; name each once")

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return tuple(
            " ".join([to, *(f"{name}={value}" for name, value in parameters)]) for to, parameters in self.steps
        )

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`."""
        return [[self._one(level, text) for text in domain.texts] for level in self._levels]

    def _one(self, level: Level, text: str) -> str | None:
        try:
            return level.one(self.field.normalise(text)) if text else ""
        except InvalidValue:
            return None

    @cached_property
    def _levels(self) -> list[Level]:
        return [Generalise(self.field, to=to, **dict(parameters)).level for to, parameters in self.steps]

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        steps = [{"to": to, **{name: _plain(value) for name, value in own}} for to, own in self.steps]
        return {"field": self.field.name, "levels": steps}

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> FieldLevels:
        """Read what `describe` said.

        Raises:
            TableError: If the catalogue has no such type: it was one of your own.
        """
        known = fields.CATALOGUE.get(described["field"])
        if known is None:
            raise TableError(f"no field type {described['field']!r} in the catalogue; fit the table again")
        return cls.of(known, described["levels"])


def _step(field: FieldType, level: str | Mapping[str, Any]) -> tuple[str, tuple[tuple[str, Any], ...]]:
    parameters = {"to": level} if isinstance(level, str) else dict(level)
    to = parameters.pop("to", None)
    if not isinstance(to, str):
        raise InvalidParameter(f'a level of {field.name} in a table needs its name, such as {{ to = "year" }}')
    Generalise(field, to=to, **parameters)  # refuses what there is not
    return to, tuple(parameters.items())


def _plain(value: Any) -> Any:  # noqa: ANN401 - a parameter of a level
    """A parameter as JSON holds it; dates and decimals are written as levels read them."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
