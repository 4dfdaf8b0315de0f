"""What values may be stored as, asked for when a statement is executed, and the candidates of an index.

The keyring may have other versions then than when the statement was made, and a module may keep its statements for
years. So a comparison carries the values, and what they may be stored as is computed as parameters are asked for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, overload

import sqlalchemy as sa
from sqlalchemy import event

from privkit.errors import DecryptionFailed, InvalidValue, PrivkitError
from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.fetching import plain_bytes
from privkit.integrations.sqlalchemy.holders import holders
from privkit.integrations.sqlalchemy.refusals import NotSearchable, passing, unwrapped

if TYPE_CHECKING:
    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms import BlindIndexOf
    from privkit.transforms.form import Row

_moment: object = object()
"""What tells the time of one statement from that of the next: another object for each that is executed."""

_FEWEST: Final = 128
"""Fewer candidates are opened one by one, which takes less than to lay out a column."""


class Candidates(Sequence[Any]):
    """What some values may be stored as, found out once for each statement that is executed.

    Args:
        encrypted: The column's type.
        plains: The values, as they are encrypted; null for null.
    """

    __slots__ = ("_known", "_plains", "encrypted")

    def __init__(self, encrypted: Encrypted, plains: list[Any]) -> None:
        self.encrypted = encrypted
        self._plains = plains
        self._known: tuple[object, list[Any]] = (None, [])

    @property
    def most(self) -> int:
        """How many there are at most, as the keyring stands now."""
        return len(self._plains) * self._each()

    def _each(self) -> int:
        """How many there are for a value at most."""
        return len(self.encrypted.field_key.version_ids)

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
        each, key = slots // len(self._plains), self.encrypted.field_key
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
        return super()._each() + (self.encrypted.mode is not Mode.STRICT)

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self.encrypted.stored.candidates(plain)


class Plaintexts(Candidates):
    """Plaintexts, where the mode reads them."""

    __slots__ = ()

    def _each(self) -> int:
        return 1

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self.encrypted.stored.plain_candidates(plain)


class Search(Candidates):
    """A search for values of an indexed column: the indexes that they may have.

    Args:
        source: The table's own column.
        encrypted: Its type.
        plains: What is looked for; of an index's column, the parts.
        by_part: Whether values that have those parts are looked for.
    """

    __slots__ = ("_by_part", "source")

    def __init__(
        self, source: sa.Column[Any], encrypted: Encrypted, plains: list[Any], *, by_part: bool = False
    ) -> None:
        super().__init__(encrypted, plains)
        self.source = source
        self._by_part = by_part

    def _of(self, plain: Any) -> list[Any]:  # noqa: ANN401 - as above
        return self.encrypted.stored.encrypt.index_candidates(plain)

    def exact(self) -> list[Any]:
        """What names the rows that hold the values; among them null if that is looked for.

        Raises:
            NotSearchable: As `holders`.
        """
        found = holders(self)
        several = len(self.source.table.primary_key) > 1
        return (
            [(None,) * len(self.source.table.primary_key) if several else None, *found]
            if None in self._plains
            else found
        )

    def plain_candidates(self) -> list[Any]:
        """The plaintexts that the values may stand as, where the mode reads them."""
        stored = self.encrypted.stored
        return [one for plain in self._plains if plain is not None for one in stored.plain_candidates(plain)]

    def held(self, sealed: list[Any], names: list[Row] | None = None) -> list[bool]:
        """Which of what is stored holds one of the values; `names` are those of the rows, where it is bound to them."""
        blind = self.encrypted.encrypt.index
        wanted = [plain for plain in self._plains if plain is not None]
        return [any(self._matches(blind, plain, value) for value in wanted) for plain in self._opened(sealed, names)]

    @property
    def is_bound(self) -> bool:
        """Whether values are bound to their rows: then one beside a row is not enough to check it."""
        return self.encrypted.row is not None

    def _opened(self, sealed: list[Any], names: list[Row] | None) -> list[Any]:
        stored = self.encrypted.stored
        try:
            if len(sealed) < _FEWEST:
                return [stored.read(one, row) for one, row in zip(sealed, names or repeat(None), strict=False)]
            return stored.read_many(plain_bytes(sealed), names)
        except (DecryptionFailed, InvalidValue) as error:
            raise error.located(self.encrypted.field_key.name) from None

    def _matches(self, blind: BlindIndexOf | None, plain: Any, value: Any) -> bool:  # noqa: ANN401 - values of the base type
        if blind is None:
            return False
        return blind.wanted(plain) == blind.wanted(value) if self._by_part else blind.matches(plain, value)


@event.listens_for(sa.Engine, "before_execute")
def _before_execute(*_: Any) -> None:  # noqa: ANN401 - nothing of it matters
    """Have keys asked for anew."""
    global _moment  # noqa: PLW0603 - a moment is the same for the whole process
    _moment = object()
