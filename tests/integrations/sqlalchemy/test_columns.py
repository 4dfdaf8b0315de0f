import datetime as dt
import enum
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from privkit import Mask, fields
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, KeyUnavailable, WrongType
from privkit.integrations.purposes import FieldViews, reveal_as
from privkit.integrations.sqlalchemy import (
    BlindIndex,
    Encrypted,
    FormatPreserved,
    NotSearchable,
    Tokenised,
    WouldWritePlaintext,
)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


UTC = dt.UTC
TYPES = [
    (sa.String(10), ["", "放门口", "x" * 10]),
    (sa.Text, ["", "x" * 5000]),
    (sa.LargeBinary, [b"", b"\x00\xff"]),
    (sa.Integer, [0, -5, 2**62]),
    (sa.Boolean, [False, True]),
    (sa.Float, [0.0, 0.1]),
    (sa.Numeric(10, 2), [Decimal("0.00"), Decimal("12.50")]),
    (sa.Date, [dt.date(1990, 1, 2)]),
    (sa.DateTime, [dt.datetime(2026, 1, 2, 3, 4, 5, 6)]),
    (sa.DateTime(timezone=True), [dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)]),
    (sa.Time, [dt.time(3, 4, 5, 6)]),
    (sa.Enum(Colour), [Colour.RED]),
    (sa.JSON, [{"a": [1, None]}, [], {}]),
    (sa.Uuid, [uuid.UUID(int=7)]),
    (sa.Interval, [dt.timedelta(days=1, seconds=5)]),
]


@pytest.fixture
def model(keys):
    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(80), keys["user.email"], deterministic=True), unique=True
        )
        phone: Mapped[str | None] = mapped_column(Encrypted(sa.String(20), keys["user.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["user.phone"], bits=4, field=fields.CN_MOBILE)
        note: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["user.note"]))

    return User


@pytest.fixture
def session(engine, model):
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            model(email=f"u{number}@b.cn", phone=f"1381234{number:04}", note=str(number)) for number in range(60)
        )
        session.add(model(note=""))
        session.commit()
        yield session


@pytest.mark.parametrize("text", [False, True], ids=["bytes", "text"])
@pytest.mark.parametrize(("base", "values"), TYPES, ids=lambda value: "" if isinstance(value, list) else str(value))
def test_types_come_back(keys, base, values, text):
    engine = sa.create_engine("sqlite://")
    for deterministic in (False, True):
        kind = Encrypted(base, keys["t.v"], deterministic=deterministic, text=text)
        table = sa.Table(f"t{deterministic}", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("v", kind))
        with engine.begin() as connection:
            table.create(connection)
            connection.execute(table.insert(), [{"id": n, "v": v} for n, v in enumerate([*values, None])])
            read = connection.execute(select(table.c.v).order_by(table.c.id)).scalars().all()
            assert [(value, type(value)) for value in read] == [(value, type(value)) for value in [*values, None]]
            raw = sa.type_coerce(table.c.v, kind.stored_type())
            stored = connection.execute(select(raw).order_by(table.c.id)).scalars().all()
            assert {type(value) for value in stored[:-1]} == {str if text else bytes}
            assert stored[-1] is None
            if kind.ciphertext_length is not None:
                assert all(len(value) <= kind.ciphertext_length for value in stored[:-1])
            if deterministic:
                for number, value in enumerate(values):
                    assert connection.scalar(select(table.c.id).where(table.c.v == value)) == number


def test_the_longest_value_has_the_published_length(keys):
    for text in (False, True):
        kind = Encrypted(sa.String(5), keys["a"], text=text)
        assert len(kind.write("\U0001f600" * 5)) == kind.ciphertext_length
    assert Encrypted(sa.Text, keys["a"]).ciphertext_length is None
    number = Encrypted(sa.Numeric(6, 2), keys["a"])
    assert len(number.write(Decimal("-1234.56"))) == number.ciphertext_length - 1
    small = Encrypted(sa.Numeric(2, 2), keys["a"])
    assert len(small.write(Decimal("-0.12"))) == small.ciphertext_length


def raw(session, text):
    """SQL as the database says it: each quotes a reserved name in its own way."""
    quote = session.get_bind().dialect.identifier_preparer.quote_identifier
    return sa.text(text.format(user=quote("user")))


