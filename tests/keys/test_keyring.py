import copy
import json
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from privkit.errors import InvalidParameter, KeyNotFound, KeyringError, KeyringUnreadable, KeyUnavailable
from privkit.keys import FieldKey, Keyring, LocalKey, State, Usage
from privkit.keys.opened import MAX_DERIVED

SIV = Usage("encrypt", "AES-SIV", 64, mode="randomised")
CMAC = Usage("token", "AES-CMAC", 32)


def states(keys):
    return [version.state.value for version in keys.versions]


def tag(key, key_id=None):
    return key.cmac(CMAC, key_id).digest(b"value")


class TestOpening:
    def test_reads_what_was_created(self, keys, path):
        again = Keyring.open(path)
        assert again.id == keys.id
        assert again.generation == 1
        assert again.version_ids == keys.version_ids == (keys.primary_id,)
        assert tag(again["a"]) == tag(keys["a"])

    def test_by_str_or_path(self, keys, path):
        assert Keyring.open(str(path)).id == keys.id

    def test_does_not_overwrite(self, keys, path):
        before = path.read_bytes()
        with pytest.raises(KeyringError, match="exists already"):
            Keyring.create(path)
        assert path.read_bytes() == before
        assert Keyring.open(path).id == keys.id

    def test_missing(self, path):
        with pytest.raises(KeyringUnreadable, match=r"no keyring at .*create one"):
            Keyring.open(path)

    def test_in_a_directory_that_is_not_there(self, tmp_path):
        with pytest.raises(KeyringError, match="cannot write key file"):
            Keyring.create(tmp_path / "none" / "keyring.json")

    def test_two_keyrings_share_nothing(self, tmp_path):
        one, other = (Keyring.create(tmp_path / f"{name}.json") for name in ("one", "other"))
        assert one.id != other.id
        assert tag(one["a"]) != tag(other["a"])
        assert one["a"] != other["a"]

    def test_expects_a_generation(self, keys, path):
        keys.rotate()
        assert Keyring.open(path, expect_at_least=keys.generation).generation == 2
        with pytest.raises(KeyringUnreadable, match="2 < 3"):
            Keyring.open(path, expect_at_least=3)

    @pytest.mark.parametrize("lifetime", [0, -1, float("nan")])
    def test_lifetime_is_positive(self, path, lifetime):
        with pytest.raises(InvalidParameter, match="lifetime"):
            Keyring.create(path, lifetime=lifetime)
        assert not list(path.parent.iterdir())


class TestVersions:
    def test_newest_writes_and_all_read(self, keys):
        first = keys.primary_id
        key = keys["a"]
        old = tag(key, first)
        second = keys.rotate()
        assert (keys.primary_id, key.primary_id) == (second, second)
        assert keys.version_ids == key.version_ids == (second, first)
        assert states(keys) == ["enabled", "primary"]
        assert tag(key, first) == old != tag(key, second)

    def test_staged_reads_and_does_not_write_until_enabled(self, keys, path):
        first = keys.primary_id
        staged = keys.rotate(staged=True)
        assert states(keys) == ["primary", "staged"]
        assert keys.primary_id == first
        assert keys.version_ids == (staged, first)
        made = tag(keys["a"], staged)
        with pytest.raises(KeyUnavailable, match="staged; enable it"):
            keys.move_stable("a", to=staged)
        with pytest.raises(KeyringError, match="only enabled"):
            keys.disable(first)
        copied = Keyring.open(path)
        keys.enable(staged)
        assert states(keys) == ["enabled", "primary"]
        assert tag(copied["a"], keys.primary_id) == made
        second = keys.rotate(staged=True)
        keys.disable(second)
        keys.destroy(second)
        assert keys.version_ids == (staged, first)

    def test_disabled_reads_no_more_until_enabled(self, keys):
        first = keys.primary_id
        keys.rotate()
        old = tag(keys["a"], first)
        keys.disable(first)
        assert states(keys) == ["disabled", "primary"]
        with pytest.raises(KeyUnavailable, match="disabled; enable it"):
            tag(keys["a"], first)
        keys.enable(first)
        assert tag(keys["a"], first) == old

    def test_disabling_the_newest_lets_the_next_write(self, keys):
        first = keys.primary_id
        second = keys.rotate()
        keys.disable(second)
        assert keys.primary_id == first
        keys.enable(second)
        assert keys.primary_id == second

    def test_the_last_enabled_stays(self, keys):
        with pytest.raises(KeyringError, match="rotate first"):
            keys.disable(keys.primary_id)
        assert states(keys) == ["primary"]

    def test_destroyed_is_gone(self, keys, path):
        keys.rotate()
        second = keys.primary_id
        keys.rotate()
        sealed = json.loads(path.read_text())["keys"][1]["root"]
        keys.destroy(second)
        assert states(keys) == ["enabled", "destroyed", "primary"]
        assert sealed not in path.read_text()
        for action in (keys.enable, keys.disable, keys.destroy):
            with pytest.raises(KeyUnavailable, match="destroyed"):
                action(second)
        for reopened in (keys, Keyring.open(path)):
            with pytest.raises(KeyUnavailable, match="destroyed"):
                tag(reopened["a"], second)

    def test_the_primary_is_not_destroyed(self, keys):
        keys.rotate()
        with pytest.raises(KeyringError, match="is the primary"):
            keys.destroy(keys.primary_id)

    def test_what_something_stable_stands_on_is_not_destroyed_by_accident(self, keys):
        first = keys.primary_id
        keys.rotate()
        with pytest.raises(KeyringError, match=r"stand on key [0-9a-f]{8}; .*breaks_stable=True"):
            keys.destroy(first)
        keys.destroy(first, breaks_stable=True)
        with pytest.raises(KeyUnavailable):
            tag(keys["a"])

    def test_unknown(self, keys):
        unknown = keys.primary_id ^ 1
        with pytest.raises(KeyNotFound, match=f"no key {unknown:08x}"):
            tag(keys["a"], unknown)
        for action in (keys.enable, keys.disable, keys.destroy):
            with pytest.raises(KeyNotFound):
                action(unknown)
        assert not keys.knows(unknown)
        assert keys.knows(keys.primary_id)

    def test_ids_are_unique_and_not_zero(self, keys, monkeypatch):
        drawn = iter([0, keys.primary_id, 7, 7, 8])
        monkeypatch.setattr("privkit.keys.document.secrets.randbits", lambda _: next(drawn))
        assert keys.rotate() == 7
        assert keys.rotate() == 8

    def test_listing(self, keys):
        keys.rotate()
        first, second = keys.versions
        assert first.state is State.ENABLED
        assert second.state is State.PRIMARY
        assert (first.stable, second.stable) == (True, False)
        assert second.created.utcoffset().total_seconds() == 0

    def test_an_error_changes_nothing(self, keys, path):
        before = path.read_bytes()
        with pytest.raises(KeyringError):
            keys.disable(keys.primary_id)
        assert path.read_bytes() == before
        assert keys.generation == 1


