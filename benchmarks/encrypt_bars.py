"""Field encryption against a loop over AES-GCM, and keys of persons in bulk: one line for each bar.

    python benchmarks/encrypt_bars.py [--rows 1000000] [--persons 100000] [--runs 5]

The peer is what one would write without privkit: for each value pyca's AESGCM with a fresh random nonce and the field's
name as associated data, from text to `nonce | ciphertext` and back, for columns from and to Arrow arrays or lists. Both
sides of a ratio run by turns in one process on the same values, in one thread; a ratio is that of the medians of the
CPU time they took, so that a busy machine tells on neither. Rates and times of persons' keys are by the clock.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privkit.keys import Keyring
from privkit.transforms import Encrypt
from privkit.transforms.subjects import EncryptBySubject
from turns import by_turns

FIELD = "customer.note"
NONCE = 12
CALLS, TURNS = 2_000, 100
"""Calls in one timing of single values, and how many of those there are."""
FEW = 20_000
"""So many values are in a list: what an application reads or writes at once."""


class Loop:
    """The peer: AES-256-GCM, value by value."""

    def __init__(self):
        self.cipher, self.field = AESGCM(os.urandom(32)), FIELD.encode()

    def protect(self, value):
        nonce = os.urandom(NONCE)
        return nonce + self.cipher.encrypt(nonce, value.encode(), self.field)

    def reveal(self, sealed):
        return self.cipher.decrypt(sealed[:NONCE], sealed[NONCE:], self.field).decode()

    def protect_many(self, column):
        return pa.array([self.protect(value) for value in column.to_pylist()], pa.binary())

    def reveal_many(self, column):
        return pa.array([self.reveal(value) for value in column.to_pylist()], pa.string())


@dataclass
class Bar:
    """A ratio (`theirs` given, at least `bar`, or at most where `most`), or a rate or a time of ours alone.

    Where `bar` is `None` the figure is only shown.
    """

    work: str
    ours: float
    bar: float | None
    theirs: float | None = None
    most: bool = False
    unit: str = "x"

    @property
    def figure(self):
        if self.theirs is None:
            return self.ours
        return self.ours / self.theirs if self.most else self.theirs / self.ours

    def line(self):
        sides = f"{self.ours:12.3f}{self.theirs:12.3f}" if self.theirs is not None else " " * 24
        if self.bar is None:
            return f"{self.work:<58}{sides}{f'{self.figure:,.2f} {self.unit}':>16}{'-':>14}"
        held = self.figure <= self.bar if self.most else self.figure >= self.bar
        figure, bar = f"{self.figure:,.2f} {self.unit}", f"{'<=' if self.most else '>='} {self.bar:,} {self.unit}"
        return f"{self.work:<58}{sides}{figure:>16}{bar:>14}  {'held' if held else 'MISSED'}"


def notes(rows):
    """Texts of 8 to 46 characters in ASCII, 20 on average: e-mail addresses and short notes."""
    rng = np.random.default_rng(1)
    words = ("leave at the door", "call first", "li@example.com", "ring twice, then wait at the gate", "x")
    picked, numbers = rng.integers(len(words), size=rows).tolist(), rng.integers(10**9, size=rows).tolist()
    return pa.array([f"{words[word]} {number}" for word, number in zip(picked, numbers, strict=True)])


def column_bars(transform, loop, column, runs, name):
    sealed, peers = transform.protect_many(column), loop.protect_many(column)
    assert transform.reveal_many(sealed).equals(column)
    assert loop.reveal_many(peers).equals(column)
    encrypt = by_turns(lambda: transform.protect_many(column), lambda: loop.protect_many(column), runs)
    decrypt = by_turns(lambda: transform.reveal_many(sealed), lambda: loop.reveal_many(peers), runs)
    yield Bar(f"protect_many, {name}", encrypt[0], 5, encrypt[1])
    yield Bar(f"reveal_many, {name}", decrypt[0], 3.5, decrypt[1])


def list_bars(transform, loop, column, runs, name):
    rows = column[:FEW].to_pylist()
    sealed, peers = transform.protect_many(rows), [loop.protect(value) for value in rows]
    assert transform.reveal_many(sealed) == rows
    encrypt = by_turns(lambda: transform.protect_many(rows), lambda: [loop.protect(value) for value in rows], runs)
    decrypt = by_turns(lambda: transform.reveal_many(sealed), lambda: [loop.reveal(value) for value in peers], runs)
    for work, took in (("protect_many", encrypt), ("reveal_many", decrypt)):
        yield Bar(f"{work}, list of {len(rows):,}, {name} (ms)", took[0] * 1e3, None, took[1] * 1e3)


def single_bars(transform, loop, name):
    value = "leave at the door 42"
    sealed, peer = transform.protect(value), loop.protect(value)

    def repeated(call, argument):
        def calls():
            for _ in range(CALLS):
                call(argument)

        return calls

    encrypt = by_turns(repeated(transform.protect, value), repeated(loop.protect, value), TURNS)
    decrypt = by_turns(repeated(transform.reveal, sealed), repeated(loop.reveal, peer), TURNS)
    scale = 1e6 / CALLS
    yield Bar(f"protect one, {name} (us)", encrypt[0] * scale, 3.5, encrypt[1] * scale, most=True)
    yield Bar(f"reveal one, {name} (us)", decrypt[0] * scale, 3.5, decrypt[1] * scale, most=True)


def person_bars(folder, rows, persons, runs):
    ids = [f"user:{number}" for number in range(persons)]
    rates, took = [], []
    for run in range(runs):
        keys = Keyring.create(folder / f"persons-{run}.json")
        start = time.perf_counter()
        keys.subjects.create(ids)
        rates.append(persons / (time.perf_counter() - start))
    yield Bar("keys of persons created in SQLite", statistics.median(rates), 50_000, unit="/s")

    column = notes(rows)
    whose = pa.array([ids[number] for number in np.random.default_rng(2).integers(persons, size=rows).tolist()])
    sealed = EncryptBySubject(keys, FIELD).protect_many(column, subject=whose)
    for _ in range(min(runs, 3)):
        cold = EncryptBySubject(Keyring.open(folder / f"persons-{runs - 1}.json"), FIELD)
        start = time.perf_counter()
        revealed = cold.reveal_many(sealed, subject=whose)
        took.append(time.perf_counter() - start)
        assert revealed.equals(column)
    yield Bar(f"reveal {rows:,} of {persons:,} persons, cold", statistics.median(took), 20, most=True, unit="s")


def bars(folder, options):
    keys, loop = Keyring.create(folder / "keyring.json"), Loop()
    for name in ("randomised", "deterministic"):
        transform = Encrypt(keys[FIELD], deterministic=name == "deterministic")
        yield from column_bars(transform, loop, notes(options.rows), options.runs, name)
        yield from list_bars(transform, loop, notes(options.rows), 5 * options.runs, name)
        yield from single_bars(transform, loop, name)
    yield from person_bars(folder, options.rows, options.persons, options.runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"{options.rows:,} rows of text, Arrow in and out; medians of {options.runs} (at most 3 where cold)")
    print(f"{'work':<58}{'ours':>12}{'AES-GCM':>12}{'figure':>16}{'bar':>14}")
    with tempfile.TemporaryDirectory() as folder:
        for bar in bars(Path(folder), options):
            print(bar.line(), flush=True)


if __name__ == "__main__":
    main()
