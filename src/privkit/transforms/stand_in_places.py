"""Stand-ins for places: counties by code, and whole addresses in real divisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.beside import beside
from privkit._kernels.decimal_text import format_integers
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields import divisions
from privkit.fields.digits import numbers as read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.transforms.stand_ins import Pieces

    Numbers = NDArray[np.uint64]

KEPT_DIGITS: Final = {"province": 2, "city": 4, "county": 6}
"""How many digits of a county's code stay, by what is kept."""
_WIDTH: Final = 6
_NO_NAME: Final = "行政区划"
"""So end the names of rows that stand for no city: 省直辖县级行政区划."""
_LONGEST: Final = 15
"""The longest name of a division has so many characters."""


@dataclass(frozen=True)
class Counties:
    """Codes of counties, all of them or those of the same province or city.

    Attributes:
        keeps: How many digits of the code stay.
    """

    keeps: int

    @property
    def lists(self) -> str:
        """See `Kind`."""
        return f"divisions-{divisions.TABLE_VERSION}"

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The codes that are chosen from, ascending."""
        table = divisions.table()
        return table.codes[~table.zones()].astype(np.int64)

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`: the first number chooses.

        Raises:
            InvalidValue: If a province or city has no counties in the table; with positions in `text`.
        """
        places, _ = self.choose(read(text.matrix(_WIDTH)).astype(np.int64), numbers[:, 0])
        return format_integers(self.codes[places])

    def choose(self, codes: NDArray[np.int64], numbers: Numbers) -> tuple[NDArray[np.int64], Numbers]:
        """Choose counties by number among those that begin as some codes do.

        Returns:
            Their positions in `codes`, and what is left of the numbers.

        Raises:
            InvalidValue: As for `many`.
        """
        step = 10 ** (_WIDTH - self.keeps)
        prefixes = codes // step
        low = np.searchsorted(self.codes, prefixes * step)
        size = np.searchsorted(self.codes, (prefixes + 1) * step) - low
        none = np.flatnonzero(size == 0)
        if len(none):
            raise InvalidValue("there are no counties in its province or city to choose from", rows=none.tolist())
        rest, chosen = np.divmod(numbers, size.astype(np.uint64))
        return low + chosen.astype(np.int64), rest


@dataclass(frozen=True)
class Addresses:
    """Whole addresses: province, city and county that there are, and a street of the lists.

    Attributes:
        counties: What chooses the county.
        details: What makes the rest.
    """

    counties: Counties
    details: Pieces

    @property
    def lists(self) -> str:
        """See `Kind`."""
        return f"{self.counties.lists}, {self.details.lists}"

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """See `Kind`.

        Raises:
            InvalidValue: If an address does not begin with the divisions that are to stay; with positions in `text`.
        """
        places, rest = self.counties.choose(self._codes(text), numbers[:, 0])
        details = self.details.many(text, np.stack([rest, numbers[:, 1]], axis=1))
        return beside([self._heads.take(places.astype(np.intp)), details])

    @cached_property
    def _heads(self) -> Ragged:
        """Province, city and county of each code, a name that stands for two of them said once."""
        path = divisions.table().path
        paths = [
            dict.fromkeys(name for name in path(code) if not name.endswith(_NO_NAME))
            for code in self.counties.codes.tolist()
        ]
        return Ragged.of_text(["".join(names) for names in paths])

    def _codes(self, text: Ragged) -> NDArray[np.int64]:
        """Of each address a code that begins as that of its county does, so far as it is to stay."""
        if not self.counties.keeps:
            return np.zeros(len(text), np.int64)
        known: dict[str, int] = {}
        heads = [address[: 3 * _LONGEST] for address in text.to_text()]
        codes = [known[head] if head in known else known.setdefault(head, self._code(head)) for head in heads]
        unread = [row for row, code in enumerate(codes) if not code]
        if unread:
            raise InvalidValue("its province, city and county cannot be read from its beginning", rows=unread)
        return np.array(codes, np.int64)

    def _code(self, address: str) -> int:
        """The code, filled up with zeros, of the divisions that an address begins with; 0 where they are not said."""
        code, rest = 0, address
        for level in divisions.LEVELS:
            found, length = _first(rest, level, code)
            if found:
                code, rest = found, rest[length:]
            elif level == "city" and code in divisions.MUNICIPALITIES:
                code = code * 100 + 1  # its city has the municipality's own name, said once
            if len(str(code)) >= self.counties.keeps:
                return int(str(code).ljust(_WIDTH, "0"))
        return 0


def _first(text: str, level: str, within: int) -> tuple[int, int]:
    """The one division that a text begins with, and how long its name is; `(0, 0)` where there is none, or several."""
    above = within // 100 if level == "county" and within // 100 in divisions.MUNICIPALITIES else within
    for length in range(min(_LONGEST, len(text)), 1, -1):
        found = divisions.table().find(text[:length], level=level, within=above or None)
        if len(found) == 1:
            return found[0], length
    return 0, 0
