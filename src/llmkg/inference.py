"""What follows from what is stated: effective lineage, descent, roles, conflicts, and summaries of entities.

The rules (``docs/explanation/lineage.md`` tells why):

* A model has the lineage stated of it. One with none inherits that of the nearest family that has some, unless that family
  names several alternative parents (nobody says which of its models has which).
* A family is derived from what any of its models is derived from.
* Who descends from a model descends from that model's families too.
* Of two steps to one parent the more exact relation counts, and of two parents the more exact one (LLaMA-7B over LLaMA).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy
from pyoxigraph import Literal, NamedNode

from llmkg.closure import Integers
from llmkg.counts import Counts
from llmkg.descent import (
    TERMS,
    Line,
    Lines,
    closure_of,
    count_statements,
    cycle_statements,
    descent_statements,
    relation_statements,
    step_statements,
    term_statements,
)
from llmkg.hub import HubModels, HubStep
from llmkg.hub_facts import model_path
from llmkg.identifiers import entity_iri, path_of, stable_digest
from llmkg.mapping import LINEAGE
from llmkg.namespaces import shorten, term
from llmkg.ntriples import Statement
from llmkg.quads import Triple
from llmkg.sources.snapshot import key_of

__all__ = [
    "Facts",
    "Inferred",
    "Lineage",
    "Step",
    "compute",
    "effective_lineage",
    "gather",
    "infer",
    "infer_lineage",
    "lines_of",
]

_TYPE = term("rdf:type")
_HUB = model_path("")


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One step of lineage: ``child`` comes from ``parent`` by ``relation``.

    Evidence is ``stated``, ``inherited`` or ``inferred``, by the rules that ``rule`` names.
    """

    child: str
    relation: str
    parent: str
    evidence: str = "stated"
    qualifier: str = ""
    rule: str = ""


