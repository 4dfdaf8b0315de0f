"""What is refused of statements as a whole, and what is not."""

from functools import cache

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column, relationship

from privkit import fields
from privkit.integrations.sqlalchemy import (
    BlindIndex,
    Encrypted,
    FormatPreserved,
    NotSearchable,
    Tokenised,
    WouldWritePlaintext,
    check_statement,
)


@pytest.fixture
def models(keys, engine):
    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(80), keys["user.email"], deterministic=True), unique=True
        )
        other: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["user.other"], deterministic=True))
        phone: Mapped[str | None] = mapped_column(Encrypted(sa.String(20), keys["user.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["user.phone"], bits=32)
        note: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["user.note"]))
        orders: Mapped[list["Order"]] = relationship(
            "Order", primaryjoin="User.email == foreign(Order.buyer)", viewonly=True, order_by="Order.id"
        )

    class Order(Base):
        __tablename__ = "order"
        id: Mapped[int] = mapped_column(primary_key=True)
        buyer: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["user.email"], deterministic=True))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(User(email=f"u{n % 5 or n}@b.cn", note=f"n{n}", phone=f"{n}") for n in range(1, 5))
        session.add_all(Order(buyer=f"u{n % 2 + 1}@b.cn") for n in range(6))
        session.commit()
    return User, Order


REFUSED = {
    "other column": lambda user, _: select(user).where(user.email == user.note),
    "column of another key": lambda user, _: select(user).where(user.email == user.other),
    "plain column": lambda user, _: select(user).where(user.email == user.id),
    "plain column first": lambda user, _: select(user).where(user.id == user.email),
    "function": lambda user, _: select(user).where(user.email == func.lower("A")),
    "randomised columns": lambda user, _: select(user).where(user.note == aliased(user).note),
    "subquery of another": lambda user, _: select(user).where(user.email.in_(select(user.other))),
    "scalar of another": lambda user, _: select(user).where(
        user.email == select(user.other).limit(1).scalar_subquery()
    ),
    "tuples": lambda user, _: select(user).where(sa.tuple_(user.email, user.id).in_([("a", 1)])),
    "order": lambda user, _: select(user.id).order_by(user.email),
    "order of a table": lambda user, _: select(user.id).order_by(user.__table__.c.email),
    "order by desc": lambda user, _: select(user.id).order_by(sa.desc(user.email)),
    "order by nulls": lambda user, _: select(user.id).order_by(sa.nulls_last(sa.asc(user.email))),
    "order by label": lambda user, _: select(user.note.label("what")).order_by("what"),
    "order by a labelled": lambda user, _: select(label := user.note.label("what")).order_by(label),
    "order by name": lambda user, _: select(user.id, user.note).order_by(sa.desc("note")),
    "order of a subquery": lambda user, _: select(select(user.id).order_by(user.note).limit(3).subquery()),
    "order of a subquery's column": lambda user, _: select(s := select(user.note).subquery()).order_by(s.c.note),
    "order of a window": lambda user, _: select(func.row_number().over(order_by=user.email)),
    "windows of randomised": lambda user, _: select(func.count().over(partition_by=user.note)),
    "lower": lambda user, _: select(user.id).where(func.lower(user.email) == "u1@b.cn"),
    "length": lambda user, _: select(func.length(user.email)),
    "min": lambda user, _: select(func.min(user.email)),
    "concat": lambda user, _: select(func.concat(user.email, "a")),
    "aggregate": lambda user, _: select(func.array_agg(user.email)),
    "lag": lambda user, _: select(func.lag(user.email).over(order_by=user.id)),
    "count of different randomised": lambda user, _: select(func.count(sa.distinct(user.note))),
    "coalesce": lambda user, _: select(func.coalesce(user.email, "none")),
    "coalesce of two fields": lambda user, _: select(func.coalesce(user.email, user.other)),
    "case": lambda user, _: select(sa.case((user.id == 1, user.email), else_="none")),
    "cast": lambda user, _: select(sa.cast(user.email, sa.String)),
    "extract": lambda user, _: select(sa.extract("year", user.email)),
    "group by randomised": lambda user, _: select(user.note, func.count()).group_by(user.note),
    "distinct randomised": lambda user, _: select(user.note).distinct(),
    "union with plain": lambda user, _: select(user.email).union_all(select(sa.literal("a"))),
    "union of plain with it": lambda user, _: select(sa.literal("a")).union_all(select(user.email)),
    "union of two fields": lambda user, _: select(user.email).union_all(select(user.other)),
    "union of randomised": lambda user, _: select(user.note).union(select(user.note)),
    "condition": lambda user, _: select(user.id).where(user.email),
    "part of a condition": lambda user, _: select(user.id).where(sa.or_(user.id == 1, user.email)),
    "condition of a case": lambda user, _: select(sa.case((user.email, 1), else_=2)),
    "list of columns": lambda user, _: select(user.id).where(sa.literal("a").in_([user.email, user.other])),
    "part of a union that is written": lambda user, _: sa.update(user).values(
        email=select(select(user.email).union_all(select(sa.literal("a"))).subquery().c.email).scalar_subquery()
    ),
    "lambda": lambda user, _, value="a": sa.lambda_stmt(lambda: select(user.id).where(user.email == value)),
    "order of a window by name": lambda user, _: select(user.note, func.row_number().over(order_by="note")),
    "added up": lambda user, _: select(user.id + user.id + user.email),
    "concatenated": lambda user, _: select(sa.literal("a").concat("b").concat(user.email)),
    "value first": lambda user, _: select("a" + user.email),
    "between": lambda user, _: select(user.id).where(sa.literal("a").between("a", user.email)),
    "case of it": lambda user, _: select(sa.case({"u1@b.cn": 1}, value=user.email)),
    "case with it": lambda user, _: select(sa.case((user.email, 1), value=sa.literal("u1@b.cn"))),
    "nullif of randomised": lambda user, _: select(func.nullif(user.note, user.note)),
    "condition of an aggregate": lambda user, _: select(func.count(user.id).filter(user.email)),
    "condition of a window": lambda user, _: select(func.count(user.id).filter(user.email).over()),
    "condition of a join": lambda user, order: select(user.id).join(order, user.__table__.c.email),
    "condition of a table's join": lambda user, order: select(sa.join(user.__table__, order.__table__, order.buyer)),
    "subquery's other part": lambda user, _: select(user.id).where(
        user.email.in_(select(user.email).union_all(select(sa.literal("a"))))
    ),
}


