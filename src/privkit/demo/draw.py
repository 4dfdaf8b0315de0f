"""Drawing without state: every cell is a function of (seed, what is drawn, number of the row or customer).

So a batch needs nothing of the batches before it, a customer looks the same in each of their orders without a table of
customers in memory, and the export does not depend on how it is cut into batches.

Numbers come from SplitMix64's finaliser (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014)
over the row number and a constant for the label. They are for test data; nothing here is secret.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's odd increment: 2^64 / golden ratio
_FIRST = np.uint64(0xBF58476D1CE4E5B9)  # and the two multipliers of its finaliser
_SECOND = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)
_TABLE_BITS = 16

Indices = NDArray[np.int64]


@functools.cache
def _stream(seed: int, label: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(f"{seed}/{label}".encode(), digest_size=8).digest()))


class Draws:
    """Repeatable draws for the rows of a batch.

    Args:
        seed: Another seed gives another export.
        numbers: The rows' or the customers' numbers, `uint64`, shape `(n,)`.
    """

    def __init__(self, seed: int, numbers: NDArray[np.uint64]) -> None:
        self._seed = seed
        self._steps = numbers * _GOLDEN

    def __len__(self) -> int:
        return len(self._steps)

    def bits(self, label: str) -> NDArray[np.uint64]:
        """Return 64 random bits a row; different labels are independent."""
        z = self._steps + _stream(self._seed, label)
        z ^= z >> np.uint64(30)
        z *= _FIRST
        z ^= z >> np.uint64(27)
        z *= _SECOND
        z ^= z >> np.uint64(31)
        return z

    def below(self, label: str, bound: int) -> Indices:
        """Return whole numbers in [0, bound), bound ≤ 2^31."""
        return (((self.bits(label) >> _HALF) * np.uint64(bound)) >> _HALF).view(np.int64)

    def long(self, label: str, digits: int) -> Indices:
        """Return whole numbers of up to `digits` ≤ 18 decimal digits."""
        return (self.bits(label) // np.uint64(8) % np.uint64(10**digits)).view(np.int64)

    def uniform(self, label: str) -> NDArray[np.float64]:
        """Return numbers in [0, 1)."""
        return (self.bits(label) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def chance(self, label: str, share: float) -> NDArray[np.bool_]:
        """Return true for about `share` of the rows."""
        return self.uniform(label) < share

    def top_bits(self, label: str) -> Indices:
        """Return numbers in [0, 65536), to look up in a `Weighted` table."""
        return (self.bits(label) >> np.uint64(64 - _TABLE_BITS)).view(np.int64)

    def weighted(self, label: str, weights: "Weighted") -> Indices:
        """Return indices with the frequencies of `weights`."""
        return weights.table[self.top_bits(label)]


@dataclass(frozen=True, eq=False)
class Weighted:
    """A table of 65,536 indices, each as often as its weight says; one look-up is one draw.

    Attributes:
        table: The indices, shape `(65536,)`. Weights under 1/65,536 of the whole may not occur.
    """

    table: Indices

    @classmethod
    def of(cls, weights: Sequence[float] | NDArray[np.float64]) -> "Weighted":
        """Build the table from weights, which need not sum to anything."""
        ends = np.cumsum(np.asarray(weights, dtype=np.float64))
        points = (np.arange(1 << _TABLE_BITS) + 0.5) * (ends[-1] / (1 << _TABLE_BITS))
        return cls(np.searchsorted(ends, points, side="right").astype(np.int64))


_FOUR_DIGITS = np.frombuffer("".join(f"{n:04d}" for n in range(10_000)).encode(), dtype=np.uint32)
_TWO_HEX = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), dtype=np.uint16)
_PLAIN = np.array([n - 48 if 48 <= n < 58 else 0 for n in range(256)], dtype=np.uint8)  # noqa: PLR2004 -- ASCII digits
_DOUBLED = _PLAIN * 2 - 9 * (_PLAIN > 4).astype(np.uint8)  # noqa: PLR2004 -- 5 to 9 doubled have two digits
_COMPLEMENT = np.array([48 + (10 - n % 10) % 10 for n in range(256)], dtype=np.uint8)
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TWO_BASE64 = np.frombuffer("".join(a + b for a in _BASE64 for b in _BASE64).encode(), dtype=np.uint16)


def digits(values: Indices, width: int) -> NDArray[np.uint8]:
    """Return whole numbers as ASCII digits with leading zeros, shape `(n, width)`."""
    groups = -(-width // 4)
    out = np.empty((len(values), groups), dtype=np.uint32)
    rest = values
    for group in range(groups - 1, -1, -1):
        higher = rest // 10_000
        out[:, group] = _FOUR_DIGITS[rest - higher * 10_000]
        rest = higher
    return out.view(np.uint8)[:, 4 * groups - width :]


def hexadecimal(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return 64-bit numbers as 16 ASCII hex digits, shape `(n, 16)`."""
    return _TWO_HEX[values.view(np.uint8)].view(np.uint8).reshape(-1, 16)


def base64(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the lower 48 of 64 bits as eight base64 characters, shape `(n, 8)`."""
    parts = [_TWO_BASE64[(values >> np.uint64(shift)) & np.uint64(0xFFF)] for shift in (36, 24, 12, 0)]
    return np.stack(parts, axis=1).view(np.uint8)


def luhn(payload: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the check digits that complete rows of ASCII digits (ISO/IEC 7812-1, annex B), as ASCII.

    Args:
        payload: The digits before the check digit, shape `(n, width)`; zeros in front change nothing.
    """
    total = np.zeros(len(payload), dtype=np.uint8)  # at most 18 digits of 9 each
    for place, column in enumerate(reversed(range(payload.shape[1]))):
        total += (_PLAIN, _DOUBLED)[place % 2 == 0][payload[:, column]]
    return _COMPLEMENT[total]


def text(rows: NDArray[np.uint8], lengths: Indices | None = None) -> pa.Array:
    """Turn rows of ASCII bytes into an Arrow string array.

    Args:
        rows: Shape `(n, width)`.
        lengths: How many bytes at the end of each row count; all of them by default.
    """
    count, width = rows.shape
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(np.full(count, width) if lengths is None else lengths, out=offsets[1:])
    kept = np.ascontiguousarray(rows) if lengths is None else rows[np.arange(width) >= width - lengths[:, np.newaxis]]
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(kept)])


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the parts of each row, one after the other."""
    return pc.binary_join_element_wise(*parts, "")


def with_nulls(values: pa.Array, nulls: NDArray[np.bool_]) -> pa.Array:
    """Return the array with nulls where the mask says, and where it had some."""
    if values.null_count:
        return pc.if_else(pa.array(nulls), pa.scalar(None, values.type), values)
    valid = pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(values.type, len(values), [valid, *values.buffers()[1:]])
