"""Date shift: dates moved by as many days as a key says of whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import numpy as np

from privkit._kernels.ragged import Ragged, move
from privkit.columns import Kind
from privkit.errors import InvalidParameter, InvalidValue
from privkit.fields.calendar import ISO_WIDTH, days_of, fields_of, write_date
from privkit.fields.dates import Date
from privkit.keys import Usage
from privkit.transforms.base import OnInvalid, Outcome, of_field
from privkit.transforms.by_subject import BySubject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey

C = TypeVar("C")

MOST_DAYS: Final = 36_525
"""The widest shift: a hundred years."""
_COUNTS: Final = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL})
_FIRST: Final = int(np.datetime64("0001-01-01", "D").astype(np.int64))
_LAST: Final = int(np.datetime64("9999-12-31", "D").astype(np.int64))


class DateShift(BySubject):
    """Move the dates of each subject by a number of days of its own: intervals and times of day stay.

    The shift is in `-days` to `days`, each about equally likely (within 2^-47) and zero among them. It is chosen by
    AES-CMAC of the subject's id under the key, the id as canonical text, so that `42` and `"42"` are one subject. Give
    all date columns of a table the same key and the intervals between them stay too.

    The price: whoever knows one true date of a subject knows all of them; what is left of a calendar shows (that
    orders peak in November), since shifts are small beside a year; and a birth date moves by no more than `days`, so
    the age hardly changes. It is de-identification (去标识化).

    Args:
        field: A type of days or moments, such as `BIRTH_DATE` or `TIMESTAMP`. Days are of 24 hours: the offset of a
            text stays, and a column with a zone shows an hour more or less where summer time begins or ends between.
        key: The key; often one for all date columns, such as `keys["customer.shift"]`.
        days: The widest shift either way, 1 to 36,525.
        recipient: Who gets the dates; another recipient's shifts differ.

    Raises:
        InvalidParameter: If the field type is no date, or `days` is out of range.

    Example:
        >>> from privkit.transforms import DateShift
        >>> from privkit import fields
        >>> keys = Keyring.create(directory / "shift.json")
        >>> shift = DateShift(fields.DATE, keys["customer.shift"], days=30)
        >>> stay = shift.protect_many(["2026-01-02", "2026-01-09"], subject=["user:42", "user:42"])
        >>> (np.datetime64(stay[1]) - np.datetime64(stay[0])).item().days
        7
        >>> shift.reveal_many(stay, subject=["user:42", "user:42"])
        ['2026-01-02', '2026-01-09']
    """

    word: ClassVar[str] = "shift"

    def __init__(self, field: FieldType, key: FieldKey, *, days: int, recipient: str | None = None) -> None:
        super().__init__(field)
        if not isinstance(field, Date):
            raise InvalidParameter(f"{field.name} is no date; shift birth_date, date or timestamp")
        if type(days) is not int or not 1 <= days <= MOST_DAYS:
            raise InvalidParameter(f"days must be a whole number from 1 to {MOST_DAYS}")
        self.days = days
        self._cmac = of_field(key).cmac(Usage(purpose="shift", algorithm="AES-CMAC", key_bytes=32, recipient=recipient))

    def protect(self, value: Any, *, subject: str | int) -> Any:  # noqa: ANN401 - text, date or datetime, as it came
        """Shift one date; null gives null.

        Raises:
            InvalidValue: If it is no date of the field type, or leaves the years 0001 to 9999.
        """
        return self._one(value, subject, self._forwards)

    def reveal(self, value: Any, *, subject: str | int) -> Any:  # noqa: ANN401 - as for protect
        """Undo `protect`; null gives null.

        Any date opens, for it has no room for a proof: only under the key and the subject of then is it the right one.

        Raises:
            InvalidValue: As for `protect`.
        """
        return self._one(value, subject, self._backwards)

    def protect_many(self, column: C, *, subject: object) -> C:
        """Shift a column; see `protect_column`."""
        return self.protect_column(column, subject=subject).column

    def reveal_many(self, column: C, *, subject: object) -> C:
        """Undo `protect_many`; see `reveal_column`."""
        return self.reveal_column(column, subject=subject).column

    def protect_column(
        self, column: C, *, subject: object, on_invalid: OnInvalid | str = OnInvalid.RAISE
    ) -> Outcome[C]:
        """Shift a column and say what happened.

        Args:
            column: Dates, moments or their text, in any container.
            subject: A column of ids as long as it, text or whole numbers: whose each date is.
            on_invalid: `raise`, or `suppress`, which makes values null that are no dates or leave the calendar.

        Raises:
            InvalidValue: If some values are no dates of the field type, leave the years 0001 to 9999, or have no
                subject; the error names their rows.
            InvalidParameter: If there are not as many subjects as values, or values are numbers, such as seconds since
                1970: their column has no place for dates.
        """
        return self._many(column, subject, self._forwards, on_invalid)

    def reveal_column(self, column: C, *, subject: object) -> Outcome[C]:
        """Undo `protect_column`, given the same subjects; arguments and errors as there."""
        return self._many(column, subject, self._backwards, OnInvalid.RAISE)

    def _written(self, text: Ragged, kind: Kind) -> Ragged:
        if kind in _COUNTS and len(text):
            raise InvalidParameter(
                f"{kind.value} values that count days or seconds have no place for a shifted date; make them dates or "
                "moments first (`astype('datetime64[s]')` of NumPy, `to_datetime(column, unit='s')` of pandas), or text"
            )
        return text

    def _forwards(self, text: Ragged, subjects: Ragged) -> Ragged:
        return _moved(text, self._shifts(subjects))

    def _backwards(self, text: Ragged, subjects: Ragged) -> Ragged:
        return _moved(text, -self._shifts(subjects))

    def _shifts(self, subjects: Ragged) -> NDArray[np.int64]:
        """The days of each subject: the first half of its CMAC, a big-endian number, modulo 2 `days` + 1."""
        numbers = np.ascontiguousarray(self._cmac.digest_many(subjects)).view(">u8")[:, 0].astype(np.uint64)
        return (numbers % np.uint64(2 * self.days + 1)).astype(np.int64) - self.days


def _moved(text: Ragged, shifts: NDArray[np.int64]) -> Ragged:
    """Move canonical dates and moments, whose first ten characters are the day."""
    heads = text.matrix(ISO_WIDTH, np.arange(len(text)))
    days = days_of(*fields_of(heads)) + shifts
    beyond = np.flatnonzero((days < _FIRST) | (days > _LAST))
    if len(beyond):
        raise InvalidValue("the shifted date leaves the years 0001 to 9999", rows=beyond.tolist())
    write_date(days, heads)
    out = Ragged(text.data.copy(), text.offsets)
    new = Ragged.of_matrix(heads)
    move(new.data, new.offsets[:-1], out.data, out.offsets[:-1], new.lengths)
    return out
