"""Keep a value as it is, once it is known to be what it says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from privkit.transforms.base import FieldTransform

if TYPE_CHECKING:
    from privkit._kernels.ragged import Ragged
    from privkit.columns import Column
    from privkit.fields.base import Reading

C = TypeVar("C")


class Keep(FieldTransform):
    """Let values through unchanged, and nothing that is not a value of the field type.

    It protects nothing. It is there so that keeping a column is said, and so that a column that holds something else
    than it was declared to hold does not leave unnoticed.

    Args:
        field: What the values are.

    Example:
        >>> from privkit import Keep, fields
        >>> Keep(fields.EMAIL).protect("Li.Lei@Example.cn")
        'Li.Lei@Example.cn'
    """

    word: ClassVar[str] = "keep"
    same_kind: ClassVar[bool] = True

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - what was passed goes out
        return raw

    def _protect_one(self, text: str, raw: str) -> str:  # noqa: ARG002 - as above
        return raw

    def _whole(self, column: C, lifted: Column[C], result: Ragged) -> C:  # noqa: ARG002 - the column says it all
        return column
