"""Lookups while the keyring gets versions: between the moment a statement is made and that in which it is bound."""

from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from privkit.integrations.sqlalchemy import BlindIndex, Encrypted, NotSearchable


@pytest.fixture(params=["strict", "dual"])
def table(request, keys, engine):
    found = sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(40), keys["e"], deterministic=True, mode=request.param)),
        sa.Column("phone", Encrypted(sa.String(40), keys["p"], index="phone_idx", mode=request.param)),
        BlindIndex(keys["p"], name="phone_idx"),
    )
    found.create(engine)
    with engine.begin() as connection:
        connection.execute(found.insert(), [{"email": f"u{at}", "phone": f"{at}"} for at in range(9)])
    return found


STATEMENTS = {
    "equal": (lambda table: table.c.email == "u7", [8]),
    "several": (lambda table: table.c.email.in_(["u7", "u2", None]), [3, 8]),
    "different": (lambda table: table.c.email.not_in(["u0", "u1", "u2"]), [4, 5, 6, 7, 8, 9]),
    "by index": (lambda table: table.c.phone == "7", [8]),
    "several by index": (lambda table: table.c.phone.in_(["7", "2"]), [3, 8]),
}


@contextmanager
def once_made(engine, change):
    """Have something change when a statement's key is known, and its parameters are not."""

    def made(*_):
        change()

    sa.event.listen(engine, "before_execute", made)
    yield
    sa.event.remove(engine, "before_execute", made)


def ids(engine, statement):
    with engine.connect() as connection:
        return connection.execute(statement).scalars().all()


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_version_that_comes_in_between_hides_no_row(engine, table, keys, name, before):
    condition, wanted = STATEMENTS[name]
    for _ in range(before):
        keys.rotate()
    keys.move_stable(to=keys.version_ids[-1])
    statement = sa.select(table.c.id).where(condition(table)).order_by(table.c.id)
    assert ids(engine, statement) == wanted
    with once_made(engine, keys.rotate):
        assert ids(engine, statement) == wanted
    assert ids(engine, statement) == wanted


def test_a_stable_version_that_moves_in_between_is_an_error(engine, table, keys):
    def change():
        keys.rotate()
        keys.move_stable()

    statement = sa.select(table.c.id).where(table.c.email == "u7")
    assert ids(engine, statement) == [8]
    with once_made(engine, change), pytest.raises(NotSearchable, match="execute it again"):
        ids(engine, statement)
    assert ids(engine, statement) == [8]
