"""Keys of single persons, in every table that may keep them."""

import contextlib
import copy
import pickle
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.errors import (
    InvalidParameter,
    KeyNotFound,
    KeyringError,
    KeyringUnreadable,
    KeyUnavailable,
    MissingExtra,
    SubjectForgotten,
)
from privkit.keys import FileStore, Keyring, LocalKey, SqliteSubjects, SqlStore, SqlSubjects, Usage
from privkit.keys.derivation import derive

CMAC = Usage("token", "AES-CMAC", 32)


@pytest.fixture
def make_table(place):
    return lambda: SqlSubjects(place) if "://" in place else SqliteSubjects(place)


@pytest.fixture
def keys(path, make_table):
    return Keyring.create(path, subjects=make_table())


@pytest.fixture
def reopen(path, make_table):
    return lambda: Keyring.open(path, subjects=make_table())


def tag(key, key_id=None):
    return key.cmac(CMAC, key_id).digest(b"value")


def person_of(keys, subject):
    return keys.subjects._persons([subject])[0]


class TestKeys:
    def test_are_the_same_again(self, keys, reopen):
        key = keys.subject("user:42")["note"]
        made = tag(key)
        assert tag(keys.subject("user:42")["note"]) == made
        again = reopen().subject("user:42")["note"]
        assert (tag(again), tag(again, key.primary_id)) == (made, made)
        assert again == key
        assert hash(again) == hash(key)

    def test_differ_by_person_field_and_keyring(self, keys):
        made = {tag(keys.subject(person)[field]) for person in ("a", "b", "ab") for field in ("x", "y")}
        assert len(made | {tag(keys["x"])}) == 7

    def test_are_derived_as_any_other(self, keys):
        key = keys.subject("user:42")["note"]
        assert key.primary_id == key.stable_id == key.version_ids[0]
        root = keys.subjects.unwrapped(person_of(keys, "user:42"), create=False).root
        assert key.cipher(CMAC)._key == derive(root, CMAC, "note").expose()

    def test_are_made_by_writing_and_not_by_reading(self, keys):
        person = keys.subject("user:42")
        key = person["note"]
        assert key.version_ids == ()
        assert not key.knows(7)
        with pytest.raises(KeyNotFound, match="nothing was written for them"):
            tag(key, 7)
        assert not person.exists
        assert key.primary_id
        assert person.exists

    def test_of_another_person_do_not_serve(self, keys):
        one, other = keys.subject("a")["x"], keys.subject("b")["x"]
        assert one.primary_id != other.primary_id
        assert not one.knows(other.primary_id)
        with pytest.raises(KeyNotFound, match="another person"):
            tag(one, other.primary_id)

    def test_follow_aliases(self, keys):
        keys.alias("new", of="old")
        assert keys.subject("a")["new"] == keys.subject("a")["old"]

    def test_are_made_once(self, keys):
        key = keys.subject("a")["x"]
        assert key.cmac(CMAC) is key.cmac(CMAC, key.primary_id)

    @pytest.mark.parametrize("subject", ["", None, 42, b"a", "\ud800"])
    def test_of_what_is_no_id(self, keys, subject):
        with pytest.raises(InvalidParameter, match="person's id"):
            keys.subject(subject)

    def test_show_nobody_and_are_not_pickled(self, keys):
        person = keys.subject("user:42")
        assert "42" not in repr(person)
        assert person == keys.subject("user:42") != keys.subject("user:43")
        assert person != "user:42"
        assert len({person, keys.subject("user:42")}) == 1
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(person)
        with pytest.raises(AttributeError, match="immutable"):
            person.x = 1
        key = person["x"]
        assert copy.deepcopy(key) is key


