"""The front door: say once what is asked, and fit tables."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.hierarchies.derived import Derived
from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Ladder
from privkit.anonymity.models.requirements import Requirements, chosen
from privkit.anonymity.plan import Plan, Shape, counted
from privkit.anonymity.recoding.full_domain import optimum
from privkit.anonymity.recoding.labels import peel
from privkit.anonymity.recoding.presence import Presence, joined
from privkit.anonymity.recoding.recoding import Recoding
from privkit.anonymity.recoding.sets import recode_to_sets
from privkit.anonymity.recoding.specialise import specialised
from privkit.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.models.privacy import Models

_RECODINGS: Final = ("local", "full_domain")
_OUTPUTS: Final = ("labels", "sets")
_EFFORTS: Final = ("normal", "thorough")
_CUTS: Final = ("relaxed", "strict")


class Anonymiser:
    """Generalises quasi-identifiers until every class of records meets k-anonymity, l-diversity and t-closeness.

    What shape the output has is yours to choose: `recoding="full_domain"` puts each column on one level of its
    hierarchy and drops what then still stands out; it is the optimum over all such choices, and the plan applies to
    later tables. `recoding="local"` generalises class by class, loses a fraction of that, and drops nothing; its labels
    are those of the hierarchies (`output="labels"`), or ranges and sets of values (`output="sets"`), which need no
    hierarchies and lose least.

    Args:
        quasi_identifiers: Columns by name, each with its hierarchy or `None`; or names alone. Without a hierarchy,
            labels are of one that is built from the data.
        sensitive: Columns that l and t are asked of, by name; with a hierarchy for the hierarchical distance of t.
        k: The least number of records of a class.
        l: The diversity of each sensitive column in a class; 1 asks for none.
        t: The greatest distance of a class's sensitive values from the whole table's; `None` asks for none.
        diversity: What l counts: `distinct`, `entropy` or `recursive`.
        c: The c of recursive diversity.
        distance: Of t: `auto`, `equal`, `ordered` or `hierarchical`.
        recoding: `local` or `full_domain`.
        output: `labels` or `sets`.
        delta: The greatest chance of a person of the population to be in the table, or the least and the greatest;
            `fit` then takes the population. A least chance above 0 is for labels alone.
        suppression: The greatest share of records that a full-domain plan may drop. Local recoding drops none.
        weights: How much the loss of a quasi-identifier counts in the search, by name; 1 by default.
        effort: `normal`, or `thorough` for sets that lose a few per cent less in three to four times the time.
        cuts: For sets: `relaxed` may put records that are alike into different classes, where that loses less;
            `strict` does not, and loses more.

    Raises:
        InvalidParameter: If a parameter is out of range, or parameters contradict each other.

    Example:
        >>> from privkit.anonymity import Anonymiser
        >>> table = {"age": [31, 34, 35, 52, 58, 59], "ill": ["flu", "asthma", "flu", "flu", "gout", "gout"]}
        >>> plan = Anonymiser(["age"], sensitive=["ill"], k=3, l=2, output="sets").fit(table)
        >>> plan.apply(table)["age"]
        ['[31, 35]', '[31, 35]', '[31, 35]', '[52, 59]', '[52, 59]', '[52, 59]']
        >>> plan.report.k, plan.report.sensitive["ill"].l
        (3, 2)
    """

    def __init__(
        self,
        quasi_identifiers: Mapping[str, Hierarchy | None] | Sequence[str],
        *,
        k: int,
        sensitive: Mapping[str, Hierarchy | None] | Sequence[str] = (),
        l: int = 1,  # noqa: E741 - the literature's letter
        t: float | None = None,
        diversity: str = "distinct",
        c: float = 1.0,
        distance: str = "auto",
        recoding: str = "local",
        output: str = "labels",
        delta: float | tuple[float, float] | Sequence[float] | None = None,
        suppression: float = 0.0,
        weights: Mapping[str, float] | None = None,
        effort: str = "normal",
        cuts: str = "relaxed",
    ) -> None:
        self.quasi = _named("quasi_identifiers", quasi_identifiers)
        self.sensitive = _named("sensitive", sensitive)
        self.requirements = Requirements(k, l, diversity, c, t, distance, suppression, delta)  # type: ignore[arg-type]
        for name, value, among in (
            ("recoding", recoding, _RECODINGS),
            ("output", output, _OUTPUTS),
            ("effort", effort, _EFFORTS),
            ("cuts", cuts, _CUTS),
        ):
            chosen(name, value, among)
        self.recoding, self.output = recoding, output
        self.effort = "strict" if cuts == "strict" else effort
        self.weights = _weights(self.quasi, weights or {})
        self._check()

    def _check(self) -> None:
        if not self.quasi:
            raise InvalidParameter("no quasi-identifiers; name the columns that could point to a person together")
        both = [name for name in self.quasi if name in self.sensitive]
        if both:
            raise InvalidParameter(f"column {both[0]!r} is both a quasi-identifier and sensitive; take it off one")
        if self.requirements.of_sensitive and not self.sensitive:
            raise InvalidParameter("l and t are asked of sensitive columns, and none is named; name them in sensitive")
        if self.sensitive and not self.requirements.of_sensitive:
            raise InvalidParameter("sensitive columns are named, and neither l nor t is asked; give l or t")
        if self.recoding == "full_domain" and self.output == "sets":
            raise InvalidParameter("full-domain recoding writes labels; take output='labels', or recoding='local'")
        if self.output == "sets" and self.requirements.delta is not None and self.requirements.delta[0] > 0:
            raise InvalidParameter("delta has a least chance above 0, which needs output='labels'")

    def fit(
        self,
        table: Any,  # noqa: ANN401 - any table
        *,
        population: Any = None,  # noqa: ANN401 - any table
        progress: Callable[[float], None] | None = None,
    ) -> Plan:
        """Find how the records of a table are generalised.

        Args:
            table: A table in any container that privkit takes, or a `FrequencySet` of these columns.
            population: For delta, the people that the table was drawn from, with the same quasi-identifiers; a table
                or a `FrequencySet`.
            progress: Is called with the share of the work that is done, from 0 to 1.

        Raises:
            Unmet: If no generalisation of this table can meet the models.
            TableError: If it is empty, a column is missing, or a quasi-identifier is null throughout.
            InvalidValue: If a number is NaN or infinite.
            InvalidParameter: If a column mixes types, or a hierarchy does not cover its values.
        """
        if not isinstance(table, FrequencySet):
            table = FrequencySet.of(table, list(self.quasi), list(self.sensitive))
        return self._fit(table, counted(population, list(self.quasi)), progress or _silent)

    def fit_batches(
        self,
        batches: Iterable[Any],
        *,
        population: Any = None,  # noqa: ANN401 - any table
        progress: Callable[[float], None] | None = None,
    ) -> Plan:
        """The same for a stream of tables with the same columns, which need not fit into memory; as `fit`."""
        table = FrequencySet.of_batches(batches, list(self.quasi), list(self.sensitive))
        return self._fit(table, counted(population, list(self.quasi)), progress or _silent)

    def _fit(self, frequency: FrequencySet, population: FrequencySet | None, progress: Callable[[float], None]) -> Plan:
        if frequency.names != tuple(self.quasi) or [d.name for d in frequency.sensitive] != list(self.sensitive):
            raise InvalidParameter(
                "the frequency set is of other columns; count those of this anonymiser, in its order"
            )
        models = self.requirements.models(frequency, self.sensitive)
        limit = self.requirements.suppression if self.recoding == "full_domain" else 0.0
        self.requirements.check(frequency, models, population, limit=limit)
        hierarchies = self._hierarchies(frequency)
        shape = Shape(self.recoding, self.output)
        delta = self.requirements.delta
        near = None
        if delta is not None and population is not None and self.output == "labels":
            near = Presence(frequency, population, hierarchies, delta)
        if self.output == "sets":
            recoding = recode_to_sets(frequency, models, self.weights, self.effort, progress)
            if delta is not None and population is not None:
                recoding = joined(frequency, recoding, population, self.weights, delta[1])
        else:
            # A level that tells no fewer of the table's values apart may tell fewer of the population's.
            ladders = [hierarchies[domain.name].bind(domain, every=near is not None) for domain in frequency.quasi]
            if self.recoding == "local":
                recoding = Recoding.of_levels(
                    frequency, ladders, self._local(frequency, ladders, models, near, progress)
                )
            else:
                shape, recoding = self._full_domain(frequency, ladders, models, near, progress)
        plan = Plan(frequency, recoding, self.requirements, shape, hierarchies, dict(self.sensitive), population)
        progress(1.0)
        return plan

    def _local(
        self,
        frequency: FrequencySet,
        ladders: list[Ladder],
        models: Models,
        near: Presence | None,
        progress: Callable[[float], None],
    ) -> NDArray[np.integer]:
        """The level of each quasi-identifier of each tuple, class by class."""
        if near is not None and near.delta[0] > 0:
            return specialised(frequency, ladders, models, self.weights, near, progress=progress)
        levels = peel(frequency, ladders, models, self.weights, progress).levels
        if near is None:
            return levels
        return near.raised(levels, ladders, np.add.reduceat(frequency.counts, frequency.starts), self.weights)

    def _full_domain(
        self,
        frequency: FrequencySet,
        ladders: list[Ladder],
        models: Models,
        near: Presence | None,
        progress: Callable[[float], None],
    ) -> tuple[Shape, Recoding]:
        limit = self.requirements.suppression
        best = optimum(frequency, ladders, models, self.weights, limit=limit, near=near, progress=progress)
        levels = np.repeat(np.array(best.node)[:, None], len(frequency.starts), axis=1)
        names = tuple(ladder.levels[level] for ladder, level in zip(ladders, best.node, strict=True))
        recoding = Recoding.of_levels(frequency, ladders, levels, best.suppressed, best.sizes)
        return Shape(self.recoding, self.output, names), recoding

    def _hierarchies(self, frequency: FrequencySet) -> dict[str, Hierarchy]:
        """The hierarchies, built from the data where none is given; none for sets."""
        if self.output == "sets":
            return {}
        found: dict[str, Hierarchy] = {}
        for domain in frequency.quasi:
            hierarchy = self.quasi[domain.name] or Hierarchy.from_data()
            found[domain.name] = hierarchy.built(domain) if isinstance(hierarchy, Derived) else hierarchy
        return found


def _named(what: str, columns: Any) -> dict[str, Hierarchy | None]:  # noqa: ANN401 - checked here
    if isinstance(columns, str) or not hasattr(columns, "__iter__"):
        given = "one text" if isinstance(columns, str) else f"a {type(columns).__name__}"
        raise InvalidParameter(f"{what} is {given}; give a list of names")
    names = list(columns)
    if not all(isinstance(name, str) for name in names):
        raise InvalidParameter(f"{what} must be names of columns, as text")
    if len(set(names)) < len(names):
        raise InvalidParameter(f"{what} names a column twice; name each once")
    found = dict(columns) if hasattr(columns, "items") else dict.fromkeys(names)
    for name, hierarchy in found.items():
        if not (hierarchy is None or isinstance(hierarchy, Hierarchy)):
            raise InvalidParameter(f"{what} must be names of columns, each with a Hierarchy or None (not of {name!r})")
    return found


def _weights(quasi: Mapping[str, Any], weights: Mapping[str, float]) -> tuple[float, ...]:
    if not hasattr(weights, "items"):
        raise InvalidParameter(f"weights is a {type(weights).__name__}; give a dict of numbers by quasi-identifier")
    unknown = [name for name in weights if name not in quasi]
    if unknown:
        raise InvalidParameter(
            f"a weight for {unknown[0]!r}, which is no quasi-identifier; there are: {', '.join(quasi)}"
        )
    given = [weights.get(name, 1.0) for name in quasi]
    if any(isinstance(weight, bool) or not isinstance(weight, Real) for weight in given):
        raise InvalidParameter("a weight is no number; give numbers above 0")
    found = tuple(float(weight) for weight in given)
    if not all(np.isfinite(weight) and weight > 0 for weight in found):
        raise InvalidParameter("a weight is not above 0; leave a column that does not count out instead")
    return found


def _silent(share: float) -> None:
    del share
