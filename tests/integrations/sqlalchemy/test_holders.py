"""Comparisons by an index that take several statements, where somebody writes the rows just between them."""

from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from privkit.integrations.sqlalchemy import BlindIndex, Encrypted, NotSearchable, reencrypt

VALUES = ["x", "y", "x", "z", None, "x", "w"]
"""Those of rows 1 to 7."""
IMPATIENT = {
    "sqlite": {"timeout": 0.05},
    "postgresql": {"options": "-c lock_timeout=100"},
    "mysql": {"init_command": "SET innodb_lock_wait_timeout = 0"},
}


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="READ COMMITTED")
    yield engine
    engine.dispose()


@pytest.fixture
def other(engine):
    """Another program on the same database, which gives up soon where rows are locked."""
    kind = {"mariadb": "mysql"}.get(engine.dialect.name, engine.dialect.name)
    other = sa.create_engine(engine.url, connect_args=IMPATIENT[kind])
    yield other
    other.dispose()


def build(keys, mode, key="one", row=None):
    parts = {"one": ["id"], "two": ["shop", "id"], "none": []}[key]
    return sa.Table(
        "person",
        sa.MetaData(),
        *(sa.Column(name, sa.Integer, primary_key=name in parts, autoincrement=False) for name in ("shop", "id")),
        sa.Column("tag", sa.Integer),
        sa.Column("phone", Encrypted(sa.String(40), keys["p"], text=True, mode=mode, index="phone_idx", row=row)),
        BlindIndex(keys["p"], bits=4, name="phone_idx"),
    )


def fill(engine, table):
    table.create(engine)
    rows = [{"shop": at % 2, "id": at, "tag": 0, "phone": value} for at, value in enumerate(VALUES, start=1)]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)


def adopted(engine, keys, **how):
    """Rows are plaintexts, and the job encrypts them."""
    fill(engine, build(keys, "plaintext_ok", **how))
    table = build(keys, "dual", **how)
    return table, lambda other: reencrypt(other, table.c.phone)


def given_back(engine, keys, **how):
    fill(engine, build(keys, "dual", **how))
    table = build(keys, "plaintext_ok", **how)
    return table, lambda other: reencrypt(other, table.c.phone)


def re_keyed(engine, keys, **how):
    fill(engine, table := build(keys, "strict", **how))
    keys.rotate()
    keys.move_stable("p")
    return table, lambda other: reencrypt(other, table.c.phone)


def written_anew(engine, keys, **how):
    """Somebody writes the same values again."""
    fill(engine, table := build(keys, "strict", **how))

    def write(other):
        for at, value in enumerate(VALUES, start=1):
            with other.begin() as connection:
                connection.execute(table.update().where(table.c.id == at).values(phone=value))

    return table, write


REPLACED = {each.__name__: each for each in (adopted, given_back, re_keyed, written_anew)}


def rows(connection, table, query):
    return connection.execute(query(table)).scalars().all()


def changed(connection, table, statement, left=lambda table: table.c.tag == 1):
    """The rows that a statement hits."""
    count = connection.execute(statement(table)).rowcount
    found = connection.execute(select(table.c.id).where(left(table)).order_by(table.c.id)).scalars().all()
    assert count in (len(found), len(VALUES) - len(found))
    return found


def x(table):
    return table.c.phone == "x"


def _aliased(table):
    other = table.alias()
    return select(sa.func.count()).select_from(other).where(other.c.phone.in_(["x", "z", None]))


