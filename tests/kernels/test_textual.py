"""Hexadecimal, base32 and base64url over columns, against Python's own one value at a time."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import slabs, textual
from privkit._kernels.ragged import Ragged

MATRICES = st.integers(0, 40).flatmap(lambda width: st.lists(st.binary(min_size=width, max_size=width), max_size=40))


def matrix_of(rows):
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1 if rows and rows[0] else 0)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@given(MATRICES)
@settings(deadline=None)
def test_hex_is_pythons(rows):
    text = textual.to_hex(matrix_of(rows))
    assert text.to_list() == [row.hex().encode() for row in rows]
    plain, bad = textual.from_hex(text)
    assert (plain.to_list(), bad.any()) == (rows, False)


@given(MATRICES)
@settings(deadline=None)
def test_base32_is_pythons(rows):
    assert textual.to_base32(matrix_of(rows)).to_list() == [base64.b32encode(row).rstrip(b"=") for row in rows]


@given(st.lists(st.binary(max_size=70), max_size=60))
@settings(deadline=None)
def test_base64url_is_pythons(rows):
    text = textual.to_base64url(Ragged.of(rows))
    assert text.to_list() == [base64url(row) for row in rows]
    plain, bad = textual.from_base64url(text)
    assert (plain.to_list(), bad.any()) == (rows, False)
    assert [textual.decode_base64url(row.decode()) for row in text] == rows


@given(st.lists(st.text("AQgw-_+/=\n é0", max_size=6) | st.binary(max_size=9).map(lambda b: base64url(b).decode())))
@settings(deadline=None)
def test_base64url_decodes_what_it_writes_and_nothing_else(texts):
    plain, bad = textual.from_base64url(Ragged.of_text(texts))
    for text, row, failed in zip(texts, plain, bad, strict=True):
        single = textual.decode_base64url(text)
        assert (single is None) == failed
        assert row == (single or b"")
        if not failed:
            assert base64url(row).decode() == text
        elif text.isascii() and set(text) <= set("AQgw-_0"):
            assert len(text) % 4 == 1 or base64url(base64.urlsafe_b64decode(text + "==")).decode() != text


@pytest.mark.parametrize("text", ["A", "AAAAA", "AB", "AAB", "AA==", "AA=", "A+", "A/", " AAA", "AAA\n", "QQ\0", "Äq"])
def test_base64url_refuses(text):
    plain, bad = textual.from_base64url(Ragged.of_text(["QUJD", text, ""]))
    assert plain.to_list() == [b"ABC", b"", b""]
    assert bad.tolist() == [False, True, False]
    assert textual.decode_base64url(text) is None


@pytest.mark.parametrize("text", ["0", "000", "AB", "0g", " 0", "0\n", "٣٣"])
def test_hex_refuses(text):
    plain, bad = textual.from_hex(Ragged.of_text(["4142", text, ""]))
    assert plain.to_list() == [b"AB", b"", b""]
    assert bad.tolist() == [False, True, False]


def test_rows_out_of_the_middle_of_a_buffer():
    rows = Ragged.of_text(["!!", "QUJD", "Q", "QQ", "~"])
    middle = Ragged(rows.data, rows.offsets[1:5])
    plain, bad = textual.from_base64url(middle)
    assert (plain.to_list(), bad.tolist()) == ([b"ABC", b"", b"A"], [False, True, False])
    assert textual.to_base64url(middle).to_list() == [base64url(row) for row in middle]


def test_batches_agree_with_the_whole(monkeypatch):
    rows = [bytes(range(size % 50)) for size in range(400)]
    whole = textual.to_base64url(Ragged.of(rows))
    monkeypatch.setattr(slabs, "BATCH_ROWS", 7)
    monkeypatch.setattr(slabs, "BATCH_BYTES", 90)
    assert textual.to_base64url(Ragged.of(rows)).to_list() == whole.to_list()
    assert textual.from_base64url(whole)[0].to_list() == rows
