"""The two doors of a transform, written once.

`protect` and `reveal` take one value, `protect_many` and `reveal_many` a column. A column is lifted out of its
container, nulls are set aside, the field type brings the rest into canonical form, the transform works on all of it
at once, and the result goes back into the same kind of container:

```
container -> columns.lift -> text -> field.read -> _protect -> restore -> container
value     -> columns.text_of      -> field.normalise -> _protect_one   -> value
```

A transform implements one method per direction, on many values (`_protect`, `_reveal`). Where a plain Python way is
worth it for single values it also implements the `_one` form, and tests hold the two to each other.

Null stays null. The empty string says no more than null does, so it stays the empty string, and the two stay apart.
A NaN is null in every container, and comes out as the container's own null: it is what stands for a number that is
missing, and to a field type it says no more than null does. (`Encrypt` hides it as the float that it is.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import numpy as np

from privkit import columns
from privkit._kernels.ragged import Ragged
from privkit.columns.canonical import NOT_ENCODABLE, is_encodable
from privkit.errors import InvalidParameter, InvalidValue, WrongType
from privkit.fields.base import FieldType, Reading
from privkit.keys import FieldKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.columns import Column

C = TypeVar("C")

STARS = "******"
"""What stands for a value that may not be shown at all: always six, so that no length leaks."""


class OnInvalid(StrEnum):
    """What to do with a value that is not of its declared type."""

    RAISE = "raise"
    """Stop with an error that names the rows."""
    SUPPRESS = "suppress"
    """Make it null, and count it."""
    STAR = "star"
    """Put six stars in its place, and count it; for masks only."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[C]):
    """A column after its transform.

    Attributes:
        column: The result, in the container of the input.
        rows: How many rows there were.
        nulls: How many of them were null in the input.
        invalid: How many were not of their declared type, and were suppressed or starred.
    """

    column: C
    rows: int
    nulls: int
    invalid: int = 0


class Transform(ABC):
    """Turns values into a protected form."""

    word: ClassVar[str]
    """The transform's name in policies and reports."""
    on_invalid: ClassVar[OnInvalid] = OnInvalid.RAISE

    @abstractmethod
    def protect(self, value: Any) -> Any:  # noqa: ANN401 - subclasses say what goes in and what comes out
        """Protect one value; null gives null."""

    def protect_many(self, column: C) -> C:
        """Protect a column.

        Args:
            column: A list, NumPy array, Arrow array, pandas or Polars series.

        Returns:
            The same kind of container with as many rows; nulls stay null.

        Raises:
            InvalidValue: If some values are not of the declared type; the error names their rows.
        """
        return self.protect_column(column).column

    @abstractmethod
    def protect_column(self, column: C, *, on_invalid: OnInvalid | str | None = None) -> Outcome[C]:
        """Protect a column and say what happened.

        Args:
            column: As for `protect_many`.
            on_invalid: What to do with values that are not of the declared type; the transform's own way by default.

        Raises:
            InvalidValue: As for `protect_many`, where invalid values raise.
        """

    @property
    def reversible(self) -> bool:
        """Whether the transform has the second pair of doors."""
        return isinstance(self, Reversible)


class Reversible(Transform):
    """A transform that can be undone by whoever holds the keys."""

    @abstractmethod
    def reveal(self, value: Any) -> Any:  # noqa: ANN401 - as for protect
        """Undo `protect`; null gives null."""

    def reveal_many(self, column: C) -> C:
        """Undo `protect_many`.

        Args:
            column: The protected values, in any container.

        Returns:
            The same kind of container with as many rows; nulls stay null.

        Raises:
            DecryptionFailed: If some values were not written by this transform; the error names their rows.
            InvalidValue: If some values cannot be what this transform writes; the error names their rows.
        """
        return self.reveal_column(column).column

    @abstractmethod
    def reveal_column(self, column: C) -> Outcome[C]:
        """Undo `protect_column` and say what happened."""


def released(field: FieldType) -> FieldType:
    """The field type itself, unless its values may never leave.

    Raises:
        WrongType: If it is no field type.
        InvalidParameter: If they may not.
    """
    if not isinstance(field, FieldType):
        raise WrongType(
            f"a {type(field).__name__} where a field type belongs, such as privkit.fields.CN_MOBILE"
            + ("; key and field have changed places" if isinstance(field, FieldKey) else "")
        )
    if not field.releasable:
        raise InvalidParameter(f"{field.name} may not be released in any form; drop it")
    return field


