"""A value that is bound to its row opens in it and nowhere else, however it was written and however it is read."""

import copy
import pickle
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.test import override_settings
from django.test.utils import isolate_apps

from integrations.django.clinic.models import Draft, Person, Record, Report
from privkit import Keyring
from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.django import EncryptedCharField, NotBound, NotSearchable, WouldWritePlaintext, reveal_rows
from privkit.integrations.django.binding import Sealed
from privkit.transforms import Encrypt

pytestmark = pytest.mark.usefixtures("db")

FINDINGS = {"a": [1, "早"]}


@pytest.fixture
def two(db):  # noqa: ARG001 - it comes first
    return [
        Record.objects.create(number=number, note=f"note {number}", findings=FINDINGS, phone=f"1380000000{number}")
        for number in (1, 2)
    ]


def move(db, column, one, other):
    """Put what stands in one row into another, as whoever can write to the database does."""
    name = connections[db].ops.quote_name
    key = Record._meta.pk
    ids = [key.get_db_prep_value(record.pk, connections[db]) for record in (one, other)]
    with connections[db].cursor() as cursor:
        cursor.execute(f"SELECT {name(column)} FROM clinic_record WHERE id = %s", ids[:1])  # noqa: S608 - our own
        cursor.execute(f"UPDATE clinic_record SET {name(column)} = %s WHERE id = %s", [cursor.fetchone()[0], ids[1]])  # noqa: S608


def values_of(record):
    return record.note, record.findings, record.phone


def test_what_is_written_is_read(two):
    for record in two:
        assert values_of(Record.objects.get(pk=record.pk)) == values_of(record)
        assert Record.objects.get(pk=record.pk).seen == record.seen
    assert Record.objects.get(note__isnull=True, pk=Record.objects.create().pk).findings is None


@pytest.mark.parametrize("column", ["note", "findings", "phone", "seen"])
def test_a_value_moved_to_another_row_is_refused(db, two, column):
    move(db, column, *two)
    assert values_of(Record.objects.get(pk=two[0].pk)) == values_of(two[0])
    with pytest.raises(DecryptionFailed, match=rf"clinic\.Record\.{column}"):
        getattr(Record.objects.get(pk=two[1].pk), column)
    with pytest.raises(DecryptionFailed, match=rf"clinic\.Record\.{column}"):
        list(Record.objects.select_related("parent"))
    with pytest.raises(DecryptionFailed, match=rf"clinic\.Record\.{column}") as caught:
        reveal_rows(Record.objects.order_by("number"), column)
    assert caught.value.rows == (1,)
    with pytest.raises(DecryptionFailed):
        two[1].refresh_from_db()


def test_a_moved_value_stops_the_job(db, two):
    move(db, "phone", *two)
    with pytest.raises(CommandError, match=r"clinic\.Record\.phone: decryption failed"):
        call_command("privkit_reencrypt", "clinic.Record", "phone", database=db)


def test_a_moved_value_is_refused_by_lookups(db, two):
    move(db, "phone", *two)
    with pytest.raises(DecryptionFailed, match="phone"):
        Record.objects.filter(phone=two[0].phone).count()


def test_it_is_what_the_transform_writes(db, two):
    """Other programs open it with the row's UUID as text."""
    from privkit.integrations.django import keyring

    with connections[db].cursor() as cursor:
        cursor.execute("SELECT note FROM clinic_record WHERE number = 1")
        stored = bytes(cursor.fetchone()[0])
    assert Encrypt(keyring()["record.note"]).reveal(stored, row=str(two[0].pk)) == "note 1"


def test_every_way_of_saving(two):
    one, other = two
    one.note = "changed"
    one.save()
    other.note = None
    other.save(update_fields=["note"])
    made = Record.objects.bulk_create([Record(note=str(number), phone="1") for number in range(3)])
    assert [Record.objects.get(pk=record.pk).note for record in (one, other, *made)] == ["changed", None, "0", "1", "2"]
    for record in made:
        record.note += "!"
        record.phone = None if record is made[0] else "13911111111"
        record.phone = record.phone or ""
    assert Record.objects.bulk_update(made, ["note", "phone", "findings"]) == 3
    assert [Record.objects.get(pk=record.pk).note for record in made] == ["0!", "1!", "2!"]
    assert set(Record.objects.filter(phone="13911111111")) == set(made[1:])
    found, created = Record.objects.update_or_create(number=1, defaults={"note": "again"})
    assert (found.pk, created, Record.objects.get(number=1).note) == (one.pk, False, "again")
    found, created = Record.objects.get_or_create(number=9, defaults={"note": "nine"})
    assert (created, Record.objects.get(number=9).note) == (True, "nine")


