"""A column's life on a live table: adopted, searched, re-keyed, and given back."""

import asyncio
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from privkit.errors import DecryptionFailed, InvalidParameter
from privkit.integrations.sqlalchemy import (
    BlindIndex,
    Encrypted,
    NotSearchable,
    Tokenised,
    reencrypt,
    render_item,
    reveal_rows,
)

NAMES = [f"u{number}@b.cn" for number in range(50)]


def plain_table():
    return sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(400)),
    )


def table_in(mode, keys, **options):
    options = options or {"deterministic": True}
    return sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(80), keys["person.email"], text=True, mode=mode, **options)),
    )


@pytest.fixture
def people(engine):
    table = plain_table()
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"email": email} for email in [*NAMES, None, ""]])
    return table


def emails(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table.c.email).order_by(table.c.id)).scalars().all()


def find(engine, table, email):
    with engine.connect() as connection:
        return connection.execute(select(table.c.id).where(table.c.email == email).order_by(table.c.id)).scalars().all()


def test_adopted_step_by_step_and_given_back(engine, people, keys):
    ready, dual, strict = (table_in(mode, keys) for mode in ("plaintext_ok", "dual", "strict"))
    values = emails(engine, people)
    assert emails(engine, ready) == emails(engine, dual) == values
    with pytest.raises(DecryptionFailed):
        emails(engine, strict)
    with engine.begin() as connection:
        connection.execute(ready.insert(), {"email": "old@b.cn"})
        connection.execute(dual.insert(), {"email": "new@b.cn"})
    for table in (ready, dual):
        assert [len(find(engine, table, email)) for email in ("u7@b.cn", "old@b.cn", "new@b.cn", "")] == [1, 1, 1, 1]
    done = reencrypt(engine, dual.c.email, batch=7)
    assert done.replaced == len(NAMES) + 2
    assert reencrypt(engine, strict.c.email).outdated == 0
    assert emails(engine, strict) == [*values, "old@b.cn", "new@b.cn"]
    assert find(engine, strict, "u7@b.cn") == [8]
    assert reencrypt(engine, ready.c.email, batch=7).replaced == len(NAMES) + 3
    assert emails(engine, people) == [*values, "old@b.cn", "new@b.cn"]


def test_an_indexed_column_is_searched_while_it_is_adopted(engine, keys):
    def build(mode):
        return sa.Table(
            "person",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", Encrypted(sa.String(80), keys["p.email"], text=True, mode=mode, index="idx")),
            BlindIndex(keys["p.email"], bits=8, name="idx"),
        )

    ready, dual, strict = map(build, ("plaintext_ok", "dual", "strict"))
    ready.create(engine)
    with engine.begin() as connection:
        connection.execute(ready.insert(), [{"email": email} for email in NAMES])
        connection.execute(dual.insert(), [{"email": email} for email in NAMES[:5]])
    seen = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    for table in (ready, dual):
        assert find(engine, table, "u3@b.cn") == [4, 54]
        assert find(engine, table, "u9@b.cn") == [10]
    assert len(seen) == 4  # one for each: the job may write between two
    for table in (ready, dual):
        with engine.connect() as connection:
            counted = select(sa.func.count()).select_from(table).where(table.c.email.in_(["u3@b.cn", "u9@b.cn"]))
            assert connection.scalar(counted) == 3
    reencrypt(engine, dual.c.email)
    assert find(engine, strict, "u3@b.cn") == [4, 54]


@pytest.mark.parametrize("deterministic", [True, False])
def test_re_keyed_with_lookups_that_find_all(engine, keys, deterministic):
    options = {"deterministic": True} if deterministic else {"index": "idx"}
    table = sa.Table(
        "person",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(80), keys["p.email"], **options)),
        *([] if deterministic else [BlindIndex(keys["p.email"], bits=16, name="idx")]),
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"email": email} for email in NAMES])
    old = keys.primary_id
    keys.rotate()
    keys.move_stable("p.email")
    with engine.begin() as connection:
        connection.execute(table.insert(), {"email": "u3@b.cn"})
    assert find(engine, table, "u3@b.cn") == [4, 51]
    seen = []

    class Killed(Exception):
        pass

    def kill(progress):
        seen.append(progress)
        if progress.rows >= 20:
            raise Killed

    with pytest.raises(Killed):
        reencrypt(engine, table.c.email, batch=10, on_progress=kill)
    assert find(engine, table, "u3@b.cn") == [4, 51]
    assert find(engine, table, "u44@b.cn") == [45]
    assert reencrypt(engine, table.c.email, batch=10, after=seen[-1].position, dry_run=True).outdated == 30
    assert reencrypt(engine, table.c.email, batch=10, after=seen[-1].position).replaced == 30
    assert reencrypt(engine, table.c.email).outdated == 0
    keys.disable(old)
    assert emails(engine, table) == [*NAMES, "u3@b.cn"]
    assert find(engine, table, "u3@b.cn") == [4, 51]


