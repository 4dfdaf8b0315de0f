"""Anonymity on Adult and on tables made from it: what is lost, how long it takes, how much memory it needs.

    python benchmarks/anonymity_adult.py FOLDER              every shape at k = 2, 5, 10, 50, and with l or t
    python benchmarks/anonymity_adult.py FOLDER --rows 3016200      one table of so many rows, in memory
    python benchmarks/anonymity_adult.py FOLDER --parquet 30000000  from Parquet to Parquet, as a stream

FOLDER holds `adult.csv` and `hierarchies/*.csv` (UCI Adult, the 30,162 complete rows). Times are of the process, on one
core, the median of some runs; reading the table is not in them. Larger tables repeat Adult, with one cell in twenty of
each quasi-identifier taken from another row. Files draw their rows from three million that are nearly all distinct:
every cell is of another row, and a ninth quasi-identifier is a number from 1 to 1000.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from privkit.anonymity import Anonymiser, Hierarchy

SENSITIVE = "salary-class"
SHAPES = {
    "labels": {},
    "sets": {"output": "sets"},
    "thorough": {"output": "sets", "effort": "thorough"},
    "full-domain": {"recoding": "full_domain", "suppression": 0.05},
}
ASKED = {"k": {"k": 5}, "l": {"k": 5, "l": 2}, "t": {"k": 5, "t": 0.3}}
SOME_ROWS = 1_000_000
COMBINATIONS = 3_000_000


def memory():
    """The greatest resident memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work, runs):
    """The last result, and the median of the processor time."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return result, statistics.median(times)


def load(folder):
    table = pyarrow.csv.read_csv(folder / "adult.csv").combine_chunks()
    quasi = [name for name in table.column_names if name != SENSITIVE]
    return table, {name: Hierarchy.from_file(folder / "hierarchies" / f"{name}.csv") for name in quasi}


def words(asked):
    return " ".join(f"{key}={value}" for key, value in asked.items())


def line(name, asked, plan, seconds, applying):
    report = plan.report
    print(
        f"{name:12} {asked:12} GCP {report.gcp:.5f}  classes {report.classes:6}  suppressed {report.suppressed:5}  "
        f"fit {seconds:6.2f} s  apply {applying:5.2f} s  {memory():6.0f} MiB",
        flush=True,
    )


def run(table, hierarchies, name, runs, **asked):
    sensitive = [SENSITIVE] if {"l", "t"} & set(asked) else []
    anonymiser = Anonymiser(hierarchies, sensitive=sensitive, **asked, **SHAPES[name])
    plan, seconds = timed(lambda: anonymiser.fit(table), runs)
    _, applying = timed(lambda: plan.apply(table), 1)
    line(name, words(asked), plan, seconds, applying)


def perturbed(table, rows, share=0.05, seed=7):
    """Adult over and over, a share of the cells of each quasi-identifier from another row."""
    rng = np.random.default_rng(seed)
    base = np.arange(rows) % table.num_rows
    columns = {}
    for name in table.column_names:
        index = base
        if name != SENSITIVE:
            other = rng.integers(0, table.num_rows, rows, dtype=np.int32)
            index = np.where(rng.random(rows, np.float32) < share, other, base)
        columns[name] = table[name].combine_chunks().take(pa.array(index))
    return pa.table(columns)


def made_elsewhere(folder, rows):
    """The perturbed table, made in another process, so that making it does not count as memory of this one."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.arrow"
        command = [sys.executable, __file__, folder, "--rows", str(rows), "--keep", path]
        subprocess.run(command, check=True)  # noqa: S603 - this very program
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_file(file).read_all().combine_chunks()


def write_large(table, rows, path):
    """A file of so many rows with at most `COMBINATIONS` combinations."""
    rng = np.random.default_rng(11)
    number = pa.array(rng.integers(1, 1001, COMBINATIONS))
    source = perturbed(table, COMBINATIONS, 1.0).append_column("number", number)
    with pq.ParquetWriter(path, source.schema) as writer:
        for start in range(0, rows, SOME_ROWS):
            size = min(SOME_ROWS, rows - start)
            writer.write_table(source.take(pa.array(rng.integers(0, COMBINATIONS, size))))


def stream(source, target, hierarchies, name, asked):
    """Two passes over a file: count and search, then write."""
    hierarchies = hierarchies | {"number": Hierarchy.intervals([10, 50, 250], start=1)}
    sensitive = [SENSITIVE] if {"l", "t"} & set(asked) else []
    anonymiser = Anonymiser(hierarchies, sensitive=sensitive, **asked, **SHAPES[name])
    start = time.process_time()
    plan = anonymiser.fit_batches(pq.ParquetFile(source).iter_batches(SOME_ROWS // 4))
    fitting = time.process_time() - start
    start = time.process_time()
    writer = None
    for batch in plan.apply_batches(pq.ParquetFile(source).iter_batches(SOME_ROWS // 4)):
        writer = writer or pq.ParquetWriter(target, batch.schema)
        writer.write_batch(batch)
    writer.close()
    print(f"{len(plan.frequency.counts)} combinations")
    line(name, words(asked), plan, fitting, time.process_time() - start)


def stream_all(table, hierarchies, options, turns):
    """From Parquet to Parquet, each shape and what is asked of it."""
    with tempfile.TemporaryDirectory() as folder:
        source = options.source or Path(folder) / "in.parquet"
        if not options.source:
            write_large(table, options.parquet, source)
        for name, asked in turns:
            stream(source, Path(folder) / "out.parquet", hierarchies, name, asked)


def keep(table, options):
    """Write a large table for another process."""
    if options.parquet:
        write_large(table, options.parquet, options.keep)
        return
    with pa.OSFile(str(options.keep), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(perturbed(table, options.rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--asked", choices=ASKED, action="append", help="with --rows or --parquet: of k alone, l and t")
    parser.add_argument("--parquet", type=int)
    parser.add_argument("--source", type=Path, help="a Parquet file that an earlier run with --keep wrote")
    parser.add_argument("--keep", type=Path, help="write the large table here, and stop")
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    table, hierarchies = load(options.folder)
    shapes, every = options.shape or list(SHAPES), [ASKED[name] for name in options.asked or "k"]
    if options.keep:
        keep(table, options)
    elif options.source or options.parquet:
        stream_all(table, hierarchies, options, [(name, asked) for name in shapes for asked in every])
    elif options.rows:
        table = made_elsewhere(options.folder, options.rows)
        print(f"{options.rows} rows, {memory():.0f} MiB before")
        for name in shapes:
            for asked in every:
                run(table, hierarchies, name, options.runs, **asked)
    else:
        for name in shapes:
            for asked in ({"k": 2}, {"k": 5}, {"k": 10}, {"k": 50}, ASKED["l"], ASKED["t"]):
                run(table, hierarchies, name, options.runs, **asked)


if __name__ == "__main__":
    main()