class TestStable:
    def test_stays_through_rotation(self, keys):
        first, before = keys.primary_id, tag(keys["a"])
        keys.rotate()
        assert keys["a"].stable_id == first
        assert tag(keys["a"]) == before == tag(keys["a"], first)

    def test_moves_for_one_field(self, keys):
        first, second = keys.primary_id, keys.rotate()
        keys.move_stable("a")
        assert (keys["a"].stable_id, keys["b"].stable_id) == (second, first)
        assert tag(keys["a"]) == tag(keys["a"], second)
        assert keys.versions[1].stable_for == ("a",)
        keys.move_stable("a", to=first)
        assert keys["a"].stable_id == first

    def test_moves_for_every_other_field(self, keys):
        first, second = keys.primary_id, keys.rotate()
        keys.move_stable("a", to=first)
        keys.move_stable()
        assert (keys["a"].stable_id, keys["b"].stable_id) == (first, second)
        with pytest.raises(KeyringError, match="of a stand on"):
            keys.destroy(first)
        keys.move_stable("a")
        keys.destroy(first)

    def test_not_to_what_cannot_read(self, keys):
        first = keys.primary_id
        keys.rotate()
        keys.disable(first)
        with pytest.raises(KeyUnavailable, match="disabled"):
            keys.move_stable("a", to=first)
        with pytest.raises(KeyNotFound):
            keys.move_stable("a", to=1)


class TestAliases:
    def test_stands_for_the_first_name(self, keys, path):
        before = tag(keys["customer.phone"])
        keys.alias("client.phone", of="customer.phone")
        for opened in (keys, Keyring.open(path)):
            assert opened["client.phone"] == opened["customer.phone"]
            assert opened["client.phone"].name == "customer.phone"
            assert tag(opened["client.phone"]) == before
            assert opened.aliases == {"client.phone": "customer.phone"}

    def test_of_an_alias_leads_to_the_first_name(self, keys):
        keys.alias("b", of="a")
        keys.alias("c", of="b")
        assert keys["c"].name == "a"

    def test_said_twice_is_said_once(self, keys):
        keys.alias("b", of="a")
        keys.alias("b", of="a")
        assert keys.aliases == {"b": "a"}

    def test_taken_back(self, keys):
        keys.alias("b", of="a")
        keys.remove_alias("b")
        assert keys["b"].name == "b"
        with pytest.raises(InvalidParameter):
            keys.remove_alias("b")

    def test_that_would_hide_data(self, keys):
        keys.alias("b", of="a")
        keys.move_stable("moved")
        for alias, of in (("a", "c"), ("b", "c"), ("a", "a"), ("a", "b"), ("moved", "c"), ("d e", "a")):
            with pytest.raises(InvalidParameter):
                keys.alias(alias, of=of)

    def test_moves_stable_by_its_first_name(self, keys):
        second = keys.rotate()
        keys.alias("b", of="a")
        keys.move_stable("b")
        assert keys["a"].stable_id == second


