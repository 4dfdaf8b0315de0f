"""Write a recoding into tables, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.anonymity.counting.encoding import ColumnEncoder, Domain
from privkit.anonymity.counting.keys import Lookup, lengths, order_of, runs
from privkit.columns import Kind, lift
from privkit.columns.repeats import spread
from privkit.columns.tables import Table, open_table
from privkit.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.recoding.recoding import Recoding


class Applier:
    """Writes the records of one table, which may come in any order and in any number of batches.

    Records of a cell that has several shares get them in the order in which they come; so it counts what has come.

    Args:
        frequency: The counts of the table.
        recoding: What is written.
    """

    def __init__(self, frequency: FrequencySet, recoding: Recoding) -> None:
        self._frequency, self._recoding = frequency, recoding
        self._finder = _Finder(frequency)
        self._seen = np.zeros(len(frequency.counts), np.int64)
        starts = runs(recoding.cells)
        self._starts = starts.astype(np.int32)
        self._many = lengths(starts, len(recoding.cells)) > 1
        self._ends = np.cumsum(recoding.counts)
        self._before = self._ends[starts] - recoding.counts[starts]
        self._numbers = {name: number for number, name in enumerate(frequency.names)}
        self._columns = [_Labels.of(texts) for texts in recoding.texts]

    def apply(self, batch: Any, read: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - any table
        """Write one batch.

        Args:
            batch: A table.
            read: Columns that hold what was counted where the batch's own are spelled otherwise; of those every cell is
                written anew, also where nothing is generalised.

        Raises:
            TableError: If it has records that the counts do not know, or more of some than they know.
        """
        table = open_table(batch)
        if not table.names:
            return batch  # no rows as a list of dicts: there are no names to look for
        shares = self._shares(self._cells(table, read or {}))
        gone = self._recoding.suppressed[shares]
        kept = ~gone if gone.any() else None
        if kept is not None:
            shares = shares[kept]
            if not len(shares) and isinstance(batch, list):
                return []  # of no dicts no columns can be told
        columns = {}
        for name in table.names:
            narrow = table if kept is None else _narrowed(table, name, kept)
            columns[name] = self._written(name, narrow.column(name), shares, anew=name in (read or {}))
        return narrow.rebuild(columns)

    def _written(self, name: str, container: Any, shares: NDArray[np.int32], *, anew: bool) -> Any:  # noqa: ANN401 - any column
        """A column of the output."""
        number = self._numbers.get(name)
        if number is None:
            return container
        if self._recoding.plain[number] and not anew:
            return _with_one_zero(container) if self._frequency.quasi[number].kind is Kind.FLOAT else container
        return self._columns[number].write(container, self._recoding.labels[number][shares])

    def finish(self) -> None:
        """Refuse a table of which records are missing.

        Raises:
            TableError: If fewer came than the counts know.
        """
        missing = int((self._frequency.counts - self._seen).sum())
        if missing:
            raise TableError(
                f"{missing} of {self._frequency.records} records of the plan's table did not come, so that classes may "
                "be too small; apply the plan to the whole table, and throw away what was written"
            )

    def _cells(self, table: Table[Any], read: Mapping[str, Any]) -> NDArray[np.int32]:
        """The cell of each row."""
        cells = self._finder.cells(
            _codes(domain, read[domain.name] if domain.name in read else table.column(domain.name))
            for domain in self._frequency.domains
        )
        unknown = int(np.count_nonzero(cells < 0))
        if unknown:
            raise TableError(_other(unknown, "a combination of values"))
        return cells

    def _shares(self, cells: NDArray[np.int32]) -> NDArray[np.int32]:
        """The share of each row; counts the rows."""
        came = np.bincount(cells, minlength=len(self._seen))
        over = int(np.maximum(self._seen + came - self._frequency.counts, 0).sum())
        if over:
            raise TableError(_other(over, "a combination of values, more often than there,"))
        shares = self._starts[cells]
        rows = np.flatnonzero(self._many[cells])
        if len(rows):
            order = order_of(cells[rows])
            starts = runs(cells[rows][order])
            rank = np.empty(len(rows), np.int64)
            rank[order] = np.arange(len(rows)) - np.repeat(starts, lengths(starts, len(rows)))
            own = cells[rows]
            shares[rows] = np.searchsorted(self._ends, self._before[own] + self._seen[own] + rank, side="right")
        self._seen += came
        return shares


_LIMIT: Final = 1 << 63


@dataclass(frozen=True, eq=False)
class _Labels:
    """The labels of one attribute, ready to be taken."""

    texts: Ragged
    null: NDArray[np.bool_]

    @classmethod
    def of(cls, texts: tuple[str | None, ...]) -> _Labels:
        return cls(Ragged.of_text([text or "" for text in texts]), np.array([text is None for text in texts], bool))

    def write(self, container: Any, labels: NDArray[np.int32]) -> Any:  # noqa: ANN401 - any column
        """A column of labels, in the same family of container."""
        nulls = self.null[labels] if self.null.any() else None
        if nulls is None or not nulls.any():
            return spread(lift(container), self.texts, labels, None)
        return spread(lift(container), self.texts, labels[~nulls], nulls)


def _with_one_zero(container: Any) -> Any:  # noqa: ANN401 - any column
    """A column of floats with 0.0 for -0.0: they were counted as one number, and a reader of their text sees two."""
    column = lift(container)
    values = np.asarray(column.values)
    if not np.signbit(values[values == 0]).any():
        return container
    return column.home.build(Kind.FLOAT, values + 0.0, column.nulls, exact=True)


def _narrowed(table: Table[Any], name: str, kept: NDArray[np.bool_]) -> Table[Any]:
    """One column of the rows that are kept, so that those that are written anew are never all there twice."""
    return open_table(open_table(table.rebuild({name: table.column(name)})).take(kept))


def _codes(domain: Domain, container: Any) -> NDArray[np.int32]:  # noqa: ANN401 - any column
    """A column's codes in a domain."""
    encoder = ColumnEncoder(domain.name)
    given = encoder.add(container)
    own, final = encoder.domain()
    if own.texts and own.kind is not domain.kind:
        raise TableError(
            f"column {domain.name!r} is {own.kind.value}, and was {domain.kind.value}; give the same table"
        )
    known = np.append(domain.codes_of(own), -1)[final].astype(np.int32)
    found: NDArray[np.int32] = known[given]
    if int(known[1:].min(initial=0)) < 0 or (own.null and known[0] < 0):
        raise TableError(_other(int(np.count_nonzero(found < 0)), f"a value in column {domain.name!r}"))
    return found


