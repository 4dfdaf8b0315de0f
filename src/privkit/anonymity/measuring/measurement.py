"""Measuring a table, without changing it: how well its people are hidden, and what an attacker would learn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.hierarchies.hierarchy import Hierarchy
from privkit.anonymity.measuring.gbt42460 import Grade, grade, threshold_of
from privkit.anonymity.measuring.presence import (
    PopulationMeasurement,
    against_people,
    against_size,
    class_sizes,
    distribution,
    match,
)
from privkit.anonymity.measuring.quasi import QuasiMeasurement, measure_quasi
from privkit.anonymity.measuring.risk import Risk, attacks
from privkit.anonymity.measuring.sensitive import SensitiveMeasurement, measure_sensitive
from privkit.anonymity.measuring.uniqueness import Uniqueness, estimate_uniqueness
from privkit.columns.tables import open_table
from privkit.errors import InvalidParameter, TableError, WrongType
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

_FORMAT: Final = "privkit/measurement/1"


@dataclass(frozen=True)
class Measurement:
    """How well a table hides its people. It holds counts and names of columns, and no value of the table.

    Attributes:
        records: Rows.
        classes: Distinct combinations of quasi-identifiers; the rows of one are alike in all of them.
        k: Rows of the smallest class.
        class_sizes: Sizes that occur, ascending, and how many classes have each.
        quasi: What the table would be without each quasi-identifier.
        sensitive: What classes tell about each sensitive column.
        risk: The risk of re-identification, from three attackers.
        population: k-map and delta-presence, where a population or its size is known.
        uniqueness: How many people of the population are unique in it, estimated, where its size is known.
        grade: The level by GB/T 42460-2023, with what a person declared.

    Example:
        >>> from privkit.anonymity import measure
        >>> table = {
        ...     "age": [30, 30, 41, 41],
        ...     "city": ["杭州", "杭州", "上海", "上海"],
        ...     "ill": ["flu", "gout", "flu", "flu"],
        ... }
        >>> found = measure(table, ["age", "city"], sensitive=["ill"], release="enclave")
        >>> found.k, found.l, found.t, found.grade.level
        (2, 1, 0.25, 2)
    """

    records: int
    classes: int
    k: int
    class_sizes: tuple[tuple[int, int], ...]
    quasi: tuple[QuasiMeasurement, ...]
    sensitive: tuple[SensitiveMeasurement, ...]
    risk: Risk
    population: PopulationMeasurement | None
    uniqueness: Uniqueness | None
    grade: Grade

    @property
    def l(self) -> int | None:  # noqa: E743 - the model's name
        """The l of distinct l-diversity, over all sensitive columns; `None` where there is none."""
        return min((column.l for column in self.sensitive), default=None)

    @property
    def t(self) -> float | None:
        """The t of t-closeness, over all sensitive columns; `None` where there is none."""
        return max((column.t for column in self.sensitive), default=None)

    @property
    def unique(self) -> int:
        """How many rows are alone in their class."""
        return dict(self.class_sizes).get(1, 0)

    @property
    def average(self) -> float:
        """Rows of a class, on average."""
        return self.records / self.classes

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON holds it: plain numbers, fractions as `1/20`, `None` for what is infinite or unknown."""
        given = self.grade
        computed = {
            "records": self.records,
            "classes": self.classes,
            "k": self.k,
            "l": self.l,
            "t": self.t,
            "unique_records": self.unique,
            "average_class": self.average,
            "class_sizes": [list(pair) for pair in self.class_sizes],
            "quasi": [asdict(column) for column in self.quasi],
            "sensitive": [{**asdict(column), "t": column.t} for column in self.sensitive],
            "risk": asdict(self.risk),
            "population": asdict(self.population) if self.population else None,
            "uniqueness": {**asdict(self.uniqueness), "share": self.uniqueness.share} if self.uniqueness else None,
            "gbt_42460_2023": {
                "level": given.level,
                "risk": str(given.risk) if given.risk is not None else None,
                "threshold": str(given.threshold),
                "needed_k": given.needed_k,
            },
        }
        declared = {
            "quasi_identifiers": list(given.quasi_identifiers),
            "sensitive": [column.column for column in self.sensitive],
            "identifiers": list(given.identifiers),
            "release": given.release,
            "population_size": self.population.size if self.population and not self.population.counted else None,
        }
        plain: dict[str, Any] = _plain({"format": _FORMAT, "declared": declared, "computed": computed})
        return plain


