"""Measure the graph of the surveys: build, validation, first answer, and every stored query beside rdflib.

``python benchmarks/survey_graph.py`` writes ``docs/benchmarks.md``. Figures are medians; machines are noisy, so read the ratios.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pyoxigraph
from page import write_part

import llmkg
from llmkg.build import build
from llmkg.config import read_settings
from llmkg.home import current_version
from llmkg.queries import find_queries, load_query
from llmkg.validate import validate_store

ROUNDS = 5
GOAL = 0.05
#: the queries that list thousands of rows where nothing is asked for, as a reader asks them
ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("claims", {"about": "LLaMA"}),
    ("claims", {"property": "parameterCount"}),
    ("claims", {"source": "open-source-llms"}),
    ("not-stated", {"kind": "dataset"}),
    ("not-stated", {"property": "license"}),
)
LIMITS = {"build, without validation": 5.0, "build with validation": 15.0, "first answer of a command": 1.0}


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Give the median seconds of ``work`` over some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command(home: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "llmkg", *arguments],
        env=os.environ | {"LLMKG_HOME": str(home)},
        check=True,
        capture_output=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = replace(read_settings({}), home=home)
        rows = [("build, without validation", median(lambda: build(settings)))]
        store = pyoxigraph.Store.read_only(str(current_version(home) / "store"))
        rows.append(("validation (pySHACL and checks)", median(lambda: validate_store(store, settings.ontology), 3)))
        rows.append(("build with validation", rows[0][1] + rows[1][1]))
        rows.append(
            ("first answer of a command", median(lambda: command(home, "query", "derivatives", "--of", "LLaMA")))
        )
        rows.append(("llmkg --help", median(lambda: command(home, "--help"))))
        kg = llmkg.open(home)
        graph = kg.graph()
        queries = [load_query(path) for path in find_queries(settings.queries).values()]
        compared = [
            (query.name, len(kg.sparql(query.text)), median(lambda q=query: kg.sparql(q.text)),  # type: ignore[misc]
             median(lambda q=query: list(graph.query(q.text)), 1))  # type: ignore[misc]
            for query in queries
        ]  # fmt: skip
        asked = [
            (f"{name} {' '.join(f'--{k} {v}' for k, v in given.items())}", len(kg.query(name, **given)),
             median(lambda n=name, g=given: kg.query(n, **g)))  # type: ignore[misc]
            for name, given in ASKED
        ]  # fmt: skip
    page = _page(rows, compared, len(graph)) + _asked(compared, asked)
    write_part("survey_graph", page)
    print(page)


def _page(rows: list[tuple[str, float]], compared: list[tuple[str, int, float, float]], triples: int) -> str:
    tools = ", ".join(f"{name} {version(name)}" for name in ("llmkg", "pyoxigraph", "rdflib", "pyshacl"))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    lines = [
        "",
        "## The graph of the surveys",
        "",
        f"The graph of the five surveys: {triples} triples in the merged graph. {tools}; {machine}. Medians of {ROUNDS} rounds"
        " (validation 3, rdflib 1). Command: `python benchmarks/survey_graph.py`.",
        "",
        "| step | seconds | goal |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {name} | {seconds:.2f} | {_goal(name)} |" for name, seconds in rows]
    lines += [
        "",
        "Stored queries as they stand, embedded store beside rdflib on the same graph (goal: each under 50 ms):",
        "",
    ]
    lines += ["| query | rows | embedded, ms | rdflib, ms | ratio |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {count} | {own * 1000:.1f} | {other * 1000:.0f} | {other / own:.0f} |"
        for name, count, own, other in compared
    ]
    slowest = max(compared, key=lambda row: row[2])
    lines += ["", f"Slowest on the embedded store: {slowest[0]}, {slowest[2] * 1000:.1f} ms."]
    return "\n".join(lines) + "\n"


def _asked(compared: list[tuple[str, int, float, float]], asked: list[tuple[str, int, float]]) -> str:
    """Name the queries over the goal, with the reason, and the same queries with a parameter."""
    over = [f"{name} ({count} rows)" for name, count, seconds, _ in compared if seconds > GOAL]
    reason = "The engine takes about 5 µs for each term of each row, so thousands of rows cannot come faster."
    lines = ["", f"Over the goal, unfiltered: {', '.join(over) or 'none'}. {reason} With a parameter:", ""]
    lines += ["| query | rows | embedded, ms |", "| --- | --- | --- |"]
    return (
        "\n".join([*lines, *(f"| {name} | {count} | {seconds * 1000:.1f} |" for name, count, seconds in asked)]) + "\n"
    )


def _goal(name: str) -> str:
    return f"under {LIMITS[name]:g}" if name in LIMITS else "under 0.25" if "help" in name else ""


if __name__ == "__main__":
    main()
