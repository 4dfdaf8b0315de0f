"""`privkit reencrypt` on a program that has models of its own."""

import textwrap

import pytest

from privkit import Encrypt, Keyring

PROGRAM = """
    import uuid
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from privkit import Keyring
    from privkit.integrations.sqlalchemy import Encrypted

    keys = Keyring.open("keyring.json")
    engine = sa.create_engine("sqlite:///shop.db")

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str | None] = mapped_column(Encrypted(sa.String(80), keys["user.note"]))
        email: Mapped[str | None] = mapped_column(
            Encrypted(sa.String(80), keys["user.email"], text=True, mode="dual")
        )

    id = sa.Column("id", sa.Integer, primary_key=True)
    plain = sa.Table("user", sa.MetaData(), id, sa.Column("email", sa.String))
    pairs = sa.Table(
        "pairs",
        sa.MetaData(),
        sa.Column("a", sa.Integer, primary_key=True),
        sa.Column("b", sa.String(9), primary_key=True),
        sa.Column("note", Encrypted(sa.Text, keys["pairs.note"])),
    )
    """


@pytest.fixture
def shop(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    keys = Keyring.create("keyring.json")
    module = f"shop_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(PROGRAM))
    monkeypatch.syspath_prepend(str(tmp_path))
    program = __import__(module)
    program.name, program.ring = module, keys
    program.Base.metadata.create_all(program.engine)
    with program.engine.begin() as connection:
        connection.execute(program.User.__table__.insert(), [{"note": f"n{n}"} for n in range(10)])
        connection.execute(program.plain.update().values(email="a@b.cn"))
    yield program
    program.engine.dispose()


def test_a_column_all_columns_and_a_dry_run(run, shop):
    database = ["--database", "sqlite:///shop.db"]
    assert "user.note: 10 values, 0 replaced, 0 overtaken" in run("reencrypt", f"{shop.name}:User.note", *database).out
    assert "user.email: 10 values, 10 to replace" in run("reencrypt", f"{shop.name}:User", *database, "--dry-run").out
    engine = ["--database", f"{shop.name}:engine"]
    ran = run("reencrypt", f"{shop.name}:User.__table__.c.email", *engine, "--after", "4", "--batch", "2")
    assert "user.email: 6 values, 6 replaced, 0 overtaken" in ran.out
    assert run("reencrypt", f"{shop.name}:User", *engine, "--quiet").out == ""
    assert "user.email: 10 values, 0 to replace" in run("reencrypt", f"{shop.name}:User", *engine, "--dry-run").out


def test_it_says_where_to_go_on(run, shop):
    with shop.engine.begin() as connection:
        damaged = Encrypt(shop.keys["user.email"], text=True).protect("x")[:-4] + "AAAA"
        connection.execute(shop.plain.update().where(shop.plain.c.id == 7).values(email=damaged))
    shop.keys.rotate()
    ran = run("reencrypt", f"{shop.name}:User.email", "--database", "sqlite:///shop.db", "--batch", "2")
    shown = ran.failed()
    assert "user.email: decryption failed" in shown
    assert "go on with --after 6" in shown
    shop.pairs.create(shop.engine)
    with shop.engine.begin() as connection:
        connection.execute(shop.pairs.insert(), [{"a": n, "b": "x,y", "note": "n"} for n in range(5)])
    ran = run("reencrypt", f"{shop.name}:pairs.c.note", "--database", "sqlite:///shop.db", "--after", "2,x,y")
    assert "pairs.note: 2 values" in ran.out


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("user", [], "is no MODULE:NAME"),
        ("no_such_shop:User", [], "no module"),
        ("{}:Usr", [], "did you mean 'User'"),
        ("{}:plain", [], "has no encrypted column"),
        ("{}:User.id", [], "not an encrypted column"),
        ("{}:User", ["--after", "3"], "name one"),
        ("{}:User.note", ["--after", "three"], "not a primary key"),
        ("{}:User.note", ["--database", "nonsense://"], "no database can be opened"),
        ("{}:User.note", ["--database", "{}:keys"], "is no engine"),
    ],
)
def test_what_it_cannot_do(run, shop, target, more, said):
    more = [word.format(shop.name) for word in more]
    database = [] if "--database" in more else ["--database", "sqlite:///shop.db"]
    assert said in run("reencrypt", target.format(shop.name), *database, *more).failed()


def test_what_the_database_refuses_is_said_without_values(run, shop):
    target = f"{shop.name}:User.email"
    absent = run("reencrypt", target, "--database", "sqlite:///nowhere/secret-password.db").failed()
    assert "OperationalError of the database: see that it can be reached" in absent
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE UPDATE ON user BEGIN SELECT RAISE(ABORT, 'a@b.cn'); END")
    refused = run("reencrypt", target, "--database", f"{shop.name}:engine").failed()
    assert "IntegrityError: a constraint of the table forbids it" in refused
    assert not any(said in one for said in ("a@b.cn", "secret-password", "defect") for one in (absent, refused))
