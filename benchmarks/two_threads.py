"""What two threads gain over one: the time of two parts one after the other, over that of both at once.

A machine with two processors that does anything else as well has no two to give. So the system is asked how long each
thread was ready and waited for a processor, and a turn in which that was more than a fiftieth of the time is not
counted. Linux alone tells it; elsewhere all turns count.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

MOST_TURNS = 40
WAITED = 0.02


class Gain(NamedTuple):
    """The gains of the turns that count."""

    gains: list[float]
    turns: int

    def __str__(self) -> str:
        if not self.gains:
            return f"{'-':>8}  (0 of {self.turns} turns undisturbed)"
        low, high = min(self.gains), max(self.gains)
        median = statistics.median(self.gains)
        return f"{median:8.2f}  ({low:.2f} to {high:.2f}, {len(self.gains)} of {self.turns} turns)"


def gain(work: Callable[[object], object], parts: Sequence[object], wanted: int) -> Gain:
    """Measure until so many turns counted, each of the two ways in turn."""
    for part in parts:
        work(part)
    gains: list[float] = []
    turns = 0
    while turns < MOST_TURNS and len(gains) < wanted:
        turns += 1
        (apart, waited), (at_once, waited_at_once) = _one_by_one(work, parts), _at_once(work, parts)
        if waited <= WAITED * apart and waited_at_once <= WAITED * at_once:
            gains.append(apart / at_once)
    return Gain(gains, turns)


def _waited() -> float:
    """How long this thread has been ready to run and waited for a processor, in seconds."""
    if sys.platform != "linux":
        return 0.0
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def _one_by_one(work: Callable[[object], object], parts: Sequence[object]) -> tuple[float, float]:
    before, start = _waited(), time.perf_counter()
    for part in parts:
        work(part)
    return time.perf_counter() - start, _waited() - before


def _at_once(work: Callable[[object], object], parts: Sequence[object]) -> tuple[float, float]:
    waited: list[float] = []

    def run(part: object) -> None:
        before = _waited()
        work(part)
        waited.append(_waited() - before)

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, max(waited)
