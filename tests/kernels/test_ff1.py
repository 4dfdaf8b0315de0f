"""FF1 on numeral strings: against the standard's samples, ACVP's cases, a plain reading of the standard, and libffx."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.plain import num, plain_ff1
from privkit._kernels import feistel, words
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.feistel import MAX_LENGTH, Shape, shortest
from privkit._kernels.ff1 import FEW, FF1
from privkit._kernels.numerals import Halves, lane_type
from privkit._kernels.ragged import Ragged
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue

VECTORS = Path(__file__).parents[1] / "vectors"
ACVP = Path(__file__).parents[3] / "shared" / "vectors" / "acvp-ff1" / "internalProjection.json"
SAMPLES = json.loads((VECTORS / "ff1_sp800_38g.json").read_text())["cases"]
KEY = bytes(range(32))


def places(alphabet: str, text: str) -> list[int]:
    return [alphabet.index(character) for character in text]


@st.composite
def columns(draw, max_bits=150, rows=FEW + 8):
    """A radix, a length, a column with the extremes in it, and a tweak length."""
    radix = draw(st.sampled_from([2, 3, 10, 16, 26, 36, 62, 256, 257, 1626, 65535, 65536]) | st.integers(2, 65536))
    least = shortest(radix)
    length = draw(st.integers(least, max(least, int(max_bits / math.log2(radix)))))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    numerals = random.integers(0, radix, (rows, length))
    numerals[0], numerals[1] = 0, radix - 1
    tweak_bytes = draw(st.integers(0, 40))
    tweaks = random.integers(0, 256, (rows, tweak_bytes)).astype(np.uint8)
    key = random.bytes(draw(st.sampled_from([16, 24, 32])))
    return key, radix, numerals, tweaks


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"sample {sample['sample']}")
def test_samples_of_the_standard(sample):
    ff1 = FF1(BlockCipher(bytes.fromhex(sample["key"])), len(sample["alphabet"]))
    tweak = bytes.fromhex(sample["tweak"])
    plain, cipher = (places(sample["alphabet"], sample[side]) for side in ("plaintext", "ciphertext"))
    assert ff1.encrypt(plain, tweak) == cipher
    assert ff1.decrypt(cipher, tweak) == plain
    assert (ff1.encrypt_many(np.array([plain] * 40), tweak) == cipher).all()
    assert (ff1.decrypt_many(np.array([cipher] * 40), tweak) == plain).all()


@pytest.mark.skipif(not ACVP.exists(), reason=f"NIST's ACVP cases are not kept in this project, and not at {ACVP.name}")
def test_acvp_cases():
    done = 0
    for group in json.loads(ACVP.read_text())["testGroups"]:
        alphabet = group["alphabet"]
        for case in group["tests"]:
            ff1 = FF1(BlockCipher(bytes.fromhex(case["key"])), len(alphabet))
            tweak = bytes.fromhex(case["tweak"])
            plain, cipher = places(alphabet, case["pt"]), places(alphabet, case["ct"])
            if group["direction"] == "encrypt":
                assert ff1.encrypt(plain, tweak) == cipher
                assert (ff1.encrypt_many(np.array([plain] * (FEW + 4)), tweak) == cipher).all()
            else:
                assert ff1.decrypt(cipher, tweak) == plain
                assert (ff1.decrypt_many(np.array([cipher] * (FEW + 4)), tweak) == plain).all()
            done += 1
    assert done == 750


@settings(deadline=None, max_examples=60)
@given(columns(max_bits=400))
def test_the_plain_lane_is_the_standard(case):
    key, radix, numerals, tweaks = case
    ff1 = FF1(BlockCipher(key), radix)
    for row, tweak in zip(numerals[:3].tolist(), tweaks, strict=False):
        assert ff1.encrypt(row, tweak.tobytes()) == plain_ff1(key, radix, row, tweak.tobytes())


@settings(deadline=None, max_examples=150)
@given(columns())
def test_the_fast_lane_is_the_plain_lane(case):
    key, radix, numerals, tweaks = case
    ff1 = FF1(BlockCipher(key), radix)
    rows = numerals.tolist()
    assert ff1.encrypt_many(numerals, tweaks).tolist() == [
        ff1.encrypt(row, tweak.tobytes()) for row, tweak in zip(rows, tweaks, strict=True)
    ]
    tweak = tweaks[0].tobytes()
    encrypted = ff1.encrypt_many(numerals, tweak)
    assert encrypted.tolist() == [ff1.encrypt(row, tweak) for row in rows]
    assert ff1.decrypt_many(encrypted, tweak).tolist() == rows
    assert [ff1.decrypt(row, tweak) for row in encrypted.tolist()] == rows


@settings(deadline=None, max_examples=60)
@given(columns(rows=4))
def test_the_short_loop_is_the_general_one(case):
    key, radix, numerals, tweaks = case
    schedule = FF1(BlockCipher(key), radix).schedule(numerals.shape[1], tweaks[0].tobytes())
    a, b = (modulus - 1 - int(numerals[2, 0]) for modulus in schedule.shape.moduli)
    for decrypt in (False, True):
        assert schedule.crypt(a, b, decrypt=decrypt) == schedule.crypt_long(a, b, decrypt=decrypt)


def lane_edges():
    """Shapes at both sides of each bound of the fast lane's arithmetic."""
    decimal = [(10, length) for length in (6, 18, 19, 20, 34, 35, 36, 37, 38, 39, 40)]
    binary = [(2, length) for length in (20, 63, 64, 65, 111, 112, 113, 126, 127, 128, 129, 130)]
    other = [
        (3, 80),
        (3, 81),
        (36, 18),
        (36, 23),
        (36, 24),
        (36, 25),
        (62, 20),
        (62, 21),
        (256, 8),
        (256, 15),
        (256, 16),
    ]
    wide = [(256, 17), (65536, 2), (65536, 4), (65536, 7), (65536, 8), (65536, 9), (65535, 7), (65535, 8), (65521, 8)]
    return decimal + binary + other + wide


