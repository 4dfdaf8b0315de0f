"""What `privkit risk` prints: a measurement as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privkit.cli.screen import console, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from privkit.anonymity.measuring.measurement import Measurement

_LEVELS = {
    1: "direct identifiers are in the table",
    2: "no direct identifiers, but the risk is above the threshold",
    3: "no direct identifiers, and the risk is not above the threshold",
}


def show(found: Measurement, *, source: Path, written: Iterable[Path] = ()) -> None:
    """Print a measurement.

    Args:
        found: The measurement.
        source: The file that was measured.
        written: Files that were written.
    """
    screen = console()
    grade = found.grade
    screen.print(
        plain(f"{source.name}: {found.records:,} records in {found.classes:,} classes, k = {found.k:,}", "bold")
    )
    screen.print(
        plain(f"GB/T 42460-2023: level {grade.level}, {_LEVELS[grade.level]}", "" if grade.level > 2 else "bold red")  # noqa: PLR2004 - from level 3 on the threshold is met
    )
    screen.print(
        plain(
            f"declared: {grade.release} release (threshold {grade.threshold}), quasi-identifiers "
            f"{', '.join(grade.quasi_identifiers)}; direct identifiers {', '.join(grade.identifiers) or 'none'}",
            "dim",
        )
    )
    screen.print()
    _attackers(screen, found)
    _quasi(screen, found)
    _sensitive(screen, found)
    _population(screen, found)
    for path in written:
        screen.print(plain(f"written to {path}"))


def _attackers(screen: Console, found: Measurement) -> None:
    risk = found.risk
    shown = table(
        "attacker", "highest", "average", "above the threshold", numbers=("highest", "average", "above the threshold")
    )
    for name, attack in (("prosecutor", risk.prosecutor), ("journalist", risk.journalist), ("marketer", risk.marketer)):
        count = "" if attack.at_risk is None else f"{attack.at_risk:,} ({attack.at_risk / found.records:.1%})"
        shown.add_row(name, f"{attack.highest:.4g}", f"{attack.average:.4g}", count)
    screen.print(shown)
    screen.print(plain(f"{found.unique:,} records ({found.unique / found.records:.1%}) are alone in their class"))
    if found.k < found.grade.needed_k:
        screen.print(plain(f"the threshold asks for {found.grade.needed_k:,} records in every class"))


def _quasi(screen: Console, found: Measurement) -> None:
    if len(found.quasi) == 1:
        return
    numbers = ("values", "k without it", "alone without it", "above the threshold without it")
    shown = table("quasi-identifier", *numbers, numbers=numbers)
    for column in sorted(found.quasi, key=lambda column: (column.at_risk_without, column.unique_without)):
        shown.add_row(
            plain(column.column),
            f"{column.values:,}",
            f"{column.k_without:,}",
            f"{column.unique_without:,} ({column.unique_without / found.records:.1%})",
            f"{column.at_risk_without:,} ({column.at_risk_without / found.records:.1%})",
        )
    screen.print()
    screen.print(shown)


def _sensitive(screen: Console, found: Measurement) -> None:
    if not found.sensitive:
        return
    numbers = ("values", "l", "entropy l", "c at l = 2", "t", "in classes of one value")
    shown = table("sensitive", *numbers[:5], "distance", numbers[5], numbers=numbers)
    for column in found.sensitive:
        shown.add_row(
            plain(column.column),
            f"{column.values:,}",
            str(column.l),
            f"{column.entropy_l:.2f}",
            f"{column.recursive[2]:.2f}",
            f"{column.t:.3f}",
            column.distance,
            f"{column.one_valued:,} ({column.one_valued / found.records:.1%})",
        )
    screen.print()
    screen.print(shown)


def _population(screen: Console, found: Measurement) -> None:
    people = found.population
    if people is None:
        return
    screen.print()
    if people.counted:
        screen.print(
            plain(
                f"population of {people.size:,}: k-map {people.k_map:,.0f}, delta-presence from "
                f"{people.delta_min:.4g} to {people.delta_max:.4g}, {people.unknown:,} classes with fewer people "
                "than records"
            )
        )
        return
    screen.print(plain(f"population of {people.size:,} (declared): expected k-map {people.k_map:,.1f}"))
    if found.uniqueness is not None:
        for name, uniques in found.uniqueness.uniques.items():
            chosen = ", chosen" if name == found.uniqueness.chosen else ""
            said = name if name == "counted" else f"by {name}{chosen}"
            screen.print(plain(f"  unique in it, {said}: {uniques:,.0f} ({uniques / people.size:.2%})"))
