"""How many people are unique in the population, estimated from a sample of it.

Three estimators, each with its own idea of how class sizes come about, and the rule of Dankar et al. 2012 that chooses
between them. With n records, N people, u classes of which s_j have j records:

- **Zayatz** 1991 ("Estimation of the number of unique population elements using a sample"): by Bayes' rule, the chance
  that a class with one record has one person, with the sample's class sizes standing for the population's;
- **Pitman** (Hoshino 2001, "Applying Pitman's sampling formula to microdata disclosure risk assessment"): class sizes
  by Pitman's two-parameter formula, fitted by maximum likelihood;
- **SNB**, the slide negative binomial (Chen and Keller-McNulty 1998, "Estimation of identification disclosure risk in
  microdata"): the size of a class less one is negative binomial; fitted here by maximum likelihood to the sizes
  that a random sample would show.

The rule: Pitman up to a sampling fraction of 1/10, above it the lesser of Zayatz and SNB. No estimator is good
everywhere; the simulations of that paper found errors of tens of percent, so read them as orders of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_SMALL_FRACTION: Final = 0.1  # Dankar et al. 2012
_GRID: Final = 17
_ZOOMS: Final = 10
_SHIFT: Final = 10.0
"""From here on Stirling's series below are exact to 1e-13."""


@dataclass(frozen=True)
class Uniqueness:
    """How many people are unique in the population, estimated.

    Attributes:
        uniques: By estimator (`zayatz`, `pitman`, `snb`), how many; one that has no solution for this sample is left
            out. `counted` alone where nothing is estimated: those of the table, which is the population, or has none.
        chosen: The one that the rule chooses; `""` where nothing is estimated.
        population_size: N.
    """

    uniques: dict[str, float]
    chosen: str
    population_size: int

    @property
    def share(self) -> float:
        """The share of the population that is unique, by the chosen estimator."""
        return self.uniques[self.chosen or "counted"] / self.population_size


def estimate_uniqueness(sizes: NDArray[np.int64], population_size: int) -> Uniqueness:
    """Estimate how many people are unique in the population.

    Args:
        sizes: Records of each class of a random sample.
        population_size: How many people the population has; at least the sample's records.

    Example:
        >>> from privkit.anonymity.measuring.uniqueness import estimate_uniqueness
        >>> import numpy as np
        >>> sizes = np.repeat([1, 2, 5, 20], [300, 100, 40, 20])
        >>> found = estimate_uniqueness(sizes, population_size=50_000)
        >>> found.chosen, {name: round(uniques) for name, uniques in found.uniques.items()}
        ('pitman', {'zayatz': 4348, 'pitman': 2987, 'snb': 8187})
    """
    records = int(sizes.sum())
    once = int(np.count_nonzero(sizes == 1))
    if records >= population_size or not once:
        return Uniqueness({"counted": float(once)}, "", population_size)
    fraction = records / population_size
    found = {"zayatz": zayatz(sizes, population_size)}
    for name, estimate in (("pitman", pitman), ("snb", snb)):
        uniques = estimate(sizes, population_size)
        if uniques is not None:
            found[name] = uniques
    if fraction <= _SMALL_FRACTION:
        chosen = "pitman" if "pitman" in found else "zayatz"
    else:
        chosen = min(found.keys() & {"zayatz", "snb"}, key=lambda name: (found[name], name))
    return Uniqueness(found, chosen, population_size)


def zayatz(sizes: NDArray[np.int64], population_size: int) -> float:
    """Zayatz' estimate of the number of uniques.

    `s_1 P(F = 1 | f = 1) N / n`, where P(f = 1 | F = j) is hypergeometric and P(F = j) the sample's share of classes
    of size j.
    """
    records = int(sizes.sum())
    found, classes = np.unique(sizes, return_counts=True)
    # j C(N - j, n - 1) / C(N, n), by logarithms of factorials
    of = found.astype(np.float64)
    log_odds = np.log(of) + _log_choose(population_size - of, records - 1.0) - _log_choose(population_size, records)
    odds = np.where(population_size - of >= records - 1, np.exp(log_odds), 0.0)
    chance = odds[0] * classes[0] / (odds * classes).sum()
    return float(classes[0] * chance * population_size / records)


def pitman(sizes: NDArray[np.int64], population_size: int) -> float | None:
    """The expected number of uniques under Pitman's formula, fitted to the sample.

    With 0 < alpha < 1 and theta > -alpha, the likelihood of a partition of n records into u classes is
    `prod(theta + i alpha, i < u) / prod(theta + i, i < n) * prod over classes of prod(i - alpha, i < f)`, and N people
    have `N G(theta + 1) G(theta + alpha + N - 1) / (G(theta + alpha) G(theta + N))` uniques in expectation.

    Returns:
        The estimate; `None` where the likelihood rises towards a border of the parameters.
    """
    records, classes = float(sizes.sum()), float(len(sizes))
    found, times = np.unique(sizes, return_counts=True)

    def likelihood(log_theta: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.float64]:
        theta = np.exp(log_theta) - alpha  # above -alpha, whatever the logarithm
        steps = theta / alpha
        known = (classes - 1) * np.log(alpha) + _log_gamma(steps + classes) - _log_gamma(steps + 1)
        known -= _log_gamma(theta + records) - _log_gamma(theta + 1)
        inside = _log_gamma(found - alpha[..., None]) - _log_gamma(1 - alpha[..., None])
        total: NDArray[np.float64] = known + (inside * times).sum(-1)
        return total

    best = _greatest(likelihood, (-7.0, float(np.log(records)) + 7.0), (0.001, 0.999))
    if best is None:
        return None
    alpha, theta = best[1], float(np.exp(best[0])) - best[1]
    size = float(population_size)
    logs = _log_gamma(np.array([theta + 1, theta + alpha + size - 1, theta + alpha, theta + size]))
    return float(size * np.exp(logs[0] + logs[1] - logs[2] - logs[3]))