def test_the_database_sees_no_plaintext(session, model):
    rows = session.execute(raw(session, "SELECT email, phone, phone_idx, note FROM {user}")).all()
    whole = b"".join(bytes(value) for row in rows for value in row if value is not None)
    assert b"b.cn" not in whole
    assert b"13812" not in whole
    notes = session.execute(raw(session, "SELECT note FROM {user}")).scalars().all()
    assert len(set(map(bytes, notes))) == len(notes)
    assert session.scalars(select(model.note).where(model.note.is_not(None), model.email.is_(None))).all() == [""]


def test_deterministic_lookups(session, model):
    assert session.scalars(select(model.note).where(model.email == "u7@b.cn")).all() == ["7"]
    assert session.scalars(select(model).where(model.email == "u7@b.cn")).one().phone == "13812340007"
    some = select(model.note).where(model.email.in_(["u7@b.cn", "u9@b.cn", "no"])).order_by(model.id)
    assert session.scalars(some).all() == ["7", "9"]
    assert session.scalars(select(model.note).where(model.email.in_([]))).all() == []
    for none in (model.email == None, model.email.is_(None)):  # noqa: E711 - how SQLAlchemy writes it
        assert session.scalars(select(model.note).where(none)).all() == [""]
    count = select(sa.func.count()).select_from(model)
    for some in (model.email != None, model.email.is_not(None)):  # noqa: E711 - as above
        assert session.scalar(count.where(some)) == 60
    assert session.scalar(count.where(model.email != "u7@b.cn")) == 59
    assert session.scalar(count.where(model.email.not_in(["u7@b.cn", "u9@b.cn"]))) == 58
    other = aliased(model)
    joined = select(other.note).join(model, model.email == other.email).where(other.email == "u5@b.cn")
    assert session.scalars(joined).all() == ["5"]
    inner = select(model.email).where(model.email == "u6@b.cn")
    assert session.scalars(select(model.note).where(model.email.in_(inner))).all() == ["6"]
    sub = select(model.email, model.id).subquery()
    assert session.scalars(select(sub.c.id).where(sub.c.email == "u5@b.cn")).all() == [6]
    named = select(model.note).where(model.email == sa.bindparam("address"))
    assert session.scalars(named, {"address": "u8@b.cn"}).all() == ["8"]


def test_indexed_lookups_are_exact_although_indexes_collide(session, model):
    count = select(sa.func.count()).select_from(model)
    indexes = session.scalars(select(model.phone_idx).where(model.phone_idx.is_not(None))).all()
    assert len(set(indexes)) <= 16 < len(indexes)
    assert session.scalars(select(model.note).where(model.phone == "13812340007")).all() == ["7"]
    assert session.scalars(select(model.note).where(model.phone == "+86 138-1234-0007")).all() == ["7"]
    assert session.scalar(count.where(model.phone.in_(["13812340007", "13812340009", "13812349999"]))) == 2
    assert session.scalar(count.where(model.phone != "13812340007")) == 59
    assert session.scalar(count.where(model.phone == "13812349999")) == 0
    assert session.scalar(count.where(model.phone.is_(None))) == 1
    other = aliased(model)
    both = select(other.note).join(model, model.id == other.id).where(other.phone == "13812340003")
    assert session.scalars(both.where(model.phone == "13812340003")).all() == ["3"]
    limited = select(model.note).where(model.phone.in_(["13812340007", "13812340008"])).order_by(model.id).limit(1)
    assert session.scalars(limited).all() == ["7"]
    exists = select(sa.exists().where(other.phone == "13812340003"))
    assert session.scalar(exists) in (True, 1)


def test_a_statement_finds_what_is_there_when_it_is_executed(session, model):
    statement = select(model.id).where(model.phone == "13800000000")
    assert session.scalars(statement).all() == []
    session.add(model(phone="13800000000"))
    assert len(session.scalars(statement).all()) == 1  # flushed, not yet committed
    session.execute(sa.delete(model).where(model.phone == "13800000000"))
    assert session.scalars(statement).all() == []


