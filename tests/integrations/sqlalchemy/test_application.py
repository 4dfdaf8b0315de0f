"""An application's models and statements, with as much of the ORM in them as applications use."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    aliased,
    column_property,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    with_loader_criteria,
    with_polymorphic,
)

from privkit import fields
from privkit.integrations.sqlalchemy import BlindIndex, Encrypted

PHONES = [f"1381234{number:04}" for number in range(10)]


@pytest.fixture
def models(keys, engine):
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(sa.String(20))
        name: Mapped[str] = mapped_column(Encrypted(sa.String(40), keys["p.name"], deterministic=True))
        phone: Mapped[str | None] = mapped_column(Encrypted(sa.String(20), keys["p.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["p.phone"], bits=4, field=fields.CN_MOBILE)
        extra: Mapped[dict | None] = mapped_column(MutableDict.as_mutable(Encrypted(sa.JSON, keys["p.extra"])))
        addresses: Mapped[list["Address"]] = relationship("Address", order_by="Address.id", back_populates="person")
        cities = association_proxy("addresses", "city")
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012 - as it is written

    class Manager(Person):
        bonus: Mapped[Decimal | None] = mapped_column(
            Encrypted(sa.Numeric(10, 2), keys["p.bonus"], deterministic=True), nullable=True
        )
        __mapper_args__ = {"polymorphic_identity": "manager"}  # noqa: RUF012 - as above

    class Engineer(Person):
        __tablename__ = "engineer"
        id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
        badge: Mapped[str] = mapped_column(Encrypted(sa.String(10), keys["e.badge"], index="badge_idx"))
        badge_idx = BlindIndex(keys["e.badge"], bits=8)
        __mapper_args__ = {"polymorphic_identity": "engineer"}  # noqa: RUF012 - as above

    class Address(Base):
        __tablename__ = "address"
        id: Mapped[int] = mapped_column(primary_key=True)
        person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
        city: Mapped[str] = mapped_column(Encrypted(sa.String(40), keys["a.city"], deterministic=True))
        street: Mapped[str] = mapped_column(Encrypted(sa.String(40), keys["a.street"], index="street_idx"))
        street_idx = BlindIndex(keys["a.street"], bits=4)
        person: Mapped[Person] = relationship(Person, back_populates="addresses")

    of_person = select(func.count(Address.id)).where(Address.person_id == Person.id).correlate_except(Address)
    Person.many = column_property(of_person.scalar_subquery())
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for at, phone in enumerate(PHONES):
            address = Address(city=f"c{at % 3}", street=f"s{at}")
            session.add(Person(name=f"n{at}", phone=phone, extra={"at": at}, addresses=[address]))
            session.flush()  # so that their keys are in order
        session.add(Manager(name="m", bonus=Decimal("12.5"), phone="13900000000"))
        session.add(Engineer(name="e", badge="b1", phone="13900000001"))
        session.commit()
    return Person, Manager, Engineer, Address


@pytest.fixture
def session(engine, models):  # noqa: ARG001 - its tables have to be there
    with Session(engine) as session:
        yield session


def test_changes_inside_a_document_are_seen(session, models):
    person = session.scalars(select(models[0]).where(models[0].name == "n3")).one()
    person.extra["more"] = [1, None]
    assert person in session.dirty
    session.commit()
    assert person.extra == {"at": 3, "more": [1, None]}
    person.extra = None
    session.commit()
    assert person.extra is None


def test_single_and_joined_inheritance(session, models):
    person, manager, engineer, _ = models
    assert session.scalars(select(manager).where(manager.bonus == Decimal("12.50"))).one().phone == "13900000000"
    badge, phone = engineer.badge == "b1", engineer.phone == "+86 139-0000-0001"
    assert session.scalars(select(engineer).where(badge, phone)).one().name == "e"
    assert session.scalars(select(engineer).where(badge, phone).limit(1)).one().name == "e"
    assert session.scalar(select(func.count()).select_from(engineer).where(badge)) == 1
    everyone = with_polymorphic(person, "*")
    assert session.scalars(select(everyone).where(everyone.Engineer.badge == "b1")).one().badge == "b1"
    other = aliased(engineer, flat=True)
    assert session.scalars(select(other).where(other.badge == "b1", other.phone == "13900000001")).one().name == "e"


def test_conditions_by_way_of_relationships(session, models):
    person, _, _, address = models
    assert session.scalars(select(person.name).where(person.addresses.any(address.street == "s5"))).all() == ["n5"]
    named = select(person.name).where(person.cities == "c1").order_by(person.id)
    assert session.scalars(named).all() == ["n1", "n4", "n7"]
    assert session.scalars(select(person.many).where(person.phone == PHONES[4])).all() == [1]
    with_street = select(address.city).join(address.person).where(person.phone == PHONES[5], address.street == "s5")
    assert session.scalars(with_street).all() == ["c2"]
    assert session.scalars(with_street.limit(1)).all() == ["c2"]


@pytest.mark.parametrize("load", [selectinload, joinedload])
def test_what_is_loaded_with_it_follows_the_value_of_each_execution(session, models, load):
    person, _, _, address = models
    for street in ("s2", "s5", "s2"):
        session.expunge_all()
        chosen = select(person).options(load(person.addresses.and_(address.street == street))).order_by(person.id)
        found = session.scalars(chosen).unique().all()
        assert [each.street for one in found for each in one.addresses] == [street]
    for city in ("c1", "c2", "c1"):
        session.expunge_all()
        only = with_loader_criteria(address, address.city == city)
        found = session.scalars(select(person).options(load(person.addresses), only)).unique().all()
        assert {each.city for one in found for each in one.addresses} == {city}


@pytest.mark.parametrize("many", [1, 2, 10, 40])
def test_any_number_of_values(session, models, many):
    person = models[0]
    phones = [*PHONES, *(f"137{number:08}" for number in range(30))][:many]
    found = min(many, len(PHONES))
    assert len(session.scalars(select(person.id).where(person.phone.in_(phones))).all()) == found
    assert len(session.scalars(select(person.id).where(person.phone.not_in(phones))).all()) == 12 - found
    names = [f"n{number}" for number in range(many)]
    assert len(session.scalars(select(person.id).where(person.name.in_(names))).all()) == found
    assert len(session.scalars(select(person.id).where(person.name.not_in(names))).all()) == 12 - found


def test_statements_that_are_kept_see_each_version_of_the_keyring(session, models, keys):
    person = models[0]
    kept = [
        select(person.id).where(person.phone == PHONES[4]),
        select(person.id).where(person.phone == PHONES[4]).limit(5),
        select(person.id).where(person.name == "n4"),
        select(person.id).where(person.name.in_(["n4", "nobody"])).limit(5),
    ]
    kept.append(kept[0].limit(3))  # it shares the comparison
    for _ in range(4):
        for statement in [*kept, *kept]:
            assert session.scalars(statement).all() == [5]
        keys.rotate()
        keys.move_stable("p.phone")
        keys.move_stable("p.name")
        for name, value in (("phone", PHONES[4]), ("name", "n4")):
            session.execute(sa.update(person).where(person.id == 5).values({name: value}))
        session.commit()


def test_models_that_are_dataclasses_or_share_a_mixin(engine, keys):
    class Reachable:
        phone: Mapped[str | None] = mapped_column(Encrypted(sa.String(20), keys["r.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["r.phone"])

    class Base(DeclarativeBase):
        pass

    class Shop(Reachable, Base):
        __tablename__ = "shop"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Depot(Reachable, Base):
        __tablename__ = "depot"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Data(MappedAsDataclass, DeclarativeBase):
        pass

    class Guest(Data):
        __tablename__ = "guest"
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        name: Mapped[str] = mapped_column(Encrypted(sa.String(20), keys["g.name"], deterministic=True))
        phone: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(20), keys["g.phone"], index="phone_idx"), default=None
        )
        phone_idx = BlindIndex(keys["g.phone"])

    Base.metadata.create_all(engine)
    Data.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Shop(phone="1"), Depot(phone="2"), Guest(name="a", phone="3"), Guest(name="b")])
        session.commit()
        assert session.scalars(select(Shop.id).where(Shop.phone == "1")).all() == [1]
        assert session.scalars(select(Depot.id).where(Depot.phone == "1")).all() == []
        assert session.scalars(select(Guest.name).where(Guest.phone == "3")).all() == ["a"]
        assert session.scalars(select(Guest).where(Guest.phone.is_(None))).one().name == "b"


def test_tables_of_one_name_and_of_the_databases_own_making(engine, keys):
    def columns(name):
        return (
            sa.Column("phone", Encrypted(sa.String(20), keys[name], index="idx")),
            BlindIndex(keys[name], name="idx", bits=8),
        )

    own, foreign = (
        sa.Table("same", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), *columns(name))
        for name in ("one.phone", "two.phone")
    )
    own.create(engine)
    reflected = sa.Table("same", sa.MetaData(), *columns("one.phone"), autoload_with=engine)
    with engine.begin() as connection:
        connection.execute(own.insert(), {"phone": "1"})
        for table, found in ((own, [1]), (foreign, []), (reflected, [1]), (own, [1])):
            assert connection.scalars(select(table.c.id).where(table.c.phone == "1")).all() == found
