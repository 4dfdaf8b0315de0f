"""What goes in comes out, in every kind of column and by every way of writing; the database sees ciphertexts only."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import connections, transaction

from integrations.django.clinic.models import Person, Visit

pytestmark = pytest.mark.usefixtures("db")

VALUES = {
    "email": "a@b.cn",
    "fee": Decimal("12.50"),
    "findings": {"b": [1, 2.5, None, "早"], "a": {"c": True}},
    "day": dt.date(2026, 1, 2),
    "at": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    "time": dt.time(3, 4, 5, 6),
    "duration": dt.timedelta(days=-3, microseconds=5),
    "code": uuid.UUID(int=7),
    "count": -12,
    "weight": 1.25,
    "urgent": True,
    "scan": b"\x00\xff",
    "address": "2001:db8::1",
    "colour": "r",
}

EMPTY = {
    "email": "",
    "fee": Decimal(0),
    "findings": {},
    "count": 0,
    "weight": 0.0,
    "urgent": False,
    "scan": b"",
    "colour": "",
}


def stored(db, model, column, pk):
    with connections[db].cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table} WHERE id = %s", [pk])  # noqa: S608 - names of our own
        return cursor.fetchone()[0]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(name):
    visit = Visit.objects.create(**{name: VALUES[name]})
    read = Visit.objects.get(pk=visit.pk)
    assert getattr(read, name) == VALUES[name]
    assert type(getattr(read, name)) is type(VALUES[name])


@pytest.mark.parametrize("name", VALUES)
def test_the_database_sees_ciphertexts(db, name):
    visit = Visit.objects.create(**{name: VALUES[name]})
    found = stored(db, Visit, name, visit.pk)
    field = Visit._meta.get_field(name)
    assert isinstance(found, str if field.text else bytes)
    assert len(found) > 22
    length = field.ciphertext_length
    assert length is None or len(found) <= length


@pytest.mark.parametrize("name", EMPTY)
def test_empty_and_zero_are_not_null(db, name):
    visit = Visit.objects.create(**{name: EMPTY[name]})
    assert stored(db, Visit, name, visit.pk) is not None
    assert Visit.objects.filter(**{f"{name}__isnull": True}).count() == 0
    read = getattr(Visit.objects.get(pk=visit.pk), name)
    assert read == EMPTY[name]
    assert type(read) is type(EMPTY[name])


def test_null_is_null(db):
    visit = Visit.objects.create()
    read = Visit.objects.get(pk=visit.pk)
    for name in VALUES:
        assert getattr(read, name) is None
        assert stored(db, Visit, name, visit.pk) is None


def test_equal_values_are_stored_alike_where_deterministic_only(db):
    one = Person.objects.create(phone="13800000000")
    two = Person.objects.create(phone="13800000000")
    assert stored(db, Person, "phone", one.pk) != stored(db, Person, "phone", two.pk)
    first = Visit.objects.create(email="a@b.cn")
    second = Visit.objects.create(email="a@b.cn")
    assert stored(db, Visit, "email", first.pk) == stored(db, Visit, "email", second.pk)


def test_bulk_ways_of_writing():
    people = Person.objects.bulk_create([Person(email=f"{i}@b.cn", phone=str(i), note="n") for i in range(5)])
    for person in people:
        person.phone = f"+{person.phone}"
        person.note = ""
    Person.objects.bulk_update(people, ["phone", "note"])
    assert sorted(Person.objects.values_list("phone", flat=True)) == ["+0", "+1", "+2", "+3", "+4"]
    assert Person.objects.update(phone="7", note="x") == 5
    assert set(Person.objects.values_list("phone", "note")) == {("7", "x")}


def test_upsert(db):
    Person.objects.create(email="a@b.cn", phone="1")
    Person.objects.bulk_create(
        [Person(email="a@b.cn", phone="2"), Person(email="c@b.cn", phone="3")],
        update_conflicts=True,
        update_fields=["phone"],
        unique_fields=None if connections[db].vendor == "mysql" else ["email"],
    )
    assert dict(Person.objects.values_list("email", "phone")) == {"a@b.cn": "2", "c@b.cn": "3"}


def test_get_or_create_and_update_or_create():
    one, created = Person.objects.get_or_create(email="a@b.cn", defaults={"phone": "1"})
    assert created
    again, created = Person.objects.get_or_create(email="a@b.cn")
    assert (again.pk, created, again.phone) == (one.pk, False, "1")
    changed, created = Person.objects.update_or_create(email="a@b.cn", defaults={"phone": "2"})
    assert (changed.pk, created) == (one.pk, False)
    assert Person.objects.get().phone == "2"


def test_unique_holds_in_the_database(db):
    Person.objects.create(email="a@b.cn")
    from django.db import IntegrityError

    with pytest.raises(IntegrityError) as refused, transaction.atomic(using=db):
        Person.objects.create(email="a@b.cn")
    assert "a@b.cn" not in str(refused.value)
    Person.objects.create(email=None)
    Person.objects.create(email=None)


def test_the_field_may_set_its_own_value():
    visit = Visit.objects.create()
    first = visit.seen
    visit.save()
    assert Visit.objects.get(pk=visit.pk).seen == visit.seen > first


def test_a_value_does_not_open_elsewhere(db):
    from privkit.errors import DecryptionFailed

    person = Person.objects.create(email="a@b.cn", phone="1", note="2")
    with connections[db].cursor() as cursor:
        cursor.execute("UPDATE clinic_person SET note = phone")
    with pytest.raises(DecryptionFailed, match=r"clinic\.Person\.note"):
        Person.objects.get(pk=person.pk)
    assert Person.objects.only("phone").get(pk=person.pk).phone == "1"


@pytest.mark.parametrize("sql", ["'plain'", "''"])
def test_what_is_no_ciphertext_is_no_value(db, sql):
    from privkit.errors import DecryptionFailed

    person = Person.objects.create(phone="1")
    with connections[db].cursor() as cursor:
        cursor.execute(f"UPDATE clinic_person SET phone = {sql}")  # noqa: S608 - names of our own
    with pytest.raises(DecryptionFailed):
        Person.objects.get(pk=person.pk)


def test_after_a_rotation_old_and_new_are_read_and_found(tmp_path):
    from django.test import override_settings

    from privkit import Keyring

    keys = Keyring.create(tmp_path / "keyring.json")
    with override_settings(PRIVKIT={"KEYRING": lambda: keys}):
        Person.objects.create(email="a@b.cn", phone="1")
        keys.rotate()
        Person.objects.create(email="c@b.cn", phone="2")
        assert sorted(Person.objects.values_list("email", "phone")) == [("a@b.cn", "1"), ("c@b.cn", "2")]
        assert Person.objects.get(email="a@b.cn").phone == "1"
        assert Person.objects.get(email="c@b.cn").phone == "2"


def test_a_column_added_to_rows_that_exist_gets_the_empty_value(server):
    from django.db import models

    from privkit.integrations.django import EncryptedField

    field = EncryptedField(models.CharField(max_length=5), key="visit.extra", blank=True)
    field.set_attributes_from_name("extra")
    default = connections[server].schema_editor(collect_sql=True).effective_default(field)
    assert field.from_db_value(default, None, connections[server]) == ""
