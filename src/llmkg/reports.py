"""Validation reports as text, JSON and a ``sh:ValidationReport`` in Turtle."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import pyoxigraph
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple

from llmkg.identifiers import check_iri, entity_iri, stable_digest
from llmkg.namespaces import BASE, PREFIXES, shorten, term
from llmkg.validate import Finding, Report

__all__ = ["report_json", "report_text", "report_turtle"]

_MOST = 20


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
    kinds = Counter(finding.severity for finding in report.findings)
    verdict = "conforms" if report.conforms else "does not conform"
    lines.append(f"{verdict}: {kinds['Violation']} violations, {kinds['Warning']} warnings ({report.engine})")
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


def report_json(report: Report) -> str:
    """Give the report as JSON: conforms, engine, and every finding with all its fields."""
    findings = [asdict(finding) for finding in report.findings]
    told = {"conforms": report.conforms, "engine": report.engine, "findings": findings}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def report_turtle(report: Report) -> str:
    """Give the report as a ``sh:ValidationReport`` whose results have IRIs, not blank nodes."""
    node = entity_iri("report/latest")
    boolean = Literal("true" if report.conforms else "false", datatype=term("xsd:boolean"))
    triples = [Triple(node, term("rdf:type"), term("sh:ValidationReport")), Triple(node, term("sh:conforms"), boolean)]
    for finding in report.findings:
        result = entity_iri(
            f"report/{stable_digest(finding.rule, finding.focus, finding.path, finding.value, finding.message)}"
        )
        triples.append(Triple(node, term("sh:result"), result))
        triples += [Triple(result, predicate, value) for predicate, value in _result(finding)]
    ordered = sorted(
        triples, key=lambda t: (str(t.subject), t.predicate != term("rdf:type"), str(t.predicate), str(t.object))
    )
    prefixes = {name: PREFIXES[name] for name in ("llmkg", "sh")}
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
