import base64
import datetime as dt
import sqlite3
import traceback
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, SubjectForgotten
from privkit.keys import Keyring
from privkit.transforms import Encrypt
from privkit.transforms.subjects import MANY, EncryptBySubject

PERSONS = st.sampled_from(["user:1", "user:2", "用户三"])
ROWS = st.lists(st.tuples(st.none() | st.text(max_size=40), PERSONS), max_size=30)
LONG = MANY + 6
"""Rows of one person that are taken as a column."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@pytest.fixture
def own(tmp_path):
    """A keyring in which persons may be forgotten."""
    return Keyring.create(tmp_path / "own.json")


@pytest.fixture(params=[False, True], ids=["randomised", "deterministic"])
def deterministic(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["bytes", "text"])
def transform(request, keys, deterministic):
    return EncryptBySubject(keys, "note", deterministic=deterministic, text=request.param)


def encrypt_of(keys, person, transform):
    return Encrypt(keys.subject(person)["note"], deterministic=transform.deterministic, text=transform.text)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, deterministic=st.booleans(), text=st.booleans())
def test_a_column_is_what_encrypt_writes_person_by_person(rows, deterministic, text, keys):
    transform = EncryptBySubject(keys, "note", deterministic=deterministic, text=text)
    values, persons = [row[0] for row in rows], [row[1] for row in rows]
    protected = transform.protect_many(values, subject=persons)
    assert transform.reveal_many(protected, subject=persons) == values
    singles = [encrypt_of(keys, person, transform) for person in persons]
    assert [one.reveal(sealed) for one, sealed in zip(singles, protected, strict=True)] == values
    written = [one.protect(value) for one, value in zip(singles, values, strict=True)]
    assert transform.reveal_many(written, subject=persons) == values
    if deterministic:
        assert written == protected


def test_single_values_and_columns_read_each_other(keys, transform):
    values, persons = ["a", "", "放门口"], ["user:1", "user:2", "user:1"]
    protected = transform.protect_many(values, subject=persons)
    for value, person, sealed in zip(values, persons, protected, strict=True):
        assert transform.reveal(sealed, subject=person) == value
        assert encrypt_of(keys, person, transform).reveal(transform.protect(value, subject=person)) == value
    assert transform.protect(None, subject="user:1") is None
    assert transform.reveal(None, subject="user:1") is None


def test_many_rows_of_one_person_are_as_few(transform):
    persons = ["user:busy"] * LONG + ["user:quiet"] * 2
    values = [f"note {row}" for row in range(len(persons))]
    protected = transform.protect_many(values, subject=persons)
    assert transform.reveal_many(protected, subject=persons) == values
    assert [transform.reveal(one, subject=who) for one, who in zip(protected, persons, strict=True)] == values
    if transform.deterministic:
        assert protected == [transform.protect(one, subject=who) for one, who in zip(values, persons, strict=True)]
    else:
        assert len(set(protected)) == len(protected)


def test_equal_values_of_two_persons_differ(keys):
    transform = EncryptBySubject(keys, "note", deterministic=True)
    one, other, again = (sealed[5:] for sealed in transform.protect_many(["same"] * 3, subject=["a", "b", "a"]))
    assert one == again != other


@pytest.mark.parametrize(
    "column",
    [
        [b"", b"\x00\xff", None],
        [1, None, 2**62],
        [Decimal("12.50"), None, Decimal("-0.01")],
        [dt.date(1990, 5, 17), None, dt.date(2026, 1, 2)],
        [None, None, None],
    ],
    ids=repr,
)
def test_types_and_nulls_come_back(column, transform):
    protected = transform.protect_many(column, subject=["a", "b", "a"])
    assert [value is None for value in protected] == [value is None for value in column]
    assert transform.reveal_many(protected, subject=["a", "b", "a"]) == column


@pytest.mark.parametrize("wrap", [list, np.array, pa.array, pd.Series, pl.Series], ids=lambda wrap: wrap.__name__)
def test_every_container_holds_values_and_persons(wrap, keys):
    transform = EncryptBySubject(keys, "note")
    column, persons = wrap(["a", "b", "放门口"]), wrap(["x", "y", "x"])
    protected = transform.protect_many(column, subject=persons)
    assert type(protected).__module__ == type(column).__module__
    revealed = transform.reveal_many(protected, subject=["x", "y", "x"])
    assert type(revealed) is type(column)
    assert list(map(str, revealed)) == ["a", "b", "放门口"]


def test_no_rows(transform):
    assert transform.protect_many([], subject=[]) == []
    assert transform.reveal_many([], subject=[]) == []


def test_whole_numbers_name_persons_by_their_digits(keys):
    transform = EncryptBySubject(keys, "note")
    protected = transform.protect_many(["a", "b"], subject=np.array([42, 43]))
    assert transform.reveal(protected[0], subject="42") == transform.reveal(protected[0], subject=42) == "a"


def test_rows_are_bound_one_by_one_and_in_bulk(transform):
    persons = ["a"] * LONG + ["b", "b"]
    values, rows = [str(row) for row in range(LONG + 2)], list(range(LONG + 2))
    protected = transform.protect_many(values, subject=persons, row=rows)
    assert transform.reveal_many(protected, subject=persons, row=rows) == values
    assert transform.reveal(protected[-1], subject="b", row=LONG + 1) == values[-1]
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_column(protected, subject=persons, row=[0, 2, 1, *rows[3:]])
    assert caught.value.rows == (1, 2)


def test_moved_to_another_person_it_fails_as_ever(transform):
    persons = ["a"] * LONG + ["b", "b", "never seen"]
    protected = transform.protect_many(["x"] * (LONG + 3), subject=persons)
    swapped = [*protected]
    swapped[0], swapped[-2] = protected[-2], protected[0]
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many(swapped, subject=persons)
    assert caught.value.rows == (0, LONG + 1)
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_many([None, protected[0]], subject=["a", "who has no key"])
    assert caught.value.rows == (1,)
    messages = set()
    for sealed, person in (
        (protected[0], "b"),
        (protected[0], "who has no key"),
        (protected[0][:-1], "a"),
        (protected[0] + protected[0][:1], "a"),
        (protected[0][:0], "a"),
    ):
        with pytest.raises(DecryptionFailed) as caught:
            transform.reveal(sealed, subject=person)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_forgotten_persons_are_told_by_their_rows(own):
    transform = EncryptBySubject(own, "note")
    persons = ["kept", "gone", None, "gone"] + ["gone too"] * LONG
    values = ["a", "b", None, "c"] + ["d"] * LONG
    protected = transform.protect_many(values, subject=persons)
    for person in ("gone", "gone too"):
        own.forget(person, reason="account closed")
    again = Keyring.open(own._vault.store)
    for keys in (own, again):
        with pytest.raises(SubjectForgotten) as caught:
            EncryptBySubject(keys, "note").reveal_many(protected, subject=persons)
        assert caught.value.rows == (1, 3, *range(4, LONG + 4))
        assert "at rows 1, 3, 4" in str(caught.value)
        assert "gone" not in str(caught.value)
        outcome = EncryptBySubject(keys, "note").reveal_column(protected, subject=persons, on_forgotten="suppress")
        assert outcome.column == ["a"] + [None] * (LONG + 3)
        assert (outcome.rows, outcome.nulls, outcome.invalid) == (LONG + 4, 1, LONG + 2)
        with pytest.raises(SubjectForgotten):
            EncryptBySubject(keys, "note").reveal(protected[1], subject="gone")


def test_nothing_more_is_written_for_forgotten_persons(own):
    transform = EncryptBySubject(own, "note")
    transform.protect("a", subject="gone")
    own.forget("gone")
    with pytest.raises(SubjectForgotten) as caught:
        transform.protect_many(["a", None, "b", "c"], subject=["new", "gone", "gone", "gone"])
    assert caught.value.rows == (2, 3)
    with pytest.raises(SubjectForgotten):
        transform.protect("a", subject="gone")
    assert own.subject("gone").forgotten is not None


def test_what_is_no_ciphertext_fails_even_if_its_person_is_forgotten(own):
    transform = EncryptBySubject(own, "note")
    protected = transform.protect_many(["a", "b"], subject=["gone", "gone"])
    own.forget("gone")
    column = [protected[0], b"\x07" + protected[1][1:], protected[1][:20]]
    with pytest.raises(DecryptionFailed) as caught:
        transform.reveal_column(column, subject=["gone"] * 3, on_forgotten="suppress")
    assert caught.value.rows == (1, 2)
    for sealed in column[1:]:
        with pytest.raises(DecryptionFailed):
            transform.reveal(sealed, subject="gone")


def test_a_small_cache_serves_any_number_of_persons(own):
    own.subjects.capacity = 7
    persons = [f"user:{row * 37 % 50}" for row in range(200)]
    values = [str(row) for row in range(200)]
    transform = EncryptBySubject(own, "note")
    protected = transform.protect_many(values, subject=persons)
    assert transform.reveal_many(protected, subject=persons) == values
    assert len(own.subjects._cache) <= 7


def test_each_person_is_unwrapped_once(own, monkeypatch):
    own.subjects.capacity = 8
    persons = [f"user:{row % 40}" for row in range(400)]
    transform = EncryptBySubject(own, "note")
    protected = transform.protect_many(["x"] * 400, subject=persons)
    counts = []
    unwrapped = type(own.subjects)._unwrapped
    monkeypatch.setattr(
        type(own.subjects), "_unwrapped", lambda self, rows: counts.append(len(rows)) or unwrapped(self, rows)
    )
    transform.reveal_many(protected, subject=persons)
    assert sum(counts) <= 40


def test_reading_makes_no_keys(own):
    transform = EncryptBySubject(own, "note")
    sealed = transform.protect("x", subject="a")
    with pytest.raises(DecryptionFailed):
        transform.reveal_many([sealed, sealed], subject=["b", "c"])
    with sqlite3.connect(own.subjects._there.path) as connection:
        assert connection.execute("SELECT count(*) FROM privkit_subjects").fetchone() == (1,)


def test_a_value_without_a_person_is_refused(transform):
    for persons in (["a", None, "b"], ["a", "", "b"]):
        with pytest.raises(InvalidValue) as caught:
            transform.protect_many(["secret", "secret", None], subject=persons)
        assert caught.value.rows == (1,)
    assert transform.protect_many(["x", None], subject=["a", None])[1] is None
    with pytest.raises(InvalidParameter, match="1 subjects for 2 values"):
        transform.protect_many(["a", "b"], subject=["a"])
    with pytest.raises(InvalidParameter, match="pass text or whole numbers"):
        transform.protect_many(["a"], subject=[1.5])
    with pytest.raises(InvalidParameter):
        transform.protect("a", subject="")
    with pytest.raises(InvalidParameter, match="stars are for masks"):
        transform.reveal_column([], subject=[], on_forgotten="star")


def test_a_field_type_is_checked(keys):
    transform = EncryptBySubject(keys, "phone", fields.CN_MOBILE)
    column, persons = ["13812345678", "12345", None, "13912345678"], ["a", "b", "c", "a"]
    with pytest.raises(InvalidValue) as caught:
        transform.protect_many(column, subject=persons)
    assert caught.value.rows == (1,)
    outcome = transform.protect_column(column, subject=persons, on_invalid="suppress")
    assert (outcome.rows, outcome.nulls, outcome.invalid) == (4, 1, 1)
    assert transform.reveal_many(outcome.column, subject=persons) == ["13812345678", None, None, "13912345678"]
    with pytest.raises(InvalidValue):
        transform.protect("12345", subject="a")


def test_an_alias_of_the_field_reads_the_same(own):
    own.alias("remark", of="note")
    sealed = EncryptBySubject(own, "remark").protect("a", subject="x")
    assert EncryptBySubject(own, "note").reveal(sealed, subject="x") == "a"


def test_lengths_are_as_published(transform):
    assert len(transform.protect("x" * 64, subject="a")) == transform.ciphertext_length(64)


def test_no_failing_call_shows_a_persons_key(own):
    transform = EncryptBySubject(own, "note")
    persons = ["kept", "gone", *["busy"] * LONG]
    protected = transform.protect_many(["secret note"] * len(persons), subject=persons)
    secrets = [one.root.expose() for one in own.subjects._cache.values()]
    assert len(secrets) == 3
    own.forget("gone")
    failing = [
        lambda: transform.reveal_many(protected, subject=persons),
        lambda: transform.reveal_many(protected[::-1], subject=["busy"] * len(persons)),
        lambda: transform.protect_many(["a"] * len(persons), subject=persons),
        lambda: transform.reveal(protected[0][:-1], subject="kept"),
    ]
    for call in failing:
        with pytest.raises((SubjectForgotten, DecryptionFailed)) as caught:
            call()
        below = caught.value.__traceback__.tb_next  # this test's own frame has the keys, of course
        lines = traceback.TracebackException(type(caught.value), caught.value, below, capture_locals=True).format()
        story = "".join(lines) + repr(caught.value)
        assert "in reveal" in story or "in protect" in story
        for secret in secrets:
            for shown in (secret.hex(), base64.b64encode(secret).decode()[:42], repr(secret)[2:-1]):
                assert shown not in story
        assert "secret note" not in str(caught.value)
