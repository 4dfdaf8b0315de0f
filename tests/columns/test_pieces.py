"""Columns worked on piece by piece: the same results and the same errors as whole, for every container."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit.columns import arrow_joins, pieces
from privkit.columns.pieces import by_pieces
from privkit.errors import DecryptionFailed, DomainTooSmall, InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel import FF1, AesSiv, Cmac

KEY = bytes(range(32))
TEXTS = [str(10**6 + 7 * row**3) for row in range(101)]


def in_odd_chunks(rows):
    bounds = [0, 0, 3, 20, 20, 21, len(rows), len(rows)]
    whole = pa.array(rows)
    return pa.chunked_array([whole[first:last] for first, last in pairwise(bounds)])


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "NumPy objects": lambda rows: np.array(rows, object),
    "NumPy S or U": np.array,
    "Arrow": pa.array,
    "Arrow slice": lambda rows: pa.array([rows[0], rows[1], None, *rows, rows[2]])[3:-1],
    "Arrow large": lambda rows: pa.array(rows, pa.large_string() if isinstance(rows[5], str) else pa.large_binary()),
    "Arrow view": lambda rows: pa.array(rows, pa.string_view() if isinstance(rows[5], str) else pa.binary_view()),
    "Arrow chunks": lambda rows: pa.chunked_array([pa.array(rows[:40]), pa.array(rows[40:])]),
    "Arrow odd chunks": in_odd_chunks,
    "pandas": lambda rows: pd.Series(rows, dtype=object),
    "pandas Arrow": lambda rows: pd.Series(rows, dtype=pd.ArrowDtype(pa.array(rows).type)),
    "Polars": pl.Series,
}
OF_TEXT = {"pandas texts": lambda rows: pd.Series(rows, dtype=pd.StringDtype("python"))}


def cut_small(monkeypatch, rows=16, size=1 << 20):
    monkeypatch.setattr(pieces, "PIECE_ROWS", rows)
    monkeypatch.setattr(pieces, "PIECE_BYTES", size)
    monkeypatch.setattr(pieces, "_LEAST_ROWS", 8)


@pytest.fixture(params=[(16, 1 << 20), (1000, 100)], ids=["by rows", "by bytes"])
def small(request, monkeypatch):
    cut_small(monkeypatch, *request.param)


def same(one, other):
    assert type(one) is type(other)
    assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
    assert getattr(one, "type", None) == getattr(other, "type", None)
    if isinstance(one, pa.Array | pa.ChunkedArray):
        one.validate(full=True)
        assert one.equals(other)
        assert one.null_count == other.null_count
    if isinstance(one, pa.ChunkedArray):
        assert [len(chunk) for chunk in one.chunks] == [len(chunk) for chunk in other.chunks]
    assert list(one) == list(other)


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("nulls", [False, True])
def test_pieces_are_the_whole(name, nulls, monkeypatch):
    texts = list(TEXTS)
    if nulls:
        if name == "NumPy S or U":
            pytest.skip("fixed-width arrays have no null")
        texts[3] = texts[20] = texts[100] = None
    values = [None if text is None else text.encode() for text in texts]
    ff1, siv, cmac = FF1(KEY, "0123456789"), AesSiv(KEY), Cmac(KEY)
    column, data, make = CONTAINERS[name](texts), CONTAINERS[name](values), CONTAINERS[name]
    prefixes = [value and value[:3] for value in values]
    beside = make(prefixes)
    works = [
        lambda: ff1.encrypt_many(column, b"t"),
        lambda: ff1.encrypt_many(column, beside),
        lambda: ff1.decrypt_many(column, prefixes),
        lambda: siv.encrypt_many(data, [b"", beside]),
        lambda: siv.decrypt_many(siv.encrypt_many(data, [beside]), [beside]),
        lambda: cmac.digest_many(data),
    ]
    whole = [work() for work in works]
    for rows, size in ((16, 1 << 20), (1000, 100)):
        cut_small(monkeypatch, rows, size)
        for work, expected in zip(works, whole, strict=True):
            same(work(), expected)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", [name for name in CONTAINERS | OF_TEXT if name != "Arrow view"])
def test_columns_are_cut(name):
    cut = []

    def work(piece):
        cut.append(len(piece))
        return piece

    column = (CONTAINERS | OF_TEXT)[name](TEXTS)
    same(by_pieces(work, column), column)
    assert sum(cut) == len(TEXTS)
    assert max(cut) <= 16


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "dtype",
    [
        object,
        "str",
        pd.ArrowDtype(pa.string()),
        pd.StringDtype("python"),
        pd.StringDtype("python", na_value=np.nan),
        pd.StringDtype("pyarrow"),
    ],
    ids=repr,
)
def test_series_keep_index_name_and_nulls(dtype):
    ff1 = FF1(KEY, "0123456789")
    null = np.nan if dtype is object else None
    column = pd.Series([null, *TEXTS[1:], null], pd.RangeIndex(300, 300 - 3 * 102, -3), dtype, name=("a", np.nan))
    result = ff1.encrypt_many(column)
    assert result.dtype == column.dtype
    assert result.index.equals(column.index)
    assert result.name == column.name
    assert result[300] is column[300]
    assert result.tolist()[1:-1] == ff1.encrypt_many(TEXTS[1:])
    pd.testing.assert_series_equal(ff1.decrypt_many(result), column)
    named = pl.Series("a", [None, *TEXTS])
    assert ff1.decrypt_many(ff1.encrypt_many(named)).equals(named, check_names=True)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("make", [list, pa.array, lambda rows: np.array(rows, object)])
def test_errors_name_all_rows(make):
    ff1, siv = FF1(KEY, "0123456789"), AesSiv(KEY)
    texts = list(TEXTS)
    texts[2] = texts[99] = "12345x7"
    with pytest.raises(InvalidValue, match="alphabet") as caught:
        ff1.encrypt_many(make(texts))
    assert caught.value.rows == (2, 99)
    texts[50], texts[0] = "1", None
    with pytest.raises(DomainTooSmall) as caught:
        ff1.encrypt_many(make(texts))
    assert caught.value.rows == (50,)
    sealed = siv.encrypt_many([text.encode() for text in TEXTS])
    sealed[7] = sealed[70] = bytes(20)
    with pytest.raises(DecryptionFailed) as caught:
        siv.decrypt_many(make(sealed))
    assert caught.value.rows == (7, 70)


@pytest.mark.usefixtures("small")
def test_what_is_refused_whole_is_refused():
    ff1, siv = FF1(KEY, "0123456789"), AesSiv(KEY)
    for column in ([*TEXTS, 1], [*TEXTS, b"1234567"], np.array([TEXTS]), np.array("1234567"), {"1234567"}):
        with pytest.raises((WrongType, InvalidParameter)):
            ff1.encrypt_many(column)
    for tweaks in ([b"t"] * 100, "t" * 101, {b"t": 1}, np.array(b"t"), 7, None, np.array([[b"t"]] * 101)):
        with pytest.raises(InvalidParameter):
            ff1.encrypt_many(TEXTS, tweaks)
        with pytest.raises(InvalidParameter):
            siv.encrypt_many([text.encode() for text in TEXTS], [tweaks])


def test_fixed_widths_grow(small):
    del small
    rows = np.array([b"a" * (1 + row % 40) for row in range(400)])
    siv = AesSiv(KEY)
    sealed = siv.encrypt_many(rows)
    assert sealed.tolist() == siv.encrypt_many(rows.tolist())
    assert siv.decrypt_many(sealed).tolist() == rows.tolist()


def test_offsets_beyond_31_bits_become_large(small, monkeypatch):
    del small
    monkeypatch.setattr(arrow_joins, "INT32_MAX", 300)
    done = by_pieces(lambda column: column, pa.array(TEXTS))
    assert done.type == pa.large_string()
    assert done.to_pylist() == TEXTS


@pytest.mark.parametrize("rows", [100_000, 800_000])
@pytest.mark.parametrize("container", ["array", "chunks", "series"])
def test_memory_does_not_grow_with_rows(monkeypatch, rows, container):
    monkeypatch.setattr(pieces, "PIECE_ROWS", 1 << 13)
    digits = np.full(rows * 12, ord("7"), np.uint8)
    offsets = np.arange(0, rows * 12 + 1, 12, dtype=np.int32)
    column = pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(digits)])
    if container == "chunks":
        column = pa.chunked_array([column.slice(first, 50_000) for first in range(0, rows, 50_000)])
    elif container == "series":
        column = pd.Series(column, dtype=pd.ArrowDtype(pa.string()))
    ff1 = FF1(KEY, "0123456789")
    tracemalloc.start()
    result = ff1.encrypt_many(column)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most - result.nbytes < 6e6
    assert len(result) == rows
