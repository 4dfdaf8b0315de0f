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
