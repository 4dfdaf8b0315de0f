"""A few cells of a few rows, as they were and as a view gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from privkit.cli.screen import console, harmless, plain, table
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
_WIDEST, _NARROWEST, _LEAST = 20, 18, 8
"""Columns that a cell takes at most, that it should have before another row is shown, and that it has in any case."""
_GAP: Final = 2


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
    screen = console()
    named = ["field", *names], ["transform", *(words[name] for name in names)], ["before"]
    count, width = _room(screen.width - sum(max(map(cell_len, column)) + _GAP for column in named))
    chosen = complete[:count]
    shown = table("field", "transform", "", *(f"row {row:,}" for row in chosen))
    for name in names:
        cells = [
            Text.assemble(_cell(was[row][name], "dim", width), "\n", _cell(now[row][name], "bold", width))
            for row in chosen
        ]
        shown.add_row(plain(name), plain(words[name]), plain("before\nafter", "dim"), *cells)
    screen.print(plain(f"{view}: {treated.title}" if treated.title else view, "bold underline"))
    screen.print(shown)
    dropped = [name for name, word in words.items() if word == "drop"]
    screen.print(plain(f"dropped: {', '.join(dropped) or 'nothing'}\n", "dim"))


def _room(width: int) -> tuple[int, int]:
    """How many rows to show in so many columns of the screen, and how wide their cells are at most."""
    count = max(1, min(_ROWS, (width + _GAP) // (_NARROWEST + _GAP)))
    return count, max(_LEAST, min(_WIDEST, (width + _GAP) // count - _GAP))


def _rows(path: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """The first rows of a file."""
    with open_source(path) as source:
        wanted = [name for name in names if name in source.names]
        for batch in source.batches(wanted):
            rows: list[dict[str, Any]] = batch.slice(0, 1000).to_pylist()
            return rows
    return []


def _cell(value: Any, style: str, width: int) -> Text:  # noqa: ANN401 - a cell of any type
    if value is None:
        return Text("null", f"{style} italic")
    words = harmless(" ".join(text_of(value).split())) or '""'
    return Text(words if cell_len(words) <= width else f"{set_cell_size(words, width - 1).rstrip()}…", style)
