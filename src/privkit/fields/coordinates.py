"""The field type of places on the globe, and the grid over it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields.base import Category, FieldType, Sensitivity, chunks
from privkit.fields.bytesets import beside, cut, one_each, tight
from privkit.fields.decimals import EXACT, are_decimals, floor_one, floors, mantissas
from privkit.fields.masks import profiles
from privkit.fields.plain import narrow, tidy

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANNEX_B = "GB/T 35273-2020, annex B"
_PAIR = re.compile(r"\(?([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)°?(?:\s?[,;]\s?|\s)([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)°?\)?")
_LATITUDE, _LONGITUDE = 90, 180
_PLACES = 15
"""At most so many digits stand after the dot."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coordinates(FieldType):
    """A place on the globe in degrees, latitude before longitude; canonical is `22.5431,114.0579`, scales kept."""

    def normalise(self, text: str) -> str:
        """Read two decimal numbers with a comma, semicolon or space between, in brackets or not."""
        match = _PAIR.fullmatch(tidy(narrow(text)))
        if match is None:
            raise self.invalid("latitude and longitude in degrees are needed, a comma between")
        latitude, longitude = (Decimal(part) for part in match.groups())
        if abs(latitude) > _LATITUDE or abs(longitude) > _LONGITUDE:
            raise self.invalid("the latitude is beyond 90 degrees or the longitude beyond 180: are they in order?")
        return f"{_signless_zero(latitude)},{_signless_zero(longitude)}"

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Two plain decimal numbers of degrees with a comma between are canonical."""
        data, offsets = tight(text)
        commas = np.flatnonzero(data == ord(","))
        if not one_each(offsets, commas):
            rows = np.flatnonzero(np.diff(np.searchsorted(commas, offsets)) == 1)
            good = np.zeros(len(text), np.bool_)
            if len(rows):
                good[rows] = self.recognise(text.take(rows))
            return good
        filled = (commas > offsets[:-1]) & (commas < offsets[1:] - 1)
        if not filled.all():
            if filled.any():
                filled[filled] = self.recognise(text.take(filled))
            return filled
        latitudes, longitudes = _are_degrees(_halves(text)).reshape(-1, 2).T
        both: NDArray[np.bool_] = latitudes & longitudes
        return both

    def respell(self, text: Ragged) -> Ragged:
        """Take out the space behind the comma."""
        data, _ = tight(text)
        return cut(text, np.flatnonzero((data[1:] == ord(" ")) & (data[:-1] == ord(","))) + 1)


def _halves(text: Ragged) -> Ragged:
    """What stands before and behind the comma, of which each row has one: row after row, two of each."""
    data, offsets = tight(text)
    commas = np.flatnonzero(data == ord(","))
    ends = np.zeros(2 * len(text) + 1, np.int64)
    ends[1::2] = commas - np.arange(len(text))
    ends[2::2] = offsets[1:] - np.arange(1, len(text) + 1)
    return Ragged(np.delete(data, commas), ends)


def _are_degrees(halves: Ragged) -> NDArray[np.bool_]:
    good = are_decimals(halves)
    whole, scale, fits = mantissas(halves.take(good))
    most = np.tile([_LATITUDE, _LONGITUDE], len(halves) // 2)[good]
    good[good] = fits & (scale <= _PLACES) & (np.abs(whole) <= most * 10 ** np.minimum(scale, _PLACES))
    return good


def _signless_zero(number: Decimal) -> str:
    return format(number or abs(number), "f")


@dataclass(frozen=True, slots=True)
class Grid:
    """Squares of a grid of degrees, named by their south-west corner.

    Attributes:
        degrees: The side of a square; 0.01 degrees are about 1.1 km from south to north.
    """

    degrees: Decimal

    @classmethod
    def of(cls, degrees: float | str | Decimal = "0.01") -> Grid:
        """Make the level.

        Raises:
            InvalidParameter: The side is not a number of degrees above 0, up to 90.
        """
        try:
            side = Decimal(str(degrees))
        except ArithmeticError:
            side = Decimal(0)
        if not 0 < side <= _LATITUDE:
            raise InvalidParameter("the side of a grid is a number of degrees above 0, up to 90")
        return cls(side)

    def one(self, text: str) -> str:
        """Generalise one place."""
        corner = (EXACT.multiply(floor_one(part, Decimal(0), self.degrees), self.degrees) for part in text.split(","))
        return ",".join(_signless_zero(part) for part in corner)

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row."""
        return Ragged.concat(map(self._part, chunks(text))) if len(text) else text

    def _part(self, text: Ragged) -> Ragged:
        numbers, at = np.unique(floors(_halves(text), Decimal(0), self.degrees), return_inverse=True)
        corners = [_signless_zero(EXACT.multiply(Decimal(number), self.degrees)) for number in numbers.tolist()]
        written = Ragged.of_text(corners)
        commas = Ragged.of_matrix(np.full((len(text), 1), ord(","), np.uint8))
        return beside(written.take(at[::2]), commas, written.take(at[1::2]))


COORDINATES = Coordinates(
    name="coordinates",
    title="Coordinates",
    title_zh="经纬度",
    category=Category.BEHAVIOUR,
    sensitivity=Sensitivity.SENSITIVE,
    basis=f"PIPL, article 28 (whereabouts); {ANNEX_B} (precise location)",
    masks=profiles(),
    levels=MappingProxyType({"grid": Grid.of}),
)
"""A place on the globe, `22.5431,114.0579`."""
