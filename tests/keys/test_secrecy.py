"""No key in a repr, an exception, a traceback with its variables, a log record or a pickle."""

import base64
import logging
import os
import pickle
import shutil
import traceback

import pytest

from privkit.errors import DecryptionFailed, PrivkitError
from privkit.keys import EnvironmentKey, Keyring, LocalKey, Passphrase, Usage
from privkit.keys.derivation import derive
from privkit.keys.document import Envelope
from privkit.keys.material import Secret, key_secret

SIV = Usage("encrypt", "AES-SIV", 64)
CMAC = Usage("token", "AES-CMAC", 32)
SM4 = Usage("encrypt", "SM4-SIV", 64)


def secrets_of(keys):
    """Every secret that a keyring has in memory, and those of its key file."""
    opened = keys._vault.opened
    found = [opened.ring_key.expose(), *(root.expose() for root in opened._roots.values())]
    usages = (SIV, CMAC, SM4)
    found += [derive(root, usage, "a").expose() for root in opened._roots.values() for usage in usages]
    file = keys._vault.store.path.with_name("keyring.json.kek")
    return [*found, *([base64.b64decode(file.read_bytes())] if file.exists() else [])]


def forms(secret):
    """How a secret may show: raw, in hex, in base64, in a repr."""
    encoded = base64.b64encode(secret).decode().rstrip("=")[:-1]
    return [secret.hex(), encoded, encoded.replace("+", "-").replace("/", "_"), repr(secret)[2:-1]]


def assert_silent(text, keys):
    for secret in secrets_of(keys):
        for form in forms(secret):
            assert form.lower() not in text.lower()


def story(error):
    """An error as a crash reporter writes it, with the variables of each frame."""
    lines = traceback.TracebackException.from_exception(error, capture_locals=True, max_group_depth=50).format()
    return "".join(lines) + repr(error) + str(error) + str(error.__cause__) + str(error.__context__)


@pytest.fixture
def full(keys):
    keys.rotate()
    keys["a"].cipher(CMAC)
    return keys


def test_the_search_finds_what_is_there(full):
    for secret in secrets_of(full):
        for form in forms(secret):
            with pytest.raises(AssertionError):
                assert_silent(f"...{form}...", full)


def test_reprs(full):
    key = full["a"]
    things = [
        full,
        key,
        full._vault.opened,
        full._vault.opened.ring_key,
        full._vault.opened._roots,
        full._vault.opened.document,
        full.versions,
    ]
    things += [
        key.siv(SIV),
        key.cmac(CMAC),
        key.cipher(CMAC),
        full._vault.opened.cache,
        full._vault.wrapper,
        full._vault.store,
    ]
    for thing in things:
        assert_silent(repr(thing) + str(thing) + f"{thing}", full)


def test_what_is_stored(full, path):
    assert_silent(path.read_text(), full)


def failures(keys, path):
    """Calls that fail while keys are at hand."""
    file = path.with_name("keyring.json.kek")
    unknown = keys.primary_id ^ 1
    first = keys.versions[0].id
    stored = path.read_bytes()

    def altered(stored, position):
        return stored[:position] + bytes([stored[position] ^ 1]) + stored[position + 1 :]

    def with_file(damage):
        aside = shutil.copy2(file, file.with_suffix(".aside"))
        damage()
        try:
            Keyring.open(path)
        finally:
            aside.replace(file)

    yield lambda: keys["a"].siv(SIV, unknown)
    yield lambda: keys["a"].cipher(SIV)
    yield lambda: keys["a"].siv(SM4, first)
    yield lambda: keys["a"].siv(Usage("p", "AES-SIV", 16), first)
    yield lambda: keys["a"].cmac(SIV)
    yield lambda: keys.destroy(first)
    yield lambda: keys["a"].siv(SIV, first).decrypt(bytes(20), [])
    yield lambda: Envelope(altered(stored, stored.index(b'"root"') + 12)).open(keys._vault.opened.ring_key)
    yield lambda: Envelope(stored).open(Secret.random())
    yield lambda: with_file(lambda: os.truncate(file, 42))
    yield lambda: with_file(lambda: file.write_bytes(base64.b64encode(os.urandom(32))))
    yield lambda: keys.rewrap(LocalKey(path.parent / "none" / "kek"))
    yield lambda: pickle.dumps(keys)
    yield lambda: pickle.dumps(keys["a"])
    yield lambda: pickle.dumps(keys["a"].siv(SIV))
    yield lambda: pickle.dumps(keys._vault.opened.ring_key)


def test_failing_calls(full, path, caplog):
    caplog.set_level(logging.DEBUG)
    count = 0
    for failing in failures(full, path):
        with pytest.raises((PrivkitError, DecryptionFailed, TypeError)) as caught:
            failing()
        assert_silent(story(caught.value), full)
        count += 1
    assert count == 16
    assert_silent(caplog.text, full)


def test_a_failing_disk(full, monkeypatch):
    def failing(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", failing)
    for change in (full.rotate, lambda: full.rewrap(LocalKey())):
        with pytest.raises(PrivkitError) as caught:
            change()
        assert_silent(story(caught.value), full)


def test_wrong_wrappers(tmp_path, monkeypatch):
    path = tmp_path / "keyring.json"
    keys = Keyring.create(path, wrapper=Passphrase("correct horse"))
    monkeypatch.setenv("KEK", base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())
    for wrapper in (Passphrase("another horse"), EnvironmentKey("KEK")):
        with pytest.raises(PrivkitError) as caught:
            Keyring.open(path, wrapper=wrapper)
        text = story(caught.value)
        assert_silent(text, keys)
        # This test's own frame holds the keyring's path and wrappers, whose reprs are masked.
        assert "0123456789abcdef" not in text
        assert "horse" not in text


class TestSecret:
    def test_is_opened_in_so_many_words(self):
        secret = Secret(b"not to be seen")
        assert secret.expose() == b"not to be seen"
        assert repr(secret) == str(secret) == f"{secret}" == "<Secret: 14 bytes, not shown>"

    def test_compares_and_does_not_hash(self):
        assert Secret(b"a") == Secret(b"a") != Secret(b"b")
        assert Secret(b"a") != b"a"
        with pytest.raises(TypeError, match="unhashable"):
            hash(Secret(b"a"))

    def test_is_not_pickled(self):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(Secret(b"a"))

    def test_size(self):
        with pytest.raises(PrivkitError, match="31 bytes; expected 32"):
            key_secret(bytes(31), what="ring key")
        assert Secret.random() != Secret.random()
