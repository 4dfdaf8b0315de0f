"""What values look like: for each type that values can show, the share of them that do, and what that is worth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.columns.kinds import Kind
from privkit.fields import divisions
from privkit.fields.plain import tidy
from privkit.fields.registry import CATALOGUE
from privkit.policy.inspect import lexicon
from privkit.policy.inspect.persons import is_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from privkit.policy.inspect.look import Look

PROOF: Final = 0.98
"""What values can be worth at most: there may always be another kind that looks the same."""
_LIKELY: Final = 0.75
_MAYBE: Final = 0.65
_WORTH_TELLING: Final = 0.2
_COUNTED: Final = 8
"""Different values after which more of them prove nothing more."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How values show a type.

    Attributes:
        type: The type's name.
        share: The share of a column's rows that look like it.
        accident: How often a value of another kind that is written alike would look so too.
        ceiling: What it is worth at most where all look like it.
        how: A word of `privkit.policy.inspect.reasons` for what they show.
    """

    type: str
    share: Callable[[Look], float]
    accident: float = 0.01
    ceiling: float = PROOF
    how: str = "form"

    def worth(self, look: Look, share: float) -> float:
        """How sure the values make it that they are of the type, from 0 to `ceiling`."""
        sure = 1 - self.accident ** min(look.distinct, _COUNTED)
        return self.ceiling * sure * min(1.0, 0.5 + (share - 0.5) / 0.9) if share >= 0.5 else 0.0  # noqa: PLR2004 - most


def _valid(name: str, form: str = "") -> Callable[[Look], float]:
    """The share that is valid of a type, and written in a form where the type takes more than what is telling."""
    field_type, pattern = CATALOGUE[name], re.compile(form, re.IGNORECASE)

    def share(look: Look) -> float:
        written = look.share(pattern.search) if form else 1.0
        return min(written, look.valid(field_type)) if written >= _WORTH_TELLING else 0.0

    return share


def _matching(pattern: str) -> Callable[[Look], float]:
    whole = re.compile(pattern, re.IGNORECASE).fullmatch
    return lambda look: look.share(whole)


def _holding(pattern: str) -> Callable[[Look], float]:
    part = re.compile(pattern, re.IGNORECASE).search
    return lambda look: look.share(part)


def _card(look: Look) -> float:
    """Cards; what has the 15 digits of an IMEI counts as a card only with the first digits of American Express."""
    form = re.compile(r"(?!\D*\d{15}\D*$)|3[47]").match
    return min(look.share(form), look.valid(CATALOGUE["bank_card"]))


def _division(level: str) -> Callable[[Look], float]:
    def is_known(value: str) -> bool:
        return not value.isdecimal() and bool(divisions.table().find(tidy(value), level=level))

    return lambda look: look.share(is_known)


def _division_code(look: Look) -> float:
    return look.share(_is_division_code)


@cache
def _codes() -> frozenset[str]:
    return frozenset(str(code).ljust(6, "0") for code in divisions.table().names)


def _is_division_code(value: str) -> bool:
    return value in _codes()


def _moment(look: Look) -> float:
    """Moments, where they are not days throughout."""
    if look.kind in {Kind.TIMESTAMP, Kind.INSTANT}:
        return 1.0 - _days(look)
    return _valid("timestamp", r":")(look)


def _days(look: Look) -> float:
    if look.kind is Kind.INTEGER and not look.share(_EIGHT.fullmatch):
        return 0.0
    return min(look.share(_CENTURIES.match), look.valid(CATALOGUE["date"]))


_EIGHT: Final = re.compile(r"\d{8}")
_CENTURIES: Final = re.compile(r"(?:19|20)\d\d")
_LIFETIME: Final = 25


def _other_days(look: Look) -> float:
    """Days that are not those of a lifetime: to take birthdays for less would be the worse mistake."""
    return 0.0 if _birthdays(look) else _days(look)


def _birthdays(look: Look) -> float:
    """Days that lie as far apart as people's birthdays do."""
    share = _days(look)
    if share < 0.5:  # noqa: PLR2004 - most
        return 0.0
    years = np.array([int(value[:4]) for value in look.values if _CENTURIES.match(value)])
    early, late = np.quantile(years, [0.1, 0.9])
    return share if late - early >= _LIFETIME and late < years.max() + 1 else 0.0


