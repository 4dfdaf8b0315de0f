"""Cities that the division table does not have: of Hong Kong, Macau and Taiwan, and those that ended or were renamed.

The table is the mainland's list of one day; addresses and forms also name what lies outside it or was there before.
Here are, listed by hand, prefectural names that ended from 1999 to 2019, and Taiwan's cities and counties as of
2014-12-25, Kinmen and Lienchiang left out, whose names Fujian's list has too. They are names only: no code is known,
none is ranked, and no layout stands on them. Former counties are not listed.
"""

from __future__ import annotations

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


_SHORT: dict[str, frozenset[str]] = {
    divisions.short_name(name): frozenset(
        other for other in PROVINCES if divisions.short_name(other) == divisions.short_name(name)
    )
    for name in PROVINCES
}


def find(name: str) -> frozenset[str]:
    """The official names that a customary one may mean: `襄樊` → `襄樊市`."""
    return _SHORT.get(name, frozenset())


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
