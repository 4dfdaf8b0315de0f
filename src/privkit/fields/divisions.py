"""The administrative divisions of China: provinces, cities and counties by code and by name.

A division is an integer code of two digits (province), four (city) or six (county); its parent's code is the code
without the last two digits. The codes are those of GB/T 2260 and of the National Bureau of Statistics, whose list also
counts development zones (last two digits 71 to 79) that no resident ID was ever issued for.

A table is dated and frozen: format-preserving encryption ranks county codes by their place in it, so version 1 will
hold the same 2,978 codes for ever (a digest is checked when it is read), and a newer list gets a new version. Counties
come and go, and IDs keep the code they were issued with: to validate an ID's area, ask for a known province only
(`PROVINCE_PREFIXES`), never for a county of today.

The table is read when first asked for, once.

    >>> import numpy as np
    >>> from privkit.fields import divisions
    >>> table = divisions.table()
    >>> table.path(440305)
    ('广东省', '深圳市', '南山区')
    >>> table.find("南山区", within=44)
    (440305,)
    >>> table.is_known(np.array([440305, 440399])).tolist()
    [True, False]
"""

import functools
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from privkit.errors import InvalidParameter, TableError

TABLE_VERSION = 1
"""The newest table, which new layouts stand on."""

MAINLAND_PREFIXES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66))
)
"""The 31 provinces, autonomous regions and municipalities that issue resident IDs (GB/T 2260)."""

OTHER_PROVINCES = {71: "台湾省", 81: "香港特别行政区", 82: "澳门特别行政区"}
"""Provinces that the mainland's list does not count, with their names (GB/T 2260)."""

PROVINCE_PREFIXES = MAINLAND_PREFIXES | {*OTHER_PROVINCES, 83}
"""What the first two digits of a resident ID or residence permit can be.

81, 82 and 83 begin the residence permits for people from Hong Kong, Macau and Taiwan (State Council, 2018), where 83 is
no province. The numbers of foreign permanent residents begin with 9 and are built in another way: not here.
"""

MUNICIPALITIES = frozenset({11, 12, 31, 50})
"""Beijing, Tianjin, Shanghai and Chongqing: provinces and cities in one."""

LEVELS = {"province": 2, "city": 4, "county": 6}
"""How many digits the codes of each level have."""


@dataclass(frozen=True)
class _Source:
    """Where a version of the table is, and the SHA-256 of its county codes as decimal text, one a line."""

    file: str
    date: str
    digest: str


_SOURCES = {
    1: _Source(
        "divisions-2023-06-30.csv",
        "2023-06-30",
        "41d2b0d9517292e05b32ac3361af44253e8755f1fc18568192aa9d9b2acb2aeb",
    ),
}

# A name's short form leaves out its kind, and before 自治 the peoples that it is named for ("恩施土家族苗族自治州").
_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|"
    "柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|"
    "塔塔尔|独龙|鄂伦春|赫哲|门巴|珞巴|基诺|各"
)
_AUTONOMOUS = re.compile(
    rf"^(.{{2,}}?)(?:(?:{_PEOPLES})族|(?:蒙古|哈萨克|塔吉克|锡伯|柯尔克孜|维吾尔))*族?自治(?:区|州|县|旗)$"
)
_PLAIN = re.compile(r"^(.{2,}?)(?:省|市|地区|盟|区|县|旗|林区|特区)$")
_SAR = re.compile(r"^(.{2})特别行政区$")
_ZONE_DIGITS = range(71, 80)
_SIX_DIGITS = 1_000_000


def short_name(name: str) -> str:
    """Return a division's customary short name: `广东省` → `广东`, `恩施土家族苗族自治州` → `恩施`.

    Names that would be left with one character keep their kind (`赵县`, `城区`).
    """
    for pattern in (_AUTONOMOUS, _SAR, _PLAIN):
        if match := pattern.match(name):
            return match[1]
    return name