def test_updates_and_deletes(session, model):
    for criterion in (model.email == "u5@b.cn", model.phone == "13812340005"):
        loaded = session.scalars(select(model).where(criterion)).one()
        assert session.execute(sa.update(model).where(criterion).values(note="changed")).rowcount == 1
        assert loaded.note == "changed"
        session.rollback()
    session.execute(sa.update(model).where(model.email == "u5@b.cn").values(phone="13900000000"))
    assert session.scalars(select(model.email).where(model.phone == "13900000000")).all() == ["u5@b.cn"]


def test_no_way_of_writing_lets_the_index_go_stale(engine, session, model):
    table = model.__table__
    session.commit()
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"phone": f"1390000000{n}"} for n in range(5)])
        connection.execute(table.update().where(table.c.phone == "13900000003").values(phone="13900000009"))
        assert len(connection.execute(select(table.c.id).where(table.c.phone == "13900000009")).all()) == 1
        copied = select(table.c.phone).where(table.c.phone == "13900000001")
        connection.execute(table.insert().from_select(["phone"], copied))
        assert len(connection.execute(select(table.c.id).where(table.c.phone == "13900000001")).all()) == 2
    session.execute(sa.insert(model), [{"phone": "13911111111"}, {"phone": "13911111112"}])
    assert len(session.scalars(select(model).where(model.phone == "13911111112")).all()) == 1


def test_nothing_computed_is_written(session, model):
    table = model.__table__
    computed = [
        sa.update(model).values(email=sa.func.upper("a")),
        sa.update(model).values(note=model.email),
        table.update().values({table.c.note: table.c.id}),
        table.update().ordered_values((table.c.note, sa.literal_column("'a'"))),
        table.insert().values(note=sa.func.lower("A")),
        table.insert().from_select(["note"], select(sa.literal("a"))),
        table.insert().from_select(["note"], select(table.c.email)),
        sa.update(model).values(note=select(sa.func.max(model.id)).scalar_subquery()),
    ]
    for statement in computed:
        with pytest.raises(WouldWritePlaintext):
            session.execute(statement)
    session.execute(sa.update(model).where(model.id == 1).values(note=None))
    session.execute(sa.update(model).where(model.id == 2).values(note=model.note))
    session.execute(sa.update(model).where(model.id == 3).values(note=sa.null()))
    session.execute(table.insert().from_select(["note"], select(table.c.note).where(table.c.id == 4)))
    assert session.scalars(select(model.note).where(model.id.in_([1, 2, 3])).order_by(model.id)).all() == [
        None,
        "1",
        None,
    ]


def test_uniqueness_is_the_databases(session, model):
    session.add(model(email="u5@b.cn"))
    with pytest.raises(sa.exc.IntegrityError) as caught:
        session.flush()
    assert "u5@b.cn" not in str(caught.value)


