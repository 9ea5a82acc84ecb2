"""Steps of lineage → who descends from whom: one node a step, one node a pair of model and ancestor, and counts.

All of it is inferred, and written as statements, since there can be millions. What a source could state too, the relations
themselves, goes into graph ``inferred`` as well; the other classes and properties are the build's alone, and mark themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy

from llmkg.closure import Closure, Integers, close, cycles
from llmkg.ntriples import Statement, integer, iri, predicate, text

__all__ = [
    "TERMS",
    "Line",
    "Lines",
    "closure_of",
    "count_statements",
    "cycle_statements",
    "descent_statements",
    "relation_statements",
    "step_statements",
    "term_statements",
]

_TYPE = predicate("rdf:type")
_ROLES = {
    "adapterOf": "AdapterModel",
    "continuedPretrainingFrom": "ContinuedPretrainedModel",
    "distilledFrom": "DistilledModel",
    "fineTunedFrom": "FineTunedModel",
    "mergedFrom": "MergedModel",
    "quantizedFrom": "QuantizedModel",
}
#: concepts of commercial-use from the loosest to the strictest; the place is the rank, 0 stands for unknown
TERMS = ("", "allowed", "conditional", "authorization-required", "research-only", "not-allowed")


@dataclass(frozen=True, slots=True)
class Line:
    """One step that holds, between two models by number.

    ``evidence`` is ``stated``, ``inherited`` or ``inferred``; ``rule`` names what was inferred.
    """

    child: int
    parent: int
    relation: str
    evidence: str
    qualifier: str = ""
    rule: str = ""
    hub_relation: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """All models by number (their paths), the steps between them, and the families of those that have some."""

    paths: Sequence[str]
    steps: Sequence[Line]
    families: Mapping[int, tuple[int, ...]]


def closure_of(lines: Lines) -> Closure:
    """Give who descends from whom; whoever descends from a model descends from that model's families too."""
    found = close(len(lines.paths), *_ends(lines))
    extra = list(_by_family(found, lines))
    if not extra:
        return found
    models = numpy.concatenate([found.models, *(models for models, _, _ in extra)])
    ancestors = numpy.concatenate([found.ancestors, *(numpy.full(len(m), f, numpy.int64) for m, f, _ in extra)])
    distances = numpy.concatenate([found.distances, *(away for _, _, away in extra)])
    order = numpy.lexsort((distances, ancestors, models))
    models, ancestors, distances = models[order], ancestors[order], distances[order]
    first = numpy.ones(len(models), bool)
    first[1:] = (models[1:] != models[:-1]) | (ancestors[1:] != ancestors[:-1])
    return Closure(models[first], ancestors[first], distances[first])


def _ends(lines: Lines) -> tuple[Integers, Integers]:
    """Give the children and the parents of all steps."""
    children = numpy.array([step.child for step in lines.steps], numpy.int64)
    return children, numpy.array([step.parent for step in lines.steps], numpy.int64)


def _by_family(found: Closure, lines: Lines) -> Iterator[tuple[Integers, int, Integers]]:
    """Give, for each family of an ancestor, the models that descend from it so; a model's own families are left out."""
    members: dict[int, set[int]] = defaultdict(set)
    for member, families in lines.families.items():
        for family in families:
            members[family].add(member)
    with_family = numpy.zeros(len(lines.paths), bool)
    with_family[list(lines.families)] = True
    places = numpy.flatnonzero(with_family[found.ancestors])
    for ancestor in numpy.unique(found.ancestors[places]).tolist():
        here = places[found.ancestors[places] == ancestor]
        for family in lines.families[ancestor]:
            own = numpy.array(sorted({*members[family], family}), numpy.int64)
            kept = here[~numpy.isin(found.models[here], own)]
            yield found.models[kept], family, found.distances[kept]


def relation_statements(lines: Lines) -> Iterator[Statement]:
    """Give each step that is not stated as it stands, as a source would state it."""
    for step in lines.steps:
        young, old = iri(lines.paths[step.child]), iri(lines.paths[step.parent])
        if step.evidence == "inferred" and step.relation != "derivedFrom":
            yield young, predicate(step.relation), old
        if step.relation != "derivedFrom" or step.evidence != "stated":
            yield young, predicate("derivedFrom"), old


