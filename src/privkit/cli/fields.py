"""`privkit fields`: the catalogue of field types."""

from __future__ import annotations

import json

import click

from privkit.cli.screen import console, plain, table
from privkit.fields.registry import CATALOGUE
from privkit.transforms.stand_ins import KINDS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def fields(*, as_json: bool) -> None:
    """List the field types: the names that a policy may use.

    Levels are those of the type itself; the level `hierarchy` every type has.
    """
    if as_json:
        told = [
            {
                "name": field.name,
                "title": field.title,
                "title_zh": field.title_zh,
                "category": field.category.value,
                "sensitivity": field.sensitivity.value,
                "basis": field.basis,
                "releasable": field.releasable,
                "masks": sorted(field.masks),
                "levels": sorted(field.levels),
                "format_preserving": field.layouts is not None,
                "surrogate": field.name in KINDS,
            }
            for field in CATALOGUE.values()
        ]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    shown = table("type", "title", "category", "sensitivity", "levels")
    for field in CATALOGUE.values():
        shown.add_row(
            plain(field.name, "bold"),
            plain(f"{field.title}, {field.title_zh}"),
            field.category.value,
            field.sensitivity.value if field.releasable else "never released",
            plain(" ".join(sorted(field.own_levels))),
        )
    console().print(shown)
