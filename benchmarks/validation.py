"""Measure validation by both engines on graphs with the Hub; write a part of the page.

``python benchmarks/validation.py HOME…`` (homes made by benchmarks/hub.py); pySHACL takes part up to 10,000 models. Each run is a
process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyoxigraph
from page import PAGE, machine, peak_memory, table, write_part

from llmkg.engines import find_by_pyshacl, find_by_shacl
from llmkg.home import GRAPH, current_version, read_manifest
from llmkg.importing import snapshot_path
from llmkg.resources import resource_folder
from llmkg.shapes import load_shapes
from llmkg.sources.snapshot import read_info
from llmkg.validate import load_checks, validate_store

MOST_FOR_PYSHACL = 10_000
NAMES = {
    "shacl": "shapes by shacl",
    "pyshacl": "shapes by pyshacl",
    "checks": "checks, one after the other",
    "all": "llmkg validate: shapes by shacl, then checks side by side",
}


def measure(home: str, what: str) -> None:
    """Print seconds, seconds of CPU, megabytes and findings of one run as JSON: shapes by an engine, the checks, or all."""
    version = current_version(Path(home))
    store = pyoxigraph.Store.read_only(str(version / "store"))
    ontology = resource_folder("ontology")
    start, cpu, note = time.perf_counter(), time.process_time(), ""
    if what == "checks":
        found, slowest = 0, ("", 0.0)
        for check in load_checks(ontology / "checks"):
            began = time.perf_counter()
            rows: Any = store.query(check.text)
            found += sum(1 for _ in rows)
            slowest = max(slowest, (check.name, time.perf_counter() - began), key=lambda pair: pair[1])
        note = f"slowest: {slowest[0]}, {slowest[1]:.1f} s"
    elif what == "all":
        report = validate_store(store, ontology, "shacl", version / GRAPH)
        found = len(report.findings) + sum(counted.count for counted in report.imported)
    else:
        shapes = load_shapes(ontology / "shapes")
        tally = find_by_pyshacl(store, shapes) if what == "pyshacl" else find_by_shacl(store, shapes, version / GRAPH)
        found = len(tally.own) + sum(tally.counts.values())
    spent = (time.perf_counter() - start, time.process_time() - cpu)
    print(json.dumps([*spent, peak_memory() / 2**30, found, note]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("homes", nargs="+", type=Path)
    rows = []
    for home in parser.parse_args().homes:
        models = read_info(snapshot_path(home)).records
        triples = read_manifest(current_version(home)).quads["default"]
        for what in ("shacl", "pyshacl", "checks", "all"):
            if what == "pyshacl" and models > MOST_FOR_PYSHACL:
                continue
            command = [sys.executable, __file__, "--measure", str(home), what]
            out = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
            seconds, cpu, peak, found, note = json.loads(out.splitlines()[-1])
            name = NAMES[what]
            told = (f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.2f}", f"{found:,}", note)
            rows.append((f"{models:,}", f"{triples:,}", name, *told))
            print(*rows[-1], file=sys.stderr, flush=True)
    text = f"""
## Validation of the Hub

Graphs of benchmarks/hub.py. {machine("shacl", "pyshacl", "pyoxigraph")} The checks are SPARQL. Once each.

"""
    head = ("models", "triples", "what", "seconds", "CPU seconds", "peak memory, GiB", "findings", "")
    write_part("validation", text + table(head, rows) + "\n")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
