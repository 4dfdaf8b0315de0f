"""Every typed transform on every container of text: the column comes back as itself, and as single values would."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from columns.conftest import CONTAINERS, Container, family, indexed, plain, same, type_of
from privkit import fields
from privkit.columns import Kind, repeats
from privkit.errors import InvalidValue
from privkit.keys import Keyring
from privkit.transforms import FormatPreserving, Generalise, Keep, Mask, Surrogate, Token

ROWS = ["13812345678", None, "15900001111", "", "+86 138-1234-5678", "13812345678"]
FILLED = [row for row in ROWS if row is not None]


def two_dictionaries(rows):
    half = len(rows) // 2
    parts = [pa.array(part, pa.string()).dictionary_encode() for part in (rows[:half], rows[half:])]
    return pa.chunked_array(parts, pa.dictionary(pa.int32(), pa.string()))


def null_in_the_dictionary(rows):
    words = list(dict.fromkeys(rows)) or [None]
    indices = pa.array([words.index(row) for row in rows], pa.int16())
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))


def unused_in_the_dictionary(rows):
    words = sorted({row for row in rows if row is not None})
    indices = pa.array([None if row is None else words.index(row) for row in rows], pa.int16())
    return pa.DictionaryArray.from_arrays(indices, pa.array([*words, "no phone"], pa.string()))


ENUM = pl.Enum(sorted(set(FILLED)))
TEXTS = [
    *(each for each in CONTAINERS if each.kind is Kind.TEXT and each.name != "polars enum"),
    Container("polars enum", Kind.TEXT, lambda rows: pl.Series("column", rows, dtype=ENUM)),
    Container("arrow two dictionaries", Kind.TEXT, two_dictionaries),
    Container("arrow null in the dictionary", Kind.TEXT, null_in_the_dictionary),
    Container("arrow unused in the dictionary", Kind.TEXT, unused_in_the_dictionary),
    Container(
        "pandas arrow dictionary",
        Kind.TEXT,
        lambda rows: indexed(rows, pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
    ),
]
TRANSFORMS = ["keep", "mask", "token", "fpe", "generalise", "surrogate"]


@pytest.fixture(scope="module")
def transforms(tmp_path_factory):
    keys = Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")
    hierarchy = tmp_path_factory.mktemp("levels") / "phones.csv"
    hierarchy.write_text("13812345678;east\n15900001111;west\n")
    return {
        "keep": Keep(fields.CN_MOBILE),
        "mask": Mask(fields.CN_MOBILE),
        "token": Token(keys["phone"], fields.CN_MOBILE),
        "fpe": FormatPreserving(fields.CN_MOBILE, keys["phone"]),
        "generalise": Generalise(fields.CN_MOBILE, to="hierarchy", file=hierarchy),
        "surrogate": Surrogate(fields.CN_MOBILE, keys["phone"], like="imei"),
    }


def rows_for(container):
    return ROWS if container.holds_null and not container.name.startswith("numpy U") else FILLED


def is_itself(column, result):
    """Whether the result is of the same family and type; an enumeration is one of the new values."""
    if type_of(column) == ENUM:
        return isinstance(result, pl.Series) and result.dtype == pl.Enum
    if isinstance(column.dtype if isinstance(column, pd.Series) else None, pd.CategoricalDtype):
        return isinstance(result.dtype, pd.CategoricalDtype) and result.index.equals(column.index)
    if getattr(type_of(column), "kind", "") == "U":
        return result.dtype.kind == "U"
    return family(result) is family(column) and type_of(result) == type_of(column)


@pytest.mark.parametrize("word", TRANSFORMS)
@pytest.mark.parametrize("container", TEXTS, ids=lambda each: each.name)
def test_a_column_is_protected_as_its_values_are(container, word, transforms, monkeypatch):
    monkeypatch.setattr(repeats, "_SAMPLE", 16)
    transform = transforms[word]
    rows = rows_for(container)
    for times in (1, 100):
        column = container(rows * times)
        result = transform.protect_many(column)
        assert is_itself(column, result)
        assert plain(result) == [transform.protect(row) for row in rows] * times
        if word == "fpe":
            assert plain(transform.reveal_many(result)) == rows * times


@pytest.mark.parametrize("word", TRANSFORMS)
@pytest.mark.parametrize("container", TEXTS, ids=lambda each: each.name)
def test_columns_without_values_come_back_as_themselves(container, word, transforms):
    for rows in ([], [None, None, None], [""], ["", ""]):
        if None in rows and rows_for(container) is FILLED:
            continue
        column = container(rows)
        result = transforms[word].protect_many(column)
        assert plain(result) == rows
        assert is_itself(column, result)


@pytest.mark.parametrize("container", TEXTS, ids=lambda each: each.name)
def test_kept_is_kept_to_the_letter(container, transforms):
    column = container(rows_for(container) * 50)
    assert same(column, transforms["keep"].protect_many(column))


@pytest.mark.parametrize(
    "container", [each for each in TEXTS if each.name != "polars enum"], ids=lambda each: each.name
)
def test_rows_of_what_is_invalid_are_named(container, transforms, monkeypatch):
    monkeypatch.setattr(repeats, "_SAMPLE", 16)
    rows = [*rows_for(container)[:2], "?", "15900001111"]
    for times in (1, 100):
        column = container(rows * times)
        with pytest.raises(InvalidValue) as caught:
            transforms["token"].protect_many(column)
        assert caught.value.count == times
        assert caught.value.rows == tuple(range(2, 4 * times, 4))[: InvalidValue.MAX_ROWS]
        starred = transforms["mask"].protect_column(column)
        assert starred.invalid == times
        assert plain(starred.column)[2::4] == ["******"] * times


def test_what_no_row_has_is_not_looked_at(transforms):
    column = unused_in_the_dictionary(ROWS * 10)
    result = transforms["token"].protect_many(column)
    assert "no phone" in column.dictionary.to_pylist()
    assert len(result.dictionary) == 3  # of which two are the same number, and one is empty
    assert transforms["mask"].protect_column(column).invalid == 0


def test_a_sorted_dictionary_does_not_show_its_order(transforms):
    words = [f"138000{number:05}" for number in range(1000)]
    indices = pa.array([number * 7919 % 1000 for number in range(1000)], pa.int32())
    result = transforms["token"].protect_many(pa.DictionaryArray.from_arrays(indices, pa.array(words)))
    assert result.indices.to_pylist() == list(range(1000))  # numbered as the rows come, which anybody sees
