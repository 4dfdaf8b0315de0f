"""The division table: frozen, and found by code and by name."""

import hashlib

import numpy as np
import pytest

from privkit.errors import InvalidParameter, TableError
from privkit.fields import divisions, other_cities


@pytest.fixture(scope="module")
def table() -> divisions.DivisionTable:
    return divisions.table()


def test_version_1_is_frozen():
    # Format-preserving encryption ranks counties by their place here: any other list reveals old values wrongly.
    codes = divisions.table(1).codes
    text = "".join(f"{code}\n" for code in codes.tolist())
    assert len(codes) == 2978
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "41d2b0d9517292e05b32ac3361af44253e8755f1fc18568192aa9d9b2acb2aeb"
    )


def test_table_has_every_level(table):
    levels = [len(str(code)) for code in table.names]
    assert [levels.count(digits) for digits in (2, 4, 6)] == [31 + 3, 342, 2978]
    assert {code for code in table.names if code < 70} == divisions.MAINLAND_PREFIXES
    assert {71, 81, 82, 83} == divisions.PROVINCE_PREFIXES - divisions.MAINLAND_PREFIXES


def test_codes_are_ascending_and_read_only(table):
    assert (np.diff(table.codes) > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        table.codes[0] = 0


def test_another_table_under_the_same_version_is_refused(monkeypatch):
    altered = divisions._Source("divisions-2023-06-30.csv", "2023-06-30", "0" * 64)
    monkeypatch.setitem(divisions._SOURCES, 99, altered)
    with pytest.raises(TableError, match="altered"):
        divisions.table(99)


def test_unknown_version_is_refused():
    with pytest.raises(InvalidParameter, match="no division table of version 2"):
        divisions.table(2)


def test_table_is_read_once(table):
    assert divisions.table() is table


def test_is_known_agrees_with_a_set_over_all_six_digit_codes(table):
    codes = np.arange(100_000, 1_000_000)
    known = set(table.codes.tolist())
    assert table.is_known(codes).tolist() == [code in known for code in codes.tolist()]


def test_ranks_are_positions_and_minus_one(table):
    assert table.ranks(table.codes).tolist() == list(range(2978))
    assert table.ranks(np.array([0, 110100, 999_999])).tolist() == [-1, -1, -1]
    assert table.ranks(np.array([-1, -110101, 1_110_101, 2**62])).tolist() == [-1] * 4
    assert table.ranks(np.array([110101, 2**64 - 1], dtype=np.uint64)).tolist() == [0, -1]
    assert table.ranks(np.array([], dtype=np.int32)).tolist() == []


def test_zones_are_no_places_of_birth(table):
    zones = table.codes[table.zones()].tolist()
    assert len(zones) == 124
    assert 130171 in zones
    assert 130706 not in zones  # 下花园区, an ordinary district


@pytest.mark.parametrize(
    ("code", "path"),
    [
        (44, ("广东省",)),
        (4403, ("广东省", "深圳市")),
        (440305, ("广东省", "深圳市", "南山区")),
        (110101, ("北京市", "北京市", "东城区")),
        (500229, ("重庆市", "重庆市", "城口县")),
        (429004, ("湖北省", "省直辖县级行政区划", "仙桃市")),
        (81, ("香港特别行政区",)),
    ],
)
def test_path_names_a_division_from_the_province_down(table, code, path):
    assert table.path(code) == path


@pytest.mark.parametrize("code", [0, 99, 440399, 4404051])
def test_unknown_code_has_no_name(table, code):
    with pytest.raises(LookupError):
        table.path(code)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("广东", (44,)),
        ("广东省", (44,)),
        ("北京", (11, 1101)),
        ("北京市", (11, 1101)),
        ("广州", (4401,)),
        ("内蒙古", (15,)),
        ("香港", (81,)),
        ("台湾", (71,)),
        ("恩施", (4228, 422801)),
        ("东乡族自治县", (622926,)),
        ("石家庄高新技术产业开发区", (130171,)),
        ("朝阳区", (110105, 220104)),
        ("亚特兰蒂斯", ()),
        ("", ()),
    ],
)
def test_divisions_are_found_by_official_and_short_name(table, name, codes):
    assert table.find(name) == codes


def test_find_narrows_by_level_and_by_what_lies_above(table):
    assert table.find("海南") == (46, 6325, 150303)
    assert table.find("海南", level="province") == (46,)
    assert table.find("海南", level="city") == (6325,)
    assert table.find("朝阳区", within=11) == (110105,)
    assert table.find("朝阳区", within=44) == ()
    with pytest.raises(InvalidParameter, match="choose from province, city, county"):
        table.find("海南", level="town")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("赵县", "赵县"),
        ("城区", "城区"),
        ("双江拉祜族佤族布朗族傣族自治县", "双江"),
        ("东乡族自治县", "东乡"),
        ("巴音郭楞蒙古自治州", "巴音郭楞"),
        ("锡林郭勒盟", "锡林郭勒"),
        ("大兴安岭地区", "大兴安岭"),
        ("澳门特别行政区", "澳门"),
    ],
)
def test_short_names(name, short):
    assert divisions.short_name(name) == short


def test_every_name_finds_its_own_code(table):
    for code, name in table.names.items():
        assert code in table.find(name)
        assert code in table.find(table.name(code))


def test_other_cities_are_no_part_of_the_table_that_ids_are_ranked_by():
    table = divisions.table()
    cities = {table.name(code) for code in table.names if len(str(code)) == divisions.LEVELS["city"]}
    assert not cities & set(other_cities.PROVINCES)
    assert not cities & {name for name, _ in other_cities.prefectures()}
    assert set(other_cities.PROVINCES.values()) <= divisions.PROVINCE_PREFIXES
    counties = {divisions.table().name(code) for code in divisions.table().codes.tolist()}
    assert not counties & set(other_cities.DISTRICTS)
    assert set(other_cities.DISTRICTS.values()) == {81, 82}


def test_former_counties_say_no_more_than_where_they_lay():
    table = divisions.table()
    today = {table.name(code) for code in table.names}
    provinces = {table.name(code) for code in table.names if code < 100}
    former = dict(other_cities.former_counties("province"))
    assert len(former) > 1000
    assert not today & set(former)
    assert {table.name(int(code)) for code in former.values()} <= provinces
    assert set(dict(other_cities.former_counties("city"))) < set(former)
    assert not {"市区", "新区", "南区", "北区", "一区", "二区"} & set(former)  # which may be anywhere
