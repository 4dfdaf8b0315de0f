"""CMAC as a token, by number of rows and by length, beside loops over HMAC-SHA256 and the bare AES blocks.

python -m pytest benchmarks/test_cmac.py --benchmark-group-by=group --benchmark-columns=median,ops,rounds
"""

import hmac

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.ragged import Ragged
from privkit._kernels.textual import from_base64url, to_base32, to_base64url, to_hex

KEY = bytes(range(32))
ROWS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
LENGTHS = (0, 8, 20, 64, 250, 1000, 10_000)


def mixed(rows):
    """Values of 11 to 40 random bytes, as long as e-mail addresses are."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(11, 41, rows)
    table = Ragged.empty(lengths)
    table.data[:] = rng.integers(0, 256, len(table.data), np.uint8)
    return table


def even(rows, length):
    return Ragged.of_matrix(np.random.default_rng(2).integers(0, 256, (rows, length), np.uint8))


def by_hmac(values):
    return [hmac.digest(KEY, value, "sha256").hex() for value in values]


def tokens(rows):
    return to_hex(Cmac(BlockCipher(KEY)).digest_many(rows))


def pyca(value, algorithm=algorithms.AES, key=KEY):
    mac = CMAC(algorithm(key))
    mac.update(value)
    return mac.finalize()


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "loop over hmac"])
def test_tokens_by_rows(benchmark, who, rows):
    benchmark.group = f"hexadecimal tokens, mixed lengths, {rows:,} rows"
    table = mixed(rows)
    values = table.to_list()
    if who == "privkit":
        assert benchmark(tokens, table)[rows - 1].decode() == pyca(values[-1]).hex()
    else:
        assert len(benchmark(by_hmac, values)) == rows


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("who", ["privkit", "loop over hmac", "bare AES"])
def test_tokens_by_length(benchmark, who, length):
    rows = 10_000 if length < 1000 else 1000
    benchmark.group = f"hexadecimal tokens, {rows:,} rows of {length:,} bytes"
    table = even(rows, length)
    if who == "privkit":
        assert len(benchmark(tokens, table)) == rows
    elif who == "loop over hmac":
        assert len(benchmark(by_hmac, table.to_list())) == rows
    else:
        blocks = np.zeros((rows * max(-(-length // BLOCK), 1), BLOCK), np.uint8)
        assert benchmark(BlockCipher(KEY).encrypt, blocks).shape == blocks.shape


@pytest.mark.parametrize("cipher", ["AES-128", "AES-256", "SM4"])
def test_digest_by_cipher(benchmark, cipher):
    benchmark.group = "CMAC, mixed lengths, 100,000 rows, by cipher"
    algorithm = algorithms.SM4 if cipher == "SM4" else algorithms.AES
    key = KEY if cipher == "AES-256" else KEY[:16]
    table = mixed(100_000)
    digests = benchmark(Cmac(BlockCipher(key, algorithm)).digest_many, table)
    assert digests[0].tobytes() == pyca(table[0], algorithm, key)


@pytest.mark.parametrize("who", ["privkit", "hmac", "pyca"])
def test_one_value(benchmark, who):
    benchmark.group = "digest of one value of 20 bytes"
    value = bytes(20)
    if who == "privkit":
        assert benchmark(Cmac(BlockCipher(KEY)).digest, value) == pyca(value)
    elif who == "hmac":
        assert len(benchmark(hmac.digest, KEY, value, "sha256")) == 32
    else:
        assert len(benchmark(pyca, value)) == BLOCK


@pytest.mark.parametrize("form", ["hex", "base32", "base64url", "from base64url"])
def test_text_forms(benchmark, form):
    benchmark.group = "text forms of 16 bytes, 100,000 rows"
    rows = even(100_000, BLOCK)
    matrix = rows.matrix(BLOCK)
    if form == "from base64url":
        plain, bad = benchmark(from_base64url, to_base64url(rows))
        assert (plain.to_list(), bad.any()) == (rows.to_list(), False)
    else:
        work, given = {"hex": (to_hex, matrix), "base32": (to_base32, matrix), "base64url": (to_base64url, rows)}[form]
        assert len(benchmark(work, given)) == 100_000
