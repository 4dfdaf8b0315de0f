"""A look at a sample of one column: its values without what stands for nothing, each once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.columns import lift
from privkit.errors import InvalidValue, WrongType
from privkit.policy.inspect.lexicon import PLACEHOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit.columns.kinds import Kind
    from privkit.fields.base import FieldType

_VALUES: Final = 2_000
"""Different values that are looked at; a share of so many is right within some 3 %."""
_PROBE: Final = 40
"""Different values that are tried first, so that what is nothing of the kind costs nothing."""
_HOPELESS: Final = 0.25
_LONGEST: Final = 500
"""Characters of a value that are looked at."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Look:
    """What was seen of a column.

    Attributes:
        name: The column's name.
        kind: What its values are; `None` where they are of no kind that a transform takes.
        rows: How many rows were seen.
        blank: How many of them are null, empty or hold what stands for nothing.
        distinct: How many different values the others have.
        values: Different values, at most 2,000, from all over the sample.
        weights: `float64`: the rows that each of `values` stands for, in shares that add up to 1.
    """

    name: str
    kind: Kind | None
    rows: int
    blank: int
    distinct: int
    values: tuple[str, ...]
    weights: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<Look at {len(self.values)} values>"  # never the values

    def share(self, check: Callable[[str], Any]) -> float:
        """The share of rows whose value passes a check; an estimate from a few where hardly any does."""
        return self._measured(lambda values: np.fromiter((bool(check(value)) for value in values), np.bool_))

    def valid(self, field_type: FieldType) -> float:
        """The share of rows whose value is valid of a type."""

        def are_valid(values: tuple[str, ...]) -> NDArray[np.bool_]:
            bad = field_type.read(Ragged.of_text(values)).bad
            return np.ones(len(values), np.bool_) if bad is None else ~bad

        return self._measured(are_valid)

    def _measured(self, are_good: Callable[[tuple[str, ...]], NDArray[np.bool_]]) -> float:
        if not self.values:
            return 0.0
        step = -(-len(self.values) // _PROBE)
        part = slice(None, None, step)
        good = float(self.weights[part] @ are_good(self.values[part])) / float(self.weights[part].sum())
        if step == 1 or good < _HOPELESS:
            return good
        return float(self.weights @ are_good(self.values))


def look_at(name: str, container: Any) -> Look:  # noqa: ANN401 - any column that `lift` takes
    """Look at a column.

    Args:
        name: Its name.
        container: A sample of it, in any container that `privkit.columns.lift` takes.
    """
    try:
        column = lift(container)
    except (WrongType, InvalidValue):
        return _nothing(name, None, len(container))
    try:
        texts = column.text().to_text()
    except InvalidValue:  # bytes that are no text, days beyond the calendar
        return _nothing(name, column.kind, len(column))
    counts = _counted(texts)
    step = max(-(-len(counts) // _VALUES), 1)
    values = tuple(counts)[::step]
    weights = np.array([counts[value] for value in values], np.float64)
    return Look(
        name=name,
        kind=column.kind,
        rows=len(column),
        blank=len(column) - counts.total(),
        distinct=len(counts),
        values=tuple(value[:_LONGEST] for value in values),
        weights=weights / max(weights.sum(), 1.0),
    )


def _counted(texts: list[str]) -> Counter[str]:
    """How often each value occurs, but for what stands for nothing."""
    counts: Counter[str] = Counter()
    for text, times in Counter(texts).items():
        value = text.strip()
        if value.lower() not in PLACEHOLDERS:
            counts[value] += times
    return counts


def _nothing(name: str, kind: Kind | None, rows: int) -> Look:
    return Look(name, kind, rows, 0, 0, (), np.empty(0))
