"""Measure every stored query on a small Hub by three engines: the embedded store, rdflib, and Virtuoso on loopback.

``python benchmarks/hub_engines.py HOME`` (a home of 10,000 models made by benchmarks/hub.py; needs Virtuoso 7) writes a part of the
page. Medians of three rounds; a query that takes more than a minute is told so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hub_queries import asked, options
from page import PAGE, machine, table, write_part

import llmkg
from llmkg.endpoint import Endpoint
from llmkg.errors import LlmkgError
from llmkg.graph import KnowledgeGraph
from llmkg.queries import find_queries
from llmkg.remote import RemoteEndpoint
from llmkg.results import Results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the servers lie beside the tests
from servers import virtuoso

LIMIT = 60.0
ROUNDS = 3


class RdflibEndpoint:
    """The merged graph in rdflib, asked in a process of its own that ends with the query it cannot answer in time."""

    def __init__(self, kg: KnowledgeGraph) -> None:
        """Read the graph, which takes a minute for 10,000 models."""
        self._graph = kg.graph()

    def ask(self, text: str) -> float:
        """Give the seconds of one answer, infinity where it takes too long."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            start = time.perf_counter()
            list(self._graph.query(text))
            os.write(writer, f"{time.perf_counter() - start}".encode())
            os._exit(0)
        os.close(writer)
        timer = threading.Timer(LIMIT, os.kill, (child, 9))
        timer.start()
        with os.fdopen(reader) as told:
            seconds = told.read()
        timer.cancel()
        os.waitpid(child, 0)
        return float(seconds) if seconds else float("inf")


class TextOf:
    """An endpoint that keeps the text of the query instead of answering it."""

    text = ""

    def query(self, text: str) -> Results:
        """Keep ``text``."""
        self.text = text
        return Results((), ())

    def describe(self) -> str:
        """Give its name."""
        return "nowhere"


def median(work: Callable[[], float]) -> float:
    """Give the median of some rounds, or of one that took long."""
    times = [work()]
    while len(times) < ROUNDS and times[0] < 5:
        times.append(work())
    return statistics.median(times)


def answered(endpoint: Endpoint, text: str) -> Callable[[], float]:
    """Give a function that gives the seconds of one answer."""

    def work() -> float:
        start = time.perf_counter()
        try:
            endpoint.query(text)
        except LlmkgError:
            return float("inf")
        return time.perf_counter() - start

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    home = parser.parse_args().home
    kg = llmkg.open(home, timeout=LIMIT)
    by_rdflib = RdflibEndpoint(kg)
    kept = TextOf()
    texts = KnowledgeGraph(kg.settings, kept, kg.index)
    rows = []
    with tempfile.TemporaryDirectory() as folder, virtuoso(Path(folder), 1_000_000) as server:
        more = {"LLMKG_HOME": str(home), "LLMKG_AUTH": server.auth}
        subprocess.run(
            [sys.executable, "-m", "llmkg", "load", "--endpoint", server.query], env=os.environ | more, check=True
        )
        remote = RemoteEndpoint(server.query, LIMIT)
        cases = asked(kg)
        for name in find_queries(kg.settings.queries):
            for given in cases.get(name, [{}])[:1]:
                texts.query(name, **given)
                found = [median(answered(kg.endpoint, kept.text)), median(lambda: by_rdflib.ask(kept.text))]
                found.append(median(answered(remote, kept.text)))
                shown = [f"{one:.3f}" if one < LIMIT else f"over {LIMIT:.0f}, or refused" for one in found]
                rows.append((f"{name} {options(given)}".strip(), *shown))
                print(*rows[-1], file=sys.stderr, flush=True)
    text = f"""
## Stored queries by engine

{home.name}, the merged graph in each. {machine("pyoxigraph", "rdflib")} Virtuoso 7 is a server on loopback, the others are
in the process. Seconds in full.

"""
    write_part("hub_engines", text + table(("query", "embedded store", "rdflib", "Virtuoso"), rows) + "\n")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