def measure(
    table: Any,  # noqa: ANN401 - any table
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str] = (),
    *,
    identifiers: Sequence[str] = (),
    release: str = "public",
    population: Any = None,  # noqa: ANN401 - any table
    population_size: int | None = None,
    hierarchies: Mapping[str, Hierarchy] | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
    distances: Mapping[str, str] | None = None,
) -> Measurement:
    """Measure a table, without changing it.

    Null is a value of its own, and numbers are numbers: they stand in their order.

    Args:
        table: What `privkit.columns.tables.open_table` takes, or a `FrequencySet` of just these columns.
        quasi_identifiers: Columns that together may tell who somebody is, to one who knows those things of them.
        sensitive: Columns that nobody is to learn about a person.
        identifiers: Columns of direct identifiers that the table holds, such as names and phone numbers.
        release: How it is released: `public`, `controlled` or `enclave`; sets the acceptable risk.
        population: The people that the table was drawn from, with the same quasi-identifiers; a table or a
            `FrequencySet`.
        population_size: How many people those are, where no more is known of them.
        hierarchies: Of quasi-identifiers, by which the table was generalised and the population is not; of sensitive
            columns, for the hierarchical distance.
        orders: Of sensitive columns that are categories with an order: their values in it.
        distances: Which ground distance t-closeness is to have, by sensitive column: `equal`, `ordered` or
            `hierarchical`. By default the one that fits.

    Raises:
        TableError: If the table is empty, a column is missing, or the population has no rows, or fewer than the table.
        InvalidParameter: If a column is named twice or in two roles, there is no quasi-identifier, a column holds
            mixed types or bytes, a hierarchy or an order does not cover its column, there is no such release, or both
            a population and its size are given.
        InvalidValue: If a number is NaN or infinite; with the rows.
    """
    check_roles(quasi_identifiers, sensitive, identifiers)
    if population is not None and population_size is not None:
        raise InvalidParameter("a population and a population_size; pass the one that you know better")
    known = {*quasi_identifiers, *sensitive}
    _check_names("hierarchies", hierarchies, known)
    for name, hierarchy in (hierarchies or {}).items():
        if not isinstance(hierarchy, Hierarchy):
            raise WrongType(f"the hierarchy of {name!r} is a {type(hierarchy).__name__}; make one with Hierarchy")
    _check_names("orders", orders, sensitive)
    _check_names("distances", distances, sensitive)
    threshold = threshold_of(release)
    frequency = _counted(table, quasi_identifiers, sensitive, identifiers)
    sizes = class_sizes(frequency)
    people = against = None
    if population is not None:
        people, against = _counted_population(frequency, sizes, population, hierarchies or {})
    elif population_size is not None:
        _check_size(population_size, frequency.records)
        population_size = int(population_size)
        against = against_size(sizes, population_size)
    k = int(sizes.min())
    given = grade(release=release, k=k, identifiers=identifiers, quasi_identifiers=quasi_identifiers)
    return Measurement(
        records=frequency.records,
        classes=len(sizes),
        k=k,
        class_sizes=distribution(sizes),
        quasi=measure_quasi(frequency, given.needed_k),
        sensitive=_sensitive(frequency, hierarchies or {}, orders or {}, distances or {}),
        risk=attacks(sizes, float(threshold), population=people, population_size=population_size),
        population=against,
        uniqueness=estimate_uniqueness(sizes, population_size) if population_size is not None else None,
        grade=given,
    )


