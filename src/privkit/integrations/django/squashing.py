"""Operations that `squashmigrations` and `makemigrations` merge keep an encrypted field before its blind index.

The two name each other, of which Django knows nothing: it would add the index to a table that has no such field yet,
and rename one in the declaration of a model without telling the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.migrations.operations import AddField, AlterField, CreateModel, RenameField
from django.db.migrations.operations.fields import FieldOperation

from privkit.integrations.django.indexes import BlindIndexField
from privkit.integrations.django.renaming import called, partner

if TYPE_CHECKING:
    from collections.abc import Callable


def keep_pairs_together() -> None:
    """Have Django know what it may merge of fields and their indexes."""
    for kind, name, telling in (
        (FieldOperation, "references_field", _referring),
        (AddField, "reduce", _apart),
        (AlterField, "reduce", _apart),
        (CreateModel, "reduce", _created),
    ):
        before = getattr(kind, name)
        if not hasattr(before, "looks_for_indexes"):
            told: Any = telling(before)
            told.looks_for_indexes = True  # marks our own, so that it is put there once
            setattr(kind, name, told)


def _referring(before: Callable[..., bool]) -> Callable[..., bool]:
    """An index refers to the field that it is of, which has to be there."""

    def references_field(self: Any, model_name: str, name: str, app_label: str) -> bool:  # noqa: ANN401 - Django's own
        index = self.field if isinstance(self.field, BlindIndexField) else None
        if index is not None and index.of == name and model_name.lower() == self.model_name_lower:
            return True
        return before(self, model_name, name, app_label)

    return references_field


def _apart(before: Callable[..., Any]) -> Callable[..., Any]:
    """A field with an index is added or altered under the name that it then has, and renamed after that."""

    def reduce(self: Any, operation: Any, app_label: str) -> Any:  # noqa: ANN401 - Django's own
        known = {self.name, partner(self.field)}
        if isinstance(operation, RenameField) and None not in known and self.is_same_model_operation(operation):
            renamed = {operation.old_name, operation.new_name}
            if not renamed.isdisjoint(known):
                return False
        return before(self, operation, app_label)

    return reduce


def _created(before: Callable[..., Any]) -> Callable[..., Any]:
    """A model that is made with a new name of a field has the partner of that field know it."""

    def reduce(self: Any, operation: Any, app_label: str) -> Any:  # noqa: ANN401 - Django's own
        if isinstance(operation, RenameField) and operation.model_name_lower == self.name_lower:
            known = called(dict(self.fields), {operation.old_name: operation.new_name})
            fields = [(name, known.get(name, field)) for name, field in self.fields]
            self = CreateModel(self.name, fields, self.options, self.bases, self.managers)
        return before(self, operation, app_label)

    return reduce
