"""What is sealed: of each value a tag, which says of what type it is, and its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from privkit._kernels.heads import add_mark, cut_mark
from privkit._kernels.ragged import Ragged
from privkit._kernels.slabs import chunk
from privkit.columns import Kind
from privkit.columns.canonical import has_offsets, parse_values
from privkit.errors import InvalidParameter
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
        """Tag and content of each value of a column that is not null."""
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


def content_of(lifted: Column[Any]) -> Ragged:
    """What a column's values are encrypted as: bytes as they are, all else as canonical text."""
    return cast("Ragged", lifted.values) if lifted.kind is Kind.BYTES else lifted.text()


def restore(lifted: Column[C], plain: Plaintexts, nulls: NDArray[np.bool_] | None, *, as_text: bool = False) -> C:
    """Put decrypted values back, with the type that they had, or all but bytes as their text.

    Which zone instants were in is not in a ciphertext, only how far it was from UTC: objects come back at their own
    offset, and containers whose moments have one zone for all of them in UTC.
    """
    tags, content = plain.tags, plain.content
    if not len(plain):
        return lifted.restore(content, Kind.TEXT, nulls)
    tag = int(tags[0])
    if as_text and not (tags == layout.BYTES_TAG).any():
        return lifted.restore(content, Kind.TEXT, nulls)
    if (tags == tag).all() and tag in layout.KINDS:
        kind = layout.KINDS[tag]
        zoned = has_offsets(content) if kind is Kind.TIMESTAMP else np.zeros(1, np.bool_)
        if zoned.any() and not zoned.all():
            raise InvalidParameter("the column holds timestamps with a zone and without; reveal them one at a time")
        kind = Kind.INSTANT if zoned.any() else kind
        return lifted.restore(parse_values(kind, content)[0], kind, nulls)
    raise InvalidParameter("the column holds values of several types, or JSON; reveal them one at a time")
