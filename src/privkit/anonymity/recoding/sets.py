"""Local recoding to ranges and value sets: cut from the top, then improve the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.boxes import Space
from privkit.anonymity.recoding.cuts import Records, cut
from privkit.anonymity.recoding.improve import improve
from privkit.anonymity.recoding.recoding import Recoding
from privkit.anonymity.recoding.resplit import resplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.models.privacy import Models

EFFORTS: Final = {
    "strict": (0, ()),
    "normal": (14, ((4, 5),)),
    "thorough": (10, ((6, 2), (3, 2)) * 8),
}
"""Rounds of improvement, and then for each re-split the classes in a pool and the rounds that follow."""

_SINGLY: Final = 500_000
"""Records up to which each is moved for itself; of more, those of one cell move together."""

_MANY: Final = 100_000
_QUICK: Final = (4, ())
"""What is done of `normal` for more records than `_MANY`: there is less to gain where there are more neighbours."""

_TOO_MANY: Final = 2_000_000
"""Cells beyond which tuples that meet the models by themselves are set apart also where sensitive values are asked of:
it saves time, and leaves too few rare values to the rest."""

_SEED: Final = 20_231  # any fixed number: results must not change from run to run


def recode_to_sets(
    frequency: FrequencySet,
    models: Models,
    weights: Sequence[float],
    effort: str,
    progress: Callable[[float], None],
) -> Recoding:
    """Find ranges and sets for all records such that every class meets the models.

    Args:
        frequency: The table's counts; taken all together they meet the models.
        models: What every class has to meet.
        weights: How much the loss of each attribute counts.
        effort: One of `EFFORTS`.
        progress: Is told the share of the work that is done.
    """
    space = Space(frequency.quasi, weights)
    codes = frequency.codes[: len(frequency.quasi)]
    everything = Records(space, codes, space.boxes(codes), frequency.counts, frequency.codes[len(codes) :], models)
    if models.sensitive and len(frequency.counts) <= _TOO_MANY:  # their rare values are needed by the others
        classes, rest = np.zeros(len(frequency.counts), np.intp), np.ones(len(frequency.counts), bool)
    else:
        classes, rest = _alone(frequency, models)
    cells = np.flatnonzero(rest)
    records = everything.take(cells)
    found = cut(records, np.zeros(len(cells), np.intp)) if len(cells) else np.zeros(0, np.intp)
    progress(0.3)
    if effort != "strict" and len(cells):
        if int(records.weights.sum()) <= _SINGLY:
            single = np.repeat(np.arange(len(cells)), records.weights)
            records, found, cells = _ones(records, single), found[single], cells[single]
        for share, better in _improved(records, found, effort):
            found = better
            progress(0.3 + 0.7 * share)
    out = np.flatnonzero(~rest)
    offset = int(classes[out].max(initial=-1)) + 1
    return Recoding.of_classes(
        frequency,
        np.concatenate([out, cells]),
        np.concatenate([frequency.counts[out], records.weights]),
        np.concatenate([classes[out], found + offset]),
        space.ordered,
    )


def _alone(frequency: FrequencySet, models: Models) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Tuples that are classes by themselves: the class of each cell, and which cells are left.

    If what is left does not meet the models, the tuples nearest to it in order are left with it until it does.
    """
    tuples = np.arange(len(frequency.starts))
    sizes = np.add.reduceat(frequency.counts, frequency.starts)
    diversity = Diversity(frequency, models)
    alone = diversity.meets(sizes, tuples, tuples)
    if not alone.all():
        taken = np.flatnonzero(alone)
        step = 1
        while not _meets(diversity, sizes, tuples[~alone]):
            alone[taken[:step]] = False
            step *= 4
    numbers = np.cumsum(alone) - 1
    return numbers[frequency.tuple_of], ~alone[frequency.tuple_of]


def _meets(diversity: Diversity, sizes: NDArray[np.int64], tuples: NDArray[np.intp]) -> bool:
    return bool(diversity.meets(sizes[tuples].sum(keepdims=True), tuples, np.zeros(1, np.intp))[0])


def _ones(records: Records, single: NDArray[np.intp]) -> Records:
    many = records.take(single)
    return Records(many.space, many.codes, many.boxes, np.ones(len(single), np.int64), many.sensitive, many.models)


def _improved(records: Records, classes: NDArray[np.intp], effort: str) -> Iterator[tuple[float, NDArray[np.intp]]]:
    rng = np.random.default_rng(_SEED)
    rounds, pools = EFFORTS[effort]
    if len(records) > _MANY and effort != "thorough":
        rounds, pools = _QUICK
    classes = improve(records, classes, rounds, rng)
    yield 1 / (len(pools) + 1), classes
    for number, (pool, after) in enumerate(pools, 2):
        classes = improve(records, resplit(records, classes, pool, rng), after, rng)
        yield number / (len(pools) + 1), classes