@pytest.mark.parametrize(("radix", "length"), lane_edges())
def test_lanes_agree_at_the_bounds(radix, length):
    random = np.random.default_rng(radix * length)
    numerals = random.integers(0, radix, (300, length))
    numerals[:100] = random.choice([0, radix - 1], (100, length))
    ff1 = FF1(BlockCipher(KEY), radix)
    encrypted = ff1.encrypt_many(numerals, b"tweak")
    assert encrypted.tolist() == [ff1.encrypt(row, b"tweak") for row in numerals.tolist()]
    assert (ff1.decrypt_many(encrypted, b"tweak") == numerals).all()


def test_what_the_fast_lane_takes():
    taken = [shape for shape in lane_edges() if words.fits(Shape(*shape))]
    assert {(10, 36), (2, 128), (36, 24), (256, 16), (65536, 8)} <= set(taken)
    assert not {(10, 37), (2, 129), (36, 25), (256, 17), (65536, 9)} & set(taken)


@settings(deadline=None, max_examples=40)
@given(st.integers(2**32 + 1, 2**63).filter(lambda modulus: modulus.bit_count() > 1), st.integers(0, 2**32))
def test_long_division(modulus, seed):
    random = np.random.default_rng(seed)
    number = random.integers(0, modulus, 500, dtype=np.uint64)
    lower = random.integers(0, 2**32, 500, dtype=np.uint64)
    number[:3], lower[1:3] = modulus - 1, (0, 2**32 - 1)
    expected = [(n * 2**32 + low) % modulus for n, low in zip(number.tolist(), lower.tolist(), strict=True)]
    words.append(number, lower, modulus, np.empty_like(number))
    assert number.tolist() == expected


