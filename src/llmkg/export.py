"""The graph as files: Turtle, N-Triples, N-Quads, TriG and JSON-LD, sorted and byte-stable."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat

from llmkg.endpoint import Readable
from llmkg.errors import QueryError
from llmkg.namespaces import PREFIXES, graph_iri, term
from llmkg.store import canonical_lines

__all__ = ["FORMATS", "export", "neighbourhood"]

#: format → file ending and what it holds
FORMATS: dict[str, tuple[str, str]] = {
    "ttl": (".ttl", "Turtle, with prefixes"),
    "nt": (".nt", "N-Triples"),
    "nq": (".nq", "N-Quads, with the source graphs"),
    "trig": (".trig", "TriG, with prefixes and the source graphs"),
    "jsonld": (".jsonld", "JSON-LD, with the shipped context"),
}
_WRITERS = {"ttl": RdfFormat.TURTLE, "trig": RdfFormat.TRIG}


def export(store: Readable, form: str, context: Path, source: str = "", entity: NamedNode | None = None) -> str:
    """Give the graph in the format ``form``: all of it, one source's named graph, or one entity's neighbourhood.

    Whole-graph exports without named graphs (ttl, nt, jsonld) hold the merged default graph. ``context`` is the shipped JSON-LD
    context. Raise :class:`QueryError` where the source has no graph.
    """
    quads = _select(store, form, source, entity)
    if form in ("nt", "nq"):
        return "".join(f"{line}\n" for line in (canonical_lines(quads) if form == "nq" else _lines(quads)))
    if form == "jsonld":
        return _jsonld(quads, context)
    ordered = sorted(set(quads), key=_order)
    written = pyoxigraph.serialize(ordered, format=_WRITERS[form], prefixes=_used(ordered)) or b""
    return _laid_out(written.decode())


def _select(store: Readable, form: str, source: str, entity: NamedNode | None) -> Iterable[Quad]:
    if entity is not None:
        return [Quad(*triple) for triple in neighbourhood(store, entity)]
    if source:
        graph = graph_iri(source)
        found = list(store.graph_quads(graph))
        if not found:
            raise QueryError(f"no source graph {source!r}", hint="llmkg query sources lists them")
        return found if form in ("nq", "trig") else [Quad(q.subject, q.predicate, q.object) for q in found]
    graphs: list[NamedNode | DefaultGraph] = [DefaultGraph()]
    if form in ("nq", "trig"):
        graphs += store.graphs()
    return (quad for graph in graphs for quad in store.graph_quads(graph))


def neighbourhood(store: Readable, entity: NamedNode) -> set[tuple[Any, Any, Any]]:
    """Give the triples of ``entity``, those that point to it, the claims about it, and the labels of all they name."""
    own = _triples(store.about([entity]))
    incoming = _triples(store.pointing_at(entity))
    nodes = {subject for subject, _, _ in incoming if isinstance(subject, NamedNode) and _is_record(subject)}
    triples = own | incoming | _triples(store.about(nodes))
    named = {part for triple in triples for part in (triple[0], triple[2]) if isinstance(part, NamedNode)}
    return triples | _triples(store.about(named, [term("rdfs:label"), term("skos:prefLabel")]))


def _triples(quads: Iterable[Quad]) -> set[tuple[Any, Any, Any]]:
    return {(quad.subject, quad.predicate, quad.object) for quad in quads}


def _is_record(node: NamedNode) -> bool:
    return any(kind in node.value for kind in ("/claim/", "/derivation/", "/descent/", "/conflict/"))


def _lines(quads: Iterable[Quad]) -> list[str]:
    """Give the sorted N-Triples lines of ``quads``, whatever their graphs."""
    return sorted({f"{quad.triple} ." for quad in quads})


def _order(quad: Quad) -> tuple[str, str, bool, str, str]:
    """Sort by graph, subject, predicate with the type first, and object."""
    graph = "" if isinstance(quad.graph_name, DefaultGraph) else str(quad.graph_name)
    return graph, str(quad.subject), quad.predicate != term("rdf:type"), str(quad.predicate), str(quad.object)


def _used(quads: list[Quad]) -> dict[str, str]:
    iris = {
        part.value
        for quad in quads
        for part in (quad.subject, quad.predicate, quad.object)
        if isinstance(part, NamedNode)
    }
    iris |= {part.datatype.value for quad in quads if isinstance(part := quad.object, pyoxigraph.Literal)}
    return {prefix: space for prefix, space in sorted(PREFIXES.items()) if any(iri.startswith(space) for iri in iris)}


def _laid_out(text: str) -> str:
    """Give Turtle or TriG with its prefixes sorted and an empty line before each subject; literals hold no line ends."""
    lines = text.split("\n")
    prefixes = sorted(line for line in lines if line.startswith("@prefix "))
    body = [line if line[:1] in ("\t", "}", "") else f"\n{line}" for line in lines if not line.startswith("@prefix ")]
    return "\n".join([*prefixes, *body])


def _jsonld(quads: Iterable[Quad], context: Path) -> str:
    from rdflib import Graph

    graph = Graph()
    graph.parse(data="\n".join(_lines(quads)), format="nt")
    shipped = json.loads(context.read_text(encoding="utf-8"))["@context"]
    tree = json.loads(graph.serialize(format="json-ld", context=shipped, auto_compact=False))
    return json.dumps(_sorted(tree), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _sorted(node: Any) -> Any:
    """Give ``node`` with every list in one order; no list of ours has an order that means something."""
    if isinstance(node, dict):
        return {key: value if key == "@context" else _sorted(value) for key, value in node.items()}
    if isinstance(node, list):
        return sorted((_sorted(item) for item in node), key=lambda item: json.dumps(item, sort_keys=True))
    return node
