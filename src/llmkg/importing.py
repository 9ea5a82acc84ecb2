"""A crawl of the Hub → the snapshot in the home folder, by an external sort in bounded memory.

Records are parsed by worker processes, sorted by id in runs on disk, and merged with the snapshot before: what is unchanged is
taken over as it stands, what the crawl no longer holds stays as gone, with the day when it was last seen.
"""

from __future__ import annotations

import heapq
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy

from llmkg.errors import LlmkgError, Problem, SourceError, StoreCorrupt, StoreUnavailable
from llmkg.home import hold
from llmkg.sources.hub_files import Batch, parse_line, read_batches
from llmkg.sources.hub_record import normalize_record
from llmkg.sources.snapshot import (
    Entry,
    SnapshotInfo,
    decode,
    digest_of,
    encode,
    gone_since,
    is_gone,
    key_of,
    read_entries,
    read_info,
    seen_on,
    write_entries,
)
from llmkg.workers import in_order

__all__ = ["ImportSummary", "crawl_folder", "import_hub", "snapshot_path"]

_RUN = 200_000
_AHEAD = 8
#: called with the number of records read so far
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did: records by what became of them, and the problems of those that could not be read."""

    snapshot: Path
    read: int
    added: int
    changed: int
    unchanged: int
    gone: int
    repeated: int
    problems: tuple[Problem, ...] = ()


def snapshot_path(home: Path) -> Path:
    """Give where the snapshot of the Hub lies in the home folder."""
    return home / "imports" / "hub.jsonl.zst"


def crawl_folder(home: Path, filters: Sequence[str], limit: int | None, since: date | None) -> Path:
    """Give the folder in which a crawl of these settings goes on where it stopped; the home folder is made where it is new."""
    with hold(home):
        asked = "\n".join([*sorted(filters), str(limit), str(since)])
        folder = home / "imports" / f"crawl-{digest_of(asked.encode())}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def import_hub(
    home: Path,
    paths: list[Path],
    crawled: str,
    *,
    is_whole: bool = True,
    skips_bad: bool = False,
    progress: Progress = lambda count: None,
) -> ImportSummary:
    """Replace the snapshot in ``home`` by the crawl in ``paths``, made on the day ``crawled``.

    Where the crawl is not whole (``is_whole``), what it does not hold stays as it is. Raise :class:`SourceError` with every
    bad record, and change nothing, unless ``skips_bad``.
    """
    with hold(home):
        target = snapshot_path(home)
        target.parent.mkdir(exist_ok=True)
        for left in target.parent.glob(".tmp-*"):  # by an import that was ended
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()
        folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
        try:
            return _import(target, folder, paths, crawled, is_whole, skips_bad, progress)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _import(
    target: Path, folder: Path, paths: list[Path], crawled: str, is_whole: bool, skips_bad: bool, progress: Progress
) -> ImportSummary:
    before = _before(target, is_whole)
    known = _write_known(target, folder) if before else None
    problems: list[Problem] = []
    try:
        runs = list(_runs(_parsed(paths, known, progress), folder, problems))
    except SourceError as error:
        raise SourceError([*problems, *error.problems]) from error
    if problems and not skips_bad:
        raise SourceError(problems)
    counts = dict.fromkeys(("read", "added", "changed", "unchanged", "gone", "repeated"), 0)
    old = read_entries(target) if before else iter(())
    fresh = heapq.merge(*(_read_run(run) for run in runs), key=attrgetter("key"))
    info = _days(before, crawled, is_whole)
    last_seen = before.crawled if before and is_whole else ""
    seen = "" if is_whole or info.crawled == crawled else crawled
    lines = _merge(old, fresh, last_seen, seen, counts)
    write_entries(target, lines, replace(info, files=tuple(path.name for path in paths)))
    return ImportSummary(target, problems=tuple(problems), **counts)


def _days(before: SnapshotInfo | None, crawled: str, is_whole: bool) -> SnapshotInfo:
    """Give the days of the new snapshot; the crawl of a part does not move the day of the whole."""
    if before is None:
        return SnapshotInfo(crawled)
    if is_whole:
        return SnapshotInfo(max(crawled, before.crawled))
    return SnapshotInfo(before.crawled, updated=max(crawled, before.updated))


def _before(target: Path, is_whole: bool) -> SnapshotInfo | None:
    """Give what the snapshot before holds; a damaged one counts as none where the crawl is whole, and so makes it anew."""
    try:
        return read_info(target) if target.exists() else None
    except (StoreCorrupt, StoreUnavailable):
        if not is_whole:
            raise
        return None


def _write_known(target: Path, folder: Path) -> Path:
    """Write what tells the workers which raw records are known, as two sorted columns of 64-bit numbers."""
    digests = [(int(digest_of(entry.key.encode()), 16), int(entry.digest, 16)) for entry in read_entries(target)]
    table = numpy.array(sorted(digests), dtype=numpy.uint64).reshape(-1, 2)
    path = folder / "known.npy"
    numpy.save(path, table)
    return path


def _parsed(paths: list[Path], known: Path | None, progress: Progress) -> Iterator[tuple[list[Entry], list[Problem]]]:
    """Give the entries and problems of every batch, in order, parsed on all cores; raise what is wrong with files last."""
    wrong: list[LlmkgError] = []
    batches = _until_wrong(read_batches(paths), wrong)
    count = 0
    for entries, problems in in_order(_parse, batches, _start_worker, known, _AHEAD):
        count += len(entries)
        progress(count)
        yield entries, problems
    if wrong:
        raise wrong[0]


def _until_wrong(batches: Iterator[Batch], wrong: list[LlmkgError]) -> Iterator[Batch]:
    """Give ``batches``; the error with which they end goes to ``wrong``, so that the records before it are still read."""
    try:
        yield from batches
    except LlmkgError as error:
        wrong.append(error)


_known: list[numpy.ndarray] = []


def _start_worker(known: Path | None) -> None:
    _known[:] = [numpy.load(known, mmap_mode="r")] if known else []


def _parse(batch: Batch) -> tuple[list[Entry], list[Problem]]:
    """Give an entry for each record; its line is empty where the raw record is known."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for place, line in batch.places():
        raw = parse_line(line, place)
        if isinstance(raw, Problem):
            problems.append(raw)
            continue
        digest = digest_of(line)
        key = key_of(raw["id"])
        entries.append(Entry(key, digest, b"" if _is_known(key, digest) else encode(normalize_record(raw), digest)))
    return entries, problems


