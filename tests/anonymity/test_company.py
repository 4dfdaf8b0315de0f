"""What a class loses by a tuple is added up for many at once, in pairs, and as the labels say."""

import numpy as np
import pytest

from anonymity.tables import CITIES, QUASI, patients
from privkit.anonymity import FrequencySet, Hierarchy
from privkit.anonymity.models.privacy import Models
from privkit.anonymity.models.sensitive import Diversity
from privkit.anonymity.recoding.company import Company, tightest
from privkit.anonymity.recoding.lattice import Lattice

HIERARCHIES = {
    "age": Hierarchy.intervals([5, 10, 40]),
    "city": Hierarchy.ordering(CITIES, [2]),
    "sex": Hierarchy.from_data(["m", "f"]),
}


@pytest.fixture
def company():
    frequency = FrequencySet.of(patients(rows=200, seed=8), QUASI, [])
    ladders = [HIERARCHIES[domain.name].bind(domain) for domain in frequency.quasi]
    lattice = Lattice(ladders, frequency.codes[: len(ladders), frequency.starts], [1.0, 0.5, 2.0])
    sizes = np.add.reduceat(frequency.counts, frequency.starts)
    models = Models(2)
    classes = np.random.default_rng(3).integers(-1, 20, lattice.tuples)
    return Company(lattice, sizes, Diversity(frequency, models), classes), lattice, sizes


def loss_of(lattice, sizes, classes):
    inside = np.flatnonzero(classes >= 0)
    own = np.unique(classes[inside], return_inverse=True)[1]
    levels = tightest(lattice.take(inside), own)[:, own]
    losses = [np.stack(lattice.value_losses(a)) for a in range(len(levels))]
    return sum(
        (own_losses[level, codes[inside]] * sizes[inside]).sum()
        for own_losses, level, codes in zip(losses, levels, lattice.codes, strict=True)
    )


def test_growth_is_what_all_records_lose_more(company):
    found, lattice, sizes = company
    rows, every = found.waiting[:6], np.arange(len(found))
    table = found.growth(rows, every)
    before = loss_of(lattice, sizes, found.classes)
    for place, row in enumerate(rows.tolist()):
        pairs, inside = found.growth_of(np.full(len(every), row), every)
        assert table[place] == pytest.approx(pairs, abs=1e-3)
        for into in every.tolist():
            classes = found.classes.copy()
            classes[row] = into
            assert table[place, into] == pytest.approx(loss_of(lattice, sizes, classes) - before, abs=1e-3)
            raised = tightest(lattice.take(np.flatnonzero(classes == into)), np.zeros((classes == into).sum(), np.intp))
            assert inside[into] == (raised[:, 0] == found.levels[:, into]).all()


def test_classes_that_took_tuples_in_are_as_if_looked_at_anew(company):
    found, lattice, sizes = company
    rows = found.waiting
    found.take_in(rows, rows % len(found))
    assert not len(found.waiting)
    assert (found.levels == tightest(lattice, found.classes)).all()
    assert (found.sizes == np.bincount(found.classes, sizes)).all()
    every = np.arange(len(found))
    growth, inside = found.growth_of(found.first, every)
    assert inside.all()  # of its own labels every tuple raises none
    assert (growth >= 0).all()
