"""Masks of every type and profile: how little they show, and that columns are masked as their values are."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fields.samples import canonical
from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.address_mask import AddressMask
from privkit.fields.contact_masks import EmailMask
from privkit.fields.ip_mask import IpMask
from privkit.fields.masks import PROFILES, STARS, AllStars, Keep, Template

ALL = sorted(fields.CATALOGUE)
RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
ODD = st.text(min_size=1, max_size=30) | st.text("*a1@.-:张号室/", min_size=1, max_size=30)
SHAPES = [
    Keep(3, 4), Keep(1, 0, 2), Keep(0, 4, 8), Keep(0, 0, 6), Keep(4, 0, 6, 4), AllStars(), EmailMask(1), EmailMask(0),
    EmailMask(1, domain=False), EmailMask(2, longest=6), AddressMask(), AddressMask(house=False, longest=4),
    IpMask(1), IpMask(2), IpMask(3), Template("####-**-**"), Template("##**", longer=True),
    *{shape for kind in fields.CATALOGUE.values() for shape in kind.masks.values()},
]  # fmt: skip


def check(shape, rows):
    masked = shape.many(Ragged.of_text(rows)).to_text()
    assert masked == [shape.one(row) for row in rows]
    for row, mask in zip(rows, masked, strict=True):
        assert mask != row or not row.strip("*")
        assert len(mask) - mask.count("*") <= shape.shows


@pytest.mark.parametrize("name", ALL)
@RELAXED
@given(data=st.data())
def test_no_value_is_shown_whole(name, data):
    rows = data.draw(st.lists(canonical(name), min_size=1, max_size=6))
    for shape in fields.get(name).masks.values():
        check(shape, rows)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
@RELAXED
@given(rows=st.lists(ODD, min_size=1, max_size=6))
def test_no_text_at_all_is_shown_whole(shape, rows):
    check(shape, rows)


@pytest.mark.parametrize(
    ("name", "profile", "value", "masked"),
    [
        ("cn_mobile", "display", "13812345678", "138****5678"),
        ("cn_mobile", "log", "13812345678", "*******5678"),
        ("cn_mobile", "analytics", "13812345678", "138********"),
        ("person_name", "display", "张三", "张**"),
        ("person_name", "display", "欧阳娜娜", "欧**"),
        ("person_name", "display", "𠮷田", "𠮷**"),
        ("person_name", "display", "张", STARS),
        ("cn_resident_id", "display", "11010519491231002X", "1****************X"),
        ("cn_resident_id", "display", "130503670401001", "1****************1"),
        ("cn_resident_id", "log", "11010519491231002X", STARS),
        ("bank_card", "display", "4111111111111111", "********1111"),
        ("bank_card", "display", "4222222222222", "********2222"),
        ("email", "display", "zhangsan@qq.com", "z****@qq.com"),
        ("email", "display", "z@qq.com", "****@qq.com"),
        ("email", "analytics", "zhangsan@qq.com", "****@qq.com"),
        ("email", "display", "a****@qq.com", STARS),
        ("address_detail", "waybill", "科技园路12号3栋2单元1502室", "科技园路12号****"),
        ("address_detail", "waybill", "翠湖花园3栋1502室", "翠湖花园****"),
        ("address_detail", "waybill", "翠湖花园三单元五零二室", "翠湖花园****"),
        ("address_detail", "waybill", "12号楼1502", STARS),
        ("address_detail", "waybill", "幸福小区", "幸福****"),
        ("address_detail", "waybill", "科技园路12号", "科技园路****"),
        ("address_detail", "waybill", "1号", STARS),
        ("ip_address", "display", "192.0.2.1", "192.0.*.*"),
        ("ip_address", "log", "192.0.2.1", "192.0.2.*"),
        ("ip_address", "log", "2001:db8::1", "2001:db8:****"),
        ("ip_address", "display", "::1", STARS),
        ("birth_date", "display", "1990-05-17", "1990-**-**"),
        ("timestamp", "display", "2026-01-02T03:04:05.123456", "2026-01-02T**:**:**"),
        ("gender", "display", "男", STARS),
        ("free_text", "display", "x", STARS),
        ("cn_plate", "display", "粤B12345", "粤B****5"),
        ("imei", "analytics", "490154203237518", "49015420*******"),
        ("url", "display", "https://shop.example/cart?user=7", "https://shop.example/****"),
    ],
)
def test_masks_look_as_people_expect(name, profile, value, masked):
    assert fields.get(name).masks[profile].one(value) == masked


def test_every_type_has_every_profile():
    assert {tuple(kind.masks) for kind in fields.CATALOGUE.values()} == {PROFILES}


@given(digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_a_waybill_hides_six_digits_of_a_mobile(digits):
    # GB/T 41833-2022: at least six digits of the phone number.
    assert sum(character.isdigit() for character in fields.CN_MOBILE.masks["waybill"].one(digits)) <= 5


@given(
    road=st.sampled_from(["科技园路", "中山北路", "三里屯路"]),
    house=st.sampled_from(["12号", "7弄", "188号"]),
    building=st.sampled_from(["3栋", "15号楼", "A座", "三栋"]),
    room=st.from_regex(r"[1-9][0-9]{2,3}室", fullmatch=True),
)
def test_a_waybill_hides_building_unit_and_room(road, house, building, room):
    masked = fields.ADDRESS_DETAIL.masks["waybill"].one(f"{road}{house}{building}2单元{room}")
    assert building not in masked
    assert room not in masked
    assert "单元" not in masked


PARTS = st.text(
    "0123456789-号弄巷楼栋幢座室房层门期组队户单元一二十甲丁〇路街aZ# \u3000𠮷é\uffff", min_size=1, max_size=24
)


@given(rows=st.lists(PARTS, min_size=1, max_size=40), house=st.booleans(), longest=st.integers(1, 20))
def test_columns_of_addresses_are_masked_as_the_regular_expressions_say(rows, house, longest):
    check(AddressMask(house=house, longest=longest), rows)


def test_star_counts_do_not_follow_the_length():
    for name in ("person_name", "user_name", "address_detail", "order_number", "free_text"):
        mask = fields.get(name).masks["display"]
        stars = {re.sub(r"[^*]", "", mask.one("甲乙丙丁" * count)) for count in (3, 4, 7)}
        assert len(stars) == 1


def test_a_mask_that_cannot_be_is_refused():
    with pytest.raises(InvalidParameter):
        Keep(-1, 0)
    with pytest.raises(InvalidParameter):
        Keep(1, 1, stars=0)
    with pytest.raises(InvalidParameter):
        Template("####")
