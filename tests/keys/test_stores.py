"""What every store of a keyring has to do, in a file and in every database."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.errors import KeyringError, KeyringUnreadable, MissingExtra
from privkit.keys import FileStore, Keyring, LocalKey, SqlStore

WORKER = """
import sys
from privkit.keys import FileStore, Keyring, LocalKey, SqlStore
kind, place, kek = sys.argv[1:]
keys = Keyring.open({"file": FileStore, "sql": SqlStore}[kind](place), wrapper=LocalKey(kek))
print(*(keys.rotate() for _ in range(15)))
"""


@pytest.fixture
def kind(place):
    return "sql" if "://" in place else "file"


@pytest.fixture
def make(kind, place):
    return lambda: {"file": FileStore, "sql": SqlStore}[kind](place)


@pytest.fixture
def kek(tmp_path):
    return LocalKey(tmp_path / "kek")


def test_reads_what_was_created_and_changed(make):
    store = make()
    store.create(lambda: b"one")
    assert make().read() == store.read() == b"one"
    assert store.update(lambda old: old + b" two") == b"one two"
    assert make().read() == b"one two"


def test_the_stamp_differs_once_it_was_replaced(make):
    store = make()
    store.create(lambda: b"one")
    stamp = store.stamp()
    assert stamp == make().stamp()
    store.update(lambda _: b"two")
    assert store.stamp() != stamp


def test_nothing_there(make):
    for action in (make().read, lambda: make().update(lambda old: old)):
        with pytest.raises(KeyringUnreadable, match="no keyring"):
            action()


def test_does_not_overwrite(make):
    make().create(lambda: b"one")
    with pytest.raises(KeyringError, match="already"):
        make().create(lambda: pytest.fail("asked for what has no place"))
    assert make().read() == b"one"


def test_a_failed_creation_leaves_no_key_file(make, kek, tmp_path):
    Keyring.create(make(), wrapper=kek)
    with pytest.raises(KeyringError, match="already"):
        Keyring.create(make(), wrapper=LocalKey(tmp_path / "stray.kek"))
    assert not (tmp_path / "stray.kek").exists()


def test_an_error_of_the_change_changes_nothing(make):
    def failing(_old):
        raise KeyringError("no")

    store = make()
    store.create(lambda: b"one")
    stamp = store.stamp()
    with pytest.raises(KeyringError, match="no"):
        store.update(failing)
    assert (store.read(), store.stamp()) == (b"one", stamp)


def test_a_keyring_lives_in_it(make, kek):
    keys = Keyring.create(make(), wrapper=kek)
    first, new = keys.primary_id, Keyring.open(make(), wrapper=kek).rotate()
    assert keys.knows(new)
    assert keys.version_ids == (new, first)
    assert "not shown" in repr(keys)


def test_two_processes_rotating_at_once_lose_nothing(make, kek, kind, place):
    keys = Keyring.create(make(), wrapper=kek)
    running = [
        subprocess.Popen([sys.executable, "-c", WORKER, kind, place, kek.path], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    made = [int(key_id) for process in running for key_id in process.communicate()[0].split()]
    assert len(made) == 30
    assert set(Keyring.open(make(), wrapper=kek).version_ids) == {keys.primary_id, *made}


def test_threads_creating_it_at_once_make_one(make):
    def create(number):
        try:
            make().create(lambda: bytes([number]))
        except KeyringError as error:
            return "already" in str(error)
        return number

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(create, range(2, 10)))
    assert [outcome for outcome in made if outcome is not True] == list(make().read())


def test_threads_changing_it_at_once_lose_nothing(make):
    store = make()
    store.create(lambda: b"")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: make().update(lambda old: old + bytes([number])), range(24)))
    assert sorted(store.read()) == list(range(24))


class TestSqlStore:
    @pytest.fixture(autouse=True)
    def needed(self):
        pytest.importorskip("sqlalchemy", reason="the extra sqlalchemy is not installed")

    def test_one_table_holds_many(self, tmp_path, kek):
        url = f"sqlite:///{tmp_path}/keys.db"
        ids = {Keyring.create(SqlStore(url, name=name), wrapper=kek).id for name in ("one", "other")}
        assert {Keyring.open(SqlStore(url, name=name), wrapper=kek).id for name in ("one", "other")} == ids
        assert len(ids) == 2

    def test_swapped_rows_are_found(self, tmp_path, kek):
        import sqlalchemy

        url = f"sqlite:///{tmp_path}/keys.db"
        one, _ = (Keyring.create(SqlStore(url, name=name), wrapper=kek) for name in ("one", "other"))
        with sqlalchemy.create_engine(url).begin() as connection:
            for old, new in (("one", "x"), ("other", "one"), ("x", "other")):
                connection.execute(
                    sqlalchemy.text("UPDATE privkit_keyrings SET name = :new, revision = 7 WHERE name = :old"),
                    {"old": old, "new": new},
                )
        with pytest.raises(KeyringUnreadable, match="another keyring"):
            one.refresh()

    def test_an_engine_of_ones_own(self, tmp_path, kek):
        import sqlalchemy

        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/keys.db")
        keys = Keyring.create(SqlStore(engine), wrapper=kek)
        keys.rotate()
        assert Keyring.open(SqlStore(engine), wrapper=kek).generation == 2
        engine.dispose()

    def test_a_local_key_needs_a_path(self, tmp_path):
        with pytest.raises(KeyringError, match=r"needs a path: LocalKey\(path\)"):
            Keyring.create(SqlStore(f"sqlite:///{tmp_path}/keys.db"))

    def test_out_of_reach_is_one_line_without_the_password(self, tmp_path):
        store = SqlStore(f"sqlite:///{tmp_path}/none/keys.db")
        for action in (store.read, store.stamp, lambda: store.create(lambda: b"x")):
            with pytest.raises(KeyringError, match=r"check the database") as caught:
                action()
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("url", ["", "nothing", "nodialect://user:hunter2@host/db"])
    def test_a_wrong_url(self, url):
        with pytest.raises(KeyringError, match="not a database URL") as caught:
            SqlStore(url)
        assert "hunter2" not in str(caught.value)

    def test_writers_that_always_come_first(self, tmp_path):
        store = SqlStore(f"sqlite:///{tmp_path}/keys.db")
        store.create(lambda: b"x")

        def overtaken(old):
            if len(old) < 500:
                SqlStore(f"sqlite:///{tmp_path}/keys.db").update(lambda older: older + b"x")
            return old

        with pytest.raises(KeyringError, match="came first 100 times"):
            store.update(overtaken)

    def test_a_missing_extra_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
        with pytest.raises(MissingExtra, match=r"privkit\[sqlalchemy\]"):
            SqlStore("sqlite://")
