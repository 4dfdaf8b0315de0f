"""Frequency sets: which combinations of quasi-identifiers and sensitive values a table has, and how often.

A search needs nothing else of a table, so that its cost is that of the distinct combinations, and a table larger than
memory can be counted as a stream. Sets of parts merge, and one can be made from a count that another engine took
(`GROUP BY` over the same columns).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.encoding import ColumnEncoder, Domain
from privkit.anonymity.counting.keys import KeyBuilder, combine, counted, runs
from privkit.columns import Kind, lift
from privkit.columns.tables import Table, open_table
from privkit.errors import InvalidParameter, InvalidValue, TableError, WrongType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

_MARK: Final = "privkit/frequency-set/1"
_PENDING: Final = 1 << 21
"""Combinations that wait before they are merged with those before them."""

PART: Final = 1 << 20
"""Rows of a table that are looked at together, where it has parts, so that what is between does not grow with them."""

_WIDEST: Final = 3
"""Columns that are named where there are too many combinations."""

MOST: Final = 50_000_000
"""Distinct combinations beyond which counting stops: some 4 GB for eight quasi-identifiers and a search."""

_MOST_RECORDS: Final = 1 << 53
"""Records beyond which a count is no float any more, and so no share of them is right."""


@dataclass(frozen=True, eq=False)
class FrequencySet:
    """Distinct combinations (cells) of the values of some columns, with how many records have each.

    Cells are in the order of their codes, quasi-identifiers first, so that the cells of one combination of
    quasi-identifiers (a tuple) are neighbours. Whatever the order of the records, the set is the same.

    Attributes:
        quasi: The quasi-identifiers' domains.
        sensitive: The sensitive columns' domains; may be empty.
        codes: `int32` of shape `(columns, cells)`: codes in the domains, quasi-identifiers first.
        counts: `int64` of shape `(cells,)`: records, each at least 1.

    Example:
        >>> from privkit.anonymity import FrequencySet
        >>> table = {"age": [30, 30, 41], "city": ["杭州", "杭州", None], "ill": ["flu", "flu", "flu"]}
        >>> found = FrequencySet.of(table, quasi_identifiers=["age", "city"], sensitive=["ill"])
        >>> found.records, found.counts.tolist()
        (3, [2, 1])
    """

    quasi: tuple[Domain, ...]
    sensitive: tuple[Domain, ...]
    codes: NDArray[np.int32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, table: Any, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = ()) -> FrequencySet:  # noqa: ANN401 - any table
        """Count a table.

        Args:
            table: What `privkit.columns.tables.open_table` takes.
            quasi_identifiers: Names of columns.
            sensitive: Names of columns.

        Raises:
            TableError: If a column is missing.
            InvalidValue: If a number is NaN or infinite.
            InvalidParameter: If a column mixes kinds, or holds bytes.
        """
        try:
            return cls.of_batches(open_table(table).parts(PART), quasi_identifiers, sensitive)
        except InvalidValue:  # it names rows of a part
            return cls.of_batches([table], quasi_identifiers, sensitive)

    @classmethod
    def of_batches(
        cls, batches: Iterable[Any], quasi_identifiers: Sequence[str], sensitive: Sequence[str] = ()
    ) -> FrequencySet:
        """Count a stream of tables, such as the record batches of a Parquet file; as `of`.

        Raises:
            TableError: Also if there are more than `MOST` distinct combinations.
        """
        counter = _Counter(quasi_identifiers, sensitive)
        for batch in batches:
            counter.add(open_table(batch))
        return counter.result()

    @classmethod
    def of_counts(
        cls,
        table: Any,  # noqa: ANN401 - any table
        quasi_identifiers: Sequence[str],
        sensitive: Sequence[str] = (),
        *,
        count: str = "count",
    ) -> FrequencySet:
        """Take a count that another engine took: one row a combination, and a column of whole numbers.

        Args:
            table: The rows; a combination may occur more than once.
            quasi_identifiers: Names of columns.
            sensitive: Names of columns.
            count: The name of the column that says how many records a row stands for.

        Raises:
            TableError: If that column holds something else than whole numbers from 1, or more than 2**53 records.
        """
        opened = open_table(table)
        column = lift(opened.column(count))
        values = column.values
        whole = isinstance(values, np.ndarray) and column.kind is Kind.INTEGER and column.nulls is None
        if not whole or int(np.min(np.asarray(values), initial=1)) < 1:
            raise TableError(f"column {count!r} must hold whole numbers from 1; cast it to an integer type")
        if float(np.sum(np.asarray(values), dtype=np.float64)) > _MOST_RECORDS:
            raise TableError(f"column {count!r} adds up to more than {_MOST_RECORDS:,} records; count the table again")
        counter = _Counter(quasi_identifiers, sensitive)
        counter.add(opened, np.asarray(values, np.int64))
        return counter.result()

    def __repr__(self) -> str:
        return f"<FrequencySet of {self.records} records in {len(self.counts)} cells>"

    @property
    def names(self) -> tuple[str, ...]:
        """The quasi-identifiers' names."""
        return tuple(domain.name for domain in self.quasi)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """All columns' domains."""
        return self.quasi + self.sensitive

    @cached_property
    def records(self) -> int:
        """How many records there are."""
        return int(self.counts.sum())

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """The first cell of each tuple."""
        quasi = self.codes[: len(self.quasi)]
        return runs(combine(list(quasi), [domain.size for domain in self.quasi]))

    @cached_property
    def tuple_of(self) -> NDArray[np.intp]:
        """The tuple of each cell."""
        marks = np.zeros(len(self.counts), np.intp)
        marks[self.starts[1:]] = 1
        return np.cumsum(marks)

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """One number a cell, ascending."""
        return combine(list(self.codes), [domain.size for domain in self.domains])

    def merge(self, other: FrequencySet) -> FrequencySet:
        """The set of both tables' records.

        Raises:
            InvalidParameter: If the columns differ, or their kinds.
            TableError: If there are more than `MOST` distinct combinations.
        """
        mine, theirs = [(d.name for d in s.quasi) for s in (self, other)]
        if list(mine) != list(theirs) or [d.name for d in self.sensitive] != [d.name for d in other.sensitive]:
            raise InvalidParameter("frequency sets of different columns; count both over the same ones in one order")
        domains = [a.merged(b) for a, b in zip(self.quasi, other.quasi, strict=True)]
        domains += [a.merged(b, alike=True) for a, b in zip(self.sensitive, other.sensitive, strict=True)]
        parts = [
            np.stack(
                [domain.codes_of(own)[row] for domain, own, row in zip(domains, part.domains, part.codes, strict=True)]
            )
            for part in (self, other)
        ]
        counts = np.concatenate([self.counts, other.counts])
        return _ordered(domains, len(self.quasi), np.concatenate(parts, axis=1), counts)

    def save(self, path: str | Path) -> None:
        """Write it to a file. It holds values of the data in the clear: keep it as you keep the table."""
        domains = [[d.name, d.kind.value, list(d.texts), d.null] for d in self.domains]
        head = json.dumps({"format": _MARK, "quasi": len(self.quasi), "domains": domains})
        with Path(path).open("wb") as file:
            np.savez_compressed(file, head=np.frombuffer(head.encode(), np.uint8), codes=self.codes, counts=self.counts)

    @classmethod
    def load(cls, path: str | Path) -> FrequencySet:
        """Read what `save` wrote.

        Raises:
            TableError: If the file is something else.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                head = json.loads(file["head"].tobytes())
                codes, counts = file["codes"], file["counts"]
            known = head["format"] == _MARK
            domains = [
                Domain(name, Kind(kind), tuple(texts), bool(null)) for name, kind, texts, null in head["domains"]
            ]
            quasi = int(head["quasi"])
        except (ValueError, KeyError, TypeError, EOFError) as error:
            raise TableError(f"no frequency set that privkit wrote: {type(error).__name__}") from None
        sizes = np.array([[domain.size] for domain in domains])
        if not known or codes.shape != (len(domains), len(counts)) or (codes >= sizes).any() or (codes < 0).any():
            raise TableError("no frequency set that this privkit reads; count the table again")
        found = cls(tuple(domains[:quasi]), tuple(domains[quasi:]), codes.astype(np.int32), counts.astype(np.int64))
        if not found.quasi or (found.counts < 1).any() or (np.diff(found.keys) <= 0).any():
            raise TableError("a damaged frequency set: its cells are not distinct and in order; count the table again")
        return found


class _Counter:
    """Counts batches: codes by column, keys, distinct keys; and merges what it counted when much is waiting."""

    def __init__(self, quasi_identifiers: Sequence[str], sensitive: Sequence[str]) -> None:
        if isinstance(quasi_identifiers, str) or isinstance(sensitive, str):
            raise WrongType("the names of columns are one text; pass a list of names")
        names = [*quasi_identifiers, *sensitive]
        if not quasi_identifiers or len(set(names)) < len(names):
            raise InvalidParameter("no quasi-identifiers, or a column named twice; name each column once")
        self._quasi = len(quasi_identifiers)
        self._encoders = [ColumnEncoder(name) for name in quasi_identifiers]
        self._encoders += [ColumnEncoder(name, alike=True) for name in sensitive]
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
        self._waiting = 0

    def add(self, table: Table[Any], weights: NDArray[np.int64] | None = None) -> None:
        if not table.names:
            return  # no rows as a list of dicts: there are no names to look for
        builder = KeyBuilder()
        for encoder in self._encoders:
            codes = encoder.add(table.column(encoder.name))
            builder.add(codes, len(encoder))
        if builder.keys is None or not len(builder.keys):
            return
        keys, counts = counted(builder.keys, weights)
        self._parts.append((builder.split(keys), counts))
        self._waiting += len(keys)
        if self._waiting > _PENDING + len(self._parts[0][1]):
            self._settle()

    def result(self) -> FrequencySet:
        self._settle()
        found = [encoder.domain() for encoder in self._encoders]
        domains = [domain for domain, _ in found]
        codes, counts = (
            self._parts[0] if self._parts else (np.zeros((len(domains), 0), np.int32), np.zeros(0, np.int64))
        )
        final = np.stack([remap[row] for (_, remap), row in zip(found, codes, strict=True)])
        return _ordered(domains, self._quasi, final, counts)

    def _settle(self) -> None:
        """Merge what waits."""
        if len(self._parts) > 1:
            builder = KeyBuilder()
            for number, encoder in enumerate(self._encoders):
                builder.add(np.concatenate([codes[number] for codes, _ in self._parts]), len(encoder))
            assert builder.keys is not None  # noqa: S101 - there are columns
            keys, counts = counted(builder.keys, np.concatenate([part for _, part in self._parts]))
            self._parts = [(builder.split(keys), counts)]
        self._waiting = 0
        cells = len(self._parts[0][1]) if self._parts else 0
        _refuse_too_many(cells, {encoder.name: len(encoder) - 1 for encoder in self._encoders})


def _refuse_too_many(cells: int, values: Mapping[str, int]) -> None:
    """Refuse more cells than a search has room for, and offer what to coarsen: the columns of most values."""
    if cells <= MOST:
        return
    widest = sorted(values, key=lambda name: -values[name])[:_WIDEST]
    shown = ", ".join(f"{name!r} has {values[name]:,}" for name in widest)
    raise TableError(
        f"more than {MOST:,} distinct combinations; coarsen first (a year for a date, four digits of a postcode), or "
        f"leave out the columns of most values: {shown}"
    )


def _ordered(domains: Sequence[Domain], quasi: int, codes: NDArray[Any], counts: NDArray[np.int64]) -> FrequencySet:
    """A set whose cells are distinct and in order."""
    if not codes.shape[1]:
        return FrequencySet(tuple(domains[:quasi]), tuple(domains[quasi:]), codes.astype(np.int32), counts)
    builder = KeyBuilder()
    for row, domain in zip(codes, domains, strict=True):
        builder.add(row, domain.size)
    assert builder.keys is not None  # noqa: S101 - there are columns
    keys, totals = counted(builder.keys, counts)
    _refuse_too_many(len(keys), {domain.name: domain.size for domain in domains})
    return FrequencySet(tuple(domains[:quasi]), tuple(domains[quasi:]), builder.split(keys), totals)