READ = {
    "limit": (lambda t: select(t.c.id).where(x(t)).order_by(t.c.id).limit(3), [1, 3, 6]),
    "count": (lambda t: select(sa.func.count()).select_from(t).where(x(t)), [3]),
    "aliased": (_aliased, [4]),
    "or": (lambda t: select(t.c.id).where(x(t) | (t.c.id == 2)).order_by(t.c.id), [1, 2, 3, 6]),
    "one or the other": (lambda t: select(t.c.id).where(x(t) | (t.c.phone == "w")).order_by(t.c.id), [1, 3, 6, 7]),
    "not": (lambda t: select(t.c.id).where(t.c.phone != "x").order_by(t.c.id), [2, 4, 7]),
    "not among": (lambda t: select(t.c.id).where(t.c.phone.not_in(["x", "z"])).order_by(t.c.id), [2, 7]),
    "not among with null": (lambda t: select(t.c.id).where(t.c.phone.not_in(["x", None])), []),
    "other than": (lambda t: select(t.c.id).where(t.c.phone.is_distinct_from("x")).order_by(t.c.id), [2, 4, 5, 7]),
    "exists": (lambda t: select(sa.exists().where(x(t))), [True]),
    "exists not": (lambda t: select(sa.exists().where(t.c.phone == "v")), [False]),
    "distinct": (lambda t: select(t.c.tag).distinct().where(x(t)), [0]),
    "inside": (lambda t: select(t.c.id).where(t.c.id.in_(select(t.c.id).where(x(t)))).order_by(t.c.id), [1, 3, 6]),
    "union": (lambda t: select(t.c.id).where(x(t)).union_all(select(t.c.id).where(x(t))), [1, 3, 6, 1, 3, 6]),
    "for update": (lambda t: select(t.c.id).where(x(t)).order_by(t.c.id).with_for_update(), [1, 3, 6]),
}
WRITE = {
    "update": (partial(changed, statement=lambda t: t.update().where(x(t)).values(tag=1)), [1, 3, 6]),
    "update others": (
        partial(changed, statement=lambda t: t.update().where(t.c.phone != "x").values(tag=1)),
        [2, 4, 7],
    ),
    "delete": (partial(changed, statement=lambda t: t.delete().where(x(t)), left=lambda t: t.c.id > 0), [2, 4, 5, 7]),
    "delete others": (
        partial(changed, statement=lambda t: t.delete().where(t.c.phone != "x"), left=lambda t: t.c.id > 0),
        [1, 3, 5, 6],
    ),
}
FORMS = {**{name: (partial(rows, query=query), found) for name, (query, found) in READ.items()}, **WRITE}


def run(engine, table, form, between=lambda: None, before=0):
    """What a form gives, and how many statements it took, if something happens before one of them."""
    seen = []

    def execute(*call):
        seen.append(call[2])
        if len(seen) == before:
            between()

    with engine.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", execute)
        found = form(connection, table)
        connection.rollback()
    return found, len(seen)


def unless_locked(write, other):
    """Write, and say whether that was possible."""
    try:
        write(other)
    except sa.exc.OperationalError:
        return False
    return True


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("replaced", REPLACED)
def test_a_row_that_is_replaced_just_between_is_neither_missed_nor_hit(engine, other, keys, name, replaced):
    table, replace = REPLACED[replaced](engine, keys)
    form, wanted = FORMS[name]
    found, statements = run(engine, table, form)
    assert sorted(found) == sorted(wanted)
    at = []
    for before in range(statements, 1, -1):
        found, _ = run(engine, table, form, lambda: at.append(unless_locked(replace, other)), before)
        assert sorted(found) == sorted(wanted)
        if any(at):
            break  # there is nothing more to replace
    assert at
    assert any(at) or name in WRITE


def test_rows_that_are_to_be_changed_are_read_as_they_stand_when_they_are_locked(engine, other, keys):
    table = re_keyed(engine, keys)[0]
    indexes = table.c.phone.type.encrypt.index_candidates
    collides = next(value for value in map(str, range(9999)) if indexes(value) == indexes("x"))

    def change(other):
        with other.begin() as connection:
            connection.execute(table.update().where(table.c.id == 1).values(phone=collides))

    for form, (if_changed, if_not) in {
        "update": ([3, 6], [1, 3, 6]),
        "delete": ([1, 2, 4, 5, 7], [2, 4, 5, 7]),
    }.items():
        _, statements = run(engine, table, FORMS[form][0])
        for before in range(statements, 1, -1):
            with engine.begin() as connection:
                connection.execute(table.update().where(table.c.id == 1).values(phone="x"))
            at = []
            found, _ = run(engine, table, FORMS[form][0], lambda at=at: at.append(unless_locked(change, other)), before)
            assert found == (if_changed if at[0] else if_not)


def test_a_row_that_becomes_null_before_it_is_locked_is_not_changed(engine, other, keys):
    table = re_keyed(engine, keys)[0]
    at = []

    def change(other):
        with other.begin() as connection:
            connection.execute(table.update().where(table.c.id == 1).values(phone=None))

    _, statements = run(engine, table, FORMS["update"][0])
    for before in range(statements, 1, -1):
        with engine.begin() as connection:
            connection.execute(table.update().where(table.c.id == 1).values(phone="x"))
        at.clear()
        found, _ = run(engine, table, FORMS["update"][0], lambda: at.append(unless_locked(change, other)), before)
        assert found == ([3, 6] if at[0] else [1, 3, 6])


