"""Values written as a stranger would write them, right and wrong, held to validators that are not ours.

Nothing here looks at how a type is made: what is right is said by python-stdnum, `ipaddress` and a Luhn of its own.
"""

import ipaddress
import string
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from stdnum import imei, luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from fields.samples import canonical, written
from privkit import FormatPreserving, Mask, fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.keys import Keyring
from privkit.transforms.base import STARS

RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
WIDE = str.maketrans(string.digits + string.ascii_letters + "+-.:@/()", "０１２３４５６７８９" + "".join(
    chr(ord(letter) + 0xFEE0) for letter in string.ascii_letters + "+-.:@/()"
))  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


def valid(kind, text):
    try:
        kind.normalise(text)
    except InvalidValue:
        return False
    return True


def sums_to_ten(digits):
    """Luhn's check, written anew: double every second digit from the right and add the digits of all."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@RELAXED
@given(digits=st.text(string.digits, min_size=11, max_size=21))
def test_cards_are_those_that_luhn_says(digits):
    assert sums_to_ten(digits) == luhn.is_valid(digits)
    issued = 13 <= len(digits) <= 19 and digits[:6] != "000000"
    assert valid(fields.BANK_CARD, digits) == (issued and sums_to_ten(digits))
    spaced = " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
    for written_so in (spaced, spaced.replace(" ", "-"), digits.translate(WIDE), f" {digits}\u3000"):
        assert valid(fields.BANK_CARD, written_so) == valid(fields.BANK_CARD, digits)


@RELAXED
@given(digits=st.text(string.digits, min_size=14, max_size=16))
def test_imeis_are_those_that_stdnum_says(digits):
    expected = len(digits) == 15 and imei.is_valid(digits) and digits[:8] != "0" * 8
    assert valid(fields.IMEI, digits) == expected


@RELAXED
@given(
    value=canonical("cn_resident_id").filter(lambda value: len(value) == 18),
    place=st.integers(0, 17),
    digit=st.sampled_from("0123456789X"),
)
def test_one_wrong_character_of_a_resident_id_is_noticed(value, place, digit):
    assume(value[place] != digit)
    wrong = value[:place] + digit + value[place + 1 :]
    assert mod_11_2.is_valid(value)
    assert not mod_11_2.is_valid(wrong) if digit != "X" or place == 17 else True
    assert not valid(fields.CN_RESIDENT_ID, wrong)


@RELAXED
@given(
    value=canonical("cn_credit_code"),
    place=st.integers(0, 17),
    letter=st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
def test_credit_codes_are_those_that_stdnum_says(value, place, letter):
    changed = value[:place] + letter + value[place + 1 :]
    if valid(fields.CN_CREDIT_CODE, changed):
        assert uscc.calc_check_digit(changed[:17]) == changed[17]
    elif all(character in "0123456789ABCDEFGHJKLMNPQRTUWXY" for character in changed) and changed[2:8].isdecimal():
        assert uscc.calc_check_digit(changed[:17]) != changed[17] or not uscc.is_valid(changed)


IPV6 = st.ip_addresses(v=6)


@RELAXED
@given(address=IPV6, upper=st.booleans(), zeros=st.booleans(), mapped=st.booleans())
def test_every_way_to_write_an_ipv6_address_is_one_address(address, upper, zeros, mapped):
    text = address.exploded if zeros else str(address)
    tail = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if mapped:
        text = f"{':'.join(address.exploded.split(':')[:6])}:{tail}"
    expected = str(address.ipv4_mapped or address)
    assert fields.IP_ADDRESS.normalise(text.upper() if upper else text) == expected
    for wrong in (f"{text}%eth0", f"[{text}]", f"{text}/64", f"{text}:1:2:3:4:5:6:7:8:9", f"{text}g"):
        assert not valid(fields.IP_ADDRESS, wrong)


@RELAXED
@given(text=st.text("0123456789abcdefABCDEF.:x%/", max_size=24).filter(bool))
def test_addresses_are_those_that_ipaddress_says(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        expected = None
    else:
        expected = str(getattr(address, "ipv4_mapped", None) or address) if "%" not in text else None
    assert (fields.IP_ADDRESS.normalise(text) if valid(fields.IP_ADDRESS, text) else None) == expected


DOTS = "·•‧∙⋅・･●．."
HAN = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5) | st.sampled_from("𠮷𬴂𫠝䶮〇㛃"), min_size=1, max_size=8
)


@RELAXED
@given(given_name=HAN, father=HAN, dot=st.sampled_from(DOTS), space=st.sampled_from(["", " ", "\u3000", "\u200b"]))
def test_names_of_minorities_have_one_dot(given_name, father, dot, space):
    name = unicodedata.normalize("NFKC", f"{given_name}·{father}")
    assert fields.PERSON_NAME.normalise(f"{space}{given_name}{space}{dot}{space}{father}{space}") == name


PLATES = st.tuples(
    st.sampled_from("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"),
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ"),
    st.from_regex(
        r"[A-HJ-NP-Z0-9]{5}|[DF][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DF]|[A-HJ-NP-Z0-9]{4}[挂学警港澳]", fullmatch=True
    ),
)


@RELAXED
@given(parts=PLATES, mark=st.sampled_from(["", "·", "•", "-", " "]), wide=st.booleans())
def test_plates_of_both_kinds_are_read_however_they_are_written(parts, mark, wide):
    province, office, serial = parts
    text = f"{province}{office}{mark}{serial}".lower()
    assert fields.CN_PLATE.normalise(text.translate(WIDE) if wide else text) == f"{province}{office}{serial}"
    for wrong in (
        f"{province}{office}I{serial[1:]}",
        f"{province}I{serial}",
        f"{office}{serial}",
        f"{province}{office}{serial}00",
    ):
        assert not valid(fields.CN_PLATE, wrong)


NARROWED = (
    *("cn_mobile", "bank_card", "cn_resident_id", "imei", "imsi", "passport", "cn_travel_permit", "postcode"),
    *("birth_date", "cn_plate", "cn_credit_code", "email", "mac_address", "order_number", "tracking_number"),
    "cn_division",
)


@pytest.mark.parametrize("name", NARROWED)
@RELAXED
@given(data=st.data())
def test_full_width_characters_and_invisible_ones_change_nothing(name, data):
    kind = fields.get(name)
    value = data.draw(canonical(name))
    for text in (value.translate(WIDE), f"\ufeff{value}\u200b", f"\u202d{value}\u202c", f" {value} "):
        assert kind.normalise(text) == value


PROFILES = [(name, profile) for name, kind in fields.CATALOGUE.items() if kind.releasable for profile in kind.masks]


@pytest.mark.parametrize(("name", "profile"), PROFILES)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mask_never_echoes_whatever_it_is_given(name, profile, data):
    kind = fields.get(name)
    mask = Mask(kind, profile=profile)
    rows = data.draw(st.lists(written(name) | st.text(min_size=1, max_size=40), min_size=1, max_size=6))
    masked = mask.protect_many(rows)
    assert masked == [mask.protect(row) for row in rows]
    for row, shown in zip(rows, masked, strict=True):
        assert shown != row or not row.strip("*")
        if not valid(kind, row):
            assert shown == STARS
        else:
            assert shown != kind.normalise(row) or not kind.normalise(row).strip("*")
            assert len(shown) - shown.count("*") <= kind.masks[profile].shows


@RELAXED
@given(value=canonical("bank_card"))
def test_what_is_encrypted_passes_validators_that_are_not_ours(keys, value):
    for options in ({}, {"keep": "bin"}):
        out = FormatPreserving(fields.BANK_CARD, keys["card"], **options).protect(value)
        assert sums_to_ten(out)
        assert len(out) == len(value)
    for name, check in (
        ("imei", imei.is_valid),
        ("cn_credit_code", lambda code: uscc.calc_check_digit(code[:17]) == code[17]),
    ):
        assert check(FormatPreserving(fields.get(name), keys[name]).protect(EXAMPLE[name]))


EXAMPLE = {"imei": "490154203237518", "cn_credit_code": "91350100M000100Y43"}


GROUPS = st.sampled_from(["0", "0", "1", "ff", "db8", "ffff", "ABC", "0a", "g", "12345", "", "", ":", "1.2.3.4"])


@RELAXED
@given(
    rows=st.lists(
        st.lists(GROUPS, min_size=2, max_size=10).map(":".join)
        | st.lists(st.sampled_from(["0", "1", "ffff"]), min_size=8, max_size=8).map(":".join)
        | st.integers(0, (1 << 128) - 1).map(lambda bits: str(ipaddress.IPv6Address(bits))).flatmap(
            lambda text: st.sampled_from([text, text.upper(), ipaddress.IPv6Address(text).exploded])
        )
        | st.sampled_from(["::", "::1", "1::", "::ffff:1:2", "::ffff:1.2.3.4", "1.2.3.4", "1:2:3::5:6:7:8", ":"]),
        min_size=1,
        max_size=30,
    ).map(lambda rows: [row or "::" for row in rows])
)  # fmt: skip
def test_columns_of_addresses_are_read_as_the_standard_library_reads_them(rows):
    reading = fields.IP_ADDRESS.read(Ragged.of_text(rows))
    bad = np.zeros(len(rows), bool) if reading.bad is None else reading.bad
    for row, wrong, text in zip(rows, bad.tolist(), reading.text.to_text(), strict=True):
        try:
            address = ipaddress.ip_address(row)
        except ValueError:
            assert wrong
            continue
        assert not wrong
        assert text == str(getattr(address, "ipv4_mapped", None) or address)
