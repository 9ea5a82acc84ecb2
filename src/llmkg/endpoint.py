"""The protocol of anything that answers SPARQL, and of anything whose graphs can be read as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pyoxigraph import DefaultGraph, NamedNode, Quad

from llmkg.results import Results

__all__ = ["Endpoint", "Readable"]


class Endpoint(Protocol):
    """A store of our own, or a server elsewhere: callers need not know which."""

    def query(self, text: str) -> Results:
        """Give the answer to a SPARQL query."""

    def describe(self) -> str:
        """Give a short name for messages: a path, or a URL."""


class Readable(Endpoint, Protocol):
    """An endpoint that gives whole graphs, as an export needs them."""

    def graphs(self) -> tuple[NamedNode, ...]:
        """Give the named graphs, sorted."""

    def graph_quads(self, graph: NamedNode | DefaultGraph) -> Iterator[Quad]:
        """Give every quad of one graph, in no order."""

    def about(self, nodes: Iterable[NamedNode], predicates: Iterable[NamedNode] = ()) -> Iterator[Quad]:
        """Give every quad of the default graph about ``nodes``; with ``predicates``, only those."""

    def pointing_at(self, node: NamedNode) -> Iterator[Quad]:
        """Give every quad of the default graph whose object is ``node``."""
