"""A randomised column is found by its blind index, exactly, however it was written."""

import pytest
from django.db import connections
from django.db.migrations.writer import MigrationWriter
from django.db.models import Count, F, Q
from django.test.utils import CaptureQueriesContext

from integrations.django.clinic.models import Contact, Person
from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.django import BlindIndexField, NotSearchable

pytestmark = pytest.mark.usefixtures("db")

PHONES = [f"138{number:08d}" for number in range(40)]


@pytest.fixture
def contacts(db):  # noqa: ARG001 - it comes first
    return Contact.objects.bulk_create([Contact(phone=phone, card=f"62220000{phone[-4:]}") for phone in PHONES])


@pytest.mark.usefixtures("contacts")
def test_a_value_is_found_among_others_of_its_index():
    assert Contact.objects.values("phone_idx").distinct().count() <= 16 < len(PHONES)
    for phone in PHONES[:10]:
        assert [found.phone for found in Contact.objects.filter(phone=phone)] == [phone]
    assert Contact.objects.filter(phone="13900000000").count() == 0
    assert Contact.objects.exclude(phone=PHONES[0]).count() == len(PHONES) - 1
    assert Contact.objects.filter(phone__in=[*PHONES[:3], None, "x"]).count() == 3
    assert Contact.objects.filter(Q(phone=PHONES[0]) | Q(phone__isnull=True)).count() == 1
    assert Contact.objects.filter(phone=None).count() == 0
    assert Contact.objects.filter(phone__in=[]).count() == 0


@pytest.mark.usefixtures("contacts")
def test_spellings_of_one_value_are_found():
    assert Contact.objects.get(phone="+86 138-0000-0007").phone == PHONES[7]


@pytest.mark.usefixtures("contacts")
def test_a_part_is_a_lookup():
    assert Contact.objects.get(card__last_four="0007").phone == PHONES[7]
    assert Contact.objects.get(card="622200000007").phone == PHONES[7]
    assert not Contact.objects.filter(card="1111111110007").exists()
    with pytest.raises(NotSearchable):
        Contact.objects.filter(phone__last_four="0007")


@pytest.mark.usefixtures("contacts")
def test_updates_and_deletes_touch_no_other_row_of_the_index():
    assert Contact.objects.filter(phone=PHONES[0]).update(phone="13911111111") == 1
    assert sorted(Contact.objects.values_list("phone", flat=True)) == [*PHONES[1:], "13911111111"]
    assert Contact.objects.filter(phone=PHONES[1]).delete()[0] == 1
    assert Contact.objects.count() == len(PHONES) - 1


def test_every_way_of_writing_moves_the_index(contacts):
    first, second, third = contacts[:3]
    first.phone = "13900000001"
    first.save()
    second.phone = "13900000002"
    Contact.objects.bulk_update([second], ["phone"])
    Contact.objects.filter(pk=third.pk).update(phone="13900000003")
    made, _ = Contact.objects.get_or_create(phone="13900000004")
    for number, contact in enumerate((first, second, third, made), start=1):
        assert Contact.objects.get(phone=f"1390000000{number}").pk == contact.pk
    assert not Contact.objects.filter(phone__in=PHONES[:3]).exists()


def test_joins_reach_the_index(contacts):
    person = Person.objects.create(city="Jinan")
    Contact.objects.filter(pk=contacts[0].pk).update(person=person)
    assert Person.objects.get(contacts__phone=PHONES[0]).pk == person.pk
    assert not Person.objects.filter(contacts__phone=PHONES[1]).exists()
    assert Contact.objects.filter(phone=PHONES[0], person__city="Jinan").count() == 1


def test_an_index_that_was_changed_is_refused(db, contacts):
    one, other = contacts[:2]
    with connections[db].cursor() as cursor:
        cursor.execute("SELECT card FROM clinic_contact WHERE id = %s", [other.pk])
        sealed = cursor.fetchone()[0]
        cursor.execute("SELECT card FROM clinic_contact WHERE id = %s", [one.pk])
        mixed = cursor.fetchone()[0][:16] + sealed[16:]
        cursor.execute("UPDATE clinic_contact SET card = %s WHERE id = %s", [mixed, one.pk])
    with pytest.raises(DecryptionFailed):
        Contact.objects.get(pk=one.pk)
    with pytest.raises(DecryptionFailed, match=r"clinic\.Contact\.card"):
        Contact.objects.filter(card="622200000000").exists()


