"""Generalisation: labels as stated, and columns as single values."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fields.samples import CANONICAL, canonical, networks
from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter

RELAXED = settings(deadline=None, max_examples=60)
AMOUNTS = (
    st.decimals(-(10**24), 10**24, places=3).map(lambda number: f"{number or abs(number):f}") | CANONICAL["amount"]
)


def level(name, to, **parameters):
    return fields.get(name).levels[to](**parameters)


@pytest.mark.parametrize(
    ("name", "to", "parameters", "value", "label"),
    [
        ("birth_date", "month", {}, "1990-05-17", "1990-05"),
        ("birth_date", "quarter", {}, "1990-05-17", "1990-Q2"),
        ("birth_date", "year", {}, "1990-05-17", "1990"),
        ("birth_date", "decade", {}, "1990-05-17", "1990s"),
        ("birth_date", "age_band", {"on": "2026-05-16"}, "1990-05-17", "35-39"),
        ("birth_date", "age_band", {"on": "2026-05-16", "width": 1}, "1990-05-17", "35"),
        ("birth_date", "age_band", {"on": "2026-05-17", "width": 1}, "1990-05-17", "36"),
        ("birth_date", "age_band", {"on": dt.date(2026, 1, 1), "width": 10, "top": 85}, "1930-05-17", "80+"),
        ("birth_date", "age_band", {"on": "2026-01-01"}, "2026-01-02", "<0"),
        ("birth_date", "age_band", {"on": "2021-02-28", "width": 1}, "2000-02-29", "20"),
        ("timestamp", "day", {}, "2026-01-02T03:04:05.123456+08:00", "2026-01-02"),
        ("timestamp", "month", {}, "2026-01-02T03:04:05", "2026-01"),
        ("amount", "band", {"width": 100}, "100", "100-200"),
        ("amount", "band", {"width": 100}, "99.99", "0-100"),
        ("amount", "band", {"width": 100}, "-0.01", "-100-0"),
        ("amount", "band", {"width": "0.5", "start": "0.25"}, "0.74", "0.25-0.75"),
        ("amount", "band", {"edges": [0, 99.5, 500]}, "99.5", "99.5-500"),
        ("amount", "band", {"edges": [0, 99.5, 500]}, "-1", "<0"),
        ("amount", "band", {"edges": [0, 99.5, 500]}, "500.00", ">=500"),
        ("number", "band", {"width": 10}, "35", "30-40"),
        ("duration", "band", {"width": 60}, "59.9", "0-60"),
        ("ip_address", "prefix", {}, "192.0.2.200", "192.0.2.0/24"),
        ("ip_address", "prefix", {"v4": 20}, "192.168.255.255", "192.168.240.0/20"),
        ("ip_address", "prefix", {"v6": 32}, "2001:db8:1::1", "2001:db8::/32"),
        ("email", "domain", {}, "zhangsan@qq.com", "qq.com"),
        ("postcode", "prefix", {"digits": 3}, "518000", "518***"),
        ("cn_province", "region", {}, "广东省", "华南"),
        ("cn_city", "province", {}, "深圳市", "广东省"),
        ("cn_city", "province", {}, "没有市", "*"),
        ("cn_city", "province", {}, "襄樊市", "湖北省"),
        ("cn_city", "province", {}, "巢湖市", "安徽省"),
        ("cn_city", "province", {}, "毕节地区", "贵州省"),
        ("cn_city", "province", {}, "伊克昭盟", "内蒙古自治区"),
        ("cn_city", "province", {}, "香港特别行政区", "香港特别行政区"),
        ("cn_city", "province", {}, "澳门特别行政区", "澳门特别行政区"),
        ("cn_city", "province", {}, "台北市", "台湾省"),
        ("cn_city", "region", {}, "台北市", "港澳台"),
        ("cn_county", "city", {}, "福田区", "深圳市"),
        ("cn_county", "city", {}, "鼓楼区", "*"),
        ("cn_county", "city", {}, "湾仔区", "香港特别行政区"),
        ("cn_county", "province", {}, "嘉模堂区", "澳门特别行政区"),
        ("cn_county", "region", {}, "沙田区", "港澳台"),
        ("cn_county", "city", {}, "南区", "*"),
        ("cn_county", "city", {}, "崇文区", "北京市"),
        ("cn_county", "city", {}, "涪陵市", "涪陵地区"),
        ("cn_county", "province", {}, "梁平县", "重庆市"),
        ("cn_county", "region", {}, "崇文区", "华北"),
        ("cn_resident_id", "county", {}, "11010519491231002X", "110105"),
        ("cn_resident_id", "city", {}, "512301850101001", "512300"),
        ("cn_resident_id", "province", {}, "512301850101001", "510000"),
        ("cn_resident_id", "city", {}, "ABC123456789012", "*"),
        ("cn_division", "city", {}, "440305", "440300"),
        ("cn_division", "province", {}, "440305", "440000"),
        ("cn_division", "province", {}, "440305001003", "440000"),
        ("cn_division", "city", {}, "440305001003", "440300"),
        ("cn_division", "county", {}, "440305001003", "440305"),
        ("coordinates", "grid", {}, "22.5431,114.0579", "22.54,114.05"),
        ("coordinates", "grid", {"degrees": "0.5"}, "-33.90,-0.10", "-34.0,-0.5"),
        ("mac_address", "oui", {}, "00:1b:44:11:3a:b7", "00:1b:44"),
        ("url", "page", {}, "https://u:p@shop.example/cart?user=7#x", "https://shop.example/cart"),
        ("url", "origin", {}, "https://shop.example:8443/cart", "https://shop.example:8443"),
    ],
)
def test_labels(name, to, parameters, value, label):
    assert level(name, to, **parameters).one(value) == label
    assert level(name, to, **parameters).many(Ragged.of_text([value])).to_text() == [label]


def levels():
    needed = {"age_band": {"on": "2026-01-01"}, "band": {"width": 50}}
    for name, kind in fields.CATALOGUE.items():
        for to in kind.own_levels:
            yield name, to, needed.get(to, {})


@pytest.mark.parametrize(("name", "to", "parameters"), list(levels()))
@RELAXED
@given(data=st.data())
def test_a_column_is_generalised_as_its_values_are(name, to, parameters, data):
    rows = data.draw(st.lists(canonical(name), min_size=1, max_size=8))
    made = level(name, to, **parameters)
    assert made.many(Ragged.of_text(rows)).to_text() == [made.one(row) for row in rows]
    whole = Ragged.of_text(["1", *rows, "1"])
    assert made.many(Ragged(whole.data, whole.offsets[1:-1])).to_text() == [made.one(row) for row in rows]


@RELAXED
@given(rows=st.lists(AMOUNTS, min_size=1, max_size=8), width=st.decimals("0.001", 10**6, places=3))
@example(rows=["9223372036854775.808"], width=Decimal("0.001"))
def test_every_amount_lies_in_its_band(rows, width):
    made = level("amount", "band", width=width)
    bands = made.many(Ragged.of_text(rows)).to_text()
    assert bands == [made.one(row) for row in rows]
    for row in rows:
        step = Fraction(row) // Fraction(width)
        ends = [Fraction(end) for end in _ends(made.one(row))]
        assert ends == [step * Fraction(width), (step + 1) * Fraction(width)]
        assert ends[0] <= Fraction(row) < ends[1]


@RELAXED
@given(
    rows=st.lists(AMOUNTS, min_size=1, max_size=8),
    edges=st.lists(st.decimals(-(10**21), 10**21, places=2), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_every_amount_lies_between_its_edges(rows, edges):
    made = level("amount", "band", edges=edges)
    assert made.many(Ragged.of_text(rows)).to_text() == [made.one(row) for row in rows]
    for row in rows:
        assert made.number(row) == sum(edge <= Decimal(row) for edge in edges)


@RELAXED
@given(rows=st.lists(CANONICAL["ip_address"], min_size=1, max_size=8), v4=st.integers(0, 32), v6=st.integers(0, 128))
def test_networks_are_those_of_the_standard_library(rows, v4, v6):
    made = level("ip_address", "prefix", v4=v4, v6=v6)
    assert made.many(Ragged.of_text(rows)).to_text() == [networks(row, v4, v6) for row in rows]


@RELAXED
@given(
    rows=st.lists(st.dates(dt.date(1800, 1, 1)), min_size=1), on=st.dates(dt.date(1900, 1, 1)), width=st.integers(1, 40)
)
def test_ages_are_counted_in_full_years(rows, on, width):
    made = level("birth_date", "age_band", on=on, width=width, top=40 * width)
    for row, number in zip(rows, made.numbers(Ragged.of_text([str(row) for row in rows])).tolist(), strict=True):
        birthdays = on.year - row.year - ((on.month, on.day) < (row.month, row.day))
        assert number == max(-1, min(birthdays, 40 * width) // width)


@pytest.mark.parametrize(
    ("name", "to", "parameters"),
    [
        ("amount", "band", {}),
        ("amount", "band", {"width": 0}),
        ("amount", "band", {"width": 1, "edges": [1]}),
        ("amount", "band", {"edges": [2, 1]}),
        ("amount", "band", {"edges": []}),
        ("amount", "band", {"width": "wide"}),
        ("amount", "band", {"width": float("nan")}),
        ("birth_date", "age_band", {"on": "today"}),
        ("birth_date", "age_band", {"on": "2026-01-01", "width": 0}),
        ("ip_address", "prefix", {"v4": 33}),
        ("postcode", "prefix", {"digits": 6}),
        ("coordinates", "grid", {"degrees": 0}),
    ],
)
def test_levels_that_cannot_be_are_refused(name, to, parameters):
    with pytest.raises(InvalidParameter):
        level(name, to, **parameters)


def test_no_level_counts_ages_from_the_clock():
    with pytest.raises(TypeError):
        level("birth_date", "age_band")


def test_empty_columns_stay_empty():
    for name, to, parameters in levels():
        assert len(level(name, to, **parameters).many(Ragged.of_text([]))) == 0


def _ends(label):
    # A minus after the first character and not after the hyphen parts the two numbers.
    middle = label.index("-", 1)
    return label[:middle], label[middle + 1 :]
