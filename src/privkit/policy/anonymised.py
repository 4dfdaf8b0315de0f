"""The second half of a view with anonymity: what its transforms gave, counted, generalised, and measured again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.recoding.apply import Applier
from privkit.anonymity.verify import verify
from privkit.columns.tables import open_table
from privkit.errors import PolicyError, TableError
from privkit.policy.reading import read
from privkit.suggest import nearest
from privkit.transforms.fpe import FormatPreserving
from privkit.transforms.generalise import Generalise
from privkit.transforms.keep import Keep
from privkit.transforms.mask import Mask
from privkit.transforms.noise import Noise
from privkit.transforms.shift import DateShift
from privkit.transforms.surrogate import Surrogate
from privkit.transforms.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from privkit.anonymity.plan import Plan
    from privkit.fields.base import FieldType
    from privkit.policy.anonymity import Anonymity
    from privkit.policy.model import PolicyField, Treatment
    from privkit.policy.view import BoundView

T = TypeVar("T")

REPEATABLE: Final = frozenset(
    {transform.word for transform in (Keep, Mask, Token, FormatPreserving, Generalise, Surrogate, DateShift, Noise)}
)
"""Words whose results are the same each time that a table is read, whatever their parameters."""


def check(anonymity: Anonymity, fields: Mapping[str, PolicyField], treatments: Mapping[str, Treatment]) -> None:
    """Check what a view asks of its records against what it gives of each field.

    Raises:
        PolicyError: If a column is not given, its treatment gives other results each time, or the parameters are wrong.
    """
    for role, names in (("quasi_identifiers", anonymity.quasi_identifiers), ("sensitive", anonymity.sensitive)):
        for name in names:
            _check_column(role, name, fields, treatments)
    Anonymising.of(anonymity, treatments, fields)


def _check_column(role: str, name: str, fields: Mapping[str, PolicyField], treatments: Mapping[str, Treatment]) -> None:
    if name not in fields or name not in treatments or treatments[name].word == "drop":
        raise PolicyError(f"{role} names {name!r}, which the view does not give; give it, or take it off", path=(role,))
    said = treatments[name]
    if said.word not in REPEATABLE and not (said.word == "encrypt" and said.parameters.get("deterministic") is True):
        raise PolicyError(
            f"{role} names {name!r}, and {said.word} gives other results each time; take another treatment, such as "
            "keep or generalise",
            path=(role,),
        )


class Anonymising:
    """A view's anonymity, bound to the types of its columns.

    Args:
        anonymity: What the view asks.
        types: The field type of each of its columns; `None` where the view changes the values.
    """

    def __init__(self, anonymity: Anonymity, types: Mapping[str, FieldType | None]) -> None:
        self.quasi_identifiers, self.sensitive = anonymity.quasi_identifiers, anonymity.sensitive
        self.columns, self.population = anonymity.columns, anonymity.population
        self._types = types
        self._anonymiser = anonymity.anonymiser(types)

    @classmethod
    def of(
        cls, anonymity: Anonymity, treatments: Mapping[str, Treatment], fields: Mapping[str, PolicyField]
    ) -> Anonymising:
        """Bind what a view asks; values that it keeps are of their field's type still."""
        kept = {name: fields[name].type if treatments[name].word == Keep.word else None for name in anonymity.columns}
        return cls(anonymity, kept)

    def read(self, table: Any, names: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - any table
        """Those of some columns that are read as their types say, out of what the view's transforms gave."""
        opened = open_table(table)
        found = {name: read(opened.column(name), self._types[name]) for name in names}
        return {name: column for name, column in found.items() if column is not None}

    def count(self, tables: Iterable[Any]) -> FrequencySet:
        """The frequency set of a table, in pieces, that the view's transforms gave."""
        return self._counted(tables, self.columns)

    def count_people(self, tables: Iterable[Any]) -> FrequencySet:
        """The same for a population, of which only the quasi-identifiers are known."""
        names = self.quasi_identifiers
        pieces = ({**_columns(table, names), **self.read(table, names)} for table in tables)
        return FrequencySet.of_batches(pieces, names)

    def _counted(self, tables: Iterable[Any], spelled: Sequence[str]) -> FrequencySet:
        """Count the pieces of a table in which some columns are spelled as they were before."""
        pieces = ({**_columns(table, self.columns), **self.read(table, spelled)} for table in tables)
        return FrequencySet.of_batches(pieces, self.quasi_identifiers, self.sensitive)

    def plan(
        self,
        frequency: FrequencySet,
        people: FrequencySet | None = None,
        known: Plan | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Plan:
        """How a table is generalised.

        Args:
            frequency: Its counts.
            people: Those of the population, where a delta is asked.
            known: A full-domain plan of an earlier table, whose levels are to be kept.
            progress: Is called with the share of the work that is done.

        Raises:
            Unmet: If it cannot meet the models, or not at the levels of the known plan.
            PolicyError: If the known plan is for other columns or models.
        """
        if known is None:
            return self._anonymiser.fit(frequency, population=people, progress=progress)
        asked = self._anonymiser.requirements
        if known.frequency.names != self.quasi_identifiers or tuple(known.sensitive) != self.sensitive:
            raise PolicyError("the plan is for other columns than the view's anonymity; make it anew")
        if known.requirements != asked or known.shape.recoding != self._anonymiser.recoding:
            raise PolicyError("the plan is for other models than the view's anonymity; make it anew")
        return known.refit(frequency, population=people)

    def writer(self, plan: Plan) -> Writer:
        """What writes the pieces of the table that the plan was made for."""
        return Writer(self, plan)

    def verified(self, plan: Plan, written: Iterable[Any]) -> None:
        """Count an output, and refuse it where it does not meet the plan's models.

        Args:
            plan: What was to be written.
            written: The output, in pieces; it is drawn to its end.

        Raises:
            Unmet: If it does not.
        """
        verify(plan, self._counted(written, self.sensitive))


def _columns(table: Any, names: Iterable[str]) -> dict[str, Any]:  # noqa: ANN401 - any table
    opened = open_table(table)
    return {name: opened.column(name) for name in names}


def people_of(bound: BoundView) -> FrequencySet | None:
    """The population that a view's anonymity names, counted as the view's transforms give it.

    Raises:
        TableError: If it has no column of a quasi-identifier, or its file is none.
    """
    asked = bound.anonymising
    if asked is None or asked.population is None:
        return None
    names = asked.quasi_identifiers
    wanted = bound.sources(names)
    if not isinstance(asked.population, Path):
        _complete(open_table(asked.population).names, wanted)
        return asked.count_people([bound.treat(asked.population, only=names).table])
    from privkit.policy.files import open_source  # noqa: PLC0415 - it needs an extra

    with open_source(asked.population) as source:
        _complete(source.names, wanted)
        return asked.count_people(bound.treat(batch, only=names).table for batch in source.batches(wanted))


def _complete(names: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            raise TableError(f"the population has no column {name!r}{nearest(name, names)}")


class Writer:
    """Generalises the pieces of a table, in any order.

    Args:
        anonymising: Reads the pieces.
        plan: How they are generalised.
    """

    def __init__(self, anonymising: Anonymising, plan: Plan) -> None:
        self._anonymising = anonymising
        self._applier = Applier(plan.frequency, plan.recoding)

    def write(self, table: T) -> T:
        """Generalise a piece; one without rows says what columns come out.

        Raises:
            TableError: If it has records that were not counted.
        """
        written: T = self._applier.apply(table, self._anonymising.read(table, self._anonymising.columns))
        return written

    def finish(self) -> None:
        """See that all have come.

        Raises:
            TableError: If some have not.
        """
        self._applier.finish()
