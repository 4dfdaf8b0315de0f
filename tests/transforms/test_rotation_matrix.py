"""What becomes of encrypted values in the life of a keyring: each read gives the value, or the one right error."""

import shutil

import pytest

from privkit.errors import DecryptionFailed, KeyNotFound, KeyUnavailable, SubjectForgotten
from privkit.keys import Keyring, LocalKey
from privkit.transforms import Encrypt
from privkit.transforms.subjects import EncryptBySubject

FIELD = "customer.note"
BULK = 50
"""Rows that are opened as a column, by other code than one value is."""


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def text(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["randomised", "deterministic"])
def deterministic(request):
    return request.param


class Life:
    """A keyring of three versions, a value written under each, and copies of the file from before each rotation."""

    def __init__(self, folder, *, text, deterministic):
        self.folder, self.options = folder, {"text": text, "deterministic": deterministic}
        self.keys = Keyring.create(folder / "keyring.json", wrapper=LocalKey(folder / "kek"))
        self.ids, self.sealed = [], []
        for version in (1, 2, 3):
            if version > 1:
                self.keys.rotate()
                self.keys.move_stable()  # so that deterministic values are written under each version, too
            self.ids.append(self.keys.primary_id)
            self.sealed.append(self.of(self.keys).protect(f"written under {version}"))
            shutil.copy(folder / "keyring.json", folder / f"copy-{version}.json")

    def of(self, keys):
        return Encrypt(keys[FIELD], **self.options)

    def copy(self, version):
        return Keyring.open(self.folder / f"copy-{version}.json", wrapper=LocalKey(self.folder / "kek"))

    def read(self, version, keys=None):
        """The value of a version as it is read: one by one, in a short column, and in a long one, which must agree."""
        transform, sealed = self.of(keys or self.keys), self.sealed[version - 1]
        ways = (
            lambda: transform.reveal(sealed),
            lambda: transform.reveal_many([None, sealed])[1],
            lambda: transform.reveal_many([sealed] * BULK)[-1],
        )
        results = {outcome(way) for way in ways}
        assert len(results) == 1
        return results.pop()


def outcome(way):
    """What a read gives: the value, or the class of its error."""
    try:
        return way()
    except (DecryptionFailed, KeyUnavailable, KeyNotFound) as error:
        return type(error)


@pytest.fixture
def life(tmp_path, text, deterministic):
    return Life(tmp_path, text=text, deterministic=deterministic)


def values(*versions):
    return [f"written under {version}" for version in versions]


def test_every_enabled_version_reads(life):
    assert [life.read(version) for version in (1, 2, 3)] == values(1, 2, 3)
    assert life.of(life.keys).reveal_many(life.sealed * 20) == values(1, 2, 3) * 20


def test_a_process_that_starts_anew_reads_the_same(life):
    again = Keyring.open(life.folder / "keyring.json", wrapper=LocalKey(life.folder / "kek"))
    assert [life.read(version, again) for version in (1, 2, 3)] == values(1, 2, 3)


def test_a_disabled_version_says_so_until_it_is_enabled_again(life):
    life.keys.disable(life.ids[1])
    assert [life.read(version) for version in (1, 2, 3)] == [values(1)[0], KeyUnavailable, values(3)[0]]
    with pytest.raises(KeyUnavailable, match=f"key {life.ids[1]:08x} is disabled; enable it"):
        life.of(life.keys).reveal_many(life.sealed)
    life.keys.enable(life.ids[1])
    assert life.read(2) == values(2)[0]


def test_a_destroyed_version_says_so_for_good(life):
    life.keys.destroy(life.ids[0])
    assert [life.read(version) for version in (1, 2, 3)] == [KeyUnavailable, *values(2, 3)]
    with pytest.raises(KeyUnavailable, match=f"key {life.ids[0]:08x} was destroyed"):
        life.of(life.keys).reveal(life.sealed[0])
    again = Keyring.open(life.folder / "keyring.json", wrapper=LocalKey(life.folder / "kek"))
    assert life.read(1, again) is KeyUnavailable


def test_a_copy_from_before_still_reads_what_was_destroyed_since(life):
    life.keys.destroy(life.ids[0])
    assert life.read(1, life.copy(3)) == values(1)[0]


@pytest.mark.parametrize("behind", [1, 2])
def test_a_copy_that_is_behind_reads_what_it_has_keys_for(life, behind):
    copy = life.copy(behind)
    expected = [*values(*range(1, behind + 1)), *[DecryptionFailed] * (3 - behind)]
    assert [life.read(version, copy) for version in (1, 2, 3)] == expected


