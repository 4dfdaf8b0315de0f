# ruff: noqa: INP001 - a script, not part of a package
"""Write the word lists of stand-ins from an installed Faker.

    pip install faker==40.54.0
    python scripts/make_stand_ins.py src/privkit/transforms/data

Stand-ins stay what they are for as long as their lists do, so the files are frozen: newer lists get new files and a new
version in `privkit.transforms.word_lists`, and the old files stay as they are.
"""

from __future__ import annotations

import json
import sys
import textwrap
import unicodedata
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faker import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HEADER = f"""\
# Words of stand-ins for the locale {{locale}}, version 1: lists, and templates of what is made of them.
# Source: the word lists of Faker {VERSION} (https://github.com/joke2k/faker), MIT licence, see LICENSES/faker.txt;
# templates and compound surnames are privkit's own. Written by scripts/make_stand_ins.py; frozen, never edit.
"""
DOMAINS = ["example.com", "example.net", "example.org"]
"""What is nobody's address: reserved for documentation by RFC 2606, section 3."""
COMPOUND = [
    *("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟"),
    *("公孙", "慕容", "令狐", "司徒", "夏侯", "端木", "南宫"),
]
TRADITIONAL = [
    *("歐陽", "上官", "司馬", "諸葛", "東方", "皇甫", "尉遲"),
    *("公孫", "慕容", "令狐", "司徒", "夏侯", "端木", "南宮"),
]
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})

SPACE = "\0"
"""Stands for a space within a word, where no line is broken."""

Lists = dict[str, list[str]]
Templates = dict[str, str]


def provider(part: str, locale: str) -> Any:  # noqa: ANN401 - Faker's providers are bags of class attributes
    """Faker's class of one part and locale."""
    return import_module(f"faker.providers.{part}.{locale}").Provider


def people(locale: str) -> Lists:
    """Names of people."""
    person = provider("person", locale)
    given = {"male": person.first_names_male, "female": person.first_names_female}
    return {"surnames": unique(person.last_names), **{sex: unique(names) for sex, names in given.items()}}


def unique(words: Iterable[str]) -> list[str]:
    """The words in canonical form (NFKC), each once, in their order; blanks and those with brackets left out."""
    tidy = (unicodedata.normalize("NFKC", word).strip() for word in words)
    return list(dict.fromkeys(word for word in tidy if word and "(" not in word))


def plain(words: Iterable[str]) -> list[str]:
    """The words in the small letters and digits that user names have."""
    folded = (unicodedata.normalize("NFKD", word.translate(_GERMAN)).lower() for word in words)
    return unique("".join(letter for letter in word if letter.isascii() and letter.isalnum()) for word in folded)


def latin(locale: str) -> Lists:
    """Names of people as mail addresses have them."""
    person = provider("person", locale)
    given = getattr(person, "first_romanized_names", person.first_names)
    surnames = getattr(person, "last_romanized_names", person.last_names)
    return {"given_latin": plain(given), "surnames_latin": plain(surnames)}


MAIL = {
    "email": "{given_latin}.{surnames_latin}{0-999999}@{domains}",
    "user_name": "{surnames_latin}{given_latin}{0-999999}",
}
WESTERN = {**MAIL, "male": "{male} {surnames}", "female": "{female} {surnames}"}
EASTERN = {**MAIL, "male": "{surnames}{male}", "female": "{surnames}{female}"}


def zh_cn() -> tuple[Lists, Templates]:
    """Simplified Chinese."""
    address, company = provider("address", "zh_CN"), provider("company", "zh_CN")
    surnames = provider("person", "zh_CN").last_names
    lists = {
        "compound": COMPOUND,
        "streets": sorted({*address.cities, *surnames}),
        "roads": unique(address.street_suffixes),
        "towns": sorted(set(address.cities)),
        "firms": unique(company.company_prefixes),
        "kinds": unique(company.company_suffixes),
    }
    detail = "{streets}{roads}{1-999}号{1-30}幢{101-999}室"
    return lists, {**EASTERN, "address_detail": detail, "company": "{towns}{firms}{kinds}"}


