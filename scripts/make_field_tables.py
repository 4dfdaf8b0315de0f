# ruff: noqa: INP001 - a script, not part of a package
"""The tables of docs/fields.md and of stand-ins, from the catalogue itself; make_field_pages.py writes them, too."""

from __future__ import annotations

import sys
from inspect import signature
from pathlib import Path

from privkit import fields
from privkit.errors import InvalidParameter
from privkit.transforms.stand_ins import KINDS

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
KINDS_BEGIN, KINDS_END = "<!-- kinds: begin -->", "<!-- kinds: end -->"

EXAMPLES = {
    "person_name": "欧阳娜娜",
    "gender": "女",
    "ethnicity": "汉族",
    "nationality": "中国",
    "birth_date": "1990-05-17",
    "date": "2026-11-23",
    "timestamp": "2026-01-02T03:04:05",
    "cn_resident_id": "11010519491231002X",
    "passport": "E12345678",
    "cn_travel_permit": "H1234567801",
    "cn_credit_code": "91350100M000100Y43",
    "cn_plate": "粤BD12345",
    "cn_mobile": "13812345678",
    "cn_landline": "0755-12345678",
    "postcode": "518000",
    "email": "zhangsan@qq.com",
    "address_detail": "科技园路12号3栋1502室",
    "cn_province": "广东省",
    "cn_city": "深圳市",
    "cn_county": "福田区",
    "cn_division": "440305",
    "coordinates": "22.5431,114.0579",
    "user_name": "sunny_2020",
    "password": "correct horse",
    "security_answer": "Rex",
    "bank_card": "4111111111111111",
    "amount": "129.90",
    "payment_method": "微信支付",
    "payment_account": "zhangsan@qq.com",
    "order_number": "20260102-000042",
    "tracking_number": "SF1234567890123",
    "courier": "顺丰速运",
    "duration": "42.5",
    "number": "35",
    "free_text": "很好",
    "text": "anything",
    "ip_address": "192.0.2.1",
    "search_words": "台灯",
    "mac_address": "00:1b:44:11:3a:b7",
    "url": "https://shop.example/cart?user=7",
    "imei": "490154203237518",
    "oaid": "6f1d4a3b-0c2e-4f5a-9b7d-8e6f5a4b3c2d",
    "device_model": "HUAWEI Mate 60 Pro",
    "imsi": "460001234567890",
    "biometric_template": "jGUc5LYC6h8",
    "health": "海鲜过敏",
    "religion": "道教",
    "politics": "群众",
    "wealth": "500000",
}
"""One canonical value of each type."""

NEEDED = {"age_band": {"on": "2026-01-01"}, "band": {"width": 50}}
"""Parameters of levels that must be said."""

OPTIONS: dict[str, list[dict[str, object]]] = {
    "cn_mobile": [{}, {"keep": "prefix3"}],
    "bank_card": [{}, {"keep": "bin"}, {"keep": "bin8"}],
    "cn_resident_id": [
        {},
        {"keep": "area"},
        {"keep": "sex"},
        {"keep": "area+sex"},
        {"keep": "year"},
        {"keep": "birth"},
        {"keep": "area+year"},
        {"keep": "area+year+sex"},
        {"keep": "area+birth"},
    ],
    "email": [{}, {"keep": ""}],
    "imei": [{}, {"keep": "tac"}],
    "ip_address": [{}, {"v4": 8, "v6": 32}, {"v4": 12, "v6": 64}, {"v4": 16, "v6": 64}],
    "mac_address": [{}, {"keep": "oui"}],
    "order_number": [{}, {"keep_first": 8}],
    "tracking_number": [{}, {"keep_first": 2, "keep_last": 4}],
}
"""Options worth showing; other types are shown without any."""


def types() -> list[str]:
    """The table of what types there are."""
    rows = ["| type | English | 中文 | category | sensitivity | rests on |", "|---|---|---|---|---|---|"]
    for name, kind in fields.CATALOGUE.items():
        leaves = "" if kind.releasable else "; never leaves"
        said = (
            f"[`{name}`](fields/{name}.md)",
            kind.title,
            kind.title_zh,
            kind.category,
            kind.sensitivity + leaves,
            kind.basis,
        )
        rows.append(f"| {' | '.join(said)} |")
    return rows


