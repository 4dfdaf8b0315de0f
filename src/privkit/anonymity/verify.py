"""Looking at what was written: whether it meets what was asked, counted from the output itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.measuring.presence import against_people, class_sizes, match
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.presence import within
from privkit.errors import Unmet

if TYPE_CHECKING:
    from privkit.anonymity.plan import Plan


def verify(plan: Plan, written: FrequencySet) -> None:
    """Refuse an output that does not meet its plan's models.

    t is the distance from the whole table as it was, and from the output itself as who reads it sees it; a delta is
    counted in the plan's population as `measure` counts it, from what is written.

    Args:
        plan: What was to be written.
        written: The counts of the output, over the plan's columns.

    Raises:
        Unmet: If there are other records than the plan's, or a class of them does not meet the models.
    """
    kept = plan.report.records - plan.report.suppressed
    if written.records != kept:
        raise Unmet(f"the output has {written.records} records where the plan has {kept}; fit the table again")
    found = _in_domains_of(plan, written)
    sizes = np.add.reduceat(found.counts, found.starts)
    tuples = np.arange(len(sizes))
    by_itself = plan.requirements.models(written, plan.sensitive)
    bad = ~Diversity(found, plan.models).meets(sizes, tuples, tuples)
    bad |= ~Diversity(written, by_itself).meets(sizes, tuples, tuples)
    if bad.any():
        raise Unmet(
            f"{int(bad.sum())} of {len(sizes)} classes of the output do not meet the models (the smallest has "
            f"{int(sizes.min())} records, k is {plan.requirements.k}); fit the table again"
        )
    _verify_presence(plan, written)


def _verify_presence(plan: Plan, written: FrequencySet) -> None:
    asked, people = plan.requirements.delta, plan.population
    if asked is None:
        return
    if people is None:
        raise Unmet("the plan asks a delta, and its population is not known; load it with population=")
    inside, matched = match(written, people, plan.hierarchies)
    found = against_people(class_sizes(written), inside, people, matched)
    chances = np.array([found.delta_min, found.delta_max], np.float64)
    if not within(chances, asked).all():
        raise Unmet(
            f"people of the population have chances from {chances[0]:.4g} to {chances[1]:.4g} to be in the output "
            f"(delta allows {asked[0]:g} to {asked[1]:g}); fit the table again"
        )


def _in_domains_of(plan: Plan, written: FrequencySet) -> FrequencySet:
    """The same counts, their sensitive values numbered as those of the plan's table."""
    quasi = len(written.quasi)
    codes = written.codes.copy()
    for row, (was, now) in enumerate(zip(plan.frequency.sensitive, written.sensitive, strict=True), quasi):
        own = was.codes_of(now)
        if (own < 0).any():
            raise Unmet(f"column {was.name!r} of the output has values that the table had not; fit the table again")
        codes[row] = own[codes[row]]
    return FrequencySet(written.quasi, plan.frequency.sensitive, codes, written.counts)
