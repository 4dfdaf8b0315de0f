"""Values that are bound to their rows: written and read in every way that says the row, and refused in the others."""

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.sqlalchemy import (
    BlindIndex,
    Encrypted,
    NotBound,
    WouldWritePlaintext,
    reencrypt,
    reveal_rows,
)

IDS = [uuid.UUID(int=number) for number in range(1, 301)]


@pytest.fixture(params=["native", "text"])
def model(request, keys, engine):
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[uuid.UUID] = mapped_column(
            sa.Uuid() if request.param == "native" else sa.Uuid(as_uuid=False),
            primary_key=True,
            default=uuid.uuid4 if request.param == "native" else lambda: str(uuid.uuid4()),
        )
        note: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["visit.note"], row="id"))
        phone: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(20), keys["visit.phone"], row="id", index="phone_idx")
        )
        phone_idx = BlindIndex(keys["visit.phone"], bits=8)
        plain: Mapped[str | None] = mapped_column(sa.String(20))

    Base.metadata.create_all(engine)
    return Visit


def key(model, number):
    return IDS[number] if model.id.type.as_uuid else str(IDS[number])


@pytest.fixture
def session(engine, model):
    with Session(engine) as session:
        session.add_all(model(id=key(model, n), note=f"n{n}", phone=f"p{n}") for n in range(3))
        session.commit()
        yield session


def swap(session, column):
    rows = session.execute(sa.text(f"SELECT id, {column} FROM visit")).all()  # noqa: S608 - a name of ours
    for (one, _), (_, stored) in zip(rows, [*rows[1:], rows[0]], strict=True):
        session.execute(sa.text(f"UPDATE visit SET {column} = :v WHERE id = :i"), {"v": stored, "i": one})  # noqa: S608 - as above


def test_moved_to_another_row_a_ciphertext_is_refused(session, model):
    assert [one.note for one in session.scalars(select(model).order_by(model.id))] == ["n0", "n1", "n2"]
    session.expire_all()
    swap(session, "note")
    with pytest.raises(DecryptionFailed, match=r"visit\.note"):
        session.scalars(select(model)).all()
    with pytest.raises(DecryptionFailed):
        session.get(model, key(model, 1))


def test_every_way_of_reading_that_says_the_row(session, model):
    other = aliased(model)
    inner = select(model.id, model.note).subquery()
    for query in (
        select(model.id, model.note),
        select(model.note, model.plain, model.id),
        select(other.id, other.note),
        select(inner.c.note, inner.c.id),
        select(model.id, model.note, other.id, other.note).join(other, other.id == model.id),
        select(model.__table__),
        select(model.id.label("a"), model.note.label("b")),
    ):
        for rows in (session.execute(query).all(), reveal_rows(session, query).all()):
            assert {value for row in rows for value in row if value in ("n0", "n1", "n2")} == {"n0", "n1", "n2"}
    by_key = select(model.note).where(model.id == key(model, 1))
    assert session.scalar(by_key) == "n1"
    assert session.scalar(by_key.where(model.plain.is_(None))) == "n1"
    assert session.scalar(select(other.note).where(other.id == key(model, 1))) == "n1"
    one = session.get(model, key(model, 2), options=[sa.orm.defer(model.note)])
    assert one.note == "n2"
    session.refresh(one, ["note"])
    assert one.note == "n2"
    for query in (select(model.note), select(other.note).where(model.id == key(model, 1), other.id == model.id)):
        with pytest.raises(NotBound, match="select the primary key"):
            session.execute(query).all()


def test_many_rows_are_opened_as_columns(engine, model):
    table = model.__table__
    with engine.begin() as connection:
        connection.execute(
            table.insert(), [{"id": key(model, n), "note": None if n % 7 == 0 else f"n{n}"} for n in range(300)]
        )
        rows = connection.execute(select(table.c.note, table.c.id).order_by(table.c.id)).all()
        assert rows == [(None if n % 7 == 0 else f"n{n}", key(model, n)) for n in range(300)]


