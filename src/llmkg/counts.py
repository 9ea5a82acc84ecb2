"""Counts over the whole graph, made once by a build so that no query has to: of sources, properties, classes and works."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from llmkg.identifiers import path_of
from llmkg.namespaces import LLMKG, term
from llmkg.ntriples import Statement, integer, iri, predicate, text
from llmkg.quads import Triple

__all__ = ["Counts", "count"]

_TYPE = term("rdf:type")
#: a work is somebody's if one of these says so
_MAKING = ("developedBy", "releasedBy")


@dataclass(slots=True)
class Counts:
    """Counts of the curated graph, to which a bulk source adds its own before they are written."""

    sources: dict[str, dict[str, int]] = field(default_factory=dict)
    instances: Counter[str] = field(default_factory=Counter)
    works: Counter[str] = field(default_factory=Counter)
    expected: dict[str, list[str]] = field(default_factory=dict)
    stated: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    terms: Counter[str] = field(default_factory=Counter)

    def statements(self) -> Iterator[Statement]:
        """Give all counts: of sources and classes, of works, of coverage, of repairs, of terms of use."""
        coverage = [(name, kind) for name, kinds in sorted(self.expected.items()) for kind in sorted(kinds)]
        coverage = [pair for pair in coverage if self.instances[pair[1]]]
        self.instances["Coverage"] = len(coverage)
        self.instances["RepairRule"] = len(self.rules)
        for slug, sizes in sorted(self.sources.items()):
            for name, size in sorted(sizes.items()):
                yield iri(f"source/{slug}"), predicate(name), integer(size)
        for name, size in sorted(self.instances.items()):
            yield predicate(name), predicate("instanceCount"), integer(size)
        for work, size in sorted(self.works.items()):
            yield work, predicate("workCount"), integer(size)
        for concept, size in sorted(self.terms.items()):
            yield iri(f"vocabulary/commercial-use/{concept}"), predicate("modelCount"), integer(size)
        for name, size in sorted(self.rules.items()):
            node = iri(f"repair-rule/{name}")
            yield node, predicate("rdf:type"), predicate("RepairRule")
            yield node, predicate("countedRule"), text(name)
            yield node, predicate("caseCount"), integer(size)
        for name, kind in coverage:
            node = iri(f"coverage/{kind}/{name}")
            yield node, predicate("rdf:type"), predicate("Coverage")
            yield node, predicate("coverageOf"), predicate(name)
            yield node, predicate("coverageClass"), predicate(kind)
            yield node, predicate("expectedCount"), integer(self.instances[kind])
            yield node, predicate("statedCount"), integer(self.stated[name, kind])


def count(named: Mapping[str, Iterable[Triple]]) -> Counts:
    """Give the counts of the curated graph from the triples of its named graphs."""
    found = Counts()
    types: dict[str, set[str]] = defaultdict(set)
    claims: dict[str, dict[str, str]] = defaultdict(dict)
    entities: set[str] = set()
    expected, kind_of = term("expectedOf"), term("kind")
    for triples in named.values():
        for subject, verb, value in triples:
            if verb == _TYPE and value.value.startswith(LLMKG):
                types[subject.value].add(value.value.removeprefix(LLMKG))
            elif verb == kind_of:
                entities.add(str(subject))
            elif verb == expected:
                found.expected.setdefault(subject.value.removeprefix(LLMKG), []).append(value.value.removeprefix(LLMKG))
    for kinds in types.values():
        found.instances.update(kinds)
    for slug, triples in named.items():
        parts: dict[str, dict[str, str]] = defaultdict(dict)
        size = 0
        for subject, verb, value in triples:
            size += 1
            if verb in _PARTS:
                parts[subject.value][_PARTS[verb]] = str(value)
        if parts:
            claims.update(parts)
            found.sources[slug] = _sizes(parts, size)
    _only_here(found, claims, entities)
    stated = {(part["subject"], part["predicate"]) for part in claims.values() if "predicate" in part}
    for about, name in stated:
        for kind in found.expected.get(_name(name), ()):
            found.stated[_name(name), kind] += kind in types.get(about[1:-1], ())
    works = {
        (part["subject"], part["object"], _name(part["predicate"]) == "license")
        for part in claims.values()
        if "object" in part and _name(part["predicate"]) in (*_MAKING, "license")
    }
    found.works.update(value for _, value, _ in works)
    return found


_PARTS = {
    term("rdf:subject"): "subject",
    term("rdf:predicate"): "predicate",
    term("rdf:object"): "object",
    term("statedIn"): "source",
}


def _name(written: str) -> str:
    return written[1:-1].removeprefix(LLMKG)


def _sizes(parts: Mapping[str, Mapping[str, str]], quads: int) -> dict[str, int]:
    """Give the sizes of one source's graph: a claim is whatever names its source."""
    claims = [part for part in parts.values() if "source" in part]
    statements = {(part["subject"], part["predicate"], part["object"]) for part in claims if "object" in part}
    return {
        "claimCount": len(claims),
        "statementCount": len(statements),
        "quadCount": quads,
        "entityCount": len({part["subject"] for part in claims}),
        "propertyCount": len({part["predicate"] for part in claims}),
    }


def _only_here(found: Counts, claims: Mapping[str, Mapping[str, str]], entities: Set[str]) -> None:
    """Count the entities that one source alone mentions, as subject or as value; a concept is none."""
    mentioned: dict[str, set[str]] = defaultdict(set)
    for part in claims.values():
        if "source" not in part:
            continue
        source = path_of(part["source"][1:-1]).partition("/")[2]
        for place in ("subject", "object"):
            if part.get(place) in entities:
                mentioned[part[place]].add(source)
    alone = Counter(next(iter(sources)) for sources in mentioned.values() if len(sources) == 1)
    for slug, sizes in found.sources.items():
        sizes["onlyHereCount"] = alone[slug]
