"""A record of the Hub → what it states, in our terms: as lines for the mass of models, as claims for those known elsewhere.

The mass keeps its evidence by record: each model carries the line of the snapshot on which its record stands, and all that is
said of it, save what graph ``inferred`` holds, comes from there. A model that ``data/entities`` names gets one claim a statement,
since there other sources can disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmkg.ntriples import Statement, day, integer, iri, predicate, text
from llmkg.records import HubRecord
from llmkg.sources.record_line import is_hub_id
from llmkg.sources.snapshot import key_of

__all__ = [
    "SOURCE",
    "Fact",
    "Known",
    "Mentions",
    "classes_of",
    "entity_statements",
    "facts_of",
    "mention_statements",
    "model_path",
    "model_statements",
]

_NOT_SLUG = re.compile(r"[^a-z0-9.]+")
SOURCE = "hub"
_TYPE = predicate("rdf:type")
_LABEL = predicate("rdfs:label")
_KIND = predicate("kind")


@dataclass(frozen=True, slots=True)
class Known:
    """What the curated data know: paths by kind and Hub id (in lower case), and the concepts by scheme and notation."""

    paths: dict[tuple[str, str], str] = field(default_factory=dict)
    concepts: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a record: property, value as N-Triples writes it, and the words of the record."""

    property: str
    value: str
    quote: str


@dataclass(slots=True)
class Mentions:
    """Counts over records: the things that they name (by path and label), properties stated, works of an agent or license."""

    things: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)
    properties: Counter[str] = field(default_factory=Counter)
    works: Counter[str] = field(default_factory=Counter)
    statements: int = 0

    def add(self, other: Mentions) -> None:
        """Take over the counts of ``other``."""
        self.things.update(other.things)
        self.kinds.update(other.kinds)
        self.properties.update(other.properties)
        self.works.update(other.works)
        self.statements += other.statements


def model_path(identifier: str) -> str:
    """Give the path of the model of a repository that the curated data do not name."""
    return f"model/{SOURCE}/{identifier}"


def facts_of(record: HubRecord, known: Known, mentions: Mentions) -> Iterator[Fact]:
    """Give what ``record`` states of its model, lineage left out; what it names goes into ``mentions``."""
    if record.author:
        agent = _thing("agent", record.author, known, mentions)
        if record.author_kind:
            mentions.kinds[agent] = record.author_kind
        yield Fact("releasedBy", agent, record.author)
    for name in record.licenses:
        if name != "unknown":
            yield Fact("license", _license(name, known, mentions), f"license: {name}")
    if record.license_link:
        yield Fact("licenseLink", text(record.license_link), record.license_link)
    yield from _by_concept("supportsLanguage", "languageCode", "language", record.languages, known)
    yield from _by_concept("performsTask", "pipelineTag", "task", (record.task,) if record.task else (), known)
    for name in record.datasets:
        if is_hub_id(name):
            yield Fact("trainedOn", _thing("dataset", name, known, mentions), f"dataset:{name}")
        else:
            yield Fact("trainedOnDescription", text(name), name)
    if record.library:
        yield Fact("usesLibrary", _thing("software", record.library, known, mentions), record.library)
    for method in record.methods:
        yield Fact("usesMethod", iri(f"vocabulary/training-method/{method}"), method)
    for paper in record.papers:
        path = known.paths.get(("publication", paper))
        if path is None:
            path = f"publication/arxiv/{paper}"
            mentions.things[path, f"arXiv:{paper}"] += 1
        yield Fact("mentionsPublication", iri(path), f"arxiv:{paper}")
    yield from _plain(record)


def _plain(record: HubRecord) -> Iterator[Fact]:
    """Give the facts whose values are texts, numbers and dates."""
    if record.sha:
        yield Fact("commit", text(record.sha), record.sha)
    if record.modified:
        yield Fact("lastModified", day(record.modified), record.modified)
    if record.downloads is not None:
        yield Fact("downloadCount", integer(record.downloads), f"downloads: {record.downloads}")
    if record.likes is not None:
        yield Fact("likeCount", integer(record.likes), f"likes: {record.likes}")
    if record.gated:
        yield Fact("gate", text(record.gated), f"gated: {record.gated}")
    if record.created:
        yield Fact("repositoryCreated", day(record.created), record.created)
    if record.model_type:
        yield Fact("configModelType", text(record.model_type), record.model_type)
    for name in record.architectures:
        yield Fact("architectureClass", text(name), name)
    if record.parameters:
        yield Fact("parameterCount", integer(record.parameters), f"{record.parameters_from}: {record.parameters}")
        yield Fact("parameterCountFrom", text(record.parameters_from), record.parameters_from)
    for name in record.tensor_types:
        yield Fact("tensorType", text(name), name)
    if record.bits:
        yield Fact("quantizationBits", integer(record.bits), str(record.bits))
    if record.quantization:
        yield Fact("quantizationMethod", text(record.quantization), record.quantization)


