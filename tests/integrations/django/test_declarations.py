"""What is declared wrongly is said by the checks; what is declared rightly makes migrations that stay still."""

import pytest
from django.contrib import admin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Lower
from django.test import override_settings
from django.test.utils import isolate_apps

from integrations.django.clinic.models import Person, Visit
from privkit.errors import InvalidParameter, KeyringUnreadable
from privkit.integrations.django import BlindIndexField, EncryptedCharField, EncryptedField, NotConfigured, keyring
from privkit.integrations.django.admin import EncryptedAdminMixin
from privkit.integrations.django.admin_checks import check_admins
from privkit.integrations.django.checks import _constrained, _pointed_at, check_deployment, check_models


def ids(messages):
    return [message.id for message in messages]


DECLARATIONS = {
    "relation": (lambda: EncryptedField(models.ForeignKey(Person, models.CASCADE), key="a"), ["privkit.E001"]),
    "file": (lambda: EncryptedField(models.FileField(), key="a"), ["privkit.E001"]),
    "twice": (lambda: EncryptedField(EncryptedField(models.TextField(), key="a"), key="b"), ["privkit.E001"]),
    "null inside": (lambda: EncryptedField(models.TextField(null=True), key="a"), ["privkit.E002"]),
    "unique inside": (lambda: EncryptedField(models.TextField(unique=True), key="a"), ["privkit.E002"]),
    "random unique": (lambda: EncryptedField(models.TextField(), key="a", unique=True), ["privkit.E003"]),
    "random key": (lambda: EncryptedField(models.TextField(), key="a", primary_key=True), ["privkit.E003"]),
    "random for a date": (lambda: EncryptedField(models.TextField(), key="a", unique_for_date="day"), ["privkit.E003"]),
    "random indexed": (lambda: EncryptedField(models.TextField(), key="a", db_index=True), ["privkit.E003"]),
    "database default": (lambda: EncryptedField(models.TextField(), key="a", db_default="x"), ["privkit.E004"]),
    "inner errors": (lambda: EncryptedField(models.DecimalField(), key="a"), ["privkit.E006"]),
    "right": (lambda: EncryptedField(models.EmailField(), key="a", deterministic=True, unique=True, null=True), []),
}


@pytest.mark.parametrize("name", DECLARATIONS)
@isolate_apps("integrations.django.clinic")
def test_fields_are_checked(name):
    make, expected = DECLARATIONS[name]

    class Thing(models.Model):
        field = make()

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "thing"

    assert ids(Thing._meta.get_field("field").check()) == expected


def test_the_application_of_these_tests_is_sound():
    found = [message for message in checks.run_checks() if message.is_serious(checks.WARNING)]
    assert ids(found) == ["privkit.W001"]  # Visit.email joins Person.email, and shares its key


def test_sorting_by_a_ciphertext_is_found():
    meta = Person._meta
    meta.ordering = ["-email"]
    try:
        assert "privkit.E005" in ids(check_models(None))
    finally:
        meta.ordering = []
    assert "privkit.E005" not in ids(check_models(None))


CONSTRAINTS = {
    "unique": {"constraints": [models.UniqueConstraint(fields=["email", "note"], name="u")]},
    "unique together": {"unique_together": [("email", "note")]},
    "index": {"indexes": [models.Index(fields=["note"], name="i")]},
    "expression": {"constraints": [models.UniqueConstraint("note", name="u")]},
    "excluding": {"constraints": [ExclusionConstraint(name="u", expressions=[("note", "=")])]},
    "excluding by expression": {"constraints": [ExclusionConstraint(name="u", expressions=[(Lower("note"), "=")])]},
    "lower": {"constraints": [models.UniqueConstraint(Lower("email"), name="u")]},
    "index of lower": {"indexes": [models.Index(Lower("email"), name="i")]},
    "check": {"constraints": [models.CheckConstraint(condition=models.Q(city="x") & ~models.Q(email="x"), name="c")]},
    "partial": {"constraints": [models.UniqueConstraint(fields=["city"], condition=models.Q(email__gt="x"), name="u")]},
    "right": {
        "unique_together": [("email", "city")],
        "indexes": [models.Index(fields=["email"], name="i")],
        "constraints": [
            models.UniqueConstraint(
                fields=["email", "city"], condition=models.Q(note__isnull=False) & models.Q(city__gt=""), name="u"
            ),
            models.CheckConstraint(condition=models.Q(email__isnull=False), name="c"),
            models.UniqueConstraint("email", name="e"),
            models.UniqueConstraint(fields=["note_idx"], name="n"),
            ExclusionConstraint(name="x", expressions=[("city", "="), (models.F("id"), "=")]),
        ],
    },
}


