"""A built graph onto a SPARQL 1.1 server: graph by graph in bounded batches, resumable, and counted at the end.

Graphs are written by the Graph Store Protocol (the first batch of a graph by PUT, which replaces what the server had, the others
by POST), or by SPARQL Update where only that is offered. A state file keeps how far each graph is; a batch sent twice changes
nothing. Graphs of llmkg that the new build does not have are removed. Nothing else on the server is touched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

from llmkg.errors import RemoteError, UsageError, WriteError
from llmkg.namespaces import BASE, graph_iri, term
from llmkg.remote import RemoteEndpoint
from llmkg.store import Store
from llmkg.transport import Client, failure

__all__ = ["Target", "load", "state_file"]

BATCH = 20_000  # quads in one request of the Graph Store Protocol
_UPDATE_BATCH = 1_000  # Virtuoso compiles an update, and refuses long ones
_MOST_BYTES = 8_000_000
_TELL = 5.0  # seconds between two words on one graph
_PROBE = graph_iri("probe")
_DEFAULT = "default"
_TURTLE = "text/turtle"
_INTEGER = term("xsd:integer")
#: where servers take graphs, by the end of the address where they take queries: Oxigraph, Virtuoso
_STORES = {"/query": "/store", "/sparql": "/sparql-graph-crud-auth"}

#: a graph as the server has it: a named graph, or None for its default graph
Place = NamedNode | None
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """A server: where it answers queries, and where it takes graphs (by the Graph Store Protocol, or by updates)."""

    endpoint: str
    graph_store: str = ""
    update: str = ""
    default_graph: str = ""
    auth: str = field(default="", repr=False)
    timeout: float = 60.0


@dataclass(slots=True)
class _State:
    """How far a load is: quads sent by graph; ``graphs`` are all that were ever begun there."""

    endpoint: str
    build: str = ""
    default_graph: str = ""
    sent: dict[str, int] = field(default_factory=dict)
    graphs: list[str] = field(default_factory=list)
    complete: bool = False


class _Writer(Protocol):
    batch: int

    def add(self, place: Place, lines: list[str], anew: bool) -> None: ...

    def drop(self, place: Place) -> None: ...


def state_file(home: Path, endpoint: str) -> Path:
    """Give the file in ``home`` that keeps how far the load to ``endpoint`` is."""
    return home / f"load-{sha256(endpoint.encode()).hexdigest()[:12]}.json"


def load(store: Store, build: str, target: Target, state: Path, say: Say) -> dict[str, int]:
    """Give the number of quads by graph that are now on the server, which are all that ``store`` holds.

    ``build`` is the hash of the build, ``state`` the file that keeps how far the load is: one that was interrupted goes on. Raise
    :class:`RemoteError` where the server fails or counts other than what was sent, and :class:`UsageError` where its default graph
    holds the data of others.
    """
    writer = _writer(target)
    server = RemoteEndpoint(target.endpoint, target.timeout, "", target.auth)
    known = _read_state(state, target.endpoint)
    if known.build != build or target.default_graph not in ("", known.default_graph):
        merged = target.default_graph or _default_graph(server, writer)
        if not merged and _DEFAULT not in known.graphs:
            _check_ours(server)
        known = _State(target.endpoint, build, merged, graphs=known.graphs)
    elif known.sent:
        begun = "all was sent before" if known.complete else "going on where the load before stopped"
        say(f"{begun}: {sum(known.sent.values())} quads")
    last = NamedNode(known.default_graph) if known.default_graph else None
    counts: dict[str, int] = {}
    pairs: list[tuple[NamedNode | DefaultGraph, Place]] = [(graph, graph) for graph in store.graphs()]
    for source, place in (*pairs, (DefaultGraph(), last)):
        lines = map(_line, store.graph_quads(source))
        counts[_name(place)] = _load_graph(lines, place, writer, known, state, say)
    _drop_others(server, writer, counts, known)
    _verify(server, counts, state)
    known.graphs, known.complete = sorted(counts), True
    _write_state(state, known)
    return counts


def _load_graph(lines: Iterator[str], place: Place, writer: _Writer, known: _State, state: Path, say: Say) -> int:
    """Give the number of quads of one graph, after those that are not yet there have been sent."""
    name = _name(place)
    sent = sum(1 for _ in islice(lines, known.sent.get(name, 0)))
    told = time.monotonic()
    for batch in _batches(lines, writer.batch):
        if name not in known.graphs:
            known.graphs.append(name)
            _write_state(state, known)
        writer.add(place, batch, anew=not sent)
        sent += len(batch)
        known.sent[name] = sent
        _write_state(state, known)
        if time.monotonic() - told > _TELL:
            told = time.monotonic()
            say(f"{name}: {sent} quads so far")
    say(f"{name}: {sent} quads")
    return sent


def _line(quad: Quad) -> str:
    """Give a triple in N-Triples, save that an integer is written bare, as Turtle and SPARQL allow.

    Of an integer above 2^31 that is written with its datatype, Virtuoso makes a decimal.
    """
    value = quad.object
    plain = isinstance(value, Literal) and value.datatype == _INTEGER
    return f"{quad.subject} {quad.predicate} {value.value if plain else value} ."  # type: ignore[union-attr]


def _batches(lines: Iterator[str], most: int) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if len(batch) == most or size > _MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _default_graph(server: RemoteEndpoint, writer: _Writer) -> str:
    """Give where the merged graph goes: …/graph/merged where a triple written to a named graph is also in the default graph.

    This is also the trial whether the server lets itself be written to, before anything is replaced.
    """
    writer.add(_PROBE, [f"{_PROBE} {_PROBE} {_PROBE} ."], anew=True)
    try:
        is_union = _ask(server, f"ASK {{ {_PROBE} {_PROBE} {_PROBE} }}")
    finally:
        writer.drop(_PROBE)
    return graph_iri("merged").value if is_union else ""


def _check_ours(server: RemoteEndpoint) -> None:
    ours = f'ASK {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), "{BASE}")) }}'
    if _ask(server, "ASK { ?s ?p ?o }") and not _ask(server, ours):
        message = "has a default graph with other data, which the merged graph would replace"
        raise UsageError(message, server.describe(), f"give --default-graph {graph_iri('merged').value}")


def _drop_others(server: RemoteEndpoint, writer: _Writer, counts: dict[str, int], known: _State) -> None:
    """Remove the graphs of llmkg that this build does not have."""
    there = {graph.value for graph in server.graphs()} | set(known.graphs) - {_DEFAULT}
    for name in sorted(there - counts.keys()):
        writer.drop(NamedNode(name))


def _verify(server: RemoteEndpoint, counts: dict[str, int], state: Path) -> None:
    wrong = []
    for name, count in counts.items():
        found = server.count(None if name == _DEFAULT else NamedNode(name))
        if found != count:
            wrong.append(f"{name} has {found} triples, not {count}")
    if wrong:
        state.unlink(missing_ok=True)
        hint = "run the command again, which sends all anew; does something else write there, or cut what it is sent?"
        raise RemoteError(f"does not hold what was sent: {'; '.join(wrong)}", server.describe(), hint)


def _ask(server: RemoteEndpoint, text: str) -> bool:
    return server.value(text) == "true"


def _name(place: Place) -> str:
    return place.value if place else _DEFAULT


class _GraphStore:
    """Writes by the SPARQL 1.1 Graph Store HTTP Protocol."""

    batch = BATCH

    def __init__(self, url: str, client: Client) -> None:
        self._url = url
        self._client = client

    def add(self, place: Place, lines: list[str], anew: bool) -> None:
        body = "\n".join([*lines, ""]).encode()
        answer = self._client.send("PUT" if anew else "POST", self._at(place), {"Content-Type": _TURTLE}, body)
        if answer.status not in (200, 201, 204):
            raise _refused(failure(answer, self._url), answer.status)

    def drop(self, place: Place) -> None:
        answer = self._client.send("DELETE", self._at(place), {})
        if answer.status not in (200, 202, 204, 404):
            raise _refused(failure(answer, self._url), answer.status)

    def _at(self, place: Place) -> str:
        which = f"graph={quote(place.value, safe='')}" if place else "default"
        return self._url + ("&" if urlsplit(self._url).query else "?") + which


class _Updates:
    """Writes by SPARQL 1.1 Update."""

    batch = _UPDATE_BATCH

    def __init__(self, url: str, client: Client) -> None:
        self._url = url
        self._client = client

    def add(self, place: Place, lines: list[str], anew: bool) -> None:
        if anew:
            self.drop(place)
        data = "\n".join(lines)
        self._send(f"INSERT DATA {{ GRAPH {place} {{\n{data}\n}} }}" if place else f"INSERT DATA {{\n{data}\n}}")

    def drop(self, place: Place) -> None:
        self._send(f"DROP SILENT GRAPH {place}" if place else "DROP SILENT DEFAULT")

    def _send(self, text: str) -> None:
        answer = self._client.send("POST", self._url, {"Content-Type": "application/sparql-update"}, text.encode())
        if answer.status not in (200, 202, 204):
            raise _refused(failure(answer, self._url), answer.status)


def _refused(error: RemoteError, status: int) -> RemoteError:
    if status in (404, 405, 415, 501):
        error.hint = "say where the server takes graphs: --graph-store URL, or --update URL"
    return error


def _writer(target: Target) -> _Writer:
    client = Client(target.timeout, target.auth)
    if target.graph_store:
        return _GraphStore(target.graph_store, client)
    if target.update:
        return _Updates(target.update, client)
    for end, store in _STORES.items():
        if target.endpoint.endswith(end):
            return _GraphStore(target.endpoint.removesuffix(end) + store, client)
    hint = "give --graph-store URL (Graph Store Protocol) or --update URL (SPARQL Update)"
    raise UsageError("it is not known where this server takes graphs", target.endpoint, hint)


def _read_state(path: Path, endpoint: str) -> _State:
    """Give what the file says of the load to ``endpoint``; nothing where there is none, or no sound one."""
    try:
        found = _State(**json.loads(path.read_text(encoding="utf-8")))
        sound = found.endpoint == endpoint and all(isinstance(count, int) for count in found.sent.values())
    except (OSError, ValueError, TypeError, AttributeError):
        sound = False
    return found if sound else _State(endpoint)


def _write_state(path: Path, state: _State) -> None:
    new = path.with_suffix(".new")
    try:
        new.write_text(json.dumps(asdict(state), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise WriteError(
            f"cannot be written: {error.strerror}", str(path), "give a --home that you may write"
        ) from error
