import base64
import datetime as dt
import enum
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from Crypto.Cipher import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit.columns.sequences import object_array
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, KeyUnavailable, SubjectForgotten, WrongType
from privkit.keys import Keyring
from privkit.transforms import Encrypt, EncryptBySubject
from privkit.transforms import ciphertext as layout

VALUES = (
    st.text()
    | st.binary()
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.dates()
    | st.datetimes()
    | st.lists(st.integers() | st.none() | st.text())
    | st.dictionaries(st.text(), st.text())
)

COLUMNS = [
    ["", "放门口", None, "x" * 100],
    [b"", b"\x00\xff", None],
    [1, -5, None, 2**62],
    [Decimal("12.50"), None, Decimal("-0.01")],
    [dt.date(1990, 5, 17), None],
    [dt.datetime(2026, 1, 2, 3, 4, 5, 6), None],
    [True, None, False],
    [0.1, None, -3.0],
    [],
    [None, None],
]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@pytest.fixture(params=[False, True], ids=["randomised", "deterministic"])
def deterministic(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def transform(request, keys, deterministic):
    return Encrypt(keys["customer.note"], deterministic=deterministic, text=request.param)


@settings(deadline=None)
@given(value=VALUES)
def test_type_and_value_come_back(value, keys):
    transform = Encrypt(keys["any"])
    revealed = transform.reveal(transform.protect(value))
    assert (revealed, type(revealed)) == (value, type(value))


def test_null_and_empty_stay_apart(transform):
    assert transform.protect(None) is None
    assert transform.reveal(None) is None
    assert transform.reveal(transform.protect("")) == ""
    assert transform.protect("") not in {"", b"", None}


@pytest.mark.parametrize("column", COLUMNS, ids=repr)
def test_columns_come_back(column, transform):
    protected = transform.protect_many(column)
    assert [value is None for value in protected] == [value is None for value in column]
    assert transform.reveal_many(protected) == column


def test_one_and_many_read_each_other(transform):
    column = ["", "a", "放门口", "x" * 70]
    assert [transform.reveal(value) for value in transform.protect_many(column)] == column
    assert transform.reveal_many([transform.protect(value) for value in column]) == column


def test_deterministic_one_and_many_are_equal(keys):
    transform = Encrypt(keys["customer.email"], deterministic=True)
    column = ["", "a", "放门口", "x" * 70, "a"]
    protected = transform.protect_many(column)
    assert protected == [transform.protect(value) for value in column]
    assert protected[1] == protected[4]


def test_randomised_ciphertexts_differ(keys):
    transform = Encrypt(keys["customer.email"])
    assert len({*transform.protect_many(["same"] * 50), transform.protect("same")}) == 51


def test_arrow_columns(transform):
    column = pa.array(["a", None, "放门口"])
    protected = transform.protect_many(column)
    assert protected.type == (pa.string() if transform.text else pa.binary())
    assert transform.reveal_many(protected).equals(column)
    typed = pa.array([Decimal("1.20"), None])
    assert transform.reveal_many(transform.protect_many(typed)).to_pylist() == typed.to_pylist()


def test_the_bytes_are_as_drawn(keys):
    """Taken apart by the layout's drawing, and opened by another implementation of AES-SIV."""
    key = keys["customer.note"]
    siv = key.siv(Encrypt(key)._usage, key.primary_id)
    sealed = Encrypt(key).protect("放门口")
    assert sealed[0] == 1
    assert int.from_bytes(sealed[1:5], "big") == key.primary_id
    nonce, body = sealed[5:21], sealed[21:]
    place = b"privkit/1" + (13).to_bytes(2, "big") + b"customer.note" + b"\x00"
    assert siv.decrypt(body, [place, nonce]) == b"\x11" + "放门口".encode()


def test_pycryptodome_agrees(monkeypatch, keys):
    from privkit._kernels.siv import Siv

    raw = bytes(range(64))
    monkeypatch.setattr(type(keys["x"]), "siv", lambda *_: Siv.of(raw))
    sealed = Encrypt(keys["x"], deterministic=True).protect("l@x.cn")
    other = AES.new(raw, AES.MODE_SIV)
    other.update(b"privkit/1" + (1).to_bytes(2, "big") + b"x" + b"\x00")
    assert other.decrypt_and_verify(sealed[21:], sealed[5:21]) == b"\x11l@x.cn"


def test_wherever_it_is_moved_it_fails_the_same_way(keys, tmp_path):
    transform = Encrypt(keys["customer.note"])
    sealed = transform.protect("放门口", row="42")
    other = Keyring.create(tmp_path / "other.json")
    attempts = [
        lambda: Encrypt(keys["customer.other"]).reveal(sealed, row="42"),
        lambda: Encrypt(other["customer.note"]).reveal(sealed, row="42"),
        lambda: transform.reveal(sealed, row="43"),
        lambda: transform.reveal(sealed),
        lambda: transform.reveal(sealed[:-1], row="42"),
        lambda: transform.reveal(sealed + b"\x00", row="42"),
        lambda: transform.reveal(sealed[:1] + b"\x00\x00\x00\x01" + sealed[5:], row="42"),
        lambda: transform.reveal(b"", row="42"),
        lambda: transform.reveal("放门口", row="42"),
        lambda: transform.reveal_many([sealed]),
    ]
    messages = set()
    for attempt in attempts:
        with pytest.raises(DecryptionFailed) as caught:
            attempt()
        messages.add(str(caught.value).replace(" at row 0", ""))
    assert len(messages) == 1
    assert transform.reveal(sealed, row="42") == "放门口"


def test_every_flipped_bit_is_noticed(keys):
    transform = Encrypt(keys["customer.note"], deterministic=True)
    sealed = transform.protect("a")
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptionFailed):
            transform.reveal(bytes(altered))


