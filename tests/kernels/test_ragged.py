"""Rows of bytes: every way of moving them, against lists of bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import ragged
from privkit._kernels.ragged import Ragged, move, windows

ROWS = st.lists(st.binary(max_size=70) | st.sampled_from([b"", b"a", b"ab" * 150]), max_size=60)
EVEN = st.integers(0, 40).flatmap(lambda width: st.lists(st.binary(min_size=width, max_size=width), max_size=30))


@st.composite
def tables(draw, rows=ROWS | EVEN):
    """Rows, and the same as a table that may be the middle of a larger buffer."""
    values = draw(rows)
    before, after = draw(st.binary(max_size=5)), draw(st.binary(max_size=20))
    table = Ragged.of([before, *values, after])
    return values, Ragged(table.data, table.offsets[1:-1])


def check(table, expected):
    assert table.to_list() == list(expected)
    assert table.offsets.dtype == np.int64
    assert table.data.dtype == np.uint8


@given(tables())
@settings(deadline=None)
def test_reading(case):
    rows, table = case
    check(table, rows)
    assert len(table) == len(rows)
    assert list(table) == [table[row] for row in range(len(rows))] == rows
    assert table.lengths.tolist() == [len(row) for row in rows]
    assert table.width == (len(rows[0]) if len({len(row) for row in rows}) == 1 else None)


@given(st.lists(st.sampled_from([b"", b"a", b"a\x00", b"\x00\x00", b"abc\x00"]), min_size=1), st.integers(0, 3))
@settings(deadline=None)
def test_many_rows_of_few_lengths_are_read_length_by_length(some, before):
    rows = some * 600
    table = Ragged.of(rows)
    read = Ragged(table.data, table.offsets[before:]).to_list()
    assert read == rows[before:]
    assert set(map(type, read)) == {bytes}


@given(tables(), st.data())
@settings(deadline=None)
def test_take(case, data):
    rows, table = case
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=80) if rows else st.just([]))
    check(table.take(np.array(picked, np.intp)), [rows[row] for row in picked])
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), np.bool_)
    check(table.take(mask), [row for row, keep in zip(rows, mask, strict=True) if keep])


@given(tables(), st.data())
@settings(deadline=None)
def test_merge_undoes_take(case, data):
    rows, table = case
    part = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))), np.int64)
    places = [np.flatnonzero(part == number) for number in range(3)]
    check(Ragged.merge(len(rows), [(index, table.take(index)) for index in places]), rows)


@given(st.lists(tables(), max_size=4))
@settings(deadline=None)
def test_concat(cases):
    check(Ragged.concat(table for _, table in cases), [row for rows, _ in cases for row in rows])


@given(tables())
@settings(deadline=None)
def test_groups_by_length(case):
    rows, table = case
    target = Ragged.empty(table.lengths)
    seen = []
    for length, group in table.by_length():
        index = np.arange(len(rows)) if group is None else group
        assert group is not None or len({len(row) for row in rows}) == 1
        assert index.tolist() == [row for row, value in enumerate(rows) if len(value) == length]
        matrix = table.matrix(length, group)
        assert [row.tobytes() for row in matrix] == [rows[row] for row in index]
        target.put(index, matrix)
        seen += index.tolist()
    assert sorted(seen) == list(range(len(rows)))
    check(target, rows)


@given(tables(EVEN))
@settings(deadline=None)
def test_equal_rows_are_a_view(case):
    rows, table = case
    if table.width:
        matrix = table.matrix(table.width)
        assert np.shares_memory(matrix, table.data)
        check(Ragged.of_matrix(matrix), rows)
        check(Ragged.of_matrix(matrix[:, ::-1]), [row[::-1] for row in rows])


@given(tables())
@settings(deadline=None)
def test_the_fronts_of_rows(case):
    rows, table = case
    long = np.array([row for row, value in enumerate(rows) if len(value) >= 3], np.intp)
    assert [row.tobytes() for row in table.matrix(3, long)] == [rows[row][:3] for row in long]


def test_matrices_without_bytes():
    check(Ragged.of_matrix(np.empty((3, 0), np.uint8)), [b"", b"", b""])
    check(Ragged.of_matrix(np.empty((0, 3), np.uint8)), [])
    assert Ragged.of([b"", b""]).matrix(0).shape == (2, 0)
    assert Ragged.of([]).matrix(5).shape == (0, 5)


@pytest.mark.parametrize("size", range(40))
def test_move_touches_nothing_else(size):
    rng = np.random.default_rng(size)
    lengths = rng.integers(0, size + 1, 50)
    source, gap = rng.integers(0, 256, 500, np.uint8), 3
    starts = rng.integers(0, 500 - size, 50)
    places = gap + np.cumsum(lengths + gap) - (lengths + gap)
    target = np.full(int((lengths + gap).sum()) + gap, 255, np.uint8)
    expected = target.copy()
    for start, place, length in zip(starts, places, lengths, strict=True):
        expected[place : place + length] = source[start : start + length]
    move(source, starts, target, places, lengths)
    np.testing.assert_array_equal(target, expected)


def test_move_in_pieces_is_the_same(monkeypatch):
    rows = [bytes([row % 256]) * (row % 90) for row in range(1000)]
    monkeypatch.setattr(ragged, "_MOVE_ROWS", 37)
    monkeypatch.setattr(ragged, "_MOVE_BYTES", 64)
    check(Ragged.of(rows).take(np.arange(1000)[::-1]), rows[::-1])


def test_windows_of_a_buffer_too_small_are_none():
    assert len(windows(np.zeros(3, np.uint8), 4)) == 0
    assert windows(np.arange(4, dtype=np.uint8), 4)[[0]].tobytes() == b"\0\1\2\3"


def test_very_long_rows_are_grouped_too():
    rows = [b"a" * 70_000, b"b", b"c" * 70_000, b""]
    assert {length: index.tolist() for length, index in Ragged.of(rows).by_length()} == {0: [3], 1: [1], 70_000: [0, 2]}
    check(Ragged.of(rows).take(np.array([2, 0])), [rows[2], rows[0]])


def test_the_repr_shows_no_bytes():
    assert "138" not in repr(Ragged.of([b"13812345678"]))


def test_rows_are_the_very_bytes_whatever_a_subclass_says():
    class Empty(bytes):
        def __len__(self):
            return 0

    assert Ragged.of([b"a", Empty(b"bcd"), b"e"]).to_list() == [b"a", b"bcd", b"e"]
