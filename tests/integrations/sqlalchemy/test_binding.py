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


def test_a_new_primary_key_is_refused_however_it_is_written(session, model):
    table, old, new = model.__table__, key(model, 0), key(model, 9)
    for statement, given in [
        (sa.update(table).where(table.c.id == old).values(id=new), {}),
        (sa.update(table).where(table.c.id == old), {"id": new}),
        (sa.update(table).where(table.c.id == old), {"id": new, "note": "n9"}),
    ]:
        with pytest.raises(NotBound, match="is changed"):
            session.execute(statement, given)
    for values in ({}, {"note": "n9"}):
        visit = session.get(model, old)
        for name, value in {"id": new, **values}.items():
            setattr(visit, name, value)
        with pytest.raises(NotBound, match="is changed"):
            session.flush()
        session.rollback()
    assert session.get(model, old).note == "n0"


@pytest.mark.parametrize("count", [3, 300])
def test_rows_that_an_outer_join_does_not_find_are_null(session, model, count):
    session.add_all(model(id=key(model, n), note=f"n{n}", phone=f"p{n}") for n in range(3, count))
    session.flush()
    session.expire_all()
    other = aliased(model)
    query = select(model, other).outerjoin(other, (other.id == model.id) & (other.id > key(model, 1)))
    query = query.order_by(model.id)
    found = session.execute(query).all()
    assert [(one.note, two and two.note) for one, two in found] == [
        (f"n{n}", f"n{n}" if n > 1 else None) for n in range(count)
    ]
    assert session.execute(select(other.note, other.id).select_from(model).outerjoin(other, sa.false())).all() == (
        [(None, None)] * count
    )
    unnamed = select(model.note, other.id).outerjoin(other, sa.false())
    with pytest.raises(NotBound):
        session.execute(unnamed).all()


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


@pytest.fixture
def sale(keys, engine):
    class Base(DeclarativeBase):
        pass

    class Sale(Base):
        __tablename__ = "sale"
        shop: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
        number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=lambda: 99)
        buyer: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(80), keys["sale.buyer"], row=["shop", "number"], index="buyer_idx")
        )
        buyer_idx = BlindIndex(keys["sale.buyer"], bits=8)
        plain: Mapped[str | None] = mapped_column(sa.String(20))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Sale(shop=shop, number=number, buyer=f"{shop} {number}") for shop, number in SALES)
        session.commit()
    return Sale


SALES = [("1", 23), ("12", 3), ("2", 3)]
"""The first two are one text."""


def test_keys_of_several_columns_say_the_row(engine, sale):
    buyers = [f"{shop} {number}" for shop, number in SALES]
    alias = aliased(sale)
    with Session(engine) as session:
        for query in (
            select(sale.buyer, sale.shop, sale.number).order_by(sale.shop),
            select(sale.number, sale.buyer, sale.shop).order_by(sale.shop),
            select(alias.shop, alias.number, alias.buyer).order_by(alias.shop),
        ):
            for rows in (session.execute(query).all(), reveal_rows(session, query).all()):
                assert [row.buyer for row in rows] == buyers
        assert session.scalar(select(sale.buyer).where(sale.shop == "12", sale.number == 3)) == "12 3"
        assert session.execute(select(sale.buyer, sale.number).where(sale.shop == "1")).all() == [("1 23", 23)]
        assert session.get(sale, ("2", 3)).buyer == "2 3"
        assert session.scalars(
            select(sale.number).where(sale.buyer.in_(["1 23", "2 3"])).order_by(sale.shop)
        ).all() == [
            23,
            3,
        ]
        for query in (select(sale.buyer, sale.shop), select(sale.buyer).where(sale.number == 3)):
            with pytest.raises(NotBound, match="select the primary key"):
                session.execute(query).all()


def test_keys_of_several_columns_bind_what_is_written(engine, sale):
    table = sale.__table__
    with Session(engine) as session:
        one = session.get(sale, ("2", 3))
        one.buyer = "changed"
        session.add(sale(shop="3", buyer="made"))  # the rest of its key comes of the default
        session.flush()
        session.execute(sa.update(sale).where(sale.number == 3, sale.shop == "12").values(buyer="by key"))
        session.execute(sa.update(sale), [{"shop": "1", "number": 23, "buyer": "in bulk"}])
        session.execute(table.insert(), [{"shop": "many", "number": n, "buyer": f"m{n}"} for n in range(200)])
        session.commit()
        found = session.execute(select(sale.shop, sale.number, sale.buyer).where(sale.shop != "many")).all()
        assert set(found) == {("1", 23, "in bulk"), ("12", 3, "by key"), ("2", 3, "changed"), ("3", 99, "made")}
        many = session.execute(select(sale.number, sale.buyer).where(sale.shop == "many")).all()
        assert set(many) == {(n, f"m{n}") for n in range(200)}
        for statement in (
            sa.update(sale).where(sale.shop == "1").values(buyer="to some"),
            sa.update(sale).where(sale.shop == "1", sale.number == 23).values(number=24),
            table.insert().values(number=5, buyer="a"),
        ):
            with pytest.raises((NotBound, InvalidParameter)):
                session.execute(statement)
            session.rollback()


def test_keys_of_several_columns_have_names_of_their_own(engine, sale, keys):
    with engine.begin() as connection:
        stored = sa.text("SELECT buyer FROM sale WHERE shop = '1'")
        sealed = bytes(connection.scalar(stored))
        encrypt = sale.__table__.c.buyer.type.encrypt
        assert encrypt.reveal(sealed, row=b"\x00\x00\x00\x011\x00\x00\x00\x0223") == "1 23"
        connection.execute(sa.text("UPDATE sale SET buyer = :v WHERE shop = '12'"), {"v": sealed})
    with Session(engine) as session, pytest.raises(DecryptionFailed, match="at row"):
        session.get(sale, ("12", 3))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE sale SET buyer = null WHERE shop = '12'"))
    keys.rotate()
    assert reencrypt(engine, sale.buyer, batch=1).replaced == 2
    with Session(engine) as session:
        assert session.get(sale, ("1", 23)).buyer == "1 23"


def test_a_key_is_named_whole_and_in_its_order(engine, keys):
    for row in ("shop", ("number", "shop"), ("shop", "number", "id")):
        table = sa.Table(
            "sale",
            sa.MetaData(),
            *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in ("shop", "number")),
            sa.Column("buyer", Encrypted(sa.Text, keys["sale.buyer"], row=row)),
        )
        with engine.connect() as connection, pytest.raises(NotBound, match="'shop' and 'number'"):
            connection.execute(table.insert(), {"shop": 1, "number": 1, "buyer": "a"})
