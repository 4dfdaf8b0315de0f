"""One function that knows which file knows a container."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from privkit.columns.arrays import lift_array
from privkit.columns.column import Column
from privkit.columns.sequences import lift_sequence
from privkit.errors import WrongType

if TYPE_CHECKING:
    from privkit.columns.numbering import Coded

C = TypeVar("C")


def lift(container: C, *, mixed: bool = False) -> Column[C]:
    """Take a column out of its container.

    Takes a list or tuple, a NumPy array, an Arrow array or chunked array, a pandas or a Polars series; a column that is
    lifted already is handed through. Optional libraries are recognised where the caller has imported them, and never
    imported to look.

    Args:
        container: Values of one kind, and nulls. Null is `None` in lists and object arrays, NaT in `datetime64`, the
            null of Arrow, Polars and pandas; NaN is null in pandas alone, elsewhere it is a float like others.
        mixed: Whether Python objects that are of several kinds, or of none, are a column of `Kind.MIXED`.

    Returns:
        The column; `restore` and `restore_like` lead back to the same family of container.

    Raises:
        WrongType: If it is no container, or one of values that are of several kinds or of none.
        InvalidValue: If a value is one that no column holds, such as text with lone surrogates; with the rows.

    Example:
        >>> import numpy as np
        >>> from privkit.columns import lift
        >>> lift(np.array([1, 20])).text().to_text()
        ['1', '20']
    """
    return cast("Column[C]", _lift(container, mixed=mixed))


def _lift(container: Any, *, mixed: bool) -> Column[Any]:
    if isinstance(container, Column):
        return container
    if isinstance(container, list | tuple):
        return lift_sequence(container, mixed=mixed)
    if isinstance(container, np.ndarray):
        return lift_array(container, mixed=mixed)
    if (pa := sys.modules.get("pyarrow")) and isinstance(container, pa.Array | pa.ChunkedArray):
        from privkit.columns.arrow import lift_arrow  # noqa: PLC0415 it stands on an optional library

        return lift_arrow(container)
    if (pd := sys.modules.get("pandas")) and isinstance(container, pd.Series):
        from privkit.columns.pandas_series import lift_pandas  # noqa: PLC0415 it stands on an optional library

        return lift_pandas(container, mixed=mixed)
    if (pl := sys.modules.get("polars")) and isinstance(container, pl.Series):
        from privkit.columns.polars_series import lift_polars  # noqa: PLC0415 it stands on an optional library

        return lift_polars(container)
    raise WrongType(
        f"a {type(container).__name__} is no column; pass a list, a NumPy array, an Arrow array, "
        "or a pandas or Polars series"
    )


def codes_of(container: object) -> Coded | None:
    """The values and codes of a container that numbers its values itself; `None` where it does not, or not well."""
    if (pa := sys.modules.get("pyarrow")) and isinstance(container, pa.Array | pa.ChunkedArray):
        from privkit.columns.arrow import codes_of_arrow  # noqa: PLC0415 it stands on an optional library

        return codes_of_arrow(container)
    if (pd := sys.modules.get("pandas")) and isinstance(container, pd.Series):
        from privkit.columns.pandas_series import codes_of_pandas  # noqa: PLC0415 it stands on an optional library

        return codes_of_pandas(container)
    if (pl := sys.modules.get("polars")) and isinstance(container, pl.Series):
        from privkit.columns.polars_series import codes_of_polars  # noqa: PLC0415 it stands on an optional library

        return codes_of_polars(container)
    return None
