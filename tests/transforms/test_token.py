import math
import uuid

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit.errors import InvalidParameter, InvalidValue
from privkit.keys import FieldKey, Keyring
from privkit.transforms import Form, Token

RAW = bytes(range(32))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


class RawKey(FieldKey):
    """A field key whose key is known, to hold the output against other implementations."""

    def __init__(self):
        """Without a keyring."""

    def cmac(self, usage):
        assert (usage.purpose, usage.algorithm, usage.key_bytes) == ("token", "AES-CMAC", 32)
        return Cmac(BlockCipher(RAW))


def cmac(text):
    mac = CMAC(algorithms.AES(RAW))
    mac.update(text.encode())
    return mac.finalize()


SHAPES = {
    Form.HEX: lambda mac: mac.hex(),
    Form.BASE32: lambda mac: __import__("base64").b32encode(mac).decode().rstrip("="),
    Form.BASE64URL: lambda mac: __import__("base64").urlsafe_b64encode(mac).decode().rstrip("="),
    Form.UUID: lambda mac: str(
        uuid.UUID(int=int.from_bytes(mac, "big") & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)
    ),
    Form.DIGITS: lambda mac: "".join(
        str(int.from_bytes(half, "big") % 10**16).zfill(16) for half in (mac[:8], mac[8:])
    ),
}


@pytest.mark.parametrize("form", list(Form))
@settings(deadline=None)
@given(column=st.lists(st.text(min_size=1), max_size=5))
def test_each_form_is_the_mac_of_the_value(form, column):
    token = Token(RawKey(), form=form)
    expected = [SHAPES[form](cmac(value)) for value in column]
    assert token.protect_many(column) == expected
    assert [token.protect(value) for value in column] == expected
    assert all(len(value) == token.length for value in expected)


def test_uuids_are_uuids(keys):
    value = uuid.UUID(Token(keys["a"], form="uuid").protect("a"))
    assert (value.version, value.variant) == (8, uuid.RFC_4122)


@pytest.mark.parametrize("form", [Form.HEX, Form.BASE32, Form.BASE64URL, Form.DIGITS])
@pytest.mark.parametrize("bits", [40, 64, 100])
def test_short_tokens_are_beginnings_of_long_ones(form, bits):
    short = Token(RawKey(), form=form, bits=bits, rows=1000).protect_many(["a", "b"])
    whole = Token(RawKey(), form=form).protect_many(["a", "b"])
    per_character = {Form.HEX: 4, Form.BASE32: 5, Form.BASE64URL: 6, Form.DIGITS: math.log2(10)}[form]
    assert {len(value) for value in short} == {math.ceil(bits / per_character)}
    full_characters = int(bits // per_character)
    assert [value[:full_characters] for value in short] == [value[:full_characters] for value in whole]


def test_collisions_are_computed_and_refused(keys):
    assert Token(keys["a"]).collision_probability == pytest.approx(10**18 / 2**129)
    with pytest.raises(InvalidParameter, match="64 bits collide among 1000000000 values"):
        Token(keys["a"], bits=64)
    Token(keys["a"], bits=64, rows=1_000_000)


@pytest.mark.parametrize("wrong", [{"form": "hexx"}, {"bits": 0}, {"bits": 129}, {"form": "uuid", "bits": 64}])
def test_impossible_tokens_are_refused(wrong, keys):
    with pytest.raises(InvalidParameter):
        Token(keys["a"], **wrong)


def test_recipients_and_fields_share_nothing(keys):
    column = ["13812345678", "15900001111"]
    kinds = [
        Token(keys["phone"], recipient=None),
        Token(keys["phone"], recipient=""),
        Token(keys["phone"], recipient="acme"),
        Token(keys["phone"], recipient="acme2"),
        Token(keys["other"]),
    ]
    tokens = [value for kind in kinds for value in kind.protect_many(column)]
    assert len(set(tokens)) == len(tokens)


def test_forms_of_one_value_join(keys):
    token = Token(keys["phone"], fields.CN_MOBILE)
    column = ["+86 138-1234-5678", "13812345678", 13812345678, "１３８１２３４５６７８"]
    assert len({token.protect(value) for value in column}) == 1
    assert len(set(token.protect_many([column[0], column[1], column[3]]))) == 1


def test_a_rotation_changes_no_token(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    before = Token(keys["phone"]).protect("a")
    keys.rotate()
    assert Token(keys["phone"]).protect("a") == before


def test_what_is_not_of_its_type_raises_without_its_value(keys):
    token = Token(keys["phone"], fields.CN_MOBILE)
    for attempt in (lambda: token.protect("12345"), lambda: token.protect_many(["13812345678", "12345"])):
        with pytest.raises(InvalidValue) as caught:
            attempt()
        assert "12345" not in str(caught.value)


def test_null_and_empty(keys):
    token = Token(keys["phone"], fields.CN_MOBILE)
    assert token.protect_many([None, "", "13812345678"])[:2] == [None, ""]
    assert (token.protect(None), token.protect("")) == (None, "")
