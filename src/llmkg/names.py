"""The names index: a file beside the store in which every name is found without reading them all.

An SQLite database of four tables, read-only once written:

======== ==================================================================================================================
name     one row a name, numbered from 1 in the order of the stream that it was made from: most important first
bucket   a hash table in blocks: checksums of normal forms, slugs and paths → numbers of names
grams    a full-text index of the trigrams of the normal forms, each form between two marks for start and end
gram     every trigram with the number of names that hold it
======== ==================================================================================================================

SQLite keeps no checksums of its pages. So rows and blocks carry their own, and all numbers from 1 are there: what resolves a
name is checked as it is read. The full-text index has none: before the first answer that rests on it, or on a name *not* being
there, ``check`` is called to compare the whole file with the manifest.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
import threading
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

from llmkg.errors import StoreCorrupt, StoreUnavailable
from llmkg.identity import (
    LIMIT,
    Hit,
    Name,
    Names,
    best,
    entity_path,
    hit,
    is_hub,
    is_kind,
    last_part,
    nearest,
    normalize,
)

__all__ = ["NameIndex", "write_names"]

_START, _END = "\x02", "\x03"
_PATH, _FORM, _SLUG = 1, 2, 3  # from which the checksums start, so that the three kinds of keys stay apart
_HASH_BITS = 31  # with a number of 32 bits they make an integer of SQLite
_BUCKET = 256  # keys a bucket, on average
_BATCH = 20_000
_GRAM = 3
_MOST_ALIKE = 200  # names of one normal form that are looked at
_MOST_GRAMS = 8  # a name that holds the 8 rarest of a text's trigrams most likely holds the text
_MOST_WORDS = (
    300  # trigrams that a text of one or two characters may stand for, before reading the names in order is faster
)
_MOST_COMPARED = 6_000  # names, besides the first ones, that are compared with a misspelt one
_ALWAYS_COMPARED = 5_000

_SCHEMA = """
CREATE TABLE name (id INTEGER PRIMARY KEY, path TEXT NOT NULL, text TEXT NOT NULL, rank INTEGER NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE bucket (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE VIRTUAL TABLE grams USING fts5
  (form, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1');
INSERT INTO grams(grams, rank) VALUES ('hashsize', 100000000);
CREATE TEMP TABLE key (value INTEGER NOT NULL);
CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, grams, row);
CREATE TABLE gram (text TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""
_NAME = "SELECT id, path, text, rank, sum FROM name"
_HOLDING = """
SELECT id, path, text, name.rank, sum FROM grams CROSS JOIN name ON id = grams.rowid WHERE grams MATCH ? ORDER BY grams.rowid
"""


def write_names(path: Path, names: Iterable[Name]) -> None:
    """Write the index of ``names`` to ``path``; they come best first, what is written by hand before what comes from the Hub.

    The same stream gives the same bytes. Raise :class:`OSError` where it cannot be written.
    """
    draft = path.with_name(f".{path.name}")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            for setting in ("page_size=4096", "journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
                database.execute(f"PRAGMA {setting}")
            _make_tables(database)
            database.execute("BEGIN")
            count = _fill(database, names)
            _fill_buckets(database, count)
            database.execute("INSERT INTO grams(grams) VALUES ('optimize')")
            database.execute("INSERT INTO gram SELECT term, doc FROM vocabulary")
            database.execute("COMMIT")
            database.execute("VACUUM INTO ?", (str(path),))
    except sqlite3.Error as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(path)) from error
    finally:
        draft.unlink(missing_ok=True)


def _make_tables(database: sqlite3.Connection) -> None:
    try:
        database.executescript(_SCHEMA)
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error) and "token" not in str(error):
            raise
        message = f"SQLite {sqlite3.sqlite_version} of this Python cannot index names: {error}"
        hint = "use a Python with SQLite 3.34 or newer that has FTS5"
        raise StoreUnavailable(message, sys.executable, hint) from error


def _fill(database: sqlite3.Connection, names: Iterable[Name]) -> int:
    """Write names, trigrams and keys; give the number of names."""
    number = 0
    stream = iter(names)
    while batch := list(islice(stream, _BATCH)):
        rows, forms, keys = [], [], []
        for name in batch:
            number += 1
            form = normalize(name.text)
            rows.append((number, name.path, name.text, name.rank, _row_sum(number, name.path, name.text, name.rank)))
            forms.append((number, _marked(form)))
            slug = normalize(last_part(name.path))
            keys += [
                (_hash(key, kind) << 32 | number,) for key, kind in ((name.path, _PATH), (form, _FORM), (slug, _SLUG))
            ]
        database.executemany("INSERT INTO name VALUES (?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT INTO grams(rowid, form) VALUES (?, ?)", forms)
        database.executemany("INSERT INTO temp.key VALUES (?)", keys)
    return number


def _fill_buckets(database: sqlite3.Connection, count: int) -> None:
    """Write the keys in blocks: the first bits of a key are the number of its block; block 0 holds the counts."""
    bits = max(0, (3 * count // _BUCKET).bit_length() - 1)
    shift = 32 + _HASH_BITS - bits
    keys = (value for (value,) in database.execute("SELECT value FROM temp.key ORDER BY value"))

    def blocks() -> Iterator[tuple[int, bytes]]:
        yield 0, _sealed(0, array("Q", (count, bits)))
        key = next(keys, None)
        for number in range(1 << bits):
            found = array("Q")
            while key is not None and key >> shift == number:
                found.append(key)
                key = next(keys, None)
            yield number + 1, _sealed(number + 1, found)

    database.executemany("INSERT INTO bucket VALUES (?, ?)", blocks())


def _sealed(number: int, values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    body = values.tobytes()
    return body + crc32(body, number).to_bytes(4, "little")


def _hash(text: str, kind: int) -> int:
    return crc32(text.encode(), kind) >> (32 - _HASH_BITS)


def _row_sum(number: int, path: str, text: str, rank: int) -> int:
    return crc32(f"{path}\n{text}\n{rank}".encode(), number)


def _marked(form: str) -> str:
    """Give what the full-text index holds of a form: a trigram starts at each of its characters, the last one too."""
    return f"{_START}{form}{_END}{_END}".replace("\0", "\x01")  # the tokenizer stops at a NUL


def _nothing(_: FileIO) -> None:
    """Check nothing."""


class NameIndex(Names):
    """The names in a file that :func:`write_names` has made."""

    def __init__(self, path: Path, check: Callable[[FileIO], None] = _nothing) -> None:
        """Open ``path`` for reading; ``check`` raises :class:`StoreCorrupt` where the file is not as it was written.

        Nothing is created or changed. Raise :class:`StoreUnavailable` where there is no file, and :class:`StoreCorrupt`.
        """
        self._place = str(path)
        self._check: Callable[[FileIO], None] | None = check
        self._lock = threading.Lock()
        try:
            self._file = path.open("rb", buffering=0)
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
        except PermissionError as error:
            raise StoreUnavailable("cannot be read: no permission", self._place) from error
        except (OSError, sqlite3.Error) as error:
            raise self._corrupt(f"cannot be opened: {error}") from error
        weakref.finalize(self, self._database.close)
        weakref.finalize(self, self._file.close)
        for setting in ("temp_store=MEMORY", "cell_size_check=ON", "trusted_schema=OFF"):
            self._rows(f"PRAGMA {setting}")
        self._count, bits = self._block(0)
        self._shift = 32 + _HASH_BITS - bits

    def candidates(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the paths of the entities that ``text`` names equally well; at most 200 names of one form are looked at."""
        path, form = entity_path(text), normalize(text)
        if not _is_text(text):
            return ()
        for name in self._named(path, _PATH):
            if name.path == path and is_kind(path, kinds):
                return (path,)
        alike = [name for name in self._named(form, _FORM) if normalize(name.text) == form]
        slugs = (Name(name.path, last_part(name.path), 2) for name in self._named(form, _SLUG))
        alike += [name for name in slugs if normalize(name.text) == form]
        found = best((name for name in alike if is_kind(name.path, kinds)), text)
        if not found:
            self._check_all()
        return found

    def suggest(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the names nearest to ``text``, best first, three at most, one an entity.

        Compared are the first names of the index, and those that hold the rarest trigrams of ``text``.
        """
        if not _is_text(text):
            return ()
        self._check_all()
        found = dict(self._names(f"{_NAME} ORDER BY id LIMIT {_ALWAYS_COMPARED}"))
        room = _MOST_COMPARED
        for gram, count in self._counted(_grams(_marked(normalize(text)))) if self._count > _ALWAYS_COMPARED else ():
            if room > 0 and count:
                found.update(self._names(f"{_HOLDING} LIMIT {room}", _quoted(gram)))
                room -= count
        return nearest(text, (name for _, name in sorted(found.items()) if is_kind(name.path, kinds)))

    def search(self, text: str, limit: int = LIMIT) -> tuple[tuple[str, str], ...]:
        """Give ``(path, matching name)`` of the entities with a name that holds ``text``: exact, then prefix, then within."""
        form = normalize(text)
        if not form or not _is_text(text):
            return ()
        self._check_all()
        hits: dict[str, tuple[Hit, str]] = {}
        wanted = form.replace("\0", "\x01")
        stages = (f"{_START}{wanted}{_END}", f"/{wanted}{_END}"), (f"{_START}{wanted}", f"/{wanted}"), (wanted,)
        for place, parts in enumerate(stages):
            for part in parts:
                self._collect(hits, part, form, place, limit)
            if sum(found[0] <= place for found, _ in hits.values()) >= limit:
                break
        ranked = sorted(hits.items(), key=lambda item: (item[1][0], item[0]))
        return tuple((path, name) for path, (_, name) in ranked[:limit])

    def _collect(self, hits: dict[str, tuple[Hit, str]], part: str, form: str, place: int, limit: int) -> None:
        """Add the names that hold ``part`` to ``hits``: all that are written by hand, and the first of the Hub."""
        enough = set()
        for number, name in self._holding(part):
            found = hit(name, form, number)
            if found is None:
                continue
            if name.path not in hits or (found, name.text) < hits[name.path]:
                hits[name.path] = (found, name.text)
            if found[0] <= place and is_hub(name.path):
                enough.add(name.path)
                if len(enough) >= limit:
                    break

    def _holding(self, part: str) -> Iterator[tuple[int, Name]]:
        """Give the names that may hold ``part``, in the order of the index."""
        if len(part) >= _GRAM:
            counted = self._counted(_grams(part))
            if counted[0][1]:
                words = [gram for gram, _ in counted[:_MOST_GRAMS]]
                yield from self._names(_HOLDING, " AND ".join(map(_quoted, words)))
            return
        starting = "SELECT text FROM gram WHERE text >= ? AND text < ? LIMIT ?"
        words = [word for (word,) in self._rows(starting, part, f"{part}\U0010ffff", _MOST_WORDS + 1)]
        if len(words) > _MOST_WORDS:
            yield from self._names(f"{_NAME} ORDER BY id")
        elif words:
            yield from self._names(_HOLDING, " OR ".join(map(_quoted, words)))

    def _counted(self, grams: Iterable[str]) -> list[tuple[str, int]]:
        """Give each of ``grams`` with the number of names that hold it, rarest first."""
        counts = [
            (gram, sum(n for (n,) in self._rows("SELECT count FROM gram WHERE text = ?", gram))) for gram in grams
        ]
        return sorted(counts, key=lambda counted: (counted[1], counted[0]))

    def _named(self, key: str, kind: int) -> Iterator[Name]:
        """Give the first names whose path, form or slug has the checksum of ``key``, each checked as it is read."""
        wanted = _hash(key, kind) << 32
        block = self._block((wanted >> self._shift) + 1)
        at = bisect_left(block, wanted)
        for value in islice(block, at, at + _MOST_ALIKE):
            if value >> 32 != wanted >> 32:
                break
            rows = list(self._rows(f"{_NAME} WHERE id = ?", value & 0xFFFFFFFF))
            if len(rows) != 1 or rows[0][4] != _row_sum(*rows[0][:4]):
                raise self._corrupt("a row is not as it was written")
            yield Name(*rows[0][1:4])

    def _block(self, number: int) -> array[int]:
        for (body,) in self._rows("SELECT body FROM bucket WHERE id = ?", number):
            if isinstance(body, bytes) and crc32(body[:-4], number).to_bytes(4, "little") == body[-4:]:
                values = array("Q", body[:-4])
                if sys.byteorder == "big":
                    values.byteswap()
                return values
        raise self._corrupt(f"block {number} is not as it was written")

    def _names(self, query: str, *values: str | int) -> Iterator[tuple[int, Name]]:
        for number, path, text, rank, _ in self._rows(query, *values):
            yield number, Name(path, text, rank)

    def _rows(self, query: str, *values: str | int) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._database.execute(query, values)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            raise self._corrupt(f"cannot be read: {error}") from error

    def _check_all(self) -> None:
        """Compare the whole file with what was written, once."""
        with self._lock:
            if self._check:
                self._check(self._file)
                self._check = None

    def _corrupt(self, reason: str) -> StoreCorrupt:
        return StoreCorrupt(reason, self._place, "llmkg build makes it anew")


def _grams(text: str) -> list[str]:
    """Give the trigrams of a text, each once.

    >>> _grams("llama")
    ['lla', 'lam', 'ama']
    """
    return list(dict.fromkeys(text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)))


def _quoted(word: str) -> str:
    escaped = word.replace('"', '""')
    return f'"{escaped}"'


def _is_text(text: str) -> bool:
    """Tell whether ``text`` holds no lone surrogates, which no name can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
