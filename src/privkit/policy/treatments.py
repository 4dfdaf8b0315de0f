"""From the words of a policy to transforms. What a treatment may say is read from the transforms themselves.

A treatment's parameters are the keyword-only parameters of the transform's constructor and, where the constructor hands
the rest on (`fpe` to the type's layout, `generalise` to the type's level), those of what they are handed to. So there
is no second list, and all of it is checked when a policy is made.
"""

from __future__ import annotations

import secrets
from functools import cache
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from privkit.errors import InvalidParameter, PolicyError
from privkit.fields.parameters import type_name, wanted
from privkit.keys import FieldKey
from privkit.keys.material import Secret
from privkit.suggest import nearest
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.fpe import FormatPreserving
from privkit.transforms.generalise import Generalise
from privkit.transforms.keep import Keep
from privkit.transforms.mask import Mask
from privkit.transforms.noise import Noise
from privkit.transforms.shift import DateShift
from privkit.transforms.subjects import EncryptBySubject
from privkit.transforms.surrogate import Surrogate
from privkit.transforms.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from privkit.fields.base import FieldType
    from privkit.keys import Keyring, Usage
    from privkit.policy.model import Treatment
    from privkit.transforms.base import Transform

T = TypeVar("T")

DROP: Final = "drop"
"""The policy's own word: the column is not in the output."""

SUBJECT: Final = "subject"
"""The parameter that names the column of whose each value is."""

AnyTransform: TypeAlias = "Transform | DateShift | Noise | EncryptBySubject"
"""A transform of a column, or of a column beside one of subjects."""

_CLASSES: Final[dict[str, Callable[..., AnyTransform]]] = {
    transform.word: transform for transform in (Keep, Mask, Token, FormatPreserving, Encrypt, Generalise, Surrogate)
}
_BY_SUBJECT: Final[dict[str, Callable[..., AnyTransform]]] = {
    transform.word: transform for transform in (DateShift, Noise, EncryptBySubject)
}
WORDS: Final = tuple(dict.fromkeys((DROP, *_CLASSES, *_BY_SUBJECT)))
"""Every word that a view may say of a field."""

_DEFAULTS: Final[dict[str, dict[str, Any]]] = {"encrypt": {"text": True}}
"""Where a policy's default is not the transform's: ciphertexts are text, so that CSV and Parquet hold the same."""

_Parameters = dict[str, Parameter]


def needs_key(treatment: Treatment) -> bool:
    """Whether a treatment works with keys."""
    return treatment.word != DROP and not _own_parameters(_class_of(treatment)).keys().isdisjoint(("key", "keys"))


def _class_of(treatment: Treatment) -> Callable[..., AnyTransform]:
    """The transform that a treatment means: by subject where it names one, or where there is no other."""
    if treatment.word in _CLASSES and (SUBJECT not in treatment.parameters or treatment.word not in _BY_SUBJECT):
        return _CLASSES[treatment.word]
    return _BY_SUBJECT[treatment.word]


def check(treatment: Treatment, field: FieldType, recipient: str | None, key_name: str) -> None:
    """Check all that can be checked without keys.

    Raises:
        PolicyError: If there is no such word or parameter, or it does not fit the field type.
    """
    if treatment.word not in WORDS:
        raise PolicyError(f"no transform {treatment.word!r}{nearest(treatment.word, WORDS)}")
    if treatment.word == DROP:
        if treatment.parameters:
            raise PolicyError("drop takes no parameters")
        return
    if not field.releasable:
        raise PolicyError(f"{field.name} may not be released in any form; drop it")
    _check_parameters(treatment, field)
    build(treatment, field, recipient, _rehearsed(key_name) if needs_key(treatment) else None, key_name)