@pytest.mark.parametrize("modulus", [2**63 - 2**31, 2**63 - 1, 2**62 + 1, 10**18, 36**12, 2**33 - 1, 2**48 + 2**24 - 1])
def test_long_division_where_the_guess_is_far_off(modulus):
    """Multiples of the modulus less a little, which is where a guess of the quotient is too large by 1 or 2."""
    random = np.random.default_rng(1)
    quotient = random.integers(0, 2**32, 5000).tolist()
    dividend = [
        max(0, q * modulus + rest - 3) for q, rest in zip(quotient, random.integers(0, 6, 5000).tolist(), strict=True)
    ]
    number = np.array([d >> 32 for d in dividend], np.uint64)
    lower = np.array([d & (2**32 - 1) for d in dividend], np.uint64)
    words.append(number, lower, modulus, np.empty_like(number))
    assert number.tolist() == [d % modulus for d in dividend]


@pytest.mark.parametrize(
    "modulus", [6, 10**10, 10**13, 36**9, 36**6, 2 * (2**31 - 1), 2**31 * (2**31 - 1), 3 * 2**61, 3 * 2**31]
)
def test_folding(modulus):
    assert words.folds(modulus)
    random = np.random.default_rng(1)
    upper = random.integers(0, 2**32, 5000, dtype=np.uint64)
    lower = random.integers(0, 2**64, 5000, dtype=np.uint64)
    upper[:4], lower[:4] = (0, 2**32 - 1, 0, 2**32 - 1), (0, 0, 2**64 - 1, 2**64 - 1)
    wholes = [(u << 64) + low for u, low in zip(upper.tolist(), lower.tolist(), strict=True)]
    close = [max(whole // modulus * modulus + row % 3 - 1, 0) for row, whole in enumerate(wholes)]
    for numbers in (wholes, close):
        number = np.array([n >> 64 for n in numbers], np.uint64) * words.fold_factor(modulus)
        words.fold(number, np.array([n % 2**64 for n in numbers], np.uint64), modulus, np.empty_like(number))
        assert number.tolist() == [n % modulus for n in numbers]


@pytest.mark.parametrize("modulus", [2**40, 5**13, 36**12, 2 * (2**31 + 1), 62**9])
def test_what_is_not_folded(modulus):
    assert not words.folds(modulus)


@pytest.mark.parametrize("modulus", [2, 999, 10**8, 2**20, 2**31 - 1, 2**32 - 1, 2**32])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_that_wrap_around(modulus, sign):
    """Numbers so near to 0 and to 2^64 that AES as good as never writes them."""
    near = [*range(5), *range(2**64 - 5, 2**64), modulus - 1, modulus, 2**64 - modulus, 2**64 // modulus * modulus - 1]
    values = [0, 1, modulus // 2, modulus - 1]
    for numbers in (near, [2**64 - 1], [2**63]):  # with and without some that wrap around
        number = np.array([n for n in numbers for _ in values], np.uint64)
        moving = np.array(values * len(numbers), np.uint64)
        expected = [(m + sign * n) % modulus for m, n in zip(moving.tolist(), number.tolist(), strict=True)]
        spare = np.empty_like(number), np.empty_like(number)
        assert words.move_far(moving, number.astype(">u8"), modulus, sign, spare).tolist() == expected


@pytest.mark.parametrize("radix", [2, 10, 36, 256, 257, 65536])
def test_halves_go_apart_and_together(radix):
    for length in range(2, 129):
        left = length // 2
        if radix ** (length - left) > 2**64:
            break
        halves = Halves(radix, left, length - left)
        rows = np.random.default_rng(length).integers(0, radix, (9, length)).astype(lane_type(radix))
        kept, spare = np.empty((2, halves.words, 9), np.uint64)
        staged = halves.stage(rows.copy())
        a, b = halves.fold(staged, kept, spare)
        assert a.tolist() == [num(row, radix) for row in rows[:, :left].tolist()]
        assert b.tolist() == [num(row, radix) for row in rows[:, left:].tolist()]
        staged[:] = 1
        halves.unfold(kept, spare, staged)
        assert (staged[:, -length:] == rows).all()


def test_number_bytes_are_exact():
    """A float's log2 puts (256, 29) one byte too high."""
    for radix in (2, 10, 36, 255, 256, 257, 65535, 65536):
        for length in range(shortest(radix), 80):
            shape = Shape(radix, length)
            largest = radix**shape.right - 1
            assert 256 ** (shape.number_bytes - 1) <= largest < 256**shape.number_bytes


@pytest.mark.parametrize("rows", [0, 1, FEW, FEW + 1, 131_071, 131_072, 131_073])
def test_every_number_of_rows(rows):
    numerals = np.random.default_rng(rows).integers(0, 10, (rows, 11), dtype=np.uint8)
    ff1 = FF1(BlockCipher(KEY), 10)
    encrypted = ff1.encrypt_many(numerals)
    assert encrypted.dtype == numerals.dtype
    assert encrypted[-3:].tolist() == [ff1.encrypt(row) for row in numerals[-3:].tolist()]
    assert (ff1.decrypt_many(encrypted) == numerals).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_every_integer_type_and_layout(dtype):
    numerals = np.random.default_rng(5).integers(0, 10, (40, 9)).astype(dtype)
    ff1 = FF1(BlockCipher(KEY), 10)
    expected = [ff1.encrypt(row) for row in numerals.tolist()]
    for layout in (numerals, np.asfortranarray(numerals), numerals[::-1][::-1], np.repeat(numerals, 2, axis=1)[:, ::2]):
        encrypted = ff1.encrypt_many(layout)
        assert encrypted.dtype == dtype
        assert encrypted.tolist() == expected


def test_tweaks_of_several_lengths():
    random = np.random.default_rng(6)
    numerals = random.integers(0, 36, (500, 12), dtype=np.uint8)
    tweaks = [random.bytes(int(length)) for length in random.integers(0, 35, 500)]
    ff1 = FF1(BlockCipher(KEY), 36)
    encrypted = ff1.encrypt_many(numerals, Ragged.of(tweaks))
    assert encrypted.tolist() == [ff1.encrypt(row, t) for row, t in zip(numerals.tolist(), tweaks, strict=True)]
    assert (ff1.decrypt_many(encrypted, Ragged.of(tweaks)) == numerals).all()


@pytest.mark.parametrize(("radix", "length"), [(10, 2000), (2, 3000), (65536, 700), (7, 5000)])
def test_long_values(radix, length):
    numerals = np.random.default_rng(length).integers(0, radix, length).tolist()
    ff1 = FF1(BlockCipher(KEY), radix)
    encrypted = ff1.encrypt(numerals, b"long")
    assert encrypted == plain_ff1(KEY, radix, numerals, b"long")
    assert ff1.decrypt(encrypted, b"long") == numerals


def test_sm4_round_trips_and_is_not_aes():
    numerals = np.random.default_rng(7).integers(0, 10, (50, 16))
    sm4 = FF1(BlockCipher(KEY[:16], algorithms.SM4), 10)
    encrypted = sm4.encrypt_many(numerals, b"t")
    assert encrypted.tolist() == [sm4.encrypt(row, b"t") for row in numerals.tolist()]
    plain = plain_ff1(KEY[:16], 10, numerals[0].tolist(), b"t", algorithms.SM4)
    assert encrypted[0].tolist() == plain
    assert (sm4.decrypt_many(encrypted, b"t") == numerals).all()
    assert (encrypted != FF1(BlockCipher(KEY[:16]), 10).encrypt_many(numerals, b"t")).any()


def test_more_tweaks_than_are_kept():
    ff1 = FF1(BlockCipher(KEY), 10)
    value = [1, 2, 3, 4, 5, 6, 7]
    first = [ff1.encrypt(value, i.to_bytes(2, "big")) for i in range(1500)]
    assert len(set(map(tuple, first))) > 1490
    assert [ff1.encrypt(value, i.to_bytes(2, "big")) for i in range(1500)] == first


def test_long_tweaks_are_not_kept():
    ff1, value = FF1(BlockCipher(KEY), 10), [1, 2, 3, 4, 5, 6, 7]
    tweaks = [bytes([i]) * 300_000 for i in range(8)]
    first = [ff1.encrypt(value, tweak) for tweak in (*tweaks, bytes(2_000_000))]
    assert sum(len(tweak) for _, tweak in ff1._schedules) <= 1 << 20
    assert [ff1.encrypt(value, tweak) for tweak in (*tweaks, bytes(2_000_000))] == first


def test_threads_share_one_object():
    ff1 = FF1(BlockCipher(KEY), 10)
    tables = [np.random.default_rng(seed).integers(0, 10, (20_000, 16), dtype=np.uint8) for seed in range(8)]
    expected = [ff1.encrypt_many(table, b"x") for table in tables]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda table: ff1.encrypt_many(table, b"x"), tables * 2))
    assert all((got == want).all() for got, want in zip(results, expected * 2, strict=True))


@pytest.mark.parametrize(("radix", "length"), [(10, 5), (2, 19), (100, 2), (999, 2), (65536, 1), (10, 0)])
def test_small_domains_are_refused(radix, length):
    ff1 = FF1(BlockCipher(KEY), radix)
    with pytest.raises(DomainTooSmall, match=rf"{length} < {shortest(radix)}"):
        ff1.encrypt([0] * length)
    with pytest.raises(DomainTooSmall):
        ff1.decrypt_many(np.zeros((2, length), np.int64))
    assert len(ff1.encrypt([0] * shortest(radix))) == shortest(radix)


def test_numerals_are_checked():
    ff1 = FF1(BlockCipher(KEY), 10)
    for bad in (10, -1):
        with pytest.raises(InvalidValue, match="radix 10") as caught:
            ff1.encrypt([1, 2, 3, 4, 5, bad])
        assert caught.value.rows == ()
    numerals = np.ones((50, 8), np.int64)
    numerals[7, 3], numerals[30, 0] = 10, -1
    with pytest.raises(InvalidValue) as caught:
        ff1.encrypt_many(numerals)
    assert caught.value.rows == (7, 30)


@pytest.mark.parametrize("radix", [1, 0, -3, 65537])
def test_the_radix_is_checked(radix):
    with pytest.raises(InvalidParameter, match="radix"):
        FF1(BlockCipher(KEY), radix)


def test_lengths_and_tweaks_are_checked():
    ff1 = FF1(BlockCipher(KEY), 2)
    with pytest.raises(InvalidValue, match="too long"):
        ff1.encrypt([0] * (MAX_LENGTH + 1))
    with pytest.raises(InvalidParameter, match="3 tweaks for 4 values"):
        ff1.encrypt_many(np.zeros((4, 30), np.uint8), np.zeros((3, 5), np.uint8))
    with pytest.raises(InvalidParameter, match="1 tweaks for 4 values"):
        ff1.encrypt_many(np.zeros((4, 30), np.uint8), Ragged.of([b"x"]))


def test_tweaks_too_long_are_refused(monkeypatch):
    monkeypatch.setattr(feistel, "MAX_TWEAK", 9)
    ff1, numerals = FF1(BlockCipher(KEY), 10), np.zeros((FEW + 1, 6), np.uint8)
    ff1.encrypt_many(numerals, bytes(9))
    for tweak in (bytes(10), np.zeros((FEW + 1, 10), np.uint8)):
        with pytest.raises(InvalidParameter, match="tweak of 10 bytes"):
            ff1.encrypt_many(numerals, tweak)


@settings(deadline=None, max_examples=60)
@given(columns(max_bits=300, rows=4))
def test_agrees_with_libffx(case):
    ffx = pytest.importorskip("ffx", reason="libffx, an independent FF1, is in the bench extra")
    key, radix, numerals, tweaks = case
    characters = "".join(map(chr, range(0x10000, 0x10000 + radix)))
    oracle = ffx.FF1(key, alphabet=characters)
    text = "".join(characters[numeral] for numeral in numerals[2])
    encrypted = FF1(BlockCipher(key), radix).encrypt(numerals[2].tolist(), tweaks[2].tobytes())
    assert "".join(characters[numeral] for numeral in encrypted) == oracle.encrypt(text, tweak=tweaks[2].tobytes())
