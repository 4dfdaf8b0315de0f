"""Plans: what a fit found, frozen; applied to tables and streams, saved and loaded as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.anonymity import planfile
from privkit.anonymity.counting.frequency import PART, FrequencySet
from privkit.anonymity.metrics import Report, met, report
from privkit.anonymity.recoding.apply import Applier
from privkit.anonymity.recoding.full_domain import suppressed_at
from privkit.anonymity.recoding.presence import Presence, reached, within
from privkit.anonymity.recoding.recoding import Recoding
from privkit.anonymity.recoding.rollup import Base
from privkit.columns.tables import open_table
from privkit.errors import InvalidParameter, TableError, Unmet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from privkit.anonymity.hierarchies.hierarchy import Hierarchy
    from privkit.anonymity.models.privacy import Models
    from privkit.anonymity.models.requirements import Requirements


@dataclass(frozen=True)
class Shape:
    """What the output looks like.

    Attributes:
        recoding: `local` or `full_domain`.
        output: `labels` or `sets`.
        levels: For full-domain recoding, the name of each quasi-identifier's level.
    """

    recoding: str
    output: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """How the records of one table are generalised, and what that costs.

    A plan holds the table's combinations of quasi-identifiers and sensitive values in the clear: keep it, and the file
    that `save` writes, as you keep the table.

    Attributes:
        frequency: The counts that it was made from.
        recoding: What it writes for each of them.
        requirements: What was asked.
        shape: What the output looks like.
        hierarchies: The quasi-identifiers' hierarchies; empty for sets.
        sensitive: The sensitive columns' hierarchies.
        population: The counts of the population, where a delta is asked; a saved plan does not hold them.

    Raises:
        Unmet: If some class does not meet what was asked.

    Example:
        >>> from privkit.anonymity import Anonymiser, Hierarchy
        >>> table = {"age": [31, 34, 35, 52]}
        >>> ages = {"age": Hierarchy.intervals([5, 10])}
        >>> plan = Anonymiser(ages, k=3, recoding="full_domain", suppression=0.25).fit(table)
        >>> plan.generalisations, plan.report.suppressed, plan.apply(table)
        ({'age': 'by 10'}, 1, {'age': ['30-39', '30-39', '30-39']})
    """

    frequency: FrequencySet
    recoding: Recoding
    requirements: Requirements
    shape: Shape
    hierarchies: dict[str, Hierarchy]
    sensitive: dict[str, Hierarchy | None]
    population: FrequencySet | None = None

    def __post_init__(self) -> None:
        asked = self.requirements.delta
        present = asked is None or self._delta is None or within(np.array(self._delta), asked).all()
        if not met(self.frequency, self.recoding, self.models) or not present:
            raise Unmet("the output would not meet the models; fit the table again")

    def __repr__(self) -> str:
        shape = f"{self.shape.recoding} {self.shape.output}"
        return f"<Plan {shape}, k={self.requirements.k}, {self.frequency.records} records>"

    @cached_property
    def models(self) -> Models:
        """What every class meets."""
        return self.requirements.models(self.frequency, self.sensitive)

    @cached_property
    def report(self) -> Report:
        """Every metric, computed when first asked for."""
        return replace(report(self.frequency, self.recoding, self.models), delta=self._delta)

    @cached_property
    def _delta(self) -> tuple[float, float] | None:
        return None if self.population is None else reached(self.recoding, self.population, self.hierarchies)

    @property
    def generalisations(self) -> dict[str, str]:
        """For full-domain recoding, the level of each quasi-identifier; empty for local recoding."""
        return dict(zip(self.frequency.names, self.shape.levels, strict=False))

    def describe(self) -> dict[str, Any]:
        """What was asked, what was reached and what it costs, as JSON holds it: counts and names, and no value."""
        return {
            "recoding": self.shape.recoding,
            "output": self.shape.output,
            "levels": self.generalisations,
            "asked": self.requirements.describe(),
            "reached": asdict(self.report),
        }

    def apply(self, table: Any) -> Any:  # noqa: ANN401 - any table
        """Generalise a table.

        A full-domain plan takes later tables too: it puts their columns on its levels, and drops records as far as its
        limit allows. A local plan takes the table that it was made from, its rows in any order.

        Args:
            table: A table in any container that privkit takes, with these columns; others are kept as they are.

        Returns:
            The same kind of table, its rows in the same order, without those suppressed. A column in which something
            was generalised is text; others are as they were.

        Raises:
            Unmet: If a later table does not meet the models within the limit of suppression.
            TableError: If a local plan is given another table.
            InvalidParameter: If the plan asks a delta, and was loaded without its population.
        """
        plan = self.refit(table) if self.shape.recoding == "full_domain" else self
        opened = open_table(table)
        parts = opened.parts(PART)
        try:
            return opened.joined(list(_applied(plan, parts)))
        except TableError:
            if len(parts) == 1:
                raise
            return next(_applied(plan, [table]))  # which says how many rows there are of what it refuses

    def apply_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Generalise the same table as a stream: batch by batch, in any order.

        Args:
            batches: Tables with these columns, together the table that the plan was made from; for a later one make
                its plan with `refit` first.

        Yields:
            A table for each, of the same kind.

        Raises:
            TableError: If a batch has records that the plan does not know of; and at the end, if some are missing:
                then what was written does not meet the models and must be thrown away.
            InvalidParameter: If the plan asks a delta, and was loaded without its population.
        """
        yield from _applied(self, batches)

    def refit(self, table: Any, *, population: Any = None) -> Plan:  # noqa: ANN401 - any tables
        """The plan of a later table at the same levels.

        Args:
            table: The later table, or its `FrequencySet`.
            population: The people that it was drawn from, or their `FrequencySet`, where the plan asks for a delta; by
                default those that the plan was made with.

        Raises:
            InvalidParameter: If the plan is of local recoding, or a hierarchy does not cover the values.
            Unmet: If the table does not meet the models within the limit of suppression.
        """
        if self.shape.recoding != "full_domain":
            raise InvalidParameter("a local plan belongs to the table it was made from; fit the later table")
        if not isinstance(table, FrequencySet):
            table = FrequencySet.of(table, self.frequency.names, list(self.sensitive))
        models = self.requirements.models(table, self.sensitive)
        people = self.population if population is None else counted(population, self.frequency.names)
        self.requirements.check(table, models, people, limit=self.requirements.suppression)
        ladders = [self.hierarchies[domain.name].bind(domain, every=True) for domain in table.quasi]
        node = [ladder.levels.index(name) for ladder, name in zip(ladders, self.shape.levels, strict=True)]
        sizes = np.add.reduceat(table.counts, table.starts)
        asked = self.requirements.delta
        near = None if asked is None or people is None else Presence(table, people, self.hierarchies, asked)
        gone, own = suppressed_at(Base.of_table(table, ladders, models), node, near)
        dropped = int(sizes[gone].sum())
        if dropped > self.requirements.suppression * table.records + 1e-9:  # a share such as 0.05 is no exact float
            raise Unmet(
                f"at the plan's levels {dropped} of {table.records} records do not meet the models (at most "
                f"{self.requirements.suppression:.1%} may be suppressed); fit this table, or allow more suppression"
            )
        levels = np.repeat(np.array(node)[:, None], len(table.starts), axis=1)
        recoding = Recoding.of_levels(table, ladders, levels, gone, own)
        return Plan(table, recoding, self.requirements, self.shape, self.hierarchies, self.sensitive, people)

    def save(self, path: str | Path) -> None:
        """Write the plan as JSON. It holds values of the data in the clear: keep it as you keep the table."""
        Path(path).write_text(self.dumps(), encoding="utf-8")

    def dumps(self) -> str:
        """What `save` writes."""
        return planfile.dump(self)

    @classmethod
    def load(cls, path: str | Path, *, population: Any = None) -> Plan:  # noqa: ANN401 - any table
        """Read what `save` wrote; the models are checked again.

        Args:
            path: The file.
            population: Where the plan asks a delta, the people that it was fitted with, or their `FrequencySet`. The
                file does not hold them, and without them the plan can be looked at and refitted, not applied.

        Raises:
            TableError: If the file is something else, or damaged.
            Unmet: If its classes do not meet what it says was asked.
            InvalidParameter: If a population is given, and the plan asks no delta.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise TableError("no plan that privkit wrote: it is not UTF-8") from None
        parts = planfile.parse(text)
        shape = Shape(parts.recoding, parts.output, parts.levels)
        people = counted(population, parts.frequency.names)
        if people is not None and parts.requirements.delta is None:
            raise InvalidParameter("a population is given, and the plan asks no delta; leave it out")
        try:
            return cls(
                parts.frequency, parts.labels, parts.requirements, shape, parts.hierarchies, parts.sensitive, people
            )
        except IndexError:
            raise TableError("the plan's labels and records do not fit together; save it again") from None


def counted(population: Any, names: Sequence[str]) -> FrequencySet | None:  # noqa: ANN401 - any table
    """The frequency set of a population, given as one or as a table; `None` for none.

    Raises:
        InvalidParameter: If it was counted over other columns.
    """
    if population is None:
        return None
    found = population if isinstance(population, FrequencySet) else FrequencySet.of(population, names)
    if found.names != tuple(names):
        raise InvalidParameter(
            "the population was counted over other columns than the quasi-identifiers, in their order"
        )
    return found


def _applied(plan: Plan, batches: Iterable[Any]) -> Iterator[Any]:
    if plan.requirements.delta is not None and plan.population is None:
        raise InvalidParameter("the plan asks a delta, and its population is not known; load it with population=")
    applier = Applier(plan.frequency, plan.recoding)
    pending: list[Any] = []
    for batch in batches:
        yield from pending  # one behind, so that a single table is out only when its counts are right
        pending = [applier.apply(batch)]
    applier.finish()
    yield from pending
