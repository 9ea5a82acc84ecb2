"""Every stored query gives the same rows on pyoxigraph, on rdflib, and through SPARQLWrapper against a server (P11, P14)."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import rdflib
import yaml
from pyoxigraph import DefaultGraph, Literal, NamedNode

from llmkg.config import Settings
from llmkg.graph import KnowledgeGraph, connect
from llmkg.home import current_version
from llmkg.namespaces import PREFIXES
from llmkg.queries import bind, find_queries, load_query, parse_value
from llmkg.remote import RemoteEndpoint
from llmkg.resources import resource_folder
from llmkg.results import Term
from llmkg.store import Store, canonical_lines

QUERIES = find_queries(resource_folder("queries"))
EXPECTED = Path(__file__).parents[1] / "competency" / "expected.yaml"
CASES: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in QUERIES] + [
    (case["name"], case["params"])
    for case in yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    if case.get("params")
]
NUMBERS = {PREFIXES["xsd"] + name for name in ("integer", "decimal", "double")}


@pytest.fixture(scope="module")
def kg(built: Settings) -> KnowledgeGraph:
    return connect(built)


@pytest.fixture(scope="module")
def graph(kg: KnowledgeGraph) -> rdflib.Graph:
    return kg.graph()


@pytest.fixture(scope="module")
def server(built: Settings) -> Iterator[RemoteEndpoint]:
    """Start `oxigraph serve-read-only`, from the package on PyPI, on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    program = Path(sys.executable).parent / "oxigraph"
    folder = current_version(built.home) / "store"
    process = subprocess.Popen(
        [program, "serve-read-only", "--location", folder, "--bind", address],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        _wait(f"http://{address}/", process)
        yield RemoteEndpoint(f"http://{address}/query")
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert process.poll() is None, process.communicate()
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the server did not come up")


def text_of(kg: KnowledgeGraph, name: str, parameters: dict[str, Any]) -> str:
    """Give the query as the command line would send it: as it stands where no parameter is given."""
    query = load_query(QUERIES[name])
    if not parameters:
        return query.text
    values: dict[str, Term] = {}
    for key, value in parameters.items():
        parameter = query.parameter(key)
        values[parameter.variable] = parse_value(parameter, str(value), kg.resolve)
    return bind(query, values)


def key(term: Any) -> tuple[str, ...]:
    """Give a form of a term in which engines can be compared: numbers by value, language tags in lower case."""
    if term is None:
        return ("",)
    if isinstance(term, (NamedNode, rdflib.URIRef)):
        return ("iri", term.value if isinstance(term, NamedNode) else str(term))
    assert isinstance(term, (Literal, rdflib.Literal))
    lexical = term.value if isinstance(term, Literal) else str(term)
    datatype = term.datatype.value if isinstance(term, Literal) else str(term.datatype or PREFIXES["xsd"] + "string")
    language = (term.language or "").lower()
    if datatype in NUMBERS:
        return ("number", datatype, str(Decimal(lexical).normalize()))
    return ("text", lexical, language, "" if language else datatype)


def local_rows(kg: KnowledgeGraph, text: str) -> list[tuple[tuple[str, ...], ...]]:
    return [tuple(key(term) for term in row) for row in kg.sparql(text).rows]


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=lambda part: str(part))
def test_rdflib_gives_the_same_rows(
    kg: KnowledgeGraph, graph: rdflib.Graph, name: str, parameters: dict[str, Any]
) -> None:
    text = text_of(kg, name, parameters)
    answer = graph.query(text)
    rows: list[Any] = list(answer)
    assert [str(v) for v in answer.vars or []] == list(kg.sparql(text).columns)
    assert [tuple(key(term) for term in row) for row in rows] == local_rows(kg, text)


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=lambda part: str(part))
def test_a_server_gives_the_same_rows(
    kg: KnowledgeGraph, server: RemoteEndpoint, name: str, parameters: dict[str, Any]
) -> None:
    text = text_of(kg, name, parameters)
    remote = server.query(text)
    assert remote.columns == kg.sparql(text).columns
    assert [tuple(key(term) for term in row) for row in remote.rows] == local_rows(kg, text)


def test_the_command_line_works_against_a_server(server: RemoteEndpoint, run: Any) -> None:
    there = run("--endpoint", server.describe(), "query", "derivatives", "--of", "LLaMA")
    here = run("query", "derivatives", "--of", "LLaMA")
    assert there.returncode == here.returncode == 0
    assert there.stdout == here.stdout
    assert run("--endpoint", server.describe(), "show", "伶荔").stdout == run("show", "伶荔").stdout


def test_the_default_graph_is_what_rdflib_gets(kg: KnowledgeGraph, graph: rdflib.Graph) -> None:
    assert isinstance(kg.endpoint, Store)
    assert len(graph) == len(canonical_lines(kg.endpoint.graph_quads(DefaultGraph())))


@pytest.mark.parametrize("name", QUERIES)
def test_a_stored_query_is_plain_and_ordered(name: str) -> None:
    text = load_query(QUERIES[name]).text
    assert "SELECT *" not in text
    assert "ORDER BY" in text
    declared = [line.split() for line in text.splitlines() if line.startswith("PREFIX ")]
    for _, prefix, iri in declared:
        assert PREFIXES[prefix.rstrip(":")] == iri.strip("<>"), f"{name} declares {prefix} otherwise"
        assert text.count(prefix) > 1, f"{name} declares {prefix} and does not use it"
