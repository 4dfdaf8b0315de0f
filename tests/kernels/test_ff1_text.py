"""FF1 on texts: the public door, single values and every container, and what it refuses."""

import enum
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import ff1_text
from privkit._kernels.feistel import MAX_LENGTH, shortest
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue
from privkit.lowlevel import FF1

SAMPLES = json.loads((Path(__file__).parents[1] / "vectors" / "ff1_sp800_38g.json").read_text())["cases"]
KEY = bytes(range(32))
DIGITS = "0123456789"
ALPHABETS = [
    DIGITS,
    "98765",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "".join(map(chr, range(1, 128))),
    "零一二三四五六七八九",
    "aé中𝄞",
    "".join(map(chr, range(0x10000, 0x20000))),
]

CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "NumPy U": lambda rows: np.array(rows, "U"),
    "NumPy object": lambda rows: np.array(rows, object),
    "NumPy StringDType": lambda rows: np.array(rows, np.dtypes.StringDType(na_object=None)),
    "Arrow string": pa.array,
    "Arrow large_string": lambda rows: pa.array(rows, pa.large_string()),
    "Arrow string_view": lambda rows: pa.array(rows, pa.string_view()),
    "Arrow dictionary": lambda rows: pa.array(rows).dictionary_encode(),
    "Arrow chunked": lambda rows: pa.chunked_array([pa.array(rows[:3], pa.string()), pa.array(rows[3:], pa.string())]),
    "pandas str": lambda rows: pd.Series(rows, dtype="str", index=range(5, 5 + len(rows)), name="column"),
    "pandas object": lambda rows: pd.Series(rows, dtype=object),
    "polars": lambda rows: pl.Series("column", rows, dtype=pl.String),
}


def texts(alphabet, count, seed=0, spread=25):
    """Texts of mixed lengths, the shortest that are allowed among them."""
    random = np.random.default_rng(seed)
    least = shortest(len(alphabet))
    lengths = random.integers(least, least + spread, count)
    return ["".join(alphabet[i] for i in random.integers(0, len(alphabet), length)) for length in lengths]


def listed(column):
    """The values of any container, nulls as `None`."""
    if isinstance(column, list | tuple):
        values = column
    elif hasattr(column, "to_pylist"):
        values = column.to_pylist()
    else:
        values = column.to_list() if hasattr(column, "to_list") else column.tolist()
    return [None if pd.isna(value) else value for value in values]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"sample {sample['sample']}")
def test_samples_of_the_standard(sample):
    cipher, tweak = FF1(bytes.fromhex(sample["key"]), sample["alphabet"]), bytes.fromhex(sample["tweak"])
    assert cipher.encrypt(sample["plaintext"], tweak) == sample["ciphertext"]
    assert cipher.decrypt(sample["ciphertext"], tweak) == sample["plaintext"]
    assert cipher.encrypt_many([sample["plaintext"]] * 30, tweak) == [sample["ciphertext"]] * 30
    assert cipher.decrypt_many([sample["ciphertext"]] * 30, tweak) == [sample["plaintext"]] * 30


@pytest.mark.parametrize("alphabet", ALPHABETS, ids=lambda text: f"{len(text)} from {ord(text[0]):#x}")
@settings(deadline=None, max_examples=15)
@given(count=st.integers(0, 60), seed=st.integers(0, 2**32), tweak=st.binary(max_size=20))
def test_columns_agree_with_single_values(alphabet, count, seed, tweak):
    cipher, rows = FF1(KEY, alphabet), texts(alphabet, count, seed)
    encrypted = cipher.encrypt_many(rows, tweak)
    assert encrypted == [cipher.encrypt(row, tweak) for row in rows]
    assert [len(row) for row in encrypted] == [len(row) for row in rows]
    assert cipher.decrypt_many(encrypted, tweak) == rows
    assert [cipher.decrypt(row, tweak) for row in encrypted] == rows


