"""Re-identification risk: how likely an attacker is to put the right name to a record.

Three attackers (El Emam, Guide to the De-Identification of Personal Health Information, 2013, chapter 16; for the
third Dankar and El Emam 2010):

- the prosecutor looks for one person of whom it is known that the table has a record: 1 / f in a class of f records;
- the journalist looks for anyone, to show that it can be done, without knowing who is in the table: 1 / F, where F
  people of the population fall into the class;
- the marketer matches the whole table with the population, and cares for the share of names that are right.

Where the population is a table, F is counted. Where only its size is known, `1 / F` is estimated by its expectation
for a sample drawn at random: F given f is negative binomial (Benedetti and Franconi 1998; Skinner and Elliot 2002).
Where nothing is known of it, the table is taken as the whole population, which overstates the risk and never hides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NODES: Final = 64
"""Nodes of the quadrature, and the size from which on the expansion in falling powers of it is exact to 1e-9."""

_HALF: Final = 0.5


@dataclass(frozen=True)
class Attack:
    """The risk from one attacker.

    Attributes:
        highest: The risk of the record that is most at risk.
        average: The mean risk of all records.
        at_risk: How many records have a risk above the threshold; `None` for the marketer, who has no single target.
    """

    highest: float
    average: float
    at_risk: int | None


@dataclass(frozen=True)
class Risk:
    """The risk from all three attackers.

    Attributes:
        threshold: The greatest acceptable risk of a record.
        prosecutor: Knows that the person is in the table.
        journalist: Does not know.
        marketer: Matches the whole table; `highest` and `average` are both the share expected to be right.
        basis: What the journalist's and the marketer's risk stand on: `table` (no population is known), `size` (the
            number of its people, the rest estimated) or `population` (counted).
    """

    threshold: float
    prosecutor: Attack
    journalist: Attack
    marketer: Attack
    basis: str


def attacks(
    sizes: NDArray[np.int64],
    threshold: float,
    *,
    population: NDArray[np.int64] | None = None,
    population_size: int | None = None,
) -> Risk:
    """Work out the risk of a table.

    Args:
        sizes: Records of each class, each at least 1.
        threshold: The greatest acceptable risk of a record.
        population: People of the population in each class, where it is a table. A class with fewer of them than
            records counts with those: a register that does not know all does not protect those it knows.
        population_size: How many people the population has, where only that is known.

    Example:
        >>> from privkit.anonymity.measuring.risk import attacks
        >>> import numpy as np
        >>> found = attacks(np.array([1, 4]), 0.2, population=np.array([10, 40]))
        >>> found.prosecutor.highest, found.journalist.highest, found.marketer.average
        (1.0, 0.1, 0.04)
    """
    own = 1.0 / sizes
    if population is not None:
        other, basis = 1.0 / np.maximum(population, 1), "population"
    elif population_size is not None:
        other, basis = expected_reciprocal(sizes, int(sizes.sum()) / population_size), "size"
    else:
        other, basis = own, "table"
    matched = float((sizes * np.minimum(other, own)).sum() / sizes.sum())
    return Risk(
        threshold=threshold,
        prosecutor=_attack(own, sizes, threshold),
        journalist=_attack(other, sizes, threshold),
        marketer=Attack(matched, matched, None),
        basis=basis,
    )


def expected_reciprocal(sizes: NDArray[np.int64], fraction: float) -> NDArray[np.float64]:
    """The expectation of `1 / F` for classes of which a random sample holds f records.

    F given f is negative binomial: F - f people were passed over before the f-th was drawn, each drawn with
    probability `fraction`. The expectation is the integral over u from 0 to 1 of `u**(f-1) * p / (p + (1 - p) * u)`.

    Args:
        sizes: Records of each class in the sample.
        fraction: The share of the population that the sample is, above 0 to 1.

    Example:
        >>> from privkit.anonymity.measuring.risk import expected_reciprocal
        >>> import numpy as np
        >>> expected_reciprocal(np.array([1, 2]), 0.1).round(4).tolist()
        [0.2558, 0.0827]
    """
    found, inverse = np.unique(sizes, return_inverse=True)
    if fraction >= 1:
        return 1.0 / sizes
    return (_by_quadrature if fraction > _HALF else _by_recurrence)(found, fraction)[inverse]


def _by_quadrature(sizes: NDArray[np.int64], fraction: float) -> NDArray[np.float64]:
    """Gauss's rule, exact to rounding while the power of u is a polynomial that it takes; above, by expansion."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    points = (nodes + 1) / 2
    kernel = weights / 2 * fraction / (fraction + (1 - fraction) * points)
    small = sizes <= _NODES
    out = np.empty(len(sizes))
    out[small] = (points ** (sizes[small, None] - 1) * kernel).sum(1)
    out[~small] = _falling(sizes[~small].astype(np.float64), fraction)
    return out


def _falling(sizes: NDArray[np.float64], fraction: float) -> NDArray[np.float64]:
    """The integral by parts, again and again: derivatives of `p / (p + q * u)` at 1, over rising factorials of f."""
    term = fraction / sizes
    total = term.copy()
    for step in range(1, 13):
        term = term * step * (1 - fraction) / (sizes + step)
        total += term
    return total


def _by_recurrence(sizes: NDArray[np.int64], fraction: float) -> NDArray[np.float64]:
    """From one size to the next: `I(f + 1) = p / q * (1 / f - I(f))`, which shrinks errors while p < q."""
    out = np.empty(len(sizes))
    small = sizes <= _NODES
    ratio = fraction / (1 - fraction)
    values = [-ratio * np.log(fraction)]
    for size in range(1, _NODES):
        values.append(ratio * (1.0 / size - values[-1]))
    out[small] = np.array(values)[sizes[small] - 1]
    out[~small] = _falling(sizes[~small].astype(np.float64), fraction)
    return out


def _attack(risks: NDArray[np.float64], sizes: NDArray[np.int64], threshold: float) -> Attack:
    above = risks > threshold * (1 + 1e-12)  # 1 / 20 is 0.05 and no more
    return Attack(
        highest=float(risks.max()),
        average=float((risks * sizes).sum() / sizes.sum()),
        at_risk=int(sizes[above].sum()),
    )
