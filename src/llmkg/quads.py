"""Records → quads: each source's graph holds the plain triples it states, with one claim for each.

What things are and what they are called goes into the graph ``entities``; ontology and vocabularies into ``ontology``.
The default graph is the deduplicated union of all named graphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from llmkg.errors import Problem, SourceError
from llmkg.identifiers import EVENT_KINDS, check_iri, claim_iri, entity_iri, is_slug, split_path
from llmkg.identity import Index, Name
from llmkg.mapping import PROPERTIES, PropertyRule, dimension_of
from llmkg.namespaces import LLMKG, PREFIXES, graph_iri, term
from llmkg.quantities import QuantityError
from llmkg.quantities import parse as parse_quantity
from llmkg.records import ClaimRecord, EntityRecord, SourceRecord, Text

__all__ = [
    "ClaimWriter",
    "Triple",
    "claim_triples",
    "entity_triples",
    "in_graph",
    "names_of",
    "ontology_triples",
    "source_triples",
    "value_problems",
]

Triple = tuple[NamedNode, NamedNode, NamedNode | Literal]

_TYPE = term("rdf:type")
_LABEL = term("rdfs:label")
_CLASSES = {
    "model-family": ("Model", "ModelFamily"), "model-variant": ("Model", "ModelVariant"), "dataset": ("Dataset",),
    "organization": ("Agent", "Organization"), "person": ("Agent", "Person"), "license": ("License",),
    "software": ("Software",), "application": ("Application",), "publication": ("Publication",), "project": ("Project",),
    "source": ("Source",), "run": ("TrainingRun",), "inference": ("InferenceSetup",), "evaluation": ("Evaluation",),
}  # fmt: skip
_EXTERNAL = {"arxiv": "arxivId", "doi": "doi", "hub": "hubId", "spdx": "spdxId", "wikidata": "wikidataId"}
_EVENTS = {
    "run": ("trainedModel", "Training of {}", "{}的训练"),
    "inference": ("inferenceOf", "Inference of {}", "{}的推理"),
    "evaluation": ("evaluatedModel", "Evaluation of {}", "{}的评测"),
}
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_STATUS = {"unknown": "stated-unknown", "none": "stated-none"}


def in_graph(triples: Iterable[Triple], name: str) -> Iterator[Quad]:
    """Give ``triples`` as quads of the named graph ``name``."""
    graph = graph_iri(name)
    return (Quad(subject, predicate, value, graph) for subject, predicate, value in triples)


def ontology_triples(folder: Path) -> Iterator[Triple]:
    """Give the triples of the core ontology and its vocabularies that hold no blank node."""
    for path in [folder / "llmkg.ttl", *sorted((folder / "vocabularies").glob("*.ttl"))]:
        for quad in parse(path=str(path), format=RdfFormat.TURTLE):
            if not isinstance(quad.subject, BlankNode) and not isinstance(quad.object, BlankNode):
                yield quad.subject, quad.predicate, quad.object


def entity_triples(record: EntityRecord) -> Iterator[Triple]:
    """Give what an entity is, what it is called, and which family it belongs to."""
    subject = entity_iri(_path(record))
    yield from _typed(subject, record.kind)
    for name in record.labels:
        yield subject, _LABEL, _literal(name)
    for name in record.aliases:
        yield subject, term("skos:altLabel"), _literal(name)
    if record.family:
        yield subject, term("memberOf"), entity_iri(f"model/{record.family}")
    if record.size:
        yield subject, term("nominalSize"), Literal(record.size)
    if record.software_type:
        yield subject, term("softwareType"), entity_iri(f"vocabulary/software-type/{record.software_type}")
    if record.commercial_use:
        yield subject, term("commercialUse"), entity_iri(f"vocabulary/commercial-use/{record.commercial_use}")
    for key, value in record.external_ids:
        yield subject, term(_EXTERNAL[key]), Literal(value)
        if key == "spdx":
            yield subject, term("skos:exactMatch"), NamedNode(PREFIXES["spdxlicense"] + value)
    if record.replaced_by:
        yield subject, term("owl:deprecated"), _boolean(True)
        yield subject, term("dcterms:isReplacedBy"), entity_iri(record.replaced_by)


def source_triples(record: SourceRecord) -> Iterator[Triple]:
    """Give what a source is: title, language, date, how it was read, and its named graph."""
    subject = entity_iri(f"source/{record.slug}")
    yield from _typed(subject, "source")
    for title in record.titles:
        yield subject, _LABEL, _literal(title)
    yield subject, term("sourceId"), Literal(record.slug)
    yield subject, term("graph"), graph_iri(record.slug)
    yield subject, term("priority"), _integer(record.priority)
    texts = (("sourceLanguage", record.language), ("readBy", record.read_by), ("sha256", record.sha256))
    for name, value in texts:
        if value:
            yield subject, term(name), Literal(value)
    if record.lines:
        yield subject, term("lineCount"), _integer(record.lines)
    if record.url:
        yield subject, term("homepage"), Literal(record.url, datatype=term("xsd:anyURI"))
    for name, value in (("dcterms:publisher", record.publisher), ("dcterms:license", record.license)):
        if value:
            yield subject, term(name), Literal(value)
    if record.date:
        yield subject, term("sourceDate"), Literal(record.date, datatype=term("xsd:date"))


def names_of(entities: Iterable[EntityRecord]) -> Iterator[Name]:
    """Give every name of every entity, for the identity index."""
    for record in entities:
        path = _path(record)
        yield from (Name(path, label.value, 0) for label in record.labels)
        yield from (Name(path, alias.value, 1) for alias in record.aliases)
        yield from (Name(path, value, 1) for key, value in record.external_ids if key == "hub")


@dataclass(slots=True)
class ClaimWriter:
    """Turns claims into triples, with the names and concepts that a build knows."""

    index: Index
    paths: frozenset[str]
    labels: dict[str, tuple[Text, ...]]
    concepts: frozenset[str]

    def triples(self, record: ClaimRecord) -> list[Triple]:
        """Give the plain triple that ``record`` states, if it states a value, and its claim.

        Raise :class:`SourceError` where the property is unknown, the subject or value resolves to nothing, or the value cannot
        be read.
        """
        subject = self._subject(record)
        rule = PROPERTIES.get(record.name)
        if rule is None:
            raise _unknown(record)
        kind = split_path(subject)[0]
        if rule.subjects and kind not in rule.subjects:
            raise _wrong(record, f"{rule.name} is not said of a {kind}", f"it is said of: {', '.join(rule.subjects)}")
        if record.value in _STATUS:
            return claim_triples(record, subject, rule, None, ())
        value, qualifier = self._value(record, rule)
        return claim_triples(record, subject, rule, value, (qualifier,) if qualifier else ())

    def event_triples(self, record: ClaimRecord) -> list[Triple]:
        """Give what the subject of ``record`` is, what it is called, and its model, if it is an event."""
        kind, rest = split_path(record.about)
        if kind not in EVENT_KINDS:
            return []
        link, english, chinese = _EVENTS[kind]
        model, _, name = rest.partition("/")
        subject = entity_iri(record.about)
        named: list[Triple] = [*_typed(subject, kind), (subject, term(link), entity_iri(f"model/{model}"))]
        for label in self.labels[f"model/{model}"]:
            pattern = chinese if label.language == "zh" else english
            text = pattern.format(label.value) + (f": {name.replace('-', ' ')}" if name else "")
            named.append((subject, _LABEL, Literal(text, language=label.language or "en")))
        return named

    def _subject(self, record: ClaimRecord) -> str:
        about = record.about
        kind, rest = split_path(about)
        if kind in EVENT_KINDS:
            slug, _, name = rest.partition("/")
            model = f"model/{slug}"
            if model in self.paths and (is_slug(name) or rest == slug):
                return about
            if model in self.paths:
                raise _wrong(
                    record, f"{about!r} has a name that is no slug", f"write {kind}/{slug}, or {kind}/{slug}/name"
                )
            raise _wrong(record, f"{about!r} is of no known model", self._near(model, ("model",)))
        if about in self.paths or about in self.concepts:
            return about
        return self._resolve(record, about, ())

    def _resolve(self, record: ClaimRecord, text: str, kinds: tuple[str, ...]) -> str:
        found = [f"{kind}/{text}" for kind in kinds if f"{kind}/{text}" in self.paths]
        found = found or list(self.index.candidates(text, kinds))
        if len(found) == 1:
            return found[0]
        if found:
            raise _wrong(record, f"{text!r} names several things", f"write one of: {', '.join(found)}")
        sought = f"no {' or '.join(kinds)}" if kinds else "nothing"
        raise _wrong(record, f"{text!r} names {sought} that we know", self._near(text, kinds))

    def _near(self, text: str, kinds: tuple[str, ...]) -> str:
        near = self.index.suggest(text, kinds)
        meant = f"did you mean {' or '.join(map(repr, near))}? if not, " if near else ""
        return f"{meant}add it to data/entities/"

    def _value(self, record: ClaimRecord, rule: PropertyRule) -> tuple[NamedNode | Literal, str]:
        text = record.value
        if rule.value == "entity":
            return entity_iri(self._resolve(record, text, rule.targets)), ""
        if rule.value == "concept":
            path = f"vocabulary/{rule.targets[0]}/{text}"
            if path not in self.concepts:
                hint = f"add it to ontology/vocabularies/{rule.targets[0]}.ttl, or use one that is there"
                raise _wrong(record, f"no concept {text!r} in the scheme {rule.targets[0]!r}", hint)
            return entity_iri(path), ""
        return _READERS[rule.value](record, rule)


def value_problems(records: Iterable[ClaimRecord]) -> Iterator[Problem]:
    """Give what is wrong with claims as far as it shows without knowing what the names in them stand for."""
    for record in records:
        rule = PROPERTIES.get(record.name)
        try:
            if rule is None:
                raise _unknown(record)
            if rule.value in _READERS and record.value not in _STATUS:
                _READERS[rule.value](record, rule)
            if record.as_of:
                _iso_date(record, record.as_of)
        except SourceError as error:
            yield from error.problems


def _unknown(record: ClaimRecord) -> SourceError:
    near = Index(Name(known, known) for known in PROPERTIES).suggest(record.name)
    hint = f"did you mean {near[0]!r}?" if near else "docs/reference/ontology.md lists them"
    return _wrong(record, f"unknown property {record.name!r}", hint)


def _text(record: ClaimRecord, rule: PropertyRule) -> tuple[Literal, str]:
    return Literal(record.value), ""


def _url(record: ClaimRecord, rule: PropertyRule) -> tuple[Literal, str]:
    reason = check_iri(record.value)
    if reason:
        raise _wrong(
            record, f"address {record.value[:60]!r} {reason}", "write the full address, starting with https://"
        )
    return Literal(record.value, datatype=term("xsd:anyURI")), ""


def _date(record: ClaimRecord, rule: PropertyRule) -> tuple[Literal, str]:
    return _iso_date(record, record.value), ""


def _iso_date(record: ClaimRecord, text: str) -> Literal:
    """Give a date as exact as the source gives it: a day, a month (``2023-02``) or a year (``2018``)."""
    datatype = {10: "xsd:date", 7: "xsd:gYearMonth", 4: "xsd:gYear"}.get(len(text), "")
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :] if datatype and _DATE.fullmatch(text) else "")
    except ValueError as error:
        raise _wrong(record, f"{text!r} is no date", "write it like 2023-02-24, 2023-02 or 2023") from error
    return Literal(text, datatype=term(datatype))


def _truth(record: ClaimRecord, rule: PropertyRule) -> tuple[Literal, str]:
    if record.value not in ("true", "false"):
        raise _wrong(record, f"{record.value!r} is neither true nor false", "write true or false")
    return _boolean(record.value == "true"), ""


def _number(record: ClaimRecord, rule: PropertyRule) -> tuple[Literal, str]:
    try:
        measure = parse_quantity(record.value, dimension_of(rule))
    except QuantityError as error:
        message, _, hint = str(error).partition("; ")
        raise _wrong(
            record, f"{rule.name}: {message}", hint or "write the number as the source does, e.g. '7B'"
        ) from error
    if rule.value == "double":
        return Literal(format(measure.value, "E"), datatype=term("xsd:double")), measure.qualifier
    if rule.value == "integer" and measure.value != measure.value.to_integral_value():
        raise _wrong(record, f"{rule.name}: {record.value!r} is no whole number", "check the scale (7B, 52K, 70 亿)")
    if measure.value >= 2**63:
        hint = "check the scale; stores do not calculate with more"
        raise _wrong(record, f"{rule.name}: {record.value!r} is larger than 2^63 - 1", hint)
    return Literal(format(measure.value, "f"), datatype=term(f"xsd:{rule.value}")), measure.qualifier


_Reader = Callable[[ClaimRecord, PropertyRule], tuple[Literal, str]]
_READERS: dict[str, _Reader] = {
    "text": _text,
    "url": _url,
    "date": _date,
    "boolean": _truth,
    "integer": _number,
    "decimal": _number,
    "double": _number,
}


def claim_triples(
    record: ClaimRecord, subject: str, rule: PropertyRule, value: NamedNode | Literal | None, own: tuple[str, ...] = ()
) -> list[Triple]:
    """Give the plain triple and the claim; with no value, the claim says which kind of nothing is stated."""
    said = value.value if value is not None else record.value
    iri = claim_iri(record.source, record.lines[0], subject, rule.name, said)
    about, predicate = entity_iri(subject), NamedNode(LLMKG + rule.name)
    triples: list[Triple] = [
        (iri, _TYPE, term("Claim")),
        (iri, term("rdf:subject"), about),
        (iri, term("rdf:predicate"), predicate),
        (iri, term("statedIn"), entity_iri(f"source/{record.source}")),
        (iri, term("quote"), Literal(record.quote)),
    ]
    if value is None:
        status = entity_iri(f"vocabulary/value-status/{_STATUS[record.value]}")
        triples.append((iri, term("valueStatus"), status))
    else:
        triples += [(about, predicate, value), (iri, term("rdf:object"), value)]
    triples += [(iri, term("line"), _integer(line)) for line in record.lines]
    qualifiers = sorted({*record.qualifiers, *own})
    optional = (("qualifier", "; ".join(qualifiers)), ("unit", rule.unit), ("note", record.note))
    triples += [(iri, term(name), Literal(text)) for name, text in optional if text]
    if record.as_of:
        triples.append((iri, term("asOf"), _iso_date(record, record.as_of)))
    return triples


def _path(record: EntityRecord) -> str:
    return f"{'model' if record.kind.startswith('model-') else record.kind}/{record.slug}"


def _typed(subject: NamedNode, kind: str) -> Iterator[Triple]:
    yield subject, term("kind"), Literal(kind)
    for name in _CLASSES[kind]:
        yield subject, _TYPE, term(name)


def _literal(name: Text) -> Literal:
    return Literal(name.value, language=name.language) if name.language else Literal(name.value)


def _integer(value: int) -> Literal:
    return Literal(str(value), datatype=term("xsd:integer"))


def _boolean(value: bool) -> Literal:
    return Literal("true" if value else "false", datatype=term("xsd:boolean"))


def _wrong(record: ClaimRecord, message: str, hint: str = "") -> SourceError:
    return SourceError([Problem(str(record.place), message, hint)])