@pytest.mark.parametrize("alphabet", [DIGITS, "αβγδεζηθ", "aé中𝄞"])
@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("nulls", [False, True])
def test_every_container(name, nulls, alphabet):
    if nulls and name == "NumPy U":
        pytest.skip("fixed-width arrays have no null")
    cipher, rows = FF1(KEY, alphabet), texts(alphabet, 20)
    if nulls:
        rows[0] = rows[7] = rows[19] = None
    column = CONTAINERS[name](rows)
    encrypted = cipher.encrypt_many(column, b"t")
    assert type(encrypted) is type(column)
    assert getattr(encrypted, "type", None) == getattr(column, "type", None)
    assert listed(encrypted) == [None if row is None else cipher.encrypt(row, b"t") for row in rows]
    assert listed(cipher.decrypt_many(encrypted, b"t")) == rows
    if isinstance(column, pd.Series):
        assert encrypted.index.equals(column.index)
        assert encrypted.name == column.name


def test_fixed_width_bytes_are_ascii_text():
    cipher, rows = FF1(KEY, DIGITS), texts(DIGITS, 20)
    encrypted = cipher.encrypt_many(np.array(rows, "S"), b"t")
    assert encrypted.tolist() == [cipher.encrypt(row, b"t").encode() for row in rows]
    with pytest.raises(InvalidParameter, match="bytes where one of text"):
        FF1(KEY, "0123456789é").encrypt_many(np.array(rows, "S"))
    with pytest.raises(InvalidParameter, match="bytes where one of text"):
        cipher.encrypt_many([row.encode() for row in rows])


def test_fixed_width_bytes_hold_no_nul():
    with pytest.raises(InvalidParameter, match="NUL"):
        FF1(KEY, "\x00123456789").encrypt_many(np.array([b"1234567"]))


@pytest.mark.parametrize("alphabet", [DIGITS, "αβγδεζηθ"])
def test_blocks_of_a_column(monkeypatch, alphabet):
    """The result does not depend on where a column is cut, by rows or by bytes."""
    cipher, rows = FF1(KEY, alphabet), texts(alphabet, 300)
    tweaks = [bytes(i % 5) for i in range(300)]
    expected = cipher.encrypt_many(rows, tweaks)
    for block_rows, block_bytes in ((7, 2**20), (1000, 90), (1000, 1)):
        monkeypatch.setattr(ff1_text, "_BLOCK_ROWS", block_rows)
        for bound in ("_ASCII_BYTES", "_WIDE_BYTES", "_TWEAK_BYTES"):
            monkeypatch.setattr(ff1_text, bound, block_bytes)
        assert cipher.encrypt_many(rows, tweaks) == expected
        assert cipher.decrypt_many(pa.array(expected)[0:], tweaks).to_pylist() == rows
        with pytest.raises(InvalidValue) as caught:
            cipher.encrypt_many([*rows[:250], rows[0] + "x", *rows[250:], rows[0] + "x"])
        assert caught.value.rows == (250, 301)


def test_a_slice_of_an_arrow_column():
    cipher, rows = FF1(KEY, DIGITS), texts(DIGITS, 50)
    sliced = pa.array([None, *rows, None])[5:30]
    assert cipher.encrypt_many(sliced).to_pylist() == [cipher.encrypt(row) for row in rows[4:29]]


@pytest.mark.parametrize("alphabet", [DIGITS, "零一二三四五六七八九"])
def test_a_tweak_for_each_row(alphabet):
    cipher, rows = FF1(KEY, alphabet), texts(alphabet, 40)
    tweaks = [np.random.default_rng(i).bytes(i % 33) for i in range(40)]
    expected = [cipher.encrypt(row, tweak) for row, tweak in zip(rows, tweaks, strict=True)]
    for column in (tweaks, pa.array(tweaks, pa.binary()), pl.Series(tweaks, dtype=pl.Binary), np.array(tweaks, object)):
        assert cipher.encrypt_many(rows, column) == expected
        assert cipher.decrypt_many(expected, column) == rows
    assert cipher.encrypt_many([rows[0], None, rows[2]], [tweaks[0], None, tweaks[2]]) == [
        expected[0],
        None,
        expected[2],
    ]
    assert cipher.encrypt_many([rows[0], None, rows[2]], tweaks[:3]) == [expected[0], None, expected[2]]


