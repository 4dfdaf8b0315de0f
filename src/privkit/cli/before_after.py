"""A few cells of a few rows, as they were and as a view gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from privkit.cli.screen import console, plain, table
from privkit.columns import text_of
from privkit.policy.files import open_source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from privkit.policy import Policy

_FIELDS: Final = (
    "customer_name", "birth_date", "mobile", "email", "address_detail", "bank_card", "amount", "user_name",
    "order_time", "stay_seconds", "oaid", "city", "province", "order_id",
)  # fmt: skip
"""What is worth looking at, the best first."""
_MOST_FIELDS: Final = 6
_ROWS: Final = 3
_WIDTH: Final = 20


def show_view(policy: Policy, view: str, before: Path, after: Path) -> None:
    """Print a table of what a view does.

    Args:
        policy: The policy.
        view: The view's name.
        before: The file that the view was applied to.
        after: What it gave.
    """
    treated = policy.views[view]
    words = {name: treatment.word for name, treatment in treated.fields.items()}
    names = [name for name in _FIELDS if words.get(name, "drop") != "drop"][:_MOST_FIELDS]
    was, now = _rows(before, names), _rows(after, names)
    complete = [row for row in range(len(was)) if None not in was[row].values()] or [*range(len(was))]
    chosen = complete[:_ROWS]
    shown = table("field", "transform", "", *(f"row {row:,}" for row in chosen))
    for column in shown.columns[3:]:
        column.max_width, column.no_wrap, column.overflow = _WIDTH, True, "ellipsis"
    for name in names:
        cells = [Text.assemble(_cell(was[row][name], "dim"), "\n", _cell(now[row][name], "bold")) for row in chosen]
        shown.add_row(plain(name), plain(words[name]), plain("before\nafter", "dim"), *cells)
    screen = console()
    screen.print(plain(f"{view}: {treated.title}" if treated.title else view, "bold underline"))
    screen.print(shown)
    dropped = [name for name, word in words.items() if word == "drop"]
    screen.print(plain(f"dropped: {', '.join(dropped) or 'nothing'}\n", "dim"))


def _rows(path: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """The first rows of a file."""
    with open_source(path) as source:
        wanted = [name for name in names if name in source.names]
        for batch in source.batches(wanted):
            rows: list[dict[str, Any]] = batch.slice(0, 1000).to_pylist()
            return rows
    return []


def _cell(value: Any, style: str) -> Text:  # noqa: ANN401 - a cell of any type
    if value is None:
        return Text("null", f"{style} italic")
    return plain(" ".join(text_of(value).split()) or '""', style)
