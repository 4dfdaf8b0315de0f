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
    if found.delta is not None and asked.delta is not None:
        screen.print(
            plain(
                f"people of the population have chances from {found.delta[0]:.4g} to {found.delta[1]:.4g} to be in it "
                f"(asked: {asked.delta[0]:g} to {asked.delta[1]:g})"
            )
        )


def _losses(screen: Console, plan: Plan) -> None:
    levels = plan.generalisations
    shown = table("quasi-identifier", *(["level"] if levels else []), "loss", numbers=("loss",))
    for name, loss in plan.report.losses.items():
        shown.add_row(plain(name), *([plain(levels[name])] if levels else []), f"{loss:.1%}")
    screen.print(shown)
    screen.print(plain(f"{plan.report.gcp:.1%} of all detail is lost (0 %: unchanged, 100 %: all is *)", "dim"))


def _sensitive(screen: Console, plan: Plan) -> None:
    asked = plan.requirements
    constant = f", c = {asked.c:g}" if asked.diversity == "recursive" else ""
    said = [f"{asked.diversity} l = {asked.l}{constant}"] if asked.l > 1 else []
    said += [f"t = {asked.t:g}"] if asked.t is not None else []
    numbers = ("l", "entropy l", "t", *(["t of what is left"] if plan.report.suppressed else []))
    shown = table("sensitive", *numbers, numbers=numbers)
    for name, reached in plan.report.sensitive.items():
        distances = (reached.t, reached.t_released)[: len(numbers) - 2]
        shown.add_row(plain(name), f"{reached.l:,}", f"{reached.entropy_l:.2f}", *(f"{t:.3f}" for t in distances))
    screen.print(shown)
    screen.print(plain(f"asked of each: {', '.join(said)}", "dim"))
