"""``data/sources.yaml``: the documents that the graph is filled from."""

from __future__ import annotations

from pathlib import Path

from llmkg.identifiers import check_iri, is_slug
from llmkg.records import SourceRecord
from llmkg.sources.entity_file import is_language_tag, read_names
from llmkg.sources.yaml_tree import MAX_DIGITS, Mapping, Reading, read_entries, wrong

__all__ = ["RESERVED_IDS", "SOURCE_KEYS", "read_source_list"]

SOURCE_KEYS = (
    "id", "title", "language", "publisher", "url", "date", "license", "priority", "file", "sha256", "lines", "readBy",
)  # fmt: skip
#: names of named graphs that hold no source
RESERVED_IDS = ("default", "entities", "inferred", "merged", "ontology")


def read_source_list(path: Path, name: str) -> Reading[SourceRecord]:
    """Give the sources of the list; ``name`` is the file's name in messages."""
    return read_entries(path, name, _read_source)


def _read_source(entry: Mapping) -> list[SourceRecord]:
    entry.only(*SOURCE_KEYS)
    slug = entry.text("id")
    if not is_slug(slug) or slug in RESERVED_IDS:
        reserved = ", ".join(RESERVED_IDS)
        raise wrong(
            entry.place, f"{slug!r} is no id of a source", f"use lower-case words joined by -, and none of: {reserved}"
        )
    titles = read_names(entry, "title")
    if not titles:
        raise wrong(entry.place, f"source {slug!r} has no title", "add 'title: {en: …}'")
    language, url = entry.text("language"), entry.text("url", "")
    if not is_language_tag(language):
        raise wrong(entry.place, f"{language!r} is no language tag", "write a BCP 47 tag such as en or zh-Hant")
    if url and check_iri(url):
        raise wrong(
            entry.place, f"address {url[:60]!r} {check_iri(url)}", "write the full address, starting with https://"
        )
    return [
        SourceRecord(
            slug=slug,
            titles=titles,
            language=language,
            priority=_number(entry, "priority", "0"),
            read_by=entry.text("readBy"),
            place=entry.place,
            file=entry.text("file", ""),
            sha256=entry.text("sha256", ""),
            lines=_number(entry, "lines", "0"),
            date=entry.text("date", ""),
            publisher=entry.text("publisher", ""),
            url=url,
            license=entry.text("license", ""),
        )
    ]


def _number(entry: Mapping, key: str, default: str) -> int:
    text = entry.text(key, default)
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise wrong(entry.place, f"{key} {text[:20]!r} is no whole number", f"write digits only, at most {MAX_DIGITS}")
    return int(text)
