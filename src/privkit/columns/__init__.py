"""The only place that knows list, NumPy, Arrow, pandas and Polars: a column out of any, and back into the same kind."""

from privkit.columns.canonical import format_values, parse_values
from privkit.columns.column import Column
from privkit.columns.kinds import Kind, Values
from privkit.columns.lifting import lift
from privkit.columns.repeats import lift_distinct
from privkit.columns.scalars import like, text_of

__all__ = ["Column", "Kind", "Values", "format_values", "lift", "lift_distinct", "like", "parse_values", "text_of"]
