"""The migrations that `makemigrations` writes run, also when a plain column gets an index with its encryption."""

import pytest
from django.db import connections, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations import AddField, AlterField, CreateModel, RemoveField, RenameField
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.questioner import MigrationQuestioner
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


class Questioner(MigrationQuestioner):
    """Says whether fields were renamed, and keeps what it was asked."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.asked = []

    def ask_rename(self, model_name, old_name, new_name, field_instance):
        self.asked.append((model_name, old_name, new_name, type(field_instance)))
        return self.answer

    def ask_not_null_addition(self, *_):
        return ""


def operations(before, after, questioner=None):
    (migration,) = MigrationAutodetector(before, after, questioner)._detect_changes()["clinic"]
    return migration.operations


def migrate(db, before, after, questioner=None):
    return run(db, before, operations(before, after, questioner))


def run(db, before, found):
    here = before
    for operation in found:
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


def pair(name, index, key="member.phone", db_column=None, index_column=None):
    field = EncryptedField(
        models.CharField(max_length=20), key=key, text=True, default="", index=index, db_column=db_column
    )
    return (name, field), (index, BlindIndexField(name, bits=32, db_column=index_column))


def named(name, index="phone_idx", **options):
    return state(*pair(name, index, **options))


def renamings(found):
    assert {type(one) for one in found} == {RenameField}
    return [(one.old_name, one.new_name) for one in found]


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


@pytest.mark.parametrize("index", ["tel_idx", "a_idx"], ids=["sorted behind its field", "sorted before it"])
def test_a_field_and_its_index_are_renamed_in_one_migration(server, member, index):
    del member
    questioner = Questioner(answer=True)
    found = migrate(server, plain(), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13812345678")
    before, after = named("phone"), named("tel", index)
    assert renamings(operations(before, after, questioner)) == [("phone", "tel"), ("phone_idx", index)]
    assert questioner.asked == [("member", "phone", "tel", EncryptedField)]
    renamed = migrate(server, before, after, questioner)
    assert renamed.objects.get(tel="13812345678").tel == "13812345678"
    renamed.objects.create(tel="13912345678")
    assert renamed.objects.get(tel="13912345678").tel == "13912345678"
    again = migrate(server, after, named("phone"), questioner)
    assert again.objects.get(phone="13912345678").phone == "13912345678"


def test_one_of_the_two_is_renamed_with_nothing_to_alter(server, member):
    del member
    questioner = Questioner(answer=True)
    found = migrate(server, plain(), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13812345678")
    field, index = named("tel"), named("tel", "tel_idx")
    assert renamings(operations(named("phone"), field, questioner)) == [("phone", "tel")]
    assert renamings(operations(field, index, questioner)) == [("phone_idx", "tel_idx")]
    assert [asked[1:3] for asked in questioner.asked] == [("phone", "tel"), ("phone_idx", "tel_idx")]
    migrate(server, named("phone"), field, questioner)
    assert migrate(server, field, index, questioner).objects.get(tel="13812345678").tel == "13812345678"


def test_columns_keep_their_names_where_the_fields_say_so(server, member):
    del member
    questioner = Questioner(answer=True)
    found = migrate(server, plain(), encrypted("dual", "phone_idx"))
    found.objects.create(phone="13812345678")
    after = named("tel", "a_idx", db_column="phone", index_column="phone_idx")
    found = operations(named("phone"), after, questioner)
    assert renamings([one for one in found if type(one) is not AlterField]) == [
        ("phone", "tel"),
        ("phone_idx", "a_idx"),
    ]
    renamed = migrate(server, named("phone"), after, questioner)
    assert renamed.objects.get(tel="13812345678").tel == "13812345678"
    with connections[server].cursor() as cursor:
        cursor.execute("SELECT phone, phone_idx FROM clinic_member")


def test_of_several_pairs_each_index_follows_its_own_field():
    questioner = Questioner(answer=True)
    before = state(*pair("phone", "a_idx"), *pair("card", "b_idx", key="member.card"))
    after = state(*pair("tel", "d_idx"), *pair("pan", "c_idx", key="member.card"))
    assert sorted(renamings(operations(before, after, questioner))) == [
        *(("a_idx", "d_idx"), ("b_idx", "c_idx"), ("card", "pan"), ("phone", "tel"))
    ]
    assert sorted(asked[1:3] for asked in questioner.asked) == [("card", "pan"), ("phone", "tel")]


def test_nothing_is_renamed_without_a_yes_or_where_more_has_changed():
    no = Questioner(answer=False)
    for questioner in (no, None):
        found = operations(named("phone"), named("tel", "a_idx"), questioner)
        removed, added = ([one.name for one in found if type(one) is kind] for kind in (RemoveField, AddField))
        assert (removed, added) == (["phone_idx", "phone"], ["tel", "a_idx"])
    assert no.asked == [("member", "phone", "tel", EncryptedField)]
    yes = Questioner(answer=True)
    found = operations(named("phone"), named("tel", "a_idx", key="member.tel"), yes)
    assert {type(one) for one in found} == {AddField, RemoveField}
    assert yes.asked == []


def added(*fields):
    return [AddField("member", name, field) for name, field in fields]


WIDER = EncryptedField(models.CharField(max_length=60), key="member.phone", text=True, default="", index="phone_idx")
RENAMED = [RenameField("member", "phone", "tel"), RenameField("member", "phone_idx", "a_idx")]
SQUASHED = {
    "with the model": ([CreateModel("Member", [KEY, *pair("phone", "phone_idx")]), *RENAMED], 1),
    "behind the model": ([CreateModel("Member", [KEY]), *added(*pair("phone", "phone_idx")), *RENAMED], 1),
    "altered": (
        [
            CreateModel("Member", [KEY]),
            *added(*pair("phone", "phone_idx")),
            AlterField("member", "phone", WIDER),
            *RENAMED,
        ],
        1,
    ),
    "in a table that is there": ([*added(*pair("phone", "phone_idx")), *RENAMED], 4),
    "altered in one that is there": (
        [*added(*pair("phone", "phone_idx")), AlterField("member", "phone", WIDER), *RENAMED],
        4,
    ),
    "renamed twice": (
        [*added(*pair("phone", "phone_idx")), *RENAMED[::-1], RenameField("member", "tel", "mobile")],
        4,
    ),
    "removed": (
        [*added(*pair("phone", "phone_idx")), RemoveField("member", "phone_idx"), RemoveField("member", "phone")],
        0,
    ),
}


@pytest.mark.parametrize(("found", "number"), SQUASHED.values(), ids=SQUASHED)
def test_merged_migrations_come_to_the_same_tables(server, found, number):
    Router.alias = server
    merged = MigrationOptimizer().optimize(found, "clinic")
    assert len(merged) == number
    made = isinstance(found[0], CreateModel)
    states = []
    for several in (found, merged):
        before = ProjectState() if made else state()
        if not made:
            run(server, ProjectState(), [CreateModel("Member", [KEY])])
        member = run(server, before, several)
        states.append(after_all(before, several))
        name = next((field.name for field in member._meta.fields if isinstance(field, EncryptedField)), None)
        if name is not None:
            member.objects.create(**{name: "13812345678"})
            assert getattr(member.objects.get(**{name: "13812345678"}), name) == "13812345678"
        with connections[server].schema_editor() as editor:
            editor.delete_model(member)
    assert MigrationAutodetector(*states)._detect_changes() == {}


def after_all(before, found):
    there = before.clone()
    for operation in found:
        operation.state_forwards("clinic", there)
    return there