def test_the_key_may_be_said_in_any_spelling():
    key = uuid.UUID(int=0xABC)
    Record(id=str(key).upper().replace("-", ""), note="a").save()
    assert Record.objects.get(pk=key).note == "a"


def test_a_copy_under_another_key_is_bound_to_that(two):
    record = Record.objects.get(pk=two[0].pk)
    record.pk, record.number, record._state.adding = uuid.uuid4(), None, True
    record.save()
    assert Record.objects.get(pk=record.pk).note == Record.objects.get(pk=two[0].pk).note == "note 1"


@pytest.mark.parametrize("model", [Report, Draft])
def test_inherited_columns_are_bound_in_their_own_tables(db, tmp_path, model):
    made = model.objects.create(note="n", summary="s")
    made.note, made.summary = "n!", "s!"
    made.save()
    read = model.objects.get(pk=made.pk)
    assert (read.note, read.summary, Record.objects.get(pk=made.pk).note) == ("n!", "s!", "n!")
    read.note, read.summary = "n?", "s?"
    model.objects.bulk_update([read], ["note", "summary"])
    read = model.objects.get(pk=made.pk)
    assert (read.note, read.summary) == ("n?", "s?")
    path = tmp_path / "dump.json"
    call_command("dumpdata", "clinic.Record", "clinic.Report", database=db, output=str(path), verbosity=0)
    Record.objects.all().delete()
    call_command("loaddata", str(path), database=db, verbosity=0)
    read = model.objects.get(pk=made.pk)
    assert (read.note, read.summary) == ("n?", "s?")


def test_deferred_and_copied_and_pickled(two):
    record = Record.objects.only("number").get(pk=two[0].pk)
    assert record.note == "note 1"
    record = Record.objects.defer("note").get(pk=two[0].pk)
    again = pickle.loads(pickle.dumps(record))  # noqa: S301 - our own
    assert again.note == copy.copy(record).note == "note 1"
    record.refresh_from_db()
    assert values_of(record) == values_of(two[0])
    (record,) = Record.objects.raw("SELECT id, note FROM clinic_record WHERE number = 1")
    assert record.note == "note 1"


def test_a_related_row_has_its_own_key(two):
    one, other = two
    one.parent = other
    one.save()
    assert Record.objects.select_related("parent").get(number=1).parent.note == "note 2"
    assert reveal_rows(Record.objects.order_by("number"), "parent__note", "note", "pk", "parent__pk") == [
        ("note 2", "note 1", one.pk, other.pk),
        (None, "note 2", other.pk, None),
    ]


def test_columns_alone_say_nothing_until_they_are_told_the_row(db, two):
    rows = Record.objects.order_by("number").values_list("pk", "note", "number")
    assert [(sealed.open(key), number) for key, sealed, number in rows] == [("note 1", 1), ("note 2", 2)]
    first = rows[0][1]
    assert type(first) is Sealed
    assert "note 1" not in repr(first)
    for misuse in (
        lambda: str(first),
        lambda: f"{first}",
        lambda: first.open(None),
        lambda: Record.objects.update(note=first),
        lambda: Record.objects.create(note=first),
        lambda: Person.objects.create(note=first),
        lambda: Person.objects.create(city=first),
    ):
        with pytest.raises((NotBound, DecryptionFailed)), transaction.atomic(using=db):
            misuse()
    with pytest.raises(DecryptionFailed):
        first.open(two[1].pk)
    Record.objects.update(note=None)
    assert set(Record.objects.values_list("note", flat=True)) == {None}


@pytest.mark.parametrize(
    "given",
    [
        lambda: {"note": "x"},
        lambda: {"note": Value("x")},
        lambda: {"note": Value("x", output_field=Record._meta.get_field("note"))},
        lambda: {"note": F("phone")},
        lambda: {"note": Coalesce(F("note"), Value("x", output_field=Record._meta.get_field("note")))},
        lambda: {"note": case(number=1)},
        lambda: {"note": case(Q(number=1) | Q(pk=uuid.UUID(int=1)))},
        lambda: {"note": case(~Q(pk=uuid.UUID(int=1)))},
        lambda: {"note": case(pk__in=[uuid.UUID(int=1)])},
        lambda: {"note": case(pk=F("parent"))},
        lambda: {"note": case(pk=uuid.UUID(int=1), default="x")},
    ],
)
def test_what_names_no_row_is_not_written(db, two, given):
    for rows in (Record.objects.all(), Record.objects.filter(pk=two[0].pk)):
        with pytest.raises((NotBound, WouldWritePlaintext)), transaction.atomic(using=db):
            rows.update(**given())
    assert Record.objects.get(pk=two[0].pk).note == "note 1"


