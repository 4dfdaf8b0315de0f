"""NaN is null to a field type, whatever holds it, and comes out as the container's own null."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from columns.conftest import plain
from privkit import fields
from privkit.columns import repeats
from privkit.errors import InvalidValue
from privkit.keys import Keyring
from privkit.transforms import Encrypt, FormatPreserving, Generalise, Keep, Mask, Noise, Token

PHONE = 13812345678.0
ROWS = [PHONE, math.nan, 15900001111.0, math.nan, PHONE]
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "numpy": np.array,
    "numpy objects": lambda rows: np.array(rows, object),
    "arrow": pa.array,
    "arrow chunks": lambda rows: pa.chunked_array([rows[:2], [], rows[2:]], pa.float64()),
    "arrow dictionary": lambda rows: pa.array(rows, pa.float64()).dictionary_encode(),
    "polars": lambda rows: pl.Series("phone", rows, pl.Float64),
    "pandas": lambda rows: pd.Series(rows, dtype="float64"),
    "pandas objects": lambda rows: pd.Series(rows, dtype=object),
    "pandas category": lambda rows: pd.Series(rows, dtype="category"),
    "pandas arrow": lambda rows: pd.Series(pd.array(pa.array(rows), pd.ArrowDtype(pa.float64()))),
}
HOLDS_NULL = [name for name in CONTAINERS if name not in ("numpy", "pandas", "pandas category")]


@pytest.fixture(scope="module")
def transforms(tmp_path_factory):
    keys = Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")
    return {
        "keep": Keep(fields.CN_MOBILE),
        "mask": Mask(fields.CN_MOBILE),
        "token": Token(keys["phone"], fields.CN_MOBILE),
        "fpe": FormatPreserving(fields.CN_MOBILE, keys["phone"]),
        "generalise": Generalise(fields.AMOUNT, to="band", edges=[14e9]),
        "noise": Noise(fields.AMOUNT, keys["amount"], scale=9, places=0),
    }


def subject(word, column):
    return {"subject": ["one person"] * len(column)} if word == "noise" else {}


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("word", ["keep", "mask", "token", "fpe", "generalise", "noise"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_nan_is_null_in_every_container(name, word, times, transforms, monkeypatch):
    monkeypatch.setattr(repeats, "_SAMPLE", 16)
    column, transform = CONTAINERS[name](ROWS * times), transforms[word]
    outcome = transform.protect_column(column, **subject(word, column))
    alone = {} if word != "noise" else {"subject": "one person"}
    assert plain(outcome.column) == [transform.protect(row, **alone) for row in ROWS] * times
    assert [row is None for row in plain(outcome.column)] == [math.isnan(row) for row in ROWS] * times
    assert (outcome.rows, outcome.nulls, outcome.invalid) == (5 * times, 2 * times, 0)
    if word in ("keep", "fpe", "noise"):
        assert getattr(outcome.column, "dtype", None) == getattr(column, "dtype", None) or "category" in name
    if word == "fpe":
        assert (
            plain(transform.reveal_many(outcome.column)) == [None if math.isnan(row) else row for row in ROWS] * times
        )


@pytest.mark.parametrize("word", ["mask", "fpe", "noise"])
@pytest.mark.parametrize("name", HOLDS_NULL)
def test_nan_and_null_stand_beside_each_other(name, word, transforms):
    column = CONTAINERS[name]([None, math.nan, PHONE])
    outcome = transforms[word].protect_column(column, **subject(word, column))
    assert plain(outcome.column)[:2] == [None, None]
    assert outcome.nulls == 2


@pytest.mark.parametrize("name", CONTAINERS)
def test_nothing_but_nan(name, transforms):
    outcome = transforms["mask"].protect_column(CONTAINERS[name]([math.nan] * 3))
    assert plain(outcome.column) == [None] * 3
    assert outcome.nulls == 3


@pytest.mark.parametrize("name", CONTAINERS)
def test_other_floats_that_are_no_number_are_invalid_as_before(name, transforms):
    column = CONTAINERS[name]([PHONE, math.nan, math.inf])
    with pytest.raises(InvalidValue) as caught:
        transforms["token"].protect_many(column)
    assert list(caught.value.rows) == [2]
    masked = transforms["mask"].protect_column(column)
    assert (plain(masked.column), masked.nulls, masked.invalid) == (["138****5678", None, "******"], 1, 1)
    suppressed = transforms["fpe"].protect_column(column, on_invalid="suppress")
    assert plain(suppressed.column)[1:] == [None, None]
    assert (suppressed.nulls, suppressed.invalid) == (1, 1)


def test_no_nan_needs_a_subject(transforms):
    noise = transforms["noise"]
    assert noise.protect_many([math.nan, 5.0], subject=[None, "one person"])[0] is None
    assert noise.protect_column([5.0, math.nan, math.inf], subject=["a"] * 3, on_invalid="suppress").invalid == 1


def test_encryption_hides_nan_as_the_float_that_it_is(tmp_path):
    encrypt = Encrypt(Keyring.create(tmp_path / "keyring.json")["phone"])
    sealed = encrypt.protect_many([PHONE, math.nan])
    assert sealed[1] is not None
    assert math.isnan(encrypt.reveal_many(sealed)[1])
    assert math.isnan(encrypt.reveal(encrypt.protect(math.nan)))