def of_field(key: FieldKey) -> FieldKey:
    """The key itself, once it is known to be one.

    Raises:
        WrongType: If it is not.
    """
    if not isinstance(key, FieldKey):
        raise WrongType(
            f"a {type(key).__name__} where a field's key belongs, such as keys['customer.phone'] of a keyring"
            + ("; key and field have changed places" if isinstance(key, FieldType) else "")
        )
    return key


class FieldTransform(Transform):
    """A transform of values that have a field type, working on their canonical text."""

    same_kind: ClassVar[bool] = False
    """Whether results are values of the same type again (a date column stays one) or text."""

    def __init__(self, field: FieldType) -> None:
        self.field = released(field)

    @abstractmethod
    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:
        """Work on a column.

        Args:
            reading: The canonical rows, all of them valid and none empty.
            raw: The rows as they were passed.
        """

    def _protect_one(self, text: str, raw: str) -> str:
        """Work on one value: `_protect` on a batch of one, unless there is a cheaper way."""
        changed = np.flatnonzero([text != raw])
        return self._protect(Reading(Ragged.of_text([text]), changed=changed), Ragged.of_text([raw])).to_text()[0]

    def protect(self, value: Any) -> Any:  # noqa: ANN401 - text in most cases, see the class
        """Protect one value; null gives null, and the empty string the empty string.

        Raises:
            InvalidValue: If it is not a value of the field type; the message does not show it.
        """
        return self._one(value, self._protect_one)

    def protect_column(self, column: C, *, on_invalid: OnInvalid | str | None = None) -> Outcome[C]:
        """Protect a column and say what happened."""
        return self._many(column, self._protect, OnInvalid(on_invalid or self.on_invalid))

    def _one(self, value: Any, work: Callable[[str, str], str]) -> Any:  # noqa: ANN401 - as for protect
        if value is None or (type(value) is not str and is_nan(value)):
            return None
        raw = value if type(value) is str else columns.text_of(value)
        if not raw:
            return value
        if not (raw.isascii() or is_encodable(raw)):
            raise InvalidValue(NOT_ENCODABLE)  # whatever is done with invalid values, as in a column
        try:
            text = self.field.normalise(raw)
        except InvalidValue:
            if self.on_invalid is OnInvalid.STAR:
                return STARS
            raise
        result = work(text, raw)
        return columns.like(value, result) if self.same_kind and type(value) is not str else result

    def _many(self, column: C, work: Callable[[Reading, Ragged], Ragged], on_invalid: OnInvalid) -> Outcome[C]:
        seen = columns.lift_distinct(column)  # field transforms give equal values equal results
        total, nulls = seen.shape
        text = seen.text()
        gone = nans_of(seen)
        present = text.lengths > 0
        present[gone] = False
        if present.all():
            result, bad = self._work(text, work, on_invalid, seen, None)
        else:
            rows = np.flatnonzero(present)
            part, bad = self._work(text.take(rows), work, on_invalid, seen, rows)
            result = _spread(len(text), rows, part)
            bad = None if bad is None else rows[bad]
        if bad is None and not len(gone):
            return Outcome(self._whole(column, seen, result), total, nulls)
        nulls += len(seen.rows(gone))
        invalid = 0 if bad is None else len(seen.rows(bad))
        if bad is not None and on_invalid is OnInvalid.SUPPRESS:
            gone = np.concatenate((gone, bad))
        missing = seen.nulls
        if len(gone):
            missing = seen.nulls_and(gone)
            result = result.take(~_mask(len(result), gone))
        return Outcome(self._restore(seen, result, missing), total, nulls, invalid)

    def _work(
        self,
        text: Ragged,
        work: Callable[[Reading, Ragged], Ragged],
        on_invalid: OnInvalid,
        lifted: Column[Any],
        rows: NDArray[np.intp] | None,
    ) -> tuple[Ragged, NDArray[np.intp] | None]:
        """Take rows that are neither null nor empty through the field type and the transform.

        Returns:
            The results, and the positions of the rows that were not valid (`None`: there were none).
        """
        if not len(text):
            return text, None
        reading = self.field.read(text)
        whole = np.arange(len(text)) if rows is None else rows
        if reading.bad is not None and on_invalid is OnInvalid.RAISE:
            raise self._invalid(reading.reason, lifted, whole[reading.bad])
        good = None if reading.bad is None else np.flatnonzero(~reading.bad)
        while True:
            try:
                part = work(*_rows_of(reading, text, good))
                break
            except InvalidValue as error:  # values of the type that the transform has no place for
                positions = np.array(error.positions, np.intp)
                good = np.arange(len(text)) if good is None else good
                if on_invalid is OnInvalid.RAISE or not len(positions):
                    raise self._invalid(error.reason, lifted, whole[good[positions]]) from None
                good = np.delete(good, positions)
        if good is None:
            return part, None
        bad = np.delete(np.arange(len(text)), good)
        stars = Ragged.of_text([STARS if on_invalid is OnInvalid.STAR else ""] * len(bad))
        return Ragged.merge(len(text), [(good, part), (bad, stars)]), bad

    def _invalid(self, reason: str, lifted: Column[Any], positions: NDArray[np.intp]) -> InvalidValue:
        where = lifted.rows(positions)
        return InvalidValue(reason, field_type=self.field.name, rows=where[: InvalidValue.MAX_ROWS], count=len(where))

    def _whole(self, column: C, lifted: Column[C], result: Ragged) -> C:  # noqa: ARG002 - for what changes nothing
        """The result of a column of which all values were valid."""
        whole: C = self._restore(lifted, result, lifted.nulls)
        return whole

    def _restore(self, lifted: Column[Any], result: Ragged, nulls: NDArray[np.bool_] | None) -> Any:  # noqa: ANN401
        """Put results back into the container they came from."""
        return lifted.restore_like(result, nulls=nulls) if self.same_kind else lifted.restore(result, nulls=nulls)


