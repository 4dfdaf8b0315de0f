"""Columns whose values repeat: each value once, and the whole container back.

A transform that gives equal values equal results needs to see each value once only. `distinct` finds out from a sample
whether that is worth it, numbers the values by Arrow's hash table, and gives a column of the distinct ones whose
`restore` puts every result into all the rows that it belongs to. Without pyarrow the column stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.column import Column, row_numbers
from privkit.columns.optional import arrow_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.columns.column import Home
    from privkit.columns.kinds import Kind, Values

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

    codes: NDArray[np.int64]
    whole_nulls: NDArray[np.bool_] | None

    def rows(self, positions: NDArray[Any] | Sequence[int]) -> NDArray[np.intp]:
        """Positions among the distinct values, as all the row numbers of the container that hold them, in order."""
        wanted = np.zeros(len(self.values), bool)
        wanted[np.asarray(positions, np.intp)] = True
        return row_numbers(self.whole_nulls, np.flatnonzero(wanted[self.codes]))


@dataclass(frozen=True, slots=True)
class DistinctHome:
    """The container that a distinct column came from."""

    home: Home[Any]
    codes: NDArray[np.int64]
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
        self, kind: Kind, values: Values, codes: NDArray[np.int64], nulls: NDArray[np.bool_] | None, *, exact: bool
    ) -> Any:
        if getattr(self.home, "dictionary", None) is not None:  # an Arrow dictionary array is made of just that
            home: Any = self.home
            return home.build_coded(kind, values, codes, nulls, exact=exact)
        return self.home.build(kind, _repeat(values, codes), nulls, exact=exact)


def distinct(column: Column[C]) -> Column[C]:
    """The column with each of its values once, where that is worth it; else the column itself.

    Args:
        column: What `lift` gave.

    Returns:
        A column whose `values` and `text()` hold each value once, whose `restore` and `restore_like` take one result
        for each of them and give the whole container back, and whose `rows` gives all the rows that hold a value.
        Its length is that of the distinct values.

    Example:
        >>> import pyarrow
        >>> from privkit.columns import lift
        >>> from privkit.columns.repeats import distinct
        >>> column = distinct(lift(pyarrow.array(["hz", "sh"] * 50_000)))
        >>> column.text().to_text()
        ['hz', 'sh']
        >>> len(column.restore(column.text()))
        100000
    """
    arrow = arrow_module() if _looks_repeated(column.values) else None
    if arrow is None:
        return column
    values, codes = arrow.number_values(column.values)
    if len(values) * 2 > len(codes):
        return column
    home = DistinctHome(column.home, codes, column.nulls)
    return DistinctColumn(column.kind, values, None, cast("Home[C]", home), codes, column.nulls)


def _looks_repeated(values: Values) -> bool:
    """Whether a sample has as many pairs of equal values as it would where each value is there `_WORTH` times."""
    rows = len(values)
    if rows < _WORTH * _SAMPLE:
        return False
    places = np.unique(np.random.default_rng(0).integers(0, rows, _SAMPLE))  # any sample will do: nothing secret
    sample = values.take(places).to_list() if isinstance(values, Ragged) else values[places].tolist()
    pairs = len(sample) - len(set(sample))
    return pairs >= len(sample) ** 2 * _WORTH / (2 * rows)


def _repeat(values: Values, codes: NDArray[np.int64]) -> Values:
    """The values of the whole column."""
    if isinstance(values, Ragged):
        arrow = arrow_module()
        return cast("Ragged", arrow.take_rows(values, codes))
    return values[codes]