@pytest.mark.parametrize("name", CONSTRAINTS)
@isolate_apps("integrations.django.clinic", attr_name="apps")
def test_constraints_are_checked(name):
    class Thing(models.Model):
        email = EncryptedField(models.EmailField(), key="thing.email", deterministic=True, null=True)
        note = EncryptedField(models.TextField(), key="thing.note", null=True, index="note_idx")
        note_idx = BlindIndexField("note", bits=128)
        city = models.CharField(max_length=20)

        Meta = type("Meta", (), {"app_label": "clinic", **CONSTRAINTS[name]})

        def __str__(self) -> str:
            return "thing"

    assert ids(_constrained([Thing])) == ([] if name == "right" else ["privkit.E012"])


@isolate_apps("integrations.django.clinic", attr_name="apps")
def test_a_foreign_key_to_an_encrypted_field_is_found():
    class Thing(models.Model):
        code = EncryptedCharField(max_length=5, key="thing.code", deterministic=True, unique=True)

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "thing"

    class Part(models.Model):
        thing = models.ForeignKey(Thing, models.CASCADE, to_field="code")
        owner = models.ForeignKey(Thing, models.CASCADE, related_name="+")

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "part"

    class Config:
        def get_models(self):
            return [Thing, Part]

    (found,) = _pointed_at([Config()])
    assert (found.id, found.obj) == ("privkit.E013", Part._meta.get_field("thing"))


@isolate_apps("integrations.django.clinic")
def test_a_blind_index_needs_a_key_of_one_column():
    class Thing(models.Model):
        pk = models.CompositePrimaryKey("a", "b")
        a = models.IntegerField()
        b = models.IntegerField()
        code = EncryptedCharField(max_length=5, key="thing.code", index="code_idx")
        code_idx = BlindIndexField("code")

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "thing"

    assert ids(Thing._meta.get_field("code").check()) == ["privkit.E010"]


def test_a_missing_setting_is_found_where_it_matters():
    for wrong in (None, {}, {"KEYRING": "k.json", "COLOUR": 1}):
        with override_settings(PRIVKIT=wrong):
            assert "privkit.E008" in ids(check_models(None))
            with pytest.raises(NotConfigured, match="PRIVKIT"):
                keyring()
    assert issubclass(NotConfigured, ImproperlyConfigured)


def test_a_keyring_that_does_not_open_is_found_before_deployment(tmp_path):
    with override_settings(PRIVKIT={"KEYRING": tmp_path / "none.json"}):
        assert ids(check_deployment(None)) == ["privkit.W003"]
        with pytest.raises(KeyringUnreadable):
            keyring()
        assert Person._meta.get_field("email").check() == []  # no key is needed to look at a model
    assert check_deployment(None) == []


ADMINS = {
    "search": ({"search_fields": ["email"]}, ["privkit.E007"]),
    "search =": ({"search_fields": ["=email"]}, ["privkit.E007"]),
    "search random": ({"search_fields": ["phone__exact"]}, ["privkit.E007"]),
    "search relation": ({"search_fields": ["person__note"]}, ["privkit.E007"]),
    "filter": ({"list_filter": ["email"]}, ["privkit.E007"]),
    "order": ({"ordering": ["-email"]}, ["privkit.E007"]),
    "search part": ({"search_fields": ["contacts__phone__last_four"]}, ["privkit.E007"]),
    "right": ({"search_fields": ["email__exact", "city"], "list_filter": ["city"]}, []),
    "by index": ({"search_fields": ["contacts__phone__exact", "contacts__card__last_four"]}, []),
}


def only(model, shown, monkeypatch):
    """Let there be one site with one admin."""
    site = admin.AdminSite()
    site.register(model, shown)
    monkeypatch.setattr(admin.sites, "all_sites", [site])


