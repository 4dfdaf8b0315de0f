"""Unified social credit codes (GB 32100-2015): their check character, and how they move.

A code is an authority, a type, a division of six digits, nine characters of an organisation, and a check character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.bytesets import byteset
from privkit.fields.digits import are_digits
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


CREDIT_WIDTH = _LAST + 1
_AUTHORITIES, _TYPES, _ALL = byteset("123456789ABCDEFGY"), byteset("123456789A"), byteset(ALPHABET)


def are_credit_codes(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which rows of 18 characters are codes with the right check character."""
    good: NDArray[np.bool_] = _AUTHORITIES[matrix[:, 0]] & _TYPES[matrix[:, 1]] & are_digits(matrix[:, 2:_KEPT])
    for column in range(_KEPT, CREDIT_WIDTH):
        good &= _ALL[matrix[:, column]]
    good &= _checks(matrix) == matrix[:, _LAST]
    return good


def _checks(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The check characters for the first 17 of each row."""
    total = sum(
        (_VALUES[matrix[:, column]] * np.uint64(weight) for column, weight in enumerate(_WEIGHTS)),
        np.zeros(len(matrix), np.uint64),
    )
    return _LETTERS[(-total.astype(np.int64)) % len(ALPHABET)]


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
        out[:, _LAST] = _checks(out)
        return out