def zh_tw() -> tuple[Lists, Templates]:
    """Traditional Chinese."""
    address, company = provider("address", "zh_TW"), provider("company", "zh_TW")
    lists = {
        "compound": TRADITIONAL,
        "streets": unique(address.street_names),
        "roads": unique(address.street_suffixes),
        "firms": [name for name in unique(company.company_prefixes) if not name.isascii()],
        "kinds": unique(company.company_suffixes),
    }
    return lists, {**EASTERN, "address_detail": "{streets}{roads}{1-400}號{2-24}樓", "company": "{firms}{kinds}"}


def en_us() -> tuple[Lists, Templates]:
    """English as in the United States."""
    kinds = ["Inc", "LLC", "Group", "Ltd", "and Sons"]
    lists = {"roads": unique(provider("address", "en_US").street_suffixes), "kinds": kinds}
    detail = "{1-9999} {surnames} {roads}, Apt. {1-999}"
    return lists, {**WESTERN, "address_detail": detail, "company": "{surnames} {kinds}"}


def de_de() -> tuple[Lists, Templates]:
    """German as in Germany."""
    lists = {
        "roads": [road for road in unique(provider("address", "de_DE").street_suffixes_short) if road.islower()],
        "kinds": unique(provider("company", "de_DE").company_suffixes),
    }
    return lists, {**WESTERN, "address_detail": "{surnames}{roads} {1-199}", "company": "{surnames} {kinds}"}


def fr_fr() -> tuple[Lists, Templates]:
    """French as in France."""
    lists = {
        "roads": unique(provider("address", "fr_FR").street_prefixes),
        "kinds": unique(provider("company", "fr_FR").company_suffixes),
    }
    return lists, {**WESTERN, "address_detail": "{1-199} {roads} {surnames}", "company": "{surnames} {kinds}"}


def es_es() -> tuple[Lists, Templates]:
    """Spanish as in Spain, where people have two surnames."""
    lists = {
        "roads": unique(provider("address", "es_ES").street_prefixes),
        "kinds": unique(provider("company", "es_ES").company_suffixes),
    }
    names = {sex: f"{{{sex}}} {{surnames}} {{surnames}}" for sex in ("male", "female")}
    rest = {"address_detail": "{roads} {surnames} {1-199}", "company": "{surnames} {kinds}"}
    return lists, {**WESTERN, **names, **rest}


def ja_jp() -> tuple[Lists, Templates]:
    """Japanese."""
    company = provider("company", "ja_JP")
    lists = {
        "towns": unique(provider("address", "ja_JP").towns),
        "legal": unique(company.company_prefixes),
        "trades": unique(company.company_categories),
    }
    detail = "{towns}{1-9}丁目{1-29}番{1-19}号"
    return lists, {**EASTERN, "address_detail": detail, "company": "{legal}{surnames}{trades}"}


LOCALES: dict[str, Callable[[], tuple[Lists, Templates]]] = {
    "zh_CN": zh_cn, "zh_TW": zh_tw, "en_US": en_us, "de_DE": de_de, "fr_FR": fr_fr, "es_ES": es_es, "ja_JP": ja_jp,
}  # fmt: skip


def written(locale: str) -> str:
    """The file of a locale."""
    own, templates = LOCALES[locale]()
    lists = {**people(locale), **latin(locale), "domains": DOMAINS, **own}
    return HEADER.format(locale=locale) + "\n" + table("templates", templates) + "\n" + table("lists", lists)


def table(name: str, content: Lists | Templates) -> str:
    """A table of TOML, whose strings are written as those of JSON."""
    return "\n".join([f"[{name}]", *(f"{key} = {value(content[key])}" for key in content)]) + "\n"


def value(content: str | list[str]) -> str:
    """A string, or an array on as many lines as it needs."""
    if isinstance(content, str):
        return json.dumps(content, ensure_ascii=False)
    words = ", ".join(json.dumps(word, ensure_ascii=False).replace(" ", SPACE) for word in content)
    lines = textwrap.wrap(words, 96, break_long_words=False, break_on_hyphens=False)
    return "\n".join(["[", *(f"    {line}".replace(SPACE, " ") for line in lines), "]"])


def main(folder: Path) -> None:
    """Write the files of all locales."""
    for locale in LOCALES:
        (folder / f"stand-ins-1-{locale}.toml").write_text(written(locale), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
