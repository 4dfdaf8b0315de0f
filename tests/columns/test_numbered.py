"""Dictionaries and categories, views and integers: what comes out is what a list gives, whatever numbers the values."""

import tracemalloc
from contextlib import contextmanager
from itertools import pairwise
from unittest import mock

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.columns import equals, lift, numbering, pieces
from privkit.columns.arrow_dictionaries import each_once
from privkit.columns.numbering import in_order, order_of
from privkit.errors import DecryptionFailed, DomainTooSmall, InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel import FF1, AesSiv, Cmac, IntegerPermutation

KEY = bytes(range(32))
CIPHER, SIV, CMAC, NUMBERS = FF1(KEY, "0123456789"), AesSiv(KEY), Cmac(KEY), IntegerPermutation(KEY, 10**6)
TEXTS = st.lists(st.none() | st.text("012", min_size=6, max_size=14), max_size=60)


@contextmanager
def small():
    """Pieces, spans and groups of a few rows, so that each column has several."""
    with (
        mock.patch.multiple(pieces, PIECE_ROWS=16, PIECE_BYTES=200, _LEAST_ROWS=8),
        mock.patch.multiple(numbering, _SPAN=8, _BLOCK=8),
        mock.patch.object(equals, "GROUP", 8),
    ):
        yield


def bytes_of(rows):
    return [row.encode() if isinstance(row, str) else row for row in rows]


def integers_of(rows):
    return [None if row is None else int(row[:5]) for row in rows]


def in_chunks(array):
    """Chunks with dictionaries of their own, some of them empty."""
    cuts = [0, 0, len(array) // 3, len(array) // 2, len(array), len(array)]
    parts = [array.slice(first, last - first) for first, last in pairwise(cuts)]
    return pa.chunked_array([part.cast(array.type.value_type).dictionary_encode() for part in parts])


def with_codes(array, of):
    return pa.DictionaryArray.from_arrays(array.indices.cast(of), array.dictionary)


def in_disorder(array):
    """The same rows over a dictionary that is turned round, holds values twice, a null, and one that nothing takes."""
    values = array.dictionary.to_pylist()[::-1]
    wrong = {str: "no digits", bytes: b"?", int: 10**6}[type(values[0])] if values else None
    values = [None, wrong, *values, *values[:2]]
    turned = [None if row is None else len(array.dictionary) + 1 - row for row in array.indices.to_pylist()]
    turned = [
        (0 if row is None else row + len(array.dictionary) if row < 4 and place % 2 else row)
        for place, row in enumerate(turned)
    ]
    indices = pa.array([min(row, len(values) - 1) for row in turned], pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, array.dictionary.type))


ARROW = {
    "plain": lambda array: array,
    "view": lambda array: array.cast(pa.string_view() if array.type == pa.string() else pa.binary_view()),
    "view slice": lambda array: pa.concat_arrays([array[:2], array]).cast(ARROW["view"](array).type)[
        2 if len(array) > 1 else len(array) :
    ],
    "view chunks": lambda array: pa.chunked_array([ARROW["view"](array[:9]), ARROW["view"](array[9:])]),
    "dictionary": lambda array: array.dictionary_encode(),
    "dictionary slice": lambda array: pa.concat_arrays([array, array]).dictionary_encode()[len(array) :],
    "dictionary, disorder": lambda array: in_disorder(array.dictionary_encode()),
    "dictionary chunks": lambda array: in_chunks(array.dictionary_encode()),
    "dictionary of one, chunks": lambda array: pa.chunked_array(
        [array.dictionary_encode()[:7], array.dictionary_encode()[7:]]
    ),
    "dictionary of one, empty chunks": lambda array: pa.chunked_array(
        [array.dictionary_encode()[first:last] for first, last in ((0, 0), (0, 7), (7, 7), (7, len(array)))]
    ),
}
TYPED = {
    f"codes {of}": lambda array, of=of: with_codes(array.dictionary_encode(), of)
    for of in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.uint32(), pa.int64(), pa.uint64())
}
LARGE = {
    "dictionary of large": lambda array: array.cast(
        pa.large_string() if array.type == pa.string() else pa.large_binary()
    ).dictionary_encode(),
    "dictionary of views": lambda array: pa.DictionaryArray.from_arrays(
        array.dictionary_encode().indices, ARROW["view"](array.dictionary_encode().dictionary)
    ),
    "dictionary of views, empty chunks": lambda array: pa.chunked_array(
        [part := LARGE["dictionary of views"](array), part[:0]]
    ),
}
SERIES = {
    "pandas category": lambda array: pd.Series(array.to_pylist(), range(7, 7 + len(array)), "category", "name"),
    "pandas category of objects": lambda array: pd.Series(pd.Categorical(pd.Series(array.to_pylist(), dtype=object))),
    "pandas dictionary": lambda array: pd.Series(
        array.dictionary_encode(), dtype=pd.ArrowDtype(array.dictionary_encode().type)
    ),
    "pandas view": lambda array: pd.Series(ARROW["view"](array), dtype=pd.ArrowDtype(ARROW["view"](array).type)),
}
POLARS = {
    "categorical": lambda array: pl.Series("name", array).cast(pl.Categorical),
    "enum": lambda array: pl.Series("name", array).cast(pl.Enum(sorted({*array.drop_null().to_pylist(), "unused"}))),
}