@pytest.mark.parametrize("name", ADMINS)
def test_admins_are_checked(name, monkeypatch):
    options, expected = ADMINS[name]
    model = Visit if "relation" in name else Person
    shown = type("Shown", (EncryptedAdminMixin, admin.ModelAdmin), options)
    only(model, shown, monkeypatch)
    assert ids(check_admins(None)) == expected


def test_an_admin_that_does_not_mask_is_found(monkeypatch):
    only(Person, admin.ModelAdmin, monkeypatch)
    assert ids(check_admins(None)) == ["privkit.W002"]


@pytest.mark.parametrize("model", [Person, Visit])
def test_migrations_name_keys_and_hold_none(model):
    for field in model._meta.local_fields:
        if not isinstance(field, EncryptedField):
            continue
        text, _ = MigrationWriter.serialize(field)
        assert f"key='{field.key}'" in text
        assert text.startswith("privkit.integrations.django.EncryptedField(")
        assert MigrationWriter.serialize(field.clone())[0] == text


def state_of(*model_classes):
    state = ProjectState()
    for model in model_classes:
        state.add_model(ModelState.from_model(model))
    return state


def test_a_second_look_finds_no_changes():
    changes = MigrationAutodetector(state_of(Person, Visit), state_of(Person, Visit))._detect_changes()
    assert changes == {}


@isolate_apps("integrations.django.clinic")
def test_a_change_is_found():
    class Person(models.Model):
        email = EncryptedField(models.EmailField(), key="person.other", deterministic=True)

        class Meta:
            app_label = "clinic"

        def __str__(self) -> str:
            return "person"

    before = state_of(Person)
    after = before.clone()
    after.alter_field("clinic", "person", "email", EncryptedField(models.EmailField(), key="x"), preserve_default=True)
    assert set(MigrationAutodetector(before, after)._detect_changes()) == {"clinic"}


def test_a_change_of_mode_changes_nothing_in_the_table(server):
    from django.db import connections

    def declared(mode):
        field = EncryptedField(models.TextField(), key="a", text=True, mode=mode)
        field.set_attributes_from_name("a")
        field.model = Person
        return field

    assert "mode='dual'" in MigrationWriter.serialize(declared("dual"))[0]
    if connections[server].vendor == "sqlite":
        pytest.skip("SQLite copies the table for any change of a field that has another inside")
    with connections[server].schema_editor(collect_sql=True) as editor:
        editor.alter_field(Person, declared("plaintext_ok"), declared("dual"))
    assert editor.collected_sql == []


def test_shorthands_are_what_they_stand_for():
    short = EncryptedCharField(max_length=20, key="a.b", null=True)
    long = EncryptedField(models.CharField(max_length=20), key="a.b", null=True)
    assert MigrationWriter.serialize(short) == MigrationWriter.serialize(long)


def test_what_is_no_field_or_has_no_good_key_is_refused():
    with pytest.raises(InvalidParameter):
        EncryptedField("text", key="a")
    with pytest.raises(InvalidParameter):
        EncryptedField(models.TextField(), key="")


@pytest.mark.parametrize("kind", ["json", "jsonl", "xml"])
def test_a_dump_loads_again(db, tmp_path, kind):
    from integrations.django.test_columns import VALUES

    # Fixtures of JSON stop at milliseconds, and those of XML know only Django's own JSON field.
    values = {**VALUES, "at": VALUES["at"].replace(microsecond=5000), "time": VALUES["time"].replace(microsecond=5000)}
    if kind == "xml":
        del values["findings"]
    person = Person.objects.create(email="a@b.cn", phone="", note="早")
    Visit.objects.create(person=person, **values)
    Visit.objects.create(count=0, urgent=False, colour="")
    columns = [name for name in VALUES if name != "seen"]
    before = list(Visit.objects.order_by("pk").values(*columns))
    path = tmp_path / f"dump.{kind}"
    call_command("dumpdata", "clinic", database=db, output=str(path), format=kind, verbosity=0)
    Person.objects.all().delete()
    Visit.objects.all().delete()
    call_command("loaddata", str(path), database=db, verbosity=0)
    assert list(Visit.objects.order_by("pk").values(*columns)) == before
    assert Person.objects.get(email="a@b.cn").phone == ""
    assert Person.objects.get().note == "早"
