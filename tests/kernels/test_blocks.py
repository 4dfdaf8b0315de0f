"""The block cipher under everything: whole blocks, any thread."""

import copy
import pickle
import sys
import threading

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit.errors import InvalidParameter

# FIPS 197 (2001), appendix C, and GB/T 32907-2016, appendix A, example 1.
KNOWN = [
    (algorithms.AES, bytes(range(16)), "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"),
    (algorithms.AES, bytes(range(24)), "00112233445566778899aabbccddeeff", "dda97ca4864cdfe06eaf70a0ec0d7191"),
    (algorithms.AES, bytes(range(32)), "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089"),
    (
        algorithms.SM4,
        bytes.fromhex("0123456789abcdeffedcba9876543210"),
        "0123456789abcdeffedcba9876543210",
        "681edf34d206965e86b3e94f536e4246",
    ),
]


@pytest.mark.parametrize(("algorithm", "key", "plain", "sealed"), KNOWN)
def test_published_blocks(algorithm, key, plain, sealed):
    cipher = BlockCipher(key, algorithm)
    assert cipher.encrypt_block(bytes.fromhex(plain)).hex() == sealed
    assert cipher.encrypt(np.frombuffer(bytes.fromhex(plain), np.uint8)).tobytes().hex() == sealed


@given(st.integers(0, 50), st.binary(min_size=16, max_size=16))
@settings(deadline=None)
def test_shapes_and_targets(count, block):
    cipher = BlockCipher(bytes(32))
    blocks = np.frombuffer(block * count, np.uint8).reshape(count, BLOCK)
    room = np.full(blocks.size + BLOCK - 1, 7, np.uint8)
    fresh, into = cipher.encrypt(blocks), cipher.encrypt(blocks, room)
    assert fresh.shape == into.shape == blocks.shape
    assert fresh.tobytes() == into.tobytes() == cipher.encrypt_block(block) * count
    assert into.size == 0 or np.shares_memory(into, room)
    assert (room[blocks.size :] == 7).all()


@given(st.binary(max_size=100), st.binary(min_size=16, max_size=16))
@settings(deadline=None)
def test_counter_mode_is_ctr(data, counter):
    expected = Cipher(algorithms.AES(bytes(16)), modes.CTR(counter)).encryptor().update(data)
    cipher = BlockCipher(bytes(16))
    assert cipher.counter_mode(counter, data) == expected
    number = int.from_bytes(counter)
    stream = b"".join(cipher.encrypt_block(((number + i) % (1 << 128)).to_bytes(BLOCK)) for i in range(7))
    assert bytes(a ^ b for a, b in zip(data, stream, strict=False)) == expected


@pytest.mark.parametrize("blocks", [1, 2, 4096, 4097, 8200])
def test_chain_is_the_last_block_of_cbc(blocks):
    data = np.random.default_rng(1).bytes(blocks * BLOCK)
    expected = Cipher(algorithms.AES(bytes(16)), modes.CBC(bytes(BLOCK))).encryptor().update(data)[-BLOCK:]
    assert BlockCipher(bytes(16)).chain(data) == expected


@pytest.mark.parametrize("size", [0, 1, 15, 17, 31, 33, 64])
def test_wrong_key_sizes(size):
    with pytest.raises(InvalidParameter, match=rf"key of {size} bytes; AES takes 16 or 24 or 32"):
        BlockCipher(bytes(size))


@pytest.mark.parametrize("size", [0, 24, 32])
def test_wrong_key_sizes_of_sm4(size):
    with pytest.raises(InvalidParameter, match=rf"key of {size} bytes; SM4 takes 16"):
        BlockCipher(bytes(size), algorithms.SM4)


def test_the_key_stays_inside():
    cipher = BlockCipher(b"K" * 32)
    assert "K" * 4 not in repr(cipher)
    assert "4b4b" not in repr(cipher)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(cipher)


def run_at_once(work, threads=8):
    """Run `work(0)`, `work(1)` ... in threads that are switched as often as can be; return what they raised."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to see it
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        running = [threading.Thread(target=guarded, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    return errors


def test_threads_share_a_cipher():
    cipher = BlockCipher(bytes(32))
    blocks = [np.random.default_rng(seed).integers(0, 256, (3000, BLOCK), dtype=np.uint8) for seed in range(8)]
    expected = [BlockCipher(bytes(32)).encrypt(part) for part in blocks]

    def work(number):
        for _ in range(20):
            np.testing.assert_array_equal(cipher.encrypt(blocks[number]), expected[number])
            assert cipher.encrypt_block(blocks[number][:2].tobytes()) == expected[number][:2].tobytes()

    assert run_at_once(work) == []
