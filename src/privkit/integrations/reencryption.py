"""The job that brings a column into the form that its mode writes now: encrypts it, re-keys it, or decrypts it again.

It goes through the rows by their primary key, batch by batch, opens and seals each batch as one column, and replaces a
value only where the one it has read still stands there (compare-and-set). So a concurrent write wins, since what the
application writes is in the right form already; a job that was killed is started again, from the last position or from
the beginning; and a second run finds nothing to do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit.integrations.lifecycle import StoredForm
    from privkit.transforms.form import Row

Position = tuple[Any, ...]
"""The primary key of a row."""
Change = tuple[Position, Any, Any]
"""A row's primary key, the value that was read there, and the one to put in its place."""


class Rows(Protocol):
    """One column of a table, as a database library reads and writes it."""

    def read(self, after: Position | None, limit: int) -> Sequence[tuple[Position, Any]]:
        """The next rows after a position, in the order of the primary key, with what is stored; nulls may be left out.

        It must read what was committed last, and hold no transaction open when it returns.
        """

    def replace(self, changes: Sequence[Change]) -> int:
        """Replace stored values where the old one still stands, commit, and say how many were replaced."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come.

    Attributes:
        rows: Rows read.
        outdated: Values that were not in the form that is written now.
        replaced: Values that were replaced; 0 in a dry run.
        overtaken: Values that somebody else had written meanwhile, and that were left to them.
        position: The primary key of the last row that is done, to resume after; `None` before the first.
    """

    rows: int = 0
    outdated: int = 0
    replaced: int = 0
    overtaken: int = 0
    position: Position | None = None


def reencrypt(
    rows: Rows,
    stored: StoredForm,
    *,
    batch: int = 2_000,
    after: Position | None = None,
    dry_run: bool = False,
    pause: float = 0.0,
    on_progress: Callable[[Progress], None] | None = None,
    row_of: Callable[[Position], Row] | None = None,
) -> Progress:
    """Bring a column into the form that its mode writes now, under the key version that writes now.

    Args:
        rows: The column's rows.
        stored: How its values stand in the database; its mode says what the job does.
        batch: How many rows are read, converted and committed at a time.
        after: The position to resume after.
        dry_run: Whether to convert without writing: it counts, and fails where the job would fail.
        pause: Seconds to wait after each batch that changed something, to leave the database to others.
        on_progress: Called after each batch.
        row_of: What names the row of a position, where the column is bound to its rows.

    Returns:
        What was done.

    Raises:
        DecryptionFailed: If stored values do not open; `rows` counts from the first row this call has read. What
            earlier batches did stays done.
        InvalidValue: If plaintexts are none of the column's type; `rows` as above.
        InvalidParameter: If the batch is empty or the pause negative.

    Example:
        >>> from privkit.integrations.lifecycle import StoredForm
        >>> from privkit.integrations.reencryption import reencrypt
        >>> class Memory(dict):
        ...     def read(self, after, limit):
        ...         return [((key,), self[key]) for key in sorted(self) if not after or key > after[0]][:limit]
        ...     def replace(self, changes):
        ...         return sum(self.update({key: new}) is None for (key,), old, new in changes if self[key] == old)
        >>> note = Encrypt(Keyring.create(directory / "k.json")["user.note"], text=True)
        >>> reencrypt(Memory({1: "a", 2: None, 3: "b"}), StoredForm(note, "dual"), batch=2).replaced
        2
    """
    if batch < 1 or pause < 0:
        raise InvalidParameter("a batch has at least one row, and a pause no less than 0 seconds")
    done = Progress(position=after)
    while True:
        read = rows.read(done.position, batch)
        if not read:
            return done
        changes = _changes(read, stored, row_of, first=done.rows)
        replaced = rows.replace(changes) if changes and not dry_run else 0
        done = replace(
            done,
            rows=done.rows + len(read),
            outdated=done.outdated + len(changes),
            replaced=done.replaced + replaced,
            overtaken=done.overtaken + (0 if dry_run else len(changes) - replaced),
            position=read[-1][0],
        )
        if on_progress is not None:
            on_progress(done)
        if len(read) < batch:
            return done
        if replaced and pause:
            time.sleep(pause)


def _changes(
    read: Sequence[tuple[Position, Any]],
    stored: StoredForm,
    row_of: Callable[[Position], Row] | None,
    *,
    first: int,
) -> list[Change]:
    """What is to be replaced in a batch whose first row has the given number."""
    old = [value for _, value in read]
    try:
        new = stored.convert(old, None if row_of is None else [row_of(position) for position, _ in read])
    except (DecryptionFailed, InvalidValue) as error:
        raise error.located("", first) from None
    return [
        (position, before, after)
        for (position, before), after in zip(read, new, strict=True)
        if before is not None and before != after
    ]
