"""Alphabets: texts and numerals, one by one and by the column."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels.alphabet import Alphabet
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue

ALPHABETS = [
    "0123456789",
    "9876543210",
    "01",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "zyx0",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "".join(map(chr, range(128))),
    "αβγδεζηθ",
    "零一二三四五六七八九",
    "aé中𝄞",
    "".join(map(chr, range(0x4E00, 0x4E00 + 300))),
    "".join(map(chr, range(0x10000, 0x20000))),
]


@pytest.mark.parametrize("characters", ALPHABETS, ids=lambda text: f"{len(text)} from {ord(text[0]):#x}")
@settings(deadline=None, max_examples=20)
@given(lengths=st.lists(st.integers(0, 30), max_size=20), seed=st.integers(0, 2**32))
def test_columns_and_numbers_agree_with_the_index(characters, lengths, seed):
    alphabet = Alphabet(characters)
    expected = [np.random.default_rng(seed).integers(0, len(characters), length).tolist() for length in lengths]
    rows = ["".join(characters[numeral] for numeral in row) for row in expected]
    column = Ragged.of_text(rows)
    seen: dict[int, list[int]] = {}
    for index, numerals in alphabet.numerals(column):
        positions = range(len(rows)) if index is None else index.tolist()
        seen |= zip(positions, numerals.tolist(), strict=True)
        assert alphabet.text(numerals).to_text() == [rows[row] for row in positions]
    assert [seen[row] for row in range(len(rows))] == expected
    assert alphabet.lengths(column).tolist() == [len(row) for row in rows]
    for row, values in zip(rows, expected, strict=True):
        if row:
            number = sum(value * len(characters) ** place for place, value in enumerate(reversed(values)))
            assert alphabet.number(row) == number
            assert alphabet.string(number, len(row)) == row


@pytest.mark.parametrize("characters", ["0123456789", "0123456789abcdefghijklmnopqrstuvwxyz", "αβγ01"])
@pytest.mark.parametrize("foreign", ["x1_0", "1_0", " 10", "10\n", "+10", "-10", "１０", "1٣", "1é", "1𝄞", "\0", "ABC"])
def test_foreign_characters_are_refused(characters, foreign):
    if set(foreign) <= set(characters):
        pytest.skip("not foreign to this alphabet")
    alphabet = Alphabet(characters)
    with pytest.raises(InvalidValue, match="not of the alphabet") as caught:
        alphabet.number(foreign)
    assert foreign not in str(caught.value)
    assert caught.value.__context__ is None  # it would hold the text
    with pytest.raises(InvalidValue) as caught:
        list(alphabet.numerals(Ragged.of_text(["0101", foreign, "01", foreign])))
    assert caught.value.rows == (1, 3)
    assert alphabet.foreign(Ragged.of_text(["01", foreign])).tolist() == [False, True]


@pytest.mark.parametrize("characters", ["", "a", "aa", "0123456789" * 2, "abcéé"])
def test_bad_alphabets_are_refused(characters):
    with pytest.raises(InvalidParameter, match="alphabet"):
        Alphabet(characters)
    with pytest.raises(InvalidParameter, match="65537"):
        Alphabet("".join(map(chr, range(0x10000, 0x20001))))


def test_bytes_that_are_not_utf8_are_refused():
    alpha = "α".encode()
    torn = [alpha, alpha + alpha[:1], alpha[1:] + alpha, b"", alpha]  # UTF-8 as a whole, and no row for itself
    for rows, bad in (([alpha, b"\xff\xfe"], (1,)), (torn, (1, 2)), ([alpha, alpha[:1]], (1,))):
        for work in (lambda column: list(Alphabet("αβγ").numerals(column)), Alphabet("αβγ").foreign):
            with pytest.raises(InvalidValue, match="UTF-8") as caught:
                work(Ragged.of(rows))
            assert caught.value.rows == bad
            assert caught.value.__context__ is None  # it would hold the bytes


@pytest.mark.parametrize("length", [639, 640, 641, 5000])
def test_long_texts(length):
    alphabet = Alphabet("0123456789")
    text = "7" * length
    number = (10**length - 1) // 9 * 7
    assert alphabet.number(text) == number
    assert alphabet.string(number, length) == text


def test_slices_of_a_column():
    whole = Ragged.of_text(["中国", "一二三", "国", "二"])
    part = Ragged(whole.data, whole.offsets[1:4])
    groups = {tuple(index.tolist()): values.tolist() for index, values in Alphabet("一二三中国").numerals(part)}
    assert groups == {(1,): [[4]], (0,): [[0, 1, 2]]}
    assert np.array_equal(Alphabet("一二三中国").lengths(part), [3, 1])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 9, 33])
def test_bytes_are_looked_up_in_pieces(size, monkeypatch):
    monkeypatch.setattr("privkit._kernels.alphabet._PIECE", 4)
    alphabet = Alphabet("zyx0")
    text = ("zyx00xyyz" * 4)[:size]
    codes = np.frombuffer(text.encode(), np.uint8)
    numerals = np.empty(size, np.uint8)
    alphabet.ascii_numerals(codes, numerals)
    assert numerals.tolist() == ["zyx0".index(character) for character in text]
    assert alphabet.ascii_text(numerals, np.empty(size, np.uint8)).tobytes().decode() == text