class TestOtherProcesses:
    def test_a_rotation_elsewhere_is_found_when_its_value_is_met(self, keys, path):
        elsewhere = Keyring.open(path)
        for _ in range(3):
            new = elsewhere.rotate()
            assert keys.knows(new)
            elsewhere.rotate()
        new = elsewhere.rotate()
        assert tag(keys["a"], new) == tag(elsewhere["a"], new)
        assert keys.primary_id == new

    def test_changes_are_made_on_what_is_stored(self, keys, path):
        elsewhere = Keyring.open(path)
        one, other = keys.rotate(), elsewhere.rotate()
        assert set(Keyring.open(path).version_ids) == {keys.versions[0].id, one, other}

    def test_refresh(self, keys, path):
        assert not keys.refresh()
        new = Keyring.open(path).rotate()
        assert keys.primary_id != new
        assert keys.refresh()
        assert keys.primary_id == new

    def test_a_rewrapping_elsewhere_is_followed(self, keys, path, tmp_path):
        Keyring.open(path).rewrap(LocalKey())
        assert keys.refresh()
        Keyring.open(path).rewrap(LocalKey(tmp_path / "other.kek"))
        with pytest.raises(KeyringUnreadable, match="another key, or damaged"):
            keys.refresh()
        assert tag(keys["a"])

    def test_an_older_copy_put_back_is_seen_by_who_has_seen_the_newer(self, keys, path):
        old = path.read_bytes()
        keys.rotate()
        path.write_bytes(old)
        for action in (keys.refresh, keys.rotate):  # a rotation of the older copy would lose the newer version
            with pytest.raises(KeyringUnreadable, match=r"older copy.*1 < 2"):
                action()

    def test_another_keyring_put_in_its_place_is_seen(self, keys, path, tmp_path):
        Keyring.create(tmp_path / "other.json", wrapper=LocalKey(path.with_name("keyring.json.kek")))
        path.write_bytes((tmp_path / "other.json").read_bytes())
        for action in (keys.refresh, keys.rotate):
            with pytest.raises(KeyringUnreadable, match="another keyring"):
                action()

    def test_a_copy_one_version_behind_does_not_have_the_key(self, keys, path, tmp_path):
        behind = tmp_path / "behind.json"
        behind.write_bytes(path.read_bytes())
        behind.chmod(0o600)
        copied = Keyring.open(behind, wrapper=LocalKey(path.with_name("keyring.json.kek")))
        new = keys.rotate()
        with pytest.raises(KeyNotFound, match="older copy"):
            tag(copied["a"], new)


class TestRewrap:
    def test_changes_the_ring_key_and_no_data_key(self, keys, path, tmp_path):
        keys.rotate()
        keys.disable(keys.versions[0].id)
        before, ring_key = tag(keys["a"], keys.primary_id), keys._vault.opened.ring_key
        keys.rewrap(LocalKey(tmp_path / "new.kek"))
        assert keys._vault.opened.ring_key != ring_key
        again = Keyring.open(path, wrapper=LocalKey(tmp_path / "new.kek"))
        assert tag(again["a"], again.primary_id) == before
        again.enable(again.versions[0].id)
        assert tag(again["a"])

    def test_to_what_cannot_be_reached_changes_nothing(self, keys, path, tmp_path):
        before = path.read_bytes()
        with pytest.raises(KeyringError):
            keys.rewrap(LocalKey(tmp_path / "none" / "kek"))
        assert path.read_bytes() == before
        keys.rotate()
        assert Keyring.open(path).generation == 2

    def test_to_a_wrapper_that_loses_keys_is_refused(self, keys, path, tmp_path):
        class Broken(LocalKey):
            def unwrap(self, record, context):
                return type(super().unwrap(record, context)).random()

        before = path.read_bytes()
        with pytest.raises(KeyringError, match="does not give back"):
            keys.rewrap(Broken(tmp_path / "broken.kek"))
        assert path.read_bytes() == before


