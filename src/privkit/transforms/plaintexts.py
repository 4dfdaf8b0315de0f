"""What is sealed: of each value a tag, which says of what type it is, and its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from privkit._kernels.heads import add_mark, cut_mark
from privkit._kernels.ragged import Ragged
from privkit._kernels.slabs import chunk
from privkit.columns import Kind
from privkit.columns.canonical import check_utf8, parse_values
from privkit.columns.column import row_numbers
from privkit.columns.sequences import object_array
from privkit.columns.stamps import has_offsets
from privkit.errors import DecryptionFailed, InvalidValue, WrongType
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from privkit.columns import Column

C = TypeVar("C")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plaintexts:
    """Tags and contents of many values.

    They lie apart, so that a column of text is sealed from, and opened into, the buffer that it stands in; tag and
    content come together a batch at a time.

    Attributes:
        tags: The tag of each value; of one that did not open, 0.
        content: The content of each, and empty where it did not open.
    """

    tags: NDArray[np.uint8]
    content: Ragged

    @classmethod
    def of(cls, rows: Sequence[bytes] | Ragged) -> Plaintexts:
        """Take tags and contents that stand together."""
        return cls(*cut_mark(rows if isinstance(rows, Ragged) else Ragged.of(rows)))

    @classmethod
    def of_column(cls, lifted: Column[Any]) -> Plaintexts:
        """Tag and content of each value of a column that is not null; of a mixed one, each of its own type.

        Raises:
            WrongType: If there is no encoding for values of some type.
            InvalidValue: If some would not come back as they are. Both name the row.
        """
        if lifted.kind is Kind.MIXED:
            return cls.of([_encoded(lifted, position, value) for position, value in enumerate(lifted.values)])
        content = content_of(lifted)
        return cls(np.broadcast_to(np.uint8(layout.TAGS[lifted.kind]), len(content)), content)

    def __len__(self) -> int:
        return len(self.content)

    def part(self, first: int, last: int) -> Plaintexts:
        """Consecutive rows, as a view."""
        return Plaintexts(self.tags[first:last], chunk(self.content, first, last))

    def together(self) -> Ragged:
        """Tag and content of each row, one after the other."""
        return add_mark(self.content, self.tags)

    @staticmethod
    def merge(rows: int, parts: Iterable[tuple[NDArray[np.intp], Plaintexts]]) -> Plaintexts:
        """Put parts into their places: see `Ragged.merge`."""
        tables = list(parts)
        tags = np.zeros(rows, np.uint8)
        for index, part in tables:
            tags[index] = part.tags
        return Plaintexts(tags, Ragged.merge(rows, [(index, part.content) for index, part in tables]))


def _encoded(lifted: Column[Any], position: int, value: object) -> bytes:
    """One value of a mixed column; what is wrong with it is said of its row."""
    refused: InvalidValue | WrongType
    try:
        return layout.encode(value)
    except (InvalidValue, WrongType) as error:
        refused = error
    (row,) = lifted.rows(np.array([position])).tolist()
    if isinstance(refused, InvalidValue):
        raise InvalidValue(refused.reason, rows=[row])
    raise WrongType(f"at row {row}: {refused}")


def content_of(lifted: Column[Any]) -> Ragged:
    """What a column's values are encrypted as: bytes as they are, all else as canonical text."""
    return cast("Ragged", lifted.values) if lifted.kind is Kind.BYTES else lifted.text()


def restore(lifted: Column[C], plain: Plaintexts, nulls: NDArray[np.bool_] | None, *, as_text: bool = False) -> C:
    """Put decrypted values back, with the types that they had, or all but bytes as their text.

    Values of one type are a column of it. Others, JSON, and what a column of the type does not hold, such as whole
    numbers beyond 64 bits, are Python objects, for which the container needs a place.

    Which zone instants were in is not in a ciphertext, only how far it was from UTC: objects come back at their own
    offset, and containers whose moments have one zone for all of them in UTC.

    Raises:
        DecryptionFailed: If some are not what this format writes; the error names the rows.
        InvalidParameter: If the container has no place for them; the message has the remedy.
    """
    kind = Kind.TEXT if not len(plain) or _is_all_text(plain, as_text=as_text) else _kind_of(plain)
    if kind not in (Kind.BYTES, Kind.MIXED):
        _check_utf8(plain.content, nulls)
    if kind is not Kind.MIXED:
        values, bad = parse_values(kind, plain.content)
        if not bad.any():
            return lifted.restore(values, kind, nulls)
    return lifted.restore(_objects(plain, nulls), Kind.MIXED, nulls)


def _is_all_text(plain: Plaintexts, *, as_text: bool) -> bool:
    return as_text and not (plain.tags == layout.BYTES_TAG).any()


def _check_utf8(content: Ragged, nulls: NDArray[np.bool_] | None) -> None:
    """Refuse what is to be read as text and is none: whoever has the key, but not privkit, may have written it."""
    try:
        check_utf8(content)
    except InvalidValue as error:
        bad = error.rows
    else:
        return
    raise DecryptionFailed(row_numbers(nulls, list(bad)))


def _kind_of(plain: Plaintexts) -> Kind:
    """The kind of a column of these values."""
    tag = int(plain.tags[0])
    if tag not in layout.KINDS or (plain.tags != tag).any():
        return Kind.MIXED
    if layout.KINDS[tag] is not Kind.TIMESTAMP:
        return layout.KINDS[tag]
    zoned = has_offsets(plain.content)
    if not zoned.any():
        return Kind.TIMESTAMP
    return Kind.INSTANT if zoned.all() else Kind.MIXED


def _objects(plain: Plaintexts, nulls: NDArray[np.bool_] | None) -> NDArray[Any]:
    """The values, one by one."""
    values, failed = [], []
    for row, one in enumerate(plain.together()):
        try:
            values.append(layout.decode(one))
        except DecryptionFailed:
            failed.append(row)
    if failed:
        raise DecryptionFailed(row_numbers(nulls, failed))
    return object_array(values)
