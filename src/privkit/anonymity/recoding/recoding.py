"""What a search found: for every cell of a frequency set, how many of its records get which labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.keys import combine, order_of, runs
from privkit.anonymity.hierarchies.hierarchy import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.counting.encoding import Domain
    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.hierarchies.hierarchy import Ladder

SUPPRESSED: Final = -1


@dataclass(frozen=True, eq=False, repr=False)
class Recoding:
    """Labels for all records of a frequency set.

    The records of a cell are alike, so that it is said of how many of them each label is; those that come first in the
    table get the first.

    Attributes:
        cells: The cell of each share, ascending.
        counts: Records of each share; those of a cell add up to its count.
        labels: Label codes of shape `(attributes, shares)`; `SUPPRESSED` throughout where the share is suppressed.
        texts: For each attribute, the label of each code; `None` is null.
        losses: For each attribute, what each label loses, from 0 to 1.
        heights: For each attribute, how high each label stands in its hierarchy, from 0 to 1; empty for sets.
        plain: For each attribute, whether every label is a value as it was.
        refused: The size of the class that each share would have been in; `None` where none is suppressed.
    """

    cells: NDArray[np.int64]
    counts: NDArray[np.int64]
    labels: NDArray[np.int32]
    texts: tuple[tuple[str | None, ...], ...]
    losses: tuple[NDArray[np.float64], ...]
    heights: tuple[NDArray[np.float64], ...]
    plain: tuple[bool, ...]
    refused: NDArray[np.int64] | None = None

    @property
    def suppressed(self) -> NDArray[np.bool_]:
        """Which shares are suppressed."""
        return np.asarray(self.labels[0] == SUPPRESSED)

    @cached_property
    def classes(self) -> NDArray[np.intp]:
        """The class of each share in the output, by what is written there; -1 for those suppressed."""
        kept = ~self.suppressed
        numbers = []
        for labels, texts in zip(self.labels, self.texts, strict=True):
            known: dict[str | None, int] = {}
            same = np.array([known.setdefault(text, len(known)) for text in texts] or [0])
            numbers.append(same[labels[kept]])
        out = np.full(len(self.cells), -1, np.intp)
        if kept.any():
            keys = combine(numbers, [len(texts) + 1 for texts in self.texts])
            out[kept] = np.unique(keys, return_inverse=True)[1]
        return out

    @classmethod
    def of_levels(
        cls,
        frequency: FrequencySet,
        ladders: Sequence[Ladder],
        levels: NDArray[np.integer],
        suppressed: NDArray[np.bool_] | None = None,
        sizes: NDArray[np.int64] | None = None,
    ) -> Recoding:
        """Labels of hierarchies.

        Args:
            frequency: The counts.
            ladders: The hierarchies.
            levels: The level of each attribute of each tuple, of shape `(attributes, tuples)`.
            suppressed: The tuples that are suppressed; none by default.
            sizes: The size of the class that each tuple is, or would have been, in; needed where some are suppressed.
        """
        tuple_of = frequency.tuple_of
        found, texts, losses, heights, plain = [], [], [], [], []
        for ladder, codes, level in zip(ladders, frequency.codes, levels, strict=False):
            widths = [len(labels) for labels in ladder.labels]
            offsets = np.concatenate([[0], np.cumsum(widths)[:-1]])
            own = level[tuple_of].astype(np.intp)
            label = offsets[own] + np.stack(ladder.groups)[own, codes]
            kept = label if suppressed is None else label[~suppressed[tuple_of]]
            used = np.unique(kept)
            every = [text for labels in ladder.labels for text in labels]
            texts.append(tuple(every[code] for code in used.tolist()))
            losses.append(np.concatenate(ladder.losses)[used])
            heights.append(np.repeat(np.arange(ladder.height) / max(ladder.height - 1, 1), widths)[used])
            place = np.full(len(every), SUPPRESSED, np.int32)
            place[used] = np.arange(len(used))
            plain.append(bool((used < widths[0]).all()))
            found.append(place[label])
        labels = np.stack(found)
        if suppressed is not None:
            labels[:, suppressed[tuple_of]] = SUPPRESSED
        cells = np.arange(len(frequency.counts))
        refused = None if sizes is None else sizes[tuple_of]
        return cls(cells, frequency.counts, labels, tuple(texts), tuple(losses), tuple(heights), tuple(plain), refused)

    @classmethod
    def of_classes(
        cls,
        frequency: FrequencySet,
        cells: NDArray[np.int64],
        counts: NDArray[np.int64],
        classes: NDArray[np.intp],
        ordered: Sequence[bool],
    ) -> Recoding:
        """Ranges and value sets.

        Args:
            frequency: The counts.
            cells: The cell of each share.
            counts: Records of each.
            classes: The class of each, from 0.
            ordered: For each attribute, whether it is written as ranges.
        """
        key = cells * (int(classes.max(initial=0)) + 1) + classes
        order = order_of(key)
        starts = runs(key[order])
        cells, classes = cells[order][starts], classes[order][starts]
        counts = np.add.reduceat(counts[order], starts)
        found, texts, losses, plain = [], [], [], []
        for domain, codes, in_order in zip(frequency.quasi, frequency.codes, ordered, strict=False):
            write = _ranges if in_order else _sets
            label, names, loss, single = write(domain, codes[cells], classes)
            found.append(label[classes].astype(np.int32))
            texts.append(names)
            losses.append(loss)
            plain.append(single)
        return cls(cells, counts, np.stack(found), tuple(texts), tuple(losses), (), tuple(plain))


_Written = tuple["NDArray[np.intp]", tuple[str | None, ...], "NDArray[np.float64]", bool]


def _ranges(domain: Domain, codes: NDArray[Any], classes: NDArray[np.intp]) -> _Written:
    """The label of every class in an attribute with an order."""
    order = order_of(classes)
    starts = runs(classes[order])
    low = np.minimum.reduceat(codes[order], starts).astype(np.int64)
    high = np.maximum.reduceat(codes[order], starts).astype(np.int64)
    pairs, label = np.unique(low * domain.size + high, return_inverse=True)
    first, last = np.divmod(pairs, domain.size)
    texts = tuple(range_text(domain, a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True))
    loss = np.minimum(domain.places[last] - domain.places[first], 1.0)
    return label, texts, loss, bool((first == last).all())


def range_text(domain: Domain, low: int, high: int) -> str | None:
    """A range as it is written: a value, `[17, 23]` for numbers, `a..b` for text; with null among others, `*`."""
    null = len(domain.texts)
    if low == high:
        return None if low == null else domain.texts[low]
    if high == null:
        return ANY
    return (
        f"[{domain.texts[low]}, {domain.texts[high]}]"
        if domain.numeric
        else f"{domain.texts[low]}..{domain.texts[high]}"
    )


def _sets(domain: Domain, codes: NDArray[Any], classes: NDArray[np.intp]) -> _Written:
    """The label of every class in an attribute of categories."""
    bits = np.zeros((int(classes.max(initial=-1)) + 1, domain.size), bool)
    bits[classes, codes] = True
    packed = np.packbits(bits, axis=1)
    rows, label = np.unique(packed.view(f"V{packed.shape[1]}")[:, 0], return_inverse=True)
    chosen = np.unpackbits(rows.view(np.uint8).reshape(len(rows), -1), axis=1, count=domain.size).astype(bool)
    numbers = chosen.sum(1)
    loss = (numbers - 1) / max(domain.size - 1, 1)
    return label, tuple(set_text(domain, np.flatnonzero(row)) for row in chosen), loss, bool((numbers == 1).all())


def set_text(domain: Domain, codes: NDArray[np.intp]) -> str | None:
    """A set as it is written: a value, `{a, b}`, or `*` where it is all; null among others is `null`."""
    texts: list[str | None] = [*domain.texts, None]
    if len(codes) == 1:
        return texts[int(codes[0])]
    if len(codes) == domain.size:
        return ANY
    return "{" + ", ".join(texts[code] or ("null" if texts[code] is None else "") for code in codes.tolist()) + "}"
