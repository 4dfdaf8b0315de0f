"""Where the command line prints: consoles, and tables that fit them."""

from __future__ import annotations

import sys
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderResult

_UNBOUNDED: Final = 1 << 16
"""The columns of a pipe or a file: a row is a line there, so that `grep` and `cut` find it whole."""
_LONGEST_WORD: Final = 24
"""A longer word may be broken where a table is too wide."""
_MOST_LINES: Final = 4
"""A table of taller cells is harder to read than paragraphs."""
_GAP: Final = 2


def console(*, stderr: bool = False) -> Console:
    """A console; into a pipe or a file it writes lines of any length and no colours."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _UNBOUNDED)


class FittedTable(Table):
    """A table in which words stay whole.

    Where the screen is narrower than the table, cells are wrapped between words, the widest columns first. Where it is
    narrower still, a row becomes a paragraph that names its cells.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay the table out for a screen; the signature is rich's."""
        widths = self._fitting(console, options)
        if widths is None:
            yield from self._paragraphs(console)
            return
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _fitting(self, console: Console, options: ConsoleOptions) -> list[int] | None:
        """The widths of the columns, or `None` where they cannot be so narrow."""
        wide = options.update(width=_UNBOUNDED)
        least, most = [], []
        for column in self.columns:
            cells = [console.measure(cell, options=wide) for cell in (column.header, *column.cells)]
            most.append(max(cell.maximum for cell in cells))
            longest = max(min(cell.minimum, _LONGEST_WORD) for cell in cells)
            least.append(most[-1] if column.no_wrap else longest)
        room = options.max_width - _GAP * (len(self.columns) - 1)
        for widest in range(max(most, default=0), 0, -1):
            widths = [max(low, min(high, widest)) for low, high in zip(least, most, strict=True)]
            if sum(widths) <= room:
                tall = any(high > _MOST_LINES * width for high, width in zip(most, widths, strict=True))
                return None if tall else widths
        return None

    def _paragraphs(self, console: Console) -> Iterable[Text]:
        headings = [str(column.header) for column in self.columns]
        for row in zip(*(column.cells for column in self.columns), strict=True):
            first, *others = (cell if isinstance(cell, Text) else console.render_str(str(cell)) for cell in row)
            yield first
            for line in zip_longest(*(cell.split("\n") for cell in others)):
                named = [
                    Text.assemble((f"{heading} " if heading else "", "dim"), words)
                    for heading, words in zip(headings[1:], line, strict=True)
                    if words
                ]
                yield from _indented(Text(", ").join(named), console)


def _indented(words: Text, console: Console) -> Iterable[Text]:
    for line in words.wrap(console, max(console.width - _GAP, 1)):
        yield Text.assemble(" " * _GAP, line)


def table(*headings: str, numbers: Iterable[str] = ()) -> FittedTable:
    """An empty table.

    Args:
        headings: The headings of its columns.
        numbers: Those whose columns hold numbers, which stand at the right.
    """
    made = FittedTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
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
