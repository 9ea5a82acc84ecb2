"""Reads shapes, and tells what they look at: which classes, and whether a thing can be judged by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from llmkg.errors import Problem, SourceError
from llmkg.namespaces import PREFIXES, shorten, term
from llmkg.sources.text import read_text

__all__ = ["Reach", "Triple", "load_shapes", "ntriples", "reach", "read_turtle"]

Triple = tuple[Any, Any, Any]

_SH = PREFIXES["sh"]
#: every term of SHACL Core and SHACL-SPARQL (W3C Recommendation, 20 July 2017); any other is a typing error
_TERMS = frozenset(
    """NodeShape PropertyShape Shape ConstraintComponent Parameter Violation Warning Info ValidationReport ValidationResult
    SPARQLConstraint BlankNode BlankNodeOrIRI BlankNodeOrLiteral IRI IRIOrLiteral Literal PrefixDeclaration PropertyGroup
    targetClass targetNode targetObjectsOf targetSubjectsOf property path node class datatype nodeKind minCount maxCount
    minExclusive minInclusive maxExclusive maxInclusive minLength maxLength pattern flags languageIn uniqueLang equals disjoint
    lessThan lessThanOrEquals not and or xone qualifiedValueShape qualifiedValueShapesDisjoint qualifiedMinCount
    qualifiedMaxCount closed ignoredProperties hasValue in message severity deactivated name description order group
    defaultValue inversePath alternativePath zeroOrMorePath oneOrMorePath zeroOrOnePath sparql select ask prefixes declare
    prefix namespace entailment shapesGraph optional parameter validator nodeValidator propertyValidator labelTemplate""".split()
)
#: what a shape can say without looking further than at its focus node, the values of it, and the classes of these
_LOCAL = frozenset(
    """targetClass targetSubjectsOf property path node class datatype nodeKind minCount maxCount minExclusive minInclusive
    maxExclusive maxInclusive minLength maxLength pattern flags languageIn uniqueLang equals disjoint lessThan
    lessThanOrEquals not and or xone qualifiedValueShape qualifiedMinCount qualifiedMaxCount closed ignoredProperties
    hasValue in message severity deactivated name description order group defaultValue""".split()
)
#: what a shape of rdf:type may say, for chunks hold further classes (llmkg.chunks): that some class is there
_OF_CLASSES = frozenset(
    "targetClass targetSubjectsOf path qualifiedValueShape qualifiedMinCount hasValue minCount severity message".split()
)
_NESTED = frozenset(_SH + name for name in ("property", "node", "not", "and", "or", "xone", "qualifiedValueShape"))
_LIST = (term("rdf:first"), term("rdf:rest"))


@dataclass(frozen=True, slots=True)
class Reach:
    """What shapes look at beside the focus node: ``paths`` whose values must have one of ``classes``.

    ``further`` gives the reasons why a thing cannot be judged by its own triples and the classes of its values alone.
    """

    paths: frozenset[str]
    classes: frozenset[str]
    further: tuple[str, ...]


def load_shapes(folder: Path) -> list[Triple]:
    """Give all shape triples; raise :class:`SourceError` for a term that SHACL does not have (``sh:maxcount``)."""
    problems: list[Problem] = []
    triples = []
    for path in sorted(folder.glob("*.ttl")):
        quads = read_turtle(path)
        triples += [(quad.subject, quad.predicate, quad.object) for quad in quads]
        used = {part.value for quad in quads for part in (quad.predicate, quad.object) if isinstance(part, NamedNode)}
        for iri in sorted(used):
            if iri.startswith(_SH) and iri.removeprefix(_SH) not in _TERMS:
                name = iri.removeprefix(_SH)
                near = next((known for known in sorted(_TERMS) if known.lower() == name.lower()), "")
                hint = f"did you mean sh:{near}?" if near else "see https://www.w3.org/TR/shacl/"
                problems.append(Problem(_line_of(path, f"sh:{name}"), f"SHACL has no term sh:{name}", hint))
    if problems:
        raise SourceError(problems)
    return triples


def _line_of(path: Path, text: str) -> str:
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if text in line:
            return f"{path}:{number}:{line.index(text) + 1}"
    return f"{path}:1:1"


def read_turtle(path: Path) -> list[Quad]:
    """Give the triples of a Turtle file; raise :class:`SourceError` with line and column where it is none."""
    text = read_text(path)
    try:
        quads = list(pyoxigraph.parse(text.encode(), RdfFormat.TURTLE, base_iri=path.resolve().as_uri()))
    except SyntaxError as error:
        place = f"{path}:{error.lineno or 1}:{error.offset or 1}"
        raise SourceError(
            [Problem(place, f"is no Turtle: {error.msg}", "compare it with ontology/examples/valid")]
        ) from error
    if any(isinstance(quad.object, pyoxigraph.Triple) for quad in quads):
        hint = "write a llmkg:Claim with rdf:subject, rdf:predicate and rdf:object instead"
        raise SourceError([Problem(f"{path}:1:1", "holds a triple term (RDF 1.2), which SHACL does not know", hint)])
    return quads


def ntriples(triples: Iterable[Triple]) -> str:
    """Give ``triples`` as N-Triples."""
    return "".join(f"{subject} {predicate} {value} .\n" for subject, predicate, value in triples)


def reach(shapes: Iterable[Triple]) -> Reach:
    """Give what ``shapes`` look at.

    >>> shape = NamedNode("https://e.org/shape")
    >>> steps = [(shape, term("sh:path"), term("license")), (shape, term("sh:class"), term("License"))]
    >>> sorted(reach(steps).paths), reach(steps).further
    (['https://w3id.org/llmkg/ontology#license'], ())
    >>> reach([*steps, (shape, term("sh:targetObjectsOf"), term("license"))]).further
    ('https://e.org/shape has sh:targetObjectsOf',)
    """
    said: dict[Any, list[tuple[Any, Any]]] = {}
    for subject, predicate, value in shapes:
        said.setdefault(subject, []).append((predicate, value))
    paths: set[str] = set()
    classes: set[str] = set()
    further: set[str] = set()
    for shape, parts in said.items():
        name = shorten(shape.value)
        for predicate, value in parts:
            local = predicate.value.removeprefix(_SH)
            if predicate.value.startswith(_SH) and local not in _LOCAL:
                further.add(f"{name} has sh:{local}")
            if predicate == term("rdf:type") and value in (term("rdfs:Class"), term("owl:Class")):
                further.add(f"{name} is a class, and so the target of itself")
            if predicate == term("sh:targetSubjectsOf") and value in (term("rdf:type"), term("rdfs:subClassOf")):
                further.add(f"{name} is about all that has a class")
            if predicate == term("sh:class"):
                classes.add(value.value)
        steps = [value for predicate, value in parts if predicate == term("sh:path")]
        if not steps:
            continue
        if not isinstance(steps[0], NamedNode):
            further.add(f"{name} has a sh:path that is not one property")
            continue
        said_here = {predicate.value.removeprefix(_SH) for predicate, _ in parts if predicate.value.startswith(_SH)}
        if steps[0] == term("rdf:type") and said_here - _OF_CLASSES:
            further.add(f"{name} says more of classes than which must be there")
        inner = [part for node in _inside(shape, said) for part in said.get(node, ())]
        if sum(predicate == term("sh:path") for predicate, _ in inner) > 1:
            further.add(f"{name} looks at the properties of values")
        if any(predicate == term("sh:class") for predicate, _ in inner):
            paths.add(steps[0].value)
    return Reach(frozenset(paths), frozenset(classes), tuple(sorted(further)))


def _inside(shape: Any, said: dict[Any, list[tuple[Any, Any]]]) -> Iterator[Any]:
    """Give ``shape`` and every shape within it, each once."""
    found, waiting = {shape}, [shape]
    while waiting:
        node = waiting.pop()
        yield node
        for predicate, value in said.get(node, ()):
            if (predicate.value in _NESTED or predicate in _LIST) and value not in found:
                found.add(value)
                waiting.append(value)
