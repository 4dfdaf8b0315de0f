"""The associated strings of AES-SIV, and where S2V (RFC 5297, section 2.4) brings them together with the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.cmac import PADS, ZERO, Cmac, dbl_many, words
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.slabs import SHORT_KIND, chunk, combine, lookup
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit._kernels.slabs import Slabs

MOST_ASSOCIATED: Final = 126
"""RFC 5297, section 2.6: S2V takes 127 strings, and the plaintext is the last."""

_KINDS: Final = np.arange(SHORT_KIND + BLOCK)
"""All kinds of ends that a value can have; see `SHORT_KIND`."""

_ONE_STRING: Final = (bytes, bytearray, memoryview, str)


def check(associated: Sequence[bytes | Ragged] | bytes | str, rows: int | None = None) -> None:
    """Refuse associated strings that AES-SIV cannot take.

    Args:
        associated: The strings.
        rows: How many values they go with; `None` for a single one.

    Raises:
        InvalidParameter: If there are more than 126, if it is one string rather than a sequence of them, or if a
            `Ragged` has other rows than the values.
    """
    if isinstance(associated, _ONE_STRING):
        raise InvalidParameter("associated strings are a sequence of bytes, not one string; put it into a list")
    if len(associated) > MOST_ASSOCIATED:
        raise InvalidParameter(f"{len(associated)} associated strings; AES-SIV takes at most {MOST_ASSOCIATED}")
    for string in associated if rows is not None else ():
        if isinstance(string, Ragged) and len(string) != rows:
            raise InvalidParameter(f"associated strings for {len(string)} rows, of values for {rows}")


class Associated:
    """Associated strings, as far as S2V gets with them before the plaintext.

    While they are the same for all rows, so is the state of S2V, and what it adds to the end of a value depends only
    on the value's length: a table. From the first that has a string for each row on, there is a state for each row.
    """

    __slots__ = ("_mac", "_tables", "constant", "strings")

    def __init__(self, mac: Cmac, strings: Sequence[bytes | Ragged]) -> None:
        self._mac = mac
        self.strings = tuple(strings)
        self.constant = not any(isinstance(string, Ragged) for string in self.strings)
        self._tables: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None

    def of_row(self, row: int) -> list[bytes]:
        """The strings of one row."""
        return [string[row] if isinstance(string, Ragged) else string for string in self.strings]

    def masks(self, slabs: Slabs, first: int, last: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """What S2V and CMAC together add to the last block of each row, and to the block before it where there is one.

        Args:
            slabs: How the rows from `first` to `last` are laid out.
            first: The first row of the batch.
            last: The row after its last.

        Returns:
            Blocks in the order of the slabs; one where it is the same for all.
        """
        longer = slabs.counts[1] if len(slabs.counts) > 1 else 0
        if self.constant:
            ends, before = self._constant_tables()
            return slabs.by_kind(ends), slabs.by_kind(before)[:longer]
        states = slabs.arranged(self._states(first, last))
        ends, before = _spread(states, slabs.tails, slabs.are_parts)
        combine(np.bitwise_xor, ends, slabs.by_kind(_all_ends(self._mac)), ends)
        return ends, before[:longer]

    def _constant_tables(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        if self._tables is None:
            states = np.repeat(self._states(0, 1), len(_KINDS), axis=0)
            ends, before = _spread(states, _KINDS % SHORT_KIND, _KINDS >= SHORT_KIND)
            self._tables = ends ^ _all_ends(self._mac), before
        return self._tables

    def _states(self, first: int, last: int) -> NDArray[np.uint64]:
        """The states of S2V before its last string: one, or one for each row."""
        mac = self._mac
        state = words(mac.digest(ZERO))
        for string in self.strings:
            if isinstance(string, Ragged):
                digest = mac.digest_many(chunk(string, first, last)).view(np.uint64)
            else:
                digest = words(mac.digest(string))
            state = dbl_many(state) ^ digest
        return state


def _all_ends(mac: Cmac) -> NDArray[np.uint64]:
    """What CMAC adds to a last block, by its bytes from 0 to 16, and then to values shorter than one by theirs."""
    return np.concatenate([mac.ends, PADS ^ words(mac.full)])


def _spread(
    states: NDArray[np.uint64], tails: NDArray[np.int64], short: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Shift states of S2V to where they meet the ends of values: `xorend` of RFC 5297, section 2.4.

    Args:
        states: The states, `(n, 2)`.
        tails: How many bytes the last block of each value has.
        short: Which values are shorter than a block: those take the state doubled, and from the front of the block.

    Returns:
        What to add to the last block and to the block before it.
    """
    rows = len(states)
    room = np.zeros((rows, 3, 2), np.uint64)
    room[:, 1] = states
    doubled = np.flatnonzero(short)
    room[doubled, 1] = dbl_many(lookup(states, doubled))
    # A state between two zero blocks, read some bytes off its place, is the state so far shifted.
    read = windows(room.view(np.uint8).reshape(-1), BLOCK)
    begin = np.arange(rows) * (3 * BLOCK) + np.where(short, 0, BLOCK - tails)
    before, ends = read[begin], read[begin + BLOCK]
    return ends.view(np.uint64).reshape(-1, 2), before.view(np.uint64).reshape(-1, 2)
