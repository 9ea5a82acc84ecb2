"""A remote SPARQL endpoint, asked by POST with a time limit; every failure is one kind of error."""

from __future__ import annotations

import json
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, parse

from llmkg.errors import QueryError, RemoteError
from llmkg.identifiers import check_iri
from llmkg.results import Results, Term
from llmkg.sparql_text import guard, tokens

__all__ = ["RemoteEndpoint", "parse_json_results"]

_MAX_BYTES = 200_000_000
_AGENT = "llmkg (SPARQL client)"
_ROW_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")


class RemoteEndpoint:
    """An endpoint elsewhere, known by its URL."""

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        """Ask ``url``, waiting at most ``timeout`` seconds for an answer; raise :class:`RemoteError` for no web address."""
        reason = check_iri(url)
        if reason or not url.startswith(("http://", "https://")):
            raise RemoteError(f"is no endpoint: it {reason or 'is no web address'}", url, "give http://… or https://…")
        self._url = url
        self._timeout = timeout

    def describe(self) -> str:
        """Give the URL."""
        return self._url

    def query(self, text: str) -> Results:
        """Give the answer to a SPARQL query.

        Raise :class:`QueryError` where the server calls the query malformed, and :class:`RemoteError` where it does not answer,
        redirects to another place, or answers something that is no SPARQL result.
        """
        guard(text)
        body = self._ask(text, _form(text))
        if _form(text) in ("CONSTRUCT", "DESCRIBE"):
            return self._graph(body)
        return parse_json_results(body, self._url)

    def _ask(self, text: str, form: str) -> bytes:
        from http.client import HTTPException

        from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper
        from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

        wrapper = SPARQLWrapper(self._url, agent=_AGENT)
        wrapper.setMethod(POST)
        wrapper.setTimeout(int(max(1, self._timeout)))
        wrapper.setReturnFormat(TURTLE if form in ("CONSTRUCT", "DESCRIBE") else JSON)
        wrapper.setQuery(text)
        wrapper.queryType = form  # SPARQLWrapper guesses it from the first such word, also one in a comment
        try:
            response: Any = wrapper.query().response
            if response.geturl() != self._url:
                raise RemoteError(f"redirects to {response.geturl()}", self._url, "give the address it redirects to")
            body: bytes = response.read(_MAX_BYTES + 1)
        except QueryBadFormed as error:
            raise QueryError(f"{self._url} calls the query malformed: {_first_line(error)}", "query") from error
        except (SPARQLWrapperException, HTTPException, OSError) as error:
            raise RemoteError(
                f"failed: {_first_line(error)}", self._url, "is the server up, and is the path right?"
            ) from error
        if len(body) > _MAX_BYTES:
            raise RemoteError(f"answered more than {_MAX_BYTES} bytes", self._url, "add LIMIT")
        return body

    def _graph(self, body: bytes) -> Results:
        try:
            triples = {(quad.subject, quad.predicate, quad.object) for quad in parse(body, RdfFormat.TURTLE)}
        except SyntaxError as error:
            raise RemoteError(f"answered no Turtle: {error.msg}", self._url) from error
        ordered = sorted(triples, key=lambda triple: tuple(map(str, triple)))
        return Results(("subject", "predicate", "object"), tuple(ordered), is_graph=True)


def _form(text: str) -> str:
    words = (token.text.upper() for token in tokens(text) if token.kind == "word")
    return next((word for word in words if word in _ROW_FORMS), "SELECT")


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason).strip().split("\n")[0][:200] or type(error).__name__


def parse_json_results(body: bytes, where: str) -> Results:
    """Give the rows of a SPARQL 1.1 JSON result; raise :class:`RemoteError` where ``body`` is none.

    >>> parse_json_results(b'{"head": {}, "boolean": true}', "http://e/").rows[0][0].value
    'true'
    """
    try:
        answer = json.loads(body)
        if "boolean" in answer:
            kind = NamedNode("http://www.w3.org/2001/XMLSchema#boolean")
            return Results(("answer",), ((Literal(str(answer["boolean"]).lower(), datatype=kind),),))
        columns = tuple(answer["head"]["vars"])
        bindings = answer["results"]["bindings"]
        rows = tuple(tuple(_term(row[name]) if name in row else None for name in columns) for row in bindings)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        start = body[:60].decode("utf-8", "replace")
        raise RemoteError(f"answered no SPARQL result: {start!r}", where, "is this a SPARQL endpoint?") from error
    return Results(columns, rows)


def _term(value: dict[str, str]) -> Term:
    if value["type"] == "uri":
        return NamedNode(value["value"])
    if value["type"] == "bnode":
        return BlankNode(value["value"])
    if "xml:lang" in value:
        return Literal(value["value"], language=value["xml:lang"])
    if "datatype" in value:
        return Literal(value["value"], datatype=NamedNode(value["datatype"]))
    return Literal(value["value"])
