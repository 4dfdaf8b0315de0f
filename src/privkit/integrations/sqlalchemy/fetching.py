"""Results are decrypted as columns: rows that are fetched together are opened together.

A type of SQLAlchemy sees one value at a time, and a single AES-SIV costs more than a plain row as a whole. So between
the driver's cursor and the result stands a fetch strategy of ours: it takes what the cursor gives at once apart into
columns, opens those that are encrypted, and puts the rows together again. The result then has nothing left to process
in those columns. Few rows are opened value by value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from itertools import islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.cursor import CursorFetchStrategy, CursorResult, CursorResultMetaData, ResultFetchStrategy

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, PrivkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.engine.interfaces import DBAPICursor

    from privkit.transforms.form import Row

WHOLE: Final = "privkit_whole"
"""The execution option of queries without processors: by place in a row, what opens the encrypted columns."""

CHECKS: Final = "privkit_checks"
"""The attribute of a compiled SELECT whose rows are checked as they are fetched; see `checked`."""

_FEWEST: Final = 128
"""Fewer rows are opened value by value: laying out a column costs as much as some hundred values."""
_MOST_AHEAD: Final = 1_000
"""Rows read ahead at most where a result is gone through row by row: as many as SQLAlchemy itself reads ahead."""


class Opener(ABC):
    """Opens the values of an encrypted column; `one` is the result processor of its type."""

    __slots__ = ()

    @abstractmethod
    def one(self, stored: Any, row: Row | None = None) -> Any:  # noqa: ANN401 - whatever is stored
        """The value of what is stored, in the row of that name where the column is bound to rows."""

    @abstractmethod
    def many(self, stored: list[Any], rows: Sequence[Row | None] | None = None) -> list[Any]:
        """The values of what is stored, all together."""

    def naming(self, result: CursorResult[Any], place: int) -> Naming | None:  # noqa: ARG002 - for those that are bound
        """What names the rows of a result for the column at a place; `None` where that is not needed, or not known."""
        return None


@dataclass(frozen=True, slots=True)
class KeyPart:
    """Where one column of the primary key of a result's rows is found.

    Attributes:
        place: Its place in a row; `None` where all rows have the same value.
        value: The value that all rows have.
        process: What makes a value of what the cursor gives, where something does.
    """

    place: int | None
    value: Any = None
    process: Callable[[Any], Any] | None = None

    def of(self, row: Sequence[Any]) -> Any:  # noqa: ANN401 - a value of the key
        """The value in one row."""
        if self.place is None:
            return self.value
        return row[self.place] if self.process is None else self.process(row[self.place])

    def of_all(self, columns: list[Any]) -> Iterable[Any]:
        """The values in rows that are taken apart into columns; without an end where all are the same."""
        if self.place is None:
            return repeat(self.value)
        return columns[self.place] if self.process is None else map(self.process, columns[self.place])


@dataclass(frozen=True, slots=True)
class Naming:
    """What names the rows of a result, for columns that are bound to them; null where an outer join found no row.

    Attributes:
        name: The name of the row of a primary key.
        parts: Where the key's columns are found.
    """

    name: Callable[[Sequence[Any]], Row]
    parts: tuple[KeyPart, ...]

    def of(self, row: Sequence[Any]) -> Row | None:
        """The name of one row."""
        return self._name_of([part.of(row) for part in self.parts])

    def of_all(self, columns: list[Any], count: int) -> list[Row | None]:
        """The names of rows that are taken apart into columns."""
        keys = zip(*(part.of_all(columns) for part in self.parts), strict=False)
        return [self._name_of(key) for key in islice(keys, count)]

    def _name_of(self, key: Sequence[Any]) -> Row | None:
        return None if any(part is None for part in key) else self.name(key)


class Through(ResultFetchStrategy, ABC):
    """Fetches rows by another strategy, and makes something of them.

    Args:
        inner: What fetches them.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: ResultFetchStrategy) -> None:
        self._inner = inner

    def yield_per(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, num: int) -> None:
        """Read in parts of a size."""
        own = result.cursor_strategy
        self._inner.yield_per(result, dbapi_cursor, num)
        if result.cursor_strategy is not own:  # it has put another in the place of all
            self._inner, result.cursor_strategy = result.cursor_strategy, own

    def soft_close(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor | None) -> None:
        """Let go of the cursor."""
        self._inner.soft_close(result, dbapi_cursor)

    def hard_close(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor | None) -> None:
        """Let go of the cursor, and of rows read ahead."""
        self._inner.hard_close(result, dbapi_cursor)

    def handle_exception(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor | None, err: BaseException) -> Any:  # noqa: ANN401 - it never returns
        """Raise the driver's error as SQLAlchemy's."""
        return self._inner.handle_exception(result, dbapi_cursor, err)

    def _guarded(self, result: CursorResult[Any], fetch: Callable[..., Sequence[Any]], *args: Any) -> Any:  # noqa: ANN401 - a list, or what the driver gives
        """What is made of rows; where that fails nothing more is read, and an open cursor would hold locks.

        They are fetched in here so that nobody else holds them: `_made` lets go of one after the other.
        """
        try:
            return self._made(fetch(*args))
        except PrivkitError:
            result.close()
            raise

    @abstractmethod
    def _made(self, rows: Sequence[Any]) -> Sequence[Any]:
        """What is made of rows."""


