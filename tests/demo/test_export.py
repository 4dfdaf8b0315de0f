"""The demo export: valid by the check rules, repeatable, and as dirty as asked."""

import base64
import binascii
import csv
import datetime as dt
import ipaddress
import re
import unicodedata
import uuid
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import imei, luhn
from stdnum.iso7064 import mod_11_2

from privkit.demo import SCHEMA, batches, write
from privkit.demo.dirty import SPOILERS
from privkit.errors import InvalidParameter
from privkit.fields import divisions

ROWS = 20_000
CUSTOMER_COLUMNS = [
    "customer_name", "gender", "birth_date", "ethnicity", "mobile", "email", "landline", "province", "city", "county",
    "address_detail", "postcode", "user_name", "password", "resident_id", "bank_card", "imei", "oaid", "device_model",
    "health_note", "religion", "face_template",
]  # fmt: skip
SPARSE = {"health_note", "religion"}


def table_of(rows: int, **options) -> pa.Table:
    return pa.Table.from_batches(batches(rows, **options), SCHEMA)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return table_of(ROWS, seed=3)


@pytest.fixture(scope="module")
def rows(table) -> list[dict]:
    return table.to_pylist()


def present(table: pa.Table, column: str) -> list:
    return table[column].drop_null().to_pylist()


def is_ric(value: str) -> bool:
    return bool(re.fullmatch(r"\d{17}[\dX]", value)) and mod_11_2.is_valid(value) and is_day(value[6:14])


def is_day(digits: str) -> bool:
    try:
        dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_uuid(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value)) and str(uuid.UUID(value)) == value


IS_VALID = {
    "gender": lambda value: value in {"男", "女"},
    "ethnicity": lambda value: re.fullmatch(r"[\u4e00-\u9fff]{1,4}族", value) and value != "不明族",
    "mobile": lambda value: re.fullmatch(r"1[3-9]\d{9}", value),
    "email": lambda value: re.fullmatch(r"[a-z0-9]+@[a-z0-9]+(\.[a-z]+)+", value),
    "landline": lambda value: re.fullmatch(r"0(10|2\d)-[2-8]\d{7}|0[3-9]\d\d-[2-8]\d{6,7}", value),
    "postcode": lambda value: re.fullmatch(r"\d{6}", value),
    "resident_id": is_ric,
    "bank_card": lambda value: re.fullmatch(r"62\d{14}|62\d{17}", value) and luhn.is_valid(value),
    "ip_address": is_ip,
    "imei": lambda value: re.fullmatch(r"86\d{13}", value) and imei.is_valid(value),
    "oaid": is_uuid,
}
"""Validators of our own, or python-stdnum's and the standard library's."""


@pytest.mark.parametrize("column", IS_VALID)
def test_every_value_is_valid_by_its_check_rules(table, column):
    values = present(table, column)
    assert len(values) > 0.9 * ROWS
    assert [value for value in values if not IS_VALID[column](value)] == []


@pytest.mark.parametrize("size", [0, 1, 100])
def test_small_sizes_have_the_schema(size):
    table = table_of(size)
    assert table.num_rows == size
    assert table.schema == SCHEMA
    table.validate(full=True)


def test_arrays_are_sound(table):
    table.validate(full=True)
    for batch in table.to_batches():
        for column in batch.columns:
            assert column.equals(pa.array(column.to_pylist(), column.type))  # also the counts of nulls


def test_one_cell_in_a_hundred_is_null():
    large = table_of(200_000, seed=5)
    for column in large.column_names:
        share = large[column].null_count / large.num_rows
        if column == "order_id":
            assert share == 0
        elif column in SPARSE:
            assert 0.2 < share < 0.8
        else:
            assert share == pytest.approx(0.01, abs=0.0025)


@pytest.mark.parametrize("column", ["review", "search_words", "health_note"])
def test_empty_texts_are_not_null(table, column):
    assert 0.005 < pc.sum(pc.equal(table[column], "")).as_py() / ROWS < 0.1


@settings(deadline=None, max_examples=20)
@given(rows=st.integers(0, 300), seed=st.integers(), cut=st.integers(1, 301), dirty=st.sampled_from([0.0, 0.3]))
def test_the_export_does_not_depend_on_its_batches(rows, seed, cut, dirty):
    whole = table_of(rows, seed=seed, dirty=dirty)
    parts = list(batches(rows, seed=seed, dirty=dirty, batch_rows=cut))
    assert all(part.num_rows <= cut for part in parts)
    assert pa.Table.from_batches(parts).combine_chunks().equals(whole.combine_chunks())


def test_another_seed_gives_another_export(table):
    other = table_of(ROWS, seed=4)
    for column in ("mobile", "resident_id", "address_detail", "amount", "ip_address", "tracking_number"):
        same = pc.sum(pc.equal(table[column], other[column])).as_py()
        assert same < ROWS / 100


def test_customers_stay_the_same_in_each_of_their_orders(rows):
    faces = defaultdict(set)
    for row in rows:
        if row["password"] is not None:
            faces[row["password"]].add(tuple(row[column] for column in CUSTOMER_COLUMNS))
    assert all(len(face) == 1 for face in faces.values())
    assert ROWS * 0.25 < len(faces) < ROWS * 0.4


def test_orders_have_ids_of_their_own_and_ascending_times(table):
    times = present(table, "order_time")
    assert pc.count_distinct(table["order_id"]).as_py() == ROWS
    assert times == sorted(times)
    assert {time.year for time in times} == {2025}
    assert all(len(order) == 18 and order.isdecimal() for order in table["order_id"].to_pylist())


