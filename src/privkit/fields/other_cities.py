"""Places that the division table does not have: of Hong Kong, Macau and Taiwan, and cities that ended or were renamed.

The table is the mainland's list of one day; addresses and forms also name what lies outside it or was there before.
Here are, written down by hand from what is public:

- prefectural names that ended from 1999 to 2019 (in the yearly lists of changes, 行政区划变更情况, that the Ministry of
  Civil Affairs publishes);
- Taiwan's cities and counties as of 2014-12-25, without Kinmen and Lienchiang, whose names Fujian's list has too;
- the districts of Hong Kong (District Councils Ordinance, cap. 547, schedule 1), without 东区, 南区 and 北区, as cities
  on the mainland have or had them too, and the parishes of Macau.

They are names only: no code is known, none is ranked, and no layout stands on them. Former counties are in a file, and
say what they were part of, no more: no name in short is looked for among them. Taiwan's townships are not listed.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from privkit.fields import divisions

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMER = {
    15: "哲里木盟 伊克昭盟 呼伦贝尔盟 巴彦淖尔盟 乌兰察布盟",
    32: "淮阴市",
    34: "巢湖市",
    37: "莱芜市",
    42: "襄樊市",
    51: "达川地区",
    53: "思茅市",
}
_TAIWAN = (
    "台北市 新北市 桃园市 台中市 台南市 高雄市 基隆市 新竹市 嘉义市 "
    "新竹县 苗栗县 彰化县 南投县 云林县 嘉义县 屏东县 宜兰县 花莲县 台东县 澎湖县"
)

PROVINCES: dict[str, int] = {
    **{name: province for province, names in _FORMER.items() for name in names.split()},
    **dict.fromkeys(_TAIWAN.split(), 71),
    **{divisions.OTHER_PROVINCES[region]: region for region in (81, 82)},
}
"""The two digits of the province that each city is or was in; the special regions are city and province in one."""

_HONG_KONG = (
    "中西区 湾仔区 油尖旺区 深水埗区 九龙城区 黄大仙区 观塘区 荃湾区 屯门区 元朗区 大埔区 沙田区 西贡区 葵青区 离岛区"
)
_MACAU = "花地玛堂区 圣安多尼堂区 大堂区 望德堂区 风顺堂区 嘉模堂区 圣方济各堂区"
DISTRICTS: dict[str, int] = {**dict.fromkeys(_HONG_KONG.split(), 81), **dict.fromkeys(_MACAU.split(), 82)}
"""The two digits of the special region that each of their districts and parishes is in."""

OTHERS = {"city": PROVINCES, "county": DISTRICTS}
"""By level: the names, and the province that each is in."""


def find(name: str, level: str) -> frozenset[str]:
    """The official names that a customary one may mean: `襄樊` → `襄樊市`.

    Args:
        name: As one says it.
        level: `province`, `city` or `county`.
    """
    return _short_names(level).get(name, frozenset())


@cache
def _short_names(level: str) -> dict[str, frozenset[str]]:
    """The official names of each customary one."""
    found: dict[str, frozenset[str]] = {}
    for official in OTHERS.get(level, {}):
        short = divisions.short_name(official)
        found[short] = found.get(short, frozenset()) | {official}
    return found


def former_counties(to: str) -> Iterator[tuple[str, str]]:
    """Former counties whose names no county has today, and what each was part of last, by name.

    Args:
        to: `city`, which may be a prefecture that ended, `province` or `region`.
    """
    text = (resources.files("privkit.fields") / "data" / "former-counties.csv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            name, city, province = line.split(",")
            if to == "city" and city:
                yield name, city
            elif to != "city":
                yield name, province


def prefectures() -> Iterator[tuple[str, int]]:
    """Prefectures as they were called before they became cities, `毕节地区`, and their provinces.

    Each of today's cities may have been one; the prefecture of a city's name was always in the city's province.
    """
    table = divisions.table()
    for code in table.names:
        name = table.name(code)
        if len(str(code)) == divisions.LEVELS["city"] and name.endswith("市"):
            yield f"{name.removesuffix('市')}地区", code // 100
    yield "思茅地区", 53
