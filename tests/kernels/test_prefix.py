"""The prefix cipher: the order of the images, as its module states it."""

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import prefix
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.prefix import PrefixPermutation
from privkit.errors import InvalidParameter, InvalidValue

KEY = bytes(range(32))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3000), st.binary(max_size=40))
def test_it_is_the_order_of_the_images(size, tweak):
    head = hashlib.sha256(b"privkit prefix 1" + size.to_bytes(8, "big") + tweak).digest()[:12]
    images = [BlockCipher(KEY).encrypt_block(head + value.to_bytes(4, "big")) for value in range(size)]
    ranks = {image: rank for rank, image in enumerate(sorted(images))}
    permutation = PrefixPermutation(BlockCipher(KEY), size)
    assert permutation.encrypt_many(np.arange(size), tweak).tolist() == [ranks[image] for image in images]


@pytest.mark.parametrize("size", [1, 2, 10, 366, 99_999, 999_999])
def test_it_is_a_bijection_and_decrypts(size):
    permutation = PrefixPermutation(BlockCipher(KEY), size)
    values = np.arange(size)
    encrypted = permutation.encrypt_many(values, b"t")
    assert encrypted.dtype == np.uint64
    assert (np.bincount(encrypted.astype(np.int64), minlength=size) == 1).all()
    assert (permutation.decrypt_many(encrypted, b"t") == values).all()
    assert permutation.encrypt(size - 1, b"t") == encrypted[-1]
    assert permutation.decrypt(int(encrypted[-1]), b"t") == size - 1
    assert type(permutation.encrypt(0)) is int


def test_tweaks_and_sizes_are_unrelated():
    cipher = BlockCipher(KEY)
    values = np.arange(900)
    one, other = PrefixPermutation(cipher, 1000), PrefixPermutation(cipher, 1001)
    assert (one.encrypt_many(values, b"a") == one.encrypt_many(values, b"b")).sum() < 20
    ranks = [np.argsort(permutation.encrypt_many(values, b"a")) for permutation in (one, other)]
    assert (ranks[0] == ranks[1]).sum() < 20


def test_ties_of_the_first_word_are_broken_by_the_second():
    images = np.array([[5, 9], [3, 1], [5, 2], [5, 4], [0, 8]], np.uint64)
    assert prefix._order(images).tolist() == [4, 1, 2, 3, 0]


def test_tables_are_kept_within_bounds(monkeypatch):
    monkeypatch.setattr(prefix, "_KEPT", 3200)
    permutation = PrefixPermutation(BlockCipher(KEY), 1000)
    first, most = [], 0
    for tweak in range(20):
        first.append(permutation.encrypt(1, bytes([tweak])))
        most = max(most, len(permutation._tables))
    assert most == 3
    assert [permutation.encrypt(1, bytes([tweak])) for tweak in range(20)] == first


def test_tables_of_tiny_domains_take_little_memory(monkeypatch):
    monkeypatch.setattr(prefix, "_KEPT", 400_000)  # 3.2 MB
    permutation = PrefixPermutation(BlockCipher(KEY), 2)
    tracemalloc.start()
    for tweak in range(8_000):
        permutation.encrypt(1, tweak.to_bytes(2))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4e6


@pytest.mark.parametrize("size", [0, -1, 1_000_000])
def test_sizes_are_checked(size):
    with pytest.raises(InvalidParameter, match="999,999"):
        PrefixPermutation(BlockCipher(KEY), size)


@pytest.mark.parametrize("outside", [-1, 10])
def test_values_outside_are_refused(outside):
    permutation = PrefixPermutation(BlockCipher(KEY), 10)
    for crypt in (permutation.encrypt, permutation.decrypt):
        with pytest.raises(InvalidValue):
            crypt(outside)
    with pytest.raises(InvalidValue) as caught:
        permutation.encrypt_many(np.array([0, outside, 1]))
    assert caught.value.rows == (1,)
    assert permutation.encrypt_many(np.array([], np.int64)).tolist() == []
