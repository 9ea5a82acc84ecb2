"""Two engines of SHACL: pySHACL for small graphs, which it holds as a whole, and shacl for large ones, chunk by chunk."""

from __future__ import annotations

import logging
import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import DefaultGraph

from llmkg.chunks import CHUNK, Context, chunks, file_blocks, for_chunks, read_context, store_blocks
from llmkg.errors import Problem, SourceError
from llmkg.findings import Finding, Tally
from llmkg.namespaces import PREFIXES, shorten
from llmkg.shapes import Triple, ntriples, reach

__all__ = ["ENGINES", "choose_engine", "find_by_pyshacl", "find_by_shacl"]

ENGINES = ("auto", "pyshacl", "shacl")
#: triples up to which pySHACL is taken: at about 6,000 triples a second that is half a minute, and half a gigabyte
_LARGE = 150_000
_SH = PREFIXES["sh"]
_TRIPLE = 165  # bytes of N-Triples, about
_SHRINK = 16  # times by which the file of the graph is smaller than its text, about
#: stands for a value without a name, since each engine calls it otherwise
_BLANK = "[]"
#: at most so many chunks are judged at once, whatever the cores: each takes some 100 MB
_MOST_WORKERS = 4


def choose_engine(store: pyoxigraph.Store, engine: str) -> str:
    """Give ``engine``, or for "auto" the one that fits the size of the default graph.

    >>> choose_engine(pyoxigraph.Store(), "auto"), choose_engine(pyoxigraph.Store(), "shacl")
    ('pyshacl', 'shacl')
    """
    if engine != "auto":
        return engine
    found = store.quads_for_pattern(None, None, None, DefaultGraph())
    return "shacl" if next(islice(found, _LARGE, None), None) else "pyshacl"


def find_by_pyshacl(store: pyoxigraph.Store, shapes: list[Triple]) -> Tally:
    """Give the findings of pySHACL, the reference; both graphs go in as N-Triples, so that nothing is ever fetched."""
    import pyshacl
    import rdflib
    from rdflib import BNode, Graph, URIRef

    # rdflib logs a traceback for each literal it cannot read; the shapes say it with place and remedy
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
    data, rules = Graph(), Graph()
    quads = store.quads_for_pattern(None, None, None, DefaultGraph())
    # rdflib would make "01" and "1" one value, and false of any text that is no boolean
    normalizes, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        data.parse(data=ntriples((quad.subject, quad.predicate, quad.object) for quad in quads), format="nt")
        rules.parse(data=ntriples(shapes), format="nt")
        _, results, _ = pyshacl.validate(
            data, shacl_graph=rules, inference="none", advanced=False, do_owl_imports=False
        )
    finally:
        rdflib.NORMALIZE_LITERALS = normalizes
    found = set()
    for result in results.subjects(None, URIRef(_SH + "ValidationResult")):
        parts = list(results.predicate_objects(result))
        said = {str(p).removeprefix(_SH): str(o) for p, o in parts}
        if any(isinstance(o, BNode) for p, o in parts if p == URIRef(_SH + "value")):
            said["value"] = _BLANK
        found.add(
            Finding(
                severity=said["resultSeverity"].removeprefix(_SH),
                rule=_name(said["sourceShape"]),
                focus=said["focusNode"],
                path=said.get("resultPath", ""),
                value=said.get("value", ""),
                message=said.get("resultMessage", ""),
            )
        )
    tally = Tally()
    tally.add(found)
    return tally


def find_by_shacl(store: pyoxigraph.Store, shapes: list[Triple], graph: Path | None = None, size: int = CHUNK) -> Tally:
    """Give the findings of the engine shacl, which judges chunks of about ``size`` bytes side by side in threads.

    The triples are read from ``graph``, the file that a build keeps beside the store, where there is one.

    The chunks are independent, since our shapes look at a thing's own triples and at the classes of their values and no
    further: no inverse or longer paths, no sh:sparql, no sh:targetObjectsOf or sh:targetNode. Raise :class:`SourceError` for
    shapes that do. Threads do, because the engine lets go of the interpreter's lock while it works.
    """
    import shacl

    seen = reach(shapes)
    if seen.further:
        hint = "write it as a check under ontology/checks/, or validate with --engine pyshacl"
        raise SourceError(
            [Problem("ontology/shapes", f"{reason}: no large graph can be cut", hint) for reason in seen.further]
        )
    rules = shacl.Shapes.from_text(ntriples(for_chunks(shapes)), format="ntriples")
    context = read_context(store, seen)
    if graph:
        # counting what the store holds would take longer
        texts = chunks(file_blocks(graph), _SHRINK * graph.stat().st_size, size)
    else:
        texts = chunks(store_blocks(store), _TRIPLE * len(store), size)
    workers = min(os.cpu_count() or 1, _MOST_WORKERS)
    tally = Tally()
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[Tally]] = set()
        for text in texts:
            running.add(pool.submit(_judge, text, context, rules))
            if len(running) > workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    tally.merge(future.result())
        for future in running:
            tally.merge(future.result())
    return tally


def _judge(text: str, context: Context, rules: Any) -> Tally:
    tally = Tally()
    report = rules.validate_text(context.complete(text), format="ntriples")
    tally.add({_finding(result) for result in report.results})
    return tally


def _finding(result: Any) -> Finding:
    return Finding(
        severity=result.severity,
        rule=_name(_plain(result.source_shape)),
        focus=_plain(result.focus_node),
        path=_plain(result.path or ""),
        value=_BLANK if (result.value or "").startswith("_:") else result.value_plain or "",
        message=result.message or "",
    )


def _plain(node: str) -> str:
    return node[1:-1] if node.startswith("<") else node


def _name(shape: str) -> str:
    return shorten(shape).rpartition("#")[2].rpartition("/")[2]
