"""How many records of a group are lost at least, however it is divided into classes that meet the models.

All models but k and distinct diversity bound something that a union has at most as much of as its parts have on
average: the distance from the whole table is convex, and so is the negative entropy (Cover and Thomas, section 2.7). If
a group of `m` records is at `f`, the classes made of it are at `t` at most, and what is left over at `a` at most, then
with `r` records left over `m f <= (m - r) t + r a`, so that `r >= m (f - t) / (a - t)`. What a single value alone would
be at bounds `a`. Recursive diversity bounds `r_1 - c (r_l + ... + r_m)`, which of a union is at most the sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.models.pairs import Pairs
from privkit.anonymity.models.privacy import distinct, entropy, most_and_rest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit.anonymity.models.pairs import Counts
    from privkit.anonymity.models.privacy import Models, SensitiveModel

_ROUNDING: Final = 1e-6
"""What sums of floats may be off by, in records."""


class LeastLost:
    """Lower bounds of the records that groups lose.

    Args:
        models: What every class has to meet.

    Example:
        >>> import numpy as np
        >>> from privkit.anonymity.models.bounds import LeastLost
        >>> from privkit.anonymity.models.privacy import Models, SensitiveModel
        >>> model = SensitiveModel("ill", whole=np.array([75.0, 25.0]), t=0.25)
        >>> counts = np.array([[0, 8], [2, 6]])
        >>> LeastLost(Models(2, (model,))).of(np.array([8, 8]), [counts]).tolist()
        [8, 4]
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._alone = [_alone(model) for model in models.sensitive]

    def of(self, sizes: NDArray[Any], counts: Sequence[Counts]) -> NDArray[np.int64]:
        """The least number of records that are in no class, of groups that do not meet the models: one at least.

        Args:
            sizes: Records of each group.
            counts: For each sensitive column, counts by group and value.
        """
        lost = np.zeros(len(sizes))
        for model, alone, found in zip(self._models.sensitive, self._alone, counts, strict=True):
            if model.values > 1:
                lost = np.maximum(lost, _for_diversity(model, sizes, found))
            if model.t is not None:
                lost = np.maximum(lost, _for_closeness(model, alone, sizes, found))
        whole = np.clip(np.ceil(lost - _ROUNDING).astype(np.int64), 1, sizes)
        return np.where(sizes - whole < self._models.least, sizes, whole)  # fewer are no class


def _alone(model: SensitiveModel) -> NDArray[np.float64]:
    """How far classes of one value are from the whole, by value, at most."""
    values = len(model.whole)
    if model.t is None:
        return np.ones(values)
    return model.distances(Pairs.of_records(np.arange(values), np.ones(values), values))


def _for_diversity(model: SensitiveModel, sizes: NDArray[Any], counts: Counts) -> NDArray[np.float64]:
    if model.diversity == "entropy":
        lost: NDArray[np.float64] = sizes * (1.0 - entropy(counts) / np.log(model.values))
        return lost
    if model.diversity == "recursive":
        first, tail = most_and_rest(counts, model.values)
        over: NDArray[np.float64] = first - model.c * tail
        return over
    return np.where(distinct(counts) < model.values, sizes, 0.0)


def _for_closeness(
    model: SensitiveModel, alone: NDArray[np.float64], sizes: NDArray[Any], counts: Counts
) -> NDArray[np.float64]:
    paired = isinstance(counts, Pairs)
    most = counts.greatest(alone) if paired else np.where(np.asarray(counts) > 0, alone, 0.0).max(-1)
    over = model.distances(counts) - (model.t or 0.0)
    room = most - (model.t or 0.0)
    lost: NDArray[np.float64] = sizes * np.divide(over, room, out=np.zeros_like(over), where=(over > 0) & (room > 0))
    return lost