class Opening(Through):
    """Fetches rows by another strategy, and opens their encrypted columns.

    Args:
        inner: What fetches them.
        places: By their places in a row, what opens the encrypted columns.
        namings: By the same places, what names the rows, where that is needed.
        whole: Whether even few rows are opened together.
    """

    __slots__ = ("_ahead", "_buffer", "_namings", "_places", "_read", "_whole")

    def __init__(
        self,
        inner: ResultFetchStrategy,
        places: dict[int, Opener],
        namings: Mapping[int, Naming | None],
        *,
        whole: bool = False,
    ) -> None:
        super().__init__(inner)
        self._places = places
        self._namings = namings
        self._whole = whole
        self._buffer: deque[Any] = deque()
        self._ahead = 1
        self._read = 0

    def fetchone(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, hard_close: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - SQLAlchemy's own signature
        """The next row; after the first few, rows are read ahead where they come straight from the cursor."""
        if self._buffer:
            return self._buffer.popleft()
        if self._ahead < _FEWEST or type(self._inner) is not CursorFetchStrategy:
            self._ahead *= 2
            row = self._inner.fetchone(result, dbapi_cursor, hard_close)
            return None if row is None else self._guarded(result, list, (row,))[0]
        rows = self._inner.fetchmany(result, dbapi_cursor, self._ahead)
        self._ahead = min(2 * self._ahead, _MOST_AHEAD)
        if not rows:
            result._soft_close(hard=hard_close)  # noqa: SLF001 - as every strategy does
            return None
        self._buffer.extend(self._guarded(result, list, rows))
        return self._buffer.popleft()

    def fetchmany(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, size: int | None = None) -> Any:  # noqa: ANN401 - as above
        """The next rows, those read ahead first."""
        if not self._buffer:
            return self._guarded(result, self._inner.fetchmany, result, dbapi_cursor, size)
        wanted = len(self._buffer) if size is None else size
        rows = [self._buffer.popleft() for _ in range(min(wanted, len(self._buffer)))]
        if len(rows) < wanted:
            rows += self._guarded(result, self._inner.fetchmany, result, dbapi_cursor, wanted - len(rows))
        return rows

    def fetchall(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor) -> Any:  # noqa: ANN401 - as above
        """All rows that are left."""
        ahead = list(self._buffer)
        self._buffer.clear()
        rows = self._guarded(result, self._inner.fetchall, result, dbapi_cursor)
        return ahead + rows if ahead else rows

    def yield_per(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor, num: int) -> None:
        """Read in parts of a size, and open each as one."""
        if not self._buffer:
            super().yield_per(result, dbapi_cursor, num)

    def hard_close(self, result: CursorResult[Any], dbapi_cursor: DBAPICursor | None) -> None:
        """Let go of the cursor, and of rows read ahead."""
        self._buffer.clear()
        super().hard_close(result, dbapi_cursor)

    def _made(self, rows: Sequence[Any]) -> list[Any]:
        if len(rows) >= _FEWEST or (rows and self._whole):
            return self._made_by(_opened_column, rows)
        try:
            made = [self._opened_row(row) for row in rows]
        except (DecryptionFailed, InvalidValue):
            return self._made_by(_opened_one_by_one, rows)  # which says all rows that fail
        self._read += len(rows)
        return made

    def _made_by(self, opened: Callable[..., list[Any]], rows: Sequence[Any]) -> list[Any]:
        """What is made of rows column by column."""
        rows = list(rows)
        columns: list[Any] = [list(map(itemgetter(place), rows)) for place in range(len(rows[0]))]
        first, count = self._read, len(rows)
        self._read += count
        namings = [(place, naming) for place, naming in self._namings.items() if naming is not None]
        names = {place: naming.of_all(columns, count) for place, naming in namings}
        for place, opener in self._places.items():
            columns[place] = opened(opener, plain_bytes(columns[place]), names.get(place), first)
        for at, row in enumerate(zip(*columns, strict=True)):
            rows[at] = row  # one goes for each that is made: to the collector of cycles, nothing has been made
        return rows

    def _opened_row(self, row: Any) -> tuple[Any, ...]:  # noqa: ANN401 - whatever the driver's rows are
        values = list(row)
        for place, opener in self._places.items():
            naming = self._namings[place]
            values[place] = opener.one(row[place], None if naming is None else naming.of(row))
        return tuple(values)


def _opened_column(opener: Opener, stored: list[Any], rows: Sequence[Row | None] | None, first: int) -> list[Any]:
    try:
        return opener.many(stored, rows)
    except (DecryptionFailed, InvalidValue) as error:
        raise error.located(error.column, first) from None
    except InvalidParameter:  # of several types, which no column is
        return _opened_one_by_one(opener, stored, rows, first)


def _opened_one_by_one(opener: Opener, stored: list[Any], rows: Sequence[Row | None] | None, first: int) -> list[Any]:
    opened, failed, failure = [], [], None
    for at, (one, row) in enumerate(zip(stored, rows or repeat(None), strict=False), first):
        try:
            opened.append(opener.one(one, row))
        except (DecryptionFailed, InvalidValue) as error:
            failed.append(at)
            failure = failure or error
    if isinstance(failure, DecryptionFailed):
        raise DecryptionFailed(failed, column=failure.column)
    if failure is not None:
        raise InvalidValue(failure.reason, field_type=failure.field_type, rows=failed, column=failure.column)
    return opened


def plain_bytes(values: Sequence[Any]) -> list[Any]:
    """What is stored, as `bytes` where the driver has a type of its own for that."""
    if not any(issubclass(kind, bytearray | memoryview) for kind in set(map(type, values))):
        return list(values)
    return [bytes(value) if isinstance(value, bytearray | memoryview) else value for value in values]


@event.listens_for(sa.Engine, "after_execute")
def _after_execute(  # noqa: PLR0917 - as SQLAlchemy calls it
    connection: sa.Connection,  # noqa: ARG001 - as above
    statement: Any,  # noqa: ANN401, ARG001 - as above
    multiparams: Any,  # noqa: ANN401, ARG001 - as above
    params: Any,  # noqa: ANN401, ARG001 - as above
    execution_options: Any,  # noqa: ANN401 - as above
    result: Any,  # noqa: ANN401 - a result of any kind
) -> None:
    """Put the strategy into results that have encrypted columns."""
    metadata = getattr(result, "_metadata", None)
    if not isinstance(result, CursorResult) or not isinstance(metadata, CursorResultMetaData):
        return
    checks = getattr(result.context.compiled, CHECKS, None)
    if checks is not None:
        result.cursor_strategy = checks.strategy(result)
        own = _own_metadata(result)
        own._keys, own._processors = list(own._keys)[: checks.width], list(own._processors)[: checks.width]  # noqa: SLF001 - there is no other way to leave out what stands beside the rows
    _open_here(result, execution_options.get(WHOLE))


def _open_here(result: CursorResult[Any], whole: dict[int, Opener] | None) -> None:
    """Have the strategy do what the processors of encrypted columns would."""
    metadata: Any = result._metadata  # noqa: SLF001 - there is no other way to see which columns are encrypted
    processors = metadata._processors  # noqa: SLF001 - as above
    own = {
        place: owner
        for place, each in enumerate(processors)
        if each is not None and isinstance(owner := getattr(each, "__self__", None), Opener)
    }
    places = {**whole, **own} if whole else own
    if not places:
        return
    namings = {place: opener.naming(result, place) for place, opener in places.items()}
    if own:
        rest = [None if at in own else one for at, one in enumerate(processors)]
        _own_metadata(result)._processors = rest  # noqa: SLF001 - as above
    result.cursor_strategy = Opening(result.cursor_strategy, places, namings, whole=bool(whole))


def _own_metadata(result: CursorResult[Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's
    """What a result knows of its columns, to be changed: where all who run the statement share it, a copy."""
    shared: Any = result._metadata  # noqa: SLF001 - as above
    result._reset_memoizations()  # noqa: SLF001 - as SQLAlchemy does where it changes processors
    if shared is not result.context.compiled._cached_metadata:  # type: ignore[union-attr] # it has columns # noqa: SLF001 - as above
        return shared
    own: Any = CursorResultMetaData.__new__(CursorResultMetaData)
    for name in CursorResultMetaData.__slots__:
        setattr(own, name, getattr(shared, name))
    result._metadata = own  # noqa: SLF001 - as above
    return own