def rows_of(column):
    rows = (
        column.to_pylist()
        if hasattr(column, "to_pylist")
        else column.to_list()
        if isinstance(column, pl.Series)
        else column.tolist()
    )
    return [None if row is None or pd.isna(row) else row for row in rows]


def check(column, rows, work, *beside):
    with small():
        done = work(column, *beside)
    assert type(done) is type(column)
    assert rows_of(done) == work(rows, *beside)
    for attribute in ("name", "dtype", "type"):
        old, new = getattr(column, attribute, None), getattr(done, attribute, None)
        assert old == new or isinstance(new, pd.CategoricalDtype | pl.Enum) or pa.types.is_dictionary(new)
    if isinstance(done, pd.Series):
        assert done.index.equals(column.index)
    if isinstance(done, pa.ChunkedArray):
        assert [len(chunk) for chunk in done.chunks] == [len(chunk) for chunk in column.chunks]
    if isinstance(done, pa.Array | pa.ChunkedArray):
        done.validate(full=True)
        assert done.null_count == sum(row is None for row in rows)
        if pa.types.is_dictionary(done.type):
            assert_written_as_rows_are(done, column.type)
    return done


def assert_written_as_rows_are(done, of):
    """Each value once, in the order in which the rows have them, and the type of the codes."""
    assert done.type.index_type == of.index_type
    for part in done.chunks if isinstance(done, pa.ChunkedArray) else [done]:
        values = part.dictionary.to_pylist()
        assert len(set(values)) == len(values)
    if isinstance(done, pa.DictionaryArray):
        assert values == list(dict.fromkeys(row for row in done.to_pylist() if row is not None))


@settings(deadline=None, max_examples=25)
@given(rows=TEXTS, tail=st.integers(0, 9))
@pytest.mark.parametrize("name", ARROW | TYPED | LARGE | SERIES | POLARS)
def test_texts_are_as_in_a_list(name, rows, tail):
    column = (ARROW | TYPED | LARGE | SERIES | POLARS)[name](pa.array(rows, pa.string()))
    tweaks = [b"%d" % (row * tail % 7) for row in range(len(rows))]
    check(column, rows, CIPHER.encrypt_many, b"tweak")
    check(column, rows, CIPHER.decrypt_many)
    check(column, rows, CIPHER.encrypt_many, tweaks)
    check(column, rows, CIPHER.decrypt_many, pa.array(tweaks, pa.binary()))


@settings(deadline=None, max_examples=25)
@given(rows=TEXTS.map(bytes_of))
@pytest.mark.parametrize("name", [*ARROW, *TYPED, *LARGE, "pandas category", "pandas dictionary", "pandas view"])
def test_bytes_are_as_in_a_list(name, rows):
    column = (ARROW | TYPED | LARGE | SERIES)[name](pa.array(rows, pa.binary()))
    beside = [row and row[:2] for row in rows]
    check(column, rows, CMAC.digest_many)
    for context in ([b"context"], [beside]):
        sealed = check(column, rows, SIV.encrypt_many, context)
        check(sealed, SIV.encrypt_many(rows, context), SIV.decrypt_many, context)


@settings(deadline=None, max_examples=25)
@given(rows=TEXTS.map(integers_of))
@pytest.mark.parametrize(
    "make",
    [
        pa.array,
        lambda rows: pa.chunked_array([pa.array(rows[:5], pa.uint32()), pa.array(rows[5:], pa.uint32())]),
        lambda rows: pa.array(rows, pa.int64()).dictionary_encode(),
        lambda rows: in_disorder(pa.array(rows, pa.int32()).dictionary_encode()),
        lambda rows: in_chunks(pa.array(rows, pa.int32()).dictionary_encode()),
        lambda rows: pd.Series(rows, range(3, 3 + len(rows)), "Int64", "name"),
        lambda rows: pd.Series(rows, dtype=pd.ArrowDtype(pa.int64())),
        lambda rows: pd.Series(pd.array(rows, "Int32")).astype("category"),
        lambda rows: pl.Series("name", rows, pl.Int64),
    ],
    ids=[
        "Arrow",
        "chunks",
        "dictionary",
        "disorder",
        "dictionary chunks",
        "pandas",
        "pandas Arrow",
        "category",
        "Polars",
    ],
)
def test_integers_are_as_in_a_list(make, rows):
    if not any(row is not None for row in rows):
        rows = [*rows, 7]
    column = make(rows)
    tweaks = [b"%d" % (row % 5) for row in range(len(rows))]
    check(column, rows, NUMBERS.encrypt_many)
    check(column, rows, NUMBERS.decrypt_many, tweaks)


