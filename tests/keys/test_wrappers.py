"""What every wrapper of a ring key has to do, and what each does beside."""

import base64
import json
import logging
import os
import subprocess
import sys

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from privkit.errors import InvalidParameter, KeyringError, KeyringUnreadable, MissingExtra
from privkit.keys import AwsKms, EnvironmentKey, Keyring, LocalKey, Passphrase, Pkcs11
from privkit.keys.material import Secret

CONTEXT = {"privkit:keyring": "ab" * 16, "privkit:purpose": "ring-key"}


def test_unwraps_what_it_wrapped(wrappers):
    secret = Secret.random()
    record = json.loads(json.dumps(wrappers[0].wrap(secret, CONTEXT)))
    assert wrappers[0].unwrap(record, CONTEXT) == secret
    assert record["wrapper"] == wrappers[0].kind


def test_a_record_shows_no_key(wrappers):
    secret = Secret.random()
    stored = json.dumps(wrappers[0].wrap(secret, CONTEXT))
    for form in (base64.b64encode(secret.expose()).decode(), secret.expose().hex()):
        assert form not in stored


def test_another_key_does_not_unwrap(wrappers):
    one, other = wrappers
    other.wrap(Secret.random(), CONTEXT)  # so that its key is there
    with pytest.raises(KeyringUnreadable):
        other.unwrap(one.wrap(Secret.random(), CONTEXT), CONTEXT)


def test_another_context_does_not_unwrap(wrappers):
    record = wrappers[0].wrap(Secret.random(), CONTEXT)
    with pytest.raises(KeyringUnreadable):
        wrappers[0].unwrap(record, {**CONTEXT, "privkit:keyring": "cd" * 16})


def test_an_altered_record_does_not_unwrap(wrappers):
    record = wrappers[0].wrap(Secret.random(), CONTEXT)
    content = bytearray(base64.b64decode(record["wrapped"]))
    content[-1] ^= 1
    for wrapped in (base64.b64encode(content).decode(), "", "*", None, 7):
        with pytest.raises(KeyringUnreadable):
            wrappers[0].unwrap({**record, "wrapped": wrapped}, CONTEXT)


def test_a_record_without_its_parts_does_not_unwrap(wrappers):
    record = wrappers[0].wrap(Secret.random(), CONTEXT)
    with pytest.raises(KeyringUnreadable):
        wrappers[0].unwrap({"wrapper": record["wrapper"]}, CONTEXT)


def test_a_keyring_opens_rotates_and_moves(wrappers, path):
    one, other = wrappers
    keys = Keyring.create(path, wrapper=one)
    keys.rotate()
    again = Keyring.open(path, wrapper=one)
    assert again.version_ids == keys.version_ids
    again.rewrap(other)
    assert Keyring.open(path, wrapper=other).version_ids == keys.version_ids
    with pytest.raises(KeyringUnreadable):
        Keyring.open(path, wrapper=one)


def test_description_and_repr_are_one_line_for_a_person(wrappers):
    for text in (wrappers[0].describe(), repr(wrappers[0])):
        assert text
        assert "\n" not in text
        assert "correct horse" not in text


