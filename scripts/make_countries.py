"""Write the table of countries from Unicode's CLDR, as the Babel package has it.

    pip install Babel==2.18.0
    python scripts/make_countries.py src/privkit/fields/data/countries.csv

Codes are those of ISO 3166-1 that CLDR knows by all three of their forms; names are CLDR's, in NFKC, but for three.
"""  # noqa: INP001 -- a script, not part of a package

import csv
import sys
import unicodedata
from pathlib import Path

from babel import Locale
from babel.core import get_global

HEADER = """\
# Countries and territories: the codes of ISO 3166-1 (alpha-2, alpha-3, numeric), short names in Chinese and English.
# Source: Unicode CLDR (https://cldr.unicode.org), as packaged in Babel 2.18.0; Unicode License v3, see
# LICENSES/unicode.txt. Written by scripts/make_countries.py.
"""
OURS = {
    "HK": ("中国香港", "Hong Kong"),
    "MO": ("中国澳门", "Macao"),
    "TW": ("中国台湾", "Taiwan"),
    "MM": ("缅甸", "Myanmar"),
}
"""Names that GB/T 2659.1-2022 has otherwise, or that are two in one."""
WITHDRAWN = {"BUR", "DDR", "FXX", "TMP", "YMD", "ZAR", "230", "249", "278", "280", "720", "736", "886"}
"""Codes of countries that are no more."""
FIRST_PRIVATE = "900"
"""From here on numeric codes are anybody's."""


def codes() -> dict[str, tuple[str, str]]:
    """The alpha-3 and the numeric code of each alpha-2 code."""
    found: dict[str, dict[bool, str]] = {}
    for alias, whole in get_global("territory_aliases").items():
        if len(alias) == 3 and len(whole) == 1 and alias not in WITHDRAWN:  # noqa: PLR2004 - as long as these codes
            found.setdefault(whole[0], {})[alias.isdecimal()] = alias
    return {
        short: (both[False], both[True])
        for short, both in sorted(found.items())
        if len(both) == 2 and both[True] < FIRST_PRIVATE  # noqa: PLR2004 - letters and digits
    }


def main(target: str) -> None:
    """Write the table to `target`."""
    chinese, english = (Locale.parse(language).territories for language in ("zh", "en"))
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        rows = csv.writer(file, lineterminator="\n")
        for short, (letters, digits) in codes().items():
            names = OURS.get(short, (chinese[short], english[short]))
            rows.writerow([short, letters, digits, *(unicodedata.normalize("NFKC", name) for name in names)])


if __name__ == "__main__":
    main(*sys.argv[1:])
