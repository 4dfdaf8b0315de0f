import math
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit.errors import InvalidParameter, InvalidValue
from privkit.keys import Keyring
from privkit.transforms import Noise, noise

AMOUNTS = st.decimals(-(10**9), 10**9, places=2) | st.decimals(-(10**3), 10**3, places=0) | st.decimals(-1, 1, places=9)
LONG = st.sampled_from([Decimal("123456789012345678901234567890.12"), Decimal(10**17), Decimal("0." + "1" * 30)])


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


def _amounts(count):
    return [f"{number}.{number % 100:02}" for number in range(count)]


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(st.tuples(st.none() | AMOUNTS | LONG, st.integers(0, 3)), min_size=1, max_size=10),
    scale=st.sampled_from([0.01, 5, Decimal("12.5"), 10**12]),
    places=st.sampled_from([None, None, 0, 2, 9]),
    distribution=st.sampled_from(["laplace", "uniform"]),
)
def test_one_and_many_agree_and_scale_stays(keys, rows, scale, places, distribution):
    make = Noise(fields.AMOUNT, keys["amount"], scale=scale, places=places, distribution=distribution)
    texts = [None if number is None else fields.AMOUNT.normalise(format(number, "f")) for number, _ in rows]
    subjects = [subject for _, subject in rows]
    out = make.protect_many(texts, subject=subjects)
    assert out == [make.protect(text, subject=subject) for text, subject in zip(texts, subjects, strict=True)]
    for before, after in zip(texts, out, strict=True):
        if before is None:
            assert after is None
            continue
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", after)
        assert after.strip("-0.") or "-" not in after
        wanted = len(before.partition(".")[2]) if places is None else places
        assert len(after.partition(".")[2]) == wanted
        assert abs(Decimal(after) - Decimal(before)) <= Decimal(37) * Decimal(str(scale)) + 1


def test_the_exact_way_gives_what_the_fast_one_does(keys, monkeypatch):
    texts = ["12.50", "-0.05", "7", "0", "-99999.999", "0.0000001"] * 20
    subjects = list(range(120))
    makers = [Noise(fields.AMOUNT, keys["amount"], scale=3, places=places) for places in (None, 0, 1, 4)]
    fast = [make.protect_many(texts, subject=subjects) for make in makers]
    monkeypatch.setattr(noise, "_WIDEST", -1)
    assert fast == [make.protect_many(texts, subject=subjects) for make in makers]


@settings(deadline=None, max_examples=200)
@given(st.floats(2.0**-53, 1.0))
def test_the_logarithm_is_that_of_the_library(number):
    assert math.isclose(noise._logarithm(np.array([number]))[0], math.log(number), rel_tol=1e-14, abs_tol=1e-16)


def test_laplace_is_spread_as_it_says(keys):
    make = Noise(fields.AMOUNT, keys["amount"], scale=5, places=6)
    texts = _amounts(20_000)
    out = make.protect_many(texts, subject=["a"] * len(texts))
    off = np.array([float(Decimal(after) - Decimal(before)) for before, after in zip(texts, out, strict=True)])
    # Of the mean the standard error is 5 * sqrt(2 / n) = 0.05, of the mean deviation 5 / sqrt(n) = 0.035.
    assert abs(off.mean()) < 0.25
    assert abs(np.abs(off).mean() - 5) < 0.18
    assert abs((np.abs(off) > 5 * math.log(2)).mean() - 0.5) < 0.02


def test_uniform_is_spread_as_it_says(keys):
    make = Noise(fields.AMOUNT, keys["amount"], scale=5, places=6, distribution="uniform")
    texts = _amounts(20_000)
    out = make.protect_many(texts, subject=["a"] * len(texts))
    off = np.array([float(Decimal(after) - Decimal(before)) for before, after in zip(texts, out, strict=True)])
    assert abs(off).max() <= 5
    assert (np.abs(np.histogram(off, 10, (-5, 5))[0] - 2000) < 6 * 2000**0.5).all()


def test_subject_value_recipient_and_key_each_change_the_noise(keys):
    texts, subjects = ["100.000000"] * 40, list(range(40))
    base = Noise(fields.AMOUNT, keys["amount"], scale=5).protect_many(texts, subject=subjects)
    assert base == Noise(fields.AMOUNT, keys["amount"], scale=5).protect_many(texts, subject=subjects)
    assert len(set(base)) == 40
    assert not set(base) & set(
        Noise(fields.AMOUNT, keys["amount"], scale=5, recipient="").protect_many(texts, subject=subjects)
    )
    assert not set(base) & set(Noise(fields.AMOUNT, keys["other"], scale=5).protect_many(texts, subject=subjects))
    make = Noise(fields.AMOUNT, keys["amount"], scale=5, places=6)
    ends = make.protect_many(["1", "11"], subject=["11", "1"])  # the same characters, parted elsewhere
    assert Decimal(ends[0]) - 1 != Decimal(ends[1]) - 11


@pytest.mark.parametrize(
    ("column", "places"),
    [
        (pa.array([Decimal("12.50"), None, Decimal("-3.00")], pa.decimal128(12, 2)), None),
        (pa.array([1000, None, 3000], pa.int32()), None),
        (pd.Series([12.5, None, 3.0]), 2),
        (pl.Series("amount", [12.5, None, 3.0]), 2),
        (np.array([12.5, 3.0, 0.125]), 3),
        ([Decimal("12.50"), None, Decimal(3)], None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_containers_come_back_as_they_were(keys, column, places):
    make = Noise(fields.AMOUNT, keys["amount"], scale=50, places=places)
    out = make.protect_many(column, subject=["a", "b", "c"])
    assert type(out) is type(column)
    assert getattr(out, "type", getattr(out, "dtype", None)) == getattr(column, "type", getattr(column, "dtype", None))
    assert str(out) != str(column)
    assert str(make.protect_many(column, subject=pd.Series(["a", "b", "c"]))) == str(out)


def test_floats_need_their_places_said(keys):
    with pytest.raises(InvalidParameter, match="floats have no scale"):
        Noise(fields.AMOUNT, keys["amount"], scale=5).protect(12.5, subject="a")


def test_what_is_no_number_is_named_by_its_rows(keys):
    make = Noise(fields.AMOUNT, keys["amount"], scale=5)
    with pytest.raises(InvalidValue) as caught:
        make.protect_many([None, "12.50", "", "x"], subject=["a"] * 4)
    assert caught.value.rows == (3,)
    outcome = make.protect_column([None, "12.50", "", "x"], subject=["a"] * 4, on_invalid="suppress")
    assert (outcome.invalid, outcome.nulls, outcome.column[2:]) == (1, 1, ["", None])


def test_parameters_are_checked(keys):
    for scale in (0, -1, float("nan"), float("inf"), True, 1e13, "x"):
        with pytest.raises(InvalidParameter, match="scale"):
            Noise(fields.AMOUNT, keys["amount"], scale=scale)
    for places in (-1, 10, True, 2.0):
        with pytest.raises(InvalidParameter, match="places"):
            Noise(fields.AMOUNT, keys["amount"], scale=1, places=places)
    with pytest.raises(InvalidParameter, match="distribution"):
        Noise(fields.AMOUNT, keys["amount"], scale=1, distribution="normal")
    with pytest.raises(InvalidParameter, match="no number"):
        Noise(fields.DATE, keys["amount"], scale=1)
