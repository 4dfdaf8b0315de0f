"""Small made-up tables to anonymise."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

ADULT = Path(__file__).parents[3] / "shared" / "data" / "adult"
"""UCI Adult, which is not part of the project."""

needs_adult = pytest.mark.skipif(not (ADULT / "adult.csv").exists(), reason="the Adult data is not on this machine")

CITIES = ["杭州", "上海", "南京", "苏州", "宁波", "无锡"]
ILLS = ["flu", "asthma", "gout", "angina"]


def patients(rows=300, seed=1, *, nulls=True):
    """People with an age, a city, a sex and an illness, some of them unknown; a number that tags each row."""
    rng = np.random.default_rng(seed)
    ages = np.clip(rng.normal(45, 18, rows).round(), 1, 95).astype(int).tolist()
    cities = [CITIES[place] for place in np.minimum(rng.geometric(0.4, rows) - 1, 5)]
    if nulls:
        ages = [None if rng.random() < 0.03 else age for age in ages]
        cities = [None if rng.random() < 0.03 else city for city in cities]
    return {
        "age": ages,
        "city": cities,
        "sex": rng.choice(["m", "f"], rows).tolist(),
        "ill": rng.choice(ILLS, rows, p=[0.6, 0.2, 0.15, 0.05]).tolist(),
        "cost": rng.integers(1, 9, rows).tolist(),
        "tag": list(range(rows)),
    }


QUASI = ["age", "city", "sex"]


def adult():
    """Adult as columns: age as numbers, the rest as text; and its hierarchies."""
    from privkit.anonymity import Hierarchy

    with (ADULT / "adult.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = {name: [row[name] for row in rows] for name in rows[0]}
    table["age"] = [int(age) for age in table["age"]]
    table["tag"] = list(range(len(rows)))
    quasi = [name for name in rows[0] if name != "salary-class"]
    return table, {name: Hierarchy.from_file(ADULT / "hierarchies" / f"{name}.csv") for name in quasi}


def adult_labels(table, name):
    """By label of one of Adult's hierarchies, the values of the table that it stands for."""
    with (ADULT / "hierarchies" / f"{name}.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file, delimiter=";"))
    there = set(table[name])
    found = {}
    for value, *labels in lines:
        own = int(value) if name == "age" else value
        for label in labels:
            found.setdefault(label, set()).update({own} & there)
    return found
