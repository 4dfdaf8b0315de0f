"""Find the line of a TOML document in which something is said, by its path.

TOML can say the same thing in several ways: `[views.a.fields]` and `b = "token"`, or `[views]` and
`a.fields = { b = "token" }`. The scan knows headers and keys, dotted and quoted ones too, and remembers the first line
of every path it passes. What stands inside an inline table is found at that table's line. It looks for lines in
documents that `tomllib` has read, and so need not know what is valid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORD: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED: Final = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*(?P<path>{_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(rf"\s*(?P<path>{_DOTTED})\s*=\s*(?P<value>.*)$")
_FENCES: Final = ('"""', "'''")


def line_of(text: str, path: Sequence[str]) -> int:
    """Find where something is said.

    Args:
        text: A TOML document.
        path: The keys that lead to it, such as `("views", "analytics", "fields", "mobile")`.

    Returns:
        The line from 1 of the longest part of the path that the text says, or 0 where it says none.

    Example:
        >>> line_of("[fields.mobile] # a comment", ["fields", "mobile", "type"])
        1
    """
    lines: dict[tuple[str, ...], int] = {}
    for number, said in _said(text):
        for length in range(1, len(said) + 1):
            lines.setdefault(said[:length], number)
    wanted = tuple(path)
    return next((lines[wanted[:length]] for length in range(len(wanted), 0, -1) if wanted[:length] in lines), 0)


def _said(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Go over the lines that say something: their numbers and paths."""
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:  # inside a text of several lines
            fence = "" if fence in line else fence
        elif header := _HEADER.match(line):
            table = _words(header["path"])
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_words(key["path"]))
            fence = next((mark for mark in _FENCES if key["value"].count(mark) == 1), "")


def _words(dotted: str) -> tuple[str, ...]:
    return tuple(_unquoted(word) for word in re.findall(_WORD, dotted))


def _unquoted(word: str) -> str:
    if word[0] == '"':
        return re.sub(
            r"\\(.)", r"\1", word[1:-1]
        )  # enough for quotes and backslashes; other escapes cost the line only
    return word[1:-1] if word[0] == "'" else word
