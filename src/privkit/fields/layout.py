"""How a typed value moves under format-preserving encryption.

A layout splits a value into what stays (the tweak) and a *rank*: the number that the moving rest has in the order of
all values that could stand there. The rank is encrypted within `[0, size)`, and joined with what stays it is a valid
value again. Rank and value correspond one to one, so the whole is a bijection on the valid values.

A layout has an id and a version, which go into the key derivation: whatever table or range it stands on is frozen
with it, so that an update of a table never changes what an old value reveals to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged


@dataclass(frozen=True, slots=True)
class Slot:
    """One value, split.

    Attributes:
        rank: What moves, in `[0, size)`.
        size: How many values could stand there.
        tweak: What stays.
    """

    rank: int
    size: int
    tweak: bytes


@dataclass(frozen=True, slots=True)
class Slots:
    """The rows of a column that share a size, split.

    Attributes:
        rows: Positions of these rows in the column; `None` where it is all of them.
        ranks: What moves: `uint64` of shape `(rows,)`, each in `[0, size)`; Python integers (an object array) where the
            size is beyond 2^64.
        size: How many values could stand there.
        tweak: What stays: one for all, or `uint8` of shape `(rows, width)`.
    """

    rows: NDArray[np.intp] | None
    ranks: NDArray[np.uint64]
    size: int
    tweak: bytes | NDArray[np.uint8]


class Layout(Protocol):
    """Splits canonical, valid values and joins them again."""

    @property
    def id(self) -> str:
        """The layout's frozen name, options included, such as `cn_mobile` or `bank_card/keep=bin`."""
        ...

    @property
    def version(self) -> int:
        """The version of whatever the layout stands on."""
        ...

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among."""
        ...

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        ...

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        ...

    def split(self, text: Ragged) -> Sequence[Slots]:
        """Split a column; the same as `split_one` for each row."""
        ...

    def join(self, text: Ragged, moved: Sequence[Slots]) -> Ragged:
        """Put ranks in the place of those that the rows of `text` have; the same as `join_one` for each row."""
        ...
