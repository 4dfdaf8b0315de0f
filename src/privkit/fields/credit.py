"""Unified social credit codes (GB 32100-2015): their check character, and how they move.

A code is an authority, a type, a division of six digits, nine characters of an organisation, and a check character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.layout import Slots
from privkit.fields.layouts import WidthLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Without I, O, S, V and Z (GB 32100-2015, section 3)."""
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
CREDIT = re.compile(rf"[1-9A-GY][1-9A][0-9]{{6}}[{ALPHABET}]{{10}}")


def credit_check(code: str) -> str:
    """The check character for the first 17 of a unified social credit code (GB 32100-2015, annex A: MOD 31)."""
    total = sum(ALPHABET.index(letter) * weight for letter, weight in zip(code, _WEIGHTS, strict=False))
    return ALPHABET[-total % 31]


_KEPT, _LAST = 8, 17
_VALUES = np.zeros(256, np.uint64)
_VALUES[list(ALPHABET.encode())] = np.arange(len(ALPHABET))
_LETTERS = np.frombuffer(ALPHABET.encode(), np.uint8)


@dataclass(frozen=True, slots=True)
class CreditCodeLayout(WidthLayout):
    """The nine characters of the organisation move; authority, type and division stay, and the check follows."""

    @property
    def id(self) -> str:
        """The frozen name."""
        return "cn_credit_code"

    @property
    def version(self) -> int:
        """It stands on the standard's alphabet alone."""
        return 1

    @property
    def size(self) -> int:
        """How many organisations a division can have."""
        return int(len(ALPHABET) ** (_LAST - _KEPT))

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """The organisation is the rank."""
        ranks = np.zeros(len(matrix), np.uint64)
        for column in range(_KEPT, _LAST):
            ranks = ranks * np.uint64(len(ALPHABET)) + _VALUES[matrix[:, column]]
        return [Slots(None, ranks, self.size, np.ascontiguousarray(matrix[:, :_KEPT]))]

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the organisation, and the check character that it gives."""
        out = matrix.copy()
        ranks, base = part.ranks, np.uint64(len(ALPHABET))
        for column in reversed(range(_KEPT, _LAST)):
            above = ranks // base
            out[:, column] = _LETTERS[(ranks - above * base).astype(np.intp)]
            ranks = above
        total = sum(
            (_VALUES[out[:, column]] * np.uint64(weight) for column, weight in enumerate(_WEIGHTS)),
            np.zeros(len(out), np.uint64),
        )
        out[:, _LAST] = _LETTERS[(-total.astype(np.int64)) % len(ALPHABET)]
        return out
