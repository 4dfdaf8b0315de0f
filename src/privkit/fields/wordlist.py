"""Finding the rows of a column in a list of words, exactly and for all rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, made odd: spreads neighbouring words (Knuth, TAOCP 3, section 6.4)."""


class WordList:
    """A list of distinct words.

    Words of one length are sorted by a mixed number of their bytes; a row is looked up by that number and then compared
    byte by byte, so a chance collision cannot make a row pass for a word.

        >>> from privkit._kernels.ragged import Ragged
        >>> WordList(["男", "女"]).find(Ragged.of_text(["女", "?", "男"])).tolist()
        [1, -1, 0]
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.index = {word: place for place, word in enumerate(self.words)}
        self._text = Ragged.of_text(self.words)
        self._groups = {length: self._sorted(length, rows) for length, rows in self._text.by_length()}

    def find(self, text: Ragged) -> NDArray[np.intp]:
        """Look rows up.

        Args:
            text: UTF-8 rows.

        Returns:
            For each row its position in the list, or -1 where it is not there.
        """
        found = np.full(len(text), -1, np.intp)
        for length, rows in text.by_length():
            if length not in self._groups:
                continue
            keys, order = self._groups[length]
            matrix = text.matrix(length, rows)
            hashes = _hashes(matrix)
            place = order[np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)]
            equal = _equal(matrix, self._text.matrix(length, place))
            answer = np.where(equal, place, -1)
            if rows is None:
                return answer
            found[rows] = answer
        return found

    def choose(self, text: Ragged, replies: Ragged) -> Ragged:
        """Answer each row with the reply that stands at its word's position, or, after the last word, the extra one.

        Args:
            text: UTF-8 rows.
            replies: One row for each word, and one for what is no word.
        """
        return replies.take(np.where((found := self.find(text)) < 0, len(self.words), found))

    def _sorted(self, length: int, rows: NDArray[np.intp] | None) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        positions = np.arange(len(self.words)) if rows is None else rows
        hashes = _hashes(self._text.matrix(length, rows))
        order = np.argsort(hashes)
        if len(np.unique(hashes)) != len(hashes):
            raise ValueError("two words of a list are equal, or collide: one would never be found")
        return hashes[order], positions[order]


def _words(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    rows, width = matrix.shape
    padded = np.zeros((rows, -(-width // 8) * 8), np.uint8)
    padded[:, :width] = matrix
    return padded.view("<u8").astype(np.uint64, copy=False)


def _hashes(matrix: NDArray[np.uint8]) -> NDArray[np.uint64]:
    total = np.zeros(len(matrix), np.uint64)
    for word in _words(matrix).T:
        total = (total ^ word) * _MIX
        total ^= total >> np.uint64(29)
    return total


def _equal(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.bool_]:
    equal = np.ones(len(left), np.bool_)
    for one, other in zip(_words(left).T, _words(right).T, strict=True):
        equal &= one == other
    return equal
