"""The folder of a crawl: records page by page in one compressed file, with a state from which the crawl goes on.

A page is first made durable in the file, then the state is replaced, which says how long the file is up to that page. Whatever
stands behind, a page torn by a crash, is cut off before the crawl goes on: no record is lost, and none stands twice.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import zstandard

from llmkg.errors import Problem, SourceError, UsageError, WriteError

__all__ = ["RECORDS", "STATE", "CrawlState", "open_crawl", "write_page"]

RECORDS, STATE = "models.jsonl.zst", "crawl.state"
_FORMAT = 1
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class CrawlState:
    """How far a crawl is.

    ``request`` is what was asked for at the start, ``next`` the query of the page that comes next, ``count`` how many records
    stand in the first ``size`` bytes of the file.
    """

    request: dict[str, Any]
    next: str
    count: int = 0
    size: int = 0
    is_done: bool = False
    format: int = field(default=_FORMAT)


@contextmanager
def open_crawl(folder: Path, request: dict[str, Any], first: str) -> Iterator[tuple[BinaryIO, CrawlState]]:
    """Give the file of records, cut back to the last whole page, and the state; the file is ours alone meanwhile.

    Raise :class:`UsageError` where the folder belongs to another crawl, and :class:`WriteError` where nothing can be written.
    """
    path = folder / RECORDS
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        has_state = (folder / STATE).exists()
        if not has_state and path.exists() and path.stat().st_size:
            raise UsageError(f"holds {RECORDS} of which nothing is known", str(folder), "give a new folder")
        file = path.open("ab")
    with file:
        _lock(file, folder)
        with _writing(folder):
            has_state = (folder / STATE).exists()  # whoever held the lock may have written it
            state = _read_state(folder / STATE, request) if has_state else CrawlState(request, first)
            if path.stat().st_size < state.size:
                raise UsageError(f"{RECORDS} is shorter than {STATE} says", str(folder), "give a new folder")
            file.truncate(state.size)
        yield file, state


def write_page(folder: Path, file: BinaryIO, state: CrawlState, records: Sequence[Any], following: str) -> CrawlState:
    """Add ``records`` to the file, make that durable, and give the new state; ``following`` is empty after the last page."""
    with _writing(folder):
        if records:
            lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
            file.write(zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(lines))
            file.flush()
            os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        new = CrawlState(state.request, following, state.count + len(records), size, is_done=not following)
        draft = folder / f"{STATE}.new"
        with draft.open("w", encoding="utf-8") as out:
            json.dump(asdict(new), out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / STATE)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return new


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise WriteError(message, str(folder), "is there room on the disk, and may you write there?") from error


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError("another crawl is writing here", str(folder), "wait for it, or give another folder") from error


def _read_state(path: Path, request: dict[str, Any]) -> CrawlState:
    try:
        state = CrawlState(**json.loads(path.read_text(encoding="utf-8")))
        is_known = state.format == _FORMAT and min(state.count, state.size) >= 0 and isinstance(state.next, str)
    except (ValueError, TypeError) as error:
        problem = Problem(str(path), "is no state of a crawl", "give a new folder")
        raise SourceError([problem]) from error
    if not is_known:
        raise SourceError([Problem(str(path), "is of another version", "give a new folder")])
    if state.request != request:
        differing = sorted(key for key in request if state.request.get(key) != request[key])
        message = f"holds a crawl with another {', '.join(differing) or 'request'}"
        raise UsageError(message, str(path.parent), "give the same options to go on with it, or a new folder")
    return state
