"""Layouts that split and join row by row: of values for which a whole column at once is not worth its code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidValue
from privkit.fields.layout import Slot, Slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WORD = 2**64


class RowLayout(ABC):
    """A layout that says how single values split and join."""

    @abstractmethod
    def split_one(self, text: str) -> Slot:
        """Split one value."""

    @abstractmethod
    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""

    def split(self, text: Ragged) -> Sequence[Slots]:
        """Split a column; the same as `split_one` for each row."""
        groups: defaultdict[tuple[int, int], list[tuple[int, Slot]]] = defaultdict(list)
        refused: dict[int, str] = {}
        for row, value in enumerate(text.to_text()):
            try:
                slot = self.split_one(value)
            except InvalidValue as error:
                refused[row] = error.reason
            else:
                groups[slot.size, len(slot.tweak)].append((row, slot))
        if refused:
            raise InvalidValue(next(iter(refused.values())), rows=refused)
        return [
            Slots(
                np.array([row for row, _ in members], np.intp),
                np.array([slot.rank for _, slot in members], np.uint64 if size <= _WORD else object),
                size,
                _tweaks([slot.tweak for _, slot in members]),
            )
            for (size, _), members in groups.items()
        ]

    def join(self, text: Ragged, moved: Sequence[Slots]) -> Ragged:
        """Put ranks in the place of those that the rows of `text` have; the same as `join_one` for each row."""
        rows = text.to_text()
        for part in moved:
            places = range(len(rows)) if part.rows is None else part.rows.tolist()
            for row, rank in zip(places, part.ranks.tolist(), strict=True):
                rows[row] = self.join_one(rows[row], rank)
        return Ragged.of_text(rows)


def _tweaks(tweaks: list[bytes]) -> bytes | NDArray[np.uint8]:
    """Tweaks of one length: one for all where they are equal."""
    if len(set(tweaks)) == 1:
        return tweaks[0]
    return np.frombuffer(b"".join(tweaks), np.uint8).reshape(len(tweaks), -1)
