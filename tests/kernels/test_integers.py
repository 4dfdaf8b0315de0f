"""FF1 on integers: FF1 on the bits, walked until inside; against the text door and libffx."""

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.plain import num, plain_ff1
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.ff1 import FEW
from privkit._kernels.integers import IntegerPermutation
from privkit._kernels.prefix import PrefixPermutation
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel import FF1

KEY = bytes(range(32))
SIZES = [
    10**6,
    10**6 + 1,
    2**20,
    2**20 + 1,
    10**12,
    2**40 + 1,
    2**63,
    2**64 - 59,
    2**64,
    2**64 + 13,
    10**30,
    2**128,
    2**130,
]


def sample(size, rows=200):
    """Some integers below a size, its ends among them."""
    random = np.random.default_rng(size % 2**32)
    values = [int.from_bytes(random.bytes(20), "big") % size for _ in range(rows - 2)] + [0, size - 1]
    return np.array(values, object if size > 2**64 else np.uint64)


@pytest.mark.parametrize("size", SIZES)
def test_columns_agree_with_single_values_and_decrypt(size):
    permutation = IntegerPermutation(BlockCipher(KEY), size)
    values = sample(size)
    encrypted = permutation.encrypt_many(values, b"tweak")
    assert encrypted.dtype == values.dtype
    assert encrypted.tolist() == [permutation.encrypt(value, b"tweak") for value in values.tolist()]
    assert permutation.decrypt_many(encrypted, b"tweak").tolist() == values.tolist()
    assert [permutation.decrypt(value, b"tweak") for value in encrypted.tolist()] == values.tolist()
    assert max(encrypted.tolist()) < size


@settings(deadline=None, max_examples=40)
@given(st.integers(10**6, 2**80), st.binary(max_size=20), st.integers(0))
def test_it_is_ff1_on_bits(size, tweak, value):
    value %= size
    bits = max(20, (size - 1).bit_length())
    ff1 = FF1(KEY, "01")
    walked = int(ff1.encrypt(f"{value:0{bits}b}", tweak), 2)
    while walked >= size:
        walked = int(ff1.encrypt(f"{walked:0{bits}b}", tweak), 2)
    assert IntegerPermutation(BlockCipher(KEY), size).encrypt(value, tweak) == walked


@settings(deadline=None, max_examples=40)
@given(st.integers(10**6, 2**70), st.integers(0))
def test_agrees_with_libffx(size, value):
    ffx = pytest.importorskip("ffx", reason="libffx, an independent FF1, is in the bench extra")
    expected = ffx.FF1(KEY).encrypt_int(value % size, domain=size, tweak=b"t")
    assert IntegerPermutation(BlockCipher(KEY), size).encrypt(value % size, b"t") == expected


def test_it_is_a_bijection():
    permutation = IntegerPermutation(BlockCipher(KEY), 1_000_003)
    images = permutation.encrypt_many(np.arange(1_000_003))
    assert np.bincount(images.astype(np.int64), minlength=1_000_003).tolist() == [1] * 1_000_003


def test_a_tweak_per_row():
    permutation = IntegerPermutation(BlockCipher(KEY), 2**33 + 5)
    values, tweaks = sample(2**33 + 5), np.random.default_rng(2).integers(0, 256, (200, 17)).astype(np.uint8)
    encrypted = permutation.encrypt_many(values, tweaks)
    pairs = zip(values.tolist(), tweaks, strict=True)
    assert encrypted.tolist() == [permutation.encrypt(value, tweak.tobytes()) for value, tweak in pairs]
    assert permutation.decrypt_many(encrypted, tweaks).tolist() == values.tolist()
    with pytest.raises(InvalidParameter, match="3 tweaks for 200 values"):
        permutation.encrypt_many(values, tweaks[:3])


@pytest.mark.parametrize("rows", [0, 1, FEW, FEW + 1, 2 * 65536 + 5])
def test_every_number_of_rows(rows):
    permutation = IntegerPermutation(BlockCipher(KEY), 2**40 + 1)
    values = np.random.default_rng(rows).integers(0, 2**40 + 1, rows, dtype=np.uint64)
    encrypted = permutation.encrypt_many(values)
    assert encrypted[-3:].tolist() == [permutation.encrypt(value) for value in values[-3:].tolist()]
    assert (permutation.decrypt_many(encrypted) == values).all()


