"""The models against plain Python that follows their definitions."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.anonymity.models.privacy import (
    Models,
    SensitiveModel,
    distinct,
    entropy,
    equal_distance,
    hierarchical_distance,
    ordered_distance,
    presence,
    recursive,
)


def rows_of(values, classes):
    """Counts of up to so many classes by up to so many values, and those of the whole table."""
    return st.integers(2, values).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=1, max_size=classes),
            st.lists(st.integers(1, 9), min_size=n, max_size=n),
        )
    )


ROWS = rows_of(6, 5)


def shares(counts):
    total = sum(counts)
    return [n / total for n in counts]


def transport(p, q, cost):  # noqa: C901 - one textbook algorithm in one place
    """The least cost of moving p onto q, by the simplest of all algorithms: shortest augmenting paths on units."""
    n = len(p)
    unit = math.lcm(sum(p), sum(q))
    left = [a * unit // sum(p) for a in p]
    wanted = [b * unit // sum(q) for b in q]
    flow = [[0] * n for _ in range(n)]
    total = 0.0
    while any(left):
        best = {("s", i): (0.0, None) for i in range(n) if left[i]}
        for _ in range(2 * n):
            for i, j in product(range(n), range(n)):
                if ("s", i) in best and best["s", i][0] + cost[i][j] < best.get(("t", j), (math.inf,))[0] - 1e-12:
                    best["t", j] = best["s", i][0] + cost[i][j], ("s", i)
                if flow[i][j] and ("t", j) in best:
                    back = best["t", j][0] - cost[i][j]
                    if back < best.get(("s", i), (math.inf,))[0] - 1e-12:
                        best["s", i] = back, ("t", j)
        end = min((j for j in range(n) if wanted[j] and ("t", j) in best), key=lambda j: best["t", j][0])
        path, node = [], ("t", end)
        while node is not None:
            path.append(node)
            node = best[node][1]
        path.reverse()
        amount = min(left[path[0][1]], wanted[end])
        for a, b in pairwise(path):
            if a[0] == "t":
                amount = min(amount, flow[b[1]][a[1]])
        for a, b in pairwise(path):
            if a[0] == "s":
                flow[a[1]][b[1]] += amount
                total += amount * cost[a[1]][b[1]]
            else:
                flow[b[1]][a[1]] -= amount
                total -= amount * cost[b[1]][a[1]]
        left[path[0][1]] -= amount
        wanted[end] -= amount
    return total / unit


@given(ROWS)
def test_diversity(rows):
    counts, _ = rows
    assert distinct(counts).tolist() == [sum(n > 0 for n in row) for row in counts]
    for row, found in zip(counts, entropy(counts).tolist(), strict=True):
        wanted = -sum(p * math.log(p) for p in shares(row) if p) if sum(row) else 0.0
        assert found == pytest.approx(wanted, abs=1e-12)
    for values in (1, 2, 3):
        for row, found in zip(counts, recursive(counts, values).tolist(), strict=True):
            falling = sorted(row, reverse=True)
            tail = sum(falling[values - 1 :])
            assert found == (pytest.approx(falling[0] / tail) if tail else math.inf)


@given(rows_of(3, 2))
def test_distances_are_the_least_transport(rows):
    counts, whole = rows
    n = len(whole)
    groups = [np.arange(n), np.arange(n) // 2]
    ground = {
        equal_distance: [[float(i != j) for j in range(n)] for i in range(n)],
        ordered_distance: [[abs(i - j) / (n - 1) for j in range(n)] for i in range(n)],
    }
    tree = [[(0 if i == j else 1 if i // 2 == j // 2 else 2) / 2 for j in range(n)] for i in range(n)]
    for row, number in zip(counts, range(len(counts)), strict=True):
        for distance, cost in ground.items():
            wanted = transport(row, whole, cost) if sum(row) else 0.0
            assert distance(counts, whole)[number] == pytest.approx(wanted, abs=1e-9)
        wanted = transport(row, whole, tree) if sum(row) else 0.0
        assert hierarchical_distance(counts, whole, groups)[number] == pytest.approx(wanted, abs=1e-9)


@given(ROWS, st.sampled_from(["distinct", "entropy", "recursive"]), st.sampled_from(["equal", "ordered"]))
def test_a_union_of_classes_that_meet_a_model_meets_it(rows, diversity, distance):
    counts, whole = rows
    model = SensitiveModel("s", np.array(whole, float), 2, diversity, 2.0, 0.4, distance)
    good = [row for row, ok in zip(counts, model.meets(counts), strict=True) if ok and sum(row)]
    if good:
        assert model.meets([np.sum(good, axis=0)])[0]


def test_all_together_ask_the_size_first():
    model = SensitiveModel("s", np.array([5.0, 5.0]), 2)
    models = Models(3, (model,))
    sizes = np.array([[2, 3], [4, 9]])
    counts = np.array([[[1, 1], [3, 0]], [[2, 2], [0, 9]]])
    assert models.meets(sizes, [counts]).tolist() == [[False, False], [True, False]]
    assert models.meets(np.array([1, 1, 1, 5]), [np.array([[1, 0], [1, 0], [1, 0], [4, 1]])]).tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert Models(3).meets(np.array([2, 3])).tolist() == [False, True]


def test_presence():
    assert presence(np.array([1, 3, 2]), np.array([4, 3, 0])).tolist() == [0.25, 1.0, 1.0]
