"""Inspecting a table or a file: a proposal for each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns.tables import open_table
from privkit.errors import InvalidParameter, TableError
from privkit.fields.registry import CATALOGUE
from privkit.policy.inspect.draft import draft
from privkit.policy.inspect.look import look_at
from privkit.policy.inspect.proposal import Proposal, propose

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

SAMPLE_ROWS: Final = 10_000
"""Rows that are looked at where nothing else is asked for."""
_TELLING: Final = ("cn_mobile", "cn_resident_id", "email", "bank_card", "ip_address", "imei")
"""Types that no column is named by a value of."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. It holds names of columns, and counts; never a value.

    Attributes:
        subject: What was inspected, for people: the name of a file, or `""`.
        rows: How many rows were looked at.
        proposals: A proposal for each column, in their order.
    """

    subject: str
    rows: int
    proposals: tuple[Proposal, ...]

    def to_toml(self) -> str:
        """A policy to edit: every column with its type, and one view that drops every one of them."""
        return draft(self.subject, self.rows, self.proposals)

    def as_dict(self) -> dict[str, Any]:
        """What was found, for JSON."""
        return {
            "subject": self.subject,
            "rows": self.rows,
            "columns": [proposal.as_dict() for proposal in self.proposals],
        }


def inspect_table(table: Any, *, rows: int = SAMPLE_ROWS, subject: str = "") -> Inspection:  # noqa: ANN401 - any table
    """Propose a type for each column of a table in memory.

    Args:
        table: A list of dicts, a dict of columns, an Arrow table, a pandas or a Polars data frame.
        rows: How many rows to look at, at most; they are taken from all over the table.
        subject: What to call it.

    Raises:
        InvalidParameter: If no rows are to be looked at, or it is no table.
        TableError: If the table is not in shape, or its first row seems to have been taken for names.

    Example:
        >>> from privkit.policy.inspect import inspect_table
        >>> found = inspect_table({"tel": ["13812345678", "13912345678"], "note": ["call first", ""]})
        >>> [(proposal.column, proposal.type.name) for proposal in found.proposals]
        [('tel', 'cn_mobile'), ('note', 'free_text')]
    """
    _positive(rows)
    opened = open_table(table)
    _named_not_by_data(opened.names)
    if opened.rows > rows:
        opened = open_table(opened.take(np.linspace(0, opened.rows - 1, rows).astype(np.intp)))
    columns = {name: opened.column(name) for name in opened.names}
    return _inspected(subject, opened.rows, opened.names, columns)


def inspect_file(
    path: str | os.PathLike[str], *, rows: int = SAMPLE_ROWS, encoding: str = "utf-8", subject: str = ""
) -> Inspection:
    r"""Propose a type for each column of a file, from a sample that is spread over it.

    Args:
        path: A `.csv`, `.tsv` (also `.gz`) or `.parquet` file.
        rows: How many rows to look at, at most.
        encoding: The text encoding of a CSV file.
        subject: What to call it; by default its name.

    Raises:
        InvalidParameter: If no rows are to be looked at, or there is no such encoding.
        TableError: If the file is not what its ending says, or has no line of names.
        OSError: If there is no such file, or no leave to read it.

    Example:
        >>> from privkit.policy.inspect import inspect_file
        >>> path = directory / "people.csv"
        >>> _ = path.write_text("phone,card\n13812345678,6228480402564890018\n13912345678,6222020200112230\n")
        >>> inspect_file(path).proposals[0].type
        <field type cn_mobile>
    """
    from privkit.policy.files import open_source  # noqa: PLC0415 - they stand on an optional library
    from privkit.policy.inspect.sample import sample_of  # noqa: PLC0415 - as above

    _positive(rows)
    with open_source(path, encoding=encoding) as source:
        _named_not_by_data(source.names)
        sample = sample_of(source, rows)
        columns = {name: sample.column(name) for name in sample.column_names}
        return _inspected(subject or source.path.name, sample.num_rows, source.names, columns)


def _inspected(subject: str, rows: int, names: Sequence[str], columns: Mapping[str, Any]) -> Inspection:
    """Propose types; a column that is not among those sampled is nested."""
    looks = (look_at(name, columns.get(name, _Nested(rows))) for name in names)
    return Inspection(subject, rows, tuple(map(propose, looks)))


class _Nested:
    """A column that no transform takes, of which only the length counts."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows


def _positive(rows: int) -> None:
    if rows < 1:
        raise InvalidParameter(f"a sample has one row at least (got {rows})")


def _named_not_by_data(names: Sequence[str]) -> None:
    """Refuse a table without a line of names: its first row would be written down as names of columns."""
    written = [str(name).strip() or "-" for name in names]
    try:
        text = Ragged.of_text(written)
    except UnicodeEncodeError:
        raise TableError("a column's name is no text: it has half of a character; rename it") from None
    bad = np.ones(len(written), np.bool_)
    for name in _TELLING:
        reading = CATALOGUE[name].read(text)
        bad &= reading.bad if reading.bad is not None else np.zeros(len(written), np.bool_)
    if written and not bad.all():
        places = ", ".join(str(place + 1) for place in np.flatnonzero(~bad)[:5].tolist())
        raise TableError(f"the names of columns look like data (column {places}); give the table a line of names first")
