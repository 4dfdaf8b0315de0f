"""Check characters that several types or their layouts need."""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""2^(18 - i) mod 11 for the places i = 1 to 17 (GB 11643-1999, section 4; ISO 7064 MOD 11-2)."""
_CHECKS = "10X98765432"
"""The check character for each remainder (GB 11643-1999)."""


def id_check(digits: str) -> str:
    """The check character for the first 17 digits of a resident ID."""
    return _CHECKS[(sum(map(mul, _WEIGHTS, digits.encode("ascii"))) - ord("0") * sum(_WEIGHTS)) % 11]


def id_checks(matrix: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The check characters for rows of at least 17 ASCII digits."""
    total = np.zeros(len(matrix), np.uint16)
    for column, weight in enumerate(_WEIGHTS):
        total += (matrix[:, column] - np.uint8(ord("0"))).astype(np.uint16) * np.uint16(weight)
    return np.frombuffer(_CHECKS.encode(), np.uint8)[total % 11]