def token(user):
    return tokens(user).c.token


def phone(user):
    return tokens(user).c.phone


REFUSED_OF_STAND_INS = {
    "order of tokens": lambda user: select(token(user)).order_by(token(user)),
    "order of preserved": lambda user: select(phone(user)).order_by(sa.desc(phone(user))),
    "order by name": lambda user: select(token(user)).order_by("token"),
    "less": lambda user: select(token(user)).where(phone(user) < "2"),
    "like": lambda user: select(token(user)).where(phone(user).like("1%")),
    "concat": lambda user: select(phone(user) + "a"),
    "value first in concat": lambda user: select("a" + phone(user)),
    "added up": lambda user: select(sa.literal("a").concat("b").concat(token(user))),
    "order of an aggregate": lambda user: select(
        func.array_agg(postgresql.aggregate_order_by(user.id, sa.desc(phone(user))))
    ),
    "lower": lambda user: select(func.lower(token(user))),
    "max": lambda user: select(func.max(phone(user))),
    "cast": lambda user: select(sa.cast(phone(user), sa.Integer)),
    "condition": lambda user: select(token(user)).where(token(user)),
    "plain column": lambda user: select(user.id).where(token(user) == user.id),
    "value first": lambda user: select(token(user)).where(sa.literal("u1@b.cn") == token(user)),
    "of two kinds": lambda user: select(token(user)).union_all(select(phone(user))),
    "beside a ciphertext": lambda user: select(
        func.coalesce(token(user), sa.type_coerce(phone(user), user.__table__.c.email.type))
    ),
    "coalesce": lambda user: select(func.coalesce(phone(user), "none")),
    "lambda": lambda user, value="a": sa.lambda_stmt(lambda: select(user.id).where(token(user) == value)),
}


