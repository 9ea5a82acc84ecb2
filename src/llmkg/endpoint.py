"""The protocol of anything that answers SPARQL."""

from __future__ import annotations

from typing import Protocol

from llmkg.results import Results

__all__ = ["Endpoint"]


class Endpoint(Protocol):
    """A store of our own, or a server elsewhere: callers need not know which."""

    def query(self, text: str) -> Results:
        """Give the answer to a SPARQL query."""

    def describe(self) -> str:
        """Give a short name for messages: a path, or a URL."""