class TestLocalKey:
    def test_is_made_beside_the_keyring_for_its_owner_only(self, keys, path):
        file = path.with_name("keyring.json.kek")
        assert file.stat().st_mode & 0o777 == 0o600
        assert len(base64.b64decode(file.read_bytes())) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        assert "keyring.json.kek" in keys.wrapped_by

    def test_is_never_overwritten(self, tmp_path):
        kek = LocalKey(tmp_path / "kek")
        Keyring.create(tmp_path / "one.json", wrapper=kek)
        before = kek.path.read_bytes()
        Keyring.create(tmp_path / "two.json", wrapper=kek)
        assert kek.path.read_bytes() == before
        Keyring.open(tmp_path / "one.json", wrapper=kek)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610])
    def test_open_to_others_is_refused(self, keys, path, mode):
        file = path.with_name("keyring.json.kek")
        file.chmod(mode)
        with pytest.raises(KeyringUnreadable, match=r"chmod 600"):
            Keyring.open(path)
        file.chmod(0o400)
        assert Keyring.open(path).id == keys.id

    @pytest.mark.parametrize("content", [b"", b"\n", b"AAAA", b"\xff" * 44, b"!" * 44, base64.b64encode(bytes(33))])
    def test_that_is_no_key_is_refused(self, keys, path, content):
        file = path.with_name("keyring.json.kek")
        file.write_bytes(content)
        with pytest.raises(KeyringUnreadable, match="does not hold a key"):
            Keyring.open(path)
        assert keys.primary_id

    def test_missing_names_where_it_should_be(self, keys, path):
        path.with_name("keyring.json.kek").unlink()
        with pytest.raises(KeyringUnreadable, match=r"no key file at .*keyring\.json\.kek; restore it"):
            Keyring.open(path)
        keys.rotate()  # an opened keyring has its ring key, and needs the file no more

    def test_a_directory_is_no_key_file(self, keys, path):
        file = path.with_name("keyring.json.kek")
        file.unlink()
        file.mkdir()
        with pytest.raises(KeyringUnreadable):
            Keyring.open(path)
        assert keys.primary_id

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_of_another_user_is_refused_to_others_than_root(self, keys, path):
        file = path.with_name("keyring.json.kek")
        os.chown(file, 12345, 12345)
        assert Keyring.open(path).id == keys.id
        code = (
            "import os, sys; from privkit.keys.wrappers.local import _check; from privkit.errors import *\n"
            "os.setuid(23456)\n"
            "class Status: st_mode, st_uid = 0o100600, 12345\n"
            "try: _check(sys.argv[1], Status)\n"
            "except KeyringUnreadable as error: print(error)"
        )
        done = subprocess.run([sys.executable, "-c", code, "F"], capture_output=True, text=True, check=True)
        assert "belongs to another user; run: chown 23456 F" in done.stdout


class TestEnvironmentKey:
    def test_is_found_by_the_name_that_the_keyring_holds(self, path, monkeypatch):
        monkeypatch.setenv("SHOP_KEK", base64.b64encode(os.urandom(32)).decode())
        keys = Keyring.create(path, wrapper=EnvironmentKey("SHOP_KEK"))
        assert Keyring.open(path).id == keys.id
        monkeypatch.delenv("SHOP_KEK")
        with pytest.raises(KeyringUnreadable, match="SHOP_KEK is not set"):
            Keyring.open(path)

    @pytest.mark.parametrize("content", ["x9x9", "correct horse battery staple", base64.b64encode(bytes(31)).decode()])
    def test_that_is_no_key_is_refused_and_not_echoed(self, path, monkeypatch, content):
        monkeypatch.setenv("SHOP_KEK", content)
        with pytest.raises(KeyringUnreadable, match="does not hold a key") as caught:
            Keyring.create(path, wrapper=EnvironmentKey("SHOP_KEK"))
        assert content not in str(caught.value)
        assert not path.exists()

    @pytest.mark.parametrize("name", ["", "A=B", "A\0", "1A", "\ud800"])
    def test_name(self, name):
        with pytest.raises(InvalidParameter):
            EnvironmentKey(name)


