"""Permutations of integers by size and by number of rows, beside libffx and the bare AES blocks.

python -m pytest benchmarks/test_integers.py --benchmark-group-by=group --benchmark-columns=median,ops,rounds
"""

import numpy as np
import pytest

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.integers import IntegerPermutation
from privkit._kernels.prefix import PrefixPermutation

KEY = bytes(range(32))
ROWS = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
SIZES = {
    "10^6": 10**6,
    "10^9": 10**9,
    "10^12": 10**12,
    "2^40": 2**40,
    "2^40 + 1": 2**40 + 1,
    "10^18": 10**18,
    "2^64": 2**64,
    "10^30": 10**30,
}
MANY = 100_000


def values(size, rows):
    random = np.random.default_rng(rows)
    if size > 2**64:
        return np.array([int.from_bytes(random.bytes(20), "big") % size for _ in range(rows)], object)
    return random.integers(0, size - 1, rows, dtype=np.uint64, endpoint=True)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("who", ["privkit", "AES blocks alone"])
def test_rows(benchmark, who, rows):
    benchmark.group = f"integers below 10^12, {rows:,} rows"
    if who == "privkit":
        encrypt = IntegerPermutation(BlockCipher(KEY), 10**12).encrypt_many
        assert len(benchmark(encrypt, values(10**12, rows))) == rows
    else:
        blocks, out = np.zeros((10 * rows, BLOCK), np.uint8), np.empty(10 * rows * BLOCK + BLOCK, np.uint8)
        assert len(benchmark(BlockCipher(KEY).encrypt, blocks, out)) == 10 * rows


@pytest.mark.parametrize("name", SIZES)
def test_sizes(benchmark, name):
    benchmark.group = f"integers by size, {MANY:,} rows"
    encrypt = IntegerPermutation(BlockCipher(KEY), SIZES[name]).encrypt_many
    assert len(benchmark(encrypt, values(SIZES[name], MANY))) == MANY


@pytest.mark.parametrize("who", ["privkit", "libffx"])
def test_one_value(benchmark, who):
    benchmark.group = "one integer below 10^12"
    if who == "privkit":
        encrypt = IntegerPermutation(BlockCipher(KEY), 10**12).encrypt
    else:
        oracle = pytest.importorskip("ffx", reason="the bench extra has it").FF1(KEY)

        def encrypt(value):
            return oracle.encrypt_int(value, domain=10**12)

    assert benchmark(encrypt, 123_456_789_012) < 10**12


@pytest.mark.parametrize("size", [100, 10_000, 999_999])
def test_small_domain_build(benchmark, size):
    benchmark.group = "building the table of a small domain"
    assert benchmark(lambda: PrefixPermutation(BlockCipher(KEY), size).encrypt(0)) < size


@pytest.mark.parametrize("size", [100, 10_000, 999_999])
def test_small_domain(benchmark, size):
    benchmark.group = f"values of a small domain, {MANY:,} rows"
    encrypt = PrefixPermutation(BlockCipher(KEY), size).encrypt_many
    assert len(benchmark(encrypt, values(size, MANY))) == MANY
