"""Noise: amounts off by a little, and by the same little every time."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import numpy as np

from privkit import columns
from privkit._kernels.beside import beside
from privkit._kernels.decimal_text import format_integers
from privkit._kernels.ragged import Ragged, move
from privkit.columns import Kind
from privkit.errors import InvalidParameter
from privkit.fields.decimals import EXACT, mantissas
from privkit.fields.digits import write
from privkit.fields.payment import Number
from privkit.keys import Usage
from privkit.transforms.base import OnInvalid, Outcome, of_field
from privkit.transforms.by_subject import BySubject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey

C = TypeVar("C")

MOST_PLACES: Final = 9
"""At most so many digits after the dot."""
_WIDEST: Final = 10**15
"""Values and scales beyond it, in units of the last place, go the exact way by Python's integers."""
_BITS: Final = 52
_HALF: Final = Decimal("0.5")
_LN2: Final = 0.6931471805599453
_TERMS: Final = 14
"""Terms of the series of the logarithm: the first left out is below 2^-70 of it."""


class Distribution(StrEnum):
    """How noise is spread."""

    LAPLACE = "laplace"
    """Laplace of scale b: a mean deviation of b either way, and 36.8 b at most."""
    UNIFORM = "uniform"
    """Evenly spread over -b to b."""


class Noise(BySubject):
    """Add noise to amounts, the same for the same value of the same subject under the same key.

    The noise is drawn from 53 bits of AES-CMAC of subject and value, by the inverse of the distribution, and rounded
    to the last place. Since it repeats, it cannot be averaged away by asking again, and a table protected twice is
    the same twice; equal values of two subjects get different noise. It cannot be undone. Its arithmetic is that of
    IEEE 754 by the four operations alone, so that it is the same on every machine.

    It is *not* differential privacy by itself: the scale is not derived from how much one person can change an
    answer, nobody counts what is spent over several releases, the noise of a value that repeats is not drawn anew,
    and the holder of the key knows it. Results may leave the range of the values, and fall below zero even where the
    type has no negative ones: cutting them off there would shift every sum. It is de-identification (去标识化).

    Args:
        field: A type of numbers, such as `AMOUNT`.
        key: The field's key.
        scale: The spread, in the unit of the values, above 0: see `Distribution`.
        distribution: `laplace` or `uniform`.
        places: How many digits stand after the dot of each result, 0 to 9. By default as many as the value has, which
            is what columns of whole numbers and of decimals want; columns of floats have no scale of their own and
            need it said.
        recipient: Who gets the amounts; another recipient's noise differs.

    Raises:
        InvalidParameter: If the field type is no number, or a parameter is out of range.

    Example:
        >>> from privkit import fields
        >>> from privkit.transforms import Noise
        >>> keys = Keyring.create(directory / "noise.json")
        >>> noise = Noise(fields.AMOUNT, keys["order.amount"], scale=5)
        >>> first = noise.protect_many(["128.00", "128.00"], subject=["user:42", "user:43"])
        >>> first == noise.protect_many(["128.00", "128.00"], subject=["user:42", "user:43"])
        True
    """

    word: ClassVar[str] = "noise"

    def __init__(
        self,
        field: FieldType,
        key: FieldKey,
        *,
        scale: Decimal | float,
        distribution: Distribution | str = Distribution.LAPLACE,
        places: int | None = None,
        recipient: str | None = None,
    ) -> None:
        super().__init__(field)
        if not isinstance(field, Number):
            raise InvalidParameter(f"{field.name} is no number; noise is for amounts and the like")
        if places is not None and (type(places) is not int or not 0 <= places <= MOST_PLACES):
            raise InvalidParameter(f"places must be a whole number from 0 to {MOST_PLACES}")
        if distribution not in tuple(Distribution):
            raise InvalidParameter("a distribution is 'laplace' or 'uniform'")
        self.scale = _scale(scale)
        self.distribution = Distribution(distribution)
        self.places = places
        self._cmac = of_field(key).cmac(Usage(purpose="noise", algorithm="AES-CMAC", key_bytes=32, recipient=recipient))

    def protect(self, value: Any, *, subject: str | int) -> Any:  # noqa: ANN401 - a number or its text, as it came
        """Add noise to one value; null gives null.

        Raises:
            InvalidValue: If it is not a value of the field type.
            InvalidParameter: If it is a float, and `places` is not said.
        """
        return self._one(value, subject, self._add)

    def protect_many(self, column: C, *, subject: object) -> C:
        """Add noise to a column; see `protect_column`."""
        return self.protect_column(column, subject=subject).column

    def protect_column(
        self, column: C, *, subject: object, on_invalid: OnInvalid | str = OnInvalid.RAISE
    ) -> Outcome[C]:
        """Add noise to a column and say what happened.

        Args:
            column: Numbers or their text, in any container.
            subject: A column of ids as long as it, text or whole numbers: whose each value is.
            on_invalid: `raise`, or `suppress`, which makes values null that are not of the field type.

        Raises:
            InvalidValue: If some values are not of the field type, or have no subject; the error names their rows.
            InvalidParameter: If there are not as many subjects as values, or values are floats and `places` is not
                said.
        """
        return self._many(column, subject, self._add, on_invalid)

    def _written(self, text: Ragged, kind: Kind) -> Ragged:
        if kind is not Kind.FLOAT:
            return text
        if self.places is None:
            raise InvalidParameter("floats have no scale of their own; say how many places results shall have")
        return columns.format_values(kind, np.array([float(word or 0) for word in text.to_text()], np.float64))

    def _add(self, text: Ragged, subjects: Ragged) -> Ragged:
        noise = self._draw(_joined(subjects, text))
        whole, own, fits = mantissas(text)
        places = own if self.places is None else np.full(len(text), self.places)
        parts = []
        for has, gets in sorted(set(zip(own.tolist(), places.tolist(), strict=True))):
            rows = np.flatnonzero((own == has) & (places == gets))
            unit = float(self.scale.scaleb(gets, EXACT))
            exact = ~fits[rows] | (np.abs(whole[rows]) * 10.0 ** max(gets - has, 0) > _WIDEST) | (unit > _WIDEST)
            fast, slow = rows[~exact], rows[exact]
            if len(fast):
                parts.append((fast, _fast(whole[fast], has, gets, noise[fast] * unit)))
            parts.append((slow, Ragged.of_text(_slow(text.take(slow), gets, (noise[slow] * unit).tolist()))))
        return Ragged.merge(len(text), parts)

    def _draw(self, messages: Ragged) -> NDArray[np.float64]:
        """Noise of scale 1: a sign, and a magnitude by the inverse of its distribution function at (m + 1/2) / 2^52."""
        numbers = np.ascontiguousarray(self._cmac.digest_many(messages)).view(">u8")[:, 0].astype(np.uint64)
        magnitude = ((numbers & np.uint64((1 << _BITS) - 1)).astype(np.float64) + 0.5) * 2.0**-_BITS
        if self.distribution is Distribution.LAPLACE:
            magnitude = -_logarithm(magnitude)
        return np.where(numbers >> np.uint64(63), -magnitude, magnitude)


