"""FF1 and the integer permutation against libffx and against the bare AES blocks: one ratio for each bar.

    python benchmarks/ff1_bars.py [--rows 1000000] [--runs 7] [--parts bars threads memory]

The sides of a ratio run by turns in one process on the same values; a ratio is the median of those of the turns, and
the quartiles beside it say how quiet the machine was. "Ten ECB passes" encrypt as many blocks as FF1's ten rounds do,
and nothing else. libffx takes a value at a time, so it gets fewer of them and is scaled. One core, except where it
says two; memory is what Python and NumPy allocate beyond input and output.
"""

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import ffx
import numpy as np
import pyarrow as pa

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.integers import IntegerPermutation
from privkit._kernels.ragged import Ragged
from privkit.lowlevel import FF1
from two_threads import gain

KEY = bytes(range(32))
DIGITS = "0123456789"
BASE_36 = DIGITS + "abcdefghijklmnopqrstuvwxyz"
CHINESE = "零一二三四五六七八九"
SINGLES = 2_000
ROUNDS = 10


@dataclass
class Bar:
    """A ratio to reach: `theirs / ours` at least, or `ours / theirs` at most, times per row."""

    work: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    scale: float
    at_least: float = 0.0
    at_most: float = 0.0

    def ratio(self):
        ours, theirs = seconds(self.ours), seconds(self.theirs) * self.scale
        return theirs / ours if self.at_least else ours / theirs


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def texts(alphabet, length, rows):
    numerals = np.random.default_rng(length).integers(0, len(alphabet), (rows, length))
    return Ragged.of_matrix(np.frombuffer(alphabet.encode(), np.uint8)[numerals]).to_text()


def integers(size, rows):
    return np.random.default_rng(1).integers(0, size, rows, dtype=np.uint64)