class TestLifetime:
    def test_ends_with_the_wrapper_being_asked_again(self, path, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr("privkit.keys.vault.time.monotonic", lambda: now[0])
        keys = Keyring.create(path, lifetime=60)
        key = keys["a"]
        before = tag(key)
        kek = path.with_name("keyring.json.kek")
        kek.rename(kek.with_suffix(".away"))
        now[0] += 59
        assert tag(key) == before
        now[0] += 1
        with pytest.raises(KeyringUnreadable, match="no key file"):
            tag(key)
        kek.with_suffix(".away").rename(kek)
        assert tag(key) == before
        new = Keyring.open(path).rotate()
        now[0] += 60
        assert key.primary_id == new


class TestHandle:
    def test_is_its_keyring_and_name(self, keys, path):
        assert keys["a"] == keys["a"] == Keyring.open(path)["a"]
        assert hash(keys["a"]) == hash(Keyring.open(path)["a"])
        assert keys["a"] != keys["b"]
        assert keys["a"] != "a"
        assert len({keys["a"], keys["a"], keys["b"]}) == 2

    def test_objects_are_made_once(self, keys):
        key = keys["a"]
        assert key.siv(SIV, keys.primary_id) is key.siv(SIV, keys.primary_id)
        assert key.cmac(CMAC) is keys["a"].cmac(CMAC)
        assert key.cipher(CMAC) is not keys["b"].cipher(CMAC)

    def test_the_cache_is_bounded(self, keys, monkeypatch):
        assert MAX_DERIVED > 1000
        monkeypatch.setattr("privkit.keys.opened.MAX_DERIVED", 3)
        for recipient in map(str, range(10)):
            keys["a"].cmac(Usage("token", "AES-CMAC", 32, recipient=recipient))
        assert len(keys._vault.opened.cache) <= 3

    def test_ciphers_work_under_both_algorithms(self, keys):
        key, key_id = keys["a"], keys.primary_id
        for algorithm, size in (("AES-SIV", 64), ("AES-SIV", 32), ("SM4-SIV", 32)):
            siv = key.siv(Usage("encrypt", algorithm, size), key_id)
            assert siv.decrypt(siv.encrypt(b"value", [b"place"]), [b"place"]) == b"value"
        aes, sm4 = (key.cipher(Usage("fpe", name, 16)).encrypt_block(bytes(16)) for name in ("AES", "SM4"))
        assert aes != sm4

    def test_is_immutable(self, keys):
        key = keys["a"]
        for change in (lambda: setattr(key, "name", "b"), lambda: delattr(key, "name"), lambda: setattr(key, "x", 1)):
            with pytest.raises(AttributeError, match="immutable"):
                change()

    def test_copies_are_the_same_and_pickles_are_refused(self, keys):
        for thing in (keys["a"], keys):
            assert copy.copy(thing) is thing
            assert copy.deepcopy(thing) is thing
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(thing)

    def test_name_is_checked(self, keys):
        with pytest.raises(InvalidParameter):
            keys["no name"]
        with pytest.raises(InvalidParameter):
            FieldKey(keys, "")


class TestSharing:
    def test_threads_read_while_one_rotates(self, keys):
        key, first = keys["a"], keys.primary_id
        expected = tag(key, first)
        stop = threading.Event()

        def read():
            seen = set()
            while not stop.is_set():
                seen.add(tag(key, first) == expected and key.siv(SIV, key.primary_id) is not None)
            return seen

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(3)]
            for _ in range(10):
                keys.rotate()
            stop.set()
            assert [reader.result() for reader in readers] == [{True}] * 3
        assert len(keys.version_ids) == 11

    def test_threads_rotate_at_once(self, keys, path):
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: keys.rotate(), range(12)))
        assert set(made) < set(Keyring.open(path).version_ids)
        assert len(set(made)) == 12

    def test_a_child_forked_in_the_middle_of_a_rotation_goes_on(self, path):
        code = """
import os, sys, threading, time
from privkit.keys import Keyring, Usage
keys = Keyring.create(sys.argv[1])
usage = Usage("token", "AES-CMAC", 32)
mine = keys["a"].cmac(usage).digest(b"value")
inside, go = threading.Event(), threading.Event()
update = type(keys._vault.store).update
def slow(store, change):
    inside.set(); go.wait(20)
    return update(store, change)
type(keys._vault.store).update = slow
rotation = threading.Thread(target=keys.rotate)
rotation.start(); inside.wait(20)
child = os.fork()
if child == 0:
    type(keys._vault.store).update = update
    same = keys["a"].cmac(usage).digest(b"value") == mine
    keys.rotate()
    os._exit(0 if same else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
go.set(); rotation.join()
print(status, len(Keyring.open(sys.argv[1]).version_ids))
"""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, str(path)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stdout == "0 3\n"


def test_reading_costs_no_look_at_the_store(keys, monkeypatch):
    monkeypatch.setattr(type(keys._vault.store), "read", lambda _: pytest.fail("read"))
    monkeypatch.setattr(type(keys._vault.store), "stamp", lambda _: pytest.fail("stamp"))
    key = keys["a"]
    for _ in range(3):
        assert tag(key, key.primary_id)
