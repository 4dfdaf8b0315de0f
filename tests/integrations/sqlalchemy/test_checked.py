"""A SELECT that only gives rows fetches the candidates of an index itself, and leaves out those that are none."""

import pytest
import sqlalchemy as sa
from sqlalchemy import event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, joinedload, mapped_column, relationship

from privkit import fields
from privkit.errors import DecryptionFailed
from privkit.integrations.sqlalchemy import BlindIndex, Encrypted, reveal_rows

PHONES = [f"1381234{number:04}" for number in range(400)]
SEVEN = PHONES[7]


@pytest.fixture
def model(keys):
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        phone: Mapped[str | None] = mapped_column(Encrypted(sa.String(20), keys["p.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["p.phone"], bits=4, field=fields.CN_MOBILE)
        friend_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
        friend = relationship("Person", remote_side="Person.id")

    return Person


@pytest.fixture
def session(engine, model):
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(model(id=number + 1, phone=phone) for number, phone in enumerate(PHONES))
        session.flush()
        session.get(model, 8).friend_id = 3
        session.commit()
        yield session


@pytest.fixture
def queries(engine):
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


def _both(model):
    other = aliased(model)
    joined = select(model.phone, other.phone).join(other, model.friend_id == other.id)
    return joined.where(model.phone == SEVEN, other.phone == PHONES[2])


ONE = {
    "objects": (lambda user: select(user).where(user.phone == SEVEN), lambda found: found.scalar_one().phone == SEVEN),
    "a column": (lambda user: select(user.id).where(user.phone == SEVEN), lambda found: found.scalars().all() == [8]),
    "the column": (lambda user: select(user.phone).where(user.phone == SEVEN), lambda found: found.all() == [(SEVEN,)]),
    "twice": (
        lambda user: select(user.id, user.id.label("id")).where(user.phone == SEVEN),
        lambda found: found.all() == [(8, 8)],
    ),
    "some": (
        lambda user: select(user.id).where(user.phone.in_([SEVEN, None, *PHONES[20:]])).order_by(user.id.desc()),
        lambda found: found.scalars().all() == [*range(400, 20, -1), 8],
    ),
    "with others": (
        lambda user: select(user.id).where(sa.and_(user.phone == SEVEN, user.id < 9), user.friend_id.is_not(None)),
        lambda found: found.scalar_one() == 8,
    ),
    "joined": (_both, lambda found: found.all() == [(SEVEN, PHONES[2])]),
    "loaded": (
        lambda user: select(user).options(joinedload(user.friend)).where(user.phone == SEVEN),
        lambda found: found.scalar_one().friend.phone == PHONES[2],
    ),
    "one by one": (
        lambda user: select(user.id).where(user.phone.in_(PHONES[:300])).order_by(user.id),
        lambda found: [row.id for row in found] == list(range(1, 301)),
    ),
    "in parts": (
        lambda user: select(user.id).where(user.phone.in_(PHONES[:300])).execution_options(yield_per=7),
        lambda found: sorted(row for part in found.scalars().partitions() for row in part) == list(range(1, 301)),
    ),
    "keys": (
        lambda user: select(user.id, user.phone).where(user.phone == SEVEN),
        lambda found: list(found.keys()) == ["id", "phone"] and found.mappings().all() == [{"id": 8, "phone": SEVEN}],
    ),
    "nothing": (lambda user: select(user.id).where(user.phone == "x"), lambda found: found.first() is None),
}
TWO = {
    "limit": (lambda user: select(user.id).where(user.phone == SEVEN).limit(1), lambda found: found.all() == [(8,)]),
    "count": (
        lambda user: select(sa.func.count()).select_from(user).where(user.phone == SEVEN),
        lambda found: found.scalar_one() == 1,
    ),
    "distinct": (
        lambda user: select(user.friend_id).distinct().where(user.phone == SEVEN),
        lambda found: found.all() == [(3,)],
    ),
    "grouped": (
        lambda user: select(user.friend_id).group_by(user.friend_id).where(user.phone == SEVEN),
        lambda found: found.all() == [(3,)],
    ),
    "or": (
        lambda user: select(user.id).where((user.phone == SEVEN) | (user.id == 2)).order_by(user.id),
        lambda found: found.scalars().all() == [2, 8],
    ),
    "not": (
        lambda user: select(user.id).where(user.phone != SEVEN),
        lambda found: len(found.all()) == len(PHONES) - 1,
    ),
    "inside": (
        lambda user: select(user.id).where(user.id.in_(select(user.id).where(user.phone == SEVEN))),
        lambda found: found.all() == [(8,)],
    ),
    "union": (
        lambda user: select(user.id).where(user.phone == SEVEN).union_all(select(user.id).where(user.id == -1)),
        lambda found: found.all() == [(8,)],
    ),
    "window": (
        lambda user: select(sa.func.row_number().over()).where(user.phone == SEVEN),
        lambda found: found.all() == [(1,)],
    ),
    "sorted by a window": (
        lambda user: select(user.id).where(user.phone == SEVEN).order_by(sa.func.row_number().over()),
        lambda found: found.all() == [(8,)],
    ),
}


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_one_statement_where_rows_are_given_and_two_where_more_is_done(session, model, queries, name):
    query, is_right = {**ONE, **TWO}[name]
    for _ in range(2):  # compiled, and as kept
        queries.clear()
        session.expunge_all()
        assert is_right(session.execute(query(model)))
        assert len(queries) == (1 if name in ONE else 2)


def test_a_statement_that_is_kept_looks_for_the_values_of_each_execution(session, model, queries):
    for at in (3, 90, 200):
        statement = select(model.id).where(model.id > 0, model.phone.in_([PHONES[at], PHONES[at + 1]]))
        assert sorted(session.scalars(statement)) == [at + 1, at + 2]
    assert len(queries) == 3
    anew = session.execute(statement.order_by(model.id), execution_options={"compiled_cache": None})
    assert anew.all() == [(201,), (202,)]


def test_a_bulk_read_is_of_rows_that_hold_the_value(session, model, queries):
    query = select(model.id, model.phone).where(model.phone.in_(PHONES[:3])).order_by(model.id)
    assert reveal_rows(session, query).all() == list(enumerate(PHONES[:3], start=1))
    assert len(queries) == 1


def test_a_statement_as_a_string_keeps_both_conditions(engine, model):
    text = str(select(model.id).where(model.phone == SEVEN).compile(engine))
    assert "person.phone_idx = " in text
    assert "person.id IN" in text


def test_a_candidate_that_does_not_open_is_an_error(session, model):
    session.execute(sa.text("UPDATE person SET phone = :sealed WHERE id = 8"), {"sealed": _damaged(session)})
    with pytest.raises(DecryptionFailed, match=r"p\.phone"):
        session.execute(select(model.id).where(model.phone == SEVEN)).all()


def _damaged(session):
    sealed = bytes(session.execute(sa.text("SELECT phone FROM person WHERE id = 8")).scalar_one())
    return sealed[:-1] + bytes([sealed[-1] ^ 1])
