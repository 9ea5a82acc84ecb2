"""The snapshot of a bulk source: one compressed file of normalised records, sorted by id.

Each line is a JSON array of the digest of the raw record and the fields that say something. The last line is an object that
tells what the file holds, so that a file that was cut short is seen. Ids are compared without regard to case.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import orjson
import zstandard

from llmkg.errors import StoreCorrupt, StoreUnavailable
from llmkg.records import HubRecord, StatedParent

__all__ = [
    "Entry",
    "SnapshotInfo",
    "decode",
    "digest_of",
    "encode",
    "gone_since",
    "key_of",
    "read_entries",
    "read_records",
    "seen_on",
    "write_entries",
]

T = TypeVar("T")

_FORMAT = 1
#: to be changed with the rules by which records are normalised, so that the next import normalises all of them anew
_RULES = b"hub-2"
_FIELDS = tuple((field.name, field.default) for field in fields(HubRecord))
_LISTS = tuple(name for name, default in _FIELDS if default == () and name != "parents")
_LEVEL = 3
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """What a snapshot holds: the day of its crawl, records, those that are gone, and the crawl's files.

    ``updated`` is the day of the newest crawl of a part that came after it, if any.
    """

    crawled: str
    records: int = 0
    gone: int = 0
    files: tuple[str, ...] = ()
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: the key (the id in lower case), the digest of the raw record, and the line itself."""

    key: str
    digest: str
    line: bytes


def digest_of(raw: bytes) -> str:
    """Give 16 hexadecimal digits by which a raw record is known to be unchanged.

    >>> digest_of(b"{}") == digest_of(b"{}") != digest_of(b"[]")
    True
    """
    return blake2b(raw, digest_size=8, person=_RULES).hexdigest()


def encode(record: HubRecord, digest: str) -> bytes:
    """Give the line of ``record``, without the line end.

    >>> encode(HubRecord("a/b", likes=0), "00")
    b'["00",{"id":"a/b","likes":0}]'
    """
    said: dict[str, Any] = {}
    for name, default in _FIELDS[:-2]:
        value = getattr(record, name)
        if value != default:
            said[name] = value
    if record.parents:
        said["parents"] = [[p.text, p.place, p.relation, p.hub_relation] for p in record.parents]
    if record.gone:
        said["gone"] = record.gone
    return orjson.dumps([digest, said])


def decode(line: bytes) -> HubRecord:
    """Give the record of a line.

    >>> decode(b'["00",{"id":"a/b","licenses":["mit"]}]').licenses
    ('mit',)
    """
    said = orjson.loads(line)[1]
    for name in _LISTS:
        if name in said:
            said[name] = tuple(said[name])
    if "parents" in said:
        said["parents"] = tuple(StatedParent(*parent) for parent in said["parents"])
    return HubRecord(**said)


def key_of(identifier: str) -> str:
    """Give the form under which Hub ids are one: they are unique without regard to case."""
    return identifier.lower()


def gone_since(line: bytes, day: str) -> bytes:
    """Give the line of a record that a newer crawl does not hold: last seen on ``day`` or later, unless it was gone before."""
    digest, said = orjson.loads(line)
    said.setdefault("gone", said.pop("seen", day))
    return orjson.dumps([digest, said])


def seen_on(line: bytes, day: str) -> bytes:
    """Give the line of a record that a crawl of a part held on ``day``; with no day, as a crawl of the whole leaves it."""
    if not day and b'"seen":"' not in line:
        return line
    digest, said = orjson.loads(line)
    said.pop("seen", None)
    return orjson.dumps([digest, said | {"seen": day} if day else said])


def is_gone(line: bytes) -> bool:
    """Tell whether a line's record is gone."""
    return b'"gone":"' in line and "gone" in orjson.loads(line)[1]


def write_entries(path: Path, lines: Iterable[bytes], info: SnapshotInfo) -> SnapshotInfo:
    """Write the snapshot as a whole or not at all, and give what it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = gone = 0
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zstandard.ZstdCompressor(level=_LEVEL, threads=1, write_checksum=True).stream_writer(
                file, closefd=False
            ) as writer:
                for line in lines:
                    records += 1
                    gone += is_gone(line)
                    writer.write(line + b"\n")
                written = replace(info, records=records, gone=gone)
                writer.write(orjson.dumps({"format": _FORMAT, **asdict(written)}) + b"\n")
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return written


def read_lines(path: Path) -> Iterator[bytes]:
    """Give every line of the file, the last one included; raise :class:`StoreCorrupt` where it cannot be decompressed."""
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
            for line in io.BufferedReader(reader, _CHUNK):
                yield line.rstrip(b"\n")
    except zstandard.ZstdError as error:
        raise _damaged(path, str(error)) from error


def read_entries(path: Path) -> Iterator[Entry]:
    """Give the entries of a snapshot in the order of their keys; raise :class:`StoreCorrupt` where it is damaged."""
    return _read(path, _entry)


def read_records(path: Path) -> Iterator[HubRecord]:
    """Give the records of a snapshot in the order of their keys; raise :class:`StoreCorrupt` where it is damaged."""
    return _read(path, decode)


def _entry(line: bytes) -> Entry:
    digest, said = orjson.loads(line)
    return Entry(key_of(said["id"]), digest, line)


def _read(path: Path, parse: Callable[[bytes], T]) -> Iterator[T]:
    count = 0
    last = b""
    for line in read_lines(path):
        if line.startswith(b"["):
            try:
                parsed = parse(line)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise _damaged(path, "a line is no record") from error
            count += 1
            yield parsed
        else:
            last = line
    _end(path, last, count)


def read_info(path: Path) -> SnapshotInfo:
    """Give what a snapshot holds; raise :class:`StoreCorrupt` where it is damaged."""
    last = b""
    count = 0
    for line in read_lines(path):
        count += line.startswith(b"[")
        last = line
    return _end(path, last, count)


def _end(path: Path, line: bytes, count: int) -> SnapshotInfo:
    try:
        told = orjson.loads(line)
        if told["format"] != _FORMAT:
            message = f"has snapshot format {told['format']}; this version reads {_FORMAT}"
            raise StoreUnavailable(message, str(path), "llmkg import hub makes it anew")
        if told["records"] != count:
            raise ValueError("cut")
        return SnapshotInfo(
            told["crawled"], told["records"], told["gone"], tuple(told["files"]), told.get("updated", "")
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "cut short") from error


def _damaged(path: Path, why: str) -> StoreCorrupt:
    return StoreCorrupt(f"is no whole snapshot: {why}", str(path), "llmkg import hub makes it anew")