def model_statements(record: HubRecord, line: int, known: Known, mentions: Mentions) -> Iterator[Statement]:
    """Give all that a record says of its model, and on which line of the snapshot it stands."""
    path = model_path(record.id)
    subject = iri(path)
    stated: set[str] = set()
    yield from entity_statements(path, "model-variant", record.id)
    yield subject, predicate("hubId"), text(record.id)
    yield subject, predicate("hubRecordLine"), integer(line)
    for fact in dict.fromkeys(facts_of(record, known, mentions)):
        stated.add(fact.property)
        mentions.statements += 1
        if fact.property in _COUNTED:
            mentions.works[fact.value] += 1
        yield subject, predicate(fact.property), fact.value
    if record.gone:
        yield subject, predicate("lastSeen"), day(record.gone)
    if record.parents:
        stated.add("derivedFrom")
    mentions.properties.update(stated)


#: properties of which the works behind each value are counted
_COUNTED = ("license", "releasedBy")
_CLASSES = {
    "agent": ("Agent",), "dataset": ("Dataset",), "license": ("License",), "model-variant": ("Model", "ModelVariant"),
    "organization": ("Agent", "Organization"), "person": ("Agent", "Person"), "publication": ("Publication",),
    "software": ("Software",),
}  # fmt: skip


def classes_of(kind: str) -> tuple[str, ...]:
    """Give the classes of a thing of ``kind``.

    >>> classes_of("person")
    ('Agent', 'Person')
    """
    return _CLASSES[kind]


def entity_statements(path: str, kind: str, label: str) -> Iterator[Statement]:
    """Give what a thing is and what it is called."""
    subject = iri(path)
    for name in _CLASSES[kind]:
        yield subject, _TYPE, predicate(name)
    yield subject, _KIND, text(kind)
    yield subject, _LABEL, text(label, "en")


def mention_statements(mentions: Mentions) -> Iterator[Statement]:
    """Give the things that records name and the curated data do not, sorted; of several spellings the most frequent."""
    labels: dict[str, str] = {}
    for path, label in sorted(mentions.things, key=lambda thing: (thing[0], -mentions.things[thing], thing[1])):
        labels.setdefault(path, label)
    for path, label in labels.items():
        kind, _, rest = path.split("/", 2)
        yield from entity_statements(path, mentions.kinds.get(iri(path), kind), label)
        if kind == "publication":
            yield iri(path), predicate("arxivId"), text(rest)
        elif kind in ("agent", "dataset") and is_hub_id(label):
            yield iri(path), predicate("hubId"), text(label)


def _thing(kind: str, name: str, known: Known, mentions: Mentions) -> str:
    """Give the IRI of a thing by its Hub id: the curated one, else one of the Hub's own."""
    path = known.paths.get((kind, key_of(name)))
    if path is None:
        shown = name if is_hub_id(name) else _NOT_SLUG.sub("-", name.lower()).strip("-.") or "unnamed"
        path = f"{kind}/{SOURCE}/{shown if kind == 'agent' else shown.lower()}"
        mentions.things[path, name] += 1
    return iri(path)


def _license(name: str, known: Known, mentions: Mentions) -> str:
    """Give the IRI of a license: by the Hub's id, or by the name that its author gives it."""
    path = known.paths.get(("license", name))
    if path is None:
        label = name.removeprefix("other:")
        slug = _NOT_SLUG.sub("-", label.lower()).strip("-.")
        path = f"license/{SOURCE}/{slug or 'unnamed'}"
        mentions.things[path, "other, not named" if label == "other" else label] += 1
    return iri(path)


def _by_concept(name: str, otherwise: str, scheme: str, values: tuple[str, ...], known: Known) -> Iterator[Fact]:
    """Give a concept for each value that one is known for, and the value as it stands for the others."""
    for value in values:
        concept = known.concepts.get((scheme, value))
        if concept:
            yield Fact(name, iri(concept), value)
        else:
            yield Fact(otherwise, text(value), value)
