from typing import ClassVar

from django.contrib import admin

from privkit import fields
from privkit.integrations.django.admin import EncryptedAdminMixin

from .models import Person, Visit


class VisitInline(EncryptedAdminMixin, admin.TabularInline):
    model = Visit
    fields = ("email", "day", "colour")
    extra = 0


@admin.register(Person)
class PersonAdmin(EncryptedAdminMixin, admin.ModelAdmin):
    list_display = ("email", "phone", "city")
    search_fields = ("email__exact", "city")
    masks: ClassVar = {"phone": fields.CN_MOBILE, "email": fields.EMAIL}
    inlines = (VisitInline,)
