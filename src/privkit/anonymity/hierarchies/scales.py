"""Hierarchies of numbers and of dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import floor, isfinite
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
_EXACT: Final = 2.0**53


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
        if not all(b > a and (b / a).is_integer() for a, b in pairwise(self.widths)):
            raise InvalidParameter(f"widths {list(self.widths)} do not nest; each must be a multiple of the one before")

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        return tuple(f"by {_plain(width)}" for width in self.widths)

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`; a value that is no number has no label."""
        whole = domain.kind is Kind.INTEGER or all(_WHOLE.fullmatch(text) for text in domain.texts)
        numbers = [_number(text) for text in domain.texts]
        return [
            [None if number is None else self._label(number, width, whole=whole) for number in numbers]
            for width in self.widths
        ]

    def _label(self, number: float, width: float, *, whole: bool) -> str:
        # Every level counts in steps of the finest, so that rounding can never put two levels at odds.
        steps = round(width / self.widths[0])
        low = self.start + floor((number - self.start) / self.widths[0]) // steps * steps * self.widths[0]
        if whole and float(width).is_integer() and float(self.start).is_integer():
            return f"{_plain(low)}-{_plain(low + width - 1)}" if width > 1 else _plain(low)
        return f"[{_plain(low)}, {_plain(low + width)})"

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


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() and abs(number) < _EXACT else repr(float(number))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
