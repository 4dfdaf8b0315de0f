"""CMAC of bytes."""

from __future__ import annotations

from typing import Literal, TypeVar

from privkit._kernels.cmac import Cmac as Kernel
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, lift
from privkit.columns.pieces import by_pieces
from privkit.lowlevel.given import Keyed, block_cipher, exact_bytes, ragged_of

C = TypeVar("C")


class Cmac(Keyed):
    """CMAC (NIST SP 800-38B, May 2005): a keyed digest of 16 bytes, which nobody computes or checks without the key.

    Equal messages under one key have equal digests. Good for 2**48 messages under one key (appendix B).

    Safe to share between threads.

    Args:
        key: 16, 24 or 32 random bytes; 16 for SM4.
        algorithm: `"AES"`, or `"SM4"` (GB/T 32907), with which it is no longer NIST's.

    Raises:
        InvalidParameter: If the key has another size, or the algorithm is none of these.

    Example:
        >>> from privkit.lowlevel import Cmac
        >>> cmac = Cmac(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
        >>> cmac.digest(b"").hex()
        'bb1d6929e95937287fa37d129b756746'
        >>> [digest and digest.hex() for digest in cmac.digest_many([b"", None])]
        ['bb1d6929e95937287fa37d129b756746', None]
    """

    __slots__ = ("_cmac",)

    def __init__(self, key: bytes, *, algorithm: Literal["AES", "SM4"] = "AES") -> None:
        self._cmac = Kernel(block_cipher(exact_bytes(key), algorithm))

    def digest(self, data: bytes) -> bytes:
        """Digest one message.

        Args:
            data: Any bytes, or none.

        Returns:
            16 bytes.

        Raises:
            WrongType: If this is no bytes.
        """
        return self._cmac.digest(exact_bytes(data))

    def digest_many(self, column: C) -> C:
        """Digest a column of bytes of any lengths.

        Args:
            column: A column of bytes.

        Returns:
            The same kind of column, of 16 bytes in each row; null where `column` is. A NumPy array of fixed-width bytes
            comes back as one of objects where a digest ends in a zero byte, which a fixed width would drop.

        Raises:
            WrongType: If this is no column of bytes.
        """
        return by_pieces(self._digest_piece, column)

    def _digest_piece(self, column: C) -> C:
        lifted = lift(column)
        return lifted.restore(Ragged.of_matrix(self._cmac.digest_many(ragged_of(lifted, Kind.BYTES))), Kind.BYTES)
