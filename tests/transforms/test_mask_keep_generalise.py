import datetime as dt

import pyarrow as pa
import pytest

from privkit import fields
from privkit.errors import InvalidParameter, InvalidValue
from privkit.transforms import Generalise, Keep, Mask


def test_a_mask_shows_the_canonical_form():
    mask = Mask(fields.CN_MOBILE)
    assert mask.protect("+86 138 1234 5678") == "138****5678"
    assert mask.protect_many(["+86 138 1234 5678", None, "", "15900001111"]) == ["138****5678", None, "", "159****1111"]


@pytest.mark.parametrize("odd", ["1381234567", "韩梅梅", "*" * 11, " ", "1" * 500, "13812345678,13812345678"])
def test_a_mask_fails_closed(odd):
    assert Mask(fields.CN_MOBILE).protect(odd) == "******"
    outcome = Mask(fields.CN_MOBILE).protect_column(["13812345678", odd])
    assert (outcome.column, outcome.invalid) == (["138****5678", "******"], 1)


@pytest.mark.parametrize(
    "transform", [Mask(fields.CN_MOBILE), Mask(fields.TEXT), Keep(fields.TEXT), Keep(fields.EMAIL)]
)
def test_text_that_utf_8_cannot_hold_is_refused_alone_and_in_a_column(transform):
    with pytest.raises(InvalidValue, match="lone surrogates"):
        transform.protect("a\ud800")
    with pytest.raises(InvalidValue, match="lone surrogates") as caught:
        transform.protect_many(["", "a\ud800"])
    assert caught.value.rows == (1,)


def test_a_mask_raises_or_suppresses_when_told_to():
    with pytest.raises(InvalidValue) as caught:
        Mask(fields.CN_MOBILE).protect_column([None, "", "12345"], on_invalid="raise")
    assert caught.value.rows == (2,)
    outcome = Mask(fields.CN_MOBILE).protect_column([None, "", "12345", "13812345678"], on_invalid="suppress")
    assert (outcome.column, outcome.nulls, outcome.invalid) == ([None, "", None, "138****5678"], 1, 1)


def test_generic_masks():
    mask = Mask(fields.USER_NAME, first=1, last=1)
    assert mask.protect("hanmeimei")[0] == "h"
    assert mask.protect("hanmeimei")[-1] == "i"
    assert "anmeime" not in mask.protect("hanmeimei")


@pytest.mark.parametrize("wrong", [{"profile": "dsplay"}, {"profile": "display", "first": 1}, {"first": -1}])
def test_masks_that_there_are_not(wrong):
    with pytest.raises(InvalidParameter):
        Mask(fields.CN_MOBILE, **wrong)


def test_numbers_and_dates_are_masked_as_text():
    assert Mask(fields.CN_MOBILE).protect(13812345678) == "138****5678"
    assert Mask(fields.CN_MOBILE).protect_many(pa.array([13812345678, None])).to_pylist() == ["138****5678", None]


def test_keep_hands_back_the_very_column():
    column = pa.array(["+86 138 1234 5678", None, ""])
    assert Keep(fields.CN_MOBILE).protect_many(column) is column
    assert Keep(fields.CN_MOBILE).protect("+86 138 1234 5678") == "+86 138 1234 5678"
    day = dt.date(1990, 5, 17)
    assert Keep(fields.BIRTH_DATE).protect(day) == day


def test_keep_lets_nothing_else_through():
    with pytest.raises(InvalidValue):
        Keep(fields.CN_MOBILE).protect("韩梅梅")
    outcome = Keep(fields.CN_MOBILE).protect_column(["韩梅梅", "+86 138 1234 5678", None], on_invalid="suppress")
    assert outcome.column == [None, "+86 138 1234 5678", None]
    assert (outcome.nulls, outcome.invalid) == (1, 1)


@pytest.mark.parametrize("field", [fields.PASSWORD, fields.BIOMETRIC_TEMPLATE, fields.SECURITY_ANSWER], ids=str)
@pytest.mark.parametrize("transform", [Keep, Mask])
def test_what_may_never_leave_is_refused(field, transform):
    with pytest.raises(InvalidParameter, match="drop it"):
        transform(field)


def test_generalise_one_and_many():
    year = Generalise(fields.BIRTH_DATE, to="year")
    assert year.protect("1990-05-17") == year.protect(dt.date(1990, 5, 17)) == "1990"
    assert year.protect_many(["1990-05-17", None, "", "1990/5/17"]) == ["1990", None, "", "1990"]
    assert year.protect_many(pa.array([dt.date(1990, 5, 17), None])).to_pylist() == ["1990", None]


@pytest.mark.parametrize("wrong", [{"to": "yaer"}, {"to": "year", "width": 3}, {"to": "band"}])
def test_levels_that_there_are_not(wrong):
    with pytest.raises(InvalidParameter):
        Generalise(fields.BIRTH_DATE, **wrong)


@pytest.mark.parametrize("make", [list, pa.array, lambda values: pa.array(values).dictionary_encode()], ids=repr)
@pytest.mark.parametrize("on_invalid", ["star", "suppress"])
def test_repeated_values_are_treated_like_any_others(make, on_invalid):
    piece = ["13812345678", None, "", "+86 159 0000 1111", "12345"]
    few = Mask(fields.CN_MOBILE).protect_column(piece, on_invalid=on_invalid)
    many = Mask(fields.CN_MOBILE).protect_column(make(piece * 20_000), on_invalid=on_invalid)
    out = many.column if isinstance(many.column, list) else many.column.to_pylist()
    assert out == few.column * 20_000
    assert (many.rows, many.nulls, many.invalid) == (100_000, 20_000, 20_000)


def test_repeated_values_name_all_their_rows():
    with pytest.raises(InvalidValue) as caught:
        Keep(fields.CN_MOBILE).protect_many(pa.array(["13812345678", None, "12345"] * 20_000))
    assert caught.value.count == 20_000
    assert caught.value.rows[:2] == (2, 5)
