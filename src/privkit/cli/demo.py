"""`privkit demo`: the whole way once, on a made-up export, with something to look at."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privkit.cli.before_after import show_view
from privkit.cli.progress import progress_bar
from privkit.cli.screen import console, plain, table
from privkit.errors import TableError
from privkit.keys import Keyring
from privkit.policy import Policy
from privkit.policy.files import open_sink, open_source
from privkit.policy.stream import apply_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privkit.policy.stream import Summary


@dataclass(frozen=True, slots=True)
class _Folder:
    """What stands where in the demo's folder.

    Attributes:
        path: The folder.
        ending: The ending of the tables in it.
    """

    path: Path
    ending: str

    @property
    def policy(self) -> Path:
        """The policy."""
        return self.path / "policy.toml"

    @property
    def keyring(self) -> Path:
        """The keyring."""
        return self.path / "keyring.json"

    def table(self, name: str) -> Path:
        """The export, or what a view gives of it."""
        return self.path / f"{name}.{self.ending}"


@click.command()
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(1), help="Rows of the export.")
@click.option(
    "--format", "ending", default="parquet", show_default=True, type=click.Choice(["parquet", "csv"]), help="Its kind."
)
@click.option("--seed", default=0, show_default=True, help="Another seed gives other people.")
@click.option(
    "--dirty", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="The share of cells to malform."
)
@click.option(
    "--out", default="privkit-demo", show_default=True, type=click.Path(path_type=Path), help="The folder to write to."
)
@click.option("--force", is_flag=True, help="Write the folder anew where it exists; its keyring is kept.")
def demo(*, rows: int, ending: str, seed: int, dirty: float, out: Path, force: bool) -> None:
    """Make up an online shop's export, and protect it under each view of an example policy.

    Everyone in it is made up. With --dirty some cells are malformed, as in real exports; the policy makes them null.
    """
    from privkit.demo import export  # noqa: PLC0415 - it needs an extra of its own

    folder = _Folder(out, ending)
    _prepare(folder, force=force)
    with progress_bar("export") as advance:
        export.write(
            folder.table("export"), rows, seed=seed, dirty=dirty, progress=lambda done: advance(done, done / rows)
        )
    policy = Policy.load(folder.policy)
    keys = Keyring.open(folder.keyring) if folder.keyring.exists() else Keyring.create(folder.keyring)
    summaries = {view: _apply(folder, policy, view, keys) for view in policy.views}
    for view in policy.views:
        show_view(policy, view, folder.table("export"), folder.table(view))
    _show_summaries(summaries)
    _show_next(folder)


def _prepare(folder: _Folder, *, force: bool) -> None:
    """Make the folder with the policy in it."""
    if not force and (folder.policy.exists() or folder.keyring.exists()):
        raise TableError(
            f"{folder.path} has a demo in it already, which stays as it is; write it anew with --force, "
            "or another one with --out FOLDER"
        )
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.policy.write_bytes(files("privkit.demo").joinpath("policy.toml").read_bytes())


def _apply(folder: _Folder, policy: Policy, view: str, keys: Keyring) -> Summary:
    with open_source(folder.table("export")) as source:
        sink = open_sink(folder.table(view), like=source, force=True)
        with progress_bar(view) as advance:
            return apply_file(policy.view(view, keys), source, sink, progress=advance)


def _show_summaries(summaries: Mapping[str, Summary]) -> None:
    shown = table(*_HEADINGS, numbers=_HEADINGS[1:])
    for view, summary in summaries.items():
        reports = summary.columns.values()
        shown.add_row(
            plain(view, "bold"),
            f"{summary.rows:,}",
            str(len(reports)),
            str(len(summary.dropped)),
            f"{sum(report.nulls for report in reports):,}",
            f"{sum(report.invalid for report in reports):,}",
            f"{summary.seconds:.1f}",
            f"{summary.rows / max(summary.seconds, 1e-9):,.0f}",
        )
    screen = console()
    screen.print(shown)
    malformed = {
        name: report.invalid
        for summary in summaries.values()
        for name, report in summary.columns.items()
        if report.invalid
    }
    if malformed:
        counts = ", ".join(f"{name} {count:,}" for name, count in malformed.items())
        screen.print(plain(f"\nMalformed cells, made null as the policy says: {counts}."))


_HEADINGS = ("view", "rows", "columns", "dropped", "nulls", "invalid", "seconds", "rows/s")


def _show_next(folder: _Folder) -> None:
    """Say what was written, and what to try on it."""
    other = "csv" if folder.ending == "parquet" else "parquet"
    program = _program(folder.path)
    policy, keyring = folder.policy.name, ["--keyring", folder.keyring.name]
    apply = [policy, "--view", "analytics", *keyring, folder.table("export").name, f"again.{other}"]
    service, revealed = folder.table("customer_service").name, folder.table("revealed").name
    reveal = [policy, "--view", "customer_service", *keyring, service, revealed]
    lines = [
        "",
        f"Written to {folder.path}: the export, what each view gives of it, the policy, and a keyring.",
        "",
        "Protect the export again, into another kind of file:",
        f"  cd {shlex.quote(str(folder.path))}",
        f"  {program} apply {shlex.join(apply)}",
        "",
        "Undo there what customer service may undo:",
        f"  {program} reveal {shlex.join(reveal)}",
        "",
        f"Then change {policy}, and see what a view gives. The types of fields are listed by",
        f"  {program} fields",
    ]
    screen = console()
    for line in lines:
        if line.startswith(" "):
            click.echo(line)  # never wrapped, so that it can be copied
        else:
            screen.print(plain(line))


def _program(folder: Path) -> str:
    """How this program was called, so that it can be called so again from a folder."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{_shortest(Path(sys.executable), folder)} -m privkit"
    return _shortest(called, folder) if called.name == "privkit" else "privkit"


def _shortest(program: Path, folder: Path) -> str:
    """A program by its name alone where the shell finds it so; otherwise its path, from a folder or the root."""
    found = shutil.which(program.name)
    if found and Path(found).absolute() == program.absolute():
        return shlex.quote(program.name)
    # Links in the folders of both are followed, as `..` does; the program itself may be one that must be called so.
    place = program.parent.resolve() / program.name
    return shlex.quote(min(str(place), os.path.relpath(place, folder.resolve()), key=len))
