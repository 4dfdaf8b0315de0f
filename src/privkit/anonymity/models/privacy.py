"""Privacy models as functions of counts: how many records of a class have each sensitive value.

Everything here takes `counts` of shape `(..., values)`: the last axis runs over the distinct values of one sensitive
column, the others over candidate classes, so that a search asks about thousands of classes in one call. Where values
are many, and in a measurement of all classes of a table, `Pairs` stand for such an array. A class without records meets
nothing and has distance 0.

Sources: k-anonymity, Sweeney 2002; l-diversity in its distinct, entropy and recursive forms, Machanavajjhala et al.
2007; t-closeness by the earth mover's distance with equal, ordered and hierarchical ground distance, Li, Li and
Venkatasubramanian 2007; delta-presence, Nergiz, Atzori and Clifton 2007.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.models.pairs import Counts, Pairs, Whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDING: Final = 1e-9
"""What sums of floats may be off by; a bound is met when it is met within this."""
_TRIED: Final = 1000
"""Numbers of records that are tried; any that has been reached is too small or the least."""


# --- l-diversity ----------------------------------------------------------------------------------------------------


def distinct(counts: Counts) -> NDArray[np.int64]:
    """How many distinct values each class has.

    Example:
        >>> from privkit.anonymity.models.privacy import distinct
        >>> distinct([[3, 0, 1], [4, 0, 0]]).tolist()
        [2, 1]
    """
    if isinstance(counts, Pairs):
        return counts.distinct()
    found: NDArray[np.int64] = np.count_nonzero(np.asarray(counts), axis=-1).astype(np.int64)
    return found


def entropy(counts: Counts) -> NDArray[np.float64]:
    """The entropy of each class in nats; entropy l-diversity asks for at least `log(l)`.

    Example:
        >>> from privkit.anonymity.models.privacy import entropy
        >>> import numpy as np
        >>> np.exp(entropy([[5, 5, 0], [4, 0, 0]])).round(3).tolist()
        [2.0, 1.0]
    """
    if isinstance(counts, Pairs):
        return counts.entropy()
    shares = _shares(counts)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    found: NDArray[np.float64] = np.maximum(-(shares * logs).sum(-1), 0.0)
    return found


def recursive(counts: Counts, values: int) -> NDArray[np.float64]:
    """The least c for which each class is recursively (c, l)-diverse: it is where `r_1 < c (r_l + ... + r_m)`.

    Args:
        counts: Counts by class and value.
        values: The l: one more than the most frequent values that knowledge may exclude.

    Returns:
        `r_1 / (r_l + ... + r_m)` with the counts in falling order, infinite where fewer than l values are there;
        the model holds for every c above.

    Example:
        >>> from privkit.anonymity.models.privacy import recursive
        >>> recursive([[6, 3, 1], [5, 0, 0]], values=2).tolist()
        [1.5, inf]
    """
    first, tail = most_and_rest(counts, values)
    found: NDArray[np.float64] = np.divide(first, tail, out=np.full(tail.shape, np.inf), where=tail > 0)
    return found


def most_and_rest(counts: Counts, values: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The records of each class's most frequent value, and of its `values`-th most frequent one and all after it."""
    if isinstance(counts, Pairs):
        first, tail = counts.most(values)
        return first, tail
    falling = -np.sort(-np.asarray(counts, np.float64), axis=-1)
    return falling[..., 0], falling[..., values - 1 :].sum(-1)


# --- t-closeness ----------------------------------------------------------------------------------------------------


def equal_distance(counts: Counts, whole: Counts) -> NDArray[np.float64]:
    """The distance of each class from the whole where any two values are equally far: total variation.

    Example:
        >>> from privkit.anonymity.models.privacy import equal_distance
        >>> equal_distance([[2, 0], [1, 1]], whole=[50, 50]).tolist()
        [0.5, 0.0]
    """
    found: NDArray[np.float64] = np.abs(_apart(counts, whole)).sum(-1) / 2
    return found


def ordered_distance(counts: Counts, whole: Counts) -> NDArray[np.float64]:
    """The distance where values stand in an order, neighbours `1 / (values - 1)` apart.

    Example:
        >>> from privkit.anonymity.models.privacy import ordered_distance
        >>> ordered_distance([[2, 0, 0]], whole=[1, 1, 1]).round(3).tolist()
        [0.5]
    """
    gaps = _apart(counts, whole)
    steps = max(gaps.shape[-1] - 1, 1)
    found: NDArray[np.float64] = np.abs(np.cumsum(gaps, -1)).sum(-1) / steps
    return found