def _money(look: Look) -> float:
    if look.kind is Kind.DECIMAL:
        return 1.0
    return _matching(r"[-+]?[¥￥$€£]?\s?[\d,]{1,15}\.\d\d(?:元)?|[¥￥$€£]\s?[\d,.]{1,15}|[\d,.]{1,15}元")(look)


def _countries(look: Look) -> float:
    return look.share(lambda value: value.lower() in lexicon.COUNTRIES)


def _sentence(value: str) -> bool:
    """Whether a value is text that somebody wrote."""
    return len(value) >= _SENTENCE and bool(_WRITTEN.search(value))


_SENTENCE: Final = 8
_WRITTEN: Final = re.compile(r"[。，！？…；、~～]|[^\W\d]+\W+[^\W\d]+\W+[^\W\d]+|[\u4e00-\u9fff]{8}")

_HASHED: Final = (
    r"\$2[abxy]?\$.{50,}|(?:pbkdf2|scrypt|bcrypt|argon2)[\w-]*[$:].+|\$(?:argon2(?:id?|d)|[156y]|7|scrypt)\$.+|"
    r"\{S?SHA\d*\}.+"
)
_ADDRESS: Final = (
    r"(?:[路街道巷弄村里镇乡园苑城区组].{0,40}?[\d一二三四五六七八九十].{0,12}?(?:号|栋|幢|室|楼|单元|层|组|座|队))|"
    r"^\d+[\w/-]*,?\s.*\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|square|place|pl|"
    r"highway|hwy|terrace|close|parkway|trail|run|row)\b"
)


_NUMBER_WITHIN: Final = r"(?=.*[^\W\d_]).*(?<!\d)1[3-9]\d{9}(?!\d)"
"""A mobile number among other words."""
_MESSAGE: Final = re.compile(r"[。？！]|，.*，|(?<!\d)1[3-9]\d{9}(?!\d)")


def _address(look: Look) -> float:
    """Addresses, and no messages that hold one."""
    written = re.compile(_ADDRESS, re.IGNORECASE).search
    return look.share(lambda value: written(value) and not _MESSAGE.search(value))


def _listed(words: str) -> str:
    return rf"(?:{words})族?(?:[、,/;，；]\s?(?:{words}))*"


