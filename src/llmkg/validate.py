"""SHACL shapes by one of two engines, and checks: one query a rule, of which any row is something wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, Quad

from llmkg.engines import choose_engine, find_by_pyshacl, find_by_shacl
from llmkg.errors import Problem, SourceError
from llmkg.findings import Finding, Report, Tally
from llmkg.identifiers import check_iri, path_of
from llmkg.namespaces import shorten, term
from llmkg.quads import ontology_triples
from llmkg.results import plain_text
from llmkg.shapes import load_shapes, read_turtle
from llmkg.sources.text import read_text
from llmkg.sources.yaml_tree import Mapping, parse_yaml

__all__ = ["Check", "load_checks", "validate_file", "validate_store"]

_SEVERITIES = {"violation": "Violation", "warning": "Warning"}
_NAMES = {"pyshacl": "pySHACL", "shacl": "shacl"}


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


def validate_store(store: pyoxigraph.Store, ontology: Path, engine: str = "auto", graph: Path | None = None) -> Report:
    """Give what shapes and checks find in the default graph of ``store``.

    ``engine`` is "pyshacl", the reference, "shacl" for large graphs, or "auto", which takes what fits the size; ``graph`` is the
    file that a build keeps of what it loaded into the store.
    """
    shapes = load_shapes(ontology / "shapes")
    chosen = choose_engine(store, engine)
    tally = find_by_pyshacl(store, shapes) if chosen == "pyshacl" else find_by_shacl(store, shapes, graph)
    checks = load_checks(ontology / "checks")
    # threads do, because the store lets go of the interpreter's lock while it works
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda check: _tally(store, check), checks):
            tally.merge(found)
    return _located(tally.report(f"{_NAMES[chosen]}, and the checks by pyoxigraph"), store)


def validate_file(path: Path, ontology: Path, engine: str = "auto") -> Report:
    """Give what shapes and checks find in a Turtle file, seen together with the ontology and its vocabularies."""
    store = pyoxigraph.Store()
    known = [Quad(*triple, DefaultGraph()) for triple in ontology_triples(ontology)]
    store.bulk_extend([*known, *read_turtle(path)])
    return validate_store(store, ontology, engine)


def _tally(store: pyoxigraph.Store, check: Check) -> Tally:
    tally = Tally()
    tally.add(_rows(store, check))
    return tally


def _rows(store: pyoxigraph.Store, check: Check) -> Iterator[Finding]:
    """Give the rows of a check."""
    solutions: Any = store.query(check.text)
    columns = [variable.value for variable in solutions.variables]
    for row in solutions:
        values = {name: plain_text(row[name]) for name in columns}
        others = "; ".join(f"{name} {shorten(text)}" for name, text in values.items() if name != "subject" and text)
        message = f"{check.summary} ({others})" if others else check.summary
        yield Finding(check.severity, check.name, values["subject"], "", others, message, hint=check.hint)


def _located(report: Report, store: pyoxigraph.Store) -> Report:
    """Give ``report`` with ``source:line`` of every claim that stands behind a finding, and what is described nowhere."""

    def at(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(
            sorted(
                replace(finding, where=_places(store, finding), hint=finding.hint or _undescribed(store, finding))
                for finding in found
            )
        )

    imported = tuple(replace(counted, examples=at(counted.examples)) for counted in report.imported)
    return Report(at(report.findings), report.engine, imported)


def _undescribed(store: pyoxigraph.Store, finding: Finding) -> str:
    """Give what to do where the wrong value is a thing that nothing describes, or an empty string."""
    path = path_of(finding.value)
    if not path or any(store.quads_for_pattern(NamedNode(finding.value), term("rdf:type"), None, DefaultGraph())):
        return ""
    return f"nothing describes {path}: add it to data/entities/, or correct its slug"


def _places(store: pyoxigraph.Store, finding: Finding) -> tuple[str, ...]:
    """Give where the claims about focus and path stand, or, if the focus is itself a claim, where that one does."""
    if check_iri(finding.focus):
        return ()
    focus = NamedNode(finding.focus)
    claims: list[Any] = [focus]
    if finding.path:
        path = NamedNode(finding.path)
        about = store.quads_for_pattern(None, term("rdf:subject"), focus, DefaultGraph())
        stated = [quad.subject for quad in about if Quad(quad.subject, term("rdf:predicate"), path) in store]
        claims = stated or claims
    return tuple(sorted({place for claim in claims for place in _lines(store, claim)}))


def _lines(store: pyoxigraph.Store, claim: Any) -> Iterator[str]:
    lines = [quad.object for quad in store.quads_for_pattern(claim, term("line"), None, DefaultGraph())]
    for quad in store.quads_for_pattern(claim, term("statedIn"), None, DefaultGraph()):
        source = path_of(quad.object.value).partition("/")[2]  # type: ignore[union-attr]
        yield from (f"{source}:{line.value}" for line in lines)  # type: ignore[union-attr]
