"""Columns as codes: the distinct values of a column in order, null its own value, numbers as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.anonymity.counting.dictionary import Dictionary
from privkit.columns import Kind, format_values, lift_distinct, parse_values
from privkit.columns.repeats import DistinctColumn
from privkit.errors import InvalidParameter, InvalidValue, WrongType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from privkit.columns import Column

NUMERIC: Final = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT})
"""Kinds whose values have a distance; the others are categories."""

_SPELLED: Final = frozenset({Kind.DECIMAL, Kind.INSTANT})
"""Kinds in which one value may have several canonical texts."""

AWAY: Final = 2.0
"""Where null stands among positions from 0 to 1: a range that mixes it with a number is at least 1 wide, the whole."""


@dataclass(frozen=True, eq=False)
class Domain:
    """The distinct values of one column, in order; a value's code is its place, and null's comes after the last.

    Numbers and dates are in their own order, text in the order of its characters.

    Attributes:
        name: The column.
        kind: What its values are.
        texts: Their canonical texts.
        null: Whether null is among them.
    """

    name: str
    kind: Kind
    texts: tuple[str, ...]
    null: bool

    def __repr__(self) -> str:
        return f"<Domain of {self.size} values, {self.kind.value}>"  # never the values

    @property
    def numeric(self) -> bool:
        """Whether values have a distance."""
        return self.kind in NUMERIC

    @property
    def size(self) -> int:
        """How many distinct values there are, null included."""
        return len(self.texts) + self.null

    @cached_property
    def values(self) -> list[Any]:
        """The values of a numeric column as `exact_numbers`."""
        return exact_numbers(self.kind, self.texts)

    @cached_property
    def places(self) -> NDArray[np.float64]:
        """Where each code stands, from 0 for the least to 1 for the greatest, and null at `AWAY`."""
        out = np.full(self.size, AWAY)
        if not self.texts:
            return out
        numbers = self.values if self.numeric else range(len(self.texts))
        above = np.array([number - numbers[0] for number in numbers], np.float64)  # exact before it is rounded
        if not np.isfinite(above[-1]):  # no float is so wide
            exact = [Fraction(number) if isinstance(number, float) else number for number in numbers]
            above = np.array([(number - exact[0]) / (exact[-1] - exact[0]) for number in exact], np.float64)
        out[: len(self.texts)] = above / (above[-1] or 1.0)
        return out

    @cached_property
    def positions(self) -> NDArray[np.float32]:
        """`places` for a search, which need not know them to the last bit."""
        return self.places.astype(np.float32)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {text: code for code, text in enumerate(self.texts)}

    @cached_property
    def _alike(self) -> dict[Any, int]:
        """As `_index`, by value; empty for kinds whose equal values have one text."""
        if self.kind not in _SPELLED:
            return {}
        codes = range(len(self.texts) - 1, -1, -1)  # of several the first
        return dict(zip(self.values[::-1], codes, strict=True))

    def merged(self, other: Domain, *, alike: bool = False) -> Domain:
        """The domain of both columns' values.

        Args:
            other: The other column's.
            alike: Whether equal values of different texts are one value, as `ColumnEncoder` has it.

        Raises:
            InvalidParameter: If they are of different kinds.
        """
        if other is self:
            return self
        kind = _common(self.name, self.kind if self.texts else None, other.kind if other.texts else None)
        texts = in_order(kind or self.kind, {*self.texts, *other.texts})
        if alike:
            texts = [texts[code] for code in _firsts(kind or self.kind, texts)[0]]
        return Domain(self.name, kind or self.kind, tuple(texts), self.null or other.null)

    def codes_of(self, other: Domain) -> NDArray[np.int64]:
        """The code here of each code of another domain of the same column; -1 where the value is unknown here.

        A text that is unknown here has the code of an equal value, where there is one.
        """
        out = [self._index.get(text, -1) for text in other.texts]
        if -1 in out and other.texts and self._alike and other.kind is self.kind:
            pairs = zip(out, other.values, strict=True)
            out = [self._alike.get(value, -1) if code < 0 else code for code, value in pairs]
        if other.null:
            out.append(len(self.texts) if self.null else -1)
        return np.array(out, np.int64)


class ColumnEncoder:
    """Turns the batches of one column into codes that are good until the domain is known.

    Args:
        name: The column, for error messages.
        alike: Whether values that are equal and have different texts (decimals 1.0 and 1.00, one moment in two zones)
            are one value. So it is for sensitive columns, where two spellings of a value are no diversity; those of a
            quasi-identifier are written as they were, and whoever reads them tells them apart.
    """

    def __init__(self, name: str, *, alike: bool = False) -> None:
        self.name = name
        self._alike = alike
        self._kind: Kind | None = None
        self._unit = ""
        self._null = False
        self._dictionary = Dictionary()

    def __len__(self) -> int:
        """One more than the greatest code so far."""
        return len(self._dictionary) + 1

    def add(self, container: Any) -> NDArray[np.int32]:  # noqa: ANN401 - any container of a column
        """Codes of a batch: 0 for null, others in order of first appearance.

        Args:
            container: A column in any container that `privkit.columns.lift` takes.

        Raises:
            InvalidValue: If it holds NaN or infinities; with the rows.
            InvalidParameter: If it is of another kind than the batches before, or of bytes.
        """
        column = self._lifted(container)
        if len(column.values):
            self._kind = _common(self.name, self._kind, column.kind)
        codes, nulls = self._codes(column), column.nulls
        if isinstance(column, DistinctColumn):
            codes, nulls = codes[column.codes], column.whole_nulls
        if nulls is None:
            return codes
        self._null = self._null or bool(nulls.any())
        out = np.zeros(len(nulls), np.int32)
        out[~nulls] = codes
        return out

    def _codes(self, column: Column[Any]) -> NDArray[np.int32]:
        """Codes of the values of a column that are not null."""
        values = column.text() if column.kind is Kind.INSTANT else column.values
        if isinstance(values, Ragged):
            return self._dictionary.encode(values)
        bad = _unordered(values)
        if bad.any():
            rows = column.rows(np.flatnonzero(bad))
            reason = "NaN or an infinity; use null where a number is not known"
            raise InvalidValue(reason, rows=rows[: InvalidValue.MAX_ROWS], count=len(rows), column=self.name)
        return self._dictionary.encode(self._bits(values))

    def _lifted(self, container: Any) -> Column[Any]:  # noqa: ANN401 - any container of a column
        """The column without its container; an error about it names it."""
        try:
            return lift_distinct(container)
        except WrongType as error:
            raise WrongType(f"column {self.name!r}: {error}") from None
        except InvalidValue as error:
            raise error.located(self.name) from None

    def domain(self) -> tuple[Domain, NDArray[np.int64]]:
        """The domain, and the domain's code for each code that was given out."""
        kind = self._kind or Kind.TEXT
        texts = [text.decode() for text in self._texts(kind)]
        order = sorted(range(len(texts)), key=_keys(kind, texts).__getitem__)
        own = [texts[code] for code in order]
        firsts, codes = _firsts(kind, own) if self._alike else (range(len(own)), np.arange(len(own)))
        final = np.full(len(texts) + 1, len(firsts), np.int64)
        final[np.array(order, np.int64) + 1] = codes
        return Domain(self.name, kind, tuple(own[first] for first in firsts), self._null), final

    def _bits(self, values: NDArray[Any]) -> NDArray[np.uint64]:
        """Numbers of any kind as 64 bits, equal where the numbers are."""
        if values.dtype.kind == "M":
            if self._unit not in {"", str(values.dtype)}:
                raise InvalidParameter(f"column {self.name!r} changes its unit of time between batches; cast it to one")
            self._unit = str(values.dtype)
        if values.dtype.kind == "f":
            values = values + 0.0  # -0.0 is 0.0
        if values.dtype.kind in "iu" and self._unit not in {"", values.dtype.name}:
            raise InvalidParameter(f"column {self.name!r} has integers of 64 bits in some batches; cast it to float")
        if values.dtype.kind in "iu":
            self._unit = values.dtype.name
        return values.astype(np.uint64) if values.dtype == np.bool_ else np.ascontiguousarray(values).view(np.uint64)

    def _texts(self, kind: Kind) -> Iterable[bytes]:
        values = self._dictionary.values()
        if kind in {Kind.TEXT, Kind.DECIMAL, Kind.INSTANT} or not values:
            return values
        bits = np.frombuffer(b"".join(values), "<u8").astype(np.uint64)
        if kind is Kind.BOOLEAN:
            return format_values(kind, bits.astype(bool))
        dtype = np.float64 if kind is Kind.FLOAT else np.dtype(self._unit)
        return format_values(kind, bits.view(dtype))


