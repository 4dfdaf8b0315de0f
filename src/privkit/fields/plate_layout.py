"""How vehicle plates move under format-preserving encryption: each among the serials of its kind (see `plate`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.layout import Slot, Slots
from privkit.fields.layouts import ENOUGH, WidthLayout, too_few
from privkit.fields.plate import KINDS, Kind, kinds_of, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlateLayout(WidthLayout):
    """The layout.

    Attributes:
        small_domain: Whether plates of kinds with fewer than 1,000,000 serials are taken.
    """

    small_domain: bool = False

    @property
    def id(self) -> str:
        """The frozen name."""
        return "cn_plate"

    @property
    def version(self) -> int:
        """Version 1 stands on the kinds of `plate`."""
        return 1

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among; others are refused one by one."""
        return min(kind.size for kind in KINDS.values()) if self.small_domain else ENOUGH

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Group rows by their kind, and split each group."""
        found: list[Slots] = []
        for name, mine in kinds_of(matrix).items():
            if mine.any():
                kind, rows = KINDS[name], None if mine.all() else np.flatnonzero(mine)
                plates, serial = matrix if rows is None else matrix[rows], kind.part_of(matrix.shape[1])
                kept = np.delete(plates, serial, axis=1)
                found.append(Slots(rows, kind.ranks(plates[:, serial]), kind.size, kept))
        return found

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the serials of the ranks."""
        out = matrix.copy()
        if len(out):
            kind = _kind_of(out[0])
            kind.write(part.ranks, out[:, kind.part_of(out.shape[1])])
        return out

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        name, serial = parts(text)
        kind = KINDS[name]
        if kind.size < self.size:
            raise too_few(kind.size)
        before, behind = _around(text.encode(), kind)
        return Slot(kind.rank(serial), kind.size, before + behind)

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        kind = KINDS[parts(text)[0]]
        before, behind = _around(text.encode(), kind)
        return f"{before.decode()}{kind.serial(rank)}{behind.decode()}"


def _around(plate: bytes, kind: Kind) -> tuple[bytes, bytes]:
    """What stands before and behind the serial."""
    serial = kind.part_of(len(plate))
    return plate[: serial.start], plate[serial.stop :]


def _kind_of(plate: NDArray[np.uint8]) -> Kind:
    return KINDS[parts(plate.tobytes().decode())[0]]


def plate_layout(*, small_domain: bool = False) -> PlateLayout:
    """How a plate moves: among the serials of its kind; province, office and mark stay.

    Args:
        small_domain: Take plates of kinds with fewer than 1,000,000 serials: of the armed police and rescue services.
    """
    return PlateLayout(small_domain)
