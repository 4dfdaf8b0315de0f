"""k, l and t of every kind of output, measured by pycanon and by `measure`: they must agree, and meet what was asked.

    python benchmarks/anonymity_check.py FOLDER --pycanon OTHER_ENVIRONMENT/bin/python [--shape sets] [--column amount]

FOLDER is that of `anonymity_adult.py`. pycanon pins NumPy and pandas, so it runs under the Python of an environment of
its own and sees nothing but the written CSV file. Both measure the output by itself: t is the distance from its own
whole. Beside Adult's salary class, a part of Adult is released with made-up amounts, which are nearly all distinct and
numbers, and diagnoses, of which there are hundreds. Ends with status 1 where anything differs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from anonymity_adult import SENSITIVE, SHAPES, load
from privkit.anonymity import Anonymiser, measure

KINDS = {
    **SHAPES,
    "strict": {"output": "sets", "cuts": "strict"},
    "none-dropped": {"recoding": "full_domain"},
}
MANY = [{"k": 5, **more} for more in ({"l": 3}, {"t": 0.3}, {"l": 3, "t": 0.3})]
MADE_UP = ("amount", "diagnosis")
SOME_ROWS = 1200
ASKED = [{"k": k, **more} for k in (2, 5, 10, 50) for more in ({}, {"l": 2}, {"t": 0.3}, {"l": 2, "t": 0.3})]

PYCANON = """
import json, sys
import pandas as pd
from pycanon import anonymity
quasi, sensitive = sys.argv[2].split(","), [sys.argv[3]]
table = pd.read_csv(sys.argv[1], dtype=dict.fromkeys(quasi, str), keep_default_na=False)
print(json.dumps([
    float(anonymity.k_anonymity(table, quasi)),
    float(anonymity.l_diversity(table, quasi, sensitive)),
    float(anonymity.t_closeness(table, quasi, sensitive)),
]))
"""


def with_many_values(table):
    """Some rows of Adult with an amount and a diagnosis of many values."""
    rng = np.random.default_rng(5)
    some = table.slice(0, SOME_ROWS)
    amounts = rng.lognormal(10, 1, SOME_ROWS).astype(int)
    diagnoses = [f"d{number}" for number in np.minimum(rng.zipf(1.6, SOME_ROWS), 2000).tolist()]
    return some.append_column("amount", pa.array(amounts)).append_column("diagnosis", pa.array(diagnoses))


def theirs(python, path, quasi, column):
    command = [python, "-c", PYCANON, path, ",".join(quasi), column]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the user's own Python
    return json.loads(done.stdout)


def checked(table, hierarchies, shape, asked, options, *, column):
    """Print both measurements of one output; whether they agree and meet what was asked."""
    sensitive = [column] if {"l", "t"} & set(asked) else []
    plan = Anonymiser(hierarchies, sensitive=sensitive, **asked, **KINDS[shape]).fit(table)
    out = plan.apply(table)
    found = measure(out, list(hierarchies), [column])
    mine = [found.k, found.l, found.t]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.csv"
        pyarrow.csv.write_csv(out, path)
        other = theirs(options.pycanon, path, list(hierarchies), column)
    agree = np.allclose(mine, other, rtol=0, atol=1e-9)
    met = all(
        found[0] >= asked["k"] and found[1] >= asked.get("l", 1) and found[2] <= asked.get("t", 1.0) + 1e-9
        for found in (mine, other)
    )
    words = " ".join(f"{key}={value}" for key, value in asked.items())
    print(
        f"{column:12} {shape:12} {words:16} measure k {mine[0]} l {mine[1]} t {mine[2]:.6f}   pycanon k {other[0]:.0f} "
        f"l {other[1]:.0f} t {other[2]:.6f}   {'agree' if agree else 'DIFFER'}, {'met' if met else 'NOT MET'}",
        flush=True,
    )
    return agree and met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pycanon", required=True)
    parser.add_argument("--shape", choices=KINDS, action="append")
    parser.add_argument("--column", choices=[SENSITIVE, *MADE_UP], action="append")
    options = parser.parse_args()
    table, hierarchies = load(options.folder)
    many = with_many_values(table)
    results = [
        checked(many if column in MADE_UP else table, hierarchies, shape, asked, options, column=column)
        for column in options.column or (SENSITIVE, *MADE_UP)
        for shape in options.shape or KINDS
        for asked in (MANY if column in MADE_UP else ASKED)
    ]
    print(f"{sum(results)} of {len(results)} outputs agree and meet what was asked")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
