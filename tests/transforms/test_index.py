import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import DecryptionFailed, InvalidParameter, KeyUnavailable
from privkit.keys import Keyring, Usage
from privkit.transforms import BlindIndexOf, Encrypt, Part

PHONES = ["13812345678", "+86 138-1234-5678", "none", "", "放门口", "x" * 70]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def text(request):
    return request.param


@pytest.mark.parametrize("field", [fields.TEXT, fields.CN_MOBILE], ids=str)
@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("bits", [1, 7, 8, 20, 32, 128])
def test_one_and_many_agree(keys, field, part, bits):
    index = BlindIndexOf(keys["user.phone"], field, bits=bits, part=part)
    many = index.of_many(Ragged.of_text(PHONES))
    assert [row.tobytes() for row in many] == [index.of(value) for value in PHONES]
    assert {len(index.of(value)) for value in PHONES} == {index.size}
    assert all(int.from_bytes(row.tobytes(), "big") % (1 << (8 * index.size - bits)) == 0 for row in many)


def test_it_is_the_cmac_under_its_own_key(keys):
    index = BlindIndexOf(keys["user.phone"], bits=128)
    usage = Usage("index", "AES-CMAC", 32, mode="whole")
    assert index.of("a") == keys["user.phone"].cmac(usage).digest(b"a")


def test_equal_canonical_forms_share_an_index(keys):
    phone = BlindIndexOf(keys["p"], fields.CN_MOBILE)
    assert phone.of("+86 138-1234-5678") == phone.of("13812345678") != phone.of("13812345679")
    assert BlindIndexOf(keys["p"]).of("+86 138-1234-5678") != BlindIndexOf(keys["p"]).of("13812345678")


def test_parts(keys):
    last = BlindIndexOf(keys["p"], fields.CN_MOBILE, part=Part.LAST_FOUR)
    assert last.of("13812345678") == last.of("5678") != last.of("5679")
    domain = BlindIndexOf(keys["m"], fields.EMAIL, part=Part.DOMAIN)
    assert domain.of("a@X.cn") == domain.of("b@x.CN") != domain.of("b@y.cn")
    assert last.of("5678") != BlindIndexOf(keys["p"]).of("5678")  # a part's key is its own


def test_matches_compares_values_and_not_indexes(keys):
    phone = BlindIndexOf(keys["p"], fields.CN_MOBILE, bits=1)
    assert phone.matches("13812345678", "+86 138-1234-5678")
    assert not phone.matches("13812345678", "13812345679")


@pytest.mark.parametrize("wrong", [{"bits": 0}, {"bits": 129}, {"part": "first"}])
def test_what_there_is_not(keys, wrong):
    with pytest.raises(InvalidParameter):
        BlindIndexOf(keys["p"], **wrong)


@settings(deadline=None, max_examples=30)
@given(values=st.lists(st.text() | st.none(), max_size=40), bits=st.sampled_from([8, 20, 32, 128]))
def test_indexed_columns_come_back(keys, values, bits):
    for text in (False, True):
        transform = Encrypt(keys["n"], text=text, index=BlindIndexOf(keys["n"], bits=bits))
        sealed = transform.protect_many(values)
        assert transform.reveal_many(sealed) == values
        assert [transform.reveal(value) for value in sealed] == values
        assert transform.reveal_many([transform.protect(value) for value in values]) == values


@pytest.mark.parametrize("bits", [8, 20, 32, 48, 128])
def test_sql_cuts_out_the_index(keys, text, bits):
    transform = Encrypt(keys["n"], text=text, index=BlindIndexOf(keys["n"], bits=bits))
    first, length = transform.index_slice
    for sealed in (transform.protect("a"), *transform.protect_many(["a"] * 40)):
        assert transform.index_candidates("a") == [sealed[first - 1 : first - 1 + length]]
        assert len(sealed) == transform.ciphertext_length(1)


def test_both_forms_are_read_together(keys):
    plain, indexed = Encrypt(keys["n"]), Encrypt(keys["n"], index=BlindIndexOf(keys["n"], bits=20))
    mixed = [plain.protect("a"), indexed.protect("b"), None, plain.protect("c"), indexed.protect("")]
    for transform in (plain, indexed):
        assert transform.reveal_many(mixed) == ["a", "b", None, "c", ""]
        assert [transform.reveal(value) for value in mixed] == ["a", "b", None, "c", ""]
    fresh = indexed.rotate_many(mixed)
    assert [value and value[0] for value in fresh] == [2, 2, None, 2, 2]
    assert not any(indexed.needs_rotation(value) for value in fresh if value)
    assert indexed.needs_rotation(mixed[0])