class TestManyAtOnce:
    def test_are_made_and_loaded(self, keys, reopen):
        names = [f"user:{number}" for number in range(1200)]
        keys.subjects.create([*names, *names[:5]])
        keys.subjects.create(names[:10])
        again = reopen()
        again.subjects.load([*names, "stranger"])
        ids = [again.subject(name)["x"].primary_id for name in names]
        assert len(set(ids)) > 1190
        assert [keys.subject(name)["x"].primary_id for name in names[:20]] == ids[:20]
        assert not again.subject("stranger").exists

    def test_loaded_ones_are_not_looked_up(self, keys, reopen, monkeypatch):
        keys.subjects.create(["a", "b"])
        again = reopen()
        again.subjects.load(["a", "b"])
        monkeypatch.setattr(type(again.subjects._table), "get", lambda *_: pytest.fail("looked up"))
        assert tag(again.subject("a")["x"]) != tag(again.subject("b")["x"])

    def test_memory_is_bounded_and_keeps_the_latest_used(self, keys):
        keys.subjects.capacity = 3
        names = [f"user:{number}" for number in range(10)]
        keys.subjects.create(names)
        keys.subjects.load(names[:3])
        assert keys.subject(names[0])["x"].primary_id
        keys.subjects.load(names[3:5])
        assert set(keys.subjects._cache) == {person_of(keys, names[number]) for number in (0, 3, 4)}
        keys.subjects.load(names)
        assert len(keys.subjects._cache) == 3

    def test_are_made_by_several_at_once_in_any_order(self, path, keys, make_table):
        names = [f"user:{number}" for number in range(400)]
        orders = [names, names[::-1], names[200:] + names[:200], names[::3] + names]

        def create(order):
            for start in range(0, len(order), 100):
                Keyring.open(path, subjects=make_table()).subjects.create(order[start:] + order[:start])

        with ThreadPoolExecutor(len(orders)) as pool:
            list(pool.map(create, orders))
        assert len({keys.subject(name)["x"].primary_id for name in names}) > 390

    def test_none(self, keys):
        keys.subjects.create([])
        keys.subjects.load([])
        assert keys.subjects.rewrap() == 0


