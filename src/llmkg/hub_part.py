"""What the snapshot of the Hub adds to a build: claims about curated models, and streams of statements about the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from llmkg.bulk import record_chunks
from llmkg.counts import Counts
from llmkg.descent import TERMS
from llmkg.hub import HubModels, Steps, repair_statements, resolve_steps, scan, stated_lineage, statements_of
from llmkg.hub_facts import SOURCE, Fact, Known, Mentions, classes_of, facts_of
from llmkg.identifiers import ENTITY_KINDS, split_path
from llmkg.identity import Name
from llmkg.inference import Step
from llmkg.mapping import PROPERTIES
from llmkg.namespaces import BASE, term
from llmkg.ntriples import iri, statement_chunks
from llmkg.quads import Triple, claim_triples, ontology_triples
from llmkg.records import ClaimRecord, EntityRecord, HubRecord, Place, SourceRecord, Text
from llmkg.sources.snapshot import key_of
from llmkg.suggest import suggest, suggestion_statements

__all__ = ["HubPart", "read_hub"]

_PRIORITY = 50  # after the surveys, which people have read
_QUOTE = 80
#: where a number of parameters is taken from, as the qualifier of its claim says
_ORIGINS = {"safetensors": "tensors", "gguf": "GGUF file", "name": "name"}


@dataclass(slots=True)
class HubPart:
    """The snapshot, its models by number, the steps between them, and what is counted while records are written."""

    snapshot: Path
    known: Known
    models: HubModels
    steps: Steps
    records: int
    mentions: Mentions = field(default_factory=Mentions)
    suggested: Counter[str] = field(default_factory=Counter)

    @property
    def source(self) -> SourceRecord:
        """Give the snapshot as a source, of the day of its newest crawl."""
        return SourceRecord(
            slug=SOURCE,
            titles=(Text("Hugging Face Hub", "en"), Text("Hugging Face Hub 模型库", "zh")),
            language="en",
            priority=_PRIORITY,
            read_by="llmkg import hub",
            place=Place(str(self.snapshot), 1),
            lines=self.models.info.records,
            date=max(self.models.info.crawled, self.models.info.updated),
            publisher="Hugging Face",
            url="https://huggingface.co/models",
        )

    def counts(self) -> dict[str, int]:
        """Give what the build summary tells: records, those that are gone, joined ones, models with no record, steps."""
        info = self.models.info
        return {
            "records": info.records,
            "gone": info.gone,
            "joined": len(self.models.joined),
            "unrecorded": sum(number not in self.models.paths for number in range(self.records, len(self.models.ids))),
            "steps": len(self.steps.effective),
        }

    def claims(self) -> Iterator[Triple]:
        """Give a claim for each statement about a model that the curated data name, and the things that these name."""
        lineage: dict[int, list[Fact]] = {}
        for number, fact in stated_lineage(self.models, self.steps):
            if number in self.models.joined:
                lineage.setdefault(number, []).append(fact)
        for number, record in self.models.joined.items():
            path = self.models.path(number)
            # superseded by another repository of the same model: this says nothing of the model
            own = ("supersededBy", iri(path))
            facts = [*facts_of(record, self.known, self.mentions), *lineage.get(number, ())]
            for fact in dict.fromkeys(facts):
                if (fact.property, fact.value) != own:
                    yield from self._claim(path, number, record, fact)

    def _claim(self, path: str, number: int, record: HubRecord, fact: Fact) -> Iterator[Triple]:
        qualifiers = (f"from the {_ORIGINS[record.parameters_from]}",) if fact.property == "parameterCount" else ()
        place = Place(str(self.snapshot), number + 1)
        quote = f"{record.id}: {fact.quote}"[:_QUOTE]
        claim = ClaimRecord(SOURCE, (number + 1,), path, fact.property, fact.value, quote, place, qualifiers)
        yield from claim_triples(claim, path, PROPERTIES[fact.property], _term(fact.value))

    def joined_steps(self) -> set[Step]:
        """Give the steps of models that the curated data name."""
        path = self.models.path
        return {
            Step(path(s.child), s.relation, path(s.parent), "inferred" if s.rule else "stated", "", s.rule)
            for s in self.steps.effective
            if s.child in self.models.paths
        }

    def chunks(self) -> Iterator[bytes]:
        """Give what records state, as N-Quads of the default graph; counts are complete when it has ended."""
        yield from record_chunks(self.snapshot, self.known, self.mentions)
        yield from statement_chunks(statements_of(self.models, self.steps, self.records))

    def repair_chunks(self) -> Iterator[bytes]:
        """Give the cases of every rule, and the parents that are suggested where none is stated."""
        yield from statement_chunks(repair_statements(self.models, self.steps.repairs))
        children = Counter(step.parent for step in self.steps.effective)
        with_parent = {step.child for step in self.steps.effective}
        found = suggest(self.models, children, with_parent)
        yield from statement_chunks(suggestion_statements(self.models, found, self.suggested))

    def add_counts(self, counts: Counts) -> None:
        """Add what the Hub holds to ``counts``; complete once :meth:`chunks` has ended."""
        info, mentions = self.models.info, self.mentions
        mass = self.records - len(self.models.joined)
        models = mass + self.counts()["unrecorded"]
        sizes = counts.sources.setdefault(SOURCE, {})
        for name in ("claimCount", "statementCount", "quadCount", "entityCount", "propertyCount", "onlyHereCount"):
            sizes.setdefault(name, 0)
        sizes["recordCount"] = info.records
        stated = sum(number not in self.models.joined for number, _ in stated_lineage(self.models, self.steps))
        sizes["statementCount"] += mentions.statements + stated
        sizes["entityCount"] += mass
        sizes["onlyHereCount"] += mass
        sizes["propertyCount"] = max(sizes["propertyCount"], len(mentions.properties))
        for name in ("Model", "ModelVariant"):
            counts.instances[name] += models
        for path in {path for path, _ in mentions.things}:
            kind = mentions.kinds.get(iri(path), split_path(path)[0])
            counts.instances.update(classes_of(kind))
        counts.instances["Repair"] += len(self.steps.repairs)
        counts.instances.update(self.suggested)
        counts.works.update(mentions.works)
        counts.rules.update(self.steps.rules)
        for name, kinds in counts.expected.items():
            for kind in {"Model", "ModelVariant"} & set(kinds):
                counts.stated[name, kind] += mentions.properties[name]

    def names(self) -> Iterator[Name]:
        """Give the names of the models, most downloaded first, and then of all else that records name."""
        weights = numpy.array(self.models.weights, numpy.int64)
        for number in numpy.argsort(-weights, kind="stable").tolist():
            if number not in self.models.paths:
                yield Name(self.models.path(number), self.models.ids[number])
        for path, label in sorted(self.mentions.things, key=lambda thing: (-self.mentions.things[thing], thing)):
            yield Name(path, label)


def read_hub(snapshot: Path, entities: Iterable[EntityRecord], ontology: Path, redirects: Mapping[str, str]) -> HubPart:
    """Give the Hub's part of a build, from its snapshot and what the curated data know."""
    entities = tuple(entities)
    known = _known(entities, ontology)
    models = scan(snapshot, known, _strictness(entities))
    count = len(models.ids)
    return HubPart(snapshot, known, models, resolve_steps(models, known, redirects), count)


