"""SHACL shapes by pySHACL, and checks: one query a rule, of which any row is a violation."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat

from llmkg.errors import Problem, SourceError
from llmkg.identifiers import path_of
from llmkg.namespaces import PREFIXES, shorten, term
from llmkg.quads import ontology_triples
from llmkg.results import plain_text
from llmkg.sources.text import read_text
from llmkg.sources.yaml_tree import Mapping, parse_yaml

__all__ = ["Check", "Finding", "Report", "load_checks", "load_shapes", "read_turtle", "validate_file", "validate_store"]

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
_SEVERITIES = {"violation": "Violation", "warning": "Warning"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: ``severity`` is Violation, Warning or Info; ``where`` lists ``source:line`` of the evidence."""

    severity: str
    rule: str
    focus: str
    path: str
    value: str
    message: str
    where: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What validation found, sorted, and the engine that looked."""

    findings: tuple[Finding, ...]
    engine: str

    @property
    def conforms(self) -> bool:
        """Tell whether there is no violation (warnings may be there)."""
        return not any(finding.severity == "Violation" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Check:
    """A rule as a query: its name, message, severity and hint."""

    name: str
    summary: str
    severity: str
    hint: str
    text: str


def load_checks(folder: Path) -> tuple[Check, ...]:
    """Give the checks in ``folder``, sorted by name."""
    return tuple(_load_check(path) for path in sorted(folder.glob("*.rq")))


def _load_check(path: Path) -> Check:
    text = read_text(path)
    name = f"ontology/checks/{path.name}"
    header = parse_yaml("\n".join(line[3:] if line.startswith("#+ ") else "" for line in text.split("\n")), name)
    if not isinstance(header, Mapping) or header.text("severity", "violation") not in _SEVERITIES:
        hint = "start with '#+ summary: …' and '#+ severity: violation' or 'warning'"
        raise SourceError([Problem(f"{name}:1:1", "has no proper header", hint)])
    return Check(
        path.stem,
        header.text("summary"),
        _SEVERITIES[header.text("severity", "violation")],
        header.text("hint", ""),
        text,
    )


def load_shapes(folder: Path) -> list[tuple[Any, Any, Any]]:
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


def validate_store(store: pyoxigraph.Store, ontology: Path) -> Report:
    """Give what shapes and checks find in the default graph of ``store``."""
    shapes, checks = load_shapes(ontology / "shapes"), load_checks(ontology / "checks")
    triples = [
        (quad.subject, quad.predicate, quad.object)
        for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
    ]
    findings = [*_by_shapes(triples, shapes), *_by_checks(store, checks)]
    return _report(findings, _evidence(store))


def validate_file(path: Path, ontology: Path) -> Report:
    """Give what shapes and checks find in a Turtle file, seen together with the ontology and its vocabularies."""
    store = pyoxigraph.Store()
    known = [Quad(*triple, DefaultGraph()) for triple in ontology_triples(ontology)]
    store.bulk_extend([*known, *read_turtle(path)])
    return validate_store(store, ontology)


def _by_shapes(triples: list[tuple[Any, Any, Any]], shapes: list[tuple[Any, Any, Any]]) -> Iterable[Finding]:
    """Give the findings of pySHACL; both graphs go in as N-Triples, so that nothing is ever fetched."""
    import pyshacl
    from rdflib import Graph, URIRef

    # rdflib logs a traceback for each literal it cannot read; the shapes say it with place and remedy
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
    data, rules = Graph(), Graph()
    data.parse(data=_ntriples(triples), format="nt")
    rules.parse(data=_ntriples(shapes), format="nt")
    _, results, _ = pyshacl.validate(data, shacl_graph=rules, inference="none", advanced=False, do_owl_imports=False)
    for result in results.subjects(None, URIRef(_SH + "ValidationResult")):
        said = {str(p).removeprefix(_SH): str(o) for p, o in results.predicate_objects(result)}
        yield Finding(
            severity=said["resultSeverity"].removeprefix(_SH),
            rule=shorten(said["sourceShape"]).rpartition("#")[2].rpartition("/")[2],
            focus=said["focusNode"],
            path=said.get("resultPath", ""),
            value=said.get("value", ""),
            message=said.get("resultMessage", ""),
        )


def _ntriples(triples: Iterable[tuple[Any, Any, Any]]) -> str:
    return "\n".join(f"{subject} {predicate} {value} ." for subject, predicate, value in triples)


def _by_checks(store: pyoxigraph.Store, checks: tuple[Check, ...]) -> Iterable[Finding]:
    for check in checks:
        solutions: Any = store.query(check.text)
        columns = [variable.value for variable in solutions.variables]
        for row in solutions:
            values = {name: plain_text(row[name]) for name in columns}
            others = "; ".join(f"{name} {shorten(text)}" for name, text in values.items() if name != "subject" and text)
            message = f"{check.summary} ({others})" if others else check.summary
            yield Finding(check.severity, check.name, values["subject"], "", others, message, hint=check.hint)


def _evidence(store: pyoxigraph.Store) -> dict[str, set[str]]:
    """Give ``source:line`` of every claim, by the claim itself and by its subject with each property."""
    parts: dict[str, dict[str, list[str]]] = {}
    wanted = {term(name): name for name in ("rdf:subject", "rdf:predicate", "statedIn", "line")}
    for predicate, name in wanted.items():
        for quad in store.quads_for_pattern(None, predicate, None, DefaultGraph()):
            parts.setdefault(quad.subject.value, {}).setdefault(name, []).append(quad.object.value)  # type: ignore[union-attr]
    places: dict[str, set[str]] = {}
    for claim, said in parts.items():
        found = {
            f"{path_of(source).partition('/')[2]}:{line}"
            for source in said.get("statedIn", [])
            for line in said.get("line", [])
        }
        for subject in said.get("rdf:subject", []):
            keys = [f"{subject} {predicate}" for predicate in said.get("rdf:predicate", [])]
            for key in (claim, *keys):
                places.setdefault(key, set()).update(found)
    return places


def _report(findings: list[Finding], places: dict[str, set[str]]) -> Report:
    located = [
        Finding(
            f.severity, f.rule, f.focus, f.path, f.value, f.message,
            tuple(sorted(places.get(f"{f.focus} {f.path}", set()) or places.get(f.focus, set()))), f.hint,
        )
        for f in findings
    ]  # fmt: skip
    return Report(tuple(sorted(set(located))), "pySHACL, and the checks by pyoxigraph")