def step_statements(lines: Lines, instances: Counter[str]) -> Iterator[Statement]:
    """Give a node for each step, and the roles that follow from it; the things of each class are counted."""
    instances["Derivation"] += len(lines.steps)
    roles: set[tuple[int, str]] = set()
    for step in lines.steps:
        child, parent = lines.paths[step.child], lines.paths[step.parent]
        names = f"{child.partition('/')[2]}/{step.relation}/{parent.partition('/')[2]}"
        node = iri(f"derivation/{names}")
        yield node, _TYPE, predicate("Derivation")
        yield node, predicate("derivedModel"), iri(child)
        yield node, predicate("parentModel"), iri(parent)
        yield node, predicate("relation"), predicate(step.relation)
        yield node, predicate("evidence"), text(step.evidence)
        optional = (("qualifier", step.qualifier), ("rule", step.rule))
        yield from ((node, predicate(name), text(value)) for name, value in optional if value)
        if step.hub_relation:
            yield node, predicate("hubRelation"), predicate(step.hub_relation)
        named = ((step.child, "DerivedModel"), (step.child, _ROLES.get(step.relation, "")), (step.parent, "BaseModel"))
        for role in named:
            if role[1] and role not in roles:
                roles.add(role)
                instances[role[1]] += 1
                yield iri(lines.paths[role[0]]), _TYPE, predicate(role[1])


def descent_statements(lines: Lines, closure: Closure) -> Iterator[Statement]:
    """Give a node for each pair of a model and an ancestor, with the distance between them."""
    distance_of = [integer(number) for number in range(int(closure.distances.max(initial=0)) + 1)]
    for model, ancestor, distance in zip(
        closure.models.tolist(), closure.ancestors.tolist(), closure.distances.tolist(), strict=True
    ):
        young, old = lines.paths[model], lines.paths[ancestor]
        node = iri(f"descent/{young.partition('/')[2]}/{old.partition('/')[2]}")
        yield node, _TYPE, predicate("Descent")
        yield node, predicate("descendantModel"), iri(young)
        yield node, predicate("ancestorModel"), iri(old)
        yield node, predicate("distance"), distance_of[distance]
        yield iri(young), predicate("ancestor"), iri(old)


def count_statements(lines: Lines, closure: Closure) -> Iterator[Statement]:
    """Give each ancestor's numbers of descendants, and each descendant's roots and depth."""
    size = len(lines.paths)
    own = closure.models == closure.ancestors
    direct = numpy.bincount(closure.ancestors[(closure.distances == 1) & ~own], minlength=size)
    descendants = numpy.bincount(closure.ancestors[~own], minlength=size)
    named = numpy.ones(size, bool)
    named[list(lines.families)] = False
    names = numpy.bincount(closure.ancestors[~own & named[closure.models]], minlength=size)
    for model in numpy.flatnonzero(descendants).tolist():
        subject = iri(lines.paths[model])
        yield subject, predicate("descendantCount"), integer(int(descendants[model]))
        yield subject, predicate("childCount"), integer(int(direct[model]))
        yield subject, predicate("namedDescendantCount"), integer(int(names[model]))
    depth = numpy.zeros(size, numpy.int64)
    numpy.maximum.at(depth, closure.models, closure.distances)
    for model in numpy.flatnonzero(depth).tolist():
        yield iri(lines.paths[model]), predicate("lineageDepth"), integer(int(depth[model]))
    rooted = depth[closure.ancestors] == 0
    for model, root in zip(closure.models[rooted].tolist(), closure.ancestors[rooted].tolist(), strict=True):
        yield iri(lines.paths[model]), predicate("rootModel"), iri(lines.paths[root])


def term_statements(lines: Lines, closure: Closure, terms: Integers, models: Counter[str]) -> Iterator[Statement]:
    """Give each model the strictest terms of commercial use of itself and all its ancestors, where all are known.

    The models of each kind of terms are counted.

    ``terms`` holds the rank of each model's own terms in :data:`TERMS`. A family is no link of the chain: it is left out.
    """
    is_link = numpy.ones(len(lines.paths), bool)
    is_link[[family for families in lines.families.values() for family in families]] = False
    strictest = terms.copy()
    links = is_link[closure.ancestors]
    numpy.maximum.at(strictest, closure.models[links], terms[closure.ancestors[links]])
    unknown = terms == 0
    unknown[closure.models[links & (terms[closure.ancestors] == 0)]] = True
    concepts = [iri(f"vocabulary/commercial-use/{name}") for name in TERMS]
    sizes = numpy.bincount(strictest[~unknown], minlength=len(TERMS)).tolist()
    models.update(dict(zip(TERMS[1:], sizes[1:], strict=True)))
    for model in numpy.flatnonzero(~unknown).tolist():
        yield iri(lines.paths[model]), predicate("inheritedCommercialUse"), concepts[int(strictest[model])]


def cycle_statements(lines: Lines, rules: Counter[str]) -> Iterator[Statement]:
    """Mark the models of each cycle with the path of the first of them, by which they are one; they are counted."""
    for members in cycles(len(lines.paths), *_ends(lines)):
        rules["cycle"] += len(members)
        paths = sorted(lines.paths[member] for member in members)
        yield from ((iri(path), predicate("lineageCycle"), text(paths[0])) for path in paths)
