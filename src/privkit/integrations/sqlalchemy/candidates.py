"""What values may be stored as, asked for when a statement is executed, and the candidates of an index.

The keyring may have other versions then than when the statement was made, and a module may keep its statements for
years. So a comparison carries the values, and what they may be stored as is computed as parameters are asked for.
"""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Sequence
from contextvars import ContextVar
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, overload

import sqlalchemy as sa
from sqlalchemy import event

from privkit.errors import DecryptionFailed, PrivkitError
from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.binding import key_of, name_row
from privkit.integrations.sqlalchemy.fetching import plain_bytes
from privkit.integrations.sqlalchemy.refusals import NotSearchable, passing, unwrapped

if TYPE_CHECKING:
    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms import BlindIndexOf
    from privkit.transforms.form import Row

_connection: ContextVar[tuple[weakref.ref[sa.Connection], Any] | None] = ContextVar("privkit_connection", default=None)
"""Where the statement is executed whose parameters are asked for, and the schemas that it puts for others."""

_moment: object = object()
"""What tells the time of one statement from that of the next: another object for each that is executed."""

_WANTED: Final = "privkit_wanted"
_SCHEMAS: Final = "schema_translate_map"
_FEWEST: Final = 128
"""Fewer candidates are opened one by one, which takes less than to lay out a column."""


class Candidates(Sequence[Any]):
    """What some values may be stored as, found out once for each statement that is executed.

    Args:
        encrypted: The column's type.
        plains: The values, as they are encrypted; null for null.
    """

    __slots__ = ("_encrypted", "_known", "_plains")

    def __init__(self, encrypted: Encrypted, plains: list[Any]) -> None:
        self._encrypted = encrypted
        self._plains = plains
        self._known: tuple[object, list[Any]] = (None, [])

    @property
    def most(self) -> int:
        """How many there are at most, as the keyring stands now."""
        return len(self._plains) * self._each()

    def _each(self) -> int:
        """How many there are for a value at most."""
        return len(self._encrypted.field_key.version_ids)

    @abstractmethod
    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - a value as it is encrypted
        """What one value may be stored as."""

    def _by_value(self) -> list[list[Any]]:
        """What each value may be stored as, and null for null."""
        return [[None] if plain is None else self._of(plain) for plain in self._plains]

    def found(self) -> list[Any]:
        """All of them."""
        then, found = self._known
        if then is not _moment:
            now = _moment
            try:
                found = [one for several in self._by_value() for one in several]
            except PrivkitError as error:
                raise passing(error) from None
            self._known = now, found
        return found

    def within(self, slots: int) -> list[Any]:
        """Those that a statement has parameters for, which may be from before the keyring got its newest version.

        What is looked up stands on the stable version. Of a version that was added since, and is not that, there was
        nothing to find when the statement began, and it is left out.

        Raises:
            NotSearchable: If more than that has happened in between.
        """
        found = self.found()
        if len(found) <= slots:
            return found
        each, key = slots // len(self._plains), self._encrypted.field_key
        several = self._by_value()
        if key.version_ids[0] == key.stable_id or any(len(one) > each + 1 for one in several):
            with unwrapped():
                raise NotSearchable("the keyring got versions while a statement was executed; execute it again")
        # Of each value the stable version's comes first, and then the newest one's.
        return [it for one in several for it in (one if len(one) <= each else [one[0], *one[2:]])]

    def __len__(self) -> int:
        return len(self.found())

    @overload
    def __getitem__(self, at: int) -> Any: ...  # noqa: ANN401 - bytes, or text
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return self.found()[at]

    def __repr__(self) -> str:
        return "<what values may be stored as>"


class Ciphertexts(Candidates):
    """Of a deterministic column: ciphertexts under each version that reads, and plaintexts where the mode has them."""

    __slots__ = ()

    def _each(self) -> int:
        return super()._each() + (self._encrypted.mode is not Mode.STRICT)

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self._encrypted.stored.candidates(plain)


class Plaintexts(Candidates):
    """Plaintexts, where the mode reads them."""

    __slots__ = ()

    def _each(self) -> int:
        return 1

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self._encrypted.stored.plain_candidates(plain)


