"""Results that are opened as columns: the same rows as value by value, however they are fetched."""

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from privkit.errors import DecryptionFailed, InvalidValue
from privkit.integrations.sqlalchemy import Encrypted, reveal_rows

ROWS = 700
IDS = range(1, ROWS + 1)
WAYS = {
    "all": lambda result: result.all(),
    "list": list,
    "one at a time": lambda result: [*iter(result.fetchone, None)],
    "some and the rest": lambda result: [*(result.fetchone() for _ in range(20)), *result.fetchall()],
    "one, some, and the rest": lambda result: [
        *(result.fetchone() for _ in range(20)),
        *result.fetchmany(7),
        *result.fetchmany(300),
        *result,
    ],
    "partitions": lambda result: [row for part in result.partitions(90) for row in part],
    "yield_per": lambda result: list(result.yield_per(150)),
    "yield_per later": lambda result: [*(result.fetchone() for _ in range(20)), *result.yield_per(150)],
    "frozen": lambda result: result.freeze()().all(),
    "by key": lambda result: [(row["id"], row["note"], row["name"]) for row in result.mappings()],
    "unique": lambda result: result.unique().all(),
    "columns": lambda result: [(*row, f"n{row[0]}") for row in result.columns("id", "note")],
}


@pytest.fixture
def table(keys, engine):
    table = sa.Table(
        "memo",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note", Encrypted(sa.String(80), keys["memo.note"])),
        sa.Column("name", sa.String(80)),
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"id": n, "note": note_of(n), "name": f"n{n}"} for n in IDS])
    return table


def note_of(number):
    return None if number % 10 == 3 else f"note {number}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True], ids=["", "streamed"])
def test_rows_are_the_same_however_they_are_fetched(engine, table, way, streamed):
    query = select(table.c.id, table.c.note, table.c.name).order_by(table.c.id)
    expected = [(n, note_of(n), f"n{n}") for n in IDS]
    with engine.connect().execution_options(stream_results=streamed, max_row_buffer=100) as connection:
        assert WAYS[way](connection.execute(query)) == expected
        assert WAYS[way](reveal_rows(connection, query)) == expected


def test_few_rows_and_none(engine, table):
    with engine.connect() as connection:
        for how in (connection.execute, lambda query: reveal_rows(connection, query)):
            assert how(select(table.c.note).where(table.c.id == 5)).scalar_one() == "note 5"
            assert how(select(table.c.note).where(table.c.id < 3).order_by(table.c.id)).scalars().all() == [
                note_of(n) for n in (1, 2)
            ]
            assert how(select(table.c.note).where(table.c.id < 0)).all() == []
            assert how(select(table.c.note).where(table.c.id < 0)).first() is None
            assert how(select(table).order_by(table.c.id)).first() == (1, "note 1", "n1")


def test_objects_are_loaded_alike(engine, table):
    class Base(DeclarativeBase):
        metadata = table.metadata

    class Memo(Base):
        __table__ = table

    with Session(engine) as session:
        loaded = session.scalars(select(Memo).order_by(Memo.id)).all()
        assert [memo.note for memo in loaded] == [note_of(n) for n in IDS]
        session.expunge_all()
        streamed = session.scalars(select(Memo).order_by(Memo.id), execution_options={"yield_per": 200})
        assert [memo.note for memo in streamed] == [note_of(n) for n in IDS]
        written = session.scalars(
            sa.insert(Memo).returning(Memo, sort_by_parameter_order=True),
            [{"id": ROWS + 1 + n, "note": f"new {n}"} for n in range(300)],
        ).all()
        assert [memo.note for memo in written] == [f"new {n}" for n in range(300)]


def test_a_row_that_does_not_open_is_named(engine, table):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE memo SET note = substr(note, 1, 40) WHERE id IN (501, 502)"))
        query = select(table.c.note).order_by(table.c.id)
        for read in (
            lambda: connection.execute(query).all(),
            lambda: list(connection.execute(query)),
            lambda: reveal_rows(connection, query).all(),
            lambda: list(reveal_rows(connection, query).partitions(90)),
        ):
            with pytest.raises(DecryptionFailed) as caught:
                read()
            assert (caught.value.column, caught.value.rows[0]) == ("memo.note", 500)


@pytest.mark.parametrize("way", ["all", "list", "one, some, and the rest", "partitions"])
@pytest.mark.parametrize("part", [7, 150])
def test_rows_that_do_not_open_are_named_in_parts_of_any_size(engine, table, way, part):
    query = select(table.c.id, table.c.note, table.c.name).order_by(table.c.id)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE memo SET note = substr(note, 1, 40) WHERE id IN (651, 652, 655)"))
    for read in (sa.Connection.execute, reveal_rows):
        with engine.connect().execution_options(stream_results=True, yield_per=part) as connection:
            with pytest.raises(DecryptionFailed) as caught:
                WAYS[way](read(connection, query))
            assert caught.value.column == "memo.note"
            assert caught.value.rows[0] == 650
            assert set(caught.value.rows) <= {650, 651, 654}
    with engine.connect() as connection:
        for result in (connection.execute(query.where(table.c.id > 640)), reveal_rows(connection, query)):
            with pytest.raises(DecryptionFailed, match="at row") as caught:
                result.all()
            assert len(caught.value.rows) == 3


@pytest.mark.parametrize("rows", [20, 300])
def test_plaintexts_that_are_none_of_the_type_are_named(engine, keys, rows):
    table, plain = (
        sa.Table("birth", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("day", kind))
        for kind in (Encrypted(sa.Date, keys["birth.day"], text=True, mode="dual"), sa.String(60))
    )
    plain.create(engine)
    with engine.begin() as connection:
        connection.execute(plain.insert(), [{"day": "?" if at == 11 else "1990-01-02"} for at in range(rows)])
        with pytest.raises(InvalidValue) as caught:
            connection.execute(select(table.c.day).order_by(table.c.id)).all()
        assert (caught.value.column, caught.value.rows) == ("birth.day", (11,))


def test_joined_tables_and_the_same_column_twice(engine, keys):
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["person.name"]))

    Person.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Person(name=f"p{n}") for n in range(300))
        session.commit()
        other = sa.orm.aliased(Person)
        rows = session.execute(
            select(Person.name, other.name, Person.name.label("again"))
            .join(other, other.id == Person.id)
            .order_by(Person.id)
        ).all()
        assert rows == [(f"p{n}", f"p{n}", f"p{n}") for n in range(300)]
