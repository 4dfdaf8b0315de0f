"""`inspect` on 100 columns of a sample of 10,000 rows: seconds, and the bar.

    python benchmarks/inspect_bars.py [--runs 5]

The columns are those of the demo's export, from several seeds: once under their names, once under names that say
nothing, so that every value speaks for itself. Each is inspected as an Arrow table, which counts for the bar, and as
the Parquet and CSV file that it comes from, which adds the reading. One process, what it imports is imported before.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from privkit.demo import export
from privkit.policy.inspect import inspect_file, inspect_table

ROWS, COLUMNS, FILE_ROWS = 10_000, 100, 60_000
BAR = 5.0


def wide(rows, *, named):
    """A table of 100 columns."""
    columns = {}
    seed = 0
    while len(columns) < COLUMNS:
        table = pa.Table.from_batches(export.batches(rows, seed=seed))
        for name in table.column_names[: COLUMNS - len(columns)]:
            columns[f"{name}_{seed + 1}" if named else f"c{len(columns)}"] = table[name]
        seed += 1
    return pa.table(columns)


def seconds(work, runs):
    """Medians and ranges of what some runs took."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - start)
        assert len(found.proposals) == COLUMNS
    return statistics.median(taken), min(taken), max(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(
        f"{COLUMNS} columns, a sample of {ROWS:,} rows; files of {FILE_ROWS:,} rows; medians of {runs} runs, in seconds"
    )
    with tempfile.TemporaryDirectory() as folder:
        for named in (True, False):
            table = wide(ROWS, named=named)
            large = wide(FILE_ROWS, named=named)
            pq.write_table(large, Path(folder) / "t.parquet")
            pacsv.write_csv(large, Path(folder) / "t.csv")
            works = {
                "table": lambda table=table: inspect_table(table, rows=ROWS),
                "Parquet": lambda: inspect_file(Path(folder) / "t.parquet", rows=ROWS),
                "CSV": lambda: inspect_file(Path(folder) / "t.csv", rows=ROWS),
            }
            for what, work in works.items():
                median, least, most = seconds(work, runs)
                bar = f"  bar {BAR:.0f}: {'met' if median < BAR else 'MISSED'}" if what == "table" else ""
                said = "named" if named else "nameless"
                print(f"{said:9}{what:8} {median:6.2f}  ({least:.2f} to {most:.2f}){bar}")


if __name__ == "__main__":
    main()
