"""The frozen records that readers of sources give: what one place of a source says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ClaimRecord", "EntityRecord", "Place", "SourceRecord", "Text"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in our own files a record stands."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """Give ``path:line:column``.

        >>> print(Place("data/sources.yaml", 3))
        data/sources.yaml:3:1
        """
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A name with its language tag; an empty tag means that the name belongs to no language."""

    value: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class EntityRecord:
    """What a thing is called, what kind it is, and which family it belongs to."""

    kind: str
    slug: str
    labels: tuple[Text, ...]
    place: Place
    aliases: tuple[Text, ...] = ()
    family: str = ""
    size: str = ""
    software_type: str = ""
    external_ids: tuple[tuple[str, str], ...] = ()
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A document that states facts."""

    slug: str
    titles: tuple[Text, ...]
    language: str
    priority: int
    read_by: str
    place: Place
    file: str = ""
    sha256: str = ""
    lines: int = 0
    date: str = ""
    publisher: str = ""
    url: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """One statement of one source: ``value`` is still as the source, or its reader, wrote it."""

    source: str
    lines: tuple[int, ...]
    about: str
    name: str
    value: str
    quote: str
    place: Place
    qualifiers: tuple[str, ...] = ()
    as_of: str = ""
    note: str = ""
