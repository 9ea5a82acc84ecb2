"""A remote SPARQL endpoint, asked by POST with limits of time and size; every failure is one kind of error.

The merged graph is the default graph. On a server whose default graph is the union of all graphs (Virtuoso), ``llmkg load`` puts it
into the named graph ``…/graph/merged``. So the first query asks whether there is such a graph; where there is, each request names
it as ``default-graph-uri``, and, for a query with ``GRAPH``, the other graphs as ``named-graph-uri``. A default graph given in the
settings spares the question; a query with ``FROM`` says itself what it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from itertools import islice, product
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, parse

from llmkg.errors import LimitError, QueryError, RemoteError
from llmkg.identifiers import check_iri
from llmkg.namespaces import BASE, graph_iri, term
from llmkg.results import Results, Term, plain_text
from llmkg.sparql_text import guard, tokens
from llmkg.transport import Answer, Client, failure

__all__ = ["RemoteEndpoint", "parse_json_results"]

_ROW_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_GRAPH_FORMS = ("CONSTRUCT", "DESCRIBE")
_ROW_KINDS = ("application/sparql-results+json", "application/json", "text/javascript", "application/javascript")
_GRAPH_KINDS = ("text/turtle", "application/turtle", "application/x-turtle", "application/n-triples", "text/n3")
_GRAPH_ACCEPT = "application/n-triples, text/turtle;q=0.5"  # in Turtle, Virtuoso writes whole decimals as integers
_BOOLEAN = term("xsd:boolean")
_DOUBLE = term("xsd:double")
_EXPONENT = re.compile(r"[+-]?[0-9.]{1,30}[eE][+-]?[0-9]{1,2}")

_MERGED = f"ASK {{ GRAPH {graph_iri('merged')} {{ ?s ?p ?o }} }}"
_GRAPHS = f"""SELECT DISTINCT ?g WHERE {{
  GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), "{BASE}graph/"))
}}"""
_PAGE = 5_000  # triples in a page, on average; some servers give no more than 10,000 rows
_MOST = 1_000_000  # triples that are worth asking for page by page
_NODES = 100


class RemoteEndpoint:
    """An endpoint elsewhere, known by its URL."""

    def __init__(self, url: str, timeout: float = 60.0, default_graph: str | None = None, auth: str = "") -> None:
        """Ask ``url``, waiting at most ``timeout`` seconds for an answer; raise :class:`RemoteError` for no web address.

        ``default_graph`` is the named graph to read as the default graph; where it is empty, that is the server's own, and
        where it is None, the server is asked. ``auth`` is ``user:password`` for a server that wants it.
        """
        reason = check_iri(url)
        if reason or not url.startswith(("http://", "https://")):
            raise RemoteError(f"is no endpoint: it {reason or 'is no web address'}", url, "give http://… or https://…")
        wrong = check_iri(default_graph) if default_graph else ""
        if wrong:
            raise RemoteError(
                f"cannot be the default graph: it {wrong}", default_graph or "", "give the graph's full address"
            )
        self._url = url
        self._given = default_graph
        self._client = Client(timeout, auth)

    def describe(self) -> str:
        """Give the URL."""
        return self._url

    @cached_property
    def default_graph(self) -> str:
        """Give the named graph that holds the merged graph, or nothing where that is the server's default graph."""
        if self._given is not None:
            return self._given
        answer = parse_json_results(self._post(_MERGED, "ASK").body, self._url)
        return graph_iri("merged").value if self._only(answer) == "true" else ""

    def value(self, text: str) -> str:
        """Give the one value that an ASK, or a SELECT of one cell, answers; raise :class:`RemoteError` where it does not."""
        return self._only(self.query(text))

    def _only(self, answer: Results) -> str:
        if len(answer) != 1 or len(answer.columns) != 1 or answer.rows[0][0] is None:
            hint = "is this a SPARQL 1.1 endpoint, and is it set up as its maker says?"
            raise RemoteError(f"gives {len(answer)} rows where one value was asked for", self._url, hint)
        return plain_text(answer.rows[0][0])

    def _count(self, inner: str, dataset: str = "") -> int:
        said = self.value(f"SELECT (COUNT(*) AS ?n) {dataset} WHERE {{ {inner} }}")
        if not (said.isascii() and said.isdigit()):
            raise RemoteError(f"counts {said[:20]!r} triples", self._url, "is this a SPARQL 1.1 endpoint?")
        return int(said)

    def count(self, graph: NamedNode | None) -> int:
        """Give the number of triples in a named graph, or in the default graph."""
        return self._count("?s ?p ?o", f"FROM {graph}" if graph else "")

    def query(self, text: str) -> Results:
        """Give the answer to a SPARQL query.

        Raise :class:`QueryError` where the server calls the query malformed, and :class:`RemoteError` where it does not answer,
        redirects to another place, or answers something that is no SPARQL result.
        """
        guard(text)
        words = {token.text.upper() for token in tokens(text) if token.kind == "word"}
        merged = "" if "FROM" in words else self.default_graph
        named = self._named if merged and "GRAPH" in words else ()
        form = _form(text)
        answer = self._post(text, form, merged, named)
        if form in _GRAPH_FORMS:
            return self._graph(answer.body)
        results = parse_json_results(answer.body, self._url)
        self._check_whole(answer, results)
        return results

    def graphs(self) -> tuple[NamedNode, ...]:
        """Give the named graphs of llmkg, sorted, without the one that stands for the default graph."""
        merged = self.default_graph
        return tuple(NamedNode(name) for name in self._named if name != merged)

    def graph_quads(self, graph: NamedNode | DefaultGraph) -> Iterator[Quad]:
        """Give every quad of one graph, page by page.

        Raise :class:`LimitError` for a graph too large for that, and :class:`RemoteError` where the pages together do not hold as
        many as the server counts.
        """
        inner = "?s ?p ?o" if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{ ?s ?p ?o }}"
        for subject, predicate, value in self._pages(inner):
            yield Quad(subject, predicate, value, graph)

    def about(self, nodes: Iterable[NamedNode], predicates: Iterable[NamedNode] = ()) -> Iterator[Quad]:
        """Give every quad of the default graph about ``nodes``, asked in groups; with ``predicates``, only those."""
        wanted = ", ".join(map(str, predicates))
        only = f" FILTER(?p IN ({wanted}))" if wanted else ""
        left = iter(nodes)
        while group := " ".join(map(str, islice(left, _NODES))):
            pattern = f"VALUES ?s {{ {group} }} ?s ?p ?o{only}"
            for row in self.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {pattern} }}").rows:
                yield Quad(*row)  # type: ignore[arg-type]

    def pointing_at(self, node: NamedNode) -> Iterator[Quad]:
        """Give every quad of the default graph whose object is ``node``, page by page."""
        for row in self._pages(f"?s ?p ?o FILTER(?o = {node})"):
            yield Quad(*row)

    def _pages(self, inner: str) -> Iterator[tuple[Any, Any, Any]]:
        """Give the triples that fit, cut into pages by the hash of their subject: no order is needed, and none is sorted."""
        count = self._count(inner)
        if count > _MOST:
            hint = "export one source (--source) or entity, or export where the graph was built"
            raise LimitError(f"holds {count} triples; the most to fetch over an endpoint is {_MOST}", self._url, hint)
        digits = next(n for n in range(9) if _PAGE * 16**n >= count)
        found = 0
        for start in product("0123456789abcdef", repeat=digits):
            page = f'FILTER(STRSTARTS(MD5(STR(?s)), "{"".join(start)}"))' if start else ""
            rows = self.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {inner} {page} }}").rows
            found += len(rows)
            yield from rows  # type: ignore[misc]
        if found != count:
            hint = "the graph changed meanwhile, or the server shortens its answers; try again, or export one entity"
            raise RemoteError(f"gives {found} of {count} triples", self._url, hint)

    @cached_property
    def _named(self) -> tuple[str, ...]:
        answer = parse_json_results(self._post(_GRAPHS, "SELECT").body, self._url)
        return tuple(sorted(plain_text(row[0]) for row in answer.rows))

    def _post(self, text: str, form: str, merged: str = "", named: tuple[str, ...] = ()) -> Answer:
        from SPARQLWrapper import JSON, POST, TURTLE, SPARQLWrapper

        wrapper = SPARQLWrapper(self._url)
        wrapper.setMethod(POST)
        wrapper.setOnlyConneg(True)
        wrapper.setReturnFormat(TURTLE if form in _GRAPH_FORMS else JSON)
        wrapper.setQuery(text)
        wrapper.queryType = form  # SPARQLWrapper guesses it from the first such word, also one in a comment
        if merged:
            wrapper.addParameter("default-graph-uri", merged)
        for name in named:
            if name != merged:
                wrapper.addParameter("named-graph-uri", name)
        request: Any = wrapper._createRequest()  # SPARQLWrapper itself would follow redirections, and read without end
        accept = _GRAPH_ACCEPT if form in _GRAPH_FORMS else request.get_header("Accept")
        sent = {"Accept": accept, "Content-Type": request.get_header("Content-type")}
        answer = self._client.send("POST", self._url, sent, request.data)
        if answer.status == 400:
            raise QueryError(f"{self._url} calls the query malformed: {failure(answer, '').message}", "query")
        if answer.status != 200:
            raise failure(answer, self._url)
        self._check_kind(answer, _GRAPH_KINDS if form in _GRAPH_FORMS else _ROW_KINDS)
        return answer

    def _check_kind(self, answer: Answer, kinds: tuple[str, ...]) -> None:
        hint = "is this a SPARQL endpoint?"
        if answer.kind not in kinds:
            raise RemoteError(f"answers {answer.kind or 'something unnamed'!r}, not {kinds[0]}", self._url, hint)
        if answer.charset not in ("", "utf-8", "utf8", "us-ascii"):
            raise RemoteError(f"answers in the character set {answer.charset!r}, not UTF-8", self._url, hint)

    def _check_whole(self, answer: Answer, results: Results) -> None:
        """Raise where Virtuoso says that it gives only a part: its row limit, or its time limit."""
        most = answer.headers.get("x-sparql-maxrows", "")
        cut = most.isdigit() and len(results) >= int(most)
        if cut or answer.headers.get("x-sql-state", "") == "S1TAT":
            reason = f"gives no more than {most} rows" if cut else "ran out of time and gives only a part"
            raise RemoteError(reason, self._url, "add LIMIT and OFFSET, or narrow the query")

    def _graph(self, body: bytes) -> Results:
        try:
            triples = {(quad.subject, quad.predicate, _plain(quad.object)) for quad in parse(body, RdfFormat.TURTLE)}
        except (SyntaxError, ValueError) as error:
            raise RemoteError(f"answers no Turtle: {error}", self._url, "is this a SPARQL endpoint?") from error
        ordered = sorted(triples, key=lambda triple: tuple(map(str, triple)))
        return Results(("subject", "predicate", "object"), tuple(ordered), is_graph=True)


