"""A table against the population that its people come from: k-map and delta-presence.

k-map (Sweeney 2002) asks how many people of the population each record could be, delta-presence (Nergiz, Atzori and
Clifton 2007) how likely the people of the population are to be in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import combine, lengths
from privkit.anonymity.hierarchies.hierarchy import ANY
from privkit.anonymity.hierarchies.regions import Regions, lists
from privkit.anonymity.models.people import People
from privkit.anonymity.models.privacy import presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Labels

_LISTED: Final = -1
"""In the place of a level: the cell is a range or a set, and stands on none."""


@dataclass(frozen=True)
class PopulationMeasurement:
    """What a population says of a table.

    Attributes:
        size: How many people it has.
        k_map: The fewest people that a class of the table could be, of those that the population knows; where only
            the size is known, the expectation for the smallest class. `None` where the population is unknown.
        delta_min: The least chance of a person of the population to be in the table, from 0; `None` where only the
            size is known.
        delta_max: The greatest one.
        unknown: Classes of which the population knows fewer people than the table has records; it is no register of
            everybody where this is above 0. `None` where only the size is known.
        counted: Whether the population was a table, rather than a number.
    """

    size: int
    k_map: float
    delta_min: float | None
    delta_max: float | None
    unknown: int | None
    counted: bool


def against_size(sizes: NDArray[np.int64], population_size: int) -> PopulationMeasurement:
    """Measure a table as a random sample of so many people.

    Args:
        sizes: Records of each class.
        population_size: People of the population.
    """
    expected = float(sizes.min()) * population_size / float(sizes.sum())
    return PopulationMeasurement(population_size, expected, None, None, None, counted=False)


def against_people(
    sizes: NDArray[np.int64], people: NDArray[np.int64], population: FrequencySet, matched: NDArray[np.bool_]
) -> PopulationMeasurement:
    """Measure a table against a population that was counted.

    Args:
        sizes: Records of each class.
        people: People of the population in each class.
        population: The population.
        matched: Which of its tuples fall into a class.
    """
    chances = presence(sizes, people)
    return PopulationMeasurement(
        size=population.records,
        k_map=float(people.min()),
        delta_min=float(chances.min()) if matched.all() else 0.0,
        delta_max=float(chances.max()),
        unknown=int(np.count_nonzero(people < sizes)),
        counted=True,
    )


def match(
    frequency: FrequencySet, population: FrequencySet, hierarchies: Mapping[str, Hierarchy]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the people of a population that fall into each class of a table.

    Values match by their canonical text, so that a number in a CSV file is that number. A quasi-identifier with a
    hierarchy may hold labels of any of its levels, another one in each class; ranges and sets are read as
    `output="sets"` writes them. A person falls into a class where all of its cells hold their values. Classes that
    overlap, as those of local recoding may, each count all of their people.

    Args:
        frequency: The table.
        population: The population, counted over the same quasi-identifiers; not empty.
        hierarchies: The hierarchies by which the table was generalised, by quasi-identifier.

    Returns:
        The people of each class, and which tuples of the population fall into one.

    Raises:
        InvalidParameter: If a hierarchy does not cover the population.
    """
    classes = frequency.codes[: len(frequency.quasi), frequency.starts]
    pairs = list(zip(frequency.quasi, population.quasi, strict=True))
    found = [_levels(domain, own, hierarchies.get(domain.name)) for domain, own in pairs]
    levels = np.stack([level_of[row] for (level_of, _), row in zip(found, classes, strict=True)])
    listed = (levels == _LISTED).any(0)
    people = np.zeros(classes.shape[1], np.int64)
    people[~listed], matched = _joined(
        classes[:, ~listed], levels[:, ~listed], [codes for _, codes in found], population
    )
    if listed.any():
        regions = [Regions(own, hierarchies.get(domain.name)) for domain, own in pairs]
        texts = [(*domain.texts, None) for domain, _ in pairs]
        people[listed], hit = People(population).count(regions, texts, classes[:, listed])
        matched |= hit
    return people, matched


def _joined(
    classes: NDArray[np.int32],
    levels: NDArray[np.int64],
    onto: Sequence[list[NDArray[np.int64]]],
    population: FrequencySet,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The people of classes whose cells are labels of some level: for each combination of levels one join."""
    tuples = population.codes[:, population.starts]
    weights = np.add.reduceat(population.counts, population.starts)
    people = np.zeros(classes.shape[1], np.int64)
    matched = np.zeros(tuples.shape[1], bool)
    if not len(people):
        return people, matched
    vectors, member = np.unique(levels, axis=1, return_inverse=True)
    order = np.argsort(member, kind="stable")
    ends = np.cumsum(np.bincount(member, minlength=vectors.shape[1]))
    for vector, group in zip(vectors.T, np.split(order, ends[:-1]), strict=True):
        mapped = np.stack([codes[level][row] for codes, level, row in zip(onto, vector, tuples, strict=True)])
        inside = np.flatnonzero((mapped >= 0).all(0))
        sizes = np.maximum(classes.max(1, initial=0), mapped.max(1, initial=0)) + 1
        keys = combine(list(np.concatenate([classes[:, group], mapped[:, inside]], axis=1)), sizes.tolist())
        people[group], hit = _looked_up(keys[: len(group)], keys[len(group) :], weights[inside])
        matched[inside[hit]] = True
    return people, matched


def _looked_up(
    wanted: NDArray[np.int64], keys: NDArray[np.int64], weights: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The weight of each wanted key, and which of the keys are wanted. Wanted keys are distinct."""
    order = np.argsort(wanted)
    place = np.minimum(np.searchsorted(wanted[order], keys), len(wanted) - 1)
    hit = wanted[order][place] == keys
    found = np.zeros(len(wanted), np.int64)
    np.add.at(found, order[place[hit]], weights[hit])
    return found, hit


def _levels(
    domain: Domain, population: Domain, hierarchy: Hierarchy | None
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """How the labels of a column of the table relate to the values of the population.

    Returns:
        The level of each code of the table (the highest that has its label; `_LISTED` where none has it and it is
        written as a range or a set), and for each level the code of the table that each code of the population has
        there, -1 where there is none.
    """
    between: list[Labels] = []
    if hierarchy is not None:
        hierarchy.bind(population)  # checks that it covers the people
        between = hierarchy.label(population)
    own = [None] * population.null
    ladder = [population.texts, *between, [ANY] * len(population.texts)]
    codes: dict[str | None, int] = {text: code for code, text in enumerate(domain.texts)}
    if domain.null:
        codes[None] = len(domain.texts)
    known = [np.array([codes.get(label, -1) for label in [*labels, *own]], np.int64) for labels in ladder]
    known[-1][:] = codes.get(ANY, -1)  # which holds null as well
    level_of = np.array([_LISTED if lists(text) else 0 for text in domain.texts] + [0] * domain.null, np.int64)
    for level, found in enumerate(known):
        level_of[found[found >= 0]] = level
    for level, found in enumerate(known):
        found[level_of[found] != level] = -1
    return level_of, known


def class_sizes(frequency: FrequencySet) -> NDArray[np.int64]:
    """Records of each class of a table."""
    return np.add.reduceat(frequency.counts, frequency.starts)


def distribution(sizes: NDArray[Any]) -> tuple[tuple[int, int], ...]:
    """Sizes that occur, ascending, and how many classes have each."""
    ordered = np.sort(sizes)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return tuple(zip(ordered[starts].tolist(), lengths(starts, len(ordered)).tolist(), strict=True))
