"""Keysets for Google's Tink, which reads and writes the same deterministic ciphertexts."""

import ast
import pickle
from pathlib import Path

import pytest

import privkit
from privkit import Encrypt
from privkit.errors import KeyUnavailable
from privkit.keys.tink import export_tink
from privkit.keys.usages import DETERMINISTIC
from privkit.transforms.ciphertext import associated_data

tink = pytest.importorskip("tink", reason="tink is not installed")
daead = pytest.importorskip("tink.daead")
secret_key_access = pytest.importorskip("tink.secret_key_access")

NAME = "customer.email"
VALUE = "li.wei@example.com"


@pytest.fixture(scope="module", autouse=True)
def registered():
    daead.register()


@pytest.fixture(params=["json", "binary"])
def opened(request):
    """Tink's primitive on a keyset, by way of JSON or binary."""

    def open_keyset(keyset):
        token = secret_key_access.TOKEN
        if request.param == "json":
            handle = tink.json_proto_keyset_format.parse(keyset.to_json(), token)
        else:
            handle = tink.proto_keyset_format.parse(keyset.to_binary(), token)
        return handle.primitive(daead.DeterministicAead)

    return open_keyset


@pytest.mark.parametrize("value", [VALUE, "", "李伟", b"\0\xff bytes"])
def test_tink_reads_what_privkit_wrote_and_writes_the_same(keys, opened, value):
    encrypt = Encrypt(keys[NAME], deterministic=True)
    written = encrypt.protect(value)
    primitive = opened(export_tink(keys[NAME]))
    plain = primitive.decrypt_deterministically(written, associated_data(NAME))
    assert plain[1:] == (value.encode() if isinstance(value, str) else value)
    again = primitive.encrypt_deterministically(plain, associated_data(NAME))
    assert again == written
    assert encrypt.reveal(again) == value


def test_several_versions_at_once(keys, opened):
    written = []
    for _ in range(3):
        written.append(Encrypt(keys[NAME], deterministic=True).protect(VALUE))
        keys.rotate()
        keys.move_stable(NAME)
    primitive = opened(export_tink(keys[NAME]))
    assert len(set(written)) == 3
    for value in written:
        assert primitive.decrypt_deterministically(value, associated_data(NAME))[1:] == VALUE.encode()
    assert (
        Encrypt(keys[NAME], deterministic=True).reveal(
            primitive.encrypt_deterministically(
                primitive.decrypt_deterministically(written[0], associated_data(NAME)), associated_data(NAME)
            )
        )
        == VALUE
    )


def test_another_field_or_place_does_not_open(keys, opened):
    written = Encrypt(keys[NAME], deterministic=True).protect(VALUE)
    for keyset, place in (
        (export_tink(keys["customer.phone"]), associated_data(NAME)),
        (export_tink(keys[NAME]), associated_data("customer.phone")),
        (export_tink(keys[NAME]), b""),
    ):
        with pytest.raises(tink.TinkError):
            opened(keyset).decrypt_deterministically(written, place)


def test_only_what_reads_is_exported(keys):
    first, second = keys.primary_id, keys.rotate()
    keys.rotate()
    keys.disable(second)
    assert set(export_tink(keys[NAME])._keys) == {first, keys.primary_id}
    keys.disable(first)
    with pytest.raises(KeyUnavailable, match="enable it, or let the field stand on another"):
        export_tink(keys[NAME])


def test_it_is_what_encrypt_derives(keys):
    assert Encrypt(keys[NAME], deterministic=True)._usage == DETERMINISTIC


def test_shows_nothing_by_itself(keys):
    keyset = export_tink(keys[NAME])
    assert repr(keyset) == "<TinkKeyset: 1 keys, not shown>"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(keyset)


def test_nobody_opens_the_door_by_accident():
    """The key itself is asked for in one module; keys in clear are written out by the command line alone."""
    source = Path(privkit.__file__).parent
    asking, importing = set(), set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "secret":
                asking.add(path.relative_to(source).as_posix())
            if isinstance(node, ast.ImportFrom) and node.module == "privkit.keys.tink":
                importing.add(path.relative_to(source).as_posix())
    assert asking == {"keys/tink.py"}
    assert importing <= {"cli/keys.py"}