def _form(text: str) -> str:
    words = (token.text.upper() for token in tokens(text) if token.kind == "word")
    return next((word for word in words if word in _ROW_FORMS), "SELECT")


def parse_json_results(body: bytes, where: str) -> Results:
    """Give the rows of a SPARQL 1.1 JSON result; raise :class:`RemoteError` where ``body`` is none.

    >>> parse_json_results(b'{"head": {}, "boolean": true}', "http://e/").rows[0][0].value
    'true'
    """
    try:
        answer = json.loads(body)
        if "boolean" in answer:
            return Results(("answer",), ((Literal(str(answer["boolean"]).lower(), datatype=_BOOLEAN),),))
        columns = tuple(answer["head"]["vars"])
        bindings = answer["results"]["bindings"]
        rows = tuple(tuple(_term(row[name]) if name in row else None for name in columns) for row in bindings)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        start = body[:60].decode("utf-8", "replace")
        raise RemoteError(f"answers no SPARQL result: {start!r}", where, "is this a SPARQL endpoint?") from error
    return Results(columns, rows)


def _term(value: dict[str, str]) -> Term:
    if value["type"] == "uri":
        return NamedNode(value["value"])
    if value["type"] == "bnode":
        return BlankNode(value["value"])
    if "xml:lang" in value:
        return Literal(value["value"], language=value["xml:lang"])
    if "datatype" in value:
        literal: Term = _plain(Literal(value["value"], datatype=NamedNode(value["datatype"])))
        return literal
    return Literal(value["value"])


def _plain(value: Any) -> Any:
    """Give a term written as the embedded store writes it: Virtuoso has 1 for true, and 6.67e+22 for 66700000000000000000000."""
    if not isinstance(value, Literal):
        return value
    if value.datatype == _BOOLEAN and value.value in ("1", "0"):
        return Literal("true" if value.value == "1" else "false", datatype=_BOOLEAN)
    if value.datatype == _DOUBLE and _EXPONENT.fullmatch(value.value):
        plain = format(Decimal(repr(float(value.value))), "f")
        return Literal(plain.removesuffix(".0"), datatype=_DOUBLE)
    return value
