"""Options of a wrong type are refused by name, whatever takes them."""

import contextlib

import numpy as np
import pytest

from privkit import fields
from privkit.errors import InvalidParameter, WrongType
from privkit.keys import Keyring
from privkit.transforms import (
    BlindIndexOf,
    DateShift,
    Encrypt,
    EncryptBySubject,
    FormatPreserving,
    Generalise,
    Keep,
    Mask,
    Noise,
    Surrogate,
    Token,
)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


WRONG = [
    ("bits", "a whole number", lambda key: Token(key, bits="64")),
    ("bits", "a whole number", lambda key: Token(key, bits=64.5)),
    ("bits", "a whole number", lambda key: Token(key, bits=True)),
    ("rows", "a whole number", lambda key: Token(key, rows="5")),
    ("form", "text", lambda key: Token(key, form=["hex"])),
    ("recipient", "text", lambda key: Token(key, recipient=5)),
    ("profile", "text", lambda _: Mask(fields.CN_MOBILE, profile=["log"])),
    ("first", "a whole number", lambda _: Mask(fields.CN_MOBILE, first="1")),
    ("last", "a whole number", lambda _: Mask(fields.CN_MOBILE, last=1.5)),
    ("to", "text", lambda _: Generalise(fields.BIRTH_DATE, to=["year"])),
    ("width", "a whole number", lambda _: Generalise(fields.BIRTH_DATE, to="age_band", on="2026-01-01", width=5.5)),
    ("top", "a whole number", lambda _: Generalise(fields.BIRTH_DATE, to="age_band", on="2026-01-01", top="90")),
    ("on", "an ISO date", lambda _: Generalise(fields.BIRTH_DATE, to="age_band", on=5)),
    ("edges", "several numbers", lambda _: Generalise(fields.AMOUNT, to="band", edges="123")),
    ("edges", "several numbers", lambda _: Generalise(fields.AMOUNT, to="band", edges=5)),
    ("digits", "a whole number", lambda _: Generalise(fields.POSTCODE, to="prefix", digits=2.5)),
    ("v4", "a whole number", lambda _: Generalise(fields.IP_ADDRESS, to="prefix", v4="24")),
    ("keep", "text", lambda key: FormatPreserving(fields.BANK_CARD, key, keep=["bin"])),
    ("keep", "text", lambda key: FormatPreserving(fields.CN_RESIDENT_ID, key, keep=True)),
    ("keep_first", "a whole number", lambda key: FormatPreserving(fields.ORDER_NUMBER, key, keep_first="1")),
    ("v6", "a whole number", lambda key: FormatPreserving(fields.IP_ADDRESS, key, v6=48.0)),
    ("first", "ISO date", lambda key: FormatPreserving(fields.BIRTH_DATE, key, first=5)),
    ("like", "text", lambda key: Surrogate(fields.PERSON_NAME, key, like=[])),
    ("keep", "text", lambda key: Surrogate(fields.PERSON_NAME, key, keep=["sex"])),
    ("locale", "text", lambda key: Surrogate(fields.PERSON_NAME, key, locale=5)),
    ("recipient", "text", lambda key: Surrogate(fields.PERSON_NAME, key, recipient=b"x")),
    ("deterministic", "true or false", lambda key: Encrypt(key, deterministic="yes")),
    ("text", "true or false", lambda key: Encrypt(key, text=1)),
    ("bits", "a whole number", lambda key: BlindIndexOf(key, bits="32")),
    ("part", "text", lambda key: BlindIndexOf(key, part=[])),
]


@pytest.mark.parametrize(("option", "takes", "make"), WRONG)
def test_an_option_of_a_wrong_type_is_named_with_what_it_takes(option, takes, make, keyring):
    with pytest.raises(InvalidParameter) as caught:
        make(keyring["customer.phone"])
    assert option in str(caught.value)
    assert takes in str(caught.value)


def test_it_is_a_type_error_too(keyring):
    with pytest.raises(WrongType):
        Token(keyring["customer.phone"], bits="64")


