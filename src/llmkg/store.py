"""The embedded store: answers SPARQL from an immutable folder that is only ever opened for reading."""

from __future__ import annotations

import io
import re
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, Quad, QueryBoolean, QuerySolutions, QueryTriples, RdfFormat

from llmkg.errors import LimitError, QueryError, StoreCorrupt, StoreUnavailable
from llmkg.results import Results
from llmkg.sparql_text import guard

__all__ = ["MAX_ROWS", "Store", "canonical_lines", "count_quads", "open_store", "write_store"]

MAX_ROWS = 2_000_000
_BUFFER = 1 << 20
_STACK = 64 * 1024 * 1024
_ERROR = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
T = TypeVar("T")


class Store:
    """An endpoint over one version of the built graph."""

    def __init__(self, store: pyoxigraph.Store, name: str, timeout: float) -> None:
        """Answer from ``store``, called ``name`` in messages, within ``timeout`` seconds a query."""
        self._store = store
        self._name = name
        self._timeout = timeout

    @property
    def engine(self) -> pyoxigraph.Store:
        """Give the engine's own store."""
        return self._store

    def describe(self) -> str:
        """Give the path of the version that answers."""
        return self._name

    def query(self, text: str) -> Results:
        """Give the answer to a SPARQL query.

        Raise :class:`QueryError` for wrong or refused text, :class:`LimitError` past the time or row limit, and
        :class:`StoreCorrupt` where the store's files are damaged.
        """
        guard(text)
        return _within(self._timeout, lambda: self._answer(text))

    def quads(self) -> Iterator[Quad]:
        """Give every quad of the store, in no order; raise :class:`StoreCorrupt` where its files are damaged."""
        return self._sound(iter(self._store))

    def pattern(
        self, subject: NamedNode | None, predicate: NamedNode | None, value: NamedNode | None
    ) -> Iterator[Quad]:
        """Give every quad of the default graph that fits, in no order; None fits all."""
        return self._sound(self._store.quads_for_pattern(subject, predicate, value, DefaultGraph()))

    def graph_quads(self, graph: NamedNode | DefaultGraph) -> Iterator[Quad]:
        """Give every quad of one graph, in no order."""
        return self._sound(self._store.quads_for_pattern(None, None, None, graph))

    def graphs(self) -> tuple[NamedNode, ...]:
        """Give the named graphs, sorted."""
        found = (graph for graph in self._store.named_graphs() if isinstance(graph, NamedNode))
        return tuple(sorted(found, key=str))

    def about(self, nodes: Iterable[NamedNode], predicates: Iterable[NamedNode] = ()) -> Iterator[Quad]:
        """Give every quad of the default graph about ``nodes``; with ``predicates``, only those."""
        wanted = tuple(predicates) or (None,)
        for node in nodes:
            for predicate in wanted:
                yield from self.pattern(node, predicate, None)

    def pointing_at(self, node: NamedNode) -> Iterator[Quad]:
        """Give every quad of the default graph whose object is ``node``."""
        return self.pattern(None, None, node)

    def _sound(self, quads: Iterator[Quad]) -> Iterator[Quad]:
        try:
            yield from quads
        except (OSError, RuntimeError, ValueError) as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> StoreCorrupt:
        return StoreCorrupt(f"cannot be read: {error}", self._name, "llmkg build makes it anew")

    def _answer(self, text: str) -> Results:
        try:
            return _read(self._store.query(text))
        except SyntaxError as error:
            place, message = _place(error)
            raise QueryError(f"is no SPARQL: {message}", place) from error
        except OSError as error:
            raise self._corrupt(error) from error
        except (RuntimeError, ValueError) as error:
            if "corruption" in str(error).lower():
                raise self._corrupt(error) from error
            raise QueryError(f"cannot be evaluated: {error}", "query") from error


