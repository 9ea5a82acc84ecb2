"""Worker processes that end with the process that started them, however it ends.

A worker inherits the lock of the home folder, so one that outlived a killed build would keep every later one out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import parent_process
from threading import Thread
from typing import TypeVar

__all__ = ["in_order"]

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R], tasks: Iterable[T], prepare: Callable[[S], None], setting: S, ahead: int
) -> Iterator[R]:
    """Give what ``work`` gives for each task, in their order, by a worker on each core, at most ``ahead`` tasks at a time.

    Each worker calls ``prepare`` with ``setting`` first. A single task is not worth a worker, and is done here.
    """
    rest = iter(tasks)
    first = list(islice(rest, 2))
    if len(first) < 2:
        prepare(setting)
        yield from map(work, first)
        return
    with ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(prepare, setting)) as pool:
        waiting = [pool.submit(work, task) for task in first]
        while waiting:
            waiting += [pool.submit(work, task) for task in islice(rest, ahead - len(waiting))]
            yield waiting.pop(0).result()


def _start(prepare: Callable[[S], None], setting: S) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them, and the first of them tells the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    prepare(setting)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)