@dataclass(slots=True)
class Facts:
    """What the rules read, gathered in one pass over the stated triples; models are given by path."""

    steps: set[Step] = field(default_factory=set)
    families: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    claims: dict[NamedNode, dict[str, NamedNode | Literal]] = field(default_factory=lambda: defaultdict(dict))
    single_valued: set[NamedNode] = field(default_factory=set)
    source_dates: dict[NamedNode, str] = field(default_factory=dict)
    priorities: dict[NamedNode, int] = field(default_factory=dict)
    aliases: dict[NamedNode, set[str]] = field(default_factory=lambda: defaultdict(set))
    entities: set[NamedNode] = field(default_factory=set)
    compared: dict[NamedNode, dict[str, set[NamedNode]]] = field(default_factory=lambda: defaultdict(dict))
    preferred_labels: list[tuple[NamedNode, Literal]] = field(default_factory=list)
    license_terms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Every effective step by child, and the families of each model, nearest first."""

    steps: dict[str, tuple[Step, ...]]
    families: dict[str, tuple[str, ...]]


_CLAIM_PARTS = {
    term("rdf:subject"): "subject",
    term("rdf:predicate"): "predicate",
    term("rdf:object"): "object",
    term("statedIn"): "source",
    term("qualifier"): "qualifier",
    term("asOf"): "asOf",
}


def gather(triples: Iterable[Triple]) -> Facts:
    """Give the facts that the rules need from all stated triples."""
    facts = Facts()
    commercial = term("commercialUse")
    evaluation = {term("evaluatedModel"): "model", term("comparedModel"): "other"}
    for subject, predicate, value in triples:
        if predicate in _CLAIM_PARTS:
            facts.claims[subject][_CLAIM_PARTS[predicate]] = value
        elif predicate == term("memberOf"):
            facts.families[path_of(subject.value)].add(path_of(value.value))
        elif predicate == term("singleValued"):
            facts.single_valued.add(subject)
        elif predicate == term("sourceDate"):
            facts.source_dates[subject] = value.value
        elif predicate == term("priority"):
            facts.priorities[subject] = int(value.value)
        elif predicate == term("kind"):
            facts.entities.add(subject)
        elif predicate == commercial and path_of(subject.value).startswith("license/"):
            facts.license_terms[path_of(subject.value)] = _rank_of(value.value)
        elif predicate == term("skos:prefLabel") and isinstance(value, Literal):
            facts.preferred_labels.append((subject, value))
        elif predicate == term("skos:altLabel"):
            facts.aliases[subject].add(value.value)
        elif predicate in evaluation and isinstance(value, NamedNode):
            facts.compared[subject].setdefault(evaluation[predicate], set()).add(value)
    for claim in facts.claims.values():
        relation = shorten(claim["predicate"].value)
        if relation in LINEAGE and "object" in claim:
            child, parent = path_of(claim["subject"].value), path_of(claim["object"].value)
            qualifier = claim["qualifier"].value if "qualifier" in claim else ""
            facts.steps.add(Step(child, relation, parent, "stated", qualifier))
    return facts


def effective_lineage(facts: Facts) -> Lineage:
    """Give the steps that hold for each model once stated, inherited and lifted lineage are put together."""
    models = {path_of(iri.value) for iri in facts.entities if path_of(iri.value).startswith("model/")}
    families = {model: _families(model, facts.families) for model in models}
    stated: dict[str, set[Step]] = defaultdict(set)
    for step in facts.steps:
        stated[step.child].add(step)
    steps: dict[str, set[Step]] = {model: set(stated.get(model, ())) for model in models}
    for model in models:
        if not stated.get(model):
            steps[model] |= _inherited(model, families, stated)
        for family in families[model]:
            for step in stated.get(model, ()):
                if step.parent != family and family not in families.get(step.parent, ()):
                    steps[family].add(replace(step, child=family, evidence="inherited", rule=""))
    return Lineage(
        {model: _narrowest(found, families) for model, found in steps.items() if found},
        families,
    )


def _families(model: str, member_of: dict[str, set[str]]) -> tuple[str, ...]:
    """Give the families of ``model``, nearest first, each once, whatever cycles membership may hold."""
    found: dict[str, None] = {}
    queue = deque(sorted(member_of.get(model, ())))
    while queue:
        family = queue.popleft()
        if family not in found and family != model and family.startswith("model/"):
            found[family] = None
            queue.extend(sorted(member_of.get(family, ())))
    return tuple(found)


def _inherited(model: str, families: dict[str, tuple[str, ...]], stated: dict[str, set[Step]]) -> set[Step]:
    """Give what a model without stated lineage takes from the nearest family that has some.

    A step to a member of the family counts only where the family has no other. Of a family and its member as parents the
    family is taken, since nobody says that each model starts from that member. Alternatives are not taken, merged parents are.
    """
    for family in families[model]:
        steps = {step for step in stated.get(family, ()) if step.parent != model}
        steps = {step for step in steps if family not in families.get(step.parent, ())} or steps
        parents = {step.parent for step in steps}
        widest = {step for step in steps if not parents & set(families.get(step.parent, ()))}
        roots = {(families.get(step.parent) or (step.parent,))[-1] for step in widest}
        if len(roots) > 1 and any(step.relation != "mergedFrom" for step in widest):
            return set()
        if widest:
            return {replace(step, child=model, evidence="inherited", rule="") for step in widest}
    return set()


def _narrowest(steps: set[Step], families: dict[str, tuple[str, ...]]) -> tuple[Step, ...]:
    """Drop a step to a family beside a stated one to its member, and ``derivedFrom`` or a doubtful step beside a better."""
    stated = {step.parent for step in steps if step.evidence == "stated"}
    wider = {family for parent in stated for family in families.get(parent, ())}
    kept: dict[tuple[str, str], Step] = {}
    for step in sorted(steps, key=lambda s: (s.evidence != "stated", s.qualifier, s)):
        if step.parent not in wider:
            kept.setdefault((step.relation, step.parent), step)
    exact = {parent for relation, parent in kept if relation != "derivedFrom"}
    return tuple(sorted(s for (r, parent), s in kept.items() if r != "derivedFrom" or parent not in exact))


def lines_of(lineage: Lineage, hub: HubModels | None = None, steps: Iterable[HubStep] = ()) -> Lines:
    """Give all models by number with the steps between them: those of the Hub first, then the curated ones."""
    count = len(hub.ids) if hub else 0
    numbers = {path: number for number, path in sorted(hub.paths.items(), reverse=True)} if hub else {}
    own: list[str] = []

    def number_of(path: str) -> int:
        if path not in numbers and hub and path.startswith(_HUB):
            return hub.numbers[key_of(path.removeprefix(_HUB))]
        if path not in numbers:
            numbers[path] = count + len(own)
            own.append(path)
        return numbers[path]

    curated = [
        Line(number_of(step.child), number_of(step.parent), step.relation, step.evidence, step.qualifier, step.rule)
        for model in sorted(lineage.steps)
        for step in lineage.steps[model]
    ]
    members = {number_of(model): tuple(map(number_of, found)) for model, found in sorted(lineage.families.items())}
    families = {model: found for model, found in members.items() if found}
    theirs = [
        Line(
            step.child,
            step.parent,
            step.relation,
            "inferred" if step.rule else "stated",
            "",
            step.rule,
            step.hub_relation,
        )
        for step in steps
        if hub and step.child not in hub.paths
    ]
    return Lines(Paths(hub, own), [*curated, *theirs], families)


class Paths(Sequence[str]):
    """The path of every model by number, made when it is asked for."""

    def __init__(self, hub: HubModels | None, own: list[str]) -> None:
        """Give those of ``hub`` first, then ``own``."""
        self._hub = hub
        self._count = len(hub.ids) if hub else 0
        self._own = own

    def __len__(self) -> int:
        """Give the number of models."""
        return self._count + len(self._own)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        """Give the path of one model."""
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if self._hub and number < self._count:
            return self._hub.path(number)
        return self._own[number - self._count]


@dataclass(frozen=True, slots=True)
class Inferred:
    """What follows from lineage: ``relations``, which a source could state too, and ``computed``, which only a build makes."""

    relations: Iterable[Statement] = ()
    computed: Iterable[Statement] = ()


def infer_lineage(
    facts: Facts, counts: Counts, hub: HubModels | None = None, steps: Iterable[HubStep] = ()
) -> Inferred:
    """Give what follows from the steps of lineage: those of the facts, and those of the Hub's models.

    What is computed is added to ``counts`` while it is read.
    """
    lines = lines_of(effective_lineage(facts), hub, steps)
    return Inferred(relation_statements(lines), _computed(lines, facts, counts, hub))


def _computed(lines: Lines, facts: Facts, counts: Counts, hub: HubModels | None) -> Iterator[Statement]:
    closure = closure_of(lines)
    counts.instances["Descent"] += len(closure.models)
    yield from step_statements(lines, counts.instances)
    yield from descent_statements(lines, closure)
    yield from count_statements(lines, closure)
    yield from cycle_statements(lines, counts.rules)
    yield from term_statements(lines, closure, _terms(lines, facts, hub), counts.terms)


def _terms(lines: Lines, facts: Facts, hub: HubModels | None) -> Integers:
    """Give the rank of each model's own terms of commercial use, 0 where they are not known.

    A source's own word on commercial use counts before what its license says.
    """
    ranks = numpy.zeros(len(lines.paths), numpy.int64)
    if hub:
        ranks[: len(hub.ids)] = numpy.frombuffer(bytes(hub.terms), numpy.uint8)
    said: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for claim in facts.claims.values():
        name = shorten(claim["predicate"].value)
        if "object" in claim and name in ("commercialUse", "license"):
            value = path_of(claim["object"].value)
            rank = facts.license_terms.get(value, 0) if name == "license" else _rank_of(value)
            said[path_of(claim["subject"].value)][name].append(rank)
    others = {number for number, path in hub.paths.items() if hub.own[path] != number} if hub else set()
    for number in range(len(lines.paths)) if not hub else (*hub.paths, *range(len(hub.ids), len(lines.paths))):
        found = said.get(lines.paths[number], {})
        own = found.get("commercialUse") or found.get("license") or [0]
        ranks[number] = max(own) if all(own) and number not in others else 0
    return ranks


def _rank_of(concept: str) -> int:
    name = concept.rpartition("/")[2]
    return TERMS.index(name) if name in TERMS else 0


def infer(facts: Facts) -> Iterator[Triple]:
    """Give every inferred triple, lineage left out, whose property a source could state too."""
    # skos:prefLabel is a sub-property of rdfs:label (SKOS Reference, S11)
    yield from ((concept, term("rdfs:label"), label) for concept, label in facts.preferred_labels)
    for parts in facts.compared.values():
        for model_iri in parts.get("model", ()):
            for other in parts.get("other", ()):
                if path_of(other.value).startswith("model/"):
                    yield model_iri, term("comparedWith"), other


def compute(facts: Facts) -> Iterator[Triple]:
    """Give the triples, lineage left out, that only a build makes: conflicts, and summaries of entities."""
    yield from _conflicts(facts)
    yield from _summaries(facts)


def _conflicts(facts: Facts) -> Iterator[Triple]:
    """Give one node for each value of a single-valued property to which sources give several.

    Shown first is the value with the latest date, then the most sources, then the best source (design, section 3).
    """
    groups: dict[tuple[NamedNode, NamedNode], dict[NamedNode | Literal, set[tuple[NamedNode, str]]]] = defaultdict(dict)
    for claim in facts.claims.values():
        predicate = claim["predicate"]
        if "object" in claim and predicate in facts.single_valued:
            source = claim["source"]
            dated = claim["asOf"].value if "asOf" in claim else facts.source_dates.get(source, "")  # type: ignore[arg-type]
            key = (claim["subject"], predicate)
            groups[key].setdefault(claim["object"], set()).add((source, dated))  # type: ignore[index,arg-type]
    for (subject, predicate), values in groups.items():
        if len(values) < 2:
            continue
        ranked = sorted(values, key=lambda value: _rank(value, values[value], facts))
        for place, value in enumerate(ranked):
            sources = {source for source, _ in values[value]}
            digest = stable_digest(subject.value, predicate.value, str(value))
            node = entity_iri(f"conflict/{digest}")
            yield node, _TYPE, term("ConflictingValue")
            yield node, term("rdf:subject"), subject
            yield node, term("rdf:predicate"), predicate
            yield node, term("rdf:object"), value
            yield node, term("sourceList"), Literal(_join(path_of(s.value).partition("/")[2] for s in sources))
            yield node, term("support"), _integer(len(sources))
            shown = Literal("true" if place == 0 else "false", datatype=term("xsd:boolean"))
            yield node, term("preferred"), shown


def _rank(
    value: NamedNode | Literal, evidence: set[tuple[NamedNode, str]], facts: Facts
) -> tuple[tuple[int, ...], int, int, str]:
    latest = max(dated for _, dated in evidence)
    sources = {source for source, _ in evidence}
    newest_first = tuple(-ord(character) for character in latest) or (0,)
    best = min(facts.priorities.get(source, 0) for source in sources)
    return newest_first, -len(sources), best, str(value)


def _summaries(facts: Facts) -> Iterator[Triple]:
    """Give, for each entity, its aliases and its sources as one text each, for tables."""
    sources: dict[NamedNode, set[str]] = defaultdict(set)
    for claim in facts.claims.values():
        name = path_of(claim["source"].value).partition("/")[2]
        sources[claim["subject"]].add(name)  # type: ignore[index]
        if isinstance(claim.get("object"), NamedNode):
            sources[claim["object"]].add(name)  # type: ignore[index]
    for entity in facts.entities:
        yield entity, term("aliasList"), Literal("; ".join(sorted(facts.aliases.get(entity, ()))))
        yield entity, term("sourceList"), Literal(_join(sources.get(entity, ())))


def _join(texts: Iterable[str]) -> str:
    return ", ".join(sorted(set(texts)))


def _integer(value: int) -> Literal:
    return Literal(str(value), datatype=term("xsd:integer"))