def hierarchical_distance(counts: Counts, whole: Counts, groups: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """The distance where two values are as far apart as the lowest level that holds both is high.

    With groups that nest, the earth mover's distance of Li et al., section 5.2, is the sum over levels of what has to
    cross the borders of that level's groups, each level costing `1 / height`.

    Args:
        counts: Counts by class and value.
        whole: Counts by value in the whole table.
        groups: For each level below the top, from the values themselves upwards, the group of each value, from 0.
            Without the level of single values it stands for groups that are all one.

    Example:
        >>> from privkit.anonymity.models.privacy import hierarchical_distance
        >>> import numpy as np
        >>> levels = [np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])]
        >>> hierarchical_distance([[2, 0, 0, 0]], whole=[1, 1, 1, 1], groups=levels).tolist()
        [0.625]
    """
    gaps = _apart(counts, whole)
    total = np.zeros(gaps.shape[:-1])
    for level in groups:
        onto = np.zeros((gaps.shape[-1], int(level.max()) + 1))
        onto[np.arange(gaps.shape[-1]), level] = 1.0
        total += np.abs(gaps @ onto).sum(-1) / 2
    found: NDArray[np.float64] = total / max(len(groups), 1)
    return found


# --- delta-presence -------------------------------------------------------------------------------------------------


def presence(sizes: NDArray[Any], population: NDArray[Any]) -> NDArray[np.float64]:
    """How likely each class's people in the population are to be in the table: its records over its people.

    A class of which the population knows nobody is certain to be recognised as outside it: 1.

    Args:
        sizes: Records of each class in the table.
        population: People in the population whose attributes fall into each class.

    Example:
        >>> from privkit.anonymity.models.privacy import presence
        >>> import numpy as np
        >>> presence(np.array([2, 5]), np.array([10, 5])).tolist()
        [0.2, 1.0]
    """
    share = np.divide(sizes, population, out=np.ones(np.shape(sizes)), where=np.asarray(population) > 0)
    found: NDArray[np.float64] = np.minimum(share, 1.0)
    return found


# --- all together ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SensitiveModel:
    """What is asked of one sensitive column in every class.

    Attributes:
        name: The column.
        whole: `float64` of shape `(values,)`: how many records of the whole table have each value.
        values: The l of the diversity; 1 asks for nothing.
        diversity: `distinct`, `entropy` or `recursive`.
        c: The c of recursive diversity.
        t: The greatest distance from the whole; `None` asks for nothing.
        distance: `equal`, `ordered` or `hierarchical`.
        groups: For the hierarchical distance, as `hierarchical_distance` takes them.
    """

    name: str
    whole: NDArray[np.float64]
    values: int = 1
    diversity: str = "distinct"
    c: float = 1.0
    t: float | None = None
    distance: str = "equal"
    groups: tuple[NDArray[Any], ...] = ()

    @property
    def nearest(self) -> float:
        """The least distance between two values."""
        if self.distance == "ordered":
            return 1 / max(len(self.whole) - 1, 1)
        return 1 / max(len(self.groups), 1) if self.distance == "hierarchical" else 1.0

    @cached_property
    def least(self) -> int:
        """How many records every class has at least: a class of few records covers little of the whole.

        The distance is 1 less the share that is covered, on each level. A record more covers two records more at most,
        itself and what the others cover of shares of one record more, and 1 - t more are asked; so numbers that lack
        more are passed over.
        """
        if self.t is None or not self._levels:
            return self.values
        number, wholes = 1, [self._whole.grouped(level).shares for level in self._levels]
        for _ in range(_TRIED):
            covered = float(np.mean([_covered(shares, number) for shares in wholes]))
            lacking = number * (1.0 - self.t - _ROUNDING - covered)
            if lacking <= 0:
                break
            number += max(int(lacking / (1.0 + self.t)), 1)
        return max(self.values, number)

    @property
    def _levels(self) -> tuple[NDArray[Any], ...]:
        """For each level of the distance, the group of each value; none where values have an order."""
        if self.distance == "ordered":
            return ()
        return self.groups if self.distance == "hierarchical" else (np.arange(len(self.whole)),)

    def coverable(self, counts: Pairs) -> NDArray[np.bool_]:
        """Of which groups some part may be within t of the whole: classes of more than `least` records cover no more.

        Args:
            counts: Counts by group and value.
        """
        if self.t is None or not self._levels:
            return np.ones(len(counts), bool)
        covered = np.zeros(len(counts))
        for level in self._levels:
            covered += counts.onto(level).covered(self._whole.grouped(level), self.least) / len(self._levels)
        enough: NDArray[np.bool_] = covered >= 1.0 - self.t - _ROUNDING
        return enough

    def meets(self, counts: Counts) -> NDArray[np.bool_]:
        """Which classes meet the model.

        Args:
            counts: Counts by class and value, of shape `(..., values)`.
        """
        ok = np.ones(_classes(counts), bool)
        if self.values > 1:
            ok &= self._diverse(counts)
        if self.t is not None:
            ok &= self.close(counts)
        return ok

    def distances(self, counts: Counts) -> NDArray[np.float64]:
        """How far each class is from the whole."""
        if isinstance(counts, Pairs):
            return self._far(counts)
        if self.distance == "ordered":
            return ordered_distance(counts, self.whole)
        if self.distance == "hierarchical":
            return hierarchical_distance(counts, self.whole, self.groups)
        return equal_distance(counts, self.whole)

    @cached_property
    def _whole(self) -> Whole:
        return Whole(self.whole)

    def _far(self, counts: Pairs) -> NDArray[np.float64]:
        if self.distance == "ordered":
            return counts.ordered(self._whole)
        if self.distance == "hierarchical":
            return counts.hierarchical(self._whole, self.groups)
        return counts.equal(self._whole)

    def close(self, counts: Counts) -> NDArray[np.bool_]:
        """Which classes are within t of the whole; all where no t is asked."""
        if self.t is None:
            return np.ones(_classes(counts), bool)
        near: NDArray[np.bool_] = self.distances(counts) <= self.t + _ROUNDING
        return near

    def seen_in(self, released: Counts) -> tuple[NDArray[np.intp], SensitiveModel]:
        """The model as the output alone shows it, in which values that were suppressed wholly do not exist.

        Args:
            released: How many records of the output have each value.

        Returns:
            The values that are there, and the model of counts of these.
        """
        there = np.flatnonzero(released)
        whole = np.asarray(released, np.float64)[there]
        return there, replace(self, whole=whole, groups=tuple(level[there] for level in self.groups))

    def _diverse(self, counts: Counts) -> NDArray[np.bool_]:
        if self.diversity == "entropy":
            many: NDArray[np.bool_] = entropy(counts) >= np.log(self.values) - _ROUNDING
            return many
        if self.diversity == "recursive":
            below: NDArray[np.bool_] = recursive(counts, self.values) < self.c
            return below
        enough: NDArray[np.bool_] = distinct(counts) >= self.values
        return enough


@dataclass(frozen=True, eq=False)
class Models:
    """Everything that is asked of every class.

    Attributes:
        k: The least number of records of a class.
        sensitive: What is asked of each sensitive column; may be empty.
    """

    k: int
    sensitive: tuple[SensitiveModel, ...] = ()

    @cached_property
    def least(self) -> int:
        """How many records every class has at least: k, or more where the other models need more."""
        return max([self.k, *(model.least for model in self.sensitive)])

    def meets(self, sizes: NDArray[Any], counts: Sequence[Counts] = ()) -> NDArray[np.bool_]:
        """Which classes meet all of it.

        Args:
            sizes: Records of each class, of any shape.
            counts: For each sensitive column, counts by class and value, of that shape and `(values,)`.
        """
        ok: NDArray[np.bool_] = sizes >= self.least
        for model, found in zip(self.sensitive, counts, strict=True):
            if isinstance(found, Pairs):
                rows = ok.nonzero()[0]
                ok[rows] = model.meets(found[rows])
            elif np.count_nonzero(ok) < ok.size // 2:  # the size has decided most of them
                rows = ok.reshape(-1).nonzero()[0]
                flat = np.reshape(found, (-1, np.shape(found)[-1]))[rows]
                ok.reshape(-1)[rows] = model.meets(flat)
            else:
                ok &= model.meets(found)
        return ok


def _covered(shares: NDArray[np.float64], number: int) -> float:
    """The most of a distribution that so many records can cover: they have of each value what it has, or one more."""
    parts, full = np.modf(number * shares)
    left = max(number - int(full.sum()), 0)
    return float(full.sum() + np.sort(parts)[::-1][:left].sum()) / number


def _classes(counts: Counts) -> tuple[int, ...]:
    """The shape of what is said of each class."""
    return (len(counts),) if isinstance(counts, Pairs) else np.shape(counts)[:-1]


def _shares(counts: Counts) -> NDArray[np.float64]:
    numbers = np.asarray(counts, np.float64)
    total = numbers.sum(-1, keepdims=True)
    found: NDArray[np.float64] = np.divide(numbers, total, out=np.zeros_like(numbers), where=total > 0)
    return found


def _apart(counts: Counts, whole: Counts) -> NDArray[np.float64]:
    """By how much each class's share of each value is above that of the whole; zeros for a class without records."""
    numbers = np.asarray(counts, np.float64)
    total = numbers.sum(-1, keepdims=True)
    of_whole = np.asarray(whole, np.float64)
    gaps: NDArray[np.float64]
    if total.all():
        gaps = numbers / total - of_whole / (of_whole.sum() or 1.0)
    else:
        gaps = np.where(total > 0, _shares(numbers) - _shares(of_whole), 0.0)
    return gaps