def ten_passes(rows, chunk=8192):
    """Ten ECB passes over one block per row, in chunks that stay in the cache."""
    cipher = BlockCipher(KEY)
    blocks, out = np.zeros((chunk, BLOCK), np.uint8), np.empty(chunk * BLOCK + BLOCK, np.uint8)
    last = np.zeros((ROUNDS * rows % chunk, BLOCK), np.uint8)

    def run():
        for _ in range(ROUNDS * rows // chunk):
            cipher.encrypt(blocks, out)
        cipher.encrypt(last, out)

    return run


def each(function, values):
    return lambda: [function(value) for value in values]


def bars(rows):
    floor = ten_passes(rows)
    decimals, codes = texts(DIGITS, 16, rows), texts(BASE_36, 18, rows)
    arrow, arrow_codes = pa.array(decimals), pa.array(codes)
    ff1, ff1_codes = FF1(KEY, DIGITS), FF1(KEY, BASE_36)
    peer = each(ffx.FF1(KEY, alphabet=DIGITS).encrypt, decimals[:SINGLES])
    peer_codes = each(ffx.FF1(KEY, alphabet=BASE_36).encrypt, codes[:SINGLES])
    many = rows / SINGLES
    yield Bar("16 digits, Arrow, over ten ECB passes", lambda: ff1.encrypt_many(arrow), floor, 1, at_most=6)
    yield Bar("16 digits, Arrow, decrypted", lambda: ff1.decrypt_many(arrow), floor, 1, at_most=6)
    yield Bar("16 digits, Arrow, beside libffx", lambda: ff1.encrypt_many(arrow), peer, many, at_least=150)
    yield Bar("16 digits, lists, beside libffx", lambda: ff1.encrypt_many(decimals), peer, many, at_least=50)
    yield Bar(
        "18 base 36, Arrow, beside libffx", lambda: ff1_codes.encrypt_many(arrow_codes), peer_codes, many, at_least=60
    )
    yield Bar("16 digits, one value, beside libffx", each(ff1.encrypt, decimals[:SINGLES]), peer, 1, at_least=2.5)
    yield Bar(
        "18 base 36, one value, beside libffx", each(ff1_codes.encrypt, codes[:SINGLES]), peer_codes, 1, at_least=2.5
    )
    for name, size, most in (("10^12", 10**12, 6), ("2^40 + 1", 2**40 + 1, 10)):
        permutation, values = IntegerPermutation(BlockCipher(KEY), size), integers(size, rows)
        yield Bar(
            f"integers below {name}, over ten passes",
            lambda crypt=permutation.encrypt_many, values=values: crypt(values),
            floor,
            1,
            at_most=most,
        )


def threads(rows):
    """What to do in two threads, on as many rows in each; what the cipher alone gains is the most there is to gain."""
    decimals, codes = texts(DIGITS, 16, 2 * rows), texts(BASE_36, 18, 2 * rows)
    permutation, values = IntegerPermutation(BlockCipher(KEY), 10**12), integers(10**12, 2 * rows)
    worst, worst_values = IntegerPermutation(BlockCipher(KEY), 2**40 + 1), integers(2**40 + 1, 2 * rows)
    columns = (
        ("the bare AES blocks", lambda part: ten_passes(len(part), 1 << 16)(), values),
        ("16 digits, Arrow", FF1(KEY, DIGITS).encrypt_many, pa.array(decimals)),
        ("16 digits, lists", FF1(KEY, DIGITS).encrypt_many, decimals),
        ("18 base 36, Arrow", FF1(KEY, BASE_36).encrypt_many, pa.array(codes)),
        ("integers below 10^12", permutation.encrypt_many, values),
        ("integers below 2^40 + 1", worst.encrypt_many, worst_values),
    )
    for name, crypt, column in columns:
        yield name, crypt, (column[:rows], column[rows:])


def memory(rows):
    """Peak allocations beyond input and output, in MB (10^6 bytes)."""
    decimals = texts(DIGITS, 16, rows)
    mixed = [text[: 6 + row % 11] for row, text in enumerate(decimals)]
    ff1, permutation = FF1(KEY, DIGITS), IntegerPermutation(BlockCipher(KEY), 2**40 + 1)
    chinese = FF1(KEY, CHINESE)
    tweaks = pa.array([text[:8].encode() for text in decimals])
    wide = pa.array([text.translate(str.maketrans(DIGITS, CHINESE)) for text in decimals])
    even, uneven, values = pa.array(decimals), pa.array(mixed), integers(2**40 + 1, rows)
    for name, work in (
        ("16 digits, Arrow", lambda: ff1.encrypt_many(even)),
        ("6 to 16 digits, Arrow", lambda: ff1.encrypt_many(uneven)),
        ("16 digits, Arrow, a tweak each", lambda: ff1.encrypt_many(even, tweaks)),
        ("16 Chinese digits, Arrow", lambda: chinese.encrypt_many(wide)),
        ("integers below 2^40 + 1", lambda: permutation.encrypt_many(values)),
    ):
        work()
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        result = work()
        peak = tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before
        tracemalloc.stop()
        yield name, (peak - result.nbytes) / 1e6


def main():
    parser = argparse.ArgumentParser(description="Ratios of FF1 to libffx and to the bare AES blocks.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--parts", nargs="+", default=["bars", "threads", "memory"])
    asked = parser.parse_args()
    for bar in bars(asked.rows) if "bars" in asked.parts else ():
        bar.ratio()
        low, middle, high = statistics.quantiles([bar.ratio() for _ in range(asked.runs)], n=4)
        wanted = f">= {bar.at_least:g}" if bar.at_least else f"<= {bar.at_most:g}"
        print(f"{bar.work:44} {middle:8.2f}  ({low:.2f} to {high:.2f})  wanted {wanted}", flush=True)
    for name, crypt, parts in threads(asked.rows) if "threads" in asked.parts else ():
        print(f"{name + ', two threads':44} {gain(crypt, parts, asked.runs)}  wanted >= 1.6", flush=True)
    for name, megabytes in memory(asked.rows) if "memory" in asked.parts else ():
        print(f"{name + ', working set':44} {megabytes:8.1f}  MB  wanted <= 64", flush=True)


if __name__ == "__main__":
    main()
