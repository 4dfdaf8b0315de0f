"""Stages that work at the same time: items drawn ahead by a thread, worked on by several, and given on in their order.

How many items there are at once is bounded everywhere. An error in any stage stops the others and is raised once: of
several, the one of the earliest item.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread, main_thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")
R = TypeVar("R")

_MOST_WORKERS: Final = 4  # more batches at once cost memory, and reading and writing do not keep up with more
_PATIENCE: Final = 0.1  # seconds between looks whether a stage has been stopped
_END: Final = object()


def cores() -> int:
    """How many items to work on at once: as many as there are cores, 4 at most."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return min(len(usable), _MOST_WORKERS)


def ahead(items: Generator[T, None, None], depth: int) -> Generator[T, None, None]:
    """The same items, drawn by a thread of their own, which is `depth` items ahead at most."""
    queue: Queue[tuple[str, Any]] = Queue(depth)
    stopped = Event()

    def put(kind: str, item: object) -> None:
        while not stopped.is_set() and main_thread().is_alive():
            with suppress(Full):
                queue.put((kind, item), timeout=_PATIENCE)
                return

    def draw() -> None:
        try:
            with closing(items):
                while not stopped.is_set() and (item := next(items, _END)) is not _END:
                    put("item", item)
            put("end", None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the items are awaited
            put("error", error)

    # Not a daemon: the interpreter must not end while it is in the parser's code, which would abort the process.
    thread = Thread(target=draw, name="privkit-read")
    try:
        thread.start()
        while (got := queue.get())[0] == "item":
            yield got[1]
        if got[0] == "error":
            raise got[1]
    finally:
        stopped.set()
        _drain(queue)
        if thread.is_alive():
            thread.join()


def _drain(queue: Queue[Any]) -> None:
    with suppress(Empty):
        while True:
            queue.get_nowait()


def in_order(work: Callable[[T], R], items: Generator[T, None, None], workers: int) -> Generator[R, None, None]:
    """The results of `work` on each item in the items' order, some of them worked on at once."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="privkit-work")
    waiting: deque[Future[R]] = deque()
    broken: Exception | None = None
    try:
        while True:
            try:
                item = next(items)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001 - raised below, after what the earlier items may raise
                broken = error
                break
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if broken is not None:
            raise broken
    finally:
        pool.shutdown(cancel_futures=True)
