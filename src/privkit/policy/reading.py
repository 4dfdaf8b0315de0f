"""The columns that anonymity looks at, read as what their field types say: canonical text, numbers and dates.

In a CSV file everything is text, and one date may be spelled in two ways. A search that took them as they stand would
put neighbours far apart and equals into different classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns import Column, Kind, lift, parse_values
from privkit.fields.dates import Date
from privkit.fields.payment import Number

if TYPE_CHECKING:
    from privkit.fields.base import FieldType

_KINDS: Final = {Number: Kind.DECIMAL, Date: Kind.DATE}
"""What the text of a field type holds, where that is no text; a time stamp may have a zone or none, and stays text."""


def read(container: Any, field: FieldType | None) -> Column[Any] | None:  # noqa: ANN401 - any container of a column
    """Read a column of text.

    Args:
        container: The column as the view gives it.
        field: What its values are; `None` where the view changes them, so that they are read as they stand.

    Returns:
        The column, its container the home that it goes back to; `None` where it is to be taken as it stands. Among
        numbers and dates the empty string is null.
    """
    column = None if field is None else lift(container)
    if column is None or field is None or column.kind is not Kind.TEXT or not isinstance(column.values, Ragged):
        return None
    kind = _KINDS.get(type(field), Kind.TEXT)
    full = np.flatnonzero(column.values.lengths > 0)
    text = field.read(column.values.take(full)).text
    if kind is Kind.TEXT:
        return Column(kind, Ragged.merge(len(column.values), [(full, text)]), column.nulls, column.home)
    nulls = np.ones(len(column), bool)
    nulls[column.rows(full)] = False
    values, _ = parse_values(kind, text)  # canonical text of such a type has none that is bad
    return Column(kind, values, nulls if nulls.any() else None, column.home)