class TestPassphrase:
    def test_parameters_are_in_the_keyring(self, path):
        Keyring.create(path, wrapper=Passphrase("correct horse"))
        record = json.loads(path.read_text())["ring_key"]
        assert record["kdf"] == "argon2id"
        assert {"salt", "iterations", "lanes", "memory_kib"} < set(record)

    def test_must_be_given(self, path):
        Keyring.create(path, wrapper=Passphrase("correct horse"))
        with pytest.raises(KeyringUnreadable, match="wrapped by 'passphrase'; pass that wrapper"):
            Keyring.open(path)
        with pytest.raises(KeyringUnreadable, match="wrapped by 'passphrase', not by 'local'"):
            Keyring.open(path, wrapper=LocalKey())

    def test_spelled_in_two_ways_is_one(self):
        record = Passphrase("cafe\u0301 au lait").wrap(Secret.random(), CONTEXT)
        Passphrase("caf\u00e9 au lait").unwrap(record, CONTEXT)

    @pytest.mark.parametrize(
        "damage",
        [
            {"memory_kib": 1 << 40},
            {"memory_kib": 0},
            {"memory_kib": 1},
            {"iterations": -1},
            {"iterations": True},
            {"lanes": "4"},
            {"salt": "*"},
            {"salt": None},
            {"salt": ""},
            {"kdf": "md5"},
            {"kdf": "scrypt"},
        ],
    )
    def test_damaged_parameters_are_refused_before_they_cost_anything(self, damage):
        wrapper = Passphrase("correct horse")
        record = wrapper.wrap(Secret.random(), CONTEXT)
        with pytest.raises(KeyringUnreadable):
            wrapper.unwrap({**record, **damage}, CONTEXT)

    def test_without_argon2id_scrypt_takes_its_place(self, monkeypatch):
        def missing(**_parameters):
            raise UnsupportedAlgorithm("argon2id")

        wrapper = Passphrase("correct horse")
        stored = wrapper.wrap(Secret.random(), CONTEXT)
        monkeypatch.setattr("privkit.keys.wrappers.passphrase.Argon2id", missing)
        assert wrapper.wrap(Secret.random(), CONTEXT)["kdf"] == "scrypt"
        with pytest.raises(KeyringError, match=r"needs OpenSSL 3\.2"):
            wrapper.unwrap(stored, CONTEXT)

    def test_of_bytes_that_are_no_text_is_refused_and_not_held(self):
        with pytest.raises(InvalidParameter, match="its encoding") as caught:
            Passphrase("correct horse \udce9")
        assert caught.value.__context__ is None

    def test_limits(self):
        with pytest.raises(InvalidParameter, match="7 < 8"):
            Passphrase("seven77")
        with pytest.raises(InvalidParameter):
            Passphrase("correct horse", kdf="md5")


