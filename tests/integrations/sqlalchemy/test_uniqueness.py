"""What uniqueness is worth while a column holds two forms of its values, and how it is kept all the same."""

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from privkit.integrations.sqlalchemy import Encrypted, reencrypt

EMAILS = [f"u{number}@b.cn" for number in range(40)]


def person(keys, mode):
    return sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "email",
            Encrypted(sa.String(80), keys["person.email"], deterministic=True, text=True, mode=mode),
            unique=True,
        ),
    )


@pytest.fixture
def dual(keys, engine):
    before, table = person(keys, "plaintext_ok"), person(keys, "dual")
    before.create(engine)
    with engine.begin() as connection:
        connection.execute(before.insert(), [{"email": email} for email in EMAILS])
    return table


def test_the_constraint_does_not_see_the_other_form_and_stops_the_job(engine, dual):
    with engine.begin() as connection:
        connection.execute(dual.insert(), {"email": EMAILS[30]})  # in clear it is there already
        found = connection.execute(select(dual.c.id).where(dual.c.email == EMAILS[30]).order_by(dual.c.id)).all()
        assert len(found) == 2
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(dual.insert(), {"email": EMAILS[30]})
    with pytest.raises(sa.exc.IntegrityError):
        reencrypt(engine, dual.c.email, batch=10)
    with engine.begin() as connection:
        connection.execute(dual.delete().where(dual.c.id == found[1][0]))
    assert reencrypt(engine, dual.c.email, batch=10).replaced == 10  # the batches before it were done
    assert reencrypt(engine, dual.c.email).outdated == 0


@pytest.mark.parametrize("rekeyed", [False, True], ids=["adopted", "re-keyed"])
def test_writers_that_lock_and_look_keep_it_while_the_job_runs(engine, dual, keys, rekeyed):
    if engine.dialect.name != "postgresql":
        pytest.skip("the lock is PostgreSQL's")
    table = dual
    if rekeyed:
        reencrypt(engine, dual.c.email)
        keys.rotate()
        keys.move_stable("person.email")
        table = person(keys, "strict")
    wanted = [*EMAILS, *(f"new{number}@b.cn" for number in range(20))]
    errors = []

    def write(first):
        try:
            for email in [*wanted[first:], *wanted[:first]]:
                with engine.begin() as connection:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('person.email'))"))
                    if not connection.execute(select(table.c.id).where(table.c.email == email)).all():
                        connection.execute(table.insert(), {"email": email})
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            errors.append(error)

    writers = [threading.Thread(target=write, args=(15 * number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    reencrypt(engine, table.c.email, batch=3, pause=0.005)
    for writer in writers:
        writer.join()
    assert errors == []
    assert reencrypt(engine, table.c.email).outdated == 0
    with engine.connect() as connection:
        assert sorted(connection.execute(select(person(keys, "strict").c.email)).scalars()) == sorted(wanted)
