"""The admin: masks in lists and for the service desk, values for whoever may reveal them."""

import logging
from typing import Any, ClassVar

from django.contrib import admin
from django.dispatch import receiver

from privkit import fields
from privkit.integrations.django.admin import EncryptedAdminMixin, revealed
from shop.models import Customer, Order

admin.site.site_header = "The shop"
log = logging.getLogger("shop.revealed")


class OrderInline(EncryptedAdminMixin, admin.TabularInline):
    """A customer's orders."""

    model = Order
    extra = 0


@admin.register(Customer)
class CustomerAdmin(EncryptedAdminMixin, admin.ModelAdmin):
    """Customers."""

    list_display = ("name", "email", "phone", "born", "city")
    list_filter = ("city",)
    search_fields = ("email__exact", "phone__exact", "city")
    masks: ClassVar = {"name": fields.PERSON_NAME, "email": fields.EMAIL, "phone": fields.CN_MOBILE}
    inlines = (OrderInline,)


@receiver(revealed)
def note_who_looked(sender: type, user: Any, instance: Any, fields: list[str], **_: Any) -> None:  # noqa: ANN401 - a signal's
    """Keep a record of every page that showed values in clear."""
    log.warning("%s saw %s of %s %s", user, ", ".join(fields), sender.__name__, instance.pk)
