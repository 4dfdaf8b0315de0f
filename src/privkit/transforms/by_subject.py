"""Transforms of a value and whose it is: a column beside a column of subjects.

The doors are those of `privkit.transforms.base`, with a subject to each value: nulls are set aside, the field type
brings values into canonical form, the transform works on all of them at once, and the result goes back into the same
kind of container. Null (and NaN) stays null, the empty string stays empty, and neither of them needs a subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from privkit import columns
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind
from privkit.errors import InvalidParameter, InvalidValue
from privkit.transforms.base import OnInvalid, Outcome, is_nan, nans_of, released

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.columns import Column
    from privkit.fields.base import FieldType

    Work = Callable[[Ragged, Ragged], Ragged]
    """Canonical values and their subjects, one row each, to results."""

C = TypeVar("C")


class BySubject:
    """What transforms of a value and its subject have in common.

    Args:
        field: What the values are.
    """

    word: ClassVar[str]
    """The transform's name."""

    def __init__(self, field: FieldType) -> None:
        self.field = released(field)

    def _written(self, text: Ragged, kind: Kind) -> Ragged:  # noqa: ARG002 - for those who override it
        """Bring results into the canonical text of the kind that the container holds."""
        return text

    def _one(self, value: Any, subject: object, work: Work) -> Any:  # noqa: ANN401 - text, date, number as it came
        if value is None or is_nan(value):
            return None
        columns.text_of(value)  # what no column holds is told here, by its type
        return self._many([value], [subject], work, OnInvalid.RAISE, alone=True).column[0]

    def _many(
        self,
        column: C,
        subject: object,
        work: Work,
        on_invalid: OnInvalid | str,
        *,
        alone: bool = False,
    ) -> Outcome[C]:
        if OnInvalid(on_invalid) is OnInvalid.STAR:
            raise InvalidParameter("values that are not valid are suppressed or raise; stars are for masks")
        lifted = columns.lift(column)
        text = lifted.text()
        gone = nans_of(lifted)
        present = text.lengths > 0
        present[gone] = False
        rows = np.flatnonzero(present)
        subjects = subjects_of(subject, lifted, lifted.rows(rows))
        result, bad = text.take(rows), np.zeros(len(rows), np.bool_)
        if len(rows):
            try:
                result, bad = self._work(result, subjects, work, suppress=OnInvalid(on_invalid) is OnInvalid.SUPPRESS)
            except InvalidValue as error:
                where = () if alone else lifted.rows(rows[list(error.positions)]).tolist()
                raise InvalidValue(error.reason, field_type=self.field.name, rows=where) from None
        nulls = 0 if lifted.nulls is None else int(lifted.nulls.sum())
        rest = np.flatnonzero(~present)
        merged = Ragged.merge(len(text), [(rows, self._written(result, lifted.kind)), (rest, text.take(rest))])
        return _outcome(lifted, merged, rows[bad], gone, nulls)

    def _work(self, text: Ragged, subjects: Ragged, work: Work, *, suppress: bool) -> tuple[Ragged, NDArray[np.bool_]]:
        """Take values through the field type and the transform.

        Returns:
            The results, empty where a value has none, and the mask of those.

        Raises:
            InvalidValue: If some values have none, and that does not suppress them; with positions in `text`.
        """
        reading = self.field.read(text)
        bad = np.zeros(len(text), np.bool_) if reading.bad is None else reading.bad.copy()
        if bad.any() and not suppress:
            raise InvalidValue(reading.reason, rows=np.flatnonzero(bad).tolist())
        while True:
            good = np.flatnonzero(~bad)
            try:
                part = work(reading.text.take(good), subjects.take(good))
                break
            except InvalidValue as error:  # values of the type that the transform has no place for
                positions = good[list(error.positions)]
                if not suppress or not len(positions):
                    raise InvalidValue(error.reason, rows=positions.tolist()) from None
                bad[positions] = True
        gone = np.flatnonzero(bad)
        return Ragged.merge(len(text), [(good, part), (gone, Ragged.of([b""] * len(gone)))]), bad


def _outcome(
    lifted: Column[C], result: Ragged, bad: NDArray[np.intp], nans: NDArray[np.intp], nulls: int
) -> Outcome[C]:
    gone = np.concatenate((bad, nans))
    if not len(gone):
        return Outcome(lifted.restore_like(result), len(lifted), nulls)
    kept = np.delete(np.arange(len(result)), gone)
    restored = lifted.restore_like(result.take(kept), nulls=lifted.nulls_and(gone))
    return Outcome(restored, len(lifted), nulls + len(nans), len(bad))


def subjects_of(subject: object, lifted: Column[Any], rows: NDArray[np.intp]) -> Ragged:
    """The subject of each of the given rows of a column, as canonical text.

    Raises:
        InvalidParameter: If there are not as many subjects as rows, or they are no ids.
        InvalidValue: If one of the rows has none; the error names the rows.
    """
    column = columns.lift(subject)
    if len(column) != len(lifted):
        raise InvalidParameter(f"{len(column)} subjects for {len(lifted)} values; each value needs one")
    if len(column.values) and column.kind not in (Kind.TEXT, Kind.INTEGER):
        raise InvalidParameter(f"subjects as {column.kind.value}; pass text or whole numbers")
    ids = column.text()
    named = column.rows(np.flatnonzero(ids.lengths > 0))
    places = np.full(len(column), -1, np.intp)
    places[named] = np.flatnonzero(ids.lengths > 0)
    missing = rows[places[rows] < 0]
    if len(missing):
        shown = missing[: InvalidValue.MAX_ROWS].tolist()
        raise InvalidValue("the value has no subject; give one", rows=shown, count=len(missing))
    return ids.take(places[rows])