@pytest.mark.parametrize("what", REFUSED_OF_STAND_INS)
def test_of_stand_ins_nothing_but_equality_is_asked(engine, models, what):
    with Session(engine) as session, pytest.raises(NotSearchable):
        session.execute(REFUSED_OF_STAND_INS[what](models[0]))


def test_equality_of_stand_ins(engine, models):
    table = tokens(models[0])
    numbers = ["13812345678", "13987654321"]
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"token": f"t{n % 2}", "phone": numbers[n % 2]} for n in range(5)])
        of_ones = select(func.count()).select_from(table)
        for same in (
            table.c.token == "t1",  # noqa: S105 - no token of that kind
            table.c.token == sa.literal("t1"),
            table.c.token.in_(["t1", "t2"]),
            table.c.token == select(table.c.token).where(table.c.phone == numbers[1]).limit(1).scalar_subquery(),
            table.c.phone != numbers[0],
        ):
            assert connection.scalar(of_ones.where(same)) == 2
        assert connection.scalar(of_ones.where(table.c.token == sa.bindparam("value")), {"value": "t1"}) == 2
        assert connection.scalar(select(func.count(table.c.token.distinct()))) == 2
        assert dict(connection.execute(select(table.c.phone, func.count()).group_by(table.c.phone)).all()) == {
            numbers[0]: 3,
            numbers[1]: 2,
        }
        other = table.alias()
        assert len(connection.execute(select(table.c.phone).join(other, other.c.token == table.c.token)).all()) == 13
        shapes = select(func.length(sa.type_coerce(table.c.phone, sa.String))).distinct()
        assert connection.scalars(shapes).all() == [11]


def test_comparisons_that_are_never_null(engine, keys):
    table = sa.Table(
        "flag",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("ok", Encrypted(sa.Boolean, keys["flag.ok"], deterministic=True)),
        sa.Column("name", Encrypted(sa.String(9), keys["flag.name"], index="name_idx")),
        BlindIndex(keys["flag.name"], bits=4, name="name_idx"),
    )
    with engine.begin() as connection:
        table.create(connection)
        rows = [(1, True, "a"), (2, False, "b"), (3, None, None)]
        connection.execute(table.insert(), [dict(zip(("id", "ok", "name"), row, strict=True)) for row in rows])

        def found(condition):
            return connection.scalars(select(table.c.id).where(condition).order_by(table.c.id)).all()

        assert found(table.c.ok.is_(False)) == found(table.c.ok.is_(sa.false())) == [2]
        assert found(table.c.ok.is_not(False)) == found(sa.not_(table.c.ok.is_(False))) == [1, 3]
        assert found(table.c.ok.is_(None)) == found(table.c.ok == sa.null()) == [3]
        assert found(table.c.ok.is_not(None)) == found(table.c.ok != None) == [1, 2]  # noqa: E711 - SQL's null
        assert found(table.c.name.is_distinct_from("a")) == [2, 3]
        assert found(table.c.name.is_not_distinct_from("a")) == [1]
        assert found(table.c.name.is_distinct_from(None)) == [1, 2]


def test_a_value_that_stands_first_is_refused_with_the_remedy(engine, models):
    with Session(engine) as session, pytest.raises(NotSearchable, match="and the column first"):
        session.execute(select(models[0].id).where(sa.literal("u1@b.cn") == models[0].email))


WRITING = {
    "rows of tuples": lambda user, _: sa.insert(user.__table__).values([(8, "a"), (9, func.lower("A"))]),
    "parameter of a query": lambda user, _: sa.insert(user).from_select(
        ["email"], select(sa.bindparam("a", required=False))
    ),
    "union": lambda user, _: sa.insert(user).from_select(
        ["email"], select(user.email).union_all(select(sa.literal_column("'a'")))
    ),
    "inserted beside": lambda user, _: select(
        sa.insert(user).values(email=func.lower("A")).returning(user.id).cte().c.id
    ),
    "of another index": lambda user, _: sa.insert(user).from_select(
        ["phone"], select(sa.type_coerce(user.note, Encrypted(sa.String(20), user.phone.type.field_key)).label("phone"))
    ),
    "token": lambda user, _: sa.insert(tokens(user)).values(token=func.lower("A")),
    "token of a query": lambda user, _: sa.insert(tokens(user)).from_select(["phone"], select(sa.literal("1"))),
}