class ReversibleFieldTransform(FieldTransform, Reversible):
    """A field transform whose results are values of the same type, and can be undone."""

    same_kind: ClassVar[bool] = True

    @abstractmethod
    def _reveal(self, reading: Reading, raw: Ragged) -> Ragged:
        """Undo `_protect`."""

    def _reveal_one(self, text: str, raw: str) -> str:
        """Undo `_protect_one`."""
        changed = np.flatnonzero([text != raw])
        return self._reveal(Reading(Ragged.of_text([text]), changed=changed), Ragged.of_text([raw])).to_text()[0]

    def reveal(self, value: Any) -> Any:  # noqa: ANN401 - as for protect
        """Undo `protect`; null gives null, and the empty string the empty string.

        Raises:
            InvalidValue: If it cannot be a protected value; the message does not show it.
        """
        return self._one(value, self._reveal_one)

    def reveal_column(self, column: C) -> Outcome[C]:
        """Undo `protect_column` and say what happened."""
        return self._many(column, self._reveal, OnInvalid.RAISE)


def is_nan(value: object) -> bool:
    """Whether a value is a float that is no number."""
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def nans_of(column: Column[Any]) -> NDArray[np.intp]:
    """The positions of what is no number among the values of a column, which are null to a field type."""
    values = np.isnan(cast("NDArray[Any]", column.values)) if column.kind is columns.Kind.FLOAT else ()
    return np.flatnonzero(values)


def _rows_of(reading: Reading, raw: Ragged, rows: NDArray[np.intp] | None) -> tuple[Reading, Ragged]:
    """Some rows of a reading, or all of them, and the same rows as they were passed."""
    if rows is None:
        return reading, raw
    changed = np.flatnonzero(np.isin(rows, reading.changed))
    return Reading(reading.text.take(rows), changed=changed), raw.take(rows)


def _spread(rows: int, positions: NDArray[np.intp], part: Ragged) -> Ragged:
    """Put rows into their places among empty ones."""
    lengths = np.zeros(rows, np.int64)
    lengths[positions] = part.lengths
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return Ragged(part.data[part.offsets[0] : part.offsets[-1]], offsets)


def _mask(rows: int, positions: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark positions."""
    mask = np.zeros(rows, np.bool_)
    mask[positions] = True
    return mask