def _is_known(key: str, digest: str) -> bool:
    if not _known:
        return False
    table = _known[0]
    wanted = int(digest_of(key.encode()), 16)
    place = int(numpy.searchsorted(table[:, 0], numpy.uint64(wanted)))
    return place < len(table) and int(table[place, 0]) == wanted and int(table[place, 1]) == int(digest, 16)


def _runs(parsed: Iterable[tuple[list[Entry], list[Problem]]], folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """Write sorted runs of entries, each of bounded size, and give their paths; collect the problems."""
    held: list[Entry] = []
    number = 0
    for entries, wrong in parsed:
        held += entries
        problems += wrong
        if len(held) >= _RUN:
            yield _write_run(held, folder / f"run-{number}")
            number += 1
            held = []
    yield _write_run(held, folder / f"run-{number}")


def _write_run(entries: list[Entry], path: Path) -> Path:
    with path.open("wb") as file:
        for entry in sorted(entries, key=attrgetter("key")):
            file.write(b"%s\t%s\t%s\n" % (entry.key.encode(), entry.digest.encode(), entry.line))
    return path


def _read_run(path: Path) -> Iterator[Entry]:
    with path.open("rb") as file:
        for row in file:
            key, digest, line = row.rstrip(b"\n").split(b"\t", 2)
            yield Entry(key.decode(), digest.decode(), line)


def _merge(
    old: Iterator[Entry], fresh: Iterator[Entry], last_seen: str, seen: str, counts: dict[str, int]
) -> Iterator[bytes]:
    """Give the lines of the new snapshot, in the order of their keys, and count what became of each record.

    ``last_seen`` is the day of the crawl before, empty where this one is not whole; ``seen`` the day of one of a part.
    """
    before = next(old, None)
    for key, group in groupby(fresh, key=attrgetter("key")):
        while before and before.key < key:
            yield _left(before, last_seen, counts)
            before = next(old, None)
        same = before if before and before.key == key else None
        found = [entry if entry.line or not same else same for entry in group]
        best = found[0] if len(found) == 1 else max(found, key=_newest)
        counts["read"] += len(found)
        counts["repeated"] += len(found) - 1
        is_back = same is not None and is_gone(same.line)
        if same is None:
            counts["added"] += 1
        elif same.digest == best.digest and not is_back:
            counts["unchanged"] += 1
        else:
            counts["changed"] += 1
        line = _back(best) if is_back and best.line == same.line else best.line  # type: ignore[union-attr]
        yield seen_on(line, seen)
        before = next(old, None) if same else before
    while before:
        yield _left(before, last_seen, counts)
        before = next(old, None)


def _newest(entry: Entry) -> tuple[str, bytes]:
    """Of two records of one id in a crawl the one that was modified later counts, whatever their order."""
    return decode(entry.line).modified, entry.line


def _left(entry: Entry, last_seen: str, counts: dict[str, int]) -> bytes:
    """Give the line of a record that the crawl does not hold."""
    if not last_seen:
        return entry.line
    counts["gone"] += not is_gone(entry.line)
    return gone_since(entry.line, last_seen)


def _back(entry: Entry) -> bytes:
    """Give the line of a record that was gone and is there again, unchanged."""
    return encode(replace(decode(entry.line), gone=""), entry.digest)
