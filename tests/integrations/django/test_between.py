"""Lookups by an index that take several queries, where somebody writes the rows just between them."""

from types import SimpleNamespace

import pytest
from django.apps.registry import Apps
from django.db import OperationalError, connections, models, transaction
from django.db.models import Q
from django.test import override_settings

from integrations.django.conftest import Router
from privkit import Keyring
from privkit.integrations.django import BlindIndexField, EncryptedCharField
from privkit.integrations.django.stored import ColumnRows
from privkit.integrations.reencryption import reencrypt

VALUES = ["x", "y", "x", "z", None, "x", "w"]
"""Those of rows 1 to 7."""
IMPATIENT = {
    "sqlite": {"timeout": 0.05},
    "postgresql": {"options": "-c lock_timeout=100"},
    "mysql": {"init_command": "SET innodb_lock_wait_timeout = 0"},
}
OTHER = "other"
"""The alias of another program on the same database, which gives up soon where rows are locked."""


@pytest.fixture
def keys(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    with override_settings(PRIVKIT={"KEYRING": lambda: keys}):
        yield keys


@pytest.fixture
def tables(server):
    """A database that tests make tables in, which others see: nothing stands in a transaction."""
    Router.alias = server
    options = {"OPTIONS": IMPATIENT[connections[server].vendor]}
    connections.databases[OTHER] = connections.configure_settings(
        {"default": {}, OTHER: {**connections.databases[server], **options}}
    )[OTHER]
    yield server
    with connections[server].cursor() as cursor:
        for name in ("guest", "member", "club"):
            cursor.execute(f"DROP TABLE IF EXISTS clinic_{name}")
    connections[OTHER].close()
    del connections[OTHER], connections.databases[OTHER]


def build(mode, row=None):
    """The models, as one release of an application has them."""

    class Meta:
        app_label = "clinic"
        apps = Apps()

    key = {"id": models.CharField(max_length=5, primary_key=True)} if row else {}
    club = type("Club", (models.Model,), {"__module__": __name__, "Meta": Meta, "name": models.CharField(max_length=9)})
    fields = {
        **key,
        "club": models.ForeignKey(club, on_delete=models.DO_NOTHING),
        "tag": models.IntegerField(default=0),
        "phone": EncryptedCharField(
            max_length=40, key="member.phone", text=True, null=True, mode=mode, index="phone_idx", row=row
        ),
        "phone_idx": BlindIndexField("phone", bits=4),
    }
    return SimpleNamespace(
        club=club, member=type("Member", (models.Model,), {"__module__": __name__, "Meta": Meta, **fields})
    )


def fill(db, made):
    with connections[db].schema_editor() as editor:
        editor.create_model(made.club)
        editor.create_model(made.member)
    club = made.club.objects.create(name="a")
    for at, value in enumerate(VALUES, start=1):
        made.member.objects.create(pk=at, club=club, phone=value)


def the_job(model):
    field = model._meta.get_field("phone")
    rows = ColumnRows(field, OTHER)
    return lambda: reencrypt(rows, field.stored, row_of=rows.row_of)


def adopted(db, keys, **how):  # noqa: ARG001 - as its siblings
    """Rows are plaintexts, and the job encrypts them."""
    fill(db, build("plaintext_ok", **how))
    member = build("dual", **how).member
    return member, the_job(member)


def given_back(db, keys, **how):  # noqa: ARG001 - as above
    fill(db, build("dual", **how))
    member = build("plaintext_ok", **how).member
    return member, the_job(member)


def re_keyed(db, keys, **how):
    made = build("strict", **how)
    fill(db, made)
    keys.rotate()
    keys.move_stable("member.phone")
    return made.member, the_job(made.member)


def written_anew(db, keys, **how):  # noqa: ARG001 - as above
    """Somebody writes the same values again."""
    made = build("strict", **how)
    fill(db, made)

    def write():
        for at, value in enumerate(VALUES, start=1):
            for one in made.member.objects.using(OTHER).filter(pk=at):
                one.phone = value
                one.save(using=OTHER)

    return made.member, write


REPLACED = {each.__name__: each for each in (adopted, given_back, re_keyed, written_anew)}


def listed(rows):
    return [int(key) for key in rows.order_by("pk").values_list("pk", flat=True)]


def x(member):
    return member.objects.filter(phone="x")


def updated(member, rows):
    """The rows that an update hits."""
    count = rows.update(tag=1)
    found = listed(member.objects.filter(tag=1))
    assert count == len(found)
    return found


def deleted(member, rows):
    """The rows that a deletion leaves."""
    before = member.objects.count()
    gone, _ = rows.delete()
    left = listed(member.objects.all())
    assert gone == before - len(left)
    return left


READ = {
    "count": (lambda m: x(m).count(), 3),
    "exists": (lambda m: x(m).exists(), True),
    "exists not": (lambda m: m.objects.filter(phone="v").exists(), False),
    "many": (lambda m: [int(one.pk) for one in x(m).order_by("pk")[:500]], [1, 3, 6]),
    "among": (lambda m: m.objects.filter(phone__in=["x", "z", None]).count(), 4),
    "or": (lambda m: listed(m.objects.filter(Q(phone="x") | Q(pk=2))), [1, 2, 3, 6]),
    "one or the other": (lambda m: listed(x(m) | m.objects.filter(phone="w")), [1, 3, 6, 7]),
    "not": (lambda m: listed(m.objects.exclude(phone="x")), [2, 4, 5, 7]),
    "not among": (lambda m: listed(m.objects.exclude(phone__in=["x", "z"])), [2, 5, 7]),
    "distinct": (lambda m: list(x(m).order_by().values_list("tag", flat=True).distinct()), [0]),
    "inside": (lambda m: listed(m.objects.filter(pk__in=x(m))), [1, 3, 6]),
}
WRITE = {
    "update": (lambda m: updated(m, x(m)), [1, 3, 6]),
    "update others": (lambda m: updated(m, m.objects.exclude(phone="x")), [2, 4, 5, 7]),
    "update with a join": (lambda m: updated(m, x(m).filter(club__name="a")), [1, 3, 6]),
    "update of a subquery": (lambda m: updated(m, m.objects.filter(pk__in=x(m).values("pk"))), [1, 3, 6]),
    "delete": (lambda m: deleted(m, x(m)), [2, 4, 5, 7]),
    "delete others": (lambda m: deleted(m, m.objects.exclude(phone="x")), [1, 3, 6]),
    "delete with a join": (lambda m: deleted(m, x(m).filter(club__name="a")), [2, 4, 5, 7]),
}
FORMS = {**READ, **WRITE}
NOT_THERE = {"mysql": {"update of a subquery"}}
"""MariaDB updates no table that a subquery reads."""


def run(db, member, form, between=lambda: None, before=0):
    """What a form gives, and its statements, if something happens before one of these; it is undone."""
    seen = []

    def execute(execute, sql, params, many, context):
        seen.append(sql)
        if len(seen) == before:
            between()
        return execute(sql, params, many, context)

    kept = list(member.objects.all())
    with connections[db].execute_wrapper(execute):
        found = form(member)
    if len(kept) != member.objects.count():
        member.objects.bulk_create(kept, ignore_conflicts=True)
    member.objects.update(tag=0)
    return found, seen


def unless_locked(write):
    """Write, and say whether that was possible."""
    try:
        write()
    except OperationalError:
        return False
    return True


def form_of(db, name):
    if name in NOT_THERE.get(connections[db].vendor, ()):
        pytest.skip("the database has no such statement")
    return FORMS[name]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("replaced", REPLACED)
def test_a_row_that_is_replaced_just_between_is_neither_missed_nor_hit(tables, keys, name, replaced):
    form, wanted = form_of(tables, name)
    member, replace = REPLACED[replaced](tables, keys)
    found, statements = run(tables, member, form)
    assert found == wanted
    at = []
    for before in range(len(statements), 0, -1):
        found, _ = run(tables, member, form, lambda: at.append(unless_locked(replace)), before)
        assert found == wanted
        if any(at):
            break  # there is nothing more to replace
    assert any(at)


def is_proper(name, sql):
    """Whether a statement is the one that the others are made for."""
    verb = name.partition(" ")[0].upper()
    return verb in sql.partition("FROM")[0] and "0 = 1" not in sql


@pytest.mark.parametrize("value", ["collides", "is another", "is null"])
@pytest.mark.parametrize("name", ["count", "update", "update with a join", "update of a subquery", "delete"])
def test_rows_that_are_to_be_changed_are_read_as_they_stand_when_they_are_locked(tables, keys, name, value):
    form, _ = form_of(tables, name)
    member, _ = re_keyed(tables, keys)
    indexes = member._meta.get_field("phone").stored.encrypt.index_candidates
    wanted, others = indexes("x"), map(str, range(9999))
    phone = {
        "collides": lambda: next(one for one in others if indexes(one) == wanted),
        "is another": lambda: next(one for one in others if set(indexes(one)).isdisjoint(wanted)),
        "is null": lambda: None,
    }[value]()

    def change():
        member.objects.using(OTHER).filter(pk=1).update(phone=phone)

    if_not, if_changed = {"count": (3, 2), "delete": ([2, 4, 5, 7], [1, 2, 4, 5, 7])}.get(name, ([1, 3, 6], [3, 6]))
    _, statements = run(tables, member, form)
    at = []
    proper = max(number for number, sql in enumerate(statements, start=1) if is_proper(name, sql))
    for before in range(proper, 0, -1):
        member.objects.filter(pk=1).update(phone="x")
        found, _ = run(tables, member, form, lambda: at.append(unless_locked(change)), before)
        if (name, value) == ("count", "collides"):
            assert found in (if_changed, if_not)  # nothing is locked
        else:
            assert found == (if_changed if at[-1] else if_not)
    assert any(at)


@pytest.mark.parametrize("replaced", REPLACED)
@pytest.mark.parametrize("name", ["not", "update", "delete"])
def test_rows_that_values_are_bound_to(tables, keys, name, replaced):
    form, wanted = form_of(tables, name)
    member, replace = REPLACED[replaced](tables, keys, row="id")
    for before in (2, 3):
        found, _ = run(tables, member, form, lambda: unless_locked(replace), before)
        assert found == wanted


def test_a_lock_lasts_for_the_statement_or_for_the_transaction_around_it(tables, keys):
    member, replace = re_keyed(tables, keys)
    x(member).filter(pk=1).update(tag=1)
    assert connections[tables].get_autocommit()
    assert unless_locked(replace)
    keys.rotate()
    keys.move_stable("member.phone")
    with transaction.atomic(using=tables):
        x(member).filter(pk=1).update(tag=2)
        assert not unless_locked(replace)
    assert unless_locked(replace)
    assert listed(member.objects.filter(tag=2)) == [1]


def test_fields_of_a_table_above_are_changed_in_the_rows_that_were_locked(tables, keys):  # noqa: ARG001 - it comes first
    made = build("strict")
    meta = type("Meta", (), {"app_label": "clinic", "apps": made.member._meta.apps})
    room = models.CharField(max_length=9, default="")
    guest = type("Guest", (made.member,), {"__module__": __name__, "Meta": meta, "room": room})
    with connections[tables].schema_editor() as editor:
        for model in (made.club, made.member, guest):
            editor.create_model(model)
    club = made.club.objects.create(name="a")
    for value in VALUES:
        guest.objects.create(club=club, phone=value)

    def change():
        guest.objects.using(OTHER).filter(pk=1).update(phone="v")

    def update(guest):
        return updated(guest, x(guest)) if guest.objects.filter(room="").update(room="") else None

    _, statements = run(tables, guest, update)
    proper = max(number for number, sql in enumerate(statements, start=1) if is_proper("update", sql))
    for before in range(proper, 0, -1):
        guest.objects.filter(pk=1).update(phone="x")
        at = []
        found, _ = run(tables, guest, update, lambda at=at: at.append(unless_locked(change)), before)
        assert found == ([3, 6] if at[0] else [1, 3, 6])
