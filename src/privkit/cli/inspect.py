"""`privkit inspect`: what the columns of a file are, proposed as a policy to edit."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import click

from privkit.cli import options as shared
from privkit.cli.screen import console, plain, table
from privkit.policy import Policy
from privkit.policy.files.landing import Landing
from privkit.policy.inspect import inspect_file
from privkit.policy.inspect.inspection import SAMPLE_ROWS
from privkit.policy.inspect.reasons import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from privkit.policy.inspect import Inspection

_STYLES: Final = {"high": "", "medium": "yellow", "low": "bold red"}


@click.command()
@shared.source
@click.option("--out", "target", type=shared.FILE, metavar="POLICY", help="Write the policy to this file.")
@click.option("--rows", type=click.IntRange(min=1), default=SAMPLE_ROWS, help="How many rows to look at.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@shared.language(LANGUAGES, "reasons")
@shared.encoding
@shared.force("POLICY where it exists")
def inspect(
    *, source: Path, target: Path | None, rows: int, as_json: bool, language: str, encoding: str, force: bool
) -> None:
    """Propose a field type for each column of IN, from its name and a sample of its values.

    Writes a policy to edit, in which nothing is given away until you decide: to POLICY, or to stdout where that is no
    terminal. Values of IN are shown nowhere.
    """
    landing = Landing(target, force=force, apart_from=(source,)) if target else None
    found = inspect_file(source, rows=rows, encoding=encoding)
    draft = found.to_toml()
    Policy.loads(draft)  # what does not load is not written
    if landing:
        landing.write(draft)
    if as_json:
        click.echo(json.dumps({"privkit": version("privkit"), **found.as_dict()}, ensure_ascii=False, indent=2))
        return
    piped = landing is None and not sys.stdout.isatty()
    screen = console(stderr=piped)
    _show(screen, found, language)
    if piped:
        click.echo(draft, nl=False)
    elif target:
        screen.print(plain(f"written to {target}: every field is dropped until you decide"))
    else:
        screen.print(plain("--out POLICY writes this as a policy to edit, in which every field is dropped", "dim"))


def _show(screen: Console, found: Inspection, language: str) -> None:
    screen.print(plain(f"{found.subject}: {found.rows:,} rows looked at, {len(found.proposals):,} columns", "bold"))
    shown = table("column", "type", "title", "confidence", "why")
    for proposal in found.proposals:
        shown.add_row(
            plain(proposal.column),
            proposal.type.name,
            f"{proposal.type.title}, {proposal.type.title_zh}",
            plain(proposal.level, _STYLES[proposal.level]),
            plain(proposal.reason(language)),
        )
    screen.print(shown)
