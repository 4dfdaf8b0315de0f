"""The policy: fields, views, and what happens to columns that it does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from privkit.errors import PolicyError
from privkit.policy import anonymised, loading, treatments
from privkit.policy.model import PolicyField, View
from privkit.policy.view import BoundView
from privkit.suggest import nearest

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from privkit.keys import Keyring
    from privkit.policy.model import FieldSpec, Treatment, ViewSpec

UNKNOWN: Final = ("error", "drop")
"""What may happen to a column of the input that the policy does not know."""


@dataclass(frozen=True, slots=True, init=False)
class Policy:
    """What the columns of a table are, and what each view gets of them.

    Deny by default: a column that a view does not name is not in its output, and a column of the input that the
    policy does not know is an error, unless `unknown` says `drop`.

    Attributes:
        fields: The columns by name.
        views: The views by name.
        unknown: `error` or `drop`.

    Raises:
        PolicyError: If a view names a field that there is not, or a treatment does not fit its field's type; the
            message has the nearest right name.

    Example:
        >>> from privkit import Keyring, Policy, fields
        >>> policy = Policy(
        ...     fields={"mobile": fields.CN_MOBILE, "city": fields.CN_CITY},
        ...     views={"analytics": {"mobile": "token", "city": "keep"}, "courier": {"mobile": "mask"}},
        ... )
        >>> policy.view("courier").apply([{"mobile": "13812345678", "city": "杭州市"}])
        [{'mobile': '138****5678'}]
    """

    fields: Mapping[str, PolicyField]
    views: Mapping[str, View]
    unknown: str

    def __init__(
        self, fields: Mapping[str, FieldSpec], views: Mapping[str, ViewSpec], *, unknown: str = "error"
    ) -> None:
        if unknown not in UNKNOWN:
            raise PolicyError(f"unknown cannot be {unknown!r}{nearest(unknown, UNKNOWN)}", path=("unknown",))
        object.__setattr__(
            self, "fields", MappingProxyType({name: _field(name, spec) for name, spec in fields.items()})
        )
        object.__setattr__(self, "views", MappingProxyType({name: _view(name, spec) for name, spec in views.items()}))
        object.__setattr__(self, "unknown", unknown)
        for name, view in self.views.items():
            self._check(name, view)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a policy from a TOML file.

        Raises:
            PolicyError: If it cannot be read, is not TOML in UTF-8, or not a policy; with the line.
        """
        source = str(path)
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise PolicyError(f"cannot be read: {(error.strerror or 'unknown error').lower()}", source=source) from None
        return loading.load(cls, loading.decode(content, source), source)

    @classmethod
    def loads(cls, text: str) -> Policy:
        """Read a policy from TOML.

        Raises:
            PolicyError: If it is not TOML, or not a policy; with the line.
        """
        return loading.load(cls, text)

    def view(self, name: str, keys: Keyring | None = None) -> BoundView:
        """Bind a view to keys, ready to be applied.

        Args:
            name: The view's name.
            keys: The keyring; not needed where no treatment of the view works with keys.

        Raises:
            PolicyError: If there is no such view, or it releases nothing, or needs keys and got none.
            MissingExtra: If a treatment needs a package that is not installed.
        """
        if name not in self.views:
            raise PolicyError(f"no view {name!r}{nearest(name, self.views)}", path=("views",))
        return BoundView(name, self.views[name], self.fields, keys, drop_unknown=self.unknown == "drop")

    def _check(self, name: str, view: View) -> None:
        for column, treatment in view.fields.items():
            path = ("views", name, "fields", column)
            if column not in self.fields:
                raise PolicyError(
                    f"view {name!r}: the policy has no field {column!r}{nearest(column, self.fields)}", path=path
                )
            field = self.fields[column]
            try:
                treatments.check(treatment, field.type, view.recipient, field.key)
            except PolicyError as error:
                raise PolicyError(
                    f"view {name!r}: field {column!r}: {error.reason}", path=(*path, *error.path)
                ) from None
            self._check_subject(name, column, treatment)
        if view.anonymity is not None:
            try:
                anonymised.check(view.anonymity, self.fields, view.fields)
            except PolicyError as error:
                raise PolicyError(
                    f"view {name!r}: {error.reason}", path=("views", name, "anonymity", *error.path)
                ) from None

    def _check_subject(self, name: str, column: str, treatment: Treatment) -> None:
        """Check that whose a column's values are is a column that the policy knows."""
        subject = treatment.parameters.get(treatments.SUBJECT)
        if subject is not None and subject not in self.fields:
            raise PolicyError(
                f"view {name!r}: field {column!r}: the policy has no field {subject!r} for its subjects"
                f"{nearest(subject, self.fields)}",
                path=("views", name, "fields", column, treatments.SUBJECT),
            )


def _field(name: str, spec: FieldSpec) -> PolicyField:
    try:
        field = PolicyField.of(spec)
    except PolicyError as error:
        raise PolicyError(f"field {name!r}: {error.reason}", path=("fields", name, *error.path)) from None
    return field if field.key else replace(field, key=name)


def _view(name: str, spec: ViewSpec) -> View:
    try:
        return View.of(spec)
    except PolicyError as error:
        raise PolicyError(f"view {name!r}: {error.reason}", path=("views", name, *error.path)) from None
