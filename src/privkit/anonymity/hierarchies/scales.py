"""Hierarchies of numbers and of dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from functools import cache
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final

from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Labels
from privkit.columns import Kind
from privkit.errors import InvalidParameter
from privkit.fields.levels import DatePart
from privkit.suggest import nearest

if TYPE_CHECKING:
    from privkit.anonymity.counting.encoding import Domain

_PARTS: Final = ("day", "month", "quarter", "year", "decade")
_ISO: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])(T.*)?", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]+", re.ASCII)
_MOST: Final = 350
"""Digits before and after the point, of which floats have 309 and 324."""
_SHOWN: Final = 20
"""Digits up to which a border is written without an exponent."""


@dataclass(frozen=True)
class Intervals(Hierarchy):
    """Numbers by intervals of fixed widths."""

    word: ClassVar[str] = "intervals"
    widths: tuple[float, ...]
    start: float

    def __post_init__(self) -> None:
        numbers = (*self.widths, self.start)
        if not self.widths or not all(isfinite(number) for number in numbers) or self.widths[0] <= 0:
            raise InvalidParameter(f"intervals of widths {list(self.widths)}; give one or more numbers above 0")
        if not all(b > a and _exact(b) % _exact(a) == 0 for a, b in pairwise(self.widths)):
            raise InvalidParameter(f"widths {list(self.widths)} do not nest; each must be a multiple of the one before")

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return tuple(f"by {_plain(_exact(width))}" for width in self.widths)

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`; a value that is no number has no label."""
        whole = domain.kind is Kind.INTEGER or all(_WHOLE.fullmatch(text) for text in domain.texts)
        whole = whole and all(_exact(number) % 1 == 0 for number in (*self.widths, self.start))
        numbers, start = [_number(text) for text in domain.texts], _exact(self.start)
        write = cache(_written_whole if whole else _written)  # many numbers fall into an interval
        with localcontext(prec=2 * _MOST):  # nothing is rounded, so that no two levels are at odds
            return [
                [None if number is None else write(_low(number, start, width), width) for number in numbers]
                for width in map(_exact, self.widths)
            ]

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"widths": list(self.widths), "start": self.start}


@dataclass(frozen=True)
class Dates(Hierarchy):
    """Dates and moments by parts of the calendar."""

    word: ClassVar[str] = "dates"
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if part not in _PARTS:
                raise InvalidParameter(f"a date has no part {part!r}{nearest(part, _PARTS)}")
        places = [_PARTS.index(part) for part in self.parts]
        if not places or any(a >= b for a, b in pairwise(places)):
            raise InvalidParameter("name the parts of dates from fine to coarse, each once")

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return self.parts

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`; text that is no ISO date has no label."""
        return [
            [DatePart(part).one(text) if _ISO.fullmatch(text) else None for text in domain.texts] for part in self.parts
        ]

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {"levels": list(self.parts)}


def _low(number: Decimal, start: Decimal, width: Decimal) -> Decimal:
    """Where the interval of a number begins."""
    above = (number - start) % width  # has the sign of what is divided
    return number - above - (width if above < 0 else 0)


def _written_whole(low: Decimal, width: Decimal) -> str:
    return f"{_plain(low)}-{_plain(low + width - 1)}" if width > 1 else _plain(low)


def _written(low: Decimal, width: Decimal) -> str:
    return f"[{_plain(low)}, {_plain(low + width)})"


def _plain(number: Decimal) -> str:
    short = number.normalize() if number else Decimal(0)
    return f"{short:f}" if -_SHOWN <= short.adjusted() <= _SHOWN else str(short)


def _exact(number: float) -> Decimal:
    """A number as it is written: 0.1 is a tenth."""
    return Decimal(str(number))


def _number(text: str) -> Decimal | None:
    """The number that a text is; `None` for what no float holds."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _MOST else None