class TestForgetting:
    def test_makes_unreadable_and_leaves_a_tombstone(self, keys, reopen):
        key, other = keys.subject("user:42")["note"], keys.subject("user:43")["note"]
        key_id, kept = key.primary_id, tag(other)
        when = keys.forget("user:42", reason="account closed")
        for opened in (keys, reopen()):
            gone = opened.subject("user:42")
            assert gone.forgotten == when
            assert not gone.exists
            for action in (
                lambda gone=gone: tag(gone["note"], key_id),
                lambda gone=gone: tag(gone["note"]),
                lambda gone=gone: gone["other"].primary_id,
            ):
                with pytest.raises(SubjectForgotten, match=f"forgotten on {when:%Y-%m-%d}") as caught:
                    action()
                assert "42" not in str(caught.value).replace(f"{when:%Y-%m-%d}", "")
            assert gone["note"].knows(key_id)
            assert not gone["note"].knows(other.primary_id)
            assert tag(opened.subject("user:43")["note"]) == kept
        row = keys.subjects.row(person_of(keys, "user:42"))
        assert (row.wrapped, row.reason) == (None, "account closed")

    def test_twice_is_once(self, keys):
        assert keys.subject("a")["x"].primary_id
        first = keys.forget("a", reason="one")
        assert keys.forget("a", reason="two") == first
        assert keys.subjects.row(person_of(keys, "a")).reason == "one"

    def test_is_not_undone_by_making(self, keys):
        keys.subjects.create(["a"])
        keys.forget("a")
        keys.subjects.create(["a"])
        keys.rotate()
        keys.subjects.rewrap()
        with pytest.raises(SubjectForgotten):
            tag(keys.subject("a")["x"])

    def test_who_is_not_there(self, keys):
        with pytest.raises(KeyNotFound, match="nothing to forget"):
            keys.forget("nobody")

    def test_many_at_once(self, keys, reopen):
        names = [f"user:{number}" for number in range(1200)]
        keys.subjects.create(names)
        keys.subjects.load(names)
        keys.forget(names[0], reason="first")
        kept = tag(keys.subject(names[-1])["x"])
        assert keys.subjects.forget_many([*names[:-1], names[5]], reason="expired") == 1198
        for opened in (keys, reopen()):
            assert not any(opened.subject(name).exists for name in names[:-1:100])
            with pytest.raises(SubjectForgotten):
                tag(opened.subject(names[700])["x"])
            assert tag(opened.subject(names[-1])["x"]) == kept
        reasons = [keys.subjects.row(person_of(keys, name)).reason for name in names[:2]]
        assert reasons == ["first", "expired"]
        assert keys.subjects.forget_many(names[:3]) == 0

    def test_who_was_forgotten_meanwhile_is_not_counted(self, keys, reopen, monkeypatch):
        keys.subjects.create(["a", "b", "c"])
        table = type(keys.subjects._table)
        get = table.get

        def slow(self, persons):
            rows = get(self, persons)
            monkeypatch.setattr(table, "get", get)
            assert reopen().subjects.forget_many(["a", "b"], reason="somebody else's") == 2
            return rows

        monkeypatch.setattr(table, "get", slow)
        assert keys.subjects.forget_many(["a", "b", "c"], reason="ours") == 1
        reasons = [keys.subjects.row(person_of(keys, name)).reason for name in "abc"]
        assert reasons == ["somebody else's", "somebody else's", "ours"]

    def test_many_of_whom_some_are_not_there(self, keys):
        keys.subjects.create(["a", "b"])
        with pytest.raises(
            KeyNotFound, match=r"2 of 4 persons have no key .* position 1; nobody was forgotten"
        ) as caught:
            keys.subjects.forget_many(["a", "nobody", "b", "nobody"])
        assert "nobody" not in str(caught.value).replace("nobody was", "")
        assert keys.subject("a").exists
        assert keys.subjects.forget_many(["a", "nobody", "b"], missing_ok=True) == 2
        assert keys.subjects.forget_many(["nobody"], missing_ok=True) == 0
        assert not keys.subject("nobody").exists

    def test_one_id_is_no_sequence_of_them(self, keys):
        keys.subjects.create(["a"])
        with pytest.raises(InvalidParameter, match="put it into a list"):
            keys.subjects.forget_many("a")
        assert keys.subject("a").exists

    @pytest.mark.parametrize("reason", [None, 5, b"closed", "closed \ud800"])
    def test_a_reason_that_is_no_text(self, path, reason):
        keys = Keyring.create(path)
        keys.subjects.create(["a"])
        for forget in (
            lambda: keys.forget("a", reason=reason),
            lambda: keys.subjects.forget_many(["a"], reason=reason),
        ):
            with pytest.raises(InvalidParameter, match="reason is a str"):
                forget()
        assert keys.subject("a").exists

    def test_a_load_that_overlaps_keeps_nothing(self, keys, monkeypatch):
        keys.subjects.create(["a", "b"])
        table = type(keys.subjects._table)
        get = table.get

        def slow(self, persons):
            rows = get(self, persons)
            monkeypatch.setattr(table, "get", get)
            keys.forget("a")
            return rows

        monkeypatch.setattr(table, "get", slow)
        keys.subjects.load(["a", "b"])
        with pytest.raises(SubjectForgotten):
            tag(keys.subject("a")["x"])

    def test_no_copy_stays_in_the_sqlite_files(self, path, tmp_path):
        keys = Keyring.create(path)
        names = [f"user:{number}" for number in range(500)]
        keys.subjects.create(names)
        wrapped = [keys.subjects.row(person_of(keys, name)).wrapped for name in names]
        files = [tmp_path / f"keyring.json.subjects{ending}" for ending in ("", "-wal", "-shm")]

        def stored():
            return b"".join(file.read_bytes() for file in files if file.exists())

        assert all(content in stored() for content in wrapped)
        for name in names[::50]:
            keys.forget(name)
        after = stored()
        assert not any(content in after for content in wrapped[::50])
        assert all(content in after for content in wrapped[1::50])
        assert not any(name.encode() in after for name in names)

    def test_no_copy_of_many_stays_in_the_sqlite_files(self, path, tmp_path):
        keys = Keyring.create(path)
        names = [f"user:{number}" for number in range(3000)]
        for start in range(0, 3000, 40):  # page after page is divided, and rows are moved
            keys.subjects.create(names[start : start + 40])
        wrapped = [keys.subjects.row(person_of(keys, name)).wrapped for name in names]
        keys.subjects.forget_many(names[:2000])
        files = [tmp_path / f"keyring.json.subjects{ending}" for ending in ("", "-wal", "-shm")]
        after = b"".join(file.read_bytes() for file in files if file.exists())
        assert not any(key in after for key in wrapped[:2000])
        assert all(key in after for key in wrapped[2000:])

    def test_no_copy_stays_where_all_are_wrapped_anew(self, path, tmp_path):
        keys = Keyring.create(path)
        names = [f"user:{number}" for number in range(300)]
        keys.subjects.create(names)
        wrapped = [keys.subjects.row(person_of(keys, name)).wrapped for name in names]
        keys.rotate()
        assert keys.subjects.rewrap() == 300
        files = [tmp_path / f"keyring.json.subjects{ending}" for ending in ("", "-wal", "-shm")]
        after = b"".join(file.read_bytes() for file in files if file.exists())
        assert not any(key in after for key in wrapped)

    def test_a_file_that_cannot_be_built_anew(self, path):
        keys = Keyring.create(path)
        names = [f"user:{number}" for number in range(10)]
        keys.subjects.create(names)
        connection = keys.subjects._table._connection
        limit = connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # VACUUM attaches what it builds
        with pytest.raises(KeyringError, match=r"keys are destroyed, but .* may hold old copies .* forget the same"):
            keys.subjects.forget_many(names[:5])
        with pytest.raises(SubjectForgotten):
            tag(keys.subject(names[0])["x"])
        keys.rotate()
        with pytest.raises(KeyringError, match=r"keys are wrapped anew, but .* destroy the version"):
            keys.subjects.rewrap()
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, limit)
        assert keys.subjects.forget_many(names[:5]) == 0
        assert tag(keys.subject(names[5])["x"])

    @pytest.mark.parametrize("secure_delete", [0, 1, 2])
    def test_sqlite_behind_sqlalchemy_overwrites(self, path, tmp_path, secure_delete):
        sqlalchemy = pytest.importorskip("sqlalchemy")
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
        words = ("OFF", "ON", "FAST")

        @sqlalchemy.event.listens_for(engine, "connect")
        def connected(connection, _record):
            connection.execute(f"PRAGMA secure_delete = {words[secure_delete]}")
            connection.execute("ATTACH ':memory:' AS other")
            connection.execute("PRAGMA other.secure_delete = FAST")

        keys = Keyring.create(path, subjects=SqlSubjects(engine))
        keys.subjects.create(["a", "b"])
        first, other = (keys.subjects.row(person_of(keys, name)).wrapped for name in "ab")
        assert first in (tmp_path / "shop.db").read_bytes()
        keys.forget("a")
        assert first not in (tmp_path / "shop.db").read_bytes()
        keys.rotate()
        keys.subjects.rewrap()
        assert other not in (tmp_path / "shop.db").read_bytes()
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA main.secure_delete").scalar() == secure_delete
            assert connection.exec_driver_sql("PRAGMA other.secure_delete").scalar() == 2
        engine.dispose()

    def test_no_copy_stays_where_rows_were_moved(self, path, tmp_path):
        keys = Keyring.create(path)
        file = tmp_path / "keyring.json.subjects"

        def checkpointed():
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return file.read_bytes()

        twice = []
        for start in range(0, 40_000, 400):
            names = [f"user:{number}" for number in range(start, start + 400)]
            for first in range(0, 400, 40):  # page after page is divided, and rows are moved
                keys.subjects.create(names[first : first + 40])
            wrapped = {name: keys.subjects.row(person_of(keys, name)).wrapped for name in names}
            content = checkpointed()
            twice += [(name, key) for name, key in wrapped.items() if content.count(key) > 1]
            if len(twice) > 1:
                break
        assert len(twice) > 1
        for name, key in twice[1:]:
            keys.forget(name)
            assert key not in file.read_bytes()
        name, key = twice[0]
        keys.rotate()
        keys.subjects.rewrap()
        assert key not in checkpointed()
        tag(keys.subject(name)["x"])

    def test_forgetting_again_clears_away_what_was_left(self, path, tmp_path):
        keys = Keyring.create(path)
        keys.subjects.create(["a", "b"])
        row = keys.subjects.row(person_of(keys, "a"))
        keys.forget("a")
        file = tmp_path / "keyring.json.subjects"
        page = bytearray(file.read_bytes())
        page[-3000:-2952] = row.wrapped  # as a process that was killed in the middle leaves it, in a page's gap
        file.write_bytes(page)
        keys.forget("a")
        assert row.wrapped not in file.read_bytes()
        tag(keys.subject("b")["x"])

    def test_a_reader_that_stands_in_the_log_is_named(self, path, monkeypatch):
        monkeypatch.setattr("privkit.keys.subject_table._CHECKPOINT_SECONDS", 0.1)
        keys = Keyring.create(path)
        keys.subjects.create(["a", "b"])
        reader = sqlite3.connect(path.with_name("keyring.json.subjects"))
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM privkit_subjects").fetchone()
        with pytest.raises(KeyringError, match="forget the person again"):
            keys.forget("a")
        assert not keys.subject("a").exists
        reader.close()
        keys.forget("a")
        wal = path.with_name("keyring.json.subjects-wal")
        assert not wal.exists() or wal.stat().st_size == 0


