"""Policies from TOML, with the line of whatever is wrong.

`tomllib` says where the syntax is broken. What is wrong beyond the syntax is found by its path (such as `views`,
`analytics`, `fields`, `mobile`) with a scan over the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from privkit import fields as catalogue
from privkit.errors import InvalidParameter, PolicyError
from privkit.fields.parameters import type_name, wanted
from privkit.policy import hierarchies
from privkit.policy.lines import line_of
from privkit.policy.model import PolicyField, View
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Collection

    from privkit.fields.base import FieldType
    from privkit.policy.policy import Policy

_TOP: Final = ("fields", "views", "unknown")
_FIELD: Final = ("type", "key", "on_invalid", "title")
_VIEW: Final = ("fields", "recipient", "title", "anonymity")
_PLACE: Final = re.compile(r" ?\(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def decode(content: bytes, source: str) -> str:
    """Read the bytes of a policy file.

    Raises:
        PolicyError: If they are not UTF-8; with the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError("not UTF-8; save the policy as UTF-8", source=source, line=line) from None


def load(cls: type[Policy], text: str, source: str = "") -> Policy:
    """Read a policy.

    Args:
        cls: What to make.
        text: TOML.
        source: Its file, for messages.

    Raises:
        PolicyError: If it is not TOML, or not a policy; with the line.
    """
    content = _parse(text, source)
    try:
        return _policy(cls, content, Path(source).parent)
    except PolicyError as error:
        line = line_of(text, error.path)
        raise PolicyError(error.reason, source=source, line=line, path=error.path) from None


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = len(text.rstrip().splitlines()) if place is None or place["line"] is None else int(place["line"])
        reason = message if place is None else message[: place.start()]
        raise PolicyError(f"not TOML: {reason[:1].lower()}{reason[1:]}", source=source, line=line) from None
    except RecursionError:
        raise PolicyError("not a policy: nested too deeply", source=source) from None


def _policy(cls: type[Policy], content: Mapping[str, Any], folder: Path) -> Policy:
    _known(content, _TOP, "a policy", ())
    fields = {
        name: _field(name, _table(spec, f"field {name!r}", ("fields", name)))
        for name, spec in _table(content.get("fields", {}), "fields", ("fields",)).items()
    }
    views = {
        name: _view(name, _table(spec, f"view {name!r}", ("views", name)), folder)
        for name, spec in _table(content.get("views", {}), "views", ("views",)).items()
    }
    return cls(
        fields, views, **({"unknown": _text(content, "unknown", "a policy", ())} if "unknown" in content else {})
    )


def _field(name: str, spec: Mapping[str, Any]) -> PolicyField:
    path = ("fields", name)
    what = f"field {name!r}"
    said = {key: _text(spec, key, what, path) for key in _FIELD if key in spec}
    own = {key: value for key, value in spec.items() if key not in _FIELD}
    for key, value in said.items():
        if not value:
            raise PolicyError(f"{key} of {what} is empty; say one, or leave it out", path=(*path, key))
    try:
        return PolicyField(_type(name, said.pop("type", ""), own), **said)
    except PolicyError as error:
        raise PolicyError(f"{what}: {error.reason}", path=(*path, *error.path)) from None


def _type(name: str, known: str, own: Mapping[str, Any]) -> FieldType | str:
    """Find a field's type: one of the catalogue by its name, or one that the field describes."""
    if not own:
        if not known:
            raise PolicyError('says no type, such as type = "cn_mobile"')
        return known
    takes = {key: parameter for key, parameter in signature(catalogue.custom).parameters.items() if key != "name"}
    for key, value in own.items():
        if key not in takes:
            raise PolicyError(f"a field has no {key!r}{nearest(key, (*_FIELD, *takes))}", path=(key,))
        if known in catalogue.CATALOGUE:
            raise PolicyError(f"{known} is a type of the catalogue and takes no {key!r}", path=(key,))
        other = "a table" if key == "mask" and not isinstance(value, Mapping) else wanted(takes[key], value)
        if other:
            raise PolicyError(f"{key} of a type is {other}, not {type_name(value)}", path=(key,))
    return _custom(known or name, own)


def _custom(name: str, own: Mapping[str, Any]) -> FieldType:
    try:
        return catalogue.custom(name, **own)
    except InvalidParameter as error:
        raise PolicyError(str(error)) from None
    except (TypeError, ValueError, AttributeError, LookupError):
        shown = ", ".join(f"{key} ({type_name(value)})" for key, value in own.items())
        raise PolicyError(f"no type can be made of {shown}") from None


def _view(name: str, spec: Mapping[str, Any], folder: Path) -> View:
    path = ("views", name)
    what = f"view {name!r}"
    _known(spec, _VIEW, what, path)
    said = {key: _text(spec, key, what, path) for key in ("recipient", "title") if key in spec}
    fields = _table(spec.get("fields", {}), f"{what}: fields", (*path, "fields"))
    try:
        treatments = {field: _beside(treatment, folder) for field, treatment in fields.items()}
        return View(treatments, **said, anonymity=_anonymity(spec.get("anonymity"), folder))
    except PolicyError as error:
        raise PolicyError(f"{what}: {error.reason}", path=(*path, *error.path)) from None


def _beside(treatment: Any, folder: Path) -> Any:  # noqa: ANN401 - whatever stands there; the view says if it is wrong
    """Find the file that a treatment names beside the policy that names it."""
    if not isinstance(treatment, Mapping) or not isinstance(treatment.get("file"), str):
        return treatment
    return {**treatment, "file": str(folder / treatment["file"])}


def _anonymity(spec: Any, folder: Path) -> Any:  # noqa: ANN401 - as above
    """The same for the files of hierarchies, and that of a population."""
    if not isinstance(spec, Mapping):
        return spec
    found = dict(spec)
    if isinstance(found.get("population"), str):
        found["population"] = str(folder / found["population"])
    if isinstance(found.get("hierarchies"), Mapping):
        own = found["hierarchies"]
        found["hierarchies"] = {name: hierarchies.beside(said, folder) for name, said in own.items()}
    return found


def _known(spec: Mapping[str, Any], known: Collection[str], what: str, path: tuple[str, ...]) -> None:
    for key in spec:
        if key not in known:
            raise PolicyError(f"{what} has no {key!r}{nearest(key, known)}", path=(*path, key))


def _table(value: object, what: str, path: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyError(f"{what} should be a table, not {type_name(value)}", path=path)
    return value


def _text(spec: Mapping[str, Any], key: str, what: str, path: tuple[str, ...]) -> str:
    if not isinstance(spec[key], str):
        raise PolicyError(f"{key} of {what} should be text, not {type_name(spec[key])}", path=(*path, key))
    return str(spec[key])