def _place(error: SyntaxError) -> tuple[str, str]:
    """Give place and message of a syntax error; the engine writes both into one text."""
    found = _ERROR.fullmatch(error.msg)
    line, column, message = found.groups() if found else (error.lineno or 1, error.offset or 1, error.msg)
    return f"query:{line}:{column}", str(message)


def _read(answer: QuerySolutions | QueryBoolean | QueryTriples) -> Results:
    if isinstance(answer, QueryBoolean):
        kind = NamedNode("http://www.w3.org/2001/XMLSchema#boolean")
        return Results(("answer",), ((pyoxigraph.Literal("true" if answer else "false", datatype=kind),),))
    if isinstance(answer, QueryTriples):
        triples = {(t.subject, t.predicate, t.object) for t in _limited(answer)}
        ordered = sorted(triples, key=lambda t: tuple(map(str, t)))
        return Results(("subject", "predicate", "object"), tuple(ordered), is_graph=True)
    columns = tuple(variable.value for variable in answer.variables)
    width = range(len(columns))
    return Results(columns, tuple(tuple(solution[index] for index in width) for solution in _limited(answer)))


def _limited(answer: Iterable[T]) -> Iterator[T]:
    for count, row in enumerate(answer):
        if count >= MAX_ROWS:
            raise LimitError(f"more than {MAX_ROWS} rows", "query", "add LIMIT")
        yield row


def _within(timeout: float, work: Callable[[], T]) -> T:
    """Give what ``work`` gives, or raise :class:`LimitError` when it takes longer than ``timeout`` seconds.

    The engine cannot be interrupted, so it runs in a thread of its own, whose stack is set for deep queries; Ctrl-C reaches
    the waiting thread at once. A thread that overran ends with the process.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            _forget(error)
            failed.append(error)

    previous = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join(timeout)
    if failed:
        raise failed[0]
    if not done:
        raise LimitError(
            f"no answer within {timeout:g} seconds", "query", "narrow the query, or give a longer --timeout"
        )
    return done[0]


def _forget(error: BaseException | None) -> None:
    """Let go of what the frames of ``error`` hold: the engine's iterators must end in the thread that made them."""
    while error:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def open_store(folder: Path, timeout: float = 60.0) -> Store:
    """Give the store in ``folder``, opened read-only; nothing is created or changed.

    Raise :class:`StoreUnavailable` where there is none and :class:`StoreCorrupt` where it cannot be opened.
    """
    try:
        if not (folder / "CURRENT").is_file():
            raise StoreUnavailable("holds no store", str(folder), "llmkg build makes one")
        return Store(pyoxigraph.Store.read_only(str(folder)), str(folder), timeout)
    except PermissionError as error:
        raise StoreUnavailable(f"cannot be read: {error}", str(folder)) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreCorrupt(f"cannot be opened: {error}", str(folder), "llmkg build makes it anew") from error


class _Chunks(io.RawIOBase):
    """A file of what an iterator gives, for the engine's loader."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def write_store(folder: Path, chunks: Iterable[bytes]) -> pyoxigraph.Store:
    """Give a new store in the empty ``folder`` that holds the N-Quads of ``chunks``, flushed and optimized."""
    store = pyoxigraph.Store(str(folder))
    store.bulk_load(input=io.BufferedReader(_Chunks(chunks), _BUFFER), format=RdfFormat.N_QUADS)
    store.flush()
    store.optimize()
    return store


def count_quads(store: pyoxigraph.Store) -> dict[str, int]:
    """Give the number of quads of each graph by the last part of its name, ``default`` for the default graph."""
    counts: Counter[str] = Counter()
    for graph in store.named_graphs():
        counts[graph.value.rpartition("/")[2]] += sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
    counts["default"] += len(store) - counts.total()
    return dict(counts)


def canonical_lines(quads: Iterable[Quad]) -> list[str]:
    """Give the sorted N-Quads lines of ``quads``: the canonical form, since built data has no blank nodes."""
    return sorted({f"{quad} ." for quad in quads})
