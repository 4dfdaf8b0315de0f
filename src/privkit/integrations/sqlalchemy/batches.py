"""Text of many rows is encrypted as columns on its way into the database, where a type sees one value at a time.

The value travels with its ciphertext: it stays the text that it was for whoever looks at the parameters on the way,
such as a default that is made from another value, and the type takes the ciphertext in its place. Whatever is refused,
and whatever is no text, comes to the type as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from privkit.errors import PrivkitError
from privkit.integrations.lifecycle import Mode
from privkit.integrations.sqlalchemy.writing import SEALED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from privkit.integrations.sqlalchemy.encrypted import Encrypted
    from privkit.transforms import Encrypt

_FEWEST: Final = 128
"""Fewer rows are encrypted value by value: laying out a column costs as much as some hundred values."""


class SealedText(str):
    """A text on its way to the type of its column, with its ciphertext."""

    __slots__ = ("_encrypt", "_sealed")
    _encrypt: Encrypt
    _sealed: Any

    @classmethod
    def of(cls, value: str, sealed: bytes | str, encrypt: Encrypt) -> SealedText:
        """A text, what stands for it, and what has made that."""
        text = cls(value)
        text._encrypt, text._sealed = encrypt, sealed
        return text

    def take(self, encrypt: Encrypt) -> Any:  # noqa: ANN401 - bytes, or text; none but the first time
        """The ciphertext, if that transform has made it, and once only: written twice it would show what is equal."""
        if self._encrypt is not encrypt:
            return None
        sealed, self._sealed = self._sealed, None
        return sealed


@event.listens_for(sa.Engine, "before_execute", retval=True)
def _before_execute(
    connection: sa.Connection,  # noqa: ARG001 - as SQLAlchemy calls it
    statement: Any,  # noqa: ANN401 - whatever can be executed
    multiparams: Any,  # noqa: ANN401 - as above
    params: Any,  # noqa: ANN401 - as above
    execution_options: Any,  # noqa: ANN401 - as above
) -> tuple[Any, Any, Any]:
    """Put the ciphertexts beside the texts of many rows."""
    if len(multiparams) >= _FEWEST and isinstance(statement, sa.Insert | sa.Update):
        columns = {} if execution_options.get(SEALED) else dict(_columns(statement.table, multiparams[0]))
        if columns:
            multiparams = [dict(values) for values in multiparams]  # they are the caller's
        for name, encrypted in columns.items():
            _seal(multiparams, name, encrypted)
    return statement, multiparams, params


def _columns(table: Any, names: Any) -> Iterator[tuple[str, Encrypted]]:  # noqa: ANN401 - whatever is written to
    """The columns among some whose ciphertexts depend on nothing but the value."""
    for column in getattr(table, "c", ()):
        kind: Any = column.type
        if column.key in names and hasattr(kind, "stored") and kind.row is None and kind.mode is not Mode.PLAINTEXT_OK:
            yield column.key, kind


def _seal(sets: list[dict[str, Any]], name: str, encrypted: Encrypted) -> None:
    """Put the ciphertexts of a column beside its texts; where one is refused, beside none, and the type says why."""
    places = [place for place, values in enumerate(sets) if type(values.get(name)) is str]
    try:
        encrypt = encrypted.stored.encrypt
        plains = [encrypted.to_plain(sets[place][name]) for place in places]
        if set(map(type, plains)) != {str}:
            return
        sealed = encrypt.protect_many(plains)
    except PrivkitError:
        return
    for place, one in zip(places, sealed, strict=True):
        sets[place][name] = SealedText.of(sets[place][name], one, encrypt)
