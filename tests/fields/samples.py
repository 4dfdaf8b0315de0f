"""Strategies that draw values of every type.

Check characters come from python-stdnum or are computed anew here, never from the code under test.
"""

import datetime as dt
import ipaddress

from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from fields.examples import EXAMPLES, INVALID

DIGITS = "0123456789"


def _digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


def _luhn(length: int) -> st.SearchStrategy[str]:
    return _digits(length - 1).map(lambda digits: digits + luhn.calc_check_digit(digits))


def _resident(areas: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    dates = st.dates(dt.date(1800, 1, 1), dt.date(2099, 12, 31)) | st.dates(dt.date(1940, 1, 1), dt.date(2015, 12, 31))
    parts = st.tuples(areas, dates, _digits(3))
    return parts.map(lambda part: f"{part[0]}{part[1]:%Y%m%d}{part[2]}").map(
        lambda digits: digits + mod_11_2.calc_check_digit(digits)
    )


def _old_resident(areas: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    dates = st.dates(dt.date(1900, 1, 1), dt.date(1999, 12, 31))
    return st.tuples(areas, dates, _digits(3)).map(lambda part: f"{part[0]}{part[1]:%y%m%d}{part[2]}")


_AREAS = st.sampled_from([110101, 110105, 440305, 440399, 650102, 310115, 510104, 420902, 131102])
_PERMITS = st.sampled_from([810000, 820000, 830000])
_IPV6 = st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None).map(str)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _credit() -> st.SearchStrategy[str]:
    heads = st.tuples(
        st.sampled_from("159"), st.sampled_from("123"), _digits(6), st.text(_CREDIT, min_size=9, max_size=9)
    )
    return heads.map("".join).map(lambda code: code + uscc.calc_check_digit(code))


_SERIAL = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PLATES = st.one_of(
    st.text(_SERIAL, min_size=5, max_size=5),
    st.tuples(st.sampled_from("DF"), st.sampled_from(_SERIAL), _digits(4)).map("".join),
    st.tuples(_digits(5), st.sampled_from("DF")).map("".join),
    st.tuples(st.text(_SERIAL, min_size=4, max_size=4), st.sampled_from("挂学警")).map("".join),
)

_AUTHORITIES = st.one_of(
    st.tuples(st.just("使"), _digits(6)),
    st.tuples(st.sampled_from(["WJ", "WJ京", "WJ粤"]), _digits(4), st.sampled_from("0123456789BDHJSTX")),
    st.tuples(st.sampled_from("京粤新"), st.sampled_from("XS"), _digits(4), st.just("应急")),
).map("".join)

CANONICAL: dict[str, st.SearchStrategy[str]] = {
    "birth_date": st.dates().map(str),
    "timestamp": st.datetimes().map(dt.datetime.isoformat),
    "cn_mobile": st.tuples(st.sampled_from("3456789"), _digits(9)).map(lambda part: f"1{part[0]}{part[1]}"),
    "cn_resident_id": st.one_of(
        _resident(_AREAS | _PERMITS),
        _resident(_AREAS),
        _old_resident(_AREAS),
        st.tuples(st.sampled_from(["USA", "GBR"]), _digits(12)).map("".join),
    ),
    "cn_credit_code": _credit(),
    "cn_plate": st.tuples(st.sampled_from("京粤新"), st.sampled_from("ABZ"), _PLATES).map("".join) | _AUTHORITIES,
    "bank_card": st.integers(13, 19).flatmap(_luhn).filter(lambda number: number[:6] != "0" * 6),
    "imei": _luhn(15).filter(lambda number: number[:8] != "0" * 8),
    "imsi": _digits(10).map(lambda digits: "46000" + digits),
    "mac_address": st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":")),
    "ip_address": st.ip_addresses(v=4).map(str) | _IPV6,
    "email": st.tuples(
        st.from_regex(r"[abcXYZ019_+*-]{1,5}(\.[abcXYZ019_+*-]{1,4}){0,2}", fullmatch=True),
        st.sampled_from(["qq.com", "Mail.example", "a-b.co.uk"]),
    ).map(lambda part: f"{part[0]}@{part[1].lower()}"),
    "order_number": st.text("0123456789ABCxyz-_", min_size=1, max_size=30).filter(lambda code: code.strip("-_")),
    "tracking_number": st.tuples(st.sampled_from(["SF", "YT", ""]), _digits(13)).map("".join),
    "passport": st.tuples(st.sampled_from("EGP"), _digits(8)).map("".join),
    "cn_travel_permit": st.one_of(
        st.tuples(st.sampled_from("CWLTHM"), _digits(8)).map("".join),
        st.tuples(st.sampled_from(["CA", "CB", "HK"]), _digits(7)).map("".join),
        st.tuples(st.sampled_from("HM"), _digits(10)).map("".join),
        _digits(8) | _digits(10),
        st.tuples(_digits(10), st.sampled_from("BDZ")).map("".join),
    ),
    "amount": st.decimals(-(10**9), 10**9, places=2).map(lambda number: f"{number or abs(number):f}"),
    "number": st.integers(-(10**6), 10**6).map(str),
    "duration": st.integers(0, 10**6).map(str),
    "postcode": _digits(6).filter(lambda code: code[:2] != "00"),
    "cn_landline": st.tuples(st.sampled_from(["010", "021", "0755", "0898"]), _digits(7)).map(
        lambda part: f"{part[0]}-8{part[1]}"
    ),
    "person_name": st.text("张三李四欧阳𠮷田·", min_size=1, max_size=6).map(lambda name: "王" + name),
}
"""Strategies that draw canonical values; the other types have their written examples."""


def canonical(name: str) -> st.SearchStrategy[str]:
    """Canonical values of a type."""
    written = st.sampled_from([value for _, value in EXAMPLES[name]])
    return CANONICAL[name] | written if name in CANONICAL else written


def written(name: str) -> st.SearchStrategy[str]:
    """Anything somebody might have written into a column of this type: right, nearly right, or wrong."""
    right = st.sampled_from([value for value, _ in EXAMPLES[name]]) | canonical(name)
    wrong = st.sampled_from(INVALID.get(name, ["?"]))
    odd = st.text(min_size=1, max_size=20) | st.text("0123456789-.:@* X张市号\u00b7\uff11/", min_size=1, max_size=20)
    nearly = st.tuples(right, st.integers(0, 30), st.sampled_from(["", " ", "0", "x", "*", "号", "."])).map(
        lambda part: part[0][: part[1]] + part[2] + part[0][part[1] + 1 :]
    )
    return (right | wrong | odd | nearly).filter(bool)


def networks(text: str, v4: int, v6: int) -> str:
    """The network of an address, by the standard library."""
    bits = v6 if ":" in text else v4
    return str(ipaddress.ip_network(f"{text}/{bits}", strict=False))
