"""Hierarchies built from the values that are there."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from privkit.anonymity.counting.encoding import ColumnEncoder, exact_numbers
from privkit.anonymity.hierarchies.hierarchy import Hierarchy, Labels
from privkit.columns import Kind
from privkit.errors import InvalidParameter, TableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from privkit.anonymity.counting.encoding import Domain

_FEWEST = 2


@dataclass(frozen=True, repr=False)
class Derived(Hierarchy):
    """Groups of neighbouring values, as many values in each.

    Attributes:
        fanout: How many groups of one level make one of the next.
        depth: How many levels there are, at most.
        kind: What the values are; `None` before the data is known.
        groups: For each level, the first and the last value of each group, in order.
    """

    word: ClassVar[str] = "derived"
    fanout: int
    depth: int
    kind: Kind | None = None
    groups: tuple[tuple[tuple[str, str], ...], ...] = ()

    def __post_init__(self) -> None:
        if self.fanout < _FEWEST or self.depth < 1:
            raise InvalidParameter(f"fanout {self.fanout} and levels {self.depth}; at least 2 and 1 are needed")

    @classmethod
    def of_column(cls, column: Any, fanout: int, depth: int) -> Derived:  # noqa: ANN401 - any column
        """Build it from a column, or leave it to be built from the table that is fitted."""
        unbuilt = cls(fanout, depth)
        if column is None:
            return unbuilt
        encoder = ColumnEncoder("")
        encoder.add(column)
        return unbuilt.built(encoder.domain()[0])

    def built(self, domain: Domain) -> Derived:
        """The same, built from the values of a domain if it is not yet."""
        if self.kind is not None:
            return self
        levels = []
        for level in range(self.depth, 0, -1):
            wanted = self.fanout**level
            if wanted < len(domain.texts):
                borders = [len(domain.texts) * group // wanted for group in range(wanted + 1)]
                levels.append(tuple((domain.texts[a], domain.texts[b - 1]) for a, b in pairwise(borders)))
        return replace(self, kind=domain.kind, groups=tuple(levels))

    @property
    def between(self) -> tuple[str, ...]:
        """See `Hierarchy.between`."""
        if self.kind is None:
            raise InvalidParameter("a hierarchy from data has no levels before it has seen any; give it the column")
        return tuple(f"{len(groups)} groups" for groups in self.groups)

    def label(self, domain: Domain) -> list[Labels]:
        """See `Hierarchy.label`; values between two groups, or beyond the ends, belong to a group beside them."""
        if domain.kind is not self.kind and domain.texts:
            return [[None] * len(domain.texts) for _ in self.groups]
        return [self._labels(domain, groups) for groups in self.groups]

    def _labels(self, domain: Domain, groups: tuple[tuple[str, str], ...]) -> Labels:
        firsts: list[Any] = [first for first, _ in groups]
        values: list[Any] = list(domain.texts)
        if domain.numeric:
            firsts, values = exact_numbers(domain.kind, firsts), domain.values
        names = [first if first == last else f"{first}..{last}" for first, last in groups]
        return [names[max(bisect_right(firsts, value) - 1, 0)] for value in values]

    def describe(self) -> dict[str, Any]:
        """See `Hierarchy.describe`."""
        return {
            "fanout": self.fanout,
            "depth": self.depth,
            "kind": self.kind.value if self.kind else None,
            "groups": [[list(group) for group in level] for level in self.groups],
        }

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Derived:
        """Read what `describe` said."""
        try:
            kind = Kind(described["kind"]) if described["kind"] else None
            groups = tuple(tuple((first, last) for first, last in level) for level in described["groups"])
        except (ValueError, KeyError, TypeError):
            raise TableError("the description of a hierarchy is malformed; fit the table again") from None
        return cls(int(described["fanout"]), int(described["depth"]), kind, groups)
