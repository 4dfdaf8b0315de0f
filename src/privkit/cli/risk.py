"""`privkit risk`: how well the people of a table are hidden."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.hierarchies.hierarchy import Hierarchy
from privkit.anonymity.measuring.gbt42460 import THRESHOLDS
from privkit.anonymity.measuring.measurement import check_roles, measure
from privkit.anonymity.measuring.words import LANGUAGES
from privkit.cli import options as shared
from privkit.cli.progress import progress_bar
from privkit.cli.risk_screen import show
from privkit.errors import TableError
from privkit.policy.files import open_source
from privkit.policy.files.landing import Landing
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from privkit.anonymity.measuring.measurement import Measurement
    from privkit.policy.files import Source


def _names(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _pairs(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """COLUMN=SOMETHING, as often as it is given."""
    split = [value.partition("=") for value in values]
    if not all(name and mark and word for name, mark, word in split):
        raise click.BadParameter("write COLUMN=" + (option.human_readable_name.upper()), param=option)
    return {name: word for name, _, word in split}


@click.command()
@shared.source
@click.option("--quasi", required=True, callback=_names, metavar="A,B,C", help="The quasi-identifiers.")
@click.option("--sensitive", default="", callback=_names, metavar="S,T", help="The sensitive columns.")
@click.option("--identifiers", default="", callback=_names, metavar="X,Y", help="Direct identifiers that are in IN.")
@click.option("--release", type=click.Choice([*THRESHOLDS]), default="public", help="How it is released.")
@click.option("--population", type=shared.FILE, help="A file of the people that IN was drawn from.")
@click.option("--population-size", type=click.IntRange(min=1), help="How many people those are.")
@click.option(
    "--hierarchy", "hierarchies", multiple=True, callback=_pairs, metavar="COLUMN=FILE",
    help="The hierarchy of a column, one value a line: value;label;...;*",
)  # fmt: skip
@click.option(
    "--distance", "distances", multiple=True, callback=_pairs, metavar="COLUMN=DISTANCE",
    help="The distance of t-closeness: equal, ordered (by number) or hierarchical.",
)  # fmt: skip
@click.option("--json", "json_file", type=shared.FILE, metavar="FILE", help="Write the measurement as JSON.")
@click.option("--html", "html_file", type=shared.FILE, metavar="FILE", help="Write the report as one HTML page.")
@shared.language(LANGUAGES, "report")
@shared.encoding
@shared.force("files that exist")
@click.option("--quiet", is_flag=True, help="Show nothing; for use with --json and --html.")
def risk(
    *,
    source: Path,
    quasi: tuple[str, ...],
    sensitive: tuple[str, ...],
    identifiers: tuple[str, ...],
    release: str,
    population: Path | None,
    population_size: int | None,
    hierarchies: dict[str, str],
    distances: dict[str, str],
    json_file: Path | None,
    html_file: Path | None,
    language: str,
    encoding: str,
    force: bool,
    quiet: bool,
) -> None:
    """Measure how well the people in IN are hidden; IN is not changed.

    Says k, l and t, the risk of re-identification, and the level of GB/T 42460-2023. A table that `privkit apply` wrote
    is what to measure, with the columns by which its reader may know somebody as quasi-identifiers.
    """
    spared = [path for path in (source, population, *map(Path, hierarchies.values())) if path]
    landings = {
        path: Landing(path, force=force, apart_from=(*spared, *others))
        for path, others in ((json_file, [html_file] if html_file else []), (html_file, []))
        if path
    }
    check_roles(quasi, sensitive, identifiers)
    ladders = {name: Hierarchy.from_file(path) for name, path in hierarchies.items()}
    people = _counted(population, quasi, (), (), encoding=encoding, quiet=quiet) if population else None
    found = measure(
        _counted(source, quasi, sensitive, identifiers, encoding=encoding, quiet=quiet),
        quasi,
        sensitive,
        identifiers=identifiers,
        release=release,
        population=people,
        population_size=population_size,
        hierarchies=ladders,
        distances=distances,
    )
    if html_file:
        landings[html_file].write(_page(found, language, source))
    if json_file:
        landings[json_file].write(_json(found, source, population))
    if not quiet:
        show(found, source=source, written=[path for path in (html_file, json_file) if path])


def _counted(
    path: Path,
    quasi: Sequence[str],
    sensitive: Sequence[str],
    identifiers: Sequence[str],
    *,
    encoding: str,
    quiet: bool,
) -> FrequencySet:
    """The frequency set of a file, counted as a stream."""
    with open_source(path, encoding=encoding) as opened:
        for name in (*quasi, *sensitive, *identifiers):
            if name not in opened.names:
                raise TableError(f"{path} has no column {name!r}{nearest(name, opened.names)}")
        with progress_bar(path.name, quiet=quiet) as advance:
            return FrequencySet.of_batches(
                _batches(opened, [*dict.fromkeys((*quasi, *sensitive))], advance), quasi, sensitive
            )


def _batches(
    source: Source, columns: Sequence[str], advance: Callable[[int, float], None]
) -> Generator[Any, None, None]:
    rows = 0
    for batch in source.batches(columns):
        rows += batch.num_rows
        yield batch
        advance(rows, source.fraction())


def _page(found: Measurement, language: str, source: Path) -> str:
    from privkit.anonymity.measuring.report import html_report  # noqa: PLC0415 - it draws, which takes a while to import

    subject = f"{source.name}, {_today()}, privkit {version('privkit')}"
    return html_report(found, language=language, subject=subject)


def _today() -> str:
    return datetime.now(UTC).astimezone().date().isoformat()


def _json(found: Measurement, source: Path, population: Path | None) -> str:
    where = {
        "privkit": version("privkit"),
        "measured": _today(),
        "input": str(source),
        "population": str(population) if population else None,
    }
    return json.dumps({**where, **found.as_dict()}, ensure_ascii=False, indent=2) + "\n"
