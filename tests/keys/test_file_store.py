"""The keyring's file under attack, accident and competition."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import KeyringError, KeyringUnreadable
from privkit.keys import EnvironmentKey, Keyring, LocalKey
from privkit.keys.document import MAX_BYTES, Envelope

HERE = Path(__file__).parent


@pytest.fixture
def full(keys):
    """A keyring with something in each of its parts."""
    keys.rotate()
    keys.rotate()
    keys.disable(keys.versions[1].id)
    keys.alias("client.phone", of="customer.phone")
    keys.move_stable("customer.note")
    keys.rotate()
    keys.destroy(keys.versions[1].id)
    return keys


class TestTampering:
    @pytest.mark.parametrize("flip", [0x01, 0x02, 0x10, 0x20, 0x80])
    def test_each_byte_flipped_is_found_or_means_nothing(self, full, path, flip):
        before = path.read_bytes()
        opened = 0
        for position in range(len(before)):
            altered = bytearray(before)
            altered[position] ^= flip
            path.write_bytes(altered)
            try:
                same = Keyring.open(path)
            except KeyringUnreadable:
                continue
            # Only white space between the parts may differ.
            assert same._vault.opened.document == full._vault.opened.document
            assert json.loads(altered) == json.loads(before)
            opened += 1
        assert opened <= before.count(b" ") + before.count(b"\n")

    def test_cut_short_anywhere(self, full, path):
        before = path.read_bytes()
        for length in range(len(before) - 1):
            path.write_bytes(before[:length])
            with pytest.raises(KeyringUnreadable):
                Keyring.open(path)
        path.write_bytes(before[:-1])  # the last line's end means nothing
        assert Keyring.open(path).generation == full.generation

    @pytest.mark.parametrize(
        "edit",
        [
            lambda d: d.update(generation=d["generation"] + 1),
            lambda d: d["keys"].pop(),
            lambda d: d["keys"].reverse(),
            lambda d: d["keys"][0].update(state="disabled"),
            lambda d: d["keys"][0].update(id=d["keys"][2]["id"]),
            lambda d: d["keys"][0].update(root=d["keys"][2]["root"]),
            lambda d: d["keys"][1].update(root=d["keys"][2]["root"], state="enabled"),
            lambda d: d["keys"][0].update(created="2000-01-01T00:00:00Z"),
            lambda d: d["stable"].update(default=d["keys"][2]["id"]),
            lambda d: d["stable"]["fields"].clear(),
            lambda d: d["aliases"].update(new="customer.phone"),
            lambda d: d.update(more=1),
            lambda d: d.update(version=2),
            lambda d: d.update(version=1.0),
            lambda d: d.update(format="other"),
            lambda d: d.update(keyring="ab" * 16),
            lambda d: d.update(keyring="\ud800"),
            lambda d: d.update(tag=""),
            lambda d: d.update(tag="\ud800"),
            lambda d: d.update(tag=d["tag"].upper()),
            lambda d: d.update(tag=None),
            lambda d: d.update(ring_key="x"),
            lambda d: d["ring_key"].update(wrapper="environment"),
            lambda d: d["ring_key"].update(wrapper="environment", variable="A=B"),
            lambda d: d["ring_key"].update(wrapper=["\ud800"]),
            lambda d: d["ring_key"].update(more=1),
        ],
    )
    def test_edited_by_hand(self, full, path, edit):
        document = json.loads(path.read_bytes())
        edit(document)
        path.write_text(json.dumps(document, indent=2))
        with pytest.raises(KeyringUnreadable) as caught:
            Keyring.open(path)
        assert "\n" not in str(caught.value)
        assert full.primary_id

    def test_a_part_given_twice(self, full, path):
        assert full.primary_id
        stored = path.read_bytes()
        path.write_bytes(stored.replace(b'"generation"', b'"generation": 99, "generation"', 1))
        with pytest.raises(KeyringUnreadable, match="cut short or damaged"):
            Keyring.open(path)

    def test_two_files_swapped(self, tmp_path):
        one, other = (Keyring.create(tmp_path / name) for name in ("one.json", "other.json"))
        (tmp_path / "one.json").rename(tmp_path / "swap")
        (tmp_path / "other.json").rename(tmp_path / "one.json")
        (tmp_path / "swap").rename(tmp_path / "other.json")
        for name in ("one.json", "other.json"):
            with pytest.raises(KeyringUnreadable, match="another key"):
                Keyring.open(tmp_path / name)
        for keys in (one, other):
            with pytest.raises(KeyringUnreadable, match="another keyring"):
                keys.refresh()

    def test_a_version_of_another_keyring_under_the_same_kek_does_not_fit(self, tmp_path):
        kek = LocalKey(tmp_path / "kek")
        for name in ("one.json", "other.json"):
            Keyring.create(tmp_path / name, wrapper=kek)
        one, other = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "other.json"))
        (tmp_path / "one.json").write_text(json.dumps({**one, "ring_key": other["ring_key"]}))
        with pytest.raises(KeyringUnreadable):
            Keyring.open(tmp_path / "one.json", wrapper=kek)

    @given(st.binary(max_size=300) | st.recursive(st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode))
    def test_anything_at_all_is_refused_in_one_way(self, content):
        with pytest.raises(KeyringUnreadable):
            Envelope(content)

    def test_nested_without_end(self):
        for content in (b"[" * 100_000, b'{"format":' * 100_000):
            with pytest.raises(KeyringUnreadable):
                Envelope(content)

    def test_too_large(self, path):
        path.write_bytes(b" " * (MAX_BYTES + 1))
        path.chmod(0o600)
        with pytest.raises(KeyringUnreadable, match="too large"):
            Keyring.open(path)


class TestModes:
    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_written_by_others_is_refused(self, keys, path, mode):
        path.chmod(mode)
        with pytest.raises(KeyringUnreadable, match="chmod go-w"):
            Keyring.open(path)
        with pytest.raises(KeyringUnreadable, match="chmod go-w"):
            keys.rotate()

    def test_mode_and_owner_stay(self, keys, path):
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 12345, 23456)
        keys.rotate()
        status = path.stat()
        assert status.st_mode & 0o777 == 0o640
        assert (status.st_uid, status.st_gid) == ((12345, 23456) if os.geteuid() == 0 else (os.geteuid(), os.getegid()))

    def test_a_link_stays_a_link(self, keys, path, tmp_path):
        link = tmp_path / "link.json"
        link.symlink_to(path)
        linked = Keyring.open(link, wrapper=LocalKey(path.with_name("keyring.json.kek")))
        linked.rotate()
        assert link.is_symlink()
        assert Keyring.open(path).generation == 2
        assert keys.refresh()

    @pytest.mark.parametrize("path", ["", ".", "/"])
    def test_a_path_that_names_no_file(self, path):
        with pytest.raises(KeyringError, match="names no file"):
            Keyring.create(path)

    def test_a_directory_is_no_keyring(self, tmp_path):
        with pytest.raises(KeyringUnreadable):
            Keyring.open(tmp_path)

    def test_a_keyring_in_the_place_of_a_folder_leaves_nothing(self, tmp_path):
        (tmp_path / "folder").mkdir()
        with pytest.raises(KeyringError, match="exists already"):
            Keyring.create(tmp_path / "folder")
        assert [file.name for file in tmp_path.iterdir()] == ["folder"]

    def test_a_wrapper_that_refuses_leaves_nothing(self, path, tmp_path):
        with pytest.raises(KeyringError, match="is not set"):
            Keyring.create(path, wrapper=EnvironmentKey("PRIVKIT_NO_SUCH_KEK"))
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_left_beside(self, full, path):
        assert full.generation == 8
        assert {file.name for file in path.parent.iterdir()} == {
            "keyring.json",
            "keyring.json.kek",
            "keyring.json.lock",
        }


class TestAccidents:
    def test_killed_at_any_system_call_of_a_rotation(self, tmp_path):
        done = subprocess.run(
            [sys.executable, HERE / "killed_rotation.py", tmp_path], capture_output=True, text=True, check=True
        )
        report = json.loads(done.stdout)
        assert sum(status == 9 for _, _, status, _, _ in report) > 20
        assert {versions for _, _, _, versions, _ in report} == {1, 2}
        assert all(goes_on for *_, goes_on in report)
        assert [status for _, _, status, _, _ in report].count(0) == 2  # one run to the end for each manner of killing

    @pytest.mark.parametrize("name", ["open", "write", "fsync", "fchmod", "replace", "unlink", "close"])
    @pytest.mark.parametrize("call", [1, 2, 3])
    def test_any_system_call_of_a_rotation_fails(self, keys, path, name, call):
        real, calls = getattr(os, name), []

        def failing(*arguments, **options):
            calls.append(name)
            if len(calls) == call:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, name, failing)
            said = "rotated"
            try:
                keys.rotate()
            except KeyringError as error:
                said = str(error)
        opened = Keyring.open(path)
        assert said == "rotated" or said.endswith("No space left on device")
        assert said != "rotated" or len(opened.versions) == 2
        before = len(opened.versions)
        keys.rotate()
        assert len(Keyring.open(path).versions) == before + 1
        assert not path.with_name("keyring.json.new").exists()

    def test_the_disk_is_full(self, keys, path):
        code = (
            "import resource, sys; from privkit.keys import Keyring; from privkit.errors import KeyringError\n"
            "keys = Keyring.open(sys.argv[1])\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            "try: keys.rotate()\n"
            "except KeyringError as error: print(error)\n"
            "print(len(keys.versions), len(Keyring.open(sys.argv[1]).versions))"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
        assert done.stdout == f"cannot write keyring {path}: File too large\n1 1\n"
        keys.rotate()

    def test_creation_fails_and_can_be_tried_again(self, path, monkeypatch):
        def failing(*_arguments):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            with pytest.raises(KeyringError, match="cannot write keyring"):
                Keyring.create(path)
        assert not path.exists()
        assert Keyring.open(Keyring.create(path)._vault.store).generation == 1


class TestCompetition:
    def test_two_processes_rotating_at_once_lose_nothing(self, keys, path):
        code = (
            "import sys; from privkit.keys import Keyring\n"
            "keys = Keyring.open(sys.argv[1]); print(*(keys.rotate() for _ in range(25)))"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        made = [int(key_id) for process in running for key_id in process.communicate()[0].split()]
        opened = Keyring.open(path)
        assert len(made) == 50
        assert set(opened.version_ids) == {keys.primary_id, *made}
        assert opened.generation == 51

    def test_two_creating_at_once_make_one(self, path):
        code = (
            "import sys; from privkit.keys import Keyring; from privkit.errors import KeyringError\n"
            "try: print(Keyring.create(sys.argv[1]).id)\n"
            "except KeyringError as error: assert 'exists already' in str(error), error"
        )
        running = [
            subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        made = [line for process in running for line in process.communicate()[0].split()]
        assert [process.returncode for process in running] == [0, 0, 0]
        assert made == [Keyring.open(path).id]

    def test_a_lock_that_is_never_released_is_said(self, keys, path, monkeypatch):
        monkeypatch.setattr("privkit.keys.store.LOCK_SECONDS", 0.05)
        with path.with_name("keyring.json.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(KeyringError, match="another process has locked"):
                keys.rotate()
        keys.rotate()
