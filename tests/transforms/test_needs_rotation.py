import pytest

from privkit._kernels.marker import key_id_of
from privkit.errors import DecryptionFailed, KeyNotFound
from privkit.keys import Keyring
from privkit.transforms import BlindIndexOf, Encrypt


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")


def forms(keys):
    """A value in every form that a ciphertext has."""
    key = keys["customer.note"]
    for text in (False, True):
        yield Encrypt(key, text=text).protect("a")
        yield Encrypt(key, text=text, deterministic=True).protect("a")
        yield Encrypt(key, text=text, index=BlindIndexOf(key)).protect("a")


def test_a_keyring_tells_what_is_under_an_older_version(keys):
    before = list(forms(keys))
    assert [key_id_of(one) for one in before] == [keys.primary_id] * 6
    assert [keys.needs_rotation(one) for one in before] == [False] * 6
    keys.rotate()
    assert [keys.needs_rotation(one) for one in before] == [True] * 6
    keys.move_stable()
    assert [keys.needs_rotation(one) for one in forms(keys)] == [False] * 6


def test_it_says_the_same_as_encrypt(keys):
    note = Encrypt(keys["customer.note"])
    old = note.protect("a")
    keys.rotate()
    for sealed in (old, note.protect("b"), note.rotate_many([old])[0]):
        assert keys.needs_rotation(sealed) == note.needs_rotation(sealed)


@pytest.mark.parametrize(
    "value", [b"", b"\x01", b"\x01\x00\x00\x00", b"\x03abcdef", b"\x01\x00\x00\x00\x00aaa", "", "Aa", "放门口", "a" * 9]
)
def test_what_begins_otherwise_is_no_ciphertext(keys, value):
    with pytest.raises(DecryptionFailed):
        keys.needs_rotation(value)


def test_a_key_that_is_not_the_keyrings_is_said_to_be(keys, tmp_path):
    other = Keyring.create(tmp_path / "other.json")
    persons = Encrypt(keys.subject("user:42")["note"]).protect("a")
    for value in (Encrypt(other["customer.note"]).protect("a"), persons):
        with pytest.raises(KeyNotFound, match="another keyring wrote the value, or it is a person's"):
            keys.needs_rotation(value)


def test_a_copy_that_is_behind_reads_the_store_anew(keys, tmp_path):
    behind = Keyring.open(tmp_path / "keyring.json")
    keys.rotate()
    assert not behind.needs_rotation(Encrypt(keys["customer.note"]).protect("a"))
    assert behind.primary_id == keys.primary_id


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], object()])
def test_what_is_no_ciphertext_at_all_fails_like_one_that_does_not_open(keys, value):
    with pytest.raises(DecryptionFailed):
        keys.needs_rotation(value)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_may_come_as_a_database_gives_them(keys, kind):
    old = Encrypt(keys["customer.note"]).protect("a")
    assert not keys.needs_rotation(kind(old))
    keys.rotate()
    assert keys.needs_rotation(kind(old))