def test_resident_ids_agree_with_birthday_sex_and_a_real_county(rows):
    known = divisions.table()
    seen = [row for row in rows if row["resident_id"] is not None]
    for row in seen:
        value = row["resident_id"]
        assert int(value[:6]) in known.names
        assert row["birth_date"] is None or value[6:14] == f"{row['birth_date']:%Y%m%d}"
        assert row["gender"] is None or "女男"[int(value[16]) % 2] == row["gender"]
    assert len({row["resident_id"][-1] for row in seen}) == 11


def test_addresses_are_real_divisions(rows):
    known = divisions.table()
    for row in rows[:3000]:
        province, city, county = row["province"], row["city"], row["county"]
        if None in {province, city, county}:
            continue
        assert any(known.path(code) == (province, city, county) for code in known.find(county, level="county"))


def test_postcodes_belong_to_their_province(rows):
    prefixes = defaultdict(set)
    for row in rows:
        if row["province"] and row["postcode"]:
            prefixes[row["province"]].add(row["postcode"][:2])
    assert len(prefixes) == 31
    assert all(len(found) == 1 for found in prefixes.values())
    assert prefixes["广东省"] == {"51"}


def test_names_are_of_all_kinds(table):
    names = set(present(table, "customer_name"))
    assert any("·" in name for name in names)
    assert any(name.startswith(("欧阳", "上官", "诸葛", "司徒", "皇甫")) for name in names)
    assert any(max(name) > "\uffff" for name in names)  # beyond the Basic Multilingual Plane
    assert all(unicodedata.category(letter) in {"Lo", "Po"} for name in names for letter in name)
    first = pc.utf8_slice_codeunits(table["customer_name"], 0, 1)
    assert pc.mean(pc.is_in(first, pa.array(list("王李张刘陈")))).as_py() == pytest.approx(0.28, abs=0.06)


def test_reviews_hold_what_breaks_a_naive_csv(table):
    reviews = set(present(table, "review"))
    for character in (",", '"', "\n", "，", "😍"):
        assert any(character in review for review in reviews)


def test_both_versions_of_ip_addresses_occur(table):
    versions = [ipaddress.ip_address(value).version for value in present(table, "ip_address")]
    assert 0.05 < versions.count(6) / len(versions) < 0.11


def test_amounts_and_stays_are_plausible(table):
    assert 5 < pc.min(table["amount"]).as_py() < pc.max(table["amount"]).as_py() < 20_000
    assert 1 <= pc.min(table["stay_seconds"]).as_py() < pc.max(table["stay_seconds"]).as_py() <= 1800


def test_face_templates_are_base64(table):
    for template in present(table, "face_template")[:100]:
        try:
            assert len(base64.b64decode(template, validate=True)) == 24
        except binascii.Error:
            pytest.fail("not base64")


@pytest.mark.parametrize("share", [0.001, 0.05, 1.0])
def test_dirt_is_as_much_as_asked_and_never_valid(share):
    count = 50_000 if share < 1 else 2_000
    clean, dirty = table_of(count, seed=9), table_of(count, seed=9, dirty=share)
    for column in SCHEMA.names:
        pairs = zip(clean[column].to_pylist(), dirty[column].to_pylist(), strict=True)
        changed = [new for old, new in pairs if new != old]
        if column not in SPOILERS:
            assert changed == []
            continue
        assert len(changed) / (count - clean[column].null_count) == pytest.approx(
            share, rel=0.6 if share < 0.01 else 0.1
        )
        assert [value for value in changed if value is None or IS_VALID[column](value)] == []


@pytest.mark.parametrize(
    ("rows", "options"),
    [(-1, {}), (1, {"batch_rows": 0}), (1, {"batch_rows": 1 << 21}), (1, {"dirty": 1.5}), (1, {"dirty": -0.1})],
)
def test_impossible_numbers_are_refused_at_once(rows, options):
    with pytest.raises(InvalidParameter):
        batches(rows, **options)


def test_parquet_comes_back_as_it_was(tmp_path, table):
    path = tmp_path / "export.parquet"
    seen = []
    write(path, ROWS, seed=3, batch_rows=6_000, progress=seen.append)
    assert seen == [6_000, 12_000, 18_000, 20_000]
    assert pq.read_table(path).equals(table)
    assert [entry.name for entry in tmp_path.iterdir()] == ["export.parquet"]


@pytest.mark.parametrize("size", [0, 500])
def test_csv_keeps_nulls_and_empty_texts_apart(tmp_path, size):
    path = tmp_path / "export.csv"
    write(path, size, seed=3)
    expected = table_of(size, seed=3)
    with path.open(encoding="utf-8", newline="") as lines:
        header, *records = csv.reader(lines)
    assert header == SCHEMA.names
    assert len(records) == size
    for column, name in enumerate(header):
        shown = ["" if value is None else str(value) for value in expected[name].to_pylist()]
        assert [record[column] for record in records] == shown
    text = path.read_text(encoding="utf-8")
    assert text.count(',""') >= sum(
        pc.sum(pc.equal(expected[name], "")).as_py() or 0 for name in ("review", "search_words")
    )
    assert (",," in text) == (size > 0)


def test_a_failed_run_leaves_no_file(tmp_path):
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "export.csv"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write(path, 10, progress=stop)
    assert [entry.name for entry in tmp_path.iterdir()] == ["export.csv"]
    assert path.read_text() == "before"


@pytest.mark.parametrize("name", ["export", "export.xlsx"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(InvalidParameter, match=r"use \.parquet or \.csv"):
        write(tmp_path / name, 1)
