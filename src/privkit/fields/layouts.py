"""Layouts that many types share: how their values split into what stays and a rank that moves.

Each says for which values it is one to one: for all values that its type calls valid. Options are checked when a layout
is made. Where how many values one value moves among depends on the value (a short e-mail name moves among few), layouts
refuse single values that would move among fewer than 1,000,000, unless `small_domain` is set.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue
from privkit.fields.digits import luhn_sum, luhn_sums, numbers, write
from privkit.fields.layout import Slot, Slots
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

ENOUGH = 1_000_000
"""The smallest domain of FF1 (SP 800-38G Rev. 1, second draft of 2025, section 5.1)."""

ISSUER_DIGITS = 6
"""How many digits of a card are its issuer, which no card has of zeros alone (ISO/IEC 7812-1:2017, section 4.1)."""
MODEL_DIGITS = 8
"""How many digits of an IMEI are the device's model (3GPP TS 23.003, section 6.2.1)."""

_U = np.uint64


def choose(keep: str | None, choices: Sequence[str]) -> str:
    """Check an option `keep` against what a layout can keep; `""` keeps nothing."""
    if keep is None or keep == "":
        return ""
    if keep not in choices:
        raise InvalidParameter(f"cannot keep {keep!r}{nearest(keep, choices)}")
    return keep


def too_few(size: int, rows: Iterable[int] = (), count: int | None = None) -> InvalidValue:
    """The error for values that would move among too few."""
    return InvalidValue(
        f"it moves among {size} values (< {ENOUGH}), too few for FF1; keep less, or set small_domain=True",
        rows=rows,
        count=count,
    )


def in_place(text: Ragged, parts: Iterable[tuple[NDArray[np.intp] | None, NDArray[np.uint8]]]) -> Ragged:
    """Put rewritten rows into the places of those that they come from, which are as long.

    Args:
        text: The rows as they were.
        parts: Which rows (`None`: all), and what they become, as a matrix.
    """
    out = Ragged(text.data[text.offsets[0] : text.offsets[-1]].copy(), text.offsets - text.offsets[0])
    for rows, matrix in parts:
        if rows is None:
            return Ragged.of_matrix(matrix)
        out.put(rows, matrix)
    return out


class OnNoTable:
    """What layouts share that stand on no table, and refuse single values that move among too few."""

    __slots__ = ()
    smallest: int

    @property
    def version(self) -> int:
        """It stands on no table."""
        return 1

    @property
    def size(self) -> int:
        """The smallest number of values that any one value moves among; others are refused one by one."""
        return self.smallest


class WidthLayout(ABC):
    """A layout of values that stay as long as they are, in bytes; subclasses work on the rows of one length."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The smallest number of values that any one value moves among."""

    @property
    def refused_below(self) -> int:
        """Values that would move among fewer are refused."""
        return self.size

    @abstractmethod
    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Split rows of one length; positions are those in the matrix."""

    @abstractmethod
    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Put ranks into rows that `split_matrix` gave one part for; `matrix` has just these rows."""

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        part = self.split_matrix(_row(text))[0]
        tweak = part.tweak if isinstance(part.tweak, bytes) else part.tweak.tobytes()
        if part.size < self.refused_below:
            raise too_few(part.size)
        return Slot(int(part.ranks[0]), part.size, tweak)

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        matrix = _row(text)
        part = self.split_matrix(matrix)[0]
        ranks = np.array([rank], part.ranks.dtype)
        return self.join_matrix(matrix, Slots(None, ranks, part.size, part.tweak)).tobytes().decode()

    def split(self, text: Ragged) -> Sequence[Slots]:
        """Split a column; the same as `split_one` for each row."""
        parts: list[Slots] = []
        for length, rows in text.by_length():
            for part in self._split_length(text, length, rows):
                places = rows if part.rows is None else part.rows if rows is None else rows[part.rows]
                if part.size < self.refused_below:
                    raise too_few(part.size, range(len(text)) if places is None else places)
                parts.append(Slots(places, part.ranks, part.size, part.tweak))
        return parts

    def _split_length(self, text: Ragged, length: int, rows: NDArray[np.intp] | None) -> list[Slots]:
        """Split the rows of one length; those that have no place are named by where they stand in the column."""
        try:
            return self.split_matrix(text.matrix(length, rows))
        except InvalidValue as error:
            places = error.positions if rows is None else rows[list(error.positions)].tolist()
            raise InvalidValue(error.reason, rows=places) from None

    def join(self, text: Ragged, moved: Sequence[Slots]) -> Ragged:
        """Put ranks in the place of those that the rows of `text` have; the same as `join_one` for each row."""
        return in_place(text, ((part.rows, self.join_matrix(_rows_of(text, part), part)) for part in moved))


