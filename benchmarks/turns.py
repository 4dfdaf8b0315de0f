"""Two works timed by turns in one process, so that what else a machine does tells on both alike."""

import statistics
import time


def by_turns(ours, theirs, runs):
    """The median CPU seconds of each."""
    took = [], []
    for _ in range(runs):
        for work, times in ((ours, took[0]), (theirs, took[1])):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return statistics.median(took[0]), statistics.median(took[1])
