"""A blind index that a migration changes, takes away or gives again: nothing is lost, and the job makes it right."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, IntegrityError, connections, models, transaction
from django.db.migrations.operations import AddField, AlterField, CreateModel, RemoveField
from django.db.migrations.state import ProjectState

from integrations.django.conftest import Router
from integrations.django.test_migrating import KEY, migrate, operations, run, state
from privkit.integrations.django import BlindIndexField, EncryptedField
from privkit.integrations.django.stored import ColumnRows
from privkit.integrations.reencryption import reencrypt

PHONE, LONGEST = "13812345678", "😀" * 20
WHOLE = {"bits": 32}


def member(index, *, text):
    """A state with an encrypted field, and a blind index of such options or none."""
    named = None if index is None else "phone_idx"
    field = EncryptedField(models.CharField(max_length=20), key="member.phone", text=text, default="", index=named)
    return state(("phone", field), *([] if index is None else [(named, BlindIndexField("phone", **index))]))


def replaced_by_the_job(model):
    field = model._meta.get_field("phone")
    return reencrypt(ColumnRows(field, Router.alias), field.stored).replaced


@pytest.fixture(params=[True, False], ids=["text", "bytes"])
def text(request, server):
    """Whether the column is text; its table is there, without it."""
    Router.alias = server
    run(server, ProjectState(), [CreateModel("Member", [KEY])])
    yield request.param
    with connections[server].schema_editor() as editor:
        editor.execute("DROP TABLE clinic_member")


@pytest.mark.parametrize(
    "change",
    [
        (WHOLE, {"bits": 16}, [RemoveField, AddField], {"phone": PHONE}),
        (WHOLE, {"bits": 128}, [RemoveField, AddField], {"phone": LONGEST}),
        (WHOLE, {"bits": 30}, [AlterField], {"phone": PHONE}),
        (WHOLE, {"bits": 32, "part": "last_four"}, [AlterField], {"phone__last_four": "5678"}),
        ({"bits": 32, "part": "last_four"}, WHOLE, [AlterField], {"phone": PHONE}),
    ],
    ids=["shorter", "longest", "as many bytes", "a part", "no part"],
)
def test_an_index_is_changed(server, text, change):
    *states, made, asked = change
    before, after = (member(index, text=text) for index in states)
    found = migrate(server, state(), before)
    for phone in (PHONE, LONGEST):
        found.objects.create(phone=phone)
    assert [type(one) for one in operations(before, after)] == made
    found = migrate(server, before, after)
    assert [row.phone for row in found.objects.order_by("pk")] == [PHONE, LONGEST]
    replaced_by_the_job(found)
    assert replaced_by_the_job(found) == 0
    assert found.objects.filter(**asked).count() == 1


def test_what_is_built_on_an_index_is_built_anew_with_it(server, text):
    built = {
        "indexes": [models.Index(fields=["-phone_idx", "id"], name="beside")],
        "constraints": [models.UniqueConstraint(fields=["phone_idx"], name="only_one")],
    }
    before, after, bare = member({"bits": 64}, text=text), member({"bits": 128}, text=text), member(WHOLE, text=text)
    for one in (before, after):
        one.models["clinic", "member"].options.update(built)
    migrate(server, state(), bare)
    found = migrate(server, bare, before)
    found.objects.create(phone=PHONE)
    made = [type(one).__name__ for one in operations(before, after)]
    assert made[-2:] == ["AddIndex", "AddConstraint"]
    assert sorted(made[:2]) == ["RemoveConstraint", "RemoveIndex"]
    found = migrate(server, before, after)
    replaced_by_the_job(found)
    assert found.objects.get(phone=PHONE).phone == PHONE
    with pytest.raises(IntegrityError), transaction.atomic(server):
        found.objects.create(phone=PHONE)
    with pytest.raises(DatabaseError), connections[server].schema_editor() as editor:
        editor.add_index(found, built["indexes"][0])  # which is there already


def test_an_index_is_taken_away_and_given_again(server, text):
    bare, indexed = member(None, text=text), member({"bits": 128}, text=text)
    found = migrate(server, state(), indexed)
    for phone in (PHONE, LONGEST):
        found.objects.create(phone=phone)
    for before, after in ((indexed, bare), (bare, indexed)):
        found = migrate(server, before, after)
        assert [row.phone for row in found.objects.order_by("pk")] == [PHONE, LONGEST]
        assert replaced_by_the_job(found) == 2
    assert found.objects.get(phone=LONGEST).phone == LONGEST


def test_a_long_index_keeps_values_unique(server, text):
    found = migrate(server, state(), member({"bits": 128}, text=text))
    found._meta.constraints = [models.UniqueConstraint(fields=["phone_idx"], name="unique_phone")]
    with connections[server].schema_editor() as editor:
        editor.add_constraint(found, found._meta.constraints[0])
    one = found.objects.create(phone=PHONE)
    one.full_clean()
    found(phone=LONGEST).full_clean()
    with pytest.raises(ValidationError, match="already exists"):
        found(phone=PHONE).full_clean()
    with pytest.raises(IntegrityError):
        found.objects.create(phone=PHONE)


def test_a_column_that_is_too_narrow_for_its_index_is_widened_by_hand(server, text):
    if connections[server].vendor != "mysql":
        pytest.skip("columns have a width on MariaDB only")
    found = migrate(server, state(), member({"bits": 128}, text=text))
    field = found._meta.get_field("phone")
    wide, collated = field.db_type(connections[server]), " COLLATE utf8mb4_bin" if text else ""
    narrow = f"{wide.partition('(')[0]}({field._width(0)})"
    with connections[server].cursor() as cursor:
        cursor.execute(f"ALTER TABLE clinic_member MODIFY phone {narrow}{collated} NOT NULL")
        with pytest.raises(DataError):
            found.objects.create(phone=LONGEST)
        cursor.execute(f"ALTER TABLE clinic_member MODIFY phone {wide}{collated} NOT NULL")
    found.objects.create(phone=LONGEST)
    assert found.objects.get(phone=LONGEST).phone == LONGEST
