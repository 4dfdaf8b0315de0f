"""Which of many values are equal, in little memory: hash tables see a group at a time, equal values in one group."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

GROUP: Final = 1 << 16  # values that a hash table looks at together
_TAGS: Final = 256
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio
_TOP_BYTE: Final = np.uint64(56)
_INT32_MAX: Final = int(np.iinfo(np.int32).max)


def first_equals(
    count: int, listed: Callable[[int, int], list[Any]], number: Callable[[NDArray[np.intp]], NDArray[Any] | None]
) -> NDArray[Any] | None:
    """For each value the position of the first that equals it; `None` where no two do.

    Args:
        count: How many values there are.
        listed: The values from one to before another as objects that have a hash.
        number: For values at some positions a number each, the same for equal ones; `None` where no two are equal.
    """
    firsts: NDArray[Any] | None = None
    for rows in _groups(_tags(count, listed)) if count else ():
        numbers = number(rows)
        if numbers is None:
            continue
        if firsts is None:
            firsts = np.arange(count, dtype=np.int32 if count <= _INT32_MAX else np.int64)
        firsts[rows] = rows[np.unique(numbers, return_index=True)[1][numbers]]
    return firsts


def count_own(firsts: NDArray[Any]) -> int:
    """How many values equal none before."""
    return sum(int(np.count_nonzero(firsts[first:last] == np.arange(first, last))) for first, last in _cuts(firsts))


def number_own(firsts: NDArray[Any]) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Make positions of first equals the numbers of values that equal none before, in place.

    Yields:
        From which position to before which one it has come, and which from there on equal none before.
    """
    done = 0
    for first, last in _cuts(firsts):
        part = firsts[first:last]
        own = part == np.arange(first, last)
        rows = np.flatnonzero(own)
        yield first, last, rows
        part[rows] = np.arange(done, done + len(rows))
        others = np.flatnonzero(~own)
        part[others] = firsts.take(part[others])  # which stand before and have their numbers
        done += len(rows)


def _cuts(values: NDArray[Any]) -> Iterator[tuple[int, int]]:
    return ((first, min(first + GROUP, len(values))) for first in range(0, len(values), GROUP))


def _tags(count: int, listed: Callable[[int, int], list[Any]]) -> NDArray[np.uint8]:
    """A byte for each value, equal for equal ones."""
    tags = np.empty(count, np.uint8)
    for first, last in _cuts(tags):
        hashes = np.fromiter(map(hash, listed(first, last)), np.int64, last - first)
        tags[first:last] = (hashes.view(np.uint64) * _FACTOR) >> _TOP_BYTE
    return tags


def _groups(tags: NDArray[np.uint8]) -> Iterator[NDArray[np.intp]]:
    """The rows of some tags after the rows of others, hardly more together than are in a piece."""
    counts = np.zeros(_TAGS, np.int64)
    for start, end in _cuts(tags):
        counts += np.bincount(tags[start:end], minlength=_TAGS)  # which makes wide integers of them
    turns, rows = [0], 0
    for tag, count in enumerate(counts.tolist()):
        if rows and rows + count > GROUP:
            turns.append(tag)
            rows = 0
        rows += count
    for first, after in pairwise([*turns, _TAGS]):
        yield np.concatenate([start + _between(tags[start:end], first, after) for start, end in _cuts(tags)])


def _between(tags: NDArray[np.uint8], first: int, after: int) -> NDArray[np.intp]:
    return np.flatnonzero((tags >= first) & (tags < after))
