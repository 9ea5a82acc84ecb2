"""The frozen records that readers of sources give: what one place of a source says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ClaimRecord",
    "EntityRecord",
    "HubRecord",
    "Place",
    "Redirect",
    "SourceRecord",
    "StatedParent",
    "Text",
]


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
    """What a thing is called, what kind it is, and which family it belongs to.

    ``external_ids`` are pairs such as ``("hub", "bigscience/bloom")``; the Hub may hold a thing under several ids.
    ``commercial_use`` is what a license says, as a concept of the scheme commercial-use.
    """

    kind: str
    slug: str
    labels: tuple[Text, ...]
    place: Place
    aliases: tuple[Text, ...] = ()
    family: str = ""
    size: str = ""
    software_type: str = ""
    commercial_use: str = ""
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


@dataclass(frozen=True, slots=True)
class Redirect:
    """A repository of the Hub that was renamed or moved: its former id, its present one, and why."""

    old: str
    new: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class StatedParent:
    """A parent as a repository names it: ``text`` as written, and where.

    ``place`` is ``card`` (``base_model`` in the model card), ``tag`` (only among the Hub's tags) or ``config`` (the adapter's
    configuration). ``relation`` is what the card calls the step, ``hub_relation`` what the Hub's tag does; each may be empty.
    """

    text: str
    place: str = "card"
    relation: str = ""
    hub_relation: str = ""


@dataclass(frozen=True, slots=True)
class HubRecord:
    """What one repository of the Hugging Face Hub says of its model, normalised; empty where it says nothing.

    Dates are ISO 8601 days. ``parameters`` counts parameters, by ``parameters_from`` (``safetensors``, ``gguf`` or ``name``).
    ``tagged`` are tags that read like the id of a repository. ``gated`` is ``auto``, ``manual``, ``no`` or empty. ``files``
    tells which telling kinds of file the repository holds: ``adapter``, ``full`` (weights of a whole model), ``gguf``,
    ``mergekit``. ``seen`` is the day of the crawl of a part of the Hub that held the repository after the last crawl of the
    whole; ``gone`` the day when a crawl last held it, if a later one does not.
    """

    id: str
    author: str = ""
    author_kind: str = ""
    sha: str = ""
    created: str = ""
    modified: str = ""
    gated: str = ""
    downloads: int | None = None
    likes: int | None = None
    library: str = ""
    task: str = ""
    licenses: tuple[str, ...] = ()
    license_link: str = ""
    languages: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    model_type: str = ""
    architectures: tuple[str, ...] = ()
    parameters: int | None = None
    parameters_from: str = ""
    tensor_types: tuple[str, ...] = ()
    bits: int | None = None
    quantization: str = ""
    methods: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    new_version: str = ""
    merged: bool = False
    tagged: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    seen: str = ""
    parents: tuple[StatedParent, ...] = ()
    gone: str = ""
