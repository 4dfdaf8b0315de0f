"""Cut neighbouring classes again: pool two or four of them, divide the pool from the top, keep what loses less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from privkit.anonymity.counting.keys import order_of, renumbered, runs, shuffled
from privkit.anonymity.recoding.boxes import at
from privkit.anonymity.recoding.cuts import cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.anonymity.recoding.cuts import Records


def resplit(records: Records, classes: NDArray[np.intp], pool: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Pool neighbouring classes in one random order, and cut every pool anew.

    Args:
        records: The records.
        classes: The class of each, from 0, none of them empty; each meets the models, and so does any union.
        pool: How many classes are put together.
        rng: Where the order of attributes comes from.

    Returns:
        The class of each record, numbered from 0 anew; no pool loses more than before.
    """
    order = order_of(classes)
    starts = runs(classes[order])
    loss = records.space.loss(records.space.reduce(at(records.boxes, order), starts))
    lossy = np.flatnonzero(loss > 0)
    if len(lossy) < pool:
        return classes
    member = order[starts + rng.integers(0, np.diff(starts, append=len(order)))][lossy]
    neighbours = lossy[shuffled(records.codes[:, member], rng)]
    pool_of = np.full(len(loss), -1)
    pool_of[neighbours] = np.minimum(np.arange(len(lossy)) // pool, len(lossy) // pool - 1)
    rows = np.flatnonzero(pool_of[classes] >= 0)
    some, pools = records.take(rows), pool_of[classes[rows]]
    fresh = cut(some, pools)
    better = _cost(some, fresh, pools) < _cost(some, classes[rows], pools) - 1e-6  # less is rounding
    chosen = better[pools]
    out = classes.copy()
    out[rows[chosen]] = fresh[chosen] + len(loss)
    return renumbered(out)


def _cost(records: Records, classes: NDArray[np.intp], pools: NDArray[np.intp]) -> NDArray[np.float64]:
    """What the classes of each pool lose together."""
    order = order_of(classes)
    starts = runs(classes[order])
    sizes: NDArray[Any] = np.add.reduceat(records.weights[order], starts)
    loss = records.space.loss(records.space.reduce(at(records.boxes, order), starts))
    return np.bincount(pools[order[starts]], sizes * loss).astype(np.float64, copy=False)