@cache
def tokens(user):
    key = user.__table__.c.email.type.field_key
    return sa.Table(
        "tokens",
        sa.MetaData(),
        sa.Column("token", Tokenised(key)),
        sa.Column("phone", FormatPreserved(sa.String(20), fields.CN_MOBILE, key)),
    )


@pytest.mark.parametrize("what", WRITING)
def test_what_would_write_plaintext_is_refused(engine, models, what):
    with Session(engine) as session, pytest.raises(WouldWritePlaintext):
        session.execute(WRITING[what](*models))


@pytest.mark.parametrize(
    "said", [{"server_default": "a"}, {"default": func.lower("A")}, {"onupdate": func.lower("A")}], ids=str
)
def test_the_database_makes_no_defaults(keys, said):
    kinds = [Encrypted(sa.String(20), keys["a.b"], mode="dual", text=True), Tokenised(keys["a.b"])]
    for kind in kinds:
        with pytest.raises(WouldWritePlaintext):
            sa.Table("t", sa.MetaData(), sa.Column("a", kind, **said))
    plain = Encrypted(sa.String(20), keys["a.b"], mode="plaintext_ok", text=True)
    sa.Table("t", sa.MetaData(), sa.Column("a", plain, **said))


@pytest.mark.parametrize("what", REFUSED)
def test_what_means_nothing_is_refused(engine, models, what):
    with Session(engine) as session:
        for _ in range(2):
            with pytest.raises(NotSearchable):
                session.execute(REFUSED[what](*models))
        assert session.scalar(select(func.count()).select_from(models[0])) == 4


def test_what_means_something_is_not(engine, models):
    user, order = models
    other = aliased(user)
    with Session(engine) as session:
        assert session.scalar(select(func.count(user.email))) == 4
        assert session.scalar(select(func.count(sa.distinct(user.email)))) == 4
        assert session.scalar(select(func.count(order.buyer.distinct()))) == 2
        grouped = session.execute(select(order.buyer, func.count()).group_by(order.buyer)).all()
        assert sorted(map(tuple, grouped)) == [("u1@b.cn", 3), ("u2@b.cn", 3)]
        assert set(session.scalars(select(order.buyer).distinct())) == {"u1@b.cn", "u2@b.cn"}
        assert len(session.scalars(select(user).distinct().join(order, user.email == order.buyer)).all()) == 2
        joined = select(user.id, user.note, func.count(order.id)).join(order, user.email == order.buyer)
        grouped = session.execute(joined.group_by(user.id, user.note).order_by(user.id)).all()
        assert grouped == [(1, "n1", 3), (2, "n2", 3)]
        assert session.scalars(select(func.coalesce(user.email, user.email)).where(user.id == 1)).all() == ["u1@b.cn"]
        chosen = sa.case((user.id == 1, user.email), else_=sa.null())
        assert session.scalars(select(chosen).order_by(user.id)).all() == ["u1@b.cn", None, None, None]
        length = func.length(sa.type_coerce(user.email, sa.LargeBinary))
        assert session.scalar(select(length).where(user.id == 1)) == 5 + 16 + 1 + len("u1@b.cn")
        assert set(session.scalars(select(user.id).where(user.email.in_(select(order.buyer))))) == {1, 2}
        assert set(session.scalars(select(user.id).where(user.email.not_in(select(order.buyer))))) == {3, 4}
        exists = select(user.id).where(sa.exists().where(order.buyer == user.email)).order_by(user.id)
        assert session.scalars(exists).all() == [1, 2]
        assert session.scalars(select(user.id).join(other, other.email == user.email).order_by(user.id)).all() == [
            1,
            2,
            3,
            4,
        ]
        both = select(user.email).where(user.id < 3).union_all(select(order.buyer).where(order.id == 1))
        assert sorted(session.scalars(both)) == ["u1@b.cn", "u1@b.cn", "u2@b.cn"]
        numbered = select(user.id, func.row_number().over(partition_by=user.email, order_by=user.id))
        assert sorted(map(tuple, session.execute(numbered))) == [(n, 1) for n in range(1, 5)]


