"""Worker processes that end with the process that started them, however it ends.

A worker inherits the lock of the home folder, so one that outlived a killed build would keep every later one out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import parent_process
from threading import Thread

__all__ = ["start_workers"]


def start_workers(prepare: Callable[..., None], *arguments: object) -> ProcessPoolExecutor:
    """Give a pool with a worker for each core, each of which calls ``prepare`` with ``arguments`` first."""
    return ProcessPoolExecutor(os.cpu_count(), initializer=_start, initargs=(prepare, arguments))


def _start(prepare: Callable[..., None], arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them, and the first of them tells the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    prepare(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)
