"""Encrypted fields in the admin: masked in lists, shown on a row's own page to whoever may reveal them.

```python
@admin.register(User)
class UserAdmin(EncryptedAdminMixin, admin.ModelAdmin):
    list_display = ["email", "phone", "city"]
    masks = {"phone": fields.CN_MOBILE}          # 138****5678; what has no mask is six stars
```

The permission is `app.reveal_model`, which every model with an encrypted field gets when `migrate` runs. Who lacks it
sees masks, cannot change those fields of a row that exists, and cannot search or filter by them either: that would
tell a value by guessing. A new row's fields can be filled in by whoever may add one.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.dispatch import Signal

from privkit.errors import InvalidValue
from privkit.integrations.django.fields import EncryptedField, encrypted_fields
from privkit.integrations.django.paths import encrypted_in_path
from privkit.integrations.django.permissions import reveal_permission
from privkit.transforms import Mask
from privkit.transforms.base import STARS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.admin.options import BaseModelAdmin
    from django.http import HttpRequest, HttpResponse

    from privkit.fields.base import FieldType

    Base = BaseModelAdmin[Any]
else:
    Base = object

revealed = Signal()
"""Sent when the page of a row shows encrypted fields in clear, before it does.

`sender` is the model (that of an inline for its rows), `instance` the row whose page it is, then `user` and `fields`.
"""


class EncryptedAdminMixin(Base):
    """Masks encrypted fields in a `ModelAdmin` or an inline; it stands before that class."""

    masks: ClassVar[dict[str, FieldType]] = {}
    """How fields are masked, by name: `{"phone": fields.CN_MOBILE}`."""

    def may_reveal(self, request: HttpRequest) -> bool:
        """Whether the user of a request may see what encrypted fields hold."""
        user: Any = request.user  # some applications put users of their own there
        return bool(user.has_perm(reveal_permission(self.model)))

    def masked_value(self, name: str, value: object) -> str | None:
        """What stands in a masked field's place; null and the empty string hide nothing."""
        if value is None or value == "":
            return value if value is None else ""
        mask = self.masks.get(name)
        return STARS if mask is None else str(Mask(mask).protect(value))

    # Lists

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Show masks in lists, to everybody."""
        return [self._in_list(name) for name in super().get_list_display(request)]  # type: ignore[misc] # inlines have no lists

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Sequence[Any] | None:
        """Link from masks where the names they stand for were to be linked from."""
        links = super().get_list_display_links(request, list_display)  # type: ignore[misc] # as above
        return None if links is None else [self._in_list(name) for name in links]

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """Search by encrypted fields only for those who may reveal them."""
        found = super().get_search_fields(request)  # type: ignore[misc] # as above
        return [path for path in found if encrypted_in_path(self.model, path) is None or self.may_reveal(request)]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Search encrypted fields for the whole term, and the others as Django does.

        Django would have the database read the column as text, and find nothing.
        """
        paths = self.get_search_fields(request)
        plain = [path for path in paths if encrypted_in_path(self.model, path) is None]
        if not search_term or len(plain) == len(paths):
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc,no-any-return] # as above
        wanted = models.Q(pk__in=[])
        for path in paths:
            wanted |= _equals(self.model, path, search_term)
        if plain:
            rest = copy(self)
            rest.get_search_fields = lambda request: plain  # type: ignore[method-assign] # noqa: ARG005 - of this copy
            found, _ = super(EncryptedAdminMixin, rest).get_search_results(request, queryset, search_term)  # type: ignore[misc] # as above
            wanted |= models.Q(pk__in=found.values("pk"))
        return queryset.filter(wanted), any(LOOKUP_SEP in path.removesuffix("__exact") for path in paths)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse to filter by an encrypted field from a page's address, but for those who may reveal it."""
        guessing = encrypted_in_path(self.model, lookup) is not None
        if guessing and not self.may_reveal(request):
            return False
        return super().lookup_allowed(lookup, value, request)

    # A row's own page

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:  # noqa: ANN401 - Django's nesting
        """Put masks in the place of fields that the user may not see."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._hides(request, obj):
            return fieldsets
        return [(title, {**said, "fields": self._hidden(said["fields"])}) for title, said in fieldsets]

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:  # noqa: ANN401 - as above
        """Keep masked fields in the places that they have unmasked."""
        found = [field for field in super().get_fields(request, obj) if not hasattr(field, "masks_field")]
        if self.fields or not self._hides(request, obj):
            return found
        order = [field.name for field in self.model._meta.get_fields()]  # noqa: SLF001 - Django's way to ask
        named = [*found, *(name for name in self._names() if name not in found)]
        return sorted(named, key=lambda name: order.index(name) if name in order else len(order))

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:  # noqa: ANN401 - as above
        """Let nobody change what they may not see."""
        readonly = [*super().get_readonly_fields(request, obj)]
        if not self._hides(request, obj):
            return readonly
        kept = [name for name in readonly if name not in self._names()]
        return [*kept, *(self._mask(name) for name in self._names())]

    def get_exclude(self, request: HttpRequest, obj: models.Model | None = None) -> Any:  # noqa: ANN401 - as above
        """Take masked fields out of the form, so that no request can set them."""
        excluded = super().get_exclude(request, obj)
        return [*(excluded or ()), *self._names()] if self._hides(request, obj) else excluded

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401 - any field
        """Give an encrypted field the widgets of the field inside it."""
        inside = db_field.base_field if isinstance(db_field, EncryptedField) else db_field
        return super().formfield_for_dbfield(inside, request, **kwargs)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,  # noqa: ANN401 - Django's own
        obj: models.Model | None = None,
        **kwargs: Any,  # noqa: ANN401 - Django's own
    ) -> HttpResponse:
        """Send `revealed` where the page shows fields in clear."""
        if obj is not None and not self._hides(request, obj):
            revealed.send(sender=type(obj), user=request.user, instance=obj, fields=self._names())
        for inline in () if obj is None else self.get_inline_instances(request, obj):  # type: ignore[attr-defined] # as above
            if isinstance(inline, EncryptedAdminMixin) and inline.may_reveal(request):
                revealed.send(sender=inline.model, user=request.user, instance=obj, fields=inline._names())  # noqa: SLF001 - of this class
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[misc] # as above
        return response

    # How

    def _names(self) -> list[str]:
        return [field.name for field in encrypted_fields(self.model)]

    def _hides(self, request: HttpRequest, obj: models.Model | None) -> bool:
        return obj is not None and not self.may_reveal(request)

    def _in_list(self, name: Any) -> Any:  # noqa: ANN401 - a name or a callable
        if not isinstance(name, str) or encrypted_in_path(self.model, name) is None:
            return name
        return self._mask(name)

    def _hidden(self, names: Sequence[Any]) -> list[Any]:
        """A fieldset's fields with masks; fields that stand in one line are a tuple inside."""
        encrypted = self._names()
        return [
            self._hidden(name) if isinstance(name, list | tuple) else self._mask(name) if name in encrypted else name
            for name in names
        ]

    def _mask(self, path: str) -> Callable[[Any], str | None]:
        """The column that shows a field masked: one and the same for a path, since Django compares them."""
        made: dict[str, Callable[[Any], str | None]] = self.__dict__.setdefault("_masked_columns", {})
        if path not in made:
            made[path] = self._make_mask(path)
        return made[path]

    def _make_mask(self, path: str) -> Callable[[Any], str | None]:
        field = encrypted_in_path(self.model, path)

        def masked(instance: Any) -> str | None:  # noqa: ANN401 - a row
            value = instance
            for part in path.split(LOOKUP_SEP):
                value = None if value is None else getattr(value, part)
            return self.masked_value(path, value)

        masked.__name__ = path
        masked.short_description = "" if field is None else field.verbose_name  # type: ignore[attr-defined] # what the admin asks for
        masked.masks_field = True  # type: ignore[attr-defined] # tells it from callables of the application
        return masked


def _equals(model: type[models.Model], path: str, term: str) -> models.Q:
    """The rows in which an encrypted field is what was searched for; none where the term cannot be a value of it."""
    field = encrypted_in_path(model, path)
    if field is None:
        return models.Q(pk__in=[])
    try:
        field.get_prep_value(term)
    except InvalidValue:
        return models.Q(pk__in=[])
    return models.Q((path, term))
