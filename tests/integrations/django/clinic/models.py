"""Models of an application that uses encrypted columns in every way that the tests look at."""

from __future__ import annotations

import uuid

from django.db import models

from privkit import Mask, fields
from privkit.integrations.django import (
    BlindIndexField,
    EncryptedCharField,
    EncryptedDecimalField,
    EncryptedField,
    EncryptedJSONField,
)


class Person(models.Model):
    email = EncryptedField(
        models.EmailField(), key="person.email", deterministic=True, unique=True, null=True, blank=True
    )
    phone = EncryptedCharField(max_length=20, key="person.phone", null=True, blank=True)
    note = EncryptedField(models.TextField(), key="person.note", default="", blank=True)
    city = models.CharField(max_length=50, default="", blank=True)

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return f"person {self.pk}"


class Visit(models.Model):
    """One column of each kind."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="visits")
    email = EncryptedField(models.EmailField(), key="person.email", deterministic=True, null=True)
    fee = EncryptedDecimalField(max_digits=12, decimal_places=2, key="visit.fee", deterministic=True, null=True)
    findings = EncryptedJSONField(key="visit.findings", null=True)
    day = EncryptedField(models.DateField(), key="visit.day", deterministic=True, null=True)
    at = EncryptedField(models.DateTimeField(), key="visit.at", deterministic=True, null=True)
    time = EncryptedField(models.TimeField(), key="visit.time", deterministic=True, null=True)
    duration = EncryptedField(models.DurationField(), key="visit.duration", deterministic=True, null=True)
    code = EncryptedField(models.UUIDField(), key="visit.code", deterministic=True, null=True)
    count = EncryptedField(models.IntegerField(), key="visit.count", deterministic=True, null=True)
    weight = EncryptedField(models.FloatField(), key="visit.weight", deterministic=True, null=True)
    urgent = EncryptedField(models.BooleanField(), key="visit.urgent", deterministic=True, null=True)
    scan = EncryptedField(models.BinaryField(), key="visit.scan", deterministic=True, null=True)
    address = EncryptedField(models.GenericIPAddressField(), key="visit.address", deterministic=True, null=True)
    colour = EncryptedCharField(
        max_length=10, key="visit.colour", text=True, null=True, choices=[("r", "Red"), ("g", "Green")]
    )
    seen = EncryptedField(models.DateTimeField(auto_now=True), key="visit.seen", null=True)

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return f"visit {self.pk}"


class Contact(models.Model):
    """Columns that are found by a blind index; the one of four bits has many values that share it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="contacts")
    phone = EncryptedCharField(max_length=20, key="contact.phone", index="phone_idx", null=True)
    phone_idx = BlindIndexField("phone", bits=4, field_type="cn_mobile")
    card = EncryptedCharField(max_length=20, key="contact.card", index="card_idx", text=True, null=True)
    card_idx = BlindIndexField("card", bits=32, part="last_four")

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return f"contact {self.pk}"


class Patient(models.Model):
    """A column that is read in views only."""

    phone = EncryptedCharField(
        max_length=20,
        key="patient.phone",
        deterministic=True,
        null=True,
        views={"desk": Mask(fields.CN_MOBILE), "doctor": None},
    )
    ward = models.CharField(max_length=10, default="")

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return f"patient {self.pk}"


class Record(models.Model):
    """Columns that are bound to their rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number = models.IntegerField(unique=True, null=True)
    note = EncryptedField(models.TextField(), key="record.note", row="id", null=True)
    findings = EncryptedJSONField(key="record.findings", row="id", null=True)
    phone = EncryptedCharField(
        max_length=20, key="record.phone", row="id", index="phone_idx", text=True, default="", blank=True
    )
    phone_idx = BlindIndexField("phone", bits=4, field_type="cn_mobile")
    seen = EncryptedField(models.DateTimeField(auto_now=True), key="record.seen", row="pk")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return f"record {self.pk}"


class Report(Record):
    """A table of its own below another one, each with a bound column."""

    summary = EncryptedCharField(max_length=20, key="report.summary", row="pk", null=True)

    class Meta:
        app_label = "clinic"


class Draft(Report):
    """A proxy, whose fields are those of another model."""

    class Meta:
        app_label = "clinic"
        proxy = True
