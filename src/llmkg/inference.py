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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pyoxigraph import Literal, NamedNode

from llmkg.identifiers import entity_iri, path_of, stable_digest
from llmkg.mapping import LINEAGE
from llmkg.namespaces import shorten, term
from llmkg.quads import Triple

__all__ = ["Facts", "Lineage", "Step", "effective_lineage", "gather", "infer"]

_TYPE = term("rdf:type")
_ROLES = {
    "adapterOf": "AdapterModel",
    "continuedPretrainingFrom": "ContinuedPretrainedModel",
    "distilledFrom": "DistilledModel",
    "fineTunedFrom": "FineTunedModel",
    "mergedFrom": "MergedModel",
    "quantizedFrom": "QuantizedModel",
}


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One step of lineage: ``child`` comes from ``parent`` by ``relation``; evidence is ``stated`` or ``inherited``."""

    child: str
    relation: str
    parent: str
    evidence: str = "stated"
    qualifier: str = ""


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
                    steps[family].add(replace(step, child=family, evidence="inherited"))
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
            return {replace(step, child=model, evidence="inherited") for step in widest}
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


def distances(model: str, lineage: Lineage) -> dict[str, int]:
    """Give every ancestor of ``model`` with the number of steps to it; a cycle makes a model its own ancestor."""
    own = set(lineage.families.get(model, ()))
    found: dict[str, int] = {}
    reached = {model}
    queue = deque([(model, 0)])
    while queue:
        current, distance = queue.popleft()
        for step in lineage.steps.get(current, ()):
            parent = step.parent
            for ancestor in (parent, *lineage.families.get(parent, ())):
                if ancestor == parent or (ancestor not in own and ancestor != model):
                    found.setdefault(ancestor, distance + 1)
            if parent not in reached:
                reached.add(parent)
                queue.append((parent, distance + 1))
    return found


def infer(facts: Facts) -> Iterator[Triple]:
    """Give every inferred triple."""
    lineage = effective_lineage(facts)
    for model in sorted(lineage.steps):
        for step in lineage.steps[model]:
            yield from _derivation(step)
        for ancestor, distance in sorted(distances(model, lineage).items()):
            yield from _descent(model, ancestor, distance)
    yield from _conflicts(facts)
    yield from _summaries(facts)
    # skos:prefLabel is a sub-property of rdfs:label (SKOS Reference, S11)
    yield from ((concept, term("rdfs:label"), label) for concept, label in facts.preferred_labels)
    for parts in facts.compared.values():
        for model_iri in parts.get("model", ()):
            for other in parts.get("other", ()):
                if path_of(other.value).startswith("model/"):
                    yield model_iri, term("comparedWith"), other


def _derivation(step: Step) -> Iterator[Triple]:
    child, parent = entity_iri(step.child), entity_iri(step.parent)
    names = (step.child.partition("/")[2], step.relation, step.parent.partition("/")[2])
    node = entity_iri(f"derivation/{'/'.join(names)}")
    yield node, _TYPE, term("Derivation")
    yield node, term("derivedModel"), child
    yield node, term("parentModel"), parent
    yield node, term("relation"), term(step.relation)
    yield node, term("evidence"), Literal(step.evidence)
    if step.qualifier:
        yield node, term("qualifier"), Literal(step.qualifier)
    yield child, term("derivedFrom"), parent
    yield child, _TYPE, term("DerivedModel")
    yield parent, _TYPE, term("BaseModel")
    if step.relation in _ROLES:
        yield child, _TYPE, term(_ROLES[step.relation])


def _descent(model: str, ancestor: str, distance: int) -> Iterator[Triple]:
    node = entity_iri(f"descent/{model.partition('/')[2]}/{ancestor.partition('/')[2]}")
    yield node, _TYPE, term("Descent")
    yield node, term("descendantModel"), entity_iri(model)
    yield node, term("ancestorModel"), entity_iri(ancestor)
    yield node, term("distance"), _integer(distance)
    yield entity_iri(model), term("ancestor"), entity_iri(ancestor)


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
