import logging
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from privkit.keys import AwsKms, EnvironmentKey, Keyring, LocalKey, Passphrase, Pkcs11

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "493817"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keyring.json"


@pytest.fixture(params=["file", "sqlite", "postgresql", "mariadb"])
def place(request, tmp_path):
    """Where something is kept: a path, or the URL of an empty database."""
    return str(tmp_path / "kept") if request.param == "file" else request.getfixturevalue("database")(request.param)


@pytest.fixture
def keys(path):
    return Keyring.create(path)


@pytest.fixture(scope="session")
def kms():
    """A KMS client on a server of moto's, on loopback, and a way to make keys."""
    boto3 = pytest.importorskip("boto3", reason="the extra aws is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield boto3.client(
        "kms",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - moto takes any
    )
    running.stop()


@pytest.fixture(scope="session")
def hsm(tmp_path_factory):
    """A SoftHSM token with one key-encryption key; returns the arguments of Pkcs11."""
    pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")
    tool = shutil.which("softhsm2-util")
    if tool is None or not SOFTHSM.exists():
        pytest.skip("SoftHSM 2 is not installed (Debian: softhsm2)")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "conf"))
        command = [tool, "--init-token", "--free", "--label", "privkit", "--pin", PIN, "--so-pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        arguments = {"module": SOFTHSM, "token": "privkit", "key": "kek", "pin": PIN}
        Pkcs11(**arguments).create_key()
        Pkcs11(**{**arguments, "key": "other"}).create_key()
        yield arguments


@pytest.fixture(params=["local", "environment", "argon2id", "scrypt", "aws-kms", "pkcs11"])
def wrappers(request, tmp_path, monkeypatch):
    """A wrapper, and another of its kind with another key."""
    match request.param:
        case "local":
            return LocalKey(tmp_path / "one.kek"), LocalKey(tmp_path / "other.kek")
        case "environment":
            monkeypatch.setenv("KEK_ONE", b64encode(bytes(range(32))).decode())
            monkeypatch.setenv("KEK_OTHER", b64encode(bytes(range(1, 33))).decode())
            return EnvironmentKey("KEK_ONE"), EnvironmentKey("KEK_OTHER")
        case "aws-kms":
            client = request.getfixturevalue("kms")
            return tuple(AwsKms(client.create_key()["KeyMetadata"]["KeyId"], client=client) for _ in range(2))
        case "pkcs11":
            arguments = request.getfixturevalue("hsm")
            return Pkcs11(**arguments), Pkcs11(**{**arguments, "key": "other"})
        case kdf:
            return Passphrase("correct horse", kdf=kdf), Passphrase("wrong horse ..", kdf=kdf)
