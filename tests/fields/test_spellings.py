"""Columns in common spellings: read without a look at single values, and as single values are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue

SPELLINGS = [
    ("person_name", "张　三", "张三"),
    ("person_name", "阿依努尔•买买提", "阿依努尔·买买提"),
    ("person_name", "阿依努尔 ・ 买买提", "阿依努尔·买买提"),
    ("cn_mobile", "+86 138-1234-5678", "13812345678"),
    ("cn_mobile", "+8613812345678", "13812345678"),
    ("cn_mobile", "8613812345678", "13812345678"),
    ("cn_mobile", "0086 13812345678", "13812345678"),
    ("cn_mobile", "013812345678", "13812345678"),
    ("cn_mobile", "(+86) 138 1234 5678", "13812345678"),
    ("cn_mobile", "\t13812345678", "13812345678"),
    ("postcode", "518 000", "518000"),
    ("bank_card", "6222 0212 3456 7890 128", "6222021234567890128"),
    ("bank_card", "4111-1111-1111-1111", "4111111111111111"),
    ("cn_resident_id", "11010519491231002x", "11010519491231002X"),
    ("cn_resident_id", "110105 19491231 002X", "11010519491231002X"),
    ("cn_credit_code", "91350100m000100y43", "91350100M000100Y43"),
    ("cn_credit_code", "91350100-M000100Y-43", "91350100M000100Y43"),
    ("imei", "49-015420-323751-8", "490154203237518"),
    ("oaid", "6D92078A-8246-4BA4-AE5B-76104861E7DC", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
    ("mac_address", "00-1B-44-11-3A-B7", "00:1b:44:11:3a:b7"),
    ("mac_address", "001B.4411.3AB7", "00:1b:44:11:3a:b7"),
    ("cn_division", "440305000000", "440305"),
    ("birth_date", "1990/1/2", "1990-01-02"),
    ("birth_date", "1990/11/2", "1990-11-02"),
    ("birth_date", "1990.1.12", "1990-01-12"),
    ("birth_date", "1990/11/12", "1990-11-12"),
    ("birth_date", "19900102", "1990-01-02"),
    ("birth_date", "1990-01-02 00:00:00", "1990-01-02"),
    ("birth_date", "1990/1/2 0:00", "1990-01-02"),
    ("birth_date", "1990年1月2日", "1990-01-02"),
    ("birth_date", "1990年11月2日", "1990-11-02"),
    ("birth_date", "1990年01月12日", "1990-01-12"),
    ("timestamp", "2026-01-02 03:04:05", "2026-01-02T03:04:05"),
    ("timestamp", "2026-01-02 03:04:05.600", "2026-01-02T03:04:05.600000"),
    ("timestamp", "2026/1/2 3:04:05", "2026-01-02T03:04:05"),
    ("timestamp", "2026/01/02 03:04", "2026-01-02T03:04:00"),
    ("timestamp", "2026年1月2日 03:04:05.5", "2026-01-02T03:04:05.500000"),
    ("timestamp", "2026-01-02 03:04:05+08:00", "2026-01-02T03:04:05+08:00"),
    ("timestamp", "2026/1/2", "2026-01-02T00:00:00"),
    ("timestamp", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
    ("timestamp", "2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123000+00:00"),
    ("timestamp", "2026-01-02 03:04:05.5 +0800", "2026-01-02T03:04:05.500000+08:00"),
    ("timestamp", "2026/1/2 3:04-03", "2026-01-02T03:04:00-03:00"),
    ("timestamp", "20260131", "2026-01-31T00:00:00"),
    ("timestamp", "20260131120000", "2026-01-31T12:00:00"),
    ("timestamp", "20260131120000123", "2026-01-31T12:00:00.123000"),
    ("timestamp", "20260131T120000Z", "2026-01-31T12:00:00+00:00"),
    ("timestamp", "20260131 120000", "2026-01-31T12:00:00"),
    ("timestamp", "20260131 12:00", "2026-01-31T12:00:00"),
    ("timestamp", "1767322800", "2026-01-02T03:00:00+00:00"),
    ("timestamp", "1767322800123", "2026-01-02T03:00:00.123000+00:00"),
    ("birth_date", "19900102 00:00:00", "1990-01-02"),
    ("amount", "¥1,234.50", "1234.50"),
    ("amount", "￥ -12", "-12"),
    ("amount", "$1,234,567", "1234567"),
    ("amount", "1,234元", "1234"),
    ("amount", " - $ 12.50 ", "-12.50"),
    ("amount", "12.50\t元 ", "12.50"),
    ("amount", "RMB 12.50", "12.50"),
    ("amount", "1,234.50 cny", "1234.50"),
    ("amount", "人民币1234元", "1234"),
    ("amount", "- USD 3", "-3"),
    ("amount", "12元整", "12"),
    ("amount", "HK$12", "12"),
    ("amount", "-us$ 1,234.50", "-1234.50"),
    ("amount", "A$12", "12"),
    ("amount", "12美元", "12"),
    ("amount", "新台币 12", "12"),
    ("amount", "12港元整", "12"),
    ("amount", "12.50 twd", "12.50"),
    ("amount", "₩1,234", "1234"),
    ("amount", "+7.5", "7.5"),
    ("amount", "007", "7"),
    ("amount", "+00.50", "0.50"),
    ("amount", "000", "0"),
    ("number", " 12", "12"),
    ("cn_landline", "075512345678", "0755-12345678"),
    ("cn_landline", "(0755) 1234 5678", "0755-12345678"),
    ("cn_landline", "(010)1234567", "010-1234567"),
    ("cn_landline", "0755-12345678转123", "0755-12345678-123"),
    ("cn_landline", "021-62345678转分机8001", "021-62345678-8001"),
    ("cn_landline", "0898-6234567#12", "0898-6234567-12"),
    ("cn_landline", "+86 755 12345678", "0755-12345678"),
    ("cn_landline", "0086-10-12345678", "010-12345678"),
    ("url", "HTTPS://Shop.Example/Cart?Q=1", "https://shop.example/Cart?Q=1"),
    ("url", "Http://SHOP.example:8080", "http://shop.example:8080"),
    ("coordinates", "22.5431, 114.0579", "22.5431,114.0579"),
    ("cn_plate", "粤B·12345", "粤B12345"),
    ("cn_plate", "粤b-d12345", "粤BD12345"),
    ("cn_plate", "京A 1234学", "京A1234学"),
    ("cn_plate", "wj粤·1234x", "WJ粤1234X"),
    ("cn_plate", "琼X·1234应急", "琼X1234应急"),
]
NEAR = [
    ("cn_mobile", "+86 128-1234-5678"),
    ("cn_mobile", "+087 13812345678"),
    ("cn_mobile", "---"),
    ("bank_card", "6222 0212 3456 7890 129"),
    ("cn_resident_id", "11010519491231003x"),
    ("mac_address", "00-1B-44-11-3A"),
    ("birth_date", "1990/1-2"),
    ("birth_date", "1990/1/012"),
    ("birth_date", "1990/13/2"),
    ("birth_date", "1990/2/30"),
    ("birth_date", "1990-1/2 0:00"),
    ("birth_date", "19900102 00:00:01"),
    ("birth_date", "19901302"),
    ("birth_date", "1990年1月32日"),
    ("birth_date", "1990年1日2月"),
    ("birth_date", "1990/1/2 0:01"),
    ("timestamp", "2026-01-02 03:04:65"),
    ("timestamp", "2026/1-2 03:04"),
    ("timestamp", "20260102 03:04:65"),
    ("timestamp", "20260102_030405"),
    ("timestamp", "20261302030405"),
    ("timestamp", "202601020304055"),
    ("timestamp", "2026-01-02 03:04:05 ZZ"),
    ("timestamp", "2026-01-02 +08:00"),
    ("timestamp", "2026-01-02Z"),
    ("timestamp", "2026-01-02 03:04:05+080"),
    ("timestamp", "2026-01-02 03:04:05 -"),
    ("timestamp", "0767322800"),
    ("timestamp", "2026022810"),
    ("timestamp", "767322800123"),
    ("timestamp", "2026-01-02 03:4"),
    ("timestamp", "2026-01-02 00:00:00 03:04"),
    ("timestamp", "2026-01-02T"),
    ("amount", "1,23"),
    ("amount", "1234,567"),
    ("amount", "1,2345"),
    ("amount", "1.234,567"),
    ("amount", "1,234.5,678"),
    ("amount", ",123"),
    ("amount", "¬12"),
    ("amount", "1 2"),
    ("amount", "12 50"),
    ("amount", "1 2345"),
    ("amount", "1  234"),
    ("amount", "1 234,567"),
    ("amount", "12 .50"),
    ("amount", "12元50"),
    ("amount", "1$2"),
    ("amount", "- -1"),
    ("amount", "1 e5"),
    ("amount", "1RMB2"),
    ("amount", "RMB"),
    ("amount", "RM12"),
    ("amount", "12 RM"),
    ("amount", "+-7"),
    ("amount", "人民12"),
    ("amount", "EURMB12"),
    ("amount", "XHK$12"),
    ("amount", "HK12"),
    ("amount", "1HK$2"),
    ("amount", "美12"),
    ("amount", "12万美5"),
    ("number", "1 2"),
    ("number", "3\t4"),
    ("duration", "1 2 s"),
    ("cn_landline", "0755-01234567"),
    ("cn_landline", "+86-0"),
    ("cn_landline", "0400-8001234"),
    ("cn_landline", "04008001234"),
    ("url", "https:///cart"),
    ("url", "1http://shop.example"),
    ("url", "https:/shop.example/"),
    ("url", "https://shop.example/a\x7f"),
    ("url", "https://u:p\uff20shop.example/"),
    ("url", "https://u:p)shop.example/"),
    ("url", "https://shop..example/"),
    ("url", "https://.example/"),
    ("url", "https://shop.example:65536/"),
    ("url", "https://shop.example:80a/"),
    ("url", "https://:80/"),
    ("url", "https://[1.2]/"),
    ("url", "https://${host}/"),
    ("coordinates", "90.1, 0"),
    ("coordinates", "22.5,180.5"),
    ("coordinates", "2 2.5,114"),
    ("coordinates", "22.5,"),
    ("coordinates", "22.5,114,1"),
    ("cn_mobile", "-13812345678"),
    ("cn_mobile", "13812345678-"),
    ("cn_mobile", "(-13812345678)"),
    ("cn_mobile", " - 13812345678"),
    ("bank_card", "-4111111111111111"),
    ("bank_card", "4111-1111-1111-1111-"),
    ("cn_resident_id", "-11010519491231002X"),
    ("imei", "/-490154203237518"),
    ("imsi", "-460001234567890"),
    ("mac_address", "-00-1B-44-11-3A-B7"),
    ("postcode", "-518000"),
    ("passport", "E12345678-"),
    ("cn_credit_code", "-91350100M000100Y43"),
    ("cn_division", "-440305"),
    ("cn_landline", "-075512345678"),
    ("cn_landline", "0755-12345678-"),
    ("cn_landline", "(-0755)12345678"),
    ("cn_landline", "−075512345678"),
    ("cn_plate", "·-粤B12345"),
    ("cn_plate", "粤B12345-"),
    ("cn_plate", "粤B·I2345"),
    ("cn_plate", "学B-12345"),
    ("cn_plate", "粤B-1234新"),
]


@pytest.mark.parametrize(("name", "spelling", "canonical"), SPELLINGS)
def test_a_common_spelling_takes_no_slow_way(name, spelling, canonical, monkeypatch):
    kind = fields.get(name)
    assert kind.normalise(spelling) == canonical
    monkeypatch.setattr(type(kind), "normalise", None)
    for rows in ([spelling] * 3, [canonical, spelling, canonical]):
        reading = kind.read(Ragged.of_text(rows))
        assert reading.text.to_text() == [canonical] * 3
        assert reading.bad is None
        assert reading.changed.tolist() == [row for row, value in enumerate(rows) if value != canonical]


@pytest.mark.parametrize("name", ["欧阳娜娜", "阿依努尔·买买提", "John Smith", "Anne-Marie O'Neil", "J. R. Smith"])
def test_common_names_are_recognised(name):
    assert fields.PERSON_NAME.recognise(Ragged.of_text([name] * 2)).all()


@pytest.mark.parametrize(("name", "spelling", "canonical"), SPELLINGS)
def test_spellings_stand_beside_what_is_no_value(name, spelling, canonical):
    kind = fields.get(name)
    rows = [canonical, "?", spelling, "-", canonical[::-1] + "?", spelling]
    reading = kind.read(Ragged.of_text(rows))
    assert reading.text.to_text() == [canonical, "", canonical, "", "", canonical]
    assert reading.bad.tolist() == [False, True, False, True, True, False]
    assert reading.changed.tolist() == [2, 5]


@pytest.mark.parametrize(("name", "value"), NEAR)
def test_what_is_near_a_spelling_is_refused_in_columns_too(name, value):
    kind = fields.get(name)
    with pytest.raises(InvalidValue):
        kind.normalise(value)
    assert kind.read(Ragged.of_text([value] * 2)).bad.all()


PIECES = {
    "person_name": (
        "张",
        "三",
        "阿依努尔",
        "·",
        "•",
        "・",
        "．",
        ".",
        " ",
        "\u3000",
        "-",
        "'",
        "’",
        "John",
        "1",
        "𠮷",
        "é",
    ),
    "amount": (
        "RMB",
        "cny",
        "人民币",
        "EUR",
        "MB",
        "HK$",
        "S",
        "美元",
        "港",
        "整",
        "万",
        "(",
        ")",
        "00",
        "1",
        "2",
        "345",
        "e",
        "s",
        "\t",
        "0",
        ",",
        ".",
        "-",
        "+",
        "¥",
        "￥",
        "元",
        "€",
        "$",
        "¬",
        " ",
        "000",
    ),
    "cn_landline": (
        "0755",
        "010",
        "0",
        "1234567",
        "5678",
        "5",
        "-",
        " ",
        "(",
        ")",
        "+86",
        "0086",
        "86",
        "转",
        "400",
        "0800",
    ),
    "cn_mobile": ("13812345678", "138", "1234", "5678", "+86", "0", "-", "--", " ", "(", ")", "−", "\t"),
    "bank_card": ("4111111111111111", "4111", "11111111", "-", "--", " ", "\t", "１", "－"),
    "cn_resident_id": ("11010519491231002x", "110105", "19491231", "002X", "-", " ", "－"),
    "cn_credit_code": ("91350100M000100Y43", "91350100", "m000100y", "43", "I", "-", " ", "Ｍ"),
    "imei": ("490154203237518", "49", "015420", "323751", "8", "-", "/", " "),
    "mac_address": ("001B44113AB7", "00", "1b4411", "3A:b7", "-", ":", ".", " "),
    "cn_plate": (
        "粤B",
        "京",
        "使",
        "014578",
        "b",
        "I",
        "1",
        "2345",
        "D12345",
        "D",
        "学",
        "挂",
        "-",
        "·",
        " ",
        "你",
        "应急",
        "WJ",
        "X",
        "VA",
    ),
    "timestamp": (
        *("2026-01-02", "2026/1/2", "20260102", "2026年1月2日", "1", " ", "T", "03:04", ":05", ".5", "+08:00", "Z"),
        *(" +0800", "-05", "120000", "123", "1767322800", "20"),
    ),
    "url": (
        "http://",
        "HTTPS://s",
        "a://",
        ":",
        "/",
        "shop.Example",
        "?q=1",
        "#f",
        "@",
        "Üb",
        "商",
        "\\",
        " ",
        ".",
        ":80",
        ":443443",
        "[::1]",
        "-",
    ),
    "coordinates": ("22.5431", "114.05", "-", "0", "0.5", ",", ", ", " ", "90", "180", "181", ".", "(", "-0"),
}


@pytest.mark.parametrize("name", sorted(PIECES))
@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_put_together_is_read_in_columns_as_it_is_alone(name, data):
    kind = fields.get(name)
    value = st.lists(st.sampled_from(PIECES[name]), min_size=1, max_size=6).map("".join)
    rows = data.draw(st.lists(value, min_size=1, max_size=12))
    whole = Ragged.of_text(["~", *rows, "~"])
    reading = kind.read(Ragged(whole.data, whole.offsets[1:-1]))
    expected = [alone(kind, row) for row in rows]
    assert reading.text.to_text() == expected
    found = Ragged.of_text([text for text in expected if text])
    levels = [make() for level, make in kind.own_levels.items() if level != "band"]
    for shape in (*kind.masks.values(), *levels):
        assert shape.many(found).to_text() == [shape.one(text) for text in found.to_text()]


def alone(kind, row):
    try:
        return kind.normalise(row)
    except InvalidValue:
        return ""