def test_a_batch_names_the_rows_that_fail(transform):
    column = [None, *transform.protect_many(["a", "b", "c"])]
    column[2] = column[2][:-1]
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many(column)
    assert caught.value.rows == (2,)


def test_rows_are_bound_one_by_one_and_in_bulk(transform):
    protected = transform.protect_column(["a", None, "b"], row=[1, 2, 3]).column
    assert transform.reveal_column(protected, row=[1, 2, 3]).column == ["a", None, "b"]
    assert transform.reveal(protected[2], row=3) == "b"
    assert transform.reveal_many(transform.protect_many(["a", None], row=["x", "y"]), row=["x", "y"]) == ["a", None]
    with pytest.raises(DecryptionFailed):
        transform.reveal_many(protected)
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_column(protected, row=[1, 2, 4])
    assert caught.value.rows == (2,)
    with pytest.raises(InvalidParameter, match="2 names of rows for 3 values"):
        transform.protect_column(["a", None, "b"], row=[1, 2])


def test_rotation(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    transform = Encrypt(keys["customer.note"])
    first = transform.protect_many(["a", "b"])
    assert not transform.needs_rotation(first[0])
    keys.rotate()
    assert transform.needs_rotation(first[0])
    mixed = [*first, None, transform.protect("c")]
    assert transform.reveal_many(mixed) == ["a", "b", None, "c"]
    rotated = transform.rotate_many(mixed)
    assert not any(transform.needs_rotation(value) for value in rotated if value is not None)
    assert rotated[3] == mixed[3]
    assert transform.reveal_many(rotated) == ["a", "b", None, "c"]


def test_deterministic_values_stay_equal_over_a_rotation(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    transform = Encrypt(keys["customer.email"], deterministic=True)
    before = transform.protect("a")
    keys.rotate()
    assert transform.protect("a") == before
    assert not transform.needs_rotation(before)


def test_a_disabled_version_is_said_to_be(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    transform = Encrypt(keys["customer.note"])
    sealed = transform.protect("a")
    old = keys["customer.note"].primary_id
    keys.rotate()
    keys.disable(old)
    for attempt in (lambda: transform.reveal(sealed), lambda: transform.reveal_many([sealed])):
        with pytest.raises(KeyUnavailable):
            attempt()


def test_what_is_kept_for_single_values_goes_with_the_keys(tmp_path, deterministic):
    keys = Keyring.create(tmp_path / "keyring.json", lifetime=3600)
    elsewhere = Keyring.open(tmp_path / "keyring.json")
    transform, old = Encrypt(keys["n"], deterministic=deterministic), keys.primary_id
    person = Encrypt(keys.subject("user:42")["n"], deterministic=deterministic)
    sealed, own = transform.protect("a"), person.protect("b")
    assert [(transform.reveal(sealed), person.reveal(own)) for _ in range(3)] == [("a", "b")] * 3
    keys.forget("user:42")
    with pytest.raises(SubjectForgotten):
        person.reveal(own)
    elsewhere.rotate()
    elsewhere.disable(old)
    assert transform.reveal(sealed) == "a"
    keys._vault.opened.deadline = 0
    with pytest.raises(KeyUnavailable, match="disabled"):
        transform.reveal(sealed)
    elsewhere.enable(old)
    keys.refresh()
    assert transform.reveal(sealed) == "a"
    keys.disable(old)
    with pytest.raises(KeyUnavailable, match="disabled"):
        transform.reveal(sealed)


@pytest.mark.parametrize("content", [0, 1, 2, 3, 64])
def test_the_length_is_as_published(content, transform):
    assert len(transform.protect("x" * content)) == transform.ciphertext_length(content)


def test_text_is_plain_base64url(keys):
    sealed = Encrypt(keys["a"], text=True).protect("x" * 5)
    assert base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))[0] == 1
    with pytest.raises(DecryptionFailed):
        Encrypt(keys["a"], text=True).reveal(sealed[:-1] + "!")


def test_a_field_type_is_checked_and_the_value_kept_as_passed(keys):
    transform = Encrypt(keys["customer.phone"], fields.CN_MOBILE)
    assert transform.reveal(transform.protect("+86 138-1234-5678")) == "+86 138-1234-5678"
    with pytest.raises(InvalidValue) as caught:
        transform.protect_many(["13812345678", None, "12345"])
    assert caught.value.rows == (2,)
    assert "12345" not in str(caught.value)


def test_suppressed_values_are_counted(keys):
    outcome = Encrypt(keys["p"], fields.CN_MOBILE).protect_column(["13812345678", None, "12345"], on_invalid="suppress")
    assert (outcome.rows, outcome.nulls, outcome.invalid) == (3, 1, 1)
    assert outcome.column[1:] == [None, None]


def test_what_has_no_encoding_is_refused(keys):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for value in ({1, 2}, object(), {"a": math.nan}, {"a": object()}, {"a": "\ud800"}, deep, 10**5000, [10**5000]):
        with pytest.raises((WrongType, InvalidValue)) as caught:
            Encrypt(keys["a"]).protect(value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {True: 1}}, [{None: 1}], {1.5: 2}, {"a": (1, 2)}, [(1,)]])