@pytest.mark.usefixtures("people")
def test_a_named_parameter_does_not_quietly_miss_rows(engine, keys):
    dual = table_in("dual", keys)
    query = select(dual.c.id).where(dual.c.email == sa.bindparam("address"))
    with engine.connect() as connection, pytest.raises(NotSearchable, match="several forms"):
        connection.execute(query, {"address": "u3@b.cn"})


def test_a_write_while_the_job_runs_wins(engine, people, keys):
    dual = table_in("dual", keys)
    with engine.begin() as connection:
        connection.execute(people.insert(), [{"email": f"v{n}@b.cn"} for n in range(3000)])
    written = {}

    def write():
        for number in range(1, 3000, 60):
            with engine.begin() as connection:
                connection.execute(dual.update().where(dual.c.id == number).values(email=f"new{number}@b.cn"))
            written[number] = f"new{number}@b.cn"

    writer = threading.Thread(target=write)
    writer.start()
    done = reencrypt(engine, dual.c.email, batch=100)
    writer.join()
    assert done.replaced + done.overtaken == done.outdated
    assert len(written) == 50
    strict = table_in("strict", keys)
    with engine.connect() as connection:
        stored = dict(connection.execute(select(strict.c.id, strict.c.email)).all())
    assert {number: stored[number] for number in written} == written


def test_keys_of_two_columns(engine, keys):
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", sa.String(20), primary_key=True),
        sa.Column("b", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("note", Encrypted(sa.Text, keys["t.note"])),
    )
    table.create(engine)
    with engine.begin() as connection:
        rows = [{"a": f"a{n // 5}", "b": n % 5, "note": str(n)} for n in range(20)]
        connection.execute(table.insert(), rows)
    keys.rotate()
    assert reencrypt(engine, table.c.note, batch=3).replaced == 20
    assert reencrypt(engine, table.c.note, batch=3).outdated == 0


def test_what_the_job_cannot_do(engine, keys, people):
    bare = sa.Table("bare", sa.MetaData(), sa.Column("note", Encrypted(sa.Text, keys["a"])))
    for column in (people.c.email, bare.c.note, "email"):
        with pytest.raises(InvalidParameter):
            reencrypt(engine, column)


@pytest.mark.usefixtures("people")
def test_bulk_reading_gives_the_same_rows(engine, keys):
    dual = table_in("dual", keys)
    with engine.begin() as connection:
        connection.execute(dual.insert(), [{"email": email} for email in NAMES])
    with engine.connect() as connection:
        for query in (
            select(dual).order_by(dual.c.id),
            select(dual.c.email, sa.func.length("abc").label("three")).where(dual.c.email.in_(NAMES[:3])),
            select(dual).where(dual.c.id < 0),
        ):
            one, many = connection.execute(query), reveal_rows(connection, query)
            assert list(one.keys()) == list(many.keys())
            assert sorted(one.all(), key=repr) == sorted(many.all(), key=repr)
        connection.execute(sa.text("UPDATE person SET email = substr(email, 1, 30) WHERE id = 60"))
        with pytest.raises(DecryptionFailed) as caught:
            reveal_rows(connection, select(dual.c.email).order_by(dual.c.id)).all()
        assert (caught.value.column, caught.value.rows) == ("person.email", (59,))


def app_metadata(keys):
    metadata = sa.MetaData()
    sa.Table(
        "app_user",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Encrypted(sa.String(80), keys["u.email"], deterministic=True), unique=True),
        sa.Column("phone", Encrypted(sa.String(20), keys["u.phone"], index="phone_idx", text=True)),
        BlindIndex(keys["u.phone"], bits=32, name="phone_idx"),
        sa.Column("born", Encrypted(sa.Date, keys["u.born"], text=True)),
        sa.Column("token", Tokenised(keys["u.email"])),
    )
    return metadata


