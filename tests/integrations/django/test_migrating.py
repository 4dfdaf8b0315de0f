"""The migrations that `makemigrations` writes run, also when a plain column gets an index with its encryption."""

import pytest
from django.db import connections, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations import AddField, AlterField, RemoveField, RenameField
from django.db.migrations.state import ModelState, ProjectState

from integrations.django.conftest import Router
from privkit.integrations.django import BlindIndexField, EncryptedField

KEY = ("id", models.BigAutoField(primary_key=True))


def state(*fields):
    found = ProjectState()
    found.add_model(ModelState("clinic", "Member", [KEY, *fields]))
    return found


def plain():
    return state(("phone", models.CharField(max_length=20, default="")))


def encrypted(mode, index=None):
    text = {"text": True, "mode": mode, "default": "", "key": "member.phone"}
    field = EncryptedField(models.CharField(max_length=20), index=index, **text)
    beside = [] if index is None else [(index, BlindIndexField("phone", bits=32))]
    return state(("phone", field), *beside)


def operations(before, after):
    (migration,) = MigrationAutodetector(before, after)._detect_changes()["clinic"]
    return migration.operations


def migrate(db, before, after):
    here = before
    for operation in operations(before, after):
        there = here.clone()
        operation.state_forwards("clinic", there)
        with connections[db].schema_editor() as editor:
            operation.database_forwards("clinic", editor, here, there)
        here = there
    return here.apps.get_model("clinic", "Member")


@pytest.fixture
def member(server):
    """The table before its encryption."""
    Router.alias = server
    model = plain().apps.get_model("clinic", "Member")
    with connections[server].schema_editor() as editor:
        editor.create_model(model)
    yield model
    with connections[server].schema_editor() as editor:
        editor.delete_model(model)


def test_an_index_is_added_behind_its_field():
    to = operations(plain(), encrypted("plaintext_ok", "phone_idx"))
    assert [(type(one), one.name) for one in to] == [(AlterField, "phone"), (AddField, "phone_idx")]
    back = operations(encrypted("plaintext_ok", "phone_idx"), plain())
    assert [(type(one), one.name) for one in back] == [(RemoveField, "phone_idx"), (AlterField, "phone")]


def test_a_plain_column_gets_its_index_with_its_encryption_and_loses_both_again(server, member):
    member.objects.create(phone="13812345678")
    found = migrate(server, plain(), encrypted("plaintext_ok", "phone_idx"))
    found.objects.create(phone="13912345678")
    assert {found.objects.get(phone=phone).phone for phone in ("13812345678", "13912345678")} == {
        "13812345678",
        "13912345678",
    }
    found = migrate(server, encrypted("plaintext_ok", "phone_idx"), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13712345678")
    assert found.objects.get(phone="13712345678").phone == "13712345678"
    found.objects.filter(phone="13712345678").delete()
    again = migrate(server, encrypted("dual", "phone_idx"), plain())
    assert sorted(again.objects.values_list("phone", flat=True)) == ["13812345678", "13912345678"]


@pytest.mark.usefixtures("member")
def test_an_encrypted_column_gets_an_index(server):
    found = migrate(server, plain(), encrypted("dual"))
    found.objects.create(phone="13812345678")
    found = migrate(server, encrypted("dual"), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13912345678")
    assert found.objects.get(phone="13912345678").phone == "13912345678"
    assert found.objects.filter(phone="13812345678").count() == 0  # until the job has written it again
    found.objects.all().delete()
    migrate(server, encrypted("dual", "phone_idx"), plain())


@pytest.mark.usefixtures("member")
def test_a_new_field_comes_with_its_index_and_a_default(server):
    city = ("city", models.CharField(max_length=20, default=""))
    before = state(city, ("phone", models.CharField(max_length=20, default="")))
    found = migrate(server, plain(), before)
    found.objects.create(city="青岛")
    bare = state(city)
    migrate(server, before, bare)
    field = EncryptedField(
        models.CharField(max_length=20), key="member.phone", text=True, default="13812345678", index="phone_idx"
    )
    after = state(city, ("phone", field), ("phone_idx", BlindIndexField("phone", bits=32)))
    found = migrate(server, bare, after)
    assert [(row.city, row.phone) for row in found.objects.all()] == [("青岛", "13812345678")]
    assert found.objects.filter(phone="13812345678").count() == 0  # until the job has written it again
    found.objects.update(phone="13812345678")
    assert found.objects.get(phone="13812345678").city == "青岛"
    found.objects.all().delete()
    migrate(server, after, plain())


def named(name):
    field = EncryptedField(
        models.CharField(max_length=20), key="member.phone", text=True, default="", index="phone_idx"
    )
    return state((name, field), ("phone_idx", BlindIndexField(name, bits=32)))


def test_a_field_and_its_index_are_removed_in_the_order_that_works():
    after = state(("city", models.CharField(max_length=20, default="")))
    removed = [one.name for one in operations(named("phone"), after) if isinstance(one, RemoveField)]
    assert removed == ["phone_idx", "phone"]


@pytest.mark.usefixtures("member")
def test_a_field_is_renamed_with_its_index(server):
    found = migrate(server, plain(), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13812345678")
    here, there = named("phone"), named("phone")
    renaming = RenameField("member", "phone", "tel")
    renaming.state_forwards("clinic", there)
    with connections[server].schema_editor() as editor:
        renaming.database_forwards("clinic", editor, here, there)
    renamed = there.apps.get_model("clinic", "Member")
    assert renamed.objects.get(tel="13812345678").tel == "13812345678"
    renamed.objects.create(tel="13912345678")
    assert renamed.objects.get(tel="13912345678").tel == "13912345678"
    assert MigrationAutodetector(there, named("tel"))._detect_changes() == {}
    with connections[server].schema_editor() as editor:
        renaming.database_backwards("clinic", editor, there, here)
    assert here.apps.get_model("clinic", "Member").objects.get(phone="13812345678").phone == "13812345678"
