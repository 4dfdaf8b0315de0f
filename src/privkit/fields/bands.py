"""Levels of bands: of ages, and of numbers by width or by edges.

>>> from privkit.fields.bands import number_band
>>> number_band(width=100).one("129.90")
'100-200'
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, WrongType
from privkit.fields.bytesets import tight
from privkit.fields.calendar import ISO_WIDTH, fields_of
from privkit.fields.decimals import EXACT, floor_one, floors, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Amount: TypeAlias = int | float | str | Decimal
"""How a parameter that is a number may be written; a float is taken as it prints."""


class Labelled(ABC):
    """A level that numbers its classes and has one label for each number."""

    @abstractmethod
    def label(self, number: int) -> str:
        """The label of a class."""

    @abstractmethod
    def number(self, text: str) -> int:
        """The class of one value."""

    @abstractmethod
    def numbers(self, text: Ragged) -> NDArray[np.int64]:
        """The classes of a column."""

    def one(self, text: str) -> str:
        """Generalise one value."""
        return self.label(self.number(text))

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        if not len(text):
            return text
        classes, index = _ranked(self.numbers(text))
        return Ragged.of_text([self.label(number) for number in classes.tolist()]).take(index)


def _ranked(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The distinct numbers in order, and the place of each value among them."""
    low, high = int(values.min()), int(values.max())
    if high - low >= max(1024, len(values)):
        classes, index = np.unique(values, return_inverse=True)
        return classes, index
    # Close together: counting is cheaper than sorting.
    seen = np.zeros(high - low + 1, np.bool_)
    offset = (values - low).astype(np.intp)  # beyond 64 bits the values are Python's integers
    seen[offset] = True
    places = np.cumsum(seen) - 1
    return np.flatnonzero(seen).astype(values.dtype) + low, places[offset].astype(np.intp)


@dataclass(frozen=True, slots=True)
class AgeBand(Labelled):
    """The age in full years on a stated day, in bands of whole years: `30-34`, and `90+` from the top on.

    The day is stated and never taken from the clock, so that the same table gives the same result tomorrow. Who is born
    after that day is in the band `<0`.

    Attributes:
        width: How many years a band has.
        on: The day on which ages are counted.
        top: The age from which all are in one band, a multiple of `width`.
    """

    width: int
    on: dt.date
    top: int = 90

    @classmethod
    def of(cls, *, on: str | dt.date, width: int = 5, top: int = 90) -> AgeBand:
        """Make the level.

        Args:
            on: The day on which ages are counted, as ISO text or a date; it must be said.
            width: How many years a band has, 1 or more.
            top: The age from which all are in one band; brought down to a multiple of `width`.
        """
        try:
            day = on if isinstance(on, dt.date) else dt.date.fromisoformat(on)
        except (TypeError, ValueError):
            raise InvalidParameter("on must be an ISO date such as 2026-01-01") from None
        if width < 1 or top < width:
            raise InvalidParameter("width must be 1 year or more, and top at least as much")
        return cls(width, day, top // width * width)

    def label(self, number: int) -> str:
        """The label of a band by its number."""
        low = number * self.width
        if number < 0:
            return "<0"
        return f"{low}+" if low >= self.top else str(low) if self.width == 1 else f"{low}-{low + self.width - 1}"

    def number(self, text: str) -> int:
        """The band of one birth date."""
        born = dt.date.fromisoformat(text[:ISO_WIDTH])
        age = self.on.year - born.year - ((born.month, born.day) > (self.on.month, self.on.day))
        return max(-1, min(age, self.top) // self.width)

    def numbers(self, text: Ragged) -> NDArray[np.int64]:
        """The bands of a column of birth dates."""
        data, offsets = tight(text)
        year, month, day = fields_of(np.lib.stride_tricks.sliding_window_view(data, ISO_WIDTH)[offsets[:-1]])
        later = month * 100 + day > self.on.month * 100 + self.on.day
        age = np.minimum(self.on.year - year - later, self.top)
        bands: NDArray[np.int64] = np.maximum(age // self.width, -1)
        return bands


@dataclass(frozen=True, slots=True)
class WidthBand(Labelled):
    """Bands of one width, closed below and open above: `100-200` is 100 <= x < 200.

    Attributes:
        width: How wide a band is.
        start: Where one of the bands begins.
    """

    width: Decimal
    start: Decimal = Decimal(0)

    def label(self, number: int) -> str:
        """The label of a band by its number."""
        low = EXACT.add(self.start, EXACT.multiply(Decimal(number), self.width))
        return f"{_plain(low)}-{_plain(EXACT.add(low, self.width))}"

    def number(self, text: str) -> int:
        """The band of one number."""
        return floor_one(text, self.start, self.width)

    def numbers(self, text: Ragged) -> NDArray[np.int64]:
        """The bands of a column of numbers."""
        return floors(text, self.start, self.width)


@dataclass(frozen=True, slots=True)
class EdgeBand(Labelled):
    """Bands between stated edges, closed below and open above: `<100`, `100-500`, `>=500`.

    Attributes:
        edges: The edges, ascending.
    """

    edges: tuple[Decimal, ...]

    def label(self, number: int) -> str:
        """The label of a band: 0 lies below the first edge."""
        if number == 0:
            return f"<{_plain(self.edges[0])}"
        if number == len(self.edges):
            return f">={_plain(self.edges[-1])}"
        return f"{_plain(self.edges[number - 1])}-{_plain(self.edges[number])}"

    def number(self, text: str) -> int:
        """The band of one number."""
        return bisect_right(self.edges, Decimal(text))

    def numbers(self, text: Ragged) -> NDArray[np.int64]:
        """The bands of a column of numbers."""
        # Steps of the edges' own unit: an edge is a whole number of them, so the floor says on which side a value is.
        unit = Decimal(1).scaleb(-max(places_of(edge) for edge in self.edges))
        edges = [floor_one(str(edge), Decimal(0), unit) for edge in self.edges]
        steps = floors(text, Decimal(0), unit)
        wide = steps.dtype == object or max(map(abs, edges)) >= 2**63
        return np.searchsorted(np.array(edges, object if wide else np.int64), steps, side="right").astype(np.int64)


def number_band(
    *, width: Amount | None = None, edges: Sequence[Amount] | None = None, start: Amount = 0
) -> WidthBand | EdgeBand:
    """Make a level of bands, by their width or by their edges.

    Args:
        width: How wide each band is, above 0.
        edges: Or the edges, ascending; one at least.
        start: Where one of the bands of a width begins.

    Raises:
        InvalidParameter: Neither or both are said, or they are not what they should be.
    """
    if (width is None) == (edges is None):
        raise InvalidParameter("a band needs either a width or edges")
    if width is not None:
        if _decimal(width) <= 0:
            raise InvalidParameter("the width of a band must be above 0")
        return WidthBand(_decimal(width), _decimal(start))
    if isinstance(edges, str) or not isinstance(edges, Iterable):
        raise WrongType("edges are several numbers, such as [100, 500]")
    cuts = tuple(_decimal(edge) for edge in edges)
    if not cuts or any(low >= high for low, high in pairwise(cuts)):
        raise InvalidParameter("edges must be ascending numbers, one at least")
    return EdgeBand(cuts)


def _decimal(value: Amount) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise InvalidParameter("a width, an edge and a start must be numbers") from None
    if not number.is_finite():
        raise InvalidParameter("a width, an edge and a start must be finite")
    return number


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
