"""The same plan in another process, whatever it hashes texts by."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, sys
from anonymity.tables import CITIES, patients
from privkit.anonymity import Anonymiser, Hierarchy
hierarchies = {"age": Hierarchy.intervals([5, 20]), "city": Hierarchy.ordering(CITIES, [2]), "sex": None}
shapes = {
    "labels": {},
    "sets": {"output": "sets"},
    "thorough": {"output": "sets", "effort": "thorough"},
    "full_domain": {"recoding": "full_domain", "suppression": 0.1},
}
for shape in shapes.values():
    for asked in ({}, {"l": 2}, {"t": 0.3}):
        sensitive = ["ill"] if asked else []
        plan = Anonymiser(hierarchies, sensitive=sensitive, k=4, **asked, **shape).fit(patients())
        print(hashlib.sha256(repr(plan.apply(patients())).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def outputs():
    found = []
    for seed in ("0", "4711"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found.append(done.stdout.split())
    return found


def test_the_same_in_every_process(outputs):
    first, second = outputs
    assert len(set(first)) > 6  # they are of different outputs
    assert first == second
