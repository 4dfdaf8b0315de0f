import datetime as dt
import uuid
from decimal import Decimal

import pytest

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.integrations.lifecycle import Mode, StoredForm, row_name
from privkit.integrations.reencryption import reencrypt
from privkit.keys import Keyring
from privkit.transforms import BlindIndexOf, Encrypt
from privkit.transforms import ciphertext as layout

KINDS = [
    (layout.TAGS[layout.Kind.TEXT], ["a@b.cn", "", None, "放门口"]),
    (layout.TAGS[layout.Kind.INTEGER], [5, None, 0]),
    (layout.TAGS[layout.Kind.DECIMAL], [Decimal("12.50"), None, Decimal(0)]),
    (layout.TAGS[layout.Kind.DATE], [dt.date(1990, 1, 2), None]),
    (layout.TAGS[layout.Kind.BOOLEAN], [True, False, None]),
    (layout.JSON_TAG, [{"a": 1}, [], None]),
]


class Memory:
    """A table in memory; `meanwhile` is what somebody else writes between reading and replacing."""

    def __init__(self, values):
        self.values = list(values)
        self.meanwhile = {}
        self.reads = 0

    def read(self, after, limit):
        self.reads += 1
        first = 0 if after is None else after[0] + 1
        return [((row,), self.values[row]) for row in range(first, min(first + limit, len(self.values)))]

    def replace(self, changes):
        for row in list(self.meanwhile):
            self.values[row] = self.meanwhile.pop(row)
        done = [(row, new) for (row,), old, new in changes if self.values[row] == old]
        for row, new in done:
            self.values[row] = new
        return len(done)


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")


@pytest.fixture(params=["bytes", "text"])
def text(request):
    return request.param == "text"


def forms(encrypt, tag=0x11):
    return {mode: StoredForm(encrypt, mode, tag=tag) for mode in Mode}


@pytest.mark.parametrize(("tag", "values"), KINDS)
def test_every_mode_reads_what_the_one_before_writes(keys, text, tag, values):
    modes = forms(Encrypt(keys["a"], text=text), tag)
    for writer, reader in [("plaintext_ok", "dual"), ("dual", "plaintext_ok"), ("dual", "strict"), ("strict", "dual")]:
        stored = [modes[writer].write(value) for value in values]
        assert [modes[reader].read(value) for value in stored] == values
        assert modes[reader].read_many(stored) == values


def test_strict_reads_no_plaintext(keys, text):
    modes = forms(Encrypt(keys["a"], text=text))
    plain = modes["plaintext_ok"].write("a@b.cn")
    for attempt in (
        lambda: modes["strict"].read(plain),
        lambda: modes["strict"].read_many([plain]),
        lambda: modes["strict"].convert([plain]),
    ):
        with pytest.raises(DecryptionFailed):
            attempt()


@pytest.mark.parametrize("mode", Mode)
def test_a_damaged_ciphertext_is_never_plaintext(keys, text, mode):
    stored = StoredForm(Encrypt(keys["a"], text=text), mode)
    sealed = stored.encrypt.protect("abc")
    damaged = sealed[:-4] + sealed[-8:-4]
    keys.rotate()  # what is under the version that writes, the job leaves alone
    for attempt in (
        lambda: stored.read(damaged),
        lambda: stored.read_many([None, damaged]),
        lambda: stored.convert([None, damaged]),
    ):
        with pytest.raises(DecryptionFailed):
            attempt()


def test_no_plaintext_is_written_that_looks_like_a_ciphertext(keys):
    modes = forms(Encrypt(keys["a"], text=True))
    sealed = modes["dual"].write("abc")
    with pytest.raises(InvalidValue, match="form of a ciphertext"):
        modes["plaintext_ok"].write(sealed)
    assert modes["dual"].read(modes["dual"].write(sealed)) == sealed


def test_lookups_see_what_is_read(keys, text):
    modes = forms(Encrypt(keys["a"], deterministic=True, text=text))
    for value in ("a@b.cn", ""):
        written = {mode: modes[mode].write(value) for mode in Mode}
        for mode in ("plaintext_ok", "dual"):
            assert set(modes[mode].candidates(value)) == set(written.values())
        assert modes["strict"].candidates(value) == [written["strict"]]


def test_a_value_of_another_type_is_not_written_in_clear(keys):
    with pytest.raises(InvalidParameter, match="type int"):
        StoredForm(Encrypt(keys["a"]), "plaintext_ok").write(5)
    with pytest.raises(InvalidValue, match="not of the column's type") as caught:
        StoredForm(Encrypt(keys["a"], text=True), "dual", tag=0x13).read("secret")
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidParameter, match="no plaintext form"):
        StoredForm(Encrypt(keys["a"], text=True), "dual", tag=0x12)
    with pytest.raises(InvalidParameter, match="no mode"):
        StoredForm(Encrypt(keys["a"]), "off")