def test_every_flipped_bit_is_noticed(keys):
    transform = Encrypt(keys["n"], index=BlindIndexOf(keys["n"], bits=20))
    sealed = transform.protect("a")
    flipped = []
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(altered))
        with pytest.raises(DecryptionFailed):
            transform.reveal(bytes(altered))
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many(flipped)
    assert caught.value.rows == tuple(range(len(flipped)))


def test_an_index_is_not_cut_off_nor_exchanged(keys):
    transform = Encrypt(keys["n"], index=BlindIndexOf(keys["n"]))
    one, other = transform.protect("a"), transform.protect("b")
    for forged in (b"\x01" + one[1:5] + one[10:], one[:6] + other[6:10] + one[10:], one[:5], b"\x02" * 30):
        with pytest.raises(DecryptionFailed):
            transform.reveal(forged)
        with pytest.raises(DecryptionFailed):
            transform.reveal_many([forged])
    with pytest.raises(DecryptionFailed):
        Encrypt(keys["n"], deterministic=True).reveal(one)


def test_lookups_work_while_a_column_is_re_keyed(tmp_path, text):
    keys = Keyring.create(tmp_path / "keyring.json")
    found = Encrypt(keys["e"], deterministic=True, text=text)
    indexed = Encrypt(keys["e"], text=text, index=BlindIndexOf(keys["e"], bits=128))
    before, old = found.protect("a"), indexed.protect("a")
    assert found.candidates("a") == [before]
    keys.rotate()
    keys.move_stable("e")
    assert found.candidates("a") == [found.protect("a"), before]
    first, length = indexed.index_slice
    places = slice(first - 1, first - 1 + length)
    assert indexed.index_candidates("a") == [indexed.protect("a")[places], old[places]]
    assert indexed.needs_rotation(old)
    assert found.rotate_many([before, None]) == [found.protect("a"), None]
    (fresh,) = indexed.rotate_many([old])
    assert fresh[places] == indexed.index_candidates("a")[0]


def test_what_has_the_form_of_a_ciphertext(keys, text):
    transform = Encrypt(keys["e"], text=text)
    sealed = transform.protect("a")
    assert transform.has_form(sealed)
    assert transform.has_form(Encrypt(keys["e"], text=text, index=BlindIndexOf(keys["e"])).protect(""))
    for damaged in (sealed[:-2] + sealed[-4:-2], sealed[:8], sealed + ("?" if text else b"?")):
        assert transform.has_form(damaged)
    for plain in ("a@b.cn", b"a@b.cn", "", b"", None, 5, sealed[:4], b"\x01" + bytes(60), "A放", "AQ" + "A" * 60):
        assert not transform.has_form(plain)


def test_what_cannot_be_combined(keys):
    with pytest.raises(InvalidParameter, match="leave out the index"):
        Encrypt(keys["n"], deterministic=True, index=BlindIndexOf(keys["n"]))
    with pytest.raises(InvalidParameter, match="deterministic=True"):
        Encrypt(keys["n"]).candidates("a")
    with pytest.raises(InvalidParameter, match="no index"):
        Encrypt(keys["n"]).index_candidates("a")
    indexed = Encrypt(keys["n"], index=BlindIndexOf(keys["n"]))
    for attempt in (lambda: indexed.protect(b"\xff"), lambda: indexed.protect_many([b"\xff"])):
        with pytest.raises(InvalidParameter, match="bytes have none"):
            attempt()
    assert Encrypt(keys["n"]).index_slice == (0, 0)
    assert indexed.reveal_many(indexed.protect_many(np.array([], dtype=str))).tolist() == []


@pytest.mark.parametrize("deterministic", [False, True])
def test_reveal_knows_ciphers_again_and_notices_changes_at_once(tmp_path, text, deterministic):
    keys = Keyring.create(tmp_path / "keyring.json")
    transform = Encrypt(keys["e"], text=text, deterministic=deterministic)
    indexed = Encrypt(keys["e"], text=text, index=BlindIndexOf(keys["e"]))
    read = transform.reveal
    sealed = [transform.protect(value) for value in ("a", "", 5, b"b")]
    assert [read(value) for value in sealed * 2] == ["a", "", 5, b"b"] * 2
    assert read(None) is None
    if not deterministic:
        assert [read(indexed.protect("c")) for _ in range(2)] == ["c", "c"]
    for wrong in (sealed[0][:-2], sealed[0][:20], sealed[0][:5], "x" if text else b"x", "", b"", 5):
        with pytest.raises(DecryptionFailed):
            read(wrong)
    old = keys.primary_id
    keys.rotate()
    keys.move_stable("e")
    assert read(transform.protect("new")) == "new"
    keys.disable(old)
    with pytest.raises(KeyUnavailable):
        read(sealed[0])