def snb(sizes: NDArray[np.int64], population_size: int) -> float | None:
    """The expected number of uniques where a class has one person and a negative binomial number more.

    A random sample with fraction p draws that one with probability p, and of the others again a negative binomial
    number; classes of which it draws nobody are not seen.

    Returns:
        The estimate; `None` where the likelihood rises towards a border of the parameters.
    """
    fraction = float(sizes.sum()) / population_size
    found, times = np.unique(sizes, return_counts=True)

    def likelihood(log_shape: NDArray[Any], logit: NDArray[Any]) -> NDArray[np.float64]:
        shape, stay = np.exp(log_shape)[..., None], _expit(logit)[..., None]
        with np.errstate(divide="ignore"):
            drawn = np.log(fraction) + _log_binomial(found - 1.0, shape, stay)
            missed = np.log1p(-fraction) + _log_binomial(found + 0.0, shape, stay)
        unseen = (1 - fraction) * np.exp(_log_binomial(np.zeros(1), shape, stay))[..., 0]
        seen = np.log1p(-np.minimum(unseen, 1 - 1e-15))
        known: NDArray[np.float64] = (np.logaddexp(drawn, missed) * times).sum(-1) - times.sum() * seen
        return known

    best = _greatest(likelihood, (-9.0, 9.0), (-14.0, 14.0))
    if best is None:
        return None
    shape, stay = float(np.exp(best[0])), float(_expit(np.array(best[1])))
    unseen = (1 - fraction) * stay**shape
    whole = fraction * stay / (1 - stay + fraction * stay)  # undoes the thinning
    return float(min(len(sizes) / (1 - unseen) * whole**shape, population_size))


def _greatest(
    of: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]],
    first: tuple[float, float],
    second: tuple[float, float],
) -> tuple[float, float] | None:
    """Where a smooth function of two parameters is greatest: a grid, and finer grids around the best of it.

    Returns:
        The place; `None` where it is at the border.
    """
    ranges = [first, second]
    place = (0.0, 0.0)
    for _ in range(_ZOOMS):
        axes = [np.linspace(low, high, _GRID) for low, high in ranges]
        values = of(*np.meshgrid(*axes, indexing="ij"))
        at = np.unravel_index(int(np.nanargmax(values)), values.shape)
        place = (float(axes[0][at[0]]), float(axes[1][at[1]]))
        ranges = [
            (max(limits[0], centre - 3 * (axis[1] - axis[0])), min(limits[1], centre + 3 * (axis[1] - axis[0])))
            for centre, axis, limits in zip(place, axes, (first, second), strict=True)
        ]
    borders = zip(place, (first, second), strict=True)
    if any(min(value - low, high - value) < 1e-3 * (high - low) for value, (low, high) in borders):
        return None
    return place


def _log_binomial(more: NDArray[Any], shape: NDArray[Any], stay: NDArray[Any]) -> NDArray[np.float64]:
    """The logarithm of the negative binomial probability of `more`, with probability `stay**shape` of none."""
    ways = _log_gamma(more + shape) - _log_gamma(shape) - _log_gamma(more + 1.0)
    found: NDArray[np.float64] = ways + shape * np.log(stay) + more * np.log1p(-stay)
    return found


def _log_choose(whole: NDArray[Any] | float, part: float) -> NDArray[np.float64]:
    """The logarithm of a binomial coefficient; of 1 where there is none."""
    rest = np.maximum(np.asarray(whole) - part, 0.0)
    parts = _log_gamma(np.asarray(part) + 1.0) + _log_gamma(rest + 1.0)
    return _log_gamma(np.asarray(whole, np.float64) + 1.0) - parts


def _log_gamma(x: NDArray[Any]) -> NDArray[np.float64]:
    """The logarithm of the gamma function above 0: Stirling's series (NIST DLMF 5.11.1), after ten steps up."""
    x = np.asarray(x, np.float64)
    low = x < _SHIFT
    up = np.where(low, x + _SHIFT, x)
    steps = np.where(low, x, 1.0)
    product = np.ones_like(steps)
    for step in range(int(_SHIFT)):
        product = product * (steps + step)
    inverse = 1 / up
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
    found: NDArray[np.float64] = (up - 0.5) * np.log(up) - up + 0.5 * np.log(2 * np.pi) + series
    return np.where(low, found - np.log(product), found)


def _expit(x: NDArray[Any]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (1 + np.exp(-x))
    return found
