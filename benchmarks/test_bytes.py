"""AES-SIV and CMAC by number of rows, by length and by container, beside loops over peers and the bare AES blocks.

python -m pytest benchmarks/test_bytes.py --benchmark-group-by=group --benchmark-columns=median,ops,rounds
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.ragged import Ragged
from privkit._kernels.siv import Siv
from privkit._kernels.textual import from_base64url, to_base32, to_base64url, to_hex
from privkit.lowlevel import AesSiv

KEY = bytes(range(64))
HALF = KEY[:32]
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


@dataclass
class Work:
    """One kernel on a column of bytes, and what does the same to a list of them.

    Attributes:
        ours: From rows to rows.
        theirs: From a list to a list.
        peer: Whose it is.
        given: What both take, made of plain values.
        passes: How often AES takes each block at least, where the last of a message is one even if it is empty.
    """

    ours: Callable[[Ragged], Ragged]
    theirs: Callable[[list[bytes]], list]
    peer: str
    given: Callable[[Ragged], Ragged] = lambda table: table
    passes: Callable[[int], int] = lambda blocks: max(blocks, 1) + blocks


def mixed(rows):
    """Values of 11 to 40 random bytes, as long as e-mail addresses are."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(11, 41, rows)
    table = Ragged.empty(lengths)
    table.data[:] = rng.integers(0, 256, len(table.data), np.uint8)
    return table


def even(rows, length):
    return Ragged.of_matrix(np.random.default_rng(2).integers(0, 256, (rows, length), np.uint8))


def by_siv(direction):
    cipher = getattr(AESSIV(KEY), direction)
    return lambda values: [cipher(value, FIELD) for value in values]


def by_hmac(values):
    return [hmac.digest(HALF, value, "sha256").hex() for value in values]


def pyca(value, algorithm=algorithms.AES, key=HALF):
    mac = CMAC(algorithm(key))
    mac.update(value)
    return mac.finalize()


WORKS = {
    "AES-SIV encrypt": Work(lambda rows: Siv.of(KEY).encrypt_many(rows, FIELD), by_siv("encrypt"), "loop over AESSIV"),
    "AES-SIV decrypt": Work(
        lambda rows: Siv.of(KEY).decrypt_many(rows, FIELD)[0],
        by_siv("decrypt"),
        "loop over AESSIV",
        lambda table: Siv.of(KEY).encrypt_many(table, FIELD),
    ),
    "hexadecimal tokens": Work(
        lambda rows: to_hex(Cmac(BlockCipher(HALF)).digest_many(rows)),
        by_hmac,
        "loop over hmac",
        passes=lambda blocks: max(blocks, 1),
    ),
}


def expected(work, value):
    """What the work makes of one value, by pyca."""
    return {
        "AES-SIV encrypt": lambda: AESSIV(KEY).encrypt(value, FIELD),
        "AES-SIV decrypt": lambda: value,
        "hexadecimal tokens": lambda: pyca(value).hex().encode(),
    }[work]()


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "peer"])
@pytest.mark.parametrize("name", WORKS)
def test_by_rows(benchmark, name, who, rows):
    work, table = WORKS[name], mixed(rows)
    benchmark.group = f"{name}, mixed lengths, {rows:,} rows"
    benchmark.name = f"test_by_rows[{who if who == 'privkit' else work.peer}-{rows}]"  # the plot's legend
    given = work.given(table)
    if who == "privkit":
        assert benchmark(work.ours, given)[rows - 1] == expected(name, table[rows - 1])
    else:
        assert len(benchmark(work.theirs, given.to_list())) == rows


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("who", ["privkit", "peer", "bare AES"])
@pytest.mark.parametrize("name", ["AES-SIV encrypt", "hexadecimal tokens"])
def test_by_length(benchmark, name, who, length):
    work, rows = WORKS[name], 10_000 if length < 1000 else 1000
    benchmark.group = f"{name}, {rows:,} rows of {length:,} bytes"
    table = even(rows, length)
    if who == "privkit":
        assert len(benchmark(work.ours, table)) == rows
    elif who == "peer":
        assert len(benchmark(work.theirs, table.to_list())) == rows
    else:
        blocks = np.zeros((rows * work.passes(-(-length // BLOCK)), BLOCK), np.uint8)
        assert benchmark(BlockCipher(HALF).encrypt, blocks).shape == blocks.shape


@pytest.mark.parametrize("container", CONTAINERS)
def test_by_container(benchmark, container):
    benchmark.group = "AES-SIV encrypt, mixed lengths, 100,000 rows, by container"
    column = CONTAINERS[container](mixed(100_000).to_list())
    assert len(benchmark(AesSiv(KEY).encrypt_many, column, FIELD)) == len(column)


@pytest.mark.parametrize("strings", ["none", "one", "one for each row"])
def test_by_associated_strings(benchmark, strings):
    benchmark.group = "AES-SIV encrypt, mixed lengths, 100,000 rows, by associated strings"
    table = mixed(100_000)
    associated = {"none": [], "one": FIELD, "one for each row": [even(100_000, 16)]}[strings]
    assert len(benchmark(Siv.of(KEY).encrypt_many, table, associated)) == len(table)


@pytest.mark.parametrize("cipher", ["AES-128", "AES-256", "SM4"])
def test_digest_by_cipher(benchmark, cipher):
    benchmark.group = "CMAC, mixed lengths, 100,000 rows, by cipher"
    algorithm = algorithms.SM4 if cipher == "SM4" else algorithms.AES
    key = HALF if cipher == "AES-256" else KEY[:16]
    table = mixed(100_000)
    digests = benchmark(Cmac(BlockCipher(key, algorithm)).digest_many, table)
    assert digests[0].tobytes() == pyca(table[0], algorithm, key)


VALUE, SEALED = bytes(20), AESSIV(KEY).encrypt(bytes(20), FIELD)
ONE = {
    ("AES-SIV encrypt", "privkit"): (Siv.of(KEY).encrypt, (VALUE, FIELD), SEALED),
    ("AES-SIV encrypt", "pyca"): (AESSIV(KEY).encrypt, (VALUE, FIELD), SEALED),
    ("AES-SIV decrypt", "privkit"): (Siv.of(KEY).decrypt, (SEALED, FIELD), VALUE),
    ("AES-SIV decrypt", "pyca"): (AESSIV(KEY).decrypt, (SEALED, FIELD), VALUE),
    ("digest", "privkit"): (Cmac(BlockCipher(HALF)).digest, (VALUE,), pyca(VALUE)),
    ("digest", "pyca"): (pyca, (VALUE,), pyca(VALUE)),
    ("digest", "hmac"): (hmac.digest, (HALF, VALUE, "sha256"), hmac.digest(HALF, VALUE, "sha256")),
}


@pytest.mark.parametrize("one", ONE, ids=" by ".join)
def test_one_value(benchmark, one):
    benchmark.group = f"{one[0]}, one value of 20 bytes"
    work, given, result = ONE[one]
    assert benchmark(work, *given) == result


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