class TestRotation:
    def test_persons_stay_readable(self, keys, reopen):
        made, first = tag(keys.subject("a")["x"]), keys.primary_id
        keys.rotate()
        assert tag(keys.subject("b")["x"])
        assert {keys.subjects.row(person_of(keys, name)).ring_key_id for name in "ab"} == {first, keys.primary_id}
        assert tag(reopen().subject("a")["x"]) == made

    def test_a_version_that_wraps_persons_is_not_destroyed(self, keys, reopen):
        keys.subjects.create(["a", "b", "c"])
        made, first = tag(keys.subject("a")["x"]), keys.primary_id
        keys.forget("c")
        keys.rotate()
        with pytest.raises(KeyringError, match=r"call keys\.subjects\.rewrap\(\) first"):
            keys.destroy(first, breaks_stable=True)
        assert keys.subjects.rewrap() == 2
        assert keys.subjects.rewrap() == 0
        keys.destroy(first, breaks_stable=True)
        assert tag(reopen().subject("a")["x"]) == made

    def test_a_disabled_version_disables_its_persons(self, keys):
        made, first = tag(keys.subject("a")["x"]), keys.primary_id
        keys.rotate()
        keys.disable(first)
        for action in (lambda: tag(keys.subject("a")["x"]), keys.subjects.rewrap):
            with pytest.raises(KeyUnavailable, match="disabled"):
                action()
        keys.enable(first)
        assert tag(keys.subject("a")["x"]) == made

    def test_rewrapping_the_keyring_changes_nothing(self, keys, path, make_table, tmp_path):
        made = tag(keys.subject("a")["x"])
        keys.rewrap(LocalKey(tmp_path / "new.kek"))
        again = Keyring.open(path, wrapper=LocalKey(tmp_path / "new.kek"), subjects=make_table())
        assert tag(again.subject("a")["x"]) == made


