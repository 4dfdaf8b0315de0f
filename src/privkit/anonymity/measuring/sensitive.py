"""What the classes of a table give away about a sensitive column: l-diversity and t-closeness of all classes at once.

They are counted as pairs of class and value, so that a million classes of a column with a hundred thousand values cost
what their records cost and not their product.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.models.pairs import Pairs, Whole
from privkit.columns import Kind
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy

MOST_L: Final = 10
"""The greatest l for which the c of recursive (c, l)-diversity is computed."""


@dataclass(frozen=True)
class SensitiveMeasurement:
    """One sensitive column; each figure is that of the class where it is worst.

    Attributes:
        column: Its name.
        values: How many distinct values it has in the table, null included.
        l: The fewest distinct values that a class has (distinct l-diversity).
        entropy_l: `exp` of the least entropy of a class: it is entropy l-diverse for every l up to that.
        recursive: For each l from 2 on, the bound of c: the table is recursively (c, l)-diverse for every c above it;
            infinite where a class has fewer than l values. Ends at the l of distinct diversity, or at `MOST_L`.
        distances: The greatest distance of a class from the whole table, by ground distance: `equal`, and where the
            column has an order `ordered`, and where it has a hierarchy `hierarchical`.
        distance: Which of these `t` is. Where nothing else was asked for: `hierarchical` where there is a hierarchy, or
            else `ordered` for numbers, dates and columns with a given order, or else `equal`, which is never the less.
        one_valued: How many records are in classes with one sensitive value; who is in such a class is told wholly.
    """

    column: str
    values: int
    l: int  # noqa: E741 - the model's name
    entropy_l: float
    recursive: dict[int, float]
    distances: dict[str, float]
    distance: str
    one_valued: int

    @property
    def t(self) -> float:
        """The t of t-closeness: the greatest distance of a class from the whole."""
        return self.distances[self.distance]


def measure_sensitive(
    frequency: FrequencySet,
    number: int,
    *,
    order: Sequence[str] | None = None,
    hierarchy: Hierarchy | None = None,
    distance: str = "",
) -> SensitiveMeasurement:
    """Measure one sensitive column over all classes.

    Args:
        frequency: What the table holds.
        number: Which of its sensitive columns.
        order: The column's values in their order, where it is a category that has one.
        hierarchy: The column's hierarchy, where it has one. Levels that change nothing do not count.
        distance: Which ground distance `t` is to have; by default the one that fits.

    Raises:
        InvalidParameter: If the order or the hierarchy does not cover the column's values, or the column has no such
            distance.
    """
    domain = frequency.sensitive[number]
    codes = frequency.codes[len(frequency.quasi) + number]
    pairs = Pairs.of(frequency.tuple_of, codes, frequency.counts, len(frequency.starts), domain.size)
    whole = Whole(np.bincount(codes, frequency.counts, domain.size))
    distances = {"equal": float(pairs.equal(whole).max())}
    places = _places(domain, order)
    if places is not None:
        distances["ordered"] = float(pairs.onto(places).ordered(whole.grouped(places)).max())
    if hierarchy is not None:
        levels = hierarchy.bind(domain, every=True).groups[:-1]
        distances["hierarchical"] = float(pairs.hierarchical(whole, levels).max())
    fitting = "ordered" if order is not None or domain.numeric else "equal"
    wanted = distance or ("hierarchical" if hierarchy else fitting)
    if wanted not in distances:
        raise InvalidParameter(
            f"column {domain.name!r} has no {wanted!r} distance, which needs an order (or numbers) or a hierarchy; "
            f"it has: {', '.join(distances)}"
        )
    least = int(pairs.distinct().min())
    return SensitiveMeasurement(
        column=domain.name,
        values=domain.size,
        l=least,
        entropy_l=float(np.exp(pairs.entropy().min())),
        recursive=_recursive(pairs, max(2, min(least, MOST_L))),
        distances=distances,
        distance=wanted,
        one_valued=int(pairs.sizes()[pairs.distinct() == 1].sum()),
    )


def _recursive(pairs: Pairs, most: int) -> dict[int, float]:
    """For each l from 2 to `most`, the greatest `r_1 / (r_l + ... + r_m)` of a class."""
    numbers = range(2, most + 1)
    first, *tails = pairs.most(*numbers)
    return {
        number: float(np.divide(first, tail, out=np.full(len(tail), np.inf), where=tail > 0).max())
        for number, tail in zip(numbers, tails, strict=True)
    }


def _places(domain: Domain, order: Sequence[str] | None) -> NDArray[np.int64] | None:
    """The place of each code in the column's order, null last; `None` where it has none."""
    if order is None:
        if domain.numeric:
            return np.arange(domain.size)
        numbers = _as_numbers(domain)
        if numbers is None:
            return None
        return _ranks(numbers, domain)
    place = {str(text): number for number, text in enumerate(order)}
    if len(place) < len(order):
        raise InvalidParameter(f"the order of {domain.name!r} names a value twice; name each once")
    missing = sum(text not in place for text in domain.texts)
    if missing:
        raise InvalidParameter(
            f"the order of {domain.name!r} does not name {missing} of {len(domain.texts)} values of the data; name all"
        )
    return _ranks([place[text] for text in domain.texts], domain)


def _ranks(numbers: Sequence[Any], domain: Domain) -> NDArray[np.int64]:
    """The rank of each value's number, equal ones together, and null after all."""
    rank = {number: place for place, number in enumerate(sorted(set(numbers)))}
    return np.array([rank[number] for number in numbers] + [len(rank)] * domain.null, np.int64)


def _as_numbers(domain: Domain) -> list[Decimal] | None:
    """The values of a text column that are all numbers, as those of a CSV file are."""
    if domain.kind is not Kind.TEXT or not domain.texts:
        return None
    try:
        numbers = [Decimal(text) for text in domain.texts]
    except ArithmeticError:
        return None
    return numbers if all(number.is_finite() for number in numbers) else None