class _Finder:
    """Finds the cells of rows by their codes: column by column, so that keys never need more than 63 bits.

    After some columns a key is the rank of a combination among those of the cells; a combination that is not there
    has rank -1, and stays so.
    """

    def __init__(self, frequency: FrequencySet) -> None:
        self._steps: list[tuple[int, Lookup | None]] = []
        keys, span = np.zeros(len(frequency.counts), np.int64), 1
        for codes, domain in zip(frequency.codes, frequency.domains, strict=True):
            lookup = None
            if span * domain.size >= _LIMIT:
                known = np.unique(keys)
                lookup, span = Lookup(known), len(known)
                keys = lookup.find(keys).astype(np.int64)
            keys = keys * domain.size + codes
            span *= domain.size
            self._steps.append((domain.size, lookup))
        self._last = Lookup(keys)

    def cells(self, columns: Iterable[NDArray[np.int32]]) -> NDArray[np.int32]:
        """The cell of each row, -1 where there is none."""
        keys: NDArray[np.int64] | None = None
        bad: NDArray[np.bool_] | None = None
        for codes, (size, lookup) in zip(columns, self._steps, strict=True):
            keys = np.zeros(len(codes), np.int64) if keys is None else keys
            if lookup is not None:
                keys = lookup.find(keys).astype(np.int64)
                bad = (keys < 0) if bad is None else bad | (keys < 0)
            keys *= size
            keys += codes
        assert keys is not None  # noqa: S101 - there is at least one quasi-identifier
        found = self._last.find(keys)
        return found if bad is None else np.where(bad, -1, found)


def _other(rows: int, what: str) -> str:
    return f"{rows} rows have {what} that the plan's table has not; fit this table"