def build(
    treatment: Treatment, field: FieldType, recipient: str | None, keys: Keyring | _Rehearsal | None, key_name: str
) -> AnyTransform:
    """Make the transform.

    Args:
        treatment: Any but `drop`, and checked.
        field: What the values are.
        recipient: The view's; for transforms that take one, unless the treatment names one.
        keys: The keyring, where the transform needs keys.
        key_name: The name that the field's keys are derived under.

    Raises:
        PolicyError: If the transform refuses; with its reason.
    """
    transform = _class_of(treatment)
    own = _own_parameters(transform)
    given = {**_DEFAULTS.get(treatment.word, {}), **treatment.parameters}
    given.pop(SUBJECT, None)
    if recipient is not None and "recipient" in own:
        given.setdefault("recipient", recipient)
    if "key" in own and keys is not None:
        given["key"] = keys[key_name]
    if "keys" in own:
        given |= {"keys": keys, "name": key_name}
    try:
        return transform(field=field, **given)
    except InvalidParameter as error:
        raise PolicyError(str(error)) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        # A layout or level that does not check its parameters: what it says may be about anything.
        shown = ", ".join(f"{name} ({type_name(value)})" for name, value in treatment.parameters.items())
        raise PolicyError(f"{treatment.word} of {field.name} cannot be made with {shown or 'no parameters'}") from None


def _check_parameters(treatment: Treatment, field: FieldType) -> None:
    word = treatment.word
    known, closed = _parameters(treatment, field)
    for name, value in treatment.parameters.items():
        if name not in known:
            if closed:
                raise PolicyError(
                    f"{word} of {field.name} has no parameter {name!r}{nearest(name, known)}", path=(name,)
                )
            continue
        other = wanted(known[name], value)
        if other:
            raise PolicyError(f"{name} of {word} is {other}, not {type_name(value)}", path=(name,))
    for name, parameter in known.items():
        if parameter.default is Parameter.empty and name not in treatment.parameters:
            choices = nearest("", field.levels) if word == Generalise.word and name == "to" else ""
            raise PolicyError(f"{word} of {field.name} needs the parameter {name!r}{choices}")


def _parameters(treatment: Treatment, field: FieldType) -> tuple[_Parameters, bool]:
    """What a treatment may say, and whether that is all."""
    constructor = _own_parameters(_class_of(treatment)).values()
    own = {parameter.name: parameter for parameter in constructor if parameter.kind is Parameter.KEYWORD_ONLY}
    if treatment.word in _BY_SUBJECT:
        alone = None if treatment.word in _CLASSES else Parameter.empty
        own[SUBJECT] = Parameter(SUBJECT, Parameter.KEYWORD_ONLY, default=alone, annotation="str")
    rest = _handed_on(treatment, field)
    if rest is None:  # what is handed on to nothing, the constructor refuses with the reason
        return own, all(parameter.kind is not Parameter.VAR_KEYWORD for parameter in constructor)
    handed = signature(rest).parameters.values()
    named = {parameter.name: parameter for parameter in handed if parameter.kind is not Parameter.VAR_KEYWORD}
    return own | named, len(named) == len(handed)


def _handed_on(treatment: Treatment, field: FieldType) -> Callable[..., Any] | None:
    """What a transform's constructor hands the rest of its parameters to."""
    if treatment.word == FormatPreserving.word:
        return field.layouts
    if treatment.word == Generalise.word:
        level = treatment.parameters.get("to")
        return field.levels.get(level) if isinstance(level, str) else None
    return None


@cache
def _own_parameters(transform: Callable[..., AnyTransform]) -> Mapping[str, Parameter]:
    return signature(transform).parameters


class _Rehearsal:
    """Stands behind the keys with which transforms are tried out: random ones, thrown away at once."""

    id = "rehearsal"
    primary_id = 1
    version_ids = (1,)

    def __getitem__(self, name: str) -> FieldKey:
        return FieldKey(self, name)

    def canonical(self, name: str) -> str:
        return self[name].name

    def stable_id(self, field_name: str) -> int:  # noqa: ARG002 - the protocol's
        return self.primary_id

    def knows(self, key_id: int) -> bool:
        return key_id == self.primary_id

    def derivatives(self) -> dict[Any, Any]:
        return {}

    def derived(
        self,
        build: Callable[[Usage, Secret], T],
        field_name: str,  # noqa: ARG002 - the protocol's
        usage: Usage,
        key_id: int | None,  # noqa: ARG002 - the protocol's
    ) -> T:
        return build(usage, Secret(secrets.token_bytes(usage.key_bytes)))


_REHEARSAL: Final = _Rehearsal()


def _rehearsed(name: str) -> _Rehearsal:
    """The rehearsal's keys, once it is sure that a field may have this name."""
    try:
        _REHEARSAL.canonical(name)
    except InvalidParameter as error:
        raise PolicyError(
            f'{error}; give the field another name for its keys, such as key = "customer.phone"'
        ) from None
    return _REHEARSAL