def _scale(scale: Decimal | float) -> Decimal:
    try:
        exact = Decimal(str(scale)) if not isinstance(scale, bool) else Decimal(0)
    except InvalidOperation:
        exact = Decimal(0)
    if not exact.is_finite() or not Decimal("1e-12") <= exact <= Decimal("1e12"):
        raise InvalidParameter("scale must be a number above 0, from 1e-12 to 1e12")
    return exact


def _logarithm(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm, within a few units of the last place, by operations that IEEE 754 rounds exactly.

    The logarithm of a C library differs between machines in the last bit; this one never does.
    """
    mantissa, exponent = np.frexp(numbers)
    low = mantissa < 0.7071067811865476  # noqa: PLR2004 - the root of a half: mantissas lie around 1
    mantissa = np.where(low, mantissa * 2, mantissa)
    ratio = (mantissa - 1) / (mantissa + 1)  # ln m = 2 artanh((m - 1) / (m + 1))
    square = ratio * ratio
    series = np.zeros(len(numbers))
    for term in range(2 * _TERMS - 1, 0, -2):
        series = series * square + 1 / term
    logarithm: NDArray[np.float64] = (exponent - low.astype(np.int64)) * _LN2 + 2 * ratio * series
    return logarithm


def _joined(subjects: Ragged, values: Ragged) -> Ragged:
    """Subject and value as one message each: length of the subject, 4 bytes big-endian, subject, value."""
    return beside([Ragged.of_matrix(subjects.lengths.astype(">u4").view(np.uint8).reshape(-1, 4)), subjects, values])


def _fast(whole: NDArray[np.int64], has: int, gets: int, noise: NDArray[np.float64]) -> Ragged:
    """Values of `has` digits after the dot with noise in units of the last of `gets`."""
    if gets >= has:
        units = whole * 10 ** (gets - has)
    else:
        step = 10 ** (has - gets)
        units = (2 * whole + step) // (2 * step)
    return _decimal_text(units + np.rint(noise).astype(np.int64), gets)


def _slow(text: Ragged, gets: int, noise: list[float]) -> list[str]:
    """The same by exact decimals of any size."""
    out = []
    for value, more in zip(text.to_text(), noise, strict=True):
        shifted = EXACT.add(Decimal(value).scaleb(gets, EXACT), _HALF)
        units = int(shifted.to_integral_value(ROUND_FLOOR, EXACT)) + round(more)
        out.append(columns.text_of(Decimal(units).scaleb(-gets, EXACT)))
    return out


def _decimal_text(units: NDArray[np.int64], places: int) -> Ragged:
    """Numbers of units of the last place as canonical decimal text."""
    if not places:
        return format_integers(units)
    magnitude = np.abs(units).astype(np.uint64)
    front = magnitude // np.uint64(10**places)
    tail = np.full((len(units), places + 1), ord("."), np.uint8)
    write(magnitude - front * np.uint64(10**places), tail[:, 1:])
    minus = (units < 0).astype(np.int64)
    head = format_integers(front)
    out = Ragged.empty(minus + head.lengths + places + 1)
    out.data[out.offsets[:-1][units < 0]] = ord("-")
    move(head.data, head.offsets[:-1], out.data, out.offsets[:-1] + minus, head.lengths)
    last = Ragged.of_matrix(tail)
    move(last.data, last.offsets[:-1], out.data, out.offsets[1:] - places - 1, last.lengths)
    return out
