"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FILE: Final = click.Path(path_type=Path)
"""The type of a parameter that names a file."""

source = click.argument("source", metavar="IN", type=FILE)
"""The file that is read."""

encoding = click.option("--encoding", default="utf-8", help="The text encoding of a CSV file that is read.")


def language(known: Iterable[str], of: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The language of what is said.

    Args:
        known: The languages.
        of: What is said in it.
    """
    return click.option("--language", type=click.Choice([*known]), default="en", help=f"The language of the {of}.")


def force(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Leave to replace files.

    Args:
        what: Which files, and when.
    """
    return click.option("--force", is_flag=True, help=f"Replace {what}.")
