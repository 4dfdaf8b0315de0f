"""E-mail addresses in mixed case: read as a column the same as one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue

NAMES = st.text("aAzZ.9@ ä", min_size=0, max_size=4)
DOMAINS = st.text("aBZ.-9@ßÄＡ ", min_size=0, max_size=6)
ADDRESSES = st.builds("{}{}@{}.{}".format, st.sampled_from(["", "", "mailto:", " "]), NAMES, DOMAINS, st.sampled_from(
    ["com", "CN", "Com.", "c0M", "9", "СОМ"]
))  # fmt: skip


def _one(text):
    try:
        return fields.EMAIL.normalise(text)
    except InvalidValue:
        return None


@settings(deadline=None, max_examples=400)
@given(st.lists(ADDRESSES | st.just("Li.Lei@Example.COM") | NAMES.filter(bool), min_size=1, max_size=8))
def test_columns_are_read_as_single_values_are(values):
    reading = fields.EMAIL.read(Ragged.of_text(values))
    expected = [_one(value) for value in values]
    bad = [text is None for text in expected]
    assert reading.text.to_text() == [text or "" for text in expected]
    assert (reading.bad is None) == (not any(bad))
    assert reading.bad is None or reading.bad.tolist() == bad
    assert reading.changed.tolist() == [
        row for row, (text, value) in enumerate(zip(expected, values, strict=True)) if text not in (None, value)
    ]


def test_capitals_take_no_slow_way(monkeypatch):
    monkeypatch.setattr(type(fields.EMAIL), "normalise", None)
    reading = fields.EMAIL.read(Ragged.of_text(["Li.Lei@Example.COM", "li@example.com"] * 40_000))
    assert reading.text.to_text()[-2:] == ["Li.Lei@example.com", "li@example.com"]
    assert reading.changed.tolist() == list(range(0, 80_000, 2))
