import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from privkit import fields
from privkit.integrations.purposes import FieldViews, RevealRefused, on_reveal, reveal_as
from privkit.integrations.sqlalchemy import Encrypted, WouldWritePlaintext, reveal_rows
from privkit.transforms import Mask


@pytest.fixture(params=[False, True], ids=["at once", "deferred"])
def model(keys, request):
    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(sa.String(20))
        phone: Mapped[str | None] = mapped_column(
            Encrypted(
                sa.String(20),
                keys["user.phone"],
                deterministic=True,
                views=FieldViews("user.phone", {"service": Mask(fields.CN_MOBILE), "owner": None}),
            ),
            deferred=request.param,
        )

    return User


@pytest.fixture
def session(engine, model):
    model.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([model(name="a", phone="13812345678"), model(name="b", phone=None)])
        session.commit()
        yield session


def test_each_view_loads_its_own(session, model):
    query = select(model).where(model.name == "a")
    with reveal_as("service"):
        user = session.scalars(query).one()
        assert user.phone == "138****5678"
    with reveal_as("owner"):
        assert session.scalars(query).one() is user
        assert user.phone == "13812345678"
        with reveal_as("service"):
            assert user.phone == "138****5678"
        assert user.phone == "13812345678"


def test_what_was_loaded_is_gone_after_the_view(session, model):
    with reveal_as("owner"):
        user = session.get(model, 1)
        assert user.phone == "13812345678"
    assert user.name == "a"
    with pytest.raises(RevealRefused):
        _ = user.phone
    with pytest.raises(RevealRefused):
        session.execute(select(model.phone)).all()


def test_a_change_in_a_view_is_kept(session, model):
    with reveal_as("service"):
        user = session.get(model, 1)
        user.name = "c"
        assert user.phone == "138****5678"
    session.commit()
    with reveal_as("owner"):
        session.refresh(user)
        assert (user.name, user.phone) == ("c", "13812345678")
        user.phone = "13900000000"
    session.commit()
    with reveal_as("owner"):
        assert session.scalars(select(model.name).where(model.phone == "13900000000")).all() == ["c"]


def test_a_masked_view_refuses_predicates(model):
    with reveal_as("service"), pytest.raises(RevealRefused, match="compare"):
        select(model).where(model.phone == "13812345678")
    with pytest.raises(RevealRefused):
        select(model).where(model.phone == "13812345678")


def test_showing_is_told(session, model):
    told = []
    take_off = on_reveal(told.append)
    try:
        with reveal_as("owner", actor="li.lei", purpose="ticket 7"):
            reveal_rows(session, select(model.phone)).all()
    finally:
        take_off()
    assert [(one.field, one.view, one.actor, one.purpose, one.count) for one in told] == [
        ("user.phone", "owner", "li.lei", "ticket 7", 1)
    ]


def test_what_a_view_showed_is_not_saved_as_the_value(session, model):
    with reveal_as("service"):
        user = session.get(model, 1)
        assert user.phone == "138****5678"
        session.expunge(user)
    with reveal_as("owner"):
        session.merge(user)
        with pytest.raises(WouldWritePlaintext, match="what a view showed"):
            session.commit()
        session.rollback()
        assert session.scalar(select(model.phone).where(model.id == 1)) == "13812345678"
