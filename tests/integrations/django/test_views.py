"""A column with views is read inside one only, and what a view showed is never taken for the value."""

import pytest
from django.db import transaction

from integrations.django.clinic.models import Patient
from privkit.integrations.django import WouldWritePlaintext, reveal_rows
from privkit.integrations.purposes import RevealRefused, on_reveal, reveal_as

pytestmark = pytest.mark.usefixtures("db")

PHONE = "13812345678"


@pytest.fixture
def patient(db):  # noqa: ARG001 - it comes first
    Patient.objects.create(phone=None)
    return Patient.objects.create(phone=PHONE)


def test_outside_of_a_view_nothing_is_read(patient):
    with pytest.raises(RevealRefused):
        Patient.objects.get(pk=patient.pk)
    with pytest.raises(RevealRefused):
        reveal_rows(Patient.objects.all(), "phone")
    with reveal_as("stranger"), pytest.raises(RevealRefused):
        Patient.objects.get(pk=patient.pk)
    assert Patient.objects.defer("phone").get(pk=patient.pk).ward == ""


@pytest.mark.parametrize(("view", "shown"), [("desk", "138****5678"), ("doctor", PHONE)])
def test_values_are_as_the_view_shows_them(patient, view, shown):
    with reveal_as(view):
        assert Patient.objects.get(pk=patient.pk).phone == shown
        assert list(Patient.objects.order_by("pk").values_list("phone", flat=True)) == [None, shown]
        assert reveal_rows(Patient.objects.order_by("pk"), "phone") == [(None,), (shown,)]
    with pytest.raises(RevealRefused):
        Patient.objects.get(pk=patient.pk)


def test_a_mask_is_not_saved_over_the_value(db, patient):
    with reveal_as("desk"):
        masked = Patient.objects.get(pk=patient.pk)
        (copied,), *_ = reveal_rows(Patient.objects.filter(pk=patient.pk), "phone")
    masked.ward = "3"
    for write in (
        masked.save,
        lambda: Patient.objects.bulk_update([masked], ["phone"]),
        lambda: Patient.objects.update(phone=masked.phone),
        lambda: Patient.objects.create(phone=copied),
    ):
        with pytest.raises(WouldWritePlaintext), transaction.atomic(using=db):
            write()
    masked.save(update_fields=["ward"])
    with reveal_as("doctor"):
        read = Patient.objects.get(pk=patient.pk)
        assert (read.phone, read.ward) == (PHONE, "3")
        read.save()
        assert Patient.objects.get(phone=PHONE).pk == patient.pk


@pytest.mark.usefixtures("patient")
def test_who_may_not_see_may_not_guess():
    for lookup in ({"phone": PHONE}, {"phone__in": [PHONE]}):
        with pytest.raises(RevealRefused):
            Patient.objects.filter(**lookup)
        with reveal_as("desk"), pytest.raises(RevealRefused):
            Patient.objects.filter(**lookup)
        with reveal_as("doctor"):
            assert Patient.objects.filter(**lookup).count() == 1
    assert Patient.objects.filter(phone__isnull=True).count() == 1


@pytest.mark.usefixtures("patient")
def test_hooks_are_told_who_looked():
    told = []
    take_off = on_reveal(told.append)
    try:
        with reveal_as("doctor", actor="dr. li", purpose="round"):
            list(Patient.objects.all())
            reveal_rows(Patient.objects.all(), "phone")
    finally:
        take_off()
    assert {(one.field, one.view, one.actor, one.purpose, one.clear) for one in told} == {
        ("patient.phone", "doctor", "dr. li", "round", True)
    }
    assert sum(one.count for one in told) == 2


def test_what_could_be_taken_for_a_value_is_not_shown():
    from django.db import models

    from privkit.errors import InvalidParameter
    from privkit.integrations.django import EncryptedField

    class Fewer:
        def protect_many(self, values):
            return [value // 10 for value in values]

    field = EncryptedField(models.IntegerField(), key="patient.age", views={"desk": Fewer()})
    with reveal_as("desk"), pytest.raises(InvalidParameter, match="text"):
        field.shown([471])
