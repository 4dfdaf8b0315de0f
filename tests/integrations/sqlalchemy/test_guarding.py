"""What a database keeps by itself: refused of randomised columns, kept of deterministic ones and blind indexes."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from privkit.errors import InvalidParameter
from privkit.integrations.sqlalchemy import BlindIndex, Encrypted


def person(keys, *more, deterministic=False, **column):
    index = None if deterministic else "phone_idx"
    phone = Encrypted(sa.String(20), keys["p"], deterministic=deterministic, index=index)
    beside = [] if deterministic else [BlindIndex(keys["p"], bits=128, name="phone_idx")]
    city = sa.Column("city", sa.String(20))
    return sa.Table("person", sa.MetaData(), city, sa.Column("phone", phone, **column), *beside, *more)


DECLARED = {
    "unique": lambda keys, **how: person(keys, unique=True, **how),
    "index": lambda keys, **how: person(keys, index=True, **how),
    "both": lambda keys, **how: person(keys, index=True, unique=True, **how),
    "primary key": lambda keys, **how: person(keys, primary_key=True, **how),
    "UniqueConstraint": lambda keys, **how: person(keys, sa.UniqueConstraint("city", "phone"), **how),
    "PrimaryKeyConstraint": lambda keys, **how: person(keys, sa.PrimaryKeyConstraint("city", "phone"), **how),
    "ExcludeConstraint": lambda keys, **how: person(keys, ExcludeConstraint(("phone", "=")), **how),
    "Index": lambda keys, **how: person(keys, sa.Index("i", "city", "phone"), **how),
    "later": lambda keys, **how: sa.Index("i", person(keys, **how).c.phone),
    "of an expression": lambda keys, **how: sa.Index("i", sa.func.coalesce(person(keys, **how).c.phone)),
}


@pytest.mark.parametrize("name", DECLARED)
def test_what_would_guard_nothing_is_refused(keys, name):
    with pytest.raises(InvalidParameter, match=r"randomised column of 'p'.*deterministic=True.*BlindIndex"):
        DECLARED[name](keys)
    if name != "of an expression":
        DECLARED[name](keys, deterministic=True)


def test_models_are_refused_too(keys):
    class Base(sa.orm.DeclarativeBase):
        pass

    with pytest.raises(InvalidParameter, match="UniqueConstraint of the randomised"):

        class Person(Base):
            __tablename__ = "person"
            id = sa.orm.mapped_column(sa.Integer, primary_key=True)
            note = sa.orm.mapped_column(Encrypted(sa.Text, keys["n"]), unique=True)


def test_what_asks_of_no_equality_is_left():
    sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("city", sa.String(20), index=True),
        sa.CheckConstraint("city <> ''"),
        sa.UniqueConstraint("id", "city"),
    )


def test_the_length_of_ciphertexts_may_be_indexed(keys):
    table = person(keys, sa.CheckConstraint("phone IS NOT NULL"))
    index = sa.Index("i", sa.func.length(sa.type_coerce(table.c.phone, sa.LargeBinary)))
    assert index in table.indexes


@pytest.mark.parametrize("by", ["a constraint", "an index"])
def test_a_long_blind_index_keeps_values_unique(engine, keys, by):
    guard = sa.UniqueConstraint("phone_idx") if by == "a constraint" else sa.Index("u", "phone_idx", unique=True)
    table = person(keys, guard)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"phone": "1"}, {"phone": "2"}, {"phone": None}, {"phone": None}])
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(table.insert(), {"phone": "2"})
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 4
