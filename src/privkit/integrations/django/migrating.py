"""Blind indexes in migrations: added behind their fields, removed before them, and made anew where they are altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.migrations.autodetector import MigrationAutodetector, OperationDependency
from django.db.migrations.operations import AddConstraint, AddField, AddIndex, AlterField, RemoveField

from privkit.integrations.django.indexes import BlindIndexField

if TYPE_CHECKING:
    from collections.abc import Callable


_BUILT: Final = ("indexes", "constraints")
"""What the options of a model may say to be built on its fields."""


def add_indexes_behind_their_fields() -> None:
    """Have blind indexes added after the fields have been altered that they are of.

    Django alters fields last. When a plain field becomes an encrypted one with an index, nothing is to be indexed
    before, and PostgreSQL changes the type of no column that a generated one is made of.
    """
    before: Any = MigrationAutodetector.add_operation
    if not hasattr(before, "looks_for_indexes"):
        MigrationAutodetector.add_operation = _adding(before)  # type: ignore[method-assign] # it offers no place of its own
        for kind in _BUILT:
            name = f"create_altered_{kind}"
            setattr(MigrationAutodetector, name, _rebuilding(getattr(MigrationAutodetector, name), kind))


def _rebuilding(before: Callable[..., None], kind: str) -> Callable[..., None]:
    """What is built on a blind index that is made anew is removed before, and added again behind it."""

    def create_altered(self: Any) -> None:  # noqa: ANN401 - Django's own
        before(self)
        for key, altered in getattr(self, f"altered_{kind}").items():
            old, new = _model_before(self, *key), self.to_state.models[key]
            anew = {name for name, field in new.fields.items() if _cuts_otherwise(old.fields.get(name), field)}
            kept = [one for one in new.options[kind] if one in old.options[kind] and not anew.isdisjoint(_on(one))]
            altered[f"removed_{kind}"] += kept
            altered[f"added_{kind}"] += kept

    return create_altered


def _on(built: Any) -> set[str]:  # noqa: ANN401 - an index or a constraint
    """The fields that an index or a constraint names."""
    return {
        name.removeprefix("-") for name in (*getattr(built, "fields", ()), *(getattr(built, "include", None) or ()))
    }


def _adding(before: Callable[..., None]) -> Callable[..., None]:
    def add_operation(
        self: Any,  # noqa: ANN401 - Django's own, as all of the signature
        app_label: str,
        operation: Any,  # noqa: ANN401 - as above
        dependencies: list[Any] | None = None,
        beginning: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        if isinstance(operation, AlterField) and _cuts_otherwise(_before(self, app_label, operation), operation.field):
            self._generate_removed_field(app_label, operation.model_name, operation.name)
            self._generate_added_field(app_label, operation.model_name, operation.name)
            return
        if isinstance(operation, AddField) and isinstance(operation.field, BlindIndexField):
            of = (app_label, operation.model_name, operation.field.of, OperationDependency.Type.ALTER)
            dependencies = [*(dependencies or ()), OperationDependency(*of)]
        if isinstance(operation, AddIndex | AddConstraint):
            built = getattr(operation, "index", None) or getattr(operation, "constraint", None)
            fields = ((app_label, operation.model_name, name, OperationDependency.Type.CREATE) for name in _on(built))
            dependencies = [*(dependencies or ()), *(OperationDependency(*field) for field in fields)]
        if isinstance(operation, RemoveField):
            field = _before(self, app_label, operation)
            if getattr(field, "index", None) is not None and hasattr(field, "storage_name"):
                index = (app_label, operation.model_name, field.index, OperationDependency.Type.REMOVE)
                dependencies = [*(dependencies or ()), OperationDependency(*index)]
        before(self, app_label, operation, dependencies, beginning)

    add_operation.looks_for_indexes = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return add_operation


def _before(detector: Any, app_label: str, operation: Any) -> Any:  # noqa: ANN401 - Django's own
    """The field of an operation as it was; `None` where there was none of its name."""
    known = _model_before(detector, app_label, operation.model_name_lower)
    return None if known is None else known.fields.get(operation.name)


def _model_before(detector: Any, app_label: str, name: str) -> Any:  # noqa: ANN401 - Django's own
    """A model as it was, by what it is called now; `None` where there was none."""
    return detector.from_state.models.get((app_label, detector.renamed_models.get((app_label, name), name)))


def _cuts_otherwise(old: Any, new: Any) -> bool:  # noqa: ANN401 - any fields
    """Whether two blind indexes are made of different bytes: a generated column cannot be altered to that."""
    both = isinstance(old, BlindIndexField) and isinstance(new, BlindIndexField)
    return both and (old.of, old.size) != (new.of, new.size)