def _known(entities: tuple[EntityRecord, ...], ontology: Path) -> Known:
    known = Known()
    for record in entities:
        kind = "agent" if record.kind in ("organization", "person") else ENTITY_KINDS[record.kind]
        for key, value in record.external_ids:
            if key == "hub" or (key, kind) == ("arxiv", "publication"):
                known.paths[kind, key_of(value)] = f"{ENTITY_KINDS[record.kind]}/{record.slug}"
    notation = term("skos:notation")
    for subject, verb, noted in ontology_triples(ontology):
        path = subject.value.removeprefix(BASE)
        if path.startswith("vocabulary/") and path.count("/") == 2:
            _, scheme, slug = path.split("/")
            known.concepts.setdefault((scheme, slug), path)
            if verb == notation:
                known.concepts[scheme, noted.value] = path
    return known


def _strictness(entities: tuple[EntityRecord, ...]) -> dict[str, int]:
    """Give the rank of the terms of each license by its Hub id."""
    return {
        key_of(value): TERMS.index(record.commercial_use)
        for record in entities
        for key, value in record.external_ids
        if key == "hub" and record.kind == "license" and record.commercial_use
    }


def _term(written: str) -> NamedNode | Literal:
    (quad,) = parse(f"<x:s> <x:p> {written} .", RdfFormat.N_TRIPLES)
    return cast("NamedNode | Literal", quad.object)
