"""Digits, checks, calendar and word lists over columns, against python-stdnum and the standard library."""

import datetime as dt
import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields import calendar, digits
from privkit.fields.checks import id_check, id_checks
from privkit.fields.credit import credit_check
from privkit.fields.ip import are_ipv4, canonical_ipv6, format_ipv4, ipv4_rows, parse_ipv4
from privkit.fields.wordlist import WordList

RELAXED = settings(deadline=None, max_examples=100)


def matrix(rows):
    return np.array([list(row.encode()) for row in rows], np.uint8).reshape(len(rows), -1)


def columns(width, letters="0123456789"):
    return st.lists(st.text(letters, min_size=width, max_size=width), min_size=1, max_size=6)


@RELAXED
@given(rows=st.integers(1, 19).flatmap(columns))
def test_numbers_are_read_and_written(rows):
    values = digits.numbers(matrix(rows))
    assert values.tolist() == [int(row) for row in rows]
    out = np.empty((len(rows), len(rows[0]) + 3), np.uint8)
    digits.write(values, out[:, 3:])
    assert [bytes(row[3:]).decode() for row in out] == rows


@RELAXED
@given(rows=st.integers(1, 20).flatmap(lambda width: columns(width, "019/:x")))
def test_digits_are_told_from_their_neighbours(rows):
    assert digits.are_digits(matrix(rows)).tolist() == [row.isdigit() for row in rows]


@RELAXED
@given(rows=st.integers(2, 24).flatmap(columns))
def test_luhn_agrees_with_stdnum(rows):
    expected = [luhn.is_valid(row) for row in rows]
    assert digits.luhn_ok(matrix(rows)).tolist() == expected
    assert [digits.luhn_sum(row) % 10 == 0 for row in rows] == expected
    assert [digits.luhn_sum(row) for row in rows] == digits.luhn_sums(matrix(rows)).tolist()


@RELAXED
@given(rows=columns(17))
def test_resident_id_checks_agree_with_stdnum(rows):
    expected = [mod_11_2.calc_check_digit(row) for row in rows]
    assert [id_check(row) for row in rows] == expected
    assert bytes(id_checks(matrix(rows))).decode() == "".join(expected)


@RELAXED
@given(rows=columns(17, "0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_credit_code_checks_agree_with_stdnum(rows):
    assert [credit_check(row) for row in rows] == [uscc.calc_check_digit(row) for row in rows]


@RELAXED
@given(rows=st.lists(st.dates(), min_size=1, max_size=6))
def test_days_are_those_of_the_standard_library(rows):
    text = matrix([row.isoformat() for row in rows])
    assert calendar.is_date(text).all()
    days = calendar.days_of(*calendar.fields_of(text))
    assert days.tolist() == [(row - dt.date(1970, 1, 1)).days for row in rows]
    assert list(zip(*(part.tolist() for part in calendar.dates_of(days)), strict=True)) == [
        (row.year, row.month, row.day) for row in rows
    ]
    out = np.empty_like(text)
    calendar.write_date(days, out)
    assert (out == text).all()


def test_every_day_of_odd_years_is_told_from_those_that_are_none():
    rows = [
        f"{year:04}-{month:02}-{day:02}"
        for year in (0, 1, 1900, 2000, 2023, 2024)
        for month in range(14)
        for day in range(33)
    ]
    assert calendar.is_date(matrix(rows)).tolist() == [_exists(row) for row in rows]


@RELAXED
@given(rows=st.lists(st.ip_addresses(v=4), min_size=1, max_size=6))
def test_ipv4_addresses_are_read_and_written(rows):
    text = Ragged.of_text([str(row) for row in rows])
    assert ipv4_rows(text).tolist() == list(range(len(rows)))
    values = parse_ipv4(text)
    assert are_ipv4(text).all()
    assert values.tolist() == [int(row) for row in rows]
    assert format_ipv4(values).to_text() == text.to_text()
    assert format_ipv4(values, b"/8").to_text() == [f"{row}/8" for row in rows]


@RELAXED
@given(rows=st.lists(st.text("0125.:a", min_size=1, max_size=16), min_size=1, max_size=6))
def test_what_is_no_ipv4_address_is_not_taken_for_one(rows):
    text = Ragged.of_text(rows)
    shaped = ipv4_rows(text)
    good = dict(zip(shaped.tolist(), are_ipv4(text.take(shaped)).tolist(), strict=True)) if len(shaped) else {}
    for row, value in enumerate(rows):
        parts = value.split(".")
        is_address = len(parts) == 4 and all(
            part.isdigit() and str(int(part)) == part and int(part) < 256 for part in parts
        )
        assert good.get(row, False) == is_address


@RELAXED
@given(
    address=st.ip_addresses(v=6)
    | st.integers(0, 2**48).map(ipaddress.IPv6Address)
    | st.lists(st.sampled_from(["0", "1", "f00"]), min_size=8, max_size=8).map(":".join).map(ipaddress.IPv6Address)
)
def test_ipv6_addresses_are_written_as_the_standard_library_does(address):
    expected = str(address.ipv4_mapped or address)
    assert canonical_ipv6(address.packed) == expected
    assert fields.IP_ADDRESS.normalise(address.exploded) == expected


@RELAXED
@given(text=st.text("01f:.g", min_size=1, max_size=20))
def test_what_is_no_ipv6_address_is_refused_as_by_the_standard_library(text):
    try:
        expected = ipaddress.ip_address(text)
    except ValueError:
        with pytest.raises(InvalidValue):
            fields.IP_ADDRESS.normalise(text)
    else:
        assert ipaddress.ip_address(fields.IP_ADDRESS.normalise(text)) in {
            expected,
            getattr(expected, "ipv4_mapped", None),
        }


@RELAXED
@given(
    words=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=12, unique=True),
    others=st.lists(st.text(min_size=1, max_size=12), max_size=6),
)
def test_words_are_found_and_nothing_else(words, others):
    rows = [*words, *others, *(word[::-1] for word in words)]
    index = {word: place for place, word in enumerate(words)}
    wordlist = WordList(words)
    assert wordlist.find(Ragged.of_text(rows)).tolist() == [index.get(row, -1) for row in rows]
    replies = Ragged.of_text([*(str(place) for place in range(len(words))), "-"])
    assert wordlist.choose(Ragged.of_text(rows), replies).to_text() == [str(index.get(row, "-")) for row in rows]


def test_a_list_with_a_word_twice_is_refused():
    with pytest.raises(ValueError, match="equal"):
        WordList(["a", "b", "a"])


def _exists(day):
    try:
        dt.date.fromisoformat(day)
    except ValueError:
        return False
    return True
