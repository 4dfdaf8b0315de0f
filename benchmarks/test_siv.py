"""AES-SIV by number of rows, by length and by container, beside loops over pyca's AESSIV and the bare AES blocks.

python -m pytest benchmarks/test_siv.py --benchmark-group-by=group --benchmark-columns=median,ops,rounds
"""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.ragged import Ragged
from privkit._kernels.siv import Siv
from privkit.lowlevel import AesSiv

KEY = bytes(range(64))
FIELD = [b"customer.email"]
ROWS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
LENGTHS = (0, 8, 20, 64, 250, 1000, 10_000)
CONTAINERS = {
    "list": list,
    "numpy": lambda rows: np.array(rows, object),
    "arrow": lambda rows: pa.array(rows, pa.binary()),
    "pandas": lambda rows: pd.Series(rows, dtype=object),
    "polars": lambda rows: pl.Series(rows, dtype=pl.Binary),
}


def mixed(rows):
    """Values of 11 to 40 random bytes, as long as e-mail addresses are."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(11, 41, rows)
    table = Ragged.empty(lengths)
    table.data[:] = rng.integers(0, 256, len(table.data), np.uint8)
    return table


def even(rows, length):
    return Ragged.of_matrix(np.random.default_rng(2).integers(0, 256, (rows, length), np.uint8))


def encrypt_by_peer(values):
    peer = AESSIV(KEY)
    return [peer.encrypt(value, FIELD) for value in values]


def decrypt_by_peer(values):
    peer = AESSIV(KEY)
    return [peer.decrypt(value, FIELD) for value in values]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "loop"])
def test_encrypt_by_rows(benchmark, who, rows):
    benchmark.group = f"AES-SIV encrypt, mixed lengths, {rows:,} rows"
    table = mixed(rows)
    values = table.to_list()
    if who == "privkit":
        sealed = benchmark(Siv.of(KEY).encrypt_many, table, FIELD).to_list()
    else:
        sealed = benchmark(encrypt_by_peer, values)
    assert sealed[-1] == AESSIV(KEY).encrypt(values[-1], FIELD)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "loop"])
def test_decrypt_by_rows(benchmark, who, rows):
    benchmark.group = f"AES-SIV decrypt, mixed lengths, {rows:,} rows"
    table = mixed(rows)
    sealed = Siv.of(KEY).encrypt_many(table, FIELD)
    if who == "privkit":
        opened = benchmark(Siv.of(KEY).decrypt_many, sealed, FIELD)[0].to_list()
    else:
        opened = benchmark(decrypt_by_peer, sealed.to_list())
    assert opened == table.to_list()


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("who", ["privkit", "loop", "bare AES"])
def test_encrypt_by_length(benchmark, who, length):
    rows = 10_000 if length < 1000 else 1000
    benchmark.group = f"AES-SIV encrypt, {rows:,} rows of {length:,} bytes"
    table = even(rows, length)
    if who == "privkit":
        assert len(benchmark(Siv.of(KEY).encrypt_many, table, FIELD)) == rows
    elif who == "loop":
        assert len(benchmark(encrypt_by_peer, table.to_list())) == rows
    else:  # S2V takes each block once, the counter mode another time
        blocks = np.zeros((rows * (max(-(-length // BLOCK), 1) + -(-length // BLOCK)), BLOCK), np.uint8)
        assert benchmark(BlockCipher(KEY[:32]).encrypt, blocks).shape == blocks.shape


@pytest.mark.parametrize("container", CONTAINERS)
def test_encrypt_by_container(benchmark, container):
    benchmark.group = "AES-SIV encrypt, mixed lengths, 100,000 rows, by container"
    column = CONTAINERS[container](mixed(100_000).to_list())
    assert len(benchmark(AesSiv(KEY).encrypt_many, column, FIELD)) == len(column)


@pytest.mark.parametrize("strings", ["none", "one", "one for each row"])
def test_encrypt_by_associated_strings(benchmark, strings):
    benchmark.group = "AES-SIV encrypt, mixed lengths, 100,000 rows, by associated strings"
    table = mixed(100_000)
    associated = {"none": [], "one": FIELD, "one for each row": [even(100_000, 16)]}[strings]
    assert len(benchmark(Siv.of(KEY).encrypt_many, table, associated)) == len(table)


@pytest.mark.parametrize("who", ["privkit", "pyca"])
@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_one_value(benchmark, who, direction):
    benchmark.group = f"AES-SIV {direction}, one value of 20 bytes"
    cipher = Siv.of(KEY) if who == "privkit" else AESSIV(KEY)
    value, sealed = bytes(20), AESSIV(KEY).encrypt(bytes(20), FIELD)
    given, expected = (value, sealed) if direction == "encrypt" else (sealed, value)
    assert benchmark(getattr(cipher, direction), given, FIELD) == expected
