"""CMAC, by the published examples and by two other implementations."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from Crypto.Cipher import AES
from Crypto.Hash import CMAC as OTHER_CMAC
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.test_blocks import run_at_once
from privkit._kernels import cmac as kernel
from privkit._kernels import layouts, slabs
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac, dbl, dbl_many, words
from privkit._kernels.ragged import Ragged

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "cmac_sp800_38b.json").read_text())["cases"]
KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
EVERY_LENGTH = [bytes([size]) * size for size in range(71)]


def pyca(key, message, algorithm=algorithms.AES):
    mac = CMAC(algorithm(key))
    mac.update(message)
    return mac.finalize()


def digests(cmac, rows):
    out = cmac.digest_many(Ragged.of(rows))
    assert (out.shape, out.dtype) == ((len(rows), 16), np.uint8)
    return [row.tobytes() for row in out]


WAYS = {
    "alone": [(layouts, "MOST_BLOCKS", 0), (slabs, "_LAYOUT", 1 << 40)],
    "sorted": [(layouts, "MOST_BLOCKS", 0), (slabs, "_ROW_ALONE", 1 << 40), (kernel, "FEWEST_ROWS", 0)],
    "side by side": [(layouts, "_MOST_SPARE", 100), (kernel, "FEWEST_ROWS", 0)],
    "as measured": [],
}
"""Rows one by one, all in columns of one kind or the other, and as the kernel decides."""


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    for change in WAYS[request.param]:
        monkeypatch.setattr(*change)
    return request.param


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_published_examples(case):
    key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["message"])
    cmac = Cmac(BlockCipher(key))
    assert cmac.digest(message).hex() == case["mac"]
    assert [mac.hex() for mac in digests(cmac, [message] * 100)] == [case["mac"]] * 100
    assert pyca(key, message).hex() == case["mac"]
    assert OTHER_CMAC.new(key, message, AES).hexdigest() == case["mac"]


@given(KEYS, st.binary(max_size=300))
@settings(deadline=None)
def test_one_message_is_as_others_have_it(key, message):
    mac = Cmac(BlockCipher(key)).digest(message)
    assert mac == pyca(key, message)
    assert mac == OTHER_CMAC.new(key, message, AES).digest()


@pytest.mark.parametrize("size", [127, 128, 129, 144, 145, 65_536, 65_537, 200_000])
def test_long_messages(size):
    message = np.random.default_rng(size).bytes(size)
    cmac = Cmac(BlockCipher(bytes(32)))
    assert cmac.digest(message) == pyca(bytes(32), message)
    assert digests(cmac, [message] * 3 + [b"short"] * 60) == [cmac.digest(message)] * 3 + [cmac.digest(b"short")] * 60


@pytest.mark.parametrize("rows", [[], [b""], [b"one"], EVERY_LENGTH, EVERY_LENGTH[::-1], EVERY_LENGTH * 5, [b""] * 90])
def test_columns_are_as_single_messages(rows, way):
    assert way
    assert digests(Cmac(BlockCipher(bytes(32))), rows) == [pyca(bytes(32), row) for row in rows]


@given(KEYS, st.lists(st.binary(max_size=80), max_size=60), st.sampled_from(["sorted", "side by side"]))
@settings(deadline=None)
def test_columns_are_as_others_have_them(key, rows, in_columns):
    with pytest.MonkeyPatch.context() as patch:
        for change in WAYS[in_columns]:
            patch.setattr(*change)
        assert digests(Cmac(BlockCipher(key)), rows) == [pyca(key, row) for row in rows]


def test_sm4(way):
    assert way
    key = bytes(range(16))
    cmac = Cmac(BlockCipher(key, algorithms.SM4))
    expected = [pyca(key, row, algorithms.SM4) for row in EVERY_LENGTH]
    assert [cmac.digest(row) for row in EVERY_LENGTH] == digests(cmac, EVERY_LENGTH) == expected


def test_rows_out_of_the_middle_of_a_buffer(way):
    assert way
    table = Ragged.of([b"x", *EVERY_LENGTH, b"y" * 40])
    cmac = Cmac(BlockCipher(bytes(16)))
    middle = cmac.digest_many(Ragged(table.data, table.offsets[1:-1]))
    assert [row.tobytes() for row in middle] == [cmac.digest(row) for row in EVERY_LENGTH]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 32])
@pytest.mark.parametrize("before", [b"", b"before"])
def test_rows_of_one_length(size, before):
    table = Ragged.of([before, *[bytes([row]) * size for row in range(100)], b"behind"])
    cmac = Cmac(BlockCipher(bytes(range(32))))
    rows = Ragged(table.data, table.offsets[1:-1])
    assert [row.tobytes() for row in cmac.digest_many(rows)] == [pyca(bytes(range(32)), row) for row in rows]


def test_batches_join(monkeypatch):
    rows = EVERY_LENGTH * 9
    monkeypatch.setattr(slabs, "BATCH_ROWS", 100)
    monkeypatch.setattr(slabs, "BATCH_BYTES", 3000)
    assert len(list(slabs.batches(Ragged.of(rows)))) > 6
    assert digests(Cmac(BlockCipher(bytes(16))), rows) == [pyca(bytes(16), row) for row in rows]


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20))
@settings(deadline=None)
def test_doubling_is_multiplication_by_x(blocks):
    for block in blocks:
        number = int.from_bytes(block) << 1
        assert int.from_bytes(dbl(block)) == number ^ ((1 << 128 | 0x87) if number >> 128 else 0)
    doubled = dbl_many(words(b"".join(blocks)))
    assert [row.tobytes() for row in doubled] == [dbl(block) for block in blocks]


def test_the_key_stays_inside():
    cmac = Cmac(BlockCipher(b"K" * 32))
    assert "K" * 4 not in repr(cmac)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(cmac)


def test_threads_share_a_mac():
    cmac = Cmac(BlockCipher(bytes(32)))
    rows = [[bytes([number]) * (size % 60) for size in range(3000)] for number in range(8)]
    expected = [[pyca(bytes(32), row) for row in part] for part in rows]

    def work(number):
        for _ in range(5):
            assert digests(cmac, rows[number]) == expected[number]
            assert [cmac.digest(row) for row in rows[number][:100]] == expected[number][:100]

    assert run_at_once(work) == []
