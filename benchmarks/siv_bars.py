"""AES-SIV and CMAC over columns against loops over the usual tools: one ratio for each bar.

    python benchmarks/siv_bars.py [--rows 1000000] [--runs 5] [--parts bars threads]

The two sides of a ratio run by turns in one process on the same values; a ratio is that of the medians. Columns go in
and come out as buffers (data and offsets), loops take and give lists of `bytes`. One core, except where it says two.
"""

import argparse
import hmac
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.ragged import Ragged
from privkit._kernels.siv import Siv
from privkit._kernels.textual import to_hex
from two_threads import gain

KEY = bytes(range(64))
FIELD = [b"customer.email"]
NAMES = ("li", "wang.fang", "zhang_wei", "chen", "lq", "zhao.xiaoming", "sunli", "ma")
DOMAINS = ("qq.com", "163.com", "example.com", "mail.example.com.cn", "foxmail.com", "corp.example.org")


@dataclass
class Bar:
    work: str
    ours: object
    theirs: object
    least: float


def emails(rows: int) -> Ragged:
    """Addresses of 11 to 41 characters, 22 on average."""
    rng = np.random.default_rng(1)
    names, domains = rng.integers(len(NAMES), size=rows), rng.integers(len(DOMAINS), size=rows)
    numbers = rng.integers(10 ** rng.integers(1, 9, size=rows))
    return Ragged.of(
        [
            f"{NAMES[name]}{number}@{DOMAINS[domain]}".encode()
            for name, number, domain in zip(names.tolist(), numbers.tolist(), domains.tolist(), strict=True)
        ]
    )


def equal(rows: int) -> Ragged:
    """Values of 20 bytes."""
    return Ragged.of_matrix(np.random.default_rng(2).integers(0, 256, (rows, 20), np.uint8))


def halves(rows: Ragged) -> list[Ragged]:
    middle = len(rows) // 2
    return [Ragged(rows.data, rows.offsets[: middle + 1]), Ragged(rows.data, rows.offsets[middle:])]


def seconds(bar: Bar, runs: int) -> tuple[float, float]:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for work, times in zip((bar.ours, bar.theirs), took, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return statistics.median(took[0]), statistics.median(took[1])


def siv_bars(name: str, rows: Ragged, least: tuple[float, float]) -> list[Bar]:
    siv, peer = Siv.of(KEY), AESSIV(KEY)
    sealed = siv.encrypt_many(rows, FIELD)
    values, tokens = rows.to_list(), sealed.to_list()
    assert tokens[:1000] == [peer.encrypt(value, FIELD) for value in values[:1000]]
    return [
        Bar(
            f"AES-SIV encrypt, {name} / loop over AESSIV",
            lambda: siv.encrypt_many(rows, FIELD),
            lambda: [peer.encrypt(value, FIELD) for value in values],
            least[0],
        ),
        Bar(
            f"AES-SIV decrypt, {name} / loop over AESSIV",
            lambda: siv.decrypt_many(sealed, FIELD),
            lambda: [peer.decrypt(token, FIELD) for token in tokens],
            least[1],
        ),
    ]


def cmac_bar(rows: Ragged) -> Bar:
    cmac, values = Cmac(BlockCipher(KEY[:32])), rows.to_list()
    return Bar(
        "CMAC to hex, e-mails / loop over hmac.digest(...).hex()",
        lambda: to_hex(cmac.digest_many(rows)),
        lambda: [hmac.digest(KEY, value, "sha256").hex() for value in values],
        10,
    )


def threads(rows: int) -> Iterator[tuple[str, Callable[[Ragged], object], list[Ragged]]]:
    """What to do in two threads, on as many rows in each."""
    siv, cmac = Siv.of(KEY), Cmac(BlockCipher(KEY[:32]))
    mails, twenties = emails(2 * rows), equal(2 * rows)
    for name, values in (("e-mails", mails), ("20 bytes each", twenties)):
        sealed = siv.encrypt_many(values, FIELD)
        yield f"AES-SIV encrypt, {name}", lambda part: siv.encrypt_many(part, FIELD), halves(values)
        yield f"AES-SIV decrypt, {name}", lambda part: siv.decrypt_many(part, FIELD), halves(sealed)
    yield "CMAC to hex, e-mails", lambda part: to_hex(cmac.digest_many(part)), halves(mails)


def size(result) -> int:
    if isinstance(result, tuple):
        return sum(map(size, result))
    return result.data.nbytes + result.offsets.nbytes if isinstance(result, Ragged) else result.nbytes


def working_set(work) -> float:
    """The most that was taken beside the result, in MB (10**6 bytes)."""
    tracemalloc.start()
    result = work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (most - size(result)) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--parts", nargs="+", default=["bars", "threads"])
    options = parser.parse_args()
    mails, twenties = emails(options.rows), equal(options.rows)
    bars = [
        *siv_bars("e-mails of mixed lengths", mails, (8, 6)),
        *siv_bars("20 bytes each", twenties, (8, 6)),
        cmac_bar(mails),
    ]
    print(f"{options.rows:,} rows, medians of {options.runs}")
    print(f"{'work':<60}{'ns/row':>9}{'ns/row':>9}{'ratio':>8}{'bar':>6}")
    for bar in bars if "bars" in options.parts else ():
        ours, theirs = seconds(bar, options.runs)
        per_row = [f"{took / options.rows * 1e9:9.0f}" for took in (ours, theirs)]
        print(f"{bar.work:<60}{per_row[0]}{per_row[1]}{theirs / ours:8.1f}{bar.least:6}", flush=True)
    for name, work, parts in threads(options.rows) if "threads" in options.parts else ():
        print(f"{name + ', two threads / one':<60}{gain(work, parts, options.runs)}  (at least 1.6)", flush=True)
    siv, cmac = Siv.of(KEY), Cmac(BlockCipher(KEY[:32]))
    sealed = siv.encrypt_many(mails, FIELD)
    for name, work in {
        "AES-SIV encrypt": lambda: siv.encrypt_many(mails, FIELD),
        "AES-SIV decrypt": lambda: siv.decrypt_many(sealed, FIELD),
        "CMAC": lambda: cmac.digest_many(mails),
    }.items():
        print(f"{name + ', memory beside input and output':<60}{working_set(work):9.1f} MB (at most 64)")


if __name__ == "__main__":
    main()
