"""What the classes of a table give away about a sensitive column: l-diversity and t-closeness of all classes at once.

The definitions are those of `privkit.anonymity.models.privacy`, computed here from the (class, value) pairs that occur,
so that a million classes of a column with a hundred thousand values cost what their records cost and not their product.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import counted, lengths, runs
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


class _Pairs:
    """The pairs of class and sensitive value that occur, ordered by class and then by value.

    Attributes:
        classes: The class of each pair.
        values: Its value, as a code from 0.
        counts: Its records, as floats.
        starts: The first pair of each class.
        sizes: The records of each class.
        whole: The share that each value has in the whole table.
    """

    def __init__(self, classes: NDArray[Any], values: NDArray[Any], counts: NDArray[Any], size: int) -> None:
        keys, found = counted(classes.astype(np.int64) * size + values, counts)
        self.classes, self.values = np.divmod(keys, size)
        self.counts = found.astype(np.float64)
        self.starts = runs(self.classes)
        self.sizes = np.add.reduceat(self.counts, self.starts)
        self.whole = np.bincount(self.values, self.counts, size) / self.counts.sum()

    @property
    def shares(self) -> NDArray[np.float64]:
        """The share of each pair's value in its class."""
        found: NDArray[np.float64] = self.counts / np.repeat(self.sizes, self.distinct)
        return found

    @property
    def distinct(self) -> NDArray[np.intp]:
        """How many values each class has."""
        return lengths(self.starts, len(self.counts))

    def regrouped(self, values: NDArray[Any]) -> _Pairs:
        """The same records under other codes: `values` gives the new code of each old one."""
        return _Pairs(self.classes, values[self.values], self.counts, int(values.max()) + 1)

    def entropy(self) -> NDArray[np.float64]:
        """The entropy of each class in nats."""
        shares = self.shares
        found: NDArray[np.float64] = np.maximum(-np.add.reduceat(shares * np.log(shares), self.starts), 0.0)
        return found

    def recursive(self, most: int) -> dict[int, float]:
        """For each l from 2 to `most`, the greatest `r_1 / (r_l + ... + r_m)` of a class."""
        falling = self.counts[np.lexsort((-self.counts, self.classes))]
        rank = np.arange(len(falling)) - np.repeat(self.starts, self.distinct)
        first = falling[self.starts]
        bounds = {}
        for l in range(2, most + 1):  # noqa: E741 - the model's name
            tail = np.add.reduceat(np.where(rank >= l - 1, falling, 0.0), self.starts)
            bounds[l] = float(np.divide(first, tail, out=np.full(len(tail), np.inf), where=tail > 0).max())
        return bounds

    def equal(self) -> NDArray[np.float64]:
        """Total variation: half the sum of all differences is the sum of those where the class has more."""
        above = np.maximum(self.shares - self.whole[self.values], 0.0)
        found: NDArray[np.float64] = np.add.reduceat(above, self.starts)
        return found

    def ordered(self) -> NDArray[np.float64]:
        """The sum of the differences of both cumulative distributions, over the number of values less one.

        Between two values that occur, the class's distribution is level and the whole's only rises, so that they cross
        once at most; prefix sums of the whole's give both sides of the crossing.
        """
        size = len(self.whole)
        rising = np.cumsum(self.whole)
        before = np.concatenate([[0.0], np.cumsum(rising)])
        running = np.cumsum(self.shares)
        earlier = np.repeat(running[self.starts] - self.shares[self.starts], self.distinct)
        level = running - earlier
        first = self.values
        end = np.append(self.values[1:], size)
        end[np.append(self.starts[1:], len(self.values)) - 1] = size
        cross = np.clip(np.searchsorted(rising, level), first, end)
        gaps = level * (2 * cross - first - end) + before[first] + before[end] - 2 * before[cross]
        found: NDArray[np.float64] = np.add.reduceat(gaps, self.starts) + before[self.values[self.starts]]
        return np.maximum(found, 0.0) / max(size - 1, 1)

    def hierarchical(self, levels: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """The mean over levels of the total variation between their groups."""
        total = np.zeros(len(self.starts))
        for groups in levels:
            total += self.regrouped(groups).equal()
        return total / max(len(levels), 1)


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
    pairs = _Pairs(frequency.tuple_of, codes, frequency.counts, domain.size)
    distances = {"equal": float(pairs.equal().max())}
    places = _places(domain, order)
    if places is not None:
        distances["ordered"] = float(pairs.regrouped(places).ordered().max())
    if hierarchy is not None:
        levels = hierarchy.bind(domain, every=True).groups[:-1]
        distances["hierarchical"] = float(pairs.hierarchical(levels).max())
    fitting = "ordered" if order is not None or domain.numeric else "equal"
    wanted = distance or ("hierarchical" if hierarchy else fitting)
    if wanted not in distances:
        raise InvalidParameter(
            f"column {domain.name!r} has no {wanted!r} distance, which needs an order (or numbers) or a hierarchy; "
            f"it has: {', '.join(distances)}"
        )
    least = int(pairs.distinct.min())
    return SensitiveMeasurement(
        column=domain.name,
        values=domain.size,
        l=least,
        entropy_l=float(np.exp(pairs.entropy().min())),
        recursive=pairs.recursive(max(2, min(least, MOST_L))),
        distances=distances,
        distance=wanted,
        one_valued=int(pairs.sizes[pairs.distinct == 1].sum()),
    )


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
