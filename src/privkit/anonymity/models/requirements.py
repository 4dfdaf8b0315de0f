"""What is asked of a table, before the table is known."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.models.bounds import LeastLost
from privkit.anonymity.models.privacy import Models, SensitiveModel
from privkit.errors import InvalidParameter, TableError, Unmet
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Hierarchy

DIVERSITIES: Final = ("distinct", "entropy", "recursive")
DISTANCES: Final = ("auto", "equal", "ordered", "hierarchical")


@dataclass(frozen=True)
class Requirements:
    """The models by their parameters, checked.

    Attributes:
        k: The least number of records of a class.
        l: The diversity of every sensitive column in a class; 1 asks for none.
        diversity: What l counts: `distinct` values, the exponential of the `entropy`, or `recursive` (c, l).
        c: The c of recursive diversity.
        t: The greatest distance of a class's sensitive values from the whole table's; `None` asks for nothing.
        distance: `equal`, `ordered` or `hierarchical`; `auto` takes the hierarchy where there is one, the order of
            numbers and dates, and else equal.
        suppression: The greatest share of records that may be suppressed.
        delta: The least and the greatest chance of a person of the population to be in the table; one number is the
            greatest. `None` asks for nothing.
    """

    k: int = 1
    l: int = 1  # noqa: E741 - the literature's letter
    diversity: str = "distinct"
    c: float = 1.0
    t: float | None = None
    distance: str = "auto"
    suppression: float = 0.0
    delta: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("k", "l"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise InvalidParameter(f"{name} is {value!r}; it must be a whole number from 1")
            object.__setattr__(self, name, int(value))
        for name in ("c", "t", "suppression"):
            value = getattr(self, name)
            if name == "t" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real):
                raise InvalidParameter(f"{name} is a {type(value).__name__}; it must be a number")
            object.__setattr__(self, name, value if type(value) in {int, float} else float(value))
        chosen("diversity", self.diversity, DIVERSITIES)
        chosen("distance", self.distance, DISTANCES)
        if not (isfinite(self.c) and self.c > 0):
            raise InvalidParameter(f"c is {self.c!r}; it must be a number above 0")
        if self.t is not None and not 0 < self.t <= 1:
            raise InvalidParameter(f"t is {self.t!r}; it must be above 0 and at most 1")
        if not 0 <= self.suppression < 1:
            raise InvalidParameter(f"suppression is {self.suppression!r}; it must be a share from 0 to below 1")
        if self.delta is not None:
            object.__setattr__(self, "delta", _bounds(self.delta))

    @property
    def of_sensitive(self) -> bool:
        """Whether something is asked of sensitive columns."""
        return self.l > 1 or self.t is not None

    def models(self, frequency: FrequencySet, sensitive: Mapping[str, Hierarchy | None]) -> Models:
        """The models for a table.

        Args:
            frequency: The table's counts.
            sensitive: The hierarchies of sensitive columns.
        """
        found = []
        for column, domain in enumerate(frequency.sensitive):
            codes = frequency.codes[len(frequency.quasi) + column]
            whole = np.bincount(codes, frequency.counts, domain.size).astype(np.float64)
            distance, groups = self._distance(domain, sensitive.get(domain.name))
            found.append(SensitiveModel(domain.name, whole, self.l, self.diversity, self.c, self.t, distance, groups))
        return Models(self.k, tuple(found))

    def _distance(self, domain: Domain, hierarchy: Hierarchy | None) -> tuple[str, tuple[Any, ...]]:
        if self.distance == "hierarchical" and hierarchy is None:
            raise InvalidParameter(
                f"the hierarchical distance of {domain.name!r} needs its hierarchy; give sensitive={{name: hierarchy}}"
            )
        if hierarchy is not None and self.distance in {"auto", "hierarchical"}:
            return "hierarchical", hierarchy.bind(domain, every=True).groups[:-1]
        if self.distance == "auto":
            return ("ordered" if domain.numeric else "equal"), ()
        return self.distance, ()

    def check(
        self, frequency: FrequencySet, models: Models, population: FrequencySet | None = None, *, limit: float = 0.0
    ) -> None:
        """Refuse a table that cannot meet the models even as one class, nor as what suppression may leave of it.

        Args:
            frequency: The table's counts.
            models: The models for it.
            population: The population's counts, where a delta is asked.
            limit: The share of records that may be suppressed.

        Raises:
            TableError: If it is empty, or a quasi-identifier is null throughout.
            Unmet: If it cannot.
        """
        if not frequency.records:
            raise TableError("the table is empty; there is nothing to anonymise")
        for domain in frequency.quasi:
            if not domain.texts:
                raise TableError(f"column {domain.name!r} is null throughout; leave it out of the quasi-identifiers")
        if frequency.records < self.k:
            raise Unmet(f"the table is smaller than k ({frequency.records} < {self.k}); lower k, or take more records")
        allowed = int(limit * frequency.records + 1e-9)  # a share such as 0.05 is no exact float
        for model in models.sensitive:
            values = int(np.count_nonzero(model.whole))
            if values < self.l:
                raise Unmet(
                    f"column {model.name!r} has fewer distinct values than l ({values} < {self.l}); lower l, or take "
                    "the column off the sensitive ones"
                )
            if not model.meets(model.whole[None, :])[0] and _least_lost(model, self.k) > allowed:
                raise Unmet(
                    f"column {model.name!r} is not {self.diversity} {self.l}-diverse even in the whole table; lower l"
                    + (", or raise c" if self.diversity == "recursive" else "")
                )
        self._check_presence(frequency, population, allowed)

    def _check_presence(self, frequency: FrequencySet, population: FrequencySet | None, allowed: int) -> None:
        if self.delta is None:
            if population is not None:
                raise InvalidParameter("a population is given, and no delta is asked; give delta, or leave it out")
            return
        if population is None:
            raise InvalidParameter("delta is asked, and no population is given; pass the people as population=")
        if population.records < frequency.records:
            raise TableError(
                f"a population of {population.records} for a table of {frequency.records} rows; it must hold all of "
                "its people"
            )
        chance = frequency.records / population.records
        low, high = self.delta
        if not low <= chance or (frequency.records - allowed) / population.records > high:
            raise Unmet(
                f"{frequency.records} of {population.records} people are in the table, for each a chance of "
                f"{chance:.4g} even if all are alike (delta allows {low:g} to {high:g}); widen delta"
            )

    def describe(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "k": self.k,
            "l": self.l,
            "diversity": self.diversity,
            "c": self.c,
            "t": self.t,
            "distance": self.distance,
            "suppression": self.suppression,
            "delta": None if self.delta is None else list(self.delta),
        }


def _least_lost(model: SensitiveModel, k: int) -> int:
    """How many records of the whole table are lost at least, so that the others meet a model."""
    whole = model.whole[None, :]
    return int(LeastLost(Models(k, (model,))).of(whole.sum(1).astype(np.int64), [whole])[0])


def _bounds(delta: Any) -> tuple[float, float]:  # noqa: ANN401 - checked here
    """The least and the greatest chance; one number is the greatest."""
    pair = list(delta) if isinstance(delta, list | tuple) else [0.0, delta]
    numbers = [value for value in pair if not isinstance(value, bool) and isinstance(value, Real)]
    if len(pair) != 2 or len(numbers) != 2 or not 0 <= pair[0] <= pair[1] <= 1 or not pair[1] > 0:  # noqa: PLR2004 - a pair
        raise InvalidParameter(
            f"delta is {delta!r}; it must be a chance above 0 and at most 1, or the least and greatest"
        )
    return float(pair[0]), float(pair[1])


def chosen(name: str, value: str, among: tuple[str, ...]) -> None:
    """Refuse a parameter that is none of some words."""
    if value not in among:
        raise InvalidParameter(f"no {name} {value!r}{nearest(str(value), among)}")
