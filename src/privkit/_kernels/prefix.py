"""A keyed permutation of a small domain: the prefix cipher (Black and Rogaway, CT-RSA 2002, section 3).

The domain is ordered by its images under the block cipher; a value is replaced by its rank. The image of x is that of

```
byte   0 ................... 11 | 12 ... 15
       SHA-256(frame)[0:12]     | x, big-endian            frame = "privkit prefix 1" | size, 8 bytes | tweak
```

Under one tweak no two blocks are equal, so no two images are, and the order is strict. If the block cipher is a good
pseudorandom permutation this is, within a birthday term of size^2 / 2^128, a permutation drawn at random. Two tweaks
share a permutation only if 96 bits of SHA-256 collide.

What no cipher can change on a small domain: a guess succeeds with probability 1/size; equal values stay equal under
one key and tweak, so frequencies show; whoever sees enough pairs has the whole table.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.blocks import BLOCK
from privkit._kernels.feistel import MIN_DOMAIN
from privkit._kernels.integers import check, check_one
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from privkit._kernels.blocks import BlockCipher

_KEPT = 4_000_000
"""Table entries kept per permutation, of eight bytes (four per direction): 32 MB."""

_OVERHEAD = 64
"""What the arrays of a tweak take beside their entries, in entries."""


class PrefixPermutation:
    """A keyed, tweakable bijection of the integers [0, size), for sizes where FF1 is refused.

    The tables of a tweak are built at its first use (some 100 ns a member) and kept while there is room.

    Args:
        cipher: The keyed block cipher.
        size: How many integers there are: 1 to 999,999.

    Raises:
        InvalidParameter: If the size is out of bounds.
    """

    __slots__ = ("_cipher", "_tables", "size")

    def __init__(self, cipher: BlockCipher, size: int) -> None:
        if not 1 <= size < MIN_DOMAIN:
            raise InvalidParameter(f"a small domain has 1 to {MIN_DOMAIN - 1:,} values, not {size:,}; beyond, take FF1")
        self._cipher, self.size = cipher, size
        self._tables: dict[bytes, tuple[NDArray[np.uint32], NDArray[np.uint32]]] = {}

    def encrypt(self, value: int, tweak: bytes = b"") -> int:
        """Encrypt one integer of [0, size).

        Raises:
            InvalidValue: If the value is outside.
        """
        return self._look_up(value, self._table(tweak)[0])

    def decrypt(self, value: int, tweak: bytes = b"") -> int:
        """Undo `encrypt` under the same tweak; another tweak gives another value, and no error."""
        return self._look_up(value, self._table(tweak)[1])

    def encrypt_many(self, values: NDArray[np.integer], tweak: bytes = b"") -> NDArray[np.uint64]:
        """Encrypt a column of integers of [0, size).

        Args:
            values: Shape `(rows,)`, of any integer type.
            tweak: One for all rows.

        Returns:
            `uint64` of shape `(rows,)`.

        Raises:
            InvalidValue: If a value is outside; with the positions of the rows.
            WrongType: If they are no integers.
        """
        return self._look_up_many(values, self._table(tweak)[0])

    def decrypt_many(self, values: NDArray[np.integer], tweak: bytes = b"") -> NDArray[np.uint64]:
        """Undo `encrypt_many` under the same tweak."""
        return self._look_up_many(values, self._table(tweak)[1])

    def _look_up(self, value: int, table: NDArray[np.uint32]) -> int:
        return int(table[check_one(value, self.size)])

    def _look_up_many(self, values: NDArray[Any], table: NDArray[np.uint32]) -> NDArray[np.uint64]:
        check(values, self.size)
        return table[values.astype(np.intp, copy=False)].astype(np.uint64)

    def _table(self, tweak: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        # No lock, which a fork would take along as some thread had it: two threads at once build the same, and each
        # step on the dictionary is one that is done or not done.
        tables = self._tables.get(tweak)
        if tables is None:
            tables = self._build(tweak)
            if len(self._tables) >= max(1, _KEPT // (self.size + _OVERHEAD)):
                self._tables.clear()  # whoever has so many tweaks will hardly come back to an old one
            self._tables[tweak] = tables
        return tables

    def _build(self, tweak: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        order = _order(self._images(tweak)).astype(np.uint32)  # decrypts: the value of each rank
        ranks = np.empty_like(order)
        ranks[order] = np.arange(self.size, dtype=np.uint32)
        return ranks, order

    def _images(self, tweak: bytes) -> NDArray[np.uint64]:
        """The image of each member as two big-endian words, `(size, 2)`."""
        frame = b"privkit prefix 1" + self.size.to_bytes(8, "big") + tweak
        blocks = np.empty((self.size, BLOCK), np.uint8)
        blocks[:, :12] = np.frombuffer(hashlib.sha256(frame).digest()[:12], np.uint8)
        blocks.view(">u4")[:, 3] = np.arange(self.size)
        return self._cipher.encrypt(blocks).view(">u8").astype(np.uint64)


def _order(images: NDArray[np.uint64]) -> NDArray[np.intp]:
    """The order of 16-byte numbers, given as two words each."""
    order = np.argsort(images[:, 0])
    upper = images[order, 0]
    if (upper[1:] == upper[:-1]).any():  # of a million members, some pair agrees in 8 bytes once in 37 million keys
        order = np.lexsort((images[:, 1], images[:, 0]))
    return order