def test_plaintexts_of_another_type_are_named_by_their_rows(keys):
    born = StoredForm(Encrypt(keys["a"], text=True), "dual", tag=0x13)
    stored = [None, born.write(5), "secret", "7", "hidden"]
    for attempt in (born.convert, born.read_many):
        with pytest.raises(InvalidValue, match=r"at rows 2, 4: .*not of the column's type") as caught:
            attempt(stored)
        assert not [text for text in ("secret", "hidden") if text in str(caught.value)]
    with pytest.raises(InvalidValue) as caught:
        reencrypt(Memory(stored), born, batch=3)
    assert caught.value.rows == (2,)


@pytest.mark.parametrize(("tag", "values"), KINDS)
def test_there_and_back(keys, text, tag, values):
    modes = forms(Encrypt(keys["a"], text=text), tag)
    table = Memory([modes["plaintext_ok"].write(value) for value in values] * 4)
    before = list(table.values)
    present = sum(value is not None for value in before)
    assert reencrypt(table, modes["dual"], batch=3).replaced == present
    assert reencrypt(table, modes["strict"], batch=3).outdated == 0
    assert [modes["strict"].read(value) for value in table.values] == values * 4
    assert reencrypt(table, modes["plaintext_ok"], batch=3).replaced == present
    assert table.values == before


@pytest.mark.parametrize("indexed", [False, True])
def test_re_keying_is_resumable_and_idempotent(keys, indexed):
    encrypt = Encrypt(keys["a"], index=BlindIndexOf(keys["a"]) if indexed else None)
    stored = StoredForm(encrypt)
    table = Memory([stored.write(str(row)) for row in range(10)])
    keys.rotate()
    keys.move_stable("a")

    class Killed(Exception):
        pass

    seen = []

    def kill(progress):
        seen.append(progress)
        if len(seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        reencrypt(table, stored, batch=3, on_progress=kill)
    rest = reencrypt(table, stored, batch=3, after=seen[-1].position)
    assert (rest.rows, rest.replaced) == (4, 4)
    assert reencrypt(table, stored).outdated == 0
    assert not any(encrypt.needs_rotation(value) for value in table.values)
    assert [stored.read(value) for value in table.values] == [str(row) for row in range(10)]


def test_a_concurrent_write_wins(keys):
    stored = StoredForm(Encrypt(keys["a"], text=True), "dual")
    table = Memory(["a", "b", "c"])
    table.meanwhile = {1: stored.write("newer")}
    done = reencrypt(table, stored)
    assert (done.outdated, done.replaced, done.overtaken) == (3, 2, 1)
    assert [stored.read(value) for value in table.values] == ["a", "newer", "c"]


def test_a_dry_run_counts_and_writes_nothing(keys):
    stored = StoredForm(Encrypt(keys["a"], text=True), "dual")
    table = Memory(["a", None, stored.write("b")])
    done = reencrypt(table, stored, dry_run=True, batch=2)
    assert (done.rows, done.outdated, done.replaced, done.overtaken) == (3, 1, 0, 0)
    assert table.values[0] == "a"


def test_a_row_that_does_not_open_is_named(keys):
    stored = StoredForm(Encrypt(keys["a"], text=True))
    table = Memory([stored.write("a")] * 5 + [stored.write("b")[:-2] + "AA", stored.write("c")])
    keys.rotate()
    with pytest.raises(DecryptionFailed) as caught:
        reencrypt(table, stored, batch=2)
    assert caught.value.rows == (5,)


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"pause": -1}])
def test_wrong_settings(keys, wrong):
    with pytest.raises(InvalidParameter):
        reencrypt(Memory([]), StoredForm(Encrypt(keys["a"])), **wrong)


@pytest.mark.parametrize(("tag", "values"), [*KINDS, *((tag, values * 100) for tag, values in KINDS)])
@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("mode", list(Mode))
def test_a_column_may_be_bound_to_its_rows(keys, tag, values, text, mode):
    encrypt = Encrypt(keys["a"], text=text)
    strict, form = StoredForm(encrypt, tag=tag), StoredForm(encrypt, mode, tag=tag)
    rows = [row_name(uuid.UUID(int=number)) for number in range(len(values))]
    table = Memory([strict.write(value, row) for value, row in zip(values, rows, strict=True)])
    assert form.read_many(table.values, rows) == values
    assert [form.read(stored, row) for stored, row in zip(table.values, rows, strict=True)] == values
    moved = [*table.values[1:], table.values[0]]
    with pytest.raises(DecryptionFailed) as caught:
        form.read_many(moved, rows)
    assert caught.value.rows == tuple(at for at, stored in enumerate(moved) if stored is not None)
    keys.rotate()
    if mode is Mode.DUAL:
        table.values[0] = form.plain(values[0])
    done = reencrypt(table, form, batch=200, row_of=lambda position: rows[position[0]])
    assert done.replaced == sum(value is not None for value in values)
    assert form.read_many(table.values, rows) == values
    assert reencrypt(table, form, row_of=lambda position: rows[position[0]]).outdated == 0


@pytest.mark.parametrize("wrong", [None, "", 1.5, True, dt.date(2026, 1, 2)])
def test_what_names_no_row_is_refused(wrong):
    with pytest.raises(InvalidParameter, match="names no row"):
        row_name(wrong)
