"""Where customers live and were born: counties weighted by population, and what an address is made of."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privkit.demo.draw import Weighted
from privkit.demo.words import LISTS, Pool, faker_words, shared
from privkit.fields import divisions


@dataclass(frozen=True)
class Province:
    """What the export needs to know of a province.

    Attributes:
        people: Millions of inhabitants (seventh census, 2020, rounded).
        postcode: The first two digits of its postcodes.
        dialling: Area codes of some of its cities, with the number of digits after them.
    """

    people: float
    postcode: str
    dialling: tuple[tuple[str, int], ...]


def _province(people: float, postcode: str, *dialling: str) -> Province:
    return Province(people, postcode, tuple((code.rstrip("*"), 8 if code.endswith("*") else 7) for code in dialling))


# A star marks area codes with eight-digit numbers.
PROVINCES = {
    11: _province(21.9, "10", "010*"),
    12: _province(13.9, "30", "022*"),
    13: _province(74.6, "05", "0311*", "0315", "0312", "0316"),
    14: _province(34.9, "03", "0351", "0352", "0355"),
    15: _province(24.0, "01", "0471", "0472", "0477"),
    21: _province(42.6, "11", "024*", "0411*", "0412"),
    22: _province(24.1, "13", "0431*", "0432", "0433"),
    23: _province(31.9, "15", "0451*", "0459", "0452"),
    31: _province(24.9, "20", "021*"),
    32: _province(84.7, "21", "025*", "0512*", "0510*", "0519*", "0513*"),
    33: _province(64.6, "31", "0571*", "0574*", "0577*", "0579*"),
    34: _province(61.0, "23", "0551", "0553", "0558"),
    35: _province(41.5, "35", "0591*", "0592", "0595*"),
    36: _province(45.2, "33", "0791*", "0797", "0792"),
    37: _province(101.5, "25", "0531*", "0532*", "0535", "0539"),
    41: _province(99.4, "45", "0371*", "0379*", "0377*"),
    42: _province(57.8, "43", "027*", "0717", "0710"),
    43: _province(66.4, "41", "0731*", "0734", "0736"),
    44: _province(126.0, "51", "020*", "0755*", "0769*", "0757*", "0752"),
    45: _province(50.1, "53", "0771", "0772", "0773"),
    46: _province(10.1, "57", "0898*"),
    50: _province(32.1, "40", "023*"),
    51: _province(83.7, "61", "028*", "0816", "0833"),
    52: _province(38.6, "55", "0851*", "0852"),
    53: _province(47.2, "65", "0871*", "0872", "0874"),
    54: _province(3.6, "85", "0891"),
    61: _province(39.5, "71", "029*", "0912", "0917"),
    62: _province(25.0, "73", "0931", "0938"),
    63: _province(5.9, "81", "0971"),
    64: _province(7.2, "75", "0951"),
    65: _province(25.9, "83", "0991", "0996"),
}
_ISLETS = 4603  # Sansha: a city of a few hundred islets
_LONGEST_HOUSE = 4  # characters of a company's name that a house may carry
_URBAN = 3.0  # a district orders so much more than a rural county


@dataclass(frozen=True, eq=False)
class Counties:
    """The counties that people live in and that IDs are issued in (no statistical zones), in the order of their codes.

    Attributes:
        codes: Six-digit codes.
        provinces: Each county's position in `PROVINCES`.
        weights: How often a county is drawn.
        province, city, county: The names, as people write them.
    """

    codes: NDArray[np.int64]
    provinces: NDArray[np.int64]
    weights: Weighted
    province: pa.Array
    city: pa.Array
    county: pa.Array


@functools.cache
def counties() -> Counties:
    """Build the table of counties from version 1 of the divisions, so that the export stays the same."""
    table = divisions.table(1)
    codes = table.codes[~table.zones() & (table.codes // 100 != _ISLETS)].astype(np.int64)
    provinces = np.searchsorted(list(PROVINCES), codes // 10_000)
    paths = [table.path(code) for code in codes.tolist()]
    urban = np.array([_URBAN if county.endswith("区") else 1.0 for _, _, county in paths])
    in_province = np.bincount(provinces, weights=urban)
    people = np.array([province.people for province in PROVINCES.values()])
    weights = Weighted.of(urban / in_province[provinces] * people[provinces])
    names = (pa.array(column, pa.string()) for column in zip(*paths, strict=True))
    return Counties(codes, provinces, weights, *names)


_WORDS = LISTS["address"]
ADDRESS_KINDS = Weighted.of([0.8, 0.06, 0.14])
"""Estates and offices on a road, business parks, villages: the groups of the three pools below."""


@functools.cache
def streets() -> Pool:
    """Return the first parts of addresses, by kind."""
    suffixes = (*faker_words("address").street_suffixes, "大道", "东路", "北路", "巷")
    roads = [
        f"{road}{suffix}{number}号" for road in _WORDS["roads"] for suffix in suffixes for number in range(1, 400, 7)
    ]
    villages = [
        f"{town}{kind}{village}村{group}组"
        for town, kind, village, group in itertools.product(_WORDS["towns"], "镇乡", _WORDS["villages"], range(1, 9))
    ]
    return Pool.of(roads, _WORDS["parks"], villages)


@functools.cache
def buildings() -> Pool:
    """Return the second parts, by kind: an estate or an office house, a building, a house of a village."""
    short = [prefix for prefix in faker_words("company").company_prefixes if len(prefix) <= _LONGEST_HOUSE]
    offices = [f"{prefix}大厦{tower}座" for prefix in short for tower in "AB"]
    estates = [
        f"{estate}{kind}{number}{unit}"
        for estate, kind, number, unit in itertools.product(
            _WORDS["estates"], _WORDS["estate_kinds"], range(1, 19), ("栋", "号楼")
        )
    ]
    return Pool.of(
        shared((estates, 0.85), (offices, 0.15)),
        [f"{number}栋" for number in range(1, 21)],
        [f"{number}号" for number in range(1, 200)],
    )


@functools.cache
def rooms() -> Pool:
    """Return the last parts, by kind: a room mostly, nothing in a village."""
    numbers = [f"{floor}{door:02d}室" for floor, door in itertools.product(range(1, 33), range(1, 7))]
    in_units = [f"{u}单元{floor}{door:02d}" for u, floor, door in itertools.product((1, 2, 3), range(1, 19), (1, 2))]
    return Pool.of(shared((numbers, 0.6), (in_units, 0.32), (_WORDS["counters"], 0.08)), numbers, [""])