@pytest.mark.parametrize("how", ["an alias", "another statement instead"])
def test_rows_are_locked_by_whatever_name_they_are_changed(engine, keys, how):
    fill(engine, table := build(keys, "strict"))
    seen = []
    target = table.alias() if how == "an alias" else table

    def instead(_connection, statement, several, one, _options):
        return (statement.where(sa.true()) if isinstance(statement, sa.Update) else statement), several, one

    with engine.connect() as connection:
        if how == "another statement instead":
            for _ in range(2):
                sa.event.listen(connection.engine, "before_execute", partial(instead), retval=True)
        sa.event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2]))
        assert connection.execute(sa.update(target).where(target.c.phone == "x").values(tag=1)).rowcount == 3
        connection.rollback()
    locking = {"sqlite": "DELETE", "postgresql": "FOR NO KEY UPDATE"}.get(engine.dialect.name, "FOR UPDATE")
    assert any(locking in one for one in seen)


@pytest.mark.parametrize("replaced", REPLACED)
@pytest.mark.parametrize("name", ["not among with null", "not", "aliased", "update", "delete"])
@pytest.mark.parametrize("how", [{"key": "two"}, {"row": "id"}], ids=["key of two columns", "bound"])
def test_rows_of_longer_keys_and_bound_ones(engine, other, keys, *, name, replaced, how):
    table, replace = REPLACED[replaced](engine, keys, **how)
    form, wanted = FORMS[name]
    found, _ = run(engine, table, form, lambda: unless_locked(replace, other), before=2)
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("name", ["not", "or", "update"])
def test_rows_without_a_key(engine, keys, name):
    table = build(keys, "strict", key="none")
    fill(engine, table)
    form, wanted = FORMS[name]
    found, _ = run(engine, table, form)
    assert sorted(found) == sorted(wanted)
    dual = build(keys, "dual", key="none")
    with pytest.raises(NotSearchable, match="has no primary key"):
        run(engine, dual, form)
    with engine.connect() as connection:
        assert connection.execute(select(dual.c.id).where(x(dual)).order_by(dual.c.id)).scalars().all() == [1, 3, 6]


def test_objects_and_what_is_deleted_in_a_query(engine, other, keys):
    table, replace = adopted(engine, keys)

    class Base(sa.orm.DeclarativeBase):
        metadata = table.metadata

    class Person(Base):
        __table__ = table

    with sa.orm.Session(engine) as session:
        one = session.get(Person, 3)
        session.execute(sa.update(Person).where(Person.phone == "x", Person.id < 4).values(tag=2))
        assert one.tag == 2
        session.rollback()
        assert replace(other).replaced == len(VALUES) - 1
        session.execute(sa.delete(Person).where(Person.phone.in_(["x", "y"])))
        session.commit()
        assert session.scalars(select(Person.id).order_by(Person.id)).all() == [4, 5, 7]
    if engine.dialect.name == "postgresql":
        seen = []
        sa.event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
        gone = table.delete().where(table.c.phone == "w").returning(table.c.id).cte()
        with engine.begin() as connection:
            assert connection.execute(select(gone.c.id)).scalars().all() == [7]
        assert ["ORDER BY person.id FOR NO KEY UPDATE" in one for one in seen] == [False, True, False]


def test_keys_that_are_encrypted_themselves(engine, keys):
    table = sa.Table(
        "card",
        sa.MetaData(),
        sa.Column("number", Encrypted(sa.String(20), keys["card.number"], deterministic=True), primary_key=True),
        sa.Column("shop", sa.Integer, primary_key=True),
        sa.Column("owner", Encrypted(sa.String(20), keys["card.owner"], index="owner_idx")),
        BlindIndex(keys["card.owner"], name="owner_idx"),
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"number": f"n{at}", "shop": at, "owner": f"o{at % 2}"} for at in range(6)])
        assert connection.scalar(select(sa.func.count()).where(table.c.owner == "o1")) == 3
        connection.execute(table.delete().where(table.c.owner == "o1"))
        assert sorted(connection.execute(select(table.c.number)).scalars()) == ["n0", "n2", "n4"]
