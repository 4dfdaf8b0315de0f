"""Columns whose values repeat: each value once, and the whole container back.

A transform that gives equal values equal results needs to see each value once only. `lift_distinct` gives a column of
the distinct ones whose `restore` puts every result into all the rows that it belongs to. Containers that number their
values themselves (Arrow dictionaries, categories of pandas and Polars) are taken at their word. Of others a sample
tells whether it is worth it, and Arrow's hash table numbers the values; without pyarrow they stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.column import Column, at_rows, row_numbers
from privkit.columns.kinds import Kind
from privkit.columns.lifting import codes_of, lift
from privkit.columns.numbering import in_order, repeat, some
from privkit.columns.optional import arrow_rows_module
from privkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.columns.column import Home
    from privkit.columns.kinds import Values

C = TypeVar("C")

_SAMPLE: Final = 4096  # rows looked at; columns that are not several times longer are not worth it
_WORTH: Final = 8  # how often a value has to be there, on average, by the sample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DistinctColumn(Column[C]):
    """The distinct values of a column, in the order in which they appear; none is null.

    Attributes:
        codes: For each row of the whole column that is not null, the position of its value here.
        whole_nulls: Which rows of the whole column are null, or `None`.
    """

    codes: NDArray[Any]
    whole_nulls: NDArray[np.bool_] | None

    def rows(self, positions: NDArray[Any] | Sequence[int]) -> NDArray[np.intp]:
        """Positions among the distinct values, as all the row numbers of the container that hold them, in order."""
        wanted = np.zeros(len(self.values), bool)
        wanted[np.asarray(positions, np.intp)] = True
        return row_numbers(self.whole_nulls, np.flatnonzero(wanted[self.codes]))

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows the whole container has, and how many of them are null."""
        nulls = 0 if self.whole_nulls is None else int(np.count_nonzero(self.whole_nulls))
        return len(self.codes) + nulls, nulls

    def _build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None) -> C:
        return self.home.build(kind, values, nulls, exact=kind is self.kind)  # which knows the rows of the whole

    def _located(self, error: InvalidValue, nulls: NDArray[np.bool_] | None) -> InvalidValue:
        rows = self.rows(row_numbers(nulls, error.positions))
        return InvalidValue(error.reason, field_type=error.field_type, rows=rows)


@dataclass(frozen=True, slots=True)
class DistinctHome:
    """The container that a distinct column came from."""

    home: Home[Any]
    codes: NDArray[Any]
    nulls: NDArray[np.bool_] | None

    def build(self, kind: Kind, values: Values, nulls: NDArray[np.bool_] | None, *, exact: bool) -> Any:
        """See `Home.build`; what is null among the distinct values is null in all of its rows."""
        if nulls is None:
            return self._build(kind, values, self.codes, self.nulls, exact=exact)
        gone = nulls[self.codes]
        whole = np.zeros(len(self.codes), bool) if self.nulls is None else self.nulls.copy()
        whole[row_numbers(self.nulls, np.flatnonzero(gone))] = True
        places = np.cumsum(~nulls) - 1
        return self._build(kind, values, places[self.codes[~gone]], whole, exact=exact)

    def _build(
        self, kind: Kind, values: Values, codes: NDArray[Any], nulls: NDArray[np.bool_] | None, *, exact: bool
    ) -> Any:
        home: Any = self.home
        coded = getattr(home, "coded", False)
        try:
            if coded:
                return home.build_coded(kind, values, codes, nulls, exact=exact)
            return home.build(kind, repeat(values, codes), nulls, exact=exact)
        except InvalidValue as error:  # positions among the distinct values, or among all
            if coded:
                rows = np.flatnonzero(np.isin(codes, error.positions))
                error = InvalidValue(error.reason, field_type=error.field_type, rows=rows)
            raise at_rows(error, nulls) from None


def lift_distinct(container: C) -> Column[C]:
    """Take a column out of its container, each of its values once where that is worth it.

    Args:
        container: As for `lift`.

    Returns:
        What `lift` gives; or a column whose `values` and `text()` hold each value once, whose `restore` and
        `restore_like` take one result for each of them and give the whole container back, and whose `rows` gives all
        the rows that hold a value. Its length is that of the distinct values, its `shape` is of the whole container.

    Raises:
        WrongType: As `lift`.
        InvalidValue: As `lift`.

    Example:
        >>> import pyarrow
        >>> from privkit.columns import lift_distinct
        >>> column = lift_distinct(pyarrow.array(["hz", "sh"] * 50_000))
        >>> column.text().to_text()
        ['hz', 'sh']
        >>> len(column.restore(column.text()))
        100000
    """
    coded = codes_of(container)
    if coded is None:
        return _numbered(lift(container))
    values = coded.column.values
    order, codes = in_order(coded.codes, len(values))
    return _distinct(coded.column, some(values, order), codes, coded.nulls)


def _numbered(column: Column[C]) -> Column[C]:
    """The column with each of its values once, where a sample says that it is worth it; else the column itself."""
    arrow = arrow_rows_module() if _looks_repeated(column.values) else None
    if arrow is None:
        return column
    values, codes = arrow.number_values(column.values)
    return column if len(values) * 2 > len(codes) else _distinct(column, values, codes, column.nulls)


def _distinct(
    column: Column[C], values: Values, codes: NDArray[Any], nulls: NDArray[np.bool_] | None
) -> DistinctColumn[C]:
    home = DistinctHome(column.home, codes, nulls)
    return DistinctColumn(column.kind, values, None, cast("Home[C]", home), codes, nulls)


def spread(column: Column[C], values: Ragged, codes: NDArray[Any], nulls: NDArray[np.bool_] | None) -> C:
    """A container of the column's family whose rows each hold one of a few texts.

    Args:
        column: Tells the family and the number of rows.
        values: The texts.
        codes: For each row that is not null the position of its text; any type of integers.
        nulls: Which rows are null, or `None`.

    Example:
        >>> import numpy as np
        >>> from privkit._kernels.ragged import Ragged
        >>> from privkit.columns import lift
        >>> from privkit.columns.repeats import spread
        >>> spread(lift([31, 52, 38]), Ragged.of_text(["30-39", "50-59"]), np.array([0, 1, 0]), None)
        ['30-39', '50-59', '30-39']
    """
    return cast("C", DistinctHome(column.home, codes, nulls).build(Kind.TEXT, values, None, exact=False))


def _looks_repeated(values: Values) -> bool:
    """Whether a sample has as many pairs of equal values as it would where each value is there `_WORTH` times."""
    rows = len(values)
    if rows < _WORTH * _SAMPLE or (not isinstance(values, Ragged) and values.dtype == object):  # lists have no hash
        return False
    drawn = np.sort(np.random.default_rng(0).integers(0, rows, _SAMPLE))  # any sample will do: nothing secret
    places = drawn[np.diff(drawn, prepend=-1) > 0]
    sample = values.take(places).to_list() if isinstance(values, Ragged) else values[places].tolist()
    pairs = len(sample) - len(set(sample))
    return pairs >= len(sample) ** 2 * _WORTH / (2 * rows)
