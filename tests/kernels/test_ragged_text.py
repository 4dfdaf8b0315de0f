"""Text into rows of bytes and back, whatever separators it has inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels.ragged import Ragged

ROWS = st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["", "\n", "a\nb", "王", "13"]))


@settings(deadline=None)
@given(ROWS)
def test_rows_come_back(rows):
    ragged = Ragged.of_text(rows)
    assert ragged.to_list() == [row.encode() for row in rows]
    assert ragged.to_text() == rows
    assert (ragged.offsets[0], ragged.offsets[-1]) == (0, len("".join(rows).encode()))


@settings(deadline=None)
@given(st.integers(0, 6).flatmap(lambda size: st.lists(st.text("\0\nab1", min_size=size, max_size=size))))
def test_rows_of_one_length_come_back(rows):
    ragged = Ragged.of_text(rows)
    assert ragged.to_list() == [row.encode() for row in rows]
    assert ragged.to_text() == rows


@settings(deadline=None)
@given(ROWS, st.integers(0, 5), st.integers(0, 5))
def test_a_part_of_a_buffer(rows, before, after):
    whole = Ragged.of_text(rows)
    part = Ragged(whole.data, whole.offsets[before : max(before + 1, len(whole.offsets) - after)])
    if len(part.offsets):
        assert part.to_text() == rows[before : before + len(part)]


def test_a_character_across_two_rows_is_no_text():
    torn = Ragged(np.frombuffer("王".encode(), np.uint8), np.array([0, 1, 3]))
    with pytest.raises(UnicodeDecodeError):
        torn.to_text()


def test_other_types_are_refused():
    with pytest.raises(TypeError):
        Ragged.of_text(["a", None])


def test_the_repr_shows_no_value():
    assert repr(Ragged.of_text(["13812345678", ""])) == "<Ragged of 2 rows>"
