"""A live table adopts encryption, is re-keyed, and goes back; jobs are killed and values raced for."""

from io import StringIO

import pytest
from django.apps.registry import Apps
from django.core.management import CommandError, call_command
from django.db import connections, models
from django.test import override_settings

from privkit import Keyring
from privkit.errors import DecryptionFailed
from privkit.integrations.django import BlindIndexField, EncryptedField
from privkit.integrations.django.stored import ColumnRows
from privkit.integrations.reencryption import reencrypt


@pytest.fixture
def keys(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    with override_settings(PRIVKIT={"KEYRING": lambda: keys}):
        yield keys


def release(mode):
    """The model as one release of the application has it; `None` is the one before encryption."""

    class Member(models.Model):
        email = (
            models.EmailField(unique=True, null=True)
            if mode is None
            else EncryptedField(
                models.EmailField(),
                key="member.email",
                deterministic=True,
                text=True,
                mode=mode,
                unique=True,
                null=True,
            )
        )
        age = (
            models.IntegerField(null=True)
            if mode is None
            else EncryptedField(models.IntegerField(), key="member.age", text=True, mode=mode, null=True)
        )

        class Meta:
            app_label = "clinic"
            apps = Apps()  # each release is a program of its own

        def __str__(self) -> str:
            return "member"

    return Member


def migrate(db, before, after):
    with connections[db].schema_editor() as editor:
        for name in ("email", "age"):
            editor.alter_field(before, before._meta.get_field(name), after._meta.get_field(name))


def run(db, model, **options):
    """The command on a model that no application knows."""
    fields = [model._meta.get_field(name) for name in ("email", "age")]
    return [reencrypt(ColumnRows(field, db), field.stored, **options) for field in fields]


def raw(db, column="email"):
    with connections[db].cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM clinic_member ORDER BY id")  # noqa: S608 - a name of our own
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def tables(server):
    """Tables that a test makes are dropped; SQLite alters none inside a transaction."""
    yield server
    with connections[server].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS clinic_member")


@pytest.mark.usefixtures("keys")
def test_adopting_encryption_and_the_way_back(tables):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    plain, first, second, third = release(None), release("plaintext_ok"), release("dual"), release("strict")
    with connections[db].schema_editor() as editor:
        editor.create_model(plain)
    values = [(None, None), ("", 0), ("a@b.cn", 7), ("c@b.cn", -1)]
    for email, age in values:
        plain.objects.create(email=email, age=age)

    migrate(db, plain, first)
    assert list(first.objects.order_by("pk").values_list("email", "age")) == values
    first.objects.create(email="d@b.cn", age=4)
    assert raw(db) == [None, "", "a@b.cn", "c@b.cn", "d@b.cn"]

    migrate(db, first, second)
    second.objects.create(email="e@b.cn", age=5)
    assert raw(db)[-1] != "e@b.cn"
    for release_of in (first, second):  # two releases run side by side
        assert {release_of.objects.get(email=e).age for e in ("a@b.cn", "d@b.cn", "e@b.cn")} == {7, 4, 5}
        assert release_of.objects.get_or_create(email="a@b.cn")[1] is False
        assert release_of.objects.filter(email__in=["a@b.cn", "e@b.cn"]).count() == 2

    with pytest.raises(DecryptionFailed):
        list(third.objects.all())
    assert [done.outdated for done in run(db, second, dry_run=True)] == [4, 4]
    assert "a@b.cn" in raw(db)
    assert [done.replaced for done in run(db, second, batch=2)] == [4, 4]
    assert [done.outdated for done in run(db, second, batch=2)] == [0, 0]

    migrate(db, second, third)
    assert list(third.objects.order_by("pk").values_list("email", "age"))[:4] == values
    assert not {"", "a@b.cn", "c@b.cn", "d@b.cn", "e@b.cn"} & set(raw(db))
    assert third.objects.get(email="a@b.cn").age == 7

    migrate(db, third, first)
    assert [done.replaced for done in run(db, first)] == [5, 5]
    migrate(db, first, plain)
    assert list(plain.objects.order_by("pk").values_list("email", "age"))[:4] == values
    assert plain.objects.get(email="e@b.cn").age == 5


def test_rekeying_finds_values_before_during_and_after(tables, keys):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    member = release("strict")
    with connections[db].schema_editor() as editor:
        editor.create_model(member)
    for number in range(6):
        member.objects.create(email=f"{number}@b.cn", age=number)
    before = raw(db)
    keys.rotate()
    keys.move_stable("member.email")
    assert member.objects.get(email="1@b.cn").age == 1
    member.objects.create(email="new@b.cn", age=9)

    class Killed(Exception):
        pass

    def kill(_):
        raise Killed

    with pytest.raises(Killed):
        run(db, member, batch=2, on_progress=kill)
    assert len(set(raw(db)) & set(before)) == 4
    found = [member.objects.get(email=email).age for email in ("0@b.cn", "5@b.cn", "new@b.cn")]
    assert found == [0, 5, 9]
    assert member.objects.filter(email__in=["0@b.cn", "5@b.cn"]).count() == 2
    assert [done.replaced for done in run(db, member)] == [4, 6]
    assert not set(raw(db)) & set(before)
    assert member.objects.get(email="5@b.cn").age == 5


@pytest.mark.usefixtures("keys")
def test_a_concurrent_write_wins(tables):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    member = release("dual")
    with connections[db].schema_editor() as editor:
        editor.create_model(member)
    with connections[db].cursor() as cursor:
        cursor.execute("INSERT INTO clinic_member (email) VALUES ('a@b.cn'), ('b@b.cn')")

    class Raced(ColumnRows):
        def replace(self, changes):
            member.objects.filter(email="a@b.cn").update(email="changed@b.cn")
            return super().replace(changes)

    field = member._meta.get_field("email")
    done = reencrypt(Raced(field, db), field.stored)
    assert (done.outdated, done.replaced, done.overtaken) == (2, 1, 1)
    assert list(member.objects.order_by("pk").values_list("email", flat=True)) == ["changed@b.cn", "b@b.cn"]


def test_the_command(db, keys):
    from integrations.django.clinic.models import Person

    for number in range(5):
        Person.objects.create(email=f"{number}@b.cn", phone=str(number))
    keys.rotate()
    told = StringIO()
    call_command("privkit_reencrypt", "clinic.Person", "phone", database=db, batch=2, stdout=told, dry_run=True)
    assert told.getvalue() == "clinic.Person.phone: 5 values, 5 to replace\n"
    third = Person.objects.order_by("pk")[2].pk
    told = StringIO()
    call_command("privkit_reencrypt", "clinic.Person", "phone", database=db, after=str(third), stdout=told)
    assert told.getvalue() == "clinic.Person.phone: 2 values, 2 replaced, 0 overtaken\n"
    told = StringIO()
    call_command("privkit_reencrypt", "clinic.Person", database=db, batch=2, verbosity=2, stdout=told)
    assert "clinic.Person.phone: 5 values, 3 replaced, 0 overtaken\n" in told.getvalue()
    assert f"2 values, 2 replaced, 0 overtaken, up to {third - 1}" in told.getvalue()
    assert sorted(Person.objects.values_list("phone", flat=True)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    "said", [["clinic.Nobody"], ["nonsense"], ["clinic.Person", "city"], ["clinic.Person", "--after=1"]]
)
def test_the_command_refuses_what_is_not_there(said):
    with pytest.raises(CommandError):
        call_command("privkit_reencrypt", *said)


def test_the_command_names_the_rows_that_do_not_open(db, keys):
    from integrations.django.clinic.models import Person

    Person.objects.create(phone="1")
    Person.objects.create(phone="2")
    keys.rotate()
    with connections[db].cursor() as cursor:
        cursor.execute("UPDATE clinic_person SET phone = note WHERE id = (SELECT max(id) FROM clinic_person)")
    with pytest.raises(CommandError, match=r"clinic\.Person\.phone: decryption failed at row 1"):
        call_command("privkit_reencrypt", "clinic.Person", "phone", database=db)


@pytest.mark.usefixtures("keys")
def test_a_renamed_table_still_opens(tables):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    member = release("strict")
    with connections[db].schema_editor() as editor:
        editor.create_model(member)
    member.objects.create(email="a@b.cn", age=7)
    with connections[db].schema_editor() as editor:
        editor.alter_db_table(member, "clinic_member", "clinic_renamed")
    member._meta.db_table = "clinic_renamed"
    try:
        assert member.objects.values_list("age", flat=True).get() == 7
    finally:
        with connections[db].schema_editor() as editor:
            editor.alter_db_table(member, "clinic_renamed", "clinic_member")


def test_writers_run_beside_the_job(tables, keys):
    import threading

    from integrations.django.conftest import Router

    db = Router.alias = tables
    if connections[db].vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    member = release("strict")
    with connections[db].schema_editor() as editor:
        editor.create_model(member)
    member.objects.bulk_create([member(email=f"{number}@b.cn", age=0) for number in range(300)])
    keys.rotate()
    keys.move_stable("member.email")
    missed = []

    def change(number):
        return member.objects.filter(email=f"{number}@b.cn").update(age=number, email=f"new{number}@b.cn")

    def write(first):
        missed.extend(number for number in range(first, 300, 3) if change(number) != 1)
        connections.close_all()

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    run(db, member, batch=20)
    for thread in threads:
        thread.join()
    assert missed == []
    assert sum(done.outdated for done in run(db, member)) == 0
    expected = {number: f"{number}@b.cn" if number % 3 == 2 else f"new{number}@b.cn" for number in range(300)}
    assert set(member.objects.values_list("email", flat=True)) == set(expected.values())
    assert set(member.objects.values_list("age", flat=True)) == {0} | {n for n in range(300) if n % 3 != 2}


def indexed(mode, *, index="phone_idx", text=True):
    """A randomised column that is found by a blind index, or not yet."""

    class Member(models.Model):
        phone = EncryptedField(
            models.CharField(max_length=20), key="member.phone", text=text, mode=mode, index=index, null=True
        )
        if index:
            phone_idx = BlindIndexField("phone", bits=16)

        class Meta:
            app_label = "clinic"
            apps = Apps()  # as above

        def __str__(self) -> str:
            return "member"

    return Member


@pytest.mark.usefixtures("keys")
def test_an_indexed_column_is_found_in_clear_and_encrypted(tables):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    member = indexed("dual")
    with connections[db].schema_editor() as editor:
        editor.create_model(member)
    with connections[db].cursor() as cursor:
        cursor.execute("INSERT INTO clinic_member (phone) VALUES ('13800000000'), ('x'), (NULL)")
    member.objects.create(phone="13811111111")
    asked = ["13800000000", "13811111111", "x"]
    assert [member.objects.filter(phone=phone).count() for phone in asked] == [1, 1, 1]
    field = member._meta.get_field("phone")
    assert reencrypt(ColumnRows(field, db), field.stored).replaced == 2
    assert not set(raw(db, "phone")) & set(asked)
    strict = indexed("strict")
    assert [strict.objects.filter(phone=phone).count() for phone in asked] == [1, 1, 1]


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.usefixtures("keys")
def test_an_index_comes_to_a_column_that_has_none(tables, text):
    from integrations.django.conftest import Router

    db = Router.alias = tables
    before, after = indexed("strict", index=None, text=text), indexed("strict", text=text)
    with connections[db].schema_editor() as editor:
        editor.create_model(before)
    before.objects.create(phone="13800000000")
    with connections[db].schema_editor() as editor:
        editor.add_field(after, after._meta.get_field("phone_idx"))
    assert after.objects.get().phone == "13800000000"
    field = after._meta.get_field("phone")
    assert reencrypt(ColumnRows(field, db), field.stored).replaced == 1
    assert after.objects.get(phone="13800000000").phone == "13800000000"


def test_the_job_goes_by_any_key_of_one_column(tables, keys):
    import uuid

    from integrations.django.conftest import Router

    class Member(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        phone = EncryptedField(models.CharField(max_length=20), key="member.phone")

        class Meta:
            app_label = "clinic"
            apps = Apps()  # as above

        def __str__(self) -> str:
            return "member"

    db = Router.alias = tables
    with connections[db].schema_editor() as editor:
        editor.create_model(Member)
    Member.objects.bulk_create([Member(phone=str(number)) for number in range(5)])
    keys.rotate()
    field = Member._meta.get_field("phone")
    rows = ColumnRows(field, db)
    second = str(Member.objects.order_by("pk")[1].pk)
    assert reencrypt(rows, field.stored, batch=2, after=rows.position(second)).replaced == 3
    assert reencrypt(rows, field.stored, batch=2).replaced == 2
    assert sorted(Member.objects.values_list("phone", flat=True)) == list("01234")


@pytest.mark.usefixtures("keys")
def test_case_counts_in_what_is_stored_as_text(tables):
    """MySQL and MariaDB take `a` for `A` unless they are told."""
    from integrations.django.conftest import Router

    db = Router.alias = tables
    with connections[db].schema_editor() as editor:
        editor.create_model(member := indexed("strict"))
    for phone in ("13800000000", "13911111111"):
        member.objects.create(phone=phone)
    for column in ("phone", "phone_idx"):
        other = [kept.swapcase() for kept in raw(db, column)]
        with connections[db].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM clinic_member WHERE {column} IN (%s, %s)", other)  # noqa: S608 - as above
            assert cursor.fetchone() == (0,)
