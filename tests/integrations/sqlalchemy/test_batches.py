"""Text of many rows is encrypted as columns on its way in, and nobody on the way sees a difference."""

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Session

from privkit import fields
from privkit.errors import InvalidValue, WrongType
from privkit.integrations.sqlalchemy import BlindIndex, Encrypted
from privkit.integrations.sqlalchemy.batches import SealedText
from privkit.transforms import Encrypt

MANY = 200
PHONES = [f"138{n:08}" for n in range(MANY)]


def model(keys, **options):
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "batch_person"
        id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
        note = sa.Column(Encrypted(sa.String(12), keys["batch.note"], **options))
        phone = sa.Column(Encrypted(sa.String(20), keys["batch.phone"], index="phone_idx"))
        phone_idx = BlindIndex(keys["batch.phone"], field=fields.CN_MOBILE)
        shout = sa.Column(
            sa.String(12), default=lambda context: str(context.get_current_parameters()["note"] or "").upper()
        )

    return Person


def rows_of(note="same"):
    return [{"id": n, "note": note, "phone": phone} for n, phone in enumerate(PHONES)]


@pytest.fixture
def protected(monkeypatch):
    """Every text that was encrypted by itself."""
    values, protect = [], Encrypt.protect
    monkeypatch.setattr(
        Encrypt, "protect", lambda self, value, **more: values.append(value) or protect(self, value, **more)
    )
    return values


@pytest.mark.parametrize("text", [False, True])
def test_rows_are_encrypted_as_columns(engine, keys, protected, text):
    person = model(keys, text=text)
    person.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(person(**row) for row in rows_of())
        session.flush()
        assert protected == []
        stored = session.scalars(select(sa.type_coerce(person.note, person.note.type.raw_type))).all()
        assert len(set(map(bytes, stored) if not text else stored)) == MANY  # randomised, though all are equal
        assert set(session.execute(select(person.note, person.shout)).all()) == {("same", "SAME")}
        assert session.scalars(select(person.id).where(person.phone == PHONES[7])).all() == [7]
    person.metadata.drop_all(engine)


def test_updates_of_many_rows_are_too(engine, keys, protected):
    person = model(keys)
    person.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(sa.insert(person), rows_of())
        session.execute(sa.update(person), [{"id": n, "note": f"note {n}"} for n in range(MANY)])
        assert protected == []
        assert session.scalars(select(person.note).order_by(person.id)).all() == [f"note {n}" for n in range(MANY)]
    person.metadata.drop_all(engine)


def test_nulls_and_empty_texts_stay_apart_and_parameters_stay_the_callers(engine, keys):
    person = model(keys)
    person.metadata.create_all(engine)
    rows = rows_of()
    rows[3]["note"], rows[4]["note"] = None, ""
    with engine.connect() as connection:
        connection.execute(sa.insert(person), rows)
        found = connection.execute(select(person.note).order_by(person.id)).scalars().all()
        assert found == [row["note"] for row in rows]
        assert {type(row["phone"]) for row in rows} == {str}
        connection.rollback()
    person.metadata.drop_all(engine)


@pytest.mark.parametrize(("bad", "error"), [("thirteen long", InvalidValue), (5, WrongType), (b"bytes", WrongType)])
def test_what_is_refused_among_many_is_refused_as_it_is_alone(engine, keys, bad, error):
    person = model(keys)
    person.metadata.create_all(engine)
    rows = rows_of()
    rows[150]["note"] = bad
    with engine.connect() as connection:
        with pytest.raises(error) as many:
            connection.execute(sa.insert(person), rows)
        with pytest.raises(error) as alone:
            connection.execute(sa.insert(person), rows[150])
        assert str(many.value) == str(alone.value)
        connection.rollback()
    person.metadata.drop_all(engine)


def test_a_ciphertext_is_taken_once_and_by_its_own_column(keys):
    encrypt, other = Encrypt(keys["batch.note"]), Encrypt(keys["batch.other"])
    text = SealedText.of("note", encrypt.protect("note"), encrypt)
    assert text.take(other) is None
    assert encrypt.reveal(text.take(encrypt)) == "note"
    assert text.take(encrypt) is None
    assert Encrypted(sa.String(9), keys["batch.note"]).write(text) not in (None, "note")


def test_columns_in_plaintext_stay_so(engine, keys):
    person = model(keys, text=True, mode="plaintext_ok")
    person.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(sa.insert(person), rows_of())
        assert connection.scalars(select(sa.type_coerce(person.note, sa.String()))).all() == ["same"] * MANY
        connection.rollback()
    person.metadata.drop_all(engine)
