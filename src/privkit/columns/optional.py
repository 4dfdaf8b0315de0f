"""Libraries that need not be there."""

from __future__ import annotations

from typing import Any


def arrow_module() -> Any:
    """`privkit.columns.arrow`, or `None` where pyarrow is not installed; pandas and Polars work without it."""
    try:
        from privkit.columns import arrow  # noqa: PLC0415 it stands on an optional library
    except ImportError:
        return None
    return arrow


def arrow_rows_module() -> Any:
    """`privkit.columns.arrow_rows`, or `None` likewise."""
    try:
        from privkit.columns import arrow_rows  # noqa: PLC0415 it stands on an optional library
    except ImportError:
        return None
    return arrow_rows
