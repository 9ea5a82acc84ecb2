"""Files with records of the Hub, of any kind that people keep them in, as batches of JSON bytes.

JSON Lines and JSON arrays, plain or compressed by gzip or Zstandard; Parquet; model cards; folders of these. Parsing is left to
whoever takes the batches, with :func:`parse_line`, so that it can be done by several processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from llmkg.errors import LimitError, Problem, SourceError
from llmkg.sources.batch import Batch, Limits
from llmkg.sources.byte_stream import check_regular, read_blocks, read_start
from llmkg.sources.hub_parquet import read_parquet
from llmkg.sources.json_stream import split_array, split_lines
from llmkg.sources.model_card import CARD, read_card
from llmkg.sources.record_line import parse_line

__all__ = ["Batch", "Limits", "parse_line", "read_batches"]

_LINES = (".jsonl", ".ndjson")
_PACKED = (".gz", ".zst", ".zstd")
_DATA = (*_LINES, ".json", ".parquet")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"[\0", b"\0{", b"\0[")
_KINDS = ".jsonl or .json, also with .gz or .zst; .parquet; README.md with YAML at its top; or a folder of these"


def read_batches(paths: Sequence[Path], limits: Limits | None = None) -> Iterator[Batch]:
    """Give the records of all ``paths`` in batches; a folder's files come in the order of their names.

    When everything that can be read has been given, raise :class:`SourceError` with all problems that were found, or
    :class:`LimitError` where a file that grows without bounds was the only one.
    """
    problems: list[Problem] = []
    limit: LimitError | None = None
    for path in paths:
        for name, file in _files(path, problems):
            try:
                for item in _read(file, name, limits or Limits()):
                    if isinstance(item, Problem):
                        problems.append(item)
                    else:
                        yield item
            except SourceError as error:
                problems.extend(error.problems)
            except LimitError as error:
                limit = error
                problems.append(Problem(error.where, error.message, error.hint))
    if limit and len(problems) == 1:
        raise limit
    if problems:
        raise SourceError(problems)


def _read(path: Path, name: str, limits: Limits) -> Iterator[Batch | Problem]:
    """Give the batches of one file, of the kind that its content shows, or its name where the content fits several."""
    check_regular(path, name)
    if path.stat().st_size == 0:
        yield Problem(f"{name}:1:1", "is empty", "delete the file, or get it again")
        return
    start = read_start(path, name)
    if path.name == CARD:
        yield from read_card(path, name, limits)
    elif start.startswith(b"PAR1"):
        yield from read_parquet(path, name, limits)
    elif _suffix(path) == ".parquet":
        yield Problem(name, "is no Parquet file", "get the file again")
    elif start.startswith(_UTF_16):
        yield Problem(f"{name}:1:1", "is UTF-16, not UTF-8", "save the file as UTF-8")
    else:
        yield from _read_json(path, name, start, limits)


def _read_json(path: Path, name: str, start: bytes, limits: Limits) -> Iterator[Batch | Problem]:
    first = start.lstrip()[:1]
    if _suffix(path) not in _DATA and first not in (b"{", b"["):
        yield Problem(name, "is no kind of file that is read", f"give {_KINDS}")
        return
    is_array = first == b"[" and _suffix(path) not in _LINES
    split = split_array if is_array else split_lines
    is_blank = True
    for item in split(name, read_blocks(path, name, limits), limits):
        is_blank = is_blank and isinstance(item, Batch) and not is_array and not any(item.places())
        yield item
    if is_blank and not is_array:
        yield Problem(f"{name}:1:1", "is empty", "delete the file, or get it again")


def _suffix(path: Path) -> str:
    """Give the suffix of what a file holds, that of the compression left out."""
    return (Path(path.stem) if path.suffix.lower() in _PACKED else path).suffix.lower()


def _files(path: Path, problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    """Give the name to show and the path of each file that ``path`` means; what cannot be one goes to ``problems``."""
    if not path.is_dir():
        yield str(path), path
        return
    if problem := _folder_problem(path, path):
        problems.append(problem)
        return

    def refused(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"cannot be read: {error.strerror}", "may you read it?"))

    count = 0
    for folder, folders, names in os.walk(path, onerror=refused):
        here = Path(folder)
        folders.sort()
        for name in list(folders):
            problem = _folder_problem(here / name, path)
            if problem:
                problems.append(problem)
            if problem or name.startswith(".") or (here / name).is_symlink():
                folders.remove(name)
        for name in _chosen(sorted(names), len(here.relative_to(path).parts)):
            count += 1
            target = (here / name).resolve()
            if target.is_relative_to(path.resolve()):
                yield str(here / name), here / name
            else:
                problems.append(Problem(str(here / name), "is a link that leads out of the folder", f"give {target}"))
    if not count:
        problems.append(Problem(str(path), "is a folder with no file that is read", f"give {_KINDS}"))


def _folder_problem(folder: Path, root: Path) -> Problem | None:
    if folder.is_symlink() and not folder.resolve().is_relative_to(root.resolve()):
        return Problem(str(folder), "is a link that leads out of the folder", f"give {folder.resolve()}")
    if _suffix(folder) in (*_LINES, ".json"):
        return Problem(str(folder), "is a folder named like a file", "rename it, or give the files in it")
    return None


def _chosen(names: list[str], depth: int) -> list[str]:
    """Give the files of one folder that are read.

    A model's own repository holds a card beside JSON of other kinds; a dump's holds a card that describes the dump.
    """
    data = [name for name in names if _suffix(Path(name)) in _DATA and not name.startswith(".")]
    if CARD in names and (depth > 1 or not any(_suffix(Path(name)) != ".json" for name in data)):
        return [CARD]
    return data
