"""Where the command line prints: consoles, and tables that fit them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIPED_WIDTH: Final = 100


def console(*, stderr: bool = False) -> Console:
    """A console; into a pipe or a file it writes 100 columns and no colours."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _PIPED_WIDTH)


def table(*headings: str, numbers: Iterable[str] = ()) -> Table:
    """An empty table.

    Args:
        headings: The headings of its columns.
        numbers: Those whose columns hold numbers, which stand at the right.
    """
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    right = set(numbers)
    for heading in headings:
        first = heading == headings[0]  # names what the row is about, and is copied from there
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold", no_wrap=first)
    return made


def plain(words: object, style: str = "") -> Text:
    """Words as they are: square brackets in them are no markup, and a terminal finds nothing in them to obey."""
    return Text(harmless(str(words)), style=style)


def harmless(words: str) -> str:
    """Words without control characters: the names of columns come from files of others."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in words
    )