class TestAwsKms:
    def test_is_asked_once_for_an_opening_and_never_for_a_rotation_or_value(self, kms, path):
        wrapper = AwsKms(kms.create_key()["KeyMetadata"]["KeyId"], client=Counting(kms))
        keys = Keyring.create(path, wrapper=wrapper)
        keys.rotate()
        wrapper._client.calls.clear()
        opened = Keyring.open(path, wrapper=wrapper)
        opened.rotate()
        assert opened["a"].version_ids
        assert wrapper._client.calls == ["decrypt"]

    def test_a_client_of_its_own_takes_the_usual_settings(self, kms, path, monkeypatch):
        for name, value in {
            "AWS_ENDPOINT_URL_KMS": kms.meta.endpoint_url,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        keys = Keyring.create(path, wrapper=AwsKms(key))
        assert Keyring.open(path, wrapper=AwsKms(key)).id == keys.id
        assert json.loads(path.read_text())["ring_key"]["key"].endswith(key)

    def test_context_is_bound(self, kms, path):
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        Keyring.create(path, wrapper=AwsKms(key, client=kms, context={"service": "shop"}))
        Keyring.open(path, wrapper=AwsKms(key, client=kms, context={"service": "shop"}))
        with pytest.raises(KeyringUnreadable, match="InvalidCiphertext"):
            Keyring.open(path, wrapper=AwsKms(key, client=kms))

    def test_a_key_that_is_not_there(self, kms, path):
        with pytest.raises(KeyringError, match=r"refused key .*NotFoundException.*check its id and region"):
            Keyring.create(path, wrapper=AwsKms("alias/nothing", client=kms))
        assert not path.exists()

    def test_out_of_reach_is_one_line(self, path):
        boto3 = pytest.importorskip("boto3", reason="the extra aws is not installed")
        from botocore.config import Config

        client = boto3.client(
            "kms",
            endpoint_url="http://127.0.0.1:9",
            region_name="eu-central-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - nobody listens
            config=Config(retries={"max_attempts": 0}, connect_timeout=1),
        )
        with pytest.raises(KeyringError, match="cannot reach AWS KMS") as caught:
            Keyring.create(path, wrapper=AwsKms("alias/a", client=client))
        assert "\n" not in str(caught.value)

    def test_a_region_that_is_none_is_one_line(self, path, monkeypatch):
        pytest.importorskip("boto3", reason="the extra aws is not installed")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu central")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        with pytest.raises(KeyringError, match=r"cannot reach AWS KMS .*check network, region"):
            Keyring.create(path, wrapper=AwsKms("alias/a"))

    def test_its_libraries_log_no_key(self, kms, path, caplog):
        caplog.set_level(logging.DEBUG)
        wrapper = AwsKms(kms.create_key()["KeyMetadata"]["KeyId"], client=kms)
        keys = Keyring.create(path, wrapper=wrapper)
        Keyring.open(path, wrapper=wrapper)
        ring_key = keys._vault.opened.ring_key.expose()
        assert "botocore" in {record.name.split(".")[0] for record in caplog.records}  # they do log: create_key above
        assert base64.b64encode(ring_key).decode() not in caplog.text


class Counting:
    def __init__(self, client):
        self._of = client
        self.calls = []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self._of, name)


class TestPkcs11:
    def test_the_key_cannot_be_taken_out(self, hsm):
        import pkcs11

        token = pkcs11.lib(str(hsm["module"])).get_token(token_label=hsm["token"])
        with token.open(user_pin=hsm["pin"]) as session:
            key = session.get_key(label=hsm["key"])
            assert not key[pkcs11.Attribute.EXTRACTABLE]
            with pytest.raises(pkcs11.exceptions.AttributeSensitive):
                key[pkcs11.Attribute.VALUE]

    def test_a_second_key_of_the_same_label_is_refused(self, hsm):
        with pytest.raises(KeyringError, match="already"):
            Pkcs11(**hsm).create_key()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"module": "/nowhere.so"}, "cannot load the PKCS #11 module /nowhere.so"),
            ({"token": "none"}, "no token 'none'"),
            ({"key": "none"}, "no AES key 'none'"),
            ({"pin": "0000"}, "refused the PIN"),
        ],
    )
    def test_what_is_wrong_is_one_line_with_its_remedy(self, hsm, path, change, message):
        Keyring.create(path, wrapper=Pkcs11(**hsm))
        with pytest.raises(KeyringUnreadable, match=message) as caught:
            Keyring.open(path, wrapper=Pkcs11(**{**hsm, **change}))
        assert "\n" not in str(caught.value)

    def test_a_pin_of_bytes_that_are_no_text_is_refused_and_not_held(self):
        pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")
        with pytest.raises(InvalidParameter, match="its encoding") as caught:
            Pkcs11("module", token="t", key="k", pin="493817\udce9")  # noqa: S106 - never used
        assert caught.value.__context__ is None

    def test_the_pin_is_not_shown(self, hsm):
        assert hsm["pin"] not in repr(Pkcs11(**hsm))


@pytest.mark.parametrize(
    ("module", "extra", "make"),
    [
        ("boto3", "aws", lambda: AwsKms("alias/a")),
        ("pkcs11", "pkcs11", lambda: Pkcs11("m", token="t", key="k", pin="p")),  # noqa: S106 - never used
    ],
)
def test_a_missing_extra_is_named(monkeypatch, module, extra, make):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"privkit\[{extra}\]") as caught:
        make()
    assert caught.value.extra == extra