def test_what_a_copy_that_is_behind_writes_is_read_everywhere(life):
    sealed = life.of(life.copy(2)).protect("from behind")
    assert life.of(life.keys).reveal(sealed) == "from behind"
    assert life.of(life.copy(3)).reveal_many([sealed] * BULK) == ["from behind"] * BULK


def test_a_staged_version_is_read_before_it_writes(life):
    staged = life.keys.rotate(staged=True)
    assert life.keys.primary_id == life.ids[2]
    shutil.copy(life.folder / "keyring.json", life.folder / "copy-4.json")
    ahead = life.copy(4)
    ahead.enable(staged)
    ahead.move_stable()
    sealed = life.of(ahead).protect("from ahead")
    assert int.from_bytes(life.of(ahead)._bytes(sealed)[1:5]) == staged
    assert life.of(life.keys).reveal(sealed) == "from ahead"


def test_rotating_the_column_frees_it_of_old_versions(life):
    transform = life.of(life.keys)
    column = transform.rotate_many([*life.sealed, None])
    assert column[2] == life.sealed[2]
    for key_id in life.ids[:2]:
        life.keys.destroy(key_id)
    assert transform.reveal_many(column) == [*values(1, 2, 3), None]
    assert [transform.needs_rotation(one) for one in column[:3]] == [False] * 3


def test_wherever_it_is_moved_it_fails_with_one_message(life, tmp_path):
    keys = life.keys
    transform = Encrypt(keys[FIELD], **life.options)
    sealed = transform.protect_column(["放门口"] * BULK, row=list(range(BULK))).column
    other = Keyring.create(tmp_path / "other.json")

    def with_id(key_id):
        raw = transform._bytes(sealed[7])
        return transform._written(raw[:1] + key_id.to_bytes(4) + raw[5:])

    moved = {
        "another field": (Encrypt(keys["customer.other"], **life.options), sealed[7], 7),
        "another row": (transform, sealed[7], 8),
        "no row": (transform, sealed[7], None),
        "a person": (Encrypt(keys.subject("user:42")[FIELD], **life.options), sealed[7], 7),
        "another keyring": (Encrypt(other[FIELD], **life.options), sealed[7], 7),
        "cut by a byte": (transform, transform._written(transform._bytes(sealed[7])[:-1]), 7),
        "cut to its head": (transform, transform._written(transform._bytes(sealed[7])[:5]), 7),
        "cut to nothing": (transform, sealed[7][:0], 7),
        "longer by a byte": (transform, transform._written(transform._bytes(sealed[7]) + b"\x00"), 7),
        "the id of another version": (transform, with_id(life.ids[0]), 7),
        "an id that is none": (transform, with_id(life.ids[0] ^ life.ids[1] ^ 1 or 1), 7),
        "another marker": (transform, transform._written(b"\x03" + transform._bytes(sealed[7])[1:]), 7),
        "the other mode": (
            Encrypt(keys[FIELD], text=life.options["text"], deterministic=not transform.deterministic),
            sealed[7],
            7,
        ),
    }
    messages = {}
    for how, (reader, value, row) in moved.items():
        column, rows = [value] * BULK, None if row is None else [row] * BULK
        for way in (
            lambda: reader.reveal(value, row=row),  # noqa: B023 - called in this turn of the loop
            lambda: reader.reveal_column(column[:1], row=None if rows is None else rows[:1]),  # noqa: B023 - the same
            lambda: reader.reveal_column(column, row=rows),  # noqa: B023 - the same
        ):
            with pytest.raises(DecryptionFailed) as caught:
                way()
            assert caught.value.rows in {(), (0,), tuple(range(BULK))}, how
            messages[str(caught.value).partition("failed")[2].partition(": ")[2]] = how
    assert len(messages) == 1, messages
    assert transform.reveal_column(sealed, row=list(range(BULK))).column == ["放门口"] * BULK


def test_persons_outlive_a_rotation_and_not_their_forgetting(tmp_path, text, deterministic):
    keys = Keyring.create(tmp_path / "keyring.json")
    transform = EncryptBySubject(keys, FIELD, text=text, deterministic=deterministic)
    persons = [f"user:{row}" for row in range(4)]
    sealed = transform.protect_many(persons, subject=persons)
    first = keys.primary_id
    keys.rotate()
    assert transform.reveal_many(sealed, subject=persons) == persons
    keys.subjects.rewrap()
    keys.destroy(first, breaks_stable=True)
    assert transform.reveal_many(sealed, subject=persons) == persons
    keys.forget("user:2")
    assert transform.reveal_many(sealed[:2], subject=persons[:2]) == persons[:2]
    with pytest.raises(SubjectForgotten) as caught:
        transform.reveal_many(sealed, subject=persons)
    assert caught.value.rows == (2,)
