"""Top-down cuts: divide sets of records again and again at the threshold that loses least, all of a level at once.

In every attribute the values of a set stand in a row: numbers in their order, categories from the most frequent in the
set to the rarest (an order of the whole domain loses much where sets are large). Running unions from both ends then
give the exact loss of both sides of every threshold. The best cut is made of which both sides meet the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import lengths, order_of, runs, spread
from privkit.anonymity.models.pairs import Spans, laid_out
from privkit.anonymity.recoding.boxes import Boxes, Space, at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.models.pairs import Counts
    from privkit.anonymity.models.privacy import Models

_TABLE: Final = 1 << 17
"""Places of a table of running unions at once, so that it stays in the cache."""
_TRIED: Final = 4
"""Cuts that a part tries after its best; then each time as many times more."""
_AT_ONCE: Final = 1 << 20
"""Records of both sides of cuts that are looked at together."""


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

    @cached_property
    def ones(self) -> list[Counts]:
        """For each sensitive column, the counts of each record alone."""
        return [
            laid_out(codes, self.weights, len(model.whole))
            for codes, model in zip(self.sensitive, self.models.sensitive, strict=True)
        ]


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
        open_parts = (sizes >= 2 * records.models.least) & (loss > 0)
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
    rows = [_Rows(records, number, column) for column in range(len(records.codes))]
    chosen = _best(rows, parts)
    if records.models.sensitive:
        _settle(rows, chosen)
    attribute = chosen.attribute[number]
    mine = np.take_along_axis(np.stack([row.rank for row in rows]), np.maximum(attribute, 0)[None, :], 0)[0]
    return (attribute >= 0) & (mine > chosen.place[number]), chosen.attribute >= 0


@dataclass(frozen=True, eq=False)
class _Cuts:
    """Cuts of parts.

    Attributes:
        part: The part that each divides.
        attribute: The attribute that it is made in, -1 for none.
        place: The last rank on its left.
    """

    part: NDArray[np.intp]
    attribute: NDArray[np.intp]
    place: NDArray[np.intp]

    def take(self, some: NDArray[Any]) -> _Cuts:
        return _Cuts(self.part[some], self.attribute[some], self.place[some])


def _best(rows: Sequence[_Rows], parts: int) -> _Cuts:
    """The cut of every part that loses least, as far as sizes allow it."""
    best, chosen = np.full(parts, np.inf), _Cuts(np.arange(parts), np.full(parts, -1), np.zeros(parts, np.intp))
    for column, row in enumerate(rows):
        score, place = row.best(parts)
        better = score < best
        best[better], chosen.attribute[better], chosen.place[better] = score[better], column, place[better]
    return chosen


def _settle(rows: Sequence[_Rows], chosen: _Cuts) -> None:
    """Put in the place of cuts that the models do not allow the next best ones that they do, or none.

    Most cuts of large parts are allowed, so that values are counted for one cut of each; only parts that refuse it look
    at their others, a few at first and then ever more together.
    """
    first = chosen.take(chosen.attribute >= 0)
    refused = first.part[~_allowed(rows, first)]
    if not len(refused):
        return
    chosen.attribute[refused] = -1
    others, turn = _in_turn(rows, refused, len(chosen.part))
    low, high = 1, _TRIED
    while len(others.part):
        now = np.flatnonzero((turn >= low) & (turn < high))
        good = now[_allowed(rows, others.take(now))]
        parts, place = np.unique(others.part[good], return_index=True)
        chosen.attribute[parts], chosen.place[parts] = others.attribute[good[place]], others.place[good[place]]
        left = (turn >= high) & (chosen.attribute[others.part] < 0)
        others, turn, low, high = others.take(left), turn[left], high, high * _TRIED


def _in_turn(rows: Sequence[_Rows], parts: NDArray[np.intp], count: int) -> tuple[_Cuts, NDArray[np.intp]]:
    """All cuts of some parts that sizes allow, part after part and the best first; and each one's turn, from 0."""
    wanted = np.zeros(count, bool)
    wanted[parts] = True
    found, scores = zip(*[row.all_cuts(wanted, column) for column, row in enumerate(rows)], strict=True)
    score = np.concatenate(scores)
    every = _Cuts(*(np.concatenate([getattr(cuts, name) for cuts in found]) for name in ("part", "attribute", "place")))
    order = np.lexsort((score, every.part))  # stable: of cuts that lose the same, the one that was found first
    every = every.take(order)
    starts = runs(every.part)
    return every, np.arange(len(order)) - np.repeat(starts, lengths(starts, len(order)))


def _allowed(rows: Sequence[_Rows], cuts: _Cuts) -> NDArray[np.bool_]:
    """Which cuts leave both sides within the models."""
    ok = np.zeros(len(cuts.part), bool)
    for column, row in enumerate(rows):
        mine = np.flatnonzero(cuts.attribute == column)
        for some in _in_chunks(mine, row.members[cuts.part[mine]]):
            ok[some] = row.allows(cuts.part[some], cuts.place[some])
    return ok