def test_bad_tweaks_are_refused():
    cipher = FF1(KEY, DIGITS)
    with pytest.raises(InvalidParameter, match="1 tweaks for 2 values"):
        cipher.encrypt_many(["123456", None], [b"x"])
    with pytest.raises(InvalidValue, match="tweak of a value is null") as caught:
        cipher.encrypt_many(["123456", None, "123456"], [b"x", b"x", None])
    assert caught.value.rows == (2,)
    with pytest.raises(InvalidParameter, match="text where one of bytes"):
        cipher.encrypt_many(["123456"], ["x"])
    for tweak in (5, "x", None):
        with pytest.raises(InvalidParameter, match="where bytes is needed"):
            cipher.encrypt("123456", tweak)


@pytest.mark.parametrize("alphabet", [DIGITS, "0123456789é"])
@pytest.mark.parametrize("text", ["12345x", "1_2345", " 123456", "-123456", "１２３４５６", "123456\n", "12345\0"])
def test_foreign_characters_are_refused(alphabet, text):
    cipher = FF1(KEY, alphabet)
    for crypt in (cipher.encrypt, cipher.decrypt):
        with pytest.raises(InvalidValue, match="not of the alphabet") as caught:
            crypt(text)
        assert text not in str(caught.value)
    with pytest.raises(InvalidValue) as caught:
        cipher.encrypt_many(["123456", None, text, "1234567", text])
    assert caught.value.rows == (2, 4)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("alphabet", "short"),
    [(DIGITS, "12345"), (DIGITS, ""), (DIGITS, "ééé"), (DIGITS, "中" * 5), ("αβγδεζηθ", "αβγδεζ")],
)
def test_short_texts_are_refused(alphabet, short):
    cipher, fine = FF1(KEY, alphabet), alphabet[0] * 8
    with pytest.raises(DomainTooSmall, match=rf"{len(short)} < {shortest(len(alphabet))} numerals"):
        cipher.encrypt(short)
    with pytest.raises(DomainTooSmall, match="at rows 2, 4: too short") as caught:
        cipher.decrypt_many([None, fine, short, fine, short])
    assert caught.value.rows == (2, 4)


@pytest.mark.parametrize("alphabet", [DIGITS, "αβγδεζηθ"])
@pytest.mark.parametrize("text", ["é" * 3, "é" * 9, "é" * MAX_LENGTH, "é" * (MAX_LENGTH + 1)], ids=len)
def test_columns_refuse_as_single_values_do(alphabet, text):
    cipher = FF1(KEY, alphabet)
    with pytest.raises((InvalidValue, DomainTooSmall)) as single:
        cipher.encrypt(text)
    with pytest.raises(single.type) as column:
        cipher.encrypt_many([text])
    assert column.value.reason == single.value.reason
    assert column.value.rows == (0,)


