"""The words of a policy: fields, views, and the treatment that a view gives a field.

Each checks itself when it is made. What a treatment means for a field type is checked where both are known, in
`privkit.policy.treatments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from privkit import fields as catalogue
from privkit.errors import InvalidParameter, PolicyError
from privkit.fields.base import FieldType
from privkit.fields.parameters import type_name
from privkit.policy.anonymity import Anonymity
from privkit.suggest import nearest
from privkit.transforms.base import OnInvalid

ON_INVALID: Final = (OnInvalid.RAISE, OnInvalid.SUPPRESS)
"""What a field may say; six stars in the place of a value are for masks that are used on their own."""

FieldSpec: TypeAlias = "PolicyField | FieldType | str"
"""A field in full, or only its type, or only the name of its type."""
TreatmentSpec: TypeAlias = "Treatment | str | Mapping[str, Any]"
"""A treatment in full, or only its word, or a mapping as an inline table of TOML gives it."""
ViewSpec: TypeAlias = "View | Mapping[str, TreatmentSpec]"
"""A view in full, or only its fields."""


@dataclass(frozen=True, slots=True, init=False)
class PolicyField:
    """What a column is.

    Attributes:
        type: Its field type.
        key: The name that its keys are derived under; `""` stands for the field's own name.
        on_invalid: What happens to a cell that is not of the type: stop, or make it null and count it.
        title: A title for people.

    Raises:
        PolicyError: If there is no such type, or nothing of that kind happens to invalid cells.

    Example:
        >>> from privkit import fields
        >>> from privkit.policy import PolicyField
        >>> PolicyField(fields.CN_MOBILE, key="customer.phone").on_invalid
        'raise'
    """

    type: FieldType
    key: str
    on_invalid: str
    title: str

    def __init__(
        self,
        type: FieldType | str,  # noqa: A002 - the word of the policy file
        *,
        key: str = "",
        on_invalid: str = OnInvalid.RAISE,
        title: str = "",
    ) -> None:
        if on_invalid not in ON_INVALID:
            known = [str(way) for way in ON_INVALID]
            raise PolicyError(f"on_invalid cannot be {on_invalid!r}{nearest(on_invalid, known)}", path=("on_invalid",))
        object.__setattr__(self, "type", field_type(type))
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "on_invalid", str(on_invalid))
        object.__setattr__(self, "title", title)

    @classmethod
    def of(cls, spec: FieldSpec) -> PolicyField:
        """Take a field in any of the forms that `Policy` takes."""
        return spec if isinstance(spec, PolicyField) else cls(spec)


def field_type(spec: FieldType | str) -> FieldType:
    """Take a field type, or find it by name.

    Raises:
        PolicyError: If there is none; with the nearest name.
    """
    if isinstance(spec, FieldType):
        return spec
    if not isinstance(spec, str):
        raise PolicyError(f"a field is a type, the name of one, or a PolicyField; got {type_name(spec)}")
    try:
        return catalogue.get(spec)
    except InvalidParameter as error:
        raise PolicyError(str(error), path=("type",)) from None


@dataclass(frozen=True, slots=True, init=False)
class Treatment:
    """What a view gives of a field: a transform's word, or `drop`, and the transform's parameters.

    Attributes:
        word: `drop`, `keep`, `mask`, `token`, `fpe`, `encrypt`, `generalise`, `surrogate`, `shift` or `noise`.
        parameters: The transform's own, such as `profile` of a mask.

    Example:
        >>> from privkit.policy import Treatment
        >>> Treatment("mask", profile="waybill").parameters["profile"]
        'waybill'
    """

    word: str
    parameters: Mapping[str, Any]

    def __init__(self, word: str, /, **parameters: Any) -> None:  # noqa: ANN401 - the transform says
        object.__setattr__(self, "word", word)
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @classmethod
    def of(cls, spec: TreatmentSpec) -> Treatment:
        """Take a treatment in any of the forms that `View` takes.

        Raises:
            PolicyError: If it is something else.
        """
        if isinstance(spec, Treatment):
            return spec
        if isinstance(spec, str):
            return cls(spec)
        if not isinstance(spec, Mapping):
            raise PolicyError(f'a treatment is a word, such as "token", or a table; got {type_name(spec)}')
        parameters = dict(spec)
        word = parameters.pop("transform", None)
        if not isinstance(word, str):
            raise PolicyError('a treatment in a table needs its word, such as { transform = "mask", ... }')
        return cls(word, **parameters)


@dataclass(frozen=True, slots=True, init=False)
class View:
    """What one purpose, role or recipient gets of each field. A field that it does not name is not in its output.

    Attributes:
        fields: Treatments by field.
        recipient: Who gets it; goes to every treatment that takes a recipient and does not name one itself.
        title: A title for people.
        anonymity: What all records of the output meet together; `None` asks for nothing.

    Raises:
        PolicyError: If something is no treatment, the recipient is empty, or the anonymity has no such parameter.

    Example:
        >>> from privkit.policy import View
        >>> View({"mobile": "token", "city": "keep"}, recipient="acme").fields["mobile"].word
        'token'
    """

    fields: Mapping[str, Treatment]
    recipient: str | None
    title: str
    anonymity: Anonymity | None

    def __init__(
        self,
        fields: Mapping[str, TreatmentSpec],
        *,
        recipient: str | None = None,
        title: str = "",
        anonymity: Anonymity | Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(fields, Mapping):
            raise PolicyError(f"a view is a View, or a mapping of fields to treatments; got {type_name(fields)}")
        if recipient == "":  # it would be one more recipient, and never who was meant
            raise PolicyError("recipient is empty; name who gets the view, or leave it out", path=("recipient",))
        treatments: dict[str, Treatment] = {}
        for name, spec in fields.items():
            try:
                treatments[name] = Treatment.of(spec)
            except PolicyError as error:
                raise PolicyError(f"field {name!r}: {error.reason}", path=("fields", name)) from None
        try:
            asked = None if anonymity is None else Anonymity.of(anonymity)
        except PolicyError as error:
            raise PolicyError(error.reason, path=("anonymity", *error.path)) from None
        object.__setattr__(self, "anonymity", asked)
        object.__setattr__(self, "fields", MappingProxyType(treatments))
        object.__setattr__(self, "recipient", recipient)
        object.__setattr__(self, "title", title)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that its treatments and its anonymity are read from."""
        named = [treatment.parameters.get("file") for treatment in self.fields.values()]
        listed = tuple(Path(file) for file in named if isinstance(file, str | Path))
        return (*listed, *(self.anonymity.files if self.anonymity else ()))

    @classmethod
    def of(cls, spec: ViewSpec) -> View:
        """Take a view in either of the forms that `Policy` takes."""
        return spec if isinstance(spec, View) else cls(spec)