def masks() -> list[str]:
    """The table of masks that show something."""
    rows = ["| type | value | display | waybill | log | analytics |", "|---|---|---|---|---|---|"]
    for name, kind in fields.CATALOGUE.items():
        if any(mask.shows for mask in kind.masks.values()):
            shown = (mask.one(EXAMPLES[name]) for mask in kind.masks.values())
            rows.append(f"| `{name}` | `{EXAMPLES[name]}` | " + " | ".join(f"`{mask}`" for mask in shown) + " |")
    return rows


def levels() -> list[str]:
    """The table of levels."""
    rows = ["| type | value | level | parameters | gives |", "|---|---|---|---|---|"]
    for name, kind in fields.CATALOGUE.items():
        for level, factory in kind.own_levels.items():
            said = NEEDED.get(level, {})
            shown = ", ".join(f"`{key}`" for key in signature(factory).parameters) or "none"
            gives = factory(**said).one(EXAMPLES[name])
            with_ = f" (`{', '.join(f'{key}={value!r}' for key, value in said.items())}`)" if said else ""
            rows.append(f"| `{name}` | `{EXAMPLES[name]}` | `{level}` | {shown} | `{gives}`{with_} |")
    return rows


def layouts() -> list[str]:
    """The table of layouts and their sizes."""
    rows = ["| type | value | options | moves among | FF1 |", "|---|---|---|---|---|"]
    for name, kind in fields.CATALOGUE.items():
        for options in OPTIONS.get(name, [{}]) if kind.layouts else []:
            said = ", ".join(f"{key}={value!r}" for key, value in options.items())
            size, _ = moves_among(name, options)
            enough = "yes" if size >= 10**6 else "no: `small_domain=True`"
            rows.append(f"| `{name}` | `{EXAMPLES[name]}` | {f'`{said}`' if said else '-'} | {size:,} | {enough} |")
    return rows


def stand_ins() -> str:
    """The table of kinds of stand-ins."""
    rows = ["| type, or `like` | made of | `keep` | `locale` |", "|---|---|---|---|"]
    for name, maker in KINDS.items():
        only = "" if name in fields.CATALOGUE else " (with `like`)"
        keeps = ", ".join(f"`{part}`" for part in maker.keeps) or "-"
        where = ", ".join(f"`{locale}`" for locale in maker.locales) or "the same everywhere"
        rows.append(f"| `{name}`{only} | {maker.made_of} | {keeps} | {where} |")
    return "\n".join(rows)


def moves_among(name: str, options: dict[str, object]) -> tuple[int, int]:
    """Among how many values the example of a type moves, and the version of its layout."""
    make = fields.CATALOGUE[name].layouts
    if make is None:
        raise InvalidParameter(f"{name} has no layout")
    small = {"small_domain": True} if "small_domain" in signature(make).parameters else {}
    layout = make(**options, **small)
    return layout.split_one(EXAMPLES[name]).size, layout.version


def tables() -> str:
    """All tables with their headings."""
    parts = [
        ("## What types there are", types()),
        ("## What masks show", masks()),
        ("## How values become coarser", levels()),
        ("## How values move under format-preserving encryption", layouts()),
    ]
    return "\n\n".join(f"{heading}\n\n" + "\n".join(rows) for heading, rows in parts)


def main(docs: Path) -> None:
    """Put the tables between the marks of the pages that have them."""
    _put(docs / "fields.md", BEGIN, END, tables())
    _put(docs / "subjects-and-stand-ins.md", KINDS_BEGIN, KINDS_END, stand_ins())


def _put(path: Path, begin: str, end: str, made: str) -> None:
    page = path.read_text(encoding="utf-8")
    head, rest = page.split(begin)
    path.write_text(f"{head}{begin}\n\n{made}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
