"""Hierarchies as a policy says them: a file, levels of the field's type, or a kind with its parameters.

```
city = "cities.csv"                                  # a file of labels, beside the policy
birth_date = ["month", "year", "decade"]             # levels of the field's type
age = { intervals = [5, 10, 20], start = 0 }         # any constructor of Hierarchy, its main parameter under its name
```
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from privkit.anonymity.hierarchies.hierarchy import Hierarchy
from privkit.errors import InvalidParameter, PolicyError, TableError
from privkit.fields.parameters import type_name, wanted
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit.fields.base import FieldType

HierarchySpec: TypeAlias = "Hierarchy | str | Sequence[Any] | Mapping[str, Any]"
"""A hierarchy, or the path of its file, or levels of the field's type, or a kind with its parameters."""

_KINDS: Final[Mapping[str, tuple[str, Callable[..., Hierarchy]]]] = {
    "file": ("path", Hierarchy.from_file),
    "levels": ("levels", Hierarchy.of_field),
    "intervals": ("widths", Hierarchy.intervals),
    "dates": ("levels", Hierarchy.dates),
    "prefix": ("keep", Hierarchy.prefix),
    "ordering": ("values", Hierarchy.ordering),
    "divisions": ("levels", Hierarchy.divisions),
    "from_data": ("levels", Hierarchy.from_data),
}
"""Each kind's word, the parameter that stands under it, and the constructor that takes that and the others."""

_LEVELS: Final = "levels"
_FILE: Final = "file"
_GIVEN: Final = ("field", "column")
"""Parameters that the policy knows by itself, or that take a table's values."""


def hierarchy_of(spec: HierarchySpec, field: FieldType | None) -> Hierarchy:
    """Make a hierarchy.

    Args:
        spec: How it is said.
        field: The type of the values; `None` where the view changes them, so that they are not of it any more.

    Raises:
        PolicyError: If there is no such kind or parameter, or the hierarchy refuses; with the reason.
    """
    if isinstance(spec, Hierarchy):
        return spec
    said = _in_full(spec)
    kinds = [word for word in said if word in _KINDS]
    if len(kinds) != 1:
        reason = (
            f"no kind {next(iter(said), '')!r}{nearest(next(iter(said), ''), _KINDS)}" if not kinds else "two kinds"
        )
        raise PolicyError(f"a hierarchy is one of {', '.join(_KINDS)}; {reason}")
    word = kinds[0]
    main, make = _KINDS[word]
    given = {main if name == word else name: value for name, value in said.items()}
    _check(word, main, make, given)
    if word == _LEVELS:
        if field is None:
            raise PolicyError("levels are of the type's own values, and the view changes them; keep the field")
        given["field"] = field
    return _made(word, make, given)


def beside(spec: Any, folder: Path) -> Any:  # noqa: ANN401 - whatever stands there; `hierarchy_of` says if it is wrong
    """Find the file that a hierarchy names beside the policy that names it."""
    if isinstance(spec, str):
        return str(folder / spec)
    if isinstance(spec, Mapping) and isinstance(spec.get(_FILE), str):
        return {**spec, _FILE: str(folder / spec[_FILE])}
    return spec


def file_of(spec: HierarchySpec) -> Path | None:
    """The file that a hierarchy is read from, if it is read from one."""
    said = spec.get(_FILE) if isinstance(spec, Mapping) else spec
    return Path(said) if isinstance(said, str) else None


def _in_full(spec: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as above
    if isinstance(spec, str):
        return {_FILE: spec}
    if isinstance(spec, list | tuple):
        return {_LEVELS: spec}
    if not isinstance(spec, Mapping):
        raise PolicyError(f"a hierarchy is a file, an array of levels or a table; got {type_name(spec)}")
    return spec


def _check(word: str, main: str, make: Callable[..., Hierarchy], given: Mapping[str, Any]) -> None:
    known = {name: own for name, own in signature(make).parameters.items() if name not in _GIVEN}
    for name, value in given.items():
        if name not in known:
            others = [other for other in known if other != main]
            raise PolicyError(f"{word} has no parameter {name!r}{nearest(name, others)}", path=(name,))
        other = wanted(known[name], value)
        if other:
            said = word if name == main else name
            raise PolicyError(f"{said} is {other}, not {type_name(value)}", path=(said,))
    missing = [name for name, own in known.items() if own.default is own.empty and name not in given]
    if missing:
        raise PolicyError(f"{word} needs the parameter {missing[0]!r}")


def _made(word: str, make: Callable[..., Hierarchy], given: Mapping[str, Any]) -> Hierarchy:
    try:
        return make(**given)
    except (InvalidParameter, TableError) as error:
        raise PolicyError(str(error)) from None
    except OSError as error:
        raise PolicyError(
            f"hierarchy file {Path(given['path']).name!r} cannot be read: {(error.strerror or 'unknown error').lower()}"
        ) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        # What does not check the types of its parameters may say anything.
        shown = ", ".join(f"{name} ({type_name(value)})" for name, value in given.items() if name != "field")
        raise PolicyError(f"{word} cannot be made with {shown}") from None
