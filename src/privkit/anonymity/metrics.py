"""What a recoding costs and what it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.anonymity.models.pairs import Pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.counting.frequency import FrequencySet
    from privkit.anonymity.models.privacy import Models, SensitiveModel
    from privkit.anonymity.recoding.recoding import Recoding


@dataclass(frozen=True)
class Reached:
    """What the classes of the output reach in one sensitive column.

    Attributes:
        l: The least number of distinct values of a class.
        entropy_l: The least exponential of a class's entropy.
        t: The greatest distance of a class from the whole table, by the distance that was asked for.
        t_released: The same from the output itself; it differs from `t` where records are suppressed.
    """

    l: int  # noqa: E741 - the literature's letter
    entropy_l: float
    t: float
    t_released: float


@dataclass(frozen=True)
class Report:
    """Every metric of a plan.

    Attributes:
        records: Records of the table.
        suppressed: Records that are not in the output.
        reasons: Why, with the number of records: `smaller than k`, or `not diverse or close enough`.
        classes: Equivalence classes of the output: records with equal quasi-identifiers.
        k: Records of the smallest class.
        largest: Records of the largest class.
        gcp: The mean normalised certainty penalty over all cells: 0 unchanged, 1 all starred; a suppressed record
            counts 1. For a number it is the width of its range over the width of all, for a category
            (values covered - 1) / (values - 1) (Xu et al. 2006, Ghinita et al. 2007).
        losses: That of each quasi-identifier.
        discernibility: Sum over records of the size of their class, of the table's for those suppressed (Bayardo and
            Agrawal 2005).
        c_avg: Mean class size over the k asked for (LeFevre et al. 2006).
        precision: One less the mean height in the hierarchies (Sweeney 2002); `None` for sets, which have none.
        sensitive: By sensitive column, what is reached.
        delta: The least and the greatest chance of a person of the population to be in the output; `None` where no
            delta is asked, and for a plan from a file, which holds no population.
    """

    records: int
    suppressed: int
    reasons: dict[str, int]
    classes: int
    k: int
    largest: int
    gcp: float
    losses: dict[str, float]
    discernibility: int
    c_avg: float
    precision: float | None
    sensitive: dict[str, Reached]
    delta: tuple[float, float] | None = None


def report(frequency: FrequencySet, recoding: Recoding, models: Models) -> Report:
    """Measure a recoding.

    Args:
        frequency: The counts that it is of.
        recoding: The recoding.
        models: What was asked for.
    """
    records = frequency.records
    gone = recoding.suppressed
    suppressed = int(recoding.counts[gone].sum())
    sizes = class_sizes(recoding)
    kept = np.where(gone, 0, recoding.counts)
    losses = {
        domain.name: (float((loss[labels] * kept).sum()) + suppressed) / records
        for domain, loss, labels in zip(frequency.quasi, recoding.losses, _safe(recoding), strict=True)
    }
    return Report(
        records=records,
        suppressed=suppressed,
        reasons=_reasons(recoding, models),
        classes=len(sizes),
        k=int(sizes.min(initial=records)) if len(sizes) else 0,
        largest=int(sizes.max(initial=0)),
        gcp=sum(losses.values()) / len(losses),
        losses=losses,
        discernibility=int((sizes**2).sum()) + suppressed * records,
        c_avg=float(sizes.sum()) / max(len(sizes), 1) / models.k,
        precision=_precision(recoding, kept, suppressed, records),
        sensitive=_reached(frequency, recoding, models),
    )


def class_sizes(recoding: Recoding) -> NDArray[np.int64]:
    """Records of each class of the output."""
    kept = recoding.classes >= 0
    return np.bincount(recoding.classes[kept], recoding.counts[kept]).astype(np.int64)


def class_counts(frequency: FrequencySet, recoding: Recoding, column: int) -> Pairs:
    """Records of each class by sensitive value, in the order of the classes.

    Args:
        frequency: The counts.
        recoding: The recoding.
        column: Which of the sensitive columns.
    """
    shares = np.flatnonzero(recoding.classes >= 0)
    classes = recoding.classes[shares]
    codes = frequency.codes[len(frequency.quasi) + column][recoding.cells[shares]]
    size = frequency.sensitive[column].size
    return Pairs.of(classes, codes, recoding.counts[shares], int(classes.max(initial=-1)) + 1, size)


def met(frequency: FrequencySet, recoding: Recoding, models: Models) -> bool:
    """Whether every class of the output meets the models, with t from the fitted table and from the output itself."""
    if (class_sizes(recoding) < models.k).any():
        return False
    for column, model in enumerate(models.sensitive):
        there, own = _released(frequency, recoding, column, model)
        counts = class_counts(frequency, recoding, column)
        if not (model.meets(counts).all() and own.close(counts.only(there)).all()):
            return False
    return True


def _released(
    frequency: FrequencySet, recoding: Recoding, column: int, model: SensitiveModel
) -> tuple[NDArray[np.intp], SensitiveModel]:
    """The model of a sensitive column as the output alone shows it, and the values that it has there."""
    codes = frequency.codes[len(frequency.quasi) + column][recoding.cells]
    kept = ~recoding.suppressed
    return model.seen_in(np.bincount(codes[kept], recoding.counts[kept], len(model.whole)))


def _safe(recoding: Recoding) -> NDArray[np.int32]:
    return np.maximum(recoding.labels, 0)


def _precision(recoding: Recoding, kept: NDArray[Any], suppressed: int, records: int) -> float | None:
    if not recoding.heights:
        return None
    lost = sum(
        float((height[labels] * kept).sum()) + suppressed
        for height, labels in zip(recoding.heights, _safe(recoding), strict=True)
    )
    return 1.0 - lost / (records * len(recoding.heights))


def _reached(frequency: FrequencySet, recoding: Recoding, models: Models) -> dict[str, Reached]:
    found = {}
    for column, model in enumerate(models.sensitive):
        there, own = _released(frequency, recoding, column, model)
        counts = class_counts(frequency, recoding, column)
        if len(counts):
            found[model.name] = Reached(
                int(counts.distinct().min()),
                float(np.exp(counts.entropy().min())),
                float(model.distances(counts).max()),
                float(own.distances(counts.only(there)).max()),
            )
    return found


def _reasons(recoding: Recoding, models: Models) -> dict[str, int]:
    """Why records are suppressed: those of their generalised class are too few, or too much alike."""
    gone = recoding.suppressed
    if recoding.refused is None:
        return {}
    small = recoding.refused[gone] < models.k
    counts = recoding.counts[gone]
    reasons = {"smaller than k": int(counts[small].sum()), "not diverse or close enough": int(counts[~small].sum())}
    return {reason: count for reason, count in reasons.items() if count}