@given(rows=st.lists(st.lists(st.none() | st.binary(max_size=20), max_size=30), max_size=4))
@settings(deadline=None)
def test_bytes_of_a_fixed_size(rows):
    rows = [row and (row * 7)[:7].ljust(7, b"-") for part in rows for row in part]
    rows = [row or None for row in rows]
    for column in (pa.array(rows, pa.binary(7)), pa.array(rows, pa.binary(7)).dictionary_encode()):
        with small():
            sealed, digests = SIV.encrypt_many(column), CMAC.digest_many(column)
        assert sealed.to_pylist() == SIV.encrypt_many(rows)
        assert digests.to_pylist() == CMAC.digest_many(rows)
        with small():
            assert SIV.decrypt_many(sealed).to_pylist() == rows


@given(codes=st.lists(st.integers(0, 40), max_size=80), size=st.integers(41, 60))
@settings(deadline=None)
def test_order_is_that_of_first_appearance(codes, size):
    array = np.array(codes, np.uint8)
    expected = list(dict.fromkeys(codes))
    with small():
        assert list(order_of([array[:30], array[30:]], size)) == expected
        order, renumbered = in_order(array, size)
    assert list(order) == expected
    assert [order[code] for code in renumbered] == codes


def test_an_order_that_is_there_already_takes_no_memory():
    assert order_of([np.array([0, 1, 1]), np.array([0, 2])], 9) == range(3)
    assert order_of([], 9) == range(0)


@given(rows=st.lists(st.binary(max_size=2), max_size=200))
@pytest.mark.parametrize("of", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.int64()], ids=str)
@settings(deadline=None, max_examples=40)
def test_each_once(of, rows):
    rows = [int.from_bytes(row) for row in rows] if of == pa.int64() else rows
    with small():
        values, numbers = each_once(pa.array(rows, of))
    assert len(set(values.to_pylist())) == len(values)
    assert [values[row].as_py() for row in (range(len(rows)) if numbers is None else numbers)] == rows


MAKE = {
    "dictionary": lambda rows: pa.array(rows).dictionary_encode(),
    "disorder": lambda rows: in_disorder(pa.array(rows).dictionary_encode()),
    "chunks": lambda rows: in_chunks(pa.array(rows).dictionary_encode()),
    "category": lambda rows: pd.Series(rows, dtype="category"),
}


@pytest.mark.parametrize("values", [100, 200])
def test_numbers_that_pass_their_type_on_the_way_have_it_again_where_the_values_fit(values):
    rows = [f"{row % values:07}" for row in range(400)]
    done = check(
        pa.array(rows).dictionary_encode().cast(pa.dictionary(pa.uint8(), pa.string())),
        rows,
        CIPHER.encrypt_many,
        [b"t"] * 400,
    )
    assert done.type.index_type == pa.uint8()


@pytest.mark.parametrize("name", MAKE)
def test_errors_name_the_rows_and_all_of_them(name):
    rows = [f"{10**6 + number % 30}" for number in range(100)]
    rows[2] = rows[99] = "12345x7"
    rows[50] = None
    with small(), pytest.raises(InvalidValue, match="alphabet") as caught:
        CIPHER.encrypt_many(MAKE[name](rows))
    assert caught.value.rows == (2, 99)
    assert caught.value.count == 2
    rows[7] = rows[60] = "1"
    with small(), pytest.raises(DomainTooSmall) as caught:
        CIPHER.encrypt_many(MAKE[name](rows))
    assert caught.value.rows == (7, 60)
    sealed = SIV.encrypt_many([row and row.encode() for row in rows])
    sealed[3] = sealed[70] = bytes(20)
    with small(), pytest.raises(DecryptionFailed) as caught:
        SIV.decrypt_many(MAKE[name](sealed))
    assert caught.value.rows == (3, 70)
    with small(), pytest.raises(InvalidValue) as caught:
        NUMBERS.encrypt_many(MAKE[name]([10**6, 7, None, 10**6, 8] * 9))
    assert caught.value.count == 18


@pytest.mark.parametrize("tweaks", [b"t", [b"t"] * 3])
@pytest.mark.parametrize("of", [object, pd.StringDtype("python")], ids=str)
def test_a_category_that_is_no_unicode_is_refused_with_its_rows(of, tweaks):
    names = pd.Index(["unused", "111111", "11111\ud800"], dtype=of)
    column = pd.Series(pd.Categorical.from_codes([2, 1, 2], categories=names))
    with pytest.raises(InvalidValue, match="lone surrogates") as caught:
        CIPHER.encrypt_many(column, tweaks)
    assert caught.value.positions == (0, 2)