def test_relationships_over_equal_ciphertexts(engine, models):
    user, order = models
    with Session(engine) as session:
        assert [bought.id for bought in session.get(user, 1).orders] == [1, 3, 5]
        session.expunge_all()
        for how in (sa.orm.selectinload, sa.orm.joinedload):
            loaded = session.scalars(select(user).options(how(user.orders)).order_by(user.id)).unique().all()
            assert [len(one.orders) for one in loaded] == [3, 3, 0, 0]
            session.expunge_all()
        assert session.scalars(select(user.id).where(user.orders.any(order.id == 2))).all() == [2]


SAID_BY_SOME = {
    "order of an aggregate": lambda user, _: select(func.array_agg(postgresql.aggregate_order_by(user.id, user.email))),
    "orders of an aggregate": lambda user, _: select(
        func.array_agg(postgresql.aggregate_order_by(user.id, user.id, sa.desc(user.email)))
    ),
    "order within a group": lambda user, _: select(func.percentile_disc(0.5).within_group(user.email)),
    "array": lambda user, _: select(postgresql.array([user.email])),
    "replaced by": lambda user, _: select(sa.literal("a").regexp_replace("a", user.email)),
    "condition of an upsert": lambda user, _: (
        postgresql.insert(user)
        .values(id=1)
        .on_conflict_do_update(index_elements=["id"], set_={"id": 2}, where=user.email)
    ),
}
"""What not all databases have words for."""
if hasattr(sa.sql.elements, "AggregateOrderBy"):  # since SQLAlchemy 2.1
    SAID_BY_SOME["ordered aggregate"] = lambda user, _: select(func.array_agg(user.id).aggregate_order_by(user.email))


@pytest.mark.parametrize("what", SAID_BY_SOME)
def test_what_means_nothing_is_refused_without_executing(models, what):
    with pytest.raises(NotSearchable):
        check_statement(SAID_BY_SOME[what](*models))


def test_upserts_write_values_and_nothing_computed(engine, models):
    user = models[0]
    dialects = {"sqlite": sqlite, "postgresql": postgresql}
    if engine.dialect.name not in dialects:
        pytest.skip("MariaDB says it in another way")
    insert = dialects[engine.dialect.name].insert
    with Session(engine) as session:
        upsert = insert(user).values(email="u1@b.cn", note="new")
        session.execute(upsert.on_conflict_do_update(index_elements=["email"], set_={"note": upsert.excluded.note}))
        session.execute(upsert.on_conflict_do_update(index_elements=["email"], set_={"phone": "999"}))
        assert session.execute(select(user.note, user.phone).where(user.phone == "999")).all() == [("new", "999")]
        for wrong in (func.upper("a"), upsert.excluded.email, user.id):
            with pytest.raises(WouldWritePlaintext):
                session.execute(upsert.on_conflict_do_update(index_elements=["email"], set_={"note": wrong}))


def test_objects_in_the_session_follow_an_update_that_was_looked_up(engine, models):
    user = models[0]
    with Session(engine) as session:
        loaded = session.scalars(select(user).where(user.phone == "2")).one()
        for criterion in (user.email == "u2@b.cn", user.email != "u1@b.cn", user.phone == "2"):
            session.execute(sa.update(user).where(criterion).values(note="changed"))
            assert loaded.note == "changed"
            session.rollback()
            assert loaded.note == "n2"


def test_the_candidates_of_a_statement_that_is_only_looked_at_are_not_read(engine, models):
    statement = select(models[0]).where(models[0].phone == "2")
    with engine.connect() as connection:
        connection.execute(statement)
        with pytest.raises(NotSearchable, match="execute the statement"):
            statement.compile().params  # noqa: B018 - it asks for them
