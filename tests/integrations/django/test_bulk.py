"""`reveal_rows` gives what `values_list` gives, whatever the rows are of, in one query."""

import pytest
from django.db import connections, models
from django.db.models import Count, F, Value
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext, isolate_apps

from integrations.django.clinic.models import Contact, Person, Record, Visit
from integrations.django.test_columns import VALUES
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.integrations.django import EncryptedField, NotBound, binary, bulk, reveal_rows
from privkit.integrations.django.binding import Sealed

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def visits():
    person = Person.objects.create(email="a@b.cn", phone="1", city="Wuhan")
    Visit.objects.create(person=person, **VALUES)
    Visit.objects.create(person=None)
    return Visit.objects.order_by("pk")


@pytest.mark.parametrize("name", [*VALUES, "pk", "seen", "person", "person__email", "person__city", "person__phone"])
def test_a_column_of_each_kind_is_read_as_by_django(visits, name):
    expected = list(visits.values_list(name, "email"))
    assert reveal_rows(visits, name, "email") == expected
    assert [type(row[0]) for row in reveal_rows(visits, name)] == [type(row[0]) for row in expected]


QUERIES = {
    "none": lambda visits: visits.none(),
    "sliced": lambda visits: visits[1:],
    "filtered by 100%": lambda visits: visits.filter(person__city__contains="%").exclude(email="b@b.cn"),
    "distinct, sorted by another column": lambda visits: visits.distinct().order_by("person__city", "-pk"),
    "extra": lambda visits: visits.extra(select={"one": "1"}),
    "annotated": lambda visits: visits.annotate(one=Value(1), more=Count("person__visits")).filter(more__gte=0),
    "joined": lambda visits: visits.select_related("person").filter(person__email="a@b.cn"),
    "a union": lambda visits: visits.order_by().union(visits.order_by(), all=True),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_rows_of_any_query_are_read_as_by_django(visits, query):
    names = ("email", "id", "urgent")
    assert reveal_rows(query(visits), *names) == list(query(visits).values_list(*names))


def test_annotations_are_read_as_by_django(visits):
    query = visits.annotate(of=F("person__email"), either=Coalesce("email", "person__email"), number=Count("person"))
    names = ("either", "number", "of", "email", "email")
    assert reveal_rows(query, *names) == list(query.values_list(*names))


def test_what_a_blind_index_finds_is_read():
    Contact.objects.create(phone="13812345678", card="4111111111111111")
    Contact.objects.create(phone="13912345678", card="4000000000000002")
    found = reveal_rows(Contact.objects.filter(phone="+86 138 1234 5678"), "phone", "card")
    assert found == [("13812345678", "4111111111111111")]


def test_a_bound_value_that_no_name_leads_to_stays_sealed():
    Record.objects.create(note="x")
    ((sealed, note),) = reveal_rows(Record.objects.annotate(copy=F("note")), "copy", "note")
    assert (type(sealed), note) == (Sealed, "x")


@pytest.fixture
def records():
    first = Record.objects.create(number=1)
    Record.objects.bulk_create([Record(number=2, note="x", parent=first), Record(number=3), Record(number=4, note="x")])
    Record.objects.create(number=5, parent=Record.objects.get(number=4))
    return Record.objects.order_by()


def test_nulls_of_bound_values_are_alike_where_rows_are(records):
    assert sorted(reveal_rows(records.distinct(), "note"), key=str) == [("x",), ("x",), (None,)]
    below = reveal_rows(records.distinct(), "parent__note", "note")
    assert sorted(below, key=str) == sorted([("x", None), (None, "x"), (None, "x"), (None, None)], key=str)
    above = reveal_rows(records.filter(number__in=(1, 3, 4)).distinct(), "record__note")
    assert sorted(above, key=str) == [("x",), (None,)]
    numbers = reveal_rows(records.values("note").annotate(number_of=Count("id")), "note", "number_of")
    assert sorted(numbers, key=str) == [("x", 1), ("x", 1), (None, 3)]
    assert len(reveal_rows(records.distinct()[:3], "note")) == 3
    with_keys = reveal_rows(records.distinct(), "note", "pk")
    assert set(with_keys) == {(record.note, record.pk) for record in records}


def test_combined_queries_give_bound_values_with_their_keys_or_say_so(records):
    low, high = records.filter(number__lt=4), records.filter(number__gt=2)
    assert sorted(reveal_rows(low.union(high, all=True), "note"), key=str) == [("x",), ("x",), *[(None,)] * 4]
    assert len(reveal_rows(low.union(high), "note", "pk")) == 5
    assert len(reveal_rows(low.union(high), "seen")) == 5
    named = low.values_list("note", "pk").union(high.values_list("note", "pk"))
    assert len(reveal_rows(named, "note", "pk")) == 5
    for query in (low.union(high), low.difference(high), low.values("note").union(high.values("note"), all=True)):
        with pytest.raises(NotBound, match="name 'pk' too"):
            reveal_rows(query, "note")


def test_a_foreign_key_beside_is_read_in_binary(db, visits, monkeypatch):
    if connections[db].vendor != "postgresql":
        pytest.skip("only there is a binary form")
    taken, before = [], binary.binary_cursor
    monkeypatch.setattr(binary, "binary_cursor", lambda connection: taken.append(connection) or before(connection))
    assert reveal_rows(visits, "email", "person", "pk") == list(visits.values_list("email", "person", "pk"))
    assert len(taken) == 1


def test_it_is_one_query_and_logged(db, visits):
    with CaptureQueriesContext(connections[db]) as queries:
        reveal_rows(visits, "email", "person__city")
    assert len(queries) == 1
    assert "email" in queries[0]["sql"]


def test_rows_are_read_in_pages_and_failures_named_by_the_row_of_the_result(db, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE", 2)
    Person.objects.bulk_create([Person(email=f"{number}@b.cn", phone=str(number)) for number in range(7)])
    rows = Person.objects.order_by("pk")
    assert reveal_rows(rows, "email", "phone") == list(rows.values_list("email", "phone"))
    with connections[db].cursor() as cursor:
        keys = rows.values_list("pk", flat=True)
        cursor.execute("UPDATE clinic_person SET phone = email WHERE id IN (%s, %s)", [keys[2], keys[5]])
    with pytest.raises(DecryptionFailed, match=r"clinic\.Person\.phone") as caught:
        reveal_rows(rows, "email", "phone")
    assert caught.value.rows == (2, 5)


@isolate_apps("integrations.django.clinic")
def test_values_that_are_none_of_their_field_are_named_by_the_row_of_the_result(db, monkeypatch):
    class Adopted(models.Model):
        colour = EncryptedField(models.IntegerField(), key="visit.colour", text=True, null=True, mode="dual")

        class Meta:
            app_label = "clinic"
            db_table = "clinic_visit"
            managed = False

        def __str__(self) -> str:
            return "adopted"

    monkeypatch.setattr(bulk, "PAGE", 2)
    Visit.objects.bulk_create([Visit(colour=colour) for colour in (None, "1", None, "r")])
    rows = Adopted.objects.order_by("pk")
    with pytest.raises(InvalidValue, match=r"clinic\.Adopted\.colour.* at row 3: ") as caught:
        reveal_rows(rows, "colour")
    assert caught.value.rows == (3,)
    with connections[db].cursor() as cursor:
        cursor.execute(
            "UPDATE clinic_visit SET colour = 'secret' WHERE id = %s", [rows.values_list("pk", flat=True)[2]]
        )
    with pytest.raises(InvalidValue, match=r"clinic\.Adopted\.colour.* at row 2: ") as caught:
        reveal_rows(rows, "colour")
    assert "secret" not in str(caught.value)


def test_a_column_of_another_type_than_its_field_is_read_as_by_django(db):
    """Types of which psycopg gives something else in binary: one that it does not know, and one that it rounds."""
    if connections[db].vendor != "postgresql":
        pytest.skip("only there are such types")
    with connections[db].cursor() as cursor:
        cursor.execute("CREATE TYPE town AS ENUM ('Wuhan', 'Xi''an')")
        cursor.execute("ALTER TABLE clinic_person ALTER city TYPE town USING 'Wuhan'")
    Person.objects.bulk_create([Person(email="a@b.cn", city="Wuhan")])
    assert reveal_rows(Person.objects.all(), "city", "email") == [("Wuhan", "a@b.cn")]


@isolate_apps("integrations.django.clinic")
def test_a_key_of_several_columns_is_one_value(visits):
    class Pair(models.Model):
        pk = models.CompositePrimaryKey("id", "count")
        id = models.IntegerField()
        count = EncryptedField(models.IntegerField(), key="visit.count", deterministic=True)
        email = EncryptedField(models.EmailField(), key="person.email", deterministic=True)

        class Meta:
            app_label = "clinic"
            db_table = "clinic_visit"
            managed = False

        def __str__(self) -> str:
            return "pair"

    first = visits[0].pk
    rows = Pair.objects.filter(id=first)
    assert reveal_rows(rows, "email", "pk", "id") == [("a@b.cn", (first, VALUES["count"]), first)]
    assert reveal_rows(rows, "pk") == list(rows.values_list("pk"))


def test_no_column_is_an_error():
    with pytest.raises(InvalidParameter, match="no field was named"):
        reveal_rows(Person.objects.all())
