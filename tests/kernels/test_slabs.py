"""Rows stood on end: every block where it belongs, none lost, none written beside its row."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels import short, slabs
from privkit._kernels.blocks import BlockCipher
from privkit._kernels.cmac import Cmac
from privkit._kernels.even import Even
from privkit._kernels.layouts import lay_out
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.short import Short
from privkit._kernels.siv import Siv
from privkit._kernels.slabs import BATCH_BYTES, BATCH_ROWS, Slabs, batches, chunk, combine, slack

LENGTHS = st.lists(st.integers(0, 100), min_size=1, max_size=80)


@pytest.fixture
def _all_in_columns(monkeypatch):
    monkeypatch.setattr(slabs, "_ROW_ALONE", 1 << 40)


@given(st.lists(st.integers(0, 100) | st.sampled_from([1000, 70_000]), min_size=1, max_size=300))
@settings(deadline=None)
def test_every_row_is_laid_out_or_left(lengths):
    lengths = np.array(lengths)
    layout = Slabs(lengths)
    assert sorted([*layout.order, *layout.left]) == list(range(len(lengths)))
    blocks = np.maximum(-(-lengths // 16), 1)
    np.testing.assert_array_equal(layout.blocks, blocks[layout.order])
    np.testing.assert_array_equal((layout.blocks - 1) * 16 + layout.tails, lengths[layout.order])
    assert layout.counts == [int((layout.blocks > column).sum()) for column in range(len(layout.counts))]
    assert layout.bounds[-1] == layout.blocks.sum()
    assert (np.diff(layout.blocks) <= 0).all()


@pytest.mark.usefixtures("_all_in_columns")
def test_columns_hold_the_blocks_from_the_end():
    rows = [b"a" * 16 + b"b" * 16 + b"c" * 3, b"d" * 16 + b"e" * 16, b"f", b""]
    table = Ragged.of([*rows, bytes(16)])
    layout = Slabs(table.lengths[:4])
    blocks = layout.gather(table.data, table.offsets[:4][layout.order])
    columns = [layout.column(blocks, column).tobytes() for column in range(3)]
    last = [columns[0][16 * row :][: int(layout.tails[row])] for row in range(4)]
    assert dict(zip(layout.order.tolist(), last, strict=True)) == {0: b"ccc", 1: b"e" * 16, 2: b"f", 3: b""}
    assert columns[1:] == [b"b" * 16 + b"d" * 16, b"a" * 16]


@given(LENGTHS, st.booleans())
@settings(deadline=None)
def test_scatter_undoes_gather_and_writes_nothing_else(lengths, with_a_block_before):
    rng, gap = np.random.default_rng(len(lengths)), 16 if with_a_block_before else 1
    table = Ragged.of([rng.bytes(length) for length in lengths])
    data, shift = slack(table.data, 0, len(table.data))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs, "_ROW_ALONE", 1 << 40)
        layout = Slabs(table.lengths)
    blocks = layout.gather(data, table.offsets[:-1][layout.order] + shift)
    places = gap + table.offsets[:-1] + gap * np.arange(len(lengths))
    target = np.full(len(table.data) + gap * (len(lengths) + 1), 0xAA, np.uint8)
    expected, before = target.copy(), None
    for row, place in enumerate(places):
        expected[place : place + lengths[row]] = np.frombuffer(table[row], np.uint8)
        if with_a_block_before:
            expected[place - 16 : place] = row
    if with_a_block_before:
        before = np.repeat(layout.order.astype(np.uint8), 16).view(np.uint64).reshape(-1, 2)
    layout.scatter(blocks, target, places[layout.order], before)
    np.testing.assert_array_equal(target, expected)


@given(LENGTHS, st.integers(1, 40), st.integers(1, 500))
@settings(deadline=None)
def test_batches_are_bounded_and_miss_no_row(lengths, rows, size):
    table = Ragged.of([b"framed", *map(bytes, lengths)])
    table = chunk(table, 1, len(table))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs, "BATCH_ROWS", rows)
        patch.setattr(slabs, "BATCH_BYTES", size)
        cuts = list(batches(table))
    assert [first for first, _ in cuts] == [0, *(last for _, last in cuts[:-1])]
    assert cuts[-1][1] == len(lengths)
    for first, last in cuts:
        assert first < last <= first + rows
        assert last == first + 1 or sum(lengths[first:last]) <= size


@given(st.integers(0, 700), st.booleans())
@settings(deadline=None)
def test_blocks_are_combined_with_as_many_or_with_one_for_all(count, in_place):
    rng = np.random.default_rng(count)
    blocks, one = rng.integers(0, 2**64, (count, 2), np.uint64), rng.integers(0, 2**64, (1, 2), np.uint64)
    expected = blocks ^ one
    for others in (one, np.repeat(one, count, axis=0)):
        given_blocks = blocks.copy()
        out = given_blocks if in_place else np.empty_like(blocks)
        combine(np.bitwise_xor, given_blocks, others, out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("width", [0, 1, 16, 20, 33, 128])
def test_equal_rows_are_written_without_a_position_for_each(width):
    layout = lay_out(np.full(50, width), 50 * width)
    assert type(layout) is Even
    assert layout.tails.tolist() == [width - (layout.blocks[0] - 1) * 16] * 50
    assert layout.are_parts.all() == (width < 16)


def test_no_rows_are_no_batches():
    assert list(batches(Ragged.of([]))) == []


def test_slack_is_only_copied_where_there_is_none():
    data = np.arange(100, dtype=np.uint8)
    assert slack(data, 10, 84) == (data, 0)
    copied, shift = slack(data, 10, 85)
    assert len(copied) == 75 + 16
    np.testing.assert_array_equal(copied[10 + shift : 85 + shift], data[10:85])


def beside_the_result(work, *given):
    tracemalloc.start()
    result = work(*given)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    parts = result if isinstance(result, tuple) else (result,)
    arrays = [array for part in parts for array in ([part.data, part.offsets] if isinstance(part, Ragged) else [part])]
    return most - sum(array.nbytes for array in arrays)


def test_memory_does_not_grow_with_the_rows():
    siv, cmac = Siv.of(bytes(64)), Cmac(BlockCipher(bytes(32)))
    lengths = np.random.default_rng(1).integers(0, 60, 8 * BATCH_ROWS)
    table = Ragged.empty(lengths)
    table.data[:] = 7
    each = Ragged.of_matrix(np.zeros((len(table), 8), np.uint8))
    sealed = siv.encrypt_many(table, [b"field", each])
    parts = (table, sealed, each)
    works = (
        lambda table, _, each: siv.encrypt_many(table, [b"field", each]),
        lambda _, sealed, each: siv.decrypt_many(sealed, [b"field", each]),
        lambda table, *_: cmac.digest_many(table),
    )
    for work in works:
        few, many = (
            beside_the_result(work, *(chunk(part, len(part) - rows, len(part)) for part in parts))
            for rows in (3 * BATCH_ROWS, len(table))
        )
        assert many < few + BATCH_BYTES // 16
        assert many < 64_000_000


@pytest.mark.parametrize(
    ("lengths", "fits"),
    [([3], True), ([0, 0], True), ([128] * 3, True), ([129] * 3, False), ([3] * 5 + [40], False), ([3, 64], True)],
)
def test_short_rows_are_those_of_few_blocks_about_as_many_each(lengths, fits):
    assert isinstance(lay_out(np.array(lengths), sum(lengths)), Short) is fits


@given(LENGTHS, st.integers(0, 70), st.booleans())
@settings(deadline=None)
def test_short_rows_come_back_as_they_were(lengths, offset, with_a_block_before):
    rng, gap = np.random.default_rng(len(lengths)), 16 if with_a_block_before else 0
    rows = [rng.bytes(length) for length in lengths]
    table = chunk(Ragged.of([bytes(offset), *rows, bytes(16)]), 1, len(rows) + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("privkit._kernels.layouts._MOST_SPARE", 100)
        layout = lay_out(table.lengths, sum(lengths))
    assert isinstance(layout, Short)
    data, shift = slack(table.data, offset, offset + sum(lengths), layout.reach)
    blocks = layout.gather(data, table.offsets[:-1] + shift)
    last = layout.column(blocks, 0).view(np.uint8)
    for row, content in enumerate(rows):
        tail = int(layout.tails[row])
        assert last[row, :tail].tobytes() == content[len(content) - tail :]
    np.testing.assert_array_equal(layout.first_bytes(blocks)[np.array(lengths) > 0], [row[0] for row in rows if row])
    columns = blocks.reshape(len(layout.counts), -1, 2)  # what is no row's must not be what stood before it
    columns[np.arange(len(columns))[:, None] >= layout.blocks] = 0x55
    tags = [bytes([row]) * gap for row in range(len(rows))]
    places = Ragged.of([tag + row for tag, row in zip(tags, rows, strict=True)]).offsets[:-1] + gap + layout.margin
    target = np.full(layout.margin + sum(lengths) + gap * len(rows) + 16, 0xAA, np.uint8)
    before = np.frombuffer(b"".join(tags), np.uint64).reshape(-1, 2) if gap else None
    layout.scatter(blocks, target, places, before)
    written = target[layout.margin : len(target) - 16].tobytes()
    assert written == b"".join(tag + row for tag, row in zip(tags, rows, strict=True))


class _InAnotherOrder:
    """Windows as a NumPy would have them that writes them in another order than that of the positions."""

    def __init__(self, items, order):
        self.items, self.order = items, order

    def __getitem__(self, index):
        return self.items[index]

    def __setitem__(self, index, values):
        order = self.order(len(values))
        self.items[np.asarray(index)[order]] = values[order]


@pytest.mark.parametrize(
    "order",
    [
        lambda rows: np.arange(rows)[::-1],
        lambda rows: np.random.default_rng(1).permutation(rows),
        lambda rows: np.roll(np.arange(rows), rows // 2),  # as two threads might that begin in two places
        lambda rows: np.arange(rows) if rows < 1000 else np.arange(rows)[::-1],
        lambda rows: np.arange(rows).reshape(-1, 8)[:, ::-1].ravel() if rows % 8 == 0 else np.arange(rows),
    ],
    ids=["backwards", "any", "halves", "backwards if many", "backwards by eight"],
)
def test_rows_are_sorted_where_windows_are_not_written_in_order(monkeypatch, order):
    lengths = np.random.default_rng(2).integers(0, 49, 4096)
    table = Ragged.empty(lengths)
    table.data[:] = np.arange(len(table.data))
    siv = Siv.of(bytes(64))
    sealed = siv.encrypt_many(table)
    monkeypatch.setattr(short, "windows", lambda data, width: _InAnotherOrder(windows(data, width), order))
    short.is_written_in_order.cache_clear()
    try:
        assert type(lay_out(lengths, lengths.sum())) is Slabs
        assert siv.encrypt_many(table).to_list() == sealed.to_list()
        assert siv.decrypt_many(sealed)[0].to_list() == table.to_list()
    finally:
        short.is_written_in_order.cache_clear()


def test_this_numpy_writes_windows_in_order():
    assert short.is_written_in_order()


def test_first_bytes_are_put_where_they_are_read():
    lengths = np.array([40, 3, 17, 16, 33])
    marks = np.arange(1, 6, dtype=np.uint8)
    for layout in (lay_out(lengths, 109), Slabs(lengths)):
        blocks = np.zeros((layout.bounds[-1], 2), np.uint64)
        layout.put_first_bytes(blocks, marks[layout.order])
        np.testing.assert_array_equal(layout.first_bytes(blocks), marks[layout.order])
        assert np.count_nonzero(blocks.view(np.uint8)) == layout.rows
