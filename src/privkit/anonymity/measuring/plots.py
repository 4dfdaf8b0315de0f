"""The plots of the report: SVG to stand in a page, without fonts, scripts or addresses.

Text in them is digits alone; what the axes show stands in the page, in its language and its fonts.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ABOVE: Final = "#b8432f"
BELOW: Final = "#3a6ea5"
_INK: Final = "#444b54"
_GRID: Final = "#e3e6ea"
_SIZE: Final = (7.2, 2.9)
_BORDERS: Final = (1, 2, 3, 5, 10, 20, 50, 100, 1000)
"""Where the groups of class sizes begin; 3, 5 and 20 are those that the thresholds ask for."""

_TICKS: Final = (1, 2, 3, 5, 10, 20, 50, 100, 1000, 10_000, 100_000, 1_000_000)

_TIDY: Final = (
    (r"<metadata>.*?</metadata>", ""),
    (r"<style.*?</style>", ""),  # it would hold for the whole page
    (r'\s*xmlns(:\w+)?="[^"]*"', ""),
    (r"xlink:href", "href"),
    (r' id="[A-Za-z0-9.]+_\d+"', ""),
    (r" font-family: [^;]*;", ""),
    (r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true">'),
)
"""What makes of a file an element: no metadata, no fonts, no ids but those that it refers to."""


def sizes_plot(class_sizes: Sequence[tuple[int, int]], needed: int) -> str:
    """Bars: the share of the records in classes of a size.

    Args:
        class_sizes: Sizes and how many classes have each, ascending.
        needed: The least size that is not above the threshold.
    """
    sizes, records = _records(class_sizes)
    group = np.searchsorted(_BORDERS, sizes, side="right") - 1
    shares = np.bincount(group, records, len(_BORDERS)) / records.sum()
    figure, axes = _figure()
    colours = [ABOVE if border < needed else BELOW for border in _BORDERS]
    bars = axes.bar(range(len(shares)), shares, color=colours, width=0.72)
    axes.bar_label(bars, [f"{share:.1%}" if share else "" for share in shares], padding=2, color=_INK, fontsize=9)
    axes.set_xticks(range(len(shares)), [_group_name(place) for place in range(len(_BORDERS))])
    axes.set_ylim(0, max(float(shares.max()) * 1.14, 0.01))
    return _svg(figure, "sizes")


def risk_plot(class_sizes: Sequence[tuple[int, int]], threshold: float) -> str:
    """A falling line: the share of the records whose risk is at least so much.

    Args:
        class_sizes: Sizes and how many classes have each, ascending.
        threshold: The greatest acceptable risk.
    """
    sizes, records = _records(class_sizes)
    least = min(float(1 / sizes[-1]), threshold) / 2
    risks = np.concatenate([[1.0], 1 / sizes, [least]])
    shares = np.concatenate([[0.0], np.cumsum(records) / records.sum(), [1.0]])
    figure, axes = _figure()
    axes.step(risks, shares, where="post", color=BELOW, linewidth=1.8)
    above = risks > threshold * (1 + 1e-9)
    edge = np.append(risks[above], threshold)  # the last share above holds on to the threshold
    axes.fill_between(edge, np.append(shares[above], shares[above][-1:]), step="post", color=ABOVE, alpha=0.25)
    axes.axvline(threshold, color=ABOVE, linewidth=1.4, linestyle=(0, (5, 3)))
    axes.set_xscale("log")
    axes.set_xlim(least, 1.15)
    ticks = [tick for tick in _TICKS if 1 / tick >= least]
    axes.set_xticks([1 / tick for tick in ticks], [f"1/{tick:,}" if tick > 1 else "1" for tick in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="x", pad=8)  # the first would touch the 0% beside it
    axes.set_ylim(0, 1.04)
    return _svg(figure, "risk")


def _records(class_sizes: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    sizes, classes = np.array(class_sizes, np.int64).T
    return sizes, (sizes * classes).astype(np.float64)


def _group_name(place: int) -> str:
    first = _BORDERS[place]
    if place + 1 == len(_BORDERS):
        return f"{first:,}+"
    last = _BORDERS[place + 1] - 1
    return f"{first}" if first == last else f"{first}–{last}"


def _figure() -> tuple[Any, Any]:
    """An empty plot."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, found when used
        from matplotlib.ticker import PercentFormatter  # noqa: PLC0415 - an extra, found when used
    except ImportError as missing:
        raise MissingExtra("the HTML report", extra="report") from missing
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_INK)
    axes.tick_params(colors=_INK, length=0, labelsize=9)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Any, name: str) -> str:  # noqa: ANN401 - matplotlib's figure, an extra
    """The plot as an element of a page; the same plot gives the same text."""
    from matplotlib import rc_context  # noqa: PLC0415 - it is there, for the figure is

    out = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # Two plots in one page must not use the same ids.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata=nothing, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    for pattern, instead in _TIDY:
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text