def _in_chunks(items: NDArray[np.intp], sizes: NDArray[Any]) -> Iterator[NDArray[np.intp]]:
    """Items in chunks of which the sizes add up to about `_AT_ONCE`."""
    borders = np.flatnonzero(np.diff(np.cumsum(sizes) // _AT_ONCE)) + 1
    return iter(np.split(items, borders)) if len(items) else iter(())


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
        place = np.arange(len(starts)) - np.repeat(self.parts, self.widths)
        rank = np.empty(len(starts), np.intp)
        rank[by] = place
        self.rank = rank[run_of].astype(np.int32)
        self._by, self._weights = by, weights[by]
        self._scores: list[tuple[NDArray[np.intp], NDArray[np.float64]]] = []

    def best(self, parts: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The least loss of a cut of every part (infinite: there is none), and the last rank on its left."""
        score, place = np.full(parts, np.inf), np.zeros(parts, np.intp)
        if int(self.widths.max()) == 1:
            return score, place
        records = self._records
        boxes = [p[self._by] for p in records.space.reduce(at(records.boxes, self._order), self._starts)]
        for some, width in self._tables():
            index = self.parts[some][:, None] + np.arange(width)
            absent = np.arange(width) >= self.widths[some][:, None]
            index[absent] = 0
            scores = self._scored(boxes, index, absent)
            place[some] = np.argmin(scores, axis=1)
            score[some] = scores[np.arange(len(some)), place[some]]
            if records.models.sensitive:
                self._scores.append((some, scores))
        return score, place

    def all_cuts(self, wanted: NDArray[np.bool_], column: int) -> tuple[_Cuts, NDArray[np.float64]]:
        """The cuts of some parts that sizes allow, and what they lose; after `best`.

        Args:
            wanted: Which parts.
            column: The number of this attribute.
        """
        parts, places, scores = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)], [np.zeros(0)]
        for some, table in self._scores:
            rows, place = np.nonzero(wanted[some][:, None] & (table < np.inf))
            parts.append(some[rows])
            places.append(place)
            scores.append(table[rows, place])
        part = np.concatenate(parts)
        return _Cuts(part, np.full(len(part), column), np.concatenate(places)), np.concatenate(scores)

    def allows(self, part: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which cuts leave both sides within the models, by the part and the last rank on the left."""
        first, last = self.parts[part], self.parts[part] + self.widths[part]
        middle = first + place + 1
        ok = self._meets(first, middle)
        good = np.flatnonzero(ok)
        ok[good] = self._meets(middle[good], last[good])
        return ok

    def _meets(self, first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether the records of values, from one to before another, meet the models."""
        weights, edges, tables = self._in_rank
        counts = [table.of(edges[first], edges[last] - edges[first]) for table in tables]
        return self._records.models.meets(weights[last] - weights[first], counts)

    @cached_property
    def members(self) -> NDArray[np.intp]:
        """How many records each part has."""
        edges = self._in_rank[1]
        found: NDArray[np.intp] = edges[self.parts + self.widths] - edges[self.parts]
        return found

    @cached_property
    def _in_rank(self) -> tuple[NDArray[np.int64], NDArray[np.intp], list[Spans]]:
        """Running sums of weights and of members of the values in their row, and counts of records in that order."""
        number = lengths(self._starts, len(self._order))
        order = self._order[spread(self._starts[self._by], number[self._by])]
        weights, edges = (np.concatenate([[0], np.cumsum(own)]) for own in (self._weights, number[self._by]))
        return weights, edges, [Spans(table, order) for table in self._records.ones]

    def _tables(self) -> Iterator[tuple[NDArray[np.intp], int]]:
        """Parts of similar width together, and the width of their table."""
        bits = np.frexp(self.widths - 1)[1]  # 0 for one value, which has no cut
        for power in range(1, int(bits.max()) + 1):
            some = np.flatnonzero(bits == power)
            step = max(_TABLE >> power, 1)
            for start in range(0, len(some), step):
                chunk = some[start : start + step]
                yield chunk, int(self.widths[chunk].max())

    def _scored(self, boxes: Boxes, index: NDArray[np.intp], absent: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What the cuts of some parts lose, infinite where a side is too small: of shape `(parts, ranks - 1)`."""
        records, space = self._records, self._records.space
        weights = np.where(absent, 0, self._weights[index])
        left = np.cumsum(weights, axis=1)
        total = left[:, -1:]
        left = left[:, :-1]
        right = total - left
        least = records.models.least
        rows, places = np.nonzero(~absent[:, 1:] & (left >= least) & (right >= least))
        score = np.full(left.shape, np.inf)
        if len(rows):
            table = space.scatter(boxes, index, absent)
            before, after = space.running(table), space.running(table, backwards=True)
            score[rows, places] = left[rows, places] * space.loss(at(before, (rows, places)))
            score[rows, places] += right[rows, places] * space.loss(at(after, (rows, places + 1)))
        return score
