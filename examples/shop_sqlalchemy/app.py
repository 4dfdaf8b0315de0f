"""A small shop over HTTP. Start it: python examples/shop_sqlalchemy/app.py."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from models import HOME, Base, Customer, Order, keys
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from privkit.errors import InvalidValue
from privkit.integrations.purposes import RevealRefused, reveal_as
from privkit.integrations.sqlalchemy import reencrypt, reveal_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

engine = sa.create_engine(os.environ.get("SHOP_DATABASE", f"sqlite:///{HOME}/shop.db"), hide_parameters=True)
app = FastAPI(title="A small shop")


def get_session() -> Iterator[Session]:
    """A session for one request."""
    with Session(engine) as session:
        yield session


Database = Annotated[Session, Depends(get_session)]


class NewCustomer(BaseModel):
    """What a customer tells the shop."""

    email: str
    phone: str | None = None
    note: str | None = None


@app.post("/customers", status_code=201)
def create(new: NewCustomer, session: Database) -> dict[str, int]:
    """Take in a customer."""
    customer = Customer(**new.model_dump())
    session.add(customer)
    try:
        session.commit()
    except sa.exc.IntegrityError:
        raise HTTPException(409, "there is a customer with this e-mail") from None
    except InvalidValue as error:
        raise HTTPException(422, str(error)) from None
    return {"id": customer.id}


@app.get("/customers/by-email/{email}")
def by_email(email: str, session: Database) -> list[int]:
    """Find a customer by e-mail."""
    return list(session.scalars(select(Customer.id).where(Customer.email == email)))


@app.get("/customers/by-phone/{phone}")
def by_phone(phone: str, session: Database) -> list[int]:
    """Find customers by phone; only who may see numbers may look for one."""
    with reveal_as("owner", purpose="lookup"):
        return list(session.scalars(select(Customer.id).where(Customer.phone == phone)))


@app.get("/customers/{number}")
def show(number: int, session: Database, view: str = "customer_service") -> dict[str, Any]:
    """Show a customer as a view does. A real shop takes the view from who is logged in."""
    try:
        with reveal_as(view, purpose="customer page"):
            customer = session.get(Customer, number)
            if customer is None:
                raise HTTPException(404, "no such customer")
            return {"id": customer.id, "email": customer.email, "phone": customer.phone, "note": customer.note}
    except RevealRefused as error:
        raise HTTPException(403, str(error)) from None


@app.get("/orders")
def orders(session: Database) -> list[dict[str, Any]]:
    """All orders, decrypted column by column."""
    query = select(Order.id, Order.article, Order.address, Customer.email).join(Customer).order_by(Order.id)
    return [dict(row) for row in reveal_rows(session, query).mappings()]


@app.post("/keys/rotate")
def rotate() -> dict[str, int]:
    """Make a new key version, and bring the notes under it."""
    keys.rotate()
    return {"re-encrypted": reencrypt(engine, Customer.note).replaced}


def prepare() -> None:
    """Make the tables, and a few customers where there are none."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if session.scalar(select(sa.func.count()).select_from(Customer)):
            return
        for number in range(3):
            address = {"city": "上海", "street": f"南京路{number + 1}号"}
            customer = Customer(email=f"customer{number}@example.cn", phone=f"1381234567{number}", note="放门口")
            customer.orders.append(Order(article="tea", address=address))
            session.add(customer)
        session.commit()


prepare()

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=8000)
