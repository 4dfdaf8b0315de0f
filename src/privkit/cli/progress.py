"""The progress bar: rows, rows a second, time left; on a terminal only."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from privkit.cli.screen import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, float], None]]:
    """Show a bar while something runs.

    Args:
        title: What runs.
        quiet: Whether to show nothing, as where stderr is no terminal.

    Yields:
        A function to call with the rows done so far and the share of the whole that is done.
    """
    screen = console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[speed]:,.0f} rows/s"),
        TimeRemainingColumn(compact=True),
        console=screen,
        transient=True,
        disable=quiet or not screen.is_terminal,
    )
    started = monotonic()
    with bar:
        task = bar.add_task(title, total=1.0, rows=0, speed=0.0)

        def advance(rows: int, share: float) -> None:
            bar.update(task, completed=share, rows=rows, speed=rows / max(monotonic() - started, 1e-9))

        yield advance