SHAPES: Final = (
    Shape("cn_resident_id", _valid("cn_resident_id"), 0.02, how="check"),
    Shape("cn_credit_code", _valid("cn_credit_code"), 0.04, how="check"),
    Shape("imei", _valid("imei"), 0.1, how="check"),
    Shape("bank_card", _card, 0.1, how="check"),
    Shape("imsi", _valid("imsi", r"^4(?:60|54|55|66)"), 0.1, _LIKELY),
    Shape("cn_mobile", _valid("cn_mobile"), 0.03),
    Shape("cn_landline", _valid("cn_landline", r"^(?:[(（]?0\d{2,3}|\+?86|0086)[)）\s-]"), 0.03),
    Shape("cn_landline", _valid("cn_landline", r"^0\d{9,11}$"), 0.03, _MAYBE),
    Shape("email", _valid("email")),
    Shape("ip_address", _valid("ip_address")),
    Shape("mac_address", _valid("mac_address", r"^(?:[0-9a-f]{2}[:-]|[0-9a-f]{4}\.)")),
    Shape("url", _valid("url")),
    Shape("oaid", _valid("oaid", r"^[0-9a-f]{8}-[0-9a-f]{4}-"), ceiling=_MAYBE),
    Shape("coordinates", _valid("coordinates", r"\d\.\d{2,}[^\d]+\d+\.\d{2,}")),
    Shape("cn_plate", _valid("cn_plate", r"^[\u4e00-\u9fff]")),
    Shape("passport", _matching(r"(?:E[A-HJ-NP-Z]|[DEGPS])\d{8}|E[A-Z]\d{7}"), 0.05, _LIKELY),
    Shape("cn_travel_permit", _matching(r"(?:[CWLT]\d{8}|[HM]\d{8}(?:\d\d)?|C[A-Z]\d{7})"), 0.05, _LIKELY),
    Shape("cn_province", _division("province"), how="table"),
    Shape("cn_city", _division("city"), how="table"),
    Shape("cn_county", _division("county"), how="table"),
    Shape("cn_division", _division_code, 0.01, how="table"),
    Shape("timestamp", _moment),
    Shape("date", _other_days, ceiling=0.93),
    Shape("birth_date", _birthdays, 0.3, _LIKELY, how="lifetimes"),
    Shape("gender", _matching(r"[男女][性士]?|先生|小姐|(?:fe)?male|(?:wo)?man|保密|其他|other"), 0.05, how="words"),
    Shape("gender", _matching(r"[mfux]"), 0.2, _MAYBE, how="words"),
    Shape("ethnicity", _valid("ethnicity", r"族|其他"), how="words"),
    Shape("nationality", _countries, 0.1, _LIKELY, how="words"),
    Shape("religion", _matching(_listed(lexicon.RELIGIONS)), how="words"),
    Shape("politics", _matching(_listed(lexicon.POLITICS)), 0.1, how="words"),
    Shape("health", _holding(lexicon.ILLNESSES), 0.1, 0.85, how="words"),
    Shape("courier", _holding(rf"^(?:中国)?(?:{lexicon.COURIERS})"), 0.05, how="words"),
    Shape("payment_method", _holding(rf"^(?:京东)?(?:{lexicon.PAYMENTS})"), 0.05, how="words"),
    Shape("device_model", _holding(rf"^(?:{lexicon.DEVICES})"), 0.05, how="words"),
    Shape("tracking_number", _matching(r"(?:SF|JDV?|YTO?|ZTO|STO|JT|DPK|YD|EMS|E[A-Z])[A-Z]{0,2}\d{9,15}(?:CN)?"), 0.1),
    Shape("password", _matching(_HASHED), how="hash"),
    Shape("address_detail", _address, 0.05, 0.9),
    Shape("person_name", lambda look: look.share(is_person), 0.2, 0.8, how="names"),
    Shape("amount", _money, 0.3, _MAYBE),
    Shape("free_text", lambda look: look.share(_sentence), 0.2, 0.72, how="sentences"),
    Shape("free_text", _holding(_NUMBER_WITHIN), 0.05, 0.72, how="within"),
)
"""All that values can show by themselves."""


def fit(look: Look, name: str) -> float:
    """The share of a column's rows that a type would take, for types that the column's name says.

    A name's type has to hold more than its own check where that takes nearly anything.
    """
    form = _FORMS.get(name)
    valid = look.valid(CATALOGUE[name])
    return min(valid, look.share(form)) if form else valid


def _is_name_like(value: str) -> bool:
    return not _PROSE.search(value)


_PROSE: Final = re.compile(r"[。，！？]|\S\s\S+\s\S+\s\S+\s\S+\s\S|^\S{31,}$")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_PLACE: Final = re.compile(r"\D")
_FORMS: Final[dict[str, Callable[[str], object]]] = {
    "person_name": _is_name_like,
    "nationality": re.compile(r"^\D{2,40}$|^\d{3}$").search,
    "address_detail": _PLACE.search,
    "cn_city": _HAN.search,
    "cn_county": _HAN.search,
    "cn_landline": re.compile(r"^\D*0|^\D*86|-").search,
    "device_model": re.compile(r"[^\W\d_]").search,
    "courier": re.compile(r"[^\W\d_]").search,
    "payment_method": re.compile(r"[^\W\d_]|^\d$").search,
    "mac_address": re.compile(r"[a-f:-]", re.IGNORECASE).search,
}