def test_every_way_of_writing_that_says_the_row(session, model):
    table = model.__table__
    made = model(note="made")  # its key comes of the default
    session.add(made)
    session.add_all(model(note=f"made {n}") for n in range(5))
    session.flush()
    assert made.id is not None
    session.execute(sa.insert(model), [{"note": "bulk 1"}, {"id": key(model, 11), "note": "bulk 2"}][1:])
    session.execute(sa.insert(model), [{"note": "bulk 1"}])
    session.execute(table.insert().values(id=key(model, 12), note="core 1"))
    session.execute(table.insert().values(note="core 2"))
    session.execute(table.insert(), {"note": "core 3", "plain": "a"})
    made.note = "changed"
    session.flush()
    session.execute(sa.update(model).where(model.id == key(model, 0)).values(note="by key", plain="x"))
    session.execute(sa.update(model), [{"id": key(model, 1), "note": "in bulk"}])
    session.execute(
        table.update().where(table.c.id == sa.bindparam("which"), table.c.plain.is_(None)),
        [{"which": key(model, 2), "note": "by parameter"}],
    )
    session.execute(table.update().where(table.c.id == key(model, 12)).values(note=None))
    session.commit()
    notes = {note for _, note in session.execute(select(model.id, model.note))}
    assert notes == {
        *("changed", "bulk 1", "bulk 2", "core 2", "core 3", "by key", "in bulk", "by parameter", None),
        *(f"made {n}" for n in range(5)),
    }
    if session.bind.dialect.insert_returning:
        insert = table.insert().returning(table.c.id, table.c.note)
        returned = session.connection().execute(insert, [{"note": "r1"}, {"note": "r2"}]).all()
        assert {note for _, note in returned} == {"r1", "r2"}
        with pytest.raises(NotBound):  # the ORM reads these before the rows are known
            session.execute(sa.insert(model).returning(model.id, model.note), [{"note": "r1"}])


def test_ways_of_writing_that_do_not_are_refused(session, model):
    table = model.__table__
    for statement in (
        sa.update(model).values(note="to all"),
        sa.update(model).where(model.plain == "a").values(note="to some"),
        sa.update(model).where(sa.or_(model.id == key(model, 1), model.plain == "a")).values(note="to some"),
        sa.update(model).where(model.id == key(model, 1)).values(id=key(model, 20)),
        sa.update(model).where(model.id == key(model, 1)).values(note=model.note),
        table.update().where(table.c.id == key(model, 1)).ordered_values((table.c.note, "a")),
        table.insert().values([{"note": "a"}, {"note": "b"}]),
        table.insert().from_select(["id", "note"], select(table.c.id, table.c.note)),
        table.insert().values(note=sa.func.lower("A")),
    ):
        with pytest.raises((NotBound, WouldWritePlaintext)):
            session.execute(statement)
        session.rollback()
    assert {note for _, note in session.execute(select(model.id, model.note))} == {"n0", "n1", "n2"}


def test_upserts_by_the_primary_key(session, model):
    dialects = {"sqlite": sqlite, "postgresql": postgresql}
    if session.bind.dialect.name not in dialects:
        pytest.skip("MariaDB's upsert may meet any unique key")
    insert = dialects[session.bind.dialect.name].insert(model)
    upsert = insert.on_conflict_do_update(index_elements=["id"], set_={"note": insert.excluded.note})
    session.execute(upsert, [{"id": key(model, n), "note": f"u{n}"} for n in range(2, 4)])
    assert {note for _, note in session.execute(select(model.id, model.note))} == {"n0", "n1", "u2", "u3"}
    for wrong in (
        insert.on_conflict_do_update(index_elements=["plain"], set_={"note": insert.excluded.note}),
        insert.on_conflict_do_update(index_elements=["id"], set_={"note": insert.excluded.phone}),
        insert.on_conflict_do_update(index_elements=["id"], set_={"note": "fixed"}),
    ):
        with pytest.raises((NotBound, WouldWritePlaintext)):
            session.execute(wrong, {"id": key(model, 5), "note": "a"})


def test_looked_up_by_the_index(session, model):
    assert session.scalars(select(model.plain).where(model.phone == "p1")).all() == [None]
    assert session.scalars(select(model).where(model.phone.in_(["p1", "p2", "p9"])).order_by(model.id)).all() == [
        session.get(model, key(model, 1)),
        session.get(model, key(model, 2)),
    ]
    swap(session, "phone")
    with pytest.raises(DecryptionFailed):
        session.scalars(select(model.plain).where(model.phone == "p1")).all()


def test_re_keyed_in_their_rows(engine, session, model, keys):
    old = keys.primary_id
    keys.rotate()
    assert reencrypt(engine, model.note, batch=2).replaced == 3
    assert reencrypt(engine, model.note, batch=2).outdated == 0
    reencrypt(engine, model.phone)
    keys.move_stable("visit.phone")
    reencrypt(engine, model.phone)
    assert {note for _, note in session.execute(select(model.id, model.note))} == {"n0", "n1", "n2"}
    keys.disable(old)
    session.expire_all()
    assert session.scalars(select(model).where(model.phone == "p1")).one().note == "n1"


def test_what_cannot_be_bound(keys, engine):
    with pytest.raises(InvalidParameter):
        Encrypted(sa.String, keys["a"], row="id", deterministic=True)
    table = sa.Table(
        "made",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note", Encrypted(sa.Text, keys["a"], row="id")),
        sa.Column("wrong", Encrypted(sa.Text, keys["b"], row="note")),
    )
    table.create(engine)
    with engine.connect() as connection:
        with pytest.raises(NotBound, match="give the primary key"):
            connection.execute(table.insert(), {"note": "a"})
        with pytest.raises(NotBound, match="not the primary key"):
            connection.execute(table.insert(), {"id": 1, "wrong": "a"})