def test_long_texts_are_refused():
    cipher, longest = FF1(KEY, "01"), "10" * (MAX_LENGTH // 2)
    assert cipher.decrypt_many([cipher.encrypt(longest)]) == [longest]
    with pytest.raises(InvalidValue, match=f"too long for FF1: {MAX_LENGTH + 1} numerals"):
        cipher.encrypt(longest + "1")
    with pytest.raises(InvalidValue) as caught:
        cipher.encrypt_many([longest, None, longest + "1"])
    assert caught.value.rows == (2,)


@pytest.mark.parametrize("value", [b"123456", 123456, None])
def test_only_texts_are_taken(value):
    cipher = FF1(KEY, DIGITS)
    with pytest.raises(InvalidParameter, match="where str is needed"):
        cipher.encrypt(value)
    if value is not None:
        with pytest.raises(InvalidParameter, match="where one of text is needed"):
            cipher.encrypt_many([value])
    assert cipher.encrypt_many([None, None]) == [None, None]
    assert cipher.encrypt_many([]) == []


@pytest.mark.parametrize("size", [0, 8, 15, 17, 31, 33, 64])
def test_key_sizes_are_checked(size):
    with pytest.raises(InvalidParameter, match=f"key of {size} bytes"):
        FF1(bytes(size), DIGITS)


@pytest.mark.parametrize("key", [None, 16, "0" * 16, [0] * 16, [300] * 16, ("a",) * 16, bytearray(16)], ids=repr)
def test_keys_are_bytes(key):
    with pytest.raises(InvalidParameter, match=f"a {type(key).__name__} where bytes is needed"):
        FF1(key, DIGITS)


@pytest.mark.parametrize("alphabet", [None, 5, DIGITS.encode(), list(DIGITS), tuple(DIGITS)], ids=repr)
def test_alphabets_are_texts(alphabet):
    with pytest.raises(InvalidParameter, match=f"a {type(alphabet).__name__} where str is needed"):
        FF1(KEY, alphabet)


def test_algorithms():
    rows = texts(DIGITS, 30)
    sm4 = FF1(KEY[:16], DIGITS, algorithm="SM4")
    encrypted = sm4.encrypt_many(rows, b"t")
    assert encrypted == [sm4.encrypt(row, b"t") for row in rows]
    assert sm4.decrypt_many(encrypted, b"t") == rows
    assert encrypted != FF1(KEY[:16], DIGITS).encrypt_many(rows, b"t")
    with pytest.raises(InvalidParameter, match="SM4 takes 16"):
        FF1(KEY, DIGITS, algorithm="SM4")
    with pytest.raises(InvalidParameter, match="AES or SM4"):
        FF1(KEY, DIGITS, algorithm="DES")


@pytest.mark.parametrize("alphabet", ["", "0", "00", "0120", "ab" * 40_000])
def test_alphabets_are_checked(alphabet):
    with pytest.raises(InvalidParameter, match="alphabet"):
        FF1(KEY, alphabet)


def test_an_alphabet_with_lone_surrogates_has_no_columns_but_lists():
    cipher = FF1(KEY, "".join(map(chr, range(65_536))))
    text = "\ud800\x05\uffff中"
    encrypted = cipher.encrypt_many([text, None], b"t")
    assert encrypted == [cipher.encrypt(text, b"t"), None]
    assert cipher.decrypt_many(encrypted, [b"t", b""]) == [text, None]
    with pytest.raises(InvalidParameter, match="surrogates"):
        cipher.encrypt_many(pa.array(["中国"]))


def test_nothing_shows_or_pickles_the_key():
    cipher = FF1(KEY, DIGITS)
    assert KEY.hex() not in repr(cipher)
    assert repr(KEY) not in repr(cipher)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(cipher)


class Named(str, enum.Enum):  # noqa: UP042 - an older kind, whose `str` is its name and not its text
    ONE = "123456"


class Text(str):
    """Says that it is another."""

    __slots__ = ()

    def __str__(self):
        return "999999"

    def encode(self, *_):
        return b"888888"


class Bytes(bytes):
    """Says that it is others."""

    def __bytes__(self):
        return b"other"


def test_subclasses_are_taken_for_their_characters():
    cipher = FF1(KEY, "0123456789\n.NamedOE")
    expected = cipher.encrypt("123456", b"t")
    for text in (Named.ONE, Text("123456"), np.str_("123456")):
        assert cipher.encrypt(text, Bytes(b"t")) == expected
        assert cipher.encrypt_many([text] * 30, Bytes(b"t")) == [expected] * 30
        assert cipher.encrypt_many([text, "1\n2\n3\n"], b"t")[0] == expected
        assert cipher.encrypt_many([text, None], [Bytes(b"t"), None]) == [expected, None]
    assert cipher.decrypt(Text(expected), b"t") == "123456"


def test_arrow_text_that_is_not_utf8_moves_nothing_between_rows(monkeypatch):
    cipher, fine = FF1(KEY, "αβγδεζηθ"), "αβγδεζηθ".encode()
    rows = [fine, None, fine + fine[:1], fine[1:], fine[:3], fine]
    column = pa.array(rows, pa.binary()).view(pa.string())
    for block_rows in (ff1_text._BLOCK_ROWS, 2):
        monkeypatch.setattr(ff1_text, "_BLOCK_ROWS", block_rows)
        for crypt in (cipher.encrypt_many, cipher.decrypt_many):
            with pytest.raises(InvalidValue, match="not UTF-8") as caught:
                crypt(column)
            assert caught.value.rows == (2, 3, 4)


NO_VALUES = {
    "NumPy float64": (np.array([]), np.dtype("U1")),
    "NumPy int64": (np.array([], np.int64), np.dtype("U1")),
    "NumPy datetime64": (np.array([], "M8[D]"), np.dtype(object)),
    "NumPy NaT": (np.array(["NaT"], "M8[D]"), np.dtype(object)),
    "NumPy object": (np.array([None], object), np.dtype(object)),
    "Arrow int64": (pa.array([None, None], pa.int64()), pa.string()),
    "Arrow date32": (pa.array([], pa.date32()), pa.string()),
    "Arrow decimal128": (pa.array([None], pa.decimal128(5, 2)), pa.string()),
    "Arrow binary": (pa.array([None], pa.binary()), pa.string()),
    "Arrow chunked bool": (pa.chunked_array([[None]], pa.bool_()), pa.string()),
    "pandas Int64": (pd.Series([pd.NA], dtype="Int64"), pd.StringDtype()),
    "polars Int64": (pl.Series([None], dtype=pl.Int64), pl.String()),
    "polars Date": (pl.Series([], dtype=pl.Date), pl.String()),
}


@pytest.mark.parametrize("name", NO_VALUES)
@pytest.mark.parametrize("alphabet", [DIGITS, "αβγδεζηθ"])
def test_columns_without_values_are_of_text(name, alphabet):
    column, expected = NO_VALUES[name]
    for crypt in (FF1(KEY, alphabet).encrypt_many, FF1(KEY, alphabet).decrypt_many):
        back = crypt(column)
        assert type(back) is type(column) or isinstance(back, pa.Array)
        assert (back.type if hasattr(back, "type") else back.dtype) == expected
        assert listed(back) == [None] * len(column)


def test_lists_over_lone_surrogates_are_refused_as_columns_are():
    cipher = FF1(KEY, "".join(map(chr, range(65_536))))
    rows = ["ab", None, "\ud800x"]
    for tweaks in (b"t", Bytes(b"t"), [b"t", None, b"t"], pa.array([b"t"] * 3), pd.Series([b"t"] * 3, index=[7, 8, 9])):
        encrypted = cipher.encrypt_many(rows, tweaks)
        assert encrypted == [cipher.encrypt("ab", b"t"), None, cipher.encrypt("\ud800x", b"t")]
        assert cipher.decrypt_many(encrypted, tweaks) == rows
    assert cipher.encrypt_many([], []) == []
    for tweaks in ([b"t"], [b"t"] * 4):
        with pytest.raises(InvalidParameter, match=f"{len(tweaks)} tweaks for 3 values"):
            cipher.encrypt_many(rows, tweaks)
    with pytest.raises(InvalidValue, match="tweak of a value is null") as caught:
        cipher.encrypt_many(rows, [b"t", None, None])
    assert caught.value.rows == (2,)
    for tweaks in (None, 5, "t", bytearray(b"t"), ["t", "t", "t"]):
        with pytest.raises(InvalidParameter):
            cipher.encrypt_many(rows, tweaks)


@pytest.mark.parametrize(
    ("rows", "kind", "bad"),
    [
        (["ab", None, "a", "ab", ""], DomainTooSmall, (2, 4)),
        (["ab", "😀a", None, "a😀"], InvalidValue, (1, 3)),
        (["ab", None, "a" * (MAX_LENGTH + 1), "a" * (MAX_LENGTH + 2)], InvalidValue, (2, 3)),
        (["😀a", "a"], DomainTooSmall, (1,)),
    ],
    ids=["short", "foreign", "long", "short and foreign"],
)
def test_lists_over_lone_surrogates_name_their_rows(rows, kind, bad):
    cipher = FF1(KEY, "".join(map(chr, range(65_536))))
    with pytest.raises(kind, match="at row") as caught:
        cipher.encrypt_many(rows)
    assert caught.value.rows == bad
    assert caught.value.__context__ is None