@pytest.mark.parametrize("dtype", [np.uint32, np.int64, object])
def test_every_integer_type(dtype):
    permutation = IntegerPermutation(BlockCipher(KEY), 10**9)
    values = np.random.default_rng(3).integers(0, 10**9, 100)
    encrypted = permutation.encrypt_many(values.astype(dtype))
    assert encrypted.dtype == np.uint64
    assert (encrypted == permutation.encrypt_many(values)).all()


def test_sm4_is_ff1_on_bits():
    permutation = IntegerPermutation(BlockCipher(KEY[:16], algorithms.SM4), 10**9)
    values = np.arange(100)
    for value in (0, 1, 99):
        walked = 10**9
        bits = [int(bit) for bit in f"{value:030b}"]
        while walked >= 10**9:
            bits = plain_ff1(KEY[:16], 2, bits, b"t", algorithms.SM4)
            walked = num(bits, 2)
        assert permutation.encrypt(value, b"t") == walked
        assert permutation.encrypt_many(values, b"t")[value] == walked
    assert (permutation.decrypt_many(permutation.encrypt_many(values)) == values).all()


@pytest.mark.parametrize("size", [0, 1, 999_999])
def test_small_domains_are_refused(size):
    with pytest.raises(DomainTooSmall, match="1,000,000"):
        IntegerPermutation(BlockCipher(KEY), size)


def test_huge_sizes_are_refused():
    with pytest.raises(InvalidParameter, match="bits"):
        IntegerPermutation(BlockCipher(KEY), 2**16384 + 1)


@pytest.mark.parametrize("outside", [-1, 10**6])
def test_values_outside_are_refused(outside):
    permutation = IntegerPermutation(BlockCipher(KEY), 10**6)
    for crypt in (permutation.encrypt, permutation.decrypt):
        with pytest.raises(InvalidValue):
            crypt(outside)
    column = np.arange(50)
    column[[3, 20]] = outside
    for crypt_many in (permutation.encrypt_many, permutation.decrypt_many):
        with pytest.raises(InvalidValue) as caught:
            crypt_many(column)
        assert caught.value.rows == (3, 20)


PERMUTATIONS = {
    "FF1": lambda size: IntegerPermutation(BlockCipher(KEY), 1_000_000 + size),
    "prefix": lambda size: PrefixPermutation(BlockCipher(KEY), size),
}


@pytest.mark.parametrize("name", PERMUTATIONS)
@pytest.mark.parametrize(
    ("values", "named"),
    [
        (np.array([1.0, 0.5]), "float64"),
        (np.array([-0.5] + [5.0] * 30), "float64"),
        (np.array([True]), "bool"),
        (np.array(["1"]), "str_"),
        (np.array([1], "m8[D]"), "timedelta64"),
        (np.array([1, 2.5, None, True, np.int64(7)], object), "NoneType, bool, float, int64"),
    ],
    ids=str,
)
def test_only_integers_are_taken(name, values, named):
    permutation = PERMUTATIONS[name](1000)
    for crypt in (permutation.encrypt_many, permutation.decrypt_many):
        with pytest.raises(WrongType, match=f"^{named} where integers are needed"):
            crypt(values)
    assert len(permutation.encrypt_many(np.array([]))) == 0
    objects = np.array([5, 7], object)
    assert permutation.encrypt_many(objects).tolist() == [permutation.encrypt(5), permutation.encrypt(7)]


@pytest.mark.parametrize("name", PERMUTATIONS)
def test_only_integers_are_taken_alone(name):
    permutation = PERMUTATIONS[name](1000)
    for value, named in ((1.5, "float"), (1.0, "float"), (True, "bool"), ("1", "str"), (None, "NoneType")):
        for crypt in (permutation.encrypt, permutation.decrypt):
            with pytest.raises(WrongType, match=f"a {named} where an integer is needed"):
                crypt(value)
    assert permutation.encrypt(np.uint16(7)) == permutation.encrypt(7)
    assert type(permutation.encrypt(np.uint16(7))) is int