def test_alembic_renders_no_key_and_finds_nothing_the_second_time(engine, keys):
    metadata = app_metadata(keys)

    def autogenerate(connection):
        context = MigrationContext.configure(
            connection,
            opts={"target_metadata": metadata, "render_item": render_item, "sqlalchemy_module_prefix": "sa."},
        )
        script = produce_migrations(context, metadata)
        return script.upgrade_ops, render_python_code(
            script.upgrade_ops, render_item=render_item, migration_context=context
        )

    with engine.begin() as connection:
        operations, code = autogenerate(connection)
        assert "privkit" not in code
        assert "u.email" not in code
        assert "sa.Computed('substr(" in code
        from alembic.operations import Operations

        Operations(MigrationContext.configure(connection))
        with Operations.context(MigrationContext.configure(connection)):
            from alembic import op

            lines = "\n".join(line.strip() if not line.startswith("    ") else line[4:] for line in code.splitlines())
            exec(compile(lines, "migration", "exec"), {"op": op, "sa": sa, "mysql": mysql})  # noqa: S102 - what was just generated
    with engine.begin() as connection:
        operations, _ = autogenerate(connection)
        assert operations.is_empty()
        table = metadata.tables["app_user"]
        connection.execute(table.insert(), {"email": "a@b.cn", "phone": "13812345678"})
        assert connection.execute(select(table.c.id).where(table.c.phone == "13812345678")).scalars().all() == [1]


def test_what_mysql_would_be_given(keys):
    table = app_metadata(keys).tables["app_user"]
    ddl = str(sa.schema.CreateTable(table).compile(dialect=mysql.dialect()))
    assert "email VARBINARY(342)" in ddl
    assert "phone VARCHAR(167) COLLATE utf8mb4_bin" in ddl
    assert "GENERATED ALWAYS AS (substr(phone, 9, 8)) STORED" in ddl
    context = MigrationContext.configure(dialect=mysql.dialect(), opts={"render_item": render_item})
    autogenerated = AutogenContext(context)
    autogenerated.imports = set()
    assert render_item("type", table.c.email.type, autogenerated) == "sa.VARBINARY(length=342)"
    text = render_item("type", table.c.phone.type, autogenerated)
    assert text == "mysql.VARCHAR(collation='utf8mb4_bin', length=167)"
    assert autogenerated.imports == {"from sqlalchemy.dialects import mysql"}
    assert render_item("type", sa.String(), autogenerated) is False


def test_asyncio(url, engine, keys):
    metadata = app_metadata(keys)
    metadata.create_all(engine)
    table = metadata.tables["app_user"]
    drivers = {
        "sqlite": ["sqlite+aiosqlite"],
        "postgresql+psycopg": ["postgresql+psycopg", "postgresql+asyncpg"],
        "mariadb+pymysql": ["mariadb+asyncmy"],
    }
    scheme, _, rest = url.partition(":")

    async def run(driver):
        target = sa.make_url(f"{driver}:{rest}")
        if driver.endswith("asyncpg"):  # it has its own way to name a socket
            target = target.set(query={"host": target.query["host"]} if "host" in target.query else {})
        database = create_async_engine(target)
        async with AsyncSession(database) as session:
            await session.execute(sa.delete(table))
            await session.execute(
                table.insert(), [{"email": f"u{n}@b.cn", "phone": f"1381234{n:04}"} for n in range(9)]
            )
            query = select(table.c.email).where(table.c.phone == "13812340003")
            assert (await session.execute(query)).scalars().all() == ["u3@b.cn"]
            assert (
                await session.execute(select(table.c.phone).where(table.c.email == "u4@b.cn"))
            ).scalar() == "13812340004"
            await session.commit()
        async with database.connect() as connection:
            rows = await connection.run_sync(reveal_rows, select(table.c.email).order_by(table.c.id))
            assert rows.scalars().all() == [f"u{n}@b.cn" for n in range(9)]
            done = await connection.run_sync(reencrypt, table.c.email)
            assert (done.rows, done.outdated) == (9, 0)
        await database.dispose()

    for driver in drivers[scheme]:
        asyncio.run(run(driver))
