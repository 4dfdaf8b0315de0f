"""Every type of the catalogue: what it takes, what it refuses, and that columns are read as single values are."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fields.examples import ANYTHING, EXAMPLES, INVALID
from fields.samples import written
from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields.base import CHUNK

ALL = sorted(fields.CATALOGUE)
TAKEN = [(name, *pair) for name, pairs in EXAMPLES.items() for pair in pairs]
REFUSED = [(name, value) for name, values in INVALID.items() for value in values if value]


def test_every_type_has_examples():
    assert set(EXAMPLES) == set(ALL)
    assert set(INVALID) | ANYTHING == set(ALL)


@pytest.mark.parametrize(("name", "value", "canonical"), TAKEN)
def test_values_are_brought_into_canonical_form(name, value, canonical):
    kind = fields.get(name)
    assert kind.normalise(value) == canonical
    assert kind.normalise(canonical) == canonical


@pytest.mark.parametrize("value", ["256.1.1.1", "1.2.3.4/24", "01.2.3.4", "::1.2.3.04"])
def test_no_error_of_another_library_goes_along_with_the_value(value):
    with pytest.raises(InvalidValue) as caught:
        fields.IP_ADDRESS.normalise(value)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_is_no_value_is_refused_without_being_quoted(name, value):
    with pytest.raises(InvalidValue) as caught:
        fields.get(name).normalise(value)
    assert caught.value.field_type == name
    assert caught.value.reason
    assert len(value) < 4 or value.strip() not in str(caught.value)
    assert not isinstance(caught.value.__context__, ValueError)  # of the standard library's, many say the value


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_column_is_read_as_its_values_are(name, data):
    kind = fields.get(name)
    rows = data.draw(st.lists(written(name), min_size=1, max_size=8))
    text = Ragged.of_text(rows)
    expected = [_normalised(kind, row) for row in rows]
    for row, normal, known in zip(rows, expected, kind.recognise(text).tolist(), strict=True):
        assert not known or normal == row
    reading = kind.read(text)
    assert reading.text.to_text() == [normal or "" for normal in expected]
    bad = [normal is None for normal in expected]
    assert (reading.bad.tolist() if reading.bad is not None else [False] * len(rows)) == bad
    changed = [row for row, normal in enumerate(expected) if normal is not None and normal != rows[row]]
    assert reading.changed.tolist() == changed


@pytest.mark.parametrize("name", ALL)
def test_rows_within_a_larger_buffer_are_read_alike(name):
    values = [canonical for _, canonical in EXAMPLES[name]]
    whole = Ragged.of_text(["~", *values, "~"])
    part = Ragged(whole.data, whole.offsets[1:-1])
    kind = fields.get(name)
    assert kind.recognise(part).tolist() == kind.recognise(Ragged.of_text(values)).tolist()
    for mask in kind.masks.values():
        assert mask.many(part).to_text() == [mask.one(value) for value in values]


@pytest.mark.parametrize(
    "name", ["cn_mobile", "bank_card", "cn_resident_id", "birth_date", "ip_address", "email", "amount"]
)
def test_canonical_values_need_no_second_look(name):
    values = [canonical for _, canonical in EXAMPLES[name] if canonical.isascii() and ":" not in canonical]
    values = [value for value in values if len(value) != 15 or name != "cn_resident_id"]
    assert fields.get(name).recognise(Ragged.of_text(values)).all()


def test_normalising_twice_is_normalising_once_for_timestamps_of_columns():
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=dt.UTC)
    assert fields.TIMESTAMP.normalise(moment.isoformat()) == moment.isoformat()


def test_types_say_what_they_are():
    for kind in fields.CATALOGUE.values():
        assert kind.title
        assert not kind.title_zh.isascii()
        assert kind.basis
        assert set(kind.masks) == {"display", "waybill", "log", "analytics"}
        assert repr(kind) == f"<field type {kind.name}>"


def test_what_opens_an_account_is_never_released():
    assert {name for name, kind in fields.CATALOGUE.items() if not kind.releasable} == {
        "password", "security_answer", "biometric_template",
    }  # fmt: skip


def test_high_sensitivity_is_where_the_norm_has_it():
    high = {name for name, kind in fields.CATALOGUE.items() if kind.sensitivity is fields.Sensitivity.HIGH}
    assert {"biometric_template", "payment_account", "bank_card", "cn_resident_id", "password"} <= high


def _normalised(kind, row):
    try:
        return kind.normalise(row)
    except InvalidValue:
        return None


def test_long_columns_are_read_in_parts_without_a_seam():
    rows = ["192.0.2.1", "198.51.100.20", "2001:db8::1", "203.0.113.3"] * (CHUNK // 2)
    rows[CHUNK] = "2001:DB8::2"
    rows[CHUNK + 1] = "not an address"
    kind = fields.IP_ADDRESS
    reading = kind.read(Ragged.of_text(rows))
    assert np.flatnonzero(reading.bad).tolist() == [CHUNK + 1]
    assert reading.changed.tolist() == [CHUNK]
    rows[CHUNK : CHUNK + 2] = ["2001:db8::2", ""]
    assert reading.text.to_text() == rows
    good = [row for row in rows if row]
    level, mask = kind.levels["prefix"](), kind.masks["display"]
    known = {row: (level.one(row), mask.one(row)) for row in set(good)}
    text = Ragged.of_text(good)
    assert level.many(text).to_text() == [known[row][0] for row in good]
    assert mask.many(text).to_text() == [known[row][1] for row in good]


def test_dashes_of_one_row_do_not_count_for_another():
    rows = ["6f1d4a3b-0c2e-4f5a-9b7d-8-6f5a4b3c2d", "6f1d4a3b-0c2e-4f5a-9b7d08e6f5a4b3c2d"]
    assert fields.OAID.recognise(Ragged.of_text(rows)).tolist() == [False, False]
