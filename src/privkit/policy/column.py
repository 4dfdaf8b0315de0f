"""A column under a view: its transform, what happens to wrong cells, and the column of whose each value is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from privkit.columns import lift
from privkit.errors import SubjectForgotten
from privkit.transforms.base import OnInvalid, Outcome, Reversible
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.noise import Noise
from privkit.transforms.shift import DateShift
from privkit.transforms.subjects import EncryptBySubject

if TYPE_CHECKING:
    from privkit.policy.treatments import AnyTransform


@dataclass(frozen=True, slots=True)
class ViewedColumn:
    """What a view does to one column.

    Attributes:
        transform: The transform.
        on_invalid: What happens to cells that are not of the column's type.
        subject: The column of whose each value is; `""` where the transform needs none.
    """

    transform: AnyTransform
    on_invalid: OnInvalid
    subject: str = ""

    @property
    def reversible(self) -> bool:
        """Whether it can be undone, given the subjects where there are such."""
        return isinstance(self.transform, Reversible | DateShift | EncryptBySubject)

    def protect(self, column: Any, subject: Any) -> Outcome[Any]:  # noqa: ANN401 - any containers
        """Protect the column; `subject` is the one beside it, where there is one."""
        if isinstance(self.transform, DateShift | Noise | EncryptBySubject):
            return self.transform.protect_column(column, subject=subject, on_invalid=self.on_invalid)
        return self.transform.protect_column(column, on_invalid=self.on_invalid)

    def reveal(self, column: Any, subject: Any, *, as_text: bool) -> Outcome[Any]:  # noqa: ANN401 - any containers
        """Undo `protect`, where that can be done; as text where the transform's results are not text anyhow."""
        match self.transform:
            case EncryptBySubject() as sealed:
                return sealed.reveal_column(column, subject=subject, on_forgotten=self.on_invalid, as_text=as_text)
            case DateShift() as shift:
                return shift.reveal_column(column, subject=subject)
            case Encrypt() as encrypt:
                return encrypt.reveal_column(column, as_text=as_text)
            case Reversible() as transform:
                return transform.reveal_column(column)
        return untouched(column)


def untouched(column: Any) -> Outcome[Any]:  # noqa: ANN401 - any container
    """A column that stays as it is."""
    lifted = lift(column)
    return Outcome(column, len(lifted), 0 if lifted.nulls is None else int(lifted.nulls.sum()))


def forgotten_in(column: str, error: SubjectForgotten, first_row: int) -> SubjectForgotten:
    """The same error with its place in a table whose first row has the given number."""
    return SubjectForgotten(f"column {column!r}: {error.reason}", rows=[row + first_row for row in error.rows])
