"""A second opinion on anonymised tables, in plain Python: it reads what is written, and knows nothing of how."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict


def classes(table, quasi):
    """Rows by what is written in the quasi-identifiers."""
    found = defaultdict(list)
    for row, key in enumerate(zip(*(list(table[name]) for name in quasi), strict=True)):
        found[key].append(row)
    return found


def k_of(table, quasi):
    return min(map(len, classes(table, quasi).values()))


def counts_of(table, quasi, sensitive):
    column = list(table[sensitive])
    return [Counter(column[row] for row in rows) for rows in classes(table, quasi).values()]


def distinct_of(table, quasi, sensitive):
    return min(map(len, counts_of(table, quasi, sensitive)))


def entropy_of(table, quasi, sensitive):
    def one(counts):
        total = sum(counts.values())
        return -sum(n / total * math.log(n / total) for n in counts.values())

    return min(map(one, counts_of(table, quasi, sensitive)))


def recursive_of(table, quasi, sensitive, values):
    def one(counts):
        falling = sorted(counts.values(), reverse=True)
        tail = sum(falling[values - 1 :])
        return falling[0] / tail if tail else math.inf

    return max(map(one, counts_of(table, quasi, sensitive)))


def t_of(table, quasi, sensitive, whole=None, *, ordered):
    """The greatest distance of a class from the values of the original table; of the table itself without."""
    whole = list(table[sensitive]) if whole is None else whole
    share = {value: n / len(whole) for value, n in Counter(whole).items()}
    order = sorted(share, key=lambda value: (value is None, value))
    worst = 0.0
    for counts in counts_of(table, quasi, sensitive):
        total = sum(counts.values())
        gaps = [counts.get(value, 0) / total - share[value] for value in order]
        if ordered:
            moved = carried = 0.0
            for gap in gaps:
                carried += gap
                moved += abs(carried)
            worst = max(worst, moved / max(len(order) - 1, 1))
        else:
            worst = max(worst, sum(map(abs, gaps)) / 2)
    return worst


def covered(written, values, labels=None):
    """Which of the original values a written cell stands for."""
    if written == "*":
        return set(values)
    if labels is not None and written in labels:
        return labels[written]
    if written in values:
        return {written}
    if found := re.fullmatch(r"\[(.+), (.+)\]", written):
        low, high = map(float, found.groups())
        return {value for value in values if value is not None and low <= float(value) <= high}
    if found := re.fullmatch(r"\{(.*)\}", written):
        parts = set(found[1].split(", "))
        return {value for value in values if ("null" if value is None else value) in parts}
    return {value for value in values if value is not None and str(value) == written}


def loss(covers, values):
    """The normalised certainty penalty of a cell that stands for some of the values."""
    if len(covers) == 1:
        return 0.0
    if all(isinstance(value, int | float) or value is None for value in values):
        if None in covers:
            return 1.0
        numbers = [value for value in values if value is not None]
        return (max(covers) - min(covers)) / (max(numbers) - min(numbers))
    return (len(covers) - 1) / (len(values) - 1)


def gcp_of(before, after, quasi, kept, labels=None):
    """The mean penalty over all cells of the original table; checks that each cell covers the value it stands for.

    Args:
        before: The original columns.
        after: The written columns.
        kept: For each written row, the row it was.
        labels: By column and label, the values that the label stands for.
    """
    rows = len(before[quasi[0]])
    total = float(len(quasi) * (rows - len(kept)))
    for name in quasi:
        values = set(before[name])
        cache = {}
        for row, written in zip(kept, after[name], strict=True):
            if written not in cache:
                covers = covered(written, values, (labels or {}).get(name))
                cache[written] = covers, loss(covers, values)
            covers, penalty = cache[written]
            assert before[name][row] in covers
            total += penalty
    return total / rows / len(quasi)
