"""``data/sources.yaml``: the documents that the graph is filled from."""

from __future__ import annotations

from pathlib import Path

from llmkg.errors import Problem, SourceError
from llmkg.identifiers import is_slug
from llmkg.records import SourceRecord
from llmkg.sources.entity_file import read_names
from llmkg.sources.yaml_tree import Mapping, Reading, read_entries

__all__ = ["SOURCE_KEYS", "read_source_list"]

SOURCE_KEYS = (
    "id", "title", "language", "publisher", "url", "date", "license", "priority", "file", "sha256", "lines", "readBy",
)  # fmt: skip


def read_source_list(path: Path, name: str) -> Reading[SourceRecord]:
    """Give the sources of the list; ``name`` is the file's name in messages."""
    return read_entries(path, name, _read_source)


def _read_source(entry: Mapping) -> list[SourceRecord]:
    entry.only(*SOURCE_KEYS)
    slug = entry.text("id")
    if not is_slug(slug):
        raise SourceError([Problem(str(entry.place), f"id {slug!r}", "use lower-case words joined by -")])
    return [
        SourceRecord(
            slug=slug,
            titles=read_names(entry, "title"),
            language=entry.text("language"),
            priority=_number(entry, "priority", "0"),
            read_by=entry.text("readBy"),
            place=entry.place,
            file=entry.text("file", ""),
            sha256=entry.text("sha256", ""),
            lines=_number(entry, "lines", "0"),
            date=entry.text("date", ""),
            publisher=entry.text("publisher", ""),
            url=entry.text("url", ""),
            license=entry.text("license", ""),
        )
    ]


def _number(entry: Mapping, key: str, default: str) -> int:
    text = entry.text(key, default)
    if not text.isascii() or not text.isdigit():
        raise SourceError([Problem(str(entry.place), f"{key} {text!r} is no whole number")])
    return int(text)
