"""Measure the closure of lineage beside rustworkx and igraph, on the steps of a home with the Hub; write a part of the page.

``python benchmarks/closure.py HOME`` (a home made by benchmarks/hub.py; needs ``pip install rustworkx igraph``). Each run is a
process of its own, so that its memory is its own; reading the steps is not counted. Medians of three runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from page import PAGE, machine, peak_memory, table, write_part

from llmkg.build import read_inputs
from llmkg.closure import close, cycles
from llmkg.hub_part import read_hub
from llmkg.importing import snapshot_path
from llmkg.resources import resource_folder

ROUNDS = 3
Steps = tuple[int, numpy.ndarray, numpy.ndarray]


def by_llmkg(steps: Steps) -> dict[str, Callable[[], int]]:
    """Give what is measured of llmkg's own closure, over scipy: pairs of a model and an ancestor, and members of cycles."""
    return {
        "every ancestor of every model": lambda: len(close(*steps).models),
        "members of cycles": lambda: sum(map(len, cycles(*steps))),
    }


def by_rustworkx(steps: Steps) -> dict[str, Callable[[], int]]:
    """Give the same by rustworkx; distances, which llmkg has too, it gives by a search from each model alone."""
    import rustworkx

    def graph() -> Any:
        count, children, parents = steps
        made = rustworkx.PyDiGraph(multigraph=False)
        made.add_nodes_from(range(count))
        made.add_edges_from_no_data(list(zip(children.tolist(), parents.tolist(), strict=True)))
        return made

    def pairs() -> int:
        made, found = graph(), 0
        for child in numpy.unique(steps[1]).tolist():
            found += len(rustworkx.descendants(made, child))
        return found

    return {
        "the graph": lambda: len(graph()),
        "every ancestor of every model": pairs,
        "members of cycles": lambda: sum(
            len(part) for part in rustworkx.strongly_connected_components(graph()) if len(part) > 1
        ),
    }


def by_igraph(steps: Steps) -> dict[str, Callable[[], int]]:
    """Give the same by igraph."""
    import igraph

    def graph() -> Any:
        count, children, parents = steps
        return igraph.Graph(n=count, edges=numpy.stack([children, parents], axis=1), directed=True)

    def pairs() -> int:
        made, found = graph(), 0
        for child in numpy.unique(steps[1]).tolist():
            found += len(made.subcomponent(child, mode="out")) - 1
        return found

    return {
        "the graph": lambda: int(graph().vcount()),
        "every ancestor of every model": pairs,
        "members of cycles": lambda: sum(
            len(part) for part in graph().connected_components(mode="strong") if len(part) > 1
        ),
    }


LIBRARIES = {"llmkg (scipy)": by_llmkg, "rustworkx": by_rustworkx, "igraph": by_igraph}


def read_steps(home: Path) -> Steps:
    """Give the number of models, and the child and the parent of each step that holds."""
    inputs = read_inputs(resource_folder("data"))
    hub = read_hub(snapshot_path(home), inputs.entities, resource_folder("ontology"), inputs.redirects)
    children = numpy.array([step.child for step in hub.steps.effective], numpy.int64)
    parents = numpy.array([step.parent for step in hub.steps.effective], numpy.int64)
    return len(hub.models.ids), children, parents


def measure(path: str, library: str, what: str) -> None:
    """Print seconds, result and megabytes above those of the steps, as JSON."""
    held = numpy.load(path)
    steps = (int(held["count"]), held["children"], held["parents"])
    work = LIBRARIES[library](steps)[what]
    before, start = peak_memory(), time.perf_counter()
    found = work()
    print(json.dumps([time.perf_counter() - start, found, (peak_memory() - before) / 2**20]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    home = parser.parse_args().home
    steps = read_steps(home)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "steps.npz")
        numpy.savez(path, count=steps[0], children=steps[1], parents=steps[2])
        for library, make in LIBRARIES.items():
            for what in make(steps):
                command = [sys.executable, __file__, "--measure", str(path), library, what]
                runs = [
                    json.loads(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
                    for _ in range(ROUNDS)
                ]
                seconds, memory = (statistics.median(run[part] for run in runs) for part in (0, 2))
                rows.append((library, what, f"{runs[0][1]:,}", f"{seconds:.1f}", f"{memory:,.0f}"))
    text = f"""
## Closure of lineage

{steps[0]:,} models, {len(steps[1]):,} steps. {machine("scipy", "rustworkx", "igraph")} Medians of {ROUNDS} runs, each with the
making of the graph; memory above that of the steps. llmkg's closure holds distances too. A model of a cycle is its own ancestor
for llmkg and for neither of the others.

"""
    write_part("closure", text + table(("library", "what", "result", "seconds", "MB"), rows) + "\n")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
