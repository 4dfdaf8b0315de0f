"""The example shop starts by its one command, and its pages answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MANAGE = Path(__file__).parents[3] / "examples" / "shop_django" / "manage.py"

LOOK = """
from django.contrib.auth.models import User
from django.test import Client
desk = Client(headers={"host": "localhost"})
desk.force_login(User.objects.get(username="desk"))
print("customers", desk.get("/admin/shop/customer/").content.decode().count("138****"))
print("found", "王**" in desk.post("/", {"phone": "+86 138 0000 0000"}).content.decode())
print("clear", "13800000000" in desk.get("/admin/shop/customer/1/change/").content.decode())
"""


@pytest.fixture
def manage(tmp_path):
    def run(*said):
        environment = {**os.environ, "SHOP_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "shop.settings"}
        return subprocess.run(
            [sys.executable, str(MANAGE), *said], env=environment, capture_output=True, text=True, check=True
        ).stdout

    return run


def test_the_shop_starts(manage):
    assert "owner / owner" in manage("demo", "--no-server")
    assert "No changes" in manage("makemigrations", "--check")
    assert "no issues" in manage("check")
    told = manage("shell", "-v0", "-c", LOOK).splitlines()
    assert told == ["customers 40", "found True", "clear False"]
    assert "40 values, 0 replaced" in manage("privkit_reencrypt", "shop.Customer", "email")
