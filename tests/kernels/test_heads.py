import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels.heads import add_head, add_mark, cut_mark, read_heads, write_heads
from privkit._kernels.ragged import Ragged
from privkit._kernels.siv import Siv

ROWS = st.lists(st.binary(max_size=40), max_size=50)


def part_of_a_longer_one(rows):
    whole = Ragged.of([b"before", *rows, b"behind"])
    return Ragged(whole.data, whole.offsets[1:-1])


@settings(deadline=None)
@given(rows=ROWS, mark=st.integers(0, 255), head=st.binary(min_size=1, max_size=9))
def test_heads_and_marks(rows, mark, head):
    for table in (Ragged.of(rows), part_of_a_longer_one(rows)):
        marked = add_mark(table, mark)
        assert marked.to_list() == [bytes([mark]) + row for row in rows]
        marks, rest = cut_mark(marked)
        assert (marks.tolist(), rest.to_list()) == ([mark] * len(rows), rows)
        headed = add_head(table, head)
        assert headed.to_list() == [head + row for row in rows]
        assert read_heads(headed, len(head)).tolist() == [list(head)] * len(rows)


def test_heads_are_written_in_place():
    rows = add_mark(Ragged.of([b"ab", b"", b"cde"]), 0)
    write_heads(rows, np.array([[1], [2], [3]], np.uint8))
    assert rows.to_list() == [b"\x01ab", b"\x02", b"\x03cde"]


@pytest.mark.parametrize("count", [0, 1, 39, 40, 300])
def test_siv_leaves_room_and_passes_over_it(count):
    siv = Siv.of(bytes(range(64)))
    rows = Ragged.of([b"x" * (row % 70) for row in range(count)])
    plain = siv.encrypt_many(rows, [b"ad"])
    roomy = siv.encrypt_many(rows, [b"ad"], room=21)
    write_heads(roomy, np.full((count, 21), 7, np.uint8))
    assert roomy.to_list() == [b"\x07" * 21 + row for row in plain.to_list()]
    back, failed = siv.decrypt_many(roomy, [b"ad"], room=21)
    assert back.to_list() == rows.to_list()
    assert not failed.any()


def test_rows_shorter_than_their_room_fail():
    siv = Siv.of(bytes(range(64)))
    good = siv.encrypt_many(Ragged.of([b"a"] * 50), [], room=21).to_list()
    rows = Ragged.of([b"", b"x", b"x" * 36, *good, b"x" * 20])
    back, failed = siv.decrypt_many(rows, [], room=21)
    assert failed.tolist() == [True] * 3 + [False] * 50 + [True]
    assert back.to_list() == [b""] * 3 + [b"a"] * 50 + [b""]


LENGTHS = st.lists(st.sampled_from([0, 1, 14, 15, 16, 17, 30, 31, 32, 33, 70, 200]), min_size=1, max_size=12)


@settings(deadline=None)
@given(lengths=LENGTHS, repeats=st.sampled_from([1, 9, 60]), room=st.integers(0, 21), data=st.data())
def test_siv_takes_marks_apart_from_their_rows(lengths, repeats, room, data):
    siv = Siv.of(bytes(range(64)))
    content = [bytes([row % 251]) * size for row, size in enumerate(lengths * repeats)]
    marks = np.arange(len(content), dtype=np.uint8) | 1
    own = Ragged.of([b"row %d" % row for row in range(len(content))])
    apart = siv.encrypt_many(part_of_a_longer_one(content), [b"ad", own], room=room, marks=marks)
    write_heads(apart, np.zeros((len(content), room), np.uint8))
    marked = add_mark(Ragged.of(content), marks)
    together = siv.encrypt_many(marked, [b"ad", own], room=room)
    write_heads(together, np.zeros((len(content), room), np.uint8))
    assert apart.to_list() == together.to_list()

    damaged = apart.to_list()
    wrong = data.draw(st.sets(st.integers(0, len(content) - 1), max_size=5))
    for row in wrong:
        damaged[row] = data.draw(
            st.sampled_from(
                [
                    b"",
                    damaged[row][:-1],
                    bytes(room) + siv.encrypt(b"", [b"ad", own[row]]),  # authentic, and without a mark
                    bytes(room + 40),
                ]
            )
        )
    found = np.full(len(content), 255, np.uint8)
    back, failed = siv.decrypt_many(part_of_a_longer_one(damaged), [b"ad", own], room=room, marks=found)
    assert set(np.flatnonzero(failed).tolist()) == wrong
    assert back.to_list() == [b"" if row in wrong else one for row, one in enumerate(content)]
    assert found.tolist() == [0 if row in wrong else mark for row, mark in enumerate(marks.tolist())]


def test_marks_of_many_rows_pass_through_several_batches():
    siv = Siv.of(bytes(range(64)))
    rows = [b"x" * (row * 7 % 67) for row in range(70_000)]
    marks = (np.arange(len(rows)) % 256).astype(np.uint8)
    sealed = siv.encrypt_many(Ragged.of(rows), [b"ad"], marks=marks)
    found = np.empty(len(rows), np.uint8)
    back, failed = siv.decrypt_many(sealed, [b"ad"], marks=found)
    assert back.to_list() == rows
    assert found.tolist() == marks.tolist()
    assert not failed.any()
