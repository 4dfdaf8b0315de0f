"""Surrogates: stable, realistic stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, MissingExtra
from privkit.keys import Usage
from privkit.transforms.base import FieldTransform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.fields.base import FieldType, Reading
    from privkit.keys import FieldKey

_SHAPES = ((1, 1), (1, 2), (2, 1), (2, 2))
"""Characters of surname and given name that a stand-in can have; any other name gets the second shape."""
_HAN_BYTES = 3
"""A Chinese character of a stand-in in UTF-8: all of them are of the Basic Multilingual Plane."""


class Surrogate(FieldTransform):
    """Put a realistic stand-in in the place of a value: the same one for the same value under the same key.

    Which one is chosen by AES-CMAC of the canonical value, so it cannot be told without the key, and it cannot be
    undone. Different values may get the same stand-in: it is for data that must look real, not for joining. It is
    de-identification (去标识化).

    The words come from Faker's lists for the locale and stay what they are as long as those lists do.

    Args:
        field: What the values are; names of persons (`PERSON_NAME`) so far.
        key: The field's key.
        recipient: Who gets the stand-ins; another recipient's differ.

    Raises:
        InvalidParameter: If there are no stand-ins for the field type.
        MissingExtra: If Faker is not installed.

    Example:
        >>> from privkit import Keyring, Surrogate, fields
        >>> keys = Keyring.create("keyring.json")
        >>> name = Surrogate(fields.PERSON_NAME, keys["customer.name"])
        >>> name.protect("欧阳娜娜") == name.protect("欧阳娜娜") != "欧阳娜娜"
        True
        >>> len(name.protect("欧阳娜娜"))
        4
    """

    word: ClassVar[str] = "surrogate"

    def __init__(self, field: FieldType, key: FieldKey, *, recipient: str | None = None) -> None:
        super().__init__(field)
        if field.name != "person_name":
            raise InvalidParameter(f"there are no stand-ins for {field.name}; use a token, or mask it")
        self._words = _words()
        self._cmac = key.cmac(Usage(purpose="surrogate", algorithm="AES-CMAC", key_bytes=32, recipient=recipient))

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - equal canonical forms, equal stand-ins
        numbers = np.ascontiguousarray(self._cmac.digest_many(reading.text)).view(">u8").astype(np.uint64)
        shapes = _shapes(reading.text)
        parts = []
        for number, (front, back) in enumerate(_SHAPES):
            rows = np.flatnonzero(shapes == number)
            surnames = _pick(self._words.surnames[front], numbers[rows, 0])
            given = _pick(self._words.given[back], numbers[rows, 1])
            parts.append((rows, Ragged.of_matrix(np.hstack([surnames, given]))))
        return Ragged.merge(len(reading.text), parts)


@dataclass(frozen=True, slots=True)
class _Words:
    """What stand-ins are made of: by the number of characters, one to a row."""

    surnames: dict[int, NDArray[np.uint8]]
    given: dict[int, NDArray[np.uint8]]


@cache
def _words() -> _Words:
    try:
        from faker.providers.person.zh_CN import Provider  # noqa: PLC0415 - found when used
    except ImportError:
        raise MissingExtra("Surrogate", extra="surrogate") from None
    singles = [name for name in Provider.first_names if len(name) == 1]
    doubles = ["".join(pair) for pair in permutations(singles, 2)]
    surnames = [name for name in Provider.last_names if len(name) == 1]
    return _Words({1: _matrix(surnames), 2: _matrix(_COMPOUND)}, {1: _matrix(singles), 2: _matrix(doubles)})


def _matrix(words: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("".join(words).encode(), np.uint8).reshape(len(words), -1)


def _pick(words: NDArray[np.uint8], numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return words[(numbers % np.uint64(len(words))).astype(np.intp)]


_COMPOUND = (
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "司徒",
    "夏侯",
    "端木",
    "南宫",
)
"""Compound surnames; Faker's list has one of them."""


def _shapes(text: Ragged) -> NDArray[np.intp]:
    """Which of the shapes each name has, as a position in `_SHAPES`."""
    shapes = np.full(len(text), 1, np.intp)
    compounds = {surname.encode() for surname in _COMPOUND}
    for length, index in text.by_length():
        rows = np.arange(len(text)) if index is None else index
        if length == 2 * _HAN_BYTES:
            shapes[rows] = 0
        elif length in {3 * _HAN_BYTES, 4 * _HAN_BYTES}:
            heads = text.matrix(2 * _HAN_BYTES, rows)
            starts = np.ascontiguousarray(heads).view("S6").reshape(-1)
            double = np.isin(starts, np.array(sorted(compounds)))
            shapes[rows] = np.where(double, 2 if length == 3 * _HAN_BYTES else 3, 1)
    return shapes