def test_numbers_of_fixed_width_are_refused_with_the_remedy(keyring):
    with pytest.raises(WrongType, match=r"not a int64; take its \.item\(\)"):
        Token(keyring["customer.phone"], bits=np.int64(96))


def test_what_is_left_out_may_be_said(keyring):
    key = keyring["customer.phone"]
    assert Token(key, bits=None, recipient=None).protect("x") == Token(key).protect("x")
    same = FormatPreserving(fields.CN_MOBILE, key, keep=None)
    assert same.protect("13812345678") == FormatPreserving(fields.CN_MOBILE, key).protect("13812345678")


WITH_KEY = [
    FormatPreserving,
    lambda field, key: Token(key, field),
    lambda field, key: BlindIndexOf(key, field),
    Surrogate,
    lambda field, key: DateShift(field, key, days=30),
    lambda field, key: Noise(field, key, scale=5),
]


@pytest.mark.parametrize("make", [*WITH_KEY, lambda field, key: Encrypt(key, field)])
def test_a_key_and_a_field_that_have_changed_places_are_told_so(make, keyring):
    with pytest.raises(WrongType, match=r"a FieldKey where a field type .*changed places|where a field's key .*places"):
        make(keyring["a"], fields.CN_MOBILE)


@pytest.mark.parametrize("make", WITH_KEY)
@pytest.mark.parametrize("other", [None, "cn_mobile", b"k" * 32, 3, 1.5, True, [], {}, int, np.int64(3)], ids=repr)
def test_what_is_no_field_type_and_no_key_is_refused_by_its_type(make, other, keyring):
    name = f"a {type(other).__name__} where "
    for field in (fields.PERSON_NAME, fields.DATE, fields.AMOUNT, fields.CN_MOBILE):
        with pytest.raises(WrongType, match=f"{name}a field type"):
            make(other, keyring["a"])
        with contextlib.suppress(InvalidParameter):  # the types that it does not take are told so with a good key
            make(field, keyring["a"])
            with pytest.raises(WrongType, match=f"{name}a field's key"):
                make(field, other)


@pytest.mark.parametrize("make", [Mask, Keep, lambda field: Generalise(field, to="year")])
@pytest.mark.parametrize("other", [None, "cn_mobile", 3, [], int], ids=repr)
def test_what_is_no_field_type_is_refused_where_there_is_no_key(make, other):
    with pytest.raises(WrongType, match=f"a {type(other).__name__} where a field type belongs"):
        make(other)


@pytest.mark.parametrize("other", ["cn_mobile", b"k" * 32, 3, [], int], ids=repr)
def test_encryption_whose_field_type_may_be_left_out_takes_no_other(other, keyring):
    with pytest.raises(WrongType, match=f"a {type(other).__name__} where a field type"):
        Encrypt(keyring["a"], other)
    with pytest.raises(WrongType, match=f"a {type(other).__name__} where a field's key"):
        Encrypt(other, fields.CN_MOBILE)


@pytest.mark.parametrize("index", ["phone", b"x", 32, [], fields.CN_MOBILE], ids=repr)
def test_what_is_no_blind_index_is_refused_by_its_type(index, keyring):
    with pytest.raises(WrongType, match=f"a {type(index).__name__} where a blind index"):
        Encrypt(keyring["a"], index=index)


def test_encryption_by_subject_takes_a_keyring_a_name_and_a_field_type(keyring):
    with pytest.raises(WrongType, match=r"a str where a keyring belongs.*changed places"):
        EncryptBySubject("note", keyring)
    with pytest.raises(WrongType, match=r"a FieldKey where a keyring belongs, such as Keyring\.open"):
        EncryptBySubject(keyring["note"], "note")
    with pytest.raises(WrongType, match="name of encryption by subject is text"):
        EncryptBySubject(keyring, fields.CN_MOBILE)
    with pytest.raises(WrongType, match="a str where a field type belongs"):
        EncryptBySubject(keyring, "note", "cn_mobile")
    with pytest.raises(WrongType, match="text of encryption by subject is true or false"):
        EncryptBySubject(keyring, "note", text="yes")
