"""`measure` against pycanon, which gives the same k, l and t: one ratio, and what larger tables cost.

    python benchmarks/measure_bars.py ADULT.csv --pycanon OTHER_ENVIRONMENT/bin/python [--runs 7] [--times 100]

pycanon pins NumPy and pandas, so it runs under the Python of an environment of its own, with the same file
and columns, on one core. Both read the file first; only the measuring counts. The larger table is the first
one many times over, each row of which takes some cells of another one.
"""

import argparse
import json
import statistics
import subprocess
import time

import numpy as np
import pandas as pd

from privkit.anonymity import measure

QUASI = ["sex", "age", "race", "marital-status", "education", "native-country", "workclass"]
SENSITIVE = "salary-class"
BAR = 10.0
CHANGED = 0.1

PYCANON = """
import json, sys, time
import pandas as pd
from pycanon import anonymity
table, quasi, sensitive = pd.read_csv(sys.argv[1]), sys.argv[2].split(","), [sys.argv[3]]
start = time.perf_counter()
found = [
    float(anonymity.k_anonymity(table, quasi)),
    float(anonymity.l_diversity(table, quasi, sensitive)),
    float(anonymity.t_closeness(table, quasi, sensitive)),
]
print(json.dumps([time.perf_counter() - start, found]))
"""


def ours(table):
    start = time.perf_counter()
    found = measure(table, QUASI, [SENSITIVE])
    return time.perf_counter() - start, [found.k, found.l, found.t]


def theirs(python, path):
    command = [python, "-c", PYCANON, path, ",".join(QUASI), SENSITIVE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the user's own Python
    seconds, found = json.loads(done.stdout)
    return seconds, found


def enlarged(table, times):
    random = np.random.default_rng(0)
    columns = {}
    for name in table.columns:
        rows = np.tile(np.arange(len(table)), times)
        other = random.random(len(rows)) < CHANGED
        rows[other] = random.integers(0, len(table), np.count_nonzero(other))
        columns[name] = table[name].to_numpy()[rows]
    return pd.DataFrame(columns)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--pycanon", required=True)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()

    table = pd.read_csv(options.path)
    runs = [ours(table) for _ in range(options.runs)]
    mine = statistics.median(seconds for seconds, _ in runs)
    other, said = theirs(options.pycanon, options.path)
    agree = np.allclose(runs[0][1], said, rtol=0, atol=1e-9)
    print(
        f"k, l, t of {len(table):,} rows: measure {mine:.4f} s, pycanon {other:.2f} s, {other / mine:.0f} times as long"
    )
    print(f"they {'agree' if agree else 'DISAGREE'}: {runs[0][1]}")
    print(f"the bar of {BAR:.0f} is {'met' if other / mine >= BAR else 'MISSED'}")

    large = enlarged(table, options.times)
    print(f"{len(large):,} rows: {statistics.median(ours(large)[0] for _ in range(3)):.2f} s")


if __name__ == "__main__":
    main()