REFUSED = {
    "like": lambda user: user.email.like("a%"),
    "less": lambda user: user.email < "a",
    "contains": lambda user: user.email.contains("a"),
    "startswith": lambda user: user.note.startswith("a"),
    "concat": lambda user: user.email + "a",
    "desc": lambda user: user.email.desc(),
    "between": lambda user: user.email.between("a", "b"),
    "randomised": lambda user: user.note == "a",
    "randomised in": lambda user: user.note.in_(["a"]),
    "index out of reach": lambda user: select(user.phone).subquery().c.phone == "a",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_ciphertexts_cannot_answer(model, what):
    with pytest.raises(NotSearchable):
        REFUSED[what](model)


def test_errors_are_errors(session, model):
    swap = raw(session, "UPDATE {user} SET note = (SELECT u.email FROM {user} u WHERE u.id = 2) WHERE id = 1")
    session.execute(swap)
    with pytest.raises(DecryptionFailed, match=r"column 'user.note'"):
        session.scalars(select(model.note).where(model.id == 1)).all()
    for stored in (b"", b"plain", bytes(60)):
        session.execute(raw(session, "UPDATE {user} SET note = :stored WHERE id = 1"), {"stored": stored})
        with pytest.raises(DecryptionFailed):
            session.scalars(select(model.note).where(model.id == 1)).all()


def test_an_index_altered_in_the_stored_value_is_noticed(session, model):
    whole = session.execute(raw(session, "SELECT phone FROM {user} WHERE id = 1")).scalar_one()
    altered = bytes(whole[:6]) + bytes([whole[6] ^ 0x10]) + bytes(whole[7:])
    session.execute(raw(session, "UPDATE {user} SET phone = :altered WHERE id = 1"), {"altered": altered})
    with pytest.raises(DecryptionFailed):
        session.scalars(select(model.phone).where(model.id == 1)).all()


def test_wrong_values_are_refused_without_being_quoted(session, model):
    for wrong in ({"note": 5}, {"note": "s3cret" * 20}):
        session.add(model(**wrong))
        with pytest.raises((WrongType, InvalidValue)) as caught:
            session.flush()
        assert "s3cret" not in str(caught.value)
        session.rollback()
    with pytest.raises(WrongType):
        session.execute(select(model.id).where(model.email == 5))


def test_a_disabled_version_is_said_to_be(session, model, keys):
    old = keys.primary_id
    keys.rotate()
    keys.disable(old)
    with pytest.raises(KeyUnavailable):
        session.scalars(select(model.note)).all()


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        (sa.Integer, True),
        (sa.Integer, "1"),
        (sa.Boolean, 2),
        (sa.Numeric(5, 2), Decimal("1.234")),
        (sa.Numeric(5, 2), Decimal(1000)),
        (sa.Numeric, Decimal("NaN")),
        (sa.Date, dt.datetime(2026, 1, 1)),
        (sa.DateTime, dt.datetime(2026, 1, 1, tzinfo=UTC)),
        (sa.DateTime(timezone=True), dt.datetime(2026, 1, 1)),
        (sa.LargeBinary(2), b"abc"),
        (sa.Enum(Colour), 5),
        (sa.Uuid, "no"),
    ],
    ids=str,
)
def test_values_that_the_base_type_does_not_take(keys, base, wrong):
    with pytest.raises((InvalidValue, InvalidParameter)):
        Encrypted(base, keys["a"]).write(wrong)


def test_equal_numbers_are_found_whatever_their_scale(keys):
    kind = Encrypted(sa.Numeric(10, 2), keys["a"], deterministic=True)
    assert kind.write(Decimal("1.5")) == kind.write(Decimal("1.50")) == kind.write(1.5)


def test_both_zeros_are_one(keys):
    kind = Encrypted(sa.Float, keys["a"], deterministic=True)
    assert kind.write(-0.0) == kind.write(0.0) == kind.write(0)
    assert kind.write(-1.5) != kind.write(1.5)


def test_equal_moments_are_found_whatever_their_zone(keys):
    kind = Encrypted(sa.DateTime(timezone=True), keys["a"], deterministic=True)
    noon = dt.datetime(2026, 1, 2, 12, tzinfo=UTC)
    shanghai = noon.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert kind.write(noon) == kind.write(shanghai)
    assert kind.read(kind.write(shanghai)) == noon
    assert len(kind.write(noon.replace(microsecond=6))) <= kind.ciphertext_length


def test_what_cannot_be_combined(keys):
    with pytest.raises(InvalidParameter, match="leave out the index"):
        Encrypted(sa.String, keys["a"], deterministic=True, index="a_idx")
    with pytest.raises(InvalidParameter, match="no BlindIndex column"):
        Encrypted(sa.String, keys["a"], index="a_idx").write("a")
    with pytest.raises(InvalidParameter, match="same key"):
        sa.Table(
            "t",
            sa.MetaData(),
            sa.Column("a", Encrypted(sa.String, keys["a"], index="a_idx")),
            BlindIndex(keys["b"], name="a_idx"),
        )


def test_parts_are_looked_up_by_their_index(engine, keys):
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(80), keys["t.email"], index="domain")),
        BlindIndex(keys["t.email"], bits=2, field=fields.EMAIL, part="domain", name="domain"),
    )
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"email": f"a{n}@d{n % 9}.cn"} for n in range(27)])
        by_domain = select(table.c.email).where(table.c.domain == "D3.cn").order_by(table.c.id)
        assert connection.execute(by_domain).scalars().all() == ["a3@d3.cn", "a12@d3.cn", "a21@d3.cn"]
        assert connection.execute(select(table.c.id).where(table.c.email == "a12@d3.cn")).scalars().all() == [13]


