"""`manage.py demo`: make keys, tables, customers and two users, and start the shop."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from privkit import Keyring
from shop.models import Customer, Order

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

CITIES = ("济南", "青岛", "烟台")
GIVEN = ("伟", "芳", "秀英", "敏", "静", "磊", "洋", "艳")
DESK = ("view_customer", "change_customer", "view_order")


class Command(BaseCommand):
    """Everything in one command; what is there already stays."""

    help = "Makes what the shop needs and starts it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what it takes."""
        parser.add_argument("address", nargs="?", default="127.0.0.1:8000")
        parser.add_argument("--no-server", action="store_true", help="only make what is needed")

    def handle(self, *_: Any, address: str, no_server: bool, **__: Any) -> None:  # noqa: ANN401 - Django's signature
        """Make what is missing, and serve."""
        settings.DATA.mkdir(exist_ok=True, parents=True)
        if not settings.PRIVKIT["KEYRING"].exists():
            Keyring.create(settings.PRIVKIT["KEYRING"])
        call_command("migrate", verbosity=0)
        if not Customer.objects.exists():
            _fill()
        self.stdout.write("owner / owner may reveal, desk / desk sees masks; the service desk finds 13800000001")
        if not no_server:
            call_command("runserver", address, use_reloader=False)


def _fill() -> None:
    customers = [
        Customer(
            name="王李张刘陈"[number % 5] + GIVEN[number % 8],
            email=f"customer{number}@example.cn",
            phone=f"138{number:08d}",
            born=dt.date(1970 + number % 40, 1 + number % 12, 1 + number % 28),
            city=CITIES[number % 3],
        )
        for number in range(40)
    ]
    Customer.objects.bulk_create(customers)
    Order.objects.bulk_create(
        Order(
            customer=customer,
            goods="茶",
            amount=Decimal("19.90"),
            address=f"{customer.city}市 经十路 {customer.pk} 号",
        )
        for customer in customers
    )
    User.objects.create_superuser("owner", password="owner")  # noqa: S106 - a demonstration on this machine only
    desk = User.objects.create_user("desk", password="desk", is_staff=True)  # noqa: S106 - as above
    desk.user_permissions.set(Permission.objects.filter(codename__in=DESK))