def test_what_json_would_change_without_a_word_is_refused(value, keys):
    transform, persons = Encrypt(keys["a"]), EncryptBySubject(keys, "a")
    for attempt in (transform.protect, lambda one: persons.protect(one, subject="user:42")):
        with pytest.raises(InvalidValue, match="whose keys are str"):
            attempt(value)
    with pytest.raises(InvalidValue, match="at row 2: JSON") as caught:
        transform.protect_many([{"a": [1, 2.5, None, True, {}]}, None, value])
    assert caught.value.rows == (2,)


class Colour(str, enum.Enum):  # noqa: UP042 - whose str() is its name, unlike that of a StrEnum
    RED = "r"


def test_a_member_of_an_enumeration_is_its_value(keys):
    transform = Encrypt(keys["a"], deterministic=True)
    assert transform.protect(Colour.RED) == transform.protect("r") == transform.protect_many([Colour.RED])[0]
    assert transform.reveal(transform.protect(Colour.RED)) == "r"


MIXED = [
    [{"a": [1, None, "é"]}, None, [1, 2], [3, 4]],
    [1, "1", b"1", True, 1.5, Decimal("1.50"), None, {}, dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 1)],
    [None, dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)],
    [2**70, -1, None],
]
"""Columns that no one type holds; of the last two `protect_many` asks for one type."""


@pytest.mark.parametrize("column", MIXED, ids=["json", "types", "zones", "beyond 64 bits"])
def test_values_of_several_types_come_back_as_objects(column, transform):
    sealed = [transform.protect(value) for value in column]
    assert [type(value) for value in transform.reveal_many(sealed)] == [type(value) for value in column]
    assert transform.reveal_many(sealed) == column
    assert transform.reveal_many(tuple(sealed)) == tuple(column)
    objects = np.array([*sealed, None], object)[:-1]
    assert transform.reveal_many(objects).tolist() == column
    series = pd.Series(sealed, index=range(5, 5 + len(column)), name="n", dtype=object)
    revealed = transform.reveal_many(series)
    assert (revealed.tolist(), revealed.index.tolist(), revealed.name) == (column, series.index.tolist(), "n")
    arrow = pa.array(sealed, pa.string() if transform.text else pa.binary())
    in_arrow = transform.reveal_many(arrow.to_pandas(types_mapper=pd.ArrowDtype))
    assert in_arrow.tolist() == column
    for container in (arrow, pl.Series(sealed)):
        with pytest.raises(InvalidParameter, match="ask for their text, or pass a list"):
            transform.reveal_many(container)


@pytest.mark.parametrize("column", MIXED[:2], ids=["json", "types"])
def test_values_of_several_types_are_encrypted_together(column, transform):
    assert transform.reveal_many(transform.protect_many(column)) == column
    assert transform.reveal_many(transform.protect_many(np.array([*column, None], object))).tolist() == [*column, None]
    series = pd.Series(column, dtype=object)
    assert transform.reveal_many(transform.protect_many(series)).tolist() == column
    for container in (tuple(column), np.array([*column, None], object)):
        assert [transform.reveal(value) for value in transform.protect_many(container)][: len(column)] == column


def test_json_is_revealed_as_text_where_asked(transform):
    sealed = pa.array([transform.protect(value) for value in ({"b": 1, "a": "é"}, None, 5)])
    assert transform.reveal_column(sealed, as_text=True).column.to_pylist() == ['{"a":"é","b":1}', None, "5"]


