"""AES-SIV, by the published examples, by two other implementations and by itself without its shortcuts."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from Crypto.Cipher import AES
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.test_blocks import run_at_once
from privkit._kernels import layouts, short, slabs
from privkit._kernels import siv as module
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.even import Even
from privkit._kernels.ragged import Ragged
from privkit._kernels.short import MARGIN
from privkit._kernels.siv import Siv
from privkit._kernels.siv_batch import Batch
from privkit.errors import DecryptionFailed, InvalidParameter

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "aes_siv_rfc5297.json").read_text())["cases"]
KEY = bytes(range(64))
KEYS = st.sampled_from([32, 48, 64]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
STRINGS = st.lists(st.binary(max_size=40), max_size=4)
EVERY_LENGTH = [bytes([size]) * size for size in range(71)]
EACH = [bytes([size]) * (size * 7 % 45) for size in range(71)]
ASSOCIATED = {
    "none": [],
    "one empty": [b""],
    "two empty": [b"", b""],
    "several": [b"field", b"", b"x" * 40],
    "for each row": [EACH],
    "mixed": [b"field", EACH, b"", EACH[::-1]],
}


def without_shortcut(key):
    half = len(key) // 2
    return Siv(BlockCipher(key[:half]), BlockCipher(key[half:]))


def pyca(key, data, associated):
    return AESSIV(key).encrypt(data, list(associated))


def pycryptodome(key, data, associated):
    cipher = AES.new(key, AES.MODE_SIV)
    for string in associated:
        cipher.update(string)
    body, tag = cipher.encrypt_and_digest(data)
    return tag + body


def strings_of(row, associated):
    return [string if isinstance(string, bytes) else string[row] for string in associated]


def columns_of(associated):
    return [string if isinstance(string, bytes) else Ragged.of(string) for string in associated]


@pytest.fixture(params=["alone", "sorted", "side by side", "as measured"])
def way(request, monkeypatch):
    """Rows one by one, all in columns of one kind or the other, and as the kernel decides."""
    if request.param == "alone":
        monkeypatch.setattr(layouts, "MOST_BLOCKS", 0)
        monkeypatch.setattr(slabs, "_LAYOUT", 1 << 40)
    elif request.param != "as measured":
        all_in_columns(monkeypatch, request.param)
    return request.param


def all_in_columns(patch, kind):
    if kind == "sorted":
        patch.setattr(layouts, "MOST_BLOCKS", 0)
    else:
        patch.setattr(layouts, "_MOST_SPARE", 100)
    patch.setattr(slabs, "_ROW_ALONE", 1 << 40)
    patch.setattr(module, "FEWEST_ROWS", 0)
    patch.setattr("privkit._kernels.cmac.FEWEST_ROWS", 0)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_published_examples(case):
    key, plain, sealed = (bytes.fromhex(case[name]) for name in ("key", "plaintext", "output"))
    associated = [bytes.fromhex(string) for string in case["associated"]]
    for siv in (Siv.of(key), without_shortcut(key)):
        for count in (1, 100):
            opened, failed = siv.decrypt_many(Ragged.of([sealed] * count), associated)
            if case["result"] == "valid":
                assert siv.encrypt(plain, associated) == sealed
                assert siv.decrypt(sealed, associated) == plain
                assert siv.encrypt_many(Ragged.of([plain] * count), associated).to_list() == [sealed] * count
                assert (opened.to_list(), failed.any()) == ([plain] * count, False)
            else:
                with pytest.raises(DecryptionFailed):
                    siv.decrypt(sealed, associated)
                assert (opened.to_list(), failed.all()) == ([b""] * count, True)
    if case["result"] == "valid":
        assert pyca(key, plain, associated) == pycryptodome(key, plain, associated) == sealed


@given(KEYS, st.binary(max_size=100), STRINGS)
@settings(deadline=None)
def test_one_value_is_as_others_have_it(key, data, associated):
    sealed = pyca(key, data, associated)
    assert pycryptodome(key, data, associated) == sealed
    for siv in (Siv.of(key), without_shortcut(key)):
        assert siv.encrypt(data, associated) == sealed
        assert siv.encrypt(data, tuple(associated)) == sealed
        assert siv.decrypt(sealed, tuple(associated)) == data


@pytest.mark.parametrize("associated", ASSOCIATED.values(), ids=ASSOCIATED)
def test_columns_are_as_others_have_them(associated, way):
    assert way
    expected = [pyca(KEY, row, strings_of(number, associated)) for number, row in enumerate(EVERY_LENGTH)]
    for siv in (Siv.of(KEY), without_shortcut(KEY)):
        sealed = siv.encrypt_many(Ragged.of(EVERY_LENGTH), columns_of(associated))
        assert sealed.to_list() == expected
        opened, failed = siv.decrypt_many(sealed, columns_of(associated))
        assert (opened.to_list(), failed.any()) == (EVERY_LENGTH, False)


@pytest.mark.parametrize("kind", ["sorted", "side by side"])
@given(KEYS, st.lists(st.tuples(st.binary(max_size=70), st.binary(max_size=40)), max_size=60), STRINGS, STRINGS)
@settings(deadline=None)
def test_any_columns(kind, key, pairs, before, after):
    rows, each = [row for row, _ in pairs], [string for _, string in pairs]
    with pytest.MonkeyPatch.context() as patch:
        all_in_columns(patch, kind)
        siv = Siv.of(key)
        sealed = siv.encrypt_many(Ragged.of(rows), [*before, Ragged.of(each), *after])
        opened, failed = siv.decrypt_many(sealed, [*before, Ragged.of(each), *after])
        constant = siv.encrypt_many(Ragged.of(rows), [*before, *after])
    assert sealed.to_list() == [pyca(key, row, [*before, string, *after]) for row, string in pairs]
    assert constant.to_list() == [pyca(key, row, [*before, *after]) for row in rows]
    assert (opened.to_list(), failed.any()) == (rows, False)


@pytest.mark.parametrize("rows", [[], [b""], [b"one"], [b""] * 90, [b"x" * 16] * 90, EVERY_LENGTH[::-1] * 3])
def test_shapes_of_columns(rows, way):
    assert way
    siv = Siv.of(KEY)
    sealed = siv.encrypt_many(Ragged.of(rows), [b"field"])
    assert sealed.to_list() == [pyca(KEY, row, [b"field"]) for row in rows]
    assert siv.decrypt_many(sealed, [b"field"])[0].to_list() == rows


def test_the_prepared_strings_are_those_asked_for(way):
    assert way
    siv = Siv.of(KEY)
    for associated in ([b"a"], [b"b"], [b"a"], [], [b""], [Ragged.of(EACH)], [b"a"]):
        sealed = siv.encrypt_many(Ragged.of(EVERY_LENGTH), associated)
        expected = [
            siv.encrypt(row, [s if isinstance(s, bytes) else s[i] for s in associated])
            for i, row in enumerate(EVERY_LENGTH)
        ]
        assert sealed.to_list() == expected


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 15, 16, 17, 31, 32, 33, 128, 140, None]), st.booleans()), max_size=7),
    st.integers(0, 1),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32),
)
@settings(deadline=None)
def test_batches_of_all_layouts_beside_each_other(kinds, room, marked, each, seed):
    """What a batch writes around its rows is not to be seen in those of others, whatever ways they are laid out."""
    rng, size = np.random.default_rng(seed), 45
    widths = [rng.integers(1, 60) if width is None else width for width, _ in kinds for _ in range(size)]
    rows = [rng.bytes(width) for width in widths]
    broken = np.repeat(np.array([one for _, one in kinds], np.bool_), size) & (rng.random(len(rows)) < 0.3)
    strings = [rng.bytes(5) for _ in rows]
    marks = np.frombuffer(rng.bytes(len(rows)), np.uint8)
    whole = [mark.tobytes() + row for mark, row in zip(marks, rows, strict=True)] if marked else rows
    expected = [pyca(KEY, row, [b"f", strings[i] if each else b"s"]) for i, row in enumerate(whole)]
    associated = [b"f", Ragged.of(strings) if each else b"s"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs, "BATCH_ROWS", size)
        patch.setattr(slabs, "_ROW_ALONE", 1 << 40)
        siv = Siv.of(KEY)
        sealed = siv.encrypt_many(Ragged.of(rows), associated, room=room, marks=marks if marked else None)
        assert [row[room:] for row in sealed.to_list()] == expected
        given_rows = [bytes(room) + (row[:-1] if bad else row) for row, bad in zip(expected, broken, strict=True)]
        found = np.full(len(rows), 0xEE, np.uint8)
        opened, failed = siv.decrypt_many(Ragged.of(given_rows), associated, room=room, marks=found if marked else None)
    np.testing.assert_array_equal(failed, broken)
    assert opened.to_list() == [b"" if bad else row for row, bad in zip(rows, broken, strict=True)]
    assert len(opened.data) == sum(len(row) for row, bad in zip(rows, broken, strict=True) if not bad)
    if marked:
        np.testing.assert_array_equal(found, np.where(broken, 0, marks))


def test_nothing_is_left_of_rows_that_failed():
    rows = [bytes([row]) * 20 for row in range(1, 61)]
    siv = Siv.of(KEY)
    sealed = siv.encrypt_many(Ragged.of(rows)).data.reshape(60, 36)
    sealed[::2, 35] ^= 1  # so that all but the last byte comes out
    opened, failed = siv.decrypt_many(Ragged.of_matrix(sealed))
    assert failed.tolist() == [True, False] * 30
    assert opened.to_list() == [b"" if row % 2 == 0 else value for row, value in enumerate(rows)]
    held = opened.data
    while isinstance(held.base, np.ndarray):
        held = held.base
    written = held[MARGIN:].tobytes()  # before that stands what the allocator left
    assert not any(rows[row][:8] in written for row in range(0, 60, 2))


@given(st.data())
@settings(deadline=None)
def test_what_was_altered_fails_and_nothing_else(data):
    rows = data.draw(st.lists(st.binary(max_size=50), min_size=1, max_size=60))
    sealed = Siv.of(KEY).encrypt_many(Ragged.of(rows), [b"field"]).to_list()
    chosen = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    for row in chosen:
        kind = data.draw(st.sampled_from(["bit", "cut", "longer", "another"]))
        if kind == "bit":
            at = data.draw(st.integers(0, len(sealed[row]) * 8 - 1))
            altered = bytearray(sealed[row])
            altered[at // 8] ^= 1 << at % 8
            sealed[row] = bytes(altered)
        elif kind == "cut":
            sealed[row] = sealed[row][: data.draw(st.integers(0, len(sealed[row]) - 1))]
        elif kind == "longer":
            sealed[row] += b"\0"
        else:
            sealed[row] = Siv.of(KEY).encrypt(rows[row], [b"another field"])
    expected = [b"" if row in chosen else value for row, value in enumerate(rows)]
    for kind in (None, "sorted", "side by side"):
        with pytest.MonkeyPatch.context() as patch:
            if kind:
                all_in_columns(patch, kind)
            opened, failed = Siv.of(KEY).decrypt_many(Ragged.of(sealed), [b"field"])
        assert set(np.flatnonzero(failed).tolist()) == chosen
        assert opened.to_list() == expected
        assert len(opened.data) == sum(map(len, expected))  # not even behind the rows
    for row, value in enumerate(sealed):
        for siv in (Siv.of(KEY), without_shortcut(KEY)):
            if row in chosen:
                with pytest.raises(DecryptionFailed):
                    siv.decrypt(value, [b"field"])
            else:
                assert siv.decrypt(value, [b"field"]) == rows[row]


@pytest.mark.parametrize("size", range(16))
def test_what_is_shorter_than_a_siv_fails(size, way):
    assert way
    for siv in (Siv.of(KEY), without_shortcut(KEY)):
        with pytest.raises(DecryptionFailed):
            siv.decrypt(bytes(size))
        opened, failed = siv.decrypt_many(Ragged.of([siv.encrypt(b"ok"), *[bytes(size)] * 60]))
        assert opened.to_list() == [b"ok"] + [b""] * 60
        assert failed.tolist() == [False] + [True] * 60


def test_an_openssl_that_is_wrong_or_has_no_siv_is_not_used(monkeypatch):
    class LeavesOutEmptyStrings:
        def __init__(self, key):
            self.right = AESSIV(key)

        def encrypt(self, data, associated):
            return self.right.encrypt(data, [string for string in associated if string])

    class RefusesEmptyValues(LeavesOutEmptyStrings):
        def encrypt(self, data, associated):
            if not data:
                raise ValueError
            return self.right.encrypt(data, associated)

    def is_not_there(key):
        raise UnsupportedAlgorithm(len(key))

    assert module._shortcut_is_right()
    for other in (LeavesOutEmptyStrings, RefusesEmptyValues, is_not_there):
        monkeypatch.setattr(module, "AESSIV", other)
        module._shortcut_is_right.cache_clear()
        siv = Siv.of(KEY)
        assert siv._fast is None
        assert siv.encrypt(b"", [b""]) == pyca(KEY, b"", [b""])
    monkeypatch.undo()
    module._shortcut_is_right.cache_clear()
    assert Siv.of(KEY)._fast is not None


def test_no_strings_an_empty_one_and_two_are_three_things():
    for siv in (Siv.of(KEY), without_shortcut(KEY)):
        for data in (b"", b"value"):
            assert len({siv.encrypt(data, associated) for associated in ([], [b""], [b"", b""])}) == 3


@pytest.mark.parametrize("low", ["ffffffffffffffff", "7fffffff7fffffff", "7fffffffffffffff", "fffffffffffffffe"])
def test_the_counter_where_it_could_overflow(low):
    """RFC 5297, section 2.5: bits 31 and 63 are cleared and the rest counts as 128 bits."""
    siv = without_shortcut(KEY)
    tag = bytes.fromhex("ffffffffffffffff" + low)
    number = int.from_bytes(tag) & ~(1 << 63 | 1 << 31)
    size = 16 * 40 - 3
    stream = b"".join(siv.ctr.encrypt_block(((number + i) % (1 << 128)).to_bytes(16)) for i in range(40))[:size]
    assert siv.ctr.counter_mode(module._first_counter(tag), bytes(size)) == stream
    # The batch has no door for a tag of one's choice: ask its key stream.
    with pytest.MonkeyPatch.context() as patch:
        all_in_columns(patch, "sorted")
        layout = slabs.Slabs(np.full(3, size))
    batch = Batch(siv, siv._strings([]), Ragged.of([b""] * 3), 0, 3)
    blocks = batch._stream(layout, np.frombuffer(tag * 3, np.uint64).reshape(-1, 2))
    out = Ragged.empty(np.full(3, size))
    layout.scatter(blocks, out.data, out.offsets[:-1][layout.order])
    assert out.to_list() == [stream] * 3
    for few in (short.Short(np.full(3, 48), 3), Even(3, 48)):
        columns = batch._stream(few, np.frombuffer(tag * 3, np.uint64).reshape(-1, 2)).view(np.uint8).reshape(3, 3, 16)
        assert [columns[::-1, row].tobytes() for row in range(3)] == [stream[:48]] * 3


def test_too_many_strings_are_refused():
    siv = Siv.of(KEY)
    most = [b"x"] * 126
    assert siv.decrypt(siv.encrypt(b"value", most), most) == b"value"
    column = Ragged.of([b"value"])
    assert siv.encrypt_many(column, most).to_list() == [siv.encrypt(b"value", most)]
    for siv in (Siv.of(KEY), without_shortcut(KEY)):
        for work in (siv.encrypt, siv.decrypt):
            with pytest.raises(InvalidParameter, match="127 associated strings; AES-SIV takes at most 126"):
                work(bytes(20), [b""] * 127)
        for work in (siv.encrypt_many, siv.decrypt_many):
            with pytest.raises(InvalidParameter, match="127 associated strings"):
                work(column, [b""] * 127)


def test_one_string_in_place_of_a_list_is_refused():
    for siv in (Siv.of(KEY), without_shortcut(KEY)):
        for string in (b"", b"field", "field"):
            for work in (siv.encrypt, siv.decrypt):
                with pytest.raises(InvalidParameter, match="put it into a list"):
                    work(bytes(20), string)
            for work in (siv.encrypt_many, siv.decrypt_many):
                with pytest.raises(InvalidParameter, match="put it into a list"):
                    work(Ragged.of([b"a"]), string)


def test_strings_for_other_rows_are_refused():
    siv = Siv.of(KEY)
    for work in (siv.encrypt_many, siv.decrypt_many):
        with pytest.raises(InvalidParameter, match="associated strings for 2 rows, of values for 3"):
            work(Ragged.of([bytes(20)] * 3), [b"", Ragged.of([b"a", b"b"])])


@pytest.mark.parametrize("size", [0, 16, 31, 33, 63, 65, 128])
def test_wrong_key_sizes(size):
    with pytest.raises(InvalidParameter, match=f"key of {size} bytes; AES-SIV takes 32 or 48 or 64"):
        Siv.of(bytes(size))


def test_sm4(way):
    """The same construction over another cipher, by its definition in RFC 5297, section 2.4."""
    assert way
    mac, ctr = (BlockCipher(bytes([half]) * 16, algorithms.SM4) for half in (1, 2))
    siv = Siv(mac, ctr)
    sealed = siv.encrypt_many(Ragged.of(EVERY_LENGTH), [b"field", Ragged.of(EACH)])
    assert sealed.to_list() == [
        siv.encrypt(row, [b"field", each]) for row, each in zip(EVERY_LENGTH, EACH, strict=True)
    ]
    opened, failed = siv.decrypt_many(sealed, [b"field", Ragged.of(EACH)])
    assert (opened.to_list(), failed.any()) == (EVERY_LENGTH, False)
    value, cmac = b"a value of some thirty-odd bytes..", Cmac(mac)
    state = int.from_bytes(cmac.digest(bytes(16)))
    for string in (b"field", b"two"):
        state = ((state << 1) ^ ((1 << 128 | 0x87) if state >> 127 else 0)) ^ int.from_bytes(cmac.digest(string))
    end = (int.from_bytes(value[-16:]) ^ state).to_bytes(16)
    assert siv.encrypt(value, [b"field", b"two"])[:16] == cmac.digest(value[:-16] + end)


def test_long_values_between_short_ones(way):
    assert way
    siv = Siv.of(KEY)
    rows = [b"s" * 20, b"l" * 300_000, b"", b"m" * 5000] * 12 + [b"s"] * 100
    sealed = siv.encrypt_many(Ragged.of(rows), [b"field"])
    assert sealed.to_list() == [pyca(KEY, row, [b"field"]) for row in rows]
    damaged = Ragged(sealed.data.copy(), sealed.offsets)
    damaged.data[[sealed.offsets[1] + 20, sealed.offsets[60]]] ^= 1
    opened, failed = siv.decrypt_many(damaged, [b"field"])
    assert np.flatnonzero(failed).tolist() == [1, 60]
    assert opened.to_list() == [b"" if row in {1, 60} else value for row, value in enumerate(rows)]


def test_batches_join(monkeypatch):
    rows, each = EVERY_LENGTH * 9, EACH * 9
    monkeypatch.setattr(slabs, "BATCH_ROWS", 100)
    monkeypatch.setattr(slabs, "BATCH_BYTES", 3000)
    assert len(list(slabs.batches(Ragged.of(rows)))) > 6
    siv = Siv.of(KEY)
    sealed = siv.encrypt_many(Ragged.of(rows), [b"field", Ragged.of(each)])
    assert sealed.to_list() == [pyca(KEY, row, [b"field", string]) for row, string in zip(rows, each, strict=True)]
    damaged = Ragged(sealed.data.copy(), sealed.offsets)
    wrong = [0, 99, 100, 333, len(rows) - 1]
    damaged.data[sealed.offsets[wrong]] ^= 128
    opened, failed = siv.decrypt_many(damaged, [b"field", Ragged.of(each)])
    assert np.flatnonzero(failed).tolist() == wrong
    assert opened.to_list() == [b"" if row in wrong else value for row, value in enumerate(rows)]


def test_rows_out_of_the_middle_of_a_buffer(way):
    assert way
    siv = Siv.of(KEY)
    table = Ragged.of([b"x", *EVERY_LENGTH, b"y" * 40])
    middle = Ragged(table.data, table.offsets[1:-1])
    sealed = siv.encrypt_many(middle, [middle])
    assert sealed.to_list() == [siv.encrypt(row, [row]) for row in EVERY_LENGTH]
    assert sealed.offsets[0] == 0
    framed = Ragged.of([b"x", *sealed, b"y"])
    assert siv.decrypt_many(Ragged(framed.data, framed.offsets[1:-1]), [middle])[0].to_list() == EVERY_LENGTH


def test_the_key_stays_inside():
    siv = Siv.of(b"K" * 64)
    assert "K" * 4 not in repr(siv)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(siv)


def test_threads_share_a_cipher():
    siv, plain = Siv.of(KEY), without_shortcut(KEY)
    rows = [[bytes([number]) * (size % 60) for size in range(2000)] for number in range(8)]
    expected = [[pyca(KEY, row, [b"%d" % number]) for row in part] for number, part in enumerate(rows)]

    def work(number):
        associated = [b"%d" % number]
        for _ in range(5):
            sealed = siv.encrypt_many(Ragged.of(rows[number]), associated)
            assert sealed.to_list() == expected[number]
            assert siv.decrypt_many(sealed, associated)[0].to_list() == rows[number]
            for row, value in zip(rows[number][:60], expected[number], strict=False):
                for one in (siv, plain):
                    assert one.encrypt(row, associated) == value
                    assert one.decrypt(value, associated) == row

    assert run_at_once(work) == []