GIVING_ROWS = {
    "filter": lambda rows: [one.phone for one in rows],
    "get": lambda rows: [rows.get().phone],
    "only": lambda rows: [one.phone for one in rows.only("phone")[:1]],
    "first": lambda rows: [rows.first().phone],
    "slice": lambda rows: [one.phone for one in rows.order_by("-card_idx", "pk")[0:3]],
    "values": lambda rows: [one["phone"] for one in rows.values("phone")],
    "flat": lambda rows: list(rows.values_list("phone", flat=True)),
    "iterator": lambda rows: [one.phone for one in rows.iterator(chunk_size=2)],
    "join": lambda rows: [one.phone for one in rows.select_related("person").order_by("person__city")],
}
MORE = {
    "count": lambda rows: [rows.count()],
    "exists": lambda rows: [rows.exists()],
    "distinct": lambda rows: [one.phone for one in rows.distinct()],
    "from": lambda rows: [one.phone for one in rows.order_by("pk")[1:]],
    "many": lambda rows: [one.phone for one in rows[:500]],
    "grouped": lambda rows: [one.n for one in rows.annotate(n=Count("pk"))],
    "inside": lambda rows: [one.phone for one in Contact.objects.filter(pk__in=rows)],
    "or": lambda rows: [one.phone for one in rows | Contact.objects.filter(pk=-1)],
    "not": lambda rows: [one.phone for one in Contact.objects.exclude(~Q(pk__in=rows))],
    "union": lambda rows: [one.phone for one in rows.union(Contact.objects.filter(pk=-1))],
}


@pytest.mark.usefixtures("contacts")
@pytest.mark.parametrize("name", [*GIVING_ROWS, *MORE])
def test_one_query_where_rows_are_given_and_two_where_more_is_done(db, name):
    work = {**GIVING_ROWS, **MORE}[name]
    for asked in (
        Contact.objects.filter(phone=PHONES[3]),
        Contact.objects.filter(Q(phone=PHONES[3]), card__last_four="0003"),
    ):
        with CaptureQueriesContext(connections[db]) as queries:
            found = work(asked)
        lookups = len(list(asked.query.where.leaves()))
        read = [query["sql"] for query in queries if "SELECT" in query["sql"]]
        assert len(read) == (1 if name in GIVING_ROWS else 1 + lookups)
        expected = {"count": [1], "exists": [True], "grouped": [1], "from": []}
        assert found == expected.get(name, [PHONES[3]])


def test_a_limit_is_applied_to_rows_that_hold_the_value(db):
    phones = [f"139{number:08d}" for number in range(900)]
    Contact.objects.bulk_create([Contact(phone=phone) for phone in phones])
    asked = Contact.objects.order_by("pk")
    taken = set()
    for at in (0, 450, 899):
        with CaptureQueriesContext(connections[db]) as queries:
            assert asked.filter(phone=phones[at]).first().phone == phones[at]
        taken.add(len(queries))
    assert taken == {1, 3}  # the last has more candidates before it than are read at first
    assert [one.phone for one in asked.filter(phone__in=phones)[5:9]] == phones[5:9]
    assert [one.phone for one in asked.filter(phone__in=phones[::2])[5:9]] == phones[10:18:2]


@pytest.mark.parametrize(
    "lookup", [{"phone": F("card")}, {"phone__in": Contact.objects.values("card")}, {"phone__gt": ""}]
)
def test_what_the_index_cannot_say_is_refused(lookup):
    with pytest.raises(NotSearchable):
        Contact.objects.filter(**lookup)


def test_the_database_has_an_index_on_it(db):
    editor = connections[db].schema_editor()
    for name in ("phone_idx", "card_idx"):
        assert editor._field_should_be_indexed(Contact, Contact._meta.get_field(name))


def test_the_declaration_stays_still():
    for name in ("phone", "phone_idx", "card", "card_idx"):
        field = Contact._meta.get_field(name)
        text, _ = MigrationWriter.serialize(field)
        assert MigrationWriter.serialize(field.clone())[0] == text
        assert "IndexIn" not in text


def test_what_cannot_be_is_refused():
    from django.apps.registry import Apps
    from django.db import models

    with pytest.raises(InvalidParameter):
        BlindIndexField("phone", bits=0)
    with pytest.raises(InvalidParameter, match="the model has no encrypted field"):

        class Lost(models.Model):
            idx = BlindIndexField("phone")

            class Meta:
                app_label = "clinic"
                apps = Apps()

            def __str__(self) -> str:
                return "lost"
