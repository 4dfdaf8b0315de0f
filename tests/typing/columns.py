"""What type checkers see of columns: the container that goes in is the one that comes out."""

import datetime as dt
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from privkit.columns import Column, lift, lift_distinct, like, text_of
from privkit.columns.tables import Table, open_table

texts: list[str] = ["13812345678"]
numbers: NDArray[np.int64] = np.array([1, 2])
rows: list[dict[str, Any]] = [{"phone": "13812345678"}]

assert_type(lift(texts), Column[list[str]])
assert_type(lift(texts).restore_like(lift(texts).text()), list[str])
assert_type(lift(numbers).restore(lift(numbers).text()), NDArray[np.int64])
assert_type(lift_distinct(texts), Column[list[str]])
assert_type(open_table(rows), Table[list[dict[str, Any]]])
assert_type(open_table(rows).rebuild({"phone": texts}), list[dict[str, Any]])
assert_type(like(dt.date(1990, 1, 2), "1990-01-03"), dt.date)
assert_type(text_of(1), str)
