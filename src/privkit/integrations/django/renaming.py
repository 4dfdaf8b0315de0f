"""An encrypted field and its blind index name each other, and either or both may be renamed in one migration.

Django knows a renamed field by its being declared as the one that is missing, which each of the two is not where the
other has another name. So here they are compared by how the other is declared and not by what it is called, the
question whether an index was renamed is that whether its field was, and each renaming is told to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ProjectState

from privkit.integrations.django.indexes import BlindIndexField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def rename_indexes_along() -> None:
    """Have encrypted fields and blind indexes know each other by their new names in the operation that renames one."""
    before: Any = ProjectState.rename_field
    if not hasattr(before, "looks_for_indexes"):
        ProjectState.rename_field = _renaming(before)  # type: ignore[method-assign] # it offers no place of its own


def recognise_renamed_pairs() -> None:
    """Have `makemigrations` see that a field and its index were renamed, also both at once."""
    before: Any = MigrationAutodetector.create_renamed_fields
    if not hasattr(before, "looks_for_indexes"):
        MigrationAutodetector.create_renamed_fields = _recognising(before)  # type: ignore[method-assign] # as above


def _renaming(before: Callable[..., None]) -> Callable[..., None]:
    def rename_field(self: ProjectState, app_label: str, model_name: str, old_name: str, new_name: str) -> None:
        model = self.models[app_label, model_name]
        model.fields.update(called(model.fields, {old_name: new_name}))
        before(self, app_label, model_name, old_name, new_name)

    rename_field.looks_for_indexes = True  # type: ignore[attr-defined] # marks our own, so that it is put there once
    return rename_field


def _recognising(before: Callable[..., None]) -> Callable[..., None]:
    def create_renamed_fields(self: Any) -> None:  # noqa: ANN401 - Django's own
        pairs = _Pairs(self)
        self.deep_deconstruct, self.questioner = pairs.deconstruct, pairs
        try:
            before(self)
        finally:
            del self.deep_deconstruct  # the class has its own
            self.questioner = pairs.questioner
        pairs.tell()

    create_renamed_fields.looks_for_indexes = True  # type: ignore[attr-defined] # as above
    return create_renamed_fields


def partner(field: Any) -> str | None:  # noqa: ANN401 - any field
    """The name by which an encrypted field and a blind index know each other; `None` of any other field."""
    if isinstance(field, BlindIndexField):
        return field.of
    index: str | None = field.index if hasattr(field, "storage_name") else None
    return index


def called(fields: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """Those of some fields whose partners are renamed, as they are then; other states keep the old ones."""
    found = {name: field.clone() for name, field in fields.items() if partner(field) in renamed}
    for name, field in found.items():
        setattr(field, "of" if isinstance(field, BlindIndexField) else "index", renamed[str(partner(fields[name]))])
    return found


class _Pairs:
    """The encrypted fields of two states with their blind indexes, and who is asked whether they were renamed.

    Args:
        detector: What compares the states.
    """

    def __init__(self, detector: Any) -> None:  # noqa: ANN401 - Django's own
        self.questioner = detector.questioner
        self._detector = detector
        self._deconstruct = detector.deep_deconstruct
        self._answers: dict[tuple[object, ...], bool] = {}
        self._places: dict[int, tuple[tuple[str, str], Mapping[str, Any]]] = {}
        for key in sorted(detector.kept_model_keys):
            for model in (self._before(key), detector.to_state.models[key]):
                self._places.update((id(field), (key, model.fields)) for field in model.fields.values())

    def deconstruct(self, field: Any) -> Any:  # noqa: ANN401 - whatever Django takes apart
        """What is compared of a field: of its partner how that is declared, if it is called otherwise now."""
        found = self._deconstruct(field)
        place = self._places.get(id(field))
        name = None if place is None else partner(field)
        if place is None or name is None:
            return found
        key, fields = place
        detector = self._detector
        other = fields.get(name)
        if other is None or (*key, name) in detector.old_field_keys & detector.new_field_keys:
            return found
        path, args, options = found
        _, inside, declared = self._deconstruct(other)
        unnamed = {option: said for option, said in declared.items() if option not in {"index", "db_column"}}
        if isinstance(field, BlindIndexField):
            return path, [inside, unnamed], options
        return path, args, {**options, "index": unnamed}

    def ask_rename(self, model_name: str, old_name: str, new_name: str, field: Any) -> bool:  # noqa: ANN401 - Django's signature
        """Ask whether a field was renamed, once for it and its index."""
        key, fields = self._places[id(field)]
        if isinstance(field, BlindIndexField):
            old = self._before(key).fields[old_name]
            if old.of != field.of:
                old_name, new_name, field = old.of, field.of, fields[field.of]
        asked = (*key, old_name, new_name)
        if asked not in self._answers:
            self._answers[asked] = self.questioner.ask_rename(model_name, old_name, new_name, field)
        return self._answers[asked]

    def tell(self) -> None:
        """Have what is compared after this know the new names, and indexes be renamed behind their fields."""
        detector = self._detector
        detector.renamed_operations.sort(key=lambda one: isinstance(one[6], BlindIndexField))
        detector.renamed_operations = [(*one[:6], self._still(one), *one[7:]) for one in detector.renamed_operations]
        for key in {key[:2] for key in detector.renamed_fields}:
            renamed = {old: new for (*model, new), old in detector.renamed_fields.items() if tuple(model) == key}
            known = called(self._before(key).fields, renamed)
            if known:
                detector.from_state = detector.from_state.clone()
                self._before(key).fields.update(known)

    def _still(self, operation: tuple[Any, ...]) -> Any:  # noqa: ANN401 - Django's own
        """A field as it is declared when it is renamed, which is before its index is."""
        _, model_name, _, _, app_label, _, field, _ = operation
        renamed = self._detector.renamed_fields
        index = None if isinstance(field, BlindIndexField) else partner(field)
        old = renamed.get((app_label, model_name, index))
        return field if old is None else called({"": field}, {str(index): old})[""]

    def _before(self, key: tuple[str, str]) -> Any:  # noqa: ANN401 - Django's own
        """A model as it was, by what it is called now."""
        detector = self._detector
        return detector.from_state.models[key[0], detector.renamed_models.get(key, key[1])]
