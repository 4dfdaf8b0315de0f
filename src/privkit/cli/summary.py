"""What a run did: a table for people, and JSON for programs."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from privkit.cli.plan_screen import show_plan
from privkit.cli.screen import console, plain, table

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from privkit.policy.files.landing import Landing
    from privkit.policy.stream import Summary


def show(summary: Summary, *, view: str, target: Path, revealed: Collection[str] = ()) -> None:
    """Print what a run did.

    Args:
        summary: What it did.
        view: The view's name.
        target: The file that was written.
        revealed: Where values were revealed: which columns; the others went through as they were.
    """
    screen = console()
    speed = summary.rows / max(summary.seconds, 1e-9)
    screen.print(
        plain(f"{view}: {summary.rows:,} rows in {summary.seconds:.1f} s ({speed:,.0f} rows/s), written to {target}")
    )
    shown = table("column", "transform", "rows", "nulls", "invalid", "seconds", numbers=_NUMBERS)
    for name, report in summary.columns.items():
        transform = report.transform if summary.direction == "protect" or name in revealed else "as it was"
        shown.add_row(
            plain(name),
            transform,
            f"{report.rows:,}",
            f"{report.nulls:,}",
            plain(f"{report.invalid:,}", "bold red" if report.invalid else ""),
            f"{report.seconds:.2f}",
        )
    screen.print(shown)
    if summary.plan is not None:
        show_plan(screen, summary.plan)
    if summary.dropped:
        screen.print(plain(f"dropped: {', '.join(summary.dropped)}", "dim"))


_NUMBERS = ("rows", "nulls", "invalid", "seconds")


def write_report(landing: Landing, summary: Summary, **where: object) -> None:
    """Write what a run did as JSON.

    Args:
        landing: Where to.
        summary: What it did.
        where: What else to say: the names of the view and the files.
    """
    content: dict[str, Any] = {"privkit": version("privkit"), **{name: str(value) for name, value in where.items()}}
    text = json.dumps(content | summary.as_dict(), ensure_ascii=False, indent=2) + "\n"
    landing.write(text)
