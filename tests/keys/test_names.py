import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InvalidParameter
from privkit.keys.names import MAX_NAME_BYTES, canonical_name


@pytest.mark.parametrize(
    "name", ["a", "customer.phone", "order_2.e-mail", "2fa", "_x.-", "订单.收件人", "नाम", "A" * MAX_NAME_BYTES]
)
def test_names_that_are_canonical_already(name):
    assert canonical_name(name) == name


def test_two_spellings_of_one_name_are_one():
    assert canonical_name("cafe\u0301") == canonical_name("caf\u00e9") == "caf\u00e9"


def test_case_and_width_differ():
    assert len({canonical_name(name) for name in ("phone", "Phone", "ｐhone")}) == 3


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "a/b",
        "a\n",
        "a\0",
        "\u0301a",
        "a.\u0301",
        "a\u200b",
        "٣",
        "a" * 201,
        "\ud800",
    ],
)
def test_names_that_are_none(name):
    with pytest.raises(InvalidParameter) as caught:
        canonical_name(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [None, b"customer", 7])
def test_names_of_another_type(name):
    with pytest.raises(InvalidParameter, match=type(name).__name__):
        canonical_name(name)


@given(st.text())
def test_canonical_is_a_fixed_point(name):
    try:
        canonical = canonical_name(name)
    except InvalidParameter:
        return
    assert canonical_name(canonical) == canonical == unicodedata.normalize("NFC", name)