def test_a_category_keeps_its_categories_where_they_hold_the_results():
    column = pd.Series(["1000000", "2000000"] * 20, dtype="category")
    moved = CIPHER.encrypt_many(column)
    both = sorted({*column, *moved})
    column = pd.Series(pd.Categorical(column, categories=both[::-1], ordered=True))
    assert CIPHER.encrypt_many(column).dtype == column.dtype


@given(rows=TEXTS, known=st.booleans())
@pytest.mark.parametrize("dtype", [object, "str", "string[python]", pd.ArrowDtype(pa.string())], ids=str)
@settings(deadline=None, max_examples=20)
def test_categories_are_each_there_once_in_the_order_of_the_rows(dtype, rows, known):
    column = pd.Series(rows, dtype=dtype).astype("category")
    before = column.copy(deep=True)
    with small():
        results = [CIPHER.encrypt_many(column), CIPHER.encrypt_many(column, [b"tweak"] * len(rows))]
    for result, tweak in zip(results, (b"", b"tweak"), strict=True):
        expected = CIPHER.encrypt_many(rows, tweak)
        assert result.cat.categories.tolist() == list(dict.fromkeys(row for row in expected if row is not None))
        assert not np.may_share_memory(result.array.codes, column.array.codes)  # which may be written to
        if known:
            old = pd.CategoricalDtype(sorted({*rows, *expected} - {None}, reverse=True), ordered=True)
            held = CIPHER.encrypt_many(pd.Series(rows, dtype=object).astype(old), tweak)
            assert (held.dtype, rows_of(held)) == (old, expected)
    pd.testing.assert_series_equal(column, before)


@given(rows=st.lists(st.none() | st.binary(max_size=2), min_size=1, max_size=80))
@settings(deadline=None)
def test_values_that_have_become_one_are_one_category(rows):
    def shorten(piece, *beside):
        del beside
        short = pd.Series([row if pd.isna(row) else b"---" + row[:1] for row in piece.tolist()], dtype=object)
        return short if piece.dtype == object else short.astype("category")

    column = pd.Series(rows, dtype=object).astype("category")
    expected = [None if row is None else b"---" + row[:1] for row in rows]
    with small():
        results = [pieces.by_pieces(shorten, column, beside) for beside in ([], [[b""] * len(rows)])]
    for result in results:
        assert rows_of(result) == expected
        assert set(result.cat.categories) == {*expected} - {None}


@pytest.mark.parametrize("column", [pd.Series([1.5, 2.5], dtype="category"), pa.array([1.5, None]).dictionary_encode()])
def test_values_of_another_kind_are_refused(column):
    with pytest.raises(WrongType):
        CIPHER.encrypt_many(column)
    with pytest.raises(InvalidParameter):
        NUMBERS.encrypt_many(column)


@pytest.mark.parametrize("tweaks", [[b"t"] * 3, "t", 7, None, [b"t"] * 39 + [None]])
def test_tweaks_that_are_refused(tweaks):
    for column in (pa.array(["1000000"] * 40).dictionary_encode(), pd.Series(["1000000"] * 40, dtype="category")):
        with small(), pytest.raises((InvalidParameter, InvalidValue)):
            CIPHER.encrypt_many(column, tweaks)


@pytest.mark.parametrize("rows", [200_000, 1_600_000])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("nulls", [False, True])
def test_memory_does_not_grow_with_rows(rows, turned, nulls):
    values = pa.array([f"{10**6 + number}" for number in range(1000)])
    codes = np.arange(rows, dtype=np.int32) % 1000
    codes = 999 - codes if turned else codes
    gone = np.arange(rows) % 7 == 0 if nulls else None
    column = pa.DictionaryArray.from_arrays(pa.array(codes, mask=gone), values)
    tracemalloc.start()
    result = CIPHER.encrypt_many(column)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most - (column.indices.nbytes if turned or nulls else 0) < 6e6  # what has other codes than the column
    assert len(result) == rows


@given(rows=st.lists(st.none() | st.text("01", max_size=12), max_size=200))
@pytest.mark.parametrize("of", [pa.int8(), pa.uint64()], ids=str)
@settings(deadline=None, max_examples=40)
def test_what_is_lifted_whole_comes_back_with_each_value_once(of, rows):
    column = with_codes(pa.array(rows, pa.string()).dictionary_encode(), of)
    lifted = lift(column)
    with small():
        back = lifted.restore(lifted.values, lifted.kind)
    back.validate(full=True)
    assert back.type == column.type
    assert back.to_pylist() == rows
    assert len(set(back.dictionary.to_pylist())) == len(back.dictionary)
