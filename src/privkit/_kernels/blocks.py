"""Encrypt many 16-byte blocks: the one operation on which every cipher of privkit stands."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

from privkit._kernels.memory import keep_freed_memory
from privkit.errors import InvalidParameter

keep_freed_memory()

BLOCK = 16
"""Bytes in a block of AES and of SM4."""

_AES_KEY_SIZES = (16, 24, 32)
_SM4_KEY_SIZE = 16

_CHAIN_PIECE = 1 << 16
"""Bytes to chain at a time: only the last block of the output is wanted, so room for all of it is not taken."""


class _Algorithm(Protocol):
    def __call__(self, key: bytes) -> algorithms.AES | algorithms.SM4: ...


class BlockCipher:
    """A keyed block cipher that encrypts whole blocks, one at a time or by the million.

    ECB is right here and nowhere else: callers build CBC-MAC, counter and Feistel constructions from single blocks.

    An OpenSSL context must not be used by two threads at once (it was seen to raise, and to corrupt later calls), so
    each thread gets its own. It only ever sees whole blocks, so it never buffers and never needs finalising.
    """

    __slots__ = ("_algorithm", "_key", "_local")

    def __init__(self, key: bytes, algorithm: _Algorithm = algorithms.AES) -> None:
        sizes = (_SM4_KEY_SIZE,) if algorithm is algorithms.SM4 else _AES_KEY_SIZES
        if len(key) not in sizes:
            raise InvalidParameter(
                f"key of {len(key)} bytes; {algorithm.__name__} takes {' or '.join(map(str, sizes))}"  # type: ignore[attr-defined]
            )
        self._algorithm = algorithm
        self._key = bytes(key)
        self._local = threading.local()

    def encrypt_block(self, block: bytes) -> bytes:
        """Encrypt whole blocks given as bytes, the cheapest way for one or a few."""
        try:
            context: CipherContext = self._local.context
        except AttributeError:
            context = self._new_context()
        return context.update(block)

    def function(self) -> Callable[[bytes], bytes]:
        """Take the calling thread's function from whole blocks to whole blocks, for a loop over single blocks.

        It saves the half of what a call costs, and must neither be kept nor be handed to another thread.
        """
        try:
            context: CipherContext = self._local.context
        except AttributeError:
            context = self._new_context()
        return context.update

    def encrypt(self, blocks: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Encrypt whole blocks.

        Args:
            blocks: C-contiguous `uint8` array of any shape whose size is a multiple of 16.
            out: Where to write: C-contiguous, flat `uint8`, at least `blocks.size + 15` long (OpenSSL's bindings ask
                for the room and do not use it). A new array by default.

        Returns:
            The encrypted blocks in the shape of `blocks`; a view of `out` where that was given.
        """
        if out is None:
            out = np.empty(blocks.size + BLOCK - 1, np.uint8)
        if blocks.size:
            try:
                context = self._local.context
            except AttributeError:
                context = self._new_context()
            context.update_into(blocks.data.cast("B"), out.data.cast("B"))
        return out[: blocks.size].reshape(blocks.shape)

    def encryption(self, blocks: NDArray[np.uint8], out: NDArray[np.uint8]) -> Callable[[], object]:
        """What encrypts the blocks of one array into another as often as it is called, for the calling thread.

        It saves what looking for the context and at the arrays costs, in which other threads wait.

        Args:
            blocks: As for `encrypt`.
            out: Likewise.
        """
        try:
            context: CipherContext = self._local.context
        except AttributeError:
            context = self._new_context()
        return partial(context.update_into, blocks.data.cast("B"), out.data.cast("B"))

    def chain(self, blocks: bytes) -> bytes:
        """Chain whole blocks from a zero block (CBC), and return the last: the inside of a MAC over a long message.

        Args:
            blocks: A multiple of 16 bytes, at least 16.
        """
        context = Cipher(self._algorithm(self._key), modes.CBC(bytes(BLOCK))).encryptor()
        out = b""
        for start in range(0, len(blocks), _CHAIN_PIECE):
            out = context.update(blocks[start : start + _CHAIN_PIECE])
        return out[-BLOCK:]

    def counter_mode(self, counter: bytes, data: bytes) -> bytes:
        """XOR data of any length with the encrypted counter, its increments by one and so on, 128 bits big-endian."""
        return Cipher(self._algorithm(self._key), modes.CTR(counter)).encryptor().update(data)

    def _new_context(self) -> CipherContext:
        context: CipherContext = Cipher(self._algorithm(self._key), modes.ECB()).encryptor()  # noqa: S305 - see the class
        self._local.context = context
        return context

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a cipher holds a key and cannot be pickled; pickle the keyring's path instead")
