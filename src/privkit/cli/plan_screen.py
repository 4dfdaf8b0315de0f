"""What anonymising cost and reached, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privkit.cli.screen import plain, table

if TYPE_CHECKING:
    from rich.console import Console

    from privkit.anonymity.plan import Plan


def show_plan(screen: Console, plan: Plan) -> None:
    """Print what a plan reached.

    Args:
        screen: Where to.
        plan: The plan of what was written.
    """
    found, asked = plan.report, plan.requirements
    screen.print()
    screen.print(
        plain(
            f"anonymised ({plan.shape.recoding}, {plan.shape.output}): k = {found.k:,} (asked: {asked.k:,}), "
            f"{found.records - found.suppressed:,} records in {found.classes:,} classes, of {found.largest:,} at most",
            "bold",
        )
    )
    reasons = ", ".join(f"{count:,} {why}" for why, count in found.reasons.items())
    screen.print(plain(f"{found.suppressed:,} records dropped" + (f": {reasons}" if reasons else "")))
    _losses(screen, plan)
    if found.sensitive:
        _sensitive(screen, plan)


def _losses(screen: Console, plan: Plan) -> None:
    levels = plan.generalisations
    shown = table("quasi-identifier", *(["level"] if levels else []), "loss", numbers=("loss",))
    for name, loss in plan.report.losses.items():
        shown.add_row(plain(name), *([plain(levels[name])] if levels else []), f"{loss:.1%}")
    screen.print(shown)
    screen.print(plain(f"{plan.report.gcp:.1%} of all detail is lost (0 %: unchanged, 100 %: all is *)", "dim"))


def _sensitive(screen: Console, plan: Plan) -> None:
    asked = plan.requirements
    said = [f"{asked.diversity} l = {asked.l}"] if asked.l > 1 else []
    said += [f"t = {asked.t:g}"] if asked.t is not None else []
    shown = table("sensitive", "l", "entropy l", "t", numbers=("l", "entropy l", "t"))
    for name, reached in plan.report.sensitive.items():
        shown.add_row(plain(name), f"{reached.l:,}", f"{reached.entropy_l:.2f}", f"{reached.t:.3f}")
    screen.print(shown)
    screen.print(plain(f"asked of each: {', '.join(said)}", "dim"))
