"""Validation reports as text, JSON and a ``sh:ValidationReport`` in Turtle."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import pyoxigraph
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple

from llmkg.findings import Counted, Finding, Report
from llmkg.identifiers import check_iri, entity_iri, stable_digest
from llmkg.namespaces import BASE, PREFIXES, shorten, term

__all__ = ["report_json", "report_text", "report_turtle"]

_MOST = 20
#: so many examples of findings about imported things are named; the JSON and Turtle forms hold more
_MOST_NAMED = 3


def report_text(report: Report) -> str:
    """Give the report for people: what, where, why and how to mend; at most 20 findings of one rule in full."""
    lines: list[str] = []
    told: Counter[tuple[str, str]] = Counter()
    for finding in report.findings:
        told[finding.severity, finding.rule] += 1
        if told[finding.severity, finding.rule] <= _MOST:
            lines += _lines(finding)
    for (severity, rule), count in sorted(told.items()):
        if count > _MOST:
            lines.append(f"… {count - _MOST} more of {severity.lower()} {rule}")
    for counted in report.imported:
        lines += _counted_lines(counted)
    verdict = "conforms" if report.conforms else "does not conform"
    violations, warnings = report.count("Violation"), report.count("Warning")
    lines.append(f"{verdict}: {violations} violations, {warnings} warnings ({report.engine})")
    return "\n".join(lines) + "\n"


def _lines(finding: Finding) -> list[str]:
    path = f" {shorten(finding.path)}" if finding.path else ""
    where = f"  at {', '.join(finding.where)}" if finding.where else ""
    value = f"  found: {shorten(finding.value)}" if finding.value and finding.path else ""
    lines = [
        f"{finding.severity.lower()} {finding.rule}: {shorten(finding.focus)}{path}{where}",
        f"  {finding.message}{value}",
    ]
    return [*lines, f"  mend: {finding.hint}"] if finding.hint else lines


def _counted_lines(counted: Counted) -> list[str]:
    first = counted.examples[0]
    things = "thing" if counted.count == 1 else "things"
    lines = [
        f"{counted.severity.lower()} {counted.rule}: {counted.count} times, of imported {things}",
        f"  {first.message}",
    ]
    for example in counted.examples[:_MOST_NAMED]:
        path = f" {shorten(example.path)}" if example.path else ""
        value = f", found: {shorten(example.value)}" if example.value and example.path else ""
        lines.append(f"  for example {shorten(example.focus)}{path}{value}")
    return lines


def report_json(report: Report) -> str:
    """Give the report as JSON: conforms, engine, every finding with all its fields, and counts for imported things."""
    told = {
        "conforms": report.conforms,
        "engine": report.engine,
        "findings": [asdict(finding) for finding in report.findings],
        "imported": [asdict(counted) for counted in report.imported],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def report_turtle(report: Report) -> str:
    """Give the report as a ``sh:ValidationReport`` whose results have IRIs, not blank nodes.

    Findings about imported things are given as examples, and counted in an ``rdfs:comment`` of the report.
    """
    node = entity_iri("report/latest")
    boolean = Literal("true" if report.conforms else "false", datatype=term("xsd:boolean"))
    triples = [Triple(node, term("rdf:type"), term("sh:ValidationReport")), Triple(node, term("sh:conforms"), boolean)]
    for counted in report.imported:
        text = f"{counted.severity} {counted.rule}: {counted.count} results about imported things, {len(counted.examples)} given"
        triples.append(Triple(node, term("rdfs:comment"), Literal(text, language="en")))
    for finding in [*report.findings, *(example for counted in report.imported for example in counted.examples)]:
        result = entity_iri(
            f"report/{stable_digest(finding.rule, finding.focus, finding.path, finding.value, finding.message)}"
        )
        triples.append(Triple(node, term("sh:result"), result))
        triples += [Triple(result, predicate, value) for predicate, value in _result(finding)]
    ordered = sorted(
        triples, key=lambda t: (str(t.subject), t.predicate != term("rdf:type"), str(t.predicate), str(t.object))
    )
    prefixes = {name: PREFIXES[name] for name in ("llmkg", "rdfs", "sh")}
    return (pyoxigraph.serialize(ordered, format=RdfFormat.TURTLE, prefixes=prefixes) or b"").decode()


def _result(finding: Finding) -> list[tuple[NamedNode, NamedNode | Literal]]:
    shape = NamedNode(f"{BASE}shapes#{finding.rule}")
    said: list[tuple[NamedNode, NamedNode | Literal]] = [
        (term("rdf:type"), term("sh:ValidationResult")),
        (term("sh:focusNode"), _node(finding.focus)),
        (term("sh:resultMessage"), Literal(finding.message)),
        (term("sh:resultSeverity"), term(f"sh:{finding.severity}")),
        (term("sh:sourceShape"), shape),
        (term("sh:sourceConstraintComponent"), term("sh:ConstraintComponent")),
    ]
    if finding.path:
        said.append((term("sh:resultPath"), NamedNode(finding.path)))
    if finding.value:
        said.append((term("sh:value"), _node(finding.value)))
    return said


def _node(text: str) -> NamedNode | Literal:
    return Literal(text) if check_iri(text) else NamedNode(text)