def case(*condition, default=None, **named):
    own = Record._meta.get_field("note")
    otherwise = Value(default, output_field=own)
    return Case(When(*condition, **named, then=Value("x", output_field=own)), default=otherwise)


def test_null_and_the_column_itself_can_be_written(two):
    assert Record.objects.update(note=F("note"), number=None) == 2
    assert Record.objects.get(pk=two[0].pk).note == "note 1"
    assert Record.objects.update(note=None) == 2
    assert Record.objects.get(pk=two[0].pk).note is None


def test_an_upsert_is_bound_to_the_row_that_it_meets(db, two):
    again = Record(pk=two[0].pk, number=1, note="again")
    on_mysql = connections[db].vendor == "mysql"  # which cannot say by what rows are met

    def upsert(fields, by):
        options = {} if on_mysql else {"unique_fields": [by]}
        with transaction.atomic(using=db):
            Record.objects.bulk_create([again], update_conflicts=True, update_fields=fields, **options)

    if on_mysql:
        with pytest.raises(NotBound, match="upsert"):
            upsert(["note"], "id")
    else:
        upsert(["note"], "id")
        assert Record.objects.get(number=1).note == "again"
    again.pk, again.note = uuid.uuid4(), "other"
    with pytest.raises(NotBound, match="upsert"):
        upsert(["note"], "number")
    upsert(["number"], "number")
    assert Record.objects.get(number=1).note == ("note 1" if on_mysql else "again")
    Record.objects.bulk_create([again], ignore_conflicts=True)
    assert Record.objects.get(number=1).note == ("note 1" if on_mysql else "again")


def test_lookups_by_the_index(two):
    assert Record.objects.get(phone="+86 138-0000-0002").pk == two[1].pk
    with pytest.raises(NotSearchable):
        Record.objects.filter(note="note 1")


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_fixtures_are_bound_when_they_are_loaded(db, two, tmp_path, kind):
    path = tmp_path / f"dump.{kind}"
    call_command("dumpdata", "clinic.Record", database=db, output=str(path), format=kind, verbosity=0)
    Record.objects.filter(number=2).delete()
    Record.objects.filter(number=1).update(note=None)
    call_command("loaddata", str(path), database=db, verbosity=0)
    assert [values_of(record) for record in Record.objects.order_by("number")] == [values_of(record) for record in two]


def test_rows_stay_bound_over_a_rotation(db, tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    with override_settings(PRIVKIT={"KEYRING": lambda: keys}):
        made = Record.objects.bulk_create(
            [Record(number=n, note=str(n), findings=[n], phone=f"1380000000{n}") for n in range(5)]
        )
        keys.rotate()
        keys.move_stable("record.phone")
        call_command("privkit_reencrypt", "clinic.Record", database=db, batch=2, verbosity=0)
        assert [values_of(record) for record in Record.objects.order_by("number")] == [values_of(one) for one in made]
        assert Record.objects.get(phone="13800000003").number == 3


@isolate_apps("integrations.django.clinic")
def test_the_key_must_be_one_that_the_application_makes():
    class Made(models.Model):
        note = EncryptedCharField(max_length=5, key="a", row="id")

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "made"

    class Other(models.Model):
        id = models.UUIDField(primary_key=True)
        number = models.IntegerField(unique=True)
        note = EncryptedCharField(max_length=5, key="b", row="number")

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "other"

    for model in (Made, Other):
        assert "privkit.E011" in [message.id for message in model._meta.get_field("note").check()]
    with pytest.raises(NotBound, match="names no row"):
        Made._meta.get_field("note").pre_save(Made(note="a"), add=True)
    with pytest.raises(InvalidParameter, match="deterministic"):
        EncryptedCharField(max_length=5, key="a", row="id", deterministic=True)
    assert Record._meta.get_field("note").deconstruct()[3]["row"] == "id"


@pytest.mark.parametrize("key", ["no key", F("number"), None])
def test_without_a_key_nothing_is_bound(key):
    with pytest.raises(NotBound, match="names no row") as refused:
        Record._meta.get_field("note").pre_save(Record(pk=key, note="a"), add=True)
    assert "no key" not in str(refused.value)