@dataclass(frozen=True, eq=False, repr=False)
class DivisionTable:
    """One dated list of divisions.

    Attributes:
        version: The table's version; part of the layout of every format-preserving encryption that ranks its counties.
        date: The day that the list describes, as ISO text.
        codes: The county codes, ascending, `int32`, read-only; a county's rank is its position here.
        names: Official name by code, all three levels, and `OTHER_PROVINCES`.
    """

    version: int
    date: str
    codes: NDArray[np.int32]
    names: dict[int, str]
    _index: dict[str, tuple[int, ...]] = field(init=False)
    _ranks: NDArray[np.int16] = field(init=False)

    def __post_init__(self) -> None:
        self.codes.setflags(write=False)
        ranks = np.full(_SIX_DIGITS, -1, dtype=np.int16)  # a look-up is ten times faster than a search in `codes`
        ranks[self.codes] = np.arange(len(self.codes))
        object.__setattr__(self, "_ranks", ranks)
        object.__setattr__(self, "_index", _index_names(self))

    def __repr__(self) -> str:
        return f"<DivisionTable version {self.version}, {self.date}, {len(self.codes)} counties>"

    def is_known(self, codes: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Say which codes are counties of this table.

        Args:
            codes: Six-digit codes, any shape and integer type.

        Returns:
            A mask of the same shape.
        """
        return self.ranks(codes) >= 0

    def ranks(self, codes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return each county's position in `codes`; where the code is not known, -1."""
        possible = (codes >= 0) & (codes < _SIX_DIGITS)
        found = self._ranks[np.where(possible, codes, 0).astype(np.int64)]  # no county has the code 0
        return found.astype(np.int64)

    def zones(self) -> NDArray[np.bool_]:
        """Say which of `codes` are development zones of the statistics (71 to 79), which issue no resident IDs."""
        return np.array([_is_zone(code) for code in self.codes.tolist()])

    def name(self, code: int) -> str:
        """Return a division's name as one says it: `1101`, officially 市辖区, is 北京市.

        Raises:
            LookupError: The table has no such division.
        """
        if code not in self.names:
            raise LookupError(f"no division of this code in the table of {self.date}")
        return self.names[code // 100] if code // 100 in MUNICIPALITIES else self.names[code]

    def path(self, code: int) -> tuple[str, ...]:
        """Return the names from the province down: `440305` → `("广东省", "深圳市", "南山区")`.

        Raises:
            LookupError: The table has no such division.
        """
        above = self.path(code // 100) if code >= 1000 else ()  # noqa: PLR2004 -- four digits or six: it has a parent
        return (*above, self.name(code))

    def find(self, name: str, *, level: str = "", within: int | None = None) -> tuple[int, ...]:
        """Find divisions by official or customary short name.

        Args:
            name: Such as `广东省`, `广东`, `广州`, `南山区`; a municipality is found as province and as city.
            level: `province`, `city` or `county`; `""` for any.
            within: The code of a division above those wanted, or of itself.

        Returns:
            Their codes, provinces first, then ascending; `()` where there is none, several where a name is not unique.

        Raises:
            InvalidParameter: There is no such level.
        """
        if level and level not in LEVELS:
            raise InvalidParameter(f"no level {level!r}: choose from {', '.join(LEVELS)}")
        return tuple(
            code
            for code in self._index.get(name, ())
            if (not level or len(str(code)) == LEVELS[level]) and (within is None or str(code).startswith(str(within)))
        )


@functools.cache
def table(version: int = TABLE_VERSION) -> DivisionTable:
    """Return a version of the table; it is read once and shared.

    Args:
        version: 1 (of 2023-06-30) is the only one so far.

    Raises:
        InvalidParameter: There is no such version.
        TableError: The installed file is not the one that this version is.
    """
    if version not in _SOURCES:
        raise InvalidParameter(f"no division table of version {version}: the newest is {TABLE_VERSION}")
    source = _SOURCES[version]
    text = (resources.files("privkit.fields") / "data" / source.file).read_text(encoding="utf-8")
    names = _parse(text.splitlines())
    codes = np.array(sorted(code for code in names if code >= 100_000), dtype=np.int32)  # noqa: PLR2004 -- six digits
    if _digest(codes) != source.digest:
        # Another list would rank the counties differently, and old ciphertexts would reveal to other divisions.
        raise TableError(f"division table {version} was altered: reinstall privkit")
    return DivisionTable(version, source.date, codes, names | OTHER_PROVINCES)


def _parse(lines: Iterable[str]) -> dict[int, str]:
    rows = (line.split(",") for line in lines if not line.startswith("#"))
    return {int(code): name for code, name in rows}


def _is_zone(code: int) -> bool:
    return len(str(code)) == LEVELS["county"] and code % 100 in _ZONE_DIGITS


def _digest(codes: NDArray[np.int32]) -> str:
    return hashlib.sha256("".join(f"{code}\n" for code in codes.tolist()).encode()).hexdigest()


def _index_names(divisions: DivisionTable) -> dict[str, tuple[int, ...]]:
    """Index codes by every name they go by: official, as one says it, and (but for zones) the short forms of both."""
    index: dict[str, list[int]] = {}
    for code in sorted(divisions.names):
        spoken = {divisions.names[code], divisions.name(code)}
        short = set() if _is_zone(code) else {short_name(name) for name in spoken}
        for name in spoken | short:
            index.setdefault(name, []).append(code)
    return {name: tuple(codes) for name, codes in index.items()}
