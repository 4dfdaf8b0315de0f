"""The field type of nationalities: countries by code, by Chinese and by English name.

The table is that of `data/countries.csv`, which names its source. Nothing is ranked by it, so a newer one may take its
place.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Final

from privkit.fields.base import Category
from privkit.fields.masks import profiles
from privkit.fields.texts import TidyText
from privkit.fields.wordlist import WordList

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

_OTHER_CODES: Final = "XXA XXB XXC XXX XKX"
"""Stateless, refugees, others and unspecified (ICAO Doc 9303-3, section 5), and what Kosovo uses."""
_OTHER_NAMES: Final = {
    "中国": "中华人民共和国 中国籍",
    "中国香港": "香港 香港特别行政区 中国香港特别行政区",
    "中国澳门": "澳门 澳门特别行政区 中国澳门特别行政区",
    "中国台湾": "台湾 台湾省 中国台湾省",
    "美国": "美利坚合众国",
    "英国": "大不列颠及北爱尔兰联合王国 联合王国",
    "法国": "法兰西共和国",
    "德国": "德意志联邦共和国",
    "日本": "日本国",
    "韩国": "大韩民国",
    "朝鲜": "朝鲜民主主义人民共和国",
    "俄罗斯": "俄罗斯联邦",
    "China": "PRC PeoplesRepublicOfChina PRChina MainlandChina",
    "United States": "UnitedStatesOfAmerica TheUnitedStates",
    "United Kingdom": "GreatBritain UnitedKingdomOfGreatBritainAndNorthernIreland",
    "South Korea": "RepublicOfKorea KoreaRepublicOf",
    "North Korea": "DemocraticPeoplesRepublicOfKorea",
    "Russia": "RussianFederation",
    "Vietnam": "VietNam",
    "Czechia": "CzechRepublic",
    "Türkiye": "Turkey",
    "Macao": "Macau",
    "Laos": "LaoPeoplesDemocraticRepublic",
    "Myanmar": "Burma",
    "GBR": "UK",
}
"""Other names of countries by those of the table, or by their code."""
_CODE: Final = re.compile(r"[A-Za-z]{2,3}|[0-9]+")


@cache
def _spellings() -> dict[str, str]:
    """The canonical form of each code and name, by its letters and digits in lower case."""
    text = (resources.files("privkit.fields") / "data" / "countries.csv").read_text(encoding="utf-8")
    found: dict[str, str] = {code: code for code in _OTHER_CODES.split()}
    for short, letters, digits, chinese, english in csv.reader(
        line for line in text.splitlines() if not line.startswith("#")
    ):
        found |= {short: letters, letters: letters, digits: letters, chinese: chinese, english: english}
    found |= {other: name for name, others in _OTHER_NAMES.items() for other in others.split()}
    return {_key(name): canonical for name, canonical in found.items()}


def _key(name: str) -> str:
    """Letters without their accents and digits, in lower case."""
    plain = unicodedata.normalize("NFKD", name.replace("&", "and").casefold())
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Nationality(TidyText):
    """A country by code or name, or what else a person says of nationality.

    Codes of ISO 3166-1 become those of three letters, and known names the short one of their language: `CN` and `156`
    are `CHN`, `中华人民共和国` is `中国`. Codes and names of either language stay apart, since a table has one of them.
    A name that is not known stays as it is written; a code that is not is refused.
    """

    def normalise(self, text: str) -> str:
        """Look the code or name up; any case and punctuation will do, and accents need not be there."""
        name = super().normalise(text)
        known = _spellings().get(_key(name))
        if known is not None:
            return known
        if _CODE.fullmatch(name):
            raise self.invalid("no country has this code (ISO 3166-1: two or three letters, or three digits)")
        if not any(map(str.isalpha, name)) or any(map(str.isdecimal, name)):
            raise self.invalid("a name of letters, or a code of ISO 3166-1, is needed")
        return name

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Codes of three letters and short names are canonical."""
        return self._list.find(text) >= 0

    @cached_property
    def _list(self) -> WordList:
        return WordList(sorted(set(_spellings().values())))


NATIONALITY = Nationality(
    name="nationality",
    title="Nationality",
    title_zh="国籍",
    category=Category.IDENTITY,
    basis="GB/T 35273-2020, annex A; a quasi-identifier",
    masks=profiles(),
    longest=60,
)
"""A nationality, by name or code: `中国`, `CHN`."""
