"""Top-down cuts: divide sets of records again and again at the threshold that loses least, all of a level at once.

In every attribute the values of a set stand in a row: numbers in their order, categories from the most frequent in the
set to the rarest (an order of the whole domain loses much where sets are large). Running unions from both ends then
give the exact loss of both sides of every threshold. A cut is made where both sides meet the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, order_of, runs
from privkit.anonymity.recoding.boxes import Boxes, Space, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.anonymity.models.privacy import Models

_TABLE: Final = 1 << 17
"""Places of a table of running unions at once, so that it stays in the cache."""


@dataclass(frozen=True, eq=False)
class Records:
    """What a search over sets divides: records, or groups of equal ones, with what they weigh.

    Attributes:
        space: How quasi-identifiers are laid out.
        codes: Codes of shape `(attributes, records)`.
        boxes: The box of each.
        weights: `int64`: how many records of the table each stands for.
        sensitive: Codes of shape `(sensitive columns, records)`.
        models: What every class has to meet.
    """

    space: Space
    codes: NDArray[np.int32]
    boxes: Boxes
    weights: NDArray[np.int64]
    sensitive: NDArray[np.int32]
    models: Models

    def take(self, some: NDArray[Any]) -> Records:
        """Some of them."""
        return Records(
            self.space,
            self.codes[:, some],
            at(self.boxes, some),
            self.weights[some],
            self.sensitive[:, some],
            self.models,
        )

    def __len__(self) -> int:
        return len(self.weights)

    def ones(self) -> list[NDArray[np.float64]]:
        """For each sensitive column, a row of counts for each record."""
        found = []
        for codes, model in zip(self.sensitive, self.models.sensitive, strict=True):
            table = np.zeros((len(self), len(model.whole)))
            table[np.arange(len(self)), codes] = self.weights
            found.append(table)
        return found


def cut(records: Records, parts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Divide parts until no cut is left that the models allow.

    Args:
        records: What to divide.
        parts: The part that each record is in, from 0; each meets the models.

    Returns:
        The part that each record is in at the end, from 0.
    """
    out = parts.copy()
    count = int(parts.max(initial=-1)) + 1
    active = np.arange(len(parts))
    while len(active):
        order = order_of(out[active])
        active = active[order]
        starts = runs(out[active])
        some = records.take(active)
        sizes = np.add.reduceat(some.weights, starts)
        loss = records.space.loss(records.space.reduce(some.boxes, starts))
        open_parts = (sizes >= 2 * records.models.k) & (loss > 0)
        if not open_parts.all():
            keep = np.repeat(open_parts, lengths(starts, len(active)))
            active = active[keep]
            if not len(active):
                break
            starts, some = runs(out[active]), records.take(active)
        number = np.repeat(np.arange(len(starts)), lengths(starts, len(active)))
        right, divided = _level(some, number, len(starts))
        fresh = np.cumsum(divided) - 1 + count
        out[active[right]] = fresh[number[right]]
        count += int(divided.sum())
        active = active[divided[number]]
    return out


def _level(records: Records, number: NDArray[np.intp], parts: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """One cut for every part that has one.

    Returns:
        The records on the right of their part's cut, and which parts are cut.
    """
    best = np.full(parts, np.inf)
    attribute = np.full(parts, -1)
    threshold = np.zeros(parts, np.intp)
    ranks = []
    for column in range(len(records.codes)):
        row = _Rows(records, number, column)
        score, place = row.best(parts)
        better = score < best
        best[better], attribute[better], threshold[better] = score[better], column, place[better]
        ranks.append(row.rank)
    chosen = attribute[number]
    mine = np.take_along_axis(np.stack(ranks), np.maximum(chosen, 0)[None, :], 0)[0]
    return (chosen >= 0) & (mine > threshold[number]), attribute >= 0


class _Rows:
    """The values of one attribute in every part, in a row, and the boxes of the records that have them."""

    def __init__(self, records: Records, number: NDArray[np.intp], column: int) -> None:
        codes = records.codes[column]
        radix = int(codes.max()) + 1
        keys = number * radix + codes
        order = order_of(keys)
        starts = runs(keys[order])
        first = order[starts]
        weights = np.add.reduceat(records.weights[order], starts)
        part = number[first]
        run_of = np.empty(len(order), np.intp)
        run_of[order] = np.repeat(np.arange(len(starts)), lengths(starts, len(order)))
        by = np.arange(len(starts))
        if not records.space.ordered[column]:
            by = order_of(part * (int(weights.max()) + 1) + (int(weights.max()) - weights))
        self._records, self._order, self._starts = records, order, starts
        self.parts = runs(part)  # the first run of every part; the order of parts does not change
        self.widths = lengths(self.parts, len(starts))
        self.part = part[self.parts]
        place = np.arange(len(starts)) - np.repeat(self.parts, self.widths)
        rank = np.empty(len(starts), np.intp)
        rank[by] = place
        self.rank = rank[run_of].astype(np.int32)
        self._by, self._weights = by, weights[by]

    def best(self, parts: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The least loss of a cut of every part (infinite: there is none), and the last rank on its left."""
        score, place = np.full(parts, np.inf), np.zeros(parts, np.intp)
        if int(self.widths.max()) == 1:
            return score, place
        records = self._records
        boxes = [p[self._by] for p in records.space.reduce(at(records.boxes, self._order), self._starts)]
        counts = [np.add.reduceat(table[self._order], self._starts)[self._by] for table in records.ones()]
        for some, width in self._tables():
            index = self.parts[some][:, None] + np.arange(width)
            absent = np.arange(width) >= self.widths[some][:, None]
            index[absent] = 0
            score[self.part[some]], place[self.part[some]] = self._scored(boxes, counts, index, absent)
        return score, place

    def _tables(self) -> Iterator[tuple[NDArray[np.intp], int]]:
        """Parts of similar width together, and the width of their table."""
        bits = np.frexp(self.widths - 1)[1]  # 0 for one value, which has no cut
        for power in range(1, int(bits.max()) + 1):
            some = np.flatnonzero(bits == power)
            step = max(_TABLE >> power, 1)
            for start in range(0, len(some), step):
                chunk = some[start : start + step]
                yield chunk, int(self.widths[chunk].max())

    def _scored(
        self, boxes: Boxes, counts: list[NDArray[np.float64]], index: NDArray[np.intp], absent: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        records, space = self._records, self._records.space
        weights = np.where(absent, 0, self._weights[index])
        left = np.cumsum(weights, axis=1)
        total = left[:, -1:]
        left = left[:, :-1]
        right = total - left
        allowed = ~absent[:, 1:] & (left >= records.models.k) & (right >= records.models.k)
        table = space.scatter(boxes, index, absent)
        rows, places = np.nonzero(allowed)
        if counts and len(rows):
            running = [np.cumsum(np.where(absent[..., None], 0.0, c[index]), axis=1) for c in counts]
            ok = records.models.meets(left[rows, places], [c[rows, places] for c in running])
            ok &= records.models.meets(right[rows, places], [c[rows, -1] - c[rows, places] for c in running])
            rows, places = rows[ok], places[ok]
        score = np.full(left.shape, np.inf)
        if len(rows):
            before, after = space.running(table), space.running(table, backwards=True)
            score[rows, places] = left[rows, places] * space.loss(at(before, (rows, places)))
            score[rows, places] += right[rows, places] * space.loss(at(after, (rows, places + 1)))
        best = np.argmin(score, axis=1)
        return score[np.arange(len(score)), best], best
