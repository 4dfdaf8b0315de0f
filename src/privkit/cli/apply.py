"""`privkit apply` and `privkit reveal`: a view over a file, in the two directions."""

from __future__ import annotations

from glob import escape
from typing import TYPE_CHECKING, Any

import click

from privkit.anonymity.plan import Plan
from privkit.cli import options as shared
from privkit.cli import summary as summaries
from privkit.cli.keyrings import KEK_HELP, open_keyring
from privkit.cli.progress import progress_bar
from privkit.errors import InvalidParameter
from privkit.policy import Policy
from privkit.policy.files import open_sink, open_source
from privkit.policy.files.landing import Landing
from privkit.policy.stream import apply_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from privkit.policy.view import Direction


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both commands take."""
    for decorate in (
        click.argument("policy", type=shared.FILE),
        shared.source,
        click.argument("target", metavar="OUT", type=shared.FILE),
        click.option("--view", required=True, help="The view of the policy."),
        click.option(
            "--keyring", type=shared.FILE, help="The keyring's file; not needed where the view works without."
        ),
        click.option("--kek", help=KEK_HELP),
        shared.force("OUT, and the report, where they exist"),
        shared.encoding,
        click.option("--output-encoding", default="utf-8", help="The text encoding of a CSV file that is written."),
        click.option("--report", type=shared.FILE, help="Write the summary to this file as JSON."),
        click.option("--quiet", is_flag=True, help="Show neither progress nor summary."),
    )[::-1]:
        command = decorate(command)
    return command


@click.command()
@_options
@click.option(
    "--plan", "known", type=shared.FILE, metavar="FILE",
    help="Keep the levels of a saved plan (of a view with full-domain anonymity), if IN meets its models at them.",
)  # fmt: skip
@click.option(
    "--save-plan", type=shared.FILE, metavar="FILE",
    help="Save how the records were generalised. It holds values of IN in the clear: keep it as you keep IN.",
)  # fmt: skip
def apply(**options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Protect a file: give of IN what VIEW of POLICY gives, in OUT.

    Files are CSV (also .tsv, .csv.gz, .tsv.gz) or Parquet, by their ending, and may be of any length. OUT is there
    wholly or not at all; where VIEW has anonymity, IN is read twice, and OUT is there only if it meets what is asked.
    """
    _run("protect", **options)


@click.command()
@_options
def reveal(**options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Undo `apply` where the transforms of VIEW can be undone; other columns stay as they are.

    IN is what `apply` wrote with the same policy, view and keyring, or some of its rows and columns.
    """
    _run("reveal", **options)


def _run(
    direction: Direction,
    *,
    policy: Path,
    source: Path,
    target: Path,
    view: str,
    keyring: Path | None,
    kek: str | None,
    force: bool,
    encoding: str,
    output_encoding: str,
    report: Path | None,
    quiet: bool,
    known: Path | None = None,
    save_plan: Path | None = None,
) -> None:
    loaded = Policy.load(policy)
    bound = loaded.view(view, open_keyring(keyring, kek) if keyring else None)
    if bound.anonymising is None and (known or save_plan):
        raise InvalidParameter(f"view {view!r} has no anonymity, and so no plan; leave --plan and --save-plan away")
    spared = [policy, *(_with_its_key(keyring) if keyring else []), *([known] if known else [])]
    spared += (file for one in loaded.views.values() for file in one.files)
    plan = Plan.load(known) if known else None
    with open_source(source, encoding=encoding) as opened:
        sink = open_sink(target, like=opened, force=force, encoding=output_encoding, apart_from=spared)
        landing = Landing(report, force=force, apart_from=(*spared, source, target)) if report else None
        others = (*spared, source, target, *([report] if report else []))
        saving = Landing(save_plan, force=force, apart_from=others) if save_plan else None
        with progress_bar(view, quiet=quiet) as advance:
            done = apply_file(bound, opened, sink, direction=direction, progress=advance, plan=plan)
    if saving and done.plan:
        saving.write(done.plan.dumps())
    if landing:
        summaries.write_report(landing, done, view=view, policy=policy, input=source, output=target)
    if not quiet:
        summaries.show(done, view=view, target=target, revealed=bound.reversible)


def _with_its_key(keyring: Path) -> list[Path]:
    """A keyring's file and those that go with it, above all the key that it is wrapped by."""
    return [keyring, *keyring.parent.glob(f"{escape(keyring.name)}.*")]
