"""What a view asks of all its records together: k, l and t, and how they are generalised until it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from privkit.anonymity.anonymiser import Anonymiser
from privkit.errors import InvalidParameter, PolicyError
from privkit.fields.parameters import type_name, wanted
from privkit.policy.hierarchies import file_of, hierarchy_of
from privkit.suggest import nearest

if TYPE_CHECKING:
    from inspect import Parameter

    from privkit.fields.base import FieldType
    from privkit.policy.hierarchies import HierarchySpec

_HIERARCHIES: Final = "hierarchies"
_POPULATION: Final = "population"
_COLUMNS: Final = ("quasi_identifiers", "sensitive")
_PARAMETERS: Final[Mapping[str, Parameter]] = {
    name: parameter for name, parameter in signature(Anonymiser).parameters.items() if name not in _COLUMNS
}


@dataclass(frozen=True, slots=True, init=False)
class Anonymity:
    """The models that the output of a view meets, or there is no output.

    Attributes:
        quasi_identifiers: The fields that together may tell who somebody is.
        sensitive: The fields that l and t are asked of.
        hierarchies: By field, what its values may be generalised to.
        population: For `delta`, the people that tables are drawn from: a table, or a CSV or Parquet file, with the
            quasi-identifiers as they are before the view treats them.
        parameters: The others, as `privkit.anonymity.Anonymiser` takes them: `k`, `l`, `t`, `recoding`, and so on.

    Raises:
        PolicyError: If there is no such parameter, or it is of another type.

    Example:
        >>> from privkit.policy import Anonymity
        >>> asked = Anonymity(quasi_identifiers=["birth_date", "city"], k=5, hierarchies={"birth_date": ["year"]})
        >>> asked.columns, asked.parameters["k"]
        (('birth_date', 'city'), 5)
    """

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...]
    hierarchies: Mapping[str, HierarchySpec]
    population: Any = field(repr=False)  # it may be a table
    parameters: Mapping[str, Any]

    def __init__(
        self,
        *,
        quasi_identifiers: Any = (),  # noqa: ANN401 - a policy's author may have said anything; checked here
        sensitive: Any = (),  # noqa: ANN401 - likewise
        hierarchies: Any = MappingProxyType({}),  # noqa: ANN401 - likewise
        population: Any = None,  # noqa: ANN401 - any table
        **parameters: Any,  # noqa: ANN401 - the anonymiser says
    ) -> None:
        known = (*_COLUMNS, _HIERARCHIES, _POPULATION, *_PARAMETERS)
        for name, value in parameters.items():
            if name not in _PARAMETERS:
                raise PolicyError(f"anonymity has no {name!r}{nearest(name, known)}", path=(name,))
            other = wanted(_PARAMETERS[name], value)
            if other:
                raise PolicyError(f"{name} of anonymity is {other}, not {type_name(value)}", path=(name,))
        if "k" not in parameters:
            raise PolicyError("anonymity needs k, the least number of records that are alike, such as k = 5")
        if not isinstance(parameters.get("weights") or {}, Mapping):
            raise PolicyError(f"weights should be a table, not {type_name(parameters['weights'])}", path=("weights",))
        if not isinstance(hierarchies, Mapping):
            raise PolicyError(f"hierarchies should be a table, not {type_name(hierarchies)}", path=(_HIERARCHIES,))
        object.__setattr__(self, "quasi_identifiers", _names("quasi_identifiers", quasi_identifiers))
        object.__setattr__(self, "sensitive", _names("sensitive", sensitive))
        object.__setattr__(self, "hierarchies", MappingProxyType(dict(hierarchies)))
        object.__setattr__(self, "parameters", MappingProxyType(parameters))
        object.__setattr__(self, _POPULATION, Path(population) if isinstance(population, str) else population)
        self._check_population()
        for name in self.hierarchies:
            if name not in self.columns:
                raise PolicyError(
                    f"a hierarchy of {name!r}, which is neither a quasi-identifier nor sensitive"
                    f"{nearest(name, self.columns)}",
                    path=(_HIERARCHIES, name),
                )

    def _check_population(self) -> None:
        asked = self.parameters.get("delta") is not None
        if asked and self.population is None:
            raise PolicyError('delta needs a population, such as population = "people.parquet"', path=("delta",))
        if self.population is not None and not asked:
            raise PolicyError(
                "a population is named, and no delta is asked; give delta, or leave it out", path=(_POPULATION,)
            )
        if isinstance(self.population, int | float):
            raise PolicyError(f"population is a file or a table, not {type_name(self.population)}", path=(_POPULATION,))

    @classmethod
    def of(cls, spec: Anonymity | Mapping[str, Any]) -> Anonymity:
        """Take it in either of the forms that `View` takes.

        Raises:
            PolicyError: If it is something else.
        """
        if isinstance(spec, Anonymity):
            return spec
        if not isinstance(spec, Mapping):
            raise PolicyError(f"anonymity should be a table, not {type_name(spec)}")
        return cls(**spec)

    @property
    def columns(self) -> tuple[str, ...]:
        """All fields that it looks at, quasi-identifiers first."""
        return (*self.quasi_identifiers, *self.sensitive)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that its hierarchies and its population are read from."""
        named = tuple(path for spec in self.hierarchies.values() if (path := file_of(spec)) is not None)
        return (*named, self.population) if isinstance(self.population, Path) else named

    def anonymiser(self, types: Mapping[str, FieldType | None]) -> Anonymiser:
        """What fits tables.

        Args:
            types: The type of each of `columns`; `None` where the view changes its values.

        Raises:
            PolicyError: If parameters are out of range or contradict each other, or a hierarchy is wrong.
        """
        ladders = {}
        for name, spec in self.hierarchies.items():
            try:
                ladders[name] = hierarchy_of(spec, types[name])
            except PolicyError as error:
                path = (_HIERARCHIES, name, *error.path)
                raise PolicyError(f"hierarchy of {name!r}: {error.reason}", path=path) from None
        quasi = {name: ladders.get(name) for name in self.quasi_identifiers}
        sensitive = {name: ladders.get(name) for name in self.sensitive}
        try:
            return Anonymiser(quasi, sensitive=sensitive, **self.parameters)
        except InvalidParameter as error:
            raise PolicyError(str(error), path=self._said(str(error))) from None
        except (TypeError, ValueError, AttributeError):  # weights, whose type nothing has checked
            raise PolicyError("weights should be a table of numbers by quasi-identifier", path=("weights",)) from None

    def _said(self, message: str) -> tuple[str, ...]:
        """Where the parameter stands that a message is about: the first that it names."""
        known = {*self.parameters, *_COLUMNS}
        words = (name for word in re.findall(r"\w+", message) for name in (word, f"{word}s"))
        return next(((word,) for word in words if word in known), ())


def _names(what: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise PolicyError(f"{what} should be an array of names of fields", path=(what,))
    twice = next((name for number, name in enumerate(given) if name in given[:number]), None)
    if twice is not None:
        raise PolicyError(f"{what} names {twice!r} twice; name each once", path=(what,))
    return tuple(given)