def to_numbers(kind: Kind, texts: Iterable[str]) -> NDArray[np.float64]:
    """Canonical texts of a numeric kind as floats: days for dates, seconds for moments."""
    found = list(texts)
    if kind in {Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL}:
        return np.array([float(text) for text in found], np.float64)
    values, _ = parse_values(kind, Ragged.of_text(found))
    assert isinstance(values, np.ndarray)  # noqa: S101 - dates and moments are
    values = values["moment"] if kind is Kind.INSTANT else values
    unit = "datetime64[D]" if kind is Kind.DATE else "datetime64[us]"
    scale = 1 if kind is Kind.DATE else 1e6
    return values.astype(unit).astype(np.int64) / scale


def in_order(kind: Kind, texts: Iterable[str]) -> list[str]:
    """Canonical texts in the order of a domain."""
    found = sorted(texts)
    keys = _keys(kind, found)
    return [found[place] for place in sorted(range(len(found)), key=keys.__getitem__)]


def exact_numbers(kind: Kind, texts: Iterable[str]) -> list[Any]:
    """Canonical texts of a numeric kind as numbers to compare and subtract: integers and decimals to their last digit.

    Floats tell no two of them apart from 2**53 on. Dates and moments are as `to_numbers` has them.
    """
    if kind is Kind.INTEGER:
        return [int(text) for text in texts]
    if kind is Kind.DECIMAL:
        return [Decimal(text) for text in texts]
    found: list[Any] = to_numbers(kind, texts).tolist()
    return found


def _firsts(kind: Kind, texts: Sequence[str]) -> tuple[Sequence[int], NDArray[np.int64]]:
    """Of texts in order, the first of each value, and the number of the value of each text."""
    if kind not in _SPELLED:
        return range(len(texts)), np.arange(len(texts))
    numbers: dict[Any, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in exact_numbers(kind, texts)], np.int64)
    return np.unique(codes, return_index=True)[1].tolist(), codes


def _keys(kind: Kind, texts: list[str]) -> list[Any]:
    if kind not in NUMERIC:
        return texts
    numbers = exact_numbers(kind, texts)
    return numbers if kind is Kind.INTEGER else list(zip(numbers, texts, strict=True))


def _unordered(values: NDArray[Any]) -> NDArray[np.bool_]:
    return ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _common(name: str, known: Kind | None, other: Kind | None) -> Kind | None:
    if Kind.BYTES in {known, other}:
        raise InvalidParameter(f"column {name!r} holds bytes; decode them to text, or drop the column")
    if known is None or other is None or known is other:
        return known or other
    raise InvalidParameter(
        f"column {name!r} is {other.value} in one place and {known.value} in another; cast it to one type"
    )
