"""What callers hand in: keys, bytes, columns and what stands beside them; taken as they are, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import algorithms

from privkit._kernels.blocks import BlockCipher
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, lift
from privkit.errors import InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from privkit.columns import Column


class Keyed:
    """What holds a key, and neither shows nor hands it on."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: key not shown>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("it holds a key and cannot be pickled; send the key where it has to be, and build it there")


def block_cipher(key: bytes, algorithm: str) -> BlockCipher:
    """The block cipher of a name under a key."""
    if algorithm == "AES":
        return BlockCipher(key, algorithms.AES)
    if algorithm == "SM4":
        return BlockCipher(key, algorithms.SM4)
    raise InvalidParameter("no block cipher of that name; take AES or SM4")


def exact_bytes(data: object) -> bytes:
    """The very bytes of a value, whatever a subclass says; not `bytes(data)`, which makes five zeros of a 5."""
    if type(data) is bytes:
        return data
    if not isinstance(data, bytes):
        raise WrongType(f"a {type(data).__name__} where bytes is needed")
    return bytes.__getitem__(data, slice(None))


def ragged_of(column: Column[Any], kind: Kind) -> Ragged:
    """The rows of a column of text or bytes."""
    if column.kind is not kind and len(column.values):
        raise WrongType(f"a column of {column.kind.value} where one of {kind.value} is needed")
    return column.values if isinstance(column.values, Ragged) else Ragged.of([])


def each_of(given: object, column: Column[Any], what: str) -> Ragged:
    """A string for each row of a column that is not null; only for those that are may it be null itself."""
    lifted = lift(given)
    rows = ragged_of(lifted, Kind.BYTES)
    if len(lifted) != len(column):
        raise InvalidParameter(f"{len(lifted)} {what}s for {len(column)} values; give one for all, or one for each")
    wanted = np.ones(len(column), np.bool_) if column.nulls is None else ~column.nulls
    there = np.ones(len(column), np.bool_) if lifted.nulls is None else ~lifted.nulls
    if (missing := wanted & ~there).any():
        raise InvalidValue(f"the {what} of a value is null", rows=np.flatnonzero(missing))
    return rows if column.nulls is None else rows.take(wanted[there])
