"""How dates move under format-preserving encryption: among the days of a stated range.

Days before the range move among themselves, and so do those after it, up to the years 0001 and 9999: the whole stays
one to one on all dates, and no date is refused.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.errors import InvalidParameter
from privkit.fields.calendar import ISO_WIDTH, days_of, fields_of, write_date
from privkit.fields.layout import Slot, Slots
from privkit.fields.layouts import WidthLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH = dt.date(1970, 1, 1)
_FIRST = (dt.date.min - _EPOCH).days
_END = (dt.date.max - _EPOCH).days + 1


@dataclass(frozen=True, slots=True)
class DateLayout(WidthLayout):
    """ISO dates that move within a range.

    Attributes:
        first: The first day of the range.
        last: Its last day.
    """

    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, *, first: str | dt.date = "1900-01-01", last: str | dt.date = "2029-12-31") -> DateLayout:
        """How a date moves: within a range of days, before it, or after it, whichever it is in.

        Of a range of 1900 to 2029 there are 47,482 days, too few for FF1. The range is part of the layout's name.

        Args:
            first: The first day of the range, as ISO text or a date.
            last: Its last day.

        Raises:
            InvalidParameter: They are no dates, or not in order.
        """
        try:
            low, high = (day if isinstance(day, dt.date) else dt.date.fromisoformat(day) for day in (first, last))
        except (TypeError, ValueError):
            raise InvalidParameter("first and last must be ISO dates such as 1900-01-01") from None
        if low >= high:
            raise InvalidParameter("the first day of a range must be before its last")
        return cls(low, high)

    @property
    def id(self) -> str:
        """The frozen name, the range included."""
        return f"date/{self.first}/{self.last}"

    @property
    def version(self) -> int:
        """It stands on the range alone."""
        return 1

    @property
    def size(self) -> int:
        """How many days the range has: days outside it do not count, but may have fewer neighbours."""
        return (self.last - self.first).days + 1

    @property
    def refused_below(self) -> int:
        """No date is refused."""
        return 1

    @property
    def _bounds(self) -> tuple[int, int, int, int]:
        return _FIRST, (self.first - _EPOCH).days, (self.last - _EPOCH).days + 1, _END

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Group rows by where they stand to the range."""
        days = days_of(*fields_of(matrix))
        bounds = np.array(self._bounds)
        place = np.searchsorted(bounds, days, side="right") - 1
        return [
            Slots(rows, (days[rows] - bounds[one]).astype(np.uint64), int(bounds[one + 1] - bounds[one]), bytes([one]))
            for one in np.unique(place).tolist()
            if len(rows := np.flatnonzero(place == one))
        ]

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the dates of the ranks."""
        day = int(days_of(*fields_of(matrix[:1]))[0])
        start = max(bound for bound in self._bounds if bound <= day)
        out = np.empty((len(matrix), ISO_WIDTH), np.uint8)
        write_date(part.ranks.astype(np.int64) + start, out)
        return out

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        day = (dt.date.fromisoformat(text) - _EPOCH).days
        one = sum(bound <= day for bound in self._bounds) - 1
        start, end = self._bounds[one : one + 2]
        return Slot(day - start, end - start, bytes([one]))
