"""The shop's tables: who bought what, with everything about persons encrypted."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from privkit import Keyring, Mask, fields
from privkit.integrations.purposes import FieldViews
from privkit.integrations.sqlalchemy import BlindIndex, Encrypted

HOME = Path(__file__).parent
KEYRING = Path(os.environ.get("SHOP_KEYRING", HOME / "keyring.json"))
keys = Keyring.open(KEYRING) if KEYRING.exists() else Keyring.create(KEYRING)

PHONE = keys["customer.phone"]
PHONE_VIEWS = FieldViews("customer.phone", {"customer_service": Mask(fields.CN_MOBILE), "owner": None})


class Base(DeclarativeBase):
    """The shop's models."""


class Customer(Base):
    """A customer: found by e-mail and by phone, shown by view."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(
        Encrypted(sa.String(254), keys["customer.email"], deterministic=True, field=fields.EMAIL), unique=True
    )
    phone: Mapped[str | None] = mapped_column(
        Encrypted(sa.String(20), PHONE, index="phone_idx", field=fields.CN_MOBILE, views=PHONE_VIEWS),
        deferred=True,  # so that a customer can be loaded outside of the views
    )
    phone_idx = BlindIndex(PHONE, bits=32, field=fields.CN_MOBILE)
    note: Mapped[str | None] = mapped_column(Encrypted(sa.Text, keys["customer.note"]))
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    """An order and where it goes."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    article: Mapped[str]
    address: Mapped[dict[str, str]] = mapped_column(Encrypted(sa.JSON, keys["order.address"]))
    customer: Mapped[Customer] = relationship(back_populates="orders")