def _row(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8).reshape(1, -1)


def _rows_of(text: Ragged, part: Slots) -> NDArray[np.uint8]:
    first = 0 if part.rows is None else int(part.rows[0])
    return text.matrix(int(text.offsets[first + 1] - text.offsets[first]), part.rows)


@dataclass(frozen=True, slots=True)
class Digits(OnNoTable, WidthLayout):
    """Decimal digits of which the first ones stay and the rest moves.

    Where the first digit moves, numbers that begin with 0 move among themselves, and so do those that do not: a column
    of integers, which has no place for leading zeros, holds every result.

    Attributes:
        name: The name of the type.
        kept: How many digits stay at the beginning.
        head: So many digits at the beginning are not all zeros; those that stay among them.
        check: Whether the last digit is Luhn's check digit, which follows from the others.
        smallest: The smallest domain that any valid value has, or below which values are refused.
        option: What stands in the id for what is kept.
    """

    name: str
    kept: int = 0
    head: int = 0
    check: bool = False
    smallest: int = 0
    option: str = ""

    @property
    def id(self) -> str:
        """The frozen name, options included."""
        return f"{self.name}/keep={self.option}" if self.option else self.name

    def _range(self, width: int, *, zero: bool) -> tuple[int, int]:
        """The smallest moving rest, and one more than the largest.

        Args:
            width: How many digits the whole value has.
            zero: Whether it begins with 0.
        """
        digits = width - self.check - self.kept
        if self.kept:
            return 0, 10**digits
        low = 10 ** (digits - self.head) if self.head else 0
        return (low, 10 ** (digits - 1)) if zero else (10 ** (digits - 1), 10**digits)

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """The digits between what is kept and the check digit are the rank."""
        zero = matrix[:, 0] == ord("0")
        if self.kept or not zero.any():
            return [self._part(matrix, None, zero=False)]
        if zero.all():
            return [self._part(matrix, None, zero=True)]
        return [
            self._part(matrix[rows], rows, zero=led)
            for led, rows in ((False, np.flatnonzero(~zero)), (True, np.flatnonzero(zero)))
        ]

    def _part(self, matrix: NDArray[np.uint8], rows: NDArray[np.intp] | None, *, zero: bool) -> Slots:
        low, high = self._range(matrix.shape[1], zero=zero)
        ranks = numbers(matrix[:, self.kept : matrix.shape[1] - self.check]) - _U(low)
        return Slots(rows, ranks, high - low, np.ascontiguousarray(matrix[:, : self.kept]) if self.kept else b"")

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the rank back, and the check digit that it gives."""
        out = matrix.copy()
        width = out.shape[1]
        low, _ = self._range(width, zero=bool(len(out)) and bool(out[0, 0] == ord("0")))
        write(part.ranks + _U(low), out[:, self.kept : width - self.check])
        if self.check:
            out[:, -1] = ord("0")
            sums = luhn_sums(out)
            out[:, -1] += ((_U(10) - sums % _U(10)) % _U(10)).astype(np.uint8)
        return out

    # The two doors for one value, in plain Python: it is what an application calls for each request.
    def split_one(self, text: str) -> Slot:
        """Split one value."""
        low, high = self._range(len(text), zero=text[0] == "0")
        if high - low < self.size:
            raise too_few(high - low)
        end = len(text) - self.check
        return Slot(int(text[self.kept : end]) - low, high - low, text[: self.kept].encode("ascii"))

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        width = len(text) - self.check - self.kept
        low, _ = self._range(len(text), zero=text[0] == "0")
        digits = f"{text[: self.kept]}{rank + low:0{width}}"
        return f"{digits}{-luhn_sum(digits + '0') % 10}" if self.check else digits


@dataclass(frozen=True, slots=True)
class Mobile(WidthLayout):
    """Chinese mobile numbers: 13 to 19 and nine digits, in one range without gaps.

    Attributes:
        kept: How many digits stay at the beginning: 0 or 3.
    """

    kept: int = 0

    @property
    def id(self) -> str:
        """The frozen name, options included."""
        return f"cn_mobile/keep=prefix{self.kept}" if self.kept else "cn_mobile"

    @property
    def version(self) -> int:
        """Version 1 stands on 13 to 19."""
        return 1

    @property
    def size(self) -> int:
        """How many values every value moves among."""
        return 10**8 if self.kept else 7 * 10**9

    @property
    def _low(self) -> int:
        return 0 if self.kept else 13 * 10**9

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """What follows on what is kept is the rank."""
        tweak = np.ascontiguousarray(matrix[:, : self.kept]) if self.kept else b""
        return [Slots(None, numbers(matrix[:, self.kept :]) - _U(self._low), self.size, tweak)]

    def join_matrix(self, matrix: NDArray[np.uint8], part: Slots) -> NDArray[np.uint8]:
        """Write the rank back."""
        out = matrix.copy()
        write(part.ranks + _U(self._low), out[:, self.kept :])
        return out

    def split_one(self, text: str) -> Slot:
        """Split one value."""
        return Slot(int(text[self.kept :]) - self._low, self.size, text[: self.kept].encode("ascii"))

    def join_one(self, text: str, rank: int) -> str:
        """Put a rank in the place of the one that `text` has."""
        return f"{text[: self.kept]}{rank + self._low:0{len(text) - self.kept}}"


def mobile_layout(keep: str | None = None) -> Mobile:
    """How a Chinese mobile number moves: among all seven milliard, or those of its first three digits.

    Args:
        keep: `prefix3` keeps the first three digits: 100,000,000 values.
    """
    return Mobile(3 if choose(keep, ("prefix3",)) else 0)


def card_layout(keep: str | None = None, *, small_domain: bool = False) -> Digits:
    """How a card number moves: among all of its length that pass Luhn's check (and begin with 0, or do not).

    None comes about whose issuer is all zeros.

    Args:
        keep: `bin` keeps the first six digits, `bin8` the first eight.
        small_domain: With `bin8`, take cards of 13 and 14 digits too, which then move among 10,000 and 100,000.
    """
    kept = {"": 0, "bin": 6, "bin8": 8}[choose(keep, ("bin", "bin8"))]
    smallest = 10 ** (12 - kept) if kept else 10**11 - 10**6
    return Digits(
        "bank_card",
        kept,
        head=ISSUER_DIGITS,
        check=True,
        smallest=smallest if small_domain else max(smallest, ENOUGH),
        option=keep or "",
    )


def imei_layout(keep: str | None = None) -> Digits:
    """How an IMEI moves: among all that pass Luhn's check and whose model (the first eight digits) is not all zeros.

    Args:
        keep: `tac` keeps the model: 1,000,000 values.
    """
    if choose(keep, ("tac",)):
        return Digits("imei", kept=MODEL_DIGITS, check=True, smallest=10**6, option="tac")
    return Digits("imei", head=MODEL_DIGITS, check=True, smallest=10**13 - 10**6)