class Search(Candidates):
    """A search for values of an indexed column: the indexes that they may have.

    Args:
        source: The table's own column.
        encrypted: Its type.
        plains: What is looked for; of an index's column, the parts.
        by_part: Whether values that have those parts are looked for.
    """

    __slots__ = ("_by_part", "_source")

    def __init__(
        self, source: sa.Column[Any], encrypted: Encrypted, plains: list[Any], *, by_part: bool = False
    ) -> None:
        super().__init__(encrypted, plains)
        self._source = source
        self._by_part = by_part

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self._encrypted.stored.encrypt.index_candidates(plain)

    def exact(self) -> list[Any]:
        """The ciphertexts that hold the values: their candidates are read where the statement is executed."""
        known = _connection.get()
        connection = None if known is None else known[0]()
        with unwrapped():
            if known is None or connection is None:
                raise NotSearchable(
                    f"the column of {self._encrypted.field_key.name!r} is compared where no candidates can be read; "
                    "execute the statement on a connection, and not as a string"
                )
            found = self._find(connection, {_SCHEMAS: known[1]} if known[1] else {})
            _connection.set(known)  # the statement proper is still to come
            if found or not self._plains:
                return found
            return ["" if self._encrypted.text else b""]  # no ciphertext, yet of null neither equal nor different

    def _find(self, connection: sa.Connection, options: dict[str, Any]) -> list[Any]:
        """Read the candidates, and keep those that hold the values."""
        key = None if self._encrypted.row is None else key_of(self._source)
        wanted = [index for index in self.found() if index is not None]
        found = connection.execute(self._statement(key), {_WANTED: wanted}, execution_options=options).all()
        encrypt = self._encrypted.encrypt
        if self._encrypted.mode is not Mode.STRICT:  # a plaintext's characters may happen to be the index
            found = [row for row in found if encrypt.has_form(row[0])]
        names = None if key is None else [name_row(key, row[1]) for row in found]
        sealed = [row[0] for row in found]
        exact: list[Any] = [None] if None in self._plains else []
        return exact + [one for one, held in zip(sealed, self.held(sealed, names), strict=True) if held]

    def held(self, sealed: list[Any], names: list[Row] | None = None) -> list[bool]:
        """Which of what is stored holds one of the values; `names` are those of the rows, where it is bound to them."""
        blind = self._encrypted.encrypt.index
        wanted = [plain for plain in self._plains if plain is not None]
        return [any(self._matches(blind, plain, value) for value in wanted) for plain in self._opened(sealed, names)]

    @property
    def is_checkable(self) -> bool:
        """Whether a stored value beside a row is enough to check it: not of one that is bound to its row."""
        return self._encrypted.row is None

    def _statement(self, key: sa.Column[Any] | None) -> sa.Select[Any]:
        """The query of candidates, made once for a column: most of a short query's time goes into making it."""
        source, known = self._source.info.get(_WANTED, (None, None))
        if source is not self._source:  # a copy of a column has a copy of what is known of it
            raw = self._encrypted.raw_type
            index = sa.type_coerce(self._source.table.c[str(self._encrypted.index)], raw)
            chosen = sa.select(sa.type_coerce(self._source, raw), sa.null() if key is None else key)
            known = chosen.where(index.in_(sa.bindparam(_WANTED, expanding=True, type_=raw)))
            self._source.info[_WANTED] = self._source, known
        statement: sa.Select[Any] = known
        return statement

    def _opened(self, sealed: list[Any], names: list[Row] | None) -> list[Any]:
        stored = self._encrypted.stored
        try:
            if len(sealed) < _FEWEST:
                return [stored.read(one, row) for one, row in zip(sealed, names or repeat(None), strict=False)]
            return stored.read_many(plain_bytes(sealed), names)
        except DecryptionFailed as error:
            raise error.located(self._encrypted.field_key.name) from None

    def _matches(self, blind: BlindIndexOf | None, plain: Any, value: Any) -> bool:  # noqa: ANN401 - values of the base type
        if blind is None:
            return False
        return blind.wanted(plain) == blind.wanted(value) if self._by_part else blind.matches(plain, value)


@event.listens_for(sa.Engine, "before_execute")
def _before_execute(
    connection: sa.Connection,
    statement: Any,  # noqa: ANN401, ARG001 - as SQLAlchemy calls it
    multiparams: Any,  # noqa: ANN401, ARG001 - as above
    params: Any,  # noqa: ANN401, ARG001 - as above
    execution_options: Any,  # noqa: ANN401 - as above
) -> None:
    """Have keys asked for anew, and say where candidates are read."""
    global _moment  # noqa: PLW0603 - a moment is the same for the whole process
    _moment = object()
    _connection.set((weakref.ref(connection), execution_options.get(_SCHEMAS)))


@event.listens_for(sa.Engine, "after_execute")
def _after_execute(*_: Any) -> None:  # noqa: ANN401 - nothing of it matters
    """Read no candidates for a statement that is only looked at."""
    _connection.set(None)
