"""The Python door to the graph: stored queries, SPARQL, descriptions and lineage, over a store or an endpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, NamedNode

from llmkg.config import Settings, read_settings
from llmkg.describe import Description, describe
from llmkg.diagrams import draw
from llmkg.endpoint import Endpoint, Readable
from llmkg.endpoint_names import EndpointNames
from llmkg.errors import QueryError, UsageError
from llmkg.home import NAMES, is_new, sound_version, whole_file
from llmkg.identifiers import entity_iri, path_of
from llmkg.identity import Index, Name, Names, normalize
from llmkg.names import NameIndex
from llmkg.queries import Filling, StoredQuery, bind, find_queries, load_query, parse_value
from llmkg.remote import RemoteEndpoint
from llmkg.results import Results, Term
from llmkg.store import Store, canonical_lines, open_store
from llmkg.tree import Graph as LineageGraph
from llmkg.tree import read_graph

if TYPE_CHECKING:
    import rdflib

__all__ = ["KnowledgeGraph", "Lineage", "connect", "open", "remote"]

_MOST_MATCHES = 1000


class Lineage:
    """The lineage of one model; prints as a tree, and draws itself in every format of ``llmkg lineage``."""

    def __init__(self, graph: LineageGraph) -> None:
        """Hold the lineage ``graph``."""
        self.graph = graph

    def __str__(self) -> str:
        """Give the tree as text."""
        return self.draw("tree")

    def draw(self, form: str, ascii_only: bool = False) -> str:
        """Give the lineage as ``tree``, ``mermaid``, ``dot``, ``graphml``, ``json`` or ``svg``."""
        return draw(self.graph, form, ascii_only)

    def _repr_html_(self) -> str:
        return self.draw("svg")


class KnowledgeGraph:
    """An open graph: ask it by stored query, by SPARQL, or by name."""

    def __init__(self, settings: Settings, endpoint: Endpoint, index: Names | None = None) -> None:
        """Ask ``endpoint``, whose names are in ``index`` or asked for too; :func:`open` is the usual way to get one."""
        self.settings = settings
        self.endpoint = endpoint
        self.index: Names = index or EndpointNames(endpoint)

    @property
    def readable(self) -> Readable:
        """Give the endpoint as one whose graphs can be read as a whole; raise :class:`UsageError` where they cannot."""
        if not isinstance(self.endpoint, Store | RemoteEndpoint):
            raise UsageError("whole graphs cannot be read here", self.endpoint.describe(), "ask a SPARQL query")
        return self.endpoint

    def queries(self) -> dict[str, Path]:
        """Give the path of every stored query by its name."""
        return find_queries(self.settings.queries)

    def stored_query(self, name: str) -> StoredQuery:
        """Give the stored query ``name``, or raise :class:`QueryError` with the nearest names."""
        known = self.queries()
        if name not in known:
            near = Index(Name(query, query) for query in known).suggest(name)
            hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else "llmkg query lists them"
            raise QueryError(f"no stored query is called {name!r}", hint=hint)
        return load_query(known[name])

    def query(self, name: str, **parameters: object) -> Results:
        """Give the answer to the stored query ``name``; parameters as on the command line, with ``_`` for ``-``.

        >>> kg = open()
        >>> answer = kg.query("derivatives", of="LLaMA", max_distance=1)
        >>> answer.columns[:6]
        ('model', 'label', 'relation', 'parent', 'distance', 'evidence')
        >>> "Alpaca" in {row["label"] for row in answer}
        True
        """
        stored = self.stored_query(name)
        values: dict[str, Filling] = {}
        for key, value in parameters.items():
            parameter = stored.parameter(key)
            values[parameter.variable] = parse_value(parameter, str(value), self.index.resolve)
            if parameter.fills and normalize(f"a{value}") != "a":  # blanks and hyphens are in no normal form
                values[parameter.fills] = self._matches(str(value))
        return self.endpoint.query(bind(stored, values))

    def _matches(self, text: str) -> tuple[Term, ...]:
        return tuple(entity_iri(path) for path, _ in self.index.search(text, _MOST_MATCHES))

    def ask(self, name: str, values: Mapping[str, Term]) -> Results:
        """Give the answer to the stored query ``name`` with terms bound by variable."""
        return self.endpoint.query(bind(self.stored_query(name), values))

    def sparql(self, text: str) -> Results:
        """Give the answer to any SPARQL query.

        >>> kg = open()
        >>> kg.sparql("ASK { ?model a <https://w3id.org/llmkg/ontology#Model> }").rows[0][0].value
        'true'
        """
        return self.endpoint.query(text)

    def resolve(self, name: str, kinds: tuple[str, ...] = ()) -> NamedNode:
        """Give the IRI of the entity called ``name``, or raise :class:`QueryError` with suggestions.

        >>> open().resolve("伶荔").value
        'https://w3id.org/llmkg/model/linly'
        """
        return self.index.resolve(name, kinds)

    def show(self, name: str) -> Description:
        """Give everything known of the entity called ``name``, with sources and conflicts.

        >>> open().show("华驼").labels
        ('HuaTuo', '华驼')
        """
        return describe(self.resolve(name), self.ask)

    def lineage(self, name: str, up: bool = False, depth: int = 0) -> Lineage:
        """Give the lineage of the model called ``name``: its descendants, or with ``up`` its ancestors.

        ``depth`` limits the number of steps; 0 is no limit.

        >>> print(open().lineage("HuaTuo", up=True))
        HuaTuo
        └─ fine-tuned
           └─ LLaMA-7B [1:81]
        <BLANKLINE>
        Sources, with line: [1] open-llm-complete-list
        <BLANKLINE>
        """
        root = self.resolve(name, ("model",))
        steps = self.ask("ancestors" if up else "derivatives", {"of": root})
        graph = read_graph(
            path_of(root.value),
            up,
            steps,
            self.ask("lineage-nodes", {"of": root}),
            self.ask("lineage-edges", {"of": root}),
        )
        if depth:
            graph = replace(graph, edges=tuple(edge for edge in graph.edges if edge.distance <= depth))
        return Lineage(graph)

    def graph(self) -> rdflib.Graph:
        """Give the merged default graph as an :class:`rdflib.Graph`.

        >>> len(open().graph()) > 10000
        True
        """
        import rdflib

        quads = self.readable.graph_quads(DefaultGraph())
        graph = rdflib.Graph()
        graph.parse(data="\n".join(canonical_lines(quads)), format="nt")
        return graph


def open(home: str | Path | None = None, endpoint: str = "", timeout: float = 60.0) -> KnowledgeGraph:
    """Give the graph in ``home`` (default: ``LLMKG_HOME`` or the user's data folder), or behind the URL ``endpoint``.

    The first use builds the graph from the packed data. Raise :class:`StoreUnavailable` where there is a folder that cannot be
    read.

    >>> len(open().query("sources"))
    5
    """
    settings = read_settings(os.environ)
    if home is not None:
        settings = replace(settings, home=Path(home))
    return connect(replace(settings, endpoint=endpoint or settings.endpoint, timeout=timeout))


def remote(settings: Settings) -> RemoteEndpoint:
    """Give the endpoint that ``settings`` name."""
    return RemoteEndpoint(settings.endpoint, settings.timeout, settings.default_graph or None, settings.auth)


def connect(settings: Settings) -> KnowledgeGraph:
    """Give the graph that ``settings`` name, building it first where there is none."""
    if settings.endpoint:
        return KnowledgeGraph(settings, remote(settings))
    version = _first_build(settings) if is_new(settings.home) else sound_version(settings.home, stamps=settings.cache)
    store = open_store(version / "store", settings.timeout)
    return KnowledgeGraph(settings, store, NameIndex(version / NAMES, whole_file(version, NAMES)))


def _first_build(settings: Settings) -> Path:
    from llmkg.build import build

    return build(settings).version