class TestDamage:
    @pytest.mark.parametrize("change", ["wrapped", "key_id", "person", "empty"])
    def test_is_found(self, keys, change):
        keys.subjects.create(["a", "b"])
        one, other = (keys.subjects.row(person_of(keys, name)) for name in "ab")
        damaged = {
            "wrapped": one._replace(wrapped=bytes([one.wrapped[0] ^ 1]) + one.wrapped[1:]),
            "key_id": one._replace(key_id=other.key_id),
            "person": one._replace(wrapped=other.wrapped, key_id=other.key_id),
            "empty": one._replace(wrapped=b""),
        }[change]
        with pytest.raises(KeyringUnreadable, match="1 keys of persons are damaged"):
            keys.subjects._unwrapped([damaged])
        assert keys.subjects._unwrapped([one])

    def test_a_table_of_another_keyring_knows_nobody(self, keys, tmp_path, make_table):
        keys.subjects.create(["a"])
        other = Keyring.create(tmp_path / "other.json", subjects=make_table())
        assert not other.subject("a").exists

    @pytest.mark.parametrize("change", ["wrapped = 'abc'", "wrapped = 5", "key_id = 'x'", "key_id = -1"])
    def test_values_of_another_type_are_damage(self, path, change):
        keys = Keyring.create(path)
        keys.subjects.create(["a"])
        file = path.with_name("keyring.json.subjects")
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"UPDATE privkit_subjects SET {change}")  # noqa: S608 - the parameters above
        with pytest.raises(KeyringUnreadable, match=r"damaged; restore"):
            tag(keys.subject("a")["x"])
        with pytest.raises(KeyringUnreadable, match=r"damaged; restore"):
            keys.subjects.load(["a"])
        keys.forget("a")
        assert keys.subject("a").forgotten

    def test_a_file_that_is_no_table(self, path):
        keys = Keyring.create(path)
        path.with_name("keyring.json.subjects").write_bytes(b"nothing of the kind" * 100)
        with pytest.raises(KeyringError, match="cannot use the table"):
            keys.subjects.create(["a"])


