"""What two threads gain over one: the time of two parts one after the other, over that of both at once.

A machine with two processors that does anything else as well has no two to give. So the system is asked how long each
thread was ready and waited for a processor, and a turn in which that was more than a fiftieth of the time is not
counted. Linux alone tells it; elsewhere all turns count.

Beside it stands what two processes gain in the same turns, where the system can fork one. They share neither lock nor
allocator, so that what they miss of two is the machine's: its caches, its memory, and who else computes on its cores.
"""

import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

MOST_TURNS = 40
WAITED = 0.02

Turn = tuple[float, float]
"""How long it took, and how long a thread of it waited for a processor, in seconds."""


class Gain(NamedTuple):
    """The gains of the turns that count."""

    threads: list[float]
    processes: list[float]
    turns: int

    def __str__(self) -> str:
        if not self.threads:
            return f"{'-':>8}  (0 of {self.turns} turns undisturbed)"
        low, high = min(self.threads), max(self.threads)
        median = statistics.median(self.threads)
        beside = f"; processes {statistics.median(self.processes):.2f}" if self.processes else ""
        return f"{median:8.2f}  ({low:.2f} to {high:.2f}, {len(self.threads)} of {self.turns} turns{beside})"


def gain(work: Callable[[object], object], parts: Sequence[object], wanted: int) -> Gain:
    """Measure until so many turns counted, each of the ways in turn and each of them twice before."""
    threads: list[float] = []
    processes: list[float] = []
    turns = 0
    with _processes(work, parts) as in_processes:
        for _ in range(2):  # the first touches memory that the processes share, or that no thread has had before
            _one_by_one(work, parts)
            _in_threads(work, parts)
            in_processes()
        while turns < MOST_TURNS and len(threads) < wanted:
            turns += 1
            apart = _one_by_one(work, parts)
            for at_once, gains in ((_in_threads(work, parts), threads), (in_processes(), processes)):
                if at_once is not None and _is_undisturbed(apart) and _is_undisturbed(at_once):
                    gains.append(apart[0] / at_once[0])
    return Gain(threads, processes, turns)


def _is_undisturbed(turn: Turn) -> bool:
    return turn[1] <= WAITED * turn[0]


def _waited() -> float:
    """How long this thread has been ready to run and waited for a processor, in seconds."""
    if sys.platform != "linux":
        return 0.0
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def _one_by_one(work: Callable[[object], object], parts: Sequence[object]) -> Turn:
    before, start = _waited(), time.perf_counter()
    for part in parts:
        work(part)
    return time.perf_counter() - start, _waited() - before


def _in_threads(work: Callable[[object], object], parts: Sequence[object]) -> Turn:
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


@contextmanager
def _processes(work: Callable[[object], object], parts: Sequence[object]) -> Iterator[Callable[[], Turn | None]]:
    """A process for each part, and what has all of them work once."""
    if "fork" not in multiprocessing.get_all_start_methods():
        yield lambda: None
        return
    fork = multiprocessing.get_context("fork")  # which takes the work along: it need not be sent
    pipes, running = [], []
    for part in parts:
        ours, theirs = fork.Pipe()
        process = fork.Process(target=_serve, args=(work, part, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        running.append(process)

    def at_once() -> Turn:
        start = time.perf_counter()
        for pipe in pipes:
            pipe.send("work")
        waited = [pipe.recv() for pipe in pipes]
        return time.perf_counter() - start, max(waited)

    yield at_once
    for pipe, process in zip(pipes, running, strict=True):
        pipe.send("end")
        process.join()


def _serve(work: Callable[[object], object], part: object, pipe: Connection) -> None:
    while pipe.recv() == "work":
        before = _waited()
        work(part)
        pipe.send(_waited() - before)
