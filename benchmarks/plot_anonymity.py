"""Plot the cost of anonymising against rows and against k, from what `anonymity_adult.py` printed.

python benchmarks/anonymity_adult.py FOLDER > printed.txt
for rows in 30162 100000 300000 1000000 3016200; do
    python benchmarks/anonymity_adult.py FOLDER --rows $rows --runs 3 >> printed.txt
done
python benchmarks/plot_anonymity.py printed.txt docs/anonymity-cost.svg
"""

import argparse
import re
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

BEFORE = re.compile(r"(\d+) rows, ")
LINE = re.compile(r"(\S+) +k=(\d+) +GCP ([\d.]+) .* fit +([\d.]+) s +apply +([\d.]+) s")
COLOURS = {"labels": "#0b6e4f", "sets": "#1f5fa8", "thorough": "#7a3e9d", "full-domain": "#b3541e"}


def read(path):
    """By shape: points of rows, fit and fit + apply; and points of k, fit and GCP on Adult itself."""
    by_rows, by_k, rows = defaultdict(list), defaultdict(list), None
    for text in path.read_text(encoding="utf-8").splitlines():
        if found := BEFORE.match(text):
            rows = int(found[1])
        elif found := LINE.match(text):
            shape, k, gcp, fit, apply = found[1], int(found[2]), *map(float, found.groups()[2:])
            if rows is None:
                by_k[shape].append((k, fit, gcp))
            else:
                by_rows[shape].append((rows, fit, fit + apply))
    return by_rows, by_k


def draw(axis, curves, column, *, style="-", suffix=""):
    for shape, unordered in curves.items():
        points = sorted(unordered)
        axis.plot(
            [point[0] for point in points],
            [point[column] for point in points],
            style,
            color=COLOURS[shape],
            marker="o",
            markersize=3,
            label=shape + suffix,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("printed", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    by_rows, by_k = read(options.printed)
    figure, (rows, seconds, loss) = plt.subplots(1, 3, figsize=(13, 3.8))
    draw(rows, by_rows, 2)
    draw(rows, by_rows, 1, style="--", suffix=", fit alone")
    rows.set(xscale="log", yscale="log", xlabel="rows (k = 5)", ylabel="seconds, fit and apply")
    draw(seconds, by_k, 1)
    seconds.set(xscale="log", xlabel="k (Adult)", ylabel="seconds, fit", ylim=(0, None))
    draw(loss, by_k, 2)
    loss.set(xscale="log", xlabel="k (Adult)", ylabel="GCP", ylim=(0, None))
    rows.set_xticks([30_000, 100_000, 300_000, 1_000_000, 3_000_000], ["30 k", "100 k", "300 k", "1 M", "3 M"])
    rows.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    for axis in (seconds, loss):
        axis.set_xticks([2, 5, 10, 50], ["2", "5", "10", "50"])
    for axis in (rows, seconds, loss):
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend(fontsize=7, frameon=False)
        axis.minorticks_off()
    figure.tight_layout()
    figure.savefig(options.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
