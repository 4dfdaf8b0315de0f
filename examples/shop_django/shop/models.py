"""Customers and their orders."""

import uuid

from django.db import models

from privkit.integrations.django import BlindIndexField, EncryptedCharField, EncryptedField


class Customer(models.Model):
    """Who buys: the e-mail is unique, the phone is found by its index, the rest is only read."""

    name = EncryptedCharField(max_length=50, key="customer.name")
    email = EncryptedField(models.EmailField(), key="customer.email", deterministic=True, unique=True)
    phone = EncryptedCharField(max_length=20, key="customer.phone", index="phone_index", null=True, blank=True)
    phone_index = BlindIndexField("phone", bits=24, field_type="cn_mobile")
    born = EncryptedField(models.DateField(), key="customer.born", null=True, blank=True)
    city = models.CharField(max_length=50, blank=True)

    def __str__(self) -> str:
        """A number: what stands here is shown and logged in many places, to people who may not reveal."""
        return f"Customer {self.pk}"


class Order(models.Model):
    """What was bought, and where it goes: an address that is moved to another order does not open there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    goods = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    address = EncryptedCharField(max_length=200, key="order.address", row="id")
    placed = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """What was bought."""
        return f"Order of {self.goods}"