def test_what_is_no_value_is_named_by_its_row(keys):
    transform = Encrypt(keys["a"])
    with pytest.raises(WrongType, match=r"at row 1: .* type set"):
        transform.protect_many([None, {1}, {}])
    for wrong in (Decimal("NaN"), "\ud800", [math.inf]):
        with pytest.raises(InvalidValue, match="at row 2"):
            transform.protect_many(["a", None, wrong, 5])
    with pytest.raises(WrongType, match="no plain text"):
        Encrypt(keys["a"], fields.CN_MOBILE).protect_many([{}, "13812345678"])
    sealer = transform._sealer
    wrong = [sealer.seal(plain, transform._place) for plain in (b"\x13x", b"\x131", b"\x19{", b"\x00")]
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many([None, *wrong])
    assert caught.value.rows == (1, 3, 4)
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many([None, wrong[0], wrong[1]])
    assert caught.value.rows == (1,)


def test_a_number_of_numpy_is_the_number_that_it_is(keys):
    transform = Encrypt(keys["a"], deterministic=True)
    for value in (np.int64(5), np.float32(0.5), np.True_, np.str_("a")):
        assert transform.protect(value) == transform.protect(value.item())
    assert transform.protect_many([np.int64(5)]) == [transform.protect(5)]


def test_lone_surrogates_are_refused_without_showing_the_text(keys):
    for attempt in (lambda t: t.protect("\ud800x"), lambda t: t.protect_many(["\ud800x", 5])):
        with pytest.raises(InvalidValue, match="lone surrogates") as caught:
            attempt(Encrypt(keys["a"]))
        assert caught.value.__context__ is None


def test_decoding_trusts_no_tag():
    for plaintext in (b"", b"\x00a", b"\x13x", b"\x15x", b"\x171", b"\x19{", b"\x11\xff"):
        with pytest.raises(DecryptionFailed):
            layout.decode(plaintext)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("rows", [3, 60])
@pytest.mark.parametrize(
    "make", [list, object_array, pd.Series, pl.Series, lambda values: pa.array(values, pa.binary())]
)
def test_text_that_is_no_utf8_fails_in_every_container(keys, make, rows, as_text):
    transform = Encrypt(keys["customer.note"])
    torn = [transform._sealer.seal(plain, transform._place) for plain in (b"\x11\xe6\x94", b"\x11\xbe")]
    good = [transform.protect("放门口") for _ in range(rows)]
    assert list(map(str, transform.reveal_column(make(good), as_text=as_text).column)) == ["放门口"] * rows
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_column(make([*good, *torn]), as_text=as_text)
    assert caught.value.rows == (rows, rows + 1)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("tag", sorted({*layout.KINDS, layout.JSON_TAG} - {layout.BYTES_TAG}))
def test_what_is_no_utf8_is_read_as_nothing(keys, tag):
    transform = Encrypt(keys["customer.note"])
    torn = transform._sealer.seal(bytes([tag, 0x31, 0xE6, 0x94]), transform._place)
    for column in ([torn], [torn] * 50, pa.array([torn] * 50)):
        with pytest.raises(DecryptionFailed):
            transform.reveal_many(column)


def test_pandas_takes_for_missing_what_is_no_value(keys):
    for missing in (pd.NaT, pd.NA):
        with pytest.raises(WrongType, match=r"missing value of pandas .* put None in its place"):
            Encrypt(keys["customer.note"]).protect(missing)
        with pytest.raises(WrongType, match=r"at row 1: a missing value of pandas"):
            Encrypt(keys["customer.note"]).protect_many(["a", missing])


def test_numpy_arrays_come_back(transform):
    column = np.array(["a", "放门口"])
    assert transform.reveal_many(transform.protect_many(column)).tolist() == column.tolist()


@pytest.mark.parametrize("indexed", [False, True])
def test_rows_stay_bound_over_a_rotation(keys, indexed):
    from privkit.transforms import BlindIndexOf

    key = keys["a"]
    before = Encrypt(key)
    after = Encrypt(key, index=BlindIndexOf(key)) if indexed else before
    values, rows = ["x", None, "y", "z"], ["r1", "r2", "r3", "r4"]
    old = before.protect_column(values[:3], row=rows[:3]).column
    keys.rotate()
    mixed = [*old, after.protect("z", row="r4")]
    fresh = after.rotate_many(mixed, row=rows)
    assert fresh[3] == mixed[3]
    assert not set(fresh[:3]) & {old[0], old[2]}
    assert after.reveal_column(fresh, row=rows).column == values
    assert after.rotate_many(fresh, row=rows) == fresh
    keys.rotate()
    with pytest.raises(DecryptionFailed) as caught:
        after.rotate_many([fresh[2], None, fresh[0], fresh[3]], row=rows)
    assert caught.value.rows == (0, 2)
