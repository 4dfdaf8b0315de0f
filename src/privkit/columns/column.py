"""A column taken out of its container: plain arrays, and the way back into a container of the same family."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from privkit.columns.canonical import format_values, parse_values
from privkit.columns.kinds import Kind, Values
from privkit.errors import InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


class Home(Protocol[C_co]):
    """Where a column came from: knows how to build the same family of container again."""

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> C_co:
        """Build the container.

        Args:
            kind: What the values are.
            values: The values that are not null, as `Kind` says.
            nulls: Which rows are null, or `None` where none is.
            exact: Whether the values go back into the container's own element type, which `kind` then is of; otherwise
                text, bytes and the rest take the type that the family has for them.

        Raises:
            InvalidValue: If values do not fit the element type; `rows` are positions in `values`.
            InvalidParameter: If the container cannot hold them; the message has the remedy.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[C]):
    """Values without their container.

    Attributes:
        kind: What the values are.
        values: The values that are not null, in order, as `Kind` says; may share memory with the container: read only.
        nulls: `bool` of shape `(rows,)`, true where null; `None` where no row is.
        home: The way back.

    Example:
        >>> from privkit.columns import lift
        >>> column = lift(["13812345678", None])
        >>> column.kind, len(column), column.values.to_text()
        (<Kind.TEXT: 'text'>, 2, ['13812345678'])
        >>> column.restore_like(column.text())
        ['13812345678', None]
    """

    kind: Kind
    values: Values
    nulls: NDArray[np.bool_] | None
    home: Home[C]

    def __len__(self) -> int:
        return len(self.values) if self.nulls is None else len(self.nulls)

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows the container has, and how many of them are null."""
        return len(self), 0 if self.nulls is None else int(np.count_nonzero(self.nulls))

    def __repr__(self) -> str:
        return f"<Column of {len(self)} rows, {self.kind.value}>"  # never the values

    def text(self) -> Ragged:
        """The canonical text of the values that are not null, in UTF-8.

        Whole numbers are plain, and so are floats that are whole (up to 2**53); other floats are the shortest text that
        reads back as the same float; decimals keep their scale; dates are `1990-01-02`, timestamps
        `2026-01-02T03:04:05` with `.ffffff` where there is a fraction (nine digits where it takes them), and where the
        container knows a zone the local time with its offset, `2026-01-02T03:04:05+08:00`; booleans are `true` and
        `false`.

        Raises:
            InvalidValue: If a date is outside the years 0001 to 9999, or bytes are not UTF-8; with the rows.
        """
        try:
            return format_values(self.kind, self.values)
        except InvalidValue as error:
            raise self._located(error, self.nulls) from None

    def rows(self, positions: NDArray[Any] | Sequence[int]) -> NDArray[np.intp]:
        """Positions among the values that are not null, as row numbers of the container."""
        return row_numbers(self.nulls, positions)

    def nulls_and(self, positions: NDArray[Any] | Sequence[int]) -> NDArray[np.bool_]:
        """Which rows are null where those at some positions among the values become null too; for `restore`."""
        nulls = np.zeros(len(self), bool) if self.nulls is None else self.nulls.copy()
        nulls[row_numbers(self.nulls, positions)] = True
        return nulls

    def restore(
        self, values: Values, kind: Kind = Kind.TEXT, nulls: NDArray[np.bool_] | EllipsisType | None = ...
    ) -> C:
        """Put values back into a container of the same family.

        Values of the column's own kind come back in its own element type (`int32` stays `int32`); others in the
        type that the family has for them. Text stays text: large, view, fixed-width, dictionary as the container was.

        Args:
            values: The values that are not null, as `kind` says.
            kind: What they are.
            nulls: Which rows are null; by default those that were.

        Raises:
            InvalidValue: If values do not fit the column's own element type; with the rows.
            InvalidParameter: If the numbers of rows do not match, or the container has no place for a null.
        """
        rows = self.nulls if isinstance(nulls, EllipsisType) else nulls
        if rows is not None and len(rows) != len(self):
            raise InvalidParameter(f"values for {len(rows)} rows; the column has {len(self)}")
        gone = 0 if rows is None else int(np.count_nonzero(rows))
        if len(values) != len(self) - gone:
            raise InvalidParameter(f"{len(values)} values for {len(self) - gone} rows that are not null")
        return self._build(kind, values, rows if gone else None)

    def restore_like(self, text: Ragged, nulls: NDArray[np.bool_] | EllipsisType | None = ...) -> C:
        """Parse canonical text back into the column's own kind and element type.

        Args:
            text: UTF-8, one row a value that is not null.
            nulls: Which rows are null; by default those that were.

        Raises:
            InvalidValue: If a text is not the canonical text of such a value, or does not fit; with the rows.
            InvalidParameter: As `restore`.
        """
        values, bad = parse_values(self.kind, text)
        if bad.any():
            error = InvalidValue(
                f"not the plain text of a value of this {self.kind.value} column; protect the column as text instead",
                rows=np.flatnonzero(bad),
            )
            raise self._located(error, self.nulls if isinstance(nulls, EllipsisType) else nulls)
        return self.restore(values, self.kind, nulls)

    def _build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None) -> C:
        try:
            return self.home.build(kind, values, nulls, exact=kind is self.kind)
        except InvalidValue as error:
            raise at_rows(error, nulls) from None

    def _located(self, error: InvalidValue, nulls: NDArray[np.bool_] | None) -> InvalidValue:
        """The same error with positions among the values made row numbers of the container."""
        return at_rows(error, nulls)


def row_numbers(nulls: NDArray[np.bool_] | None, positions: NDArray[Any] | Sequence[int]) -> NDArray[np.intp]:
    """Positions among the rows that are not null, as row numbers."""
    index = np.asarray(positions, np.intp)
    return index if nulls is None else np.flatnonzero(~nulls)[index]


def at_rows(error: InvalidValue, nulls: NDArray[np.bool_] | None) -> InvalidValue:
    """The same error with positions among the values that are not null made row numbers."""
    rows = row_numbers(nulls, list(error.rows))
    return InvalidValue(error.reason, field_type=error.field_type, rows=rows.tolist(), count=error.count)