def _sensitive(
    frequency: FrequencySet,
    hierarchies: Mapping[str, Hierarchy],
    orders: Mapping[str, Sequence[str]],
    distances: Mapping[str, str],
) -> tuple[SensitiveMeasurement, ...]:
    return tuple(
        measure_sensitive(
            frequency,
            number,
            order=orders.get(domain.name),
            hierarchy=hierarchies.get(domain.name),
            distance=distances.get(domain.name, ""),
        )
        for number, domain in enumerate(frequency.sensitive)
    )


def _counted(
    table: Any,  # noqa: ANN401 - any table
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str],
    identifiers: Sequence[str],
    *,
    called: str = "the table",
) -> FrequencySet:
    """The frequency set of a table that has rows."""
    if isinstance(table, FrequencySet):
        found, asked = [domain.name for domain in table.domains], [*quasi_identifiers, *sensitive]
        if found != asked or len(table.quasi) != len(quasi_identifiers):
            raise InvalidParameter(
                f"a frequency set of {len(table.quasi)} quasi-identifiers and {len(table.sensitive)} sensitive columns "
                "that are not those asked for; count it over just these, in this order"
            )
        frequency = table
    else:
        opened = open_table(table)
        if not opened.rows:
            raise TableError(f"{called} has no rows; there is nobody to measure")
        for name in (*quasi_identifiers, *sensitive, *identifiers):
            if name not in opened.names:
                raise TableError(f"{called} has no column {name!r}{nearest(name, opened.names)}")
        frequency = FrequencySet.of(table, quasi_identifiers, sensitive)
    if not frequency.records:
        raise TableError(f"{called} has no rows; there is nobody to measure")
    return frequency


def _counted_population(
    frequency: FrequencySet,
    sizes: NDArray[np.int64],
    population: Any,  # noqa: ANN401 - any table
    hierarchies: Mapping[str, Hierarchy],
) -> tuple[NDArray[np.int64], PopulationMeasurement]:
    """The people of each class, and what they say."""
    names = [domain.name for domain in frequency.quasi]
    whole = _counted(population, names, (), (), called="the population")
    _check_size(whole.records, frequency.records)
    people, matched = match(frequency, whole, hierarchies)
    return people, against_people(sizes, people, whole, matched)


def _check_size(population: Any, records: int) -> None:  # noqa: ANN401 - checked here
    if isinstance(population, bool) or not isinstance(population, Integral):
        raise InvalidParameter(f"population_size is a {type(population).__name__}; it must be a whole number")
    if population < records:
        raise TableError(f"a population of {population} for a table of {records} rows; it must hold all of its people")


def check_roles(quasi_identifiers: Sequence[str], sensitive: Sequence[str], identifiers: Sequence[str]) -> None:
    """See that each column is named once, and that there are quasi-identifiers.

    Raises:
        WrongType: If names are no lists of text.
        InvalidParameter: If a column is named twice, or there is no quasi-identifier.
    """
    for role, names in (
        ("quasi-identifiers", quasi_identifiers),
        ("sensitive columns", sensitive),
        ("identifiers", identifiers),
    ):
        if isinstance(names, str):
            raise WrongType(f"{role} as one text; pass a list of names")
        if not hasattr(names, "__iter__") or not all(isinstance(name, str) for name in names):
            raise WrongType(f"{role} must be a list of names")
    if not quasi_identifiers:
        raise InvalidParameter("no quasi-identifiers; name the columns that together may tell who somebody is")
    roles: dict[str, str] = {}
    for role, names in (("quasi-identifier", quasi_identifiers), ("sensitive", sensitive), ("identifier", identifiers)):
        for name in names:
            if name in roles:
                raise InvalidParameter(f"column {name!r} is {roles[name]} and {role}; give it one role, once")
            roles[name] = role


def _check_names(what: str, given: Mapping[str, object] | None, known: Iterable[str]) -> None:
    """See that a mapping names only columns that are measured."""
    for name in given or {}:
        if name not in set(known):
            raise InvalidParameter(f"{what} of {name!r}, which is not measured{nearest(name, known)}")


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything that JSON holds
    """A value as JSON holds it: no infinity."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if not isinstance(value, float) or isfinite(value) else None