def test_text_columns_hold_an_index_too(engine, keys):
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("phone", Encrypted(sa.String(20), keys["t.phone"], index="idx", text=True)),
        BlindIndex(keys["t.phone"], bits=32, name="idx"),
    )
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"phone": str(n)} for n in range(9)])
        assert connection.execute(select(table.c.id).where(table.c.phone == "7")).scalars().all() == [8]


def test_tokens_and_format_preserved_values(engine, keys):
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token", Tokenised(keys["t.email"], fields.EMAIL)),
        sa.Column("phone", FormatPreserved(sa.String(20), fields.CN_MOBILE, keys["t.phone"])),
    )
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(
            table.insert(), [{"token": "a@B.cn", "phone": "13812345678"}, {"token": None, "phone": None}]
        )
        row = connection.execute(select(table).where(table.c.token.in_(["a@b.cn"]))).one()
        assert (row.phone, len(row.token)) == ("13812345678", 32)
        stored = connection.execute(sa.text("SELECT phone FROM t WHERE id = 1")).scalar_one()
        assert fields.CN_MOBILE.normalise(stored) != "13812345678"
        assert connection.execute(select(table.c.id).where(table.c.phone == "13812345678")).scalars().all() == [1]
        with pytest.raises(InvalidValue):
            connection.execute(table.insert(), [{"phone": "12"}])
    for refused in (table.c.token.like, table.c.phone.startswith):
        with pytest.raises(NotSearchable):
            refused("a")


def test_types_of_other_options_share_no_compiled_statement(keys, engine):
    def shown(view):
        views = FieldViews("user.phone", {"desk": view})
        return Encrypted(sa.String(20), keys["user.phone"], views=views)

    table = sa.Table("t", sa.MetaData(), sa.Column("phone", Encrypted(sa.String(20), keys["user.phone"])))
    kinds = [table.c.phone.type, shown(None), shown(Mask(fields.CN_MOBILE))]
    with engine.begin() as connection, reveal_as("desk"):
        table.create(connection)
        connection.execute(table.insert(), [{"phone": "13812345678"}])
        read = [connection.scalar(select(sa.type_coerce(table.c.phone, kind))) for kind in kinds]
        assert read == ["13812345678", "13812345678", "138****5678"]
        tokens = [Tokenised(keys["t.email"], recipient=recipient) for recipient in ("a", "b")]
        one, other = (connection.scalar(select(sa.literal("x", token))) for token in tokens)
        assert one != other


@pytest.fixture
def looked_up(keys):
    phone = keys["t.phone"]
    return sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("phone", Encrypted(sa.String(20), phone, index="phone_idx")),
        BlindIndex(phone, name="phone_idx"),
    )


def test_null_is_not_unequal_by_an_index(looked_up, engine):
    id_, phone = looked_up.c.id, looked_up.c.phone
    with engine.begin() as connection:
        looked_up.create(connection)
        connection.execute(looked_up.insert(), [{"phone": "1"}, {"phone": None}, {"phone": ""}])

        def found(*conditions):
            return connection.scalars(select(id_).where(*conditions).order_by(id_)).all()

        for unequal in (phone != "nobody's", phone.not_in(["nobody's", "none's"]), ~(phone == "nobody's")):
            assert found(unequal) == [1, 3]
            assert not found(~unequal)
        assert (found(phone != ""), found(~(phone != "")), found(phone.not_in([]))) == ([1], [3], [1, 2, 3])


def test_lookups_go_to_the_schema_and_the_table_that_are_asked(looked_up, tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/one.db")
    other = {"schema_translate_map": {None: "other"}}
    counts = select(sa.func.count()).select_from(looked_up).where(looked_up.c.phone == "1")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"ATTACH '{tmp_path}/two.db' AS other")
        looked_up.create(connection)
        assert connection.scalar(counts) == 0
        copied = looked_up.to_metadata(sa.MetaData(), schema="other")
        copied.create(connection)
        connection.execute(copied.insert(), {"phone": "1"})
        assert connection.scalar(counts) == 0
        assert connection.scalar(counts, execution_options=other) == 1
        assert connection.scalar(select(sa.func.count()).select_from(copied).where(copied.c.phone == "1")) == 1
