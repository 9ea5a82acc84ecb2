"""Both engines of SHACL on the W3C core test suite; what either does otherwise is pinned with its reason (P16, P17).

The suite is no part of the repository. It comes with the source package of pySHACL: ``pip download --no-deps --no-binary :all:
pyshacl==0.40.1``, and LLMKG_SHACL_SUITE names the archive.
"""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import rdflib
import shacl
from rdflib import RDF, BNode, Namespace, URIRef
from rdflib.namespace import SH

VARIABLE = "LLMKG_SHACL_SUITE"
SUITE = os.environ.get(VARIABLE, "")
BASE = "https://e.org/suite/"
SHT = Namespace("http://www.w3.org/ns/shacl-test#")
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
Result = tuple[str, ...]

#: what an engine does otherwise than the suite says; an entry that comes to pass fails the test, so the lists only shrink
EXCEPTIONS: dict[str, dict[str, str]] = {
    "pyshacl": {"property/uniqueLang-002": 'takes "1"^^xsd:boolean for true; our shapes write true'},
    "shacl": {},
}


def read_suite() -> dict[str, str]:
    """Give the files of the core suite by name: ``node/and-001.ttl``."""
    if not SUITE:
        return {}
    found = {}
    with tarfile.open(SUITE) as archive:
        for member in archive:
            _, core, name = member.name.partition("/sht_tests/core/")
            file = archive.extractfile(member) if core and name.endswith(".ttl") else None
            if file and not name.endswith("manifest.ttl"):
                found[name] = file.read().decode()
    return found


FILES = read_suite()


def entries() -> Iterator[tuple[str, str, str, rdflib.Graph, Any]]:
    """Give (test, data file, shapes file, graph of the test, expected result) for each test of the suite."""
    for name, text in sorted(FILES.items()):
        graph = rdflib.Graph().parse(data=text, format="turtle", publicID=BASE + name)
        for test in graph.subjects(RDF.type, SHT.Validate):
            action = graph.value(test, MF.action)
            data, shapes = (str(graph.value(action, part)) for part in (SHT.dataGraph, SHT.shapesGraph))
            yield (
                name.removesuffix(".ttl"),
                data.removeprefix(BASE),
                shapes.removeprefix(BASE),
                graph,
                graph.value(test, MF.result),
            )


TESTS = list(entries())


def parsed(name: str) -> rdflib.Graph:
    return rdflib.Graph().parse(data=FILES[name], format="turtle", publicID=BASE + name)


def expected(graph: rdflib.Graph, report: Any) -> Counter[Result] | None:
    """Give the results of a report; None where the suite says that the shapes must be refused."""
    if report == SHT.Failure:
        return None
    return Counter(
        tuple(told(graph.value(result, part)) for part in PARTS) for result in graph.objects(report, SH.result)
    )


PARTS = (SH.focusNode, SH.resultPath, SH.value, SH.resultSeverity, SH.sourceConstraintComponent)


def told(node: Any) -> str:
    """Give a node as N-Triples, any blank one as the same text; paths with structure are blank nodes in a report."""
    return "" if node is None else "_" if isinstance(node, BNode) else str(node.n3())


def by_pyshacl(data: str, shapes: str) -> Counter[Result]:
    _, report, _ = pyshacl.validate(parsed(data), shacl_graph=parsed(shapes), inference="none", advanced=False)
    assert isinstance(report, rdflib.Graph)
    return expected(report, report.value(None, RDF.type, SH.ValidationReport)) or Counter()


def by_shacl(data: str, shapes: str) -> Counter[Result]:
    rules = shacl.Shapes.from_text(FILES[shapes], format="turtle", base=BASE + shapes)
    report = rules.validate_text(FILES[data], format="turtle", base=BASE + data)
    return Counter(
        (
            parse_term(result.focus_node),
            "" if not result.path else result.path if result.path.startswith("<") else "_",
            parse_term(result.value),
            f"<{result.severity_iri.strip('<>')}>",
            f"<{result.component_iri.strip('<>')}>",
        )
        for result in report.results
    )


def parse_term(text: str | None) -> str:
    """Give a term as rdflib writes it."""
    if not text:
        return ""
    if text.startswith("_:"):
        return "_"
    graph = rdflib.Graph().parse(data=f"<x:s> <x:p> {text} .", format="nt")
    return told(graph.value(URIRef("x:s"), URIRef("x:p")))


@pytest.mark.skipif(not SUITE, reason=f"{VARIABLE} names no archive of the W3C suite")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", ["pyshacl", "shacl"])
@pytest.mark.parametrize(("name", "data", "shapes", "graph", "report"), TESTS, ids=[test[0] for test in TESTS])
def test_the_w3c_core_suite(engine: str, name: str, data: str, shapes: str, graph: rdflib.Graph, report: Any) -> None:
    run = by_pyshacl if engine == "pyshacl" else by_shacl
    passes = run(data, shapes) == expected(graph, report)
    assert passes == (name not in EXCEPTIONS[engine]), EXCEPTIONS[engine].get(name, "differs from the suite")


@pytest.mark.skipif(not SUITE, reason=f"{VARIABLE} names no archive of the W3C suite")
def test_the_suite_is_whole_and_every_exception_is_in_it() -> None:
    assert len(TESTS) == 98
    assert {name for names in EXCEPTIONS.values() for name in names} <= {test[0] for test in TESTS}
    assert Path(SUITE).is_file()
