"""FF1 by number of rows, length, alphabet and container, beside libffx, ff3 and the bare AES blocks.

python -m pytest benchmarks/test_ff1.py --benchmark-group-by=group --benchmark-columns=median,ops,rounds
"""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.ragged import Ragged
from privkit.lowlevel import FF1

KEY = bytes(range(32))
TWEAK = bytes(7)
DIGITS = "0123456789"
BASE_36 = DIGITS + "abcdefghijklmnopqrstuvwxyz"
CHINESE = "零一二三四五六七八九"
ROWS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
LENGTHS = (6, 11, 16, 18, 19, 24, 36, 40, 100, 1000)
MANY = 100_000
PEER_MOST = 10_000
CONTAINERS = {
    "list": list,
    "NumPy U": np.array,
    "NumPy object": lambda rows: np.array(rows, object),
    "NumPy StringDType": lambda rows: np.array(rows, np.dtypes.StringDType()),
    "Arrow": pa.array,
    "Arrow large": lambda rows: pa.array(rows, pa.large_string()),
    "pandas": lambda rows: pd.Series(rows, dtype="str"),
    "polars": pl.Series,
}


def texts(alphabet, length, rows):
    numerals = np.random.default_rng(length).integers(0, len(alphabet), (rows, length))
    codes = np.array([ord(character) for character in alphabet], "<u4")[numerals]
    whole = codes.tobytes().decode("utf-32-le")
    return [whole[start : start + length] for start in range(0, rows * length, length)]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "AES blocks alone"])
def test_rows(benchmark, who, rows):
    benchmark.group = f"16 digits, Arrow, {rows:,} rows"
    if who == "privkit":
        column = pa.array(texts(DIGITS, 16, rows))
        assert len(benchmark(FF1(KEY, DIGITS).encrypt_many, column)) == rows
    else:
        blocks, out = np.zeros((10 * rows, BLOCK), np.uint8), np.empty(10 * rows * BLOCK + BLOCK, np.uint8)
        assert len(benchmark(BlockCipher(KEY).encrypt, blocks, out)) == 10 * rows


@pytest.mark.parametrize("rows", [rows for rows in ROWS if rows <= PEER_MOST])
@pytest.mark.parametrize("who", ["privkit", "libffx", "ff3"])
def test_lists_beside_peers(benchmark, who, rows):
    """`ff3` is FF3-1, another algorithm, which NIST's 2025 draft removes."""
    benchmark.group = f"16 digits, list, {rows:,} rows"
    values = texts(DIGITS, 16, rows)
    if who == "privkit":
        assert len(benchmark(FF1(KEY, DIGITS).encrypt_many, values)) == rows
        return
    if who == "libffx":
        encrypt = pytest.importorskip("ffx", reason="the bench extra has it").FF1(KEY, alphabet=DIGITS).encrypt
    else:
        ff3 = pytest.importorskip("ff3", reason="the bench extra has it")
        encrypt = ff3.FF3Cipher(KEY.hex(), TWEAK.hex()).encrypt
    assert len(benchmark(lambda: [encrypt(value) for value in values])) == rows


@pytest.mark.parametrize(
    "alphabet", [DIGITS, BASE_36, "零一二三四五六七八九"], ids=["digits", "base 36", "Chinese digits"]
)
@pytest.mark.parametrize("who", ["privkit", "libffx"])
def test_one_value(benchmark, who, alphabet):
    benchmark.group = f"one value of 16 characters, alphabet of {len(alphabet)} from {alphabet[0]}"
    value = texts(alphabet, 16, 1)[0]
    if who == "privkit":
        encrypt = FF1(KEY, alphabet).encrypt
    else:
        encrypt = pytest.importorskip("ffx", reason="the bench extra has it").FF1(KEY, alphabet=alphabet).encrypt
    assert benchmark(encrypt, value) != value


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(benchmark, length):
    benchmark.group = "digits by length, Arrow"
    rows = MANY if length <= 36 else MANY // 100
    benchmark.extra_info["rows"] = rows
    column = pa.array(texts(DIGITS, length, rows))
    assert len(benchmark(FF1(KEY, DIGITS).encrypt_many, column)) == rows


@pytest.mark.parametrize("name", ["digits", "base 36", "base 62", "hexadecimal", "Chinese digits", "Greek"])
def test_alphabets(benchmark, name):
    alphabet = {
        "digits": DIGITS,
        "base 36": BASE_36,
        "base 62": BASE_36 + BASE_36[10:].upper(),
        "hexadecimal": BASE_36[:16],
        "Chinese digits": CHINESE,
        "Greek": "αβγδεζηθικλμνξοπρστυφχψω",
    }[name]
    benchmark.group = f"18 characters by alphabet, Arrow, {MANY:,} rows"
    column = pa.array(texts(alphabet, 18, MANY))
    assert len(benchmark(FF1(KEY, alphabet).encrypt_many, column)) == MANY


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(benchmark, name):
    benchmark.group = f"16 digits by container, {MANY:,} rows"
    column = CONTAINERS[name](texts(DIGITS, 16, MANY))
    assert len(benchmark(FF1(KEY, DIGITS).encrypt_many, column)) == MANY


@pytest.mark.parametrize("what", ["one length", "11 lengths", "a tweak for each row", "tweaks of 11 lengths"])
def test_mixtures(benchmark, what):
    benchmark.group = f"digits, Arrow, {MANY:,} rows"
    rows = texts(DIGITS, 16, MANY)
    tweak = b""
    if what == "11 lengths":
        rows = [text[: 6 + row % 11] for row, text in enumerate(rows)]
    elif "tweak" in what:
        lengths = [8] * MANY if "each" in what else [row % 11 for row in range(MANY)]
        tweak = pa.array([bytes(length) for length in lengths], pa.binary())
    assert len(benchmark(FF1(KEY, DIGITS).encrypt_many, pa.array(rows), tweak)) == MANY


def test_no_text_at_all(benchmark):
    """What lifting and restoring a column costs without any cipher."""
    benchmark.group = f"16 digits by container, {MANY:,} rows"
    values = texts(DIGITS, 16, MANY)
    assert len(benchmark(lambda: Ragged.of_text(values).to_text())) == MANY