class TestPlaces:
    def test_beside_the_file_for_its_owner_only(self, path):
        keys = Keyring.create(path)
        file = path.with_name("keyring.json.subjects")
        assert not keys.subject("a").exists
        assert not file.exists()
        keys.subjects.create(["a"])
        assert file.stat().st_mode & 0o777 == 0o600
        assert keys.subjects._table.describe() == str(file)

    def test_in_the_keyrings_database(self, tmp_path):
        pytest.importorskip("sqlalchemy", reason="the extra sqlalchemy is not installed")
        url, kek = f"sqlite:///{tmp_path}/shop.db", LocalKey(tmp_path / "kek")
        keys = Keyring.create(SqlStore(url), wrapper=kek)
        keys.subjects.create(["a"])
        assert Keyring.open(SqlStore(url), wrapper=kek).subject("a").exists
        assert "privkit_subjects" in keys.subjects._table.describe()

    def test_nowhere(self, path):
        class Other:
            def __init__(self, of):
                self._of = of

            def __getattr__(self, name):
                return getattr(self._of, name)

        keys = Keyring.create(Other(FileStore(path)), wrapper=LocalKey(path.with_name("kek")))
        with pytest.raises(KeyringError, match="pass subjects="):
            keys.subjects.create(["a"])
        first = keys.primary_id
        keys.rotate()
        keys.destroy(first, breaks_stable=True)

    def test_a_missing_extra_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sqlalchemy", None)
        with pytest.raises(MissingExtra, match=r"privkit\[sqlalchemy\]"):
            SqlSubjects("sqlite://")


class TestSharing:
    def test_threads_that_make_the_same_persons_agree(self, keys):
        names = [f"user:{number % 10}" for number in range(80)]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda name: (name, tag(keys.subject(name)["x"])), names))
        assert len(set(made)) == 10

    def test_processes_that_make_the_same_persons_agree(self, path):
        keys = Keyring.create(path)
        code = (
            "import sys; from privkit.keys import Keyring, Usage\n"
            "keys = Keyring.open(sys.argv[1])\n"
            "usage = Usage('token', 'AES-CMAC', 32)\n"
            "for n in range(20): print(keys.subject(f'user:{n}')['x'].cmac(usage).digest(b'v').hex())"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        one, other = (process.communicate()[0] for process in running)
        assert one == other
        assert len(set(one.split())) == 20
        assert keys.subject("user:0").exists

    def test_a_child_goes_on_after_a_fork(self, path):
        code = (
            "import os, sys; from privkit.keys import Keyring\n"
            "keys = Keyring.create(sys.argv[1]); keys.subjects.create(['a'])\n"
            "child = os.fork()\n"
            "keys.subjects.create(['child' if child == 0 else 'parent'])\n"
            "known = keys.subject('a').exists\n"
            "if child == 0: os._exit(0 if known else 1)\n"
            "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), keys.subject('child').exists)"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
        assert done.stdout == "0 True\n"

    def test_the_end_of_a_lifetime_drops_unwrapped_keys(self, path, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr("privkit.keys.vault.time.monotonic", lambda: now[0])
        keys = Keyring.create(path, lifetime=60)
        keys.subjects.create(["a"])
        assert tag(keys.subject("a")["x"])
        Keyring.open(path).forget("a")
        assert tag(keys.subject("a")["x"])  # still in this process's memory
        now[0] += 60
        with pytest.raises(SubjectForgotten):
            tag(keys.subject("a")["x"])


def test_loading_may_make_keys_and_gives_them_in_order(keys, reopen):
    keys.subjects.create(["a", "gone"])
    keys.forget("gone")
    loaded = keys.subjects.load(["new", "gone", "a", "new"], create=True)
    assert loaded == [keys.subject(name) for name in ("new", "gone", "a", "new")]
    assert [one.exists for one in loaded] == [True, False, True, True]
    assert keys.subjects.load(["never"]) == [keys.subject("never")]
    assert not keys.subject("never").exists
    first = keys.subject("new")["note"].primary_id
    keys.subjects.load(["new"], create=True)
    assert reopen().subject("new")["note"].primary_id == first
