"""A view over a large Parquet file, against what pyarrow alone takes to read and write the same columns.

    python benchmarks/apply_parquet.py --rows 5000000

Makes the demo's export if it is not there yet, then runs each way in a process of its own, by turns, and prints for
each the seconds, the rows a second, the seconds of all cores together and the peak of the resident memory, and the
ratio of the medians. Both read the columns of the view in batches of the same size and write row groups of the same
size with the same compression; pyarrow alone does so on the values as they are.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from privkit.demo import export
from privkit.keys import Keyring
from privkit.policy import Policy
from privkit.policy.files import open_sink, open_source
from privkit.policy.stream import apply_file

WAYS = ("pyarrow", "privkit")


def generate(path: Path, rows: int) -> None:
    print(f"making {path} with {rows:,} rows", flush=True)
    export.write(path, rows)


def names(view: str, path: Path) -> list[str]:
    with open_source(path) as source:
        return bound(view).check(source.names)


def bound(view: str):
    policy = Policy.loads(files("privkit.demo").joinpath("policy.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        return policy.view(view, Keyring.create(Path(folder) / "keyring.json"))


def alone(path: Path, target: Path, columns: list[str]) -> None:
    """pyarrow reads and writes the columns, in a stream as well, or it would not fit into memory."""
    file = pq.ParquetFile(path)
    codec = file.metadata.row_group(0).column(0).compression
    fields = [file.schema_arrow.field(name) for name in columns]
    with pq.ParquetWriter(target, pa.schema(fields), compression=codec) as writer:
        waiting = []
        for batch in file.iter_batches(1 << 16, columns=columns):
            waiting.append(batch)
            if len(waiting) == 8:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def through(path: Path, target: Path, view: str) -> dict[str, float]:
    with open_source(path) as source:
        summary = apply_file(bound(view), source, open_sink(target, like=source, force=True))
    return {f"{name} ({report.transform})": round(report.seconds, 2) for name, report in summary.columns.items()}


def child(way: str, path: Path, view: str) -> None:
    """One run: imports and the reading of the policy are in neither time."""
    columns = names(view, path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        target = Path(folder) / "out.parquet"
        started, cpu = time.perf_counter(), time.process_time()
        parts = alone(path, target, columns) if way == "pyarrow" else through(path, target, view)
        seconds = time.perf_counter() - started
        used = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": used, "megabytes": peak, "parts": parts or {}}))


def measured(way: str, path: Path, view: str) -> dict:
    command = [sys.executable, __file__, "--child", way, "--file", str(path), "--view", view]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this very file
    return json.loads(ran.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--view", default="analytics")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--file", type=Path, help="the export; by default in the folder for temporary files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    path = asked.file or Path(tempfile.gettempdir()) / f"privkit-export-{asked.rows}.parquet"
    if asked.child:
        child(asked.child, path, asked.view)
        return
    if not path.exists():
        generate(path, asked.rows)
    runs = {way: [] for way in WAYS}
    for _ in range(asked.repeat):
        for way in WAYS:
            runs[way].append(measured(way, path, asked.view))
    report(asked, path, runs)


def report(asked: argparse.Namespace, path: Path, runs: dict[str, list[dict]]) -> None:
    rows = pq.read_metadata(path).num_rows
    seconds = {way: statistics.median(run["seconds"] for run in runs[way]) for way in WAYS}
    ratio = seconds["privkit"] / seconds["pyarrow"]
    if asked.json:
        print(json.dumps({"rows": rows, "view": asked.view, "cores": os.cpu_count(), "ratio": ratio, "runs": runs}))
        return
    print(f"{rows:,} rows through view {asked.view!r}, {os.cpu_count()} cores, {asked.repeat} runs each")
    for way in WAYS:
        peak = max(run["megabytes"] for run in runs[way])
        used = statistics.median(run["cpu"] for run in runs[way])
        speed = rows / seconds[way]
        print(f"{way:8} {seconds[way]:7.2f} s {speed:12,.0f} rows/s   cpu {used:7.2f} s   peak {peak:,.0f} MB")
    print(f"ratio    {ratio:7.2f}")
    for name, spent in runs["privkit"][-1]["parts"].items():
        print(f"  {spent:6.2f} s  {name}")


if __name__ == "__main__":
    main()
