"""Plot the kernels' time a value against the number of rows, from the JSON of pytest-benchmark.

python -m pytest benchmarks -k "rows or peers" --benchmark-json=kernels.json
python benchmarks/plot.py kernels.json docs/performance.svg
"""

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

ROWS = re.compile(r",? ([\d,]+) rows$")
WAYS = re.compile(r"\[(.+)-\d+\]$")


def curves(path: Path) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Work, then way, then rows and nanoseconds a row."""
    work: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for run in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
        rows, way = ROWS.search(run["group"] or ""), WAYS.search(run["name"])
        if rows and way:
            count = int(rows[1].replace(",", ""))
            work[ROWS.sub("", run["group"])][way[1]].append((count, run["stats"]["median"] / count * 1e9))
    return {name: ways for name, ways in work.items() if all(len(points) > 1 for points in ways.values())}


def plot(work: dict[str, dict[str, list[tuple[int, float]]]], path: Path) -> None:
    columns = 2
    lines = -(-len(work) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(11, 3.6 * lines), sharex=True, squeeze=False)
    for axis, (name, ways) in zip(axes.flat, sorted(work.items()), strict=False):
        for way, points in sorted(ways.items(), key=lambda item: item[0] != "privkit"):
            style = (
                {"linewidth": 2.4, "color": "#0b6e4f"} if way == "privkit" else {"linewidth": 1.3, "linestyle": "--"}
            )
            axis.loglog(*zip(*sorted(points), strict=True), marker="o", markersize=3, label=way, **style)
        axis.set_title(name, fontsize=10)
        axis.set_ylabel("ns a row")
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend(fontsize=8, frameon=False)
    for axis in axes[-1]:
        axis.set_xlabel("rows in one call")
    for axis in list(axes.flat)[len(work) :]:
        axis.set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("picture", type=Path)
    asked = parser.parse_args()
    work = curves(asked.results)
    if not work:
        parser.error("no benchmark by rows in these results")
    plot(work, asked.picture)


if __name__ == "__main__":
    main()
